"""Copy the course without solutions and answers: `python notebooks/student_version.py out/my-class`.

What only teachers need is left out, too. The checks stay: without them no exercise answers back. The package is in the
folder as well, so that the course can be installed from it as its first page says.
"""

import json
import re
import shutil
import sys
from pathlib import Path

__all__ = ["copy_without_solutions"]

HERE = Path(__file__).resolve().parent
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", "build", "*.zip", "for_teachers.md", "grade.py", "student_version.py")
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>.*?</details>", re.DOTALL)
SECTION = re.compile(
    r"^## (In a browser tab|For teachers|在浏览器里学|给老师)$.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE
)
INSTALLED = ("pyproject.toml", "LICENSE")  # and the package: what pip needs
README = "The course: [English](notebooks/README.md), [中文](notebooks/zh/README.md).\n"


def without_answers(text: str) -> str:
    """Return a text with its questions, which are numbered, and without what was folded below them."""
    return FOLDED.sub(lambda folded: folded[1] if folded[1][:1].isdigit() else "", text).strip()


def copy_without_solutions(out: Path) -> None:
    """Copy the course and the package to a new folder; a cell of which nothing is left is left out."""
    course = out / "notebooks"
    shutil.copytree(HERE, course, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(HERE.parent / "wxcs_lite", out / "wxcs_lite", ignore=shutil.ignore_patterns("__pycache__"))
    for name in INSTALLED:
        shutil.copy(HERE.parent / name, out)
    (out / "README.md").write_text(README, "utf-8")
    for file in course.rglob("*.ipynb"):
        notebook = json.loads(file.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = without_answers("".join(cell["source"])).splitlines(keepends=True)
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"]]
        file.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for page in (course / "README.md", course / "zh" / "README.md"):
        page.write_text(SECTION.sub("", page.read_text("utf-8")).rstrip() + "\n", "utf-8")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("python notebooks/student_version.py FOLDER")
    out = Path(sys.argv[1])
    if out.exists():
        sys.exit(f"{out} exists: name a folder that does not / {out} 已存在，请换一个不存在的文件夹")
    copy_without_solutions(out)
    print(out)


if __name__ == "__main__":
    main()
