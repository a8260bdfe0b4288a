"""Thousands of mixed calls from many threads, with random faults, to a server that counts what it delivers."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import NamedTuple

from tests.attack.calls import KINDS, Got, Kind, names_in, token_of
from tests.attack.found import Finding, Result
from tests.attack.judge import Outcome, faults, places_of, tried
from tests.attack.server import Act, Acting, waits
from tests.hostile import Peer, bare, reply
from wxcs_lite import TransportError, WxError, open_pool, send, text
from wxcs_lite.pools import Pool

__all__ = ["FAULTS", "Fault", "Told", "act_of", "canaries", "errcode", "run"]

_SEED = 20260101
_THREADS = 32
_PLACES = 8  # of the pool: threads wait for each other, and connections change hands
_ROUNDS = 32
_CALLS, _QUICK = 20_000, 300  # of a round
_READ_TIMEOUT = 1.0  # seconds; thirty threads wait for one server


class Fault(NamedTuple):
    """What the server does with a call: whether it delivers, what it says, and whether it goes on."""

    delivers: bool | None  # None: by chance
    says: Callable[[bytes], list[bytes | None]]
    end: str = "keep"
    weight: int = 2


def _length(body: bytes) -> list[bytes | None]:
    return [reply(body)]


def errcode(number: int) -> Callable[[bytes], list[bytes | None]]:
    return lambda body: [reply(json.dumps({"errcode": number, "errmsg": "made up"}).encode())]


def _status(status: str) -> Callable[[bytes], list[bytes | None]]:
    return lambda body: [reply(b"<html>made up</html>", status)]


def _chunked(body: bytes) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    return bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=chunk + b"0\r\n\r\n")


_INTERIM = bare("HTTP/1.1 103 Early Hints", "Link: </x>")
FAULTS: dict[str, Fault] = {
    "none": Fault(True, _length, weight=40),
    "chunks": Fault(True, lambda body: [_chunked(body)]),
    "closed, as told": Fault(True, lambda body: [reply(body, "200 OK", "Connection: close")], "close"),
    "closed without a word": Fault(True, _length, "close"),
    "in two pieces": Fault(True, lambda body: [reply(body)[:60], None, reply(body)[60:]], weight=1),
    "refused": Fault(False, errcode(45047), weight=6),
    "token refused": Fault(False, errcode(40001)),
    "busy": Fault(None, errcode(-1)),
    "404": Fault(False, _status("404 Not Found")),
    "412": Fault(False, _status("412 Precondition Failed")),
    "502": Fault(None, _status("502 Bad Gateway")),
    "moved": Fault(None, lambda body: [reply(b"", "307 Go", "Location: /elsewhere")]),
    "cut before": Fault(False, lambda body: [], "close"),
    "reset before": Fault(False, lambda body: [], "reset"),
    "cut after": Fault(True, lambda body: [], "close"),
    "reset after": Fault(True, lambda body: [], "reset"),
    "cut in the reply": Fault(True, lambda body: [reply(body)[:-5]], "close"),
    "cut in the head": Fault(True, lambda body: [b"HTTP/1.1 200 OK\r\nContent-Le"], "close"),
    "silence": Fault(None, lambda body: [], "stall", weight=1),
    "compressed": Fault(True, lambda body: [reply(body, "200 OK", "Content-Encoding: gzip")]),
    "another form": Fault(True, lambda body: [reply(b"null")]),
    "interim": Fault(True, lambda body: [_INTERIM + reply(body)]),
    "interim, then a moment": Fault(True, lambda body: [_INTERIM, None, reply(body)], weight=1),
    "more than the reply": Fault(True, lambda body: [reply(body) + b"HTTP/1.1 2"]),
}  # fmt: skip


class Told(NamedTuple):
    """What was planned for one call, and how often the server has delivered it."""

    fault: str
    delivers: bool
    delivered: list[None]


def act_of(told: Told, faults: Mapping[str, Fault] = FAULTS) -> Act:
    """Return what the server does with the call, as it was planned."""
    fault = faults[told.fault]

    def act(peer: Peer, body: bytes, settled: threading.Event) -> bool:
        if told.delivers:
            told.delivered.append(None)
        for piece in fault.says(body):
            if piece is None:
                waits(peer)
            else:
                peer.send(piece)
        if fault.end == "reset":
            peer.reset()
        elif fault.end == "stall":
            peer.stall()
        return fault.end == "keep"

    return act


Planned = tuple[str, str, Told]  # the name, the kind of call, and what becomes of it


def _plan(round_: int, count: int, kinds: Mapping[str, Kind]) -> Iterator[Planned]:
    """Yield that many calls, the same for each round of this number: half of them are messages."""
    rng = random.Random(f"{_SEED} {round_}")
    names, weights = list(FAULTS), [fault.weight for fault in FAULTS.values()]
    for number in range(1, count + 1):
        fault = rng.choices(names, weights)[0]
        delivers = FAULTS[fault].delivers
        kind = "send" if rng.random() < 0.5 else rng.choice([*kinds])
        yield f"id{number}x", kind, Told(fault, rng.random() < 0.5 if delivers is None else delivers, [])


def run(quick: bool, only: str = "") -> Result:
    """Run rounds of calls, on a pool of open_pool and on another by turns; each round has a server of its own."""
    found: list[Finding] = []
    outcomes: Counter[str] = Counter()
    # perform gives any reply, and showing_typing nothing: neither says whether it was delivered.
    kinds = {name: kind for name, kind in KINDS.items() if kind.tells and name != "perform"}
    for round_ in range(2 if quick else _ROUNDS):
        where = f"round {round_} / {('open_pool', 'urllib3')[round_ % 2]}"
        if only in where:
            plan = list(_plan(round_, _QUICK if quick else _CALLS, kinds))
            with Acting() as acting, _pool(acting, where) as pool:
                found += _mixed(acting, pool, where, plan, kinds, outcomes)
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    return Result(sum(outcomes.values()), found, f"{_THREADS} threads, {_PLACES} places: {told}")


def _pool(acting: Acting, where: str) -> AbstractContextManager[Pool]:
    if where.endswith("open_pool"):
        return open_pool(acting.server.url, maxsize=_PLACES, read_timeout=_READ_TIMEOUT)
    return acting.server.pool(maxsize=_PLACES, read_timeout=_READ_TIMEOUT)


def _mixed(
    acting: Acting,
    pool: Pool,
    where: str,
    plan: list[Planned],
    kinds: Mapping[str, Kind],
    outcomes: Counter[str],
) -> list[Finding]:
    """Let the threads make the calls of the plan, and hold each outcome against what the server has counted."""
    found: list[Finding] = []

    def call(planned: Planned) -> str:
        name, kind, told = planned
        acting.tell(name, act_of(told))
        outcome = tried(kinds[kind], pool, name)
        wrong = [
            *faults(outcome, kinds[kind], name, heard=acting.heard[name], bounded=False),
            *_wrong(outcome, name, told),
        ]
        found.extend(Finding(f"{where} / {name} / {kind} / {told.fault}", what) for what in wrong)
        if outcome.got is not None:
            return "ok"
        return "maybe sent" if isinstance(outcome.error, WxError) and outcome.error.maybe_sent else "not sent"

    with ThreadPoolExecutor(_THREADS) as executor:
        outcomes.update(executor.map(call, plan))
    if places_of(pool) != _PLACES:
        found.append(Finding(where, f"{_PLACES - places_of(pool)} places of the pool are lost"))
    return found


def _wrong(outcome: Outcome, name: str, told: Told) -> Iterator[str]:
    """Yield where the outcome of a call and the server's count disagree."""
    delivered, (got, error, _) = len(told.delivered), outcome
    if delivered > 1:
        yield f"delivered {delivered} times"
    if got is not None and name not in names_in(got.content):
        yield f"does not read its own answer: {got.content[:80]}"
    if got is not None and delivered != 1:
        yield f"ok, but delivered {delivered} times"
    if isinstance(error, WxError) and not error.maybe_sent and delivered:
        yield f"not sent, but delivered: {error!r}"
    # The connection of a call may be closed by the server, just as it goes out: that is a reason.
    if told.fault == "none" and error is not None and not isinstance(error, TransportError):
        yield f"fails for no reason of its own: {error!r}"


def _send(pool: Pool, name: str) -> Got:
    return Got("", repr(send(pool, token_of(name), text("OPENID", "hello"))))


def _trying_again(pool: Pool, name: str) -> Got:
    try:
        return _send(pool, name)
    except WxError:
        return _send(pool, name)


def _never_sent(pool: Pool, name: str) -> Got:
    try:
        return _send(pool, name)
    except WxError as e:
        e.maybe_sent = False
        raise


def _always_well(pool: Pool, name: str) -> Got:
    try:
        return _send(pool, name)
    except WxError:
        return Got("", name)


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for a client that sends twice, one that denies it, and one that sees no failure."""
    found = {}
    for client in (_trying_again, _never_sent, _always_well):
        kinds = {"send": Kind(client, KINDS["send"].path, receipt=True)}
        plan = list(_plan(0, 120, kinds))
        with Acting() as acting, _pool(acting, "urllib3") as pool:
            each = _mixed(acting, pool, "urllib3", plan, kinds, Counter())
        found[client.__name__] = [finding for finding in each if "delivered" in finding.what]
    return found
