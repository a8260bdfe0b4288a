"""The sandbox's page in a real browser: used by mouse and by keyboard, under attack, in both themes, checked."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.browser import stage
from wxcs_lite.fresh import fresh_token
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.messages import image, link, miniprogrampage, text, with_ai_label
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.transport import send, set_typing, upload

TALK = {
    "en": ("Hello! Has my order left yet?", "Hi Ann! It is on its way: tomorrow afternoon.", "May I see the parcel?"),
    "zh": ("您好，我的订单发货了吗？", "您好！已经在路上，明天下午送到。", "能看一下包裹吗？"),
}
LINK = {
    "en": ("Track your parcel", "Where it is now, updated every hour", "Your order"),
    "zh": ("物流跟踪", "每小时更新一次位置", "您的订单"),
}


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A program that is content with every push."""
    query = dict(pair.split("=", 1) for pair in environ["QUERY_STRING"].split("&"))
    start_response("200 OK", [])
    return [query.get("echostr", "success").encode()]


class Box:
    """A sandbox, its page, and the program on the other side."""

    def __init__(self, stack: ExitStack, *beside: Sandbox) -> None:
        began = time.time()  # and there it stands, so that however long a test takes, nothing ends by itself
        self.sandbox = Sandbox(clock=lambda: began)
        self.sandbox.push_to(application, token="AAAAA")
        self.api = stack.enter_context(self.sandbox.serve(beside=beside))
        self.url = stack.enter_context(self.sandbox.page(beside=beside))
        self.pool = self.sandbox.pool()
        self.fresh = fresh_token(self.pool, self.sandbox.appid, self.sandbox.secret, clock=self.sandbox.clock)
        assert self.token

    @property
    def token(self) -> str:
        return self.fresh()

    def sends(self, message: Any) -> None:
        send(self.pool, self.token, message)

    def refuses(self, touser: str) -> int:
        """Return the errcode of a text to somebody."""
        path = f"/cgi-bin/message/custom/send?access_token={self.token}"
        return int(self.pool.request("POST", path, json=text(touser, "?")).json()["errcode"])

    def answers(self, lang: Language) -> None:
        """Send one message of each kind, the last one with the AI line."""
        title, description, card = LINK[lang]
        media_id = upload(self.pool, self.token, sunset(240, 160)).media_id
        self.sends(image("ann", media_id))
        self.sends(link("ann", title=title, description=description, url="https://example.com/track/42",
                        thumb_url="https://example.com/map.png"))  # fmt: skip
        order = miniprogrampage("ann", title=card, pagepath="pages/order?id=42", thumb_media_id=media_id)
        self.sends(with_ai_label(order))


@pytest.fixture
def box() -> Iterator[Box]:
    with ExitStack() as stack:
        yield Box(stack)


class Tab:
    """The page open in a browser, and what went wrong in it."""

    def __init__(self, page: Any, url: str, lang: Language) -> None:
        self.page, self.words, self.lang = page, page_words(lang), lang
        self.troubles: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(stage.PATIENCE)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(f"{url}?lang={lang}")

    def _dialog(self, dialog: Any) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def is_clean(self) -> None:
        """Nothing ran into an error, was forbidden by the page's policy, or was asked of another host."""
        assert [] == self.troubles
        assert [] == [url for url in self.asked if not url.startswith(("http://127.0.0.1", "data:"))]

    def button(self, key: str) -> Any:
        return self.page.get_by_role("button", name=self.words[key], exact=True)

    def field(self, key: str) -> Any:
        return self.page.get_by_label(self.words[key], exact=True)

    def bubble(self, said: str, *, mine: bool = False) -> Any:
        side = ".wxcs-mine" if mine else ".wxcs-row:not(.wxcs-mine)"
        return self.page.locator(f"#talk {side} .wxcs-bubble").get_by_text(said, exact=True)

    def call(self, result: str) -> Any:
        """Return the newest call with this result."""
        return self.page.locator("#calls tr.row").filter(has=self.page.get_by_text(result, exact=True)).first


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Tab]]:
    contexts = []

    def open_page(box: Box, lang: Language = "en", width: int = 1400, height: int = 900, **how: Any) -> Tab:
        context = chromium.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        return Tab(context.new_page(), box.url, lang)

    yield open_page
    for context in contexts:
        context.close()


