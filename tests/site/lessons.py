"""The lessons as a browser can show them: a cell that opens a socket becomes text, and pictures are ASCII."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["FOR_TEACHERS", "LANGUAGES", "Lesson", "copy_lessons", "lessons"]

LANGUAGES = {"en": "", "zh": "zh/"}  # where the lessons of a language are, below the folder of the course
OPENS_A_SOCKET = "opens-a-socket"  # the tag of a cell that only a Python of one's own can run
_NOTES = {
    "en": "*A browser tab cannot open a socket, so this cell is not run here. This is its code for your own Python:*",
    "zh": "*浏览器标签页无法打开套接字，因此这里不运行这个单元格。下面是它的代码，可在自己的 Python 环境中运行：*",
}
# A browser tab can neither grade, nor copy a course, nor reach the sandbox that a teacher serves.
FOR_TEACHERS = ("for_teachers.md", "grade.py", "shared.py", "student_version.py")
_LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", "build", "*.zip", *FOR_TEACHERS)


class Lesson(NamedTuple):
    """A lesson's path below the folder of the course, and its title."""

    path: str
    title: str


def lessons(folder: Path, lang: str) -> Iterator[Lesson]:
    """Yield the lessons of a language, in their order."""
    for file in sorted((folder / LANGUAGES[lang]).glob("*.ipynb")):
        first = "".join(json.loads(file.read_text("utf-8"))["cells"][0]["source"])
        yield Lesson(f"{LANGUAGES[lang]}{file.name}", first.partition("\n")[0].lstrip("# "))


def copy_lessons(source: Path, folder: Path) -> None:
    """Copy the course, and change what a browser could not run or show."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for picture in folder.rglob("*.svg"):  # JupyterLite passes its text to btoa(), which knows Latin-1 only
        picture.write_bytes(picture.read_text("utf-8").encode("ascii", "xmlcharrefreplace"))
    for lang, prefix in LANGUAGES.items():
        for file in (folder / prefix).glob("*.ipynb"):
            notebook = json.loads(file.read_text("utf-8"))
            for cell in notebook["cells"]:
                if OPENS_A_SOCKET in cell["metadata"].get("tags", []):
                    _show_only(cell, _NOTES[lang])
                if cell["cell_type"] == "code":
                    cell["metadata"]["trusted"] = True  # a server would know them; without it, no figure is shown
                for output in cell.get("outputs", []):
                    _join_lines(output)
            file.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _show_only(cell: dict[str, Any], note: str) -> None:
    """Turn a cell of code into text that shows it."""
    cell |= {"cell_type": "markdown", "source": f"{note}\n\n```python\n{''.join(cell['source'])}\n```"}
    del cell["outputs"], cell["execution_count"]


def _join_lines(output: dict[str, Any]) -> None:
    """Make one text of a list of lines: JupyterLite has no server that does, and shows a comma between them."""
    for values in (output, output.get("data", {})):
        for name, value in values.items():
            if isinstance(value, list) and name not in ("application/json", "traceback"):
                values[name] = "".join(value)
