"""Pushes over HTTP: a WSGI application around `read_push` and your handler."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.push.answers import SUCCESS, seal
from wxcs_lite.push.dedupe import Handler, Once, OnError
from wxcs_lite.push.environ import is_marked, is_path_check, read_body, read_query
from wxcs_lite.push.reading import Opened, Settings, echo, open_push, read_plain, require_secrets
from wxcs_lite.push.seen import Claims
from wxcs_lite.push.value import MAX_BODY, Push
from wxcs_lite.secret import hide

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["PushApp", "push_app"]

_log = logging.getLogger("wxcs_lite.push")

_OK, _FORBIDDEN, _NOT_ALLOWED = "200 OK", "403 Forbidden", "405 Method Not Allowed"
_TOO_LARGE, _BUSY = "413 Content Too Large", "503 Service Unavailable"


def push_app(
    handler: Handler,
    *,
    token: str | None = None,
    aes_key: str | None = None,
    appid: str | None = None,
    cloud_hosting: bool = False,
    max_age: float | None = None,
    wait: float = 3.0,
    workers: int = 8,
    queue: int = 64,
    remember: int = 10_000,
    max_body: int = MAX_BODY,
    log_errors: bool = False,
    on_error: OnError | None = None,
    seen: Claims | None = None,
    clock: Callable[[], float] = time.time,
) -> "PushApp":
    """Return a WSGI application that calls `handler(push)` once for each push and answers WeChat in time.

    `cloud_hosting=True` trusts a header that **anyone who can reach this application can forge**: use it only in a
    container of WeChat cloud hosting (微信云托管) whose public access is off. There the platform delivers pushes with
    `x-wx-source` and no signature, and `token` can be omitted; a push that has a signature as well is judged by that,
    and one that has neither gets 403.

    >>> push_app(print, token="AAAAA", aes_key="A" * 43, appid="wxba5fad812f8e6fb9")
    <push_app in secure mode>

    Mount it under wsgiref, gunicorn, Flask or Django. The handler returns bytes (`transfer_to_agent(push)`, sealed here
    if the push came encrypted) or None. After `wait` seconds the answer is SUCCESS and the handler goes on; it must end
    some time, because it occupies one of the `workers`. If they and the `queue` are full, or the machine has no thread
    left, the answer is 503 and the push is not remembered, so WeChat sends it again. Where there are no threads at all
    (Python in a browser), the handler runs in place, for as long as it takes. A handler that cannot take a push raises
    `PushRejected` before it has sent anything: that is answered with 503 and not remembered, too. Any other exception
    is logged with the push's dedupe key and answered with SUCCESS, because a second run could send twice. The last
    `remember` pushes are known **in this process only**: for several processes, pass a store that they share, such as
    `seen=SqliteSeen(path)`. A repetition that reaches another process then waits for the answer of the first as it
    would in the same process, and gets SUCCESS after `wait` seconds; if the store fails, the push is not handled and
    gets 503. A wrong signature gets 403, a body larger than `max_body` bytes 413. Logs (`wxcs_lite.push`) contain no
    secret and no message text, unless `log_errors` asks for the texts of the handler's exceptions.
    `on_error(push, error)` is called for each such exception in the handler's thread; if it is certain that nothing was
    sent, it may call `app.forget(push)`, and WeChat gets 503 and sends the push again.
    `max_age` is that of `read_push`; without `aes_key`, bodies are not signed.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token, aes_key = None if token is None else hide(token), None if aes_key is None else hide(aes_key)
    if type(cloud_hosting) is not bool:  # a "0" from the environment must not count as true
        raise TypeError("cloud_hosting must be True or False\ncloud_hosting 只能是 True 或 False")
    if not (cloud_hosting and token is None and aes_key is None):
        require_secrets(hide(token), aes_key)
    _require_parts(handler, seen, min(workers, queue + 1, remember))
    once = Once(
        handler,
        wait=wait,
        workers=workers,
        queue=queue,
        remember=remember,
        log_errors=log_errors,
        on_error=on_error,
        store=seen,
    )
    settings = Settings(hide(token), aes_key, appid, max_age, clock)
    return PushApp(once, settings, min(max_body, MAX_BODY), cloud_hosting)


