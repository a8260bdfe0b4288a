"""Advice on a message: given in both languages, never an exception, silent where nothing looks odd."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite import Remark, check, image, link, miniprogrampage, text
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.messages import REQUIRED, require_message
from wxcs_lite.splitting import TEXT_BYTES

OPENID = "oGZUI0egBJY1zhBYw2KhdUfwVJJE"
MEDIA_ID = "eYJ1MbwPRJtOvIEabaxHs7TX2D-HV71s79GUxqdUkjm6Gs2Ed1KF3ulAOA9H1xG0"
LINK = {"title": "t", "description": "d", "url": "https://a.cn/", "thumb_url": "https://a.cn/i.png"}
CARD = {"title": "t", "pagepath": "pages/a?b=c", "thumb_media_id": MEDIA_ID}
LABEL = '<a href="http://www.qq.com" data-miniprogram-appid="appid" data-miniprogram-path="pages/index/index">go</a>'


@pytest.mark.parametrize(
    "message",
    [
        text(OPENID, "你好"),
        text(OPENID, "x" * TEXT_BYTES),
        text(OPENID, LABEL),
        text(OPENID, LABEL.upper()),
        text(OPENID, LABEL * 3),
        text(OPENID, "<a href='https://a.cn/'>a</a>, a < b > c"),
        image(OPENID, MEDIA_ID),
        link(OPENID, **LINK),
        link(OPENID, **{**LINK, "thumb_url": "HTTPS://A.CN/I.JPG?x=a.gif#.webp"}),
        link(OPENID, **{**LINK, "thumb_url": "https://a.cn/i"}),
        miniprogrampage(OPENID, **CARD),
        miniprogrampage(OPENID, **{**CARD, "pagepath": "pages/web?url=https://a.cn/"}),
    ],
)
def test_a_good_message_gets_no_remark(message: Any) -> None:
    """An empty list means that nothing looks odd."""
    assert [] == check(message)


@pytest.mark.parametrize(
    ("message", "field", "word"),
    [
        (text("张三", "hi"), "touser", "40003"),
        (text(f"{OPENID}\n", "hi"), "touser", "40003"),
        (text("x" * 65, "hi"), "touser", "40003"),
        ({"touser": OPENID, "msgtype": "news"}, "msgtype", "45162"),
        ({"touser": OPENID, "msgtype": "\x1b"}, "msgtype", r"'\x1b'"),
        (text(OPENID, "x" * (TEXT_BYTES + 1)), "content", "45002"),
        (text(OPENID, "<a data-miniprogram-appid='a'>go</a>"), "content", "data-miniprogram-path"),
        (text(OPENID, LABEL + "<A\nDATA-miniprogram-appid = a>go</A>"), "content", "data-miniprogram-path"),
        (image(OPENID, "photo.jpg"), "media_id", "upload"),
        (image(OPENID, "/tmp/photo"), "media_id", "upload"),
        (image(OPENID, r"C:\photo"), "media_id", "upload"),
        (image(OPENID, "https://a.cn/i"), "media_id", "upload"),
        (link(OPENID, **{**LINK, "url": "http://a.cn/"}), "url", "https://"),
        (link(OPENID, **{**LINK, "url": "a.cn"}), "url", "https://"),
        (link(OPENID, **{**LINK, "thumb_url": MEDIA_ID}), "thumb_url", "not a media_id"),
        (link(OPENID, **{**LINK, "thumb_url": "http://a.cn/i.png"}), "thumb_url", "https://"),
        (link(OPENID, **{**LINK, "thumb_url": "https://a.cn/i.WEBP?x=1"}), "thumb_url", ".WEBP"),
        (miniprogrampage(OPENID, **{**CARD, "pagepath": "/pages/a"}), "pagepath", '"/"'),
        (miniprogrampage(OPENID, **{**CARD, "pagepath": "https://a.cn/pages/a"}), "pagepath", "URL"),
        (miniprogrampage(OPENID, **{**CARD, "thumb_media_id": "i.png"}), "thumb_media_id", "upload"),
    ],
)
def test_what_looks_odd_gets_one_remark(message: Any, field: str, word: str) -> None:
    """The remark names the field and the errcode, or what to do instead."""
    (remark,) = check(message)
    assert field == remark.field
    assert word in remark.en
    assert re.search(r"[\u4e00-\u9fff]", remark.zh)
    assert not re.search(r"[\u4e00-\u9fff]", remark.en)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("char", ["x", "é", "好", "👋"])
def test_the_remark_counts_the_messages_of_a_split(char: str, count: int) -> None:
    """A text is cut between characters, so that a message holds 2048 bytes or a little less."""
    fit = TEXT_BYTES // len(char.encode())
    for length in (fit * count + 1, fit * (count + 1)):
        (remark,) = check(text(OPENID, char * length))
        assert f"it takes {count + 1} messages" in remark.en
        assert f"拆分后要占 {count + 1} 条" in remark.zh


def test_the_size_is_told_in_bytes() -> None:
    """2048 characters of Chinese are three times as many bytes."""
    (remark,) = check(text(OPENID, "好" * TEXT_BYTES))
    assert remark.en.startswith("is 6144 bytes of UTF-8")


def test_several_remarks_come_in_the_order_of_the_message() -> None:
    """Each odd field speaks for itself."""
    message = link("a b", title="t", description="d", url="a", thumb_url="b")
    assert ["touser", "url", "thumb_url"] == [remark.field for remark in check(message)]


def test_a_remark_is_both_languages() -> None:
    """Its text is English, then Chinese, like that of an error."""
    assert "url: is odd\nurl：有问题" == str(Remark("url", "is odd", "有问题"))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (None, "message"),
        ("hi", "message"),
        ({}, "touser"),
        ({"touser": OPENID, "msgtype": ["text"]}, "msgtype"),
        ({"touser": OPENID, "msgtype": "text"}, "text"),
        ({"touser": OPENID, "msgtype": "text", "text": {}}, "content"),
        ({"touser": OPENID, "msgtype": "text", "text": {"content": "\ud800"}}, "content"),
    ],
)
def test_what_send_would_refuse_is_the_one_remark(message: Any, field: str) -> None:
    """In the words of the exception, but with no exception."""
    (remark,) = check(message)
    with pytest.raises(InvalidMessage) as caught:
        require_message(message)
    assert field == remark.field
    assert str(caught.value) == str(remark)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({field for fields in REQUIRED.values() for field in fields})


@settings(deadline=None)
@given(
    st.sampled_from([*REQUIRED, "news"]).flatmap(
        lambda msgtype: st.fixed_dictionaries(
            {"touser": JSON, "msgtype": st.just(msgtype) | JSON},
            optional={msgtype: st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4) | JSON},
        )
    )
)
def test_checking_never_raises(message: dict[str, Any]) -> None:
    """Whatever a dict holds, there is a list of remarks, each in both languages."""
    assert all(remark.en and remark.zh and remark.field for remark in check(message))


@pytest.mark.parametrize("piece", ["<a ", "<a data-miniprogram-appid=", "<a data-miniprogram-appid data-"])
def test_a_text_full_of_open_tags_is_read_once(piece: str) -> None:
    """Ten thousand tags that never end take no longer than the same length of words."""
    assert ["content"] == [remark.field for remark in check(text(OPENID, piece * 10_000))]


def test_a_text_that_the_window_cannot_hold_is_told() -> None:
    """Six messages, of which five go out."""
    (remark,) = check(text(OPENID, "x" * (TEXT_BYTES * 5 + 1)))
    assert "takes 6 messages of the window, which holds 5" in remark.en
    assert "窗口只有 5 条" in remark.zh


def test_a_link_past_the_limit_is_named() -> None:
    """It cannot be split."""
    (remark,) = check(text(OPENID, f'<a href="https://a.cn/{"x" * TEXT_BYTES}">a</a>'))
    assert "45002; it contains a link of 2077 bytes" in remark.en
    assert "文字链接长 2077 字节" in remark.zh
