"""Sending messages and showing typing: fields, window, and what the phone shows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox import Customer, Sandbox
from wxcs_lite.sandbox.api.sending import well_formed

JPEG = b"\xff\xd8\xff\xe0..."
OK = {"errcode": 0, "errmsg": "ok"}
APPID = "wxsandbox000000001"
TEXT = {"touser": "ann", "msgtype": "text", "text": {"content": "Hello World"}}


class Desk:
    """A sandbox with a token, and ann, who has just written."""

    def __init__(self, **switches: Any) -> None:
        self.sandbox = Sandbox(**switches)
        self.pool = self.sandbox.pool()
        self.renew()
        self.ann: Customer = self.sandbox.user("ann")
        self.ann.says("hi")

    def renew(self) -> None:
        fields = {"grant_type": "client_credential", "appid": self.sandbox.appid, "secret": self.sandbox.secret}
        self.token = self.pool.request("POST", "/cgi-bin/stable_token", json=fields).json()["access_token"]

    def post(self, message: Any, path: str = "send") -> Any:
        return self.pool.request(
            "POST", f"/cgi-bin/message/custom/{path}?access_token={self.token}", json=message
        ).json()

    def code(self, message: Any, path: str = "send") -> int:
        return int(self.post(message, path)["errcode"])

    def upload(self, kind: str = "image", filename: str = "a.jpg") -> str:
        url = f"/cgi-bin/media/upload?access_token={self.token}&type={kind}"
        reply = self.pool.request("POST", url, fields={"media": (filename, JPEG)}).json()
        return str(reply.get("media_id") or reply["thumb_media_id"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def part(msgtype: str, **fields: Any) -> dict[str, Any]:
    return {"touser": "ann", "msgtype": msgtype, msgtype: fields}


def test_text(desk: Desk) -> None:
    """A text arrives as it was sent, and the reply says only ok."""
    message = {**TEXT, "text": {"content": '第一行\n<a href="http://www.qq.com">二</a>'}, "surplus": 1}
    assert OK == desk.post(message)
    [shown] = desk.ann.inbox
    assert (1767240000, message, None, False) == shown


@pytest.mark.parametrize(
    "touser",
    [None, "", "张三", "an n", "a/b", "x" * 65, 7, True, ["ann"], {"a": 1}, "ann\n", "oGZUI0egBJY1zhBY.2KhdUfwVJJE"],
)
def test_malformed_openid(desk: Desk, touser: object) -> None:
    """A touser that cannot be an openid, or is missing, answers 40003, for sending and typing."""
    assert [40003, 40003] == [desk.code({**TEXT, "touser": touser}), desk.code({"touser": touser}, "typing")]


@given(st.text(max_size=70) | st.text("AZaz09_-", max_size=70))
def test_well_formed(openid: str) -> None:
    """An openid is 1 to 64 letters, digits, underscores and hyphens of ASCII."""
    expected = 1 <= len(openid) <= 64 and all(c.isascii() and (c.isalnum() or c in "_-") for c in openid)
    assert expected == well_formed(openid)


def test_stranger(desk: Desk) -> None:
    """A well-formed openid that never came answers 45015 and stays a stranger."""
    assert 45015 == desk.code({**TEXT, "touser": "testOpenId"})
    assert 45015 == desk.code({"touser": "testOpenId", "command": "Typing"}, "typing")
    assert "customers: 1" in repr(desk.sandbox)


MP_REFUSES = ["voice", "video", "music", "news", "mpnews", "mpnewsarticle", "msgmenu", "wxcard", "nonsense", ""]


@pytest.mark.parametrize("msgtype", MP_REFUSES)
def test_types_of_other_accounts(desk: Desk, msgtype: str) -> None:
    """A type that Mini Programs may not send answers 45162."""
    assert 45162 == desk.code(part(msgtype))


@pytest.mark.parametrize("msgtype", [None, 1, ["text"], {}])
def test_msgtype_that_is_no_text(desk: Desk, msgtype: object) -> None:
    """A msgtype that is missing or no text answers 40008."""
    assert 40008 == desk.code({"touser": "ann", "msgtype": msgtype})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"touser": "ann", "msgtype": "text"}, 44004),
        ({"touser": "ann", "msgtype": "text", "text": None}, 44004),
        ({"touser": "ann", "msgtype": "text", "text": "hello"}, 40035),
        (part("text"), 44004),
        (part("text", content=""), 44004),
        (part("text", content=None), 44004),
        (part("text", content=7), 40035),
        (part("text", content="x" * 2048), 0),
        (part("text", content="x" * 2049), 45002),
        (part("text", content="好" * 682), 0),
        (part("text", content="好" * 683), 45002),
        (part("text", content=f'<a data-miniprogram-appid="{APPID}" data-miniprogram-path="p">x</a>'), 0),
        (part("text", content=f"<a data-miniprogram-appid='{APPID}'>x</a>"), 0),
        (part("text", content='<a data-miniprogram-appid="wx0">x</a>'), 45086),
        (part("text", content="<a data-miniprogram-appid=wx0>x</a>"), 45086),
        (part("image"), 40007),
        (part("image", media_id=""), 40007),
        (part("image", media_id="made-up"), 40007),
        (part("image", media_id=["x"]), 40007),
        (part("link", title="t", description="d", url="u", thumb_url="t"), 0),
        (part("link", title="t", description="d", url="u"), 41011),
        (part("link", title=1, description="d", url="u", thumb_url="t"), 40035),
        (part("miniprogrampage", title="t", pagepath="p", thumb_media_id="made-up"), 40007),
        (part("miniprogrampage", title="t", thumb_media_id="made-up"), 41011),
        (part("miniprogrampage", pagepath="p"), 41011),
        (part("miniprogrampage", title="t", pagepath="p", appid="wx0"), 40166),
        ({**TEXT, "customservice": {"kf_account": "test1@kftest"}}, 0),
        ({**TEXT, "aimsgcontext": "x"}, 0),
    ],
)
def test_fields(desk: Desk, message: dict[str, Any], expected: int) -> None:
    """Each field's fault has its code; a refused message is not shown and does not count."""
    assert expected == desk.code(message)
    assert (expected == 0) == bool(desk.ann.inbox)
    rest = [desk.code(TEXT) for _ in range(6)]
    assert [0] * (4 + bool(expected)) == rest[: 4 + bool(expected)]
    assert 45047 == rest[-1]


