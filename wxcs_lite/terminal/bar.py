"""A line on a terminal that shows how far a batch is; where there is no terminal, it prints nothing."""

import time
from collections import Counter
from contextlib import suppress
from typing import TextIO

from wxcs_lite.batch.report import STATES
from wxcs_lite.look.words import Language

__all__ = ["Bar"]

_WIDTH = 24
_EVERY = 0.1  # seconds
_ERASE = "\r\x1b[K"
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"  # of a line that has wrapped, only the end could be erased


class Bar:
    """Counts outcomes, and draws itself at most ten times a second.

    >>> import io
    >>> bar = Bar(2, "en", io.StringIO())
    >>> bar.step("sent")
    >>> bar.counts
    Counter({'sent': 1})
    """

    def __init__(self, total: int, lang: Language, out: TextIO) -> None:
        self.total, self.counts = total, Counter[str]()
        self._lang, self._out = lang, out
        self._begun = time.monotonic()
        self._next = self._begun if out.isatty() else float("inf")

    def step(self, state: str) -> None:
        """Note one outcome."""
        self.counts[state] += 1
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._draw(f"{_ERASE}{_CUT}{self.line(now - self._begun)}{_WRAP}")

    def line(self, seconds: float) -> str:
        """Return what it shows after so many seconds."""
        done = sum(self.counts.values())
        filled = _WIDTH * done // max(1, self.total)
        rate = done / seconds if seconds > 0 else 0.0
        states = ", ".join(
            f"{self.counts[state]:,} {zh if self._lang == 'zh' else state}"
            for state, zh in STATES.items()
            if self.counts[state]
        )
        unit = "条/秒" if self._lang == "zh" else "/s"
        return f"[{'#' * filled:-<{_WIDTH}}] {done:,} / {self.total:,}  {rate:,.0f} {unit}  {states}"

    def erase(self) -> None:
        """Take the line away, for what is printed next."""
        if self._next < float("inf"):
            self._draw(_ERASE)

    def _draw(self, shown: str) -> None:
        with suppress(OSError):  # a terminal that is gone keeps nobody from sending
            self._out.write(shown)
            self._out.flush()
