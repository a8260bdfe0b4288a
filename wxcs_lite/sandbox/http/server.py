"""The sandbox over real HTTP on 127.0.0.1, one thread for each connection."""

import os
import socket
import socketserver
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Event, Thread
from time import monotonic
from typing import Any, Protocol

from wxcs_lite.sandbox.http.peers import SMALL, Peer, PeerGoneError, Peers
from wxcs_lite.sandbox.http.values import Outcome

__all__ = ["Talk", "serving"]

_PATIENCE = 60.0  # seconds each to begin a request, to send all of it, and to read the whole reply
_LINGER = 1.0  # seconds that a peer has to read the last reply before we close
_CONNECTIONS = 256
_HELD = 4 * 2**20  # bytes of all large unfinished requests together, without the oldest, which has no limit
_PIECE = 2**14  # bytes to read at once; four times as many for a large request


class Talk(Protocol):
    """One connection without any I/O: a `Conversation`, or one that begins in another way."""

    @property
    def held(self) -> int:
        """Bytes of a request that is not whole yet, or not answered."""

    def feed(self, data: bytes) -> Iterator[Outcome]:
        """Say what has to be done now that these bytes have come."""

    def close(self) -> None:
        """Let go of what is half said."""


@contextmanager
def _talking() -> Iterator[None]:
    # Around the socket only: an OSError in `on_request`, such as a full disk, is not the peer's fault.
    try:
        yield
    except OSError as error:
        raise PeerGoneError from error


@contextmanager
def serving(converse: Callable[[], Talk], port: int = 0) -> Iterator[str]:
    """Serve during the block, which gets the URL; on leaving it, all threads end and all sockets close."""
    with _open(port) as server:
        server.converse = converse
        loop = Thread(target=server.serve_forever, args=(0.02,), name="wxcs_lite sandbox", daemon=True)
        loop.start()
        process = os.getpid()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            if os.getpid() == process:  # the child of a fork has no threads to stop
                server.stopping.set()
                server.peers.close()
                server.shutdown()
                loop.join()
                server.peers.join()


def _open(port: int) -> "_Server":
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, not {port!r}")
    try:
        return _Server(("127.0.0.1", port), _Handler)
    except OSError as error:
        advice = "choose another, or 0 for a free one"
        raise OSError(error.errno, f"port {port} cannot be opened on 127.0.0.1: {error.strerror}; {advice}") from None


class _Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    converse: Callable[[], Talk]

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        self.stopping = Event()
        self.peers = Peers(_CONNECTIONS, _HELD)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Admit a connection and serve it in a thread; an error here closes it, and the loop goes on."""
        peer = self.peers.enter(request)
        peer.thread = Thread(target=self._attend, args=(peer, client_address), daemon=True)
        try:
            peer.thread.start()
        except BaseException:
            self.peers.leave(peer)
            raise

    def _attend(self, peer: Peer, client_address: Any) -> None:
        try:
            self.finish_request(peer.connection, client_address)
        except Exception:
            self.handle_error(peer.connection, client_address)
        finally:
            self.shutdown_request(peer.connection)
            self.peers.leave(peer)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print an error of our side, usually from `on_request`; a peer that has gone is not an error.

        The connection closes, and the sandbox stays as it was.
        """
        if not isinstance(sys.exception(), PeerGoneError):
            traceback.print_exc()


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket
    server: _Server

    def setup(self) -> None:
        self.peer = self.server.peers[self.request]
        self.conversation = self.server.converse()
        with _talking():
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        peer, conversation = self.peer, self.conversation
        while data := self._receive():
            waited = self.server.peers.work(peer, len(data))
            for outcome in conversation.feed(data):
                if outcome.slow:
                    peer.since = inf
                    self.server.stopping.wait(outcome.slow)
                self._send(outcome)
                if outcome.close:
                    self._let_read()
                    return
                if outcome.ends:
                    peer.served, waited = True, 0.0
            self.server.peers.rest(peer, conversation.held, waited)

    def finish(self) -> None:
        self.conversation.close()

    def _send(self, outcome: Outcome) -> None:
        self.peer.since = min(self.peer.since, monotonic())  # we wait for it to read the whole reply
        with _talking():
            self.request.settimeout(max(0.001, self.peer.since + _PATIENCE - monotonic()))
            self.request.sendall(outcome.data)
        if outcome.ends:
            self.peer.since = inf

    def _receive(self) -> bytes:
        with _talking():
            self.request.settimeout(max(0.001, self.peer.since + _PATIENCE - monotonic()))
            return self.request.recv(_PIECE if self.peer.held <= SMALL else 4 * _PIECE)

    def _let_read(self) -> None:
        # Closing while the peer still writes would reset the connection and lose the reply.
        end = monotonic() + _LINGER
        with _talking():
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(_LINGER)
            while self.request.recv(_PIECE) and monotonic() < end:
                pass
