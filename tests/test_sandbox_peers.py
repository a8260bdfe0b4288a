"""The door under attack: silent, slow and greedy peers are cut in favour of others, and memory stays bounded."""

import re
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests import test_main
from wxcs_lite import download, fetch_token, open_pool, send, text, upload
from wxcs_lite.sandbox import sunset
from wxcs_lite.sandbox.http.peers import PACE, SMALL, PeerGoneError, Peers

SECRET = "sandbox-secret-of-no-real-account"
HALF = b"POST /cgi-bin/media/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 31457280\r\n\r\n"
CUSTOMERS = [f"ann{number}" for number in range(10)]
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")


@contextmanager
def served(*more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a sandbox in a process of its own, so that its memory can be measured separately."""
    with test_main.served(*(f"--customer={name}" for name in CUSTOMERS), *more) as running:
        yield running


def peak_of(process: subprocess.Popen[str]) -> float:
    """Return the most memory that a process ever had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)


class Attack:
    """Peers that write the given bytes, as fast as they may, until they are cut or `stopped` is set."""

    def __init__(self, stack: ExitStack, url: str) -> None:
        self._url = url
        self._stack = stack
        self._stopped = threading.Event()
        self.sent = 0
        stack.callback(self._stopped.set)

    def connect(self, count: int, first: bytes = b"") -> list[socket.socket]:
        peers = [self._stack.enter_context(connect(self._url)) for _ in range(count)]
        for peer in peers:
            peer.sendall(first)
        return peers

    def write(self, peers: list[socket.socket], piece: bytes, total: int, pause: float = 0) -> None:
        """Write piece after piece to each, from a thread of its own."""
        thread = threading.Thread(target=self._write, args=(peers, piece, total, pause))
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._stopped.set)

    def _write(self, peers: list[socket.socket], piece: bytes, total: int, pause: float) -> None:
        left = dict.fromkeys(peers, total)
        with selectors.DefaultSelector() as selector:
            for each in peers:
                each.setblocking(False)
                selector.register(each, selectors.EVENT_WRITE, each)
            while left and not self._stopped.wait(pause):
                for key, _ in selector.select(0.1):
                    peer = key.data
                    try:
                        written = peer.send(piece[: left[peer]])
                    except BlockingIOError:
                        continue
                    except OSError:  # it was cut
                        written = left[peer]
                    else:
                        self.sent += written
                    left[peer] -= written
                    if not left[peer]:
                        selector.unregister(peer)
                        del left[peer]


@linux
def test_a_crowd_of_attackers_locks_nobody_out() -> None:
    """300 silent peers, 200 with half a body of 30 MB, 50 that drip: others are served, in less than 100 MB."""
    with served() as (process, url), ExitStack() as stack:
        pool = stack.enter_context(closing(open_pool(url, read_timeout=60)))
        token = fetch_token(pool, "wxsandbox000000001", SECRET)
        attack = Attack(stack, url)
        attack.connect(300)
        attack.write(attack.connect(50, b"GET / HTTP/1.1\r\n"), b"x", 10_000, pause=0.05)
        attack.write(attack.connect(200, HALF), bytes(2**16), 30 * 2**20 - 1)
        for name in CUSTOMERS:
            assert {"errcode": 0, "errmsg": "ok"} == send(pool, token, text(name, "over a connection that was kept"))
            with closing(open_pool(url)) as another:
                upload(another, token, sunset())
                assert {"errcode": 0, "errmsg": "ok"} == send(another, token, text(name, "over one of its own"))
            time.sleep(0.2)
        assert attack.sent > 100 * 2**20
        assert peak_of(process) < 100


@linux
def test_slow_readers_share_what_they_do_not_read() -> None:
    """300 peers ask for a picture of 9.9 MB and read none of it: others get it, in less than 100 MB."""
    with served() as (process, url), ExitStack() as stack:
        pool = stack.enter_context(closing(open_pool(url, read_timeout=60)))
        token = fetch_token(pool, "wxsandbox000000001", SECRET)
        picture = sunset() + bytes(9_900_000)
        media_id = upload(pool, token, picture).media_id
        wanted = f"GET /cgi-bin/media/get?access_token={token}&media_id={media_id} HTTP/1.1\r\n\r\n"
        Attack(stack, url).connect(300, wanted.encode())
        assert picture == download(pool, token, media_id).content
        assert peak_of(process) < 100


