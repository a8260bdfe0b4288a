"""Sends per second with more and more threads, to a server that takes 20 ms for each, beside the ideal line."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import NamedTuple

from tests.bench.clients import ByHand, Ours, RawSocket
from tests.bench.measure import Call, apart
from tests.bench.server import Server, answering
from tests.bench.tables import Goal, note, print_table, times

__all__ = ["run"]

_DELAY = 0.02  # seconds
_JUDGED = 16  # threads
_GOAL = 0.95  # of the ideal
_RAW, _HAND, _OURS = "raw socket", "by hand", "wxcs_lite"
_CLIENTS: Mapping[str, Callable[[int, int], list[Call]]] = {
    _RAW: lambda port, threads: [RawSocket(port).send for _ in range(threads)],
    _HAND: lambda port, threads: [ByHand(port, threads).send] * threads,
    _OURS: lambda port, threads: [Ours(port, threads).send] * threads,
}


class _Run(NamedTuple):
    rate: float  # sends a second
    cpu: float  # seconds a send
    busy: float  # share of the time in which the server worked


def run(quick: bool) -> list[Goal]:
    """Measure, print, and say whether the goal is met."""
    levels, rounds, each = ((1, _JUDGED), 1, 5) if quick else ((1, 4, _JUDGED, 64), 5, 50)
    rows: list[list[str]] = []
    shares: dict[int, float] = {}
    with answering(_DELAY) as server, apart(server):
        for threads in levels:
            runs = _in_turns(server, threads, rounds, each)
            ideal = threads / _DELAY
            rates = {name: median(run.rate for run in found) for name, found in runs.items()}
            shares[threads] = rates[_OURS] / ideal
            ours = runs[_OURS]
            cpu = {name: median(run.cpu for run in runs[name]) * 1e6 for name in (_HAND, _OURS)}
            if threads == _JUDGED:
                beside = {name: (threads / rate - _DELAY) * 1e3 for name, rate in rates.items()}
                why = _why(beside[_OURS], beside[_RAW], cpu[_OURS] / 1e3)
            busy = median(run.busy for run in ours)
            row = [str(threads), f"{ideal:,.0f}", *(f"{rates[name]:,.0f}" for name in _CLIENTS)]
            ratio = times(median(a.rate / b.rate for a, b in zip(ours, runs[_HAND], strict=True)))
            rows.append([*row, times(shares[threads]), ratio, *(f"{each:.0f}" for each in cpu.values()), f"{busy:.0%}"])
    headings = ("threads", "ideal", *_CLIENTS, "/ ideal", "/ by hand", "CPU: hand", "ours", "server busy")
    print_table(f"Threads: sends a second, the server answers after {_DELAY * 1e3:g} ms", headings, rows)
    note(
        "ideal: threads / 20 ms. CPU: µs of one send; one process cannot send more than one message in that time. "
        f"{why}"
    )
    share = shares[_JUDGED]
    return [Goal(f"{_JUDGED} threads, 20 ms latency / ideal", f"{_GOAL}× or more", times(share), share >= _GOAL)]


def _why(beside: float, raw: float, cpu: float) -> str:
    """Say where the time goes that is not the server's 20 ms, in ms a send."""
    return (
        f"With {_JUDGED} threads {beside:.2f} ms a send go by beside the server's 20: {raw:.2f} with a raw socket, too "
        f"(the server's clock, threads that are woken), {cpu:.2f} are CPU, the rest is waiting for the GIL. {_GOAL} "
        f"allows {_DELAY * 1e3 / _GOAL - _DELAY * 1e3:.2f}."
    )


def _in_turns(server: Server, threads: int, rounds: int, each: int) -> dict[str, list[_Run]]:
    sends = {name: make(server.port, threads) for name, make in _CLIENTS.items()}
    names = list(sends)
    runs: dict[str, list[_Run]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            runs[name].append(_together(server, sends[name], each))
    return runs


def _together(server: Server, sends: Sequence[Call], each: int) -> _Run:
    """Let as many threads as there are sends do theirs `each` times, all from the same moment on."""
    start = threading.Barrier(len(sends) + 1)

    def work(send: Call) -> None:
        send()  # connects
        start.wait()
        for _ in range(each):
            send()

    with ThreadPoolExecutor(len(sends)) as executor:
        working = [executor.submit(work, send) for send in sends]
        start.wait()
        served, used, begun = server.cpu(), time.process_time(), time.perf_counter()
        for future in working:
            future.result()
        wall = time.perf_counter() - begun
    count = len(sends) * each
    return _Run(count / wall, (time.process_time() - used) / count, (server.cpu() - served) / wall)
