"""One token, kept fresh for the whole process by a callable that asks WeChat as rarely as possible."""

import time
from collections.abc import Callable
from threading import Lock

from wxcs_lite.errors import TokenRejected, WxError
from wxcs_lite.forks import renew_in_child
from wxcs_lite.pools import Pool
from wxcs_lite.secret import Token, hidden, hide
from wxcs_lite.transport import fetch_token

__all__ = ["FreshToken", "fresh_token"]

_MARGIN = 300  # seconds: from then on stable_token gives the next token, while this one still works
_PAUSE = 10  # seconds between two requests, unless something has changed


class FreshToken:
    """A callable that returns a valid access token; `fresh_token` creates it."""

    __slots__ = (
        "__weakref__", "_appid", "_asked_at", "_clock", "_failure", "_held", "_lock", "_pool", "_renew_at", "_secret",
    )  # fmt: skip

    def __init__(self, pool: Pool, appid: str, secret: str, clock: Callable[[], float]) -> None:
        self._pool, self._appid, self._secret, self._clock = pool, appid, secret, clock
        self._lock = Lock()
        self._held: Token | None = None
        self._renew_at = self._asked_at = float("-inf")
        self._failure: WxError | None = None
        renew_in_child(self)

    def after_fork(self) -> None:
        """Take a new lock: a thread that held the old one when the process was forked does not exist here."""
        self._lock = Lock()

    def __call__(self, rejected: str | None = None) -> Token:
        """Return a token that should work; `rejected` is one that just failed with TokenRejected."""
        rejected = None if rejected is None else hide(rejected)
        held = self._held
        if held is not None and held != rejected:
            now = self._clock()
            # The usual case takes no lock; while one thread renews, the others get the token that is still valid.
            if now < self._renew_at or (now < (held.expires_at or 0) and self._lock.locked()):
                return held
        with self._lock:
            now = self._clock()
            just_asked = 0 <= now - self._asked_at < _PAUSE
            if self._held is not None and self._held != rejected:
                lives = now < (self._held.expires_at or 0)
                # A token that arrived almost expired is returned, too: asking again at once would bring the same one.
                if (lives and now < self._renew_at) or (just_asked and (lives or self._failure is None)):
                    return self._held
            else:
                lives = False
            if not (just_asked and self._failure is not None):
                self._ask(now, rejected)
            if self._failure is None or lives:
                assert self._held is not None
                return self._held
            failure = _another(self._failure)  # each thread raises its own
        raise failure

    def _ask(self, now: float, rejected: str | None) -> None:
        """Fetch, and keep either the token or the failure, which is raised again for ten seconds."""
        try:
            token = fetch_token(self._pool, self._appid, self._secret, clock=self._clock)
        except WxError as e:
            self._failure, self._asked_at = _another(e), self._clock()  # after the wait
            return
        left = (token.expires_at or now) - now
        self._asked_at = self._clock()
        self._held, self._renew_at = token, now + left - min(_MARGIN, left / 2)
        # The same token again: WeChat considers it valid, so asking once more would begin an endless loop.
        self._failure = _REJECTED if token == rejected else None

    def __repr__(self) -> str:
        return "<fresh_token>"


def _another(error: WxError) -> WxError:
    """Return a copy without the traceback, which grows with each raise and keeps frames alive."""
    return type(error)(*error.args)


_REJECTED = TokenRejected(40001, "rejected, and stable_token gives the same token again")


def fresh_token(pool: Pool, appid: str, secret: str, *, clock: Callable[[], float] = time.time) -> FreshToken:
    """Return a callable that gives a valid access token, shared by all threads of this process.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> token = fresh_token(sandbox.pool(), sandbox.appid, sandbox.secret, clock=sandbox.clock)
    >>> token() == token()
    True

    Call it for every send: `send(pool, token(), message)`. After a TokenRejected pass the old token, once:
    `token(rejected=old)` fetches only if old is still the current one, and raises TokenRejected if WeChat returns it
    again. It never forces a refresh, and the error of a failed fetch is raised again for ten seconds. If a renewal
    fails while the old token is still valid, the old one is returned.
    """
    pool, secret, appid = hidden(pool, secret, appid)
    return FreshToken(pool, appid, secret, clock)
