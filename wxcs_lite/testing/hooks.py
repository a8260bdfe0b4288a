"""The hooks: they check marks and the configuration of VCR, and search recordings for secrets."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from wxcs_lite.testing.cassettes import forget_replaced, is_scrubbed, replaced_secrets, require_scrubbed
from wxcs_lite.testing.known import forget, known_secrets
from wxcs_lite.testing.scrubbing import Scrubber, occurs
from wxcs_lite.testing.settings import merged_config, switches

__all__ = [
    "pytest_configure", "pytest_fixture_setup", "pytest_runtest_call", "pytest_runtest_makereport",
    "pytest_runtest_setup", "pytest_runtest_teardown",
]  # fmt: skip

# A token is some 136 characters in one piece; a media_id has 64.
_TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_-]{80,}")
_WORDS = {
    "TOKEN": ("an access_token", " access_token"),
    "SECRET": ("an AppSecret", " AppSecret"),
    "APPID": ("an appid", " appid"),
    "OPENID": ("an openid", " openid"),
    "AES_KEY": ("an EncodingAESKey", "消息加解密密钥（EncodingAESKey）"),
    "PUSH_TOKEN": ("the Token of message push", "消息推送的 Token（令牌）"),
    "SHAPE": ("what looks like an access_token", "形似 access_token 的内容"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "wxcs(refill_on_entry=True, …): switches for the sandbox of wxcs_sandbox.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong switch, and a recording without pytest-recording, before anything is done."""
    __tracebackhide__ = True
    forget()
    forget_replaced()
    switches(item)
    if item.get_closest_marker("vcr") and not item.config.pluginmanager.hasplugin("recording"):
        raise pytest.UsageError(
            "a test marked vcr needs pytest-recording: pip install 'pytest-recording>=0.14.1' 'vcrpy>=9.4'\n"
            "标记为 vcr 的测试需要 pytest-recording：pip install 'pytest-recording>=0.14.1' 'vcrpy>=9.4'"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Check VCR's configuration before a cassette is opened."""
    __tracebackhide__ = True
    if fixturedef.argname == "vcr" and request.node.get_closest_marker("vcr"):
        config = merged_config(request)
        if is_scrubbed(config) or {"wxcs_pool", "wxcs_token"} & set(request.fixturenames):
            require_scrubbed(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Save what a test recorded, so that a secret in it fails this test."""
    result = yield
    cassette = _cassette(item)
    if cassette is not None and cassette.dirty:
        cassette._save()
        _search(cassette)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Search again if more was saved since: after a failure, or by a fixture."""
    cassette = _cassette(item)
    before = None if cassette is None else _stamp(cassette)
    result = yield
    if cassette is not None and _stamp(cassette) != before:
        _search(cassette)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Remove secrets from VCR's errors about requests that are not in the cassette, because reports are kept, too."""
    error = call.excinfo.value if call.excinfo else None
    if type(error).__module__ == "vcr.errors" and error is not None:
        scrubber = Scrubber(known_secrets)
        error.args = tuple(scrubber.text(str(arg)) for arg in error.args)


def _cassette(item: pytest.Item) -> Any:
    found = getattr(item, "funcargs", {}).get("vcr")
    return found if hasattr(found, "dirty") else None


def _stamp(cassette: Any) -> object:
    path = Path(cassette._path)
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def _search(cassette: Any) -> None:
    """Remove a cassette with a secret in it, and fail."""
    path = Path(cassette._path)
    text = path.read_text("utf-8")
    parts = list(zip(cassette.requests, cassette.responses, strict=True))
    found = [_Find(kind, number, side) for number, pair in enumerate(parts, 1) for side, kind in _secrets(*pair)]
    # Folded or encoded values were found above; this finds what is only in the file, such as a comment.
    found += [] if found else [_Find(kind, 0, "") for kind in _kinds(text)]
    if found:
        path.unlink()
        english, chinese = "; ".join(find.en for find in found), "；".join(find.zh for find in found)
        pytest.fail(
            f"{path.name} was removed because it contained {english}\n已删除 {path.name}，其中含有{chinese}",
            pytrace=False,
        )


class _Find(NamedTuple):
    """The kind of a secret that was found, and where; never the secret itself."""

    kind: str
    number: int
    side: str

    @property
    def en(self) -> str:
        return _WORDS[self.kind][0] + (f" in {self.side} {self.number}" if self.number else "")

    @property
    def zh(self) -> str:
        side = "请求" if self.side == "request" else "应答"
        return (f"第 {self.number} 个{side}里的" if self.number else "") + _WORDS[self.kind][1]


def _secrets(request: Any, response: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield side and kind of each secret in an exchange."""
    for text in (request.uri, repr(dict(request.headers)), _text(request.body)):
        yield from (("request", kind) for kind in _kinds(text))
    for text in (repr(response["headers"]), _text(response["body"]["string"])):
        yield from (("reply", kind) for kind in _kinds(text))


def _kinds(text: str) -> Iterator[str]:
    for value, kind in {**replaced_secrets(), **known_secrets()}.items():
        pattern = occurs(value, kind)
        if kind in _WORDS and pattern is not None and pattern.search(text):
            yield kind
    if _TOKEN_SHAPE.search(text):
        yield "SHAPE"


def _text(body: Any) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
