"""The first line of every lesson is `import course`. It does nothing that is needed outside of this course.

- If the package is missing, it is installed from the checkout in which this folder lies.
- `course.figure("window")` shows a figure of the folder `images`.
- `course.checks` are the checks of the exercises; read `checks.py` when you have solved one.
"""

import base64
import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["checks", "figure"]

HERE = Path(__file__).resolve().parent
NEEDED = ("wxcs_lite", "cryptography", "ipywidgets")
EXTRAS = "[push,panel]"


def missing() -> list[str]:
    """Return which of the packages are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


def install() -> None:
    """Install the checkout above, named by its path: the name alone could be anybody's on the package index."""
    for folder in HERE.parents:
        project = folder / "pyproject.toml"
        if project.is_file() and 'name = "wxcs_lite"' in project.read_text("utf-8").splitlines():
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", f"{folder}{EXTRAS}"], check=False)
            importlib.invalidate_caches()
            return


def advise(names: list[str]) -> None:
    """Say what to do, in both languages."""
    print(f"Not installed: {', '.join(names)}. With Python 3.11 or later, in a terminal:")
    print(f'  python -m pip install "PATH-OF-THE-CHECKOUT{EXTRAS}"')
    print("then restart the kernel and run this cell again.\n")
    print(f"尚未安装：{'、'.join(names)}。请使用 Python 3.11 或更高版本，在终端里运行：")
    print(f'  python -m pip install "代码目录的路径{EXTRAS}"')
    print("然后重启内核，再运行这个单元格。")


class Figure:
    """A picture that a notebook shows and keeps in its file; as text it is its own description."""

    def __init__(self, markup: str, described: str) -> None:
        self._markup, self._described = markup, described

    def __repr__(self) -> str:
        return self._described

    def _repr_html_(self) -> str:  # as an image, its links and its description would be lost in JupyterLab
        return self._markup


def figure(name: str, described: str = "") -> Figure:
    """Return a figure in the language of the course; a drawing describes itself, a screenshot is described here."""
    kind = "png" if described else "svg"
    path = HERE / "images" / (f"{name}.zh.{kind}" if checks.language == "zh" else f"{name}.{kind}")
    if described:
        content = base64.b64encode(path.read_bytes()).decode()
        return Figure(f'<img alt="{described}" src="data:image/png;base64,{content}">', described)
    markup = path.read_text("utf-8")
    return Figure(markup, markup.partition("<desc")[2].partition(">")[2].partition("</desc>")[0])


checks: Any = None

if missing():
    install()
if missing():
    advise(missing())
if "wxcs_lite" not in missing():
    checks = importlib.import_module("checks")
