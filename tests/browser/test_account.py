"""A desk in JupyterLab and a WeChat in another process: two loopback ports between them, as with an account."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.stage import Notebook
from tests.test_panel_inbound import APPID, KEY, SECRET, TOKEN, Served, free_port

_CELL = """\
from wxcs_lite import fresh_token, open_pool
from wxcs_lite.panel import Desk, listen

pool = open_pool("http://127.0.0.1:{port}")
desk = Desk(pool, fresh_token(pool, "{appid}", "{secret}"))
listener = listen(desk, port={push_port}, token="{token}", aes_key="{key}", appid="{appid}")
desk
"""


@pytest.fixture
def ports() -> tuple[int, int]:
    """The port of the sandbox, and the one that it pushes to."""
    return free_port(), free_port()


@pytest.fixture
def served(ports: tuple[int, int]) -> Iterator[Served]:
    """The sandbox of the command line, in a process of its own."""
    made = Served(ports[0], f"http://127.0.0.1:{ports[1]}/")
    yield made
    made.stop()


@pytest.fixture
def notebook(ports: tuple[int, int], tmp_path: Path) -> Path:
    """A notebook whose one cell opens a desk on that account."""
    code = _CELL.format(port=ports[0], push_port=ports[1], appid=APPID, secret=SECRET, token=TOKEN, key=KEY)
    path = tmp_path / "account.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    cell: dict[str, object] = {"cell_type": "code", "id": "desk", "source": code, "metadata": {}}
    cell |= {"outputs": [], "execution_count": None}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


def until(happens: Callable[[], object]) -> None:
    began = time.monotonic()
    while not happens():
        assert time.monotonic() < began + 60
        time.sleep(0.05)


def test_a_push_is_shown_and_its_answer_is_seen_there(
    opened: Callable[..., Notebook], served: Served, notebook: Path, shots: Path
) -> None:
    """What is typed there is shown here, with no cell run again; what is sent here is printed there."""
    nb = opened(copy=notebook)
    nb.desk.get_by_text(nb.words["first_connected"].split("{")[0]).wait_for()
    until(lambda: served.has_said("Pushes go to"))
    served.types("ann: Hello! Has my order left yet?")
    nb.desk.get_by_role("heading", name="ann", exact=True).wait_for()
    nb.desk.locator(".wxcs-in").get_by_text("Hello! Has my order left yet?", exact=True).wait_for()
    nb.field("content").fill("您好！已经在路上。")
    nb.press(nb.desk, "send")
    until(lambda: served.has_said("-> ann: 您好！已经在路上。"))
    nb.desk.locator(".wxcs-out .wxcs-ok").wait_for()
    served.types("bob: And mine?")
    nb.opens("bob")
    nb.field("content").fill("On its way, too.")
    nb.field("content").press("Enter")
    until(lambda: served.has_said("-> bob: On its way, too."))
    nb.desk.screenshot(path=str(shots / "account.png"))
    assert [] == nb.troubles
