"""The values that go between the wire and the machine: requests, replies, and what a door has to do."""

import re
from http.client import responses
from typing import NamedTuple

__all__ = ["Answer", "Outcome", "Reply", "Request", "Seen", "page", "reason", "seen"]

_SECRET = ("token", "secret", "key")  # in a name, in any case
_LONG = r"[0-9]+_[\w%+=-]{8,}|[\w%+=-]{32,}"  # what a token or a secret in the wrong place looks like


class Request(NamedTuple):
    """One request; header names are in lower case. Its repr shows no query and no body: a token could be in there."""

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
    """One reply. Connection and Content-Length are added where the headers have no framing of their own."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    errcode: int | None = None
    reason: str = ""  # in place of the usual words after the status

    def __repr__(self) -> str:
        return f"Reply({self.status}, errcode={self.errcode}, {len(self.body)} bytes)"


class Answer(NamedTuple):
    """What a request comes to: a reply, raw bytes in place of one, or None for a lost connection; after `slow` s."""

    reply: Reply | bytes | None
    slow: float = 0.0


class Outcome(NamedTuple):
    """The door's task: wait `slow` seconds, write `data`, and close if told so; unless it `ends`, more follows."""

    data: bytes
    close: bool
    slow: float = 0.0
    ends: bool = True


class Seen(NamedTuple):
    """One exchange as `on_request` gets it: no token, no secret, of the body only its size and kind."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: str
    status: int | None
    errcode: int | None


def page(status: int) -> Reply:
    """Return what a front end says that never asked WeChat: a page, no JSON.

    >>> page(404).body
    b'<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\\n'
    """
    title = f"{status} {reason(status)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Reply(status, (("Content-Type", "text/html"),), body.encode())


def reason(status: int) -> str:
    return responses.get(status, "Unknown")


def seen(request: Request, reply: Reply | None) -> Seen:
    """Return what may be shown of an exchange."""
    query = tuple(
        (re.sub(_LONG, "***", name), value if name == "media_id" else re.sub(_LONG, "***", value))
        for name, value in request.query
        if not any(word in name.lower() for word in _SECRET)
    )
    kind = request.headers.get("content-type", "").partition(";")[0]
    body = f"{len(request.body)} bytes{' of ' + kind if kind else ''}" if request.body else ""
    return Seen(
        request.method, re.sub(_LONG, "***", request.path), query, body, reply and reply.status, reply and reply.errcode
    )
