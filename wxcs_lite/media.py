"""What the calls for media give: the values `Uploaded` and `Media`."""

from base64 import b64encode
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from wxcs_lite.multipart import extension_of

__all__ = ["PICTURE_TYPES", "Media", "Uploaded"]

PICTURE_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}
_MEDIA_LIFE = 3 * 24 * 3600  # seconds


class Uploaded(NamedTuple):
    """What `upload` gives: a media_id for three days; created_at in seconds of the epoch.

    >>> Uploaded("MEDIA_ID", "image", 1672500000).expires_at
    1672759200
    """

    media_id: str
    type: str
    created_at: int

    @property
    def expires_at(self) -> int:
        """When the media_id ends, in seconds of the epoch."""
        return self.created_at + _MEDIA_LIFE


class Media(NamedTuple):
    r"""What `download` gives: the bytes, their content type and WeChat's filename for them.

    >>> Media(b"\xff\xd8\xff\xe0", "image/jpeg", "MEDIA_ID.jpg")
    <Media MEDIA_ID.jpg, 4 bytes of image/jpeg>

    In a notebook it shows itself if it is a JPEG, PNG or GIF by its first bytes, whatever its labels say.
    """

    content: bytes
    content_type: str
    filename: str

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the bytes to a file, replacing it, or into a directory under WeChat's filename; return its path."""
        target = Path(path)
        if target.is_dir():
            target /= self.filename
        target.write_bytes(self.content)
        return target

    def __repr__(self) -> str:
        return f"<Media {self.filename}, {len(self.content)} bytes of {self.content_type}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        shown = {"text/plain": repr(self)}
        picture = PICTURE_TYPES.get(extension_of(self.content) or "")
        if picture:
            shown[picture] = b64encode(self.content).decode()
        return shown
