"""When the next message may leave: a rate that is not exceeded, and pauses after what says "later"."""

import sys
import time

__all__ = ["Pace"]

_CATCH_UP = 0.05  # seconds by which a message may be early after others were late, so that the rate is kept on average
_SOON = 0.5  # second; what a killed run has claimed for longer would be unknown though it never left
_PAUSES = 5  # in a row, with nothing going well between them
_DARK = 50  # messages in a row without a clear reply


class Pace:
    """Knows when the next message may leave, and when it is time to give up.

    What was under way when a pause began belongs to the round before: it says nothing about whether the pause helped.
    """

    def __init__(self, rate: float | None) -> None:
        self._every = 1 / rate if rate else 0.0
        self._next = self._resume = 0.0
        self._pauses = self._dark = 0
        self.round = 0

    @property
    def left(self) -> float:
        """The seconds until the next message may leave; 0.0 or less for at once."""
        return max(self._next, self._resume) - time.monotonic()

    @property
    def is_pausing(self) -> bool:
        return self._resume > time.monotonic()

    @property
    def soon(self) -> int:
        """How many messages may leave in the next moments, at least 1: only these are claimed at a time."""
        return max(1, int(_SOON / self._every)) if self._every else sys.maxsize

    def leave(self) -> None:
        """Note that a message leaves now."""
        if self._every:
            self._next = max(self._next, time.monotonic() - _CATCH_UP) + self._every

    def pause(self, seconds: float, round_: int) -> bool:
        """Let nothing leave for so many seconds; return whether that has been tried too often."""
        self._resume = max(self._resume, time.monotonic() + seconds)
        if round_ == self.round:
            self.round += 1
            self._pauses += 1
        return self._pauses > _PAUSES

    def go_well(self, round_: int) -> None:
        """Note a clear reply."""
        self._dark = 0
        if round_ == self.round:
            self._pauses = 0

    def go_dark(self) -> bool:
        """Note that there was no clear reply; return whether that has happened too often in a row."""
        self._dark += 1
        return self._dark > _DARK
