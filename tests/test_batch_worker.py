"""Workers: a pool of its own in each process, a token that travels hidden, and errors that come back whole."""

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import Server, answers, reply
from tests.test_batch import a_token, delivered, hello, name, path, sandbox, start, states, stopped
from wxcs_lite import FromAppid, Token, WindowClosed, open_pool, text
from wxcs_lite.batch import (
    BatchStopped,
    LedgerError,
    Outcome,
    ignore_interrupts,
    progress,
    read_ledger,
    send_many,
    unkept,
    worker,
)
from wxcs_lite.batch.worker import Task, deliver, drop_pool
from wxcs_lite.errors import api_error
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox

__all__ = ["path", "sandbox"]

METHODS = [method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()]


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # the sandbox's server has threads
@pytest.mark.parametrize("method", METHODS)
def test_processes_send_what_threads_send(sandbox: Sandbox, path: Path, method: str) -> None:
    """Each with a pool of its own, in the order of each customer; errors come back with class and errcode."""
    messages = [(f"{number} {turn}", text(name(number), str(turn))) for turn in range(6) for number in range(5)]
    context = multiprocessing.get_context(method)
    with sandbox.serve() as url, ProcessPoolExecutor(2, context, initializer=ignore_interrupts) as executor:
        outcomes = list(start(sandbox, messages, executor=executor, open_pool=partial(open_pool, url), ledger=path))
        again = list(start(sandbox, messages, executor=executor, open_pool=url, ledger=path))
    assert {"sent": 25, "refused": 5} == states(outcomes)
    assert {"skipped": 25, "refused": 5} == states(again)
    assert {WindowClosed} == {type(outcome.error) for outcome in outcomes if outcome.state == "refused"}
    for number in range(5):
        assert [*"01234"] == [each.message["text"]["content"] for each in sandbox.user(name(number)).inbox]


def killed() -> Pool:
    """Stand for a worker that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_process_that_is_killed_stops_the_batch(sandbox: Sandbox, path: Path) -> None:
    """What it may have sent is unknown, and the rest is unsent."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context) as executor:
        outcomes, error = stopped(start(sandbox, hello(30), executor=executor, open_pool=killed, ledger=path))
    assert states(outcomes)["unknown"] >= 1
    assert {*states(outcomes)} <= {"unknown", "unsent"}
    assert "executor" == getattr(error.reason, "field", None)
    assert [0] * 30 == delivered(sandbox)


def killed_when(path: Path) -> Pool:
    """Stand for workers of which the first is killed as soon as there is a file; the others hang."""
    path.with_suffix(f".{os.getpid()}").touch()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(FileNotFoundError):
            path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
    raise AssertionError