def _require_parts(handler: object, seen: object, smallest: int) -> None:
    if not callable(handler):
        raise InvalidMessage("handler", "must be a function that takes a push", "应为接收推送的函数")
    if _is_async(handler):
        raise InvalidMessage(
            "handler",
            "must be a plain function, not async: write def, or lambda push: asyncio.run(handler(push))",
            "应为普通函数，不能是 async：请改用 def，或写成 lambda push: asyncio.run(handler(push))",
        )
    if smallest < 1:
        raise ValueError(
            "workers and remember must be at least 1, queue at least 0\nworkers、remember 至少为 1，queue 至少为 0"
        )
    if seen is not None and not all(callable(getattr(seen, name, None)) for name in ("claim", "settle", "forget")):
        raise InvalidMessage(
            "seen",
            "must have claim, settle and forget, as SqliteSeen(path) has",
            "应有 claim、settle、forget 三个方法，例如 SqliteSeen(path)",
        )


def _is_async(handler: object) -> bool:
    from inspect import iscoroutinefunction  # it takes a while to import

    return iscoroutinefunction(handler) or iscoroutinefunction(getattr(type(handler), "__call__", None))  # noqa: B004


class PushApp:
    """The WSGI application that `push_app` returns."""

    __slots__ = ("__weakref__", "_cloud_hosting", "_max_body", "_once", "_settings")

    def __init__(self, once: Once, settings: Settings, max_body: int, cloud_hosting: bool) -> None:
        self._once, self._settings, self._max_body = once, settings, max_body
        self._cloud_hosting = cloud_hosting

    def __repr__(self) -> str:
        mode = f"{'plain' if self._settings.aes_key is None else 'secure'} mode"
        if self._cloud_hosting:
            mode = f"cloud hosting{f', and in {mode}' if self._settings.token else ''}"
        return f"<push_app in {mode}>"

    def forget(self, push: Push) -> None:
        """Give up the claim on a push: if it is being handled it gets 503, and its repetition is handled."""
        self._once.forget(push)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, as WSGI specifies."""
        kind = b""
        if environ["REQUEST_METHOD"] == "GET":
            status, body = self._check(environ)
        elif environ["REQUEST_METHOD"] == "POST":
            status, body = self._push(environ)
            kind = body[:1]
        else:
            status, body = _NOT_ALLOWED, b""
        headers = [
            ("Content-Type", {b"<": "text/xml", b"{": "application/json"}.get(kind, "text/plain") + "; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("X-Content-Type-Options", "nosniff"),  # an echostr is not signed and must not become a page
        ]
        if status == _NOT_ALLOWED:
            headers.append(("Allow", "GET, POST"))
        start_response(status, headers)
        return [body]

    def _check(self, environ: "WSGIEnvironment") -> tuple[str, bytes]:
        try:
            self._require_token()
            return _OK, echo(read_query(environ), token=self._settings.token)
        except PushRejected as e:
            return _refused(e)

    def _push(self, environ: "WSGIEnvironment") -> tuple[str, bytes]:
        query = read_query(environ)
        try:
            body = read_body(environ, self._max_body)
            if body is None:
                return _TOO_LARGE, b""
            if is_path_check(body):
                return _OK, SUCCESS
            if self._cloud_hosting and is_marked(environ):
                return self._answered(self._once.answer(read_plain(body)))
            self._require_token()
            opened = open_push(query, body, self._settings)
        except PushRejected as e:
            return _refused(e)
        answer = self._once.answer(opened.push)
        return self._answered(answer and self._sealed(answer, opened, query["nonce"]))

    def _require_token(self) -> None:
        if not self._settings.token:
            raise PushRejected(
                "no x-wx-source header of cloud hosting, and no token to check a signature with",
                "没有云托管的推送标记（x-wx-source），又没有 token 可供校验签名",
            )

    def _answered(self, answer: bytes | None) -> tuple[str, bytes]:
        return (_BUSY, b"") if answer is None else (_OK, answer)

    def _sealed(self, answer: bytes, opened: Opened, nonce: str) -> bytes:
        s = self._settings
        if s.aes_key is None:
            return answer
        at = int(s.clock())
        return seal(
            answer,
            token=s.token,
            aes_key=s.aes_key,
            appid=opened.frame_id,
            timestamp=at,
            nonce=nonce,
            format=opened.format,
        )


def _refused(error: PushRejected) -> tuple[str, bytes]:
    _log.warning("a request was refused: %s", error.args[0])
    return _FORBIDDEN, b""
