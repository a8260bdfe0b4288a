"""The values that pass between HTTP and the account: requests, replies, and what the connection does next."""

import re
from http.client import responses
from typing import NamedTuple

__all__ = ["Answer", "Outcome", "Reply", "Request", "Seen", "is_secret", "page", "reason", "seen"]

_SECRET = ("token", "secret", "key")  # in a name, in any case
_LONG = r"[0-9]+_[\w%+=-]{8,}|[\w%+=-]{32,}"  # the shape of a token or a secret in the wrong place


class Request(NamedTuple):
    """One request; header names are in lower case. Its repr shows no query and no body, which could contain a token."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    keep_alive: bool

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path}, {len(self.body)} bytes)"

    def parameter(self, name: str) -> str:
        return next((value for key, value in self.query if key == name), "")


class Reply(NamedTuple):
    """One reply. Connection and Content-Length are added unless the headers set their own framing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    errcode: int | None = None
    reason: str = ""  # in place of the usual words after the status

    def __repr__(self) -> str:
        return f"Reply({self.status}, errcode={self.errcode}, {len(self.body)} bytes)"


class Answer(NamedTuple):
    """The result of a request: a reply, raw bytes, or None for a lost connection, delayed by `slow` seconds."""

    reply: Reply | bytes | None
    slow: float = 0.0


class Outcome(NamedTuple):
    """What a connection does next: wait `slow` seconds, write `data`, close if told to; more follows unless it ends."""

    data: bytes
    close: bool
    slow: float = 0.0
    ends: bool = True


class Seen(NamedTuple):
    """One exchange as `on_request` gets it: no token, no secret, and only the body's size and type."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: str
    status: int | None
    errcode: int | None


def page(status: int) -> Reply:
    """Return the reply of a front-end server that did not reach the API: an HTML page, not JSON.

    >>> page(404).body
    b'<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\\n'
    """
    title = f"{status} {reason(status)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Reply(status, (("Content-Type", "text/html"),), body.encode())


def reason(status: int) -> str:
    return responses.get(status, "Unknown")


def is_secret(name: str) -> bool:
    """Return whether what has this name is never shown."""
    return any(word in name.lower() for word in _SECRET)


def seen(request: Request, reply: Reply | None) -> Seen:
    """Return the part of an exchange that is safe to show."""
    query = tuple(
        (re.sub(_LONG, "***", name), value if name == "media_id" else re.sub(_LONG, "***", value))
        for name, value in request.query
        if not is_secret(name)
    )
    kind = request.headers.get("content-type", "").partition(";")[0]
    body = f"{len(request.body)} bytes{' of ' + kind if kind else ''}" if request.body else ""
    return Seen(
        request.method, re.sub(_LONG, "***", request.path), query, body, reply and reply.status, reply and reply.errcode
    )
