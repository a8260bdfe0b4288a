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
    NOTEBOOKS / "zh" / "README.md",
]
# What is in the brackets may stand before the word: WeChat's own terms, or the word that makes it whole.
WRONG = {
    "access_token is 凭证; 令牌 is the Token of message push": r"(?<!Token（)(?<!云调用)(?<!微信)令牌",
    "the console is 管理后台": r"(?<!管理)后台",
    "the panel is 客服面板": r"(?<!客服)面板",
    "a recording is a cassette, not 录像": "录像",
    "a notebook is not a laptop, which 笔记本 is": "笔记本",
    "bold ends before punctuation: **窗口**。三天后": r"\*\*[^*\n]+[。：！？；，]\*\*(?=\w)",
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