def test_image(desk: Desk) -> None:
    """An image arrives with the bytes the shelf held then, and goes when three days are over."""
    media_id = desk.upload()
    assert OK == desk.post(part("image", media_id=media_id))
    desk.sandbox.advance(3 * 86400)
    assert [JPEG] == [shown.picture for shown in desk.ann.inbox]
    desk.renew()
    desk.ann.says("again")
    assert 40007 == desk.code(part("image", media_id=media_id))


def test_picture_of_a_customer_can_be_sent(desk: Desk) -> None:
    """The media_id of what a customer sent can be sent on."""
    media_id = desk.ann.sends_image(b"photo").fields["MediaId"]
    assert OK == desk.post(part("image", media_id=media_id))
    assert b"photo" == desk.ann.inbox[0].picture


@pytest.mark.parametrize("appid", [{}, {"appid": ""}, {"appid": APPID}])
@pytest.mark.parametrize("kind", ["image", "thumb"])
def test_card(desk: Desk, appid: dict[str, str], kind: str) -> None:
    """A card shows its cover; the own appid may be named or not."""
    card = part("miniprogrampage", title="t", pagepath="p?x=1", thumb_media_id=desk.upload(kind), **appid)
    assert OK == desk.post(card)
    assert [(card, JPEG)] == [(shown.message, shown.picture) for shown in desk.ann.inbox]


def test_wrong_type_of_medium(desk: Desk) -> None:
    """A video is not an image, nor is a thumb."""
    video, thumb = desk.upload("video", "a.mp4"), desk.upload("thumb")
    assert [40007, 40007] == [desk.code(part("image", media_id=media_id)) for media_id in (video, thumb)]


