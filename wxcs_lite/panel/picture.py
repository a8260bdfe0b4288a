"""The picture of a draft: picked or at a path, looked at before it is taken, and seen before it is sent."""

from html import escape
from pathlib import Path

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.look.bubbles import photo
from wxcs_lite.multipart import extension_of
from wxcs_lite.panel.calls import MAX_SHOWN
from wxcs_lite.panel.draft import Picture
from wxcs_lite.panel.status import size
from wxcs_lite.panel.texts import LANGUAGES, Words, words

__all__ = ["at_path", "expanded", "picked", "seen_html"]

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
