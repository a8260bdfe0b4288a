"""The calls of WeChat, one short function each: what `endpoints` describes goes out, what `replies` reads comes back.

Pool first, token second: both are always passed, never stored. The token is an access token as a str; inside WeChat
cloud hosting (微信云托管) it is None, because the platform adds it, a `FromAppid` or a `CloudbaseToken`.
"""

import base64
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from os import PathLike, fspath
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO

from wxcs_lite import endpoints
from wxcs_lite.endpoints import Command, MediaType, Method
from wxcs_lite.errors import ApiError, BadReply, InvalidMessage, TransportError, WxError
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.pools import Pool
from wxcs_lite.replies import (
    Headers,
    Reply,
    read_media,
    read_ok,
    read_receipt,
    read_token,
    read_uploaded,
    scrub_texts,
)
from wxcs_lite.request import Request
from wxcs_lite.require import kind_of, quoted
from wxcs_lite.scrub import scrub
from wxcs_lite.secret import Token, any_spelling, hidden, hide_if_str, hide_named, secret_of, secrets_in
from wxcs_lite.wire import MAX_MEDIA, SECRET_LENGTH, Progress, answer, scrub_echo

if TYPE_CHECKING:
    from wxcs_lite.signing import SigningKeys

Reader = Callable[[int, Headers, bytes], dict[str, Any]]

__all__ = [
    "call",
    "clear_quota",
    "download",
    "fetch_token",
    "get_callback_ip",
    "get_quota",
    "get_rid",
    "send",
    "set_typing",
    "showing_typing",
    "upload",
]


def send(
    pool: Pool, token: str | None, message: Mapping[str, Any], *, keys: "SigningKeys | None" = None
) -> dict[str, Any]:
    """Send a message to a customer, once, and return WeChat's `{"errcode": 0, "errmsg": "ok"}`.

    >>> from wxcs_lite import text
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> event = sandbox.user("OPENID").says("hello?")
    >>> pool = sandbox.pool()
    >>> send(pool, fetch_token(pool, sandbox.appid, sandbox.secret), text("OPENID", "你好"))
    {'errcode': 0, 'errmsg': 'ok'}

    There is no message id: after an error whose `maybe_sent` is True, sending again may deliver twice. Raises
    InvalidMessage before anything is sent, WindowClosed if the customer has to write first, and the other `WxError`s.
    With `keys` (`wxcs_lite.signing.SigningKeys`) it is encrypted and signed, and so must the reply be.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
    pool, token, message, keys = hidden(pool, token, message, keys)
    __tracebackhide__ = True
    return _answer_signed(pool, token, endpoints.send(message), keys, read_receipt)


def _answer_signed(
    pool: Pool, token: str | None, request: Request, keys: "SigningKeys | None", read: Reader = read_ok
) -> dict[str, Any]:
    """Perform and read, with the API signature if there are keys for it."""
    __tracebackhide__ = True
    if keys is None:
        return answer(pool, token, request, read)
    from wxcs_lite import signing  # not loaded by those who sign nothing

    nonce = base64.b64encode(os.urandom(16)).decode().rstrip("=")
    signed = signing.sign(request, keys, time.time(), nonce, os.urandom(12))

    def read_signed(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
        found = read(*signing.open_reply(Reply(status, headers, body), signed, keys))
        return scrub_echo(found, secret_of(token))  # `answer` sees only what is encrypted

    return answer(pool, token, signed, read_signed)


def set_typing(
    pool: Pool,
    token: str | None,
    touser: str,
    command: Command = "Typing",
    *,
    businessid: int | str | None = None,
) -> dict[str, Any]:
    """Show "typing…" to the customer for 15 seconds, or hide it.

    Raises TypingRejected while it still shows (45081), or if no message went either way for 30 seconds (45080). Sending
    a message hides it, too.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_typing.html
    pool, token, touser, command, businessid = hidden(pool, token, touser, command, businessid)
    __tracebackhide__ = True
    return answer(pool, token, endpoints.set_typing(touser, command, businessid=businessid), read_receipt)


