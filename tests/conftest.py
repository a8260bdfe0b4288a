"""Nothing leaves the machine, and what is recorded holds no secret."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from vcr.request import Request as VcrRequest

from tests import early
from tests.cases import Account, live_account

ROOT = Path(__file__).parents[1]
LOOPBACK = ("127.0.0.1", "::1", "localhost")

settings.register_profile("any machine", deadline=None)  # a slow moment of the machine is no failure
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch, record_mode: str) -> None:
    """Refuse name look-ups, too: --block-network stops connections only."""
    if record_mode != "none":
        return
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is None or host in LOOPBACK:
            return real(host, *args, **kwargs)
        raise RuntimeError(f"a test looked up {host!r}: only loopback is open")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Who the cassettes speak as: placeholders at replay, an account (or the served sandbox) while recording."""
    recording = request.config.getoption("--record-mode") not in (None, "none")
    with live_account() if recording else Account.placeholders() as found:
        yield found


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """cassettes/<test module>"""
    return str(ROOT / "cassettes" / request.path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The case's name alone, so that a cassette can be found by it."""
    return str(request.node.callspec.id if hasattr(request.node, "callspec") else request.node.name)


@pytest.fixture(scope="module")
def vcr_config(account: Account) -> dict[str, Any]:
    return {
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        "filter_query_parameters": [("access_token", "TOKEN")],
        "filter_headers": ["User-Agent"],
        "before_record_request": _scrub_request(account),
        "before_record_response": _scrub_response(account),
    }


def _scrub_request(account: Account) -> Callable[[VcrRequest], VcrRequest]:
    """Return a hook for recording and for matching alike: the official host, one boundary, no secrets."""

    def scrub(request: VcrRequest) -> VcrRequest:
        body = request.body or b""
        if not isinstance(body, bytes):
            body = b"".join(body)
        headers = dict(request.headers)
        boundary = re.search(r"boundary=(.+)", str(headers.get("Content-Type", "")))
        if boundary:
            body = body.replace(boundary[1].encode(), b"BOUNDARY")
            headers["Content-Type"] = "multipart/form-data; boundary=BOUNDARY"
        uri = re.sub(r"^http://127\.0\.0\.1:\d+", "https://api.weixin.qq.com", request.uri)
        return VcrRequest(request.method, uri, account.without_secrets(body) or None, headers)

    return scrub


def _scrub_response(account: Account) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def scrub(response: dict[str, Any]) -> dict[str, Any]:
        body = account.without_secrets(response["body"]["string"])
        # Whatever token a reply brings, not only the one that we know of.
        body = re.sub(rb'"access_token": ?"[^"]+"', b'"access_token":"TOKEN"', body)
        headers = {name: value for name, value in response["headers"].items() if name.lower() != "set-cookie"}
        if "Content-Length" in headers:
            headers["Content-Length"] = [str(len(body))]
        return {**response, "headers": headers, "body": {"string": body}}

    return scrub


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a module begins early runs beside the other tests, so its own come last."""
    items.sort(key=lambda item: _begins_early(item) is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    for begin_early in dict.fromkeys(map(_begins_early, session.items)):
        if begin_early is not None:
            begin_early([item for item in session.items if _begins_early(item) is begin_early])


def pytest_unconfigure() -> None:
    early.stop_all()


def _begins_early(item: pytest.Item) -> Callable[[list[pytest.Item]], None] | None:
    return getattr(getattr(item, "module", None), "begin_early", None)
