"""Runs one call, and checks its outcome against the promises: whose answer, maybe_sent, the type, secrets, time."""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.attack.calls import Got, Kind, names_in, readable, secrets_of
from tests.test_secrets import everything_about
from wxcs_lite import ApiError, BadReply, WxError
from wxcs_lite.pools import Pool

__all__ = ["READ_TIMEOUT", "Outcome", "faults", "places_of", "tried"]

READ_TIMEOUT = 0.25  # seconds
_PATIENCE = 6  # read timeouts
_SLACK = 2.5  # seconds: a machine may be busy


class Outcome(NamedTuple):
    """What a call returned or raised, and how long it took in seconds."""

    got: Got | None
    error: BaseException | None
    seconds: float


def tried(kind: Kind, pool: Pool, name: str) -> Outcome:
    begun = time.monotonic()
    got, error = None, None
    try:
        got = kind.call(pool, name)
    except BaseException as e:  # whatever comes is to be judged
        error = e
    return Outcome(got, error, time.monotonic() - begun)


def places_of(pool: Pool) -> int:
    """Return how many connections can be taken from the pool."""
    return pool.pool.qsize() if pool.pool else 0


def faults(outcome: Outcome, kind: Kind, name: str, *, heard: int, bounded: bool = True) -> Iterator[str]:
    """Yield what is wrong with a call that reached the server `heard` times; not `bounded`: a drip may hold it."""
    if bounded and outcome.seconds > _PATIENCE * READ_TIMEOUT + _SLACK:
        yield f"took {outcome.seconds:.1f} s"
    if heard > (1 if kind.tells else 2):
        yield f"sent {heard} times"
    if outcome.got is not None:
        yield from _faults_of_value(outcome.got, name)
    if outcome.error is not None:
        yield from _faults_of_error(outcome.error, name, heard)


def _faults_of_value(got: Got, name: str) -> Iterator[str]:
    if others := names_in(got.content) - {name}:
        yield f"read the answer of {sorted(others)}"
    if found := _secrets_in(got.shown, name):
        yield f"shows a secret: {found}"


_parsing = threading.Lock()  # IPython parses source, which Python 3.11 does in one thread at a time only


def _faults_of_error(error: BaseException, name: str, heard: int) -> Iterator[str]:
    with _parsing:
        shown = "\n".join(everything_about(error))
    if found := _secrets_in(shown, name):
        yield f"{type(error).__name__} shows a secret: {found}"
    if not isinstance(error, WxError):
        yield f"a bare {type(error).__name__}: {str(error)[:80]}"
        return
    if others := names_in(str(error)) - {name}:
        yield f"read the answer of {sorted(others)}"
    if heard and not error.maybe_sent and not _refused(error):
        yield f"{type(error).__name__} says that nothing was sent, but it was heard: {error.en[:80]}"


def _refused(error: WxError) -> bool:
    """Return whether the other side has said for certain that it did nothing."""
    if isinstance(error, ApiError):
        return error.errcode not in (-1, 4)
    return isinstance(error, BadReply) and error.status in (404, 412)


def _secrets_in(shown: str, name: str) -> str:
    known = readable(shown)
    return next((known[max(0, at - 60) : at + 12] for at in map(known.find, secrets_of(name)) if at >= 0), "")
