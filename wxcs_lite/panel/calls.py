"""The four calls that a desk makes: each is made once and recorded in the history, whatever its result."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from wxcs_lite.endpoints import Command
from wxcs_lite.errors import TokenRejected, WxError
from wxcs_lite.held import Held
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.panel.history import History
from wxcs_lite.pools import Pool, require_pool
from wxcs_lite.secret import hide_if_str
from wxcs_lite.transport import download, send, set_typing, upload
from wxcs_lite.wire import Progress

__all__ = ["Calls"]

_T = TypeVar("_T")
_Note = Callable[[float, WxError | None], None]


class Calls:
    """The calls of one open desk, with its pool, token and history; they raise what those of `wxcs_lite` raise."""

    def __init__(
        self, pool: Pool, token: str | Callable[..., str | None], history: History, clock: Callable[[], float]
    ) -> None:
        pool, token = hide_if_str(pool), hide_if_str(token)
        require_pool(pool)
        self._pool, self._token, self._history, self._clock = pool, Held(token), history, clock

    @property
    def renews(self) -> bool:
        """Whether the token is a callable."""
        return self._token.is_callable

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        message = deepcopy(dict(message))  # before sending: what cannot be recorded is not sent
        self._once(
            lambda token: send(self._pool, token, message),
            lambda now, error: self._history.went_out(now, message, error),
        )

    def set_typing(self, touser: str, command: Command) -> None:
        """Show or hide "typing…"."""
        self._once(
            lambda token: set_typing(self._pool, token, touser, command),
            lambda now, error: self._history.did(now, "typing", touser, error, command=command),
        )

    def upload(self, file: str | bytes, name: str, count: int, progress: Progress) -> Uploaded:
        """Upload a picture, from bytes or a path."""
        return self._once(
            lambda token: upload(self._pool, token, file, filename=name, progress=progress),
            lambda now, error: self._history.did(now, "upload", "", error, filename=name, bytes=count),
        )

    def download(self, media_id: str) -> Media:
        """Download a medium."""
        return self._once(
            lambda token: download(self._pool, token, media_id),
            lambda now, error: self._history.did(now, "download", "", error, media_id=media_id),
        )

    def _once(self, call: Callable[[str | None], _T], note: _Note) -> _T:
        token, is_had = None, False
        try:
            token, is_had = self._token(), True
            result = call(token)
        except WxError as e:
            if not is_had:
                e.maybe_sent = False  # the call itself was not made
            elif isinstance(e, TokenRejected):
                self._token.reject(token)  # for the next press: nothing is retried automatically
            note(self._clock(), e)
            raise
        note(self._clock(), None)
        return result
