"""A list through `send_many` with 32 threads and random faults: outcomes, ledger and server agree on every message.

A batch that stops (a new token is refused by chance, for instance) is run again with its ledger, as its user would.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.attack.calls import names_in, token_of
from tests.attack.found import Finding, Result
from tests.attack.server import Acting
from tests.attack.threads import FAULTS, Fault, Told, act_of, errcode
from tests.test_secrets import everything_about
from wxcs_lite import WxError, open_pool, send, text
from wxcs_lite.batch import BatchStopped, Outcome, read_ledger, send_many

__all__ = ["canaries", "run"]

_SEED = 20261118
_THREADS = 32
_ROUNDS, _MESSAGES, _QUICK = 4, 20_000, 400
_EACH = 4  # messages of a customer
_READ_TIMEOUT = 1.0  # seconds
_FAULTS: Mapping[str, Fault] = {**FAULTS, "slow down": Fault(False, errcode(45011))}
_SHORT = (  # seconds; the pauses are as many as in life, but not as long
    ("wxcs_lite.batch.engine._NOT_FOUND", 0.01),
    ("wxcs_lite.errors._NO_CONNECTION", 0.01),
)


def run(quick: bool, only: str = "") -> Result:
    """Send lists until they are done, each to a server of its own."""
    found: list[Finding] = []
    states: Counter[str] = Counter()
    for round_ in range(1 if quick else _ROUNDS):
        if only in (where := f"round {round_}"):
            found += _round(where, _QUICK if quick else _MESSAGES, states)
    told = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
    return Result(sum(states.values()) - states["stops"], found, f"{_THREADS} threads: {told}")


def _round(where: str, count: int, states: Counter[str]) -> list[Finding]:
    rng = random.Random(f"{_SEED} {where}")
    names, weights = list(_FAULTS), [fault.weight for fault in _FAULTS.values()]
    plan: dict[str, Told] = {}
    with ExitStack() as stack, Acting() as acting:
        for target, seconds in _SHORT:
            stack.enter_context(patch(target, seconds))
        stack.enter_context(patch.dict("wxcs_lite.errcodes.WAITS", {45011: 0.01}))
        folder = stack.enter_context(TemporaryDirectory())
        for number in range(1, count + 1):
            fault = rng.choices(names, weights)[0]
            delivers = _FAULTS[fault].delivers
            told = Told(fault, rng.random() < 0.5 if delivers is None else delivers, [])
            plan[f"id{number}x"] = told
            acting.tell(f"id{number}x", act_of(told, _FAULTS))
        ledger = Path(folder, "run.sqlite")
        outcomes = _sent_to_the_end(acting, plan, ledger, states)
        recorded = {entry.key: entry.state for entry in read_ledger(ledger)}
    states.update(outcome.state for outcome in outcomes.values())
    return [Finding(f"{where} / {what[0]}", what[1]) for what in _disagreements(acting, plan, outcomes, recorded)]


def _sent_to_the_end(
    acting: Acting, plan: Mapping[str, Told], ledger: Path, states: Counter[str]
) -> dict[str, Outcome]:
    """Run the list until a run is not stopped, and return the last word on each message."""
    tokens = iter(range(10**9))
    held = [_token(next(tokens))]

    def token(rejected: str | None = None) -> str:
        if rejected == held[0]:
            held[0] = _token(next(tokens))
        return held[0]

    outcomes: dict[str, Outcome] = {}
    while True:
        batch = send_many(
            ((name, text(_touser(name), name)) for name in plan),
            token=token,
            open_pool=partial(open_pool, acting.server.url, maxsize=_THREADS, read_timeout=_READ_TIMEOUT),
            workers=_THREADS,
            ledger=ledger,
        )
        try:
            for outcome in batch:
                if outcome.state != "skipped":  # it was sent in a former run
                    outcomes[outcome.key] = outcome
        except BatchStopped:
            states["stops"] += 1
        else:
            return outcomes


def _token(number: int) -> str:
    return token_of("made-up") + f"_{number}"


def _touser(name: str) -> str:
    return f"o{int(name[2:-1]) // _EACH:06}"


def _disagreements(
    acting: Acting, plan: Mapping[str, Told], outcomes: Mapping[str, Outcome], recorded: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield where outcome, ledger and server disagree on a message."""
    order: dict[str, list[str]] = {}
    for name in acting.heard:  # in the order of their first arrival
        order.setdefault(_touser(name), []).append(name)
    for touser, heard in order.items():
        if heard != sorted(heard, key=lambda name: int(name[2:-1])):
            yield touser, f"gets its messages in another order: {heard}"
    for name, told in plan.items():
        outcome = outcomes.get(name)
        # What it did with the first request was planned; a later one it delivered.
        delivered = len(told.delivered) + max(0, acting.heard[name] - 1)
        for what in _wrong(outcome, delivered, recorded.get(name)):
            yield f"{name} / {told.fault}", what


def _wrong(outcome: Outcome | None, delivered: int, recorded: str | None) -> Iterator[str]:
    state = "missing" if outcome is None else outcome.state
    if delivered > 1:
        yield f"delivered {delivered} times"
    if state not in ("sent", "refused", "unknown") or state != recorded:
        yield f"is {state}, and {recorded} in the ledger"
    if (state, delivered) in (("sent", 0), ("refused", 1)):
        yield f"is {state}, and was delivered {delivered} times"
    if outcome is not None and isinstance(outcome.error, WxError):
        shown = "\n".join(everything_about(outcome.error))
        if names_in(shown) - {outcome.key} or token_of("made-up")[3:35] in shown:
            yield "its error shows another message or a token"


def _trying_again(*given: Any) -> object:
    try:
        return send(*given)
    except WxError:
        return send(*given)


def _never_sent(*given: Any) -> object:
    try:
        return send(*given)
    except WxError as e:
        e.maybe_sent = False
        raise


def _always_well(*given: Any) -> object:
    try:
        return send(*given)
    except WxError:
        return {}


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for workers that send twice, that deny it, and that see no failure."""
    found: dict[str, list[Finding]] = {}
    workers: tuple[Callable[..., object], ...] = (_trying_again, _never_sent, _always_well)
    for worker in workers:
        with patch("wxcs_lite.batch.worker.send", worker):
            each = _round("round 0", 120, Counter())
        found[worker.__name__] = [finding for finding in each if "delivered" in finding.what]
    return found
