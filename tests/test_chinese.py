"""The Chinese of lessons, READMEs, errors and panel: one word for each thing, and it is WeChat's."""

import json
import re
from pathlib import Path

import pytest

from tests.notebook_tools import NOTEBOOKS, ROOT

FILES = [
    *sorted((ROOT / "wxcs_lite").rglob("*.py")),
    *sorted((NOTEBOOKS / "zh").glob("*.ipynb")),
    *sorted(NOTEBOOKS.rglob("*.py")),
    *sorted(NOTEBOOKS.rglob("*.svg")),
    *sorted(ROOT.glob("*.zh-CN.md")),
    *sorted(NOTEBOOKS.rglob("*.zh-CN.md")),
    *sorted((NOTEBOOKS / "zh").glob("*.md")),
]
# What is in the brackets may stand before the word: WeChat's own terms, or the word that makes it whole.
WRONG = {
    "access_token is 凭证; 令牌 is the Token of message push": r"(?<!Token（)(?<!云调用)(?<!微信)令牌",
    "the console is 管理后台": r"(?<!管理)后台",
    "the panel is 客服面板": r"(?<!客服)面板",
    "a recording is a cassette, not 录像": "录像",
    "a notebook is not a laptop, which 笔记本 is": "笔记本",
    "a lesson is 第 7 课": r"第(?! \d+ 课)\s*\d+\s*课",
}


def told(path: Path) -> str:
    """Return what a file says; JSON without its escapes."""
    text = path.read_text("utf-8")
    return json.dumps(json.loads(text), ensure_ascii=False) if path.suffix == ".ipynb" else text


@pytest.mark.parametrize("rule", WRONG)
def test_a_thing_has_one_word(rule: str) -> None:
    """An editor's list; the failure names the word that the other texts use."""
    found = [f"{path.relative_to(ROOT)}: {hit[0]}" for path in FILES for hit in re.finditer(WRONG[rule], told(path))]
    assert [] == found


def prose(path: Path) -> list[str]:
    """Return the lines that Markdown makes bold words of."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text("utf-8"))["cells"]
        return [line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"]]
    return path.read_text("utf-8").splitlines() if path.suffix == ".md" else []


@pytest.mark.parametrize(
    "path", [path for path in FILES if prose(path)], ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_bold_is_bold(path: Path) -> None:
    """Stars between a character and punctuation stay stars: **窗口**。三天后, and not with the 。 inside."""
    broken = []
    for line in prose(path):
        pieces = line.split("**")
        for before, bold, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
            opens = re.search(r"\w$", before) and re.match(r"\W", bold)
            closes = re.search(r"\W$", bold) and re.match(r"\w", after)
            if opens or closes:
                broken.append(line)
    assert [] == broken


# A space, or a line break, which is shown as one: between characters, or beside the punctuation that has its own.
_END, _BEGIN = "，。；：、！？）”》", "（“《"
STRAY = re.compile(
    f"[\u4e00-\u9fff{_END}{_BEGIN}](?: +|\n *)(?=[\u4e00-\u9fff{_BEGIN}])"
    rf"|[{_END}]\n *(?=[A-Za-z`\[]|\d(?!\d*\. )|\*\*)"
)


@pytest.mark.parametrize(
    "path", [path for path in FILES if prose(path)], ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_no_space_stands_between_characters(path: Path) -> None:
    """So a paragraph is one line, or its lines end beside Latin letters; what a program shows is left alone."""
    cells = json.loads(told(path))["cells"] if path.suffix == ".ipynb" else []
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"] or [told(path)]
    shown = [re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE) for text in texts]
    assert [] == [text[max(0, hit.start() - 12) : hit.end() + 12] for text in shown for hit in STRAY.finditer(text)]
