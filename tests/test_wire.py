"""One request out, one reply in: what is on the wire, what is bounded, and what a failure leaves behind."""

import copy
import io
import pickle
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest
import urllib3
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
    cut_after_request,
    cut_at_once,
    cut_during_request,
    drip,
    once,
    reply,
    stall,
    then_stall,
)
from wxcs_lite import (
    ApiError,
    BadReply,
    CloudbaseToken,
    FromAppid,
    InvalidMessage,
    Reply,
    Request,
    TransportError,
    WxError,
    call,
    download,
    endpoints,
    fetch_token,
    get_rid,
    open_pool,
    perform,
    send,
    set_typing,
    stream,
    text,
    upload,
    wire,
)
from wxcs_lite.multipart import PIECE
from wxcs_lite.pools import Pool
from wxcs_lite.replies import read_ok

TOKEN = "80_made-up"
HELLO = text("OPENID", "hello")
ASK = endpoints.get_callback_ip()
any_upload: Any = upload
JPEG = b"\xff\xd8\xff\xe0 made up"
DONE = reply(b'{"type":"image","media_id":"MEDIA_ID","created_at":1}')


def json_call(body: bytes) -> Request:
    return Request("POST", "/made/up", (), body, "application/json")


# What is on the wire


def test_the_request_is_what_endpoints_says() -> None:
    """Method, path, query, body and content type reach the server as they are in the Request."""
    with Server(answers(reply())) as server, server.pool() as pool:
        send(pool, TOKEN, HELLO)
        heard = server.last
    assert f"POST /cgi-bin/message/custom/send?access_token={TOKEN} HTTP/1.1" == heard.start
    assert "application/json" == heard.headers["content-type"]
    assert b'{"touser":"OPENID","msgtype":"text","text":{"content":"hello"}}' == heard.body


def test_the_token_comes_first_and_percent_encoded() -> None:
    """Whatever a token holds, it is one parameter, before all others."""
    with Server(answers(reply(JPEG))) as server, server.pool() as pool:
        download(pool, "a+/&=#%? b\u4f60", "M&=1")
        target = server.last.target
    assert "/cgi-bin/media/get?access_token=a%2B%2F%26%3D%23%25%3F%20b%E4%BD%A0&media_id=M%26%3D1" == target


def test_no_token_no_query() -> None:
    """A call that takes no token carries none."""
    with Server(answers(reply(b'{"access_token":"T","expires_in":7200}'))) as server, server.pool() as pool:
        fetch_token(pool, "APPID", "made-up secret")
        assert "/cgi-bin/stable_token" == server.last.target


@pytest.mark.parametrize("body", ["{}", bytearray(b"{}"), [b"{}"], {"a": 1}])
def test_a_handmade_body_is_bytes_or_a_multipart(body: Any) -> None:
    """A str would leave character by character, with a wrong length for Chinese, so nothing is sent."""
    with Server(answers(reply())) as server, server.pool() as pool:
        with pytest.raises(TypeError, match=f"not {type(body).__name__}"):
            perform(pool, TOKEN, Request("POST", "/made/up", (), body, "application/json"))
        assert 0 == server.connections


@pytest.mark.parametrize("size", [1, 1000, PIECE, PIECE + 1, 300_000])
@pytest.mark.parametrize("progress", [None, lambda sent, total: None])
def test_a_body_has_a_content_length(size: int, progress: wire.Progress | None) -> None:
    """A body of any size leaves with its length and never chunked: WeChat answers 412 to that."""
    with Server(answers(reply())) as server, server.pool() as pool:
        perform(pool, TOKEN, json_call(b"x" * size), progress=progress)
        heard = server.last
    assert str(size) == heard.headers["content-length"]
    assert heard.headers.get("transfer-encoding") is None
    assert size == len(heard.body)


