"""How a reply is read: past interim ones, strictly, and never for longer than is allowed."""

import io
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import urllib3
import vcr
from urllib3.util import Timeout

from tests.hostile import (
    ENOUGH,
    OK,
    POOLS,
    Open,
    Peer,
    Script,
    Server,
    answers,
    bare,
    certificate,
    drip,
    once,
    reply,
    then_stall,
)
from tests.valid_replies import Sample, Wire, differences, read
from wxcs_lite import (
    BadReply,
    TransportError,
    WxError,
    download,
    endpoints,
    fetch_token,
    framing,
    fresh_token,
    get_quota,
    get_rid,
    open_pool,
    perform,
    pools,
    send,
    set_typing,
    stream,
    text,
    upload,
)
from wxcs_lite.framing import Framed
from wxcs_lite.pools import CallTimeout, Pool
from wxcs_lite.replies import read_ok

TOKEN = "80_made-up"
HELLO = text("OPENID", "hello")
JPEG = b"\xff\xd8\xff\xe0 made up"
CHUNKED = "Transfer-Encoding: chunked"


def streamed(pool: Pool) -> bytes:
    with stream(pool, TOKEN, "MEDIA_ID") as medium:
        return b"".join(medium)


CALLS: dict[str, tuple[Callable[[Pool], object], bytes]] = {
    "send": (lambda pool: send(pool, TOKEN, HELLO), OK),
    "set_typing": (lambda pool: set_typing(pool, TOKEN, "OPENID"), OK),
    "upload": (lambda pool: upload(pool, TOKEN, JPEG), b'{"type":"image","media_id":"MEDIA_ID","created_at":1}'),
    "download": (lambda pool: download(pool, TOKEN, "MEDIA_ID"), JPEG),
    "stream": (streamed, JPEG),
    "fetch_token": (
        lambda pool: fetch_token(pool, "APPID", "made-up secret"),
        b'{"access_token":"a","expires_in":7200}',
    ),
    "fresh_token": (
        lambda pool: fresh_token(pool, "APPID", "made-up secret")(),
        b'{"access_token":"a","expires_in":7200}',
    ),
    "get_rid": (lambda pool: get_rid(pool, TOKEN, "rid"), b'{"errcode":0,"errmsg":"ok","request":{}}'),
    "get_quota": (lambda pool: get_quota(pool, TOKEN, "/cgi-bin/x"), b'{"errcode":0,"errmsg":"ok","quota":{}}'),
    "perform": (lambda pool: read_ok(*perform(pool, TOKEN, endpoints.get_callback_ip())), OK),
}


@contextmanager
def trusted(server: Server, **settings: Any) -> Iterator[Pool]:
    """Yield a pool that reaches the TLS server through one that tunnels."""
    with open_pool("https://localhost:9", proxy=server.url, maxsize=1, **settings) as pool:
        pool.conn_kw["ca_cert_data"] = certificate().pem
        yield pool


def tunnelled(then: Script) -> Script:
    """Return the script of a proxy that plays the host behind it as well."""

    def script(peer: Peer) -> None:
        if peer.read_head():
            peer.send(bare("HTTP/1.1 200 Connection established"))
            peer.start_tls()
            then(peer)

    return script


# By the letter


def test_valid_replies_are_read_as_http_client_reads_them() -> None:
    """Status, reason, version, headers and content are the same for thousands of valid replies."""
    assert [] == list(differences(seed=20261125, count=3000))


def framed(data: bytes, method: str = "POST") -> Framed:
    return Framed(Wire(Sample(method, data, 70_000)), method=method, silence=10)  # type: ignore[arg-type]


