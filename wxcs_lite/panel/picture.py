"""Pictures: what is chosen for a draft and what is seen in a conversation, kept in memory within bounds."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.look.bubbles import photo
from wxcs_lite.multipart import extension_of
from wxcs_lite.panel.calls import MAX_SHOWN
from wxcs_lite.panel.draft import Picture
from wxcs_lite.panel.status import size
from wxcs_lite.panel.texts import LANGUAGES, Words, words

__all__ = ["Pictures", "at_path", "expanded", "media_id_of", "picked", "seen_html"]

_KEPT = 32_000_000  # bytes
_BEGIN = 16  # bytes, by which a picture is known


def expanded(path: str) -> Path:
    """Return the path with `~` resolved; raise InvalidMessage for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        problem = "has an unknown user after ~", "中 ~ 后面的用户不存在"
    raise InvalidMessage("file", *problem)


def picked(name: str, content: bytes) -> Picture:
    """Return what was picked as the picture of a draft, or raise InvalidMessage if it is none.

    >>> picked("sun.png", b"")
    Traceback (most recent call last):
    wxcs_lite.errors.InvalidMessage: file: sun.png is empty: nothing was chosen...
    """
    _require_picture(name, content[:_BEGIN])
    return Picture(name, content, size=len(content))


def at_path(path: str) -> Picture:
    """Return the picture at a path, or raise InvalidMessage; a large one is read when it is uploaded."""
    found = expanded(path)
    try:
        with found.open("rb") as file:
            begin = file.read(_BEGIN)
            count = found.stat().st_size
            content = begin + file.read() if count <= MAX_SHOWN else None
    except (OSError, ValueError) as e:
        problem = getattr(e, "strerror", None) or type(e).__name__
    else:
        _require_picture(found.name, begin)
        return Picture(found.name, content, str(found), count)
    raise _refused("picture_missing", name=found.name[:40], problem=problem)


def _require_picture(name: str, begin: bytes) -> None:
    if not begin:
        raise _refused("picture_empty", name=name[:40])
    if extension_of(begin) not in (".jpg", ".png", ".gif"):
        raise _refused("picture_none", name=name[:40])


def _refused(key: str, **told: object) -> InvalidMessage:
    return InvalidMessage("file", *(words(lang)[key].format(**told) for lang in LANGUAGES))


def seen_html(picture: Picture, words: Words) -> str:
    """Return the picture of a draft as HTML, with its name and size."""
    if not picture.name:
        return f'<div class="wxcs-note">{escape(words["media_pasted"].format(media_id=picture.media_id))}</div>'
    told = f"{picture.name}, {size(picture.size)}"
    if picture.content is None or len(picture.content) > MAX_SHOWN:
        told = words["picture_large"].format(name=picture.name, size=size(picture.size))
        return f'<div class="wxcs-note">{escape(told)}</div>'
    shown = photo(picture.content, picture.name, words["photo"])
    return f'{shown}<div class="wxcs-note">{escape(told)}</div>'


def media_id_of(message: Mapping[str, Any]) -> str:
    """Return the media_id that a message shows, or nothing.

    >>> media_id_of({"msgtype": "image", "image": {"media_id": "MEDIA_ID"}})
    'MEDIA_ID'
    """
    kind = message.get("msgtype")
    content = message.get(kind) if isinstance(kind, str) else None
    fields = content if isinstance(content, Mapping) else {}
    found = fields.get("media_id", fields.get("thumb_media_id"))
    return found if isinstance(found, str) else ""


class Pictures:
    """Pictures by their media_id, the latest ones up to a number of bytes, and those that could not be loaded."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept, self._held = kept, 0
        self._found: dict[str, bytes] = {}
        self._names: dict[str, str] = {}
        self.failed: dict[str, Exception] = {}
        self.loading: set[str] = set()

    def keep(self, media_id: str, content: bytes, name: str = "") -> None:
        """Keep a picture, and let the oldest go."""
        self._forget(media_id)
        self._found[media_id], self._names[media_id] = content, name
        self._held += len(content)
        while self._held > self._kept:
            self._forget(next(iter(self._found)))

    def get(self, media_id: str) -> bytes | None:
        """Return a picture if it is kept."""
        return self._found.get(media_id)

    def name(self, media_id: str) -> str:
        """Return the file name that a picture came with."""
        return self._names.get(media_id, "")

    def wanted(self, media_id: str) -> bool:
        """Return whether a picture should be loaded: it is neither here nor on its way, and did not fail before."""
        return bool(media_id) and not (media_id in self._found or media_id in self.loading or media_id in self.failed)

    def _forget(self, media_id: str) -> None:
        self._held -= len(self._found.pop(media_id, b""))
        self._names.pop(media_id, None)
