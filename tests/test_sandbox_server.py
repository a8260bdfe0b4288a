"""The real door: HTTP on loopback with keep-alive, threads and bounds, which answers the same bytes as the other."""

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from itertools import repeat

import pytest
import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from wxcs_lite.sandbox import Sandbox, Seen
from wxcs_lite.sandbox.accounts import Accounts

SEND = "/cgi-bin/message/custom/send"
TEXT = {"touser": "ann", "msgtype": "text", "text": {"content": "hello"}}
CREDENTIALS = "grant_type=client_credential&appid=wxsandbox000000001&secret=sandbox-secret-of-no-real-account"


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.user("ann").says("hi")
    return sandbox


@pytest.fixture
def pool(sandbox: Sandbox) -> Iterator[urllib3.HTTPConnectionPool]:
    with sandbox.serve() as url, closing(urllib3.connectionpool.connection_from_url(url, maxsize=16)) as pool:
        yield pool


def send_url(sandbox: Sandbox) -> str:
    token = sandbox.pool().request("GET", "/cgi-bin/token?" + CREDENTIALS).json()["access_token"]
    return f"{SEND}?access_token={token}"


def talk(port: int, data: bytes) -> bytes:
    """Send bytes, then read to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def request_bytes(method: str, target: str, body: bytes = b"", headers: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


UPLOAD = (
    b'--B\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n\xff\xd8\xff'
    + bytes(200_000)
    + b"\r\n"
    b"--B--\r\n"
)


def test_both_doors_say_the_same_bytes() -> None:
    """A whole conversation, refusals and all, comes out byte for byte the same through both doors."""
    token = Sandbox().pool().request("GET", "/cgi-bin/token?" + CREDENTIALS).json()["access_token"]
    multipart = "Content-Type: multipart/form-data; boundary=B\r\n"
    talks = [
        request_bytes("GET", "/cgi-bin/token?" + CREDENTIALS)
        + request_bytes("POST", f"{SEND}?access_token={token}", b'{"touser":"ann"}')
        + request_bytes("POST", f"/cgi-bin/media/upload?type=image&access_token={token}", UPLOAD, multipart)
        + request_bytes("GET", f"/cgi-bin/media/get?media_id=x&access_token={token}")
        + request_bytes("GET", "/cgi-bin/nowhere")
        + request_bytes("HEAD", "/cgi-bin/token"),
        b"POST /cgi-bin/media/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"POST /cgi-bin/media/upload HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n",
        b"GET /cgi-bin/token HTTP/1.0\r\n\r\n",
    ]
    one, two = Sandbox(), Sandbox()
    with two.serve() as url:
        for data in talks:
            in_process = b"".join(outcome.data for outcome in Accounts([one._core]).converse(None).feed(data))
            assert in_process == talk(port_of(url), data)
            assert in_process.startswith(b"HTTP/1.1 ")
            assert b"\r\nDate:" not in in_process


def test_keep_alive_and_threads(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool) -> None:
    """Many threads send over as many kept connections, and no message is lost or doubled."""
    url = send_url(sandbox)
    for index in range(40):
        sandbox.user(f"user{index}").says("hi")

    def send(index: int) -> int:
        return int(pool.request("POST", url, json={**TEXT, "touser": f"user{index % 40}"}).json()["errcode"])

    with ThreadPoolExecutor(16) as executor:
        codes = list(executor.map(send, range(200)))
    assert [0] * 200 == codes
    assert {5} == {len(sandbox.user(f"user{index}").inbox) for index in range(40)}
    assert pool.num_connections <= 16


def test_no_stall(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool) -> None:
    """Head and body leave in one write: fifty requests take no 40 ms each."""
    started = time.perf_counter()
    for _ in range(50):
        pool.request("GET", "/cgi-bin/getcallbackip")
    assert time.perf_counter() - started < 1


def test_dropped_and_slow(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool) -> None:
    """Faults are real: a connection that ends without a reply, and a reply that comes too late."""
    url = send_url(sandbox)
    for drop, delivered in (("before", 0), ("after", 1)):
        sandbox.fail_next(drop=drop)  # type: ignore[arg-type]
        with pytest.raises(ProtocolError):
            pool.request("POST", url, json=TEXT, retries=False)
        assert delivered == len(sandbox.user("ann").inbox)
    sandbox.fail_next(slow=0.2)
    with pytest.raises(ReadTimeoutError):
        pool.request("POST", url, json=TEXT, retries=False, timeout=0.05)
    sandbox.fail_next(slow=0.1)
    started = time.perf_counter()
    assert 0 == pool.request("POST", url, json=TEXT, retries=False).json()["errcode"]
    assert time.perf_counter() - started >= 0.1
    assert 3 == len(sandbox.user("ann").inbox)


def test_slow_holds_nobody_up(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool) -> None:
    """While one reply is slow the others come, and leaving the block does not wait for it."""
    sandbox.fail_next(slow=30, path="/slow")
    with socket.create_connection(("127.0.0.1", pool.port or 0)) as waiting:
        waiting.sendall(request_bytes("GET", "/slow"))
        assert 404 == pool.request("GET", "/nowhere", timeout=1).status
        time.sleep(0.02)
        started = time.perf_counter()
    with sandbox.serve() as url:
        sandbox.fail_next(slow=30, path="/slow")
        with socket.create_connection(("127.0.0.1", port_of(url))) as waiting:
            waiting.sendall(request_bytes("GET", "/slow"))
            time.sleep(0.05)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"\x00garbage\r\n\r\n"])
def test_broken_reply(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool, raw: bytes) -> None:
    """Raw bytes go out as they are."""
    sandbox.fail_next(reply=raw)
    with pytest.raises(ProtocolError):
        pool.request("GET", "/", retries=False)
    assert 404 == pool.request("GET", "/").status


@pytest.mark.parametrize(
    "garbage", [b"", b"\r\n", b"\x00" * 100_000, b"GET / HTTP/1.1\r\nHost: x", b"A" * 1000, b"\xff"]
)
def test_survives_garbage(sandbox: Sandbox, garbage: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Garbage and half requests are refused or wait in vain; nothing is printed, and the next request is served."""
    with sandbox.serve() as url:
        reply = talk(port_of(url), garbage)
        assert reply == b"" or reply.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        with socket.create_connection(("127.0.0.1", port_of(url))) as hanging:
            hanging.sendall(garbage)
            assert b"HTTP/1.1 404" in talk(port_of(url), request_bytes("GET", "/"))
        with socket.create_connection(("127.0.0.1", port_of(url))) as resetting:
            resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            resetting.sendall(request_bytes("GET", "/"))
    assert ("", "") == capfd.readouterr()


