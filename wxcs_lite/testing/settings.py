"""A test's settings: the switches of its sandbox, and whether and how VCR records it."""

from collections.abc import Mapping
from typing import Any

import pytest

from wxcs_lite.sandbox import Sandbox

__all__ = ["merged_config", "recording", "switches"]


def switches(node: Any) -> dict[str, Any]:
    """Return what `@pytest.mark.wxcs(…)` sets, the mark nearest to the test last; refuse unknown switches."""
    __tracebackhide__ = True
    known = Sandbox.__init__.__kwdefaults__ or {}
    marks = list(node.iter_markers("wxcs"))
    found = {name: value for mark in reversed(marks) for name, value in mark.kwargs.items()}
    wrong = [repr(value) for mark in marks for value in mark.args] + [name for name in found if name not in known]
    if wrong:
        got, there = ", ".join(wrong), ", ".join(sorted(known))
        raise pytest.UsageError(
            f"@pytest.mark.wxcs(…) takes switches of the sandbox by name: {there}; not {got}\n"
            f"@pytest.mark.wxcs(…) 按名称接收沙箱的开关：{there}；没有 {got}"
        )
    try:
        Sandbox(**found)
    except (AttributeError, TypeError, ValueError) as error:
        problem = str(error)
    else:
        return found
    raise pytest.UsageError(f"@pytest.mark.wxcs(…): {problem}")


def merged_config(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Return VCR's configuration: the fixture's, overridden by the marks, the nearest last."""
    marks = reversed(list(request.node.iter_markers("vcr")))
    return {**request.getfixturevalue("vcr_config"), **{name: it for mark in marks for name, it in mark.kwargs.items()}}


def recording(request: pytest.FixtureRequest) -> str | None:
    """Return the record mode of a test that is marked `vcr`; None for any other, and with --disable-recording."""
    if request.node.get_closest_marker("vcr") is None or request.config.getoption("--disable-recording"):
        return None
    option = request.config.getoption("--record-mode")
    return str(merged_config(request).get("record_mode") or option or "none")
