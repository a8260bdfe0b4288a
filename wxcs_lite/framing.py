"""How a reply is read: which bytes belong to it, and how long to wait for them.

A connection is kept for the next call, so a reader that stops too early leaves the rest of one reply to be read as the
next one. Python's http.client is lenient: after an interim reply (103 Early Hints) it takes the final one for the reply
to the next call, it guesses at folded or broken headers, and it does not notice a second length. Here a reply is read
strictly by RFC 9112 or refused as `Malformed`, and the connection is then closed.

It is lenient about time, too: a socket's time-out bounds each silence, so a byte now and then can hold a call for ever.
Here there are two more limits. A whole reply has the time that `CallTimeout` allows its call, and six silences may pass
without a byte of content: for the head, and for the line or trailer of a chunk. Either limit raises TimeoutError.

`Framed` is the `response_class` of `open_pool`'s connections; it overrides the documented methods `begin`, `read` and
`read1` of http.client and leaves its attributes as they are.
"""

import io
import re
import socket
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead, RemoteDisconnected
from math import inf
from time import monotonic
from typing import Any

__all__ = ["PATIENCE", "Framed", "Malformed"]

PATIENCE = 6  # silences that may pass before the head is complete, or between two pieces of content

_LONGEST_LINE = 65536  # bytes
_MOST_HEADERS = 100
_MOST_INTERIM = 8
_PIECE = 65536  # bytes

_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([^\r\n\0]*))?\r?\n")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*+([^\r\n\0]*+)\r?\n")  # *+: no backtracking over blanks
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*+(?:;[^\r\n\0]*+)?\r?\n")
_LENGTH = re.compile(r"([0-9]{1,15})(?:[ \t]*,[ \t]*\1)*")  # one number, perhaps repeated


class Malformed(HTTPException):
    """The reply breaks the rules of HTTP, so its end cannot be known."""


class _Paced(io.RawIOBase):
    """The bytes of a socket, read under a time limit."""

    def __init__(self, sock: socket.socket, silence: float | None) -> None:
        given = sock.gettimeout()
        seconds = inf if given is None else given
        self._sock = sock
        self._file: socket.SocketIO | None = None
        self._silence = seconds if silence is None else silence
        self._patience = PATIENCE * self._silence
        self._ends = inf if silence is None else monotonic() + seconds
        self.is_content = False
        self.be_patient()

    def hold(self) -> None:
        """Keep the socket open after its connection drops it, which happens at once if it will not be used again."""
        self._file = self._sock.makefile("rb", buffering=0)  # a socket is closed when its last file is

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return this object as the file that http.client asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left = min(self._silence, min(self._ends, self._patient_until) - monotonic())
        if left <= 0:
            raise TimeoutError("the reply arrived too slowly")
        self._sock.settimeout(None if left == inf else left)
        count = self._sock.recv_into(buffer)
        if self.is_content:
            self.be_patient()
        return count

    def be_patient(self) -> None:
        """Allow six more silences, because content has arrived."""
        self._patient_until = monotonic() + self._patience

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


class _Headers(HTTPMessage):
    """Headers as they were read; the email package would parse each of them whenever all are asked for."""

    def items(self) -> list[tuple[str, str]]:
        return list(self.raw_items())

    def get_payload(self, i: int | None = None, decode: bool = False) -> Any:
        """Return None, because headers have no body."""
        return None


