"""One function for each WeChat call: values in, a `Request` out.

None of them sends anything or needs an access token: `Request.url` adds that, as the first parameter of the query.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal, get_args

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.messages import require_message
from wxcs_lite.multipart import media_part
from wxcs_lite.request import JSON, SECRETS, Gives, Request
from wxcs_lite.require import kind_of, quoted, require_businessid, require_str, require_utf8
from wxcs_lite.secret import SecretBytes, hide, hide_if_str, hide_named, secrets_in

__all__ = [
    "SIGNABLE",
    "Command",
    "MediaType",
    "Method",
    "call",
    "clear_quota",
    "download",
    "get_callback_ip",
    "get_quota",
    "get_rid",
    "send",
    "set_typing",
    "stable_token",
    "upload",
]

Command = Literal["Typing", "CancelTyping"]
MediaType = Literal["image", "voice", "video", "thumb"]
Method = Literal["GET", "POST"]

# The calls that WeChat accepts with an API signature: its page names the first, two SDKs list all four.
SIGNABLE = frozenset(
    {
        "/cgi-bin/message/custom/send",
        "/cgi-bin/openapi/quota/get",
        "/cgi-bin/openapi/rid/get",
        "/cgi-bin/clear_quota",
    }
)

# Raw UTF-8: WeChat has errcodes for \u escapes (47002, 40033), and customers have seen such escapes literally.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _post(path: str, body: Mapping[str, Any], *, gives: Gives = "json") -> Request:
    return Request("POST", path, (), _json(body), JSON, gives=gives)


def _message(call: str, body: Mapping[str, Any]) -> Request:
    """Return a customer-service message call; with a `businessid` it has a different path."""
    business = "business/" if "businessid" in body else ""
    return _post(f"/cgi-bin/message/custom/{business}{call}", body, gives="receipt")


def _json(value: Mapping[str, Any], field: Literal["message", "body"] = "message") -> bytes:
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
        wrong = "a lone surrogate (half of an emoji)", "不成对的代理字符（半个 emoji）"
    except RecursionError:
        wrong = "too many nested levels", "过深的嵌套"
    except (TypeError, ValueError) as e:
        wrong = f"a value that JSON cannot represent: {e}", f"JSON 无法表示的内容：{e}"
    raise InvalidMessage(field, f"contains {wrong[0]}", f"含有{wrong[1]}")


def send(message: Mapping[str, Any]) -> Request:
    r"""Return the request that sends a message; handmade dicts are checked too, an unknown msgtype passes.

    >>> send({"touser": "OPENID", "msgtype": "text", "text": {"content": "你好"}}).body.decode()
    '{"touser":"OPENID","msgtype":"text","text":{"content":"你好"}}'

    A `businessid` in the message changes the path to `/cgi-bin/message/custom/business/send`.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
    __tracebackhide__ = True
    require_message(message)
    return _message("send", dict(message))


def set_typing(
    touser: str,
    command: Command = "Typing",
    *,
    businessid: int | str | None = None,
) -> Request:
    """Return the request that shows "typing…" to the customer for 15 seconds, or hides it.

    >>> set_typing("OPENID", "CancelTyping").body
    b'{"touser":"OPENID","command":"CancelTyping"}'

    WeChat refuses it while the status still shows (45081), or if no message went either way for 30 seconds (45080).
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_typing.html
    __tracebackhide__ = True
    require_str("touser", touser)
    if command not in get_args(Command):
        raise InvalidMessage(
            "command",
            f"must be 'Typing' or 'CancelTyping', not {quoted(command)}",
            f"只能是 'Typing' 或 'CancelTyping'，收到的是 {quoted(command)}",
        )
    body: dict[str, Any] = {"touser": touser, "command": command}
    if businessid is not None:
        require_businessid(businessid)
        body["businessid"] = businessid
    return _message("typing", body)


def upload(
    content: bytes | BinaryIO,
    *,
    filename: str | None = None,
    type: MediaType = "image",
    boundary: str | None = None,
) -> Request:
    r"""Return the request that uploads a temporary medium, which can be used for three days.

    >>> request = upload(b"\xff\xd8\xff\xe0 made up", filename="照片.png", boundary="made-up-boundary")
    >>> print(request.body.head.decode().splitlines()[1])
    Content-Disposition: form-data; name="media"; filename="media.jpg"

    The filename is sent in plain ASCII with the extension that fits the content, because WeChat judges by it.
    `content` is bytes or a seekable binary file, which is sent whole, from its start, whatever its position. `type` is
    image, voice, video or thumb; for Mini Programs only image is documented.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_uploadtempmedia.html
    require_str("type", type)
    body, content_type = media_part(content, filename, boundary)
    return Request("POST", "/cgi-bin/media/upload", (("type", type),), body, content_type)


