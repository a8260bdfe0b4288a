"""The page's server: only the page itself may use it, at an address that nobody can guess."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import urllib3

from tests.test_look_bubbles import ATTACKS, Seen
from tests.test_sandbox_server import port_of
from wxcs_lite.messages import text
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.door import page as page_module
from wxcs_lite.sandbox.door.page_files import FILES
from wxcs_lite.transport import fetch_token, send


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.page() as url:
        yield url


class Browser:
    """A browser that has the page open: it sends what browsers send."""

    def __init__(self, url: str, account: str = "wxsandbox000000001") -> None:
        self.url, self.account = url, account
        self.origin = re.match("http://[^/]*", url)[0]  # type: ignore[index]

    def ask(self, method: str, name: str, body: bytes | None = None, headers: Any = (), **query: object) -> Any:
        fields = {"account": self.account, "lang": "en", **query}
        given = {"Origin": self.origin} if method == "POST" else {}
        with urllib3.PoolManager(retries=False, timeout=30) as http:
            address = f"{self.url}{name}?{urlencode(fields)}"
            return http.request(method, address, body=body, headers=given | dict(headers))

    def act(self, **fields: object) -> Any:
        return self.ask("POST", "act", json.dumps(fields).encode())

    def news(self, **query: object) -> dict[str, Any]:
        asked: dict[str, Any] = {"openid": "", "since": 0, "have": 0, "state": "", **query}
        reply = self.ask("GET", "news", **asked)
        assert (200, "application/json") == (reply.status, reply.headers["Content-Type"])
        return dict(reply.json())


@pytest.fixture
def browser(url: str) -> Browser:
    return Browser(url)


def test_the_address_cannot_be_guessed(url: str) -> None:
    """It differs each time; whoever does not know it finds nothing, by any path or method."""
    with Sandbox().page() as other:
        assert url.rpartition(":")[2] != other.rpartition(":")[2]
        assert len(re.findall("/([^/]{32})/$", url)[0]) == 32
    origin = Browser(url).origin
    token = url.removeprefix(origin).strip("/")
    for path in ("", "/", "/page.js", "/news", f"/{token}", f"/{token[:-1]}/", f"/{token[:-1]}x/news", f"//{token}/"):
        for method in ("GET", "POST"):
            reply = urllib3.request(method, origin + path, headers={"Origin": origin}, retries=False)
            assert (404, "close") == (reply.status, reply.headers["Connection"])


@pytest.mark.parametrize("name", ["nothing", "../page.py", "page.html", "news/", "files/page.js"])
def test_nothing_else_is_there(browser: Browser, name: str) -> None:
    """Neither files nor folders of the package."""
    assert 404 == browser.ask("GET", name).status


@pytest.mark.parametrize("name", FILES)
def test_files_are_delivered(browser: Browser, name: str) -> None:
    """With their types, which no browser shall guess."""
    reply = browser.ask("GET", name)
    assert (200, FILES[name], "nosniff") == (
        reply.status, reply.headers["Content-Type"], reply.headers["X-Content-Type-Options"]
    )  # fmt: skip
    assert len(reply.data) > 100


@pytest.mark.parametrize("name", ["", "page.js", "news", "nothing"])
def test_a_browser_is_told_to_be_strict(browser: Browser, name: str) -> None:
    """Nothing inline runs, nothing foreign is loaded, nobody frames it, keeps it, or hears of its address."""
    headers = browser.ask("GET", name, since=0, state="x").headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert ("'none'", "'self'", "'self'") == (policy["default-src"], policy["script-src"], policy["style-src"])
    assert ("'none'", "'none'", "'script'") == (
        policy["frame-ancestors"], policy["base-uri"], policy["require-trusted-types-for"]
    )  # fmt: skip
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert ("no-store", "no-referrer", "DENY", "same-origin", "same-origin") == tuple(
        headers[key]
        for key in ("Cache-Control", "Referrer-Policy", "X-Frame-Options", "Cross-Origin-Resource-Policy",
                    "Cross-Origin-Opener-Policy")
    )  # fmt: skip
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "localhost.", "", "[::1]"],
)
def test_another_name_for_this_machine_is_refused(browser: Browser, host: str) -> None:
    """A foreign name that was made to point here is how other pages would read this one."""
    for method, name in (("GET", ""), ("GET", "news"), ("POST", "act")):
        reply = browser.ask(method, name, headers={"Host": host, "Origin": f"http://{host}"})
        assert 403 == reply.status
        assert "127.0.0.1 only" in reply.data.decode()


def test_a_forwarded_port_is_fine(browser: Browser) -> None:
    """An editor on another machine shows it at another port, or as localhost; the page's origin is that one then."""
    for host in ("localhost:1234", "127.0.0.1:9", "localhost"):
        given = {"Host": host, "Origin": f"http://{host}"}
        assert 200 == browser.ask("POST", "act", b'{"action":"clear"}', headers=given).status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", "http://localhost", "", None]
)
def test_another_origin_is_refused(browser: Browser, sandbox: Sandbox, origin: str | None) -> None:
    """Other pages of the same browser, whatever port of this machine they come from; for a POST it must be said."""
    with urllib3.PoolManager(retries=False) as http:
        headers = {} if origin is None else {"Origin": origin}
        body = b'{"action":"says","openid":"ann","text":"hi"}'
        address = f"{browser.url}act?account={browser.account}"
        assert 403 == http.request("POST", address, body=body, headers=headers).status
        if origin is not None:
            assert 403 == http.request("GET", f"{browser.url}news?account={browser.account}", headers=headers).status
    assert () == sandbox.events


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_cannot_load_its_parts(browser: Browser, site: str) -> None:
    """But a link to the page can be followed from anywhere: a chat, a web mail."""
    assert 403 == browser.ask("GET", "page.js", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status
    assert (
        403 == browser.ask("POST", "act", b"{}", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status
    )
    assert 200 == browser.ask("GET", "", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status


@pytest.mark.parametrize(
    ("method", "name", "allowed"),
    [("POST", "", "GET"), ("POST", "news", "GET"), ("GET", "act", "POST"), ("PUT", "picture", "POST"),
     ("HEAD", "", "GET"), ("DELETE", "page.js", "GET"), ("OPTIONS", "act", "POST")],
)  # fmt: skip
def test_another_method_is_refused(browser: Browser, method: str, name: str, allowed: str) -> None:
    """With the one that is allowed."""
    reply = browser.ask(method, name)
    assert (405, allowed) == (reply.status, reply.headers["Allow"])


@pytest.mark.parametrize(("name", "limit"), [("act", 2**16), ("picture", 10 * 2**20), ("news", 0), ("", 0)])
def test_what_is_too_large_is_refused_before_it_is_read(browser: Browser, name: str, limit: int) -> None:
    """By its announced length alone."""
    method = "POST" if limit else "GET"
    head = f"{method} /{browser.url.split('/', 3)[3]}{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    for length in (str(limit + 1), "9" * 12, "9" * 5000, "x", "-1", "\xb2"):
        with socket.create_connection(("127.0.0.1", port_of(browser.origin)), timeout=10) as connection:
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode("latin-1"))
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"says"', b"\xff", b"[" * 60_000, b'{"action":5}', b'{"action":"__init__"}', b"{}"],
)
def test_a_body_that_means_nothing_does_nothing(browser: Browser, sandbox: Sandbox, body: bytes) -> None:
    """It is refused with a sentence; the server goes on."""
    reply = browser.ask("POST", "act", body)
    assert 400 == reply.status
    assert reply.json()["error"].startswith("That was refused: action: ")
    assert () == sandbox.events
    assert 200 == browser.act(action="add", openid="ann").status


@pytest.mark.parametrize("query", ["", "account=", "account=wxother", "account=%00", "account=wxsandbox000000001x"])
def test_an_account_that_is_not_there(browser: Browser, query: str) -> None:
    """Is not found."""
    assert 404 == urllib3.request("GET", f"{browser.url}news?{query}", retries=False).status


def test_the_language_is_that_of_the_browser_or_the_address(browser: Browser) -> None:
    """English for all others."""
    for query, header, lang in (("", "zh-CN,zh;q=0.9", "zh"), ("", "de", "en"), ("?lang=en", "zh", "en"),
                                ("?lang=zh", "en", "zh"), ("?lang=fr", "zh", "en"), ("", "", "en")):  # fmt: skip
        reply = urllib3.request("GET", browser.url + query, headers={"Accept-Language": header})
        assert f'<html lang="{lang}">' in reply.data.decode()
        assert "微信沙箱" in reply.data.decode() or lang == "en"


def test_there_is_no_inline_script_or_style_in_the_page(browser: Browser) -> None:
    """And nothing from another host."""
    for lang in ("en", "zh"):
        markup = browser.ask("GET", "", lang=lang).data.decode()
        seen = Seen(markup)
        assert 1 == seen.tags.count("script") == markup.count("</script>")
        assert '<script src="page.js" defer></script>' in markup
        assert "{{" not in markup
        for name, value in seen.attributes:
            assert not name.startswith("on")
            assert name != "style"
            assert "//" not in (value or "")


def test_an_appid_is_text() -> None:
    """Whoever made the sandbox chose it."""
    attack = '"><script>alert(1)</script>'
    with Sandbox(appid=attack).page() as url:
        seen = Seen(Browser(url).ask("GET", "").data.decode())
        assert 1 == seen.tags.count("script")
        assert attack in seen.text


def test_a_conversation(browser: Browser, sandbox: Sandbox) -> None:
    """What is done on the page are the same acts as in a program, and both appear."""
    assert 200 == browser.act(action="says", openid="ann", text="hello").status
    assert ["hello"] == [event.fields["Content"] for event in sandbox.events]
    pool = sandbox.pool()
    send(pool, fetch_token(pool, sandbox.appid, sandbox.secret), text("ann", "an answer"))
    assert 200 == browser.ask("POST", "picture", sunset(), openid="ann").status
    assert sunset() == sandbox.events[-1].picture
    news = browser.news(openid="ann")
    assert ["ann"] == [one["openid"] for one in news["customers"]]
    order = ["hello", "an answer", "data:image/png"]
    shown = "".join(news["phone"]["rows"])
    assert sorted(order, key=shown.index) == order
    assert ["/cgi-bin/message/custom/send"] == [call["path"] for call in news["calls"]][-1:]


def test_news_arrive_while_one_waits(browser: Browser, sandbox: Sandbox) -> None:
    """A request for news is held until there are some."""
    sandbox.user("ann").says("first")
    before = browser.news(openid="ann")
    got: list[dict[str, Any]] = []
    query = {"openid": "ann", "since": before["number"], "have": before["phone"]["have"], "state": before["state"]}
    waiting = Thread(target=lambda: got.append(browser.news(**query)))
    waiting.start()
    sandbox.user("ann").says("second")
    waiting.join(15)
    assert ["second"] == [one["said"] for one in got[0]["customers"]]
    assert 1 == len(got[0]["phone"]["rows"])
    assert got[0]["now"] is None


def test_without_news_the_answer_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, so that no connection is silent for ever."""
    monkeypatch.setattr(page_module, "_HOLD", 0.01)
    before = browser.news()
    after = browser.news(since=before["number"], state=before["state"])
    assert (before["number"], [], None) == (after["number"], after["calls"], after["now"])


def test_the_end_of_the_block_ends_all_waiting(sandbox: Sandbox) -> None:
    """No thread stays behind until the request would have been answered, and nobody watches the sandbox any more."""
    before = set(threading.enumerate())
    with ExitStack() as stack:
        browser = Browser(stack.enter_context(sandbox.page()))
        first = browser.news()
        query = f"account={browser.account}&since={first['number']}&state={first['state']}"
        path = f"{browser.url.removeprefix(browser.origin)}news?{query}"
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port_of(browser.origin)), timeout=10))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        (watcher,) = sandbox._core._watchers
        waiting = watcher.__self__._changed._waiters  # type: ignore[attr-defined]
        until = time.monotonic() + 30
        while not waiting and time.monotonic() < until:
            time.sleep(0.01)
        assert waiting
    assert set() == set(threading.enumerate()) - before
    assert () == sandbox._core._watchers


def test_a_details_request(browser: Browser, sandbox: Sandbox) -> None:
    """Of a call or a push that is kept; a number that is not is told in words."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        start_response("200 OK", [])
        return [query.get("echostr", "success").encode()]

    sandbox.push_to(application, token="AAAAA")
    sandbox.user("ann").says("hello")
    sandbox.pool().request("GET", "/cgi-bin/getcallbackip")
    news = browser.news()
    parts = browser.ask("GET", "call", id=news["calls"][0]["id"]).json()
    assert "41001 access_token missing" == parts[0][0]
    assert "/cgi-bin/getcallbackip" in parts[1][1]
    assert "hello" in browser.ask("GET", "push", id=news["pushes"][0]["id"]).json()[0][1]
    for name in ("call", "push"):
        for number in ("999", "-1", "", "x", "9" * 30):
            reply = browser.ask("GET", name, id=number)
            assert (404, "It is not kept any more.") == (reply.status, reply.json()["error"])


def test_what_cannot_be_done_is_said_in_the_language_of_the_page(browser: Browser) -> None:
    """An openid that cannot be, an empty picture."""
    reply = browser.ask("POST", "picture", b"", openid="ann", lang="zh")
    assert (400, "还没有可发送的内容。") == (reply.status, reply.json()["error"])
    assert "64" in browser.act(action="add", openid="张三").json()["error"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_from_either_side_stays_a_text(browser: Browser, sandbox: Sandbox, attack: str) -> None:
    """In bubbles it is escaped; everything else is JSON, which the page puts in as text."""
    clean = attack.encode("utf-8", "replace").decode()
    browser.act(action="says", openid="ann", text=attack)
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    link = dict.fromkeys(("title", "description", "url", "thumb_url"), clean)
    send(pool, token, text("ann", clean))
    send(pool, token, {"touser": "ann", "msgtype": "link", "link": link})
    pool.request("POST", f"/cgi-bin/message/custom/send?x={quote(clean)}", body=clean.encode())
    news = browser.news(openid="ann")
    for row in news["phone"]["rows"]:
        seen = Seen(row)
        assert set(seen.tags) <= {"div", "span", "svg", "path", "circle"}
        assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("style", "src", "href")]
    assert clean == sandbox.events[0].fields["Content"]


def test_no_secret_is_on_the_page(browser: Browser, sandbox: Sandbox) -> None:
    """Neither of calls nor of pushes, in the log or in full, whether they are right or wrong, or in the wrong place."""
    push_token, aes_key = "pushTokenOfTheTest", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0"
    app = push_app(lambda push: b"", token=push_token, aes_key=aes_key, appid=sandbox.appid)
    sandbox.push_to(app, token=push_token, aes_key=aes_key)
    browser.act(action="says", openid="ann", text="hello")
    pool = sandbox.pool()
    token = str(fetch_token(pool, sandbox.appid, sandbox.secret))
    query = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    old = pool.request("GET", "/cgi-bin/token", fields=query).json()["access_token"]
    for secret in (token, str(sandbox.secret), old):
        pool.request("POST", f"/cgi-bin/{secret}?access_token={secret}&x={secret}", json={"touser": secret})
        body = {"touser": secret, "msgtype": "text", "text": {"content": "x"}, "secret": secret, "access_token": secret}
        pool.request("POST", f"/cgi-bin/message/custom/send?access_token={secret}", json=body)
    news = browser.news(openid="ann")
    shown = [json.dumps(news)]
    shown += [browser.ask("GET", "call", id=call["id"]).data.decode() for call in news["calls"]]
    shown += [browser.ask("GET", "push", id=push["id"]).data.decode() for push in news["pushes"]]
    assert 10 == len(shown)
    for secret in (token, old, push_token, aes_key):
        assert [] == [text for text in shown if secret in text]


def test_several_accounts(sandbox: Sandbox) -> None:
    """Each is a page of its own behind one address."""
    other = Sandbox(appid="wxother", clock=lambda: 0.0)
    with sandbox.page(beside=[other]) as url:
        one, two = Browser(url), Browser(url, "wxother")
        one.act(action="says", openid="ann", text="to the first")
        two.act(action="says", openid="ann", text="to the second")
        assert [["to the first"], ["to the second"]] == [
            [row["said"] for row in browser.news()["customers"]] for browser in (one, two)
        ]
        options = re.findall('<option value="(wx[^"]*)">', one.ask("GET", "").data.decode())
        assert ["wxsandbox000000001", "wxother"] == options


def test_the_page_names_the_addresses_of_the_sandbox(browser: Browser, sandbox: Sandbox) -> None:
    """As long as they are open."""
    assert "" == browser.news()["now"]["api"]
    with sandbox.serve() as url, sandbox.serve() as second:
        assert f"API: {url} · API: {second}" == browser.news()["now"]["api"]
    assert "" == browser.news()["now"]["api"]
    with sandbox.proxy() as environment:
        assert f"proxy: {environment['HTTPS_PROXY']}" == browser.news()["now"]["api"]


def test_a_page_in_use_has_its_port() -> None:
    """A port that is taken is an error, as everywhere."""
    with (
        Sandbox().page() as url,
        pytest.raises(OSError, match="cannot be opened"),
        Sandbox().page(port_of(Browser(url).origin)),
    ):
        pass
