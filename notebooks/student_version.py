"""Copy the course without solutions and answers: `python notebooks/student_version.py out/my-class`.

What only teachers need is left out, too. The checks stay: without them no exercise answers back.
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
SECTION = re.compile(r"^## (For teachers|给老师)$.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def without_answers(text: str) -> str:
    """Return a text with its questions, which are numbered, and without what was folded below them."""
    return FOLDED.sub(lambda folded: folded[1] if folded[1][:1].isdigit() else "", text).strip()


def copy_without_solutions(out: Path) -> None:
    """Copy the course to a new folder; a cell of which nothing is left is left out."""
    shutil.copytree(HERE, out, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in out.rglob("*.ipynb"):
        notebook = json.loads(file.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = without_answers("".join(cell["source"])).splitlines(keepends=True)
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["source"]]
        file.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for page in (out / "README.md", out / "zh" / "README.md"):
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