def download(media_id: str) -> Request:
    """Return the request that downloads a temporary medium, yours or one that a customer sent.

    >>> print(download("MEDIA_ID").url("TOKEN"))
    /cgi-bin/media/get?access_token=TOKEN&media_id=MEDIA_ID
    """
    # https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_getmedia.html
    require_str("media_id", media_id)
    if media_id.lower().startswith(("http://", "https://")):
        raise InvalidMessage(
            "media_id",
            "is a web address: pass the MediaId of the push, not its PicUrl",
            "是网址：请传推送里的 MediaId，而不是 PicUrl",
        )
    return Request("GET", "/cgi-bin/media/get", (("media_id", media_id),), gives="media")


def stable_token(appid: str, secret: str, *, force_refresh: bool = False) -> Request:
    """Return the request for an access token, which WeChat shares among all callers.

    >>> print(stable_token("APPID", "made-up secret"))
    POST /cgi-bin/stable_token HTTP/1.1
    Content-Type: application/json
    Content-Length: 98
    <BLANKLINE>
    {
      "grant_type": "client_credential",
      "appid": "APPID",
      "secret": "***",
      "force_refresh": false
    }

    `force_refresh` invalidates the current token for everybody, and works 20 times a day. `/cgi-bin/token` is not
    offered, because each call to it replaces the previous token.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
    appid, secret = hide_if_str(appid), hide(secret)
    require_str("appid", appid)
    require_str("secret", secret)
    body = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": bool(force_refresh)}
    return Request("POST", "/cgi-bin/stable_token", (), SecretBytes(_json(body)), JSON, takes_token=False)


def get_rid(rid: str) -> Request:
    """Return the request that looks up WeChat's record of a failed call, which is kept for seven days.

    >>> get_rid("61725984-6126f6f9-040f19c4").body
    b'{"rid":"61725984-6126f6f9-040f19c4"}'
    """
    # https://developers.weixin.qq.com/doc/subscription/api/apimanage/api_getridinfo.html
    require_str("rid", rid)
    return _post("/cgi-bin/openapi/rid/get", {"rid": rid})


def get_quota(cgi_path: str = "/cgi-bin/message/custom/send") -> Request:
    """Return the request that asks how much of a call's daily allowance is left.

    >>> get_quota().body
    b'{"cgi_path":"/cgi-bin/message/custom/send"}'

    The path must begin with a slash and have no host (76003, 76021 otherwise).
    """
    require_str("cgi_path", cgi_path)
    return _post("/cgi-bin/openapi/quota/get", {"cgi_path": cgi_path})


def get_callback_ip() -> Request:
    """Return the request for the addresses that pushes come from; they change, so ask again every day.

    >>> print(get_callback_ip().url("TOKEN"))
    /cgi-bin/getcallbackip?access_token=TOKEN
    """
    return Request("GET", "/cgi-bin/getcallbackip")


def clear_quota(appid: str) -> Request:
    """Return the request that resets today's call counters to zero; WeChat allows it ten times a month.

    >>> clear_quota("APPID").body
    b'{"appid":"APPID"}'

    `appid` must be the account's own (40013 otherwise).
    """
    # https://developers.weixin.qq.com/doc/subscription/api/apimanage/api_clearquota.html
    require_str("appid", appid)
    return _post("/cgi-bin/clear_quota", {"appid": appid})


def call(
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    method: Method | None = None,
    query: Mapping[str, str | int] | None = None,
) -> Request:
    """Return the request for any other JSON call of WeChat: a POST if it has a body, else a GET.

    >>> call("/cgi-bin/business/get", {"account_name": "apple"})
    <Request POST /cgi-bin/business/get, 24 bytes of application/json>
    >>> print(call("/customservice/kfaccount/setadmin", query={"kf_openid": "KF_OPENID"}).url("TOKEN"))
    /customservice/kfaccount/setadmin?access_token=TOKEN&kf_openid=KF_OPENID

    `method` overrides that. A call with a `secret` or `appsecret`, in body or query, takes no access token.
    Raises InvalidMessage for a path with a host, without a slash or with a query.
    """
    path, body, method, query = hide_if_str(path), hide_named(body), hide_if_str(method), hide_named(query)
    _require_path(path)
    if not isinstance(body, Mapping | None):
        raise InvalidMessage("body", f"must be a dict, not {kind_of(body)}", f"应为 dict，收到的是 {kind_of(body)}")
    if method is None:
        method = "GET" if body is None else "POST"
    if method not in get_args(Method):
        raise InvalidMessage("method", "must be 'GET' or 'POST'", "只能是 'GET' 或 'POST'")
    pairs = tuple(_pairs(query))
    takes_token = not any(name in SECRETS for name in (*(body or ()), *(name for name, _ in pairs)))
    if body is None:
        return Request(str(method), str(path), pairs, takes_token=takes_token)
    data = _json(dict(body), "body")
    return Request(
        str(method), str(path), pairs, SecretBytes(data) if secrets_in(body) else data, JSON, (), takes_token
    )


def _require_path(path: str) -> None:
    """Refuse what is not a path, without quoting it, because it may contain a token."""
    require_str("path", path)
    wrong = next((told for pattern, told in _NOT_A_PATH if re.search(pattern, path)), None)
    if wrong is not None:
        raise InvalidMessage("path", *wrong)


_NOT_A_PATH = (
    (
        "access_token",
        ("contains an access_token: pass it as the token argument", "含有 access_token，应作为单独的参数传入"),
    ),
    (
        "(?i)^([a-z][a-z0-9+.-]*:)?//",
        (
            "is a full URL: give only the part after the host, such as /cgi-bin/business/get; the pool knows the host",
            "是完整的网址：只写域名之后的部分，如 /cgi-bin/business/get，域名由 pool 决定",
        ),
    ),
    ("^[^/]", ("must begin with a slash, like /cgi-bin/business/get", "应以斜杠开头，如 /cgi-bin/business/get")),
    ("[?#]", ('has a query: pass it as query={"name": "value"}', '带了查询参数：请用 query={"name": "value"} 传入')),
    (
        "[^!-~]",
        (
            "contains a space or another character that is not allowed (a copied hyphen may be a different one)",
            "含有空格或微信路径中没有的字符（从网页复制的连字符可能是其他字符）",
        ),
    ),
)


def _pairs(query: object) -> Iterator[tuple[str, str]]:
    """Yield the parameters of the query, or refuse them without quoting a value."""
    if query is None:
        return
    if not isinstance(query, Mapping):
        raise InvalidMessage("query", f"must be a dict, not {kind_of(query)}", f"应为 dict，收到的是 {kind_of(query)}")
    for name, value in query.items():
        require_str("query", name)
        if name in ("access_token", "cloudbase_access_token"):
            raise InvalidMessage(
                "query", f"contains {name}: pass it as the token argument", f"含有 {name}，应作为单独的参数传入"
            )
        if isinstance(value, bool) or not isinstance(value, str | int):
            kind = kind_of(value)
            raise InvalidMessage(
                "query", f"{name} must be a str or an int, not {kind}", f"{name} 应为 str 或 int，收到的是 {kind}"
            )
        if isinstance(value, str):
            require_utf8("query", value)
        yield name, value if isinstance(value, str) else str(value)
