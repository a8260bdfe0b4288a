"""The line that shows how far a batch is."""

import io

import pytest

from wxcs_lite.terminal.bar import Bar


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_it_draws_itself_now_and_then_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times a second at most, in one line that a narrow terminal cuts, with what became of the messages."""
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    out = Screen()
    shown = Bar(1000, "en", out)
    for _ in range(250):
        shown.step("sent")
    now += 0.5
    shown.step("unknown")
    shown.erase()
    assert [
        "",
        "\x1b[K\x1b[?7l[------------------------] 1 / 1,000  0 /s  1 sent\x1b[?7h",
        "\x1b[K\x1b[?7l[######------------------] 251 / 1,000  502 /s  250 sent, 1 unknown\x1b[?7h",
        "\x1b[K",
    ] == out.getvalue().split("\r")


def test_in_chinese_and_with_nothing_to_do() -> None:
    """The states have their Chinese names; an empty list does not divide by zero."""
    shown = Bar(0, "zh", io.StringIO())
    shown.step("skipped")
    assert shown.line(2.0).endswith("1 / 0  0 条/秒  1 已跳过")
    assert shown.line(0.0).endswith("1 / 0  0 条/秒  1 已跳过")


def test_a_file_gets_nothing() -> None:
    """Where stderr is no terminal, there is nothing to look at."""
    out = io.StringIO()
    shown = Bar(1, "en", out)
    shown.step("sent")
    shown.erase()
    assert "" == out.getvalue()
    assert {"sent": 1} == shown.counts


def test_a_terminal_that_is_gone_stops_nothing() -> None:
    """As after the window was closed."""

    class Gone(Screen):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    shown = Bar(1, "en", Gone())
    shown.step("sent")
    shown.erase()
    assert {"sent": 1} == shown.counts
