"""What WeChat says when it refuses: an errcode, its published text, and a suffix that names the request.

The table is the sandbox's own on purpose: if it shared the client's, one mistake could hide another.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["TEXTS", "RefusedError", "errmsg"]

_NOT_LATEST = "invalid credential, access_token is invalid or not latest"

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        -1: "system error",
        0: "ok",
        4: "",  # seen without any text
        40001: f"{_NOT_LATEST}, could get access_token by getStableAccessToken, "
        "more details at https://mmbizurl.cn/s/JtxxFh33r",
        40002: "invalid grant_type",
        40003: "invalid openid",
        40004: "invalid media type",
        40005: "invalid file type",
        40006: "invalid meida size",  # the typo is WeChat's
        40007: "invalid media_id",
        40008: "invalid message type",
        40009: "invalid image size",
        40010: "invalid voice size",
        40011: "invalid video size",
        40012: "invalid thumb size",
        40013: "invalid appid",
        40014: "invalid access_token",
        40033: "invalid charset",
        40035: "invalid args",
        40097: "invalid args",
        40101: "missing parameter",
        40125: "invalid appsecret",
        40164: "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist",
        40166: "invalid weapp appid",
        40200: "invalid account type",
        41001: "access_token missing",
        41002: "appid missing",
        41004: "appsecret missing",
        41005: "media data missing",
        41011: "required fields missing",
        42001: "access_token expired",
        43001: "require GET method",
        43002: "require POST method",
        44001: "empty media data",
        44002: "empty post data",
        44004: "empty content",
        45001: "media size out of limit",
        45002: "content size out of limit",
        45009: "reach max api daily quota limit",
        45011: "api minute-quota reach limit",
        45015: "response out of time limit or subscription is canceled",
        45047: "out of response count limit",
        45072: "invalid command",
        45080: "need a message within the last 30 seconds before typing",
        45081: "you are already typing",
        45086: "invalid attribute data-miniprogram-appid",
        45162: "invalid type",
        47001: "data format error",
        47002: "no JSON unicode escapes, send UTF-8",
        48001: "api unauthorized",
        48006: "clear quota limit reached",
        50002: "user limited",
        76001: "rid not found",
        76002: "rid malformed",
        76003: "rid of another account",
        76004: "rid too old",
        76021: "cgi_path not found",
    }
)

# Wordings that were in use while replies ended in "hint: [...]".
_OLD_TEXTS: Mapping[int, str] = MappingProxyType(
    {
        40001: _NOT_LATEST,
        40125: "invalid appsecret, view more at http://t.cn/RAEkdVq",
        45009: "api freq out of limit",
    }
)

_COMMA_BEFORE_RID = frozenset({48001})


class RefusedError(Exception):
    """A rule said no: the reply will carry this errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


def errmsg(errcode: int, *, style: str, rid: str, hint: str, text: str | None = None) -> str:
    """Return the text of one refusal in the grammar of an era: "rid" (today), "hint" (before 2020) or "both".

    >>> errmsg(40003, style="rid", rid="695602c0-1b3628cf-4ed2dcbf", hint="JUmuwa08163951")
    'invalid openid rid: 695602c0-1b3628cf-4ed2dcbf'
    >>> errmsg(40003, style="both", rid="695602c0-1b3628cf-4ed2dcbf", hint="JUmuwa08163951")
    'invalid openid hint: [JUmuwa08163951] rid: 695602c0-1b3628cf-4ed2dcbf'

    Some subsystems put a comma before the rid; 48001 does.
    """
    if text is None:
        text = TEXTS.get(errcode, "system error")
        if style == "hint":
            text = _OLD_TEXTS.get(errcode, text)
        elif style == "both" and errcode == 40001:
            text = _NOT_LATEST
    if style == "rid":
        return f"{text}{',' if errcode in _COMMA_BEFORE_RID else ''} rid: {rid}"
    return f"{text} hint: [{hint}]" + (f" rid: {rid}" if style == "both" else "")