def test_refusal_is_readable_while_the_body_still_comes(sandbox: Sandbox, pool: urllib3.HTTPConnectionPool) -> None:
    """A chunked upload gets its 412 and a huge one its 413, not a reset, though they are still sending."""
    pieces = (b"x" * 65536 for _ in range(50))
    assert 412 == pool.request("POST", "/cgi-bin/media/upload", body=pieces, retries=False).status
    pieces = (b"x" * 65536 for _ in range(520))
    headers = {"Content-Length": str(520 * 65536)}
    assert 413 == pool.request("POST", "/cgi-bin/media/upload", body=pieces, headers=headers, retries=False).status


def test_chunked_accepted() -> None:
    """With the switch set a chunked body is read."""
    sandbox = Sandbox(chunked="accept")
    with sandbox.serve() as url, urllib3.PoolManager() as http:
        reply = http.request("POST", url + "/cgi-bin/stable_token", body=iter([b'{"app', b'id":""}']))
        assert 41002 == reply.json()["errcode"]


def test_expect_continue(sandbox: Sandbox) -> None:
    """A client that waits for 100 Continue gets it before it has sent the body."""
    with sandbox.serve() as url, socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
        connection.sendall(b"POST /cgi-bin/stable_token HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == connection.recv(1000)
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_newcomer_takes_the_place_of_the_slowest(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all places are taken, who never asked for anything goes before who was served; then it is served."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 2)
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.0)
    with sandbox.serve() as url:
        address = ("127.0.0.1", port_of(url))
        with socket.create_connection(address, timeout=5) as served, socket.create_connection(address) as silent:
            for _ in range(2):  # once the second answer is here, the first has been counted
                served.sendall(request_bytes("GET", "/"))
                assert served.recv(1000)
            assert b"HTTP/1.1 404" in talk(port_of(url), request_bytes("GET", "/"))
            assert b"" == silent.recv(1000)
            served.sendall(request_bytes("GET", "/"))
            assert served.recv(1000)


def test_a_kept_connection_that_was_cut_loses_no_message(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut while nothing is under way on it; urllib3 sees that, and sends over a new one."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 1)
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.0)
    url = send_url(sandbox)
    with sandbox.serve() as base:
        pools = [urllib3.connectionpool.connection_from_url(base, timeout=5, retries=False) for _ in range(2)]
        for _ in range(2):
            for pool in pools:
                assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]
        for pool in pools:
            pool.close()
    assert 4 == len(sandbox.user("ann").inbox)


def test_who_does_not_read_makes_room(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that leaves its reply unread keeps the door waiting, too."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 1)
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.05)
    sandbox.fail_next(reply=bytes(2**25))
    with sandbox.serve() as url, socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as reading:
        reading.sendall(request_bytes("GET", "/"))
        assert reading.recv(1)
        assert b"HTTP/1.1 404" in talk(port_of(url), request_bytes("GET", "/"))
        with suppress(ConnectionResetError):
            assert len(b"".join(iter(lambda: reading.recv(2**20), b""))) < 2**25 - 1