@pytest.mark.parametrize("file", [JPEG + bytes(200_000), io.BytesIO(JPEG + bytes(200_000))], ids=["bytes", "file"])
def test_an_upload_has_a_content_length(file: Any) -> None:
    """So does an upload, whose whole body arrives."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        upload(pool, TOKEN, file)
        heard = server.last
    assert str(len(heard.body)) == heard.headers["content-length"]
    assert heard.headers.get("transfer-encoding") is None
    assert JPEG + bytes(200_000) in heard.body


def test_a_request_without_body_has_no_content_type() -> None:
    """A GET has no header about a body."""
    with Server(answers(reply())) as server, server.pool() as pool:
        perform(pool, TOKEN, ASK)
        assert set() == {"content-type", "content-length", "transfer-encoding"} & set(server.last.headers)


def test_a_body_without_a_content_type_gets_none() -> None:
    """A handmade Request may leave the content type out."""
    with Server(answers(reply())) as server, server.pool() as pool:
        perform(pool, TOKEN, Request("POST", "/made/up", (), b"{}"))
        assert None is server.last.headers.get("content-type")


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes that this thread gives to the socket."""
    sizes: list[int] = []
    real = socket.socket.sendall

    def sendall(self: socket.socket, data: Any, *args: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            sizes.append(memoryview(data).nbytes)
        real(self, data, *args)

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    return sizes


@pytest.mark.parametrize(
    "act",
    [
        lambda pool: perform(pool, TOKEN, json_call(b"x" * 1_000_000)),
        lambda pool: perform(pool, TOKEN, endpoints.send(text("OPENID", "x" * 1_000_000))),
        lambda pool: upload(pool, TOKEN, JPEG + bytes(1_000_000)),
        lambda pool: any_upload(pool, TOKEN, memoryview(JPEG + bytes(1_000_000))),
        lambda pool: upload(pool, TOKEN, io.BytesIO(JPEG + bytes(1_000_000))),
    ],
    ids=["JSON bytes", "send", "bytes", "memoryview", "file"],
)
def test_a_body_leaves_in_small_pieces(act: Callable[[Pool], object], pieces: list[int]) -> None:
    """No piece is larger than 64 KiB: urllib3 bounds each by the connect timeout."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        act(pool)
        assert max(pieces) <= 64 * 1024
        assert sum(pieces) > 1_000_000


def slow_reader(peer: Peer) -> None:
    """Take 8 KB every 20 ms, which makes two seconds for 800 KB."""
    head = peer.read_head()
    assert head is not None
    for at in range(0, int(head[1]["content-length"]), 8192):
        peer.server.stopped.wait(0.02)
        peer.read_body(min(8192, int(head[1]["content-length"]) - at))
    peer.send(DONE)


def test_an_upload_may_take_longer_than_the_connect_timeout() -> None:
    """A slow uplink is not a failure, as long as it flows."""
    options = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)]
    with (
        Server(slow_reader, receive_buffer=32768) as server,
        server.pool(connect_timeout=1.2, socket_options=options) as pool,
    ):
        assert "MEDIA_ID" == upload(pool, TOKEN, JPEG + bytes(800_000)).media_id


def never_reads(peer: Peer) -> None:
    """Take the head, and leave the body where it is."""
    peer.read_head()
    peer.server.stopped.wait(10)


def test_an_upload_that_stands_still_says_that_it_was_not_sent_in_time() -> None:
    """Nothing cut the connection: it is too slow for the time that was allowed."""
    options = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)]
    with (
        Server(never_reads, receive_buffer=32768) as server,
        server.pool(connect_timeout=0.3, socket_options=options) as pool,
        pytest.raises(TransportError, match="could not be sent in time") as caught,
    ):
        upload(pool, TOKEN, JPEG + bytes(4_000_000))
    assert caught.value.maybe_sent


def test_the_headers_of_the_pool_are_kept() -> None:
    """Headers that the user has set on the pool are sent with ours."""
    with Server(answers(reply())) as server, server.pool(headers={"X-Mine": "1"}) as pool:
        send(pool, TOKEN, HELLO)
        perform(pool, TOKEN, ASK)
        assert [("1", "application/json"), ("1", None)] == [
            (heard.headers.get("x-mine"), heard.headers.get("content-type")) for heard in server.heard
        ]


def test_the_headers_of_the_pool_are_not_changed() -> None:
    """Sending leaves no trace in the pool."""
    with Server(answers(reply())) as server, server.pool(headers={"X-Mine": "1"}) as pool:
        send(pool, TOKEN, HELLO)
        assert {"X-Mine": "1"} == dict(pool.headers)


# Sent once, to one host


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    """A redirect is BadReply, and the second server gets no request."""
    with Server(answers(reply())) as second:
        moved = reply(b"", status, f"Location: {second.url}/cgi-bin/message/custom/send")
        with Server(answers(moved)) as server, server.pool() as pool, pytest.raises(BadReply, match="redirect"):
            send(pool, TOKEN, HELLO)
        assert 1 == len(server.heard)
        assert 0 == second.connections


def test_no_redirect_to_the_same_host_is_followed() -> None:
    """Not even to the same host: a POST could become a second message."""
    with Server(answers(reply(b"", "307 Temporary", "Location: /other"), reply())) as server, server.pool() as pool:
        with pytest.raises(BadReply):
            send(pool, TOKEN, HELLO)
        assert 1 == len(server.heard)


@pytest.mark.parametrize("status", ["413 Too Large", "429 Too Many", "503 Unavailable"])
@pytest.mark.parametrize("act", [lambda pool: send(pool, TOKEN, HELLO), lambda pool: download(pool, TOKEN, "MEDIA_ID")])
def test_no_retry_after_is_obeyed(status: str, act: Callable[[Pool], object]) -> None:
    """Retry-After asks for what only the caller may decide."""
    with Server(answers(reply(b"", status, "Retry-After: 0"), reply())) as server, server.pool() as pool:
        with pytest.raises(BadReply):
            act(pool)
        assert 1 == len(server.heard)


@pytest.mark.parametrize("script", [cut_after_request, once(b"HTTP/1.1 2"), cut_at_once, stall])
@pytest.mark.parametrize("act", [lambda pool: send(pool, TOKEN, HELLO), lambda pool: download(pool, TOKEN, "MEDIA_ID")])
def test_nothing_is_tried_twice(script: Script, act: Callable[[Pool], object]) -> None:
    """A cut or a silence is reported after one connection, even for a GET."""
    with Server(script, answers(reply())) as server, server.pool(read_timeout=0.1) as pool:
        with pytest.raises(TransportError):
            act(pool)
        assert 1 == server.connections


def test_a_pool_that_retries_does_not_do_so_here() -> None:
    """Retries that the user has set on the pool do not count."""
    retries = urllib3.Retry(5, allowed_methods=None, status_forcelist=[500, 502])
    with Server(once(reply(b"", "502 Bad Gateway"))) as server, server.pool(retries=retries) as pool:
        with pytest.raises(BadReply):
            send(pool, TOKEN, HELLO)
        assert 1 == server.connections


# Replies


@pytest.mark.parametrize(
    "data",
    [
        reply(),
        bare("HTTP/1.1 200 OK", "Connection: close", body=OK),
        bare("HTTP/1.0 200 OK", body=OK),
        bare(
            "HTTP/1.1 200 OK",
            "Transfer-Encoding: chunked",
            body=b'5\r\n{"err\r\n16\r\ncode":0,"errmsg":"ok"}\r\n0\r\n\r\n',
        ),
        reply(OK, "200 OK", "Content-Encoding: identity"),
        bare("HTTP/1.1 200 OK", f"content-length: {len(OK)}", body=OK),
        bare("HTTP/1.1 100 Continue") + reply(),
        reply(OK, "200"),
    ],
    ids=["length", "to the end", "HTTP/1.0", "chunked", "identity", "lower case", "after a 100", "no reason"],
)
def test_a_reply_may_be_framed_in_any_way(data: bytes) -> None:
    """Content-Length, chunks and the end of the connection all end a reply."""
    with Server(once(data)) as server, server.pool() as pool:
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)


def test_control_characters_in_the_reply_are_read() -> None:
    """WeChat has left them inside JSON strings."""
    with Server(answers(reply(b'{"errcode":0,"errmsg":"a\x01\tb"}'))) as server, server.pool() as pool:
        assert {"errcode": 0, "errmsg": "a\x01\tb"} == send(pool, TOKEN, HELLO)


def test_the_reply_comes_as_it_is() -> None:
    """perform judges neither status nor errcode."""
    with Server(answers(reply(b"{}", "404 Not Found", "X-One: 1"))) as server, server.pool() as pool:
        found = perform(pool, TOKEN, ASK)
        assert 404 == found.status
        assert "1" == found.headers["x-ONE"]
        assert b"{}" == found.body


def test_a_reply_shows_its_size_only() -> None:
    """The repr of a Reply holds no body."""
    assert "<Reply HTTP 200, 3 bytes>" == repr(Reply(200, {"X": "1"}, b"abc"))


LIMIT = 2**20


def test_a_reply_of_just_the_limit_is_read() -> None:
    """1 MiB of JSON is not too large."""
    with Server(answers(reply(OK.ljust(LIMIT)))) as server, server.pool() as pool:
        assert LIMIT == len(perform(pool, TOKEN, ASK).body)


def test_a_medium_may_be_larger_than_json() -> None:
    """The limit of a medium is another."""
    with Server(answers(reply(JPEG.ljust(LIMIT + 1)))) as server, server.pool() as pool:
        assert LIMIT + 1 == len(download(pool, TOKEN, "MEDIA_ID").content)


BAD: dict[str, tuple[Script, type[Exception]]] = {
    "too large": (once(reply(OK.ljust(2 * LIMIT))), BadReply),
    "too large, chunked": (
        once(bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"200000\r\n" + bytes(2**21))),
        BadReply,
    ),
    "endless": (drip(bare("HTTP/1.1 200 OK"), bytes(300_000), 0.001), BadReply),
    "gzip": (once(reply(b"x", "200 OK", "Content-Encoding: gzip")), BadReply),
    "GZIP": (once(reply(b"x", "200 OK", "CONTENT-ENCODING: GZIP")), BadReply),
    "br": (once(reply(b"x", "200 OK", "Content-Encoding: br")), BadReply),
    "identity, gzip": (once(reply(b"x", "200 OK", "Content-Encoding: identity, gzip")), BadReply),
    "dripping": (drip(reply(b"{", length=10**6), b" ", 0.002), TransportError),
    "dripping chunks": (
        drip(bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), b"1\r\n \r\n", 0.002),
        TransportError,
    ),
    "stalled": (then_stall(reply(b"{", length=9)), TransportError),
    "truncated": (once(reply(b"{", length=9)), TransportError),
    "no last chunk": (once(bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"1\r\n{\r\n")), TransportError),
    "no chunk": (once(bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"zz\r\n{\r\n")), TransportError),
    "two lengths": (
        once(bare("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3", body=b"{}")),
        TransportError,
    ),
    "garbage": (once(b"\x00\xff garbage\r\n\r\n"), TransportError),
    "endless header": (once(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), TransportError),
    "too many headers": (once(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), TransportError),
    "nothing": (cut_after_request, TransportError),
    "silence": (stall, TransportError),
}
SLOW = {"dripping", "dripping chunks", "stalled", "silence"}


@pytest.mark.parametrize("open_it", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("name", BAD)
def test_a_reply_that_is_out_of_bounds_is_refused_with_its_connection(name: str, open_it: Open) -> None:
    """Size, time and form of a reply are bounded; what is left of it is not read as the answer to the next request."""
    script, kind = BAD[name]
    patience = 0.05 if name in SLOW else ENOUGH
    with Server(script, answers(reply())) as server, open_it(server, read_timeout=patience) as pool:
        with pytest.raises(kind):
            perform(pool, TOKEN, ASK)
        pool.timeout = Timeout(connect=10, read=10)  # what comes now must be answered, on a busy machine, too
        assert OK == perform(pool, TOKEN, ASK).body
        assert 2 == server.connections


def test_a_medium_past_max_bytes_is_refused() -> None:
    """max_bytes bounds a medium, and its connection is not used again."""
    with Server(answers(reply(JPEG.ljust(300_000))), answers(reply())) as server, server.pool() as pool:
        with pytest.raises(BadReply, match="larger than 5 bytes"):
            download(pool, TOKEN, "MEDIA_ID", max_bytes=5)
        send(pool, TOKEN, HELLO)
        assert 2 == server.connections


def test_a_medium_may_take_as_long_as_it_flows() -> None:
    """A slow medium is not a failure: only silence is."""

    def slowly(peer: Peer) -> None:
        peer.read()
        peer.send(reply(JPEG, length=len(JPEG) + 40))
        for _ in range(40):
            peer.server.stopped.wait(0.03)
            peer.send(b"x")

    with Server(slowly) as server, server.pool(read_timeout=0.8) as pool:
        assert len(JPEG) + 40 == len(download(pool, TOKEN, "MEDIA_ID").content)


def test_bytes_after_the_reply_are_not_the_next_reply() -> None:
    """A server that says more than it announced cannot answer for the next request."""
    more = reply() + reply(b'{"errcode":1,"errmsg":"smuggled"}')
    with Server(answers(more), answers(reply())) as server, server.pool() as pool:
        send(pool, TOKEN, HELLO)
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)


@pytest.mark.parametrize("timeout", [Timeout(total=2), Timeout(total=2, read=1), Timeout(2), 2.0, 2, None])
def test_any_kind_of_timeout_will_do(timeout: Any) -> None:
    """The pool is the user's, and so is the form of its timeout."""
    with Server(answers(reply())) as server, server.pool(timeout=timeout) as pool:
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, TOKEN, HELLO)


