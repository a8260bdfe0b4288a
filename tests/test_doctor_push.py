"""The doctor on the push URL: the URL check, an event, a forged one, and the time they take."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.doctor_cases import AES_KEY, PUSH_TOKEN, a_case, nothing_set
from tests.hostile import Heard, Server, answers, cut_after_request, reply, stall
from tests.stages import closed_port
from wxcs_lite.push import Push, push_app
from wxcs_lite.terminal.doctor import push
from wxcs_lite.terminal.doctor.findings import Case, Finding
from wxcs_lite.terminal.doctor.push import (
    check_push_address,
    check_push_echo,
    check_push_event,
    check_push_forged,
)

__all__ = ["nothing_set"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(application: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/wx"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def pushing(url: str | None, **given: Any) -> Iterator[Case]:
    settings = {"appid": "wx1", "push_token": PUSH_TOKEN, "aes_key": AES_KEY, **given}
    with a_case("http://127.0.0.1:9", push_url=url, **settings) as case:
        yield case


def found(check: Callable[[Case], Finding | None], url: str | None, **given: Any) -> Finding:
    with pushing(url, **given) as case:
        finding = check(case)
    assert finding is not None
    return finding


def echoing(before: bytes = b"", after: bytes = b"") -> Callable[[Heard], bytes]:
    """Return what answers a URL check with its echostr, and something around it."""
    return lambda heard: reply(before + dict(parse_qsl(heard.target.partition("?")[2]))["echostr"].encode() + after)


ALL = (check_push_address, check_push_echo, check_push_event, check_push_forged)


@pytest.mark.parametrize("check", ALL)
def test_without_a_url_there_is_nothing_to_say(check: Callable[[Case], Finding | None]) -> None:
    """A developer who only sends does not have one."""
    with pushing(None) as case:
        assert check(case) is None


# The address


@pytest.mark.parametrize(
    ("url", "state", "words"),
    [
        ("https://shop.example/wx", "ok", "can call"),
        ("http://shop.example:80/", "ok", "can call"),
        ("https://1.1.1.1/", "ok", "can call"),
        ("http://127.0.0.1/", "warn", "cannot reach"),
        ("http://localhost/", "warn", "cannot reach"),
        ("https://192.168.1.2/", "warn", "cannot reach"),
        ("https://shop.example:8443/", "warn", "port 443 only, not on 8443"),
        ("http://shop.example:8080/", "warn", "port 80 only"),
        ("shop.example/wx", "wrong", "must look like"),
        ("https://user:made-up@shop.example/", "wrong", "user name"),
        ("https://shop.example:port/", "wrong", "must look like"),
    ],
)
def test_an_address_that_wechat_calls(url: str, state: str, words: str) -> None:
    """http on 80 or https on 443, and not of this network; a login in it is not repeated."""
    finding = found(check_push_address, url)
    assert state == finding.state
    assert words in finding.en
    assert "made-up" not in str(finding)


def test_a_missing_token_is_named() -> None:
    """The push Token, which is not the access token."""
    finding = found(check_push_address, "https://shop.example/wx", push_token=None)
    assert "wrong" == finding.state
    assert finding.en.startswith("WXCS_PUSH_TOKEN is not set")


# A server as it should be


def test_push_app_passes() -> None:
    """All three, in secure mode; the event reaches the handler once, from nobody, and the forged one does not."""
    seen: list[Push] = []
    app = push_app(seen.append, token=PUSH_TOKEN, aes_key=AES_KEY, appid="wx1")
    with serving(app) as url, pushing(url) as case:
        states = [finding.state for check in ALL[1:] if (finding := check(case)) is not None]
    assert ["ok", "ok", "ok"] == states
    assert [("event", "wxcs_lite_doctor")] == [(one.MsgType, one.Event) for one in seen]


def test_a_plain_one_is_told_of_secure_mode() -> None:
    """The signature of a plain push does not cover its body."""
    app = push_app(lambda push: None, token=PUSH_TOKEN)
    with serving(app) as url:
        finding = found(check_push_event, url, aes_key=None)
        forged = found(check_push_forged, url, aes_key=None)
    assert "warn" == finding.state
    assert "secure mode" in finding.en
    assert "ok" == forged.state


# The URL check


@pytest.mark.parametrize(
    ("before", "after", "words", "zh"),
    [
        (b'"', b'"', "in quotes", "引号"),
        (b"", b"\n", "spaces or line breaks", "换行"),
        (b"\xef\xbb\xbf", b"", "a BOM", "BOM"),
        (b"<p>", b"</p>", "HTML", "HTML"),
    ],
)
def test_what_is_around_the_echostr(before: bytes, after: bytes, words: str, zh: str) -> None:
    """Frameworks add it; what it is, is said."""
    with Server(answers(echoing(before, after))) as server:
        finding = found(check_push_echo, server.url)
    assert "wrong" == finding.state
    assert words in finding.en
    assert zh in finding.zh


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("403 Forbidden", "Token in the console"),
        ("302 Found", "redirect"),
        ("500 Internal Server Error", "the server's log"),
        ("200 OK", "is not the echostr"),
    ],
)
@pytest.mark.parametrize("check", [check_push_echo, check_push_event])
def test_other_answers(status: str, words: str, check: Callable[[Case], Finding | None]) -> None:
    """A status is reported with its usual meaning."""
    with Server(answers(reply(b"hello", status))) as server:
        finding = found(check, server.url)
    assert "wrong" == finding.state
    assert (words if check is check_push_echo or status != "200 OK" else "not success") in finding.en


@pytest.mark.parametrize("check", [check_push_echo, check_push_event])
def test_a_late_answer(check: Callable[[Case], Finding | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """WeChat waits five seconds; here it is less, so that nobody waits."""
    monkeypatch.setattr(push, "_TIME", 0.2)
    with Server(stall) as server:
        finding = found(check, server.url)
    assert "wrong" == finding.state
    assert "no answer within 0.2 s, and WeChat waits no longer" in finding.en
    assert "请先应答" in finding.zh


def test_nobody_listens_and_a_cut() -> None:
    """No answer, and why."""
    with closed_port() as port:
        assert "nothing listens there" in found(check_push_echo, f"http://127.0.0.1:{port}").en
    with Server(cut_after_request) as server:
        assert "the connection was lost" in found(check_push_echo, server.url).en


def test_a_slow_answer_is_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took more than half of the time, by the clock here."""
    monkeypatch.setattr(push, "_SLOW", -1.0)
    with Server(answers(echoing())) as server:
        finding = found(check_push_echo, server.url)
    assert "warn" == finding.state
    assert "answer first" in finding.en


