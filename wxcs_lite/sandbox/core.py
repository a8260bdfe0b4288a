"""What all entrances of a sandbox share: the account, its clock, the lock, the planned faults, and where pushes go."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from threading import RLock
from weakref import WeakSet

from wxcs_lite.sandbox.api.routes import answer, refusal
from wxcs_lite.sandbox.faults import Faults
from wxcs_lite.sandbox.http.values import Answer, Reply, Request, Seen, seen
from wxcs_lite.sandbox.pushes.delivery import Pushes
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.watching import Advanced, Happening, Watcher, called

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
        self.entrances: tuple[tuple[str, str], ...] = ()  # kind and URL of those that are open
        self._watchers: tuple[Watcher, ...] = ()

    def clock(self) -> float:
        return self._clock() + self._advanced

    def advance(self, seconds: float) -> None:
        if not (isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds must not be negative or infinite: time only moves forwards, not by {seconds!r}")
        with self.lock:
            self._advanced += seconds
        if self._watchers:
            self.tell(Advanced(self.clock(), seconds))

    @contextmanager
    def watch(self, watcher: Watcher) -> Iterator[None]:
        with self.lock:
            self._watchers += (watcher,)
        try:
            yield
        finally:
            with self.lock:
                left = list(self._watchers)
                left.remove(watcher)
                self._watchers = tuple(left)

    def tell(self, happening: Happening) -> None:
        """Tell those who watch; hold no lock meanwhile."""
        for watcher in self._watchers:
            watcher(happening)

    def push_to(self, pushes: Pushes) -> None:
        """Replace the previous pushes with these."""
        with self.lock:
            before, self.pushes = self.pushes, pushes
            self.account.has_push_url = True
        if before is not None:
            before.stop()

    def told_of_exchange(
        self, on_request: Callable[[Seen], object] | None, request: Request, reply: Reply | None, seconds: float
    ) -> None:
        if request.method == "CONNECT" and reply is None:
            return  # a tunnel is no request
        if on_request is not None:
            on_request(seen(request, reply))
        if self._watchers:
            self.tell(called(request, reply, self.clock(), seconds))

    def answer(self, request: Request) -> Answer:
        """Return what becomes of a request, after telling of the message that it has brought to a phone."""
        with self.lock:
            result = self._answer(request)
            arrived, self.account.arrived = self.account.arrived, []
        for one in arrived:
            self.tell(one)
        return result

    def _answer(self, request: Request) -> Answer:
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
