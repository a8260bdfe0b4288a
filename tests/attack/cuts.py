"""Published replies, cut at every byte, to each kind of call: a typed error or the whole value, never less."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from tests.attack.calls import JPEG, KINDS, Got, Kind, names_in
from tests.attack.found import Finding, Result, seen_again
from tests.attack.judge import READ_TIMEOUT, Outcome, faults, places_of, tried
from tests.attack.server import POOLS, Act, Acting, says
from tests.hostile import Peer, bare, reply
from tests.test_published import EXCHANGES
from wxcs_lite.pools import Pool

__all__ = ["canaries", "run"]

_WORKERS = 8
_QUICK = 37  # of so many cases one is run
_STALLING = 11  # of so many cuts one is followed by silence, which takes its time
_PUBLISHED = {
    "send": "send-text",
    "set_typing": "typing",
    "showing_typing": "typing",
    "upload": "upload-image",
    "download": "media-get-image",
    "stream": "media-get-image",
    "fetch_token": "stable-token-1",
    "fresh_token": "stable-token-1",
    "get_rid": "rid-get-doc",
    "get_quota": "quota-get-doc",
    "get_callback_ip": "getcallbackip-doc",
    "clear_quota": "clear-quota",
    "call": "business-register-doc",
    "perform": "getcallbackip-doc",
}


class Cut(NamedTuple):
    """One published reply, framed in one way, of which this many bytes arrive, and what follows them."""

    kind: str
    framing: str
    at: int
    then: str
    pool: str

    @property
    def name(self) -> str:
        return f"{self.kind} / {self.framing} / at {self.at} / {self.then} / {self.pool}"


def _framed(kind: str) -> dict[str, tuple[bytes, int]]:
    """Return the reply in each framing, and how much of it there must be for the content to be whole."""
    published: dict[str, Any] = EXCHANGES[_PUBLISHED[kind]]["response"]
    body = json.dumps(published["body_json"]).encode() if "body_json" in published else JPEG
    headers = ["Content-Type: application/json; encoding=utf-8", "Connection: keep-alive"]
    half = len(body) // 2
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n" % (half, body[:half], len(body) - half, body[half:])
    chunked = bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, body=chunks + b"0\r\n\r\n")
    whole = reply(body, "200 OK", *headers)
    return {"length": (whole, len(whole)), "chunks": (chunked, len(chunked) - len(b"\r\n\r\n"))}


def _cuts(quick: bool) -> Iterator[Cut]:
    for kind, pool in itertools.product(KINDS, POOLS):
        for framing, (data, _) in _framed(kind).items():
            for at, then in itertools.product(range(len(data)), ("close", "reset", "stall")):
                if then != "stall" or (at % _STALLING == 0 and not quick):
                    yield Cut(kind, framing, at, then, pool)


def _act_of(data: bytes, then: str) -> Act:
    def act(peer: Peer, body: bytes, settled: Any) -> bool:
        peer.send(data)
        if then == "reset":
            peer.reset()
        elif then == "stall":
            settled.set()
            peer.stall()
        return False

    return act


def run(quick: bool, only: str = "") -> Result:
    """Run all cuts, or those with `only` in their names."""
    cuts = [cut for cut in _cuts(quick) if only in cut.name]
    cuts = cuts[:: _QUICK if quick else 1]
    numbers = itertools.count(1)
    found: list[Finding] = []
    with Acting() as acting:

        def once(cut: Cut) -> list[Finding]:
            return _run(acting, cut, KINDS[cut.kind], numbers)

        with ThreadPoolExecutor(_WORKERS) as executor:
            first = list(executor.map(once, cuts))
        for cut, wrong in zip(cuts, first, strict=True):
            found += seen_again(wrong, partial(once, cut))
    return Result(len(cuts), found, f"{len(KINDS)} kinds of call, 2 framings, 2 pools, every byte")


def _run(acting: Acting, cut: Cut, kind: Kind, numbers: Iterator[int]) -> list[Finding]:
    data, enough = _framed(cut.kind)[cut.framing]
    whole, name, probe = (f"id{next(numbers)}x" for _ in range(3))
    acting.tell(whole, says(data))
    acting.tell(name, _act_of(data[: cut.at], cut.then))
    with POOLS[cut.pool](acting.server, READ_TIMEOUT) as pool:
        expected = tried(kind, pool, whole)
        outcome = tried(kind, pool, name)
        wrong = list(faults(outcome, kind, name, heard=acting.heard[name]))
        wrong += list(_unexpected(outcome.got, expected, cut, enough))
        if places_of(pool) != 1:
            wrong.append("a place of the pool is lost")
        elif kind.tells and outcome.error is not None:
            wrong += _next_call(acting, kind, pool, probe)
    return [Finding(cut.name, what) for what in wrong]


def _unexpected(got: Got | None, expected: Outcome, cut: Cut, enough: int) -> Iterator[str]:
    if expected.got is None:
        yield f"the whole reply is not read: {expected.error!r}"
    if cut.pool == "urllib3" and cut.kind == "perform" and got is not None and got.content == "b''":
        return  # http.client takes the end of the connection for the end of the headers, and perform gives any reply
    if got is not None and expected.got is not None and got.content != expected.got.content:
        yield f"less than the whole: {got.content[:80]}"
    if got is not None and cut.at < enough and cut.kind != "showing_typing":
        yield f"taken for the whole: {got.content[:80]}"


def _next_call(acting: Acting, kind: Kind, pool: Pool, probe: str) -> Iterator[str]:
    after = tried(kind, pool, probe)
    yield from (f"the next call: {what}" for what in faults(after, kind, probe, heard=acting.heard[probe]))
    if after.got is None or probe not in names_in(after.got.content):
        yield f"the next call does not read its own answer: {after.error!r}"


def _lenient(pool: Pool, name: str) -> Got:
    """Return what has come as if it were the whole."""
    path = f"/cgi-bin/message/custom/send?access_token={name}"
    answer = pool.urlopen("POST", path, body=b"{}", retries=False, preload_content=False, enforce_content_length=False)
    try:
        return Got("", repr(answer.read()))
    finally:
        answer.release_conn()


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for a call that takes half a reply as the whole."""
    kind = Kind(_lenient, KINDS["send"].path, receipt=True)
    cut = Cut("send", "length", _framed("send")["length"][1] - 3, "close", "urllib3")
    with Acting() as acting:
        return {"half a reply for the whole": _run(acting, cut, kind, itertools.count(1))}
