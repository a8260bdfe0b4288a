"""Say which exercises are solved: `python notebooks/grade.py FOLDER_OR_NOTEBOOK…`.

A file's name must contain the lesson's, as in ann/03_sending.ipynb or 03_sending-ann.ipynb. What stands above its check
is run in a Python of its own, in a copy of this folder; then comes the check of this folder, not the student's. That is
other people's code: run it where it can do no harm. A notebook for the teacher's sandbox gets a sandbox of its own.
Lesson 11 is left out: what was done with the mouse is not in its file. Needs IPython, which comes with JupyterLab.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Grade", "grade", "notebooks"]

HERE = Path(__file__).resolve().parent
LESSONS = sorted(path.stem for path in HERE.glob("*.ipynb"))
DONE = ("Done.", "完成。")
LONGEST = 120  # seconds for all cells of a notebook; a lesson takes less than one
BY_MOUSE = "11_the_panel"
# IPython without a kernel, which would need ports, and threads of its own for each notebook.
IN_PYTHON = """
import json, sys
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

cells, told = map(Path, sys.argv[1:])
sys.argv[:] = [""]
shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
shell.compile.flags = 0  # no line follows, so Python can say what is wrong with one that goes on
ran = [shell.run_cell(source) for source in json.loads(cells.read_text("utf-8"))]
value = ran[-1].result
shown = "" if value is None else shell.display_formatter.format(value)[0].get("text/plain", "")

def line(error):
    said = f"{error.msg} (line {error.lineno})" if isinstance(error, SyntaxError) else error
    return "" if error is None else f"{type(error).__name__}: {said}"

errors = [line(one.error_before_exec or one.error_in_exec) for one in ran]
told.write_text(json.dumps({"shown": shown, "errors": errors}), "utf-8")
"""
SHARED = "from wxcs_lite.sandbox import Sandbox\n\n\ndef Shared(*_):\n    return Sandbox()\n"


class Grade(NamedTuple):
    """A notebook, whether its exercise is solved, and what the check says, or why there is nothing to check."""

    path: Path
    done: bool
    said: str


def notebooks(names: list[str]) -> Iterator[Path]:
    """Yield the notebooks, those in folders too; that of the panel is left out."""
    for path in map(Path, names):
        for file in sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]:
            if ".ipynb_checkpoints" not in file.parts and _lesson(file) != BY_MOUSE:
                yield file


def grade(path: Path) -> Grade:
    """Run a notebook up to its exercise, and then the check."""
    if not path.is_file():
        return Grade(path, False, "no such file or folder / 没有这个文件或文件夹")
    if _lesson(path) is None:
        return Grade(path, False, f"no lesson has this name / 文件名与任何一课都不相符：{path.name}")
    try:
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
        ids = [cell.get("id", "") for cell in cells]
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        return Grade(path, False, f"not a notebook / 不是 notebook 文件：{type(error).__name__}")
    folder = "zh" if any("course_zh" in source for source in sources) else ""
    check = _check(path, folder)
    above = [at for at, source in enumerate(sources) if ids[at] == "check-code" or source.strip() == check]
    said = _said([*sources[: above[0] if above else None], check], folder)
    return Grade(path, said.startswith(DONE), said)


def _lesson(path: Path) -> str | None:
    return next((name for name in LESSONS if name in path.stem), None)


def _check(path: Path, folder: str) -> str:
    """Return the check of this folder."""
    cells = json.loads((HERE / folder / f"{_lesson(path)}.ipynb").read_text("utf-8"))["cells"]
    return "".join(line for cell in cells if cell["id"] == "check-code" for line in cell["source"])


def _said(sources: list[str], folder: str) -> str:
    """Return what the last cell shows, or why it shows nothing, and the first error above it, which may be why."""
    try:
        found = _run(sources, folder)
    except subprocess.TimeoutExpired:
        return f"it does not end within {LONGEST} s / 运行了 {LONGEST} 秒仍未结束"
    except (OSError, ValueError):
        return "the code ends its Python / 代码结束了自己的 Python 进程"
    *before, last = found["errors"]
    said = found["shown"] or _line(last)
    errors = [f"✗ cell {n} / 第 {n} 个代码单元格：{_line(error)}" for n, error in enumerate(before, 1) if error]
    return said if said.startswith(DONE) else "\n".join([said, *errors[:1]])


def _line(error: str) -> str:
    return error[:200].replace("\n", " ")


def _run(sources: list[str], folder: str) -> dict[str, Any]:
    """Run cells in a Python of their own, in a copy of this folder; return what it has written down."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as copy:
        left_out = shutil.ignore_patterns("*.ipynb", "recipes", "__pycache__", ".ipynb_checkpoints")
        shutil.copytree(HERE, copy, ignore=left_out, dirs_exist_ok=True)
        (Path(copy) / "shared.py").write_text(SHARED, "utf-8")
        cells, told = Path(copy) / "cells.json", Path(copy) / "told.json"
        cells.write_text(json.dumps(sources), "utf-8")
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", IN_PYTHON, str(cells), str(told)],
            cwd=Path(copy) / folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST,
        )
        found: dict[str, Any] = json.loads(told.read_text("utf-8"))
        return found


def main() -> int:
    if not sys.argv[1:]:
        sys.exit("python notebooks/grade.py FOLDER_OR_NOTEBOOK…")
    solved = []
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        for path, done, said in executor.map(grade, notebooks(sys.argv[1:])):
            first, *points = said.splitlines()
            print(path, first, *(point.strip() for point in points if "✗" in point), sep="\n  ", flush=True)
            solved.append(done)
    print(f"{sum(solved)}/{len(solved)}")
    return 0 if solved and all(solved) else 1


if __name__ == "__main__":
    sys.exit(main())
