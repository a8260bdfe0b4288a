"""The texts of the desk's status: remaining times, and errors with cause, remedy and rid. Pure."""

from collections.abc import Iterable
from html import escape
from pathlib import PurePath
from traceback import extract_tb
from typing import Literal

from wxcs_lite.errors import ApiError, InvalidMessage, TokenRejected, WxError
from wxcs_lite.look.words import Language
from wxcs_lite.panel.texts import Words
from wxcs_lite.reply_window import WindowEvent, window_left

__all__ = ["Tone", "duration", "error_html", "line_html", "size", "window_short", "window_text"]

Tone = Literal["calm", "good", "typing"]


def duration(seconds: float, words: Words) -> str:
    """Return a time in words.

    >>> from wxcs_lite.panel.texts import words
    >>> duration(47 * 3600 + 12 * 60, words("en")), duration(61, words("en")), duration(9, words("en"))
    ('47 h 12 min', '1 min', '9 s')
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return words["seconds"].format(s=whole)
    if whole < 3600:
        return words["minutes"].format(m=whole // 60)
    return words["hours"].format(h=whole // 3600, m=whole % 3600 // 60)


def size(count: int) -> str:
    """Return a number of bytes in a readable unit.

    >>> size(900), size(20_480), size(9_400_000)
    ('900 B', '20 kB', '9.4 MB')
    """
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count // 1000} kB"


def window_text(events: Iterable[WindowEvent], now: float, words: Words) -> tuple[str, str]:
    """Return the tone (open, closed or unknown) and a text about what is left of a window.

    >>> from wxcs_lite.panel.texts import words
    >>> window_text([WindowEvent("message", 0), WindowEvent("sent", 10), WindowEvent("sent", 20)], 2880, words("en"))
    ('open', '3 of 5 left, 47 h 12 min')
    """
    tone, left, total, closes_in = _window(list(events), now)
    if tone == "unknown":
        return tone, words["window_unknown"]
    if tone == "closed":
        return tone, words["window_used"].format(total=total) if total else words["window_closed"]
    return tone, words["window_open"].format(left=left, total=total, time=duration(closes_in, words))


def window_short(events: Iterable[WindowEvent], now: float, words: Words) -> str:
    """Return what is left of a window in as few words as a row has room for; nothing if that is not known.

    >>> from wxcs_lite.panel.texts import words
    >>> window_short([WindowEvent("message", 0), WindowEvent("sent", 10)], 2880, words("en"))
    '4/5, 47 h'
    """
    tone, left, total, closes_in = _window(list(events), now)
    if tone == "unknown":
        return ""
    if tone == "closed":
        return words["short_closed"]
    hours = int(closes_in) // 3600
    # No seconds: each of them would draw the list again.
    time = words["short_hours"].format(h=hours) if hours else duration(max(60, closes_in), words)
    return f"{left}/{total}, {time}"


def _window(events: list[WindowEvent], now: float) -> tuple[str, int, int, float]:
    """Return the tone, what is left, of how many, and the seconds until it closes."""
    opening = [event for event in events if event.kind != "sent"]
    if not opening:
        return "unknown", 0, 0, 0
    left, closes_at = window_left(events, now)
    if closes_at is None:
        return "closed", 0, 0, 0
    total = window_left(opening, now).left
    return ("open" if left else "closed"), left, total, closes_at - now


def line_html(text: str, tone: Tone = "calm") -> str:
    """Return a status line, which screen readers announce.

    >>> line_html("Ready.")
    '<div class="wxcs-status wxcs-calm" role="status">Ready.</div>'
    """
    return f'<div class="wxcs-status wxcs-{escape(tone)}" role="status">{escape(text)}</div>'


def error_html(error: Exception, words: Words, lang: Language, *, renews: bool = False) -> str:
    """Return an error in the panel's language: what happened, what to do, and whether it may have been delivered.

    `renews` tells whether the desk's token is a callable. The text of another exception may contain a secret: its class
    and place are shown instead.
    """
    if not isinstance(error, WxError):
        title = words["unexpected"].format(name=type(error).__name__, where=_where(error))
        return _alert(title, [("", words["unexpected_hint"])])
    delivered = words["maybe_sent" if error.maybe_sent else "surely_not"]
    if not isinstance(error, ApiError):
        said = error.zh if lang == "zh" else error.en
        return _alert(said, [] if isinstance(error, InvalidMessage) else [("", delivered)])
    advice, chinese = error.advice, lang == "zh"
    meaning = advice.meaning_zh if chinese else advice.meaning
    cause = advice.cause_zh if chinese else advice.cause
    remedy = advice.remedy_zh if chinese else advice.remedy
    if isinstance(error, TokenRejected):
        remedy = words["token_callable" if renews else "token_string"]
    rows = [
        (words["cause"], cause),
        (words["remedy"], remedy),
        (words["retry"], advice.retry_text[chinese]),
        ("", delivered),
        ("errmsg", error.errmsg.removesuffix(f" rid: {error.rid}")),
        ("rid", error.rid or "–"),
    ]
    return _alert(f"{error.errcode} {meaning}", [row for row in rows if row[1] != meaning])


def _alert(title: str, rows: list[tuple[str, str]]) -> str:
    shown = "".join(
        f"<div>{f'<b>{escape(label)}</b> ' if label else ''}<span>{escape(text)}</span></div>" for label, text in rows
    )
    heading = f"<strong>{escape(title)}</strong>"  # it can be reached by Tab, so that keys scroll what is long
    return f'<div class="wxcs-status wxcs-alert" role="alert" tabindex="0">{heading}{shown}</div>'


def _where(error: Exception) -> str:
    frames = extract_tb(error.__traceback__)
    return f" ({PurePath(frames[-1].filename).name}, {frames[-1].lineno})" if frames else ""
