"""Checks of the account: appid and secret, this address, a given token, today's quota, the push host."""

from collections.abc import Mapping, Sequence
from typing import Any

from wxcs_lite.errors import ApiError, WxError
from wxcs_lite.terminal.doctor.findings import Case, Finding, of_error, ok, skipped, warn, wrong
from wxcs_lite.terminal.environment import APPID, SECRET, TOKEN, not_set, printable
from wxcs_lite.transport import call, fetch_token, get_callback_ip, get_quota

__all__ = ["check_account", "check_callback", "check_quota", "check_token", "check_whitelist"]

# Refusals of the calling address, not of the account.
_OF_ADDRESS = frozenset({40164, 45035, 61004, 89501, 89502, 89503, 89504, 89505, 89506, 89507})


def check_account(case: Case) -> Finding:
    """Fetch a token with appid and secret; it is the shared one, so no other token ends."""
    if case.relayed:
        return skipped("not needed: the relay adds the credential", "无需检查：开放接口服务会自动附加凭证")
    if case.appid is None or case.secret is None:
        if case.given_token is not None:
            return skipped(f"{APPID} and {SECRET} are not both set", f"没有同时设置 {APPID} 和 {SECRET}")
        return wrong(*_missing(case))
    for name, value in ((APPID, case.appid), (SECRET, case.secret)):
        if value != value.strip() or not value.isprintable():
            return wrong(
                f"{name} contains a space or a line break: set it again without",
                f"{name} 的首尾或中间有空格、换行等字符：请去掉后重新设置",
            )
    try:
        case.token = fetch_token(case.pool, case.appid, case.secret)
    except ApiError as e:
        case.refused = e
    except WxError as e:
        return of_error(e)
    if case.refused is None:
        return ok("appid and secret give a token", "appid 和 secret 能换取 access_token")
    if case.refused.errcode in _OF_ADDRESS:
        return skipped("not checked: the address was refused; see the next line", "尚无结论：IP 先被拒绝，见下一行")
    return of_error(case.refused)


def _missing(case: Case) -> tuple[str, str]:
    missing = [name for name, value in ((APPID, case.appid), (SECRET, case.secret)) if value is None]
    return not_set(*missing)


def check_whitelist(case: Case) -> Finding | None:
    """Report what the token request showed about this address."""
    if case.refused is not None and case.refused.errcode in _OF_ADDRESS:
        return of_error(case.refused)
    if case.token is None:
        return None
    return ok("WeChat accepts calls from this address", "微信允许从本机出口 IP 调用")


def check_token(case: Case) -> Finding | None:
    """Try a token that was given besides, or instead of, appid and secret."""
    if case.given_token is None:
        return None
    try:
        get_callback_ip(case.pool, case.given_token)
    except WxError as e:
        return of_error(e)
    case.token = case.token or case.given_token
    return ok(f"the token in {TOKEN} is accepted", f"{TOKEN} 里的 access_token 有效")


def check_quota(case: Case) -> Finding:
    """Ask what is left of today's messages."""
    if case.token is None:
        return _no_token()
    try:
        quota = get_quota(case.pool, case.token).get("quota")
    except WxError as e:
        return of_error(e)
    limit, remain = (_number(quota, name) for name in ("daily_limit", "remain"))
    if limit is None or remain is None:
        return warn("WeChat's reply has no quota", "微信的应答里没有额度信息")
    if limit == 0:
        return ok("WeChat reports no daily limit of messages", "微信没有给出每日消息上限")
    en = f"{remain:,} of {limit:,} messages are left today"
    zh = f"今天还能发 {remain:,} 条，每日上限 {limit:,} 条"
    if remain <= 0:
        return wrong(
            f"{en}: wait until tomorrow, or call clear_quota (ten times a month at most)",
            f"{zh}：请等到明天，或调用 clear_quota 清零（每月 10 次）",
        )
    if remain * 10 < limit:
        return warn(f"{en}: slow down", f"{zh}：请放慢发送")
    return ok(en, zh)


def _number(quota: object, name: str) -> int | None:
    found = quota.get(name) if isinstance(quota, Mapping) else None
    return found if type(found) is int else None


def _no_token() -> Finding:
    return skipped("needs a token", "没有 access_token，无法检查")


_NO_PUSH_URL = 40201


def check_callback(case: Case) -> Finding:
    """Let WeChat look up and ping the host of the push URL that is set in the console."""
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/openApi-mgnt/
    if case.token is None:
        return _no_token()
    body = {"action": "all", "check_operator": "DEFAULT"}
    try:
        found = call(case.pool, case.token, "/cgi-bin/callback/check", body)
    except ApiError as e:
        if e.errcode != _NO_PUSH_URL:
            return of_error(e)
        return warn(
            "no push URL is set in the console, so messages from customers do not arrive anywhere",
            "管理后台没有设置消息推送的 URL，收不到用户发来的消息",
        )
    except WxError as e:
        return of_error(e)
    return _reached(_rows(found.get("dns")), _rows(found.get("ping")))


def _rows(found: Any) -> Sequence[Mapping[str, Any]]:
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _reached(dns: Sequence[Mapping[str, Any]], ping: Sequence[Mapping[str, Any]]) -> Finding:
    if not dns:
        return wrong(
            "WeChat finds no address for the host of your push URL: see its DNS records",
            "微信解析不到推送 URL 的域名：请检查 DNS 记录",
        )
    lost = [row for row in ping if str(row.get("package_loss", "0%")) != "0%"]
    if lost:
        losses = printable(", ".join(f"{row.get('ip')} {row.get('package_loss')}" for row in lost[:3]))
        return warn(
            f"WeChat loses packets to the host of your push URL ({losses}). A firewall that ignores pings causes "
            "that, too: use --push URL to check the rest",
            f"微信到推送 URL 主机有丢包（{losses}）。防火墙不应答 ping 时也会这样，可用 --push URL 继续检查",
        )
    return ok("WeChat reaches the host of your push URL", "微信能连到推送 URL 的主机")
