"""Nothing leaves the machine; what users get for their own tests, ours use too."""

import gc
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import early
from tests.cases import Desk
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.testing import scrubbed_vcr_config
from wxcs_lite.testing.settings import recording

pytest_plugins = ["pytester", "wxcs_lite.testing"]

ROOT = Path(__file__).parents[1]
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a script's background, and tests send Ctrl-C to programs
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("any machine", deadline=None)  # a slow moment of the machine is not a failure
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


@pytest.fixture
def desk(
    request: pytest.FixtureRequest, wxcs_sandbox: Sandbox, wxcs_pool: Pool, wxcs_token: Callable[..., str]
) -> Desk:
    """A customer has written to the sandbox, or to the account of the environment if the case is recorded."""
    found = {"APPID": wxcs_sandbox.appid, "SECRET": wxcs_sandbox.secret, "OPENID": "oSANDBOX_customer_0001"}
    if recording(request) not in (None, "none"):
        found = {name: os.environ.get(f"WXCS_{name}", value) for name, value in found.items()}
    wxcs_sandbox.user(found["OPENID"]).says("在吗？")
    return Desk(wxcs_pool, wxcs_token(), found["OPENID"], found["APPID"], found["SECRET"])


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """cassettes/<test module>"""
    return str(ROOT / "cassettes" / request.path.stem)


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """The case's name alone, so that a cassette can be found by it."""
    return str(request.node.callspec.id if hasattr(request.node, "callspec") else request.node.name)


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    return scrubbed_vcr_config()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers for a core: while one waits for a server that is silent on purpose, the other goes on."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """With several workers (`-n auto`) a module stays with one of them, and those that wait longest come first."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules whose programs begin early come last, so that other tests run meanwhile; with several workers first."""
    items.sort(key=lambda item: (_begins_early(item) is not None) ^ _IS_WORKER)


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    gc.collect()
    gc.freeze()  # otherwise each full collection would visit five thousand tests and their modules
    if not _IS_WORKER:
        for item in session.items:
            _begin_early(item)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The worker that has a module's tests begins the programs that they wait for, so that no core is idle."""
    _begin_early(item)


_begun = set[object]()


def _begin_early(item: pytest.Item) -> None:
    begin_early = _begins_early(item)
    if begin_early is not None and begin_early not in _begun:
        _begun.add(begin_early)
        begin_early([each for each in item.session.items if _begins_early(each) is begin_early])


def pytest_unconfigure() -> None:
    early.stop_all()


def _begins_early(item: pytest.Item) -> Callable[[list[pytest.Item]], None] | None:
    return getattr(getattr(item, "module", None), "begin_early", None)
