"""What urllib3's errors mean: at which stage a call failed, and whether the request may have arrived.

Its exceptions contain URLs, and a URL contains the token, so nothing of the original is kept: no argument, no text.
"""

import ssl
from http.client import HTTPException, IncompleteRead

from urllib3 import exceptions as u

from wxcs_lite.errors import TransportError
from wxcs_lite.request import Request

__all__ = ["told_of", "transport_error"]

_Told = tuple[bool, str, str]  # maybe_sent, English, Chinese

# The first class that matches counts. maybe_sent is False only where no byte of the request can have left.
_STAGES: tuple[tuple[type[Exception], _Told], ...] = (
    (u.NameResolutionError, (
        False,
        "the host's name could not be resolved: check the network and the pool's address",
        "域名解析失败：请检查网络和 pool 的地址",
    )),
    (u.NewConnectionError, (
        False,
        "no connection: refused or unreachable; check the network, the firewall and the pool's address",
        "无法连接：被拒绝或不可达，请检查网络、防火墙和 pool 的地址",
    )),
    (u.ConnectTimeoutError, (
        False,
        "no connection within the connect timeout; check the network, or give open_pool a longer connect_timeout, or "
        "total_timeout",
        "连接超时：请检查网络，或在 open_pool 里调大 connect_timeout 或 total_timeout",
    )),
    (u.EmptyPoolError, (
        False,
        "all connections of the pool stayed busy: exit every stream(), or give open_pool a larger maxsize",
        "连接池里一直没有空闲的连接：请及时退出 stream()，或在 open_pool 里调大 maxsize",
    )),
    (u.ClosedPoolError, (False, "the pool is closed: open a new one", "连接池已关闭：请重新打开一个")),
    (u.ReadTimeoutError, (
        True,
        "no complete reply within the time that open_pool allows",
        "未能在 open_pool 限定的时间内收到完整的应答",
    )),
    (u.SSLError, (
        True,
        "TLS failed",
        "TLS 连接出错",
    )),
    (u.ProxyError, (
        True,
        "the connection through the proxy was lost",
        "经代理的连接中断",
    )),
    (Exception, (
        True,
        "the connection was lost",
        "连接中断",
    )),
)  # fmt: skip

# The same, raised while urllib3 was connecting.
_CONNECTING: tuple[tuple[type[Exception], _Told], ...] = (
    (u.ReadTimeoutError, (
        False,
        "no TLS connection, or none through the proxy, within the connect timeout; check the network and the proxy",
        "连接超时，未能建立 TLS 连接或代理隧道：请检查网络和代理",
    )),
    (u.SSLError, (
        False,
        "the TLS handshake failed; nothing was sent: check that the pool's address speaks TLS",
        "TLS 握手失败，尚未发出任何内容：请检查 pool 的地址是否支持 TLS",
    )),
    (Exception, (
        False,
        "the connection was lost before anything was sent; check the network and the proxy",
        "连接中断，尚未发出任何内容：请检查网络和代理",
    )),
)  # fmt: skip

_NOT_HTTP = (
    True,
    "the reply is not valid HTTP, so its end is unknown",
    "应答不符合 HTTP 规范，无法确定在哪里结束",
)
_NOT_ALL_SENT = (
    True,
    "the request could not be sent in time: give open_pool a longer connect_timeout, or total_timeout",
    "请求没有在限定时间内发完：请在 open_pool 里调大 connect_timeout 或 total_timeout",
)
_NO_PROXY = False, "no connection through the proxy: check its address and login", "无法连接代理：请检查代理地址和账号"
_SIGNED_BY_ITSELF = 18  # OpenSSL's X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
_SELF_SIGNED = (
    False,
    'the certificate is self-signed: inside WeChat cloud hosting open_pool("http://api.weixin.qq.com"), elsewhere '
    "look for what intercepts TLS",
    '证书是自签名的：微信云托管内请用 open_pool("http://api.weixin.qq.com")，其他环境请检查是否有中间设备拦截 TLS',
)
_BAD_CERTIFICATE = (
    False,
    "the certificate was not accepted: check the clock, the CA certificates and whether something intercepts TLS",
    "证书校验失败：请检查系统时间、CA 证书，以及是否有中间设备拦截 TLS",
)


def transport_error(error: u.HTTPError, request: Request) -> TransportError:
    """Return our error for one of urllib3's, by the stage at which it was raised; nothing of the original is kept."""
    maybe_sent, en, zh = _told(error)
    return told_of(request, en, zh, type(error).__name__, maybe_sent)


def told_of(request: Request, en: str, zh: str, kind: str, maybe_sent: bool = True) -> TransportError:
    """Return an error that names the call and, for a message, warns that it may have been delivered."""
    if maybe_sent and request.gives == "receipt":
        en, zh = f"{en}; it may have been delivered anyway", f"{zh}；消息可能已经送达"
        en, zh = f"{en}: check before you send again", f"{zh}，重发前请先确认"
    call = f"{request.method} {request.path}"
    return TransportError(f"{call}: {en} ({kind})", f"{call}：{zh}（{kind}）", maybe_sent)


def _told(error: BaseException) -> _Told:
    told = _named(error)
    if told[0] and _while_connecting(error):
        return next(told for kind, told in _CONNECTING if isinstance(error, kind))
    return told


def _while_connecting(error: BaseException) -> bool:
    """Return whether it was raised in urllib3's `connect`, which ends before the first byte of a request is sent.

    The class does not tell, because TLS errors, lost connections and time-outs look the same later. `__context__` does
    not tell either: it may lead to what the caller was handling when the call began. Only what urllib3 itself wrapped
    or named as the cause counts.
    """
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if code.co_name == "connect" and frame.tb_frame.f_globals.get("__name__") == "urllib3.connection":
            return True
        frame = frame.tb_next
    wrapped = [arg for arg in error.args if isinstance(arg, BaseException)]
    return any(_while_connecting(inner) for inner in (*wrapped, error.__cause__) if inner is not None)


def _named(error: BaseException) -> _Told:
    if isinstance(error, u.SSLError) and isinstance(_first_arg(error), ssl.SSLCertVerificationError):
        alone = getattr(_first_arg(error), "verify_code", None) == _SIGNED_BY_ITSELF
        return _SELF_SIGNED if alone else _BAD_CERTIFICATE
    if isinstance(error, u.ProxyError):
        # urllib3 also raises ProxyError if the connection is lost after the request has gone through the proxy.
        inner = error.original_error
        refused = type(inner) is OSError and str(inner).startswith("Tunnel connection failed")
        if refused or not _named(inner)[0]:
            return _NO_PROXY
    if isinstance(error, u.ProtocolError) and any(map(_is_malformed, error.args)):
        return _NOT_HTTP
    if isinstance(error, u.ProtocolError) and any(isinstance(arg, TimeoutError) for arg in error.args):
        return _NOT_ALL_SENT  # one while reading is a ReadTimeoutError
    return next(told for kind, told in _STAGES if isinstance(error, kind))


def _is_malformed(inner: object) -> bool:
    return isinstance(inner, HTTPException) and not isinstance(inner, IncompleteRead | ConnectionError)


def _first_arg(error: BaseException) -> object:
    return error.args[0] if error.args else None
