"""What others bring to a desk, in whichever thread: it waits here until the desk takes it in its own."""

import sys
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any

from wxcs_lite.panel.view.controls import running_loop

__all__ = ["Arrivals"]

_AT_ONCE = 500  # pushes; a feed that is read for the first time may hold 100,000


class Arrivals:
    """A queue between threads; where a loop runs, `woken` is called on it whenever something waits."""

    def __init__(self, woken: Callable[[], object]) -> None:
        self._woken = woken
        self._waiting, self._thread = deque[Any](), get_ident()
        self._loop, self._is_called = running_loop(), False

    def put(self, arrived: Any) -> bool:
        """Add something; return whether this is the desk's own thread, which need not be woken."""
        self._waiting.append(arrived)
        is_own = get_ident() == self._thread
        if not is_own:
            self._wake()
        return is_own

    def take(self) -> list[Any]:
        """Return what waits, a part of it at a time if there is a loop, which has other things to do as well."""
        count = min(len(self._waiting), _AT_ONCE if self._loop is not None else sys.maxsize)
        taken = [self._waiting.popleft() for _ in range(count)]
        if self._waiting:
            self._wake()
        return taken

    def _wake(self) -> None:
        if self._loop is not None and not self._is_called and not self._loop.is_closed():
            self._is_called = True
            self._loop.call_soon_threadsafe(self._call)

    def _call(self) -> None:
        self._is_called = False
        self._woken()
