"""The sandbox in a terminal: what cannot be done is told in one sentence."""

import io
from string import Formatter
from urllib.parse import parse_qsl

import pytest

from wxcs_lite.sandbox.http.values import Request, seen
from wxcs_lite.terminal.serve import _TEXTS, _line, run


@pytest.mark.parametrize("port", [-1, 99999, 10**30])
def test_impossible_port(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that none can be: one sentence, and the exit status of wrong usage."""
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
