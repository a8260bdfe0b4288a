"""A server that gives each call its own answer, unless it has instructions for the call of that name."""

import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from tests.attack.calls import name_of, true_body
from tests.hostile import Heard, Peer, Server, reply
from wxcs_lite import open_pool
from wxcs_lite.pools import Pool

__all__ = ["POOLS", "Act", "Acting", "drips", "says", "waits"]

_WAIT = 0.06  # seconds within which a client that goes on too early does so
_DRIPPING = 6.0  # seconds after which a drip ends, so that an unbounded call is known by the time it takes

# Handles one request, given the true body of its answer and the event to set before a wait that only the client ends;
# False closes the connection.
Act = Callable[[Peer, bytes, threading.Event], bool]


class Acting:
    """Counts its calls by name, and answers; `acts` holds what to do instead, once, by the name of the call."""

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.heard: Counter[str] = Counter()
        self.settled: dict[str, threading.Event] = {}
        self.server = Server(self._converse)
        self._peers: list[Peer] = []

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers:  # a client that was interrupted may have left its end open
            with suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        self.server.__exit__()

    def tell(self, name: str, act: Act) -> threading.Event:
        """Note an act, and return the event that is set when all of it is on its way."""
        self.settled[name] = settled = threading.Event()
        self.acts[name] = act
        return settled

    def _converse(self, peer: Peer) -> None:
        self._peers.append(peer)
        while head := peer.read_head():
            if head[0].count(" ") != 2:
                return  # of two processes that write to one connection comes no request
            heard = Heard(*head, peer.read_body(int(head[1].get("content-length", 0))))
            name = name_of(heard)
            self.heard[name] += 1
            body = true_body(heard.target.partition("?")[0], name)
            act = self.acts.pop(name, None)
            if act is None:
                peer.send(reply(body))
                continue
            settled = self.settled.pop(name)
            try:
                if not act(peer, body, settled):
                    with suppress(OSError):
                        peer.sock.shutdown(socket.SHUT_RDWR)
                    return
            finally:
                settled.set()


def waits(peer: Peer) -> None:
    """Wait until the client speaks again, which it should not yet do, or for a moment."""
    select.select([peer.sock], [], [], _WAIT)


def drips(peer: Peer, piece: bytes, every: float) -> None:
    """Send the piece again and again until the client has gone."""
    end = time.monotonic() + _DRIPPING
    with suppress(OSError):
        while time.monotonic() < end and not peer.server.stopped.wait(every):
            peer.send(piece)


def says(data: bytes, *, close: bool = False) -> Act:
    def act(peer: Peer, body: bytes, settled: threading.Event) -> bool:
        peer.send(data)
        return not close

    return act


@contextmanager
def _own(server: Server, read_timeout: float) -> Iterator[Pool]:
    with open_pool(server.url, maxsize=1, read_timeout=read_timeout) as pool:
        yield pool


@contextmanager
def _plain(server: Server, read_timeout: float) -> Iterator[Pool]:
    with server.pool(read_timeout=read_timeout) as pool:
        yield pool


POOLS = {"open_pool": _own, "urllib3": _plain}
