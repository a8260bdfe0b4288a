"""Every stage at which a call can fail, as a table: what is raised, and whether WeChat may have the message."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pytest
import urllib3
from urllib3 import HTTPSConnectionPool

from tests.hostile import (
    ENOUGH,
    Peer,
    Script,
    Server,
    answers,
    bare,
    certificate,
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
    QuotaExceeded,
    TokenRejected,
    TransportError,
    WindowClosed,
    WxError,
    open_pool,
    wire,
)
from wxcs_lite.pools import Pool

Opened = AbstractContextManager[Pool]


class Stage(NamedTuple):
    """Where it fails, what is raised, whether it may have been sent, and how to get a pool on which it does so."""

    name: str
    error: type[WxError]
    maybe_sent: bool
    open: Callable[[pytest.MonkeyPatch], Opened]
    size: int = 10  # characters of the message


@dataclass(frozen=True)
class Scripted:
    """Opens a pool, by default urllib3's own, to a server that follows scripts."""

    scripts: tuple[Script, ...]
    tls: bool
    settings: dict[str, Any]
    open_it: Callable[..., Opened] = Server.pool

    def __call__(self, _: pytest.MonkeyPatch) -> Opened:
        return self.opened()

    @contextmanager
    def opened(self) -> Iterator[Pool]:
        settings = {"read_timeout": ENOUGH, **self.settings}
        with Server(*self.scripts, tls=self.tls) as server, self.open_it(server, **settings) as pool:
            yield pool


def scripted(*scripts: Script, tls: bool = False, **settings: Any) -> Scripted:
    return Scripted(scripts, tls, settings)


