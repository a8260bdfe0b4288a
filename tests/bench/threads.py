"""Sends a second with ever more threads, towards a server that takes 20 ms for each, beside the ideal line."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Final, NamedTuple

from tests.bench.clients import ByHand, Ours, RawSocket
from tests.bench.measure import Call, apart
from tests.bench.server import Server, answering
from tests.bench.tables import Goal, note, print_table, times

__all__ = ["run"]

_DELAY: Final = 0.02  # seconds
_JUDGED: Final = 16  # threads
_RAW, _HAND, _OURS = "raw socket", "by hand", "wxcs_lite"
_CLIENTS: Final[Mapping[str, Callable[[int, int], list[Call]]]] = {
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
            cpu, busy = median(run.cpu for run in ours), median(run.busy for run in ours)
            row = [str(threads), f"{ideal:,.0f}", *(f"{rates[name]:,.0f}" for name in _CLIENTS)]
            beside = times(median(a.rate / b.rate for a, b in zip(ours, runs[_HAND], strict=True)))
            rows.append([*row, times(shares[threads]), beside, f"{cpu * 1e6:.0f}", f"{busy:.0%}"])
    headings = ("threads", "ideal", *_CLIENTS, "/ ideal", "/ by hand", "CPU µs", "server busy")
    print_table(f"Threads: sends a second, the server answers after {_DELAY * 1e3:g} ms", headings, rows)
    note(
        "ideal: threads / 20 ms. CPU µs and server busy: with wxcs_lite; one Python process cannot send more than one "
        "message per that CPU time. The raw socket shows what the server's clock and the threads leave of the ideal."
    )
    share = shares[_JUDGED]
    return [Goal(f"{_JUDGED} threads, 20 ms latency / ideal", "0.95× or more", times(share), share >= 0.95)]


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
