"""A message as a phone shows it: from a dict to HTML, with everything from outside escaped as text."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from json import dumps
from typing import Any
from urllib.parse import urlsplit

from wxcs_lite.look.words import Words
from wxcs_lite.media import PICTURE_TYPES
from wxcs_lite.multipart import extension_of

__all__ = ["as_message", "bubble", "line", "photo", "plain", "safe_href", "summary"]

Message = Mapping[str, Any]


def safe_href(url: object) -> str | None:
    """Return the URL if it is safe to open with a click: http or https with a host, and nothing that disguises it.

    >>> safe_href("https://weixin.qq.com/?a=1"), safe_href("javascript:alert(1)"), safe_href("https://a@b.cn/")
    ('https://weixin.qq.com/?a=1', None, None)
    """
    if not isinstance(url, str) or not url.isprintable() or any(char in url for char in " \\\"'<>`"):
        return None
    try:
        parts = urlsplit(url)
        bare = parts.hostname and parts.username is None and parts.password is None
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and bare else None


def photo(picture: bytes | None, name: str, alt: str, limit: int | None = None) -> str:
    """Return a picture as an element that loads nothing else, or a grey box with its name.

    >>> photo(None, "MEDIA_ID", "picture")
    '<span class="wxcs-nopic">MEDIA_ID</span>'
    """
    kind = PICTURE_TYPES.get(extension_of(picture[:16]) or "") if picture else None
    if picture is None or kind is None or (limit is not None and len(picture) > limit):
        return f'<span class="wxcs-nopic">{escape(name)}</span>'
    return f'<img class="wxcs-photo" src="data:{kind};base64,{b64encode(picture).decode()}" alt="{escape(alt)}">'


def plain(value: object) -> str:
    r"""Return a value as text that UTF-8 can encode: half of an emoji, which JSON can escape, becomes a question mark.

    >>> plain("\ud83d"), plain(None)
    ('?', '')
    """
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def bubble(
    message: Message, words: Words, *, mine: bool = False, picture: bytes | None = None, limit: int | None = None
) -> str:
    """Return one message as a bubble: on the right if it is `mine`, with the grey AI line if it has one.

    >>> from wxcs_lite.look.words import words
    >>> print(bubble({"msgtype": "text", "text": {"content": "<b>hi"}}, words("en")))
    <div class="wxcs-row"><div class="wxcs-bubble wxcs-text">&lt;b&gt;hi</div></div>
    """
    kind = message.get("msgtype")
    content = message.get(kind) if isinstance(kind, str) else None
    draw = _KINDS.get(kind) if isinstance(kind, str) else None
    if draw is not None and isinstance(content, Mapping):
        inner = draw(content, words, picture, limit)
    else:
        inner = _unknown(message)
    context = message.get("aimsgcontext")
    labelled = isinstance(context, Mapping) and context.get("is_ai_msg") == 1
    label = f'<div class="wxcs-ai">{escape(words["ai_line"])}</div>' if labelled else ""
    side = " wxcs-mine" if mine else ""
    return f'<div class="wxcs-row{side}">{inner}{label}</div>'


def line(text: str) -> str:
    """Return a grey line between the bubbles: a time or an event.

    >>> line("12:00")
    '<div class="wxcs-line">12:00</div>'
    """
    return f'<div class="wxcs-line">{escape(text)}</div>'


def _shown(value: object) -> str:
    return escape(plain(value))


def _text(content: Message, *_: object) -> str:
    return f'<div class="wxcs-bubble wxcs-text">{_shown(content.get("content"))}</div>'


def _image(content: Message, words: Words, picture: bytes | None, limit: int | None) -> str:
    name = f"{words['photo']} {_short(content.get('media_id'))}"
    return f'<div class="wxcs-bubble wxcs-image">{photo(picture, name, words["photo"], limit)}</div>'


def _link(content: Message, words: Words, picture: bytes | None, limit: int | None) -> str:
    href = safe_href(content.get("url"))
    title = f'<span class="wxcs-title">{_shown(content.get("title"))}</span>'
    if href:
        rel = 'target="_blank" rel="noopener noreferrer nofollow"'
        title = f'<a class="wxcs-title" href="{escape(href)}" {rel}>{_shown(content.get("title"))}</a>'
    where = _shown(urlsplit(href).hostname) if href else escape(words["unsafe"])
    thumb = f'<span class="wxcs-thumb" role="img" aria-label="{escape(words["thumbnail"])}">{_LINK_SIGN}</span>'
    return (
        f'<div class="wxcs-bubble wxcs-link">{title}<div class="wxcs-body">'
        f'<span class="wxcs-desc">{_shown(content.get("description"))}</span>{thumb}</div>'
        f'<div class="wxcs-foot">{where}</div></div>'
    )


def _card(content: Message, words: Words, picture: bytes | None, limit: int | None) -> str:
    cover = photo(picture, f"{words['cover']} {_short(content.get('thumb_media_id'))}", words["cover"], limit)
    target = words["opens"].format(target=plain(content.get("pagepath")))
    return (
        f'<div class="wxcs-bubble wxcs-card"><span class="wxcs-title">{_shown(content.get("title"))}</span>'
        f'<div class="wxcs-cover" title="{escape(target)}">{cover}</div>'
        f'<div class="wxcs-foot">{_CARD_SIGN}{escape(words["mini_program"])} · '
        f'<span class="wxcs-page">{_shown(content.get("pagepath"))}</span></div></div>'
    )


def _unknown(message: Message) -> str:
    shown = {name: value for name, value in message.items() if name != "touser"}
    pretty = dumps(shown, ensure_ascii=False, indent=2, default=str)
    return f'<pre class="wxcs-bubble wxcs-raw">{_shown(pretty)}</pre>'


def _short(media_id: object) -> str:
    text = plain(media_id)
    return text if len(text) <= 16 else f"{text[:12]}…"


def as_message(kind: str, fields: Message) -> dict[str, Any]:
    """Return what a customer sent (the fields of a push) as a message, to show it in the same bubbles.

    >>> as_message("text", {"Content": "hi"})
    {'msgtype': 'text', 'text': {'content': 'hi'}}
    """
    renamed = {"Content": "content", "MediaId": "media_id", "Title": "title", "PagePath": "pagepath"}
    renamed |= {"ThumbMediaId": "thumb_media_id", "Event": "event", "SessionFrom": "session_from"}
    return {"msgtype": kind, kind: {renamed[name]: value for name, value in fields.items() if name in renamed}}


def summary(message: Message, words: Words) -> str:
    """Return a message in one line of plain text.

    >>> from wxcs_lite.look.words import words
    >>> summary({"msgtype": "image", "image": {"media_id": "MEDIA_ID"}}, words("en"))
    '[picture] MEDIA_ID'
    """
    kind = plain(message.get("msgtype"))
    content = message.get(kind)
    fields = content if isinstance(content, Mapping) else {}
    if kind == "text":
        return plain(fields.get("content"))
    if kind == "event" and fields.get("event") == "user_enter_tempsession":
        return f"({words['session_line']})"
    names = {"image": words["photo"], "link": words["kind_link"], "miniprogrampage": words["kind_miniprogrampage"]}
    told = fields.get("title") or _short(fields.get("media_id")) or fields.get("event")
    return f"[{names.get(kind, kind)}] {plain(told)}"


_KINDS: dict[str, Any] = {"text": _text, "image": _image, "link": _link, "miniprogrampage": _card}
_SIGN = '<svg aria-hidden="true" viewBox="0 0 24 24" width="{size}" height="{size}" fill="none" stroke="currentColor"'
_LINK_SIGN = (
    _SIGN.format(size=26) + ' stroke-width="2" stroke-linecap="round"><path d="M9.5 14.5l5-5M8 11l-2 2a4 4 0 0 0 5.7 '
    '5.7l2-2M16 13l2-2a4 4 0 0 0-5.7-5.7l-2 2"/></svg>'
)
_CARD_SIGN = (
    _SIGN.format(size=12) + ' stroke-width="2.4" stroke-linecap="round"><circle cx="12" cy="12" r="10"/>'
    '<path d="M12 9v6a2.5 2.5 0 1 1-2.5-2.5M12 15V9a2.5 2.5 0 1 1 2.5 2.5"/></svg>'
)