MANY = [f"X-{number}: y" for number in range(101)]
MALFORMED = {
    "no status line": b"garbage\r\n\r\n",
    "HTTP/2": bare("HTTP/2 200 OK", "Content-Length: 0"),
    "HTTP/0.9": b"{}",
    "a status of two digits": bare("HTTP/1.1 20 OK", "Content-Length: 0"),
    "a status of four digits": bare("HTTP/1.1 2000 OK", "Content-Length: 0"),
    "a status that begins with 0": bare("HTTP/1.1 099 OK", "Content-Length: 0"),
    "a blank before the status line": bare(" HTTP/1.1 200 OK", "Content-Length: 0"),
    "NUL in the reason": bare("HTTP/1.1 200 O\0K", "Content-Length: 0"),
    "a bare CR in a header": bare("HTTP/1.1 200 OK", "X: y\rContent-Length: 2", body=b"{}"),
    "NUL in a header": bare("HTTP/1.1 200 OK", "X: \0", "Content-Length: 0"),
    "blanks and NUL": bare("HTTP/1.1 200 OK", f"X:{' ' * 65000}\0", "Content-Length: 0"),
    "a header without a colon": bare("HTTP/1.1 200 OK", "Content-Length 0"),
    "a header without a name": bare("HTTP/1.1 200 OK", ": y", "Content-Length: 0"),
    "a blank before the colon": bare("HTTP/1.1 200 OK", "Content-Length : 0"),
    "a blank in the name": bare("HTTP/1.1 200 OK", "Content Length: 0"),
    "a folded line": bare("HTTP/1.1 200 OK", "X: y", " z", "Content-Length: 0"),
    "a first line that is folded": bare("HTTP/1.1 200 OK", "\tX: y", "Content-Length: 0"),
    "more than 100 headers": bare("HTTP/1.1 200 OK", *MANY, "Content-Length: 0"),
    "a header of 64 KiB": bare("HTTP/1.1 200 OK", f"X: {'y' * 65536}", "Content-Length: 0"),
    "a status line of 64 KiB": bare(f"HTTP/1.1 200 {'y' * 65536}", "Content-Length: 0"),
    "two lengths": bare("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3", body=b"{}"),
    "two lengths in one": bare("HTTP/1.1 200 OK", "Content-Length: 2, 3", body=b"{}"),
    "a length beside chunks": bare("HTTP/1.1 200 OK", "Content-Length: 2", CHUNKED, body=b"2\r\n{}\r\n0\r\n\r\n"),
    "a negative length": bare("HTTP/1.1 200 OK", "Content-Length: -2", body=b"{}"),
    "a length with a sign": bare("HTTP/1.1 200 OK", "Content-Length: +2", body=b"{}"),
    "a length with an underscore": bare("HTTP/1.1 200 OK", "Content-Length: 0_2", body=b"{}"),
    "a length in other digits": bare("HTTP/1.1 200 OK", "Content-Length: \xb2", body=b"{}").replace(b"\xc2", b""),
    "a length of no digits": bare("HTTP/1.1 200 OK", "Content-Length:", body=b"{}"),
    "a length of 16 digits": bare("HTTP/1.1 200 OK", "Content-Length: 1000000000000000", body=b"{}"),
    "gzip and chunks": bare("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunks twice": bare("HTTP/1.1 200 OK", CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "an unknown transfer coding": bare("HTTP/1.1 200 OK", "Transfer-Encoding: identity", body=b"{}"),
    "nine interim replies": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9 + reply(),
    "an interim reply with a broken header": b"HTTP/1.1 103 Early Hints\r\nX : y\r\n\r\n" + reply(),
    "cut in the status line": b"HTTP/1.1 200",
    "cut after the status line": b"HTTP/1.1 200 OK\r\n",
    "cut in a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut in an interim reply": b"HTTP/1.1 103 Early Hints\r\nX",
    "cut after an interim reply": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}  # fmt: skip
CHUNKS = {
    "negative": b"-5\r\n{}\r\n0\r\n\r\n",
    "minus one": b"-1\r\n{}\r\n0\r\n\r\n",
    "with a sign": b"+2\r\n{}\r\n0\r\n\r\n",
    "after a blank": b" 2\r\n{}\r\n0\r\n\r\n",
    "with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "empty": b"\r\n{}\r\n0\r\n\r\n",
    "too long a number": b"0" * 15 + b"2\r\n{}\r\n0\r\n\r\n",
    "a line of 64 KiB": b"2;" + b"x" * 65536 + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": b"2\r\n{} \r\n0\r\n\r\n",
    "a chunk without its end": b"2\r\n{}0\r\n\r\n",
    "a trailer that is no header": b"2\r\n{}\r\n0\r\nX : y\r\n\r\n",
    "more than 100 trailers": b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    "cut in the size": b"2",
    "cut in the chunk": b"2\r\n{",
    "cut after the chunk": b"2\r\n{}",
    "cut before the last chunk": b"2\r\n{}\r\n",
    "cut in the trailer": b"2\r\n{}\r\n0\r\nX: y\r\n",
    "cut before the end of the trailer": b"2\r\n{}\r\n0\r\n",
}
MALFORMED |= {f"chunks: {name}": bare("HTTP/1.1 200 OK", CHUNKED, body=chunks) for name, chunks in CHUNKS.items()}


@pytest.mark.parametrize("size", [None, 1, 65536])
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_reply_is_refused(name: str, size: int | None) -> None:
    """Nobody knows where it ends, so nothing of it counts, however it is read."""
    response = framed(MALFORMED[name])
    with closing(response), pytest.raises((HTTPException, ConnectionError)):
        read(response, () if size is None else (size,))


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_a_transport_error_and_its_connection_is_closed(name: str) -> None:
    """The call says that the message may have arrived, and the next one gets its own answer."""
    after = answers(reply(b'{"errcode":0,"errmsg":"next"}'))
    with Server(once(MALFORMED[name]), after) as server, server.open() as pool:
        with pytest.raises(TransportError) as caught:
            send(pool, TOKEN, HELLO)
        assert caught.value.maybe_sent
        assert "next" == send(pool, TOKEN, HELLO)["errmsg"]
        assert 2 == server.connections


@pytest.mark.parametrize("open_it", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("size", [b"-5", b"-" + b"f" * 16])
@pytest.mark.parametrize("kind", CALLS)
def test_a_chunk_of_a_negative_size_is_a_typed_error(kind: str, size: bytes, open_it: Open) -> None:
    """http.client takes -5 for a size, and its ValueError came out bare; past 63 bits an OverflowError."""
    act, content = CALLS[kind]
    bad = bare("HTTP/1.1 200 OK", CHUNKED, body=size + b"\r\n" + content + b"\r\n0\r\n\r\n")
    with Server(once(bad), answers(reply(content))) as server, open_it(server) as pool:
        with pytest.raises(TransportError):
            act(pool)
        act(pool)


WHOLE = {
    "length": reply(),
    "chunks": bare("HTTP/1.1 200 OK", CHUNKED, body=b"1B;a=b\r\n" + OK + b"\r\n0\r\nX: y\r\n\r\n"),
    "after an interim reply": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(),
}


@pytest.mark.parametrize("sizes", [(), (5, 5)], ids=["read", "read1"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_reply_cut_at_any_byte_is_no_reply(name: str, sizes: tuple[int, ...]) -> None:
    """Its last byte is needed, too."""
    whole = WHOLE[name]
    assert OK == read(framed(whole), sizes).body
    for cut in range(len(whole)):
        with closing(framed(whole[:cut])) as response, pytest.raises((HTTPException, ConnectionError)):
            read(response, sizes)


def test_the_error_of_a_malformed_reply_says_so() -> None:
    """It was not cut, so there is no point in checking the network."""
    bad = once(MALFORMED["two lengths"])
    with Server(bad) as server, server.open() as pool, pytest.raises(TransportError, match="is not valid HTTP"):
        send(pool, TOKEN, HELLO)


VALID = {
    "a repeated length": bare("HTTP/1.1 200 OK", "Content-Length: 27", "Content-Length: 27", body=OK),
    "a length twice in one": bare("HTTP/1.1 200 OK", "Content-Length: 27, 27", body=OK),
    "no reason": bare("HTTP/1.1 200 ", "Content-Length: 27", body=OK),
    "no blank after the status": bare("HTTP/1.1 200", "Content-Length: 27", body=OK),
    "lines that end in LF": reply().replace(b"\r\n", b"\n"),
    "100 headers": bare("HTTP/1.1 200 OK", *MANY[:99], "Content-Length: 27", body=OK),
    "eight replies": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 7 + reply(),
    "chunks with a trailer": bare("HTTP/1.1 200 OK", CHUNKED, body=b"1B\r\n" + OK + b"\r\n0\r\nX: y\r\n\r\n"),
}


@pytest.mark.parametrize("name", VALID)
def test_an_unusual_reply_that_is_valid_is_read_and_its_connection_kept(name: str) -> None:
    """By the letter means all that the letter allows."""
    with Server(answers(VALID[name])) as server, server.open() as pool:
        for _ in range(2):
            assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)
        assert 1 == server.connections


@pytest.mark.parametrize(
    ("lines", "stays"),
    [
        (("HTTP/1.1 200 OK",), True),
        (("HTTP/1.1 200 OK", "Connection: keep-alive"), True),
        (("HTTP/1.1 200 OK", "Connection: Close"), False),
        (("HTTP/1.1 200 OK", "Connection: x ,CLOSE"), False),
        (("HTTP/1.1 200 OK", "Connection: x", "Connection: close"), False),
        (("HTTP/1.0 200 OK",), False),
        (("HTTP/1.0 200 OK", "Connection: Keep-Alive"), True),
    ],
)
def test_the_connection_stays_or_closes_as_the_reply_says(lines: tuple[str, ...], stays: bool) -> None:
    """HTTP/1.1 keeps a connection unless the reply says otherwise, HTTP/1.0 only if the reply says so."""
    response = framed(bare(*lines, "Content-Length: 0"))
    response.begin()
    assert stays != response.will_close
    response.close()


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_content_may_end_with_the_connection(tls: bool) -> None:
    """Nothing else says where it ends; each call connects again, and no socket is left open."""
    with Server(once(bare("HTTP/1.1 200 OK", body=JPEG)), tls=tls) as server, server.open() as pool:
        for _ in range(2):
            assert JPEG == download(pool, TOKEN, "MEDIA_ID").content
            assert JPEG == streamed(pool)
        assert 4 == server.connections


def test_what_was_begun_is_not_begun_again() -> None:
    """As with http.client's own."""
    response = framed(reply())
    response.begin()
    response.begin()
    assert (OK, b"", b"") == (response.read(), response.read(), response.read1())


def test_nothing_asked_for_is_nothing_read() -> None:
    """read(0) and read1(0) leave the content where it is."""
    response = framed(reply())
    response.begin()
    assert (b"", b"", OK) == (response.read(0), response.read1(0), response.read1())


# Interim replies

INTERIM = [101, 102, 103, 199]


def later(first: bytes, final: bytes) -> Script:
    """Return a script that answers the first request of a connection in two parts, and each later one at once."""

    def script(peer: Peer) -> None:
        heard = peer.read()
        peer.send(first)
        peer.server.stopped.wait(0.02)
        while heard:
            peer.send(final)
            heard = peer.read()

    return script


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("status", INTERIM[1:])
def test_an_interim_reply_is_read_past(status: int, kind: str) -> None:
    """The call gets the final reply, and the connection is kept."""
    act, content = CALLS[kind]
    script = later(bare(f"HTTP/1.1 {status} Made Up", "Link: </x>"), reply(content))
    with Server(script) as server, server.open() as pool:
        act(pool)
        act(pool)
        assert 1 == server.connections


@pytest.mark.parametrize("open_it", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("status", [*INTERIM, 204, 304])
def test_a_reply_belongs_to_its_request(status: int, kind: str, open_it: Open) -> None:
    """What comes after a reply without content is never the answer to the next call, in any kind of pool."""
    act, content = CALLS[kind]
    refused = reply(b'{"errcode":45047,"errmsg":"of the first"}')
    script = later(bare(f"HTTP/1.1 {status} Made Up"), refused)
    with Server(script, answers(reply(content))) as server, open_it(server) as pool:
        with pytest.raises(WxError) as caught:
            act(pool)
        if open_it is Server.open and status in INTERIM[1:]:
            assert "of the first" in str(caught.value)
        else:
            assert isinstance(caught.value, BadReply)
            assert caught.value.maybe_sent
            act(pool)
            assert 2 == server.connections


def test_an_interim_reply_through_a_proxy() -> None:
    """The connections through a proxy read as the others do."""
    script = tunnelled(later(bare("HTTP/1.1 103 Early Hints"), reply()))
    with Server(script) as server, trusted(server) as pool:
        for _ in range(2):
            send(pool, TOKEN, HELLO)
        assert 1 == server.connections


# In time

FIRST = bare("HTTP/1.1 200 OK", CHUNKED, body=b"1b\r\n" + OK + b"\r\n")
MEDIUM = bare("HTTP/1.1 200 OK", CHUNKED, body=b"20\r\n" + JPEG.ljust(32) + b"\r\n")
DRIPS: dict[str, tuple[bytes, bytes, bytes]] = {
    "status line": (b"HTTP/1.1 200 ", b"O", b"\r\nContent-Length: 27\r\n\r\n" + OK),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"y", b"\r\nContent-Length: 27\r\n\r\n" + OK),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"Content-Length: 27\r\n\r\n" + OK),
    "interim reply": (b"HTTP/1.1 103 Early Hints\r\nX: ", b"y", b"\r\n\r\n" + reply()),
    "chunk size": (FIRST, b"0", b"\r\n\r\n"),
    "chunk extension": (FIRST + b"0;", b"x", b"\r\n\r\n"),
    "trailer": (FIRST + b"0\r\nX: ", b"y", b"\r\n\r\n"),
    "trailers": (FIRST + b"0\r\n", b"X: y\r\n", b"\r\n"),
}
PAUSE = 0.04  # seconds; of headers and trailers there may be a hundred, so it must not be too short
SILENCE = 0.1
# The second is what is said if a busy machine lets the time pass between two pieces of content and not while waiting.
TOO_LATE = "within the time|arrived too slowly"


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("name", DRIPS)
def test_whatever_drips_ends(name: str, tls: bool) -> None:
    """A JSON reply has six read timeouts, in which it would not have come to its end; the connection is closed."""
    start, piece, end = DRIPS[name]
    scripts = drip(start, piece, PAUSE, end), answers(reply())
    with Server(*scripts, tls=tls) as server, server.open(read_timeout=SILENCE) as pool:
        with pytest.raises(TransportError, match=TOO_LATE) as caught:
            send(pool, TOKEN, HELLO)
        assert caught.value.maybe_sent
        pool.timeout = Timeout(connect=10, read=10)  # what comes now must be answered, on a busy machine, too
        send(pool, TOKEN, HELLO)
        assert 2 == server.connections


@pytest.mark.parametrize("kind", ["download", "stream", "fetch_token"])
@pytest.mark.parametrize("name", ["headers", "chunk size", "trailers"])
def test_whatever_drips_ends_for_other_calls(name: str, kind: str) -> None:
    """Framing without content holds no call, that for a medium or a token neither."""
    act, content = CALLS[kind]
    start, piece, end = DRIPS[name]
    chunk = b"%x\r\n" % len(content) + content + b"\r\n"
    script = drip(start.replace(b"1b\r\n" + OK + b"\r\n", chunk), piece, PAUSE, end)
    with Server(script) as server, server.open(read_timeout=SILENCE) as pool:
        with pytest.raises(TransportError, match=TOO_LATE):
            act(pool)
        assert 1 == (pool.pool.qsize() if pool.pool else None)


class Slow(Wire):
    """A socket on which a piece comes every eight seconds of a clock that only waiting moves, or which times out."""

    def __init__(self, data: bytes, piece: int, allowed: float | None) -> None:
        super().__init__(Sample("GET", data, piece))
        self.now, self.timeout = 0.0, allowed

    def gettimeout(self) -> float | None:  # type: ignore[override]
        return self.timeout

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def recv_into(self, buffer: Any) -> int:
        if self.timeout is not None and self.timeout < 8:
            self.now += self.timeout
            raise TimeoutError
        self.now += 8
        return self.readinto(buffer)


@contextmanager
def slowly(
    head: str, content: bytes, piece: int, allowed: float | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Framed, Slow]]:
    """Yield a response whose head is there at once, and whose content comes in pieces; the silence is 10 seconds."""
    slow = Slow(content, piece, allowed)
    monkeypatch.setattr(framing, "monotonic", lambda: slow.now)
    with closing(Framed(slow, silence=10)) as response:  # type: ignore[arg-type]
        with monkeypatch.context() as at_once:
            data = io.BufferedReader(Wire(Sample("GET", bare("HTTP/1.1 200 OK", head), 70_000)))
            at_once.setattr(response, "fp", data)
            response.begin()
        yield response, slow


FLOWS = {
    "length": ("Content-Length: 12", JPEG, 1),
    "small chunks": (CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in JPEG) + b"0\r\n\r\n", 1),
    "small chunks, each at once": (CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in JPEG) + b"0\r\n\r\n", 6),
    "one chunk": (CHUNKED, b"c\r\n" + JPEG + b"\r\n0\r\n\r\n", 1),
    "to the end": ("X: y", JPEG, 1),
}


