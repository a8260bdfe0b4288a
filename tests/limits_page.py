"""The figures of the page on many messages, computed from WeChat's limits.

`python -m tests.limits_page` prints the tables; test_limits_page.py compares them with the page, in both languages.
"""

from wxcs_lite.sandbox.rules.quota import DAILY
from wxcs_lite.terminal.survey import TEST_ACCOUNT

__all__ = ["stable_token", "tables"]

_VERIFIED = DAILY["/cgi-bin/message/custom/send"]
_DAY = 24 * 3600
_RATES = (5.7, 10, 50, 100, 500)  # messages a second
_LATENCIES = (20, 50, 100, 200)  # ms
_WORKERS = (16, 64)
_ACCOUNTS = (1, 2, 5, 20)


def _lasts(seconds: float, lang: str) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    if hours >= 24:
        return "一整天" if lang == "zh" else "all day"
    if lang == "zh":
        return f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分钟"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def tables(lang: str) -> list[list[str]]:
    """Return the rows of each table of the page, as they stand there."""
    kinds = ("认证账号", "测试号") if lang == "zh" else ("verified account", "test account")
    ms = "毫秒" if lang == "zh" else "ms"
    allowed = [f"| {kind} | {count:,} |" for kind, count in zip(kinds, (_VERIFIED, TEST_ACCOUNT), strict=True)]
    lasts = [
        f"| {rate:g} | {_lasts(_VERIFIED / rate, lang)} | {_lasts(TEST_ACCOUNT / rate, lang)} |" for rate in _RATES
    ]
    workers = [
        f"| {latency} {ms} | " + " | ".join(f"{count * 1000 / latency:,.0f}" for count in _WORKERS) + " |"
        for latency in _LATENCIES
    ]
    accounts = [f"| {count} | {count * _VERIFIED:,} | {count * _VERIFIED / _DAY:.1f} |" for count in _ACCOUNTS]
    return [allowed, lasts, workers, accounts]


def stable_token() -> str:
    """Return how often a token may be asked for in a day."""
    return f"{DAILY['/cgi-bin/stable_token']:,}"


if __name__ == "__main__":
    for lang in ("en", "zh"):
        print("\n\n".join("\n".join(rows) for rows in tables(lang)))
