"""An Executor over a Dask cluster that runs nothing twice.

Dask runs a task again on another worker when the first one is lost, also if it had already done its work: for a message
that would be a second delivery. So each message is meant for one process, which is known by a number that it drew when
it started; any other process, and the same one at the second time, refuses. Where a worker has gone, its messages are
given up.
"""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Lock
from typing import Any

from wxcs_lite.forks import renew_in_child

__all__ = ["Pinned", "WorkerLost"]

_REMEMBERED = 10_000  # tasks that this process has begun; far more than are under way


class WorkerLost(Exception):
    """The process that a message was meant for is gone, or has begun with it before."""


class _Begun:
    """Which tasks this process has begun, and the number by which it is known."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """A child of a fork is a process of its own."""
        self.number, self._tasks, self._lock = secrets.token_hex(8), OrderedDict[str, None](), Lock()

    def begin(self, number: str, task: str) -> bool:
        """Return whether this process is the one that is meant, and begins with this task for the first time."""
        with self._lock:
            if number != self.number or task in self._tasks:
                return False
            self._tasks[task] = None
            if len(self._tasks) > _REMEMBERED:
                self._tasks.popitem(last=False)
            return True


_begun = _Begun()


def number_of_process() -> str:
    """Return the number by which this process is known."""
    return _begun.number


def run_once(number: str, task: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """Call the function in the process with this number, once."""
    if not _begun.begin(number, task):
        raise WorkerLost("the worker that this message was given to is gone")
    return function(argument)


class Pinned(Executor):
    """An Executor over the workers that a Dask client has now; each task belongs to one of them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._numbers: dict[str, str] = client.run(number_of_process)
        self._busy = Counter(dict.fromkeys(self._numbers, 0))
        self._under_way: dict[Future[Any], str] = {}
        self._lock = Lock()
        self.threads = max(1, sum(client.nthreads().values()))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give the task to the worker that has the fewest."""
        found: Future[Any] = Future()
        with self._lock:
            if not self._busy:
                raise RuntimeError("cannot schedule: the cluster has no worker that was there at the beginning")
            address = min(self._busy, key=self._busy.__getitem__)
            self._busy[address] += 1
            self._under_way[found] = address
        task = f"wxcs-{secrets.token_hex(12)}"
        found.set_running_or_notify_cancel()
        theirs = self._client.submit(
            run_once, self._numbers[address], task, fn, *args,
            key=task, pure=False, retries=0, workers=[address], allow_other_workers=False,
        )  # fmt: skip
        # Not add_done_callback: Dask runs them one by one, and one that waits for a lost result would hold up all.
        self._client.loop.add_callback(self._pass_on, found, theirs)
        return found

    async def _pass_on(self, found: Future[Any], theirs: Any) -> None:
        try:
            ((value,), error) = await self._client.gather([theirs], asynchronous=True), None
        except BaseException as e:
            value, error = None, e
        self._finish(found, value, error)

    def _finish(self, found: Future[Any], value: Any, error: BaseException | None) -> None:
        with self._lock:
            address = self._under_way.pop(found, None)
            if address is None:
                return  # it was given up
            if isinstance(error, WorkerLost):  # another process has its address now
                self._busy.pop(address, None)
            elif address in self._busy:
                self._busy[address] -= 1
        if error is None:
            found.set_result(value)
        else:
            found.set_exception(error)

    def give_up_lost(self) -> None:
        """Let the tasks of workers that are gone fail: Dask would wait for a worker with that address."""
        try:
            present = self._client.scheduler_info(n_workers=-1)["workers"]
        except Exception:  # the scheduler is gone, and with it all of them
            present = {}
        with self._lock:
            for address in [address for address in self._busy if address not in present]:
                del self._busy[address]
            lost = [found for found, address in self._under_way.items() if address not in self._busy]
        for found in lost:
            self._finish(found, None, WorkerLost("the worker is gone"))
