"""The hooks: the marker is known and checked, VCR's configuration too, and after a recording the cassette is searched."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from wxcs_lite.testing.cassettes import is_scrubbed, replaced_secrets, require_scrubbed
from wxcs_lite.testing.known import forget, known_secrets
from wxcs_lite.testing.scrubbing import occurs
from wxcs_lite.testing.settings import merged_config, switches

__all__ = [
    "pytest_configure", "pytest_fixture_setup", "pytest_runtest_call", "pytest_runtest_setup",
    "pytest_runtest_teardown",
]  # fmt: skip

# A token is some 136 characters in one piece; a media_id has 64.
_TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_-]{80,}")
_WORDS = {
    "TOKEN": "an access_token", "SECRET": "an AppSecret", "APPID": "an appid", "OPENID": "an openid",
    "AES_KEY": "an EncodingAESKey", "PUSH_TOKEN": "the Token of pushes",
}  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "wxcs(refill_on_entry=True, …): switches for the sandbox of wxcs_sandbox.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong switch, and a recording without pytest-recording, before anything is done."""
    forget()
    switches(item)
    if item.get_closest_marker("vcr") and not item.config.pluginmanager.hasplugin("recording"):
        raise pytest.UsageError(
            "a test marked vcr needs pytest-recording: pip install 'pytest-recording>=0.14.1' 'vcrpy>=9.4'\n"
            "标记为 vcr 的测试需要 pytest-recording：pip install 'pytest-recording>=0.14.1' 'vcrpy>=9.4'"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Look at VCR's configuration before a cassette is opened."""
    if fixturedef.argname == "vcr" and request.node.get_closest_marker("vcr"):
        config = merged_config(request)
        if is_scrubbed(config) or {"wxcs_pool", "wxcs_token"} & set(request.fixturenames):
            require_scrubbed(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Save what a test has recorded, so that a secret in it fails this test."""
    result = yield
    cassette = _cassette(item)
    if cassette is not None and cassette.dirty:
        cassette._save()
        _search(item, cassette)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Search again if more was saved since: after a failure, or by a fixture."""
    cassette = _cassette(item)
    before = cassette and _stamp(cassette)
    result = yield
    if cassette is not None and _stamp(cassette) != before:
        _search(item, cassette)
    return result


def _cassette(item: pytest.Item) -> Any:
    found = getattr(item, "funcargs", {}).get("vcr")
    return found if hasattr(found, "dirty") else None


def _stamp(cassette: Any) -> object:
    path = Path(cassette._path)
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def _search(item: pytest.Item, cassette: Any) -> None:
    """Remove a cassette with a secret in it, and fail."""
    path = Path(cassette._path)
    found = sorted({where for where, text in _texts(cassette, path) for where in _secrets(where, text)})
    if found:
        path.unlink()
        pytest.fail(
            f"{path.name} was removed, because it held {'; '.join(found)}\n"
            f"已删除 {path.name}，其中含有密钥：{'; '.join(found)}",
            pytrace=False,
        )


def _texts(cassette: Any, path: Path) -> Iterator[tuple[str, str]]:
    for number, (request, response) in enumerate(zip(cassette.requests, cassette.responses, strict=True), 1):
        yield f"the URL of request {number}", request.uri
        yield f"the headers of request {number}", repr(dict(request.headers))
        yield f"the body of request {number}", _text(request.body)
        yield f"the headers of reply {number}", repr(response["headers"])
        yield f"the body of reply {number}", _text(response["body"]["string"])
    yield "the file", path.read_text("utf-8")


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def _secrets(where: str, text: str) -> Iterator[str]:
    """Say what is secret in a text, never the secret itself."""
    for value, kind in {**replaced_secrets(), **known_secrets()}.items():
        pattern = occurs(value, kind)
        if pattern is not None and pattern.search(text):
            yield f"{_WORDS[kind]} in {where}"
    if _TOKEN_SHAPE.search(text):
        yield f"what has the shape of an access_token in {where}"
