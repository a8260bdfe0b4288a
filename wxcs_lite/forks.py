"""After a fork the child starts with connections and locks of its own.

A fork copies the memory and only the thread that forks; sockets are not copied but shared. So the child has
connections that its parent uses too, and each may read the reply to the other's request. It also has the locks of all
threads but not the threads: a lock that was held at that moment stays locked for ever.

The child therefore drops what it cannot share, before any other line of Python runs in it:

- Each pool's queue of idle connections is initialised again, in place, because urllib3's finalizer refers to the queue
  as well: it gets a new lock and as many places as before, with no open connection. Closing the pool would end it, and
  draining the queue needs the lock. The old connections are closed here, which affects only this process's descriptors:
  neither `shutdown` nor TLS's close_notify is sent on a socket that the parent still uses.
- A connection that is in use during the fork is in no queue. Its thread does not exist in the child, unless it is the
  one that forked; then the queue, which is full of placeholders, does not take it back, and long operations (a stream,
  an upload) check whether they are still in their own process.
- Every object that holds one of our locks is asked to take a new one.

A pool is known once it has been passed to a call. If a child is the first to pass one, urllib3 alone may have used it
before, on connections of the parent's: its idle ones are closed then.

`os.register_at_fork` costs nothing until there is a fork; comparing process ids would cost a system call each time.
Windows and WebAssembly have neither.
"""

import os
from contextlib import suppress
from queue import Queue
from threading import Lock
from typing import Any, Protocol
from weakref import WeakSet, ref

__all__ = ["in_child", "renew_in_child", "stay_in", "watch"]

_ORPHANED = 5.0  # seconds; a queue's lock is held for microseconds, unless its holder did not survive a fork


class Renewable(Protocol):
    """An object with locks, threads or the like; `after_fork` replaces them without touching the old ones."""

    def after_fork(self) -> None: ...


_queues: set["ref[Queue[Any]]"] = set()  # every call looks in here, and a WeakSet's `in` is slower
_renewables: WeakSet[Renewable] = WeakSet()
_is_child = False
_meeting = Lock()


def watch(pool: object) -> None:
    """Give this pool, if it is one of urllib3's, connections of its own in every child."""
    kept = getattr(pool, "pool", None)
    if isinstance(kept, Queue) and ref(kept) not in _queues:
        _meet(kept)


def renew_in_child(renewable: Renewable) -> None:
    """Call `after_fork` in every child, as long as the object exists."""
    _renewables.add(renewable)


def stay_in(process: int) -> None:
    """Raise RuntimeError in the child of a fork: a connection in use stays with the process that began to use it."""
    if os.getpid() != process:
        raise RuntimeError(
            "the process was forked during a call: only the parent can continue it\n"
            "调用期间进程执行了 fork，只有父进程能继续这次调用"
        )


def in_child() -> None:
    """Renew everything in a child; this runs before anything else, in its only thread."""
    global _is_child, _meeting
    _is_child, _meeting = True, Lock()
    for kept in [kept for known in list(_queues) if (kept := known()) is not None]:
        _start_again(kept)
    for renewable in list(_renewables):
        renewable.after_fork()


def _start_again(kept: "Queue[Any]") -> None:
    before = list(kept.queue)
    kept.__init__(kept.maxsize)  # type: ignore[misc]
    for _ in range(kept.maxsize):
        kept.put(None, block=False)  # urllib3's placeholder for a connection still to be opened
    _close(before)


def _meet(kept: "Queue[Any]") -> None:
    with _meeting:
        if ref(kept) in _queues:
            return
        if _is_child:
            _let_go(kept)
        _queues.add(ref(kept, _queues.discard))


def _let_go(kept: "Queue[Any]") -> None:
    """Replace the idle connections with placeholders; other threads of the child may be running already."""
    if not kept.mutex.acquire(timeout=_ORPHANED):
        _start_again(kept)
        return
    try:
        before = list(kept.queue)
        kept.queue.clear()
        kept.queue.extend([None] * len(before))
    finally:
        kept.mutex.release()
    _close(before)


def _close(connections: list[Any]) -> None:
    for connection in connections:
        if connection is not None:
            with suppress(Exception):  # a failure of one must not keep the others open
                connection.close()


getattr(os, "register_at_fork", lambda **_: None)(after_in_child=in_child)
