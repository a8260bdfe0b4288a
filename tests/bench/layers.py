"""Where the CPU time of a send goes: which library was at work when the clock of this process's CPU ticked."""

import math
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tests.bench.clients import ByHand, Ours
from tests.bench.measure import Call, apart
from tests.bench.server import answering
from tests.bench.tables import Goal, note, print_table

__all__ = ["run"]

_TICK = 0.001  # seconds; the system's own clock may tick more slowly
_SHOWN = 8  # functions
_HAND, _OURS = "by hand", "wxcs_lite"
_LAYERS = ("wxcs_lite", "urllib3", "http", "email", "json", "socket")  # packages, from the inside out
_OTHER = "the rest"


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    if not hasattr(signal, "setitimer"):
        note("Layers: this system has no clock that counts the CPU time of one process.")
        return []
    rounds, count = (2, 200) if quick else (10, 2000)
    with answering() as server, apart(server):
        calls: dict[str, Call] = {_HAND: ByHand(server.port).send, _OURS: Ours(server.port).send}
        seen = {name: Counter[tuple[str, str]]() for name in calls}
        spent = dict.fromkeys(calls, 0.0)
        for turn in range(rounds):
            for name, call in list(calls.items())[:: 1 if turn % 2 else -1]:
                spent[name] += _watch(call, count, seen[name])
    each = {name: spent[name] / (rounds * count) * 1e6 for name in calls}
    _print_layers(seen, each)
    _print_functions(seen[_OURS], each[_OURS])
    return []


def _watch(call: Call, count: int, seen: Counter[tuple[str, str]]) -> float:
    """Call this many times, count which library runs at each tick, and return the CPU seconds."""
    call()
    begun = time.process_time()
    with _ticking(seen):
        for _ in range(count):
            call()
    return time.process_time() - begun


@contextmanager
def _ticking(seen: Counter[tuple[str, str]]) -> Iterator[None]:
    def tick(_: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_globals.get("__name__", "").startswith("namedtuple_"):
            frame = frame.f_back  # a tuple's generated code counts for its caller
        if frame is not None:
            module = frame.f_globals.get("__name__", "")
            package = module.partition(".")[0]
            layer = package if package in _LAYERS else _OTHER
            seen[layer, f"{module.rpartition('.')[2]}.{frame.f_code.co_qualname}"] += 1

    before = signal.signal(signal.SIGPROF, tick)
    signal.setitimer(signal.ITIMER_PROF, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _print_layers(seen: dict[str, Counter[tuple[str, str]]], each: dict[str, float]) -> None:
    shares: dict[str, Counter[str]] = {}
    for name, ticks in seen.items():
        shares[name] = Counter()
        for (layer, _), count in ticks.items():
            shares[name][layer] += count
    rows = []
    for layer in [*_LAYERS, _OTHER]:
        row = [layer]
        for name in seen:
            share = shares[name][layer] / max(1, shares[name].total())
            row += [f"{share:.1%}", f"{share * each[name]:.0f}"]
        rows.append(row)
    rows.append(["all", *(cell for name in seen for cell in ("100.0%", f"{each[name]:.0f}"))])
    headings = ("at work", *(heading for name in seen for heading in (name, "CPU µs")))
    print_table("Layers: who is at work in a send", headings, rows)


def _error(share: float, looks: int) -> float:
    return math.sqrt(share * (1 - share) / looks)


def _print_functions(ticks: Counter[tuple[str, str]], each: float) -> None:
    rows = [
        [layer, name, f"{count / ticks.total():.1%}", f"{count / ticks.total() * each:.0f}"]
        for (layer, name), count in ticks.most_common(_SHOWN)
    ]
    headings = ("at work", "function", "share", "CPU µs")
    print_table("Layers: the functions that take most of it", headings, rows, words=(0, 1))
    note(
        f"{ticks.total():,} looks at wxcs_lite, by CPU time, so 8% is good to {_error(0.08, ticks.total()):.1%}. "
        "What C code spends counts for the Python function that called it: http and socket hold the system's own work. "
        "The looking costs a little, too."
    )