class Framed(HTTPResponse):
    """A response that skips interim replies and is read strictly and under time limits.

    `silence` is how long nothing may arrive, in seconds, and the socket's time-out bounds the whole reply; without a
    `silence` the socket's time-out is used for it.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        *,
        silence: float | None = None,
    ) -> None:
        paced: Any = _Paced(sock, silence)  # http.client uses a socket only to get a file from it
        super().__init__(paced, debuglevel, method, url)
        self._paced, self._is_head = paced, method == "HEAD"

    def begin(self) -> None:
        """Read status line and headers of the final reply, and find out how its content ends."""
        if self.headers is not None:
            return
        for _ in range(_MOST_INTERIM):
            line = self.fp.readline(_LONGEST_LINE)
            found = _STATUS_LINE.fullmatch(line)
            if found is None:
                raise _refusal(line, "status line")
            status, headers = int(found[2]), _headers(self.fp)
            if status >= 200 or status == 101:
                break
        else:
            raise Malformed(f"more than {_MOST_INTERIM} interim replies")
        self.code = self.status = status
        self.reason = (found[3] or b"").decode("latin-1").strip()
        self.version = 11 if found[1] != b"0" else 10
        self.headers = self.msg = message = _Headers()
        joined: dict[str, str] = {}
        for name, value in headers:
            message.set_raw(name, value)
            name = name.lower()
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        self._frame(joined)

    def _frame(self, headers: Mapping[str, str]) -> None:
        """Decide how the content ends, and whether the connection ends with it."""
        self.chunk_left = None
        self.chunked, self.length = _framing(headers.get("transfer-encoding"), headers.get("content-length"))
        if self.status in (101, 204, 304) or self._is_head:
            self.chunked, self.length = False, 0
        options = headers.get("connection", "").lower().replace(" ", "").split(",")
        stays = "close" not in options and (self.version == 11 or "keep-alive" in options)
        self.will_close = not (stays and (self.chunked or self.length is not None))
        if self.will_close:
            self._paced.hold()

    def flush(self) -> None:
        """Do nothing: `close` calls this, but a reader has nothing to flush."""

    def read(self, amt: int | None = None) -> bytes:
        """Return `amt` bytes of the content, or all of it; fewer only at its end."""
        found: list[bytes] = []
        wanted = inf if amt is None or amt < 0 else amt
        while wanted and (piece := self._content(wanted, fill=True)):
            found.append(piece)
            wanted -= len(piece)
        return found[0] if len(found) == 1 else b"".join(found)

    def read1(self, n: int = -1) -> bytes:
        """Return at most n bytes of the content that has arrived; empty only at its end."""
        return self._content(_PIECE if n < 0 else n, fill=False) if n else b""

    def _content(self, most: float, *, fill: bool) -> bytes:
        """Return at most `most` bytes of what is left of this chunk, or of the whole content."""
        if self.fp is None:
            return b""
        if self.chunked and not self.chunk_left:
            self.chunk_left = self._next_chunk()
        left = self.chunk_left if self.chunked else self.length
        if left == 0:
            self.close()
            return b""
        wanted = int(min(most, _PIECE if left is None else left))
        self._paced.is_content = True
        data = self.fp.read(wanted) if fill else self.fp.read1(wanted)
        self._paced.is_content = False
        self._paced.be_patient()  # it may have arrived with the line before it
        self._count(data, left, cut=len(data) < wanted if fill else not data)
        return data

    def _count(self, data: bytes, left: int | None, cut: bool) -> None:
        if left is None:  # the content ends where the connection does
            if cut:
                self.close()
            return
        left -= len(data)
        if cut:
            raise IncompleteRead(data, left)
        if self.chunked:
            self.chunk_left = left
            return
        self.length = left
        if not left:
            self.close()

    def _next_chunk(self) -> int:
        """Return the size of the next chunk; after the last one, which is empty, skip the trailer."""
        if self.chunk_left == 0 and self.fp.read(2) != b"\r\n":
            raise Malformed("a chunk that is longer than its size")
        line = self.fp.readline(_LONGEST_LINE)
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise _refusal(line, "chunk size")
        size = int(found[1], 16)
        if not size:
            _headers(self.fp)
        return size


def _headers(file: io.BufferedReader) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    while (line := file.readline(_LONGEST_LINE)) not in (b"\r\n", b"\n"):
        header = _HEADER.fullmatch(line.decode("latin-1"))  # no folded line, and no blank before the colon
        if header is None:
            raise _refusal(line, "header")
        if len(headers) == _MOST_HEADERS:
            raise Malformed(f"more than {_MOST_HEADERS} headers")
        headers.append((header[1], header[2].rstrip(" \t")))
    return headers


def _refusal(line: bytes, due: str) -> HTTPException | ConnectionError:
    """Return the error for a line that is not what was expected."""
    if line.endswith(b"\n"):
        return Malformed(f"no {due}")
    if len(line) == _LONGEST_LINE:
        return Malformed(f"a line longer than {_LONGEST_LINE:,} bytes")
    return RemoteDisconnected("the connection was closed before the reply had ended")


def _framing(coding: str | None, length: str | None) -> tuple[bool, int | None]:
    """Return whether the content comes in chunks, and its length; if neither, it ends where the connection does."""
    if coding is not None:
        if length is not None:
            raise Malformed("a length beside chunks")
        if coding.lower() != "chunked":
            raise Malformed("a transfer coding other than chunked")
        return True, None
    if length is None:
        return False, None
    same = _LENGTH.fullmatch(length)
    if same is None:
        raise Malformed("no length, or two different ones")
    return False, int(same[1])