@contextmanager
def no_such_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    def lookup(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with open_pool("https://made-up.invalid") as pool:
        yield pool


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port on which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def refused(_: pytest.MonkeyPatch) -> Iterator[Pool]:
    with closed_port() as port, open_pool(f"http://127.0.0.1:{port}") as pool:
        yield pool


@contextmanager
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    def connect(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with open_pool("http://127.0.0.1:9") as pool:
        yield pool


@contextmanager
def proxy_refused(_: pytest.MonkeyPatch) -> Iterator[Pool]:
    with closed_port() as port, open_pool("https://localhost:9", proxy=f"http://127.0.0.1:{port}") as pool:
        yield pool


def through_proxy(script: Script) -> Callable[[pytest.MonkeyPatch], Opened]:
    @contextmanager
    def opened(_: pytest.MonkeyPatch) -> Iterator[Pool]:
        context = urllib3.util.create_urllib3_context()
        context.load_verify_locations(cadata=certificate().pem)
        with Server(script) as server, urllib3.ProxyManager(server.url, ssl_context=context) as manager:
            yield manager.connection_from_url("https://localhost:9")

    return opened


def established(then: Script) -> Script:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(bare("HTTP/1.1 200 Connection established"))
        then(peer)

    return script


def tls_then(then: Script) -> Script:
    def script(peer: Peer) -> None:
        peer.start_tls()
        then(peer)

    return script


@contextmanager
def forward_proxy(_: pytest.MonkeyPatch) -> Iterator[Pool]:
    with Server(cut_after_request) as server, urllib3.ProxyManager(server.url) as manager:
        yield manager.connection_from_url("http://made-up.invalid")


@contextmanager
def self_signed(_: pytest.MonkeyPatch) -> Iterator[Pool]:
    with Server(answers(reply()), tls=True) as server, open_pool(server.url) as pool:
        yield pool


def plain_behind_https(script: Script) -> Callable[[pytest.MonkeyPatch], Opened]:
    @contextmanager
    def opened(_: pytest.MonkeyPatch) -> Iterator[Pool]:
        with Server(script) as server, HTTPSConnectionPool("127.0.0.1", server.port, block=True, timeout=0.1) as pool:
            yield pool

    return opened


@contextmanager
def exhausted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setattr(wire, "_POOL_TIMEOUT", 0.01)
    with Server(answers(reply())) as server, server.pool() as pool:
        taken = pool.urlopen("GET", "/", preload_content=False)
        yield pool
        taken.close()
        taken.release_conn()


@contextmanager
def closed(_: pytest.MonkeyPatch) -> Iterator[Pool]:
    pool = open_pool("http://127.0.0.1:9")
    pool.close()
    yield pool


def cut_handshake(peer: Peer) -> None:
    peer.sock.recv(10)


def cut_at_first_byte(peer: Peer) -> None:
    """Cut once something has come: a reset that overtakes the end of `connect` is a connection that was never made."""
    peer.sock.recv(1)
    peer.reset()


def errcode(number: int) -> Scripted:
    return scripted(answers(reply(b'{"errcode":%d,"errmsg":"made up"}' % number)))


def status(line: str, *headers: str) -> Scripted:
    return scripted(answers(reply(b"", line, *headers)))


LONG = 3_000_000

STAGES = [
    Stage("no such host", TransportError, False, no_such_host),
    Stage("refused", TransportError, False, refused),
    Stage("unreachable", TransportError, False, unreachable),
    Stage("proxy refused", TransportError, False, proxy_refused),
    Stage("proxy wants a login", TransportError, False, through_proxy(once(reply(b"", "407 Login, please")))),
    Stage("proxy cut before it is established", TransportError, False, through_proxy(cut_after_request)),
    Stage("proxy cut before the handshake", TransportError, False, through_proxy(established(cut_handshake))),
    Stage("proxy cut before the request", TransportError, True, through_proxy(established(tls_then(cut_at_once)))),
    Stage("proxy cut after the request", TransportError, True, through_proxy(established(tls_then(cut_after_request)))),
    Stage("forward proxy cut after the request", TransportError, True, forward_proxy),
    Stage("handshake stalled", TransportError, False, plain_behind_https(stall)),
    Stage("handshake cut", TransportError, False, plain_behind_https(cut_handshake)),
    Stage("no TLS at all", TransportError, False, plain_behind_https(once(reply()))),
    Stage("self-signed certificate", TransportError, False, self_signed),
    Stage(
        "certificate of another host",
        TransportError,
        False,
        scripted(answers(reply()), tls=True, server_hostname="other.invalid"),
    ),
    Stage("cut at the first byte", TransportError, True, scripted(cut_at_first_byte)),
    Stage("cut during the request", TransportError, True, scripted(cut_during_request), LONG),
    Stage("cut after the request", TransportError, True, scripted(cut_after_request)),
    Stage("cut after the request, TLS", TransportError, True, scripted(cut_after_request, tls=True)),
    Stage("cut in the status line", TransportError, True, scripted(once(b"HTTP/1.1 20"))),
    Stage("cut in the headers", BadReply, True, scripted(once(b"HTTP/1.1 200 OK\r\nContent-Le"))),
    Stage("cut in the body", TransportError, True, scripted(once(reply(length=99)))),
    Stage(
        "cut in a chunk",
        TransportError,
        True,
        scripted(once(bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"9\r\n{"))),
    ),
    Stage("no answer", TransportError, True, scripted(stall, read_timeout=0.1)),
    Stage("answer stalled", TransportError, True, scripted(then_stall(reply(length=99)), read_timeout=0.1)),
    Stage("dripping", TransportError, True, scripted(drip(reply(b"{", length=10**6), b" ", 0.01), read_timeout=0.05)),
    Stage("garbage", TransportError, True, scripted(once(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"))),
    Stage(
        "two lengths",
        TransportError,
        True,
        scripted(once(bare("HTTP/1.1 200 OK", "Content-Length: 27", "Content-Length: 5", body=b"{}"))),
    ),
    Stage("HTTP 302", BadReply, True, status("302 Found", "Location: http://127.0.0.1:9/elsewhere")),
    Stage("HTTP 404", BadReply, False, status("404 Not Found")),
    Stage("HTTP 412", BadReply, False, status("412 Precondition Failed")),
    Stage("HTTP 502", BadReply, True, status("502 Bad Gateway")),
    Stage("HTTP 503, try later", BadReply, True, status("503 Service Unavailable", "Retry-After: 0")),
    Stage("a web page", BadReply, True, scripted(answers(reply(b"<html>login</html>")))),
    Stage("somebody else's JSON", BadReply, True, scripted(answers(reply(b'{"login":"https://hotel.example/"}')))),
    Stage("JSON that is no object", BadReply, True, scripted(answers(reply(b'[{"errcode":0}]')))),
    Stage("empty", BadReply, True, scripted(answers(reply(b"")))),
    Stage("compressed", BadReply, True, scripted(answers(reply(b"x", "200 OK", "Content-Encoding: gzip")))),
    Stage("too large", BadReply, True, scripted(answers(reply(b" " * (2**20 + 1))))),
    Stage("errcode -1", ApiError, True, errcode(-1)),
    Stage("errcode 4", ApiError, True, errcode(4)),
    Stage("errcode 45047", WindowClosed, False, errcode(45047)),
    Stage("errcode 45009", QuotaExceeded, False, errcode(45009)),
    Stage("errcode 40001", TokenRejected, False, errcode(40001)),
    Stage("pool exhausted", TransportError, False, exhausted),
    Stage("pool closed", TransportError, False, closed),
]

# The same through a pool of `open_pool`, which reads replies strictly: half a head is not a reply.
STAGES += [
    stage._replace(
        name=f"{stage.name}, open_pool",
        open=replace(stage.open, open_it=Server.open),
        error=TransportError if stage.name == "cut in the headers" else stage.error,
    )
    for stage in STAGES
    if isinstance(stage.open, Scripted)
]


def named(stage: Stage) -> str:
    return stage.name