def test_a_pool_that_breaks_while_the_batch_ends_leaves_no_process_behind(
    sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C does in a terminal, which reaches the workers, too: Python would wait for those at its exit."""
    signal_ = path.with_name("now")
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        batch = start(
            sandbox, hello(30), executor=executor, open_pool=partial(killed_when, signal_), ledger=path, in_flight=12
        )
        call_back = batch._call_back

        def interrupted(_: float) -> None:
            if len([*path.parent.glob("now.*")]) == 2:
                raise KeyboardInterrupt
            time.sleep(0.01)

        def called_back() -> None:
            call_back()
            signal_.touch()
            processes.extend(executor._processes.values())

        processes: list[BaseProcess] = []
        monkeypatch.setattr(batch, "_land", interrupted)
        monkeypatch.setattr(batch, "_call_back", called_back)
        with pytest.raises(KeyboardInterrupt):
            next(batch)
    left = [process for process in processes if process.is_alive()]
    for process in left:
        process.kill()
    assert ([], 2) == (left, len({*processes}))
    entries = states(read_ledger(path))
    assert 2 <= entries["unknown"] <= 12
    assert {"unknown", "unsent"} == {*entries}


def test_a_pool_that_cannot_travel_is_refused_at_once(sandbox: Sandbox) -> None:
    """A lambda, for processes; the error says what to pass."""
    with ProcessPoolExecutor(1) as executor, pytest.raises(TypeError, match="cannot go to another process") as caught:
        start(sandbox, hello(1), executor=executor, open_pool=lambda: sandbox.pool())
    assert 2 == len(str(caught.value).splitlines())


def test_a_url_opens_one_pool_for_all_threads_and_closes_it(sandbox: Sandbox) -> None:
    """A pool that a function returned is the caller's, and stays open."""
    batches = set(worker._pools._pools)
    pool = sandbox.pool()
    assert {"sent": 3} == states(start(sandbox, hello(3), open_pool=lambda: pool))
    assert {"sent": 3} == states(start(sandbox, hello(6, 3), open_pool=lambda: pool))
    assert pool.pool is not None
    with Server(answers(lambda heard: reply(b'{"errcode":0,"errmsg":"ok"}'))) as server:
        assert {"sent": 30} == states(start(sandbox, hello(30), open_pool=server.url, workers=4, in_flight=4))
        assert 1 <= server.connections <= 4
    assert batches == set(worker._pools._pools)


def test_the_pools_of_a_process_are_bounded(sandbox: Sandbox) -> None:
    """One that works for many batches keeps the last pools, and opens another when it needs it again."""
    opened: list[str] = []

    def opening(batch: str) -> Pool:
        opened.append(batch)
        return sandbox.pool()

    token = a_token(sandbox)
    for batch in [*"abcdef", "f", "a"]:
        deliver(Task(batch, partial(opening, batch), 1, token, text(name(0), "x")))
    assert [*"abcdef", "a"] == opened
    assert worker._KEPT == len(worker._pools._pools)
    for batch in "abcdef":
        drop_pool(batch, "")
    assert not {*"abcdef"} & worker._pools._pools.keys()


def test_threads_that_come_together_have_one_pool(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits until the first has opened it."""
    waits = threading.Event()

    class Lock:
        def __init__(self) -> None:
            self.inner = threading.Lock()

        def __enter__(self) -> None:
            if self.inner.locked():
                waits.set()
            self.inner.acquire()

        def __exit__(self, *_: object) -> None:
            self.inner.release()

    opened: list[Pool] = []

    def opening() -> Pool:
        opened.append(sandbox.pool())
        others.start()
        assert waits.wait(10)
        return opened[-1]

    task = Task("together", opening, 1, "token", text(name(0), "x"))
    others = threading.Thread(target=worker._pools.of, args=(task,))
    monkeypatch.setattr(worker._pools, "_lock", Lock())
    assert opened == [worker._pools.of(task)]
    others.join(60)
    assert 1 == len(opened)
    drop_pool("together", "")


def test_a_child_of_a_fork_has_no_pool(sandbox: Sandbox) -> None:
    """Its parent's connections are not its own."""
    deliver(Task("x", sandbox.pool, 1, "token", text(name(0), "x")))
    lock = worker._pools._lock
    worker._pools.after_fork()
    assert {} == worker._pools._pools
    assert lock is not worker._pools._lock


def test_a_batch_in_the_child_of_a_fork_is_inert(sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It neither goes on nor ends: the ledger and what is under way are the parent's."""
    batch = start(sandbox, hello(30), ledger=path)
    monkeypatch.setattr(batch, "_process", -1)
    with pytest.raises(RuntimeError, match="forked"):
        next(batch)
    batch._end()
    monkeypatch.undo()
    assert {"sent": 30} == states(batch)


def test_interrupts_are_the_parents() -> None:
    """As the initializer of processes: Ctrl-C in a terminal reaches all of them."""
    before = signal.getsignal(signal.SIGINT)
    try:
        ignore_interrupts()
        assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# Secrets


@pytest.mark.parametrize("token", ["80_made-up", Token("80_made-up", 1.0), FromAppid("wx1"), None])
def test_a_task_shows_neither_token_nor_message(token: str | None) -> None:
    """Dask's dashboard and logs print the repr of arguments; through pickle it is the same token, hidden again."""
    task = pickle.loads(pickle.dumps(Task("b", "http://127.0.0.1:9", 1, token, text("OPENID", "您好"))))
    assert "<Task: a message>" == repr(task)
    assert token == task.token
    assert token is None or "made-up" not in repr(task.token)
    assert type(task.token).parameter == getattr(token, "parameter", "access_token") if token else task.token is None


def test_a_batch_keeps_its_token_hidden(sandbox: Sandbox, path: Path) -> None:
    """In its attributes, while it runs and afterwards: a walk through all values finds a hidden one at most."""
    batch = start(sandbox, hello(30), token="80_made-up-secret", ledger=path)

    def shown() -> Iterator[str]:
        for value in vars(batch).values():
            yield repr(value)
            if isinstance(value, tuple | list | dict):
                yield repr(list(value))

    assert "made-up-secret" not in "".join(shown())
    stopped(batch)
    assert "made-up-secret" not in "".join(shown())


@pytest.mark.parametrize("wrong", ["80_made-up", text("OPENID", "x"), b"x"])
def test_one_message_is_no_list_of_messages(sandbox: Sandbox, wrong: Any) -> None:
    """Nor is a text: each of its parts would be an outcome of its own."""
    with pytest.raises(TypeError, match="messages must be an iterable of messages") as caught:
        start(sandbox, wrong)
    assert "80_made-up" not in str(caught.value)


# Errors survive pickle


@pytest.mark.parametrize("has_ledger", [True, False])
def test_a_stop_survives_pickle(has_ledger: bool) -> None:
    """With its reason."""
    error = BatchStopped(api_error(45009, "reach max api daily quota limit"), has_ledger)
    again = pickle.loads(pickle.dumps(error))
    assert (str(error), error.has_ledger, error.maybe_sent) == (str(again), again.has_ledger, again.maybe_sent)
    assert 45009 == again.reason.errcode
    assert ("same ledger" in error.en) == has_ledger
    assert 2 == len(str(error).splitlines())


def test_a_failure_of_the_ledger_survives_pickle() -> None:
    """With both languages."""
    again = pickle.loads(pickle.dumps(LedgerError("full", "已满")))
    assert ("full\n已满", False) == (str(again), again.maybe_sent)


# A bar in a notebook


class ZMQInteractiveShell:
    """What runs in a notebook."""


@pytest.mark.parametrize("given", [10, None])
def test_a_notebook_has_a_bar_by_default(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, given: int | None) -> None:
    """Of widgets; it counts if the list has no length."""
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    shown: list[Any] = []
    from wxcs_lite.panel import progress as panel_progress

    monkeypatch.setattr(panel_progress, "display", shown.append)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    messages: Any = list(hello(10)) if given else hello(10)
    assert {"sent": 10} == states(start(sandbox, messages, progress=None))
    (box,) = shown
    bar, label = box.children
    assert "10 / 10" if given else "10" == label.value
    assert (10, None) if given else (1, "none") == (bar.max, bar.layout.display)
    box.close()


def test_elsewhere_there_is_none_by_default(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal, and in a notebook without ipywidgets."""
    assert False is progress._in_notebook(3)
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    assert False is progress._in_notebook(3)
    assert {"sent": 3} == states(start(sandbox, hello(3), progress=None))


def test_a_long_list_does_not_flood_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred changes of the bar, and the last one."""
    from wxcs_lite.panel import progress as panel_progress

    monkeypatch.setattr(panel_progress, "display", lambda box: None)
    bar = panel_progress.WidgetBar(100_001)
    seen = set()
    for _ in range(100_001):
        bar.update(1)
        seen.add(bar.label)
    assert len(seen) <= panel_progress._STEPS + 1
    assert "100001 / 100001" == bar.label


def test_a_batch_that_nobody_keeps_gives_its_ledger_back(sandbox: Sandbox, path: Path) -> None:
    """As after an exception in the caller's loop, once its frames are gone."""
    batch = start(sandbox, hello(30), ledger=path, workers=2)
    next(batch)
    del batch
    gc.collect()
    list(send_many(hello(30), token=a_token(sandbox), open_pool=sandbox.pool, ledger=path, progress=False))
    assert [1] * 30 == delivered(sandbox)


class Second:
    """Opens a pool on which the second message is held back until somebody lets it `go_on`."""

    def __init__(self, sandbox: Sandbox, then: Callable[[], object] = lambda: None) -> None:
        self.begun, self.go_on, self.over = threading.Event(), threading.Event(), threading.Event()
        self._numbers, self._then = count(1), then
        self._pool = sandbox.pool(on_request=self._hold)

    def __call__(self) -> Pool:
        return self._pool

    def _hold(self, _: object) -> None:
        if next(self._numbers) == 2:
            self.begun.set()
            assert self.go_on.wait(60)
            self._then()
            self.over.set()


def test_a_batch_that_its_own_worker_collects_waits_for_nobody(sandbox: Sandbox, path: Path) -> None:
    """The garbage collector runs in any thread; one that waited for the message that it is sending would never end."""
    second = Second(sandbox, gc.collect)
    gc.disable()
    try:
        batch = start(sandbox, hello(30), ledger=path, workers=1, in_flight=2, open_pool=second)
        next(batch)
        assert second.begun.wait(60)
        del batch
        second.go_on.set()
        assert second.over.wait(60)
    finally:
        gc.enable()
    entries = states(read_ledger(path))
    assert {"sent": sum(delivered(sandbox)), "unsent": 30 - sum(delivered(sandbox))} == entries


def test_a_batch_that_is_open_when_python_ends_is_recorded(sandbox: Sandbox, path: Path) -> None:
    """What has a reply has its state; nobody waits for the rest, nor for a thread that goes on with a batch."""
    second, begun, go_on = Second(sandbox), threading.Event(), threading.Event()
    kept = start(sandbox, hello(30), ledger=path, workers=1, in_flight=2, open_pool=second)
    next(kept)
    assert second.begun.wait(60)

    def slowly() -> Iterator[tuple[str, dict[str, Any]]]:
        begun.set()
        assert go_on.wait(60)
        yield from hello(10, 5)

    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.extend(start(sandbox, slowly())))
    thread.start()
    assert begun.wait(60)
    unkept._close_all()
    assert {"sent": 1, "unknown": 1, "unsent": 28} == states(read_ledger(path))
    second.go_on.set()
    go_on.set()
    thread.join(60)
    assert {"sent": 5} == states(outcomes)


def test_a_batch_that_nobody_keeps_when_python_ends_is_recorded(sandbox: Sandbox, path: Path) -> None:
    """Nobody waits for its replies either."""
    second = Second(sandbox)
    batch = start(sandbox, hello(30), ledger=path, workers=1, in_flight=2, open_pool=second)
    next(batch)
    assert second.begun.wait(60)
    del batch
    gc.collect()
    unkept._close_all()
    assert {"sent": 1, "unknown": 1, "unsent": 28} == states(read_ledger(path))
    second.go_on.set()
    assert second.over.wait(60)


def test_a_bar_that_fails_at_the_end_of_a_batch_that_nobody_keeps_concerns_nobody(sandbox: Sandbox) -> None:
    """The next batch does not know it."""
    ends: list[int] = []

    class Bar:
        total = None

        def update(self, n: int) -> None:
            ends.append(n)

        def refresh(self) -> None:
            ends.append(0)
            raise ZeroDivisionError

    batch = start(sandbox, hello(3), progress=Bar())
    del batch
    gc.collect()
    assert {"sent": 3} == states(start(sandbox, hello(3)))
    assert [0] == ends


def test_a_batch_that_nobody_began_gives_its_ledger_back(sandbox: Sandbox, path: Path) -> None:
    """It holds the ledger from the start, and nothing has left."""
    batch = start(sandbox, hello(3), ledger=path)
    del batch
    gc.collect()
    assert {"sent": 3} == states(start(sandbox, hello(3), ledger=path))
    assert [1] * 3 == delivered(sandbox)[:3]
