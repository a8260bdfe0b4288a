"""HTTP/1.1 without any I/O: bytes in, bytes out. Pool and server both use it, so both send the same bytes."""

import re
from collections.abc import Callable, Generator, Iterator
from mmap import mmap
from time import perf_counter
from urllib.parse import parse_qsl

from wxcs_lite.sandbox.http.values import Answer, Outcome, Reply, Request, page, reason

__all__ = ["MAX_BODY", "Admit", "Conversation", "OnExchange", "origin_form"]

MAX_HEAD = 32 * 2**10  # bytes
MAX_BODY = 32 * 2**20  # bytes
_APART = 64 * 2**10  # bytes; a larger body is sent apart from its head, to save a copy

_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([!-~]+) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_LENGTH = re.compile(r"[0-9]{1,12}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)


class BadHttpError(Exception):
    """The bytes are not a request that can be served; the argument is the HTTP status of the refusal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Admit = Callable[[Request], Request | Answer]
OnExchange = Callable[[Request, Reply | None, float], object]  # seconds; no reply if raw bytes or nothing was sent


def origin_form(head: Request) -> Request:
    """Let in a request as a server gets it, whose target begins with a slash; a proxy gets others, too."""
    if not head.path.startswith("/"):
        raise BadHttpError(400)
    return head


def _render(reply: Reply, request: Request, slow: float) -> tuple[Outcome, ...]:
    names = {name.lower() for name, _ in reply.headers}
    framed = names & {"connection", "content-length", "transfer-encoding"}
    close = bool(framed) or not request.keep_alive
    headers = list(reply.headers)
    if "connection" not in names:
        headers.insert(0, ("Connection", "close" if close else "keep-alive"))
    if not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(reply.body))))
    lines = [
        f"HTTP/1.1 {reply.status} {reply.reason or reason(reply.status)}",
        *(f"{name}: {value}" for name, value in headers),
        "",
        "",
    ]
    head, body = "\r\n".join(lines).encode("latin-1"), b"" if request.method == "HEAD" else reply.body
    if len(body) <= _APART:
        return (Outcome(head + body, close, slow),)
    return Outcome(head, False, slow, ends=False), Outcome(body, close)


class Conversation:
    """One connection: pass what the peer sent to `feed`, and carry out the outcomes.

    >>> from wxcs_lite.sandbox.http.values import Answer, page
    >>> talk = Conversation(lambda request: Answer(page(404)))
    >>> list(talk.feed(b"GET /nowhere HT"))
    []
    >>> [outcome] = talk.feed(b"TP/1.1\\r\\n\\r\\n")
    >>> outcome.data[:22], outcome.close
    (b'HTTP/1.1 404 Not Found', False)

    A refusal after which the framing is uncertain (400, 412, 413) closes the connection. `admit` sees the head of each
    request before its body is read, and returns the request to go on with, or an answer, which closes.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        *,
        accept_chunked: bool = False,
        on_exchange: OnExchange | None = None,
        admit: Admit = origin_form,
    ) -> None:
        self._answer = answer
        self._admit = admit
        self._accept_chunked = accept_chunked
        self._on_exchange = on_exchange
        self._buffer = bytearray()
        self._head: Request | None = None
        self._talk: Generator[Outcome | None, None, None] = self._converse()
        self.held = 0  # bytes of a request that is not complete, or not answered yet

    def feed(self, data: bytes) -> Iterator[Outcome]:
        self._buffer += data
        self.held += len(data)
        for outcome in self._talk:
            if outcome is None:  # it needs more bytes
                return
            yield outcome
        self._buffer.clear()  # it has hung up: ignore the rest
        self.held = 0

    @property
    def unread(self) -> bytes:
        """What has come behind the request that is being answered."""
        return bytes(self._buffer)

    def close(self) -> None:
        """Free an unfinished request at once: the conversation and its generator refer to each other."""
        self._talk.close()
        self._buffer.clear()

    def _converse(self) -> Generator[Outcome | None, None, None]:
        close = False
        while not close:
            for outcome in (yield from self._exchange()):
                close = outcome.close
                yield outcome

    def _exchange(self) -> Generator[Outcome | None, None, tuple[Outcome, ...]]:
        # A separate function, so that no variable keeps a large request while waiting for the next.
        try:
            self._head = head = yield from self._read_head()
            admitted = self._admit(head)
            if isinstance(admitted, Answer):
                return self._respond(head, admitted, 0.0)
            self._head = head = admitted
            request = yield from self._read_body(head)
            began = perf_counter()
            answer = self._answer(request)
            return self._respond(request, answer, perf_counter() - began)
        except BadHttpError as error:
            request = (self._head or Request("", "", (), {}, b"", False))._replace(keep_alive=False)
            return self._respond(request, Answer(page(error.status)), 0.0)
        finally:
            self._head = None
            self.held = len(self._buffer)

    def _respond(self, request: Request, answer: Answer, seconds: float) -> tuple[Outcome, ...]:
        reply = answer.reply
        if self._on_exchange is not None:
            self._on_exchange(request, reply if isinstance(reply, Reply) else None, seconds)
        if isinstance(reply, Reply):
            return _render(reply, request, answer.slow)
        return (Outcome(reply or b"", True, answer.slow),)

    # From here on: generators that yield None when they need more bytes.

    def _read_head(self) -> Generator[None, None, Request]:
        head: list[bytes] = []
        room = MAX_HEAD
        while not head or head[-1]:
            line = yield from self._line(room)
            room -= len(line) + 2
            if head or line:  # an empty line before a request is skipped, as RFC 9112 advises
                head.append(line)
        return _parse(head[0], head[1:-1])

    def _read_body(self, request: Request) -> Generator[Outcome | None, None, Request]:
        length = _length(request, self._accept_chunked)
        if request.headers.get("expect", "").lower() == "100-continue":
            yield Outcome(b"HTTP/1.1 100 Continue\r\n\r\n", False, ends=False)
        body = yield from self._chunks() if length is None else self._exactly(length)
        return request._replace(body=body)

    def _line(self, room: int) -> Generator[None, None, bytes]:
        while (end := self._buffer.find(b"\r\n")) < 0 and len(self._buffer) <= room:
            yield
        if not 0 <= end <= room:
            raise BadHttpError(400)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _exactly(self, size: int) -> Generator[None, None, bytes]:
        if size <= _APART:
            while len(self._buffer) < size:
                yield
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            return data
        with mmap(-1, size) as room:
            yield from self._move(room, size)
            return room[:]

    def _chunks(self) -> Generator[None, None, bytes]:
        with mmap(-1, MAX_BODY) as room:
            while True:
                match = _CHUNK_SIZE.fullmatch((yield from self._line(1024)))
                if match is None:
                    raise BadHttpError(400)
                size = int(match[1], 16)
                if room.tell() + size > MAX_BODY:
                    raise BadHttpError(413)
                if not size:
                    break
                yield from self._move(room, size)
                if (yield from self._exactly(2)) != b"\r\n":
                    raise BadHttpError(400)
            while (yield from self._line(1024)):
                pass  # trailers are ignored
            return room[: room.tell()]

    def _move(self, room: mmap, size: int) -> Generator[None, None, None]:
        # Not on the heap, which large buffers of many threads, allocated and freed in turn, would fragment.
        while size:
            piece = self._buffer[:size]
            del self._buffer[:size]
            room.write(piece)
            size -= len(piece)
            if size:
                yield


def _parse(first: bytes, lines: list[bytes]) -> Request:
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise BadHttpError(400)
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BadHttpError(400)
        name, value = header[1].decode().lower(), header[2].decode("latin-1").rstrip(" \t")
        if name in ("content-length", "transfer-encoding") and headers.get(name, value) != value:
            raise BadHttpError(400)
        headers[name] = value
    path, _, query = match[2].decode().partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    keep_alive = match[3] == b"1" and headers.get("connection", "").lower() != "close"
    return Request(match[1].decode(), path, pairs, headers, b"", keep_alive)


def _length(request: Request, accept_chunked: bool) -> int | None:
    """Return the size of the body, None if it comes in chunks, or raise 400, 412, 413."""
    length, coding = request.headers.get("content-length"), request.headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise BadHttpError(400)  # two framings, as in request smuggling
        if not accept_chunked:
            raise BadHttpError(412)
        return None
    if length is None:
        if request.method == "POST":
            raise BadHttpError(412)  # no length at all (inferred: seen for chunked bodies)
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise BadHttpError(400)
    if int(length) > MAX_BODY:
        raise BadHttpError(413)
    return int(length)
