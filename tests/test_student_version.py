"""The course without solutions: what students get, and that it is whole but for these."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.classroom import beside
from tests.notebook_tools import LANGUAGES, LESSONS, NAMES, NOTEBOOKS, ROOT, answers, path_of, read

FOR_TEACHERS = ("for_teachers.md", "student_version.py", "grade.py")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command of the page makes."""
    out = tmp_path_factory.mktemp("class") / "my-class"
    command = [sys.executable, str(NOTEBOOKS / "student_version.py"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{out}\n" == done.stdout
    return out / "notebooks"


def cells_of(copied: Path, lesson: str) -> list[dict[str, Any]]:
    text = (copied / path_of(lesson).relative_to(NOTEBOOKS)).read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_without_solution_and_answers(lesson: str, copied: Path) -> None:
    """Nothing is folded any more, no line of a solution is left, the three questions are; all code is as it was."""
    cells = cells_of(copied, lesson)
    texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    assert not re.search("<details>|<summary>", "\n".join(texts))
    assert all(texts)
    for solution in answers(lesson):
        assert solution not in "\n".join(texts)
    (questions,) = [cell["source"] for cell in cells if cell["id"] == "questions"]
    assert ["1", "2", "3"] == re.findall(r"^(\d)\. .+[?？。].*$", questions, re.MULTILINE)
    code = [(cell.id, cell.source) for cell in read(lesson).cells if cell.cell_type == "code"]
    assert code == [(cell["id"], cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert {"answer"} >= {cell.id for cell in read(lesson).cells} - {cell["id"] for cell in cells}


def test_what_is_for_teachers_stays_with_them(copied: Path) -> None:
    """Everything that students need is there: the checks, the figures, what a shared sandbox needs, the recipes."""
    files = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()}
    assert not [file for file in files if file.endswith(FOR_TEACHERS)]
    assert {"course.py", "checks.py", "shared.py", "zh/course_zh.py", "images/token.svg", "recipes/README.md"} <= files
    assert {f"{prefix}{name}.ipynb" for name in NAMES for prefix in ("", "zh/")} <= files


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_links_lead_somewhere(lang: str, copied: Path) -> None:
    """From the first page, and from each lesson."""
    folder = copied / LANGUAGES[lang].relative_to(NOTEBOOKS)
    page = (folder / "README.md").read_text("utf-8")
    assert not re.search(r"teacher|老师|tests\.site", page)
    commands = re.findall(r"(?<=lab )notebooks[^\s`]*", page)
    assert 2 == len(commands)
    assert all((copied.parent / command.replace("\\", "/")).is_dir() for command in commands)
    texts = [page, *(cell["source"] for name in NAMES for cell in cells_of(copied, f"{lang}/{name}"))]
    targets = {target for text in texts for target in re.findall(r"\]\(([^)\s#]+)\)", text) if "://" not in target}
    assert len(targets) > 12
    assert [] == [target for target in targets if not (folder / target).exists()]


def test_it_can_be_installed(copied: Path, tmp_path: Path) -> None:
    """From its own folder, with the extras that its first page names: a student has no checkout."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    subprocess.run([*command, str(tmp_path), str(copied.parent)], check=True, capture_output=True)
    (built,) = tmp_path.glob("wxcs_lite-*.whl")
    with zipfile.ZipFile(built) as wheel:
        package = {name for name in wheel.namelist() if name.startswith("wxcs_lite/")}
        (metadata,) = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/METADATA")]
    there = [path for path in (ROOT / "wxcs_lite").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(ROOT).as_posix() for path in there} == package
    assert {"push", "panel"} <= set(re.findall(r"^Provides-Extra: (\w+)$", metadata, re.MULTILINE))


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is there, with students' work perhaps, is refused in one sentence; so is a command without one."""
    with beside("en", "student_version") as student_version:
        for arguments, said in (([str(tmp_path)], "已存在"), ([], "FOLDER")):
            monkeypatch.setattr(sys, "argv", ["student_version.py", *arguments])
            with pytest.raises(SystemExit, match=said):
                student_version.main()
    assert [] == [*tmp_path.iterdir()]
