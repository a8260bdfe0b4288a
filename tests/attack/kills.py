"""A program that sends a list is killed at random points and run again, and a server counts what it gets.

The program is a real process, with threads or with processes as its workers; it is killed with SIGKILL, alone (its
workers then go on with what they have) or together with them. Whatever happens, no message arrives twice, and in the
end each is recorded as sent, refused or unknown, as the server knows it.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.attack.found import Finding, Result
from tests.bench.samples import PROJECT
from wxcs_lite import fetch_token, open_pool, text
from wxcs_lite.batch import ignore_interrupts, read_ledger, send_many
from wxcs_lite.batch.ledger import Ledger, Record
from wxcs_lite.sandbox import Sandbox

__all__ = ["canaries", "run"]

_SEED = 20261117
_KILLS, _QUICK = 100, 3  # for each kind of workers
_WORKERS = ("threads", "processes")
_CUSTOMERS, _EACH = 150, 4  # a list has so many messages
_ARRIVALS = 150  # a program is killed when fewer than so many messages have come from it, and a moment later
_MOMENT = 0.01  # seconds
_EARLY, _SOON = 0.2, 0.5  # the share of programs that are killed by the clock instead, within so many seconds
_ENDLESS = 120.0  # seconds after which a program hangs


class _List(NamedTuple):
    """One list of messages, sent until a program has come to its end."""

    name: str
    workers: str
    fault: str = ""  # planted, for a canary

    @property
    def keys(self) -> list[str]:
        return [f"{self.name}x{turn}x{number}" for turn in range(_EACH) for number in range(_CUSTOMERS)]

    def touser(self, key: str) -> str:
        return f"o{self.name}_{key.rpartition('x')[2]}"


def run(quick: bool, only: str = "") -> Result:
    """Kill so many programs with threads, and with processes."""
    found: list[Finding] = []
    told: list[str] = []
    kills = _QUICK if quick else _KILLS
    total = 0
    for workers in _WORKERS:
        if only in workers:
            states, findings, killed = _killing(workers, kills)
            found += findings
            total += killed
            told.append(f"{workers}: {killed} kills, " + ", ".join(f"{n:,} {state}" for state, n in states.items()))
    return Result(total, found, "; ".join(told))


def _killing(workers: str, kills: int, fault: str = "") -> tuple[Counter[str], list[Finding], int]:
    rng = random.Random(f"{_SEED} {workers}")
    states: Counter[str] = Counter()
    found: list[Finding] = []
    killed = 0
    sandbox = Sandbox()
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    door = _Door()
    with TemporaryDirectory() as folder, sandbox.serve(on_request=door.count) as url:
        number = 0
        while killed < kills:
            number += 1
            each = _List(f"l{number}", workers, fault)
            for touser in {each.touser(key) for key in each.keys}:
                sandbox.user(touser).says("?")
            ledger = Path(folder, f"{each.name}.sqlite")
            killed += _until_done(each, url, str(token), ledger, rng, door)
            ends, wrong = _account(each, sandbox, ledger)
            states += ends
            found += [Finding(f"{workers} / {each.name}", what) for what in wrong]
    return states, found, killed


class _Door:
    """Counts what arrives, so that a program is killed by its progress and not by the speed of the machine."""

    def __init__(self) -> None:
        self.arrived = 0

    def count(self, _: object) -> None:
        self.arrived += 1

    def is_done(self, program: "subprocess.Popen[bytes]", rng: random.Random) -> bool:
        """Wait for the moment at which the program is to be killed; return whether it has come to its end before."""
        until = self.arrived + rng.randrange(_ARRIVALS)
        end = time.monotonic() + (rng.uniform(0, _SOON) if rng.random() < _EARLY else _ENDLESS)
        while self.arrived < until and time.monotonic() < end:
            with suppress(subprocess.TimeoutExpired):
                return _has_succeeded(program.wait(0.002))
        with suppress(subprocess.TimeoutExpired):
            return _has_succeeded(program.wait(rng.uniform(0, _MOMENT)))
        return False


def _has_succeeded(status: int) -> bool:
    if status:
        raise RuntimeError(f"the program failed by itself, with status {status}")
    return True


def _until_done(each: _List, url: str, token: str, ledger: Path, rng: random.Random, door: _Door) -> int:
    """Start the program again and again, until one is not killed before it ends; return how many were."""
    killed, groups = 0, []
    environment = {**os.environ, "WXCS_TOKEN": token}
    while True:
        command = [sys.executable, "-m", "tests.attack.kills", url, str(ledger), *each]
        program = subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True)
        groups.append(program.pid)
        if door.is_done(program, rng):
            break
        # Alone: the workers go on with the messages that they have, while the next program runs already.
        (os.kill if rng.random() < 0.5 else os.killpg)(program.pid, signal.SIGKILL)
        program.wait()
        killed += 1
    time.sleep(0.2 if each.workers == "processes" else 0)  # for orphans to show what they would do
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    return killed


def _account(each: _List, sandbox: Sandbox, ledger: Path) -> tuple[Counter[str], list[str]]:
    """Return how many messages ended in which state, and where ledger and server disagree."""
    delivered: Counter[str] = Counter()
    for touser in {each.touser(key) for key in each.keys}:
        delivered.update(found.message["text"]["content"] for found in sandbox.user(touser).inbox)
    recorded = {entry.key: entry.state for entry in read_ledger(ledger)}
    return Counter(recorded.values()), list(_disagreements(each, delivered, recorded))


def _disagreements(each: _List, delivered: Counter[str], recorded: dict[str, str]) -> Iterator[str]:
    for key in each.keys:
        times, state = delivered[key], recorded.get(key, "missing")
        if times > 1:
            yield f"{key} was delivered {times} times, and is {state}"
        if state not in ("sent", "refused", "unknown"):
            yield f"{key} is {state} in the end"
        if (state, times) in (("sent", 0), ("refused", 1)):
            yield f"{key} is {state}, and was delivered {times} times"


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for a ledger that claims nothing, and for a program that sends again what is unknown."""
    return {fault: _killing("threads", 4, fault)[1] for fault in ("no claims", "again")}


_write = Ledger.write


def _write_no_claims(self: Ledger, records: Iterable[Record]) -> None:
    """Record what was sent, but not what is about to be."""
    _write(self, [record for record in records if record.state != "unknown" or record.error is not None])


def _program(url: str, ledger: str, *given: str) -> None:
    """Send the list, as a user's program would."""
    each = _List(*given)
    if each.fault == "no claims":
        Ledger.write = _write_no_claims  # type: ignore[method-assign]
    executor = ProcessPoolExecutor(4, initializer=ignore_interrupts) if each.workers == "processes" else None
    with send_many(
        ((key, text(each.touser(key), key)) for key in each.keys),
        token=os.environ["WXCS_TOKEN"],
        open_pool=partial(open_pool, url),
        executor=executor,
        workers=8,
        ledger=ledger,
        resend_unknown=each.fault == "again",
    ) as batch:
        for _ in batch:
            pass
    if executor is not None:
        executor.shutdown()


if __name__ == "__main__":
    _program(*sys.argv[1:])