def showing_typing(
    pool: Pool, token: str | None, touser: str, *, businessid: int | str | None = None
) -> AbstractContextManager[None]:
    """Show "typing…" while the block runs: Typing on entry, CancelTyping on exit, also when the block raises.

    A failure to show or hide it is ignored, because it could be mistaken for a failure of the message that the block
    sends; only InvalidMessage is raised, on entry. It shows for 15 seconds at most, because WeChat refuses to renew it
    earlier.
    """
    # A plain function: contextlib's decorator would keep the plain token in its frame and in what it returns.
    pool, token, touser, businessid = hidden(pool, token, touser, businessid)
    __tracebackhide__ = True
    return _showing_typing(pool, token, touser, businessid)


@contextmanager
def _showing_typing(pool: Pool, token: str | None, touser: str, businessid: int | str | None) -> Iterator[None]:
    with suppress(ApiError, TransportError, BadReply):
        set_typing(pool, token, touser, businessid=businessid)
    try:
        yield
    finally:
        with suppress(WxError):
            set_typing(pool, token, touser, "CancelTyping", businessid=businessid)


def upload(
    pool: Pool,
    token: str | None,
    file: str | PathLike[str] | bytes | BinaryIO,
    *,
    filename: str | None = None,
    type: MediaType = "image",
    progress: Progress | None = None,
) -> Uploaded:
    r"""Upload a temporary medium, from a path, bytes or a binary file, and return its media_id.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> token = fetch_token(pool, sandbox.appid, sandbox.secret)
    >>> upload(pool, token, b"\xff\xd8\xff\xe0 made up").type
    'image'

    A file is never in memory as a whole, and a file object is sent from its start, whatever its position. A str is a
    path. `progress(sent, total)` is called with numbers of bytes while the body is sent. Raises MediaRejected for a
    medium that WeChat does not accept, InvalidMessage for a file that cannot be read or is not a regular one (a device,
    a pipe); its `maybe_sent` is True if that was found while the file was being sent.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_uploadtempmedia.html
    pool, token, file, filename, type = hidden(pool, token, file, filename, type)
    __tracebackhide__ = True
    _require_file(file)
    if isinstance(file, str | PathLike):
        with _opened(file) as opened:
            return upload(pool, token, opened, filename=filename or fspath(file), type=type, progress=progress)
    if filename is None and isinstance(named := getattr(file, "name", None), str):
        filename = named
    request = endpoints.upload(file, filename=filename, type=type)
    return answer(pool, token, request, read_uploaded, progress=progress)


def _require_file(file: object) -> None:
    if isinstance(file, str) and file[:8].lower().startswith(("http://", "https://")):
        raise InvalidMessage(
            "file",
            "is a web address: download it first, and pass its bytes or a path",
            "是网址：请先下载，再传 bytes 或文件路径",
        )
    if not isinstance(file, str | PathLike | bytes | bytearray | memoryview) and not hasattr(file, "read"):
        raise InvalidMessage(
            "file",
            f"must be a path, bytes or an open binary file, not {kind_of(file)}",
            f"应为文件路径、bytes 或以二进制打开的文件，收到的是 {kind_of(file)}",
        )


def _opened(path: str | PathLike[str]) -> BinaryIO:
    named = quoted(fspath(path))
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - any PathLike; the caller closes it
    except (OSError, ValueError) as e:
        problem = getattr(e, "strerror", None) or str(e)
        told = f"cannot be opened: {problem}: {named}", f"无法打开：{problem}：{named}"
    else:
        if S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
        file.close()
        told = (
            f"is not a regular file but a device or a pipe, whose size is unknown: read it and pass its bytes: {named}",
            f"不是普通文件，而是设备或管道，无法得知大小：请先读出内容再传 bytes：{named}",
        )
    raise InvalidMessage("file", *told)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file without waiting; a pipe would block until somebody writes to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def download(pool: Pool, token: str | None, media_id: str, *, max_bytes: int = MAX_MEDIA) -> Media:
    r"""Download a temporary medium: one you uploaded, or the MediaId of a picture that a customer sent.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> token = fetch_token(pool, sandbox.appid, sandbox.secret)
    >>> media_id = upload(pool, token, b"\xff\xd8\xff\xe0 made up").media_id
    >>> download(pool, token, media_id).content
    b'\xff\xd8\xff\xe0 made up'

    It is kept in memory; use `wxcs_lite.stream` for large files. Raises MediaRejected (40007) after three days or for
    another account's id, BadReply for more than max_bytes, which is 16 MiB by default.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_getmedia.html
    pool, token, media_id = hidden(pool, token, media_id)
    __tracebackhide__ = True
    return answer(pool, token, endpoints.download(media_id), read_media, max_bytes=max_bytes)


