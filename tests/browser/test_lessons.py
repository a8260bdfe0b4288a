"""The lessons in JupyterLab: what only a browser can tell."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import stage
from wxcs_lite.look.words import Language

DONE: dict[Language, tuple[str, str]] = {"en": ("Not yet.", "Done."), "zh": ("还没有完成。", "完成。")}


@pytest.mark.parametrize("lang", DONE)
def test_the_panel_s_exercise_is_done_with_the_mouse(lang: Language, opened: Callable[..., Any]) -> None:
    """As the lesson says: a refusal after two days, then the customer writes; the check sees each step."""
    notebook = opened(lang)
    not_yet, done = DONE[lang]
    checked = notebook.page.locator(".jp-OutputArea-output pre")
    checked.filter(has_text=not_yet).wait_for()
    notebook.says("Where is it?")
    notebook.press(notebook.phone, "two_days")
    notebook.field("content").fill("It arrives tomorrow.")
    notebook.press(notebook.desk, "send")
    notebook.desk.get_by_text("45015").first.wait_for()
    notebook.says("Hello?")
    notebook.desk.locator(".wxcs-text").filter(has_text="Hello?").wait_for()
    notebook.page.wait_for_timeout(
        400
    )  # as one reads it: the panel passes over a second click within a quarter of a second
    notebook.sends(".wxcs-text")
    cells = json.loads(notebook.file.read_text("utf-8"))["cells"]
    notebook.page.evaluate(_RUN_ONE, [cell["id"] for cell in cells].index("check-code"))
    checked.filter(has_text=done).wait_for()
    assert "✗" not in checked.filter(has_text=done).inner_text()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_card_on_the_phone_is_as_legible_in_the_dark(theme: str, opened: Callable[..., Any]) -> None:
    """Its ground stays white, so its title stays black, whatever colour Lab gives to links."""
    notebook = opened(copy=stage.ROOT / "notebooks/03_sending.ipynb", run=False)
    notebook.theme(theme)
    notebook.command("notebook:run-all-cells")
    title = notebook.page.locator(".wxcs-still a.wxcs-title").last
    title.wait_for()
    assert "rgb(17, 17, 17)" == title.evaluate("title => getComputedStyle(title).color")


_RUN_ONE = """async at => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = at;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
