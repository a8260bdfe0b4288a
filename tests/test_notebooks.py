"""The course: every lesson runs as it is printed, says the same in both languages, and gives nothing away."""

import importlib
import importlib.util
import re
import runpy
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from base64 import b64encode
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances as alive
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

import wxcs_lite
from tests.notebook_tools import (
    LANGUAGES,
    LESSONS,
    METADATA,
    NAMES,
    NOTEBOOKS,
    OPENS_A_SOCKET,
    PANEL,
    ROOT,
    SETUP,
    Ran,
    answers,
    bare,
    begin,
    code_cells,
    execute,
    path_of,
    python_blocks,
    read,
    run,
    shown,
    strings,
    texts,
    without_widgets,
)
from wxcs_lite.sandbox import Sandbox, sunset

PICTURES = sorted((NOTEBOOKS / "images").glob("*.svg"))
MAPS = (NOTEBOOKS / "README.md", NOTEBOOKS / "zh" / "README.md")
OWN_ACCOUNT = {"en": "## Now with your own account", "zh": "## 换成自己的账号"}
QUESTIONS = {"en": "## Three questions", "zh": "## 三个问题"}
OBJECTIVES = {"en": "**Afterwards you can**", "zh": "**目标**："}
PAGES = {"en": "**WeChat's pages**", "zh": "**微信官方文档：**"}


@pytest.fixture
def ran(lesson: str) -> Ran:
    return run(lesson)


def begin_early(items: list[pytest.Item]) -> None:
    chosen = [item for item in items if isinstance(item, pytest.Function) and "ran" in item.fixturenames]
    if chosen:
        begin([str(item.callspec.params["lesson"]) for item in chosen])


def language(lesson: str) -> str:
    return lesson.partition("/")[0]


