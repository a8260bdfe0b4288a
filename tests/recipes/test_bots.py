"""The recipes with Flask and FastAPI: real servers, pushed to by the sandbox as by WeChat, in secure mode."""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.recipes.stage import AES_KEY, PUSH_TOKEN, account, command_in, run, served
from tests.test_push_app import secure
from wxcs_lite.sandbox import Sandbox

COMMANDS = {
    "flask": ("flask_bot", "flask --app"),
    "gunicorn": ("flask_bot", "gunicorn"),
    "uvicorn": ("fastapi_bot", "uvicorn"),
}
PORT = {"flask": ["--port", "0"], "gunicorn": ["-b", "127.0.0.1:0"], "uvicorn": ["--port", "0"]}


def until(happens: Callable[[], Any]) -> Any:
    """Wait for what a server does after its answer."""
    end = monotonic() + 30
    while not (found := happens()):
        assert monotonic() < end
        sleep(0.02)
    return found


@contextmanager
def running(server: str, sandbox: Sandbox) -> Iterator[tuple[str, list[str]]]:
    recipe, start = COMMANDS[server]
    words = command_in(recipe, start)
    assert "8080" in words[-1] + words[words.index("-b") + 1] if "-b" in words else words[-1]
    with sandbox.serve() as url, served(recipe, [*words, *PORT[server]], **account(sandbox, url)) as (at, printed):
        yield at, printed


@pytest.fixture(params=COMMANDS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_customer_is_answered_and_handed_over(server: str) -> None:
    """WeChat's check of the URL, a text, a push that comes again, the hand-over; nobody's openid is printed."""
    sandbox = Sandbox()
    ann = sandbox.user("ann-of-the-sandbox")
    with running(server, sandbox) as (at, printed):
        pushes = sandbox.push_to(f"{at}/push", token=PUSH_TOKEN, aes_key=AES_KEY)
        ann.says("hello")
        until(lambda: ann.inbox)
        assert "hello" in ann.inbox[0].message["text"]["content"]
        ann.says("human")
        assert ann.has_agent
        assert [200, 200] == [pushed.status for pushed in pushes.log]
    if server != "flask":  # its own server is for trying it, and prints each line
        assert "ann-of-the-sandbox" not in "".join(printed)
