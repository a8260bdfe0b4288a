"""Which peers are connected, how long each has kept the server waiting, and which is cut when there is no room.

Connections and the bytes of unfinished requests are bounded. No newcomer is refused: it waits until a peer that keeps
the server waiting is cut, first those that never sent a whole request, and among these the one that has kept it waiting
longest. Every peer has a second before it can be cut, so that a busy one is not; time that it waits for the server does
not count.
"""

import socket
from contextlib import suppress
from math import inf
from selectors import EVENT_READ, DefaultSelector
from threading import Condition, Thread
from time import monotonic

__all__ = ["Peer", "PeerGoneError", "Peers"]

SMALL = 2**16  # bytes of a request for which there is always room; no message is larger
PACE = 2**18  # bytes a second; a peer that sends a request this fast does not keep the server waiting
GRACE = 1.0  # seconds that a peer may keep the server waiting while another waits for its place
_GLANCE = 0.05  # seconds between two checks of which peer can be cut


class PeerGoneError(Exception):
    """The peer has closed, reset or left the connection, or was cut."""


class Peer:
    """One connection; the server waits for it since `since`, which is infinite while it waits for the server."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.since = monotonic()
        self.began = inf  # when the request began that is being received
        self.held = 0  # bytes of a request that is not complete, or not answered yet
        self.served = False
        self.cut = False
        self.thread: Thread | None = None

    def hang_up(self) -> None:
        self.cut = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def has_written(self) -> bool:
        """Return whether bytes have arrived that were not read yet, so that it waits for the server."""
        try:
            with DefaultSelector() as selector:
                selector.register(self.connection, EVENT_READ)
                return bool(selector.select(0))
        except ValueError:  # closed already, and about to leave
            return True


class Peers:
    """The connected peers, `room` at most, whose unfinished requests take `bytes` at most."""

    def __init__(self, room: int, bytes: int) -> None:
        self._room = room
        self._bytes = bytes
        self._all: dict[socket.socket, Peer] = {}
        self._changed = Condition()
        self._closing = False

    def __getitem__(self, connection: socket.socket) -> Peer:
        return self._all[connection]

    def enter(self, connection: socket.socket) -> Peer:
        """Admit a connection once there is room; raise PeerGoneError if the server closes first."""
        with self._changed:
            while len(self._all) >= self._room and not self._closing:
                self._cut_one([*self._all.values()])
            if self._closing:
                raise PeerGoneError
            self._all[connection] = peer = Peer(connection)
            return peer

    def leave(self, peer: Peer) -> None:
        with self._changed:
            del self._all[peer.connection]
            self._changed.notify_all()

    def work(self, peer: Peer, size: int) -> float:
        """Begin to work on `size` more bytes of a peer once there is room; raise PeerGoneError if it was cut.

        Returns the seconds that the server has waited for this request so far, beyond what its bytes may take.
        """
        with self._changed:
            if not peer.held:
                peer.since = peer.began = monotonic()
            waited = max(0.0, monotonic() - peer.since - size / PACE)
            peer.since, peer.held = inf, peer.held + size
            while not peer.cut and not self._has_room(peer):
                self._cut_one(self._large())
            if peer.cut:
                raise PeerGoneError
            return waited

    def rest(self, peer: Peer, held: int, waited: float) -> None:
        """Wait for a peer again, with `held` bytes of its request received."""
        with self._changed:
            if peer.held > SMALL >= held:
                self._changed.notify_all()
            peer.held, peer.since = held, monotonic() - waited

    def _has_room(self, peer: Peer) -> bool:
        large = self._large()
        return peer not in large or sum(it.held for it in large) <= self._bytes or peer is large[0]

    def _large(self) -> list[Peer]:
        """Return the peers with large requests, the oldest first; that one always has room, so all finish in turn."""
        return sorted((peer for peer in self._all.values() if peer.held > SMALL), key=lambda peer: peer.began)

    def _cut_one(self, candidates: list[Peer]) -> None:
        """Cut the first peer in order, and wait a moment; nobody else is cut until it has left."""
        if not any(peer.cut for peer in candidates):
            late = monotonic() - GRACE
            waited_for = sorted((peer.served, peer.since, id(peer), peer) for peer in candidates if peer.since < late)
            first = next((peer for *_, peer in waited_for if not peer.has_written()), None)
            if first is not None:
                first.hang_up()
        self._changed.wait(_GLANCE)

    def close(self) -> None:
        """Disconnect all peers and admit no more."""
        with self._changed:
            self._closing = True
            for peer in self._all.values():
                peer.hang_up()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until all peers have gone, a second each at most."""
        with self._changed:
            threads = [peer.thread for peer in self._all.values() if peer.thread is not None]
        for thread in threads:
            thread.join(1)
