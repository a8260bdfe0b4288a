"""Lists of messages: how many a second over threads, processes and a cluster, what the ledger adds, and the memory.

The server answers after 20 ms, so that sixteen workers could send 800 a second at most. `map` is what one would write
by hand: `ThreadPoolExecutor.map` over bare urllib3, with no ledger, no order and no way back.
"""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.bench.clients import ByHand
from tests.bench.memory import forget_peak, peak_of_process
from tests.bench.samples import MEGABYTE, PROJECT, TEXT, TOKEN
from tests.bench.server import answering
from tests.bench.tables import NOT_INSTALLED, Goal, note, print_table, times
from wxcs_lite import text
from wxcs_lite.batch import send_many
from wxcs_lite.batch.ledger import Ledger, Record

__all__ = ["run"]

_DELAY = 0.02  # seconds
_WORKERS = 16
_GROUP = 64  # messages of a commit, as send_many makes them
_MAP, _THREADS, _LEDGER = "map, bare urllib3", "threads", "threads, ledger"
_PROCESSES, _CLUSTER = "processes", "Dask, 2 workers of 8 threads"


class _Run(NamedTuple):
    rate: float  # messages a second
    cpu: float  # seconds of this process for a message


def run(quick: bool) -> list[Goal]:
    """Measure, print, and say whether the goals are met."""
    goals = [_rates(*((40, 1) if quick else (5000, 3)))]
    _print_ledger(256 if quick else 50_000)
    return [*goals, _memory(*((64, 128) if quick else (5000, 500_000)))]


def _messages(count: int) -> Iterator[dict[str, Any]]:
    return (dict(text(f"oCUSTOMER_{number:08}", TEXT)) for number in range(count))


def _rates(count: int, rounds: int) -> Goal:
    runs: dict[str, list[_Run | None]] = {}
    with answering(_DELAY) as server, TemporaryDirectory() as folder:
        for turn in range(rounds):
            for name in (_MAP, _THREADS, _LEDGER, _PROCESSES, _CLUSTER):
                ledger = Path(folder, f"{turn}.sqlite") if name == _LEDGER else None
                runs.setdefault(name, []).append(_measured(name, server.port, count, ledger))
    ideal = _WORKERS / _DELAY
    rows: list[list[str]] = []
    shares = {name: [] if None in found else [run.rate / ideal for run in found if run] for name, found in runs.items()}
    for name, found in runs.items():
        if not shares[name]:
            rows.append([name, NOT_INSTALLED])
            continue
        rate, cpu = (median(run[at] for run in found if run) for at in (0, 1))
        beside = median(a / b for a, b in zip(shares[name], shares[_MAP], strict=True))
        rows.append([name, f"{rate:,.0f}", times(median(shares[name])), times(beside), f"{cpu * 1e6:.0f}"])
    headings = ("workers", "messages/s", "/ ideal", "/ map", "CPU µs here")
    print_table(f"Batch: {count:,} messages, {_WORKERS} workers, the server answers after 20 ms", headings, rows)
    note(f"ideal: {_WORKERS} / 20 ms = {ideal:g} a second. Processes and cluster run before; medians of {rounds}.")
    share = median(shares[_LEDGER])
    return Goal("batch: threads with a ledger / ideal", "0.9× or more", times(share), share >= 0.9)


def _measured(name: str, port: int, count: int, ledger: Path | None) -> _Run | None:
    if name == _CLUSTER and importlib.util.find_spec("distributed") is None:
        return None
    with _executor(name) as executor:
        begun, used = time.perf_counter(), time.process_time()
        if name == _MAP:
            sends = ByHand(port, _WORKERS)
            sent = sum(1 for _ in executor.map(lambda _: sends.send(), range(count)))
        else:
            sent = _sent(port, count, executor, ledger)
        seconds = time.perf_counter() - begun
        assert sent == count
        return _Run(count / seconds, (time.process_time() - used) / count)


