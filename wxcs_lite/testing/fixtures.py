"""The fixtures: a sandbox for each test, with a pool in memory, or over HTTP for a cassette."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from wxcs_lite import fresh_token, open_pool
from wxcs_lite.pools import Pool
from wxcs_lite.push.dedupe import Once
from wxcs_lite.push.wsgi import PushApp
from wxcs_lite.request import API
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.pushes.delivery import Pushed, Pushes
from wxcs_lite.sandbox.pushes.requests import Format
from wxcs_lite.secret import hide
from wxcs_lite.testing.known import know
from wxcs_lite.testing.settings import recording, switches

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["PushTo", "wxcs_pool", "wxcs_push_to", "wxcs_sandbox", "wxcs_token"]

_TIME_LIMIT = 60.0  # seconds: on a busy machine, pushes might time out by chance after WeChat's five


class PushTo(Protocol):
    """The function that the fixture `wxcs_push_to` returns."""

    def __call__(
        self, app: "WSGIApplication", *, token: str | None = None, aes_key: str | None = None, format: Format = "json"
    ) -> Pushes: ...


@pytest.fixture
def wxcs_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A fresh sandbox whose clock stands still; `@pytest.mark.wxcs(…)` sets its switches."""
    sandbox = Sandbox(**switches(request.node))
    know(sandbox.appid, "APPID")
    know(sandbox.secret, "SECRET")
    return sandbox


@pytest.fixture
def wxcs_pool(request: pytest.FixtureRequest, wxcs_sandbox: Sandbox) -> Iterator[Pool]:
    """A pool to the sandbox: in memory, or over HTTP if the test is recorded.

    It connects to api.weixin.qq.com in a replayed test, and in one recorded with WXCS_APPID in the environment.
    """
    mode = recording(request)
    if mode is None:
        with wxcs_sandbox.pool() as pool:
            yield pool
    elif mode == "none" or _live_account():
        with open_pool(API) as pool:
            yield pool
    else:
        with wxcs_sandbox.serve() as url, open_pool(url) as pool:
            yield pool


@pytest.fixture
def wxcs_token(request: pytest.FixtureRequest, wxcs_sandbox: Sandbox, wxcs_pool: Pool) -> Callable[..., str]:
    """A `fresh_token` on `wxcs_pool`: a callable that fetches the token when it is first called."""
    account = _live_account() if recording(request) not in (None, "none") else None
    appid, secret = account or (wxcs_sandbox.appid, wxcs_sandbox.secret)
    return fresh_token(wxcs_pool, appid, secret, clock=wxcs_sandbox.clock)


@pytest.fixture
def wxcs_push_to(wxcs_sandbox: Sandbox) -> Iterator[PushTo]:
    """A function that makes the sandbox push everything that customers do to a WSGI application.

    An error in the handler is raised by the customer's `says`, and so is an answer that WeChat would not accept. Token
    and EncodingAESKey are read from a `push_app`; for another application pass `token=` and `aes_key=`, or set
    WXCS_PUSH_TOKEN and WXCS_AES_KEY.
    """
    raised: list[BaseException] = []

    def push_to(
        app: "WSGIApplication", *, token: str | None = None, aes_key: str | None = None, format: Format = "json"
    ) -> Pushes:
        token, aes_key = hide(token), None if aes_key is None else hide(aes_key)
        token, aes_key = _credentials(app, token, aes_key)

        def judge(pushed: Pushed) -> None:
            __tracebackhide__ = True
            _raise_first(raised)
            if pushed.answer in ("failed", "abnormal"):
                pytest.fail(f"the application did not answer as WeChat requires: {pushed}", pytrace=False)

        try:
            return wxcs_sandbox.push_to(
                _watched(app, raised),
                token=token,
                aes_key=aes_key,
                format=format,
                time_limit=_TIME_LIMIT,
                on_pushed=judge,
            )
        except ValueError:
            _raise_first(raised)  # more useful than that the URL check had no answer
            raise

    with _crashes_of_handlers(raised):
        yield push_to
    _raise_first(raised)  # of a handler that was still running when its push was answered


def _live_account() -> tuple[str, str] | None:
    appid = os.environ.get("WXCS_APPID")
    if not appid:
        return None
    secret = hide(os.environ.get("WXCS_SECRET"))
    if not secret:
        raise pytest.UsageError(
            "to record against WeChat, set WXCS_SECRET as well as WXCS_APPID; without both, the sandbox is recorded\n"
            "录制真实的微信时，除 WXCS_APPID 外还需设置 WXCS_SECRET；两者都不设置，则录制沙箱"
        )
    return appid, secret


def _credentials(app: object, token: str, aes_key: str | None) -> tuple[str, str | None]:
    """Return the Token and key for pushes: those passed, the application's own, or those in the environment."""
    if not token and isinstance(app, PushApp):
        token, aes_key = app._settings.token, app._settings.aes_key
    elif not token:
        token, aes_key = hide(os.environ.get("WXCS_PUSH_TOKEN")), os.environ.get("WXCS_AES_KEY") or aes_key
    if not token:
        raise pytest.UsageError(
            "wxcs_push_to(app) reads the Token of a push_app; for another application pass token=… (and aes_key=…), "
            "or set WXCS_PUSH_TOKEN\n"
            "wxcs_push_to(app) 会读取 push_app 的 Token；其他应用请传 token=…（以及 aes_key=…），或设置 WXCS_PUSH_TOKEN"
        )
    know(token, "PUSH_TOKEN")
    if aes_key is not None:
        know(aes_key, "AES_KEY")
    return token, aes_key


def _raise_first(raised: list[BaseException]) -> None:
    __tracebackhide__ = True
    if raised:
        raise raised.pop(0)


def _watched(app: "WSGIApplication", raised: list[BaseException]) -> "WSGIApplication":
    """Wrap the application to keep what it raises, because an error in its thread would not fail the test."""

    def watched(environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]:
        try:
            parts = app(environ, start_response)
            try:
                return [b"".join(parts)]
            finally:
                getattr(parts, "close", lambda: None)()
        except BaseException as error:
            raised.append(error)
            raise

    watched.__qualname__ = getattr(app, "__qualname__", type(app).__qualname__)
    return watched


@contextmanager
def _crashes_of_handlers(raised: list[BaseException]) -> Iterator[None]:
    """Keep what handlers and `on_error` raise, which `push_app` only logs."""
    log_crash = Once.log_crash

    def keep(self: Once, name: str, who: str, function: Callable[..., object], error: BaseException) -> None:
        raised.append(error)
        log_crash(self, name, who, function, error)

    Once.log_crash = keep  # type: ignore[method-assign]
    try:
        yield
    finally:
        Once.log_crash = log_crash  # type: ignore[method-assign]
