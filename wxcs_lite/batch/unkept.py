"""Batches that nobody keeps any more, as after an exception in the caller's loop, are closed at a safe moment.

The garbage collector finds them in any thread and between any two lines: in one of their own workers, which would wait
for ever for the message that it is sending itself, or while that thread holds a lock. So they are only noted there, in
a queue that is made for this, and the next batch or reader of a ledger closes them, in its own thread. At its exit
Python closes all of them, also those that are still kept, so that what is known of their messages is recorded.
"""

import atexit
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol
from weakref import WeakMethod

__all__ = ["close_unkept", "note_open", "note_unkept"]


class Close(Protocol):
    """How a batch is closed, once; with `waits`, when everything under way has a reply."""

    def __call__(self, *, waits: bool = True) -> None: ...


_open: set["WeakMethod[Close]"] = set()
_unkept: SimpleQueue[Close] = SimpleQueue()


def note_open(close: Close) -> None:
    """Note how a batch is closed at Python's exit, if it is there then."""
    _open.add(WeakMethod(close, _open.discard))


def note_unkept(close: Close) -> None:
    """Note how to close a batch that nobody keeps any more; this may be called in any thread, at any line."""
    _unkept.put(close)


def close_unkept(*, waits: bool = True) -> None:
    """Close those that nobody keeps, and wait for what they have under way."""
    with suppress(Empty):
        while True:
            close = _unkept.get_nowait()
            with suppress(Exception):  # its progress bar's, for example: nothing of it concerns the caller
                close(waits=waits)


def _close_all() -> None:
    close_unkept(waits=False)
    for close in [found for known in list(_open) if (found := known()) is not None]:
        with suppress(Exception):  # another thread may be in the middle of it
            close(waits=False)


atexit.register(_close_all)
