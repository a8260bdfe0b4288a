"""One request out, one reply in: everything that is sent or received passes through here.

Nothing is retried, no redirect is followed, every reply has a size limit, and errors from below leave here as ours,
raised only after urllib3's own are gone.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from urllib3 import HTTPHeaderDict, Retry
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse

from wxcs_lite.errors import InvalidMessage, WxError
from wxcs_lite.failures import told_of
from wxcs_lite.forks import stay_in, watch
from wxcs_lite.framing import PATIENCE, Malformed
from wxcs_lite.logs import log_call, redact_logs
from wxcs_lite.multipart import PIECE, Multipart, pieces
from wxcs_lite.pools import CallTimeout, Pool, require_pool, warn_of_exposure
from wxcs_lite.replies import Headers, Reply, refuse_encoded, scrub_texts, too_large, without_content
from wxcs_lite.request import Request
from wxcs_lite.secret import Secret, any_spelling, hidden, secret_of
from wxcs_lite.tracebacks import Carried, call_cleanly

__all__ = [
    "Progress",
    "Reply",
    "answer",
    "drop",
    "note_relay",
    "open_response",
    "perform",
    "read_bounded",
    "read_piece",
    "refuse_unread",
    "scrub_echo",
    "without_echo_in",
]

MAX_JSON = 1024 * 1024  # bytes
MAX_MEDIA = 16 * 1024 * 1024  # bytes; the largest documented medium has 10 MB
_POOL_TIMEOUT = 60  # seconds to wait for a free connection
SECRET_LENGTH = 8  # characters; real ones have 32 and more
_SEQID_LENGTH = 80  # characters, with room to spare
_EMPTY = (204, 304)  # statuses of replies without content, as all below 200 are
_ONCE = Retry.from_int(False, redirect=False)

redact_logs()

Progress = Callable[[int, int], object]
_T = TypeVar("_T")


def perform(
    pool: Pool,
    token: str | None,
    request: Request,
    *,
    max_bytes: int | None = None,
    progress: Progress | None = None,
) -> Reply:
    """Send a request, once, and return the reply as it came; token is None for a call that takes none.

    >>> from wxcs_lite import endpoints
    >>> from wxcs_lite.sandbox import Sandbox
    >>> reply = perform(Sandbox().pool(), "80_made-up", endpoints.get_callback_ip())
    >>> reply.status, reply.body[:17]
    (200, b'{"errcode":40001,')

    An API error is a reply, too: `read_ok(*reply)` raises it. Raises TransportError if no complete reply arrived,
    BadReply for more than max_bytes (1 MiB, 16 MiB for a medium). `progress(sent, total)` counts bytes of the body.
    """
    pool, token = hidden(pool, token)
    __tracebackhide__ = True
    return call_cleanly(request, secret_of(token), lambda: _exchange(pool, token, request, max_bytes, progress))


def _exchange(
    pool: Pool, token: str | None, request: Request, max_bytes: int | None, progress: Progress | None
) -> Reply:
    medium = request.gives == "media"
    limit = max_bytes if max_bytes is not None else MAX_MEDIA if medium else MAX_JSON
    response, begun = None, time.perf_counter()
    try:
        response = open_response(pool, token, request, progress)
        body = read_bounded(response, request, limit, None if medium else pool)
    except BaseException as e:
        drop(response)
        log_call(request, begun, type(e).__name__)
        raise
    response.release_conn()
    log_call(request, begun, f"HTTP {response.status}", body)
    return Reply(response.status, response.headers, body)


def open_response(
    pool: Pool, token: str | None, request: Request, progress: Progress | None = None
) -> BaseHTTPResponse:
    """Send the request and return the response with its body unread; to be run by `call_cleanly`."""
    require_pool(pool)
    watch(pool)
    # A line break from a file leads to 40001; a lone surrogate cannot be encoded, and Python's error would show it all.
    if token is not None and not (token and token.isprintable()):
        raise InvalidMessage(
            "token",
            "must be a non-empty str without line breaks or other control characters; "
            "fresh_token returns a function, so write send(pool, token(), message)",
            "应为非空 str，且不含换行等控制字符；fresh_token 返回的是函数，要写成 send(pool, token(), message)",
        )
    if getattr(pool, "exposed", False) and (isinstance(token, Secret) or not request.takes_token):
        warn_of_exposure(pool)
    limits = _limits(pool, request)
    body, headers = _framed(request, progress, limits.get("timeout"))
    if pool.headers:
        headers = _joined(pool.headers, headers)
    return pool.urlopen(
        request.method,
        request.url(token),
        body,
        headers,
        retries=_ONCE,
        redirect=False,
        preload_content=False,
        decode_content=False,
        **limits,
    )


def _limits(pool: Pool, request: Request) -> dict[str, Any]:
    """Return the time limits that urllib3 gets for this call."""
    timeout = pool.timeout
    if not isinstance(timeout, CallTimeout):
        return {"pool_timeout": _POOL_TIMEOUT}
    call = timeout.begin(math.inf if request.gives == "media" else PATIENCE * timeout.silence)
    return {"timeout": call, "pool_timeout": min(_POOL_TIMEOUT, call.left)}


def _joined(others: Mapping[str, str], ours: Mapping[str, str]) -> HTTPHeaderDict:
    """Return the pool's headers overridden by ours, without Accept-Encoding, because we refuse compressed replies."""
    headers = HTTPHeaderDict(others)
    headers.discard("accept-encoding")
    headers.update(ours)
    return headers


