"""One file part named `media`, as WeChat wants it: a plain ASCII filename with an extension, and a known length.

A body whose length is unknown is refused with HTTP 412, a name in RFC 5987 form with 41005, one without an extension
with 40005. So the name is made here, and the length is known before the first byte is sent.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.require import kind_of

__all__ = ["PIECE", "Multipart", "extension_of", "media_part", "pieces", "safe_name"]

_T = TypeVar("_T")

# On a fresh connection urllib3 bounds each piece by the connect timeout: 1 MB at once fails on a slow uplink.
PIECE = 64 * 1024

_MAGIC = ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"GIF87a", ".gif"), (b"GIF89a", ".gif"))
_PART_TYPE = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
    ".amr": "audio/amr", ".mp3": "audio/mpeg", ".mp4": "video/mp4",
}  # fmt: skip


def extension_of(start: bytes) -> str | None:
    r"""Return the extension that the first bytes of a picture stand for, or None.

    >>> extension_of(b"\x89PNG\r\n\x1a\n rest")
    '.png'
    """
    return next((extension for magic, extension in _MAGIC if start.startswith(magic)), None)


def safe_name(name: str, content: bytes) -> str:
    r"""Return a filename that is safe on any system: the given one if it is plain and of a media type, else a new one.

    >>> safe_name("MEDIA_ID.jpg", b""), safe_name("conftest.py", b"\xff\xd8\xff"), safe_name("-rf.png", b"")
    ('MEDIA_ID.jpg', 'media.jpg', 'media-rf.png')
    """
    stem, dot, extension = name.rpartition(".")
    if not re.fullmatch(_PLAIN, stem) or dot + extension.lower() not in _PART_TYPE:
        return f"media{extension_of(content) or '.bin'}"
    if stem.startswith("-"):  # a shell's `*` would pass it as an option
        return f"media{name}"
    return f"media-{name}" if re.fullmatch(_RESERVED, stem.partition(".")[0]) else name


_PLAIN = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,94}"
_RESERVED = r"(?i)con|prn|aux|nul|(?:com|lpt)[0-9]"  # device names of Windows, with any extension


class Multipart:
    r"""A multipart body that need not be in memory as a whole; len() is its Content-Length, and it can be reiterated.

    >>> body = Multipart(b"head\r\n", b"content", b"\r\ntail")
    >>> len(body), list(body)
    (19, [b'head\r\n', b'content', b'\r\ntail'])
    >>> bytes(body)
    b'head\r\ncontent\r\ntail'

    A file is sent whole, from its start, whatever its position; it must not change until it has been sent. `bytes`
    joins everything, for HTTP libraries that would send an iterable without Content-Length (HTTP 412).
    """

    __slots__ = ("_size", "content", "head", "tail")

    def __init__(self, head: bytes, content: bytes | BinaryIO, tail: bytes) -> None:
        self.head, self.content, self.tail = head, content, tail
        self._size = _size(content)

    def __len__(self) -> int:
        return len(self.head) + self._size + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        if isinstance(self.content, bytes | bytearray | memoryview):
            yield from pieces(self.content)
        else:
            yield from _read_pieces(self.content, self._size)
        yield self.tail

    def __bytes__(self) -> bytes:
        return b"".join(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Multipart):
            return NotImplemented
        return (self.head, self.content, self.tail) == (other.head, other.content, other.tail)

    def __hash__(self) -> int:
        return hash((self.head, self.tail, self._size))

    def __repr__(self) -> str:
        return f"<Multipart, {self._size} bytes of content, {len(self)} in all>"


def media_part(content: bytes | BinaryIO, filename: str | None, boundary: str | None) -> tuple[Multipart, str]:
    """Return the body and its content type; the boundary is random unless given, so no file can foresee it."""
    start = _start(content)
    if not start:
        raise InvalidMessage("file", "is empty: WeChat answers 44001", "内容为空，微信会返回 44001")
    name = _ascii_name(filename, start)
    boundary = os.urandom(16).hex() if boundary is None else boundary  # as `secrets` does, without its imports
    # No character that needs quotes in the header: servers have failed on a quoted boundary.
    if not re.fullmatch(r"[0-9A-Za-z_.-]{1,70}", boundary):
        raise InvalidMessage(
            "boundary", "must be 1 to 70 ASCII letters, digits, _ . or -", "应为 1 到 70 个 ASCII 字母、数字或 _ . -"
        )
    part_type = _PART_TYPE.get(name[name.rfind(".") :], "application/octet-stream")
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="media"; filename="{name}"\r\n'
        f"Content-Type: {part_type}\r\n\r\n"
    )
    body = Multipart(head.encode("ascii"), content, f"\r\n--{boundary}--\r\n".encode("ascii"))
    if body._size < len(start):  # /dev/zero says 0
        raise InvalidMessage("file", *_NO_SIZE)
    return body, f"multipart/form-data; boundary={boundary}"


def pieces(content: bytes | bytearray | memoryview) -> Iterator[bytes]:
    """Cut bytes into pieces of at most 64 KiB, as copies, because recorders such as VCR cannot keep views."""
    view = _flat(content)
    for at in range(0, len(view), PIECE):
        yield bytes(view[at : at + PIECE])


def _flat(content: bytes | bytearray | memoryview) -> memoryview:
    """Return a view of single bytes; one with gaps is copied, because it cannot be cast."""
    view = memoryview(content)
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def _read_pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    _tried(file, lambda: file.seek(0))
    left = size
    while left:
        piece = _read(file, min(PIECE, left))
        if not piece:
            raise InvalidMessage(
                "file", f"became {left} bytes shorter while it was being sent", f"在发送过程中变短了 {left} 字节"
            )
        left -= len(piece)
        yield piece


def _read(file: BinaryIO, most: int) -> bytes:
    """Read some bytes, or refuse a file that does not behave like a binary one: more would break the Content-Length."""
    piece: object = _tried(file, lambda: file.read(most))
    if isinstance(piece, bytes) and len(piece) <= most:
        return piece
    problem = _TEXT_MODE
    if not isinstance(piece, str):
        gave = f"{len(piece)} bytes" if isinstance(piece, bytes) else kind_of(piece)
        problem = (
            f"is not a proper binary file: its read({most}) gave {gave}; pass its bytes and a filename",
            f"不是规范的二进制文件：read({most}) 返回了 {gave}；请传 bytes 并给出 filename",
        )
    raise InvalidMessage("file", *problem)


def _tried(file: BinaryIO, act: Callable[[], _T]) -> _T:
    """Do something with a file, or refuse one that is closed, write-only or in text mode; an OSError is passed on."""
    try:
        return act()
    except UnicodeDecodeError:  # a picture that was opened as text
        problem = _TEXT_MODE
    except ValueError:
        problem = "cannot be read: open it with 'rb'", "无法读取：请用 'rb' 打开"
        if getattr(file, "closed", None) is True:
            problem = "is closed: keep it open until it has been sent", "已关闭：请保持打开，直到发送完毕"
    raise InvalidMessage("file", *problem)


def _size(content: bytes | BinaryIO) -> int:
    if isinstance(content, bytes | bytearray | memoryview):
        return memoryview(content).nbytes
    try:
        _tried(content, lambda: content.seek(0, 2))  # the result is not used: some return None
        size: object = _tried(content, lambda: content.tell())
    except OSError:  # files of /proc
        size = None
    if not isinstance(size, int):
        raise InvalidMessage("file", *_NO_SIZE)
    return size


def _start(content: bytes | BinaryIO) -> bytes:
    """Return the first bytes, or refuse what cannot be sent from its start."""
    try:
        if isinstance(content, bytes | bytearray | memoryview):
            return bytes(_flat(content)[:16])
        seekable = content.seekable()
    except (AttributeError, ValueError):  # ValueError: a closed file
        kind = kind_of(content)
        problem = (
            f"must be bytes or an open binary file, not {kind} (pass a path to wxcs_lite.upload)",
            f"应为 bytes 或已打开的二进制文件，收到的是 {kind}（路径请交给 wxcs_lite.upload）",
        )
    else:
        if seekable:
            _tried(content, lambda: content.seek(0))
            return _read(content, 16)
        problem = (
            "cannot be rewound, so its length is unknown: pass file.read() and a filename",
            "无法回退，因而无法得知长度：请传 file.read() 并给出 filename",
        )
    raise InvalidMessage("file", *problem)


_NO_SIZE = (
    "has no known size, like a device or a pipe: pass its bytes and a filename",
    "无法得知大小（例如设备或管道）：请传 bytes 并给出 filename",
)
_TEXT_MODE = "is open in text mode: open it with 'rb'", "是以文本模式打开的，请用 'rb' 打开"
_EXTENSION = r"\.([A-Za-z0-9]{2,5})$"


def _ascii_name(filename: str | None, start: bytes) -> str:
    """Return an ASCII name whose extension fits the content; what WeChat certainly refuses is refused here."""
    if not isinstance(filename, str | None):
        kind = type(filename).__name__
        raise InvalidMessage("filename", f"must be a str, not {kind}", f"应为 str，收到的是 {kind}")
    stem = re.split(r"[/\\]", filename or "")[-1]
    named = re.search(_EXTENSION, stem)
    extension = f".{named[1].lower()}" if named else None
    if named:
        stem = stem[: named.start()]
    sniffed = extension_of(start)
    if sniffed and not (sniffed == ".jpg" and extension == ".jpeg"):
        extension = sniffed
    if extension is None:
        raise InvalidMessage(
            "filename",
            "is required, with an extension: the content is not a JPEG, PNG or GIF (WeChat would answer 40005)",
            "必须给出，并带有扩展名：内容不是 JPEG、PNG 或 GIF，没有扩展名会返回 40005",
        )
    # An ASCII stem stays readable; of a Chinese one nothing useful would be left.
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") if stem.isascii() else ""
    return f"{plain[:60] or 'media'}{extension}"
