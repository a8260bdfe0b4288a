"""HTTP/1.1 as bytes in, bytes out: framing, keep-alive, refusals, and bytes in any pieces."""

import tracemalloc
from itertools import pairwise
from mmap import mmap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.sandbox.http.http11 import MAX_BODY, MAX_HEAD, Conversation
from wxcs_lite.sandbox.http.values import Answer, Reply, Request, Seen, page, seen

POST = b"POST /p?a=1&b=&a=2 HTTP/1.1\r\nHost: h\r\nContent-Type: x/y; z\r\nContent-Length: 5\r\n\r\nhello"
FINE = Reply(200, (("X", "y"),), b"ok", 7)


class Asked:
    """An answerer that remembers what it was asked."""

    def __init__(self, reply: Reply | bytes | None = FINE) -> None:
        self.requests: list[Request] = []
        self.seen: list[Seen] = []
        self._reply = reply

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(self._reply)

    def told(self, request: Request, reply: Reply | None, seconds: float) -> None:
        assert seconds >= 0
        self.seen.append(seen(request, reply))

    def talk(self, *pieces: bytes, accept_chunked: bool = False) -> tuple[bytes, bool]:
        conversation = Conversation(self, accept_chunked=accept_chunked, on_exchange=self.told)
        outcomes = [outcome for piece in pieces for outcome in conversation.feed(piece)]
        return b"".join(outcome.data for outcome in outcomes), any(outcome.close for outcome in outcomes)


def test_a_request() -> None:
    """A request arrives in its parts, and the first of two parameters of a name counts."""
    asked = Asked()
    data, close = asked.talk(POST)
    assert b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: y\r\nContent-Length: 2\r\n\r\nok" == data
    assert not close
    [request] = asked.requests
    assert "POST" == request.method
    assert "/p" == request.path
    assert (("a", "1"), ("b", ""), ("a", "2")) == request.query
    assert b"hello" == request.body
    assert request.keep_alive
    assert "1" == request.parameter("a")
    assert "" == request.parameter("b")
    assert "" == request.parameter("c")
    assert "Request(POST /p, 5 bytes)" == repr(request)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2 * len(POST)), max_size=12))
def test_any_pieces(cuts: list[int]) -> None:
    """Two requests in a row are the same two, wherever the bytes were cut."""
    whole = Asked()
    expected = whole.talk(POST + POST)
    asked = Asked()
    edges = [0, *sorted(cuts), 2 * len(POST)]
    assert expected == asked.talk(*((POST + POST)[a:b] for a, b in pairwise(edges)))
    assert whole.requests == asked.requests


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),  # a TLS hello
        (b"GET /\r\n\r\n", 400),
        (b"GET nowhere HTTP/1.1\r\n\r\n", 400),
        (b"GET http://h/ HTTP/1.1\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        ("GET /图 HTTP/1.1\r\n\r\n".encode(), 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
        (b"GET /" + b"x" * MAX_HEAD + b" HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"x" * MAX_HEAD * 2, 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * MAX_HEAD, 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 412),
        (b"POST / HTTP/1.1\r\n\r\n", 412),
    ],
)
def test_refused(request_bytes: bytes, status: int) -> None:
    """A malformed, oversized or unmeasured request gets a page that is not JSON, and the connection closes."""
    asked = Asked()
    data, close = asked.talk(request_bytes, b"and more")
    body = page(status).body
    head = b"Connection: close\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert data.endswith(b"\r\n" + head + body)
    assert data.startswith(b"HTTP/1.1 %d " % status)
    assert close
    assert [] == asked.requests
    assert [status] == [seen.status for seen in asked.seen]


def test_lengths_that_work() -> None:
    """The same length twice is one length; a GET needs none, and an empty line may come before a request."""
    asked = Asked()
    asked.talk(b"\r\nGET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi")
    assert [b"", b"hi"] == [request.body for request in asked.requests]


CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"


def test_chunks_accepted() -> None:
    """With the switch set, chunks, extensions and trailers are read."""
    asked = Asked()
    asked.talk(CHUNKED, b"3\r\nabc\r\n", b"A;x=y\r\n0123456789\r\n", b"0\r\nT: x\r\n\r\n", POST, accept_chunked=True)
    assert [b"abc0123456789", b"hello"] == [request.body for request in asked.requests]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [(b"x\r\n", 400), (b"\r\n", 400), (b"1\r\nab\r\n", 400), (b"%x\r\n" % (MAX_BODY + 1), 413), (b"1" * 2000, 400)],
)
def test_bad_chunks(chunks: bytes, status: int) -> None:
    """Malformed chunks, or too many, are refused."""
    data, close = Asked().talk(CHUNKED, chunks, accept_chunked=True)
    assert data.startswith(b"HTTP/1.1 %d " % status)
    assert close


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
)
def test_closes_when_asked(request_bytes: bytes) -> None:
    """A client that says close, or speaks HTTP/1.0, gets the reply and the end; what it sends after that is ignored."""
    asked = Asked()
    data, close = asked.talk(request_bytes, POST)
    assert b"\r\nConnection: close\r\n" in data
    assert close
    assert 1 == len(asked.requests)


def test_head() -> None:
    """A HEAD request gets the head only, so that the connection stays in step."""
    data, _ = Asked().talk(b"HEAD / HTTP/1.1\r\n\r\n")
    assert data.endswith(b"Content-Length: 2\r\n\r\n")