def _framed(request: Request, progress: Progress | None, call: CallTimeout | None) -> tuple[Any, Mapping[str, str]]:
    """Return body and headers as they are sent: with a Content-Length, in pieces of at most 64 KiB."""
    body, headers = request.body, request.headers
    if body is None:
        return None, headers
    if not isinstance(body, bytes | Multipart):
        raise TypeError(f"the body of a Request must be bytes, Multipart or None, not {type(body).__name__}")
    if isinstance(body, bytes) and len(body) <= PIECE and progress is None:
        return body, headers
    headers["Content-Length"] = str(len(body))
    return _leaving(request, body, progress, call), headers


def _leaving(
    request: Request, body: bytes | Multipart, progress: Progress | None, call: CallTimeout | None
) -> Iterator[bytes]:
    sent, total, process = 0, len(body), os.getpid()
    try:
        for piece in pieces(body) if isinstance(body, bytes) else body:
            stay_in(process)  # reading a file and `progress` may have forked
            if call is not None and not call.left:
                raise told_of(
                    request, "it was not all sent within total_timeout", "未能在 total_timeout 内发完", "TimeoutError"
                )
            yield piece
            sent += len(piece)
            if progress is not None:
                progress(sent, total)
        stay_in(process)
    except Exception as e:
        if isinstance(e, WxError):
            e.maybe_sent = True  # its own value speaks of another moment or another call
        raise Carried(e) from None


def refuse_unread(response: BaseHTTPResponse) -> None:
    """Refuse a reply that has no content, or a compressed one, before it is read.

    After such a reply its connection must be closed: what comes next belongs to no call, and urllib3 would put the
    connection back into the pool as soon as it had read nothing.
    """
    if response.status < 200 or response.status in _EMPTY:
        raise without_content(response.status)
    refuse_encoded(response.status, response.headers)


def read_bounded(response: BaseHTTPResponse, request: Request, limit: int, pool: Pool | None) -> bytes:
    """Return the body; with a `pool` it must also end in time, because a server may send byte by byte for ever."""
    refuse_unread(response)
    begun, found, size = time.monotonic(), [], 0
    while piece := read_piece(response, _whole(response, limit) if pool is None else None):
        size += len(piece)
        if size > limit:
            raise too_large(response.status, limit)
        found.append(piece)
        if response.length_remaining == 0:
            break  # the usual reply, whole in one piece
        if pool is not None and time.monotonic() - begun > PATIENCE * _longest_silence(pool):
            raise told_of(request, "the reply arrived too slowly", "应答传输过慢，未能等到结束", "TimeoutError")
    return found[0] if len(found) == 1 else b"".join(found)