# --- it runs


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_as_it_is_printed(lesson: str, ran: Ran) -> None:
    """Top to bottom with the outputs of the file; then with each cell twice; then its hidden answers.

    If what the package prints has changed for the better: `python -m tests.notebook_tools`.
    """
    for cell, outputs in zip(code_cells(lesson), ran.outputs, strict=True):
        assert shown(cell.outputs) == shown(without_widgets(outputs)), cell.id
    # As files, because `../venv/bin/python` is the same; their folders, because environments link to one interpreter.
    assert Path(sys.executable).parent.samefile(Path(ran.executable).parent)
    assert Path(wxcs_lite.__file__).samefile(ran.package)


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_kernel_that_dies_is_started_again_once(deaths: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine fails no lesson; a lesson that kills its kernel fails."""
    starts = iter([DeadKernelError("Kernel died before replying to kernel_info")] * deaths)
    begun: list[NotebookClient] = []

    async def execute_or_die(client: NotebookClient) -> None:
        begun.append(client)
        for death in starts:
            raise death

    monkeypatch.setattr(NotebookClient, "async_execute", execute_or_die)
    with pytest.raises(DeadKernelError) if deaths == 2 else nullcontext():
        execute(read(LESSONS[0]), LESSONS[0])
    assert 2 == len(begun)
    assert begun[0] is not begun[1]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_opens_no_socket(lesson: str, ran: Ran) -> None:
    """Nor does it start a process; the one cell that serves a bot says so in its tags and in its first line."""
    cells = enumerate(code_cells(lesson), 1)
    tagged = {number: cell for number, cell in cells if OPENS_A_SOCKET in cell.metadata.get("tags", [])}
    assert set(tagged) == ran.went_out
    assert (1 if lesson.endswith("10_answering") else 0) == len(tagged)
    for cell in tagged.values():
        assert re.match(r"#.*socket", cell.source)


def test_the_course_is_complete() -> None:
    """Twelve lessons in each language, and nothing else that could be taken for one."""
    for folder in LANGUAGES.values():
        assert sorted(f"{name}.ipynb" for name in NAMES) == sorted(path.name for path in folder.glob("*.ipynb"))


# --- it works everywhere


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_first_cell_is_one_line(lesson: str) -> None:
    """And prints nothing where all is well."""
    first, *others = code_cells(lesson)
    assert SETUP[language(lesson)] == first.source
    assert [] == first.outputs
    assert [] == [cell.id for cell in others if "import course" in cell.source]


def test_the_first_cell_installs_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is missing, the checkout above the notebook is named to pip by its path, never by a name."""
    folder = tmp_path / "a checkout" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "a checkout" / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    asked = begin_where_nothing_is_installed(folder, monkeypatch)
    assert [[sys.executable, "-m", "pip", "install", "-q"]] == [command[:5] for command in asked]
    ((path, *others),) = (command[5:] for command in asked)
    assert [] == others
    assert f"{tmp_path / 'a checkout'}[push,panel]" == path


def test_the_first_cell_says_how_where_there_is_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both languages. Another project above the notebook is not installed, and nothing is looked up by name."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "another"\ndependencies = ["wxcs_lite"]\n', "utf-8")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    assert [] == begin_where_nothing_is_installed(folder, monkeypatch)
    printed = capsys.readouterr().out
    assert 2 == printed.count("pip install")
    assert "wxcs_lite, cryptography, ipywidgets" in printed
    assert "重启内核" in printed
    assert not re.search(r"install +\"?wxcs", printed)


def begin_where_nothing_is_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Run the first line of a lesson in a folder of its own, and return the commands that it gave."""
    asked: list[list[str]] = []
    shutil.copy(NOTEBOOKS / "course.py", folder)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, **kwargs: asked.append(command))
    runpy.run_path(str(folder / "course.py"))
    return asked


# --- it is fit to be shown


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_kept_clean(lesson: str) -> None:
    """Stable ids, counts from 1 without a gap, no time, no widget state, no traces of an editor."""
    notebook = read(lesson)
    assert METADATA == notebook.metadata
    assert 4 == notebook.nbformat
    assert 5 == notebook.nbformat_minor
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{2,30}", each) for each in ids)
    assert set() == {name for cell in notebook.cells for name in cell.metadata} - {"tags"}
    counts = [cell.execution_count for cell in code_cells(lesson)]
    assert counts == ([None] * len(counts) if lesson.endswith(PANEL) else [*range(1, len(counts) + 1)])


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_shows_no_traceback_and_no_path(lesson: str) -> None:
    """Errors are caught and printed, and no path of the author's machine is shown."""
    kinds = {output.output_type for cell in code_cells(lesson) for output in cell.outputs}
    assert "error" not in kinds
    whole = "\n".join(strings(read(lesson)))
    assert str(ROOT) not in whole
    assert not re.search(r"Traceback|File \"|(?<![\w.])/(home|root|tmp|work|usr|Users|private)/|[A-Z]:\\", whole)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_holds_no_secret(lesson: str) -> None:
    """Not even the sandbox's, because people copy from lessons."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    secrets = {str(wxcs_lite.fetch_token(pool, sandbox.appid, sandbox.secret)), str(sandbox.secret)}
    for _ in range(5):
        sandbox.advance(7200)
        secrets.add(str(wxcs_lite.fetch_token(pool, sandbox.appid, sandbox.secret)))
    images = ("image/png", "image/jpeg", "image/gif")
    shown_here = [
        {name: value for name, value in data.items() if name not in images}
        for cell in code_cells(lesson)
        for data in (output.get("data", {"text": output.get("text", "")}) for output in cell.outputs)
    ]
    whole = "\n".join([*(cell.source for cell in read(lesson).cells), *strings(shown_here)])
    assert [] == [secret for secret in secrets if secret in whole]
    # A token begins with digits and an underscore; an AppSecret is 32 hex digits; an EncodingAESKey has 43 characters.
    assert not re.search(r"\b\d{1,3}_[\w-]{30,}", whole)
    assert not re.search(r"\b[0-9a-f]{32}\b", whole)
    assert not re.search(r"(?<![\w+/])[A-Za-z0-9+/]{43}(?![\w+/=])", whole)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_token_is_assigned_in_one_cell_and_used_in_another(lesson: str) -> None:
    """So no cell that is run again shows it, and a line warns of what would."""
    calls = ("fetch_token(", "fresh_token(")
    fetching = [cell for cell in code_cells(lesson) if any(call in cell.source for call in calls)]
    for cell in fetching:
        *_, last = cell.source.splitlines()
        assert re.match(r"\w+ = (fetch|fresh)_token\(", last), last
        assert [] == cell.outputs
    if fetching and not lesson.endswith(PANEL):
        assert any("print(token)" in text and "%whos" in text for text in texts(lesson))


# --- it teaches


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_asks_and_ends_with_the_reader_s_own_account(lesson: str) -> None:
    """It opens with questions and objectives; it ends with an exercise, three questions, and how to leave the sandbox.

    Solutions and answers are hidden until asked for; WeChat's own pages are named.
    """
    *_, questions, last = texts(lesson)
    assert last.startswith(OWN_ACCOUNT[language(lesson)])
    assert PAGES[language(lesson)] in last
    assert questions.startswith(QUESTIONS[language(lesson)])
    assert 3 == questions.count("<details>")
    assert 4 == sum(text.count("<details>") for text in texts(lesson))
    asked, _, aims = texts(lesson)[0].splitlines()[2].partition(OBJECTIVES[language(lesson)])
    assert "?" in asked.replace("？", "?")
    assert aims


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_run_the_same_code(name: str) -> None:
    """Comments and quoted texts apart; cell by cell, with the same ids, and in the answers, too."""
    english, chinese = (read(f"{lang}/{name}").cells for lang in LANGUAGES)
    assert [(cell.id, cell.cell_type) for cell in english] == [(cell.id, cell.cell_type) for cell in chinese]
    for one, other in zip(english, chinese, strict=True):
        if one.id == "setup":
            continue
        codes = ([cell.source] if cell.cell_type == "code" else python_blocks(cell.source) for cell in (one, other))
        first, second = ([bare(code) for code in found] for found in codes)
        assert first == second
    assert len(answers(f"en/{name}")) == len(answers(f"zh/{name}"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_shown_for_the_reader_s_own_account_runs(
    lesson: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the sandbox where WeChat would be."""
    sandbox = Sandbox(clock=time.time)
    sandbox.user("ann").says("hello?")
    variables = {"APPID": sandbox.appid, "SECRET": sandbox.secret, "OPENID": "ann"}
    variables |= {"PUSH_TOKEN": "madeUp", "AES_KEY": "x" * 42 + "A"}
    for name, value in variables.items():
        monkeypatch.setenv(f"WXCS_{name}", str(value))
    monkeypatch.setattr(wxcs_lite, "open_pool", sandbox.pool)
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(sunset())
    names: dict[str, Any] = {}
    codes = python_blocks(texts(lesson)[-1])
    assert (codes == []) == lesson.endswith("02_a_message_is_a_dict")  # nothing leaves there
    for code in codes:
        exec(code, names)
    if lesson.endswith(PANEL):
        names["desk"].close()


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson.endswith(PANEL)])
def test_the_panel_run_again_begins_anew(lesson: str) -> None:
    """Nothing of the first one stays in the notebook's widget state."""
    names: dict[str, Any] = {}
    before = set(alive)
    shown_now = []
    for _ in range(2):
        exec(code_cells(lesson)[1].source, names)
        shown_now.append(set(alive) - before)
    first, second = shown_now
    assert len(first) == len(second) > 0
    assert set() == first & second
    names["shown"].close()
    assert before == set(alive)


