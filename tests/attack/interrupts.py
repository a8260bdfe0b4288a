"""KeyboardInterrupt at every line of a call: the pool's place, the frames, and the next call's answer.

Two things that `wxcs_lite.tracebacks` says cannot be helped are counted separately: an interrupt before the first line
of a call has hidden its arguments, and one between urllib3's making of a response and our `try`.
"""

import gc
import itertools
import linecache
import sys
import threading
from collections.abc import Iterator
from traceback import walk_tb
from types import FrameType
from typing import Any, NamedTuple

from tests.attack.calls import KINDS, Got, Kind, names_in, readable, secrets_of, token_of
from tests.attack.found import Finding, Result
from tests.attack.judge import faults, places_of, tried
from tests.attack.server import POOLS, Acting
from tests.watchers import chain, walked
from wxcs_lite import send, text
from wxcs_lite.pools import Pool

__all__ = ["canaries", "run"]

_MOST_LOST = 25  # lines of a call at which the place may be lost
_QUICK, _QUICK_KINDS = 23, ("send", "stream", "fetch_token")
# Whose lines are interrupted; the standard library's locks and queues are not ours to judge.
_OURS = ("wxcs_lite", "urllib3", "http", "socket")


class Place(NamedTuple):
    """Where a call was interrupted."""

    module: str
    function: str
    line: int
    source: str


