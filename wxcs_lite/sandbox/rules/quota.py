"""How often a call may be made in a day and in a minute, and how often the counters may be cleared."""

# https://developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits.html

from collections import Counter
from collections.abc import Mapping
from time import gmtime
from types import MappingProxyType

from wxcs_lite.sandbox.rules.evidence import LIMITS, OPEN_API, STABLE_TOKEN, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["DAILY", "PER_MINUTE", "Quota", "china_day"]

DAILY: Mapping[str, int] = MappingProxyType(
    {
        "/cgi-bin/token": 2_000,
        "/cgi-bin/stable_token": 500_000,
        "/cgi-bin/message/custom/send": 500_000,
        "/cgi-bin/media/upload": 100_000,
        "/cgi-bin/media/get": 200_000,
    }
)
PER_MINUTE: Mapping[str, int] = MappingProxyType({"/cgi-bin/stable_token": 10_000})
_CLEARED_A_MONTH = 10
_ONE_CLEARED_A_MONTH = 50
_CHINA = 8 * 3600  # seconds east of Greenwich, all year


def china_day(now: float) -> int:
    """Return the number of the day in China, where counters are reset at 00:00 (inferred; not published)."""
    return int((now + _CHINA) // 86400)


class Quota:
    """Counters for each path; calls without a limit are counted, too, and never refused.

    >>> quota = Quota({"/a": 1}, {})
    >>> quota.count("/a", 0)
    >>> quota.count("/a", 1)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 45009

    Every call with a valid token counts, even if it is refused later (inferred; not published).
    """

    def __init__(self, daily: Mapping[str, int], per_minute: Mapping[str, int]) -> None:
        self.daily = daily
        self.per_minute = per_minute
        self._day = self._minute = self._month = 0
        self._today: Counter[str] = Counter()
        self._this_minute: Counter[str] = Counter()
        self._cleared = self._one_cleared = 0

    def count(self, path: str, now: float) -> None:
        """Count one call, or raise 45009 (day) or 45011 (minute)."""
        if self.used(path, now) >= self.daily.get(path, 2**63):
            raise RefusedError(45009)
        if self._minute != int(now // 60):
            self._minute = int(now // 60)
            self._this_minute.clear()
        if self._this_minute[path] >= self.per_minute.get(path, 2**63):
            raise RefusedError(45011)
        self._today[path] += 1
        self._this_minute[path] += 1

    def used(self, path: str, now: float) -> int:
        """Return how many calls were counted today."""
        if self._day != china_day(now):
            self._day = china_day(now)
            self._today.clear()
        return self._today[path]

    def clear(self, now: float) -> None:
        """Reset today's counters, at most ten times a month, else raise 48006."""
        self._turn_month(now)
        if self._cleared >= _CLEARED_A_MONTH:
            raise RefusedError(48006)
        self._cleared += 1
        self._today.clear()

    def clear_one(self, path: str, now: float) -> None:
        """Reset today's counter of one path, at most fifty times a month, else raise 45009."""
        self._turn_month(now)
        if self._one_cleared >= _ONE_CLEARED_A_MONTH:
            raise RefusedError(45009)
        self._one_cleared += 1
        self._today[path] = 0

    def _turn_month(self, now: float) -> None:
        china = gmtime(now + _CHINA)
        month = china.tm_year * 12 + china.tm_mon
        if self._month != month:
            self._month, self._cleared, self._one_cleared = month, 0, 0


# fmt: off
RULES = (
    Rule(
        "Calls per day are limited: " + ", ".join(f"{path} {limit:,}" for path, limit in DAILY.items()) + ". (In "
        "2024-11, one Mini Program saw 5,000,000 for its sends.)",
        "每日调用上限：" + "，".join(f"{path} {limit:,}" for path, limit in DAILY.items())
        + "。（2024-11 有小程序查到下发消息为 5,000,000。）",
        page=LIMITS, seen="2021-10", errcodes=(45009,), setting="daily_limits",
    ),
    Rule(
        "Some calls are also limited per minute: "
        + ", ".join(f"{path} {limit:,}" for path, limit in PER_MINUTE.items()) + ".",
        "部分接口另有每分钟上限：" + "，".join(f"{path} {limit:,}" for path, limit in PER_MINUTE.items()) + "。",
        page=STABLE_TOKEN, errcodes=(45011,), setting="minute_limits",
    ),
    Rule(
        "A day begins at midnight in China. Each call with a valid token counts, even if it is then refused.",
        "每天按北京时间零点清零；凭证有效的调用都计数，包括随后被拒的。",
        inferred=True,
    ),
    Rule(
        f"All counters can be cleared {_CLEARED_A_MONTH} times a month, a single one {_ONE_CLEARED_A_MONTH} times.",
        f"全部清零每月最多 {_CLEARED_A_MONTH} 次，单个接口清零每月最多 {_ONE_CLEARED_A_MONTH} 次。",
        page=OPEN_API, errcodes=(45009, 48006),
    ),
)
