"""The builders: plain dicts as WeChat reads them, and none that WeChat certainly could not use."""

import copy
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite import (
    endpoints,
    image,
    link,
    miniprogrampage,
    send,
    text,
    with_ai_label,
    with_businessid,
    with_kf_account,
)
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.media import Uploaded
from wxcs_lite.messages import require_message
from wxcs_lite.remarks import check
from wxcs_lite.sandbox import Sandbox

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
BUSINESS = st.integers() | WORDS
CARD = {"title": "t", "pagepath": "pages/a", "thumb_media_id": "M"}
LINK = {"title": "t", "description": "d", "url": "https://a.cn/", "thumb_url": "https://a.cn/i.png"}
BUILT = st.one_of(
    st.builds(text, WORDS, WORDS),
    st.builds(image, WORDS, WORDS),
    st.builds(link, WORDS, title=WORDS, description=WORDS, url=WORDS, thumb_url=WORDS),
    st.builds(miniprogrampage, WORDS, title=WORDS, pagepath=WORDS, thumb_media_id=WORDS),
)
EXTRAS: st.SearchStrategy[Callable[[Any], Any]] = st.one_of(
    st.booleans().map(lambda flag: lambda message: with_ai_label(message, flag)),
    WORDS.map(lambda account: lambda message: with_kf_account(message, account)),
    BUSINESS.map(lambda businessid: lambda message: with_businessid(message, businessid)),
)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (text("U", "你好"), {"touser": "U", "msgtype": "text", "text": {"content": "你好"}}),
        (image("U", "M"), {"touser": "U", "msgtype": "image", "image": {"media_id": "M"}}),
        (link("U", **LINK), {"touser": "U", "msgtype": "link", "link": LINK}),
        (miniprogrampage("U", **CARD), {"touser": "U", "msgtype": "miniprogrampage", "miniprogrampage": CARD}),
    ],
    ids=["text", "image", "link", "miniprogrampage"],
)
def test_a_builder_returns_what_wechat_receives(built: object, message: dict[str, object]) -> None:
    """The four types of a Mini Program, with the names of the official page and nothing else."""
    assert message == built
    assert type(built) is dict


@settings(deadline=None)
@given(BUILT, st.lists(EXTRAS, max_size=3))
def test_every_text_arrives_as_it_was_written(message: Any, extras: list[Callable[[Any], Any]]) -> None:
    """Through request and JSON comes back what went in: emoji, quotes, line breaks, controls and all."""
    for extra in extras:
        message = extra(message)
    body = endpoints.send(message).body
    assert isinstance(body, bytes)
    assert message == json.loads(body.decode())


@settings(deadline=None)
@given(BUILT)
def test_only_control_characters_are_escaped(message: Any) -> None:
    """WeChat shows customers a literal \\u4f60, and a link whose < is escaped is no longer a link."""
    body = endpoints.send(message).body
    assert isinstance(body, bytes)
    raw = body.decode()
    words = [message["touser"], *message[message["msgtype"]].values()]
    for char in {char for word in words for char in word} - {'"', "\\"}:
        assert (char in raw) == (char >= " ")
    assert {int(escape, 16) < 0x20 for escape in _escapes(raw)} <= {True}


def _escapes(raw: str) -> list[str]:
    """Return the digits of each \\u escape, passing over escaped backslashes."""
    parts = raw.replace("\\\\", "").split("\\u")
    return [part[:4] for part in parts[1:]]


@settings(deadline=None)
@given(BUILT, EXTRAS)
def test_builders_never_change_their_input(message: Any, extra: Callable[[Any], Any]) -> None:
    """A message may be kept as a template: each `with_…` returns a new dict."""
    before = copy.deepcopy(message)
    changed = extra(message)
    assert before == message
    assert changed is not message
    assert set(changed) - set(message) in ({"aimsgcontext"}, {"customservice"}, {"businessid"})


@pytest.mark.parametrize(("flag", "field"), [(True, 1), (False, 0), (2, 1), ("yes", 1), (None, 0)])
def test_the_ai_label_is_one_or_zero(flag: Any, field: int) -> None:
    """`is_ai_msg` is a number on the wire, and never another than 0 or 1."""
    labelled = with_ai_label(text("U", "hi"), flag)
    assert {"is_ai_msg": field} == labelled["aimsgcontext"]
    assert type(labelled["aimsgcontext"]["is_ai_msg"]) is int


def test_extras_can_be_given_again() -> None:
    """The last one counts."""
    assert 2 == with_businessid(with_businessid(text("U", "hi"), 1), 2)["businessid"]