Open = Callable[..., Tab]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_conversation_by_mouse(box: Box, opened: Open, lang: Language, shots: Path, tmp_path: Path) -> None:
    """Customer and program talk; the window closes; a fault is planned, strikes and is explained."""
    tab = opened(box, lang)
    question, answer, more = TALK[lang]
    tab.page.get_by_text(tab.words["nobody"]).wait_for()
    tab.field("openid").fill("ann")
    tab.button("add").click()
    tab.page.get_by_text(tab.words["window_closed"]).wait_for()
    tab.page.locator("#people [aria-current=true]").get_by_text("ann", exact=True).wait_for()
    tab.field("write").fill(question)
    tab.button("send").click()
    tab.bubble(question, mine=True).wait_for()
    set_typing(box.pool, box.token, "ann")
    tab.page.get_by_text(tab.words["is_typing"]).wait_for()
    box.sends(text("ann", answer))
    tab.bubble(answer).wait_for()
    tab.page.locator("#who").get_by_text(tab.words["service"], exact=True).wait_for()
    tab.field("write").fill(more)
    tab.button("send").click()
    box.answers(lang)
    for kind in ("image img", "link a", "card img"):
        tab.page.locator(f"#talk .wxcs-row:not(.wxcs-mine) .wxcs-{kind}").wait_for()
    tab.page.get_by_text(tab.words["ai_line"]).wait_for()
    for openid in ("bob", "carl"):
        box.sandbox.user(openid).says(question)
    assert 45015 == box.refuses("dora")
    set_typing(box.pool, box.token, "ann")
    tab.page.get_by_text(tab.words["is_typing"]).wait_for()
    tab.call("45015").click()
    tab.page.locator(".error").get_by_text("45015").wait_for()
    tab.page.locator("#pushes tr.row").nth(2).wait_for()
    tab.page.mouse.move(700, 870)
    tab.page.screenshot(path=str(shots / f"page_{lang}.png"))
    with tab.page.expect_file_chooser() as chooser:
        tab.button("picture").click()
    (tmp_path / "parcel.png").write_bytes(sunset(48, 32))
    chooser.value.set_files(str(tmp_path / "parcel.png"))
    tab.page.locator("#talk .wxcs-mine img").wait_for()
    tab.button("sample").click()
    tab.page.locator("#talk .wxcs-mine img").nth(1).wait_for()
    assert [sunset(48, 32), sunset(216, 162)] == [event.picture for event in box.sandbox.events[-2:]]
    tab.button("enter").click()
    tab.page.locator("#talk").get_by_text(tab.words["session_line"]).wait_for()
    tab.button("two_days").click()
    tab.button("minute").click()
    tab.page.get_by_text(tab.words["window_closed"]).wait_for()
    assert box.token  # a new one, before the fault that is meant for another call
    tab.field("fault").select_option(value='{"errcode":45047}')
    tab.button("plan").click()
    tab.page.get_by_text(tab.words["planned"].format(faults="45047")).wait_for()
    assert 45047 == box.refuses("ann")
    tab.call("45047").wait_for()
    tab.page.get_by_text(tab.words["planned"].format(faults="45047")).wait_for(state="detached")
    tab.is_clean()


_REACH = """element => {
  const active = document.activeElement;
  if (active === element) return 0;
  return active.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING ? 1 : -1;
}"""


def go(tab: Tab, locator: Any) -> None:
    """Press Tab or Shift+Tab until it has the focus."""
    element = locator.element_handle()
    for _ in range(100):
        way = tab.page.evaluate(_REACH, element)
        if not way:
            return
        tab.page.keyboard.press("Tab" if way > 0 else "Shift+Tab")
    raise AssertionError(f"Tab does not lead to {locator}")


