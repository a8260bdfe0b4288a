"""What all entrances of a sandbox share: the account, its clock, the lock, the planned faults, and where pushes go."""

import os
from collections.abc import Callable
from math import isfinite
from threading import RLock
from weakref import WeakSet

from wxcs_lite.sandbox.api.routes import answer, refusal
from wxcs_lite.sandbox.faults import Faults
from wxcs_lite.sandbox.http.http11 import Admit, Conversation, origin_form
from wxcs_lite.sandbox.http.values import Answer, Request, Seen
from wxcs_lite.sandbox.pushes.delivery import Pushes
from wxcs_lite.sandbox.rules.account import Account

__all__ = ["Core"]

_NOON = 1767240000.0  # 2026-01-01, noon in China
_cores: WeakSet["Core"] = WeakSet()


class Core:
    """The account in operation: code that reads or changes it holds `lock` and takes the time from `clock`."""

    def __init__(self, account: Account, clock: Callable[[], float] | None) -> None:
        self.account = account
        self.faults = Faults()
        self.pushes: Pushes | None = None
        # Held while a request is handled, never while anything is sent, received or waited for. Read the attribute
        # each time: the child of a fork has a new lock, because the holder of this one may not exist there.
        self.lock = RLock()
        _cores.add(self)
        self._clock = clock or (lambda: _NOON)
        self._advanced = 0.0

    def clock(self) -> float:
        return self._clock() + self._advanced

    def advance(self, seconds: float) -> None:
        if not (isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds must not be negative or infinite: time only moves forwards, not by {seconds!r}")
        with self.lock:
            self._advanced += seconds

    def push_to(self, pushes: Pushes) -> None:
        """Replace the previous pushes with these."""
        with self.lock:
            before, self.pushes = self.pushes, pushes
            self.account.has_push_url = True
        if before is not None:
            before.stop()

    def converse(self, on_request: Callable[[Seen], object] | None, admit: Admit = origin_form) -> Conversation:
        """Return the conversation of a new connection."""
        accept_chunked = self.account.switches.chunked == "accept"
        return Conversation(self._answer, accept_chunked=accept_chunked, on_request=on_request, admit=admit)

    def _answer(self, request: Request) -> Answer:
        with self.lock:
            now = self.clock()
            fault = self.faults.take(request.path)
            if fault is None:
                return Answer(answer(self.account, request, now))
            if fault.errcode is not None:
                return Answer(refusal(self.account, request, now, fault.errcode, fault.errmsg))
            if fault.reply is not None or fault.drop == "before":
                return Answer(fault.reply)
            reply = answer(self.account, request, now)
            return Answer(None if fault.drop else reply, fault.slow or 0.0)


def in_child() -> None:
    """Renew locks in the child of a fork: each sandbox there is an independent copy."""
    for core in list(_cores):
        core.lock = RLock()


getattr(os, "register_at_fork", lambda **_: None)(after_in_child=in_child)
