"""Countdowns: one asyncio task that calls a function every second, which only sets traits."""

import asyncio
from collections.abc import Callable
from time import monotonic

__all__ = ["Ticker"]

_LATE = 0.2  # seconds by which a tick of a busy kernel is late
_CAUGHT_UP = 0.5  # seconds until everything that waited has been handled


class Ticker:
    """Calls `tick` every second until `stop`; without a running event loop, the next action refreshes instead."""

    def __init__(self, tick: Callable[[], None], seconds: float = 1.0) -> None:
        self._task: asyncio.Task[None] | None = None
        self._seconds, self._due, self._busy_at = seconds, float("inf"), float("-inf")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run(tick), name="wxcs_lite panel")

    @property
    def was_busy(self) -> bool:
        """Whether the kernel has just been busy, so that what was done meanwhile arrives all at once."""
        now = monotonic()
        return now > self._due + _LATE or now < self._busy_at + _CAUGHT_UP

    def stop(self) -> None:
        """End the task."""
        self._due = float("inf")
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, tick: Callable[[], None]) -> None:
        while True:
            self._due = monotonic() + self._seconds
            await asyncio.sleep(self._seconds)
            if monotonic() > self._due + _LATE:
                self._busy_at = monotonic()
            tick()
