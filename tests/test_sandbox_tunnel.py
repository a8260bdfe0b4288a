"""A tunnel without sockets: what it holds, and what it says while nobody asks it anything."""

import ssl
from pathlib import Path

import pytest

from wxcs_lite.sandbox.door.certificates import certify
from wxcs_lite.sandbox.door.tunnel import Tunnel
from wxcs_lite.sandbox.http.http11 import Conversation
from wxcs_lite.sandbox.http.values import Answer, Reply, Request

HOST = "api.weixin.qq.com"
ASKED = b"GET / HTTP/1.1\r\n\r\n"


class Peer:
    """The other end of it."""

    def __init__(self, tunnel: Tunnel, folder: Path) -> None:
        self._arrived, self._leaving, self._tunnel = ssl.MemoryBIO(), ssl.MemoryBIO(), tunnel
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self.tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=HOST)

    def send(self, size: int = -1) -> list[tuple[bool, bool, float]]:
        """Bring all of our bytes, or some of them, to the tunnel, and return how each of its outcomes is marked."""
        outcomes = list(self._tunnel.feed(self._leaving.read(size)))
        for outcome in outcomes:
            self._arrived.write(outcome.data)
        return [(outcome.close, outcome.ends, outcome.slow) for outcome in outcomes]

    def shake_hands(self) -> None:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        assert [] == self.send(100)
        assert 100 == self._tunnel.held
        assert [(False, False, 0)] == self.send()
        assert 100 < self._tunnel.held
        self.tls.do_handshake()
        assert [(False, False, 0)] == self.send()


@pytest.fixture
def size() -> int:
    return 5


@pytest.fixture
def peer(tmp_path: Path, size: int) -> Peer:
    def answer(request: Request) -> Answer:
        return Answer(Reply(200, (), bytes(size)), 3.0)

    return Peer(Tunnel(certify(HOST, tmp_path), Conversation(answer)), tmp_path)


def test_what_is_half_said_is_held(peer: Peer) -> None:
    """The handshake until it is through, then each record until it is whole, and each request."""
    tunnel = peer._tunnel
    peer.shake_hands()
    assert 0 == tunnel.held
    peer.tls.write(ASKED[:9])
    peer.send(20)
    assert 20 == tunnel.held
    peer.send()
    assert 9 == tunnel.held
    peer.tls.write(ASKED[9:])
    assert [(False, True, 3)] == peer.send()
    assert 0 == tunnel.held


@pytest.mark.parametrize("size", [200_000])
def test_a_large_reply_is_encrypted_piece_by_piece(peer: Peer, size: int) -> None:
    """It waits once, and ends once."""
    peer.shake_hands()
    peer.tls.write(ASKED)
    assert [(False, False, 3), *[(False, False, 0)] * 3, (False, True, 0)] == peer.send()
