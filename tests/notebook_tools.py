"""What the tests of the course share: its files, their parts, and a run of each in a kernel of its own.

`python -m tests.notebook_tools` runs the lessons and saves what they print now, without what editors leave behind;
`python -m tests.notebook_tools en/03_sending` does so with one.
"""

import ast
import asyncio
import json
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests import early

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
NAMES = (
    "01_the_whole_job",
    "02_a_message_is_a_dict",
    "03_sending",
    "04_a_request_is_a_value",
    "05_typing",
    "06_pictures",
    "07_when_it_fails",
    "08_the_reply_window",
    "09_receiving",
    "10_answering",
    "11_the_panel",
    "12_a_bot_of_your_own",
)
PANEL = "11_the_panel"
LANGUAGES = {"en": NOTEBOOKS, "zh": NOTEBOOKS / "zh"}
SETUP = {"en": "import course", "zh": "from course_zh import course"}
LESSONS = [f"{lang}/{name}" for lang in LANGUAGES for name in NAMES]
OPENS_A_SOCKET = "opens-a-socket"  # the tag of the one cell that may
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def path_of(lesson: str) -> Path:
    lang, _, name = lesson.partition("/")
    return LANGUAGES[lang] / f"{name}.ipynb"


@cache
def read(lesson: str) -> NotebookNode:
    return nbformat.read(path_of(lesson), as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def code_cells(lesson: str) -> list[NotebookNode]:
    return [cell for cell in read(lesson).cells if cell.cell_type == "code"]


def texts(lesson: str) -> list[str]:
    return [cell.source for cell in read(lesson).cells if cell.cell_type == "markdown"]


def strings(value: Any) -> Iterator[str]:
    """Yield every string anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (name, *strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def python_blocks(text: str) -> list[str]:
    """Return the Python that a markdown cell shows."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def answers(lesson: str) -> list[str]:
    """Return the Python of the hidden answers."""
    hidden = (re.findall(r"<details>.*?</details>", text, re.DOTALL) for text in texts(lesson))
    return [code for found in hidden for details in found for code in python_blocks(details)]


class _WithoutTexts(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        values = [self.visit(value) for value in node.values if isinstance(value, ast.FormattedValue)]
        return ast.JoinedStr(values)


def bare(code: str) -> str:
    """Return the code without comments, layout and quoted texts; what an f-string computes stays.

    >>> bare("send('您好', f'{name}，你好')  # 中文") == bare('send("Hello", f"Dear {name}")')
    True
    """
    return ast.unparse(ast.fix_missing_locations(_WithoutTexts().visit(ast.parse(code))))


# In the kernel: notes what goes out of the process, and in which cell after this one.
_SPY = """
def _spy():
    import sys

    import urllib3  # looks whether there is IPv6, by a socket that it binds and closes

    going_out = {
        "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen",
        "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto",
    }
    noted, cells = [], []

    def hook(event, args):
        if event in going_out:
            noted.append(len(cells))

    get_ipython().events.register("pre_run_cell", cells.append)
    sys.addaudithook(hook)
    return noted

_noted = _spy()
"""
_REPORT = """
import json, sys, wxcs_lite
print(json.dumps([sys.executable, wxcs_lite.__file__, _noted]))
"""


class Ran(NamedTuple):
    """A lesson that was run: the outputs of each code cell, who ran it, and what went out of the process."""

    outputs: list[list[NotebookNode]]
    executable: str
    package: Path
    went_out: set[int]  # numbers of code cells, from 1; one past the last is an answer


def _cell(source: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call, no-any-return]


def execute(notebook: NotebookNode, lesson: str) -> None:
    """Run all cells in a new kernel; if that dies, in a second one, whose death counts as the lesson's fault.

    A kernel gets five free ports, and opens them when it has started: on a busy machine one of them may be taken by
    then, which says nothing of the lesson.
    """
    try:
        _execute(notebook, lesson)
    except RuntimeError:
        _execute(notebook, lesson)


def _execute(notebook: NotebookNode, lesson: str) -> None:
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=60,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path_of(lesson).parent)}},
    )
    asyncio.run(client.async_execute())


def _run(lesson: str) -> Ran:
    """Run a lesson from top to bottom, once more with each cell twice in a row, and then its answers."""
    count = len(code_cells(lesson))
    again = [cell.source for cell in code_cells(lesson) for _ in range(2)]
    notebook = deepcopy(read(lesson))
    notebook.cells = [_cell(_SPY), *notebook.cells, *map(_cell, [*again, *answers(lesson), _REPORT])]
    execute(notebook, lesson)
    _, *ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    executable, package, noted = json.loads(ran[-1].outputs[-1].text)
    went_out = {number if number <= count else (number - count - 1) // 2 + 1 for number in noted}
    return Ran([cell.outputs for cell in ran[:count]], executable, Path(package), went_out)


def _tried(lesson: str) -> dict[str, Any]:
    try:
        return {"lesson": lesson, **_run(lesson)._asdict()}
    except Exception as e:
        return {"lesson": lesson, "failed": str(e)}


def _run_all(lessons: Sequence[str]) -> None:
    """Run lessons, two at a time, and print how each of them ran, as JSON."""
    with ThreadPoolExecutor(2) as executor:
        print(json.dumps([*executor.map(_tried, lessons)], default=_plain))


def _plain(value: Path | set[int]) -> str | list[int]:
    return str(value) if isinstance(value, Path) else sorted(value)


def begin(lessons: Sequence[str]) -> None:
    """Begin to run these lessons, in a process of their own."""
    global _command
    _command = ("-m", "tests.notebook_tools", "--run", *dict.fromkeys(lessons))
    early.begin(*_command)


_command: tuple[str, ...] = ()


@cache
def _ran() -> dict[str, dict[str, Any]]:
    done = early.finish(*_command)
    assert 0 == done.returncode, done.stderr
    return {found.pop("lesson"): found for found in json.loads(done.stdout)}


def run(lesson: str) -> Ran:
    """Return how a lesson that was begun ran."""
    found = _ran()[lesson]
    assert "failed" not in found, found["failed"]
    outputs = [[nbformat.from_dict(output) for output in cell] for cell in found["outputs"]]  # type: ignore[no-untyped-call]
    return Ran(outputs, found["executable"], Path(found["package"]), set(found["went_out"]))


def shown(outputs: list[NotebookNode]) -> list[dict[str, Any]]:
    """Return what a reader sees of a cell's outputs: neither numbers nor metadata."""
    return [
        {name: value for name, value in output.items() if name not in ("execution_count", "metadata")}
        for output in outputs
    ]


def without_widgets(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs that can be kept: a widget is nothing without its kernel."""
    return [output for output in outputs if "application/vnd.jupyter.widget-view+json" not in output.get("data", {})]


def keep(lesson: str) -> None:
    """Run a lesson, and write into its file what it prints now; a panel's output is not kept."""
    notebook = deepcopy(read(lesson))
    execute(notebook, lesson)
    notebook.metadata = nbformat.from_dict(METADATA)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
        if cell.cell_type == "code" and lesson.endswith(PANEL):
            cell.outputs, cell.execution_count = without_widgets(cell.outputs), None
            for output in cell.outputs:
                output.execution_count = None
    nbformat.write(notebook, path_of(lesson))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run_all(sys.argv[2:])
    else:
        for each in sys.argv[1:] or LESSONS:
            keep(each)
