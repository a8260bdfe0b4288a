"""Whose fault was it, and may WeChat have the message?

Yours (`InvalidMessage`), the way's (`TransportError`), the far end's (`BadReply`, `PushRejected`), or WeChat's answer
(`ApiError`). `maybe_sent` is False only where it is certain that nothing was delivered: then trying again cannot send
twice. Each error survives pickle and copy, because its constructor takes exactly its `args`.
"""

import re

from wxcs_lite.errcodes import Explanation, explain

__all__ = [
    "ApiError",
    "BadReply",
    "InvalidMessage",
    "MediaRejected",
    "PushRejected",
    "QuotaExceeded",
    "TokenRejected",
    "TransportError",
    "TypingRejected",
    "WindowClosed",
    "WxError",
    "api_error",
]


class WxError(Exception):
    """The base of all errors that this package raises on purpose.

    >>> str(WxError("in English", "用中文"))
    'in English\\n用中文'

    `str(error)` is English, then Chinese. `maybe_sent` is True unless it is certain that WeChat has not got it.
    """

    maybe_sent: bool

    def __init__(self, en: str, zh: str, maybe_sent: bool = True) -> None:
        super().__init__(en, zh, maybe_sent)
        self.maybe_sent = maybe_sent

    def __str__(self) -> str:
        return f"{self.args[0]}\n{self.args[1]}"


class InvalidMessage(WxError, ValueError):
    """Yours: raised before anything is sent; names the field (or file, or command) and what to do.

    >>> from wxcs_lite import text
    >>> text("", "hello")
    Traceback (most recent call last):
    wxcs_lite.errors.InvalidMessage: touser: must not be empty...
    """

    field: str

    def __init__(self, field: str, en: str, zh: str) -> None:
        super().__init__(f"{field}: {en}", f"{field}：{zh}", False)
        self.args = (field, en, zh)
        self.field = field

    def __str__(self) -> str:
        field, en, zh = self.args
        return f"{field}: {en}\n{field}：{zh}"


class TransportError(WxError):
    """The way's: no reply came. The text never holds a URL or a token; `maybe_sent` tells whether to fear a double.

    >>> TransportError("cut", "断开").maybe_sent
    True
    """


class BadReply(WxError):
    """The far end's: an answer in no documented form, past a size, or a video where a picture was due.

    >>> BadReply("HTTP 502", "HTTP 502", 502).status
    502

    `status` is the HTTP status, or None where none was read.
    """

    status: int | None

    def __init__(self, en: str, zh: str, status: int | None = None, maybe_sent: bool = True) -> None:
        super().__init__(en, zh, maybe_sent)
        self.args = (en, zh, status, maybe_sent)
        self.status = status


class PushRejected(WxError):
    """The far end's: an inbound push with a wrong signature, key, appid, age or form.

    >>> PushRejected("no signature", "缺少签名").maybe_sent
    False
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh, False)
        self.args = (en, zh)


_RID = r"rid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})"
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
_ERRMSG_SHOWN = 400  # characters
_MAYBE_SENT = frozenset({-1, 4})  # "system error" and its undocumented twin: WeChat itself does not know


class ApiError(WxError):
    """WeChat's answer: an errcode, its errmsg, the `rid` to quote to Tencent, and `advice`.

    >>> error = api_error(45047, "out of response count limit rid: 64a774ce-020c072d-6c820ec0")
    >>> type(error).__name__, error.errcode, error.rid
    ('WindowClosed', 45047, '64a774ce-020c072d-6c820ec0')
    >>> error.advice.retry
    'user'

    `maybe_sent` is False except for -1 and 4, after which the message may have gone out all the same.
    """

    errcode: int
    errmsg: str

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__("", "", errcode in _MAYBE_SENT)
        self.args = (errcode, errmsg)
        self.errcode = errcode
        self.errmsg = errmsg

    @property
    def rid(self) -> str | None:
        """The request's id, or None: look it up with `get_rid` within seven days."""
        found = re.search(_RID, self.errmsg)
        return found[1] if found else None

    @property
    def advice(self) -> Explanation:
        """What it means, why it happens, what to do and whether a retry can help, in both languages."""
        return explain(self.errcode, self.errmsg)

    def __str__(self) -> str:
        shown = re.sub(_UNPRINTABLE, " ", self.errmsg)[:_ERRMSG_SHOWN]
        return f"{self.errcode} {shown}\n{self.advice}"


class TokenRejected(ApiError):
    """The access token is not (or no longer) valid: 40001, 40014, 42001, …"""


class WindowClosed(ApiError):
    """The customer has to write first: 45015 (too late) and 45047 (too many)."""


class QuotaExceeded(ApiError):
    """Too many calls for now: 45009 (a day), 45011 (a minute), …"""


class MediaRejected(ApiError):
    """The medium or its media_id is not accepted: 40007, 41005, 40005, …"""


class TypingRejected(ApiError):
    """The typing status is not accepted: 45072, 45080, 45081."""


_KINDS: dict[str, type[ApiError]] = {
    "token": TokenRejected,
    "window": WindowClosed,
    "quota": QuotaExceeded,
    "media": MediaRejected,
    "typing": TypingRejected,
}


def api_error(errcode: int, errmsg: str) -> ApiError:
    """Return the error of the class that the catalogue gives this errcode.

    >>> type(api_error(40007, "invalid media_id")).__name__
    'MediaRejected'
    >>> type(api_error(99999, "never heard of")).__name__
    'ApiError'
    """
    return _KINDS.get(explain(errcode).kind, ApiError)(errcode, errmsg)