# Connections


def test_one_connection_serves_many_calls() -> None:
    """Keep-alive saves the handshake."""
    with Server(answers(reply())) as server, server.pool() as pool:
        for _ in range(50):
            send(pool, TOKEN, HELLO)
        assert 1 == server.connections
        assert 50 == len(server.heard)


def test_an_error_of_the_api_keeps_the_connection() -> None:
    """A refusal by WeChat is a whole reply like any other."""
    with Server(answers(reply(b'{"errcode":45047,"errmsg":"no"}'))) as server, server.pool() as pool:
        for _ in range(3):
            perform(pool, TOKEN, ASK)
        assert 1 == server.connections


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """The server may close an idle connection: the next send opens another one and is heard once."""
    closed = threading.Event()

    def once_and_tell(peer: Peer) -> None:
        once(reply())(peer)
        peer.sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server(once_and_tell) as server, server.pool() as pool:
        send(pool, TOKEN, HELLO)
        assert closed.wait(ENOUGH)
        send(pool, TOKEN, HELLO)
        assert 2 == server.connections
        assert 2 == len(server.heard)


def boom(*_: object) -> None:
    raise ValueError("boom")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


FAILING: dict[str, tuple[Script, Callable[[Pool], object]]] = {
    **{name: (script, lambda pool: perform(pool, TOKEN, ASK)) for name, (script, _) in BAD.items()},
    "cut during the request": (
        cut_during_request,
        lambda pool: upload(pool, TOKEN, JPEG + bytes(2_000_000)),
    ),
    "progress": (answers(DONE), lambda pool: upload(pool, TOKEN, JPEG, progress=boom)),
    "interrupt": (answers(DONE), lambda pool: upload(pool, TOKEN, JPEG, progress=interrupted)),
    "shrunk file": (answers(DONE), lambda pool: upload(pool, TOKEN, shrinking())),
    "bad request": (answers(DONE), lambda pool: perform(pool, TOKEN, Request("PO\nST", "/"))),
    "no token": (answers(DONE), lambda pool: perform(pool, "", ASK)),
}