class _Interrupting:
    """Traces the lines below a call and raises at the one of this number, from 0."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.place: Place | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if not str(frame.f_globals.get("__name__", "")).partition(".")[0].startswith(_OURS):
            return self if event == "call" else None
        if event == "line" and self.place is None:
            code = frame.f_code
            source = linecache.getline(code.co_filename, frame.f_lineno).strip()
            if source.startswith("with "):
                return self  # its end, too, is such a line: between the block and the release no signal comes
            if self.left == 0:
                self.place = Place(str(frame.f_globals["__name__"]), code.co_name, frame.f_lineno, source)
                raise KeyboardInterrupt
            self.left -= 1
        return self


def _interrupted(kind: Kind, pool: Pool, name: str, at: int) -> tuple[Place | None, BaseException | None]:
    """Run a call that is interrupted at a line; no place: it has no such line."""
    tracing = _Interrupting(at)
    errors: list[BaseException] = []

    def call() -> None:
        sys.settrace(tracing)
        try:
            kind.call(pool, name)
        except BaseException as e:
            errors.append(e)
        finally:
            sys.settrace(None)

    # In a separate thread: an exception that is handled during the interrupt stays with the thread (CPython 3.11).
    thread = threading.Thread(target=call)
    gc.disable()  # what a collection calls is not part of the call
    thread.start()
    thread.join()
    gc.enable()
    return tracing.place, errors[0] if errors else None


def run(quick: bool, only: str = "") -> Result:
    """Interrupt each kind of call at each line, on a connection that is new and on one that is kept."""
    found: list[Finding] = []
    told: list[int] = [0, 0]
    numbers, cases = itertools.count(1), 0
    step = _QUICK if quick else 1
    with Acting() as acting:
        for kind, where, kept in itertools.product(KINDS, POOLS, (False, True)):
            name = f"{kind} / {where} / {'kept' if kept else 'new'}"
            if only in name and (not quick or kind in _QUICK_KINDS):
                rounds = _rounds(acting, KINDS[kind], where, kept, numbers, step)
                lost = 0
                for at, (place, wrong, known) in enumerate(rounds):
                    cases += 1
                    lost += "place" in known
                    told[0] += "place" in known
                    told[1] += "bare" in known
                    line = f"{name} / line {at * step}: {place.module}:{place.function}:{place.line} {place.source}"
                    found += [Finding(line, what) for what in wrong]
                if lost * step > _MOST_LOST * (1 if KINDS[kind].tells else 2):
                    found.append(Finding(name, f"the pool's place is lost at {lost} lines"))
    return Result(
        cases, found, f"written down: {told[0]} places lost inside urllib3, {told[1]} bare before the first line"
    )


_Round = tuple[Place, list[str], set[str]]


def _rounds(acting: Acting, kind: Kind, where: str, kept: bool, numbers: Iterator[int], step: int) -> Iterator[_Round]:
    for at in itertools.count(0, step):
        warm, name, probe = (f"id{next(numbers)}x" for _ in range(3))
        with POOLS[where](acting.server, 5) as pool:
            if kept:
                tried(kind, pool, warm)
            place, error = _interrupted(kind, pool, name, at)
            if place is None:
                return
            wrong, known = _judged(place, error, name)
            if places_of(pool) != 1:
                known.add("place")
                if not _inside_urllib3(place):
                    wrong.append("a place of the pool is lost")
            elif kind.tells:
                wrong += _next_call(acting, kind, pool, probe)
            yield place, wrong, known


def _inside_urllib3(place: Place) -> bool:
    return not place.module.startswith("wxcs_lite.")


def _judged(place: Place, error: BaseException | None, name: str) -> tuple[list[str], set[str]]:
    """Return what is wrong about the error, and what of it is known."""
    if error is None:  # Python swallows what a finalizer raises, and urllib3's responses have one
        return ([], {"swallowed"}) if _inside_urllib3(place) else (["the interrupt is swallowed"], set())
    wrong: list[str] = []
    known: set[str] = set()
    if not isinstance(error, KeyboardInterrupt):
        wrong.append(f"the interrupt comes out as {type(error).__name__}")
    shown = readable(walked(error) + _locals_of(error))
    if any(secret in shown for secret in secrets_of(name)):
        if place.module == "wxcs_lite.secret" or any(
            hiding in place.source for hiding in ("hidden(", "hide(", "hide_if_str(")
        ):
            known.add("bare")
        else:
            wrong.append("a frame shows a secret")
    return wrong, known


def _locals_of(error: BaseException) -> str:
    frames = [frame for e in chain(error) for frame, _ in walk_tb(e.__traceback__)]
    return "\n".join(_shown(value) for frame in frames for value in frame.f_locals.values())


def _shown(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # it was interrupted while it was made
        return ""


def _next_call(acting: Acting, kind: Kind, pool: Pool, probe: str) -> Iterator[str]:
    after = tried(kind, pool, probe)
    yield from (
        f"the next call: {what}" for what in faults(after, kind, probe, heard=acting.heard[probe], bounded=False)
    )
    if after.got is None or probe not in names_in(after.got.content):
        yield f"the next call does not read its own answer: {after.error!r} {after.got and after.got.content[:60]}"


def _keeping(pool: Pool, name: str) -> Got:
    """Hold a bare token in a frame."""
    bare = token_of(name)
    return Got("", repr(send(pool, bare, text("OPENID", "hello"))))


def _taking(pool: Pool, name: str) -> Got:
    """Take a place, and give it back only if all goes well."""
    taken = pool._get_conn()
    done = len(token_of(name))
    pool._put_conn(taken)
    return Got("", f"{done} {name}")


def _swallowing(pool: Pool, name: str) -> Got:
    try:
        return Got("", repr(send(pool, token_of(name), text("OPENID", "hello"))))
    except KeyboardInterrupt:
        return Got("", name)


def _releasing(pool: Pool, name: str) -> Got:
    """Put the connection back before its reply has been read."""
    path = f"{KINDS['send'].path}?access_token={token_of(name)}"
    connection = pool._get_conn()
    try:
        connection.request("POST", path, body=b"{}")
        answer = connection.getresponse()
        return Got("", answer.data.decode())
    finally:
        connection._HTTPConnection__response = None  # type: ignore[attr-defined]
        connection._HTTPConnection__state = "Idle"  # type: ignore[attr-defined]
        pool._put_conn(connection)


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for calls that keep a token, a place, the interrupt, or a half-read reply."""
    found = {}
    wanted = {_keeping: "secret", _taking: "place", _swallowing: "swallowed", _releasing: "own answer"}
    for call, sign in wanted.items():
        with Acting() as acting:
            rounds = _rounds(acting, Kind(call, KINDS["send"].path), "urllib3", True, itertools.count(1), 7)
            each = [(place, [*wrong, *known]) for place, wrong, known in rounds]
        found[call.__name__] = [Finding(str(place), what) for place, all_ in each for what in all_ if sign in what]
    return found
