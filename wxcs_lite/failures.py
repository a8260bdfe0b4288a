"""What urllib3's errors mean: at which stage a call failed, and whether the request may have arrived.

Its exceptions hold URLs, and a URL holds the token. So nothing of the original goes along: no argument, no text.
"""

import ssl
from http.client import HTTPException, IncompleteRead

from urllib3 import exceptions as u

from wxcs_lite.errors import TransportError
from wxcs_lite.request import Request

__all__ = ["told_of", "transport_error"]

_Told = tuple[bool, str, str]  # maybe_sent, English, Chinese

# The first class that fits is the one that speaks. maybe_sent is False only where no byte of the request can have left.
_STAGES: tuple[tuple[type[Exception], _Told], ...] = (
    (u.NameResolutionError, (
        False,
        "the host's name could not be resolved: check the network and the pool's address",
        "域名解析失败：请检查网络和 pool 的地址",
    )),
    (u.NewConnectionError, (
        False,
        "no connection: refused or unreachable; check the network, the firewall and the pool's address",
        "连接不上：被拒绝或不可达，请检查网络、防火墙和 pool 的地址",
    )),
    (u.ConnectTimeoutError, (
        False,
        "no connection within the connect timeout; check the network, or give open_pool a longer connect_timeout",
        "连接超时：请检查网络，或在 open_pool 里调大 connect_timeout",
    )),
    (u.EmptyPoolError, (
        False,
        "all connections of the pool stayed busy: leave each stream(), or open_pool with a larger maxsize",
        "连接池一直没有空闲连接：请及时退出 stream()，或在 open_pool 里调大 maxsize",
    )),
    (u.ClosedPoolError, (False, "the pool is closed: open a new one", "连接池已关闭：请重新打开一个")),
    (u.ReadTimeoutError, (
        True,
        "no answer, or not all of it, within the time that open_pool allows",
        "在 open_pool 限定的时间内没有收到完整应答",
    )),
    (u.SSLError, (
        True,
        "TLS failed",
        "TLS 出错",
    )),
    (u.ProxyError, (
        True,
        "the way through the proxy was cut",
        "经代理的连接中断",
    )),
    (Exception, (
        True,
        "the connection was cut",
        "连接中断",
    )),
)  # fmt: skip

# The same, raised while urllib3 was connecting.
_CONNECTING: tuple[tuple[type[Exception], _Told], ...] = (
    (u.ReadTimeoutError, (
        False,
        "no TLS connection, or none through the proxy, within the connect timeout; check the network and the proxy",
        "在连接超时内没有建立 TLS 连接或代理隧道：请检查网络和代理",
    )),
    (u.SSLError, (
        False,
        "the TLS handshake failed; nothing was sent: check that the pool's address speaks TLS",
        "TLS 握手失败，尚未发出任何内容：请检查 pool 的地址是否支持 TLS",
    )),
    (Exception, (
        False,
        "the connection was cut before anything was sent; check the network and the proxy",
        "连接中断，尚未发出任何内容：请检查网络和代理",
    )),
)  # fmt: skip

_NOT_HTTP = (
    True,
    "the reply is not valid HTTP, so that its end is not known",
    "应答不符合 HTTP 规范，无法确定在哪里结束",
)
_NO_PROXY = False, "no connection through the proxy: check its address and login", "代理连不上：请检查代理地址和账号"
_SIGNED_BY_ITSELF = 18  # OpenSSL's X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
_SELF_SIGNED = (
    False,
    'the certificate is signed by nobody: inside WeChat cloud hosting open_pool("http://api.weixin.qq.com"), elsewhere '
    "look for what intercepts TLS",
    '证书是自签名的：微信云托管内请用 open_pool("http://api.weixin.qq.com")，其他环境请检查是否有中间设备拦截 TLS',
)
_BAD_CERTIFICATE = (
    False,
    "the certificate was not accepted: check the clock, the CA certificates and whether something intercepts TLS",
    "证书校验失败：请检查系统时间、CA 证书，以及是否有中间设备拦截 TLS",
)


def transport_error(error: u.HTTPError, request: Request) -> TransportError:
    """Return our error for urllib3's, by the stage at which it happened; nothing of the original goes along."""
    maybe_sent, en, zh = _told(error)
    return told_of(request, en, zh, type(error).__name__, maybe_sent)


def told_of(request: Request, en: str, zh: str, kind: str, maybe_sent: bool = True) -> TransportError:
    """Return the error with the call's name, and for a message with what is to be feared of sending it again."""
    if maybe_sent and request.gives == "receipt":
        en, zh = f"{en}; it may have been delivered all the same", f"{zh}；消息可能已经送达"
        en, zh = f"{en}: look before you send again", f"{zh}，重发前请先确认"
    call = f"{request.method} {request.path}"
    return TransportError(f"{call}: {en} ({kind})", f"{call}：{zh}（{kind}）", maybe_sent)


def _told(error: BaseException) -> _Told:
    told = _named(error)
    if told[0] and _while_connecting(error):
        return next(told for kind, told in _CONNECTING if isinstance(error, kind))
    return told


def _while_connecting(error: BaseException) -> bool:
    """Whether it was raised below urllib3's `connect`, which is over before the first byte of a request leaves.

    The class does not tell: a TLS error, a cut or a time-out is the same later. Nor does `__context__`, which may lead
    to what the caller was handling when the call began; only what urllib3 itself wrapped or named as the cause counts.
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
        # urllib3 also says ProxyError for a connection that was cut after the request had gone through the proxy.
        inner = error.original_error
        refused = type(inner) is OSError and str(inner).startswith("Tunnel connection failed")
        if refused or not _named(inner)[0]:
            return _NO_PROXY
    if isinstance(error, u.ProtocolError) and any(map(_is_malformed, error.args)):
        return _NOT_HTTP
    return next(told for kind, told in _STAGES if isinstance(error, kind))


def _is_malformed(inner: object) -> bool:
    return isinstance(inner, HTTPException) and not isinstance(inner, IncompleteRead | ConnectionError)


def _first_arg(error: BaseException) -> object:
    return error.args[0] if error.args else None
