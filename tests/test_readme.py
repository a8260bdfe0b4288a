"""The READMEs: what they show is what runs, and both languages show the same code."""

import io
import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import wxcs_lite
from wxcs_lite import endpoints
from wxcs_lite.__main__ import main
from wxcs_lite.sandbox import Sandbox, sunset

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.zh-CN.md")


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def block(name: str, mark: str) -> str:
    """Return the code that follows a `<!-- mark -->`."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", page(name), re.DOTALL)
    assert found is not None
    return found[1]


def code_only(code: str) -> list[str]:
    return [re.sub(r"\s*#.*", "", line) for line in code.splitlines()]


@pytest.mark.parametrize("name", PAGES)
def test_the_example_without_an_account_runs_as_printed(name: str) -> None:
    """Word for word; the phone then shows a text and a picture."""
    out = io.StringIO()
    with redirect_stdout(out):
        names: dict[str, object] = {}
        exec(block(name, "example"), names)
    sandbox = names["sandbox"]
    assert isinstance(sandbox, Sandbox)
    assert ["text", "image"] == [delivered.message["msgtype"] for delivered in sandbox.user("ann").inbox]
    assert "45047" in out.getvalue()


@pytest.mark.parametrize("name", PAGES)
def test_the_example_with_an_account_runs_as_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sandbox's pool where the official host would be."""
    sandbox = Sandbox()
    sandbox.user("ann").says("hello?")
    for variable, value in (("APPID", sandbox.appid), ("SECRET", sandbox.secret), ("OPENID", "ann")):
        monkeypatch.setenv(f"WXCS_{variable}", str(value))
    monkeypatch.setattr(wxcs_lite, "open_pool", sandbox.pool)
    exec(block(name, "real"), {})
    assert 1 == len(sandbox.user("ann").inbox)


