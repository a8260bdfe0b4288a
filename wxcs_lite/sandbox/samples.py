"""A sample picture."""

import struct
import zlib

__all__ = ["sunset"]


def sunset(width: int = 96, height: int = 72) -> bytes:
    r"""Return a small PNG of a sunset, for trying out pictures.

    >>> sunset()[:4]
    b'\x89PNG'
    """
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # each row of a PNG begins with its filter
        for x in range(width):
            sun = (x - width // 2) ** 2 + (y - height // 2) ** 2 < (height // 4) ** 2
            rows += bytes((255, 220, 90) if sun else (max(0, 240 - y), min(255, 120 + y // 2), min(255, 90 + y)))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
