"""The same notebook in Voilà: it opens, a message travels there and back, and the panel asks for nothing else."""

from pathlib import Path
from typing import Any

from tests.browser import stage
from wxcs_lite.panel.texts import words

EN = words("en")


def test_voila_serves_the_panel(chromium: Any, tmp_path: Path, shots: Path) -> None:
    """A smoke run: a question, an answer, and the page made no trouble."""
    with stage.voila(tmp_path, stage.ROOT / "notebooks/11_the_panel.ipynb") as url:
        page = chromium.new_page(viewport={"width": 1360, "height": 1300})
        page.set_default_timeout(stage.PATIENCE)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        desk, phone = page.locator(".wxcs-desk"), page.locator(".wxcs-phone")
        phone.get_by_label(EN["write"], exact=True).fill("Hello from Voilà")
        phone.get_by_role("button", name=EN["write_send"], exact=True).click()
        desk.locator(".wxcs-in").filter(has_text="Hello from Voilà").wait_for()
        desk.get_by_label(EN["content"], exact=True).fill("Hello there")
        desk.get_by_role("button", name=EN["send"], exact=True).click()
        phone.locator(".wxcs-row:not(.wxcs-mine)").get_by_text("Hello there", exact=True).wait_for()
        page.locator(".wxcs-both").screenshot(path=str(shots / "voila.png"))
        # Voilà's own template asks a CDN for icons; the panel asks for nothing.
        away = [one for one in asked if not one.startswith((url, "data:", "blob:", "http://127.0.0.1"))]
        assert all("fontawesome" in one.lower() or "font-awesome" in one.lower() for one in away), away
        page.close()
