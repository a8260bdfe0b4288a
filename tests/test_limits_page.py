"""The page on many messages: its figures are those that WeChat's limits give, in both languages."""

from pathlib import Path

import pytest

from tests.limits_page import stable_token, tables
from wxcs_lite.look.words import LANGUAGES, Language

FOLDER = Path(__file__).parents[1] / "notebooks" / "recipes" / "many_messages"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_tables_are_computed(lang: Language) -> None:
    """Each stands there as it is computed, and there is no other table."""
    page = (FOLDER / ("README.zh-CN.md" if lang == "zh" else "README.md")).read_text("utf-8")
    found = [part.strip().split("\n") for part in page.split("\n\n") if part.startswith("|")]
    assert tables(lang) == [rows[2:] for rows in found]
    assert f" {stable_token()}" in page


def test_the_tables_say_what_the_limits_say() -> None:
    """By hand: 500,000 calls at 100 a second are 5,000 seconds; 16 workers at 20 ms send 800 a second."""
    allowed, lasts, workers, accounts = tables("en")
    assert ["| verified account | 500,000 |", "| test account | 50,000 |"] == allowed
    assert "| 100 | 1 h 23 min | 8 min |" in lasts
    assert "| 5.7 | all day | 2 h 26 min |" in lasts
    assert "| 20 ms | 800 | 3,200 |" in workers
    assert "| 2 | 1,000,000 | 11.6 |" in accounts
