"""Hooks for VCR that keep secrets out of cassettes and make them match whatever values the next run uses."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from weakref import WeakSet

import pytest

from wxcs_lite.logs import redact_logs
from wxcs_lite.request import API
from wxcs_lite.testing.known import known_secrets
from wxcs_lite.testing.scrubbing import Scrubber

__all__ = ["forget_replaced", "is_scrubbed", "replaced_secrets", "require_scrubbed", "scrubbed_vcr_config"]

# Settings allowed beside our hooks: they cannot bring back what the hooks removed.
_ALLOWED = (
    "additional_matchers", "allow_playback_repeats", "allowed_hosts", "before_record_request", "before_record_response",
    "cassette_library_dir", "custom_patches", "drop_unused_requests", "filter_headers",
    "filter_nested_post_data_parameters", "filter_post_data_parameters", "filter_query_parameters",
    "func_path_generator", "ignore_hosts", "ignore_localhost", "inject_cassette", "match_on", "path_transformer",
    "record_mode", "record_on_exception", "serializer", "skip_patchers",
)  # fmt: skip
_OURS = ("before_record_request", "before_record_response", "decode_compressed_response")
_NEVER_KEPT = ("authorization", "cookie", "proxy-authorization", "set-cookie", "user-agent")
# A server on this machine that answers WeChat's calls is recorded as WeChat.
_STAND_IN = re.compile(r"^http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?=/(?:cgi-bin|customservice|sns|wxa)/)")

_Hook = Callable[[Any], Any]

# VCR logs requests before our hooks see them, and bodies that do not match.
redact_logs(("vcr.cassette", "vcr.matchers", "vcr.patch", "vcr.request", "vcr.stubs"))
redact_logs(("vcr.stubs.aiohttp_stubs", "vcr.stubs.httpx_stubs"))


def scrubbed_vcr_config(**more: Any) -> dict[str, Any]:
    """Return a configuration for VCR whose cassettes hold no token, secret, appid, openid, key or cookie.

    >>> sorted(scrubbed_vcr_config(record_mode="none"))
    ['before_record_request', 'before_record_response', 'decode_compressed_response', 'match_on', 'record_mode']

    Return it from the `vcr_config` fixture of pytest-recording, or write `vcr.VCR(**scrubbed_vcr_config())`. `more` are
    further settings of VCR; your own `before_record_request` and `before_record_response` run before ours. Each secret
    becomes a placeholder, numbered from 1 in each cassette, so a replay with other openids and a made-up token matches,
    and so does any multipart boundary. Replies of a sandbox on 127.0.0.1 are recorded as those of api.weixin.qq.com.
    Raises pytest.UsageError for a setting that could bring a secret back.
    """
    _refuse([name for name in more if name not in _ALLOWED])
    cassette = _Cassette()
    return {
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        **more,
        "decode_compressed_response": True,  # nothing can be found in compressed data
        "before_record_request": _Hooks(cassette.requests, more.get("before_record_request")),
        "before_record_response": _Hooks(cassette.replies, more.get("before_record_response")),
    }


def is_scrubbed(config: Mapping[str, Any]) -> bool:
    """Return whether any part of this configuration is ours."""
    return any(isinstance(config.get(name), _Hooks) for name in _OURS)


def require_scrubbed(config: Mapping[str, Any]) -> None:
    """Refuse a configuration of VCR, merged from fixture and marks, that would record secrets."""
    __tracebackhide__ = True
    lacks = [name for name in _OURS[:2] if not isinstance(config.get(name), _Hooks)]
    lacks += [name for name in _OURS[2:] if config.get(name) is not True]
    _refuse([name for name in config if name not in {*_ALLOWED, *_OURS}], lacks)


def replaced_secrets() -> dict[str, str]:
    """Return the secrets that the hooks have replaced in this test, and their kinds."""
    return {value: kind for scrubber in _scrubbers for value, kind in scrubber.values.items()}


def forget_replaced() -> None:
    """Forget them, because the next test has its own cassettes."""
    _scrubbers.clear()


def _refuse(sets: Collection[str], lacks: Collection[str] = ()) -> None:
    __tracebackhide__ = True
    if not sets and not lacks:
        return
    english = [f"it sets {', '.join(sorted(sets))}"] if sets else []
    english += [f"it lacks our {', '.join(lacks)}"] if lacks else []
    chinese = [f"设置了 {'、'.join(sorted(sets))}"] if sets else []
    chinese += [f"没有使用本库的 {'、'.join(lacks)}"] if lacks else []
    raise pytest.UsageError(
        f"this VCR configuration could record secrets: {'; '.join(english)}. "
        f"Return scrubbed_vcr_config(…), which accepts {', '.join(_ALLOWED)}\n"
        f"这样配置 VCR 可能录下密钥：{'；'.join(chinese)}。请返回 scrubbed_vcr_config(…)，它接受 {'、'.join(_ALLOWED)}"
    )


_scrubbers: WeakSet[Scrubber] = WeakSet()


class _Cassette:
    """The scrubber that a cassette's two hooks share; VCR asks for the request hook first when it opens one."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> Scrubber:
        self._scrubber = Scrubber(known_secrets)
        _scrubbers.add(self._scrubber)
        return self._scrubber

    def requests(self) -> _Hook:
        return _request_hook(self._begin())

    def replies(self) -> _Hook:
        return _reply_hook(self._scrubber)


class _Hooks:
    """The user's hooks, then ours, which is created for each cassette, when VCR iterates over this."""

    def __init__(self, make: Callable[[], _Hook], first: _Hook | list[_Hook] | None) -> None:
        self._make = make
        self._first = [] if first is None else [first] if callable(first) else list(first)

    def __iter__(self) -> Iterator[_Hook]:
        yield from self._first
        yield self._make()


def _request_hook(scrubber: Scrubber) -> _Hook:
    """Return a hook for recording and matching: the official host, one boundary, no secrets."""

    def scrub(request: Any) -> Any:
        body, headers = _bytes(request.body), {}
        for name, value in request.headers.items():
            value = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            boundary = re.search(r'(?i)^multipart/.*boundary="?([^";]+)', value)
            if boundary:
                body = body.replace(boundary[1].encode(), b"BOUNDARY")
                value = value.replace(boundary[1], "BOUNDARY")
            if name.lower() not in _NEVER_KEPT:
                headers[name] = scrubber.header(name, value)
        body = scrubber.body(body)
        uri = scrubber.url(_STAND_IN.sub(API, request.uri))
        headers = {name: _length(name, value, body) for name, value in headers.items()}
        return type(request)(request.method, uri, body or None, headers)

    return scrub


def _reply_hook(scrubber: Scrubber) -> _Hook:
    def scrub(response: dict[str, Any]) -> dict[str, Any]:
        body = scrubber.body(_bytes(response["body"]["string"]), given=True)
        headers = {
            name: [_length(name, scrubber.header(name, value, given=True), body) for value in values]
            for name, values in response["headers"].items()
            if name.lower() not in _NEVER_KEPT
        }
        return {**response, "headers": headers, "body": {**response["body"], "string": body}}

    return scrub


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if hasattr(body, "read"):
        return bytes(body.read())
    return b"" if body is None else b"".join(body)


def _length(name: str, value: str, body: bytes) -> str:
    return str(len(body)) if name.lower() == "content-length" else value
