"""The page for teachers: what it says of a class on one served sandbox is what thirty students find there."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import urllib3
from nbformat import NotebookNode

import wxcs_lite
from tests.classroom import Account, Class, Ran, beside
from tests.notebook_tools import LANGUAGES, NAMES, OPENS_A_SOCKET, PANEL, ROOT, code_cells, python_blocks
from wxcs_lite import ApiError, endpoints, fetch_token, open_pool, perform, send, text
from wxcs_lite.__main__ import main
from wxcs_lite.sandbox import Sandbox

CLASS = 30
PAGES = {lang: folder / "for_teachers.md" for lang, folder in LANGUAGES.items()}
SHARED = [name for name in NAMES if name != PANEL]
# What a cell prints in a shared sandbox is what the file has, but for times and numbers, and these two.
DIFFERENT = {
    "03_sending/refused-code": "bob has written to everybody, in lesson 1",
    "08_the_reply_window/days-code": "time is real, so the last second of 48 hours is over when the message arrives",
}
LOOK = {"en": "(look at the page)", "zh": "（请看老师的网页）"}
HOW = ("as it is", "the teacher types", "own sandbox")


def read(lang: str) -> str:
    return PAGES[lang].read_text("utf-8")


def command(lang: str) -> list[str]:
    """Return the arguments of the page's command, as a shell reads it, at a free port."""
    (line,) = re.findall(r"^python -m (wxcs_lite sandbox .*--account=.*)$", read(lang), re.MULTILINE)
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    _, *words = done.stdout.split()
    assert "8080" == words[words.index("--port") + 1]
    words[words.index("--port") + 1] = "0"
    return words


def opening(lang: str, url: str, account: Account) -> str:
    """Return what the page puts in the place of `Sandbox()`, for one account."""
    found = [code for code in python_blocks(read(lang)) if "Shared(" in code]
    assert 1 == len(found)
    code, count = re.subn(r'Shared\("http://127\.0\.0\.1:8080", "wx07", ".*"\)', f"Shared{(url, *account)}", found[0])
    assert 1 == count
    return code


def saved(cell: NotebookNode) -> str:
    """Return what the file has below a cell, as text."""
    outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return "\n".join(output.get("text") or output.data["text/plain"] for output in outputs)


def plain(shown: str) -> str:
    """Return a text without layout, and without what is another one in every run."""
    numbers = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}|\b1[0-9]{9}(\.[0-9]+)?|[0-9-]{10} [0-9:]{8}|image .{12}…|hint: \[.*?\]"
    return re.sub(r"\s", "", re.sub(numbers, "", shown))


class Cell(NamedTuple):
    """A cell of a lesson, what the teacher typed for it, and how it went for each student."""

    name: str
    asked: list[str]
    ran: list[Ran]
    saved: str

    @property
    def how(self) -> str:
        return HOW[2] if any(ran.error for ran in self.ran) else HOW[1] if self.asked else HOW[0]


def lessons(lang: str, room: Class, url: str, found: list[Cell]) -> Generator[str, None, None]:
    """Run all lessons one after the other; yield what the teacher types."""
    for name in SHARED:
        room.opens_a_lesson()
        for cell in code_cells(f"{lang}/{name}"):
            if OPENS_A_SOCKET in cell.metadata.get("tags", []):  # it serves the bot of a cell that has failed
                found.append(Cell(f"{name}/{cell.id}", [], [Ran("", "not run")], ""))
                continue
            sources = [
                cell.source.replace("sandbox = Sandbox()", opening(lang, url, account)) for account in room.accounts
            ]
            asked, ran = yield from room.runs(sources)
            found.append(Cell(f"{name}/{cell.id}", asked, ran, saved(cell)))


def serve(lang: str, typed: Iterator[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the page's command until all has been typed."""

    def lines() -> Iterator[str]:
        yield from typed
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", lines())
    assert 0 == main(command(lang))


def look(url: str, account: str, openid: str) -> Any:
    """Return what the page shows of an account."""
    base, _, query = url.partition("?")
    fields = {"account": account, "openid": openid, "lang": query[-2:] or "en", "since": "0", "have": "0"}
    return json.loads(urllib3.request("GET", f"{base}news", fields=fields).data)


def taught(lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[Cell]:
    """Let a class go through all lessons; look at the projector when the first one is over."""
    found: list[Cell] = []

    def teach() -> Iterator[str]:
        printed = capsys.readouterr().out
        url, page = re.findall(r"http://127\.0\.0\.1:[0-9]+\S*", printed)
        accounts = [Account(*each) for each in re.findall(r"appid (wx\w+)\W+secret ([0-9a-f]{32})", printed)]
        assert CLASS == len(dict(accounts)) == len({secret for _, secret in accounts})
        with beside(lang, "shared") as shared:
            room = Class(accounts, shared)
            try:
                yield from lessons(lang, room, url, found)
            finally:
                room.close()
        for account in accounts:
            shown = look(page, account.appid, "ann")
            assert {"ann", "bob"} <= {row["openid"] for row in shown["customers"]}
            assert "ann" in {call["openid"] for call in shown["calls"]}

    serve(lang, teach(), monkeypatch)
    return found


def rows(lang: str) -> dict[str, tuple[int, ...]]:
    """Return the table of the page: how many cells of each lesson go how."""
    found = re.findall(r"^\| \[[^]]*\]\((\S+)\.ipynb\) \| (\d+) \| (\d+) \| (\d+) \|$", read(lang), re.MULTILINE)
    return {name: tuple(map(int, counts)) for name, *counts in found}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_thirty_students_on_one_sandbox(
    lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each cell goes for everybody as the table says, and prints what the lesson has, or says where to look."""
    found = taught(lang, monkeypatch, capsys)
    assert len(found) == sum(len(code_cells(f"{lang}/{name}")) for name in SHARED)
    counted = {name: tuple(sum(c.how == how for c in found if c.name.startswith(name)) for how in HOW) for name in SHARED}
    assert counted == rows(lang)
    different = set()
    for cell in found:
        assert 1 == len({ran.error for ran in cell.ran}), cell
        if cell.how != HOW[2]:
            assert 1 == len({plain(ran.shown) for ran in cell.ran}), cell
            if LOOK[lang] not in cell.ran[0].shown and plain(cell.saved) != plain(cell.ran[0].shown):
                different.add(cell.name)
    assert set(DIFFERENT) == different
