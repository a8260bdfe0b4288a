"""Valid replies by the thousand, each read by http.client and by us: the same status, headers and content.

The suite reads a few thousand of them; this command reads more:

    python -m tests.valid_replies 100000
"""

import io
import random
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, NamedTuple

from wxcs_lite.framing import Framed

TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
TEXT = "".join(map(chr, (*range(0x21, 0x7F), *range(0x80, 0x100))))
NAMES = ("Date", "Server", "Content-Type", "Content-disposition", "X-Powered-By", "Set-Cookie", "ETag", "keep-alive")
STATUSES = (200, 200, 200, 201, 204, 206, 301, 304, 400, 403, 404, 412, 500, 502, 599)


class Sample(NamedTuple):
    """A reply as bytes, the method that was asked with, and how much of it each recv gives at most."""

    method: str
    data: bytes
    piece: int


class Read(NamedTuple):
    """The result of one reader."""

    status: int
    reason: str
    version: int
    headers: list[tuple[str, str]]
    body: bytes


class Wire(io.RawIOBase):
    """A socket, and the file of it, on which a sample arrives."""

    def __init__(self, sample: Sample) -> None:
        self._data, self._piece = io.BytesIO(sample.data), sample.piece

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(memoryview(buffer)[: self._piece])

    recv_into = readinto

    def gettimeout(self) -> float:
        return 10

    def settimeout(self, seconds: float | None) -> None:
        pass

    def makefile(self, mode: str, buffering: int = -1) -> Any:
        return self if buffering == 0 else io.BufferedReader(self)


def read(response: HTTPResponse, sizes: tuple[int, ...] = ()) -> Read:
    """Read a response: all at once, or by read1 and read in turn, this many bytes at a time."""
    response.begin()
    body = b""
    if not sizes:
        body = response.read()
    turn = 0
    while sizes and not response.isclosed():
        size = sizes[turn % len(sizes)]
        body += response.read1(size) if turn % 2 else response.read(size)
        turn += 1
    # http.client keeps blanks at the end of a value, which are not part of it.
    headers = [(name, value.rstrip(" \t")) for name, value in response.headers.items()]
    return Read(response.status, response.reason, response.version, headers, body)


def differences(seed: int, count: int) -> Iterator[tuple[Sample, Read, Read]]:
    """Yield those of this many samples on which the two readers disagree."""
    chance = random.Random(seed)
    for _ in range(count):
        sample = reply(chance)
        sizes = tuple(chance.choices((5, 100, 70_000), k=chance.randint(0, 3)))
        theirs = read(HTTPResponse(Wire(sample), method=sample.method))  # type: ignore[arg-type]
        ours = read(Framed(Wire(sample), method=sample.method, silence=10), sizes)  # type: ignore[arg-type]
        if theirs != ours:
            yield sample, theirs, ours


def reply(chance: random.Random) -> Sample:
    """Return a reply: any status and headers, its content by length, in chunks or to the end of the connection."""
    method, status = chance.choice(("GET", "POST", "POST", "HEAD")), chance.choice(STATUSES)
    # http.client waits for chunks even of a 304, which has none.
    way = "length" if status in (204, 304) else chance.choice(("length", "length", "chunks", "end"))
    headers = [_header(chance) for _ in range(chance.randint(0, 9))]
    content = chance.randbytes(chance.choice((0, 1, 27, 300, 9000)))
    if way == "length":
        headers += [f"{_cased(chance, 'Content-Length')}: {len(content)}"] * chance.choice((1, 1, 1, 2))
    if way == "chunks":
        headers.append(f"{_cased(chance, 'Transfer-Encoding')}: {_cased(chance, 'chunked')}")
        content = _chunked(chance, content)
    if chance.random() < 0.5:
        headers.append(f"Connection: {_cased(chance, chance.choice(('close', 'keep-alive', 'X, Close')))}")
    chance.shuffle(headers)
    if method == "HEAD" or status in (204, 304):
        content = b""
    line = f"HTTP/1.{chance.choice('11110')} {status}{chance.choice(('', ' ', ' OK', ' ' + _text(chance)))}"
    interim = ["HTTP/1.1 100 Continue", _header(chance), ""] * chance.choice((0, 0, 0, 1, 2))
    head = "".join(f"{each}\r\n" for each in (*interim, line, *headers, "")).encode("latin-1")
    return Sample(method, head + content, chance.choice((100, 70_000) if len(content) > 300 else (1, 3, 100, 70_000)))


def _header(chance: random.Random) -> str:
    name = chance.choice(NAMES) if chance.random() < 0.5 else "X" + "".join(chance.choices(TOKEN, k=8))
    blank = chance.choice(("", " ", " ", "\t", "  "))
    return f"{_cased(chance, name)}:{blank}{_text(chance)}{chance.choice(('', '', ' '))}"


def _text(chance: random.Random) -> str:
    words = ["".join(chance.choices(TEXT, k=chance.randint(1, 9))) for _ in range(chance.randint(0, 5))]
    return chance.choice((" ", "\t", "  ")).join(words)


def _cased(chance: random.Random, text: str) -> str:
    return chance.choice((text, text, text.lower(), text.upper()))


def _chunked(chance: random.Random, content: bytes) -> bytes:
    found, at = b"", 0
    while at < len(content):
        size = chance.choice((1, 10, 255, 5000))
        chunk = content[at : at + size]
        number = chance.choice(("%x", "%X", "0%x")) % len(chunk) + chance.choice(("", "", ";a=b", ' ; c="d"'))
        found += number.encode() + b"\r\n" + chunk + b"\r\n"
        at += size
    trailer = "".join(f"{_header(chance)}\r\n" for _ in range(chance.choice((0, 0, 1, 3))))
    return found + chance.choice((b"0", b"000", b"0;e")) + b"\r\n" + trailer.encode("latin-1") + b"\r\n"


def main() -> None:
    """Compare as many as were asked for, and show where they differ."""
    count, seed = int(sys.argv[1]), random.randrange(10**6)
    found = 0
    for found, (sample, theirs, ours) in enumerate(differences(seed, count), 1):  # noqa: B007
        print(f"{sample}\n  http.client: {theirs}\n  ours:        {ours}")
    print(f"{count:,} valid replies, seed {seed}: {found} read differently than by http.client")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
