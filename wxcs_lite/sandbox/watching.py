"""What `Sandbox.watch` tells of: calls, messages on phones, what customers do, pushes, and time that was skipped."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from wxcs_lite.sandbox.http.values import Reply, Request, Seen, is_secret, seen
from wxcs_lite.sandbox.pushes.delivery import Pushed
from wxcs_lite.sandbox.rules.people import Arrived, CustomerEvent

__all__ = ["Advanced", "Called", "Happening", "Watcher", "called", "without_misplaced"]

_SHOWN = 4096  # characters of a body
_PARSED = 2**18  # bytes of the longest body that is looked into
# A token or an AppSecret in the wrong place, whatever the field is called.
_MISPLACED = re.compile(r"\b[0-9]{1,4}_[\w-]{24,}|\b[0-9a-fA-F]{32}\b", re.ASCII)


class Called(NamedTuple):
    """A call that was answered at `at`: `openid` is its touser, or empty; `ms` are milliseconds that it really took.

    `sent` and `received` are the bodies as they can be shown: JSON without tokens and secrets, of all else the size.
    """

    at: float
    openid: str
    ms: float
    seen: Seen
    sent: str
    received: str

    def __repr__(self) -> str:
        to = f" for {self.openid}" if self.openid else ""
        return f"Called({self.seen.method} {self.seen.path}{to}: HTTP {self.seen.status}, errcode {self.seen.errcode})"


class Advanced(NamedTuple):
    """The time was moved forwards by `seconds`, and is `at` now."""

    at: float
    seconds: float


Happening = Called | Arrived | CustomerEvent | Pushed | Advanced
Watcher = Callable[[Happening], object]


def called(request: Request, reply: Reply | None, at: float, seconds: float) -> Called:
    """Return what can be shown of a call.

    >>> body = b'{"touser":"ann","access_token":"abc"}'
    >>> request = Request("POST", "/cgi-bin/message/custom/send", (), {}, body, True)
    >>> shown = called(request, Reply(200, (), b'{"errcode":0}'), 0.0, 0.001)
    >>> shown.openid, shown.ms, shown.sent, shown.received
    ('ann', 1.0, '{"touser": "ann", "access_token": "***"}', '{"errcode": 0}')
    """
    kind = request.headers.get("content-type", "")
    fields = _parsed(request.body)
    touser = fields.get("touser") if isinstance(fields, dict) else None
    openid = without_misplaced(touser)[:64] if isinstance(touser, str) else ""
    received = "" if reply is None else _shown(reply.body, dict(reply.headers).get("Content-Type", ""))
    return Called(at, openid, round(seconds * 1000, 3), seen(request, reply), _shown(request.body, kind), received)


def without_misplaced(text: str) -> str:
    """Return a text without what has the shape of a token or an AppSecret.

    >>> without_misplaced("token 89_AbCdEfGhIjKlMnOpQrStUvWxYz")
    'token ***'
    """
    return _MISPLACED.sub("***", text)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body[:1] in (b"{", b"[") and len(body) <= _PARSED else None
    except (ValueError, RecursionError):
        return None


def _shown(body: bytes, kind: str) -> str:
    value = _parsed(body)
    if value is None:
        kind = kind.partition(";")[0]
        return f"{len(body)} bytes{' of ' + kind if kind else ''}" if body else ""
    try:
        text = json.dumps(_without_secrets(value), ensure_ascii=False)
    except RecursionError:
        return f"{len(body)} bytes"
    return without_misplaced(text)[:_SHOWN]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "***" if is_secret(name) else _without_secrets(part) for name, part in value.items()}
    return [_without_secrets(part) for part in value] if isinstance(value, list) else value
