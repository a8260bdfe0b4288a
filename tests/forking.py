"""What test_forks.py runs in separate processes: each scene forks, and returns what the children and the parent saw.

`python -m tests.forking SCENE '{"url": …}'` prints it as JSON. It needs a separate process, because a fork of pytest's
would carry its threads' locks along, and because newer Pythons warn of any fork beside threads.
"""

import gc
import json
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import urllib3

from wxcs_lite import fetch_token, forks, fresh_token, open_pool, send, stream, text, upload
from wxcs_lite.batch import read_ledger, send_many
from wxcs_lite.pools import Pool
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox

DEADLINE = 20  # seconds after which a child hangs
SENDS = 100
TOKEN = "80_made-up"


def fork(do: Callable[[], object], *, leaves: bool = False) -> Callable[[], Any]:
    """Run `do` in a child and return a function that gets its result: what it returned, its error's name, or "hangs".

    A child that `leaves` ends as a program does, through atexit; the others end at once.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return lambda: _result(child, reading)
    try:
        os.write(writing, json.dumps(_attempt(do)).encode())
    finally:
        if not leaves:
            os._exit(0)
    sys.exit(0)


def _attempt(do: Callable[[], object]) -> object:
    try:
        return do()
    except Exception as e:
        return type(e).__name__


def _result(child: int, reading: int) -> Any:
    found = b""
    while select.select([reading], [], [], DEADLINE)[0] and (more := os.read(reading, 65536)):
        found += more
    ended = select.select([reading], [], [], 0)[0]  # the pipe is open for as long as the child lives
    if not ended:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    os.waitpid(child, 0)
    return json.loads(found) if ended and found else "hangs"


def in_child(do: Callable[[], object], *, leaves: bool = False) -> Any:
    return fork(do, leaves=leaves)()


@contextmanager
def held(lock: Any) -> Iterator[None]:
    """Let another thread hold this lock for the length of the block."""
    has, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has.set()
            may_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    has.wait()
    try:
        yield
    finally:
        may_go.set()
        thread.join()


def opened(url: str, kind: str = "ours", ca: str | None = None) -> Pool:
    """Return a pool of one connection, which is kept after a first call."""
    if kind == "ours":
        pool = open_pool(url, maxsize=1)
    else:
        more = {"ca_cert_data": ca} if ca else {}
        pool = urllib3.connectionpool.connection_from_url(url, maxsize=1, block=kind == "foreign", **more)
    if kind == "unseen":  # only urllib3 itself has used it, when it is passed in by the child
        pool.request("POST", "/", json={"text": {"content": "first"}})
    else:
        send(pool, TOKEN, text("ann", "first"))
    return pool


def wrong(pool: Pool, name: str, sends: int = SENDS) -> int:
    """Return how many of the replies were meant for another message."""
    contents = [f"{name}-{number}" for number in range(sends)]
    return sum(send(pool, TOKEN, text("ann", content))["echo"] != content for content in contents)


# --- replies


def crossed(url: str, kind: str = "ours", ca: str | None = None) -> object:
    """Three children and the parent on what was one kept connection."""
    pool = opened(url, kind, ca)
    children = [fork(lambda name=name: wrong(pool, name)) for name in ("a", "b", "c")]  # type: ignore[misc]
    return [wrong(pool, "parent"), *(result() for result in children)]


def grandchild(url: str) -> object:
    """A child's child starts again, too."""
    pool = opened(url)

    def child() -> object:
        of_its_child = fork(lambda: wrong(pool, "b"))
        return [wrong(pool, "a"), of_its_child()]

    return in_child(child)


def closed(url: str) -> object:
    """A closed pool stays closed."""
    pool = opened(url)
    pool.close()
    return in_child(lambda: wrong(pool, "a"))


# --- locks


def queue_lock(url: str, kind: str = "ours") -> object:
    """Another thread holds the lock of the pool's queue; the child ends as a program does, past urllib3's finalizer."""
    forks._ORPHANED = 0.2
    pool = opened(url, kind)
    assert pool.pool is not None
    with held(pool.pool.mutex):
        return in_child(lambda: wrong(pool, "a", 3), leaves=True)


def meeting_lock(url: str) -> object:
    pool = opened(url, "unseen")
    with held(forks._meeting):
        return in_child(lambda: wrong(pool, "a", 3))


def fresh_lock() -> object:
    sandbox = Sandbox()
    token = fresh_token(sandbox.pool(), sandbox.appid, sandbox.secret, clock=sandbox.clock)
    with held(token._lock):
        return in_child(lambda: len(token()) > 8)


def sandbox_lock() -> object:
    """The box in memory: calls, customers, the clock, pushes."""
    sandbox = Sandbox()
    pushes = sandbox.push_to(push_app(lambda _: None, token=TOKEN), token=TOKEN)
    pool = sandbox.pool()
    token = fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)

    def child() -> object:
        sandbox.user("ann").says("hi")
        sandbox.advance(1)
        send(pool, token(), text("ann", "hello"))
        return [len(pushes.log), len(sandbox.events), len(sandbox.user("ann").inbox)]

    with held(sandbox._core.lock):
        return in_child(child)