@pytest.mark.parametrize("sizes", [(), (5,), (5, 5)], ids=["read", "read amt", "read1"])
@pytest.mark.parametrize("name", FLOWS)
def test_content_that_flows_may_take_its_time(
    name: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte of it gives it six silences more."""
    with slowly(*FLOWS[name], None, monkeypatch) as (response, slow):
        assert JPEG == read(response, sizes).body
        assert slow.now > 6 * 10


@pytest.mark.parametrize("name", FLOWS)
def test_a_reply_as_a_whole_ends_when_its_time_is_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it flows: the last wait is cut to what is left."""
    with slowly(*FLOWS[name], 70, monkeypatch) as (response, slow):
        with pytest.raises(TimeoutError):
            read(response)
        assert 70 == slow.now


@pytest.mark.parametrize("content", [b"0" * 14 + b"2;", b"0\r\nX: y\r\nX: y\r\n"], ids=["chunk size", "trailer"])
def test_framing_that_drips_ends_after_six_silences(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without content there is no more time."""
    with slowly(CHUNKED, content, 1, None, monkeypatch) as (response, slow):
        with pytest.raises(TimeoutError):
            read(response)
        assert 6 * 10 == slow.now


def test_no_time_left_is_no_more_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the rest of a stream too late raises, even if the rest is there."""
    with slowly(*FLOWS["length"], 60, monkeypatch) as (response, slow):
        response.read1(1)
        slow.now = 61
        with pytest.raises(TimeoutError):
            response.read1(1)


class Clock:
    """The clock of calls, which a test moves on: that a time is over does not depend on how busy the machine is."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


LONG = 60  # seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (framing, pools):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.mark.parametrize("kind", ["download", "stream"])
def test_a_total_timeout_bounds_the_reply(kind: str, clock: Clock) -> None:
    """A medium that flows would go on for as long as the server likes."""

    def endless(peer: Peer) -> None:
        peer.read()
        peer.send(reply(JPEG, length=10**6))
        clock.ahead += LONG
        while not peer.server.stopped.wait(0.02):
            peer.send(b"x")

    with Server(endless) as server, server.open(read_timeout=LONG, total_timeout=LONG) as pool:
        with pytest.raises(TransportError, match="within the time") as caught:
            CALLS[kind][0](pool)
        assert caught.value.maybe_sent


def test_a_total_timeout_bounds_the_waiting_for_a_place() -> None:
    """Nothing was sent then."""
    script = then_stall(reply(JPEG.ljust(20), length=99))
    with Server(script) as server, server.open() as pool:
        with stream(pool, TOKEN, "MEDIA_ID"):
            pool.timeout = CallTimeout(LONG, LONG, 0.1)
            with pytest.raises(TransportError, match="busy") as caught:
                send(pool, TOKEN, HELLO)
        assert not caught.value.maybe_sent
        assert 1 == len(server.heard)


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_nothing_is_sent_when_the_total_timeout_is_over(tls: bool) -> None:
    """On a new connection or a kept one: 0 seconds for a socket would mean not to wait, and read as "refused"."""
    with Server(answers(reply()), tls=tls) as server, server.open() as pool:
        for kept in (False, True):
            if kept:
                pool.timeout = CallTimeout(LONG, LONG)
                send(pool, TOKEN, HELLO)
            pool.timeout = CallTimeout(LONG, LONG, 1e-9)
            with pytest.raises(TransportError, match="within the connect timeout") as caught:
                send(pool, TOKEN, HELLO)
            assert (False, int(kept)) == (caught.value.maybe_sent, len(server.heard))


def test_a_total_timeout_bounds_the_handshake() -> None:
    """Connecting has three steps at most, and each has a third of what is left."""
    with Server(Peer.stall) as server, open_pool(server.url.replace("http", "https"), total_timeout=0.3) as pool:
        with pytest.raises(TransportError, match="within the connect timeout") as caught:
            send(pool, TOKEN, HELLO)
        assert not caught.value.maybe_sent


def test_a_total_timeout_bounds_a_proxys_answer() -> None:
    """A proxy that drips its CONNECT reply is not waited for longer than for a connection."""
    with Server(drip(b"HTTP/1.1 200 ", b"O", 0.01)) as server, trusted(server, total_timeout=0.3) as pool:
        with pytest.raises(TransportError, match="within the connect timeout") as caught:
            send(pool, TOKEN, HELLO)
        assert not caught.value.maybe_sent


def slow_reader(peer: Peer) -> None:
    """Accept an upload in small pieces, for as long as it comes."""
    while not peer.server.stopped.wait(0.005) and peer.sock.recv(8192):
        pass


def test_a_total_timeout_bounds_the_sending() -> None:
    """A server that takes a large body in drips does not hold an upload."""
    with Server(slow_reader, receive_buffer=8192) as server, server.open() as pool:
        pool.timeout = CallTimeout(LONG, LONG, 2)
        with pytest.raises(TransportError, match=r"not all sent within|not be sent in time") as caught:
            upload(pool, TOKEN, JPEG + bytes(9_000_000))
        assert caught.value.maybe_sent


def test_no_piece_leaves_when_the_total_timeout_is_over(clock: Clock) -> None:
    """However willing the server is."""
    sent = []

    def too_slow(count: int, _: int) -> None:
        sent.append(count)
        clock.ahead = LONG

    with Server(answers(reply())) as server, server.open(total_timeout=LONG) as pool:
        with pytest.raises(TransportError, match="not all sent within") as caught:
            upload(pool, TOKEN, JPEG + bytes(500_000), progress=too_slow)
        assert (True, 1) == (caught.value.maybe_sent, len(sent))


def test_a_total_timeout_that_is_enough_changes_nothing() -> None:
    """The calls of a pool each have all of it."""
    with Server(answers(reply()), tls=True) as server, server.open(total_timeout=ENOUGH) as pool:
        for _ in range(3):
            assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)
        assert 1 == server.connections


# By hand


def flowing(peer: Peer) -> None:
    """Answer with 40 bytes, one after the other."""
    peer.read()
    peer.send(reply(b"", length=40))
    for _ in range(40):
        peer.server.stopped.wait(0.03)
        peer.send(b"x")


def test_a_call_by_hand_may_take_as_long_as_it_flows() -> None:
    """A pool of ours is a urllib3 pool like any other, also for other people's calls."""
    with Server(flowing) as server, server.open(read_timeout=0.8) as pool:
        assert b"x" * 40 == pool.request("GET", "/").data


def test_silence_ends_a_call_by_hand() -> None:
    """As it does with urllib3's own."""
    error = pytest.raises(urllib3.exceptions.ReadTimeoutError)
    with Server(Peer.stall) as server, server.open(read_timeout=0.25) as pool, error:
        pool.request("GET", "/", retries=False)


def test_a_timeout_that_was_put_in_place_of_ours_is_urllib3s() -> None:
    """The pool is the user's: a plain Timeout bounds each silence, of a connection that is made then."""
    with Server(flowing) as server, server.open() as pool:
        pool.timeout = Timeout(connect=3, read=0.8)
        assert b"x" * 40 == pool.request("GET", "/").data


def test_a_head_request_has_no_content() -> None:
    """Its length is that of another reply."""
    with Server(answers(reply(b"", length=27))) as server, server.open() as pool:
        for _ in range(2):
            assert b"" == pool.request("HEAD", "/").data
        assert 1 == server.connections


def test_a_cassette_plays_with_open_pool(tmp_path: Path) -> None:
    """vcrpy puts its own connections into our pools: what was recorded is played without a server."""
    cassette = vcr.use_cassette(str(tmp_path / "sent.yaml"), record_mode="once", match_on=["method", "path"])
    with Server(later(bare("HTTP/1.1 103 Early Hints"), reply())) as server, server.open() as pool, cassette:
        send(pool, TOKEN, HELLO)
        assert 1 == len(server.heard)
    with open_pool(server.url) as pool, cassette:
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)
    assert 1 == len(server.heard)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_the_connection_class_is_urllib3s(url: str) -> None:
    """One of our own would go round vcrpy."""
    with open_pool(url) as pool, urllib3.connection_from_url(url) as plain:
        assert plain.ConnectionCls is pool.ConnectionCls