def read_piece(response: BaseHTTPResponse, wanted: int | None = None) -> bytes:
    """Return `wanted` bytes of the body or, without a number, what has arrived, 64 KiB at most."""
    try:
        return response.read1(PIECE) if wanted is None else response.read(wanted)
    except (OverflowError, ValueError):  # http.client accepts a chunk size of -5
        raise ProtocolError("no chunk size", Malformed()) from None


def _whole(response: BaseHTTPResponse, limit: int) -> int:
    """Return how much of a medium to read at once: all of it if its length is known, because that saves copies."""
    left = response.length_remaining
    if left is None:
        return PIECE
    if left > limit:
        raise too_large(response.status, limit)
    return left


def _longest_silence(pool: Pool) -> float:
    """Return the pool's read timeout in seconds; one given as a total knows it only once it has started."""
    if isinstance(pool.timeout, CallTimeout):
        return pool.timeout.silence
    timeout = pool.timeout.clone()
    timeout.start_connect()
    seconds = timeout.read_timeout
    return seconds if isinstance(seconds, int | float) else math.inf


def drop(response: BaseHTTPResponse | None) -> None:
    """Close the connection of a reply that was not read to its end, and give its place in the pool back."""
    if response is not None:
        response.close()
        response.release_conn()


def answer(
    pool: Pool,
    token: str | None,
    request: Request,
    read: Callable[[int, Headers, bytes], _T],
    *,
    secret: str | None = None,
    max_bytes: int | None = None,
    progress: Progress | None = None,
) -> _T:
    """Send the request and read its reply; `secret` is the one in the body, for a call that takes no token."""
    __tracebackhide__ = True
    secret = secret or secret_of(token)

    def read_reply() -> _T:
        status, headers, body = _exchange(pool, token, request, max_bytes, progress)
        echo = (secret or "").encode()
        try:
            # A short text could be part of any word in the reply, and is not a secret.
            if secret is None or len(echo) < SECRET_LENGTH:
                return read(status, headers, body)
            if request.gives == "media":
                return read(status, without_echo_in(headers, secret), body)
            value = read(status, headers, body.replace(echo, b"***") if echo in body else body)
        except WxError as e:
            note_relay(e, headers)
            raise
        if b"\\" in body or b"%" in body or b"&" in body or b"\0" in body:  # otherwise it has no other spelling there
            return scrub_echo(value, secret)
        return value

    return call_cleanly(request, secret, read_reply)


def scrub_echo(value: _T, secret: str | None) -> _T:
    """Return what was read without the secret; a short text could be part of any word, and is not a secret."""
    if secret is None or len(secret) < SECRET_LENGTH:
        return value
    return scrub_texts(value, partial(any_spelling(secret).sub, "***"))


def note_relay(error: WxError, headers: Headers) -> None:
    """Add the id that the relay of WeChat cloud hosting gives each call; without one, the call did not pass it."""
    # https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/open.md
    seqid = headers.get("x-openapi-seqid", "")
    if 0 < len(seqid) <= _SEQID_LENGTH and seqid.isprintable():
        error.add_note(f"x-openapi-seqid: {seqid}")


def without_echo_in(headers: Headers, secret: str | None) -> Headers:
    """Return the headers of a medium without the secret, because its filename and type are shown to people."""
    if (
        secret is None
        or len(secret) < SECRET_LENGTH
        or not any(map(partial(_may_hold, secret), headers, headers.values()))
    ):
        return headers
    clean = partial(any_spelling(secret).sub, "***")
    return HTTPHeaderDict({clean(name): clean(value) for name, value in headers.items()})


_ESCAPES = frozenset("\\%&")


def _may_hold(secret: str, name: str, value: str) -> bool:
    text = f"{name}: {value}"
    return secret in text or not _ESCAPES.isdisjoint(text)
