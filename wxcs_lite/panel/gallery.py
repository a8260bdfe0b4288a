"""The pictures of conversations: loaded when they are first seen, kept in memory within bounds, saved on demand.

They come by `download`, never from a push's PicUrl, which is a foreign host.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.media import Media
from wxcs_lite.panel.calls import Calls
from wxcs_lite.panel.draft import MEDIA, Picture
from wxcs_lite.panel.history import written
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.panel.worker import Worker

__all__ = ["Gallery", "Pictures", "media_id_of"]

_KEPT = 32_000_000  # bytes
_LOADED = 20  # pictures of a conversation that are loaded when it is opened


def media_id_of(message: Mapping[str, Any]) -> str:
    """Return the media_id that a message shows, or nothing.

    >>> media_id_of({"msgtype": "image", "image": {"media_id": "MEDIA_ID"}})
    'MEDIA_ID'
    """
    kind = str(message.get("msgtype"))
    content = message.get(kind)
    found = content.get(MEDIA[kind]) if kind in MEDIA and isinstance(content, Mapping) else None
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


class Gallery:
    """Loads and saves the pictures of one desk; `changed` is called with a media_id whose state has changed."""

    def __init__(self, calls: Calls, changed: Callable[[str], object]) -> None:
        self.pictures, self._calls, self._changed = Pictures(), calls, changed
        self._loader = Worker()
        self._asked: tuple[str, str] | None = None

    def stop(self) -> None:
        """Begin no further download."""
        self._loader.stop()

    def keep(self, message: Mapping[str, Any], picture: Picture | None) -> None:
        """Keep what is sent, so that it need not be loaded."""
        if picture is not None and picture.content is not None:
            self.pictures.keep(media_id_of(message), picture.content, picture.name)

    def open(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Load the latest pictures of a conversation; those that failed before are tried again."""
        shown = [entry for entry in entries if media_id_of(entry["message"])]
        for entry in shown[-_LOADED:]:
            self.pictures.failed.pop(media_id_of(entry["message"]), None)
            self.load(entry)

    def load(self, entry: Mapping[str, Any]) -> None:
        """Download the picture of an entry, if it has one that is not here yet."""
        media_id = media_id_of(entry["message"])
        if entry["result"] not in ("received", "accepted") or not self.pictures.wanted(media_id):
            return
        found: list[Media] = []

        def loaded(error: Exception | None) -> None:
            self.pictures.loading.discard(media_id)
            if error is None:
                self.pictures.keep(media_id, found[0].content, found[0].filename)
            else:
                self.pictures.failed[media_id] = error
            self._changed(media_id)

        self.pictures.loading.add(media_id)
        self._changed(media_id)
        self._loader.start(lambda: found.append(self._calls.download(media_id)), loaded)

    def save(self, entries: Iterable[Mapping[str, Any]], path: str) -> tuple[bool, Any]:
        """Save the latest picture of these; return whether it was done, and the path.

        A file that exists is asked about first, and overwritten when the same is asked for again.
        """
        ids = [media_id_of(entry["message"]) for entry in entries]
        media_id = next((found for found in reversed(ids) if self.pictures.get(found)), "")
        content = self.pictures.get(media_id)
        if content is None:
            raise InvalidMessage("file", *(words(lang)["nothing_to_save"] for lang in LANGUAGES))
        medium = Media(content, "", self.pictures.name(media_id) or media_id)
        path = path or medium.filename
        replace, self._asked = self._asked == (path, media_id), None
        try:
            return True, written(lambda target: medium.save(target, replace=replace), path)
        except InvalidMessage as e:
            if e.field != "replace":
                raise
        self._asked = path, media_id
        return False, path