def test_a_conversation_by_keyboard_alone(box: Box, opened: Open) -> None:
    """Everything that a mouse reaches, a keyboard reaches; a customer who moves up the list keeps the focus."""
    tab = opened(box)
    press, write = tab.page.keyboard.press, tab.page.keyboard.type
    go(tab, tab.field("openid"))
    write("ann")
    press("Enter")
    tab.page.locator("#text:focus").wait_for()
    write("Hello! Has my order left yet?")
    press("Enter")
    tab.bubble("Hello! Has my order left yet?", mine=True).wait_for()
    box.sends(text("ann", "It is on its way."))
    tab.bubble("It is on its way.").wait_for()
    go(tab, tab.button("sample"))
    press("Enter")
    tab.page.locator("#talk .wxcs-mine img").wait_for()
    go(tab, tab.button("enter"))
    press("Space")
    tab.page.locator("#talk").get_by_text(tab.words["session_line"]).wait_for()
    box.sandbox.user("bob").says("I am Bob.")
    go(tab, tab.page.locator("#people button").filter(has_text="bob"))
    for openid in ("ann", "bob"):
        box.sandbox.user(openid).says("Still here.")
        tab.page.locator("#people li:first-child").filter(has_text=openid).wait_for()
        assert tab.page.evaluate("document.activeElement.innerText").split()[:2] == ["B", "bob"]
    press("Enter")
    tab.bubble("I am Bob.", mine=True).wait_for()
    for key in ("two_days", "minute"):
        go(tab, tab.button(key))
        press("Enter")
    tab.page.get_by_text(tab.words["window_closed"]).wait_for()
    go(tab, tab.field("fault"))
    write("42001")
    go(tab, tab.button("plan"))
    press("Enter")
    tab.page.get_by_text("Planned: 42001").wait_for()
    go(tab, tab.button("clear"))
    press("Enter")
    tab.page.get_by_text("Planned: 42001").wait_for(state="detached")
    assert 45015 == box.refuses("bob")
    go(tab, tab.call("45015").get_by_role("button"))
    press("Enter")
    tab.page.locator(".error").get_by_text("45015").wait_for()
    press("Enter")
    tab.page.locator(".error").wait_for(state="detached")
    go(tab, tab.page.locator("#language"))
    press("Enter")
    tab.page.locator("html[lang=zh]").wait_for()
    tab.page.locator("#whose").get_by_text("bob").wait_for()
    tab.is_clean()


ATTACKS = (
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    '"><svg onload="window.hacked = 1">',
    "</style><style>body{display:none}</style>",
    "' onmouseover='window.hacked=1' x='",
    "<iframe src=https://evil.example/></iframe>",
    "</template><script>window.hacked = 1</script>",
    "{{title}}",
)


def attack_from_both_sides(box: Box, attack: str) -> None:
    ann = box.sandbox.user("ann")
    ann.says(attack)
    ann.sends_card(title=attack, pagepath=attack)
    ann.enters_session(attack)
    box.sends(text("ann", attack))
    made = dict.fromkeys(("title", "description", "url", "thumb_url"), attack)
    for url in (attack, "javascript:window.hacked=1"):
        ann.says("again")
        box.sends({"touser": "ann", "msgtype": "link", "link": made | {"url": url}})
    path = f"/cgi-bin/message/custom/send?{urlencode({attack: attack})}&access_token={box.token}"
    body = json.dumps({"touser": attack, "msgtype": attack, attack: {"content": attack}}).encode()
    box.pool.request("POST", path, body=body)
    box.pool.request("GET", "/" + quote(attack, safe="<>'{}()=/"))
    box.sandbox.fail_next(errcode=45047, errmsg=attack)
    box.pool.request("GET", "/cgi-bin/getcallbackip")


def test_an_attack_is_text_and_runs_nothing(box: Box, opened: Open) -> None:
    """From the API and from customers, in every field that is shown; nothing foreign is asked for."""
    tab = opened(box)
    for attack in ATTACKS:
        attack_from_both_sides(box, attack)
        tab.field("write").fill(attack)
        tab.button("send").click()
        tab.bubble(attack, mine=True).nth(1).wait_for()
    tab.bubble(ATTACKS[0]).first.wait_for()
    for opener in tab.page.locator("#calls tr.row button").all()[:24] + tab.page.locator("#pushes button").all()[:12]:
        opener.click()
    tab.page.locator(".full .parts").nth(35).wait_for()
    for element in tab.page.locator(".wxcs-bubble").all()[-20:]:
        element.hover()
    assert tab.page.evaluate("window.hacked") is None
    assert 0 == tab.page.locator("iframe, script:not([src]), style, [onerror], [onload], [onmouseover]").count()
    assert 0 == tab.page.locator("#talk a").count()
    assert tab.page.evaluate("getComputedStyle(document.body).display") != "none"
    tab.is_clean()