def test_expect_continue() -> None:
    """A client that waits for leave to send its body gets it."""
    request = POST.replace(b"Host: h", b"Expect: 100-Continue")
    data, _ = Asked().talk(request)
    assert data.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("headers", "expected", "closes"),
    [
        ((("Connection", "close"),), b"Connection: close\r\nContent-Length: 2\r\n\r\nok", True),
        ((("content-length", "9"),), b"Connection: close\r\ncontent-length: 9\r\n\r\nok", True),
        ((("Transfer-Encoding", "chunked"),), b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nok", True),
    ],
)
def test_replies_with_framing_of_their_own(headers: tuple[tuple[str, str]], expected: bytes, closes: bool) -> None:
    """A reply with its own framing is sent as it is, and the connection closes after it."""
    data, close = Asked(Reply(999, headers, b"ok")).talk(POST)
    assert b"HTTP/1.1 999 Unknown\r\n" + expected == data
    assert closes == close


@pytest.mark.parametrize("raw", [b"", b"\x00\xff garbage", None])
def test_raw_or_nothing(raw: bytes | None) -> None:
    """Raw bytes go out as they are, None sends nothing; both close."""
    assert (raw or b"", True) == Asked(raw).talk(POST, POST)


def test_seen_shows_no_secret() -> None:
    """What is shown has neither token nor secret, nor the body."""
    asked = Asked()
    asked.talk(POST.replace(b"a=1&b=&a=2", b"access_token=T0KEN&secret=S3CRET&appsecret=S3CRET&type=image"))
    assert [Seen("POST", "/p", (("type", "image"),), "5 bytes of x/y", 200, 7)] == asked.seen
    assert "T0KEN" not in repr((asked.seen, asked.requests))
    assert "S3CRET" not in repr((asked.seen, asked.requests))


def test_seen_without_reply_body_or_head() -> None:
    """A lost connection has no status, a body without a kind only its size, garbage no path."""
    asked = Asked(None)
    asked.talk(POST.replace(b"Content-Type: x/y; z\r\n", b""))
    asked.talk(b"garbage\r\n\r\n")
    assert [
        Seen("POST", "/p", (("a", "1"), ("b", ""), ("a", "2")), "5 bytes", None, None),
        Seen("", "", (), "", 400, None),
    ] == asked.seen


@given(st.binary(max_size=400), st.booleans())
def test_garbage(noise: bytes, accept_chunked: bool) -> None:
    """Any bytes are waited on, answered or refused, never an error; after a close nothing follows."""
    conversation = Conversation(Asked(), accept_chunked=accept_chunked)
    outcomes = [*conversation.feed(noise), *conversation.feed(b"\r\n\r\n" + POST)]
    assert not any(outcome.close for outcome in outcomes[:-1])


def test_reply_repr() -> None:
    """A reply shows status, errcode and size."""
    assert "Reply(200, errcode=7, 2 bytes)" == repr(Reply(200, (), b"ok", 7))


def test_a_waiting_connection_holds_no_request() -> None:
    """Between two requests nothing of the first is kept, however large it was."""
    conversation = Conversation(lambda request: Answer(FINE))
    tracemalloc.start()
    try:
        body = bytes(2**22)
        list(conversation.feed(b"POST /p HTTP/1.1\r\nContent-Length: 4194304\r\n\r\n"))
        assert 1 == len(list(conversation.feed(body)))
        del body
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000


def test_after_hanging_up_nothing_is_kept() -> None:
    """What a peer sends after the last reply takes no memory."""
    conversation = Conversation(Asked())
    refused = b"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert [True] == [outcome.close for outcome in conversation.feed(refused + bytes(1000))]
    for _ in range(3):
        assert [] == list(conversation.feed(bytes(1000)))
        assert not conversation._buffer


@pytest.mark.parametrize("head", [b"Content-Length: 4194304\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n400000\r\n"])
def test_what_is_half_said_is_let_go_at_once(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the connection has ended, its bytes do not wait for the garbage collector."""
    rooms: list[mmap] = []

    class Room(mmap):
        def __init__(self, *given: int) -> None:
            rooms.append(self)

    monkeypatch.setattr("wxcs_lite.sandbox.http.http11.mmap", Room)
    conversation = Conversation(Asked(), accept_chunked=True)
    head = b"POST /p HTTP/1.1\r\n" + head
    assert [] == list(conversation.feed(head + bytes(100_000)))
    assert len(head) + 100_000 == conversation.held
    conversation.close()
    assert [True] == [room.closed for room in rooms]


@pytest.mark.parametrize("size", [2**16, 2**16 + 1])
def test_a_large_body_is_not_copied(size: int) -> None:
    """Head and body of a small reply leave together; a large body leaves as it is, behind its head."""
    body = bytes(size)
    outcomes = list(Conversation(lambda request: Answer(Reply(200, (), body), 3.0)).feed(b"GET / HTTP/1.1\r\n\r\n"))
    assert [3.0, 0.0][: len(outcomes)] == [outcome.slow for outcome in outcomes]
    assert (size > 2**16) == (outcomes[-1].data is body)
    assert b"".join(outcome.data for outcome in outcomes).endswith(b"\r\nContent-Length: %d\r\n\r\n" % size + body)
