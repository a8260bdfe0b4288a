"""What the media calls return: the values `Uploaded` and `Media`."""

import os
from base64 import b64encode
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.multipart import extension_of, safe_name
from wxcs_lite.require import quoted

__all__ = ["PICTURE_TYPES", "Media", "Uploaded"]

PICTURE_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}
_MEDIA_LIFE = 3 * 24 * 3600  # seconds


def _refused(field: str, target: Path, en: str, zh: str) -> InvalidMessage:
    named = quoted(str(target))
    return InvalidMessage(field, f"{named} {en}", f"{named} {zh}")


def _not_through_a_link(path: str, flags: int) -> int:
    """Open a file for writing; a link that appears there between check and opening is not followed either."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


class Uploaded(NamedTuple):
    """An uploaded medium: a media_id that is valid for three days from created_at, in seconds since the epoch.

    >>> Uploaded("MEDIA_ID", "image", 1672500000).expires_at
    1672759200
    """

    media_id: str
    type: str
    created_at: int

    @property
    def expires_at(self) -> int:
        """When the media_id expires, in seconds since the epoch."""
        return self.created_at + _MEDIA_LIFE


class Media(NamedTuple):
    r"""A downloaded medium: its bytes, its content type and WeChat's filename for it.

    >>> Media(b"\xff\xd8\xff\xe0", "image/jpeg", "MEDIA_ID.jpg")
    <Media MEDIA_ID.jpg, 4 bytes of image/jpeg>

    A notebook shows the picture if the first bytes are those of a JPEG, PNG or GIF, whatever content_type says.
    """

    content: bytes
    content_type: str
    filename: str

    def save(self, path: str | PathLike[str], *, replace: bool = False) -> Path:
        r"""Write the bytes to a file, or into a directory under WeChat's filename, and return the file's path.

        >>> import tempfile
        >>> medium = Media(b"\xff\xd8\xff\xe0", "image/jpeg", "MEDIA_ID.jpg")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     medium.save(folder).name
        'MEDIA_ID.jpg'

        An existing file is kept unless `replace` is True, and a symbolic link is never followed: InvalidMessage then
        names `replace` or `path`. Any other failure is an OSError.
        """
        target = Path(path)
        if target.is_dir():
            target /= safe_name(self.filename, self.content)
        if target.is_symlink():
            raise _refused("path", target, "is a symbolic link: name the file itself", "是符号链接：请写实际文件的路径")
        if target.exists() and not target.is_file():
            raise _refused("path", target, "exists and is not a regular file", "已存在，且不是普通文件")
        if target.exists() and not replace:
            raise _refused(
                "replace",
                target,
                "exists already: pass replace=True to overwrite it, or another path",
                "已存在：要覆盖请传 replace=True，或换一个路径",
            )
        with open(target, "wb" if replace else "xb", opener=_not_through_a_link) as file:
            file.write(self.content)
        return target

    def __repr__(self) -> str:
        return f"<Media {self.filename}, {len(self.content)} bytes of {self.content_type}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        shown = {"text/plain": repr(self)}
        picture = PICTURE_TYPES.get(extension_of(self.content) or "")
        if picture:
            shown[picture] = b64encode(self.content).decode()
        return shown
