"""Where pushes go: a URL, through urllib3, or a WSGI application, called directly. Each attempt has a time limit."""

import io
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import PurePath
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import urllib3
from urllib3.util import SKIP_HEADER, Timeout, parse_url

from wxcs_lite.sandbox.http.values import Reply, Request

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Target", "ask", "open_target"]

_MAX_ANSWER = 64 * 2**10  # bytes; the longest meaningful answer has a few hundred
_PIECE = 4096  # bytes
_THREADS = sys.platform != "emscripten"  # Pyodide has none
_HTTP = re.compile(r"https?://[^/?#]", re.IGNORECASE)


class Target(NamedTuple):
    """Where pushes go: a name and a path to show, and a function that sends a request within a number of seconds."""

    name: str
    path: str
    send: Callable[[Request, float], Reply]


class _NoAnswerError(Exception):
    """No answer came; the text says why, in two languages."""


def open_target(target: "str | WSGIApplication") -> Target:
    """Return the target of a URL or a WSGI application, or raise ValueError; nothing is sent yet."""
    if isinstance(target, str):
        return _to_url(target)
    if not callable(target):
        raise ValueError(f"target must be a URL or a WSGI application, not {type(target).__name__}")
    return Target(
        getattr(target, "__qualname__", type(target).__qualname__),
        "/",
        lambda request, time_limit: _call(target, request),
    )


def ask(target: Target, request: Request, time_limit: float) -> Reply | str:
    """Return the reply, or a text that says why there is none; a second line says it in Chinese, if words are needed.

    The request runs in a thread, because neither an application nor a peer that sends byte by byte can be stopped: when
    the time is up, the thread is abandoned and its answer is dropped. Where there are no threads (a browser), it takes
    the time that it takes.
    """
    outcome: list[Reply | str] = []

    def run() -> None:
        try:
            outcome.append(target.send(request, time_limit))
        except BaseException as error:  # an application that calls exit() has not answered either
            outcome.append(_why(error))

    if not _THREADS:
        run()
        return outcome[0]
    worker = Thread(target=run, name="wxcs_lite push", daemon=True)
    worker.start()
    worker.join(time_limit)
    return outcome[0] if outcome else f"no answer within {time_limit:g} s\n{time_limit:g} 秒内没有应答"


def _why(error: BaseException) -> str:
    # No texts of other libraries' errors, because they may quote anything.
    if isinstance(error, _NoAnswerError):
        return str(error)
    name = type(error).__name__
    if isinstance(error, urllib3.exceptions.HTTPError):
        return name
    *_, last = traceback.extract_tb(error.__traceback__, -1)
    file = PurePath(last.filename).name
    return f"{name} in {file}, line {last.lineno}\n{name}，位于 {file} 第 {last.lineno} 行"


def _gather(parts: Iterable[bytes]) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) >= _MAX_ANSWER:
            break  # enough
    return bytes(body[:_MAX_ANSWER])


# --- a URL


def _to_url(given: str) -> Target:
    if not _HTTP.match(given):
        raise ValueError("a target URL must begin with http:// or https:// and a host")
    try:
        url = parse_url(given)
    except urllib3.exceptions.LocationParseError:
        url = None
    if url is None or url.auth is not None or not url.host:
        raise ValueError("this is not a valid target URL: it has a user name, or cannot be parsed")
    start = f"{url.path or '/'}?{url.query + '&' if url.query else ''}"
    origin = url._replace(path=None, query=None, fragment=None).url

    def send(request: Request, time_limit: float) -> Reply:
        headers = {name.title(): value for name, value in request.headers.items()}
        # WeChat was seen to use HTTP/1.0; urllib3 uses 1.1, so one connection for each push comes closest.
        headers |= {"Connection": "close", "Accept-Encoding": SKIP_HEADER}
        # A little longer than `ask` waits: this limit ends the thread, that one the attempt.
        timeout = Timeout(connect=time_limit + 1, read=time_limit + 1)
        with urllib3.connectionpool.connection_from_url(origin, timeout=timeout, retries=False) as pool:
            reply = pool.request(
                request.method,
                start + urlencode(request.query),
                body=request.body or None,
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                body = _gather(reply.stream(_PIECE, decode_content=False))
            finally:
                reply.close()
            return Reply(reply.status, tuple(reply.headers.items()), body)

    return Target(f"{origin}{url.path or '/'}", url.path or "/", send)


# --- a WSGI application


def _call(application: "WSGIApplication", request: Request) -> Reply:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = bytearray()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], None]:
        started.append((status, headers))
        return body.extend

    parts = application(_environ(request), start_response)
    try:
        body += _gather(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    if not started:
        raise _NoAnswerError("start_response was not called\n没有调用 start_response")
    status, headers = started[-1]
    return Reply(int(status[:3]), tuple(headers), bytes(body))


def _environ(request: Request) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": urlencode(request.query),
        "SERVER_NAME": "sandbox.invalid",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "sandbox.invalid",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    if request.body:
        environ |= {"CONTENT_TYPE": environ.pop("HTTP_CONTENT_TYPE"), "CONTENT_LENGTH": str(len(request.body))}
    return environ
