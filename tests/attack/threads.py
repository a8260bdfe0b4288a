"""Thousands of mixed calls from many threads, with faults by chance, towards a server that counts what it delivers."""

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tests.attack.calls import KINDS, Got, Kind, names_in, token_of
from tests.attack.found import Finding, Result
from tests.attack.judge import faults, tried
from tests.attack.server import Act, Acting, waits
from tests.hostile import Peer, bare, reply
from wxcs_lite import TransportError, WxError, open_pool, send, text
from wxcs_lite.pools import Pool

__all__ = ["canaries", "run"]

_SEED = 20260101
_THREADS = 32
_PLACES = 8  # of the pool: threads wait for each other, and connections change hands
_CALLS, _QUICK = 20_000, 600
_READ_TIMEOUT = 1.0  # seconds; thirty threads wait for one server


class Fault(NamedTuple):
    """What the server does with a call: whether it delivers, what it says, and whether it goes on."""

    delivers: bool | None  # None: by chance
    says: Callable[[bytes], list[bytes | None]]
    end: str = "keep"
    weight: int = 2


def _length(body: bytes) -> list[bytes | None]:
    return [reply(body)]


def _errcode(number: int) -> Callable[[bytes], list[bytes | None]]:
    return lambda body: [reply(json.dumps({"errcode": number, "errmsg": "made up"}).encode())]


def _status(status: str) -> Callable[[bytes], list[bytes | None]]:
    return lambda body: [reply(b"<html>made up</html>", status)]


_INTERIM = bare("HTTP/1.1 103 Early Hints", "Link: </x>")
FAULTS: dict[str, Fault] = {
    "none": Fault(True, _length, weight=40),
    "chunks": Fault(
        True, lambda body: [bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))]
    ),
    "closed, as told": Fault(True, lambda body: [reply(body, "200 OK", "Connection: close")], "close"),
    "closed without a word": Fault(True, _length, "close"),
    "in two pieces": Fault(True, lambda body: [reply(body)[:60], None, reply(body)[60:]], weight=1),
    "refused": Fault(False, _errcode(45047), weight=6),
    "token refused": Fault(False, _errcode(40001)),
    "busy": Fault(None, _errcode(-1)),
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
    """What one call was to run into, and how often the server has delivered it."""

    fault: str
    delivers: bool
    delivered: list[None]


def _act_of(told: Told) -> Act:
    fault = FAULTS[told.fault]

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


def _plan(count: int, kinds: list[str]) -> Iterator[tuple[str, str, Told]]:
    """Give name, kind of call and fate of so many calls, the same ones each time."""
    rng = random.Random(_SEED)
    names, weights = list(FAULTS), [fault.weight for fault in FAULTS.values()]
    for number in range(1, count + 1):
        fault = rng.choices(names, weights)[0]
        delivers = FAULTS[fault].delivers
        kind = "send" if rng.random() < 0.5 else rng.choice(kinds)
        yield f"id{number}x", kind, Told(fault, rng.random() < 0.5 if delivers is None else delivers, [])


def run(quick: bool, only: str = "") -> Result:
    """Run all calls, half on a pool of open_pool and half on another, or only those on the one that is named."""
    count, found, outcomes = _QUICK if quick else _CALLS, list[Finding](), Counter[str]()
    with Acting() as acting:
        pools = {
            "open_pool": open_pool(acting.server.url, maxsize=_PLACES, read_timeout=_READ_TIMEOUT),
            "urllib3": acting.server.pool(maxsize=_PLACES, read_timeout=_READ_TIMEOUT),
        }
        plans = [list(_plan(count, [name for name in KINDS if KINDS[name].tells and name != "perform"]))]
        halves = {"open_pool": plans[0][::2], "urllib3": plans[0][1::2]}
        for name, context in pools.items():
            if only in name:
                with context as pool:
                    found += _mixed(acting, pool, name, halves[name], KINDS, outcomes)
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    return Result(sum(outcomes.values()), found, f"{_THREADS} threads, {_PLACES} places: {told}")


def _mixed(
    acting: Acting,
    pool: Pool,
    where: str,
    plan: list[tuple[str, str, Told]],
    kinds: dict[str, Kind],
    outcomes: Counter[str],
) -> list[Finding]:
    def call(name: str, kind: str, told: Told) -> tuple[str, list[Finding]]:
        acting.tell(name, _act_of(told))
        outcome = tried(kinds[kind], pool, name)
        wrong = list(faults(outcome, kinds[kind], name, heard=acting.heard[name], bounded=False))
        error = outcome.error
        if outcome.got is not None:
            ended = "ok"
            if name not in names_in(outcome.got.content):
                wrong.append(f"does not read its own answer: {outcome.got.content[:80]}")
            if len(told.delivered) != 1:
                wrong.append(f"ok, but delivered {len(told.delivered)} times")
        else:
            ended = "maybe sent" if isinstance(error, WxError) and error.maybe_sent else "not sent"
            if ended == "not sent" and told.delivered:
                wrong.append(f"not sent, but delivered: {error!r}")
        if len(told.delivered) > 1:
            wrong.append(f"delivered {len(told.delivered)} times")
        if (
            told.fault == "none" and error is not None and not isinstance(error, TransportError)
        ):  # its connection may die
            wrong.append(f"fails for no reason of its own: {error!r}")
        return ended, [Finding(f"{where} / {name} / {kind} / {told.fault}", what) for what in wrong]

    with ThreadPoolExecutor(_THREADS) as executor:
        done = list(executor.map(lambda each: call(*each), plan))
    outcomes.update(ended for ended, _ in done)
    found = list(itertools.chain.from_iterable(findings for _, findings in done))
    places = pool.pool.qsize() if pool.pool else 0
    return [*found, *([Finding(where, f"{_PLACES - places} places of the pool are lost")] if places != _PLACES else [])]


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
    """Give what is found of a client that sends twice, one that denies it, and one that sees no failure."""
    found = {}
    for client in (_trying_again, _never_sent, _always_well):
        kinds = {"send": Kind(client, KINDS["send"].path, receipt=True)}
        plan = list(_plan(120, ["send"]))
        with Acting() as acting, acting.server.pool(maxsize=_PLACES, read_timeout=_READ_TIMEOUT) as pool:
            found[client.__name__] = [
                finding
                for finding in _mixed(acting, pool, "urllib3", plan, kinds, Counter())
                if "delivered" in finding.what
            ]
    return found
