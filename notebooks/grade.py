"""Say which exercises are solved: `python notebooks/grade.py FOLDER_OR_NOTEBOOK…`.

A file's name must contain the lesson's, as in ann/03_sending.ipynb or 03_sending-ann.ipynb. What stands above its check
is run in a kernel of its own, in a copy of this folder; then comes the check of this folder, not the student's. That is
other people's code: run it where it can do no harm. A notebook for the teacher's sandbox gets a sandbox of its own.
Lesson 11 is left out: what was done with the mouse is not in its file. Needs nbclient, which comes with JupyterLab.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

__all__ = ["Grade", "grade", "notebooks"]

HERE = Path(__file__).resolve().parent
LESSONS = sorted(path.stem for path in HERE.glob("*.ipynb"))
DONE = ("Done.", "完成。")
LONGEST = 60  # seconds for each cell
BY_MOUSE = "11_the_panel"
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
    """Return what the last cell shows, or why it shows nothing; a kernel that dies is started once more."""
    for _ in range(2):
        try:
            return _shown(sources, folder)
        except CellTimeoutError:
            return f"a cell does not end within {LONGEST} s / 有单元格运行了 {LONGEST} 秒仍未结束"
        except RuntimeError as error:  # on a busy machine another program may have taken a port of the kernel's
            died = error
        except Exception as error:
            return _line(type(error).__name__, str(error))
    return f"the code ends its kernel / 代码结束了自己的内核：{type(died).__name__}"


def _line(name: str, said: str) -> str:
    return f"{name}: {said[:200]}"


def _shown(sources: list[str], folder: str) -> str:
    """Return what the last cell shows, or its error; if that is not all, the first error above it, which may be why."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    with tempfile.TemporaryDirectory() as copy:
        left_out = shutil.ignore_patterns("*.ipynb", "recipes", "__pycache__", ".ipynb_checkpoints")
        shutil.copytree(HERE, copy, ignore=left_out, dirs_exist_ok=True)
        (Path(copy) / "shared.py").write_text(SHARED, "utf-8")
        asyncio.run(_client(notebook, Path(copy) / folder).async_execute())
    *_, last = [{}, *notebook.cells[-1].outputs]
    text: str = last.get("data", {}).get("text/plain", "")
    if text.startswith(DONE):
        return text
    errors = [
        f"✗ cell {number} / 第 {number} 个代码单元格：{_line(output.ename, output.evalue)}"
        for number, cell in enumerate(notebook.cells[:-1], 1)
        for output in cell.outputs
        if output.output_type == "error"
    ]
    return "\n".join([text or _line(last.get("ename", ""), last.get("evalue", "")), *errors[:1]])


def _client(notebook: NotebookNode, folder: Path) -> Any:
    return NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=LONGEST,
        allow_errors=True,
        extra_arguments=["--log-level=CRITICAL"],  # a kernel's own remarks are not about the exercise
        resources={"metadata": {"path": str(folder)}},
    )


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
