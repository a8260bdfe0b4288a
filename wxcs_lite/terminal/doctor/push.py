"""Checks of the push URL, as WeChat calls it: the URL check, an event in the chosen mode, and a forged one.

Neither the type of the event nor its customer exists, so the server only has to answer success.
"""

import secrets
import time
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from wxcs_lite.sandbox import CustomerEvent
from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.pushes.crypto import Sealer
from wxcs_lite.sandbox.pushes.requests import Setting, check_request, push_request
from wxcs_lite.sandbox.pushes.targets import ask, open_target
from wxcs_lite.secret import hide
from wxcs_lite.terminal.doctor.findings import Case, Finding, ok, skipped, warn, wrong
from wxcs_lite.terminal.environment import AES_KEY, APPID, PUSH_TOKEN, Told, not_set

__all__ = ["check_push_address", "check_push_echo", "check_push_event", "check_push_forged"]

_TIME = 5.0  # seconds that WeChat waits
_SLOW = 2.5
_OPENID = "oDOCTOR_nobody"


def check_push_address(case: Case) -> Finding | None:
    """Check whether WeChat would call such a URL."""
    if case.push_url is None:
        return None
    try:
        open_target(case.push_url)
        url = urlsplit(case.push_url)
        port, host = url.port, url.hostname
    except ValueError:
        return wrong(
            "the URL to push to must look like https://host/path, without a user name",
            "推送 URL 应形如 https://域名/路径，且不带用户名",
        )
    if case.push_token is None:
        return wrong(*not_set(PUSH_TOKEN))
    usual = {"http": 80, "https": 443}[url.scheme]
    if port not in (None, usual):
        return warn(
            f"WeChat calls {url.scheme} on port {usual} only, not on {port}: the console will refuse this URL",
            f"微信只访问 {url.scheme} 的 {usual} 端口，不支持 {port}：这个 URL 在管理后台无法保存",
        )
    if _is_local(str(host)):
        return warn(
            f"{host} is an address of this machine or this network: WeChat cannot reach it",
            f"{host} 是本机或内网地址，微信访问不到",
        )
    return ok("WeChat can call this URL", "微信可以访问这种地址")


