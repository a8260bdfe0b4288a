"""Encrypted pushes over loopback into one process: `push_app` under waitress, pushes a second and the p99."""

import http.client
import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec

from tests.bench.pushes import APPID, KEY, TOKEN, Post, post
from tests.bench.samples import PROJECT
from tests.bench.tables import NOT_INSTALLED, Goal, note, print_table
from wxcs_lite.push import push_app

__all__ = ["run"]

_THREADS = 8  # of waitress


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    if not (find_spec("waitress") and find_spec("cryptography")):
        print(f"\n## Encrypted pushes, served\n\nwaitress or cryptography: {NOT_INSTALLED}")
        return []
    count = 40 if quick else 6000
    rows = []
    with _served() as port:
        for connections in (1, 4, 16):
            first = connections * 10**6
            rate, p50, p99 = _push(port, [post(first + number, "json") for number in range(count)], connections)
            rows.append((str(connections), f"{rate:,.0f}", f"{p50 * 1e3:.2f}", f"{p99 * 1e3:.2f}"))
    print_table(
        f"Encrypted pushes, served by one process: waitress, {_THREADS} threads, {count:,} pushes each",
        ("connections", "pushes/s", "p50 ms", "p99 ms"),
        rows,
    )
    note("The client runs on the same machine and shares its cores. WeChat waits 5 s for an answer.")
    return []


def _push(port: int, posts: Sequence[Post], connections: int) -> tuple[float, float, float]:
    """Send all, over this many connections at once; return pushes per second, and median and p99 in seconds."""
    shares = [posts[at::connections] for at in range(connections)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        seconds = sorted(each for share in threads.map(lambda share: _talk(port, share), shares) for each in share)
    rate = len(posts) / (time.perf_counter() - begun)
    return rate, seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]


def _talk(port: int, posts: Sequence[Post]) -> list[float]:
    connection, seconds = http.client.HTTPConnection("127.0.0.1", port), []
    for query, body in posts:
        begun = time.perf_counter()
        connection.request("POST", f"/?{query}", body, {"Content-Type": "text/xml"})
        reply = connection.getresponse()
        answer = reply.read()
        seconds.append(time.perf_counter() - begun)
        if (reply.status, answer) != (200, b"success"):
            raise RuntimeError(f"HTTP {reply.status}, {len(answer)} bytes")
    connection.close()
    return seconds


@contextmanager
def _served() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.bench.serving"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


def _serve() -> None:
    from waitress.server import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns whenever a request has to wait
    app = push_app(lambda received: None, token=TOKEN, aes_key=KEY, appid=APPID)
    server = create_server(app, host="127.0.0.1", port=0, threads=_THREADS)
    print(server.effective_port, flush=True)
    server.run()


if __name__ == "__main__":
    _serve()
