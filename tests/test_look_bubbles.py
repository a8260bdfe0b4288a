"""A bubble shows what a message says, and whatever came from outside is only ever text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from wxcs_lite.look.bubbles import as_message, bubble, line, photo, safe_href, summary
from wxcs_lite.look.words import Language
from wxcs_lite.messages import image, link, miniprogrampage, text, with_ai_label
from wxcs_lite.panel.conversation import Conversations
from wxcs_lite.panel.drawn import drawn_all
from wxcs_lite.panel.gallery import Pictures
from wxcs_lite.panel.status import line_html
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.panel.view.people import row
from wxcs_lite.sandbox import sunset

EN = words("en")
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "x;background:url(https://evil.example/)",
    "javascript:alert(1)",
    "{0.__class__}{words}",
    "&lt;b&gt;",
    "\ud83d half of an emoji",
    "a\u202etxt.exe",
)


class Seen(HTMLParser):
    """What a browser makes of our markup: elements, attributes and text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(markup: str) -> Seen:
    """Assert that nothing in the markup can run, style or load anything."""
    seen = Seen(markup)
    drawn = {"svg", "path", "circle"}
    assert set(seen.tags) <= {"div", "span", "a", "img", "pre", "b", "strong"} | drawn
    for name, value in seen.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name == "src":
            assert re.fullmatch(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]+", value or "")
        if name == "href":
            assert safe_href(value) == value
    markup.encode()
    return seen


def messages(attack: str) -> list[dict[str, Any]]:
    return [
        {"msgtype": "text", "text": {"content": attack}},
        {"msgtype": "image", "image": {"media_id": attack}},
        {"msgtype": "link", "link": dict.fromkeys(("title", "description", "url", "thumb_url"), attack)},
        {"msgtype": "miniprogrampage", "miniprogrampage": dict.fromkeys(("title", "pagepath"), attack)},
        {"msgtype": attack, attack: {"title": attack}, "touser": attack},
        {"msgtype": "text", "text": attack},
        {"msgtype": ["text"], "aimsgcontext": attack},
        {},
    ]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_attack_is_text(attack: str, lang: Language) -> None:
    """Script, event handlers, styles and broken markup: shown as they are written, and nothing else."""
    for message in messages(attack):
        harmless(bubble(message, words(lang), picture=sunset()))
        summary(message, words(lang)).encode()
    shown = harmless(bubble(text("ann", "x") | {"text": {"content": attack}}, words(lang))).text
    assert shown == attack.encode("utf-8", "replace").decode()
    harmless(line(attack.encode("utf-8", "replace").decode()))
    harmless(line_html(attack.encode("utf-8", "replace").decode()))


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_conversation_is_text(attack: str) -> None:
    """Openid, kind, fields and event names of a push all come from outside; so does the errmsg of a reply."""
    conversations, pictures = Conversations(), Pictures()
    clean = attack.encode("utf-8", "replace").decode()
    for kind in ("text", "image", "miniprogrampage", "event", clean, "msgtype"):
        fields = {"FromUserName": clean, "MsgType": kind, "Content": attack, "Title": attack, "Event": attack}
        conversations.came_in(0, {**fields, "MediaId": attack, "ThumbMediaId": attack}, f"{kind} {attack}")
    conversations.goes_out(0, {"touser": clean, "msgtype": "text", "text": {"content": attack}}, "1")
    conversations.settle("1", {"error": clean, "maybe_sent": True})
    pictures.failed[attack] = KeyError(attack)
    for _, markup in drawn_all(conversations.entries, EN, pictures):
        harmless(markup)
    row(conversations.of(clean), 0, EN).encode()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "data:text/html,",
        "vbscript:x", "file:///etc/passwd", "//evil.example", "https://", "http://user@evil.example/", "https://a b/",
        'https://a.cn/"onclick="x', "https://[::1", "ftp://a.cn/", "", None, 5, "https://a.cn/\u202e",
    ],
)  # fmt: skip
def test_links_open_http_and_https_only(url: object) -> None:
    """Everything else is shown as a title that cannot be clicked."""
    assert safe_href(url) is None
    message = {"msgtype": "link", "link": {"title": "t", "description": "d", "url": url, "thumb_url": "https://a/b"}}
    assert "a" not in harmless(bubble(message, EN)).tags


def test_a_link_opens_its_page_in_a_new_window_and_loads_nothing() -> None:
    """The thumbnail's address is on the web: it is not fetched for a preview."""
    made = link("ann", title="Track", description="…", url="https://a.cn/?a=1&b=2", thumb_url="https://a.cn/i.png")
    seen = harmless(bubble(made, EN))
    assert ("href", "https://a.cn/?a=1&b=2") in seen.attributes
    assert ("rel", "noopener noreferrer nofollow") in seen.attributes
    assert "img" not in seen.tags
    assert not any("i.png" in (value or "") for _, value in seen.attributes)


def test_a_picture_is_shown_from_its_bytes() -> None:
    """By its first bytes; anything that is not a picture, or is larger than the limit, is a grey box with its name."""
    assert "img" in harmless(bubble(image("ann", "MEDIA_ID"), EN, picture=sunset())).tags
    for picture, limit in ((None, None), (b"<html>", None), (sunset(), 10)):
        seen = harmless(bubble(image("ann", "MEDIA_ID"), EN, picture=picture, limit=limit))
        assert "img" not in seen.tags
        assert "MEDIA_ID" in seen.text
    assert "…" in Seen(bubble(image("ann", "M" * 64), EN)).text
    assert '<span class="wxcs-nopic">name</span>' == photo(b"", "name", "alt")


def test_a_card_has_title_cover_and_page() -> None:
    """As WeChat shows it: the title above, the cover, and a foot that says Mini Program."""
    made = miniprogrampage("ann", title="Order", pagepath="pages/order?id=1", thumb_media_id="M")
    seen = harmless(bubble(made, EN, picture=sunset()))
    assert "img" in seen.tags
    assert "Order" in seen.text
    assert "Mini Program · pages/order?id=1" in seen.text


def test_the_ai_label_is_a_grey_line() -> None:
    """Only where it says 1."""
    labelled = with_ai_label(text("ann", "hi"))
    assert "Written by AI" in bubble(labelled, EN)
    assert "Written by AI" not in bubble(with_ai_label(labelled, False), EN)


def test_an_unknown_kind_is_shown_as_json() -> None:
    """Raw JSON may say anything; the openid in it is not repeated."""
    shown = Seen(bubble({"touser": "ann", "msgtype": "voice", "voice": {"media_id": "M"}}, EN)).text
    assert '"voice"' in shown
    assert "ann" not in shown


def test_sides() -> None:
    """What the phone's owner wrote is on the right."""
    assert "wxcs-mine" in bubble(text("ann", "hi"), EN, mine=True)
    assert "wxcs-mine" not in bubble(text("ann", "hi"), EN)


def test_a_push_becomes_a_message() -> None:
    """So that one renderer serves both directions."""
    fields = {"Title": "t", "PagePath": "p", "ThumbMediaId": "M", "ThumbUrl": "http://x"}
    made = as_message("miniprogrampage", fields)
    assert {"title": "t", "pagepath": "p", "thumb_media_id": "M"} == made["miniprogrampage"]


def test_summaries() -> None:
    """One line of plain text for the history."""
    assert "hi" == summary(text("ann", "hi"), EN)
    assert "(entered the customer-service session)" == summary(
        as_message("event", {"Event": "user_enter_tempsession"}), EN
    )
    assert "[event] other" == summary(as_message("event", {"Event": "other"}), EN)
    assert "[] " == summary({}, EN)
