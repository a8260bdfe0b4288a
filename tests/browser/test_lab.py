"""The whole job in JupyterLab, in a real browser: by mouse, by keyboard, under attack, saved, checked and measured."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.job import CARD, LINK, TALK, whole_job
from tests.browser.stage import ROOT, Notebook
from wxcs_lite.panel.texts import LANGUAGES

Open = Callable[..., Notebook]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_whole_job_by_mouse(opened: Open, photo: Path, shots: Path, lang: str) -> None:
    """In English and in Chinese; then the window closes, and the error is explained."""
    nb = opened(lang)
    whole_job(nb, lang, photo)
    nb.choose("kind", "text")
    nb.field("content").fill("Anything else?" if lang == "en" else "还有什么可以帮您？")
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

    def choose(self, key: str, value: str) -> None:
        self.to(self.nb.option(key, value))
        self.keyboard.press("Space")

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
    keys.keyboard.press("Enter")
    nb.phone.locator(".wxcs-mine").filter(has_text="Hello! Has my order left yet?").wait_for()
    keys.button(nb.desk, "typing_on")
    nb.phone.get_by_text(nb.words["is_typing"]).wait_for()
    keys.write(nb.field("content"), "Hi Ann! It is on its way.")
    keys.keyboard.press("Enter")
    nb.phone.locator(".wxcs-row:not(.wxcs-mine)").get_by_text("Hi Ann! It is on its way.", exact=True).wait_for()
    keys.picks(photo)
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-image img").wait_for()
    keys.choose("kind", "link")
    nb.field("url").wait_for()
    for key, value in LINK.items():
        keys.write(nb.field(key), value)
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-link").wait_for()
    keys.choose("kind", "miniprogrampage")
    nb.field("pagepath").wait_for()
    keys.picks(photo)
    for key, value in CARD.items():
        keys.write(nb.field(key), value)
    keys.button(nb.desk, "send")
    nb.phone.locator(".wxcs-card img").wait_for()
    keys.button(nb.phone, "two_days")
    keys.choose("kind", "text")
    nb.field("content").wait_for()
    keys.write(nb.field("content"), "too late")
    keys.button(nb.desk, "send")
    nb.desk.get_by_role("alert").get_by_text("45015").wait_for()
    for kind in ("python", "http", "curl"):  # ready to copy
        keys.choose("look", kind)
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
    nb.choose("look", "phone")
    for attack in ATTACKS:
        nb.says(attack)
        nb.desk.locator(".wxcs-in").filter(has_text=attack).first.wait_for()
        nb.field("content").fill(attack)
        nb.field("content").blur()
        nb.desk.locator(".wxcs-look .wxcs-text").filter(has_text=attack).wait_for()
        nb.sends(".wxcs-text")
        nb.phone.locator(".wxcs-row:not(.wxcs-mine) .wxcs-text").get_by_text(attack, exact=True).wait_for()
    nb.says("again")
    nb.choose("kind", "link")
    for key in ("title", "description", "thumb_url"):
        nb.field(key).fill(ATTACKS[1])
    nb.field("url").fill("javascript:window.hacked=1")
    nb.sends(".wxcs-link")
    assert 0 == nb.page.locator(".wxcs-both a").count()
    nb.choose("kind", "miniprogrampage")
    nb.picks(photo)
    nb.field("title").fill(ATTACKS[0])
    nb.field("pagepath").fill(ATTACKS[4])
    nb.sends(".wxcs-card")
    nb.choose("kind", "raw")
    nb.field("raw").fill(json.dumps({"msgtype": ATTACKS[2], ATTACKS[2]: {"title": ATTACKS[1]}}))
    nb.field("raw").blur()
    nb.desk.locator(".wxcs-look .wxcs-raw").wait_for()
    nb.python(
        "from wxcs_lite.push import Push\n"
        f"for attack in {ATTACKS!r}:\n"
        "    shown.desk.receive(Push({'FromUserName': attack, 'MsgType': 'text', 'Content': attack}))\n"
        "    shown.desk.receive(Push({'FromUserName': attack, 'MsgType': attack, 'Event': attack}))\n"
        "    shown.desk.select(attack)\n"
        "    shown.desk.send()\n"
    )
    nb.desk.get_by_role("heading", name=ATTACKS[5]).wait_for()
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
shown.desk.select("ann")
token = str(shown.desk._calls._token())
pathlib.Path(PATH).write_text(json.dumps([token, str(shown.sandbox.secret), push_token, aes_key]))
"""


