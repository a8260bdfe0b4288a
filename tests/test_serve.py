"""The sandbox in a terminal: what cannot be done is reported in one sentence."""

import io
import sys
from string import Formatter
from urllib.parse import parse_qsl

import pytest

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox.http.values import Request, seen
from wxcs_lite.terminal.serve import _TEXTS, _line, run


@pytest.mark.parametrize("port", [-1, 99999, 10**30])
def test_impossible_port(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """For an impossible port, one sentence and the exit status of wrong usage."""
    assert 2 == run(port=port, lines=io.StringIO(), out=io.StringIO())
    assert ("", f"sandbox: port must be from 0 to 65535, not {port}\n") == capsys.readouterr()


def test_impossible_customer(capsys: pytest.CaptureFixture[str]) -> None:
    """A customer who cannot be: the same."""
    assert 2 == run(customers=["张三"], lines=io.StringIO(), out=io.StringIO())
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert err.startswith("sandbox: an openid must be 1 to 64")


def test_an_empty_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither appid nor secret can be empty; the secret is not shown."""
    assert 2 == run(secret="", lines=io.StringIO(), out=io.StringIO())
    assert ("", "sandbox: --appid and --secret cannot be empty\n") == capsys.readouterr()


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "sandbox: a command after -- runs behind"), ("zh", "sandbox: -- 之后的命令须经代理运行")]
)
def test_a_command_without_the_proxy(lang: Language, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would reach WeChat itself, so it is refused, with what to do instead."""
    assert 2 == run(lang=lang, command=["true"])
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith(said)


@pytest.mark.parametrize(("command", "status"), [("no-such-command-anywhere", 127), ("/", 126)])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_command_that_cannot_be_run(
    lang: Language, command: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence with its name, and the status that a shell gives."""
    assert status == run(lang=lang, proxy=True, command=[command])
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert f" {command} " in err.replace("：", " ")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_proxy_without_cryptography(
    lang: Language, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ec", None)
    assert 2 == run(lang=lang, proxy=True, lines=io.StringIO(), out=io.StringIO())
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert "pip install 'cryptography>=" in err


def test_both_languages_say_the_same() -> None:
    """Each text has the same places to fill."""
    assert {name: fields(text) for name, text in _TEXTS["en"].items()} == {
        name: fields(text) for name, text in _TEXTS["zh"].items()
    }


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(
    "target",
    [
        "/cgi-bin/x?ACCESS_TOKEN={}",
        "/cgi-bin/x?token={}",
        "/cgi-bin/x?a={}",
        "/cgi-bin/{}/x",
        "/{}?access_token=1",
        "/x?{}",
    ],
)
@pytest.mark.parametrize("token", ["80_" + "qW3eR5tY7u" * 12, "80_made-up-token", "0f1e2d3c" * 4])
def test_what_is_shown_of_a_request_holds_no_token(target: str, token: str) -> None:
    """Whatever the parameter is called, and in the path too."""
    path, _, query = target.format(token).partition("?")
    request = Request("GET", path, tuple(parse_qsl(query, keep_blank_values=True)), {}, b"", True)
    assert token not in _line(seen(request, None))