def test_a_connection_without_a_thread_is_closed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """If the system has no thread left, the connection closes, its place is free again, and stderr says so."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 1)
    with sandbox.serve() as url:
        with monkeypatch.context() as patch:
            patch.setattr("wxcs_lite.sandbox.http.server.Thread", no_thread)
            with socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
                assert b"" == connection.recv(1000)
        assert b"HTTP/1.1 404" in talk(port_of(url), request_bytes("GET", "/"))
    assert "can't start new thread" in capfd.readouterr().err


def no_thread(**given: object) -> threading.Thread:
    thread = threading.Thread()

    def start() -> None:
        raise RuntimeError("can't start new thread")

    thread.start = start  # type: ignore[method-assign]
    return thread


def test_leaving_does_not_wait_for_room(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer who still waits outside is sent away when the block ends."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 1)
    sandbox.fail_next(slow=30, path="/slow")
    started = time.perf_counter()
    with ExitStack() as stack:
        with sandbox.serve() as url:
            address = ("127.0.0.1", port_of(url))
            waiting, outside = (stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(2))
            waiting.sendall(request_bytes("GET", "/slow"))
            outside.sendall(request_bytes("GET", "/"))
            time.sleep(0.1)
        assert b"" == outside.recv(1000)
    assert time.perf_counter() - started < 10


def test_idle_peer_is_let_go(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent peer is disconnected after a while."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._PATIENCE", 0.05)
    with sandbox.serve() as url, socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
        assert b"" == connection.recv(1000)


def drip(connection: socket.socket) -> None:
    for _ in range(1000):
        time.sleep(0.02)
        connection.sendall(b"x")


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"])
def test_a_request_that_drips_comes_to_an_end(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    """A head or body that comes byte by byte is one wait, however many bytes come."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._PATIENCE", 0.2)
    with sandbox.serve() as url, socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
        connection.sendall(first)
        with pytest.raises(ConnectionError):
            drip(connection)


def test_peer_that_never_closes_is_closed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a last reply a peer that goes on sending has a moment, no more."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._LINGER", 0.05)
    with sandbox.serve() as url, socket.create_connection(("127.0.0.1", port_of(url)), timeout=5) as connection:
        connection.sendall(b"garbage\r\n\r\n")
        with pytest.raises(ConnectionError):
            deque(map(connection.sendall, repeat(b"more", 10_000_000)))


def test_leaves_nothing_behind(sandbox: Sandbox) -> None:
    """After the block the port is free, the threads are gone, and open connections are ended."""
    before = set(threading.enumerate())
    with sandbox.serve() as url:
        port = port_of(url)
        connections = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(10)]
        for connection in connections:
            connection.sendall(request_bytes("GET", "/"))
            connection.recv(1000)
        started = time.perf_counter()
    assert time.perf_counter() - started < 1
    assert before == set(threading.enumerate())
    for connection in connections:
        with closing(connection):
            assert b"" == connection.recv(1000)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with sandbox.serve(port) as url:
        assert port == port_of(url)


def test_a_taken_port_is_named(sandbox: Sandbox) -> None:
    """Which port it was, and what to do."""
    with sandbox.serve() as url, pytest.raises(OSError, match=f"port {port_of(url)} cannot be opened.*choose another"):
        sandbox.serve(port_of(url)).__enter__()


@pytest.mark.parametrize("port", [-1, 65536, 99999, 10**30])
def test_impossible_port(sandbox: Sandbox, port: int) -> None:
    """An impossible port is refused, with what is allowed."""
    with pytest.raises(ValueError, match=f"port must be from 0 to 65535, not {port}"), sandbox.serve(port):
        pass


def test_on_request(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """It gets the requests through this door, too; a listener that fails costs the connection, not the server."""
    seen: list[Seen] = []

    def listen(one: Seen) -> None:
        seen.append(one)
        if one.path == "/fail":
            raise OSError("no room in the log")

    with sandbox.serve(on_request=listen) as url:
        assert b"" == talk(port_of(url), request_bytes("GET", "/fail"))
        assert talk(port_of(url), request_bytes("GET", "/nowhere?access_token=T0KEN&x=1"))
    assert [Seen("GET", "/fail", (), "", 404, None), Seen("GET", "/nowhere", (("x", "1"),), "", 404, None)] == seen
    out, err = capfd.readouterr()
    assert "" == out
    assert 1 == err.count("Traceback")
    assert "in listen\n" in err
    assert err.endswith("OSError: no room in the log\n")


def test_who_was_told_to_continue_was_not_served(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who keep the door waiting, the one goes who never sent a whole request, though it came later."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 2)
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.05)
    head = b"POST /cgi-bin/message/custom/send HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    with sandbox.serve() as url, ExitStack() as stack:
        served, promising = (
            stack.enter_context(socket.create_connection(("127.0.0.1", port_of(url)), timeout=10)) for _ in "12"
        )
        served.sendall(request_bytes("GET", "/nowhere"))
        assert served.recv(65536)
        promising.sendall(head)
        assert promising.recv(100).startswith(b"HTTP/1.1 100 ")
        assert talk(port_of(url), request_bytes("GET", "/nowhere"))
        assert b"" == promising.recv(1)
        served.sendall(request_bytes("GET", "/nowhere"))
        assert served.recv(65536)
