"""The course in a browser tab: each lesson runs there as it is printed, with no other host, wherever the site lies."""

import gzip
import json
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser import stage
from tests.site.lessons import LANGUAGES, OPENS_A_SOCKET
from wxcs_lite.panel.texts import words

NOTEBOOKS = stage.ROOT / "notebooks"
LESSONS = {
    lang: [f"{prefix}{path.name}" for path in sorted((NOTEBOOKS / prefix).glob("*.ipynb"))]
    for lang, prefix in LANGUAGES.items()
}
# Cells whose outputs differ from those of a Python of one's own, and why.
DIFFERENT: dict[str, str] = {}
WIDGET = "application/vnd.jupyter.widget-view+json"
PATIENCE = 240_000  # ms; on a busy machine Python may take a minute to start in a browser
# A name that is not 127.0.0.1: for a browser, http under it is not a secure context, as on a teacher's own computer.
CLASSROOM = "classroom.example"
FLAGS = [
    *stage.FLAGS[:-1],
    f"--host-resolver-rules=MAP {CLASSROOM} 127.0.0.1, MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# What a browser, or JupyterLite before it knows better, asks for in vain.
_IN_VAIN = re.compile(r"/favicon\.ico|.*/images/[\w.]+")


class Served(NamedTuple):
    """A site on a web server: where, and what was asked for and given."""

    url: str
    folder: Path
    asked: list[tuple[str, int]]  # paths within the site, and statuses


@contextmanager
def serving(folder: Path, prefix: str = "/", host: str = "127.0.0.1") -> Iterator[Served]:
    """Serve a folder under a path, as any web server does, but with the app open to the test."""
    asked: list[tuple[str, int]] = []

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def guess_type(self, path: Any) -> str:
            # Many servers do not know .mjs, and a browser runs no module that is not called JavaScript.
            return "application/octet-stream" if str(path).endswith(".mjs") else super().guess_type(path)

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if not path.startswith(prefix):
                self.send_error(404)
                return
            self.path = self.path[len(prefix) - 1 :]
            if path == prefix + "jupyter-lite.json":
                config = json.loads((folder / "jupyter-lite.json").read_text("utf-8"))
                config["jupyter-config-data"]["exposeAppInBrowser"] = True
                body = json.dumps(config).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            else:
                super().do_GET()

        def copyfile(self, source: Any, outputfile: Any) -> None:
            try:
                super().copyfile(source, outputfile)
            except ConnectionError:  # a page that was left needs it no more
                self.close_connection = True

        def send_response(self, code: int, message: str | None = None) -> None:
            asked.append((urlsplit(self.path).path, code))
            super().send_response(code, message)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(f"http://{host}:{server.server_port}{prefix}", folder, asked)
        server.shutdown()
        thread.join(10)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the command that is documented, and unpacked from its zip."""
    out = tmp_path_factory.mktemp("built") / "course"
    subprocess.run([sys.executable, "-m", "tests.site", str(out), "--zip"], cwd=stage.ROOT, check=True, timeout=300)
    unpacked = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(out.with_name("course.zip")) as archive:
        archive.extractall(unpacked)
    assert tree(out) == tree(unpacked / "course")
    return unpacked / "course"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def site(built: Path) -> Iterator[Served]:
    with serving(built) as served:
        yield served


@pytest.fixture(scope="session")
def classroom(built: Path) -> Iterator[Served]:
    with serving(built, "/courses/wechat/", CLASSROOM) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=stage.CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


class Tab:
    """A browser without a past, with one tab, and what went wrong in it."""

    def __init__(self, browser: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1360, "height": 1100})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.troubles: list[str] = []
        self.hosts: set[str | None] = set()
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.context.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(url).hostname)

    def open(self, served: Served, lesson: str) -> None:
        self.page.goto(f"{served.url}{'zh/' if lesson.startswith('zh/') else ''}notebooks/index.html?path={lesson}")
        self.arrived()

    def arrived(self) -> None:
        """Wait until a lesson is shown and its Python has been asked to start."""
        self.page.wait_for_function(_SHOWN)
        self.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.ready")

    def run(self) -> dict[str, list[dict[str, Any]]]:
        """Run all cells, and return the outputs of each cell of code by its id; those of the file are cleared first."""
        for command in ("notebook:clear-all-cell-outputs", "notebook:run-all-cells"):
            self.page.evaluate("name => jupyterapp.commands.execute(name)", command)
        cells = self.page.evaluate("() => jupyterapp.shell.currentWidget.content.model.toJSON().cells")
        code = {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}
        errors = [each for cell in code.values() for each in cell["outputs"] if each["output_type"] == "error"]
        assert [] == [(each["ename"], each["evalue"]) for each in errors]
        assert [] == [name for name, cell in code.items() if not cell["execution_count"]]  # each was run
        return {name: plain(cell["outputs"]) for name, cell in code.items()}


_SHOWN = """() => {
  const shown = window.jupyterapp && jupyterapp.shell.currentWidget;
  const model = shown && shown.content && shown.content.model;
  return model && model.cells && model.cells.length > 0;
}"""


@pytest.fixture
def tab(browser: Any, shots: Path, request: pytest.FixtureRequest) -> Iterator[Tab]:
    opened = Tab(browser)
    yield opened
    name = re.sub(r"\W+", "_", request.node.name)
    opened.page.screenshot(path=str(shots / f"site_{name}.png"))
    opened.context.close()


def plain(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a reader sees of a cell's outputs, whichever way its texts are cut into lines."""
    return [
        {name: joined(value) for name, value in output.items() if name not in ("execution_count", "metadata")}
        for output in outputs
    ]


def joined(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: joined(each) for name, each in value.items()}
    return "".join(value) if isinstance(value, list) else value


def saved(lesson: str) -> dict[str, list[dict[str, Any]]]:
    """Return the outputs in a lesson's file, without the cells that a browser cannot run."""
    cells = json.loads((NOTEBOOKS / lesson).read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return {
        cell["id"]: plain(cell["outputs"]) for cell in code if OPENS_A_SOCKET not in cell["metadata"].get("tags", ())
    }


def compare(lesson: str, ran: dict[str, list[dict[str, Any]]]) -> None:
    expected = saved(lesson)
    assert [*expected] == [*ran]
    if not any(expected.values()):  # the panel's lesson is kept without outputs
        return
    for name, outputs in expected.items():
        if not any(WIDGET in each.get("data", {}) for each in ran[name]) and name not in DIFFERENT:
            assert outputs == ran[name], name


# --- every lesson


@pytest.mark.parametrize("lesson", [*LESSONS["en"], *LESSONS["zh"]])
def test_a_lesson_runs_as_it_is_printed(lesson: str, tab: Tab, site: Served) -> None:
    """From top to bottom, with the outputs of its file, and with no request to another host."""
    before = len(site.asked)
    tab.open(site, lesson)
    compare(lesson, tab.run())
    assert [] == tab.troubles
    assert {"127.0.0.1"} == tab.hosts
    refused = [path for path, status in site.asked[before:] if status >= 400 and not _IN_VAIN.fullmatch(path)]
    assert [] == refused


@pytest.mark.parametrize("lesson", [LESSONS["en"][0], LESSONS["zh"][-1]])
def test_a_lesson_runs_again_and_under_a_path_without_https(lesson: str, tab: Tab, classroom: Served) -> None:
    """As from a zip that was unpacked on a teacher's computer, where a browser allows less; and with a new kernel."""
    tab.open(classroom, lesson)
    compare(lesson, tab.run())
    assert tab.page.evaluate("() => !window.isSecureContext")
    tab.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
    compare(lesson, tab.run())
    assert [] == tab.troubles
    assert {CLASSROOM} == tab.hosts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_panel_works_by_mouse(lang: Any, tab: Tab, site: Served) -> None:
    """What a customer writes reaches the desk, and the answer reaches the phone."""
    tab.open(site, next(each for each in LESSONS[lang] if "panel import demo" in (NOTEBOOKS / each).read_text("utf-8")))
    tab.run()
    found = words(lang)
    desk, phone = tab.page.locator(".wxcs-desk"), tab.page.locator(".wxcs-phone")
    phone.get_by_label(found["write"], exact=True).fill("Is it open on Sunday?")
    phone.get_by_role("button", name=found["write_send"], exact=True).click()
    desk.get_by_text("Is it open on Sunday?").first.wait_for()
    desk.get_by_label(found["content"], exact=True).locator("visible=true").fill("Until noon.")
    desk.get_by_role("button", name=found["send"], exact=True).click()
    phone.locator(".wxcs-row:not(.wxcs-mine)").filter(has_text="Until noon.").first.wait_for()
    assert [] == tab.troubles


# --- the way around


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_leads_to_every_lesson(lang: str, tab: Tab, classroom: Served) -> None:
    """In its language, the first one first; each lesson leads to the next, and the logo back."""
    tab.page.goto(f"{classroom.url}{LANGUAGES[lang]}index.html")
    links = [link.get_attribute("href") for link in tab.page.locator("ol a").all()]
    first, second, *_ = LESSONS[lang]
    assert LESSONS[lang] == [str(link).rpartition("path=")[2] for link in links]
    assert not tab.page.locator("#opened-as-a-file").is_visible()
    tab.page.locator("a.start").click()
    tab.arrived()
    assert tab.page.url.endswith(f"/courses/wechat/{LANGUAGES[lang]}notebooks/index.html?path={first}")
    tab.page.locator(".jp-Notebook a[href*='/files/'][href$='.ipynb']").last.click()
    tab.page.wait_for_url(f"**?path={second}")
    tab.arrived()
    assert not tab.page.get_by_text("Checkpoint").count()  # it would tell the date of the build's clock
    tab.page.locator("#jp-NotebookLogo").click()
    tab.page.wait_for_url(f"{classroom.url}{LANGUAGES[lang]}")
    tab.page.goto(f"{classroom.url}{LANGUAGES[lang]}notebooks/index.html")
    tab.page.wait_for_url(f"**?path={first}")
    menu = {"en": "File", "zh": "文件"}
    tab.page.get_by_role("menuitem", name=menu[lang], exact=True).wait_for()
    tab.page.goto(f"{classroom.url}tree/index.html?path={first}")
    tab.page.wait_for_url(f"**/notebooks/index.html?path={first}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_last_lesson_leads_back_to_the_first_page(lang: str, tab: Tab, classroom: Served) -> None:
    """Where a checkout has a README, the site has a page of its own."""
    tab.open(classroom, LESSONS[lang][-1])
    # JupyterLite gives a link its address one after the other, so the recipes' READMEs may have theirs first.
    tab.page.locator(f".jp-Notebook a[href$='/files/{LANGUAGES[lang]}README.md']").click()
    tab.page.wait_for_url(f"{classroom.url}{LANGUAGES[lang]}")


def test_what_a_lesson_links_to_is_in_the_site(built: Path) -> None:
    """Other lessons, pictures, and files beside the lessons."""
    for lesson in [*LESSONS["en"], *LESSONS["zh"]]:
        for cell in json.loads((built / "files" / lesson).read_text("utf-8"))["cells"]:
            text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
            for link in re.findall(r"""(?:\]\(|src="|href=")([^)"#\s]+)""", text):
                if not urlsplit(link).scheme:
                    assert (built / "files" / lesson).parent.joinpath(unquote(link)).is_file(), f"{lesson}: {link}"


# --- what it weighs


def test_what_is_loaded_first(tab: Tab, built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As little as JupyterLite and Python allow; the seconds are only shown, because they depend on the machine."""
    with serving(built) as served:
        begun = time.monotonic()
        tab.open(served, LESSONS["en"][0])
        shown = time.monotonic() - begun
        tab.page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
        tab.page.evaluate(
            "() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestKernelInfo()"
        )
        first = time.monotonic() - begun
        files = {built / path.lstrip("/") for path, status in served.asked if status == 200}
    loaded = [path.read_bytes() for path in files if path.is_file()]
    bytes_, packed = sum(map(len, loaded)), sum(len(gzip.compress(each, 6)) for each in loaded)
    whole = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    with capsys.disabled():
        print(f"\nfirst load {bytes_ / 1e6:.1f} MB, {packed / 1e6:.1f} MB with gzip, in {len(served.asked)} requests;")
        print(f"cells after {shown:.1f} s, Python after {first:.1f} s; the site has {whole / 1e6:.1f} MB")
    assert bytes_ < 27e6
    assert packed < 13.5e6
    assert whole < 38e6
