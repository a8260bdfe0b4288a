"""Checks of the connection to WeChat, in the order of a call: name, TLS, reply; then clock and cloud hosting."""

import http.client
import ipaddress
import os
import socket
import ssl
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from wxcs_lite import endpoints
from wxcs_lite.errors import WxError
from wxcs_lite.replies import read_ok
from wxcs_lite.request import API
from wxcs_lite.terminal.doctor.findings import Case, Finding, of_error, ok, skipped, warn, wrong
from wxcs_lite.terminal.environment import PROXY, Told, printable, setting
from wxcs_lite.wire import perform

__all__ = ["check_answer", "check_clock", "check_cloud_hosting", "check_name", "check_tls"]

_PATIENCE = 5.0  # seconds for a step


def _via(case: Case) -> SplitResult:
    """Return what this machine connects to: the proxy, if there is one."""
    return urlsplit(case.where.proxy or case.where.base)


def check_name(case: Case) -> Finding:
    """Look up the host's name, or the proxy's, which looks up the host's itself."""
    via = _via(case)
    host = str(via.hostname)
    try:
        found = socket.getaddrinfo(host, via.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter for a part of more than 63 characters
        return wrong(
            f"{host} has no address: no network, a DNS server that does not answer, or a mistake in the name",
            f"查不到 {host} 的地址：网络不通、DNS 无响应，或者域名写错了",
        )
    case.addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    shown = ", ".join(case.addresses[:3])
    if shown == host:
        return ok(f"{host} is an address, so there is nothing to look up", f"{host} 本身就是 IP 地址，无需解析")
    return ok(f"{host} is {shown}", f"{host} 的地址是 {shown}")


def check_tls(case: Case) -> Finding:
    """Check the certificate: who issued it, or why it is not accepted."""
    base = urlsplit(case.where.base)
    if base.scheme != "https":
        return _plain(case, str(base.hostname))
    if _via(case).scheme == "https" and case.where.proxy is not None:
        return skipped("the proxy uses TLS itself: see the next check", "代理本身使用 TLS，结果见下一项")
    try:
        certificate = _certificate(case, ssl.create_default_context())
    except ssl.SSLCertVerificationError as e:
        problem: ssl.SSLCertVerificationError | Told = e
    except (OSError, http.client.HTTPException) as e:
        problem = _unreachable(e, case)
    else:
        issuer = _issuer(certificate)
        return ok(
            f"the certificate is accepted; it was issued by {issuer}. If that is your company or your antivirus, it "
            "can read the tokens",
            f"证书有效，签发者是 {issuer}。如果那是公司网关或杀毒软件，它就能看到凭证",
        )
    if isinstance(problem, ssl.SSLCertVerificationError):
        return _not_accepted(case, problem)
    return wrong(*problem)


def _plain(case: Case, host: str) -> Finding:
    if _is(case, "is_loopback"):
        return ok("plain http, but within this machine", "使用 http，但不出本机")
    if _is(case, "is_private") and case.where.base.rstrip("/") == _PLAIN_API:
        return ok("plain http, as WeChat cloud hosting requires", "使用 http，符合微信云托管的要求")
    return warn(
        f"plain http to {host}: anyone on the network path can read the token. Use https, unless this runs inside "
        "WeChat cloud hosting",
        f"用 http 访问 {host}：途中任何人都能读取凭证。除非运行在微信云托管里，请改用 https",
    )


_PLAIN_API = API.replace("https:", "http:")


def _is(case: Case, kind: str) -> bool:
    addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in case.addresses]
    return bool(addresses) and all(getattr(address, kind) for address in addresses)


def _certificate(case: Case, context: ssl.SSLContext) -> dict[str, Any]:
    """Make the TLS handshake and return the certificate as Python shows it, {} if it is not verified."""
    return dict(_connected(case, context, lambda sock: sock.getpeercert() or {}))


