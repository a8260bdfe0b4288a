"""An entry of a conversation as the desk shows it: the day, a bubble, its time and its state. Pure."""

from collections.abc import Iterable, Mapping
from html import escape
from time import localtime, strftime
from typing import Any

from wxcs_lite.errors import ApiError
from wxcs_lite.look.bubbles import bubble, line
from wxcs_lite.look.words import Words
from wxcs_lite.panel.calls import MAX_SHOWN
from wxcs_lite.panel.conversation import ENTRY, SENDING
from wxcs_lite.panel.gallery import Pictures, media_id_of

__all__ = ["drawn", "drawn_all", "key_of"]


def drawn_all(
    entries: Iterable[Mapping[str, Any]],
    words: Words,
    pictures: Pictures,
    before: Mapping[str, Any] | None = None,
) -> list[tuple[str, str]]:
    """Return key and markup of each entry, with a line wherever another day begins; `before` is the one above them."""
    found = []
    for entry in entries:
        found.append((key_of(entry), drawn(entry, before, words, pictures)))
        before = entry
    return found


def key_of(entry: Mapping[str, Any]) -> str:
    """Return what names an entry."""
    return str(entry.get("id"))


def drawn(entry: Mapping[str, Any], before: Mapping[str, Any] | None, words: Words, pictures: Pictures) -> str:
    """Return one entry as HTML; `before` is the one above it."""
    at, message = localtime(entry["at"]), entry["message"]
    day = strftime("%Y-%m-%d", at)
    is_new_day = before is None or day != strftime("%Y-%m-%d", localtime(before["at"]))
    out = entry["direction"] == "out"
    media_id = media_id_of(message)
    content = message.get("event") if message.get("msgtype") == "event" else None
    if isinstance(content, Mapping) and content.get("event") == ENTRY:
        shown = line(words["session_line"])
    else:
        shown = bubble(message, words, mine=out, picture=pictures.get(media_id), limit=MAX_SHOWN)
    side = "out" if out else "in"
    told = f"{strftime('%H:%M', at)}{_badge(entry, words)}{_trouble(media_id, words, pictures)}"
    meta = f'<div class="wxcs-meta">{told}</div>'
    return f'{line(day) if is_new_day else ""}<div class="wxcs-entry wxcs-{side}" dir="auto">{shown}{meta}</div>'


def _badge(entry: Mapping[str, Any], words: Words) -> str:
    result = entry["result"]
    if entry["direction"] == "in":
        return ""
    if isinstance(result, Mapping):
        text = words["unsure" if result["maybe_sent"] else "refused"]
        code = result.get("errcode", result["error"])
        return f' · <span class="wxcs-bad">{escape(f"{text}: {code}")}</span>'
    tone = "wait" if result == SENDING else "ok"
    return f' · <span class="wxcs-{tone}">{escape(words[SENDING if result == SENDING else "accepted"])}</span>'


def _trouble(media_id: str, words: Words, pictures: Pictures) -> str:
    if media_id in pictures.loading:
        return f" · {escape(words['loading'])}"
    error = pictures.failed.get(media_id)
    if error is None:
        return ""
    code = error.errcode if isinstance(error, ApiError) else type(error).__name__
    return f' · <span class="wxcs-bad">{escape(words["not_loaded"])}: {escape(str(code))}</span>'
