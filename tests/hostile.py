"""A TCP server that follows scripts: it answers, echoes, cuts, drips or says nothing.

A script is a function that gets a `Peer`, one for each accepted connection; the last script serves all that follow.
"""

import datetime
import functools
import ipaddress
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Timeout

from wxcs_lite import open_pool
from wxcs_lite.pools import Pool

OK = b'{"errcode":0,"errmsg":"ok"}'
ENOUGH = 5  # seconds after which a test server gives up, so that a failing test ends


class Heard(NamedTuple):
    """A request as it came off the wire."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.start.split(" ")[1]


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: "Server", sock: socket.socket) -> None:
        self.server, self.sock, self._read = server, sock, b""

    def read_head(self) -> tuple[str, dict[str, str]] | None:
        """Read up to the empty line; None at the end of the connection."""
        while b"\r\n\r\n" not in self._read:
            if not (more := self.sock.recv(65536)):
                return None
            self._read += more
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        return start, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def read_body(self, size: int) -> bytes:
        while len(self._read) < size:
            if not (more := self.sock.recv(65536)):
                break
            self._read += more
        body, self._read = self._read[:size], self._read[size:]
        return body

    def read(self) -> Heard | None:
        """Read a whole request and note it; None at the end of the connection."""
        head = self.read_head()
        if head is None:
            return None
        heard = Heard(*head, self.read_body(int(head[1].get("content-length", 0))))
        self.server.heard.append(heard)
        return heard

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Cut the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def stall(self) -> None:
        """Say nothing until the other side gives up."""
        with suppress(OSError):
            while not self.server.stopped.is_set() and self.sock.recv(65536):
                pass

    def start_tls(self) -> None:
        self.sock = certificate().server.wrap_socket(self.sock, server_side=True)


Script = Callable[[Peer], object]


class Server:
    """Runs scripts on a free port of 127.0.0.1; `heard` holds the requests, `connections` counts."""

    def __init__(self, *scripts: Script, tls: bool = False, receive_buffer: int | None = None) -> None:
        self.scripts, self.tls = scripts, tls
        self.heard: list[Heard] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listening = socket.socket()
        if receive_buffer is not None:
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(128)
        self.port: int = self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' * self.tls}://127.0.0.1:{self.port}"

    @property
    def last(self) -> Heard:
        return self.heard[-1]

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(ENOUGH)
        self._listening.close()

    def _run(self, target: Callable[[], object]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self.stopped.is_set():
                sock, _ = self._listening.accept()
                script = self.scripts[min(self.connections, len(self.scripts) - 1)]
                self.connections += 1
                self._run(functools.partial(self._serve, script, sock))

    def _serve(self, script: Script, sock: socket.socket) -> None:
        sock.settimeout(ENOUGH)
        peer = Peer(self, sock)
        try:
            with suppress(OSError):
                if self.tls:
                    peer.start_tls()
                script(peer)
        finally:
            peer.sock.close()

    @contextmanager
    def pool(
        self, *, maxsize: int = 1, connect_timeout: float = 3, read_timeout: float = 3, **settings: object
    ) -> Iterator[HTTPConnectionPool]:
        """Yield a pool with one place, unless given otherwise, that trusts the throw-away certificate."""
        settings = {
            "maxsize": maxsize,
            "block": True,
            "timeout": Timeout(connect=connect_timeout, read=read_timeout),
            **settings,
        }
        if self.tls:
            settings.setdefault("ca_cert_data", certificate().pem)
        kind = HTTPSConnectionPool if self.tls else HTTPConnectionPool
        with kind("127.0.0.1", self.port, **settings) as pool:  # type: ignore[arg-type]
            yield pool

    @contextmanager
    def open(
        self, *, maxsize: int = 1, read_timeout: float = 3, total_timeout: float | None = None, **connection: object
    ) -> Iterator[Pool]:
        """Yield the same pool, as `open_pool` makes it."""
        with open_pool(self.url, maxsize=maxsize, read_timeout=read_timeout, total_timeout=total_timeout) as pool:
            pool.conn_kw.update(connection, **({"ca_cert_data": certificate().pem} if self.tls else {}))
            yield pool


# Both kinds of pool that a call may get, by name.
Open = Callable[..., AbstractContextManager[Pool]]
POOLS: dict[str, Open] = {"open_pool": Server.open, "urllib3": Server.pool}


def reply(body: bytes = OK, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """Return a reply with a Content-Length, true unless given, and the headers given."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def bare(*lines: str, body: bytes = b"") -> bytes:
    """Return a reply of exactly these lines."""
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(*replies: bytes | Callable[[Heard], bytes]) -> Script:
    """Return a script that answers request after request on one connection, the last reply for all that follow."""

    def script(peer: Peer) -> None:
        at = 0
        while heard := peer.read():
            told = replies[min(at, len(replies) - 1)]
            peer.send(told if isinstance(told, bytes) else told(heard))
            at += 1

    return script


def once(data: bytes | Callable[[Heard], bytes]) -> Script:
    """Return a script that answers one request and closes the connection."""

    def script(peer: Peer) -> None:
        if heard := peer.read():
            peer.send(data if isinstance(data, bytes) else data(heard))

    return script


def stall(peer: Peer) -> None:
    peer.stall()


def cut_after_request(peer: Peer) -> None:
    peer.read()


def cut_at_once(peer: Peer) -> None:
    """Cut at the first byte: before it, a slow client could see its connection refused instead."""
    peer.sock.recv(1)
    peer.reset()


def cut_during_request(peer: Peer) -> None:
    peer.read_head()
    peer.reset()


def then_stall(data: bytes) -> Script:
    """Return a script that answers one request and then says nothing more."""

    def script(peer: Peer) -> None:
        once(data)(peer)
        peer.stall()

    return script


def drip(start: bytes, piece: bytes, pause: float, end: bytes | None = None) -> Script:
    """Return a script that answers a start, then piece after piece: for ever, or for some seconds, then an `end`."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(start)
        begun = time.monotonic()
        while not peer.server.stopped.wait(pause) and (end is None or time.monotonic() - begun < ENOUGH):
            peer.send(piece)
        peer.send(end or b"")

    return script


class Certificate(NamedTuple):
    server: ssl.SSLContext
    pem: str


@functools.cache
def certificate() -> Certificate:
    """Return a throw-away certificate for 127.0.0.1 and localhost, made on first use."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "throw-away")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "both.pem")
        file.write_bytes(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(file)
    return Certificate(context, pem.decode())