def fetch_token(
    pool: Pool, appid: str, secret: str, *, force_refresh: bool = False, clock: Callable[[], float] = time.time
) -> Token:
    """Fetch an access token from `/cgi-bin/stable_token`, which others may share, with its expiry time.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret, clock=sandbox.clock)
    Token('***', expires_at=1767247200.0)

    Each call asks WeChat: keep the token, or let `fresh_token` do so. `force_refresh` invalidates the current token for
    everybody. Raises ApiError: 40125 for a wrong secret, 40164 for an address that is not on the whitelist.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
    pool, secret, appid = hidden(pool, secret, appid)
    __tracebackhide__ = True
    request = endpoints.stable_token(appid, secret, force_refresh=force_refresh)
    now = clock()

    def read(status: int, headers: Headers, body: bytes) -> Token:
        return read_token(status, headers, body, now=now)

    return answer(pool, None, request, read, secret=secret)


def get_rid(pool: Pool, token: str | None, rid: str, *, keys: "SigningKeys | None" = None) -> dict[str, Any]:
    """Return WeChat's record of a failed call, by the rid of its error, within seven days.

    The token in the recorded URL is removed. `keys` sign the call, as in `send`.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/apimanage/api_getridinfo.html
    pool, token, rid, keys = hidden(pool, token, rid, keys)
    __tracebackhide__ = True
    found = _answer_signed(pool, token, endpoints.get_rid(rid), keys)
    noted = found.get("request")
    scrub_texts(noted, scrub)
    return found


def get_quota(
    pool: Pool,
    token: str | None,
    cgi_path: str = "/cgi-bin/message/custom/send",
    *,
    keys: "SigningKeys | None" = None,
) -> dict[str, Any]:
    """Return a call's daily allowance and what is left of it, under `quota`; `keys` sign the call, as in `send`."""
    # https://developers.weixin.qq.com/doc/subscription/api/apimanage/api_getapiquota.html
    pool, token, cgi_path, keys = hidden(pool, token, cgi_path, keys)
    __tracebackhide__ = True
    return _answer_signed(pool, token, endpoints.get_quota(cgi_path), keys)


def get_callback_ip(pool: Pool, token: str | None) -> dict[str, Any]:
    """Return the addresses that WeChat pushes from, under `ip_list`; they change, so ask again every day."""
    # https://developers.weixin.qq.com/doc/subscription/api/base/api_getcallbackip.html
    pool, token = hidden(pool, token)
    __tracebackhide__ = True
    return answer(pool, token, endpoints.get_callback_ip(), read_ok)


def clear_quota(pool: Pool, token: str | None, appid: str, *, keys: "SigningKeys | None" = None) -> dict[str, Any]:
    """Reset today's call counters to zero; WeChat allows it ten times a month (48006 after that).

    `keys` sign the call, as in `send`.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/apimanage/api_clearquota.html
    pool, token, appid, keys = hidden(pool, token, appid, keys)
    __tracebackhide__ = True
    return _answer_signed(pool, token, endpoints.clear_quota(appid), keys)


def call(
    pool: Pool,
    token: str | None,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    method: Method | None = None,
    query: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Make any other JSON call of WeChat, once, and return the JSON of its reply.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> token = fetch_token(pool, sandbox.appid, sandbox.secret)
    >>> call(pool, token, "/cgi-bin/get_api_domain_ip")
    {'ip_list': ['127.0.0.1']}

    With a body it is a POST, without one a GET, unless `method` says otherwise; token is None for a call that takes
    none. What is named like a secret is hidden in every repr, also in the reply. Raises InvalidMessage for a path with
    a host, without a slash or with a query, before anything is sent.
    """
    pool, token, path = hidden(pool, token, path)
    __tracebackhide__ = True
    body, method, query = hide_named(body), hide_if_str(method), hide_named(query)
    request = endpoints.call(path, body, method=method, query=query)
    named = [secret for secret in secrets_in(body, query) if len(secret) >= SECRET_LENGTH]

    def read(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
        for secret in named:  # an echo of them, too
            text = any_spelling(secret).sub("***", body.decode("utf-8", "surrogateescape"))
            body = text.encode("utf-8", "surrogateescape")
        return read_ok(status, headers, body)

    secret = secret_of(token) or next(iter(named), None)
    return hide_named(answer(pool, token, request, read, secret=secret))