@pytest.mark.parametrize("name", FAILING)
def test_every_failure_gives_the_pools_place_back(name: str) -> None:
    """After twenty failures of a kind a pool of one place still has it."""
    script, act = FAILING[name]
    with Server(script) as server, server.pool(read_timeout=0.005 if name in SLOW else ENOUGH) as pool:
        for _ in range(20):
            with pytest.raises((BadReply, TransportError, InvalidMessage, ValueError, KeyboardInterrupt)):
                act(pool)
        assert 1 == (pool.pool.qsize() if pool.pool else None)


# Pool and token


def test_a_pool_manager_is_refused_with_the_recipe() -> None:
    """A PoolManager is bound to no host; the TypeError says how to get a pool from it."""
    with urllib3.PoolManager() as manager, pytest.raises(TypeError, match=r"manager\.connection_from_url\("):
        perform(manager, TOKEN, ASK)  # type: ignore[arg-type]


@pytest.mark.parametrize("pool", [None, "80_made-up", object(), "https://api.weixin.qq.com"])
@pytest.mark.parametrize(
    "act",
    [
        lambda pool: perform(pool, TOKEN, ASK),
        lambda pool: send(pool, TOKEN, HELLO),
        lambda pool: upload(pool, TOKEN, JPEG),
        lambda pool: download(pool, TOKEN, "MEDIA_ID"),
        lambda pool: fetch_token(pool, "APPID", "made-up secret"),
    ],
)
def test_what_is_no_pool_is_refused(pool: Any, act: Callable[[Any], object]) -> None:
    """Anything else than a pool is a TypeError that names the order."""
    with pytest.raises(TypeError, match="pool first, token second"):
        act(pool)


