"""The door under attack: silent, slow and greedy peers are cut in favour of others, and memory stays bounded."""

import re
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from wxcs_lite import fetch_token, open_pool, send, text, upload
from wxcs_lite.sandbox import Sandbox, sunset

SECRET = "sandbox-secret-of-no-real-account"
HALF = b"POST /cgi-bin/media/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 31457280\r\n\r\n"
CUSTOMERS = [f"ann{number}" for number in range(20)]  # 5 messages each
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")


@contextmanager
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a sandbox in a process of its own, so that its memory can be told from ours."""
    command = [sys.executable, "-m", "wxcs_lite", "sandbox", *(f"--customer={name}" for name in CUSTOMERS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None
            yield process, found[0]
        finally:
            process.send_signal(2)
            process.wait(10)


def peak_of(process: subprocess.Popen[str]) -> float:
    """Return the most memory that a process ever had, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)


class Attack:
    """Peers that write what they are told, as fast as they may, until they are cut or `stopped` is set."""

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
            for peer in peers:
                peer.setblocking(False)
                selector.register(peer, selectors.EVENT_WRITE)
            while left and not self._stopped.wait(pause):
                for key, _ in selector.select(0.1):
                    peer = key.fileobj
                    assert isinstance(peer, socket.socket)
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
        pool = stack.enter_context(closing(open_pool(url)))
        token = fetch_token(pool, "wxsandbox000000001", SECRET)
        attack = Attack(stack, url)
        attack.connect(300)
        attack.write(attack.connect(50, b"GET / HTTP/1.1\r\n"), b"x", 10_000, pause=0.05)
        attack.write(attack.connect(200, HALF), bytes(2**16), 30 * 2**20 - 1)
        for name in CUSTOMERS:
            t0=time.monotonic()
            send(pool, token, text(name, "over a connection that was kept"))
            t1=time.monotonic()
            with closing(open_pool(url)) as another:
                upload(another, token, sunset())
                t2=time.monotonic()
                send(another, token, text(name, "over one of its own"))
            print(f"{attack.sent:,} {peak_of(process)} {t1-t0:.2f} {t2-t1:.2f}")
            time.sleep(0.3)
        assert peak_of(process) < 100
