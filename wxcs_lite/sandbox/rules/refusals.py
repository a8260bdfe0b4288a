"""How WeChat refuses: an errcode, its published text, a suffix that names the request, and the record of it.

The table is the sandbox's own on purpose: if it shared the client's, one mistake could hide another. Not in it are
codes of which only the kind is published, as some of customer-service accounts (61451-61457, 65415, 65417), those of
third-party authorisation (61003-61007, 61023), and 85088. Many codes the sandbox never answers by itself: see
`fail_next`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from wxcs_lite.sandbox.http.values import Request
from wxcs_lite.sandbox.rules.evidence import OPEN_API, Rule

__all__ = ["TEXTS", "RefusedError", "Rids", "errmsg"]

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
        40044: "invalid size of link title",
        40045: "invalid size of link description",
        40046: "invalid size of link icon",
        40047: "invalid size of link url",
        40062: "invalid size of title",
        40066: "invalid url",
        40097: "invalid args",
        40101: "missing parameter",
        40113: "unsupported file type",
        40125: "invalid appsecret",
        40126: "invalid size of text",
        40137: "unsupported image format",
        40164: "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist",
        40165: "invalid weapp pagepath",
        40166: "invalid weapp appid",
        40200: "invalid account type",
        40201: "invalid url",
        40202: "invalid action",
        40203: "invalid operator",
        # The names on the page; only 40234 and 40235 of these were seen live.
        40230: "API_Missing_Wechatmp_Serial",
        40231: "API_Missing_Wechatmp_Timestamp",
        40232: "API_Missing_Wechatmp_Signature",
        40233: "API_Missing_Wechatmp_Appid",
        40234: "invalid signature",
        40235: "invalid encrypt",
        40236: "API_Invalid_Wechatmp_Appid",
        40237: "API_Invalid_Wechatmp_Appidmatch",
        40238: "API_NoExist_DevSecretSym",
        40239: "API_NoExist_DevSecretAsym",
        40240: "API_Expired_Wechatmp_Timestamp",
        40243: "AppSecret is frozen",
        41001: "access_token missing",
        41002: "appid missing",
        41004: "appsecret missing",
        41005: "media data missing",
        41006: "media_id missing",
        41009: "openid missing",
        41011: "required fields missing",
        42001: "access_token expired",
        42006: "component_access_token expired",
        43001: "require GET method",
        43002: "require POST method",
        43003: "require https",
        43004: "not a follower",
        43019: "blacklisted",
        44001: "empty media data",
        44002: "empty post data",
        44003: "empty news data",
        44004: "empty content",
        45001: "media size out of limit",
        45002: "content size out of limit",
        45003: "title too long",
        45004: "description too long",
        45005: "url too long",
        45006: "picurl too long",
        45007: "playtime out of limit",
        45008: "article count over the limit",
        45009: "reach max api daily quota limit",
        45011: "api minute-quota reach limit",
        45015: "response out of time limit or subscription is canceled",
        45035: "access clientip is not registered",
        45037: "out of time in tempsession",
        45038: "subscribed user in tempsession api",
        45047: "out of response count limit",
        45050: "custom msg use invalid type",
        45063: "accesstoken is not xiaochengxu",
        45070: "sub-merchant exists",
        45071: "sub-merchant not found",
        45072: "invalid command",
        45077: "too many sub-merchants",
        45078: "bad nickname",
        45079: "forbidden nickname",
        45080: "need a message within the last 30 seconds before typing",
        45081: "you are already typing",
        45086: "invalid attribute data-miniprogram-appid",
        45087: "customer messages of this account blocked",
        45091: "bad account_name",
        45093: "no quota to send msg",
        45094: "not allowed on session entry, for punishment",
        45098: "msgmenu list too large",
        45099: "msgmenu item too large",
        45101: "hit upload limit",
        45102: "api blocked temporarily",
        45162: "invalid type",
        46001: "media data no exist",
        47001: "data format error",
        47002: "no JSON unicode escapes, send UTF-8",
        48001: "api unauthorized",
        48002: "refuses messages",
        48004: "api forbidden for irregularities",
        48006: "clear quota limit reached",
        48008: "no permission for this msgtype",
        49003: "openid does not match appid",
        50001: "api unauthorized or user unauthorized",
        50002: "user limited",
        50004: "token use forbidden",
        50005: "user is unsubscribed",
        50007: "account frozen",
        61450: "system error",
        65400: "please enable new custom service, or wait for a while if you have enabled",
        65401: "invalid custom service account",
        65402: "the custom service account need to bind a wechat user",
        65403: "illegal nickname",
        65404: "illegal custom service account",
        65405: "custom service account number reach limit",
        65406: "custom service account exists",
        65407: "the wechat user have been one of your workers",
        65408: "you have already invited the wechat user",
        65409: "wechat account invalid",
        65410: "too many custom service accounts bound by the worker",
        65411: "a effective invitation to bind the custom service account exists",
        65412: "the custom service account have been bound by a wechat user",
        65413: "no session for this user",
        65414: "user being served by another agent",
        65416: "param invalid, please check",
        70000: "为保护未成年人权益，该条消息发送失败",  # in Chinese, as in 2024-03
        76001: "rid not found",
        76002: "rid malformed",
        76003: "rid of another account",
        76004: "rid too old",
        76021: "cgi_path not found",
        76022: "cgi_path not permitted",
        85105: "not authorized",
        85107: "URL不在白名单内，请前往「微信云托管控制台-服务管理-云调用-微信令牌」配置",
        85112: "cloudbase_secret not found",
        85113: "cloudbase_token is not ready yet, please try again later",
        89501: "admin confirmation pending",
        89502: "admin confirmation pending",
        89503: "admin must confirm this call",
        89504: "admin confirmation pending",
        89505: "admin confirmation pending",
        89506: "admin refused this IP, try after 24 h",
        89507: "admin refused this IP, try after 1 h",
        10130002: "bad parameter",
        10130030: "MP not entitled (personal)",
        10130600: "corpid invalid",
        10130601: "corpid invalid",
        10130602: "corp and MP entity differ",
        10130603: "already bound",
        10130604: "not bound",
    }
)

# Texts that were in use while replies ended in "hint: [...]".
_OLD_TEXTS: Mapping[int, str] = MappingProxyType(
    {
        40001: _NOT_LATEST,
        40125: "invalid appsecret, view more at http://t.cn/RAEkdVq",
        45009: "api freq out of limit",
    }
)

_COMMA_BEFORE_RID = frozenset({48001})
# The latest published replies with these have both, the latest with other codes a rid alone.
# https://github.com/caol64/wenyan-cli/issues/9 (2026-02), wenyan-mcp #22 (2025-09).
_HINT_TODAY = frozenset({40007, 41005})


class RefusedError(Exception):
    """A rule refused the request: the reply has this errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