@pytest.mark.parametrize(
    "token",
    ["", b"bytes", 7, lambda: "80_made-up", "80_made-up\n", "80_\udc80", FromAppid(""), CloudbaseToken("made-up\n")],
)
def test_a_token_that_is_none_is_named(token: Any) -> None:
    """An empty token, one that is not a str, or one with a line break is InvalidMessage, and nothing is sent."""
    with Server(answers(reply())) as server, server.pool() as pool:
        with pytest.raises(InvalidMessage) as caught:
            send(pool, token, HELLO)
        assert "token" == caught.value.field
        assert 0 == server.connections


WITHOUT_TOKEN: dict[str, Callable[[Pool, str | None], object]] = {
    "send": lambda pool, token: send(pool, token, HELLO),
    "set_typing": lambda pool, token: set_typing(pool, token, "OPENID"),
    "upload": lambda pool, token: upload(pool, token, JPEG),
    "download": lambda pool, token: download(pool, token, "MEDIA_ID"),
    "stream": lambda pool, token: stream(pool, token, "MEDIA_ID").__enter__(),
    "get_rid": lambda pool, token: get_rid(pool, token, "RID"),
    "call": lambda pool, token: call(pool, token, "/cgi-bin/x"),
    "perform": lambda pool, token: perform(pool, token, ASK),
}


