"""The browser's tests run when they are asked for, by WXCS_BROWSER=1; what is missing then is a failure, not a skip."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import stage
from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import sunset

ASKED = os.environ.get("WXCS_BROWSER") == "1"
collect_ignore_glob = [] if ASKED else ["test_*.py"]


def pytest_report_header() -> str:
    return "browser tests: on" if ASKED else "browser tests: off; WXCS_BROWSER=1 turns them on"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, which looks up no name but finds 127.0.0.1."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=stage.CHROMIUM, args=stage.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(home: Path) -> Iterator[str]:
    with stage.lab(home) as url:
        yield url


@pytest.fixture
def opened(
    chromium: Any, lab: str, home: Path, shots: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """Open a copy of the panel's notebook in a page of its own, run it, and shut its kernel down afterwards."""
    pages: list[stage.Notebook] = []

    def open_notebook(
        lang: Language = "en", width: int = 1360, height: int = 1300, run: bool = True, copy: Path | None = None
    ) -> stage.Notebook:
        source = "zh/11_the_panel.ipynb" if lang == "zh" else "11_the_panel.ipynb"
        name = f"{request.node.name.translate(str.maketrans('[]-', '___'))}_{len(pages)}.ipynb"
        shutil.copy(copy or stage.ROOT / "notebooks" / source, home / "work" / name)
        shutil.copy(stage.ROOT / "notebooks/zh/course_zh.py", home / "work")
        page = chromium.new_page(viewport={"width": width, "height": height})
        notebook = stage.Notebook(page, lab, name, home / "work", lang)
        pages.append(notebook)
        if run:
            notebook.run()
        return notebook

    yield open_notebook
    for notebook in pages:
        notebook.page.screenshot(path=str(shots / f"{notebook.file.stem}_end.png"))
        notebook.shutdown()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """axe-core's one file: where WXCS_AXE says, or fetched by npm for this session."""
    if given := os.environ.get("WXCS_AXE"):
        return Path(given)
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core@4"]
    subprocess.run(command, check=True, timeout=120)
    return folder / "node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: WXCS_SHOTS, or a temporary folder."""
    folder = Path(os.environ.get("WXCS_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "parcel.png"
    path.write_bytes(sunset(240, 160))
    return path