@pytest.mark.parametrize("name", PAGES)
def test_the_server_of_a_bot_runs_as_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sandbox as WeChat on both ends."""
    sandbox = Sandbox(clock=time.time)
    variables = {"APPID": sandbox.appid, "SECRET": sandbox.secret, "PUSH_TOKEN": "madeUp", "AES_KEY": "x" * 42 + "A"}
    for variable, value in variables.items():
        monkeypatch.setenv(f"WXCS_{variable}", str(value))
    monkeypatch.setattr(wxcs_lite, "open_pool", sandbox.pool)
    names: dict[str, Any] = {}
    exec(block(name, "push"), names)
    with sandbox.push_to(names["app"], token="madeUp", aes_key=variables["AES_KEY"]):
        sandbox.user("ann").says("hello")
    assert 1 == len(sandbox.user("ann").inbox)


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_signing_runs_as_printed(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the sandbox as an account that wants every call signed that can be."""
    sandbox = Sandbox(clock=time.time, api_signature="required")
    sandbox.user("ann").says("hello?")
    keys = sandbox.signing_keys
    variables = {"APPID": sandbox.appid, "SECRET": sandbox.secret, "OPENID": "ann"}
    variables |= {part.upper(): keys[part] for part in ("symmetric_key", "symmetric_sn", "certificate_sn")}
    for variable, value in variables.items():
        monkeypatch.setenv(f"WXCS_{variable}", str(value))
    (tmp_path / "developer.pem").write_text(keys["private_key"])
    (tmp_path / "platform.pem").write_text(keys["certificate"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wxcs_lite, "open_pool", sandbox.pool)
    exec(block(name, "signing"), {})
    assert 1 == len(sandbox.user("ann").inbox)


@pytest.mark.parametrize("name", PAGES)
def test_the_bot_inside_cloud_hosting_runs_as_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sandbox as the platform: no token, and pushes with its header."""
    sandbox = Sandbox(cloud_hosting=["/cgi-bin/message/custom/send"])
    monkeypatch.setattr(wxcs_lite, "open_pool", lambda url: sandbox.pool())
    names: dict[str, Any] = {}
    exec(block(name, "cloud"), names)
    with sandbox.push_to(names["app"]):
        sandbox.user("ann").says("hello")
    assert ["hello"] == [one.message["text"]["content"] for one in sandbox.user("ann").inbox]


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_run_as_printed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the sandbox in WeChat's place and nobody at the keyboard: only who could be asked would send."""
    sandbox = Sandbox(clock=time.time)
    variables = {"APPID": sandbox.appid, "SECRET": sandbox.secret, "PUSH_TOKEN": "madeUp", "AES_KEY": "x" * 42 + "A"}
    for variable, value in variables.items():
        monkeypatch.setenv(f"WXCS_{variable}", str(value))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with sandbox.serve() as url:
        monkeypatch.setenv("WXCS_BASE_URL", url)
        commands = [shlex.split(line, comments=True)[3:] for line in block(name, "terminal").splitlines()]
        # The host of the push URL does not exist.
        assert [0, 1, 0, 2, 0, 2] == [main(command) for command in commands]
    assert sandbox.secret not in capsys.readouterr().out


@pytest.mark.parametrize("name", PAGES)
def test_many_messages_are_sent_as_printed(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From Python, on its own sandbox; then the three commands: the dry run sends nothing, the third skips all."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block(name, "many"), names)
    assert [1, 1] == [len(names["sandbox"].user(customer).inbox) for customer in ("ann", "bob")]
    assert "2 messages: 2 sent\n" in capsys.readouterr().out
    Path("run.sqlite").unlink()
    sandbox = Sandbox(clock=time.time)
    sandbox.user("ann").says("hello?")
    message = json.dumps(wxcs_lite.text("ann", "您好"))
    Path("messages.jsonl").write_text(f'{message}\n{{"key": "order-17", "message": {message}}}\n', "utf-8")
    monkeypatch.setenv("WXCS_APPID", sandbox.appid)
    monkeypatch.setenv("WXCS_SECRET", sandbox.secret)
    with sandbox.serve() as url:
        monkeypatch.setenv("WXCS_BASE_URL", url)
        commands = [shlex.split(line, comments=True)[3:] for line in block(name, "many-commands").splitlines()]
        assert [0, 0, 0] == [main(command) for command in commands]
    assert 2 == len(sandbox.user("ann").inbox)
    assert 3 == len(Path("run.csv").read_text("utf-8-sig").splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_the_lines_for_the_served_sandbox_can_be_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the command as printed: none is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(sunset())
    command, *lines = code_only(block(name, "served"))

    def typed() -> Iterator[str]:
        yield from lines
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", typed())
    assert 0 == main(shlex.split(command)[3:])
    answers = [
        "wrote",
        "wrote",
        "sent a picture",
        "entered",
        "entered",
        "no messages",
        "no messages",
        "the next 2 calls",
    ]
    printed = capsys.readouterr().out.splitlines()[4:-1]
    assert len(printed) == len([*answers, "the next call", "time"])
    assert all(a in b for a, b in zip([*answers, "the next call", "time"], printed, strict=True)), printed


@pytest.mark.parametrize("name", PAGES)
def test_the_example_with_another_http_library_runs_as_printed(name: str) -> None:
    """Word for word: requests sends, the served sandbox answers, and nothing that is printed holds the token."""
    out = io.StringIO()
    names: dict[str, Any] = {}
    with redirect_stdout(out):
        exec(block(name, "own-library"), names)
    assert ["您好"] == [shown.message["text"]["content"] for shown in names["sandbox"].user("ann").inbox]
    assert "{'errcode': 0, 'errmsg': 'ok'}" == out.getvalue().splitlines()[-1]
    assert names["token"] not in out.getvalue()


MARKS = (
    "run", "test", "example", "real", "terminal", "push", "signing", "cloud", "proxy", "served",
    "own-library", "wheel", "zipapp", "own-conftest", "own-test", "own", "many", "many-commands",
)  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_both_languages_show_the_same_code(mark: str) -> None:
    """Comments apart, and the language of the tour."""
    english, chinese = (code_only(block(name, mark)) for name in PAGES)
    assert english == [line.replace(" --lang zh", "") for line in chinese]


@pytest.mark.parametrize("name", PAGES)
def test_each_command_is_a_single_line(name: str) -> None:
    """One line to paste sets up and runs."""
    for mark in ("run", "test"):
        assert 1 == len(block(name, mark).splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_what_is_exported_is_named(name: str) -> None:
    """Every function of the public list is in the README."""
    functions = [each for each in wxcs_lite.__all__ if each.islower()]
    assert [] == [each for each in functions if each not in page(name)]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_that_exist(name: str) -> None:
    """Relative links only, and none of them broken."""
    links = re.findall(r"\]\(([^)]+)\)", page(name))
    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]


def test_the_value_of_a_request_is_as_described() -> None:
    """The names that the README uses on a request are there."""
    request = endpoints.send(wxcs_lite.text("OPENID", "hi"))
    assert str(request).startswith("POST ")
    assert "$WXCS_TOKEN" in request.curl()
    assert request.body
    assert "application/json" == request.content_type


def test_both_languages_quote_the_same_figures() -> None:
    """Of one run of `python -m tests.bench`: new figures must go into both."""
    english, chinese = (figures(name) for name in PAGES)
    assert len(english) > 40
    assert english == chinese


def figures(name: str) -> list[str]:
    """Return all numbers of the section: its date, the machine, the table and what is said of it."""
    section = next(section for section in page(name).split("\n## ") if "<!-- figures -->" in section)
    return sorted(re.findall(r"(?<![a-z])\d(?:[\d.,]*\d)?", section))
