"""The customer's side: what they do becomes events with all that a push needs, and opens the window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox import CustomerEvent, Sandbox

JPEG = b"\xff\xd8\xff\xe0..."


def test_says() -> None:
    """A text becomes an event with its content and a 64-bit MsgId."""
    sandbox = Sandbox()
    event = sandbox.user("ann").says("这是\n文本")
    assert CustomerEvent(1767240000.0, "ann", "text", event.msg_id, {"Content": "这是\n文本"}) == event
    assert event.msg_id
    assert event.msg_id > 2**53
    assert (event,) == sandbox.events


def test_sends_image() -> None:
    """A picture is kept under its MediaId for three days."""
    sandbox = Sandbox()
    event = sandbox.user("ann").sends_image(JPEG)
    assert "image" == event.kind
    assert ["PicUrl", "MediaId"] == list(event.fields)
    assert JPEG == event.picture
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    token = sandbox.pool().request("GET", "/cgi-bin/token", fields=fields).json()["access_token"]
    query = {"access_token": token, "media_id": event.fields["MediaId"]}
    assert JPEG == sandbox.pool().request("GET", "/cgi-bin/media/get", fields=query).data


def test_sends_card() -> None:
    """A card names its Mini Program, the own one unless said; without a cover its two addresses are empty."""
    ann = Sandbox().user("ann")
    bare = ann.sends_card(title="标题", pagepath="pages/index?x=1")
    assert "miniprogrampage" == bare.kind
    assert {
        "Title": "标题",
        "AppId": "wxsandbox000000001",
        "PagePath": "pages/index?x=1",
        "ThumbUrl": "",
        "ThumbMediaId": "",
    } == bare.fields
    full = ann.sends_card(appid="wx0", thumb=JPEG)
    assert "wx0" == full.fields["AppId"]
    assert JPEG == full.picture
    assert full.fields["ThumbUrl"].endswith(full.fields["ThumbMediaId"])
    assert 64 == len(full.fields["ThumbMediaId"])


@given(st.text(max_size=20), st.integers(1, 400))
def test_session_from_is_cut(text: str, times: int) -> None:
    """SessionFrom keeps as many whole characters as fit into 1000 bytes."""
    given_text = text * times
    event = Sandbox().user("ann").enters_session(given_text)
    cut = event.fields["SessionFrom"]
    assert "event" == event.kind
    assert event.msg_id is None
    assert "user_enter_tempsession" == event.fields["Event"]
    assert given_text.startswith(cut)
    assert len(cut.encode()) <= 1000
    following = given_text[len(cut) : len(cut) + 1]
    assert not following or len((cut + following).encode()) > 1000


def test_nothing_to_send() -> None:
    """Empty texts and pictures cannot be sent, and leave nothing behind."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    with pytest.raises(ValueError, match="empty text"):
        ann.says("")
    with pytest.raises(TypeError, match="text must be a str, not NoneType"):
        ann.says(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty picture"):
        ann.sends_image(b"")
    with pytest.raises(ValueError, match="empty picture"):
        ann.sends_card(thumb=b"")
    assert () == sandbox.events


def test_same_customer() -> None:
    """To ask for a user again gives the same customer, not a new one."""
    sandbox = Sandbox()
    sandbox.user("ann").says("hi")
    assert "customers: 1" in repr(sandbox)
    assert "ann" == sandbox.user("ann").openid
    assert "<Customer ann>" == repr(sandbox.user("ann"))
    assert "customers: 1" in repr(sandbox)


@pytest.mark.parametrize("openid", ["", "张三", "a b", "x" * 65])
def test_impossible_openid(openid: str) -> None:
    """A customer cannot have an openid that WeChat would not take."""
    with pytest.raises(ValueError, match="openid must be 1 to 64"):
        Sandbox().user(openid)


def test_events_are_kept_in_order_and_can_not_be_changed() -> None:
    """Events of all customers stand in the order they happened, each with its time."""
    sandbox = Sandbox()
    sandbox.user("ann").says("1")
    sandbox.advance(1.5)
    event = sandbox.user("ben").enters_session()
    assert [("ann", 1767240000.0), ("ben", 1767240001.5)] == [(event.openid, event.at) for event in sandbox.events]
    with pytest.raises(TypeError):
        event.fields["Event"] = "x"  # type: ignore[index]


def test_inbox_gives_copies() -> None:
    """Changing what an inbox returned changes nothing on the phone; its repr shows no picture's bytes."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    media_id = ann.sends_image(JPEG).fields["MediaId"]
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    token = sandbox.pool().request("GET", "/cgi-bin/token", fields=fields).json()["access_token"]
    url = "/cgi-bin/message/custom/send?access_token=" + token
    for kind, part in (("image", {"media_id": media_id}), ("text", {"content": "x"})):
        sandbox.pool().request("POST", url, json={"touser": "ann", "msgtype": kind, kind: part})
    ann.inbox[1].message["text"]["content"] = "changed"
    assert "x" == ann.inbox[1].message["text"]["content"]
    assert "picture of 7 bytes, ai_label=False" in repr(ann.inbox[0])
    assert "no picture" in repr(ann.inbox[1])


def test_a_path_is_no_picture() -> None:
    """The error says how to get its bytes."""
    with pytest.raises(TypeError, match="content must be bytes, not str"):
        Sandbox().user("ann").sends_image("a.png")  # type: ignore[arg-type]
