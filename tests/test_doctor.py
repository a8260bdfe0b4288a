"""The doctor as a whole: ten kinds of trouble and none, each line in both languages, and what a script gets."""

import io
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.utils import formatdate
from typing import Any

import pytest

from tests.doctor_cases import AES_KEY, PUSH_TOKEN, nothing_set
from tests.hostile import Server, answers, bare, certificate, once, reply, stall
from tests.test_doctor_push import echoing, serving
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.doctor import push, run
from wxcs_lite.terminal.doctor.examination import CHECKS, examine
from wxcs_lite.terminal.doctor.findings import Case, Check, Finding, ok, wrong
from wxcs_lite.terminal.environment import address

__all__ = ["nothing_set"]

STABLE_TOKEN = "/cgi-bin/stable_token"
GET_IPS = "/cgi-bin/getcallbackip"
SEND = "/cgi-bin/message/custom/send"
SECRET = "sandbox-secret-of-no-real-account"
OTHER_SECRET = "made-up-secret-of-nobody"

Trouble = Callable[[pytest.MonkeyPatch], AbstractContextManager[dict[str, Any]]]


def credentials(patch: pytest.MonkeyPatch, secret: str = SECRET) -> None:
    for name, value in (("APPID", "wxsandbox000000001"), ("SECRET", secret), ("PUSH_TOKEN", PUSH_TOKEN)):
        patch.setenv(f"WXCS_{name}", value)
    patch.setenv("WXCS_AES_KEY", AES_KEY)


@contextmanager
def in_sandbox(patch: pytest.MonkeyPatch, **mishap: Any) -> Iterator[dict[str, Any]]:
    credentials(patch)
    sandbox = Sandbox(clock=time.time)
    if mishap:
        sandbox.fail_next(**mishap)
    with sandbox.serve() as url:
        yield {"base": url}


def refused(errcode: int, errmsg: str | None = None) -> Trouble:
    return lambda patch: in_sandbox(patch, errcode=errcode, errmsg=errmsg, path=STABLE_TOKEN)


