"""A cluster: a message is given to one process, and no other one sends it, whatever Dask does about lost workers."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import pytest

from tests.test_batch import delivered, hello, sandbox, start, states, stopped
from wxcs_lite.batch import engine
from wxcs_lite.batch.pinned import Pinned, WorkerLost, _Begun, _begun, number_of_process, run_once
from wxcs_lite.sandbox import Sandbox

__all__ = ["sandbox"]


class Client:
    """A Dask client whose workers are this process, under several addresses; what is sent to `deaf` never returns."""

    def __init__(self, *addresses: str, deaf: str = "") -> None:
        self.numbers = dict.fromkeys(addresses, number_of_process())
        self.deaf, self.given = deaf, list[str]()
        self.all_have_work = Event()
        self.workers = ThreadPoolExecutor(4)
        self.loop = self

    def get_executor(self) -> Executor:
        raise AssertionError("its executor would run a task again")

    def run(self, function: Callable[[], str]) -> dict[str, str]:
        assert function is number_of_process
        return dict(self.numbers)

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.numbers, 2)

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {address: {} for address in self.numbers if address != self.deaf}}

    def submit(self, function: Callable[..., Any], *args: Any, workers: list[str], **more: Any) -> Any:
        del more["key"]
        assert {"pure": False, "retries": 0, "allow_other_workers": False} == more
        (address,) = workers
        self.given.append(address)
        if not self.deaf or address == self.deaf:
            self.all_have_work.set()
        return None if address == self.deaf else partial(self._work, function, *args)

    def _work(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return only when the deaf one has been given something: a fast worker would get everything."""
        assert self.all_have_work.wait(60)
        return function(*args)

    def add_callback(self, function: Callable[..., Coroutine[None, None, None]], found: object, theirs: object) -> None:
        if theirs is not None:
            self.workers.submit(asyncio.run, function(found, theirs))

    async def gather(self, theirs: list[Callable[[], Any]], *, asynchronous: bool) -> list[Any]:
        assert asynchronous
        return [each() for each in theirs]


Client.__module__ = "distributed.client"


def test_a_client_and_its_executor_are_the_same(sandbox: Sandbox) -> None:
    """Messages go to all workers alike."""
    client = Client("a", "b")
    assert {"sent": 15} == states(start(sandbox, hello(15), executor=client))
    executor: Any = type("ClientExecutor", (), {"_client": client})()
    assert {"sent": 15} == states(start(sandbox, hello(30, 15), executor=executor))
    assert [1] * 30 == delivered(sandbox)
    assert {"a", "b"} == set(client.given)


def test_a_task_runs_once_and_in_one_process() -> None:
    """At the second time, and in another process, it is refused; what was begun is remembered within bounds."""
    ran: list[int] = []
    run_once(number_of_process(), "made-up 1", ran.append, 1)
    for number, task in ((number_of_process(), "made-up 1"), ("another process", "made-up 2")):
        with pytest.raises(WorkerLost):
            run_once(number, task, ran.append, 2)
    assert [1] == ran


def test_what_was_begun_is_bounded_and_a_child_is_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, long after its reply; a forked child has a number of its own."""
    monkeypatch.setattr("wxcs_lite.batch.pinned._REMEMBERED", 2)
    begun = _Begun()
    assert [True, True, False, True] == [begun.begin(begun.number, task) for task in ("a", "b", "a", "c")]
    assert ["b", "c"] == list(begun._tasks)
    before = begun.number
    begun.after_fork()
    assert before != begun.number != _begun.number
    assert not begun._tasks


def test_a_worker_that_vanishes_leaves_its_messages_unknown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch notices within a second, and gives the rest to the others."""
    monkeypatch.setattr(engine, "_WAIT", 0.01)
    outcomes = states(start(sandbox, hello(30), executor=Client("b", "a", deaf="b"), in_flight=4))
    assert 1 <= outcomes["unknown"] <= 4
    assert 30 == outcomes["unknown"] + outcomes["sent"] == outcomes["unknown"] + sum(delivered(sandbox))


def test_another_process_at_an_address_gets_nothing_more(sandbox: Sandbox) -> None:
    """It refuses the first message, which is unknown; with no worker left, the batch stops."""
    client = Client("a")
    client.numbers["a"] = "the process that was there before"
    outcomes, error = stopped(start(sandbox, hello(30), executor=client, in_flight=1))
    assert 1 == states(outcomes)["unknown"]
    assert "executor" == getattr(error.reason, "field", None)
    assert [0] * 30 == delivered(sandbox)


def test_a_scheduler_that_is_gone_takes_all_workers_along(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way is unknown, and the batch stops."""
    monkeypatch.setattr(engine, "_WAIT", 0.01)
    client = Client("a", deaf="a")

    def gone(n_workers: int) -> dict[str, Any]:
        raise OSError("made up")

    monkeypatch.setattr(client, "scheduler_info", gone)
    outcomes, _ = stopped(start(sandbox, hello(30), executor=client, in_flight=2))
    assert 1 <= states(outcomes)["unknown"] <= 2


def test_what_comes_after_it_was_given_up_is_dropped() -> None:
    """The message is unknown already."""
    client = Client("a", deaf="a")
    pinned = Pinned(client)
    found = pinned.submit(len, "abc")
    pinned.give_up_lost()
    pinned.give_up_lost()
    assert isinstance(found.exception(0), WorkerLost)
    asyncio.run(pinned._pass_on(found, lambda: 3))
    assert isinstance(found.exception(0), WorkerLost)


def test_a_result_of_a_worker_that_has_gone_meanwhile_counts() -> None:
    """It did come."""
    pinned = Pinned(Client("a", deaf="a"))
    found = pinned.submit(len, "abc")
    pinned._busy.clear()
    asyncio.run(pinned._pass_on(found, lambda: 3))
    assert 3 == found.result(0)
