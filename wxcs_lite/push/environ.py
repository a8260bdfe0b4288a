"""The query and the body of a WSGI request, both bounded."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from wxcs_lite.errors import PushRejected
from wxcs_lite.push.value import read_fields

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["is_marked", "is_path_check", "read_body", "read_query"]

_SIGNED = ("signature", "msg_signature", "timestamp", "nonce")
_MARKS = ("HTTP_X_WX_SOURCE", "HTTP_X_WX_SOURCES")  # two pages have two names
_CUSTOMERS = ("wx_client", "wx_devtools")
_MAX_QUERY = 8192  # characters
_PIECE = 65536  # bytes
_PATH_CHECK = 200  # bytes; either form has under 70


def read_query(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the query, or an empty one, which no signature fits, if it is too long or repeats a signed parameter.

    >>> read_query({"QUERY_STRING": "timestamp=1&nonce=2"})
    {'timestamp': '1', 'nonce': '2'}
    >>> read_query({"QUERY_STRING": "timestamp=1&nonce=2&nonce=3"})
    {}
    """
    text = environ.get("QUERY_STRING", "")
    pairs = parse_qsl(text, keep_blank_values=True) if len(text) <= _MAX_QUERY else []
    names = [name for name, _ in pairs]
    return {} if any(names.count(name) > 1 for name in _SIGNED) else dict(pairs)


def read_body(environ: "WSGIEnvironment", limit: int) -> bytes | None:
    """Return the body, or None if it exceeds the limit in bytes; raise PushRejected if it is incomplete."""
    given = environ.get("CONTENT_LENGTH") or ""
    if not given and environ.get("wsgi.input_terminated", False):  # chunked, and the server knows where it ends
        body = _read(environ["wsgi.input"], limit + 1)
        return body if len(body) <= limit else None
    if not (given or "0").isascii() or not (given or "0").isdigit():
        raise _broken()
    length = int(given[:20] or 0)
    if length > limit:
        return None
    body = _read(environ["wsgi.input"], length)
    if len(body) < length:
        raise _broken()
    return body


def _read(stream: Any, length: int) -> bytes:
    pieces = []
    try:
        while length > 0 and (piece := stream.read(min(length, _PIECE))):
            pieces.append(piece)
            length -= len(piece)
    except Exception:  # the client has gone; each server has its own error for that
        return b""
    return b"".join(pieces)


def _broken() -> PushRejected:
    return PushRejected(
        "the body is incomplete, or its Content-Length is not a number", "正文不完整，或 Content-Length 不是数字"
    )


def is_marked(environ: "WSGIEnvironment") -> bool:
    """Return whether WeChat cloud hosting marks the request as its own, and it has no signature to check instead.

    >>> is_marked({"HTTP_X_WX_SOURCE": "other"}), is_marked({"HTTP_X_WX_SOURCE": "wx_client"}), is_marked({})
    (True, False, False)

    Anyone who can reach the container's port can send that header; a customer's call (`wx.cloud.callContainer`) has it,
    too, with a different value. The value for a real push is not documented.
    """
    # https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/push.md
    sources = [environ[name] for name in _MARKS if name in environ]
    if not sources or "signature" in unquote_plus(environ.get("QUERY_STRING", "")):
        return False
    return not any(source.strip() in _CUSTOMERS for said in sources for source in said.split(","))


def is_path_check(body: bytes) -> bool:
    """Return whether the body is exactly the path check of cloud hosting, which is not signed.

    >>> is_path_check(b'{"action":"CheckContainerPath"}')
    True
    >>> is_path_check(b'{"action":"CheckContainerPath","MsgType":"text"}')
    False
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    if len(body) > _PATH_CHECK:
        return False
    try:
        fields, _ = read_fields(body)
    except PushRejected:
        return False
    return fields == {"action": "CheckContainerPath"}
