"""After a fork the child starts with connections and locks of its own.

A fork copies the memory and the one thread that asks for it; sockets are not copied but shared. So a child has
connections on which its parent talks too, and each may read the reply to the other's request. And it has the locks of
all threads but not the threads: one that was held at that instant is held for ever.

The child therefore drops what it cannot share, before any other line of Python runs in it:

- Each pool's queue of kept connections starts again, in place, because urllib3's finalizer holds the queue as well:
  a new lock, and room for as many connections as before, none of them open. Closing the pool would end it, and draining
  it takes the lock. What was kept is closed here, which takes this process's descriptors only: neither `shutdown` nor
  TLS's close_notify is sent on a socket that the parent goes on using.
- A connection in use at the fork is in no queue. Its thread does not live in the child, unless it is the one that
  forked; then the queue, which is full of connections still to be opened, takes no further one, and what goes on for
  long (a stream, an upload) looks whether it is still in its own process.
- Whatever holds a lock of ours is asked to take a new one.

A pool is known once it has been passed to a call. One that a child is the first to pass in may have been used before
by urllib3 alone, and have connections of the parent's: its idle ones are let go then.

`os.register_at_fork` costs nothing until there is a fork; comparing process ids would cost each call a system call.
Windows and WebAssembly have neither.
"""

import os
from contextlib import suppress
from queue import Queue
from threading import Lock
from typing import Any, Protocol
from weakref import WeakSet, ref

__all__ = ["in_child", "renew_in_child", "stay_in", "watch"]

_ORPHANED = 5.0  # seconds; a queue's lock is held for microseconds, unless its holder was left behind by a fork


class Renewable(Protocol):
    """What has locks, threads or the like: `renew` gives it new ones, and touches none of the old."""

    def renew(self) -> None: ...


_queues: set["ref[Queue[Any]]"] = set()  # each send asks; a WeakSet's `in` takes longer
_renewables: WeakSet[Renewable] = WeakSet()
_is_child = False
_meeting = Lock()


def watch(pool: object) -> None:
    """Let this pool, if it is one of urllib3's, start with connections of its own in every child."""
    kept = getattr(pool, "pool", None)
    if isinstance(kept, Queue) and ref(kept) not in _queues:
        _meet(kept)


def renew_in_child(renewable: Renewable) -> None:
    """Call `renew` in every child, as long as it lives."""
    _renewables.add(renewable)


def stay_in(process: int) -> None:
    """Raise RuntimeError in the child of a fork: a connection in use stays with the process that began to use it."""
    if os.getpid() != process:
        raise RuntimeError(
            "the process was forked during a call: only the parent can go on with it\n"
            "调用期间进程执行了 fork，只有父进程能继续这次调用"
        )


def in_child() -> None:
    """Run in a child before anything else: its one thread is this one."""
    global _is_child, _meeting
    _is_child, _meeting = True, Lock()
    for kept in [kept for known in list(_queues) if (kept := known()) is not None]:
        _start_again(kept)
    for renewable in list(_renewables):
        renewable.renew()


def _start_again(kept: "Queue[Any]") -> None:
    before = list(kept.queue)
    kept.__init__(kept.maxsize)  # type: ignore[misc]
    for _ in range(kept.maxsize):
        kept.put(None, block=False)  # urllib3's word for a connection still to be opened
    _close(before)


def _meet(kept: "Queue[Any]") -> None:
    with _meeting:
        if ref(kept) in _queues:
            return
        if _is_child:
            _let_go(kept)
        _queues.add(ref(kept, _queues.discard))


def _let_go(kept: "Queue[Any]") -> None:
    """Replace the idle connections by ones still to be opened; other threads of the child may be at work already."""
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
            with suppress(Exception):  # one that is a stranger's must not keep the others open
                connection.close()


getattr(os, "register_at_fork", lambda **_: None)(after_in_child=in_child)
