"""The sandbox over real HTTP on 127.0.0.1, one thread for each connection."""

import os
import socket
import socketserver
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

from wxcs_lite.sandbox.http.http11 import Conversation

__all__ = ["serving"]

_IDLE = 60.0  # seconds of silence after which a peer is taken for dead
_LINGER = 1.0  # seconds in which a peer may still read the reply after which we close
_CONNECTIONS = 256  # more are closed at once; each holds one body at a time, of MAX_BODY at most


class _PeerGoneError(Exception):
    """The peer has closed, reset or left the connection."""


@contextmanager
def _talking() -> Iterator[None]:
    # Around the socket alone: an OSError of `on_request`, whose log file cannot be written, is none of the peer's.
    try:
        yield
    except OSError as error:
        raise _PeerGoneError from error


@contextmanager
def serving(converse: Callable[[], Conversation], port: int = 0) -> Iterator[str]:
    """Serve for the length of the block, and give the URL; on leaving it all threads end and all sockets close."""
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, not {port!r}")
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.converse = converse
        loop = Thread(target=server.serve_forever, args=(0.02,), name="wxcs_lite sandbox", daemon=True)
        loop.start()
        process = os.getpid()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            if os.getpid() == process:  # the child of a fork has no thread that could be stopped, and serves nobody
                server.stopping.set()
                server.shutdown()
                loop.join()
                server.hang_up()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    converse: Callable[[], Conversation]

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        self.stopping = Event()
        self.talking: dict[Thread, socket.socket] = {}
        super().__init__(address, handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        self.talking = {thread: connection for thread, connection in self.talking.items() if thread.is_alive()}
        return len(self.talking) < _CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:
        # As the mixin does, but with the threads at hand: it loses sight of those that are daemons.
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        thread.start()
        self.talking[thread] = request

    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong on our side, in `on_request` as a rule; a peer that is gone is nothing to speak of.

        The connection closes, and the next one finds the sandbox as it was.
        """
        if not isinstance(sys.exception(), _PeerGoneError):
            traceback.print_exc()

    def hang_up(self) -> None:
        for thread, connection in self.talking.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(1)


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket
    server: _Server

    def setup(self) -> None:
        with _talking():
            self.request.settimeout(_IDLE)
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        conversation = self.server.converse()
        while data := self._receive():
            for outcome in conversation.feed(data):
                if outcome.slow:
                    self.server.stopping.wait(outcome.slow)
                with _talking():
                    self.request.sendall(outcome.data)
                if outcome.close:
                    self._let_read()
                    return

    def _receive(self) -> bytes:
        with _talking():
            return self.request.recv(2**18)

    def _let_read(self) -> None:
        # Closing while the peer still writes would reset the connection and take the reply with it.
        with _talking():
            self.request.shutdown(socket.SHUT_WR)
            self.request.settimeout(_LINGER)
        end = monotonic() + _LINGER
        while self._receive() and monotonic() < end:
            pass