def errmsg(errcode: int, *, style: str, rid: str, hint: str, text: str | None = None) -> str:
    """Return the text of a refusal in the style of a period: "today", "rid", "hint" (before 2020) or "both".

    >>> errmsg(40003, style="rid", rid="695602c0-1b3628cf-4ed2dcbf", hint="JUmuwa08163951")
    'invalid openid rid: 695602c0-1b3628cf-4ed2dcbf'
    >>> errmsg(40003, style="both", rid="695602c0-1b3628cf-4ed2dcbf", hint="JUmuwa08163951")
    'invalid openid hint: [JUmuwa08163951] rid: 695602c0-1b3628cf-4ed2dcbf'

    Some subsystems put a comma before the rid; 48001 does. Today is "both" for 40007 and 41005, and "rid" for the rest.
    """
    if style == "today":
        style = "both" if errcode in _HINT_TODAY else "rid"
    if text is None:
        text = TEXTS[errcode]
        if style == "hint":
            text = _OLD_TEXTS.get(errcode, text)
        elif style == "both" and errcode == 40001:
            text = _NOT_LATEST
    if style == "rid":
        return f"{text}{',' if errcode in _COMMA_BEFORE_RID else ''} rid: {rid}"
    return f"{text} hint: [{hint}]" + (f" rid: {rid}" if style == "both" else "")


_RID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")
_RIDS_KEPT = 1000
_KEPT_OF_EACH = 4096  # bytes of a body, characters of a query: anyone can cause refusals without end
_RID_LIFETIME = 7 * 86400  # seconds


class Rids:
    """The refused requests by their rid: the last thousand, each with no more than 4096 bytes of body and of query.

    Both numbers are ours, so that nobody can fill the memory, not even with requests without a valid token.
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}

    def keep(self, rid: str, now: float, request: Request, body: bytes, reply: bytes) -> None:
        query = urlencode([(name, _short(name, value)) for name, value in request.query])
        self._kept[rid] = {
            "invoke_time": int(now),
            "cost_in_ms": 1,
            "request_url": query[:_KEPT_OF_EACH],
            "request_body": body[:_KEPT_OF_EACH].decode(errors="replace"),
            "response_body": reply.decode(),
            "client_ip": "127.0.0.1",
        }
        if len(self._kept) > _RIDS_KEPT:
            del self._kept[next(iter(self._kept))]

    def get(self, rid: str, now: float) -> Mapping[str, Any]:
        """Return the fields of the request, or raise 76002 (malformed), 76001 (unknown), 76004 (over 7 days old)."""
        if _RID.fullmatch(rid) is None:
            raise RefusedError(76002)
        if rid not in self._kept:
            raise RefusedError(76001)
        if now - self._kept[rid]["invoke_time"] > _RID_LIFETIME:
            raise RefusedError(76004)  # the page names 76001 for it too
        return self._kept[rid]


def _short(name: str, value: str) -> str:
    # The published example cuts the token short; a secret is not shown at all.
    if name in ("access_token", "cloudbase_access_token"):
        return f"{value[:6]}xxxx"
    return "xxxx" if name in ("secret", "appsecret") else value


# fmt: off
RULES = (
    Rule(
        "An errmsg ends with a rid, whose first group is the time; "
        f"{' and '.join(map(str, sorted(_HINT_TODAY)))} have a hint before the rid. In "
        f"{', '.join(map(str, _COMMA_BEFORE_RID))} a comma precedes the rid.",
        f"errmsg 以 rid 结尾，rid 的第一段是时间；{'、'.join(map(str, sorted(_HINT_TODAY)))} 在 rid 之前还有 hint。"
        f"{'、'.join(map(str, _COMMA_BEFORE_RID))} 的 rid 前有逗号。",
        seen="2019, 2020-08, 2025-09, 2026-02: https://github.com/caol64/wenyan-cli/issues/9; 2026-09",
        setting="errmsg_style",
    ),
    Rule(
        f"A rid can be looked up for {_RID_LIFETIME // 86400} days. That an older one answers 76004 is one of two "
        f"readings of the page; that only the last {_RIDS_KEPT:,} are kept is a limit of the sandbox.",
        f"rid 可查 {_RID_LIFETIME // 86400} 天。超期返回 76004 是对官方页面两种写法的取舍；只保留最近 "
        f"{_RIDS_KEPT:,} 个是沙箱自己的限制。",
        page=OPEN_API, seen="2024-11", inferred=True, errcodes=(76001, 76002, 76004),
    ),
)
