"""Thousands of changed pushes: nothing but a refusal, or a push that is what was sealed."""

import itertools
import json
import logging
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from tests.attack.found import Finding, Result
from tests.test_push_app import APPID, KEY, NOW, TOKEN, call, plain, secure
from tests.test_push_fuzz import SIGNED, mutate, mutate_query, signed_part
from wxcs_lite import PushRejected
from wxcs_lite.push import Push, push_app, read_push

__all__ = ["canaries", "run"]

_SEED = 20260102
_EACH, _QUICK = 5_000, 300  # of plain and of secure ones, to read_push and to push_app
_SECRETS = (TOKEN, KEY)

_Read = Callable[[dict[str, str], bytes], Push]


def run(quick: bool, only: str = "") -> Result:
    """Pass changed pushes to read_push and push_app; the seed and the number of a case repeat it."""
    each = _QUICK if quick else _EACH
    found: list[Finding] = []
    logging.getLogger("wxcs_lite").addHandler(quiet := logging.NullHandler())
    cases = 0
    for wrap, (name, take) in itertools.product((plain, secure), _TAKERS.items()):
        if only in f"{wrap.__name__} / {name}":
            found += list(_all(wrap, name, take(wrap), each))
            cases += each
    logging.getLogger("wxcs_lite").removeHandler(quiet)
    return Result(cases, found, f"seed {_SEED}: plain and secure, JSON and XML, read_push and push_app")


def _all(wrap: Callable[..., tuple[str, bytes]], name: str, take: "_Take", each: int) -> Iterator[Finding]:
    for number in range(each):
        rng = random.Random(f"{_SEED} {wrap.__name__} {name} {number}")
        fields = {"ToUserName": "gh_1", "FromUserName": "u", "CreateTime": NOW, "MsgType": "text", "MsgId": number}
        fields["Content"] = rng.choice(("你好 👋", "hello", "<a>&amp;]]>", "x" * 500))
        query, body = wrap(fields, form=rng.choice(("json", "xml")))
        which = rng.randrange(4)
        changed = mutate_query(rng, query) if which in (0, 1) else query
        given = mutate(rng, body) if which in (1, 2, 3) else body
        for what in _wrong(take, wrap is secure, (query, changed), (body, given), fields):
            yield Finding(f"{wrap.__name__} / {name} / number {number}", what)


# Gives the pushes that were let through, or raises what should not be raised.
_Take = Callable[[str, bytes], list[Push]]


def _wrong(
    take: _Take, sealed: bool, queries: tuple[str, str], bodies: tuple[bytes, bytes], fields: dict[str, Any]
) -> Iterator[str]:
    try:
        passed = take(queries[1], bodies[1])
    except Exception as e:
        yield f"raises {type(e).__name__}: {str(e)[:80]}"
        return
    for push in passed:
        if sealed and push.fields != fields:
            yield f"lets through what was not sealed: {push.fields}"
        if not sealed and all(part(queries[1]) != part(queries[0]) for part in (signed_part, _last_of_signed)):
            yield "lets a query through whose signed part was changed"
        if bodies[0] == bodies[1] and push.fields != fields:
            yield f"reads an unchanged body as {push.fields}"
    if not passed and queries[0] == queries[1] and bodies[0] == bodies[1]:
        yield "refuses what is not changed"


def _last_of_signed(query: str) -> list[str | None]:
    """Return what a dict has of a query that names a parameter twice."""
    found = dict(parse_qsl(query, keep_blank_values=True))
    return [found.get(name) for name in SIGNED]


def _reader(wrap: object) -> _Take:
    return _reading(lambda query, body: read_push(query, body, **_keys(wrap)))


def _reading(read: _Read) -> _Take:
    def take(query: str, body: bytes) -> list[Push]:
        try:
            return [read(dict(parse_qsl(query, keep_blank_values=True)), body)]
        except PushRejected as e:
            shown = f"{e}{e!r}{e.__cause__!r}{e.__context__!r}"
            if any(secret in shown for secret in _SECRETS):
                raise AssertionError("shows a secret") from None
            return []

    return take


def _keys(wrap: object) -> dict[str, Any]:
    return {"token": TOKEN, **({"aes_key": KEY, "appid": APPID} if wrap is secure else {})}


def _application(wrap: object) -> _Take:
    seen: list[Push] = []
    app = push_app(seen.append, remember=10, **_keys(wrap))

    def take(query: str, body: bytes) -> list[Push]:
        seen.clear()
        status = call(app, "POST", query, body).status
        if status not in (200, 403) or (seen and status != 200):
            raise AssertionError(f"HTTP {status}")
        return list(seen)

    return take


_TAKERS: dict[str, Callable[[object], _Take]] = {"read_push": _reader, "push_app": _application}


def _unsigned(query: dict[str, str], body: bytes) -> Push:
    """Read a push without checking its signature."""
    try:
        return Push(json.loads(body), "json")
    except ValueError:
        raise PushRejected("no JSON", "不是 JSON") from None


def _raising(query: dict[str, str], body: bytes) -> Push:
    """Let the error of a parser out."""
    try:
        return read_push(query, body, token=TOKEN)
    except PushRejected:
        json.loads(body)
        raise


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for a reader that checks no signature, and for one that raises any error."""
    clients = {"no signature": _unsigned, "a bare error": _raising}
    return {name: list(_all(plain, name, _reading(read), 100)) for name, read in clients.items()}
