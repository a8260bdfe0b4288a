"""All checks in their order."""

from collections.abc import Iterator, Sequence

from wxcs_lite.terminal.doctor import account, network, push
from wxcs_lite.terminal.doctor.findings import Case, Check, Finding

__all__ = ["CHECKS", "examine"]

_REACHED = ("answer",)

CHECKS: Sequence[Check] = (
    Check("name", "Name", "域名", (), network.check_name),
    Check("tls", "TLS", "TLS", ("name",), network.check_tls),
    Check("answer", "Answer", "应答", ("tls",), network.check_answer),
    Check("clock", "Clock", "时钟", _REACHED, network.check_clock),
    Check("cloud_hosting", "Cloud hosting", "云托管", _REACHED, network.check_cloud_hosting),
    Check("account", "Account", "账号", _REACHED, account.check_account),
    Check("whitelist", "IP whitelist", "IP 白名单", _REACHED, account.check_whitelist),
    Check("token", "Token", "凭证", _REACHED, account.check_token),
    Check("quota", "Quota", "额度", _REACHED, account.check_quota),
    Check("callback", "Push host", "推送主机", _REACHED, account.check_callback),
    Check("push_address", "Push URL", "推送 URL", (), push.check_push_address),
    Check("push_check", "URL check", "URL 校验", ("push_address",), push.check_push_echo),
    Check("push_event", "Event", "事件推送", ("push_check",), push.check_push_event),
    Check("push_forged", "Forged event", "伪造事件", ("push_check",), push.check_push_forged),
)


def examine(case: Case, checks: Sequence[Check] = CHECKS) -> Iterator[tuple[Check, Finding]]:
    """Run the checks in order and yield their findings; a check that needs a failed one is skipped."""
    broken: set[str] = set()
    for check in checks:
        first = next((other for other in checks if other.name in check.needs and other.name in broken), None)
        finding = check.run(case) if first is None else _not_made(first)
        if finding is None:
            continue
        if first is not None or finding.state == "wrong":
            broken.add(check.name)
        yield check, finding


def _not_made(first: Check) -> Finding:
    return Finding("waiting", f"checked once this is solved: {first.en}", f"先解决这一项再检查：{first.zh}")
