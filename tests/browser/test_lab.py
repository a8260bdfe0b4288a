"""The whole job in JupyterLab, in a real browser: by mouse, by keyboard, under attack, saved, checked and measured."""

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import Notebook
from wxcs_lite.panel.texts import LANGUAGES
from wxcs_lite.sandbox import sunset

Open = Callable[..., Notebook]
LINK = {
    "title": "Track your parcel",
    "description": "Where it is now, updated every hour",
    "url": "https://example.com/track/42",
    "thumb_url": "https://example.com/map.png",
}
CARD = {"title": "Your order", "pagepath": "pages/order?id=42"}
LINK_ZH = {**LINK, "title": "物流跟踪", "description": "每小时更新一次位置"}
CARD_ZH = {**CARD, "title": "您的订单"}
TALK = {
    "en": ("Hello! Has my order left yet?", "Hi Ann! It is on its way: tomorrow afternoon.", "May I see the parcel?"),
    "zh": ("您好，我的订单发货了吗？", "您好！已经在路上，明天下午送到。", "能看一下包裹吗？"),
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "parcel.png"
    path.write_bytes(sunset(240, 160))
    return path


def whole_job(nb: Notebook, lang: str, photo: Path) -> None:
    """The customer asks, the agent types and answers with text, picture, link and card; the phone shows each."""
    question, answer, more = TALK[lang]
    nb.says(question)
    nb.desk.locator(".wxcs-in").filter(has_text=question).wait_for()
    nb.press(nb.desk, "typing_on")
    nb.desk.get_by_text(re.compile(r"another \d+ s|\d+ 秒")).wait_for()
    nb.phone.get_by_text(nb.words["is_typing"]).wait_for()
    nb.field("content").fill(answer)
    nb.sends(".wxcs-text")
    nb.phone.get_by_text(nb.words["service"], exact=True).wait_for()
    nb.says(more)
    nb.press(nb.desk, "kind_image")
    nb.uploads(photo)
    nb.sends(".wxcs-image img")
    nb.press(nb.desk, "kind_link")
    for key, value in (LINK_ZH if lang == "zh" else LINK).items():
        nb.field(key).fill(value)
    nb.sends(".wxcs-link")
    nb.press(nb.desk, "kind_miniprogrampage")
    nb.uploads(photo)
    for key, value in (CARD_ZH if lang == "zh" else CARD).items():
        nb.field(key).fill(value)
    nb.sends(".wxcs-card img")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_whole_job_by_mouse(opened: Open, photo: Path, shots: Path, lang: str) -> None:
    """In English and in Chinese; then the window closes, and the error is explained."""
    nb = opened(lang)
    whole_job(nb, lang, photo)
    nb.press(nb.desk, "kind_text")
    nb.field("content").fill("Anything else?" if lang == "en" else "还有什么可以帮您？")
    nb.desk.get_by_text(nb.words["fine"]).wait_for()
    nb.page.locator(".wxcs-both").screenshot(path=str(shots / f"panel_{lang}.png"))
    nb.press(nb.desk, "typing_on")
    nb.phone.get_by_text(nb.words["is_typing"]).wait_for()
    nb.page.locator(".wxcs-both").screenshot(path=str(shots / f"typing_{lang}.png"))
    nb.press(nb.phone, "two_days")
    nb.desk.get_by_text(nb.words["window_closed"]).wait_for()
    nb.press(nb.desk, "send")
    alert = nb.desk.get_by_role("alert")
    alert.get_by_text("45015").wait_for()
    told = alert.inner_text()
    assert all(nb.words[key] in told for key in ("cause", "remedy", "retry", "surely_not"))
    assert "rid" in told
    assert nb.field("content").input_value()
    nb.page.locator(".wxcs-both").screenshot(path=str(shots / f"closed_{lang}.png"))
    assert [] == nb.troubles


_REACH = """element => {
  const active = document.activeElement;
  if (active === element) return 0;
  return active.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING ? 1 : -1;
}"""


class Keys:
    """Hands that have no mouse: Tab and Shift+Tab until the wanted control has the focus."""

    def __init__(self, nb: Notebook) -> None:
        self.nb, self.keyboard = nb, nb.page.keyboard

    def to(self, locator: Any) -> None:
        element = locator.element_handle()
        for _ in range(150):
            way = self.nb.page.evaluate(_REACH, element)
            if not way:
                return
            self.keyboard.press("Tab" if way > 0 else "Shift+Tab")
        raise AssertionError(f"Tab does not lead to {locator}")

    def button(self, half: Any, key: str, with_key: str = "Enter") -> None:
        self.to(half.get_by_role("button", name=self.nb.words[key], exact=True))
        self.keyboard.press(with_key)

    def write(self, locator: Any, text: str) -> None:
        self.to(locator)
        self.keyboard.press("Control+a")
        self.keyboard.type(text)

    def picks(self, path: Path) -> None:
        """Open the file chooser and pick; a press that meets a button which is still being drawn is made again."""
        choosers: list[Any] = []
        self.nb.page.once("filechooser", lambda chooser: choosers.append(chooser))
        for _ in range(6):
            self.nb.page.wait_for_timeout(400)
            self.to(self.nb.desk.locator(".widget-upload").locator("visible=true"))
            self.keyboard.press("Enter")
            self.nb.page.wait_for_timeout(1500)
            if choosers:
                break
        choosers[0].set_files(str(path))
        self.nb.desk.get_by_text(path.name).wait_for()


def test_the_whole_job_by_keyboard_alone(opened: Open, photo: Path) -> None:
    """Not one click, from running the cell to the expired window; a hurried Enter sends the whole text."""
    nb = opened(run=False)
    keys = Keys(nb)
    for _ in range(3):  # the heading's cell, the one that sees that all is installed, then the panel's
        nb.page.keyboard.press("Shift+Enter")
    nb.desk.wait_for()
    message = nb.phone.get_by_label(nb.words["write"], exact=True)
    keys.write(message, "Hello! Has my order left yet?")
    keys.button(nb.phone, "write_send", "Space")
    nb.phone.locator(".wxcs-mine").filter(has_text="Hello! Has my order left yet?").wait_for()
    keys.button(nb.desk, "typing_on")
    nb.phone.get_by_text(nb.words["is_typing"]).wait_for()
    keys.write(nb.field("content"), "Hi Ann! It is on its way.")
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-row:not(.wxcs-mine)").get_by_text("Hi Ann! It is on its way.", exact=True).wait_for()
    keys.button(nb.desk, "kind_image", "Space")
    keys.picks(photo)
    keys.button(nb.desk, "upload")
    nb.desk.get_by_text(nb.words["uploaded"]).wait_for()
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-image img").wait_for()
    keys.button(nb.desk, "kind_link", "Space")
    for key, value in LINK.items():
        keys.write(nb.field(key), value)
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-link").wait_for()
    keys.button(nb.desk, "kind_miniprogrampage", "Space")
    keys.picks(photo)
    keys.button(nb.desk, "upload")
    nb.desk.get_by_text(nb.words["uploaded"]).wait_for()
    for key, value in CARD.items():
        keys.write(nb.field(key), value)
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-card img").wait_for()
    keys.button(nb.phone, "two_days")
    keys.button(nb.desk, "kind_text", "Space")
    keys.write(nb.field("content"), "too late")
    keys.button(nb.desk, "send")
    nb.desk.get_by_role("alert").get_by_text("45015").wait_for()
    for kind in ("python", "http", "curl"):  # ready to copy
        keys.button(nb.desk, f"look_{kind}", "Space")
    # The kernel answers after the key: what stands in the field before is the look chosen last.
    nb.page.wait_for_function(
        "() => [...document.querySelectorAll('textarea')].some(area => area.value.includes('WXCS_TOKEN'))"
    )
    keys.to(nb.field("copy"))
    keys.keyboard.press("Control+a")
    assert "WXCS_TOKEN" in nb.page.evaluate("document.getSelection().toString()")
    cells = json.loads(nb.file.read_text("utf-8"))["cells"]
    assert len(cells) == nb.page.locator(".jp-Cell").count()  # no key became a command of the notebook's
    assert [] == nb.troubles


ATTACKS = (
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    '"><svg onload="window.hacked = 1">',
    "</style><style>body{display:none}</style>",
    "' onmouseover='window.hacked=1' x='",
    "<iframe src=https://evil.example/></iframe>",
)


def test_an_attack_is_text_and_runs_nothing(opened: Open, photo: Path) -> None:
    """On both sides, in every field, in previews, in the history, in an openid; and no remote request is made."""
    nb = opened()
    for attack in ATTACKS:
        nb.says(attack)
        nb.desk.locator(".wxcs-said").filter(has_text=attack).first.wait_for()
        nb.field("content").fill(attack)
        nb.desk.locator(".wxcs-look .wxcs-text").filter(has_text=attack).wait_for()
        nb.sends(".wxcs-text")
        nb.phone.locator(".wxcs-row:not(.wxcs-mine) .wxcs-text").get_by_text(attack, exact=True).wait_for()
    nb.says("again")
    nb.press(nb.desk, "kind_link")
    for key in ("title", "description", "thumb_url"):
        nb.field(key).fill(ATTACKS[1])
    nb.field("url").fill("javascript:window.hacked=1")
    nb.sends(".wxcs-link")
    assert 0 == nb.page.locator(".wxcs-both a").count()
    nb.press(nb.desk, "kind_miniprogrampage")
    nb.uploads(photo)
    nb.field("title").fill(ATTACKS[0])
    nb.field("pagepath").fill(ATTACKS[4])
    nb.sends(".wxcs-card")
    nb.press(nb.desk, "kind_raw")
    nb.field("raw").fill(json.dumps({"msgtype": ATTACKS[2], ATTACKS[2]: {"title": ATTACKS[1]}}))
    nb.desk.locator(".wxcs-look .wxcs-raw").wait_for()
    nb.python(
        "from wxcs_lite.push import Push\n"
        f"for attack in {ATTACKS!r}:\n"
        "    shown.desk.receive(Push({'FromUserName': attack, 'MsgType': 'text', 'Content': attack}))\n"
        "    shown.desk.receive(Push({'FromUserName': attack, 'MsgType': attack, 'Event': attack}))\n"
        "    shown.desk.view.touser.value = attack\n"
        "    shown.desk.send()\n"
    )
    nb.desk.locator(".wxcs-meta").filter(has_text=ATTACKS[5]).first.wait_for()
    for element in nb.phone.locator(".wxcs-bubble").all():
        element.hover()
    nb.page.wait_for_timeout(500)
    assert nb.page.evaluate("window.hacked") is None
    assert (
        0 == nb.page.locator(".wxcs-both iframe, .wxcs-both script, .wxcs-both [onerror], .wxcs-both [onload]").count()
    )
    assert nb.page.evaluate("getComputedStyle(document.body).display") != "none"
    assert [] == nb.troubles
    assert [] == [url for url in nb.asked if not url.startswith(("http://127.0.0.1", "data:", "blob:"))]


_SECRETS = """
import json, pathlib
from wxcs_lite.push import push_app
push_token, aes_key = "pushTokenOfTheTest", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0"
app = push_app(shown.desk.receive, token=push_token, aes_key=aes_key, appid=shown.sandbox.appid)
shown.sandbox.push_to(app, token=push_token, aes_key=aes_key)
shown.sandbox.user("oOPENID_OF_BOB").says("a text of Bob's")
shown.desk.view.touser.value = "ann"
token = str(shown.desk._calls._token())
pathlib.Path(PATH).write_text(json.dumps([token, str(shown.sandbox.secret), push_token, aes_key]))
"""


def test_a_saved_notebook_holds_no_secret_and_after_close_nothing(opened: Open, photo: Path, tmp_path: Path) -> None:
    """With "Save Widget State Automatically" on: once while everything is shown, once after close()."""
    nb = opened()
    nb.python(_SECRETS.replace("PATH", repr(str(tmp_path / "secrets.json"))))
    whole_job(nb, "en", photo)
    nb.press(nb.desk, "kind_image")
    nb.picks(photo)
    secrets = json.loads((tmp_path / "secrets.json").read_text())
    saved = nb.save()
    widgets = json.loads(saved)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    files = [widget for widget in widgets.values() if widget["model_name"] == "FileUploadModel"]
    assert 2 == len(files)
    assert all(not file["state"].get("value") and not file.get("buffers") for file in files)
    assert "a text of Bob" in saved  # otherwise the test would prove nothing
    assert "data:image/png;base64," in saved
    for secret in secrets:
        assert len(secret) > 10
        assert secret not in saved
    nb.python("shown.close()")
    nb.desk.wait_for(state="detached")
    after = nb.save()
    for trace in (
        *secrets,
        "a text of Bob",
        "oOPENID_OF_BOB",
        TALK["en"][0],
        "data:image",
        "iVBORw0KGgo",
        "example.com",
    ):
        assert trace not in after
    state = json.loads(after)["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    assert '"ann"' not in json.dumps(state)
    assert not [model for model in state.get("state", {}).values() if model["model_name"] != "LayoutModel"]


_AXE = """async () => {
  const found = await axe.run('.wxcs-both');
  return found.violations.map(v => ({
    rule: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ' ' + n.html.slice(0, 120))
  }));
}"""


def test_axe_finds_nothing_serious(opened: Open, photo: Path, axe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the panel's subtree, with every form, every extra and every kind of bubble shown; all findings are listed."""
    nb = opened()
    nb.page.add_script_tag(path=str(axe))
    found: list[dict[str, Any]] = nb.page.evaluate(_AXE)
    whole_job(nb, "en", photo)
    nb.press(nb.desk, "more_download")
    nb.press(nb.desk, "more_export")
    for kind, look in (("text", "phone"), ("image", "python"), ("link", "http"), ("raw", "curl")):
        nb.press(nb.desk, f"kind_{kind}")
        nb.press(nb.desk, f"look_{look}")
        found += nb.page.evaluate(_AXE)
    nb.python("shown.phone.send_picture()\nshown.phone.enter_session()\nshown.desk.show_typing()\nshown.desk.send()")
    nb.desk.get_by_role("alert").wait_for()
    found += nb.page.evaluate(_AXE)
    nb.press(nb.desk, "language")
    nb.page.wait_for_timeout(500)
    found += nb.page.evaluate(_AXE)
    with capsys.disabled():
        print(f"\naxe-core: {len(found)} findings on the panel's subtree", *found, sep="\n  ")
    assert [] == [finding for finding in found if finding["impact"] in ("serious", "critical")]


_TIMED = """async text => {
  const desk = document.querySelector('.wxcs-desk'), talk = document.querySelector('.wxcs-talk');
  const send = [...desk.querySelectorAll('button')].find(button => button.innerText === 'Send');
  return await new Promise(resolve => {
    const begun = performance.now();
    const watch = new MutationObserver(() => {
      if (talk.innerText.includes(text)) { watch.disconnect(); resolve(performance.now() - begun); }
    });
    watch.observe(talk, {childList: true, subtree: true, characterData: true});
    send.click();
  });
}"""


def test_from_click_to_bubble(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty sends; the answer is there before one could think of waiting."""
    nb = opened()
    times = []
    for number in range(50):
        if number % 5 == 0:
            nb.says(f"question {number}.")
        nb.field("content").fill(f"answer {number}.")
        nb.page.wait_for_timeout(450)  # a hand on its way from the keys to the mouse
        times.append(nb.page.evaluate(_TIMED, f"answer {number}."))
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[18]
    with capsys.disabled():
        print(f"\nfrom click to bubble, 50 sends: median {median:.0f} ms, p95 {p95:.0f} ms")
    assert 50 == len(times)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [480, 820])
def test_narrow(opened: Open, photo: Path, shots: Path, lang: str, width: int) -> None:
    """The phone moves below the desk; nothing is wider than the page."""
    nb = opened(lang, width=width, height=2300)
    nb.command("application:toggle-left-area")
    whole_job(nb, lang, photo)
    nb.press(nb.desk, "kind_text")
    nb.page.wait_for_timeout(300)
    nb.page.locator(".wxcs-both").screenshot(path=str(shots / f"narrow_{width}_{lang}.png"))
    desk, phone = nb.desk.bounding_box(), nb.phone.bounding_box()
    assert desk is not None
    assert phone is not None
    assert phone["y"] > desk["y"] + desk["height"] or phone["x"] > desk["x"] + desk["width"]
