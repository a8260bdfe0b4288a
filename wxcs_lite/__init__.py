"""WeChat Mini Program customer-service messages (客服消息) as pure functions over urllib3.

A message is a dict, a request is a value, a reply is bytes; one module touches the network.

    from wxcs_lite import fetch_token, open_pool, send, text

    pool = open_pool()
    token = fetch_token(pool, appid, secret)
    send(pool, token, text(touser, "您好"))

What customers send arrives through `wxcs_lite.push`. Everything also runs without an account, on
`wxcs_lite.sandbox`; `python -m wxcs_lite` gives a tour.
"""

from wxcs_lite.cloudbase import FreshCloudbaseToken, fresh_cloudbase_token
from wxcs_lite.errcodes import Explanation, explain
from wxcs_lite.errors import (
    ApiError,
    BadReply,
    InvalidMessage,
    MediaRejected,
    PushRejected,
    QuotaExceeded,
    TokenRejected,
    TransportError,
    TypingRejected,
    WindowClosed,
    WxError,
    retry_after,
)
from wxcs_lite.fresh import FreshToken, fresh_token
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.messages import (
    Message,
    image,
    link,
    miniprogrampage,
    text,
    with_ai_label,
    with_businessid,
    with_kf_account,
)
from wxcs_lite.pools import open_pool
from wxcs_lite.remarks import Remark, check
from wxcs_lite.reply_window import Window, WindowEvent, window_left
from wxcs_lite.request import Request
from wxcs_lite.secret import CloudbaseToken, FromAppid, Token
from wxcs_lite.splitting import split_text
from wxcs_lite.streaming import Stream, stream
from wxcs_lite.transport import (
    call,
    clear_quota,
    download,
    fetch_token,
    get_callback_ip,
    get_quota,
    get_rid,
    send,
    set_typing,
    showing_typing,
    upload,
)
from wxcs_lite.wire import Reply, perform

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "BadReply",
    "CloudbaseToken",
    "Explanation",
    "FreshCloudbaseToken",
    "FreshToken",
    "FromAppid",
    "InvalidMessage",
    "Media",
    "MediaRejected",
    "Message",
    "PushRejected",
    "QuotaExceeded",
    "Remark",
    "Reply",
    "Request",
    "Stream",
    "Token",
    "TokenRejected",
    "TransportError",
    "TypingRejected",
    "Uploaded",
    "Window",
    "WindowClosed",
    "WindowEvent",
    "WxError",
    "call",
    "check",
    "clear_quota",
    "download",
    "explain",
    "fetch_token",
    "fresh_cloudbase_token",
    "fresh_token",
    "get_callback_ip",
    "get_quota",
    "get_rid",
    "image",
    "link",
    "miniprogrampage",
    "open_pool",
    "perform",
    "retry_after",
    "send",
    "set_typing",
    "showing_typing",
    "split_text",
    "stream",
    "text",
    "upload",
    "window_left",
    "with_ai_label",
    "with_businessid",
    "with_kf_account",
]

# Public modules; one that has not been imported yet is not among the globals and is not listed.
_PUBLIC_MODULES = {"batch", "bot", "endpoints", "messages", "panel", "push", "replies", "sandbox", "signing", "testing"}


def __dir__() -> list[str]:
    """Return the public names, so that completion does not offer every submodule that has been imported."""
    dunders = {name for name in globals() if name.startswith("__")}
    return sorted({*__all__} | dunders | (_PUBLIC_MODULES & globals().keys()))