@pytest.mark.parametrize("businessid", [1, 0, -1, "1", "shop"])
def test_a_businessid_is_a_number_or_a_text(businessid: int | str) -> None:
    """WeChat's pages show both forms, so both pass, as they are."""
    assert businessid == with_businessid(text("U", "hi"), businessid)["businessid"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (None, "not None"),
        (True, "not bool"),
        (1.0, "not float"),
        (b"1", "not bytes"),
        ("", "must not be empty"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_any_other_businessid_is_refused(wrong: Any, why: str) -> None:
    """The error names the field and what it got, from the builder and from a handmade message alike."""
    with pytest.raises(InvalidMessage, match=f"^businessid: .*{why}"):
        with_businessid(text("U", "hi"), wrong)
    with pytest.raises(InvalidMessage, match=f"^businessid: .*{why}"):
        endpoints.send({**text("U", "hi"), "businessid": wrong})


WRONG = [
    (None, "must be a str, not None"),
    (1, "must be a str, not int"),
    (b"x", "must be a str, not bytes"),
    ("", "must not be empty"),
    ("a\ud83d", "contains a lone surrogate (half of an emoji) at index 1"),
]
REASONS = ["None", "int", "bytes", "empty", "surrogate"]


@pytest.mark.parametrize(("wrong", "why"), WRONG, ids=REASONS)
@pytest.mark.parametrize(
    ("field", "build"),
    [
        ("touser", lambda wrong: text(wrong, "hi")),
        ("content", lambda wrong: text("U", wrong)),
        ("touser", lambda wrong: image(wrong, "M")),
        ("media_id", lambda wrong: image("U", wrong)),
        ("touser", lambda wrong: link(wrong, **LINK)),
        *((field, lambda wrong, field=field: link("U", **{**LINK, field: wrong})) for field in LINK),
        ("touser", lambda wrong: miniprogrampage(wrong, **CARD)),
        *((field, lambda wrong, field=field: miniprogrampage("U", **{**CARD, field: wrong})) for field in CARD),
        ("kf_account", lambda wrong: with_kf_account(text("U", "hi"), wrong)),
        ("msgtype", lambda wrong: endpoints.send({"touser": "U", "msgtype": wrong})),
    ],
)
def test_what_wechat_certainly_refuses_never_leaves(
    field: str, build: Callable[[Any], Any], wrong: Any, why: str
) -> None:
    """Each required field is refused if missing, empty, no text or half an emoji, and the error names it."""
    with pytest.raises(InvalidMessage) as caught:
        build(wrong)
    assert field == caught.value.field
    assert str(caught.value).startswith(f"{field}: {why}")
    assert caught.value.maybe_sent is False


def test_the_error_holds_no_chain() -> None:
    """A lone surrogate is reported without Python's own error behind it, which holds the whole text."""
    with pytest.raises(InvalidMessage) as caught:
        text("U", "\ud800")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("wrong", [None, "hi", "", [("touser", "U")], b"{}", 7])
@pytest.mark.parametrize(
    "use", [require_message, with_ai_label, endpoints.send], ids=["require_message", "with_ai_label", "send"]
)
def test_a_message_is_a_dict(use: Callable[[Any], Any], wrong: Any) -> None:
    """Anything else is refused with a hint at the builders."""
    with pytest.raises(InvalidMessage, match=r"^message: must be a dict such as text\(touser, content\) returns"):
        use(wrong)


@pytest.mark.parametrize("message", [{}, {"msgtype": "text"}, {"touser": "U"}, {"touser": "U", "msgtype": "text"}])
def test_an_incomplete_dict_is_refused(message: dict[str, Any]) -> None:
    """Also a handmade message needs a customer, a type and the type's object."""
    with pytest.raises(InvalidMessage):
        require_message(message)


@pytest.mark.parametrize("content", [None, "hi", [], 7])
def test_the_content_of_a_known_type_is_a_dict(content: Any) -> None:
    """The error names the type's object and lists what belongs in it."""
    with pytest.raises(InvalidMessage, match=r"^link: must be a dict with title, description, url, thumb_url"):
        require_message({"touser": "U", "msgtype": "link", "link": content})


@pytest.mark.parametrize("message", [{"msgtype": "voice", "voice": {"media_id": "M"}}, {"msgtype": "tomorrow"}])
def test_an_unknown_type_passes(message: dict[str, Any]) -> None:
    """WeChat may have new types before this package does, and decides itself."""
    require_message({"touser": "U", **message})


def test_unknown_fields_pass() -> None:
    """A field that is not known to be wrong is left to WeChat."""
    message = {"touser": "U", "msgtype": "text", "text": {"content": "hi", "new": 1}, "newer": {"a": [None]}}
    assert message == json.loads(bytes(endpoints.send(message).body or b""))


def test_a_card_with_an_appid_passes() -> None:
    """The page of 2026 shows one inside, the older page does not."""
    require_message({"touser": "U", "msgtype": "miniprogrampage", "miniprogrampage": {**CARD, "appid": "wx1"}})


def test_any_mapping_is_a_message() -> None:
    """What a type checker accepts as a message is one, even if it cannot be written to."""
    frozen = MappingProxyType(text("OPENID", "hello"))
    assert endpoints.send(text("OPENID", "hello")) == endpoints.send(frozen)
    assert [] == check(frozen)


def test_a_bare_text_is_no_message() -> None:
    """It is called a str, never by the name of the class in which it was hidden."""
    pool = Sandbox().pool()
    with pytest.raises(
        InvalidMessage, match=r"message: must be a dict such as text\(touser, content\) returns, not str\n"
    ):
        send(pool, "80_made-up", "hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not str: pool first, token second"):
        send("https://api.weixin.qq.com", "80_made-up", text("ann", "hi"))  # type: ignore[arg-type]


def test_what_upload_gave_is_not_its_media_id() -> None:
    """The error says where the id is."""
    with pytest.raises(InvalidMessage, match=r"media_id: must be a str, not Uploaded: pass its \.media_id"):
        image("ann", Uploaded("MEDIA_ID", "image", 1672500000))  # type: ignore[arg-type]
