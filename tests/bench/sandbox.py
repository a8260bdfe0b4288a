"""The sandbox as other people's tests use it: requests a second, in process and over HTTP, and what it keeps.

`python -m tests.bench.sandbox 1000000` prints the memory of a process after a million messages and answers.
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice

from tests.bench.memory import forget_peak
from tests.bench.samples import MEGABYTE, PROJECT
from tests.bench.tables import Goal, note, print_table
from wxcs_lite import fetch_token, open_pool, send, text
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox, Seen

__all__ = ["run"]

_CUSTOMERS = [f"customer-{number}" for number in range(1000)]
_AGAIN = 2000  # sends after which all of them write again: some three to each, of the five that are allowed
_SEND = "/cgi-bin/message/custom/send"


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    count = 100 if quick else 10_000
    sandbox = _populated()
    begun = time.process_time()
    figures = _figures([_sends(sandbox.pool(), sandbox, count)], count)
    rows: list[tuple[str, ...]] = [
        ("in process, send", "-", *figures, f"{(time.process_time() - begun) / count * 1e6:,.0f}")
    ]
    with _served(count) as (url, spent), open_pool(url) as pool:
        figures = _figures([_sends(pool, Sandbox(), count)], count)
    rows.append(("over HTTP, send", "1", *figures, *spent))
    for connections in (1, 4, 16):
        each, apart = count // connections, len(_CUSTOMERS) // connections
        with _served(each * connections) as (url, spent):
            figures = _figures([_posts(url, at * apart, each) for at in range(connections)], each * connections)
        rows.append(("over HTTP, http.client", str(connections), *figures, *spent))
    headings = ("text messages", "connections", "requests/s", "p50 ms", "p99 ms", "CPU µs")
    print_table(f"The sandbox: {count:,} requests each, {len(_CUSTOMERS):,} customers", headings, rows)
    note(
        "CPU is what a request costs the sandbox's process, which in process is the client's, too. Over HTTP both "
        "share the machine's cores."
    )
    sizes = (100, 200) if quick else (50_000, 100_000)
    found = _memory(sizes[-1], sizes)
    kept = [(f"{size:,}", f"{used / MEGABYTE:.1f}", f"{used / size:,.0f}") for size, used in found]
    print_table("The sandbox: what it keeps", ("messages, each answered", "MB", "bytes each"), kept, words=())
    note("It keeps all that customers did and were shown, for tests to look at. Other calls leave nothing behind.")
    return []


def _populated() -> Sandbox:
    sandbox = Sandbox(daily_limits={_SEND: 10**9})  # 500,000 a day are allowed
    _write(sandbox)
    return sandbox


def _write(sandbox: Sandbox) -> None:
    for openid in _CUSTOMERS:
        sandbox.user(openid).says("在吗？")


def _sends(pool: Pool, sandbox: Sandbox, count: int) -> Callable[[], list[float]]:
    """Return what sends so many messages, and returns the seconds that each took."""
    token = fetch_token(pool, sandbox.appid, sandbox.secret)

    def work() -> list[float]:
        seconds = []
        for number, openid in enumerate(islice(cycle(_CUSTOMERS), count)):
            if number and number % _AGAIN == 0:
                _write(sandbox)
            begun = time.perf_counter()
            send(pool, token, text(openid, "您好"))
            seconds.append(time.perf_counter() - begun)
        return seconds

    return work


def _posts(url: str, at: int, count: int) -> Callable[[], list[float]]:
    """Return the same over one connection of http.client, which costs the client less."""
    host = url.removeprefix("http://")
    with open_pool(url) as pool:
        account = Sandbox()
        token = fetch_token(pool, account.appid, account.secret)
    bodies = [json.dumps(text(openid, "您好"), ensure_ascii=False).encode() for openid in _CUSTOMERS]
    target = f"{_SEND}?access_token={token}"

    def work() -> list[float]:
        connection, seconds = http.client.HTTPConnection(host), []
        for body in islice(cycle(bodies[at:] + bodies[:at]), count):
            begun = time.perf_counter()
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            reply = connection.getresponse().read()
            seconds.append(time.perf_counter() - begun)
            if b'"errcode":0' not in reply:
                raise RuntimeError(reply.decode())
        connection.close()
        return seconds

    return work


def _figures(shares: Sequence[Callable[[], list[float]]], count: int) -> tuple[str, str, str]:
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(shares)) as threads:
        seconds = sorted(each for share in threads.map(lambda work: work(), shares) for each in share)
    rate = count / (time.perf_counter() - begun)
    return f"{rate:,.0f}", f"{seconds[len(seconds) // 2] * 1e3:.2f}", f"{seconds[int(len(seconds) * 0.99)] * 1e3:.2f}"


@contextmanager
def _served(count: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a served sandbox, and a list that afterwards holds its CPU µs for each of so many requests."""
    command = [sys.executable, "-m", "tests.bench.sandbox", "serve"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    spent: list[str] = []
    try:
        yield process.stdout.readline().strip(), spent
    finally:
        seconds, _ = process.communicate()
        spent.append(f"{float(seconds) / count * 1e6:,.0f}")


def _serve() -> None:
    """Serve until stdin ends, then print the CPU seconds; all customers write again before no message is left."""
    sandbox, sent = _populated(), 0

    def count(seen: Seen) -> None:
        nonlocal sent
        sent += 1
        if sent % _AGAIN == 0:
            _write(sandbox)

    with sandbox.serve(on_request=count) as url:
        begun = time.process_time()
        print(url, flush=True)
        sys.stdin.read()
        print(time.process_time() - begun)


def _memory(count: int, stops: Sequence[int]) -> list[tuple[int, int]]:
    """Return how many bytes a process of its own has gained after so many messages and their answers."""
    command = [sys.executable, "-m", "tests.bench.sandbox", str(count), *map(str, stops)]
    done = subprocess.run(command, check=True, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    return [(stop, used) for stop, used in json.loads(done.stdout)]


def _remember(count: int, stops: Sequence[int]) -> list[tuple[int, int]]:
    sandbox = _populated()
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    idle, found = forget_peak(), []
    for number, openid in enumerate(islice(cycle(_CUSTOMERS), count), 1):
        sandbox.user(openid).says("在吗？")
        send(pool, token, text(openid, "您好"))
        if number in stops:
            found.append((number, max(0, forget_peak() - idle)))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        _count, *_stops = map(int, sys.argv[1:])
        print(json.dumps(_remember(_count, _stops or [_count])))
