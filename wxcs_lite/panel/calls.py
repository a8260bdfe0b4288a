"""The four calls that a desk makes: each is made once, in whichever thread, and touches no widget."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wxcs_lite.endpoints import Command
from wxcs_lite.errors import TokenRejected, WxError
from wxcs_lite.held import Held
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.panel.draft import MEDIA, Picture
from wxcs_lite.pools import Pool, require_pool
from wxcs_lite.secret import hide_if_str
from wxcs_lite.transport import download, send, set_typing, upload

__all__ = ["MAX_SHOWN", "Calls", "Sending"]

MAX_SHOWN = 4_000_000  # bytes; a larger picture is neither shown nor loaded to be shown

_T = TypeVar("_T")


class Calls:
    """The calls of one open desk, with its pool and token; they raise what those of `wxcs_lite` raise."""

    def __init__(self, pool: Pool, token: str | Callable[..., str | None]) -> None:
        pool, token = hide_if_str(pool), hide_if_str(token)
        require_pool(pool)
        self.pool, self._token = pool, Held(token)

    @property
    def renews(self) -> bool:
        """Whether the token is a callable."""
        return self._token.is_callable

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        self._once(lambda token: send(self.pool, token, message))

    def set_typing(self, touser: str, command: Command) -> None:
        """Show or hide "typing…"."""
        self._once(lambda token: set_typing(self.pool, token, touser, command))

    def upload(self, picture: Picture) -> Uploaded:
        """Upload a picture, from its bytes or its path."""
        # What was seen, if it was: the file at the path may be another one by now.
        file = picture.path if picture.content is None else picture.content
        return self._once(lambda token: upload(self.pool, token, file, filename=picture.name))

    def download(self, media_id: str) -> Media:
        """Download a picture to show it."""
        return self._once(lambda token: download(self.pool, token, media_id, max_bytes=MAX_SHOWN))

    def _once(self, call: Callable[[str | None], _T]) -> _T:
        token, is_had = None, False
        try:
            token, is_had = self._token(), True
            return call(token)
        except WxError as e:
            if not is_had:
                e.maybe_sent = False  # the call itself was not made
            elif isinstance(e, TokenRejected):
                self._token.reject(token)  # for the next press: nothing is retried automatically
            raise


class Sending:
    """One message on its way; a picture that has no media_id yet is uploaded first, so no older one can be sent."""

    def __init__(
        self, calls: Calls, message: dict[str, Any], picture: Picture | None, now: Callable[[], float]
    ) -> None:
        self._calls, self.message, self.picture, self._now = calls, message, picture, now

    def __call__(self) -> None:
        """Upload if necessary, then send, once."""
        picture = self.picture
        if picture is not None and picture.needs_upload(self._now()):
            uploaded = self._upload(picture)
            self.picture = picture._replace(media_id=uploaded.media_id, expires_at=uploaded.expires_at)
            kind = self.message["msgtype"]
            self.message = {**self.message, kind: {**self.message[kind], MEDIA[kind]: uploaded.media_id}}
        self._calls.send(self.message)

    def _upload(self, picture: Picture) -> Uploaded:
        try:
            return self._calls.upload(picture)
        except WxError as e:
            e.maybe_sent = False  # a picture that may be uploaded is no message that may be sent
            raise
