"""The token of cloud hosting, from a file that another program writes."""

from pathlib import Path
from typing import Any

import pytest

from wxcs_lite import CloudbaseToken, FreshCloudbaseToken, InvalidMessage, TokenRejected, fresh_cloudbase_token

PLACEHOLDER = "default-tcb-wx-access-token"


class Container:
    """A container's file, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "cloudbase_access_token"
        self.now = 1000.0
        self.token = fresh_cloudbase_token(self.file, clock=lambda: self.now)

    def after(self, seconds: float) -> CloudbaseToken:
        self.now += seconds
        return self.token()


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def test_the_one_line_of_the_file_is_the_token(container: Container) -> None:
    """With or without an end of line; it is of the class that says where it goes in the query."""
    container.file.write_text("made-up\n")
    assert "made-up" == container.token()
    assert type(container.token()) is CloudbaseToken


def test_the_file_is_read_once_a_minute(container: Container) -> None:
    """WeChat writes a new one every ten minutes, and the old one works for twenty more."""
    container.file.write_text("one")
    assert "one" == container.token()
    container.file.write_text("two")
    assert "one" == container.after(59)
    assert "two" == container.after(1)


def test_a_clock_that_goes_back_reads_again(container: Container) -> None:
    """Otherwise a token from the future would be held for as long as the clock was off."""
    container.file.write_text("one")
    container.token()
    container.file.write_text("two")
    assert "two" == container.after(-3600)


@pytest.mark.parametrize("content", ["", "\n", PLACEHOLDER, "ü"])
def test_a_file_that_is_just_being_written_leaves_the_token_that_is_held(container: Container, content: str) -> None:
    """For the twenty minutes that it certainly works; after that the call raises."""
    container.file.write_text("one")
    container.token()
    container.file.write_text(content, encoding="utf-8")
    assert "one" == container.after(60)
    assert "one" == container.after(1139)
    with pytest.raises(InvalidMessage) as caught:
        container.after(1)
    assert "cloudbase_access_token" == caught.value.field


def test_a_file_that_is_gone_leaves_the_token_that_is_held(container: Container) -> None:
    """And the next minute looks again."""
    container.file.write_text("one")
    container.token()
    container.file.unlink()
    assert "one" == container.after(60)
    container.file.write_text("two")
    assert "two" == container.after(0)


@pytest.mark.parametrize("content", ["", PLACEHOLDER])
def test_before_the_first_token_the_error_says_to_wait(container: Container, content: str) -> None:
    """The platform puts a placeholder there first."""
    container.file.write_text(content)
    with pytest.raises(InvalidMessage, match=r"try again in a minute\n.*过一分钟再试"):
        container.token()
    container.file.write_text("made-up")
    assert "made-up" == container.token()


def test_without_a_file_the_error_says_what_to_do_in_the_console(container: Container) -> None:
    """It names the path, and says that the file does not exist outside of cloud hosting."""
    with pytest.raises(InvalidMessage, match=r"云调用令牌 in the console.*\n.*勾选“云调用令牌”") as caught:
        container.token()
    assert "cloudbase_access_token' (FileNotFoundError)" in str(caught.value)
    assert caught.value.__context__ is None


def test_a_token_that_was_rejected_is_read_again_at_once(container: Container) -> None:
    """And nobody loops on one that the file still holds."""
    container.file.write_text("one")
    old = container.token()
    with pytest.raises(TokenRejected, match="40001"):
        container.token(rejected=old)
    container.file.write_text("two")
    assert "two" == container.token(rejected=old)
    assert "two" == container.token(rejected="an older one")
    with pytest.raises(TokenRejected):
        container.token(rejected="two")


def test_a_rejected_token_is_not_given_because_the_file_is_gone(container: Container) -> None:
    """A token that WeChat has refused is of no use."""
    container.file.write_text("one")
    old = container.token()
    container.file.unlink()
    with pytest.raises(InvalidMessage):
        container.token(rejected=old)


def test_the_usual_file_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only, and nowhere but in a container."""
    opened: list[Any] = []

    def read(path: Any, **_: Any) -> Any:
        opened.append(path)
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", read)
    with pytest.raises(InvalidMessage):
        fresh_cloudbase_token()()
    assert ["/.tencentcloudbase/wx/cloudbase_access_token"] == opened


def test_it_shows_nothing(container: Container) -> None:
    """Neither the path nor the token."""
    container.file.write_text("made-up")
    container.token()
    assert "<fresh_cloudbase_token>" == repr(container.token)
    assert isinstance(container.token, FreshCloudbaseToken)
