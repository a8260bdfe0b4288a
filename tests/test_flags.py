"""The flags of the commands that talk to WeChat: what they are about comes first, no secret is taken or repeated."""

import argparse

import pytest

from tests.doctor_cases import nothing_set
from wxcs_lite.__main__ import main
from wxcs_lite.terminal.flags import (
    Parser,
    add_compare,
    add_doctor,
    add_explain,
    add_send,
    add_send_many,
    message_flags,
)

__all__ = ["nothing_set"]


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = Parser("wxcs_lite", about="About it.\n关于它。")
    commands = parser.add_subparsers(dest="command")
    add_doctor(commands)
    add_explain(commands)
    add_send(commands)
    add_send_many(commands)
    add_compare(commands)
    return parser


def test_help_says_first_what_it_is(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    """Then the flags; in 80 columns, in both languages."""
    assert parser.format_help().startswith("About it.\n关于它。\n\nusage: wxcs_lite")
    about = {
        "doctor": "no message is sent",
        "explain": "errcode means",
        "send": "send it once",
        "send-many": "each message of a file once",
        "compare": "asks first",
    }
    for command, words in about.items():
        with pytest.raises(SystemExit) as left:
            parser.parse_args([command, "--help"])
        assert 0 == left.value.code
        printed = capsys.readouterr().out
        assert words in " ".join(printed.partition("usage:")[0].split())
        assert all(len(line) + sum(char >= "\u2e80" for char in line) <= 80 for line in printed.splitlines())


def test_the_package_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """In the first line."""
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out.startswith("wxcs_lite: the customer-service messages of WeChat Mini Programs")


@pytest.mark.parametrize(
    "given",
    [
        ["doctor", "--secret", "made-up"],
        ["doctor", "--secret=made-up"],
        ["send", "--token=made-up", "--text", "hi"],
        ["compare", "--token=made-up"],
        ["send-many", "messages.jsonl", "--secret", "made-up"],
        ["doctor", "made-up"],
        ["--secret", "made-up", "doctor"],
        ["send", "--proxy", "http://user:made-up@host:1"],
    ],
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    given: list[str], parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    """With status 2; an option named like a secret is answered with where secrets belong."""
    with pytest.raises(SystemExit) as left:
        parser.parse_args(given)
    assert 2 == left.value.code
    told = capsys.readouterr().err
    assert "made-up" not in told
    named = any(word.startswith(("--secret", "--token")) for word in given) and given[0] != "--secret"
    assert named == ("WXCS_SECRET" in told)


def test_a_flag_is_written_in_full(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    """--t could be --text or --touser."""
    with pytest.raises(SystemExit):
        parser.parse_args(["send", "--tex", "hi"])
    assert "unknown: --tex" in capsys.readouterr().err


def test_what_the_flags_say_of_the_message(parser: argparse.ArgumentParser) -> None:
    """Each by its name; what is not given is None."""
    chosen = parser.parse_args(["send", "--touser", "ann", "--thumb-url", "https://a.cn/i.png", "--yes"])
    given = {name: value for name, value in message_flags(chosen).items() if value is not None}
    assert {"touser": "ann", "thumb_url": "https://a.cn/i.png"} == given
    assert chosen.yes
    assert "http://h:1" == parser.parse_args(["doctor", "--proxy", "http://h:1"]).proxy
