"""Children of a fork use the pool that their parent used, while other threads are in the middle of calls with it."""

import itertools
import json
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.attack.calls import KINDS, Got, Kind, names_in, token_of
from tests.attack.found import Finding, Result
from tests.attack.judge import Outcome, faults, tried
from tests.attack.server import Act, Acting
from tests.hostile import Peer, reply
from wxcs_lite import open_pool
from wxcs_lite.pools import Pool

__all__ = ["canaries", "run"]

_CHILDREN = 3
_CALLS, _QUICK = 60, 12  # of each process and round
_ROUNDS = 20
_TRIES = 10  # of a canary
_ENOUGH = 20.0  # seconds after which a child hangs
_USED = ("send", "download", "fetch_token", "stream", "upload", "get_rid")


class _Scene(NamedTuple):
    """What a round works with."""

    acting: Acting
    pool: Pool
    kinds: dict[str, Kind]
    calls: int


def run(quick: bool, only: str = "") -> Result:
    """Fork again and again: in the midst of calls, with the queue's lock held, and with a renewal under way."""
    if not hasattr(os, "fork"):
        return Result(0, [], "os.fork is missing")
    calls, rounds = (_QUICK, 1) if quick else (_CALLS, _ROUNDS)
    found: list[Finding] = []
    numbers = itertools.count(1)
    cases = 0
    kinds = {name: KINDS[name] for name in _USED}
    for round_, where in itertools.product(range(rounds), ("open_pool", "urllib3")):
        for name, held in _HELD.items():
            if only in f"{where} / {name}":
                with Acting() as acting, _pool(acting, where) as pool:
                    scene = _Scene(acting, pool, kinds, calls)
                    found += [
                        Finding(f"{where} / {name} / round {round_}", what) for what in _forked(scene, held, numbers)
                    ]
                cases += 1 + _CHILDREN
    return Result(cases, found, f"{_CHILDREN} children and their parent, {calls} calls each, {rounds} rounds")


def _pool(acting: Acting, where: str) -> Pool:
    if where == "open_pool":
        return open_pool(acting.server.url, maxsize=4, read_timeout=5)
    return type(open_pool("http://127.0.0.1:9"))("127.0.0.1", acting.server.port, maxsize=4, block=True, timeout=5)


_Held = Callable[[_Scene, Iterator[int], threading.Event, threading.Event], Callable[[], Iterator[str]]]


def _in_mid_call(
    scene: _Scene, numbers: Iterator[int], ready: threading.Event, go_on: threading.Event
) -> Callable[[], Iterator[str]]:
    """Hold the reply of another thread's call until the children are done."""
    name = f"id{next(numbers)}x"

    def act(peer: Peer, body: bytes, settled: threading.Event) -> bool:
        ready.set()
        go_on.wait(_ENOUGH)
        peer.send(reply(body))
        return True

    held: Act = act
    scene.acting.tell(name, held)
    kind = scene.kinds["send"]
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(tried(kind, scene.pool, name)))
    thread.start()

    def ended() -> Iterator[str]:
        thread.join(_ENOUGH)
        yield from (f"the call in the middle: {what}" for what in _wrong(outcomes[0], kind, name, 1))

    return ended


def _queue_locked(
    scene: _Scene, numbers: Iterator[int], ready: threading.Event, go_on: threading.Event
) -> Callable[[], Iterator[str]]:
    """Hold the lock of the pool's queue, as a thread that takes a connection does for a moment."""

    def hold() -> None:
        assert scene.pool.pool is not None
        with scene.pool.pool.mutex:
            ready.set()
            go_on.wait(_ENOUGH)

    thread = threading.Thread(target=hold)
    thread.start()

    def ended() -> Iterator[str]:
        thread.join(_ENOUGH)
        yield from ()

    return ended


def _busy(
    scene: _Scene, numbers: Iterator[int], ready: threading.Event, go_on: threading.Event
) -> Callable[[], Iterator[str]]:
    """Let two threads call without a pause, so that every lock is held now and then."""
    wrong: list[str] = []
    kind = scene.kinds["send"]

    def call() -> None:
        while not go_on.is_set():
            name = f"id{next(numbers)}x"
            wrong.extend(_wrong(tried(kind, scene.pool, name), kind, name, scene.acting.heard[name]))
            ready.set()

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()

    def ended() -> Iterator[str]:
        for thread in threads:
            thread.join(_ENOUGH)
        yield from (f"a busy thread: {what}" for what in wrong)

    return ended