# Events


@pytest.mark.parametrize(
    ("body", "words"), [(b'"success"', "drop the quotes"), (b"ok", "2 bytes that are not success")]
)
def test_an_answer_that_customers_read(body: bytes, words: str) -> None:
    """WeChat tells them that the service is unavailable."""
    with Server(answers(reply(body))) as server:
        finding = found(check_push_event, server.url)
    assert "wrong" == finding.state
    assert words in finding.en


def test_secure_mode_needs_key_and_appid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed key is named; without an appid or without cryptography nothing can be encrypted."""
    with Server(answers(reply(b"success"))) as server:
        assert "WXCS_AES_KEY is not an EncodingAESKey" in found(check_push_event, server.url, aes_key="short").en
        assert "skipped" == found(check_push_event, server.url, appid=None).state
        monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.ciphers", None)
        finding = found(check_push_event, server.url)
        assert "skipped" == finding.state
        assert "pip install" in finding.en
        with pushing(server.url) as case:
            assert check_push_forged(case) is None
    assert [] == server.heard


def test_a_server_that_believes_everybody() -> None:
    """It says success to a wrong signature, too."""
    with Server(answers(reply(b"success"))) as server:
        finding = found(check_push_forged, server.url)
    assert "warn" == finding.state
    assert "checks the signature" in finding.en


def test_no_secret_is_in_what_is_found_or_asked() -> None:
    """Token and key are in no query, body, or finding."""
    with Server(answers(reply(b"success"))) as server, pushing(server.url) as case:
        told = repr([check(case) for check in ALL])
    for secret in (PUSH_TOKEN, AES_KEY):
        assert secret not in told
        assert secret not in repr(server.heard)
