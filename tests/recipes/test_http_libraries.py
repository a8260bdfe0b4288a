"""The recipes with requests, httpx and aiohttp: the real library, the served sandbox, and what each must not do."""

import asyncio
import io
import logging
import re
import runpy
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from tests.hostile import Server, cut_after_request, once, reply
from tests.recipes.stage import RECIPES, account, command_in, run
from wxcs_lite import Request, TransportError, endpoints, image, replies
from wxcs_lite.sandbox import Sandbox, sunset

NAMES = ["with_requests", "with_httpx", "with_aiohttp"]
TOKEN = "80_made-up+/=&%25 é" + "x" * 40
PUT_IN_URL = "80_made-up%2B%2F%3D%26%2525%20%C3%A9" + "x" * 40

Perform = Callable[[Request], Any]


@pytest.fixture(params=NAMES)
def perform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Perform]:
    """Return a function that makes the recipe's `perform` for a server's URL."""

    def at(url: str) -> Perform:
        monkeypatch.setenv("WXCS_BASE_URL", url)
        names = runpy.run_path(str(RECIPES / request.param / f"{request.param}.py"))
        return lambda asked: {"with_requests": _blocking, "with_httpx": _httpx, "with_aiohttp": _aiohttp}[
            request.param
        ](names["perform"], asked)

    return at


def _blocking(perform: Callable[..., Any], asked: Request) -> Any:
    import requests

    with requests.Session() as http:
        return perform(http, TOKEN, asked)


def _httpx(perform: Callable[..., Any], asked: Request) -> Any:
    import httpx

    async def all_of_it() -> Any:
        async with httpx.AsyncClient(timeout=20) as http:
            return await perform(http, TOKEN, asked)

    return asyncio.run(all_of_it())


def _aiohttp(perform: Callable[..., Any], asked: Request) -> Any:
    import aiohttp

    async def all_of_it() -> Any:
        async with aiohttp.ClientSession() as http:
            return await perform(http, TOKEN, asked)

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("name", NAMES)
def test_the_program_runs_as_its_readme_says(name: str) -> None:
    """Typing, upload, download, a picture and a text; and what it prints holds no token."""
    sandbox = Sandbox()
    sandbox.user("ann").says("hello?")
    asked: list[str] = []
    *given, python, program = command_in(name, "WXCS_APPID=")
    variables = dict(pair.split("=", 1) for pair in given)
    assert "python" == python
    with sandbox.serve(on_request=lambda seen: asked.append(seen.path)) as url:
        assert variables == {key: account(sandbox, "http://127.0.0.1:8080")[key] for key in variables}
        done = run(name, "-W", "error", program, **variables | {"WXCS_BASE_URL": url})
    assert (0, "") == (done.returncode, done.stderr)
    assert ["image", "text"] == [shown.message["msgtype"] for shown in sandbox.user("ann").inbox]
    assert sunset() == sandbox.user("ann").inbox[0].picture
    assert {"stable_token", "send", "typing", "upload", "get"} == {path.rpartition("/")[2] for path in asked}
    assert "errcode" in done.stdout
    assert None is re.search(r"\w{80}", done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_without_its_environment_it_says_what_is_missing(name: str) -> None:
    """By name, in both languages."""
    done = run(name, f"{name}.py", WXCS_APPID="wx1")
    assert 1 == done.returncode
    assert done.stderr.startswith("Set these in the environment, as README says: WXCS_SECRET, WXCS_OPENID\n请")


def test_what_leaves_is_what_was_described(perform: Callable[[str], Perform], caplog: pytest.LogCaptureFixture) -> None:
    """Three megabytes with their Content-Length and boundary, and the token as `url` writes it; no log has it."""
    caplog.set_level(logging.DEBUG)
    asked = endpoints.upload(io.BytesIO(b"\xff\xd8\xff" + bytes(3_000_000)), filename="a.jpg")
    with Server(once(reply(b'{"media_id":"M","created_at":1}'))) as server:
        answer = perform(f"{server.url}/wx")(asked)
    assert "M" == replies.read_uploaded(*answer).media_id
    assert asked.body is not None
    assert bytes(asked.body) == server.last.body
    assert f"/wx/cgi-bin/media/upload?access_token={PUT_IN_URL}&type=image" == server.last.target
    sent = {name.lower(): value for name, value in server.last.headers.items()}
    assert str(len(asked.body)) == sent["content-length"]
    assert asked.content_type == sent["content-type"]
    assert "transfer-encoding" not in sent
    assert "made-up" not in caplog.text


def test_a_redirect_is_not_followed(perform: Callable[[str], Perform]) -> None:
    """The token would go with it."""
    with (
        Server(once(reply())) as elsewhere,
        Server(once(reply(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}/x"))) as server,
    ):
        status, _, _ = perform(server.url)(endpoints.get_callback_ip())
    assert 307 == status
    assert [] == elsewhere.heard


def test_a_failure_holds_no_token(perform: Callable[[str], Perform], caplog: pytest.LogCaptureFixture) -> None:
    """Neither in its text and its chain, nor in a log at any level; and it says that the message may have arrived."""
    caplog.set_level(logging.DEBUG)
    with Server(cut_after_request) as server, pytest.raises(TransportError, match=r"no reply: [A-Z]") as caught:
        perform(server.url)(endpoints.send(image("ann", "M")))
    assert caught.value.maybe_sent
    assert None is caught.value.__context__
    assert "made-up" not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert [*server.heard] == [server.last]  # once, and no second time


def test_a_host_that_is_not_there_got_nothing(perform: Callable[[str], Perform]) -> None:
    """Where the library says so for certain, a second try is safe; requests does not."""
    with Server() as server:
        url = server.url
    with pytest.raises(TransportError) as caught:
        perform(url)(endpoints.get_callback_ip())
    assert ("requests" in str(caught.value)) == caught.value.maybe_sent
