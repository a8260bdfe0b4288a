"""The page for teachers: what it says of a class on one served sandbox is what thirty students find there."""

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any, NamedTuple

import pytest
import urllib3
from nbformat import NotebookNode

from tests.classroom import Account, Class, Ran, beside
from tests.notebook_tools import LANGUAGES, NAMES, OPENS_A_SOCKET, PANEL, ROOT, code_cells, python_blocks
from wxcs_lite import ApiError, endpoints, fetch_token, open_pool, perform, send, text
from wxcs_lite.__main__ import main
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.serve import run
from wxcs_lite.terminal.serving_words import TEXTS

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
    (line,) = re.findall(r"^python -m (wxcs_lite sandbox .*--account=wx\{01\.\.30\})$", read(lang), re.MULTILINE)
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
    times = r"\b1[0-9]{9}(\.[0-9]+)?|[0-9-]{10} [0-9:]{8}"
    names = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}|image .{12}…|hint: \[.*?\]"
    return re.sub(r"\s", "", re.sub(f"{times}|{names}", "", shown))


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
    monkeypatch.setattr(sys, "stdin", ended(typed))
    assert 0 == main(command(lang))


def ended(typed: Iterable[str]) -> Iterator[str]:
    yield from typed
    raise KeyboardInterrupt


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
    went = {name: [cell.how for cell in found if cell.name.startswith(name)] for name in SHARED}
    assert {name: tuple(map(hows.count, HOW)) for name, hows in went.items()} == rows(lang)
    different = set()
    for cell in found:
        assert 1 == len({ran.error for ran in cell.ran}), cell
        if cell.how != HOW[2]:
            assert 1 == len({plain(ran.shown) for ran in cell.ran}), cell
            if LOOK[lang] not in cell.ran[0].shown and plain(cell.saved) != plain(cell.ran[0].shown):
                different.add(cell.name)
    assert set(DIFFERENT) == different


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_teacher_types(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the table is what the cell asks for, in the language of the lesson; each line is a command."""
    asked: list[str] = []
    with beside(lang, "shared") as shared:
        monkeypatch.setattr(shared, "input", lambda prompt: asked.append(prompt.split("  ")[1]), raising=False)
        sandbox = shared.Shared("http://127.0.0.1:9", "wx07", "made up")
        names = {"sandbox": sandbox, "customer": sandbox.user("ann")}
        table = re.findall(r"^\| `((?:customer|sandbox)\..*?)` \| `(.*?)` \|$", read(lang), re.MULTILINE)
        assert 4 == len(table)
        for code, typed in table:
            exec(code, names)
            assert typed == asked[-1]
        assert LOOK[lang] == repr(names["customer"].inbox[-1].message["text"])
        assert f"ann {LOOK[lang]}" == repr(names["customer"])
    out = io.StringIO()
    assert 0 == run(lang="zh" if lang == "zh" else "en", lines=ended(asked), out=out)
    assert TEXTS[lang]["form"] not in out.getvalue()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_clock_of_a_student_moves_with_the_sandbox(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a token is renewed when it has expired there."""
    with beside(lang, "shared") as shared:
        monkeypatch.setattr(shared, "input", lambda prompt: "", raising=False)
        sandbox = shared.Shared("http://127.0.0.1:9", "wx07", "made up")
        before = sandbox.clock()
        sandbox.advance(3600)
        assert sandbox.clock() - before >= 3600


def forced_by_one(students: list[Sandbox]) -> list[int]:
    """Return the errcodes that all get who send with the tokens they hold, after the first has forced a new one."""
    first, *others = {sandbox.appid: sandbox for sandbox in students}.values()
    with first.serve(beside=others) as url, open_pool(url) as pool:
        tokens = []
        for sandbox in students:
            sandbox.user("ann").says("?")
            tokens.append(fetch_token(pool, sandbox.appid, sandbox.secret))
        perform(pool, None, endpoints.stable_token(first.appid, first.secret, force_refresh=True))
        return [errcode_of(pool, token) for token in tokens]


def errcode_of(pool: Pool, token: str) -> int:
    try:
        return int(send(pool, token, text("ann", "hello"))["errcode"])
    except ApiError as error:
        return error.errcode


def test_nobody_ends_the_token_of_another() -> None:
    """Who forces a new token ends that of their own account; in a single account it would be everybody's."""
    each = [Sandbox(clock=time.time, appid=f"wx{number:02}", secret=f"made-up-{number}") for number in range(CLASS)]
    rejected, *fine = forced_by_one(each)
    assert 40001 == rejected
    assert [0] * (CLASS - 1) == fine
    one = Sandbox(clock=time.time)
    assert [40001] * CLASS == forced_by_one([one] * CLASS)


def test_the_powershell_line_has_the_same_flags() -> None:
    """But for how it counts, which bash and PowerShell do in ways of their own."""
    for lang in LANGUAGES:
        shell, power = re.findall(r"^python -m (wxcs_lite sandbox .*)$", read(lang), re.MULTILINE)
        assert shell.partition(" --account=")[0] == power.partition(" (1..30 ")[0]
        assert '"--account=wx{0:d2}" -f $_' in power
        assert [f"--account=wx{number:02}" for number in range(1, CLASS + 1)] == command(lang)[-CLASS:]


def test_both_pages_say_the_same() -> None:
    """The same code, the same tables, and links that lead somewhere."""
    english, chinese = (read(lang) for lang in LANGUAGES)
    assert re.findall(r"^#+", english, re.MULTILINE) == re.findall(r"^#+", chinese, re.MULTILINE)
    assert rows("en") == rows("zh")
    for lang in LANGUAGES:
        targets = re.findall(r"\]\((\S+?)\)", read(lang))
        for file, _, heading in (target.partition("#") for target in targets):
            found = (PAGES[lang].parent / file).read_text("utf-8")
            assert not heading or heading in found.lower().replace(" ", "-")
        for file in ("student_version.py", "grade.py"):
            assert f"python notebooks/{file} " in read(lang)
            assert (ROOT / "notebooks" / file).is_file()
    lessons_of = [re.findall(r"^\| [“\"].*\| ([\d、, ]+) \|$", page, re.MULTILINE) for page in (english, chinese)]
    assert 13 == len(lessons_of[0])
    assert [found.replace(", ", "、") for found in lessons_of[0]] == lessons_of[1]