def _is_local(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost"


class _Answer(NamedTuple):
    reply: Reply | str  # a str says why there is no reply
    seconds: float


def _ask(case: Case, request: Request) -> _Answer:
    begun = time.monotonic()
    reply = ask(open_target(str(case.push_url)), request, _TIME)
    return _Answer(reply, time.monotonic() - begun)


def _setting(case: Case, token: str | None = None) -> Setting:
    sealer = Sealer(case.aes_key, case.appid) if case.aes_key and case.appid else None
    return Setting(token or hide(case.push_token), "json", sealer, False, "gh_doctor")


def check_push_echo(case: Case) -> Finding | None:
    """Make the URL check, which must be answered with exactly the echostr."""
    if case.push_url is None:
        return None
    echostr = str(secrets.randbelow(10**18) + 10**18)
    setting = _setting(case)._replace(sealer=None)
    request = check_request(setting, timestamp=int(time.time()), nonce=_nonce(), echostr=echostr)
    answer = _ask(case, request)
    if isinstance(answer.reply, str):
        return wrong(*_no_answer(answer.reply))
    if not _is_good(answer.reply):
        return wrong(*_status(answer.reply.status))
    if answer.reply.body == echostr.encode():
        return _in_time(answer.seconds, "the URL check is answered with the echostr", "URL 校验能原样返回 echostr")
    return wrong(*_not_the_echostr(answer.reply.body, echostr))


def _is_good(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _nonce() -> str:
    return str(secrets.randbelow(10**9))


_UNANSWERED: dict[str, Told] = {
    "NewConnectionError": ("nothing listens there", "没有服务在监听"),
    "NameResolutionError": ("the host's name has no address", "域名解析不到地址"),
    "SSLError": ("the certificate is not accepted, or TLS failed", "证书无效或 TLS 握手失败"),
    "ProtocolError": ("the connection was lost", "连接被断开"),
}


def _no_answer(why: str) -> Told:
    if why.startswith("no answer within"):
        return (
            f"no answer within {_TIME:g} s, and WeChat waits no longer: answer at once, and do the work afterwards",
            f"{_TIME:g} 秒内没有应答，微信最多只等这么久：请先应答，再处理业务",
        )
    en, zh = _UNANSWERED.get(why, (why, why))
    return f"no answer: {en}", f"没有应答：{zh}"


def _status(status: int) -> Told:
    en, zh = f"HTTP {status} instead of 200", f"返回 HTTP {status}，应为 200"
    if status in (401, 403):
        return (
            f"{en}: is {PUSH_TOKEN} the Token in the console and on the server, and does the URL need no login?",
            f"{zh}：请确认 {PUSH_TOKEN} 与管理后台、服务端的 Token（令牌）一致，且该地址不需要登录",
        )
    if 300 <= status < 400:
        return (
            f"{en}: whether WeChat follows a redirect is not known, so use the final URL",
            f"{zh}：微信是否跟随跳转没有说明，请直接填写最终地址",
        )
    return f"{en}: check the server's log", f"{zh}：请查看服务端日志"


def _not_the_echostr(body: bytes, echostr: str) -> Told:
    right = echostr.encode()
    if right not in body:
        return (
            f"the answer ({len(body)} bytes) is not the echostr: return the parameter echostr itself",
            f"应答的 {len(body)} 字节里没有 echostr：请原样返回参数 echostr",
        )
    before, _, after = body.partition(right)
    around = (before + after).strip()
    if around == b'""':
        return (
            "the echostr comes back in quotes: the framework returned it as JSON; return plain text",
            "echostr 带了引号：框架把它转成了 JSON，请返回纯文本",
        )
    if not around:
        return (
            "there are spaces or line breaks around the echostr: return only the echostr",
            "echostr 前后多了空格或换行：请只返回 echostr",
        )
    return (
        "there is something around the echostr (a BOM, HTML, a log line): return only the echostr",
        "echostr 前后多了别的内容（BOM、HTML 或日志）：请只返回 echostr",
    )


def _in_time(seconds: float, en: str, zh: str) -> Finding:
    en, zh = f"{en}, after {seconds:.1f} s", f"{zh}，用时 {seconds:.1f} 秒"
    if seconds <= _SLOW:
        return ok(en, zh)
    return warn(
        f"{en}; WeChat waits {_TIME:g} s, so answer first and do the work afterwards",
        f"{zh}，接近 {_TIME:g} 秒上限：请先应答，再处理业务",
    )


def check_push_event(case: Case) -> Finding | None:
    """Push an event of an unknown type, in secure mode if there is a key; the answer must be success."""
    if case.push_url is None:
        return None
    if case.aes_key is not None and case.appid is None:
        return skipped(
            f"secure mode needs {APPID}, because encrypted pushes contain the appid",
            f"安全模式的密文里含有 appid，请设置 {APPID}",
        )
    try:
        request = _event(case, _setting(case))
    except ValueError:
        return wrong(
            f"{AES_KEY} is not an EncodingAESKey: 43 of A-Z, a-z, 0-9, + and /",
            f"{AES_KEY} 不是有效的 EncodingAESKey：应为 43 位字母、数字、+ 或 /",
        )
    except ImportError:
        return skipped(
            "secure mode needs the package cryptography: pip install 'cryptography>=50.0.2'",
            "安全模式需要 cryptography：pip install 'cryptography>=50.0.2'",
        )
    answer = _ask(case, request)
    if isinstance(answer.reply, str):
        return wrong(*_no_answer(answer.reply))
    if not _is_good(answer.reply):
        return wrong(*_status(answer.reply.status))
    return _judged(case, answer.reply.body, answer.seconds)


def _event(case: Case, setting: Setting) -> Request:
    event = CustomerEvent(int(time.time()), _OPENID, "event", None, {"Event": "wxcs_lite_doctor"})
    return push_request(setting, event, nonce=_nonce(), random=secrets.token_hex(8))


def _judged(case: Case, body: bytes, seconds: float) -> Finding:
    if body not in (b"", b"success"):
        quoted = body.strip() == b'"success"'
        return wrong(
            f"an event is answered with {len(body)} bytes that are not success"
            f"{'; drop the quotes and return plain text' if quoted else ''}. Customers are then told that the "
            "service is unavailable",
            f"事件推送的应答（{len(body)} 字节）不是 success{'：多了引号，请返回纯文本' if quoted else ''}。"
            "用户会看到“客服暂时无法提供服务”之类的提示",
        )
    if case.aes_key is None:
        return warn(
            f"a plain event is answered with success. Choose secure mode (安全模式) in the console and set {AES_KEY}: "
            "the signature of a plain push does not cover its body",
            f"明文事件的应答正确。建议在管理后台改用安全模式并设置 {AES_KEY}：明文推送的签名不涵盖正文",
        )
    return _in_time(seconds, "an event in secure mode is answered with success", "安全模式的事件应答正确")


def check_push_forged(case: Case) -> Finding | None:
    """Push the same event with a wrong signature, which must be refused."""
    if case.push_url is None:
        return None
    try:
        request = _event(case, _setting(case, hide(secrets.token_hex(8))))
    except (ValueError, ImportError):
        return None
    reply = _ask(case, request).reply
    if isinstance(reply, Reply) and _is_good(reply):
        return warn(
            "an event with a wrong signature is accepted, too: make sure that the server checks the signature, "
            "or anybody can forge pushes",
            "签名错误的事件也得到正常应答：请确认服务端校验了签名，否则任何人都能冒充微信推送",
        )
    return ok("an event with a wrong signature is refused", "签名错误的事件会被拒绝")