def test_success_is_not_delivery(desk: Desk) -> None:
    """A link with empty addresses is answered ok, counted, and never shown."""
    assert OK == desk.post(part("link", title="t", description="d", url="", thumb_url=""))
    assert () == desk.ann.inbox
    assert [0, 0, 0, 0, 45047] == [desk.code(TEXT) for _ in range(5)]


@pytest.mark.parametrize(
    ("context", "label"), [({"is_ai_msg": 1}, True), ({"is_ai_msg": 0}, False), ({"msgid": 1}, False)]
)
def test_ai_label(desk: Desk, context: dict[str, int], label: bool) -> None:
    """The AI line is shown for is_ai_msg 1 only."""
    desk.post({**TEXT, "aimsgcontext": context})
    assert [label] == [shown.ai_label for shown in desk.ann.inbox]


def test_window(desk: Desk) -> None:
    """Five in 48 hours, then 45047; after 48 hours 45015; each user for themselves."""
    assert [0] * 5 + [45047] == [desk.code(TEXT) for _ in range(6)]
    ben = desk.sandbox.user("ben")
    assert 45015 == desk.code({**TEXT, "touser": "ben"})
    ben.enters_session()
    assert [0, 0, 45047] == [desk.code({**TEXT, "touser": "ben"}) for _ in range(3)]
    desk.sandbox.advance(48 * 3600)
    desk.renew()
    assert [45047, 45015] == [desk.code({**TEXT, "touser": name}) for name in ("ann", "ben")]
    desk.sandbox.advance(1)
    assert 45015 == desk.code(TEXT)


def test_typing(desk: Desk) -> None:
    """Typing shows for 15 s and is refused while it shows, 30 s after the last message, and with another command."""
    typing = {"touser": "ann", "command": "Typing"}
    assert OK == desk.post(typing, "typing")
    assert desk.ann.sees_typing
    assert 45081 == desk.code(typing, "typing")
    desk.sandbox.advance(15)
    assert not desk.ann.sees_typing
    assert OK == desk.post(typing, "typing")
    assert OK == desk.post({**typing, "command": "CancelTyping"}, "typing")
    assert not desk.ann.sees_typing
    desk.post(typing, "typing")
    assert OK == desk.post(TEXT)
    assert not desk.ann.sees_typing
    desk.sandbox.advance(30.5)
    assert 45080 == desk.code(typing, "typing")
    commands = ["typing", "", None, 1, ["Typing"]]
    assert [45072] * 5 == [desk.code({"touser": "ann", "command": command}, "typing") for command in commands]


@pytest.mark.parametrize(("businessid", "expected"), [(1, 0), ("1", 0), (None, 40101), ("", 40101), ([1], 40035)])
def test_business(desk: Desk, businessid: object, expected: int) -> None:
    """The sub-merchant paths want a businessid, an integer or a text, before all else."""
    message = {**TEXT, "businessid": businessid}
    assert expected == desk.code(message, "business/send")
    assert expected == desk.code({"touser": "ann", "command": "Typing", "businessid": businessid}, "business/typing")
    assert 40101 == desk.code({}, "business/send")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
messages = st.fixed_dictionaries(
    {"touser": st.just("ann") | json_values, "msgtype": st.sampled_from(["text", "image", "link", "miniprogrampage"])},
    optional={
        "text": st.fixed_dictionaries({"content": json_values}) | json_values,
        "image": st.fixed_dictionaries({"media_id": json_values}) | json_values,
        "link": st.fixed_dictionaries({"title": json_values, "url": json_values}) | json_values,
        "miniprogrampage": json_values,
        "aimsgcontext": st.fixed_dictionaries({"is_ai_msg": json_values}) | json_values,
    },
)


@given(messages)
def test_any_message_gets_a_verdict(message: dict[str, Any]) -> None:
    """Whatever stands in the fields: a known errcode, and shown if it is 0."""
    desk = Desk()
    code = desk.code(message)
    assert code in (0, 40003, 40007, 40035, 41011, 44004, 45015)  # the last: an openid of nobody
    assert (code == 0) == bool(desk.ann.inbox)