EVIL = """<!doctype html><title>evil</title>
<iframe src="URL"></iframe><script src="URLpage.js"></script>
<script>
(async () => {
  const told = [];
  const body = JSON.stringify({action: "says", openid: "ann", text: "hacked"});
  const act = "act?account=wxsandbox000000001";
  const tries = [["", {}], ["news?account=wxsandbox000000001", {}], ["page.js", {mode: "no-cors"}],
    [act, {method: "POST", body}], [act, {method: "POST", body, mode: "no-cors"}]];
  for (const [name, how] of tries) {
    try {
      const reply = await fetch("URL" + name, how);
      told.push(reply.type + await reply.text());
    } catch { told.push("refused"); }
  }
  const form = document.createElement("form");
  Object.assign(form, {action: "URL" + act, method: "post", enctype: "text/plain"});
  const [name, value] = body.split("hacked");
  form.append(Object.assign(document.createElement("input"), {name, value}));
  document.body.append(form);
  window.told = told;
})();
</script>"""


@contextmanager
def foreign_page(content: bytes) -> Iterator[str]:
    """Another page in the same browser, at another port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_another_page_can_do_nothing(box: Box, chromium: Any) -> None:
    """Even one that knows the address: it can neither read, nor act, nor frame; a form of its own is refused, too."""
    with foreign_page(EVIL.replace("URL", box.url).encode()) as foreign:
        page = chromium.new_page()
        page.goto(foreign)
        page.wait_for_function("window.told")
        told = page.evaluate("window.told")
        assert 5 == len(told)
        assert {"refused", "opaque"} >= set(told)
        assert [] == [frame.url for frame in page.frames if frame.url.startswith(box.url)]
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")
        assert "Other pages cannot use this one." in page.content()
        page.close()
    assert () == box.sandbox.events


def test_another_name_for_this_machine_finds_nothing(box: Box, chromium: Any) -> None:
    """A name that somebody has made to point here would be the same origin as the page; it is refused."""
    flags = [*stage.FLAGS[:-1], "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    browser = chromium.browser_type.launch(executable_path=stage.CHROMIUM, args=flags)
    page = browser.new_page()
    reply = page.goto(box.url.replace("127.0.0.1", "evil.example"))
    assert 403 == reply.status
    assert "127.0.0.1 only" in page.content()
    reply = page.goto(box.url)
    assert 200 == reply.status
    browser.close()


_AXE = """async () => {
  const found = await axe.run();
  return found.violations.map(v => ({
    rule: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ' ' + n.html.slice(0, 120))
  }));
}"""


def show_everything(box: Box, tab: Tab) -> None:
    """Let every kind of bubble, row and note be on the page."""
    ann = box.sandbox.user("ann")
    ann.enters_session()
    ann.says("Hello! Has my order left yet?")
    box.answers(tab.lang)
    ann.sends_card(title="a card", pagepath="pages/a")
    ann.sends_image(b"no picture")
    box.sends({"touser": "ann", "msgtype": "text", "text": {"content": "https://example.com/ <b>"}})
    tab.page.locator("#people button").filter(has_text="ann").click()
    box.sandbox.user("bob").says("I am Bob.")
    assert 45015 == box.refuses("carl")
    box.sandbox.fail_next(errcode=-1, path="/cgi-bin/getcallbackip")
    set_typing(box.pool, box.token, "ann")
    tab.call("45015").click()
    tab.page.locator("#pushes tr.row").first.click()
    tab.page.locator(".full .parts").nth(1).wait_for()
    tab.page.get_by_text(tab.words["is_typing"]).wait_for()
    tab.page.locator("#people .new").wait_for()
    tab.button("clear").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 900, 390])
def test_axe_finds_nothing(
    box: Box, opened: Open, axe: Path, shots: Path, scheme: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both themes and at three widths, empty and full, in both languages."""
    found: list[dict[str, Any]] = []
    for lang in LANGUAGES:
        # axe is no part of the page: the page's policy would refuse it.
        tab = opened(box, lang, width, color_scheme=scheme, bypass_csp=True)
        tab.page.evaluate(axe.read_text("utf-8"))
        found += tab.page.evaluate(_AXE)
        show_everything(box, tab)
        found += tab.page.evaluate(_AXE)
        tab.page.screenshot(path=str(shots / f"page_{width}_{scheme}_{lang}.png"), full_page=width < 1000)
        assert tab.page.evaluate("document.documentElement.scrollWidth") == width
        box.sandbox.advance(49 * 3600)
    with capsys.disabled():
        print(f"\naxe-core: {len(found)} findings on the page, {scheme}, {width} px", *found, sep="\n  ")
    assert [] == found