def _nothing(
    scene: _Scene, numbers: Iterator[int], ready: threading.Event, go_on: threading.Event
) -> Callable[[], Iterator[str]]:
    """Hold nothing: one connection is kept, which all would use."""
    ready.set()
    return lambda: iter(())


_HELD: dict[str, _Held] = {"idle": _nothing, "in mid-call": _in_mid_call, "queue locked": _queue_locked, "busy": _busy}


def _wrong(outcome: Outcome, kind: Kind, name: str, heard: int) -> Iterator[str]:
    yield from faults(outcome, kind, name, heard=heard, bounded=False)
    if outcome.got is None or name not in names_in(outcome.got.content):
        yield f"does not read its own answer: {outcome.error!r} {outcome.got and outcome.got.content[:60]}"


def _forked(scene: _Scene, held: _Held, numbers: Iterator[int], enough: float = _ENOUGH) -> Iterator[str]:
    """Use the pool, hold what is held, fork, and let all processes call at once."""
    yield from (f"before: {what}" for what in _calls(scene, next(numbers) * 100_000))
    ready, go_on = threading.Event(), threading.Event()
    ended = held(scene, numbers, ready, go_on)
    ready.wait(_ENOUGH)
    if held is not _queue_locked:  # that lock is the parent's, too
        yield from (f"before: {what}" for what in _calls(scene, next(numbers) * 100_000))  # a connection is kept
    base = next(numbers) * 100_000
    children = [_fork(scene, base + at * 1000) for at in range(_CHILDREN)]
    if held is not _queue_locked:
        yield from (f"parent: {what}" for what in _calls(scene, base + 90_000))
    end = time.monotonic() + enough
    for pid, pipe in children:
        yield from (f"child: {what}" for what in _told_by(pid, pipe, end))
    go_on.set()
    yield from ended()
    names = [f"id{base + at * 1000 + each}x" for at in range(_CHILDREN) for each in range(scene.calls)]
    yield from (
        f"child: {name} was sent {scene.acting.heard[name]} times" for name in names if scene.acting.heard[name] > 1
    )


def _calls(scene: _Scene, base: int) -> Iterator[str]:
    kinds = list(scene.kinds.values())
    for at in range(scene.calls):
        kind, name = kinds[at % len(kinds)], f"id{base + at}x"
        yield from _wrong(tried(kind, scene.pool, name), kind, name, 0)


def _fork(scene: _Scene, base: int) -> tuple[int, int]:
    """Return the pid and the pipe of a child that calls and reports what is wrong."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of threads at a fork: they are meant
        pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.write(writing, json.dumps(list(_calls(scene, base))[:20]).encode() + b"\n")
    finally:
        os._exit(0)


def _told_by(pid: int, pipe: int, end: float) -> list[str]:
    """Return what a child reports; one that does not report in time hangs, and is ended."""
    told = b""
    while not told.endswith(b"\n") and select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
        if not (more := os.read(pipe, 65536)):
            break
        told += more
    if not told.endswith(b"\n"):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    found: list[str] = json.loads(told) if told.endswith(b"\n") else ["hangs, or ended without a word"]
    return found


def _by_hand(pool: Pool, name: str) -> Got:
    path = f"{KINDS['send'].path}?access_token={token_of(name)}"
    return Got("", pool.request("POST", path, body=b"{}", retries=False).data.decode())


def _never(pool: Pool, name: str) -> Got:
    if os.getpid() != _PARENT:
        time.sleep(60)
    return _by_hand(pool, name)


_PARENT = os.getpid()


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for urllib3 alone, which shares a kept connection, and for a child that hangs."""
    global _PARENT
    _PARENT = os.getpid()
    found: dict[str, list[Finding]] = {}
    for name, call, enough in (("replies crossed", _by_hand, _ENOUGH), ("a child that hangs", _never, 1.0)):
        for _ in range(_TRIES):  # whether two processes meet is for the machine to say
            with Acting() as acting, _pool(acting, "urllib3") as pool:
                scene = _Scene(acting, pool, {"send": Kind(call, KINDS["send"].path)}, 30)
                found[name] = [Finding(name, what) for what in _forked(scene, _nothing, itertools.count(1), enough)]
            if found[name]:
                break
    return found