@pytest.mark.parametrize("name", WITHOUT_TOKEN)
@pytest.mark.parametrize(
    ("token", "pair"),
    [
        (None, ""),
        (FromAppid("wxba5fad812f8e6fb9"), "from_appid=wxba5fad812f8e6fb9"),
        (CloudbaseToken("made+up"), "cloudbase_access_token=made%2Bup"),
        ("80_made-up", "access_token=80_made-up"),
    ],
)
def test_a_credential_says_what_stands_in_the_query(token: str | None, pair: str, name: str) -> None:
    """With None no token leaves: inside cloud hosting a relay adds it."""
    with Server(answers(reply())) as server, server.pool() as pool, suppress(BadReply):
        WITHOUT_TOKEN[name](pool, token)
    query = server.last.target.partition("?")[2]
    assert ([pair] if pair else []) == [one for one in query.split("&") if "token" in one or "appid" in one]


REFUSED = b'{"errcode":85107,"errmsg":"made up"}'


@pytest.mark.parametrize("name", WITHOUT_TOKEN)
@pytest.mark.parametrize("again", [lambda error: error, copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_notes_the_id_of_the_relay(name: str, again: Callable[[WxError], WxError]) -> None:
    """For the ticket, beside the rid; a copy of the error keeps it."""
    answer = reply(REFUSED, "200 OK", "X-Openapi-Seqid: 6aac005a-1")
    with Server(answers(answer)) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        read_ok(*WITHOUT_TOKEN[name](pool, "80_made-up")) if name == "perform" else WITHOUT_TOKEN[name](pool, "80_x")  # type: ignore[misc]
    expected = None if name == "perform" else ["x-openapi-seqid: 6aac005a-1"]
    assert expected == getattr(again(caught.value), "__notes__", None)


@pytest.mark.parametrize(
    "said", ["", "a" * 81, "a\x1b[31m", "\xe9\x9b", "80_made-up-and-long"], ids=["no", "long", "escape", "odd", "token"]
)
def test_an_id_that_is_none_is_not_noted(said: str) -> None:
    """A header comes from outside: no escape, no long value, and no echo of the token."""
    answer = reply(REFUSED, "200 OK").replace(b"\r\n\r\n", f"\r\nX-Openapi-Seqid: {said}\r\n\r\n".encode("latin-1"))
    with Server(answers(answer)) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        send(pool, "80_made-up-and-long", HELLO)
    noted = "".join(getattr(caught.value, "__notes__", ()))
    assert ("x-openapi-seqid: ***" if said.startswith("80_") else "") == noted


def test_the_relays_own_error_says_what_to_do_in_the_console() -> None:
    """It has no errcode, but is not a success."""
    body = b'{"request_id":"R","error_type":"OPENAPI_PROXY_ERROR","error_code":10001,"error_message":"M"}'
    answer = reply(body, "502 Bad Gateway", "x-openapi-seqid: S")
    with Server(answers(answer)) as server, server.pool() as pool, pytest.raises(BadReply) as caught:
        send(pool, None, HELLO)
    assert "云调用 > 微信令牌权限配置" in caught.value.en
    assert "云调用 > 微信令牌权限配置" in caught.value.zh
    assert caught.value.maybe_sent
    assert ["x-openapi-seqid: S"] == caught.value.__notes__


def test_a_certificate_signed_by_itself_says_where_http_is_right() -> None:
    """Inside cloud hosting the relay answers https with one."""
    with (
        Server(answers(reply()), tls=True) as server,
        open_pool(server.url) as pool,
        pytest.raises(TransportError) as caught,
    ):
        send(pool, None, HELLO)
    assert not caught.value.maybe_sent
    assert 'inside WeChat cloud hosting open_pool("http://api.weixin.qq.com")' in caught.value.en
    assert '微信云托管内请用 open_pool("http://api.weixin.qq.com")' in caught.value.zh


# Progress


def test_progress_is_monotone_and_ends_at_the_total() -> None:
    """progress(sent, total) counts bytes of the body, up to the Content-Length."""
    told: list[tuple[int, int]] = []
    with Server(answers(DONE)) as server, server.pool() as pool:
        upload(pool, TOKEN, JPEG + bytes(300_000), progress=lambda sent, total: told.append((sent, total)))
        total = int(server.last.headers["content-length"])
    sizes = [sent for sent, _ in told]
    assert sizes == sorted(set(sizes))
    assert total == sizes[-1]
    assert {total} == {total for _, total in told}


@pytest.mark.parametrize("size", [1, PIECE, 200_000])
def test_progress_counts_a_json_body_too(size: int) -> None:
    """perform reports any body."""
    told: list[tuple[int, int]] = []
    with Server(answers(reply())) as server, server.pool() as pool:
        perform(pool, TOKEN, json_call(b"x" * size), progress=lambda *both: told.append(both))
    assert (size, size) == told[-1]


RAISED = [
    ValueError("mine"),
    OSError("mine"),
    BrokenPipeError("mine"),
    ConnectionResetError("mine"),
    TimeoutError("mine"),
    StopIteration("mine"),
    urllib3.exceptions.ProtocolError("mine"),
    KeyboardInterrupt("mine"),
    SystemExit("mine"),
    TransportError("mine", "我的"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_progress_raises_comes_out_as_itself(error: BaseException) -> None:
    """urllib3 would swallow a BrokenPipeError, and take others for the network's."""

    def progress(sent: int, total: int) -> None:
        raise error

    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(type(error)) as caught:
        upload(pool, TOKEN, JPEG, progress=progress)
    assert error is caught.value


@pytest.mark.parametrize("error", RAISED[:-1], ids=lambda error: type(error).__name__)
def test_it_comes_out_without_urllib3s_frames(error: BaseException) -> None:
    """The traceback leads from the call straight to the callback."""

    def progress(sent: int, total: int) -> None:
        raise error.with_traceback(None)

    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(type(error)) as caught:
        upload(pool, TOKEN, JPEG, progress=progress)
    modules = [str(entry.frame.f_globals["__name__"]).partition(".")[0] for entry in caught.traceback]
    assert "progress" == caught.traceback[-1].name
    assert {"tests", "wxcs_lite"} == set(modules)
    assert caught.value.__context__ is None


# Files


class Shrinking(io.BytesIO):
    """Ends sooner while it is read than its size says."""

    def read(self, size: int | None = -1) -> bytes:
        return b"" if self.tell() > 100_000 else super().read(size)


def shrinking() -> Shrinking:
    return Shrinking(JPEG + bytes(300_000))


def test_a_file_that_shrinks_is_invalid() -> None:
    """The announced length cannot be kept: the file is named, nothing hangs, and some bytes had been sent."""
    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(InvalidMessage) as caught:
        upload(pool, TOKEN, shrinking())
    assert "file" == caught.value.field
    assert caught.value.maybe_sent


class Greedy(io.BytesIO):
    """Returns more than was asked for, once it is on its way: another request, for example."""

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        return piece + b"POST /smuggled HTTP/1.1\r\nContent-Length: 0\r\n\r\n" if size != 16 else piece


def test_a_file_cannot_send_past_its_length() -> None:
    """The server hears no second request, and the error says that something had left."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        with pytest.raises(InvalidMessage, match=r"^file: is not a proper binary file") as caught:
            upload(pool, TOKEN, Greedy(JPEG + bytes(300_000)))
        assert caught.value.maybe_sent
        upload(pool, TOKEN, JPEG)
        assert ["/cgi-bin/media/upload"] * len(server.heard) == [
            heard.target.partition("?")[0] for heard in server.heard
        ]


def test_a_file_that_is_closed_on_its_way_is_told() -> None:
    """By the caller's own callback, for example."""
    file = io.BytesIO(JPEG + bytes(300_000))
    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(InvalidMessage) as caught:
        upload(pool, TOKEN, file, progress=lambda sent, total: file.close())
    assert caught.value.en.startswith("file: is closed")
    assert caught.value.maybe_sent


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize(
    "error",
    [InvalidMessage("field", "en", "zh"), TransportError("en", "zh", False), ApiError(45047, "made up")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours_from_a_callback_may_have_been_sent(error: WxError, at: float) -> None:
    """It was raised while the upload was leaving, or after all of it had left; its copies say so, too."""

    def tell(sent: int, total: int) -> None:
        if sent >= at * total:
            raise copy.copy(error)

    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(type(error)) as caught:
        upload(pool, TOKEN, JPEG, progress=tell)
    assert not error.maybe_sent
    assert caught.value.maybe_sent
    assert pickle.loads(pickle.dumps(caught.value)).maybe_sent


def test_a_file_that_shrinks_is_not_taken_for_a_whole_one() -> None:
    """The server gets no complete request, and the connection is closed."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        with pytest.raises(InvalidMessage):
            upload(pool, TOKEN, shrinking())
        upload(pool, TOKEN, JPEG)
        assert 2 == server.connections


def test_a_file_that_cannot_be_read_is_not_taken_for_the_network() -> None:
    """An OSError of the file comes out as itself."""
    error = OSError("disk on fire")

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size != 16:
                raise error
            return super().read(size)

    with Server(answers(DONE)) as server, server.pool() as pool, pytest.raises(OSError, match="disk on fire") as caught:
        upload(pool, TOKEN, Broken(JPEG + bytes(100)))
    assert error is caught.value


def test_a_file_that_grows_is_sent_at_its_first_length() -> None:
    """What is appended in the meantime is not sent."""
    file = io.BytesIO(JPEG + bytes(200_000))

    def grow(sent: int, total: int) -> None:
        at = file.tell()
        file.seek(0, 2)
        file.write(b"more")
        file.seek(at)

    with Server(answers(DONE)) as server, server.pool() as pool:
        upload(pool, TOKEN, file, progress=grow)
        heard = server.last
    assert int(heard.headers["content-length"]) == len(heard.body)
    assert b"more" not in heard.body


# Interrupts


def interrupted_at(number: int, act: Callable[[], object]) -> str:
    """Raise KeyboardInterrupt at the nth line of `wire` and `streaming` that a call comes to; "" if it has fewer."""
    lines, where = 0, ""

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines, where
        if event == "line" and frame.f_globals["__name__"] in ("wxcs_lite.wire", "wxcs_lite.streaming"):
            lines += 1
            if lines == number:
                where = f"{frame.f_code.co_name}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with suppress(KeyboardInterrupt):
            act()
    finally:
        sys.settrace(before)
    return where


def streamed(pool: Pool) -> bytes:
    with stream(pool, TOKEN, "MEDIA_ID") as medium:
        return b"".join(medium)


INTERRUPTED: dict[str, Callable[[Pool], object]] = {
    "send": lambda pool: send(pool, TOKEN, HELLO),
    "download": lambda pool: download(pool, TOKEN, "MEDIA_ID"),
    "stream": streamed,
}


@pytest.mark.parametrize("open_it", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("kind", INTERRUPTED)
def test_an_interrupt_at_any_line_of_ours_gives_the_pools_place_back(kind: str, open_it: Open) -> None:
    """Ctrl-C is not a failure of the network, but the next call must not wait for a place that nobody has."""
    script = answers(reply(OK if kind == "send" else JPEG))
    lost, number = [], 1
    with Server(script) as server:
        while True:
            with open_it(server) as pool:
                where = interrupted_at(number, lambda pool=pool: INTERRUPTED[kind](pool))  # type: ignore[misc]
                if pool.pool and not pool.pool.qsize():
                    lost.append(where)
            if not where:
                break
            number += 1
    assert [] == lost
    assert number > 20
