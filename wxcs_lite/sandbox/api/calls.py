"""The calls of WeChat that the sandbox answers: from a request past the common checks to the fields of its reply."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from wxcs_lite.sandbox.api.bodies import media_part
from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.rules.evidence import OPEN_API, UPLOAD, Rule
from wxcs_lite.sandbox.rules.media import check_type, check_upload, content_type
from wxcs_lite.sandbox.rules.refusals import RefusedError

if TYPE_CHECKING:
    from wxcs_lite.sandbox.rules.account import Account

__all__ = [
    "OK",
    "Answerer",
    "Call",
    "clear_quota",
    "get_ips",
    "get_media",
    "get_quota",
    "get_rid",
    "known_path",
    "stable_token",
]
__all__ += ["text_field", "token", "upload"]

OK: Mapping[str, Any] = {"errcode": 0, "errmsg": "ok"}


class Call(NamedTuple):
    """One call: when, the request, and its JSON body if the route reads one."""

    now: float
    request: Request
    json: dict[str, Any]

    def __repr__(self) -> str:
        return f"Call({self.request.method} {self.request.path})"


Answerer = Callable[["Account", Call], Mapping[str, Any] | Reply]


def text_field(part: Mapping[str, Any], name: str) -> str:
    """Return a required text; 41011 and 40035 are inferred from their published texts, not seen on these calls."""
    value = part.get(name)
    if value is None:
        raise RefusedError(41011)
    if not isinstance(value, str):
        raise RefusedError(40035)
    return value


# --- tokens


def token(account: "Account", call: Call) -> Mapping[str, Any]:
    account.check_account(dict(reversed(call.request.query)), call.request.path, call.now)
    value, expires_in = account.tokens.mint(call.now)
    return {"access_token": value, "expires_in": expires_in}


def stable_token(account: "Account", call: Call) -> Mapping[str, Any]:
    account.check_account(call.json, call.request.path, call.now)  # parameters in the query are not read
    value, expires_in = account.tokens.stable(call.now, force=call.json.get("force_refresh") is True)
    return {"access_token": value, "expires_in": expires_in}


# --- media


def upload(account: "Account", call: Call) -> Mapping[str, Any]:
    kind = call.request.parameter("type")
    check_type(kind)
    part = media_part(call.request.headers.get("content-type", ""), call.request.body, account.switches.part_name)
    check_upload(kind, part.filename, part.content, max_image_bytes=account.switches.max_image_bytes)
    media_id = account.shelf.put(kind, part.content, call.now)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    uploaded = {"type": kind, name: media_id, "created_at": int(call.now)}
    return {**OK, **uploaded} if account.switches.upload_reply == "page" else {**uploaded, "item": []}


def get_media(account: "Account", call: Call) -> Mapping[str, Any] | Reply:
    media_id = call.request.parameter("media_id")
    medium = account.shelf.get(media_id, call.now)
    if medium.type == "video":
        return {"video_url": f"http://sandbox.invalid/{media_id}"}
    headers = (
        ("Connection", "close"),
        ("Content-Type", content_type(medium.content) or "image/jpeg"),
        # "jpg" whatever the format (inferred; not published).
        ("Content-disposition", f'attachment; filename="{media_id}.jpg"'),
        ("Cache-Control", "no-cache, must-revalidate"),
    )
    return Reply(200, headers, medium.content)


# --- helpers


def known_path(account: "Account", call: Call) -> str:
    """Return the cgi_path, or raise 76003 (no slash) or 76021 (unknown)."""
    path = text_field(call.json, "cgi_path")
    if not path.startswith("/"):
        raise RefusedError(76003)  # as the text of the page says
    if path not in account.paths:
        raise RefusedError(76021)
    return path


def get_quota(account: "Account", call: Call) -> Mapping[str, Any]:
    path = known_path(account, call)
    # Where no limit is published all three are 0, as in the published example.
    limit, used = account.quota.daily.get(path, 0), account.quota.used(path, call.now)
    quota = {"daily_limit": limit, "used": min(used, limit), "remain": max(0, limit - used)}
    per_minute = account.quota.per_minute.get(path)
    rate = {"rate_limit": {"call_count": per_minute, "refresh_second": 60}} if per_minute is not None else {}
    return {**OK, "quota": quota, **rate}


def clear_quota(account: "Account", call: Call) -> Mapping[str, Any]:
    if call.json.get("appid") != account.appid:
        raise RefusedError(40013)
    account.quota.clear(call.now)
    return OK


def get_rid(account: "Account", call: Call) -> Mapping[str, Any]:
    return {**OK, "request": account.rids.get(text_field(call.json, "rid"), call.now)}


def get_ips(account: "Account", call: Call) -> Mapping[str, Any]:
    return {"ip_list": ["127.0.0.1"]}  # the published addresses are WeChat's; pushes of a sandbox come from here


# fmt: off
RULES = (
    Rule(
        "The reply to an upload has no errcode, but an empty item; for a thumb it has a thumb_media_id. (The page "
        "shows an errcode and no item.)",
        "上传成功时不返回 errcode，但有一个空的 item；thumb 返回 thumb_media_id。（官方页面有 errcode，没有 item。）",
        seen="2020-08, 2020-09, 2021-09, 2021-10", setting="upload_reply",
    ),
    Rule(
        "A download has the published headers; a video comes as a URL in JSON. That the filename always ends in jpg "
        "is not published.",
        "下载时带官方文档所列的响应头，视频则以 JSON 返回下载地址。文件名一律以 jpg 为后缀，属推断。",
        page=UPLOAD, inferred=True,
    ),
    Rule(
        "A missing field and a field of the wrong type have these codes in every call.",
        "缺少字段、字段类型不对，各接口统一用这两个错误码。",
        inferred=True, errcodes=(40035, 41011),
    ),
    Rule(
        "get_quota needs an existing path that begins with a slash; clear_quota needs the account's own appid.",
        "查询额度时，路径须以斜杠开头，且确有其接口；清零须用本账号的 appid。",
        page=OPEN_API, errcodes=(40013, 76003, 76021),
    ),
)