def _connected(case: Case, context: ssl.SSLContext, look: Any) -> Any:
    base, via = urlsplit(case.where.base), _via(case)
    proxied = case.where.proxy is not None
    port = via.port or (80 if proxied else 443)
    connection = http.client.HTTPSConnection(str(via.hostname), port, timeout=_PATIENCE, context=context)
    if proxied:
        connection.set_tunnel(str(base.hostname), base.port or 443, headers=dict(case.pool.proxy_headers))
    try:
        connection.connect()
        return look(connection.sock)
    finally:
        connection.close()


def _issuer(certificate: dict[str, Any]) -> str:
    named = {name: value for part in certificate.get("issuer", ()) for name, value in part}
    return printable(named.get("organizationName") or named.get("commonName") or "?")


def _unverified_issuer(case: Case) -> str:
    """Return the issuer named in a certificate that is not accepted, or "?".

    Python shows only verified certificates, so it is fetched first, and then verified against itself.
    """
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    try:
        der = _connected(case, blind, lambda sock: sock.getpeercert(True))
        knowing = ssl.create_default_context(cadata=der)
        knowing.check_hostname = False
        knowing.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return _issuer(_certificate(case, knowing))
    except (OSError, ValueError, http.client.HTTPException):
        return "?"


_DATES = (9, 10)  # of OpenSSL's X509_V_ERR_: not yet valid, expired
_OTHER_NAME = (62, 64)  # not for this host name, not for this address


def _not_accepted(case: Case, error: ssl.SSLCertVerificationError) -> Finding:
    reason, issuer = error.verify_message, _unverified_issuer(case)
    en, zh = f"the certificate is not accepted ({reason})", f"证书校验未通过（{reason}）"
    if error.verify_code in _DATES:
        return wrong(
            f"{en}: first check the date and time of this machine",
            f"{zh}：请先检查本机的日期和时间",
        )
    if error.verify_code in _OTHER_NAME:
        return wrong(
            f"{en}: another server answers here; check the base URL, the hosts file and the proxy",
            f"{zh}：应答的不是这台主机，请检查基础地址、hosts 文件和代理",
        )
    return wrong(
        f"{en}; it was issued by {issuer}. A proxy, a gateway or an antivirus reads the traffic, or the CA "
        "certificates of this machine are old: avoid it, or add its CA to the file named by SSL_CERT_FILE",
        f"{zh}，签发者是 {issuer}。要么是代理、网关或杀毒软件在拦截 TLS，要么是本机的 CA 证书过旧："
        "请绕开它，或把它的 CA 加入 SSL_CERT_FILE 指定的文件",
    )


def _unreachable(error: Exception, case: Case) -> Told:
    """Return the message about a failed connection."""
    text = printable(error)
    if "Tunnel connection failed: 407" in text:
        return (
            f"the proxy requires a login: put http://user:password@host:port into {PROXY} here, and into proxy= of "
            "open_pool in your code",
            f"代理要求登录：这里请把 http://用户名:密码@主机:端口 写入 {PROXY}，代码里传给 open_pool 的 proxy=",
        )
    if text.startswith("Tunnel connection failed"):
        return (
            f"the proxy refuses to connect to this host ({text[26:60]}): check its rules",
            f"代理拒绝访问该主机（{text[26:60]}）：请检查代理的规则",
        )
    if isinstance(error, ssl.SSLError):
        return (
            "the TLS handshake failed: check whether the base URL and its port support https",
            "TLS 握手失败：请检查基础地址和端口是否支持 https",
        )
    reason = "no reply in time" if isinstance(error, TimeoutError) else type(error).__name__
    reason_zh = "超时无应答" if isinstance(error, TimeoutError) else type(error).__name__
    en, zh = _unread_proxy()
    address, address_zh = ("the base URL", "基础地址") if case.where.proxy is None else ("the proxy", "代理")
    return (
        f"no connection ({reason}): check the network, the firewall and {address}{en}",
        f"无法连接（{reason_zh}）：请检查网络、防火墙和{address_zh}{zh}",
    )


