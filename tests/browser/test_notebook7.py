"""The same notebook in Jupyter Notebook 7, whose page is not JupyterLab's: the whole job by mouse."""

import shutil
from pathlib import Path
from typing import Any

from tests.browser import stage
from tests.browser.job import whole_job

# Notebook 7.6.5's own, while it loads its settings, before a cell is run.
_OWN = "Cannot read properties of undefined (reading 'schema')"


def test_the_whole_job_in_notebook_7(chromium: Any, tmp_path: Path, photo: Path, shots: Path) -> None:
    """Text, picture, link and card arrive on the phone, nothing leaves the page, and the desk is where it should be."""
    home = tmp_path / "home"
    home.mkdir()
    with stage.notebook_7(home) as url:
        shutil.copy(stage.ROOT / "notebooks/11_the_panel.ipynb", home / "work/desk.ipynb")
        page = chromium.new_page(viewport={"width": 1366, "height": 768})
        nb = stage.Notebook7(page, url, "desk.ipynb", home / "work")
        nb.run()
        whole_job(nb, "en", photo)
        nb.choose("kind", "text")
        nb.field("content").fill("Anything else?")
        nb.field("content").press("Enter")
        nb.phone.get_by_text("Anything else?", exact=True).wait_for()
        nb.desk.screenshot(path=str(shots / "notebook7.png"))
        assert page.locator("#jp-MainMenu, .jp-NotebookPanel").count()
        assert [] == [one for one in nb.troubles if one != _OWN]
        assert [] == [one for one in nb.asked if not one.startswith((url, "data:", "blob:"))]
        nb.shutdown()