@linux
def test_many_large_uploads_at_once_all_arrive() -> None:
    """They are not an attack: each waits for its turn, and none is cut."""
    # connect_timeout bounds each piece of a body, also one that has to wait
    with served() as (_, url), closing(open_pool(url, connect_timeout=60, read_timeout=60)) as pool:
        token = fetch_token(pool, "wxsandbox000000001", SECRET)
        picture = sunset() + bytes(9_900_000)
        with ThreadPoolExecutor(10) as executor:
            uploaded = list(executor.map(lambda _: upload(pool, token, picture).media_id, range(20)))
    assert 20 == len(set(uploaded))


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Three connections: the door's end, and the other."""
    with ExitStack() as stack:
        yield [
            (stack.enter_context(one), stack.enter_context(other))
            for one, other in (socket.socketpair() for _ in "123")
        ]


Pairs = list[tuple[socket.socket, socket.socket]]


def test_of_large_requests_the_oldest_has_room(pairs: Pairs) -> None:
    """Another waits until that one is through, and is not cut for it, however long it takes."""
    peers = Peers(3, 2 * SMALL)
    one, two, small = (peers.enter(door) for door, _ in pairs)
    peers.rest(one, 0, peers.work(one, 0))
    assert 0 == peers.work(one, 2 * SMALL)
    peers.rest(one, 2 * SMALL, 0)
    peers.work(one, 10 * SMALL)
    assert peers.work(small, SMALL) < 1
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(peers.work, two, 2 * SMALL)
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        peers.rest(one, 0, 0)
        assert waiting.result(10) < 1
    assert not one.cut
    assert not two.cut


def test_a_large_request_that_stalls_makes_room(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door waits for the rest of it while another needs the room: it is cut, and its own work ends."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.05)
    peers = Peers(3, 2 * SMALL)
    stalled, other, _ = (peers.enter(door) for door, _ in pairs)
    peers.work(stalled, 3 * SMALL)
    peers.rest(stalled, 3 * SMALL, 0)
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(peers.work, other, 2 * SMALL)
        assert b"" == pairs[0][1].recv(1)
        with pytest.raises(PeerGoneError):
            peers.work(stalled, 1)
        peers.leave(stalled)
        assert waiting.result(10) < 1


def test_who_has_written_is_not_cut(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unread input could be a whole request; a peer whose socket is closing is not cut either."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.0)
    peers = Peers(3, SMALL)
    written, leaving, silent = (peers.enter(door) for door, _ in pairs)
    pairs[0][1].sendall(b"x")
    leaving.connection.close()
    with socket.socket() as newcomer, ThreadPoolExecutor(1) as executor:
        entered = executor.submit(peers.enter, newcomer)
        assert b"" == pairs[2][1].recv(1)
        peers.leave(silent)
        assert newcomer is entered.result(10).connection
    assert [False, False, True] == [peer.cut for peer in (written, leaving, silent)]


def test_a_steady_sender_does_not_keep_the_door_waiting(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that a request's bytes may take is not counted; a drip's is."""
    now = iter((0.0, 10.0, 10.0, 20.0, 30.0, 30.0, 40.0, 50.0, 60.0, 60.0))
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.monotonic", lambda: next(now))
    peers = Peers(3, SMALL)
    peer = peers.enter(pairs[0][0])
    assert 0 == peers.work(peer, 1)
    peers.rest(peer, 1, 0)
    assert 0 == peers.work(peer, 10 * PACE)
    peers.rest(peer, 1, 0)
    assert 10 == round(peers.work(peer, 1))


def test_a_closed_door_lets_nobody_in(pairs: Pairs) -> None:
    """And everybody who was in hears that it has closed."""
    peers = Peers(3, SMALL)
    peer = peers.enter(pairs[0][0])
    peers.close()
    assert b"" == pairs[0][1].recv(1)
    assert peer.cut
    with pytest.raises(PeerGoneError):
        peers.enter(pairs[1][0])
    peers.join()  # nobody has a thread here


def test_one_is_cut_at_a_time(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that was cut has to leave before another is cut: the newcomer needs only one place."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.0)
    peers = Peers(2, SMALL)
    first, second = (peers.enter(door) for door, _ in pairs[:2])
    first.hang_up()
    with ThreadPoolExecutor(1) as executor:
        entered = executor.submit(peers.enter, pairs[2][0])
        with pytest.raises(TimeoutError):
            entered.result(0.2)
        peers.leave(first)
        assert pairs[2][0] is entered.result(10).connection
    assert not second.cut


def test_leaving_threads_are_waited_for(pairs: Pairs) -> None:
    """When the door has closed, nothing of it goes on."""
    peers = Peers(1, SMALL)
    peer = peers.enter(pairs[0][0])
    released = threading.Event()
    peer.thread = threading.Thread(target=released.wait, args=(10,))
    peer.thread.start()
    threading.Timer(0.05, released.set).start()
    peers.close()
    peers.join()
    assert not peer.thread.is_alive()
