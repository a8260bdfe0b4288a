"""What WeChat certainly could not use is refused, by the name of its field and in both languages."""

from typing import Any

import pytest

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.media import Uploaded
from wxcs_lite.push.value import parse
from wxcs_lite.require import kind_of, quoted, require_businessid, require_str, require_utf8
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.secret import Token

PUSH = parse(b'{"ToUserName":"gh_1","FromUserName":"ann","CreateTime":1,"MsgType":"image","MediaId":"M"}')


@pytest.mark.parametrize("value", ["a", "你好", "👋🏽", "\x00", Token("80_made-up")])
def test_any_filled_text_is_a_str(value: str) -> None:
    """Emoji, control characters and subclasses of str are texts."""
    require_str("content", value)
    require_utf8("content", value)


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (None, "must be a str, not None", "应为 str，收到的是 None"),
        (b"hi", "must be a str, not bytes", "应为 str，收到的是 bytes"),
        ("", "must not be empty", "不能为空"),
        ("hi \ud83d", "contains a lone surrogate (half of an emoji) at index 3: ", "第 3 位是不成对的代理字符"),
    ],
)
def test_what_is_no_text_is_refused_by_name(value: object, en: str, zh: str) -> None:
    """The error says where, and what to do."""
    with pytest.raises(InvalidMessage) as caught:
        require_str("content", value)
    field, english, chinese = caught.value.args
    assert "content" == field
    assert english.startswith(en)
    assert chinese.startswith(zh)


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        ("media_id", Uploaded("MEDIA_ID", "image", 1672500000), ".media_id"),
        ("thumb_media_id", Uploaded("MEDIA_ID", "thumb", 1672500000), ".media_id"),
        ("media_id", Sandbox().user("ann").sends_image(sunset()), '.fields["MediaId"]'),
        ("media_id", PUSH, '.fields["MediaId"]'),
        ("touser", Sandbox().user("ann"), ".openid"),
        ("touser", PUSH, '.fields["FromUserName"]'),
        ("content", Sandbox().user("ann").says("hi"), '.fields["Content"]'),
    ],
)
def test_what_holds_the_text_is_told_how_to_get_at_it(field: str, value: object, meant: str) -> None:
    """The result of upload, a push, a sandbox's customer and its events: each has the text in a known place."""
    with pytest.raises(InvalidMessage) as caught:
        require_str(field, value)
    assert f"{field}: must be a str, not {type(value).__name__}: pass its {meant}" == caught.value.en
    assert f"{field}：应为 str，收到的是 {type(value).__name__}：请传它的 {meant}" == caught.value.zh


@pytest.mark.parametrize(("field", "value"), [("media_id", None), ("content", PUSH), ("title", PUSH), ("touser", 1)])
def test_nothing_is_advised_where_nothing_is_known(field: str, value: object) -> None:
    """A value without such a text, or a field that no such value has."""
    with pytest.raises(InvalidMessage) as caught:
        require_str(field, value)
    assert f"{field}: must be a str, not {kind_of(value)}" == caught.value.en


@pytest.mark.parametrize("businessid", [0, 1, -1, 2**63, "1", "子商户"])
def test_a_businessid_is_a_number_or_a_text(businessid: int | str) -> None:
    """WeChat's pages show both."""
    require_businessid(businessid)


@pytest.mark.parametrize("businessid", [None, True, 1.5, "", "\ud83d", b"1", [1]])
def test_anything_else_is_no_businessid(businessid: Any) -> None:
    """True is an int to Python, and a slip here."""
    with pytest.raises(InvalidMessage) as caught:
        require_businessid(businessid)
    assert "businessid" == caught.value.field


def test_a_refused_value_is_called_by_its_kind() -> None:
    """Never by itself: it may be a secret in the wrong place."""
    assert ([
        "None", "str", "bytes", "int", "str",
    ] == [kind_of(value) for value in (None, "s3cret", b"", 1, Token("80_made-up"))])  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Blink", "'Blink'"),
        (None, "None"),
        (["Typing"], "['Typing']"),
        ("80_" + "a" * 20, "'***'"),
        (["80_" + "a" * 20], "['***']"),
        ("0f1e2d3c" * 4, "'***'"),
        ("/home/ann/" + "a" * 40 + "/photo.jpg", "'/home/ann/***/photo.jpg'"),
        ("photo of me " * 10 + "a.jpg", repr("…" + ("photo of me " * 10 + "a.jpg")[-59:])),
    ],
)
def test_an_error_quotes_no_secret_and_nothing_long(value: object, shown: str) -> None:
    """What could be a token becomes three stars; a long text keeps only its end, where a path has its name."""
    assert shown == quoted(value)
    assert len(quoted(value)) <= 62