def _unread_proxy() -> Told:
    """Return a hint if the environment names a proxy that is not used here."""
    named = next((name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY") if os.environ.get(name)), None)
    if named is None or setting(PROXY):
        return "", ""
    return (
        f". {named} is set, but wxcs_lite does not read it: use {PROXY} here and proxy= of open_pool in your code",
        f"。环境里设置了 {named}，但 wxcs_lite 不读取它：这里请用 {PROXY}，代码里用 open_pool 的 proxy=",
    )


def check_answer(case: Case) -> Finding:
    """Make a call without a token, which WeChat refuses with an errcode, unlike any other server."""
    asked = time.time()
    try:
        reply = perform(case.pool, None, endpoints.get_callback_ip())
    except WxError as e:
        return of_error(e)
    case.reply = reply
    _note_clock(case, (asked + time.time()) / 2)
    if case.relayed:
        return ok("the relay of WeChat cloud hosting answers", "微信云托管的开放接口服务有应答")
    try:
        read_ok(*reply)
    except WxError as e:
        if hasattr(e, "errcode"):
            return ok("the reply looks like WeChat's", "应答符合微信接口的形式")
        return of_error(e, ("the server there is not WeChat", "应答的不是微信"))
    return ok("the reply looks like WeChat's", "应答符合微信接口的形式")


def _note_clock(case: Case, now: float) -> None:
    assert case.reply is not None
    told = case.reply.headers.get("date")
    try:
        date: datetime | None = parsedate_to_datetime(told) if told else None
    except ValueError:
        date = None
    if date is not None and date.tzinfo is not None:
        case.clock_ahead = now - date.timestamp()


_NOTED, _BAD = 60, 300  # seconds


def check_clock(case: Case) -> Finding:
    """Compare this machine's clock with the Date of the reply."""
    ahead = case.clock_ahead
    if ahead is None:
        return skipped("the reply has no Date to compare with", "应答里没有 Date，无从比较")
    seconds = round(abs(ahead))
    if seconds <= _NOTED:
        return ok("within a minute of WeChat's", "与对方相差不到一分钟")
    way, way_zh = ("ahead of", "快") if ahead > 0 else ("behind", "慢")
    finding = partial(wrong if seconds > _BAD else warn)
    return finding(
        f"this machine is {_span(seconds)} {way} WeChat: set the clock by NTP. Until then certificates, the age of "
        "pushes (max_age) and signed calls cannot be judged correctly",
        f"本机时间比微信{way_zh} {_span_zh(seconds)}：请用 NTP 校准，"
        "否则证书有效期、推送时效（max_age）和 API 签名都会判断出错",
    )


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _span_zh(seconds: int) -> str:
    return _span(seconds).replace(" s", " 秒").replace(" min", " 分钟").replace(" h", " 小时")


def check_cloud_hosting(case: Case) -> Finding | None:
    """Report on WeChat cloud hosting, if there is a sign of it."""
    host = urlsplit(case.where.base).hostname
    inside = case.where.proxy is None and host == urlsplit(API).hostname and _is(case, "is_private")
    if case.relayed:
        return ok(
            "the open-API service relays calls and adds the credential: send no token (None), over plain http",
            "开放接口服务正在转发请求并自动附加凭证：不要传 token（传 None），使用 http",
        )
    if inside:
        return wrong(
            "the name has a private address, as inside WeChat cloud hosting, but the reply did not pass the relay: "
            f"use {_PLAIN_API}, switch on 开放接口服务, and then build a new version",
            f"域名解析到内网地址，像是在微信云托管里，但应答没有经过开放接口服务：请用 {_PLAIN_API}，"
            "打开“开放接口服务”开关，之后再发布新版本",
        )
    return None
