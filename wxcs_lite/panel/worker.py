"""Calls off the kernel's main thread: one thread for what is sent, in order, and one for what is loaded to be shown.

Widgets are touched on the loop only. Where no loop runs, as in a script or a test, a call is made at once, in place.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Worker"]


class Worker:
    """A thread that makes calls one after the other; `then(error)` is called on the loop, or in place."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None

    def start(self, call: Callable[[], object], then: Callable[[Exception | None], object]) -> None:
        """Make a call, and tell of its end."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            then(_error_of(call))
            return
        try:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="wxcs_lite panel")
            done = self._executor.submit(_error_of, call)
        except RuntimeError:  # Python in a browser has no threads
            self._executor = None
            then(_error_of(call))
            return
        done.add_done_callback(lambda done: _tell(loop, then, done))

    def stop(self) -> None:
        """Begin no further call; one that is on its way ends by itself."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _error_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as e:  # the desk shows it: nobody would see it in a thread
        return e
    return None


def _tell(
    loop: asyncio.AbstractEventLoop, then: Callable[[Exception | None], object], done: Future[Exception | None]
) -> None:
    if not (done.cancelled() or loop.is_closed()):
        loop.call_soon_threadsafe(then, done.result())
