"""The recipes with Flask and FastAPI: real servers, to which the sandbox pushes as WeChat does, in secure mode."""

import http.client
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


def post(at: str, query: str, body: bytes) -> int:
    connection = http.client.HTTPConnection(at.removeprefix("http://"), timeout=30)
    try:
        connection.request("POST", f"/push?{query}", body)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


def test_a_customer_is_answered_once_and_handed_over(server: str) -> None:
    """WeChat's check of the URL, a text, the same push again, the hand-over; nobody's openid is printed."""
    sandbox = Sandbox()
    ann = sandbox.user("ann-of-the-sandbox")
    with running(server, sandbox) as (at, printed):
        pushes = sandbox.push_to(f"{at}/push", token=PUSH_TOKEN, aes_key=AES_KEY)
        ann.says("hello")
        until(lambda: ann.inbox)
        assert "hello" in ann.inbox[0].message["text"]["content"]
        same = pushes.log[0].request
        assert 200 == post(at, urlencode(same.query), same.body)
        ann.says("human")
        assert ann.has_agent
        assert [200, 200] == [pushed.status for pushed in pushes.log]
    assert 1 == len(ann.inbox)  # the server has ended, and with it what it did after its answers
    if server != "flask":  # its own server is for trying it, and prints each line
        assert "ann-of-the-sandbox" not in "".join(printed)


def test_what_is_not_wechats_is_refused(server: str) -> None:
    """No signature, another account's key, a body without end; the server serves on."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    with running(server, sandbox) as (at, _):
        assert [403, 403] == [post(at, *secure({})), post(at, "nonce=1", b"{}")]
        assert 413 == post(at, "nonce=1", bytes(2 * 2**20))
        sandbox.push_to(f"{at}/push", token=PUSH_TOKEN, aes_key=AES_KEY)
        ann.says("human")
    assert ann.has_agent


@pytest.mark.parametrize("recipe", ["flask_bot", "fastapi_bot"])
def test_without_its_environment_it_says_what_is_missing(recipe: str) -> None:
    """By name, in both languages."""
    done = run(recipe, "-c", f"import {recipe}; {recipe}.create_app()", WXCS_APPID="wx1", WXCS_AES_KEY="x")
    assert 1 == done.returncode
    assert done.stderr.startswith("Set these in the environment, as README says: WXCS_SECRET, WXCS_PUSH_TOKEN\n请")