def _sent(port: int, count: int, executor: Any, ledger: Path | None) -> int:
    url = f"http://127.0.0.1:{port}"
    with send_many(
        _messages(count), token=TOKEN, open_pool=url, executor=executor, ledger=ledger, progress=False
    ) as batch:
        return sum(outcome.state == "sent" for outcome in batch)


@contextmanager
def _executor(name: str) -> Iterator[Any]:
    """Yield the executor with all of its workers started."""
    if name == _CLUSTER:
        dask: Any = importlib.import_module("distributed")
        settings: Mapping[str, Any] = {"n_workers": 2, "threads_per_worker": _WORKERS // 2, "dashboard_address": None}
        with dask.LocalCluster(**settings) as cluster, dask.Client(cluster) as client:
            client.run(os.getpid)
            yield client.get_executor()
        return
    kind: type[ProcessPoolExecutor | ThreadPoolExecutor] = (
        ProcessPoolExecutor if name == _PROCESSES else ThreadPoolExecutor
    )
    with kind(_WORKERS) as executor:
        _warm(executor)
        yield executor


def _warm(executor: Executor) -> None:
    list(executor.map(time.sleep, [0.02] * 2 * _WORKERS))


def _print_ledger(count: int) -> None:
    """Print what a message costs in the ledger, beside what a single fsync takes here."""
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder, "run.sqlite"))
        records: list[Record] = []
        begun, used = time.perf_counter(), time.process_time()
        for _ in range(0, count, _GROUP):
            numbers = [ledger.new_number() for _ in range(_GROUP)]
            claims = [Record(number, f"{number:032}", "d" * 32, "unknown") for number in numbers]
            ledger.write([*records, *claims])
            records = [claim._replace(state="sent", seconds=_DELAY) for claim in claims]
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
        ledger.close()
        synced = _fsync(Path(folder, "sync"))
    row = [
        f"{1e6 * wall / count:.1f}",
        f"{1e6 * cpu / count:.1f}",
        f"{1e3 * wall * _GROUP / count:.2f}",
        f"{synced * 1e3:.2f}",
    ]
    headings = ("messages", "µs a message", "of it CPU", "ms a commit", "ms an fsync")
    print_table(f"Batch: the ledger, {_GROUP} messages a commit", headings, [[f"{count:,}", *row]])
    note("An fsync of 4 KiB on the same disk; a commit waits for four. Workers go on meanwhile.")


def _fsync(path: Path) -> float:
    found = []
    with path.open("wb", buffering=0) as file:
        for _ in range(20):
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            found.append(time.perf_counter() - begun)
    return median(found)


def _memory(short: int, long: int) -> Goal:
    """Compare what a short and a long list take at their worst, each in a process of its own."""
    with answering() as server:
        peaks = [_in_a_child(server.port, count) for count in (short, long)]
    rows = [[f"{count:,}", f"{peak / MEGABYTE:.1f}"] for count, peak in zip((short, long), peaks, strict=True)]
    print_table("Batch: memory with a ledger, peak over idle", ("messages", "MB"), rows)
    note("Idle is after the imports. SQLite's caches are bounded: 2 MB for the ledger, 4 MB for the keys.")
    more = (peaks[1] - peaks[0]) / MEGABYTE
    return Goal(f"batch: peak of {long:,} messages", "10 MB over the short list", f"{more:.1f} MB", more <= 10)


def _in_a_child(port: int, count: int) -> float:
    command = [sys.executable, "-m", "tests.bench.batch", str(port), str(count)]
    done = subprocess.run(command, check=True, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout))


def _child(port: int, count: int) -> int:
    with TemporaryDirectory() as folder, nullcontext(forget_peak()) as idle:
        assert count == _sent(port, count, None, Path(folder, "run.sqlite"))
        return peak_of_process() - idle


if __name__ == "__main__":
    print(json.dumps(_child(int(sys.argv[1]), int(sys.argv[2]))))
