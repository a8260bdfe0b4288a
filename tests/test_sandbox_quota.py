"""Daily and minute quotas, and clearing them."""

from datetime import UTC, datetime

import pytest

from wxcs_lite.sandbox.rules.quota import Quota, china_day
from wxcs_lite.sandbox.rules.refusals import RefusedError


def refused(quota: Quota, path: str, now: float) -> int:
    try:
        quota.count(path, now)
    except RefusedError as error:
        return error.errcode
    return 0


def test_daily_limit_and_midnight_in_china() -> None:
    """The counter restarts at 00:00 in China, which is 16:00 UTC."""
    quota = Quota({"/a": 2}, {})
    before = datetime(2026, 1, 1, 15, 59, 59, tzinfo=UTC).timestamp()
    assert [0, 0, 45009] == [refused(quota, "/a", before) for _ in range(3)]
    assert 2 == quota.used("/a", before)
    assert 0 == refused(quota, "/a", before + 1)
    assert china_day(before) + 1 == china_day(before + 1)


def test_minute_limit() -> None:
    """Over the minute's limit it is 45011 until the next minute, and a refused call is not counted."""
    quota = Quota({}, {"/a": 1})
    assert [0, 45011, 45011, 0] == [refused(quota, "/a", now) for now in (0, 1, 59.9, 60)]
    assert 2 == quota.used("/a", 60)


def test_day_comes_before_minute() -> None:
    """Where both are used up the day is named."""
    quota = Quota({"/a": 1}, {"/a": 1})
    assert [0, 45009] == [refused(quota, "/a", 0) for _ in range(2)]


def test_paths_are_counted_apart() -> None:
    """Each path has its own counter, and without a limit nothing is refused."""
    quota = Quota({"/a": 0}, {})
    assert [45009, 0, 0] == [refused(quota, path, 0) for path in ("/a", "/b", "/b")]


def test_clear_ten_times_a_month() -> None:
    """Clearing works ten times a month in China; the eleventh answers 48006 and clears nothing."""
    quota = Quota({"/a": 1}, {})
    january = datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC).timestamp()
    for _ in range(10):
        assert 0 == refused(quota, "/a", january)
        quota.clear(january)
    quota.count("/a", january)
    with pytest.raises(RefusedError, match="48006"):
        quota.clear(january)
    assert 45009 == refused(quota, "/a", january)
    quota.clear(january + 1)
