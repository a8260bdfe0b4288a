"""The recipe for a desk on a real account: its cells run as README prints them, and its server fills the file."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.stage import AES_KEY, PUSH_TOKEN, RECIPES, account, command_in, run, served
from tests.test_panel_feed import until
from wxcs_lite.panel import Desk
from wxcs_lite.sandbox import Sandbox

RECIPE = "desk_on_a_real_account"
READMES = ("README.md", "README.zh-CN.md")


def cells(readme: str) -> list[str]:
    """Return what README prints for the notebook: the desk, listening, following."""
    return re.findall(
        r"^```python\n(.*?)^```", (RECIPES / RECIPE / readme).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


class Notebook:
    """A kernel's names, in which a cell can be run again."""

    def __init__(self, readme: str) -> None:
        self.names: dict[str, Any] = {}
        self.open, self.listen, self.follow = cells(readme)

    def run(self, cell: str) -> Any:
        """Run a cell, and return the value of its last expression."""
        *lines, last = re.split(r"\n(?=\S)(?!\))", cell.strip())
        exec("\n".join(lines), self.names)
        return eval(last, self.names)

    @property
    def desk(self) -> Desk:
        return self.names["desk"]  # type: ignore[no-any-return]

    def sees(self, *texts: str) -> bool:
        """Return whether the desk shows these texts of customers, once each and in this order."""
        self.desk.refresh()
        shown = [entry["message"].get("text", {}).get("content") for entry in self.desk.history]
        return list(texts) == shown


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(clock=time.time)


@pytest.fixture(params=READMES)
def notebook(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    """In a folder of its own, with the sandbox in place of WeChat."""
    monkeypatch.chdir(tmp_path)
    with sandbox.serve() as url:
        for name, value in account(sandbox, url).items():
            monkeypatch.setenv(name, value)
        made = Notebook(request.param)
        made.run(made.open)
        yield made
        made.desk.close()


def test_with_a_tunnel_customers_reach_the_desk(notebook: Notebook, sandbox: Sandbox) -> None:
    """On the port of the command for ssh; the cells can be run again."""
    assert " 127.0.0.1:8080:127.0.0.1:8080 " in " ".join(command_in(RECIPE, "ssh -N -R"))
    cell = notebook.listen.replace("port=8080", "port=0")
    assert cell != notebook.listen
    for text in ("hello?", "anybody there?"):
        notebook.run(notebook.open)
        listener = notebook.run(cell)
        sandbox.push_to(listener.url, token=PUSH_TOKEN, aes_key=AES_KEY)
        sandbox.user("ann").says(text)
        assert notebook.sees(text)


def test_with_a_file_customers_reach_the_desk(notebook: Notebook, sandbox: Sandbox, tmp_path: Path) -> None:
    """From two processes of the server, through the file, which has none of the secrets."""
    command = [word.replace(":8080", ":0") for word in command_in(RECIPE, "gunicorn -w 2")]
    feed = tmp_path / "pushes.jsonl"
    settings = {name: os.environ[name] for name in ("WXCS_APPID", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")}
    notebook.run(notebook.follow)
    with served(RECIPE, command, PUSHES_FILE=str(feed), **settings) as (url, _):
        sandbox.push_to(url, token=PUSH_TOKEN, aes_key=AES_KEY)
        sandbox.user("ann").says("hello?")
        until(lambda: notebook.sees("hello?"))
        sandbox.user("ann").says("anybody there?")
        until(lambda: notebook.sees("hello?", "anybody there?"))
    assert 0o600 == feed.stat().st_mode & 0o777
    assert [] == [value for value in (PUSH_TOKEN, AES_KEY, sandbox.secret) if value in feed.read_text("utf-8")]


def test_the_command_that_brings_the_file_can_be_run_again(
    notebook: Notebook, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It begins with an empty file and brings all of it again: the desk shows each push once."""
    words = shlex.split(" ".join(command_in(RECIPE, "umask 077")))
    assert ["umask", "077", "&&", "ssh", "you@your.host"] == words[:5]
    there = tmp_path / "server"
    there.mkdir()
    settings = {name: os.environ[name] for name in ("WXCS_APPID", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")}
    command = [word.replace(":8080", ":0") for word in command_in(RECIPE, "gunicorn -w 2")]
    notebook.run(notebook.follow)
    shown: list[str] = []
    with served(RECIPE, command, PUSHES_FILE=str(there / "pushes.jsonl"), **settings) as (url, _):
        sandbox.push_to(url, token=PUSH_TOKEN, aes_key=AES_KEY)
        for text in ("hello?", "anybody there?"):
            with (tmp_path / "pushes.jsonl").open("wb") as out:
                bringing = subprocess.Popen(words[5:-2], cwd=there, stdout=out)
            sandbox.user("ann").says(text)
            shown.append(text)
            until(lambda: notebook.sees(*shown))
            bringing.terminate()
            bringing.wait(20)


def test_without_its_environment_it_says_what_is_missing() -> None:
    """By name, in both languages."""
    done = run(RECIPE, "server.py", WXCS_APPID="wx1")
    assert 1 == done.returncode
    assert "Set these in the environment, as README says: WXCS_PUSH_TOKEN, WXCS_AES_KEY\n请" in done.stderr


def test_both_languages_print_the_same_cells() -> None:
    """But for comments and the language of the desk."""
    english, chinese = ([re.sub(r"#.*|, lang=\"zh\"", "", cell) for cell in cells(readme)] for readme in READMES)
    assert english == chinese