def test_a_saved_notebook_holds_no_secret_and_after_close_nothing(opened: Open, photo: Path, tmp_path: Path) -> None:
    """With "Save Widget State Automatically" on: once while everything is shown, once after close()."""
    nb = opened()
    nb.python(_SECRETS.replace("PATH", repr(str(tmp_path / "secrets.json"))))
    whole_job(nb, "en", photo)
    nb.choose("kind", "text")
    nb.picks(photo)
    secrets = json.loads((tmp_path / "secrets.json").read_text())
    saved = nb.save()
    widgets = json.loads(saved)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    files = [widget for widget in widgets.values() if widget["model_name"] == "FileUploadModel"]
    assert len(files) > 1  # of the phone, of the form that is shown, and of those that were left a moment ago
    assert all(not file["state"].get("value") and not file.get("buffers") for file in files)
    assert "a text of Bob" in saved  # otherwise the test would prove nothing
    assert "data:image/png;base64," in saved
    for secret in secrets:
        assert len(secret) > 10
        assert secret not in saved
    nb.python("shown.close()")
    nb.desk.wait_for(state="detached")
    after = nb.save()
    lesson = (ROOT / "notebooks/11_the_panel.ipynb").read_text("utf-8")  # which shows a picture of the panel
    for trace in (
        *secrets,
        "a text of Bob",
        "oOPENID_OF_BOB",
        TALK["en"][0],
        "data:image",
        "iVBORw0KGgo",
        "example.com",
    ):
        assert lesson.count(trace) == after.count(trace)
    state = json.loads(after)["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    assert '"ann"' not in json.dumps(state)
    assert not [model for model in state.get("state", {}).values() if model["model_name"] != "LayoutModel"]


_AXE = """async () => {
  const found = await axe.run('.wxcs-both');
  return found.violations.map(v => ({
    rule: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ' ' + n.html.slice(0, 120))
  }));
}"""


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing(
    opened: Open, photo: Path, axe: Path, theme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every form, every extra, every kind of bubble, an error and thirty customers, in both themes."""
    nb = opened()
    nb.theme(theme)
    nb.page.add_script_tag(path=str(axe))
    found: list[dict[str, Any]] = nb.page.evaluate(_AXE)
    nb.python(THIRTY)
    nb.python("shown.desk.select('ann')")
    whole_job(nb, "en", photo)
    nb.press(nb.desk, "more")
    nb.press(nb.desk, "many_lines")
    for kind, look in (("text", "phone"), ("image", "python"), ("link", "http"), ("raw", "curl")):
        nb.choose("kind", kind)
        nb.choose("look", look)
        nb.page.wait_for_timeout(300)
        found += nb.page.evaluate(_AXE)
    nb.choose("kind", "text")
    nb.field("content").fill("好" * 700)
    nb.python("shown.phone.send_picture()\nshown.phone.enter_session()\nshown.phone.advance_two_days()")
    nb.press(nb.desk, "send")
    nb.desk.get_by_role("alert").wait_for()
    found += nb.page.evaluate(_AXE)
    nb.press(nb.desk, "language")
    nb.page.wait_for_timeout(500)
    found += nb.page.evaluate(_AXE)
    with capsys.disabled():
        print(f"\naxe-core, {theme}: {len(found)} findings on the panel's subtree", *found, sep="\n  ")
    assert [] == found


def test_screen_readers_find_their_way(opened: Open) -> None:
    """Headings, what is chosen, who is shown, and a log that says what is new, by name."""
    nb = opened()
    nb.says("Hello!")
    nb.desk.get_by_role("heading", name=nb.words["desk"], level=2).wait_for()
    nb.desk.get_by_role("heading", name="ann", level=3).wait_for()
    nb.desk.get_by_role("log", name=nb.words["news"]).get_by_text("ann: Hello!").wait_for(state="attached")
    assert nb.desk.get_by_role("listbox", name=nb.words["customers"]).get_by_role("option", selected=True).count() == 1
    assert nb.option("kind", "text").is_checked()
    assert not nb.option("kind", "link").is_checked()
    assert not nb.desk.get_by_role("checkbox", name=nb.words["ai_label"]).is_checked()
    assert nb.page.locator(".wxcs-desk [lang=en]").count() > 3
    nb.press(nb.desk, "language")
    nb.page.locator(".wxcs-desk h2").get_by_text("客服工作台").wait_for()
    # Each text is a message of its own, and the heading's comes first.
    nb.page.wait_for_function("() => !document.querySelector('.wxcs-desk [lang=en]')")


THIRTY = """
for number in range(30):
    for word in range(1 + number % 3):
        shown.sandbox.user(f"customer-{number:02}").says(f"question {number}, {word}")
shown.desk.refresh()
"""


_IN_FIELD = "() => document.activeElement.placeholder === document.querySelector('.wxcs-fields input').placeholder"


def inboxes(nb: Notebook, *numbers: int) -> list[list[str]]:
    names = [f"customer-{number:02}" for number in numbers]
    return nb.value(  # type: ignore[no-any-return]
        f"[[one.message['text']['content'] for one in shown.sandbox.user(name).inbox] for name in {names!r}]"
    )


def test_thirty_customers_and_each_gets_their_own_answer(opened: Open, shots: Path) -> None:
    """Three by mouse, three by keyboard alone; a hurried change of customer takes no letter along."""
    nb = opened(width=1366, height=768)
    nb.python(THIRTY)
    for number in (3, 1, 2):
        nb.opens(f"customer-{number:02}")
        nb.field("content").fill(f"to {number}")
        nb.press(nb.desk, "send")
        nb.desk.locator(".wxcs-out").filter(has_text=f"to {number}").locator(".wxcs-ok").wait_for()
        nb.page.wait_for_timeout(300)  # a hand on its way
    keys = Keys(nb)
    search = nb.field("search")
    for number in (12, 10, 11):
        keys.write(search, f"customer-{number}")
        keys.keyboard.press("Enter")
        nb.desk.get_by_role("heading", name=f"customer-{number}", exact=True).wait_for()
        nb.page.wait_for_function(_IN_FIELD)  # without a Tab
        keys.keyboard.type(f"to {number}")
        keys.keyboard.press("Enter")
        nb.desk.locator(".wxcs-out").get_by_text(f"to {number}", exact=True).wait_for()
    keys.write(nb.field("content"), "a secret of customer-11")
    nb.opens("customer-05")  # in the middle of a word
    nb.field("content").fill("to 5")
    nb.field("content").press("Enter")
    nb.desk.locator(".wxcs-out").get_by_text("to 5", exact=True).wait_for()
    expected = [*([f"to {number}"] for number in (1, 2, 3, 5, 10, 11, 12)), []]
    assert expected == inboxes(nb, 1, 2, 3, 5, 10, 11, 12, 4)
    nb.opens("customer-11")
    nb.page.wait_for_timeout(300)
    assert "a secret of customer-11" == nb.field("content").input_value()
    nb.desk.screenshot(path=str(shots / "thirty.png"))
    assert [] == nb.troubles


def test_enter_sends_all_the_letters_and_leaving_sends_none(opened: Open) -> None:
    """However hurried; blur and Tab leave the text where it is, and a second Enter sends nothing more."""
    nb = opened()
    nb.says("Hello!")
    content = nb.field("content")
    content.press_sequentially("left by tab")
    content.press("Tab")
    content.press_sequentially(", then by blur")
    content.blur()
    nb.page.wait_for_timeout(600)
    assert [] == nb.value("[one.message for one in shown.sandbox.user('ann').inbox]")
    for number in range(5):
        content.fill("")
        content.press_sequentially(f"sent by enter {number}")
        content.press("Enter")
        content.press("Enter")
        nb.phone.get_by_text(f"sent by enter {number}", exact=True).wait_for()
    sent = nb.value("[one.message['text']['content'] for one in shown.sandbox.user('ann').inbox]")
    assert [f"sent by enter {number}" for number in range(5)] == sent


def test_who_has_scrolled_up_stays_there(opened: Open) -> None:
    """A push moves nothing; at the end, the latest is in view."""
    nb = opened()
    nb.python("for number in range(60): shown.sandbox.user('ann').says(f'line {number}')\nshown.desk.refresh()")
    last = nb.desk.locator(".wxcs-in").last
    last.get_by_text("line 59").wait_for()
    assert nb.page.evaluate(_IN_VIEW, "line 59")
    nb.page.evaluate("document.querySelector('.wxcs-desk .wxcs-screen').scrollTop = -700")
    nb.page.wait_for_timeout(300)
    before = nb.page.evaluate(_TOP, "line 45")
    for number in range(60, 65):
        nb.says(f"line {number}")
        nb.page.wait_for_timeout(400)
    nb.page.wait_for_timeout(300)
    assert before == pytest.approx(nb.page.evaluate(_TOP, "line 45"), abs=3)
    assert not nb.page.evaluate(_IN_VIEW, "line 64")


_TOP = """text => [...document.querySelectorAll('.wxcs-desk .wxcs-text')].find(one => one.innerText === text)
  .getBoundingClientRect().top - document.querySelector('.wxcs-desk .wxcs-screen').getBoundingClientRect().top"""
_IN_VIEW = """text => {
  const pane = document.querySelector('.wxcs-desk .wxcs-screen').getBoundingClientRect();
  const all = [...document.querySelectorAll('.wxcs-desk .wxcs-text')];
  const row = all.find(one => one.innerText === text).getBoundingClientRect();
  return row.top >= pane.top && row.bottom <= pane.bottom + 1;
}"""


def test_a_thousand_sends_in_one_cell_freeze_no_phone(opened: Open) -> None:
    """Whatever the browser has not built yet stays alive; what is done next is seen."""
    nb = opened()
    nb.python(
        "for number in range(1000):\n"
        "    shown.sandbox.user('ann').says(f'line {number}')\n"
        "    shown.phone.refresh()\n"
        "shown.desk.refresh()"
    )
    nb.phone.locator(".wxcs-text").get_by_text("line 999", exact=True).wait_for()
    nb.says("still there")
    nb.desk.locator(".wxcs-in").get_by_text("still there", exact=True).wait_for()
    assert [] == nb.troubles


def test_a_saved_notebook_without_its_kernel_says_what_to_run(opened: Open, shots: Path) -> None:
    """One sentence, no dead button and no broken icon; so it does when a kernel has been restarted."""
    nb = opened()
    nb.says("Hello!")
    nb.page.wait_for_timeout(500)
    nb.save()
    again = opened(run=False, copy=nb.file)
    offline = again.page.locator(".wxcs-offline").locator("visible=true")
    offline.get_by_text(nb.words["offline"]).wait_for()
    assert 1 == offline.count()
    assert 0 == again.page.get_by_role("button", name=nb.words["send"], exact=True).count()
    again.page.locator(".jp-OutputArea").last.screenshot(path=str(shots / "offline.png"))


_TIMED = """async text => {
  const desk = document.querySelector('.wxcs-desk'), talk = document.querySelector('.wxcs-phone .wxcs-talk');
  const send = [...desk.querySelectorAll('button')].find(button => button.innerText === 'Send');
  return await new Promise(resolve => {
    const begun = performance.now();
    const watch = new MutationObserver(() => {
      if (talk.innerText.includes(text)) { watch.disconnect(); resolve(performance.now() - begun); }
    });
    watch.observe(talk, {childList: true, subtree: true, characterData: true});
    document.activeElement.blur();  // as a press of the mouse does
    send.click();
  });
}"""


@pytest.mark.parametrize("messages", [10, 10_000])
def test_from_click_to_bubble(opened: Open, messages: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty sends; what has been said before makes no difference. Measured, not judged: machines differ."""
    nb = opened()
    nb.python(f"for number in range({messages}): shown.sandbox.user('ann').says(f'line {{number}}')")
    for half in (nb.desk, nb.phone):
        half.locator(".wxcs-text").get_by_text(f"line {messages - 1}", exact=True).wait_for()
    times = []
    for number in range(50):
        if number % 5 == 0:
            nb.says(f"question {number}.")
        nb.field("content").fill(f"answer {number}.")
        nb.page.wait_for_timeout(450)  # a hand on its way from the keys to the mouse
        times.append(nb.page.evaluate(_TIMED, f"answer {number}."))
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[18]
    with capsys.disabled():
        print(f"\nfrom click to bubble, 50 sends after {messages}: median {median:.0f} ms, p95 {p95:.0f} ms")
    assert 50 == len(times)


def test_fifty_keys_are_few_messages(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """A text travels when it is left or sent, not with each key."""
    nb = opened()
    nb.says("Hello!")
    counted = []
    for number in range(3):  # a minute may pass in one of them, which countdowns tell
        nb.page.wait_for_timeout(1000)
        nb.frames.clear()
        nb.field("content").press_sequentially(f"fifty keys, each of which was a message until now{number}", delay=60)
        nb.field("content").blur()
        nb.page.wait_for_timeout(1000)
        counted.append((len(nb.frames), sum(nb.frames)))
    with capsys.disabled():
        print(f"\n50 keys: {min(counted)[0]} messages, {min(counted)[1]} bytes")
    assert 0 < min(counted)[0] < 34
    assert "until now2" in nb.value("shown.desk.conversation.draft.get('text', 'content')")
    models = nb.value("len(__import__('ipywidgets').widgets.widget._instances)")
    assert models < 120


def test_three_hundred_messages_make_a_saved_notebook_little_larger(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state of the widgets has what is drawn, each bubble once on the desk and once on the phone."""
    nb = opened()
    nb.page.wait_for_timeout(1000)
    sizes = [len(nb.save().encode())]
    said = "message {number:03}, of some forty letters in all"
    nb.python(f"for number in range(300): shown.sandbox.user('ann').says(f{said!r})")
    for half in (nb.desk, nb.phone):
        half.locator(".wxcs-text").get_by_text(said.format(number=299), exact=True).wait_for()
    nb.page.wait_for_timeout(1000)
    saved = nb.save()
    sizes.append(len(saved.encode()))
    with capsys.disabled():
        print(f"\nsaved notebook: {sizes[0]} bytes without messages, {sizes[1]} with 300 on desk and phone")
    drawn = saved.count(said.format(number=299)) + saved.count(said.format(number=250))
    assert drawn >= 4
    assert sizes[1] - sizes[0] < 300 * 300  # bytes


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [480, 820])
def test_narrow(opened: Open, photo: Path, shots: Path, lang: str, width: int) -> None:
    """The phone moves below the desk; nothing is wider than the page."""
    nb = opened(lang, width=width, height=2300)
    nb.command("application:toggle-left-area")
    whole_job(nb, lang, photo)
    nb.choose("kind", "text")
    nb.page.wait_for_timeout(300)
    nb.page.locator(".wxcs-both").screenshot(path=str(shots / f"narrow_{width}_{lang}.png"))
    desk, phone = nb.desk.bounding_box(), nb.phone.bounding_box()
    assert desk is not None
    assert phone is not None
    assert phone["y"] > desk["y"] + desk["height"] or phone["x"] > desk["x"] + desk["width"]


@pytest.mark.parametrize("width", [480, 820, 1360])
def test_a_press_takes_as_long_as_a_finger_does(opened: Open, width: int) -> None:
    """What is told of a field moves nothing when the field is left: Send is still there when the finger is lifted."""
    nb = opened(width=width)
    nb.command("application:toggle-left-area")
    nb.says("Hello!")
    nb.choose("kind", "link")
    for key, value in LINK.items():
        nb.field(key).fill(value)
    send = nb.desk.get_by_role("button", name=nb.words["send"], exact=True)
    send.scroll_into_view_if_needed()
    nb.page.wait_for_timeout(500)
    at = send.bounding_box()
    assert at is not None
    nb.page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    nb.page.mouse.down()
    nb.page.wait_for_timeout(400)  # the kernel has told meanwhile that nothing is missing any more
    assert at == send.bounding_box()
    nb.page.mouse.up()
    nb.phone.locator(".wxcs-link").wait_for()


_BOXES = """() => Object.fromEntries([...document.querySelectorAll(
  '.wxcs-both button, .wxcs-both input, .wxcs-both select')].filter(one => one.offsetParent).map(one => {
    const at = one.getBoundingClientRect(), label = one.closest('.jupyter-widgets').querySelector('label');
    const name = (one.tagName === 'BUTTON' ? one : label).innerText.replace(/[(（].*/, '');
    const key = [one.closest('.wxcs-phone') ? 'phone' : 'desk', one.type, name, one.type === 'radio' ? one.value : ''];
    return [key.join(' '), [at.x, at.y, at.height].map(Math.round)];
  }))"""


@pytest.mark.parametrize(("width", "lang"), [(480, "en"), (480, "zh"), (820, "zh"), (1360, "en")])
def test_what_is_told_moves_no_control(opened: Open, width: int, lang: str) -> None:
    """Remarks, errors, pushes, countdowns and names come and go while something is pressed: it is still there."""
    nb = opened(lang, width=width, height=1300)
    nb.command("application:toggle-left-area")
    nb.says("Hello!")
    nb.choose("kind", "link")
    nb.field("title").wait_for()
    nb.page.wait_for_timeout(500)
    nb.desk.get_by_role("button", name=nb.words["send"], exact=True).scroll_into_view_if_needed()
    before = nb.page.evaluate(_BOXES)
    assert len(before) > 20
    for told in (
        "draft = shown.desk.conversation.draft; draft.put('link', 'title', 't'); shown.desk.refresh()",
        "shown.desk.send()",
        "shown.desk.select('bob'); shown.sandbox.user('ann').says('more'); shown.desk.select('ann')",
        "for n in range(30): shown.sandbox.user(f'customer-{n:02}').says('a question')",
        "shown.desk.rename(shown.desk.conversation, 'Annabel Lee of the kingdom by the sea')",
        "for name in ('description', 'url', 'thumb_url'): draft.put('link', name, 'x' * 600)\nshown.desk.refresh()",
        "shown.sandbox.advance(48 * 3600); shown.desk.send()",
        "draft.choose('link'); shown.desk.refresh()",
        "shown.desk.toggle_typing()",
        "shown.sandbox.user('ann').says('again'); shown.desk.toggle_typing()",
        "shown.sandbox.advance(8)",
        "shown.desk.toggle_typing()",
        "shown.phone._picture = 'a-long-name-' * 9, b''; shown.phone.refresh()",
    ):
        nb.python(told)
        nb.page.wait_for_timeout(300)
        after = nb.page.evaluate(_BOXES)
        moved = {name: (at, after[name]) for name, at in before.items() if name in after and at != after[name]}
        assert {} == moved, told
        assert len(before.keys() - after.keys()) <= 1, told  # the button for typing has another name


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (480, 900)])
def test_all_that_an_answer_needs_is_on_the_screen(opened: Open, width: int, height: int) -> None:
    """List, conversation, what is told and every control; conversation and composer have most of the height."""
    nb = opened(width=width, height=height)
    nb.command("application:toggle-left-area")
    nb.python(THIRTY + "shown.sandbox.advance(48 * 3600)")
    nb.opens("customer-03")
    nb.field("content").fill("too late")
    nb.press(nb.desk, "send")
    nb.desk.get_by_role("alert").wait_for()
    first = ".wxcs-desk" if width > 1000 else ".wxcs-desk .wxcs-side"
    nb.page.evaluate("first => document.querySelector(first).scrollIntoView()", first)
    nb.page.wait_for_timeout(300)
    pane, screen = (nb.page.locator(name).bounding_box() for name in (".jp-WindowedPanel-outer", "#jp-main-statusbar"))
    assert pane is not None
    assert screen is not None
    wanted = [nb.desk.locator(f".wxcs-{name}") for name in ("side", "head-of-talk", "screens", "told", "composer")]
    wanted += [
        nb.desk.get_by_role("button", name=nb.words[key], exact=True) for key in ("send", "many_lines", "typing_on")
    ]
    wanted += [nb.desk.locator(".wxcs-people"), nb.desk.locator(".wxcs-foot-of-desk")] if width > 1000 else []
    for one in wanted:
        box = one.bounding_box()
        assert box is not None
        assert box["y"] >= pane["y"] - 1
        assert box["y"] + box["height"] <= screen["y"]
    desk, side = (nb.page.locator(name).bounding_box() for name in (".wxcs-desk", ".wxcs-side"))
    assert desk is not None
    assert side is not None
    assert side["height"] >= 0.6 * desk["height"]
