"""A command behind the proxy: it sees the variables, and we see its end."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from wxcs_lite.terminal.inside import run_inside


@pytest.mark.parametrize(("ends", "status"), [("sys.exit(5)", 5), ("pass", 0), ("os.kill(os.getpid(), 9)", 137)])
def test_its_status_is_ours(ends: str, status: int) -> None:
    """As a shell has it, of a command that a signal ended, too."""
    assert status == run_inside([sys.executable, "-c", f"import os, sys; {ends}"], {})


@pytest.mark.parametrize("given", ["", "-Xmx64m"])
def test_what_java_is_told_already_stays(
    given: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All other variables are replaced, and the rest of the environment is as it was."""
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere")
    monkeypatch.setenv("WXCS_TEST", "kept")
    if given:
        monkeypatch.setenv("JAVA_TOOL_OPTIONS", given)
    else:
        monkeypatch.delenv("JAVA_TOOL_OPTIONS", raising=False)
    program = "import os; print(*(os.environ[name] for name in ('HTTPS_PROXY', 'WXCS_TEST', 'JAVA_TOOL_OPTIONS')))"
    run_inside([sys.executable, "-c", program], {"HTTPS_PROXY": "http://here", "JAVA_TOOL_OPTIONS": "-Da=b"})
    assert " ".join(["http://here", "kept", given, "-Da=b"]).split() == capfd.readouterr().out.split()
    assert "http://elsewhere" == os.environ["HTTPS_PROXY"]


def test_a_command_that_is_not_there() -> None:
    """The error of the system, which names it."""
    with pytest.raises(FileNotFoundError):
        run_inside(["no-such-command-anywhere"], {})


@pytest.mark.parametrize("early", [False, True])
def test_signals_do_not_leave_it_alone(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C has reached it already; what ends us ends it, also while it starts; either way it is waited for."""
    did: list[str] = []
    happens = iter([signal.SIGINT] if early else [signal.SIGINT, signal.SIGTERM])

    class Process:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if early:
                signal.raise_signal(signal.SIGTERM)

        def wait(self) -> int:
            did.append("wait")
            for number in happens:
                signal.raise_signal(number)
            return -15

        def terminate(self) -> None:
            did.append("terminate")

    monkeypatch.setattr(subprocess, "Popen", Process)
    before = signal.getsignal(signal.SIGTERM)
    assert 143 == run_inside(["node", "bot.js"], {})
    assert (["terminate", "wait", "wait"] if early else ["wait", "wait", "terminate"]) == did
    assert before == signal.getsignal(signal.SIGTERM)
