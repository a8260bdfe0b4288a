"""The doctor on the way to WeChat: name, TLS, answer, clock, cloud hosting."""

import socket
import ssl
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.doctor_cases import a_case, nothing_set
from tests.hostile import Server, answers, bare, certificate, cut_at_once, once, reply, stall
from tests.stages import closed_port
from wxcs_lite.replies import Reply
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.doctor import network
from wxcs_lite.terminal.doctor.network import (
    check_answer,
    check_clock,
    check_cloud_hosting,
    check_name,
    check_tls,
)

__all__ = ["nothing_set"]

API_HTTP = "http://api.weixin.qq.com"
SEQID = {"x-openapi-seqid": "made-up"}


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(certificate().pem)
    return path


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses; an empty list means that it has no address."""

    def look_up(*_: object, **__: object) -> list[Any]:
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(2, 1, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


# The name


def test_a_name_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its addresses are shown, each once."""
    resolves(monkeypatch, "192.0.2.1", "192.0.2.1", "192.0.2.2")
    with a_case("https://api.weixin.qq.com") as case:
        found = check_name(case)
        assert ("ok", "api.weixin.qq.com is 192.0.2.1, 192.0.2.2") == found[:2]
        assert ("192.0.2.1", "192.0.2.2") == case.addresses


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network looks the same; both languages name the host."""
    resolves(monkeypatch)
    with a_case("https://api.weixin.qq.com") as case:
        found = check_name(case)
    assert "wrong" == found.state
    assert "api.weixin.qq.com has no address: no network" in found.en
    assert "api.weixin.qq.com" in found.zh


def test_a_name_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python refuses to look it up, with an error of another family."""

    def refuse(*_: object, **__: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with a_case(f"https://{'a' * 64}.example") as case:
        assert "wrong" == check_name(case).state


def test_an_address_needs_no_look_up() -> None:
    """Of IPv6, too."""
    for base in ("http://127.0.0.1:9", "http://[::1]:9"):
        with a_case(base) as case:
            found = check_name(case)
        assert "ok" == found.state
        assert "is an address" in found.en


def test_the_proxy_is_looked_up_in_place_of_the_host() -> None:
    """It is the proxy who knows the host."""
    with a_case("https://api.weixin.qq.com", "http://user:made-up@127.0.0.1:9") as case:
        found = check_name(case)
    assert "127.0.0.1 is an address" in found.en
    assert "made-up" not in f"{found} {case.where!r}"


# TLS


def test_plain_http_on_this_machine_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox speaks it."""
    with a_case("http://127.0.0.1:9") as case:
        check_name(case)
        assert "ok" == check_tls(case).state


def test_plain_http_beyond_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token can be read on the way; inside cloud hosting WeChat asks for http."""
    for base, address, state in (
        (API_HTTP, "192.0.2.1", "warn"),
        ("http://gateway.example", "10.0.0.1", "warn"),
        (API_HTTP, "169.254.1.1", "ok"),
        (API_HTTP + "/", "10.0.0.1", "ok"),
    ):
        resolves(monkeypatch, "1.2.3.4" if address == "192.0.2.1" else address)
        with a_case(base) as case:
            check_name(case)
            assert state == check_tls(case).state, (base, address)


def test_plain_http_to_who_knows_whom() -> None:
    """Without an address the host cannot be known to be this machine."""
    with a_case("http://gateway.example") as case:
        assert "warn" == check_tls(case).state


def test_a_certificate_that_is_accepted_names_its_issuer(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interceptor whose CA was installed is seen by its name only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with Server(stall, tls=True) as server, a_case(server.url) as case:
        found = check_tls(case)
    assert "ok" == found.state
    assert "issued by throw-away." in found.en
    assert "签发者是 throw-away" in found.zh


def test_an_interceptor_is_named() -> None:
    """Its certificate is not accepted; the issuer's name says who it is."""
    with Server(stall, tls=True) as server, a_case(server.url) as case:
        found = check_tls(case)
    assert "wrong" == found.state
    assert "not accepted (self-signed certificate); it was issued by throw-away" in found.en
    assert "SSL_CERT_FILE" in found.en
    assert "拦截" in found.zh


def test_an_interceptor_that_shows_its_certificate_once() -> None:
    """Its name is then unknown, but the rest is still reported."""

    def refuses(peer: Any) -> None:
        cut_at_once(peer)

    def shakes(peer: Any) -> None:
        peer.start_tls()

    with Server(shakes, refuses) as server, a_case(server.url.replace("http", "https")) as case:
        found = check_tls(case)
    assert "issued by ?." in found.en


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "the date and time of this machine"),
        (10, "the date and time of this machine"),
        (62, "another server"),
        (64, "another server"),
    ],
)
def test_other_reasons_have_other_remedies(code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date that does not fit is mostly our clock's fault; a name that does not fit is another server."""

    def refuse(*_: object) -> None:
        error = ssl.SSLCertVerificationError(1, "made up")
        error.verify_code, error.verify_message = code, "made up"
        raise error

    monkeypatch.setattr(network, "_connected", refuse)
    with a_case("https://127.0.0.1:9") as case:
        found = check_tls(case)
    assert "wrong" == found.state
    assert words in found.en


def test_a_server_without_tls() -> None:
    """A wrong port, most of the time."""
    told = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with Server(lambda peer: peer.send(told)) as server, a_case(server.url.replace("http", "https")) as case:
        found = check_tls(case)
    assert "wrong" == found.state
    assert "TLS handshake failed" in found.en


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection; a proxy of the environment, which is not read, is pointed out."""
    with closed_port() as port, a_case(f"https://127.0.0.1:{port}") as case:
        plain = check_tls(case)
        monkeypatch.setenv("HTTPS_PROXY", "http://user:made-up@proxy.example:3128")
        hinted = check_tls(case)
    assert "no connection (ConnectionRefusedError)" in plain.en
    assert "HTTPS_PROXY" not in plain.en
    assert "HTTPS_PROXY is set, but wxcs_lite does not read it" in hinted.en
    assert "HTTPS_PROXY" in hinted.zh
    assert "made-up" not in str(hinted)


def test_a_proxy_that_is_not_there_is_named() -> None:
    """The base URL is not to blame."""
    with closed_port() as port, a_case("https://api.weixin.qq.com", f"http://127.0.0.1:{port}") as case:
        found = check_tls(case)
    assert "no connection (ConnectionRefusedError): check the network, the firewall and the proxy" == found.en
    assert "防火墙和代理" in found.zh


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step has its time."""
    monkeypatch.setattr(network, "_PATIENCE", 0.2)
    with Server(stall) as server, a_case(server.url.replace("http", "https")) as case:
        found = check_tls(case)
    assert "no reply in time" in found.en
    assert "超时" in found.zh


def test_a_proxy_that_wants_a_login() -> None:
    """It is said where the login goes."""
    refusal = bare("HTTP/1.1 407 Proxy Authentication Required", "Content-Length: 0")
    with Server(once(refusal)) as proxy, a_case("https://api.weixin.qq.com", proxy.url) as case:
        found = check_tls(case)
    assert "wrong" == found.state
    assert "the proxy requires a login" in found.en
    assert "WXCS_PROXY" in found.zh


def test_a_proxy_that_refuses() -> None:
    """Its status is shown."""
    refusal = bare("HTTP/1.1 403 Forbidden", "Content-Length: 0")
    with Server(once(refusal)) as proxy, a_case("https://api.weixin.qq.com", proxy.url) as case:
        found = check_tls(case)
    assert "the proxy refuses to connect to this host (403 Forbidden)" in found.en


def test_the_login_of_a_proxy_is_used(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tunnel is asked for with it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    heard: list[Any] = []

    def tunnel(peer: Any) -> None:
        heard.append(peer.read())
        peer.send(bare("HTTP/1.1 200 Connection established"))
        peer.start_tls()

    with Server(tunnel) as proxy, a_case("https://localhost:9", proxy.url.replace("//", "//user:made-up@")) as case:
        assert "ok" == check_tls(case).state
    assert heard[0].start.startswith("CONNECT localhost:9 ")
    assert "Basic dXNlcjptYWRlLXVw" == heard[0].headers["proxy-authorization"]


def test_a_proxy_that_speaks_tls_is_not_looked_through() -> None:
    """The next check makes a call through it."""
    with a_case("https://api.weixin.qq.com", "https://127.0.0.1:9") as case:
        assert "skipped" == check_tls(case).state


# The answer


def test_wechat_is_known_by_its_refusal() -> None:
    """A call without a token is answered with an errcode."""
    with Sandbox().serve() as url, a_case(url) as case:
        assert "ok" == check_answer(case).state


def test_a_page_is_not_wechat() -> None:
    """A captive portal, or a proxy's page."""
    with Server(answers(reply(b"<html>Please log in</html>"))) as server, a_case(server.url) as case:
        found = check_answer(case)
    assert "wrong" == found.state
    assert "the server there is not WeChat" in found.en
    assert "不是微信" in found.zh


def test_no_answer_is_told_in_the_words_of_the_error() -> None:
    """They say what to do."""
    with closed_port() as port, a_case(f"http://127.0.0.1:{port}") as case:
        found = check_answer(case)
    assert "wrong" == found.state
    assert "no connection" in found.en
    assert case.reply is None


@pytest.mark.parametrize("headers", [(), ("x-openapi-seqid: made-up",)])
def test_an_answer_without_a_token_is_good(headers: tuple[str, ...]) -> None:
    """Inside cloud hosting the call is answered; its relay is known by a header."""
    with Server(answers(reply(b'{"ip_list":[]}', "200 OK", *headers))) as server, a_case(server.url) as case:
        found = check_answer(case)
        hosting = check_cloud_hosting(case)
    assert "ok" == found.state
    assert bool(headers) == ("relay" in found.en)
    assert bool(headers) == (hosting is not None)


# The clock


@pytest.mark.parametrize(
    ("ahead", "state", "en", "zh"),
    [
        (0, "ok", "within a minute", "不到一分钟"),
        (100, "warn", "100 s ahead of", "快 100 秒"),
        (1000, "wrong", "16 min ahead of", "快 16 分钟"),
        (3 * 3600, "wrong", "3 h ahead of", "快 3 小时"),
        (-3600, "wrong", "60 min behind", "慢 60 分钟"),
    ],
)
def test_the_clock_is_compared_with_the_date(ahead: int, state: str, en: str, zh: str) -> None:
    """A minute does not matter, five are too many."""
    with a_case("http://127.0.0.1:9") as case:
        case.clock_ahead = ahead
        found = check_clock(case)
    assert state == found.state
    assert en in found.en
    assert zh in found.zh


@pytest.mark.parametrize("form", ["in GMT", "somewhere", "malformed"])
def test_only_a_date_that_says_where_counts(form: str) -> None:
    """A malformed one counts as missing."""
    date = {"in GMT": formatdate(usegmt=True), "somewhere": formatdate(), "malformed": "now"}[form]
    sandbox = Sandbox(clock=time.time)
    answered = (200, {"Date": date}, b'{"errcode":41001,"errmsg":"access_token missing"}')
    sandbox.fail_next(reply=answered)
    with sandbox.serve() as url, a_case(url) as case:
        check_answer(case)
        found = check_clock(case)
    assert ("ok" if form == "in GMT" else "skipped") == found.state


# Cloud hosting


def test_the_relay_is_told_of() -> None:
    """Its header says so."""
    with a_case("http://127.0.0.1:9") as case:
        case.reply = Reply(200, SEQID, b"")
        found = check_cloud_hosting(case)
    assert found is not None
    assert "ok" == found.state


def test_a_container_whose_relay_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A private address without the header: switched off, built before, or over https."""
    resolves(monkeypatch, "169.254.1.1")
    with a_case("https://api.weixin.qq.com") as case:
        check_name(case)
        found = check_cloud_hosting(case)
    assert found is not None
    assert "wrong" == found.state
    assert API_HTTP in found.en


def test_elsewhere_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public address, or another host."""
    resolves(monkeypatch, "1.2.3.4")
    for base in ("https://api.weixin.qq.com", "https://gateway.example"):
        with a_case(base) as case:
            check_name(case)
            assert check_cloud_hosting(case) is None