@contextmanager
def wrong_secret(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    with in_sandbox(patch) as given:
        credentials(patch, OTHER_SECRET)
        yield given


@contextmanager
def empty_quota(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    credentials(patch)
    sandbox = Sandbox(clock=time.time)
    spent = b'{"errcode":0,"quota":{"daily_limit":500000,"used":500000,"remain":0}}'
    sandbox.fail_next(reply=(200, {}, spent), path="/cgi-bin/openapi/quota/get")
    with sandbox.serve() as url:
        yield {"base": url}


def hour_off(patch: pytest.MonkeyPatch) -> AbstractContextManager[dict[str, Any]]:
    date = formatdate(time.time() + 3630, usegmt=True)
    answered = (200, {"Date": date}, b'{"errcode":41001,"errmsg":"access_token missing"}')
    return in_sandbox(patch, reply=answered, path=GET_IPS)


@contextmanager
def no_network(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    credentials(patch)
    patch.setattr(socket, "getaddrinfo", look_up)
    yield {"base": None}


@contextmanager
def proxy_with_login(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    credentials(patch)
    with Server(once(bare("HTTP/1.1 407 Proxy Authentication Required", "Content-Length: 0"))) as proxy:
        yield {"base": None, "proxy": proxy.url}


@contextmanager
def interceptor(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    credentials(patch)
    with Server(stall, tls=True) as server:
        yield {"base": server.url}


@contextmanager
def late_push(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    patch.setattr(push, "_TIME", 0.2)
    with in_sandbox(patch) as given, Server(stall) as server:
        yield {**given, "push_url": server.url}


@contextmanager
def quoted_push(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    with in_sandbox(patch) as given, Server(answers(echoing(b'"', b'"'))) as server:
        yield {**given, "push_url": server.url}


# The trouble, the check that finds it, and a word of each language that its line has.
TROUBLES: dict[str, tuple[Trouble, str, str, str]] = {
    "a wrong secret": (wrong_secret, "account", "40125 invalid appsecret", "40125 AppSecret 无效"),
    "an address that is not on the whitelist": (
        refused(40164, "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"),
        "whitelist",
        "The address to add: 1.2.3.4",
        "要添加的地址：1.2.3.4",
    ),
    "a frozen account": (refused(50007), "account", "50007", "50007 账号已冻结"),
    "an empty quota": (empty_quota, "quota", "0 of 500,000 messages are left", "还能发 0 条"),
    "a clock an hour off": (hour_off, "clock", "60 min behind WeChat: set the clock", "慢 60 分钟"),
    "no network": (no_network, "name", "api.weixin.qq.com has no address", "查不到 api.weixin.qq.com"),
    "a proxy that wants a login": (proxy_with_login, "tls", "the proxy requires a login", "代理要求登录"),
    "an interceptor": (interceptor, "tls", "it was issued by throw-away", "签发者是 throw-away"),
    "a push URL that answers late": (late_push, "push_check", "no answer within", "没有应答"),
    "a push URL that answers with quotes": (quoted_push, "push_check", "in quotes", "引号"),
}


def screen(
    trouble: Trouble, patch: pytest.MonkeyPatch, lang: Language = "en", as_json: bool = False
) -> tuple[int, str]:
    """Return exit status and screen of the doctor in such a trouble."""
    out = io.StringIO()
    with trouble(patch) as given:
        where = address(given["base"], given.get("proxy"))
        status = run(where, push_url=given.get("push_url"), lang=lang, as_json=as_json, out=out)
    return status, out.getvalue()


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_is_found_and_nothing_else_is_called_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thing is wrong, in one line, and the status says so; what depends on it is skipped."""
    trouble, check, en, zh = TROUBLES[name]
    status, printed = screen(trouble, monkeypatch, as_json=True)
    findings = {one["check"]: one for one in json.loads(printed)["checks"]}
    assert 1 == status
    assert [check] == [name for name, one in findings.items() if one["state"] == "wrong"]
    assert en in findings[check]["en"]
    assert zh in findings[check]["zh"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", TROUBLES)
def test_its_screen_can_be_read(name: str, lang: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 80 columns, each line in one language, with no secret, and with what to do."""
    trouble, _, en, zh = TROUBLES[name]
    status, printed = screen(trouble, monkeypatch, lang)
    assert 1 == status
    for line in printed.splitlines():
        assert len(line) + sum(char >= "\u2e80" for char in line) <= 80, line
    assert ("有误" if lang == "zh" else "WRONG") in printed
    plain = re.sub(r"\s+", "", printed)
    assert re.sub(r"\s+", "", zh if lang == "zh" else en) in plain
    assert (lang == "zh") == (re.search("[\u4e00-\u9fff]", printed) is not None)
    for secret in (SECRET, PUSH_TOKEN, AES_KEY, OTHER_SECRET):
        assert secret not in printed


@pytest.mark.parametrize("lang", LANGUAGES)
def test_where_all_is_well_it_says_so(lang: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS-less loopback, in secure mode: status 0."""
    app = push_app(lambda push: None, token=PUSH_TOKEN, aes_key=AES_KEY, appid="wxsandbox000000001")
    out = io.StringIO()
    with in_sandbox(monkeypatch) as given, serving(app) as url:
        assert 0 == run(address(given["base"], None), push_url=url, lang=lang, out=out)
    last = "没有发现问题。" if lang == "zh" else "No problems."
    assert last == out.getvalue().splitlines()[-1]


def test_over_tls_and_through_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The first line says that there is one; its login is shown nowhere."""
    (tmp_path / "ca.pem").write_text(certificate().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def tunnel(peer: Any) -> None:
        peer.read()
        peer.send(bare("HTTP/1.1 200 Connection established"))
        peer.start_tls()
        answers(reply(b'{"errcode":41001,"errmsg":"access_token missing"}'))(peer)

    out = io.StringIO()
    with Server(tunnel) as proxy:
        monkeypatch.setenv("WXCS_PROXY", proxy.url.replace("//", "//user:made-up@"))
        for lang in LANGUAGES:
            assert 1 == run(address("https://localhost:9", None), lang=lang, out=out)
    printed = out.getvalue()
    assert "through a proxy" in printed
    assert "经代理" in printed
    assert "ok     Answer: the reply looks like WeChat's" in printed
    assert "made-up" not in printed


def test_no_message_is_sent_and_no_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes very few calls."""
    credentials(monkeypatch)
    called: list[str] = []
    with Sandbox(clock=time.time).serve(on_request=lambda seen: called.append(seen.path)) as url:
        assert 0 == run(address(url, None), out=io.StringIO())
    assert [GET_IPS, STABLE_TOKEN, "/cgi-bin/openapi/quota/get", "/cgi-bin/callback/check"] == called


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked."""
    out = io.StringIO()
    with Sandbox().serve() as url:
        assert 1 == run(address(url, None), out=out)
    assert "WRONG  Account: WXCS_APPID and WXCS_SECRET are not set" in out.getvalue()


def test_a_token_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried; appid and secret are not asked for."""
    sandbox = Sandbox(clock=time.time)
    with sandbox.serve() as url:
        monkeypatch.setenv("WXCS_TOKEN", "80_made-up")
        out = io.StringIO()
        assert 1 == run(address(url, None), out=out)
    assert "WRONG  Token: 40001" in out.getvalue()
    assert "80_made-up" not in out.getvalue()


@pytest.mark.parametrize(("lang", "words"), [("en", "url must look like"), ("zh", "url 应形如")])
def test_an_address_that_is_none_is_wrong_usage(lang: Language, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, one line, and it is not repeated: it may hold a login."""
    assert 2 == run(address("wx://user:made-up@host", None), lang=lang, out=io.StringIO())
    told = capsys.readouterr().err
    assert told.startswith(f"doctor: {words}")
    assert 1 == len(told.splitlines())
    assert "made-up" not in told


def test_two_troubles_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where to begin."""
    out = io.StringIO()
    with Sandbox().serve() as url:
        assert 1 == run(address(url, None), push_url="nowhere", out=out)
        assert 1 == run(address(url, None), push_url="nowhere", lang="zh", out=out)
    assert "2 problems: begin with the first." in out.getvalue()
    assert "有 2 处问题" in out.getvalue()


def test_who_needs_what_went_wrong_is_passed_over() -> None:
    """And so is a check that depends on that one, as long as it fails."""

    def never(case: Case) -> Finding:
        raise AssertionError("it needs what is wrong")

    checks = (
        Check("a", "A", "甲", (), lambda case: wrong("no", "否")),
        Check("b", "B", "乙", ("a",), never),
        Check("c", "C", "丙", ("b",), never),
        Check("d", "D", "丁", (), lambda case: ok("yes", "是")),
        Check("e", "E", "戊", (), lambda case: None),
    )
    case: Any = None
    found = {check.name: finding for check, finding in examine(case, checks)}
    assert {"a": "wrong", "b": "waiting", "c": "waiting", "d": "ok"} == {name: one.state for name, one in found.items()}
    assert found["b"].en.endswith("this is solved: A")
    assert found["b"].zh.endswith("甲")


def test_a_check_needs_only_earlier_ones() -> None:
    """The list is in its order, and no name is there twice."""
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))
    assert all(set(check.needs) <= set(names[:at]) for at, check in enumerate(CHECKS))
