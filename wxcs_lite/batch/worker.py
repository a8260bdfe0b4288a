"""What runs in a worker: one message, once, on the pool of this process.

A pool cannot travel to another process, so each process opens its own when its first message comes. A token travels
with each message, because the parent alone renews it; the repr of both is hidden. Errors come back as values, so that
no executor prints a traceback.
"""

import signal
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from wxcs_lite.errors import InvalidMessage, TransportError, WxError
from wxcs_lite.forks import renew_in_child
from wxcs_lite.places import places
from wxcs_lite.pools import Pool, require_pool
from wxcs_lite.pools import open_pool as open_url
from wxcs_lite.secret import credential
from wxcs_lite.transport import send

__all__ = ["Opening", "Task", "deliver", "drop_pool", "ignore_interrupts"]

Opening = str | Callable[[], Pool]
Delivered = tuple[WxError | None, float | None]  # the error, and how long the call took in seconds

_KEPT = 4  # pools: those of the last batches that this process has worked for


class Task:
    """A message on its way to a worker, with the token of this moment; its repr shows nothing of them."""

    __slots__ = ("batch", "maxsize", "message", "opening", "token")

    def __init__(
        self, batch: str, opening: Opening, maxsize: int, token: str | None, message: Mapping[str, Any]
    ) -> None:
        self.batch, self.opening, self.maxsize = batch, opening, maxsize
        self.token, self.message = credential(token), message

    def __repr__(self) -> str:
        return "<Task: a message>"


class _Pools:
    """The pools of this process; a child of a fork begins with none."""

    def __init__(self) -> None:
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Take a new lock and no pool: connections are not shared with the parent."""
        self._lock, self._pools = Lock(), dict[str, Pool]()

    def of(self, task: Task) -> Pool:
        found = self._pools.get(task.batch)
        if found is not None:
            return found
        with self._lock:  # the first messages of a batch come together
            if task.batch not in self._pools:
                for old in list(self._pools)[: 1 - _KEPT]:
                    del self._pools[old]
                self._pools[task.batch] = _opened(task.opening, task.maxsize)
            return self._pools[task.batch]

    def drop(self, batch: str) -> Pool | None:
        return self._pools.pop(batch, None)  # without the lock, because a thread may hang in opening another


_pools = _Pools()


def _opened(opening: Opening, maxsize: int) -> Pool:
    pool = open_url(opening, maxsize=maxsize) if isinstance(opening, str) else opening()
    require_pool(pool)
    return pool


def drop_pool(batch: str, opening: Opening) -> None:
    """Forget the pool of a batch that is over, and close it if it was opened here from a URL."""
    pool = _pools.drop(batch)
    if pool is not None and isinstance(opening, str):
        pool.close()


def deliver(task: Task) -> Delivered:
    """Send the message of a task, once; return the error, or None, and the seconds it took."""
    try:
        pool = _pools.of(task)
    except Exception as e:
        return _no_pool(e), None
    begun = time.perf_counter()
    error: WxError | None = None
    try:
        send(pool, task.token, task.message)
    except WxError as e:
        error = e.with_traceback(None)  # its frames would keep the message in memory
    except Exception as e:
        error = _unforeseen(e)
    return error, time.perf_counter() - begun


def _no_pool(error: Exception) -> InvalidMessage:
    kind = f"{type(error).__name__} at {places(error)}"
    return InvalidMessage(
        "open_pool",
        f"must be a URL, or a function that returns a pool; it failed with {kind}",
        f"应为网址，或返回连接池的函数；调用时出错：{kind}",
    )


def _unforeseen(error: Exception) -> WxError:
    kind = f"{type(error).__name__} at {places(error)}"
    return TransportError(
        f"sending failed unexpectedly ({kind}); it may have been delivered anyway: check before you send again",
        f"发送时出现意外错误（{kind}）；消息可能已经送达，重发前请先确认",
    )


def ignore_interrupts() -> None:
    """Let the parent alone handle Ctrl-C: pass it as `initializer` to a ProcessPoolExecutor.

    A terminal interrupts every process of a program; a worker that dies of it takes its message with it, and then the
    batch does not know whether that was sent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