def sandbox_token(sandbox: Sandbox) -> wxcs_lite.Token:
    return wxcs_lite.fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)


@pytest.mark.parametrize("lesson", LESSONS)
def test_links_lead_somewhere(lesson: str) -> None:
    """Relative ones, to files that are there; and no picture lies outside of the notebook."""
    for text in texts(lesson):
        for path in re.findall(r"\]\(([^)\s]+)\)", text):
            assert path.startswith("https://") or (path_of(lesson).parent / path).is_file(), path
        # As the output of a cell, a figure stays in every export.
        assert not re.search(r"!\[|<img", text)


@pytest.mark.parametrize("lesson", LESSONS)
def test_figures_and_phones_are_in_the_file(lesson: str) -> None:
    """Whole, as outputs, so that an export needs no other file; in the language of the lesson, and in words, too."""
    ending = ".zh.svg" if language(lesson) == "zh" else ".svg"
    for cell in code_cells(lesson):
        if figure := re.fullmatch(r'course\.figure\("(\w+)"\)', cell.source):
            (output,) = cell.outputs
            source = (NOTEBOOKS / "images" / f"{figure[1]}{ending}").read_text("utf-8")
            assert source == output.data["text/html"]
            described = ET.fromstring(source).findtext("{*}desc")
            assert described == output.data["text/plain"]
        elif "course.figure(" in cell.source:
            (output,) = cell.outputs
            name, ending = cell.source.split('"')[1], ending.replace("svg", "png")
            content = b64encode((NOTEBOOKS / "images" / f"{name}{ending}").read_bytes()).decode()
            alt = output.data["text/plain"]
            assert f'<img alt="{alt}" src="data:image/png;base64,{content}">' == output.data["text/html"]
            assert len(output.data["text/plain"]) > 20
        elif cell.source.endswith("customer"):
            assert "wxcs-still" in cell.outputs[-1].data["text/html"]


@pytest.mark.parametrize("page", MAPS, ids=["en", "zh"])
def test_the_map_names_every_lesson(page: Path) -> None:
    """And leads nowhere that does not exist."""
    found = re.findall(r"\]\(([^)\s#]+)\)", page.read_text("utf-8"))
    assert {f"{name}.ipynb" for name in NAMES} <= set(found)
    assert [] == [target for target in found if "://" not in target and not (page.parent / target).exists()]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_stands_alone(picture: Path) -> None:
    """Well-formed, small, with a ground of its own for dark pages, and drawn for both languages."""
    source = picture.read_text("utf-8")
    root = ET.fromstring(source)
    assert root.get("viewBox")
    assert not re.search(r"<script|url\((?!#)|@import|<image", source)
    assert all(link.startswith("https://developers.weixin.qq.com/") for link in re.findall(r'href="([^"]*)"', source))
    first = next(element for element in root if element.tag.endswith("rect"))
    assert "100%" == first.get("width")
    assert "100%" == first.get("height")
    assert len(source) < 12_000
    name = picture.name.partition(".")[0]
    assert picture.with_name(f"{name}.svg").is_file()
    assert picture.with_name(f"{name}.zh.svg").is_file()
    assert any(f'course.figure("{name}")' == cell.source for lesson in LESSONS for cell in code_cells(lesson))
    # Several of them lie in one page, where an id is taken once.
    assert all(each.startswith(f"{name}-") for each in re.findall(r'id="([^"]*)"', source))
    assert f'role="img" aria-labelledby="{name}-title {name}-desc"' in source
    described = root.find("{*}desc")
    assert described is not None
    assert len(described.text or "") > 40