def push_locks() -> object:
    """One of the parent's workers is idle, one is at work, and other threads hold the locks, even that of a future."""
    logging.disable()
    working, may_end = threading.Event(), threading.Event()
    handled: list[str] = []

    def handler(push: Any) -> None:
        handled.append(push.Content)
        if push.Content == "slow":
            working.set()
            may_end.wait()

    app = push_app(handler, token=TOKEN, wait=0.2)
    sandbox = Sandbox()
    pushes = sandbox.push_to(app, token=TOKEN)
    sandbox.user("ann").says("slow")
    working.wait()
    sandbox.user("ann").says("quick")
    slow = pushes.log[0].request
    [under_way] = [found for found in app._once._seen.values() if isinstance(found, Future)]

    def child() -> object:
        handled.clear()
        sandbox.user("ann").says("another")
        answer = pushes._target.send(slow, DEADLINE)  # WeChat repeats it, and this process gets it
        return [handled, answer.status, answer.body.decode()]

    with held(app._once._lock), held(under_way._condition):
        result = in_child(child)
    may_end.set()
    return result


# --- calls under way


def stream_here(url: str, ca: str | None = None) -> object:
    """The thread that forks is inside a stream; the child tries to read on, leaves the block and sends."""
    pool = opened(url, "foreign", ca)
    parts: list[bytes] = []

    def child() -> object:
        return [
            _attempt(lambda: len(next(medium))),
            _attempt(lambda: block.__exit__(None, None, None)),
            wrong(pool, "a", 3),
        ]

    block = stream(pool, TOKEN, "media")
    medium = block.__enter__()
    parts.append(next(medium))
    found = in_child(child)
    parts.extend(medium)
    block.__exit__(None, None, None)
    return [found, _digest(parts), wrong(pool, "parent", 3)]


def stream_elsewhere(url: str) -> object:
    """Another thread is inside a stream, which the child lets go of."""
    pool = open_pool(url, maxsize=2)
    begun, may_go_on = threading.Event(), threading.Event()
    parts: list[bytes] = []
    blocks = [stream(pool, TOKEN, "media")]

    def read() -> None:
        medium = blocks[0].__enter__()
        parts.append(next(medium))
        begun.set()
        may_go_on.wait()
        parts.extend(medium)

    def child() -> object:
        blocks.clear()
        gc.collect()  # the generator ends, as if its block were left
        return wrong(pool, "a", 3)

    thread = threading.Thread(target=read)
    thread.start()
    begun.wait()
    found = in_child(child)
    may_go_on.set()
    thread.join()
    blocks[0].__exit__(None, None, None)
    return [found, _digest(parts), wrong(pool, "parent", 3)]


def _digest(parts: list[bytes]) -> object:
    whole = b"".join(parts)
    return [len(whole), sorted({*whole})]


def upload_here(url: str, at: str = "start") -> object:
    """`progress` forks, and the child comes back from it as well."""
    pool = open_pool(url, maxsize=1)
    children: list[int] = []
    reading, writing = os.pipe()

    def progress(sent: int, total: int) -> None:
        if not children and (at == "start" or sent == total):
            children.append(os.fork())

    def call() -> object:
        return upload(pool, TOKEN, bytes(200_000), filename="a.jpg", progress=progress).media_id

    found = _attempt(call)
    if children == [0]:
        os.write(writing, json.dumps([found, wrong(pool, "a", 3)]).encode())
        os._exit(0)
    os.close(writing)
    return [_result(children[0], reading), found, wrong(pool, "parent", 3)]


# --- programs


def preloaded(url: str, appid: str, secret: str) -> object:
    """A parent that loads the program and tries it out, then two workers with two threads each.

    None of Bob's customers has written, so that each worker recognizes its own replies.
    """
    pool = open_pool(url, maxsize=2)
    token = fresh_token(pool, appid, secret)
    send(pool, token(), text("ann", "hi ann"))

    def answer(touser: str) -> object:
        return _attempt(lambda: send(pool, token(), text(touser, f"hi {touser}"))["errmsg"])

    def worker(name: str) -> object:
        found: list[Any] = []

        def serve(thread: int) -> None:
            found.extend(answer(f"{name}-{thread}-{number}") for number in range(50))

        threads = [threading.Thread(target=serve, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [len(found), sorted(set(found))]

    workers = [fork(lambda name=name: worker(name)) for name in ("ann", "bob")]  # type: ignore[misc]
    return [result() for result in workers]


def batch_left(folder: str) -> object:
    """A child of a program that is sending a list goes on with it, closes it, and leaves; the parent sends the rest."""
    sandbox = Sandbox()
    names = [f"o{number}" for number in range(40)]
    for name in names:
        sandbox.user(name).says("?")
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    ledger = f"{folder}/run.sqlite"
    messages = [text(name, "hello") for name in names]
    batch = send_many(messages, token=token, open_pool=sandbox.pool, ledger=ledger, workers=2, progress=False)
    next(batch)

    def goes_on() -> object:
        error = _attempt(lambda: next(batch))
        batch.close()
        return error

    found = in_child(goes_on, leaves=True)
    rest = [outcome.state for outcome in batch]
    return [found, len(rest), sorted({*rest}), sorted({entry.state for entry in read_ledger(ledger)})]


def serving() -> object:
    """A child leaves the block of a box that its parent goes on serving."""
    sandbox = Sandbox()
    process = os.getpid()
    reading, writing = os.pipe()
    with sandbox.serve() as url:
        child = os.fork()
        if child:
            os.close(writing)
            found = _result(child, reading)
            status = urllib3.PoolManager().request("GET", f"{url}/nowhere").status
    if os.getpid() != process:
        os.write(writing, b'"left"')
        os._exit(0)
    return [found, status]


if __name__ == "__main__":
    scene = {name: value for name, value in globals().items() if getattr(value, "__module__", "") == __name__}[
        sys.argv[1]
    ]
    print(json.dumps(scene(**json.loads(sys.argv[2]))))
