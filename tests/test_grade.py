"""Grading: what students hand in is run up to its exercise, and checked with the teacher's check."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from tests.classroom import beside
from tests.exercise_answers import WRONG
from tests.notebook_tools import LANGUAGES, NOTEBOOKS, answers, path_of

SAID = {"en": ("Done.", "Not yet."), "zh": ("完成。", "还没有完成。")}


Change = Callable[[Any], object]


def hand_in(lesson: str, file: Path, exercise: str = "", change: Change = bool) -> None:
    """Write a lesson as a student hands it in: with something below the starter, and other changes."""
    notebook = json.loads(path_of(lesson).read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] == "exercise-code" and exercise:
            cell["source"] = "".join(cell["source"]) + "\n" + exercise
    change(notebook)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(notebook), "utf-8")


def graded(*names: Path) -> tuple[int, str]:
    """Return the exit status of the command and what it prints."""
    command = [sys.executable, "-X", "utf8", str(NOTEBOOKS / "grade.py"), *map(str, names)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
    assert "" == done.stderr
    return done.returncode, done.stdout


def without_ids(notebook: Any) -> None:
    """As an editor leaves a notebook that knows no ids."""
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


def with_a_check_of_its_own(notebook: Any) -> None:
    """A cell that fails on the way, a magic, and a check that is always content."""
    first, *others = notebook["cells"]
    for cell in others:
        if cell.get("id") == "check-code":
            cell["source"] = "print('Done.')"
    own: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"] = [first, {**own, "id": "a", "source": "1 / 0"}, {**own, "id": "b", "source": "%pwd"}, *others]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_class_is_graded(lang: str, tmp_path: Path) -> None:
    """Solved, solved in an editor without ids, wrong, and left as it was, with a check of the student's own."""
    (solution,) = answers(f"{lang}/03_sending")
    wrong, missed = WRONG["05_typing"][1]
    hand_in(f"{lang}/03_sending", tmp_path / "ann" / "03_sending.ipynb", solution)
    hand_in(f"{lang}/03_sending", tmp_path / "03_sending-ben.ipynb", solution, without_ids)
    hand_in(f"{lang}/05_typing", tmp_path / "eva" / "05_typing.ipynb", wrong)
    hand_in(f"{lang}/08_the_reply_window", tmp_path / "eva" / "08_the_reply_window.ipynb", "", with_a_check_of_its_own)
    shutil.copy(path_of(f"{lang}/11_the_panel"), tmp_path / "eva")  # it has no check
    status, printed = graded(tmp_path)
    found = dict(re.findall(r"^(\S+\.ipynb)\n((?:  .*\n)*)", printed, re.MULTILINE))
    by_name = {Path(name).relative_to(tmp_path).as_posix(): said.splitlines() for name, said in found.items()}
    done, not_yet = SAID[lang]
    assert [f"  {done}"] == by_name.pop("ann/03_sending.ipynb") == by_name.pop("03_sending-ben.ipynb")
    first, *points = by_name.pop("eva/05_typing.ipynb")
    assert f"  {not_yet}" == first
    with beside(lang, "checks") as checks:
        point = checks.typing([0, 31]).points[missed - 1].missing[lang == "zh"]
    assert any(point in each for each in points)
    first, *points = by_name.pop("eva/08_the_reply_window.ipynb")
    assert f"  {not_yet}" == first
    assert 2 == len(points)
    assert {} == by_name
    assert (1, "2/4") == (status, printed.splitlines()[-1])


def test_what_cannot_be_graded_is_told(tmp_path: Path) -> None:
    """Not a notebook, no lesson, no file, and code that breaks the check: one line each, and the others go on."""
    (tmp_path / "01_the_whole_job.ipynb").write_text("{", "utf-8")
    (tmp_path / "homework.ipynb").write_text("{}", "utf-8")
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", "left = until = None")
    status, printed = graded(tmp_path, tmp_path / "gone" / "05_typing.ipynb")
    lines = [line.strip() for line in printed.splitlines()]
    assert 1 == status
    assert "0/4" == lines[-1]
    assert ["not a notebook / 不是 notebook 文件：JSONDecodeError"] == lines[1:2]
    assert lines[3].startswith("TypeError: ")
    assert "no lesson has this name / 文件名与任何一课都不相符：homework.ipynb" == lines[5]
    assert "not a notebook / 不是 notebook 文件：FileNotFoundError" == lines[7]


def test_a_cell_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute; here after three seconds."""
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", "while True:\n    pass")
    with beside("en", "grade") as grade:
        monkeypatch.setattr(grade, "LONGEST", 3)
        found = grade.grade(tmp_path / "08_the_reply_window.ipynb")
    assert not found.done
    assert found.said.startswith("CellTimeoutError")


def test_the_teachers_course_is_not_touched(tmp_path: Path) -> None:
    """What a student's code writes beside it, it writes into a copy, which is gone afterwards."""
    code = "import pathlib\npathlib.Path('checks.py').write_text('x')\nleft, until = 4, 72"
    before = {path: path.stat().st_mtime_ns for path in NOTEBOOKS.glob("*.py")}
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", code)
    assert (0, "1/1") == (graded(tmp_path)[0], graded(tmp_path)[1].splitlines()[-1])
    assert before == {path: path.stat().st_mtime_ns for path in NOTEBOOKS.glob("*.py")}


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_kernel_that_dies_is_started_again_once(deaths: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine spoils nobody's grade; an exercise that kills its kernel is told so."""
    starts = iter([DeadKernelError("Kernel died")] * deaths)

    async def execute_or_die(client: NotebookClient) -> None:
        for death in starts:
            raise death
        client.nb.cells[-1].outputs = [NotebookNode(output_type="execute_result", data={"text/plain": "Done."})]  # type: ignore[no-untyped-call]

    monkeypatch.setattr(NotebookClient, "async_execute", execute_or_die)
    with beside("en", "grade") as grade:
        found = grade.grade(path_of("en/08_the_reply_window"))
    assert (deaths == 1, "Done." if deaths == 1 else "DeadKernelError: Kernel died") == found[1:]