def test_the_theme_can_be_chosen(box: Box, opened: Open) -> None:
    """Against the system's, and it stays so when the page is loaded again."""
    tab = opened(box, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.page.evaluate(ground)
    tab.page.locator("#theme").select_option("dark")
    dark = tab.page.evaluate(ground)
    assert light != dark
    tab.page.reload()
    tab.page.wait_for_function(f"{ground} === '{dark}'")
    tab.page.locator("#theme").select_option("light")
    assert light == tab.page.evaluate(ground)
    tab.is_clean()


def test_an_account_can_be_chosen(opened: Open) -> None:
    """Each has its customers and its log; the address remembers which one is shown, and acts are done there."""
    other = Sandbox(appid="wxother", clock=time.time)
    with ExitStack() as stack:
        box = Box(stack, other)
        box.sandbox.user("ann").says("in the first")
        tab = opened(box)
        tab.bubble("in the first", mine=True).wait_for()
        tab.field("account").select_option("wxother")
        tab.page.get_by_text(tab.words["nobody"]).wait_for()
        assert 0 == tab.page.locator("#talk > *, #people > *").count()
        tab.field("openid").fill("zoe")
        tab.button("add").click()
        tab.field("write").fill("in the second")
        tab.button("send").click()
        tab.bubble("in the second", mine=True).wait_for()
        assert ["in the second"] == [event.fields["Content"] for event in other.events]
        other.pool().request("GET", "/cgi-bin/getcallbackip")
        tab.call("41001").wait_for()
        tab.page.reload()
        tab.bubble("in the second", mine=True).wait_for()
        tab.field("account").select_option("wxsandbox000000001")
        tab.bubble("in the first", mine=True).wait_for()
        tab.is_clean()


def test_two_pages_show_the_same(box: Box, opened: Open) -> None:
    """A teacher's on the projector, and a second one; what one does, the other shows."""
    first, second = opened(box), opened(box, "zh")
    first.field("openid").fill("ann")
    first.button("add").click()
    first.field("write").fill("hello")
    first.button("send").click()
    second.bubble("hello", mine=True).wait_for()
    for tab in (first, second):
        tab.is_clean()


def test_the_end_of_the_sandbox_is_told(opened: Open) -> None:
    """A page that does not change any more would look alive."""
    with ExitStack() as stack:
        tab = opened(Box(stack))
        assert tab.page.locator("#lost").is_hidden()
    tab.page.get_by_role("alert").get_by_text(tab.words["lost"]).wait_for()


_UNTIL = """said => new Promise(resolve => {
  const talk = document.getElementById('talk');
  const look = () => talk.innerText.includes(said) && resolve(Date.now());
  new MutationObserver(look).observe(talk, {childList: true, subtree: true});
  look();
})"""


def test_a_busy_sandbox_leaves_the_page_quick(box: Box, opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """With a thousand customers and ten thousand calls, before and while it is open: only the last ones are shown."""
    for number in range(1000):
        box.sandbox.user(f"customer{number}").says("hi")
    ann = box.sandbox.user("ann")
    ann.says("hello")
    tab = opened(box)
    tab.bubble("hello", mine=True).wait_for()
    began = time.perf_counter()
    for _ in range(10_000):
        box.pool.request("GET", "/cgi-bin/getcallbackip")
    calls = time.perf_counter() - began
    assert 45015 == box.refuses("nobody")
    tab.call("45015").wait_for()
    shown = time.perf_counter() - began - calls
    assert 500 == tab.page.locator("#calls tr.row").count()
    assert 1000 == tab.page.locator("#people > li").count()
    delays = []
    for number in range(20):
        sent = time.time()
        ann.says(f"message {number}.")
        delays.append(tab.page.evaluate(_UNTIL, f"message {number}.") / 1000 - sent)
    tab.field("openid").fill("customer77")
    tab.page.locator("#people > li:visible").nth(10).wait_for()
    assert 11 == tab.page.locator("#people > li:visible").count()
    with capsys.disabled():
        print(f"\n10,000 calls in {calls:.1f} s with the page open, the last one shown after {shown:.2f} s; "
              f"a message is on the phone after {max(delays):.2f} s at most")  # fmt: skip
    tab.is_clean()
