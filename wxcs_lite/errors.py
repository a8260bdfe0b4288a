"""Whose fault was it, and may WeChat have the message?

Yours (`InvalidMessage`), the network's (`TransportError`), the other side's (`BadReply`, `PushRejected`), or a refusal
by WeChat (`ApiError`). `maybe_sent` is False only where it is certain that nothing was delivered: then trying again
cannot send twice. Each error survives pickle and copy, because its constructor takes exactly its `args`.

The text of an error is two lines, English and Chinese; each says what happened and what to do next.
"""

import re

from wxcs_lite.errcodes import WAITS, Explanation, explain

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
    "retry_after",
]


class WxError(Exception):
    """The base of all errors that this package raises on purpose.

    >>> error = WxError("in English", "用中文")
    >>> str(error)
    'in English\\n用中文'
    >>> error.en, error.zh
    ('in English', '用中文')

    `str(error)` is both lines, `.en` and `.zh` are one of them, and `repr(error)` is one line. `advice` is an
    `Explanation` for an `ApiError` and None for all others, whose two lines say everything. `maybe_sent` is True unless
    it is certain that WeChat did not get the message.
    """

    maybe_sent: bool

    def __init__(self, en: str, zh: str, maybe_sent: bool = True) -> None:
        super().__init__(en, zh, maybe_sent)
        self.maybe_sent = maybe_sent

    @property
    def en(self) -> str:
        """What happened and what to do next, in English."""
        return str(self.args[0])

    @property
    def zh(self) -> str:
        """What happened and what to do next, in Chinese."""
        return str(self.args[1])

    @property
    def advice(self) -> Explanation | None:
        """All that the catalogue knows of an `ApiError`; None for other errors."""
        return None

    def __str__(self) -> str:
        return f"{self.en}\n{self.zh}"


class InvalidMessage(WxError, ValueError):
    """A value was refused before anything was sent; the error names the field (or file, or command).

    `maybe_sent` is False, unless a file turned out to be unreadable while it was being sent.

    >>> from wxcs_lite import text
    >>> text("", "hello")
    Traceback (most recent call last):
    wxcs_lite.errors.InvalidMessage: touser: must not be empty...
    """

    field: str

    def __init__(self, field: str, en: str, zh: str) -> None:
        super().__init__(field, en, False)
        self.args = (field, en, zh)
        self.field = field

    @property
    def en(self) -> str:
        """What is wrong with which field, in English."""
        return f"{self.args[0]}: {self.args[1]}"

    @property
    def zh(self) -> str:
        """What is wrong with which field, in Chinese."""
        return f"{self.args[0]}：{self.args[2]}"


class TransportError(WxError):
    """No reply arrived: network, proxy, TLS or time-out.

    `maybe_sent` tells whether a retry could deliver the message twice. The text never contains a URL or a token.

    >>> TransportError("cut", "断开").maybe_sent
    True
    """


class BadReply(WxError):
    """The reply is not in a documented form: HTML, HTTP 502, truncated JSON, too large, a video instead of a picture.

    >>> BadReply("HTTP 502", "HTTP 502", 502).status
    502

    `status` is the HTTP status, or None if none was read.
    """

    status: int | None

    def __init__(self, en: str, zh: str, status: int | None = None, maybe_sent: bool = True) -> None:
        super().__init__(en, zh, maybe_sent)
        self.args = (en, zh, status, maybe_sent)
        self.status = status


class PushRejected(WxError):
    """An incoming push has a wrong signature, key, appid, age or format: answer it with HTTP 403.

    A handler of `push_app` raises it for a push that it cannot take now: WeChat gets 503 and sends the push again.

    >>> PushRejected("no signature", "缺少签名").maybe_sent
    False
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh, False)
        self.args = (en, zh)


_RID = r"rid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})"
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
_NOT_SHOWN = rf"[\s,]*(?:hint:\s*\[[^\]]*\][\s,]*)?{_RID}"  # the text names the rid once, at its end
_ERRMSG_SHOWN = 60  # characters
_MAYBE_SENT = frozenset({-1, 4})  # "system error" and an undocumented code like it: WeChat itself does not know


class ApiError(WxError):
    """WeChat refused the call: an errcode, its errmsg, the `rid` to quote to Tencent, and `advice`.

    >>> error = api_error(45047, "out of response count limit rid: 64a774ce-020c072d-6c820ec0")
    >>> type(error).__name__, error.errcode, error.rid
    ('WindowClosed', 45047, '64a774ce-020c072d-6c820ec0')
    >>> error.advice.retry
    'user'

    `maybe_sent` is False except for -1 and 4, after which the message may have been sent anyway.
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

    @property
    def en(self) -> str:
        """The errcode, WeChat's errmsg, what to do next, and the rid."""
        advice = self.advice
        said = re.sub(_UNPRINTABLE, " ", re.sub(_NOT_SHOWN, "", self.errmsg)).strip()
        if len(said) > _ERRMSG_SHOWN:  # some have 200 characters, with links; `errmsg` keeps them all
            said = said[:_ERRMSG_SHOWN].rsplit(" ", 1)[0].rstrip(" ,.:;") + "…"
        return f"{self.errcode} {said or advice.meaning}: {advice.remedy}{f' (rid: {self.rid})' if self.rid else ''}"

    @property
    def zh(self) -> str:
        """The errcode, what it means, what to do next, and the rid, in Chinese."""
        advice = self.advice
        return f"{self.errcode} {advice.meaning_zh}：{advice.remedy_zh}{f'（rid: {self.rid}）' if self.rid else ''}"


class TokenRejected(ApiError):
    """The access token is invalid or has expired: 40001, 40014, 42001, …"""


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


def retry_after(error: BaseException) -> float | None:
    """Return the seconds after which the same call can be retried, or None if that is not safe or not useful.

    >>> retry_after(api_error(45011, "api minute-quota reach limit")), retry_after(api_error(45047, "out of limit"))
    (60.0, None)

    It is None whenever WeChat may have the message (`maybe_sent`), so for -1 and a lost connection, too, because a
    retry could send twice. 0.0 means at once, but with a new token. It does not retry or count: if a retry gets the
    same error, you decide whether to try once more.
    """
    if isinstance(error, ApiError):
        again = 0.0 if error.advice.retry == "token" else WAITS.get(error.errcode)
    else:
        again = _NO_CONNECTION if isinstance(error, TransportError) else None
    return None if again is None or getattr(error, "maybe_sent", True) else again


_NO_CONNECTION = 1.0  # second: nothing was sent, and a short network failure may be over
