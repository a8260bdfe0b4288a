"""The names that commands, recipes and lessons read from the environment, and which of them may ask for a secret."""

import errno
import re
import sys
import warnings
from pathlib import Path

import pytest

import wxcs_lite
from tests.doctor_cases import nothing_set
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.look.words import Language
from wxcs_lite.request import API
from wxcs_lite.terminal.environment import NAMES, address, asked, not_set, reason_of, setting, told, warnings_in

__all__ = ["nothing_set"]

PROJECT = Path(wxcs_lite.__file__).parent.parent


class Keyboard:
    """A standard input with a person at the keyboard."""

    def __init__(self, at_terminal: bool) -> None:
        self.at_terminal = at_terminal

    def isatty(self) -> bool:
        return self.at_terminal


def test_there_is_one_list_of_names() -> None:
    """Whatever the package, the READMEs, lessons and recipes call WXCS_… is in it, and nothing else is."""
    pages, code = PROJECT.glob("README*.md"), PROJECT.glob("wxcs_lite/**/*.py")
    files = [*pages, *code, *(f for f in PROJECT.glob("notebooks/**/*.*") if f.is_file() and f.suffix != ".pyc")]
    named = {name for file in files for name in re.findall(rb"WXCS_[A-Z_]+[A-Z]", file.read_bytes())}
    assert set(NAMES) == {name.decode() for name in named}


def test_a_setting_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its repr shows nothing; an empty one counts as missing."""
    assert setting("WXCS_SECRET") is None
    monkeypatch.setenv("WXCS_SECRET", "")
    assert setting("WXCS_SECRET") is None
    monkeypatch.setenv("WXCS_SECRET", "made-up")
    assert "made-up" == setting("WXCS_SECRET")
    assert "made-up" not in repr(setting("WXCS_SECRET"))


@pytest.mark.parametrize(("lang", "prompt"), [("en", "input is hidden"), ("zh", "输入时不显示")])
def test_who_sits_at_a_terminal_is_asked(lang: Language, prompt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is not set; what is typed is not shown, and hides."""
    prompts: list[str] = []

    def getpass(prompt: str) -> str:
        prompts.append(prompt)
        return " made-up \n" if len(prompts) == 1 else ""

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr(sys, "stdin", Keyboard(True))
    found = asked("WXCS_SECRET", lang)
    assert "made-up" == found
    assert "made-up" not in repr(found)
    assert asked("WXCS_SECRET", lang) is None
    assert prompts[0].startswith("WXCS_SECRET")
    assert prompt in prompts[0]
    monkeypatch.setenv("WXCS_SECRET", "of the environment")
    assert "of the environment" == asked("WXCS_SECRET", lang)
    assert 2 == len(prompts)


def test_ctrl_d_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported as missing."""

    def getpass(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", getpass)
    monkeypatch.setattr(sys, "stdin", Keyboard(True))
    assert asked("WXCS_SECRET", "en") is None


@pytest.mark.parametrize("stdin", [Keyboard(False), None])
def test_nobody_else_is(stdin: Keyboard | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script gets an error, and never waits."""
    monkeypatch.setattr(sys, "stdin", stdin)
    assert asked("WXCS_SECRET", "en") is None


def test_what_is_missing_is_named() -> None:
    """One or several, with what to type."""
    assert "A is not set: export A=…, or run this in a terminal to be asked" == not_set("A")[0]
    assert not_set("A", "B")[0].startswith("A and B are not set: export A=…")
    assert "没有设置 A、B：请先 export A=…，或直接在终端里运行，按提示输入" == not_set("A", "B")[1]


def test_the_command_line_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the environment before WeChat's own address; a proxy's hides, because it may hold a login."""
    assert (API, None) == address(None, None)
    monkeypatch.setenv("WXCS_BASE_URL", "https://gateway.example")
    monkeypatch.setenv("WXCS_PROXY", "http://user:made-up@proxy.example:3128")
    found = address(None, None)
    assert ("https://gateway.example", "http://user:made-up@proxy.example:3128") == found
    assert "made-up" not in repr(found)
    assert ("http://127.0.0.1:9", "http://127.0.0.1:8") == address("http://127.0.0.1:9", "http://127.0.0.1:8")


@pytest.mark.parametrize(("lang", "told"), [("en", "one\n"), ("zh", "two\n"), (None, "")])
def test_a_warning_is_a_line_of_its_own(lang: Language | None, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Python would show where in our source it comes from; the doctor has a finding in its place."""
    with warnings_in(lang):
        warnings.warn("one\ntwo", stacklevel=1)
    assert told == capsys.readouterr().err


def test_a_warning_that_is_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Python allows it."""
    with warnings_in("en"):
        warnings.showwarning("look", UserWarning, "file", 1)
    assert "look\n" == capsys.readouterr().err


def test_an_error_is_told_in_one_language() -> None:
    """Our errors have two; one of Python's has one line, or no line."""
    error = InvalidMessage("touser", "must not be empty", "不能为空")
    assert "touser: must not be empty" == told(error, "en")
    assert "touser：不能为空" == told(error, "zh")
    assert ("one", "two") == (told(ValueError("one\ntwo"), "en"), told(ValueError("one\ntwo"), "zh"))
    assert "KeyError" == told(KeyError(), "en")


def test_the_systems_reason_is_in_both_languages() -> None:
    """What is not usual has one language, and an error without a number its class."""
    assert ("Is a directory", "是文件夹") == reason_of(IsADirectoryError(errno.EISDIR, "made up"))
    assert ("Broken pipe", "Broken pipe") == reason_of(OSError(errno.EPIPE, "made up"))
    assert ("OSError", "OSError") == reason_of(OSError("made up"))
