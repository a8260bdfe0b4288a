"""Say which exercises are solved: `python notebooks/grade.py FOLDER_OR_NOTEBOOK…`.

A file's name must contain the lesson's, as in ann/03_sending.ipynb or 03_sending-ann.ipynb. What stands above its check
is run in a kernel of its own, in a copy of this folder; then comes the check of this folder, not the student's. That is
other people's code: run it where it can do no harm. Needs nbclient, which comes with JupyterLab.
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
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

__all__ = ["Grade", "grade", "notebooks"]

HERE = Path(__file__).resolve().parent
LESSONS = sorted(path.stem for path in HERE.glob("*.ipynb"))
DONE = ("Done.", "完成。")
LONGEST = 60  # seconds for each cell


class Grade(NamedTuple):
    """A notebook, whether its exercise is solved, and what the check says, or why there is nothing to check."""

    path: Path
    done: bool
    said: str


def notebooks(names: list[str]) -> Iterator[Path]:
    """Yield the notebooks, those in folders too, of lessons that have a check."""
    for path in map(Path, names):
        for file in sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]:
            if ".ipynb_checkpoints" not in file.parts and (_lesson(file) is None or _check(file, "")):
                yield file


def grade(path: Path) -> Grade:
    """Run a notebook up to its exercise, and then the check."""
    if _lesson(path) is None:
        return Grade(path, False, f"no lesson has this name / 文件名与任何一课都不相符：{path.name}")
    try:
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
        ids = [cell.get("id", "") for cell in cells]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Grade(path, False, f"not a notebook / 不是 notebook 文件：{type(error).__name__}")
    folder = "zh" if any("course_zh" in source for source in sources) else ""
    check = _check(path, folder)
    above = [at for at, source in enumerate(sources) if ids[at] == "check-code" or source.strip() == check]
    said = _said([*sources[: above[0] if above else None], check], folder)
    return Grade(path, said.startswith(DONE), said)


def _lesson(path: Path) -> str | None:
    return next((name for name in LESSONS if name in path.stem), None)


def _check(path: Path, folder: str) -> str:
    """Return the check of this folder, or "" for the lesson that has none."""
    cells = json.loads((HERE / folder / f"{_lesson(path)}.ipynb").read_text("utf-8"))["cells"]
    return "".join(line for cell in cells if cell["id"] == "check-code" for line in cell["source"])


def _said(sources: list[str], folder: str) -> str:
    """Return what the last cell shows, or why it shows nothing; a kernel that dies is started once more."""
    for _ in range(2):
        try:
            return _shown(sources, folder)
        except RuntimeError as error:  # on a busy machine another program may have taken a port of the kernel's
            died = error
        except Exception as error:  # a cell that does not end
            return _line(error)
    return _line(died)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _shown(sources: list[str], folder: str) -> str:
    """Return what the last cell shows, or its error."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    with tempfile.TemporaryDirectory() as copy:
        left_out = shutil.ignore_patterns("*.ipynb", "recipes", "__pycache__", ".ipynb_checkpoints")
        shutil.copytree(HERE, copy, ignore=left_out, dirs_exist_ok=True)
        asyncio.run(_client(notebook, Path(copy) / folder).async_execute())
    *_, last = [{}, *notebook.cells[-1].outputs]
    text: str = last.get("data", {}).get("text/plain", "")
    return text or f"{last.get('ename', '')}: {last.get('evalue', '')}"


def _client(notebook: NotebookNode, folder: Path) -> Any:
    return NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=LONGEST,
        allow_errors=True,
        extra_arguments=["--log-level=ERROR"],  # a kernel's own remarks are not about the exercise
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
    return 0 if all(solved) else 1


if __name__ == "__main__":
    sys.exit(main())
