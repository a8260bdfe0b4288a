"""CPU time and latency of calls, measured in turns, so that other load on the machine affects all of them alike."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median, quantiles
from typing import NamedTuple

from tests.bench.server import Server

__all__ = ["Call", "Cost", "apart", "interleaved", "paired"]

Call = Callable[[], object]


class Cost(NamedTuple):
    """What one call took, in seconds: one value for each round, but `latencies` has one for each call."""

    cpu: list[float]
    wall: list[float]
    served: list[float]  # CPU of the server
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return 1 / median(self.wall)

    @property
    def busy(self) -> float:
        """The share of the time in which the server was at work."""
        return median(mine / wall for mine, wall in zip(self.served, self.wall, strict=True))

    def percentile(self, percent: int) -> float:
        """Return the latency that this many percent of the calls did not exceed."""
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def paired(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of each round: noise that lasts longer than a round cancels out."""
    return median(a / b for a, b in zip(mine, theirs, strict=True))


def interleaved(
    calls: Mapping[str, Call | None], *, rounds: int, count: int, server: Server | None = None
) -> dict[str, Cost | None]:
    """Measure `count` calls of each in every round, in another order each time; None stays None."""
    there = {name: call for name, call in calls.items() if call is not None}
    costs = {name: Cost([], [], [], []) for name in there}
    for call in there.values():
        _block(call, max(3, count // 4), None)  # warms up: connections, lazy imports, caches
    gc.collect()
    gc.freeze()  # the modules of nine libraries would make each full collection slower than in anybody's own process
    try:
        names = list(there)
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                gc.collect()  # so that none pays for the garbage of another
                block = _block(there[name], count, server)
                for mine, more in zip(costs[name], block, strict=True):
                    mine.extend(more)
    finally:
        gc.unfreeze()
    return {name: costs.get(name) for name in calls}


def _block(call: Call, count: int, server: Server | None) -> Cost:
    clock, spans = time.perf_counter, []
    served = server.cpu() if server else 0.0
    used = time.process_time()
    begun = last = clock()
    for _ in range(count):
        call()
        now = clock()
        spans.append(now - last)
        last = now
    used = time.process_time() - used
    served = server.cpu() - served if server else 0.0
    return Cost([used / count], [(last - begun) / count], [served / count], spans)


@contextmanager
def apart(server: Server) -> Iterator[None]:
    """Pin client and server to a core each, if the system can: otherwise it moves them, at a varying cost."""
    if not hasattr(os, "sched_setaffinity") or len(cores := sorted(os.sched_getaffinity(0))) < 2:
        yield
        return
    os.sched_setaffinity(server.pid, {cores[-1]})
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(cores))
        os.sched_setaffinity(server.pid, set(cores))
