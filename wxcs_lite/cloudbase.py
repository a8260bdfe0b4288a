"""The token that WeChat cloud hosting (微信云托管) keeps in a file of the container, read again when it is renewed.

Most containers do not need it: the platform's relay adds a credential to each call, so calls are made with None.
"""

import time
from collections.abc import Callable
from os import PathLike

from wxcs_lite.errors import InvalidMessage, TokenRejected, WxError
from wxcs_lite.require import quoted
from wxcs_lite.secret import CloudbaseToken, hide

__all__ = ["FreshCloudbaseToken", "fresh_cloudbase_token"]

_FILE = "/.tencentcloudbase/wx/cloudbase_access_token"
_PLACEHOLDER = "default-tcb-wx-access-token"  # in the file until the first token is written
_PAUSE = 60  # seconds; WeChat asks for ten minutes at most, and reading a file is cheap
_LIFE = 1200  # seconds: a token works for thirty minutes, and is up to ten minutes old when it is read


class FreshCloudbaseToken:
    """A callable that returns the token of cloud hosting; `fresh_cloudbase_token` creates it."""

    __slots__ = ("_clock", "_held", "_path")

    def __init__(self, path: str | PathLike[str], clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self._held: tuple[CloudbaseToken | None, float] = None, 0.0  # and when it was read

    def __call__(self, rejected: str | None = None) -> CloudbaseToken:
        """Return a token that should work; `rejected` is one that just failed with TokenRejected."""
        rejected = None if rejected is None else hide(rejected)
        now = self._clock()
        held, read_at = self._held
        if held == rejected:
            held = None
        if held is not None and 0 <= now - read_at < _PAUSE:
            return held
        found = self._read()
        if isinstance(found, CloudbaseToken):
            if found != rejected:
                self._held = found, now
                return found
            found = TokenRejected(40001, "rejected, and the file still contains the same token")
        if held is not None and 0 <= now - read_at < _LIFE:  # no file for a moment: the old one still works
            return held
        raise found

    def _read(self) -> CloudbaseToken | WxError:
        """Return the token in the file, or an error that says why there is none."""
        try:
            with open(self._path, encoding="ascii") as file:  # noqa: PTH123 - pathlib takes a while to import
                token = CloudbaseToken(file.read().strip())
        except (OSError, ValueError) as e:
            en, zh = f"({type(e).__name__})", f"（{type(e).__name__}）"
        else:
            if token and token != _PLACEHOLDER:
                return token
            return InvalidMessage(
                "cloudbase_access_token",
                "the platform has not written it yet: try again in a minute",
                "平台尚未写入：请过一分钟再试",
            )
        named = quoted(str(self._path))
        return InvalidMessage(
            "cloudbase_access_token",
            f"cannot be read from {named} {en}: tick 云调用令牌 in the console and build a new version of the service; "
            "outside cloud hosting this file does not exist",
            f"无法从 {named} 读取{zh}：请在控制台勾选“云调用令牌”并构建新版本；云托管之外没有这个文件",
        )

    def __repr__(self) -> str:
        return "<fresh_cloudbase_token>"


def fresh_cloudbase_token(
    path: str | PathLike[str] = _FILE, *, clock: Callable[[], float] = time.time
) -> FreshCloudbaseToken:
    """Return a callable that returns the token of WeChat cloud hosting, from the file that the platform renews.

    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "cloudbase_access_token"
    >>> file.write_text("made-up")
    7
    >>> token = fresh_cloudbase_token(file)
    >>> token()
    CloudbaseToken('***')

    Call it for every send, over https: `send(open_pool(), token(), message)`. The file is read once a minute at most;
    WeChat writes a new token every ten, and each works for thirty. After a TokenRejected pass the old token, once:
    `token(rejected=old)` reads at once, and raises TokenRejected if the file still contains it. Raises InvalidMessage
    if there is no such file, or no token in it yet.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html
    return FreshCloudbaseToken(path, clock)
