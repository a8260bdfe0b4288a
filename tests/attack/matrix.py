"""Each hostile reply to each kind of call, on either pool, with two further calls: do they read their own answers?"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from tests.attack.calls import KINDS, Got, Kind, names_in, token_of
from tests.attack.found import Finding, Result, seen_again
from tests.attack.judge import READ_TIMEOUT, Outcome, faults, places_of, tried
from tests.attack.replies import Hostile, hostile_replies
from tests.attack.server import POOLS, Acting
from wxcs_lite import BadReply, TransportError, WxError, send, text
from wxcs_lite.pools import Pool

__all__ = ["Case", "canaries", "run", "run_case"]

_WORKERS = 16
_SETTLED = 3.0  # seconds after which everything that a server sends is on its way
_QUICK = 31  # one in this many cases is run
_SINGING = 3  # tries for a canary, because on a busy machine both sides may come too late for its fault


class Case(NamedTuple):
    """One hostile reply to one call; `settled`: the next call waits until all of the reply is on its way."""

    reply: str
    kind: str
    pool: str
    settled: bool

    @property
    def name(self) -> str:
        return f"{self.reply} / {self.kind} / {self.pool} / {'settled' if self.settled else 'at once'}"


def run(quick: bool, only: str = "") -> Result:
    """Run all cases, or those with `only` in their names."""
    replies = hostile_replies()
    cases = [Case(*each) for each in itertools.product(replies, KINDS, POOLS, (False, True))]
    cases = [case for case in cases if only in case.name]
    if quick:
        cases = [case for case in cases[::_QUICK] if replies[case.reply].end in ("keep", "close", "reset")]
    numbers = itertools.count(1)
    found: list[Finding] = []
    with Acting() as acting:

        def once(case: Case) -> list[Finding]:
            return run_case(acting, case, replies[case.reply], KINDS[case.kind], numbers)

        with ThreadPoolExecutor(_WORKERS) as executor:
            first = list(executor.map(once, cases))
        for case, wrong in zip(cases, first, strict=True):
            found += seen_again(wrong, partial(once, case))
    return Result(len(cases), found, f"{len(replies)} replies x {len(KINDS)} kinds of call x 2 pools x 2 paces")


def run_case(acting: Acting, case: Case, hostile: Hostile, kind: Kind, numbers: Iterator[int]) -> list[Finding]:
    name, *probes = (f"id{next(numbers)}x" for _ in range(3))
    settled = acting.tell(name, hostile.act_of(kind.secret(name), READ_TIMEOUT / 5))
    dripping = hostile.end not in ("keep", "close", "reset", "stall")
    # urllib3 bounds no drip of headers, chunk sizes or trailers, and a medium may take as long as its content flows.
    flowing = hostile.flows and case.kind in ("download", "stream")
    bounded = not dripping or (case.pool == "open_pool" and not flowing)
    with POOLS[case.pool](acting.server, READ_TIMEOUT) as pool:
        outcome = tried(kind, pool, name)
        wrong = list(faults(outcome, kind, name, heard=acting.heard[name], bounded=bounded))
        wrong += _unexpected(outcome, case, hostile, kind)
        if places_of(pool) != 1:
            wrong.append("a place of the pool is lost")
        elif case.settled and not settled.wait(_SETTLED + (6 if not bounded else 0)):
            wrong.append("the connection is kept while the server still speaks")
        elif (case.settled and kind.tells) or hostile.fair_at_once:  # showing_typing has spoken again
            wrong += _next_calls(acting, case, probes, pool)
    return [Finding(case.name, what) for what in wrong]


def _unexpected(outcome: Outcome, case: Case, hostile: Hostile, kind: Kind) -> Iterator[str]:
    """Yield what differs from the known outcome of this reply."""
    if not kind.tells:
        return
    got, error = outcome.got, outcome.error
    refusing = {"all": True, "read": case.kind != "perform", "receipt": kind.receipt, "": False}[hostile.refused]
    # http.client takes the end of the connection for the end of the headers, and perform gives any reply.
    cut = case.pool == "urllib3" and case.kind == "perform" and got is not None and got.content == "b''"
    if refusing and got and not cut:
        yield f"taken for success: {got.content[:80]}"
    if hostile.own and case.pool == "open_pool" and (error or (got and not names_in(got.content))):
        yield f"is not read: {error!r}"
    if isinstance(error, WxError) and kind.receipt and hostile.sent not in (None, error.maybe_sent):
        yield f"maybe_sent is {error.maybe_sent}: {error!r}"


def _next_calls(acting: Acting, case: Case, probes: list[str], pool: Pool) -> Iterator[str]:
    """Make two calls, of the same kind and of another, which must read their own answers."""
    kinds = list(KINDS)
    other = kinds[(kinds.index(case.kind) + 1 + len(case.reply)) % len(kinds)]
    for at, (probe, kind) in enumerate(zip(probes, (KINDS[case.kind], KINDS[other]), strict=True), 1):
        outcome = tried(kind, pool, probe)
        for what in faults(outcome, kind, probe, heard=acting.heard[probe]):
            yield f"call {at} after it: {what}"
        # Only who waits can know of a connection that its reply leaves unfit.
        if outcome.error is not None and (case.settled or not isinstance(outcome.error, TransportError)):
            yield f"call {at} after it fails: {outcome.error!r}"
        if outcome.got is not None and kind.tells and probe not in names_in(outcome.got.content):
            yield f"call {at} after it does not read its own answer: {outcome.got.content[:80]}"


def _careless(pool: Pool, name: str) -> Got:
    """Take an interim reply for the final one, and give the connection back."""
    answer = pool.request("POST", f"/cgi-bin/message/custom/send?access_token={name}", body=b"{}", retries=False)
    if answer.status != 200:
        raise BadReply("no answer", "不是应答")
    return Got("", answer.data.decode())


def _sending(spoil: Callable[[WxError], BaseException]) -> Callable[[Pool, str], Got]:
    """Return a send whose error is spoilt."""

    def call(pool: Pool, name: str) -> Got:
        try:
            return Got("", repr(send(pool, token_of(name), text("OPENID", "hello"))))
        except WxError as e:
            error = spoil(e)
        raise error

    return call


def _denied(error: WxError) -> WxError:
    error.maybe_sent = False
    return error


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for calls that each break one promise: something, if this attack works."""
    replies = hostile_replies()
    numbers = itertools.count(1)
    blind: dict[str, list[Finding]] = {}
    calls: dict[str, tuple[str, Callable[[Pool, str], Got]]] = {
        "the next call reads this one's answer": ("103, a moment later the answer", _careless),
        "maybe_sent is False": ("nothing and the end", _sending(_denied)),
        "a bare error": ("chunk size '-5'", _sending(lambda e: ValueError("invalid literal"))),
        "a refusal taken for success": ("body: null", lambda pool, name: Got("", _careless(pool, name).content)),
        "the token in the text": ("status 502 with a good body", _spilling),
        "sent twice": ("nothing and the end", _twice),
    }
    with Acting() as acting:
        for name, (reply, call) in calls.items():
            kind = Kind(call, KINDS["send"].path, receipt=True)
            case = Case(reply, "send", "urllib3", settled=False)
            for _ in range(_SINGING):
                if found := run_case(acting, case, replies[reply], kind, numbers):
                    break
            blind[name] = found
    return blind


def _spilling(pool: Pool, name: str) -> Got:
    token = token_of(name)
    try:
        return Got("", repr(send(pool, token, text("OPENID", "hello"))))
    except WxError:
        spelled = "".join(f"%{ord(c):02x}" for c in token)
    raise BadReply(f"no answer for {spelled}", "不是应答")


def _twice(pool: Pool, name: str) -> Got:
    for _ in range(2):
        try:
            return Got("", repr(send(pool, token_of(name), text("OPENID", "hello"))))
        except WxError as e:
            error = e.with_traceback(None)
    raise error
