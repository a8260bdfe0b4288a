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
    shutil.copy(path_of(f"{lang}/11_the_panel"), tmp_path / "eva")  # it is done with the mouse
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
    assert 3 == len(points)  # and the cell that fails on the way
    assert {} == by_name
    assert (1, "2/4") == (status, printed.splitlines()[-1])


def test_what_cannot_be_graded_is_told(tmp_path: Path) -> None:
    """Not a notebook, no lesson, no file, and code that breaks the check: one line each, and the others go on.

    A folder without a notebook is not a class that has solved everything.
    """
    (empty := tmp_path / "empty").mkdir()
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
    assert "no such file or folder / 没有这个文件或文件夹" == lines[7]
    assert (1, "0/0\n") == graded(empty)


@pytest.mark.parametrize("content", ["[]", "{}", '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}', "\ud83d"])
def test_a_file_of_another_kind_is_told(content: str, tmp_path: Path) -> None:
    """Whatever is in it."""
    file = tmp_path / "05_typing.ipynb"
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    with beside("en", "grade") as grade:
        assert grade.grade(file).said.startswith("not a notebook / 不是 notebook 文件")


def test_a_notebook_for_the_shared_sandbox_is_graded(tmp_path: Path) -> None:
    """Nobody types what it would ask for, and the teacher's sandbox is closed by then: it gets one of its own."""
    (solution,) = answers("en/03_sending")
    shared = 'from shared import Shared\n\nsandbox = Shared("http://127.0.0.1:1", "wx07", "made up")'

    def use_the_shared_one(notebook: Any) -> None:
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace("sandbox = Sandbox()", shared)

    hand_in("en/03_sending", tmp_path / "03_sending.ipynb", solution, use_the_shared_one)
    with beside("en", "grade") as grade:
        assert grade.grade(tmp_path / "03_sending.ipynb").done


def test_why_it_failed_is_told(tmp_path: Path) -> None:
    """The check only sees that a name is missing; the cell above says why."""
    hand_in("en/05_typing", tmp_path / "05_typing.ipynb", "seconds = [0, 15")
    with beside("en", "grade") as grade:
        missing, why = grade.grade(tmp_path / "05_typing.ipynb").said.splitlines()
    assert missing.startswith("NameError: name 'seconds'")
    assert "✗ cell 11 / 第 11 个代码单元格：SyntaxError: '[' was never closed (line 2)" == why


def test_a_cell_that_does_not_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After two minutes; here after three seconds. It has no last words."""
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", "while True:\n    pass")
    with beside("en", "grade") as grade:
        monkeypatch.setattr(grade, "LONGEST", 3)
        found = grade.grade(tmp_path / "08_the_reply_window.ipynb")
    assert not found.done
    assert "it does not end within 3 s / 运行了 3 秒仍未结束" == found.said
    assert "" == capfd.readouterr().err


def test_the_teachers_course_is_not_touched(tmp_path: Path) -> None:
    """What a student's code writes beside it, it writes into a copy, which is gone afterwards."""
    code = "import pathlib\npathlib.Path('checks.py').write_text('x')\nleft, until = 4, 72"
    before = {path: path.stat().st_mtime_ns for path in NOTEBOOKS.glob("*.py")}
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", code)
    assert (0, "1/1") == (graded(tmp_path)[0], graded(tmp_path)[1].splitlines()[-1])
    assert before == {path: path.stat().st_mtime_ns for path in NOTEBOOKS.glob("*.py")}


def test_code_that_ends_its_python_is_told_so(tmp_path: Path) -> None:
    """The others are graded all the same."""
    hand_in("en/08_the_reply_window", tmp_path / "08_the_reply_window.ipynb", "import os\nos._exit(0)")
    with beside("en", "grade") as grade:
        found = grade.grade(tmp_path / "08_the_reply_window.ipynb")
    assert (False, "the code ends its Python / 代码结束了自己的 Python 进程") == found[1:]
