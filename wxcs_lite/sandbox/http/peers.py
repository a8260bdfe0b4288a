"""Who is at the door, how long each has kept it waiting, and who has to go when there is no room for another.

Connections and the bytes of half-sent requests are bounded. Nobody is turned away for it: a newcomer waits until one
of those who keep the door waiting is cut, those first who never sent a whole request, the longest waits among them
first. Everyone has a second before that can happen to them, so that nobody is cut who is only being quick; what the
door makes them wait counts for nothing.
"""

import socket
from contextlib import suppress
from math import inf
from selectors import EVENT_READ, DefaultSelector
from threading import Condition, Thread
from time import monotonic

__all__ = ["Peer", "PeerGoneError", "Peers"]

SMALL = 2**16  # bytes of a request for which there always is room: no message is larger
PACE = 2**18  # bytes a second; who sends a request that fast does not keep the door waiting
GRACE = 1.0  # seconds that a peer may keep the door waiting though another waits for its place
_GLANCE = 0.05  # seconds between two looks at who could go


class PeerGoneError(Exception):
    """The peer has closed, reset or left the connection, or was cut."""


class Peer:
    """One connection. The door waits for it since `since`, which is infinite while it waits for the door."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.since = monotonic()
        self.began = inf  # when the request of which some bytes are held
        self.held = 0  # bytes of a request that is not whole, or not answered yet
        self.served = False
        self.cut = False
        self.thread: Thread | None = None

    def hang_up(self) -> None:
        self.cut = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def has_written(self) -> bool:
        """Tell whether something has come in that was not read yet: then it waits for the door."""
        try:
            with DefaultSelector() as selector:
                selector.register(self.connection, EVENT_READ)
                return bool(selector.select(0))
        except ValueError:  # it is closed already, and about to leave
            return True


class Peers:
    """All who are connected, at most `room` of them, whose half-sent requests take `bytes` at most."""

    def __init__(self, room: int, bytes: int) -> None:
        self._room = room
        self._bytes = bytes
        self._all: dict[socket.socket, Peer] = {}
        self._changed = Condition()
        self._closing = False

    def __getitem__(self, connection: socket.socket) -> Peer:
        return self._all[connection]

    def enter(self, connection: socket.socket) -> Peer:
        """Let a connection in, when there is room; raise PeerGoneError if the door closes before."""
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
        """Begin to work on `size` more bytes of a peer, when there is room; raise PeerGoneError if it was cut.

        Returns the seconds that the door has waited for this request so far, beyond what its bytes may take.
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
        """Wait for a peer again, of whose request `held` bytes are there."""
        with self._changed:
            if peer.held > SMALL >= held:
                self._changed.notify_all()
            peer.held, peer.since = held, monotonic() - waited

    def _has_room(self, peer: Peer) -> bool:
        large = self._large()
        return peer not in large or sum(it.held for it in large) <= self._bytes or peer is large[0]

    def _large(self) -> list[Peer]:
        """Return those who hold much, the oldest request first; it always has room, so that each comes to its end."""
        return sorted((peer for peer in self._all.values() if peer.held > SMALL), key=lambda peer: peer.began)

    def _cut_one(self, candidates: list[Peer]) -> None:
        """Cut the one who has to go first, and wait a moment; who was cut already goes before another is."""
        if not any(peer.cut for peer in candidates):
            late = monotonic() - GRACE
            waited_for = sorted((peer.served, peer.since, id(peer), peer) for peer in candidates if peer.since < late)
            first = next((peer for *_, peer in waited_for if not peer.has_written()), None)
            if first is not None:
                first.hang_up()
        self._changed.wait(_GLANCE)

    def close(self) -> None:
        """Hang up on everybody, and let nobody in any more."""
        with self._changed:
            self._closing = True
            for peer in self._all.values():
                peer.hang_up()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until everybody has gone, for a second each at most."""
        with self._changed:
            threads = [peer.thread for peer in self._all.values() if peer.thread is not None]
        for thread in threads:
            thread.join(1)
