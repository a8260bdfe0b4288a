"""The first line of every lesson is `import course`. It does nothing that is needed outside of this course.

- If the package is missing, it is installed from the checkout in which this folder lies.
- `course.figure("window")` shows a figure of the folder `images`.
- `course.checks` are the checks of the exercises; read `checks.py` when you have solved one.
"""

import importlib
import re
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

    def __init__(self, svg: str) -> None:
        self._svg = svg

    def __repr__(self) -> str:
        described = re.search(r"<desc[^>]*>(.*?)</desc>", self._svg, re.DOTALL)
        return "" if described is None else " ".join(described[1].split())

    def _repr_html_(self) -> str:  # as an image, its links and its description would be lost in JupyterLab
        return self._svg


def figure(name: str) -> Figure:
    """Return a figure in the language of the course."""
    ending = ".zh.svg" if checks.language == "zh" else ".svg"
    return Figure((HERE / "images" / f"{name}{ending}").read_text("utf-8"))


checks: Any = None

if missing():
    install()
if missing():
    advise(missing())
if "wxcs_lite" not in missing():
    checks = importlib.import_module("checks")
