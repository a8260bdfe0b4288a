"""Faults on order: which are accepted, and which request takes which."""

from typing import Any

import pytest

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.faults import Faults
from wxcs_lite.sandbox.http.values import Reply


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({}, "exactly one of errcode, drop, slow and reply"),
        ({"errcode": -1, "drop": "after"}, "exactly one"),
        ({"slow": 1, "reply": b""}, "exactly one"),
        ({"drop": "before", "errmsg": "x"}, "errmsg needs an errcode"),
        ({"errmsg": "x"}, "exactly one"),
        ({"errcode": "40001"}, "errcode must be an integer, not '40001'"),
        ({"errcode": True}, "errcode must be"),
        ({"errcode": 99999}, "WeChat's text for 99999 is not known here: pass errmsg=, too"),
        ({"drop": "during"}, 'drop must be "before" or "after", not \'during\''),
        ({"slow": -1}, "slow must be"),
        ({"slow": float("nan")}, "slow must be"),
        ({"slow": float("inf")}, "slow must be"),
        ({"errcode": -1, "path": "cgi-bin/token"}, "path must be"),
        ({"errcode": -1, "times": 0}, "times must be"),
        ({"errcode": -1, "times": 1.0}, "times must be"),
        ({"reply": "text"}, "reply must be"),
        ({"reply": (200, {})}, "reply must be"),
        ({"reply": ("200", {}, b"")}, "reply must be"),
        ({"reply": (99, {}, b"")}, "reply must be"),
        ({"reply": (200, [], b"")}, "reply must be"),
        ({"reply": (200, {}, "text")}, "reply must be"),
        ({"reply": (200, {"X": "图"}, b"")}, "reply must be"),
        ({"reply": (200, {"图": "x"}, b"")}, "reply must be"),
    ],
)
def test_usage_errors(fault: dict[str, Any], told: str) -> None:
    """An impossible fault is refused with what is allowed, and not kept."""
    faults = Faults()
    with pytest.raises(ValueError, match=r"must be|exactly|needs|pass errmsg=") as error:
        faults.add(**fault)
    assert told in str(error.value)
    assert faults.take("/") is None


def test_none_takes_back_what_waits() -> None:
    """A request has met the first; the others are gone."""
    sandbox = Sandbox()
    sandbox.fail_next(errcode=-1, times=3)
    pool = sandbox.pool()
    met = pool.request("GET", "/cgi-bin/getcallbackip").json()["errcode"]
    sandbox.fail_next(times=0)
    assert (-1, 41001) == (met, pool.request("GET", "/cgi-bin/getcallbackip").json()["errcode"])


def test_first_that_fits_is_taken() -> None:
    """Faults wait in order; one for a path lets the others by; each is taken as often as it was ordered."""
    faults = Faults()
    faults.add(errcode=40001, path="/a")
    faults.add(errcode=99999, errmsg="", times=2)
    faults.add(errcode=40003, path="/b")
    taken = [faults.take(path) for path in ("/b", "/a", "/b", "/a", "/b")]
    assert [99999, 40001, 99999, None, 40003] == [fault and fault.errcode for fault in taken]


def test_replies() -> None:
    """A reply is kept as raw bytes or as status, headers and body."""
    faults = Faults()
    faults.add(reply=b"\x00")
    faults.add(reply=(200, {"X": "y", "Empty": ""}, b"z"))
    taken = [faults.take("/"), faults.take("/")]
    assert [b"\x00", Reply(200, (("X", "y"), ("Empty", "")), b"z")] == [fault and fault.reply for fault in taken]
