"""A stage for the browser: Debian's Chromium, and JupyterLab, Notebook and Voilà on 127.0.0.1, without the user's."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wxcs_lite.look.words import Language
from wxcs_lite.panel.texts import words

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
_LAB = ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
PATIENCE = 60_000  # ms; a machine under load may take long to start a kernel


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], url: str, home: Path) -> Iterator[str]:
    """Run a server in a session of its own, and end it with its kernels."""
    env = os.environ | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": str(ROOT),
        "TZ": "Asia/Shanghai",
    }
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(url, server, home)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes], home: Path) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError((home / "server.log").read_text("utf-8", "replace")[-2000:])


@contextmanager
def lab(home: Path) -> Iterator[str]:
    """Serve JupyterLab with the notebooks and "Save Widget State Automatically" on; its URL."""
    work = home / "work"
    shutil.copytree(ROOT / "notebooks", work)
    settings: dict[str, dict[str, Any]] = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, value in settings.items():
        _write(home / f"settings/@jupyterlab/{name}.jupyterlab-settings", value)
    _write(home / "settings/@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings", {"saveState": True})
    with _jupyter(home, work, "lab", "jupyterlab", *_LAB) as url:
        yield url


@contextmanager
def notebook_7(home: Path) -> Iterator[str]:
    """Serve Jupyter Notebook with the notebooks; its URL."""
    work = home / "work"
    shutil.copytree(ROOT / "notebooks", work)
    with _jupyter(home, work, "tree", "notebook", "--JupyterNotebookApp.expose_app_in_browser=True") as url:
        yield url


@contextmanager
def _jupyter(home: Path, work: Path, first: str, module: str, *options: str) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable, "-m", module, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        "--ServerApp.password=", f"--ServerApp.root_dir={work}", *options,
    ]  # fmt: skip
    with serving(command, f"http://127.0.0.1:{port}/{first}", home):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def voila(home: Path, notebook: Path) -> Iterator[str]:
    """Serve one notebook by Voilà; its URL."""
    port = free_port()
    command = [
        sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1",
    ]  # fmt: skip
    with serving(command, f"http://127.0.0.1:{port}/", home) as url:
        yield url


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


class Notebook:
    """A notebook open in JupyterLab, in a page of the browser, and the panel in it."""

    def __init__(self, page: Any, url: str, path: str, folder: Path, lang: Language = "en") -> None:
        self.page, self.file, self.words = page, folder / path, words(lang)
        self.troubles: list[str] = []
        self.asked: list[str] = []
        self.frames: list[int] = []  # bytes of each message over a websocket, either way
        page.on("websocket", self._count)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.asked.append(request.url))
        page.set_default_timeout(PATIENCE)
        page.goto(self.address(url, path))
        # Before the kernel is idle, a run is lost without a word.
        self.idle()
        self.desk, self.phone = page.locator(".wxcs-desk"), page.locator(".wxcs-phone")

    def address(self, url: str, path: str) -> str:
        # A workspace of its own, because otherwise Lab opens the previous page's tabs, one of them in front of ours.
        return f"{url}/lab/workspaces/{Path(path).stem}/tree/{path}"

    def _count(self, socket: Any) -> None:
        socket.on("framereceived", lambda data: self.frames.append(len(data)))
        socket.on("framesent", lambda data: self.frames.append(len(data)))

    def _dialog(self, dialog: Any) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def idle(self) -> None:
        self.page.locator("#jp-main-statusbar").get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    def run(self) -> None:
        """Run all cells, and wait for the desk."""
        self.command("notebook:run-all-cells")
        self.desk.wait_for()

    def command(self, name: str) -> None:
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)

    def save(self) -> str:
        """Save, and return what is in the file."""
        before = self.file.stat().st_mtime_ns
        self.command("docmanager:save")
        until = time.monotonic() + 20
        while time.monotonic() < until and self.file.stat().st_mtime_ns == before:
            time.sleep(0.1)
        assert self.file.stat().st_mtime_ns != before
        time.sleep(0.5)
        return self.file.read_text("utf-8")

    def python(self, code: str) -> None:
        """Run code in the kernel, without adding it to the notebook."""
        self.page.evaluate(_RUN, code)
        self.idle()

    def shutdown(self) -> None:
        self.page.evaluate(_SHUTDOWN)
        self.page.close()

    # --- by mouse

    def press(self, half: Any, key: str) -> None:
        half.get_by_role("button", name=self.words[key], exact=True).click()

    def field(self, key: str) -> Any:
        return self.desk.get_by_label(self.words[key], exact=True).locator("visible=true")

    def choose(self, key: str, value: str) -> None:
        """Choose what the desk sends (`kind`) or how it shows that before (`look`)."""
        self.option(key, value).click()

    def option(self, key: str, value: str) -> Any:
        return self.desk.get_by_role("radio", name=self.words[f"{key}_{value}"], exact=True)

    def opens(self, touser: str) -> None:
        """Open the conversation with a customer by its row, and wait until it is shown."""
        # A row has joiners where it must not break.
        from playwright.sync_api import TimeoutError as Late

        heading = self.desk.get_by_role("heading", name=touser, exact=True)
        for _ in range(5):  # rows move while others write, perhaps between the look and the click
            self.desk.locator(".wxcs-list option").nth(self.page.evaluate(_ROW, touser)).click()
            with suppress(Late):
                heading.wait_for(timeout=5000)
                return
        heading.wait_for()

    def says(self, text: str) -> None:
        """Let the customer write, and wait for the bubble."""
        self.phone.get_by_label(self.words["write"], exact=True).fill(text)
        self.press(self.phone, "write_send")
        self.phone.locator(".wxcs-mine .wxcs-text").filter(has_text=text).last.wait_for()

    def picks(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.desk.locator(".widget-upload").locator("visible=true").click()
        chooser.value.set_files(str(path))
        self.desk.get_by_text(path.name).wait_for()

    def theme(self, name: str) -> None:
        self.page.evaluate(_THEME, f"JupyterLab {name}")
        self.page.wait_for_timeout(500)

    def value(self, code: str) -> Any:
        """Return what an expression is in the kernel."""
        told = self.file.with_suffix(".json")
        self.python(f"import json, pathlib\npathlib.Path({str(told)!r}).write_text(json.dumps({code}))")
        return json.loads(told.read_text())

    def sends(self, selector: str) -> None:
        """Press Send and wait for one more of such bubbles on the phone."""
        bubbles = self.phone.locator(f".wxcs-row:not(.wxcs-mine) {selector}")
        before = bubbles.count()
        self.press(self.desk, "send")
        bubbles.nth(before).wait_for()
        self.page.wait_for_timeout(400)  # as one reads it: the panel passes over a click within a quarter of a second


class Notebook7(Notebook):
    """A notebook open in Jupyter Notebook 7, which has no status bar."""

    def address(self, url: str, path: str) -> str:
        return f"{url}/notebooks/{path}"

    def idle(self) -> None:
        self.page.wait_for_function(_IS_IDLE)


_IS_IDLE = (
    """() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'"""
)
_RUN = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  await kernel.requestExecute({code, store_history: false}).done;
}"""
_ROW = """touser => [...document.querySelectorAll('.wxcs-list option')].findIndex(
  row => row.textContent.replaceAll('\\u2060', '').includes(touser))"""
_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
_SHUTDOWN = "async () => await window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()"
