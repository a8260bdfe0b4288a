"""The desk's picture: choose it or type its path, see it, upload it, and get its media_id and remaining time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.look.bubbles import photo
from wxcs_lite.media import Uploaded
from wxcs_lite.panel.controls import Labels, box, html, show
from wxcs_lite.panel.status import duration, size
from wxcs_lite.panel.texts import LANGUAGES, Words, words

__all__ = ["Picture", "expanded", "seen_html", "taken"]

NEAR = 9_000_000  # bytes; a message of 10 MiB, envelope included, silently closes the notebook's socket
SHOWN = 4_000_000  # bytes; larger pictures are not shown
_KEPT = 8  # pictures to keep for previews


def expanded(path: str) -> Path:
    """Return the path with `~` resolved; raise InvalidMessage for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        problem = "has an unknown user after ~", "中 ~ 后面的用户不存在"
    raise InvalidMessage("file", *problem)


def taken(file: Any) -> tuple[str, bytes] | None:
    """Return name and bytes of the chosen file, and remove them from the widget's state."""
    if not file.value:
        return None
    picked = file.value[0]
    name, content = str(picked["name"]), bytes(picked["content"])
    file.value = ()
    return name, content


def seen_html(name: str, content: bytes, words: Words) -> str:
    """Return a picture as HTML, or the reason why it is not shown."""
    reason = words["too_large" if len(content) > SHOWN else "not_shown"].format(name=name)
    return f'<div class="wxcs-seen">{photo(content, reason, words["photo"], SHOWN)}</div>'


class Picture:
    """The part of the form that image and card share. It sends nothing; the desk does."""

    def __init__(self, labels: Labels, button: Any, changed: Callable[[], None]) -> None:
        self.file = labels.put(
            w.FileUpload(accept=".jpg,.jpeg,.png,.gif", multiple=False), description="pick", tooltip="pick"
        )
        self.path = labels.put(w.Text(continuous_update=False), description="path", placeholder="path_hint")
        self.media_id = labels.put(w.Text(), description="media_id", placeholder="media_id_hint")
        self.progress = labels.put(w.IntProgress(max=100), description="progress")
        self.progress.layout.display = "none"
        self.seen, self.life, self._words = html(), html(), words(LANGUAGES[0])
        show(self.seen, "")
        row = box([self.file, button], "wxcs-actions", across=True)
        limit = labels.title("pick_limit", "wxcs-note")
        self.box = box([row, limit, self.path, self.progress, self.seen, self.media_id, self.life])
        self._content: tuple[str, bytes] | None = None
        self._known: dict[str, tuple[int, bytes | None]] = {}
        self._changed = changed
        self.file.observe(self._picked, "value")
        self.path.observe(self._typed, "value")
        self.media_id.observe(lambda _: changed(), "value")

    def source(self) -> tuple[str | bytes, str, int]:
        """Return the file to upload (bytes or a path), its name and size; raise InvalidMessage if there is none."""
        if self._content is not None:
            name, content = self._content
            return content, name, len(content)
        path = self.path.value.strip()
        if not path:
            raise InvalidMessage("file", *(words(lang)["no_file"] for lang in LANGUAGES))
        found = expanded(path)
        return str(found), found.name, _size(found)

    def advance(self, sent: int, total: int) -> None:
        """Move the progress bar."""
        self.progress.layout.display = ""
        self.progress.value = 100 * sent // max(total, 1)

    def uploaded(self, result: Uploaded) -> None:
        """Put the media_id into the form, and drop the file."""
        content = self._content[1] if self._content else self._read()
        self._known[result.media_id] = (result.expires_at, content)
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        self._content, self.path.value = None, ""
        self.media_id.value = result.media_id

    def picture(self, message: Mapping[str, Any]) -> bytes | None:
        """Return the picture of a message, if it was uploaded here."""
        content = message.get(str(message.get("msgtype")))
        fields = content if isinstance(content, Mapping) else {}
        media_id = fields.get("media_id", fields.get("thumb_media_id"))
        return self._known.get(str(media_id), (0, None))[1]

    def clear(self) -> None:
        """Clear everything after a message was sent."""
        self._content, self.path.value, self.media_id.value = None, "", ""
        show(self.seen, "")
        self.progress.value, self.progress.layout.display = 0, "none"

    def speak(self, words: Words, now: float) -> None:
        """Show how long the media_id is still valid."""
        self._words = words
        expires_at = self._known.get(self.media_id.value.strip(), (None, None))[0]
        text = ""
        if expires_at is not None:
            left = expires_at - now
            text = words["media_left"].format(time=duration(left, words)) if left > 0 else words["media_gone"]
        show(self.life, f'<div class="wxcs-note">{escape(text)}</div>' if text else "")

    def _picked(self, _: object) -> None:
        if picked := taken(self.file):
            self.path.value = ""
            self._content = picked
            self._show(*picked)

    def _typed(self, _: object) -> None:
        if self.path.value.strip():
            self._content = None
            content = self._read()
            if content is not None:
                self._show(Path(self.path.value.strip()).name, content)

    def _read(self) -> bytes | None:
        """Return the bytes of the file at the path, if it is small enough to show."""
        with suppress(OSError, ValueError):  # the upload reports what is wrong with it
            found = expanded(self.path.value.strip())
            return found.read_bytes() if 0 < _size(found) <= SHOWN else None
        return None

    def _show(self, name: str, content: bytes) -> None:
        told = [self._words["picked"].format(name=name, size=size(len(content)))]
        if len(content) >= NEAR:
            told.append(self._words["pick_near"].format(size=size(len(content))))
        notes = "".join(f'<div class="wxcs-note">{escape(text)}</div>' for text in told)
        show(self.seen, seen_html(name, content, self._words) + notes)
        self._changed()


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size if path.is_file() else 0
    return 0
