"""Countdowns: one asyncio task that calls a function every second, which only sets traits."""

import asyncio
from collections.abc import Callable

__all__ = ["Ticker"]


class Ticker:
    """Calls `tick` every second until `stop`; without a running event loop, the next action refreshes instead."""

    __slots__ = ("_task",)

    def __init__(self, tick: Callable[[], None], seconds: float = 1.0) -> None:
        self._task: asyncio.Task[None] | None = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(_run(tick, seconds), name="wxcs_lite panel")

    def stop(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


async def _run(tick: Callable[[], None], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        tick()
