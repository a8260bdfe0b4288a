"""The panel's rules: no secret in a widget, nothing sent by itself, nothing left behind, a label on every control."""

import ast
import asyncio
import importlib
import json
import re
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances as alive

import wxcs_lite.panel
from tests.test_panel_desk import SEND, Stage, bubbles, picked, write
from wxcs_lite import TransportError, fresh_token, text
from wxcs_lite.look.words import Language
from wxcs_lite.panel import Desk, Phone, demo
from wxcs_lite.panel.calls import Calls
from wxcs_lite.panel.draft import KINDS, Draft
from wxcs_lite.panel.style import STYLE
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.panel.view.controls import Kit
from wxcs_lite.panel.view.talk import Talk
from wxcs_lite.panel.worker import Worker
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.transport import fetch_token

PACKAGE = Path(wxcs_lite.panel.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
PHOTO = sunset(64, 48)


def state() -> str:
    """Return what a notebook saves of all widgets that are alive, buffers too."""

    def carried(value: Any) -> str:
        return b64encode(value).decode() if isinstance(value, bytes | memoryview) else repr(value)

    return json.dumps([widget.get_state() for widget in list(alive.values())], default=carried, ensure_ascii=False)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Each test begins and ends with no widget of ours."""
    before = set(alive)
    yield
    assert set(alive) <= before


def test_no_secret_is_ever_in_a_widget_or_a_repr() -> None:
    """Not while it works, not when it fails, not when a server echoes the token."""
    stage = Stage(touser="ann")
    token = str(fetch_token(stage.pool, stage.sandbox.appid, stage.sandbox.secret))
    plain = Desk(stage.pool, token, touser="ann", clock=stage.sandbox.clock)
    secrets = (token, str(stage.sandbox.secret))
    stage.comes(stage.ann.says("hello?"))
    shown: list[str] = []
    for desk in (stage.desk, plain):
        write(desk, "hi")
        for kind in ("python", "http", "curl", "phone"):
            desk.view.look_kind.value = kind
            shown.append(state())
        desk.send()
        shown.append(state())
        echo: Any = (200, {}, b"echo " + token.encode())
        mishaps: list[dict[str, Any]] = [{"errcode": 40001, "errmsg": f"bad {token}"}, {"reply": echo}]
        for mishap in mishaps:
            stage.sandbox.fail_next(**mishap)
            write(desk, "hi")
            desk.send()
            shown.append(state())
        shown += [repr(desk), repr(vars(desk)), repr(desk._repr_mimebundle_()), json.dumps(desk.history)]
        shown += [repr(vars(desk._calls)), repr(desk._calls._token)]
    for secret in secrets:
        assert not [text for text in shown if secret in text]
    stage.desk.close()
    plain.close()


def test_the_repr_that_a_notebook_saves_says_nothing() -> None:
    """The text/plain of a widget would show its children's values; ours is one sentence that says what to run."""
    shown = demo()
    for panel in (shown, shown.desk, shown.phone):
        bundle = panel._repr_mimebundle_()
        assert bundle["text/plain"].splitlines() == [words(lang)["offline"] for lang in LANGUAGES]
        assert ({
            "version_major", "version_minor", "model_id",
        } == set(bundle["application/vnd.jupyter.widget-view+json"]))  # fmt: skip
    shown.close()


def test_picked_bytes_leave_the_state_and_close_takes_the_rest() -> None:
    """Pictures, texts and openids are in the state while they are shown, and not a moment longer."""
    before = set(alive)
    shown = demo()
    shown.phone.message.value = "a text of Ann's"
    shown.phone.write()
    for file in (shown.phone.file, shown.desk.view.composer.file):
        picked(file, PHOTO + b"x" * 50_000)
        assert () == file.value
    shown.desk.view.composer.fields["remove"].click()
    picked(shown.desk.view.composer.file, PHOTO)
    shown.desk.view.more.click()
    assert "a text of Ann" in state()
    assert b64encode(PHOTO)[:40].decode() in state()
    shown.close()
    assert set(alive) == before
    assert "a text of Ann" not in state()


@pytest.mark.parametrize("closer", ["Desk", "Phone"])
def test_each_half_closes_alone(closer: str) -> None:
    """Layouts and styles are widgets, too."""
    before = set(alive)
    stage = Stage(touser="ann")
    half = stage.desk if closer == "Desk" else Phone(stage.sandbox, "ann")
    half.close()
    stage.desk.close()
    assert set(alive) == before


def test_the_panel_says_what_it_keeps() -> None:
    """In one line, in both languages."""
    for lang in LANGUAGES:
        stage = Stage(lang=lang)
        assert words(lang)["note"].split()[0] in state()
        stage.desk.close()


def test_nothing_is_sent_but_by_a_press() -> None:
    """Every trait of every control is changed, in every kind of form: no request leaves."""
    stage = Stage(touser="ann", quick_replies=["One moment."])
    for kind in KINDS:
        stage.view.composer.kind.value = kind
        stage.pick(PHOTO)
        for widget in controls(stage.desk):
            if isinstance(widget, ipywidgets.RadioButtons):
                for _, choice in widget.options:
                    widget.value = choice
            elif isinstance(widget, ipywidgets.Text | ipywidgets.Textarea):
                widget.value = f"changed in {kind}"
            elif isinstance(widget, ipywidgets.Checkbox):
                widget.value = not widget.value
        stage.desk.select("ann")
    stage.desk.refresh()
    assert [] == stage.seen
    stage.desk.close()


def controls(panel: Any) -> list[Any]:
    """Return all widgets of a panel that one can operate, also those that are folded away."""
    kit: Kit = panel._kit if isinstance(panel, Phone) else panel.view.kit
    return [made for made in kit._made.values() if not isinstance(made, ipywidgets.Box | ipywidgets.HTML)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_control_has_a_text_label(lang: Language) -> None:
    """In the panel's language; an icon alone, or a placeholder, does not count."""
    stage = Stage(lang=lang)
    phone = Phone(stage.sandbox, "ann", lang=lang)
    said = set(words(lang).values())
    for panel in (stage.desk, phone):
        found = controls(panel)
        assert len(found) > 5
        for control in found:
            assert control.description in said
    stage.desk.close()
    phone.close()


def test_no_output_widget_few_threads_and_nothing_remote() -> None:
    """Threads are the worker's and those of what brings pushes; the style sheet and the markup load nothing."""
    for module in MODULES:
        tree = ast.parse(module.read_text("utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        threads = {"Thread", "ThreadPoolExecutor", "to_thread", "run_in_executor"}
        may = {"worker.py": {"ThreadPoolExecutor"}, "feed.py": {"Thread"}, "listening.py": {"Thread"}}
        assert not names & {"Output", "Password"}
        assert names & threads <= may.get(module.name, set())
        assert not re.search(r"[ :]url\(|@import|<script|<link|<iframe|srcset", module.read_text("utf-8"))
    assert not re.search(r"url\(|@import|<(?!/?style>)", STYLE)


def test_the_style_sheet_is_well_formed_and_its_classes_are_used() -> None:
    """Balanced braces, no selector of another's, and no class that nothing has."""
    css = re.sub(r"/\*.*?\*/", "", (PACKAGE / "style.css").read_text("utf-8"), flags=re.DOTALL)
    assert css.count("{") == css.count("}")
    sources = "".join(path.read_text("utf-8") for path in [*MODULES, *PACKAGE.with_name("look").glob("*.py")])
    named = set(re.findall(r"\.(wxcs[\w-]*)", css))
    put_together = {"wxcs-open", "wxcs-closed", "wxcs-in", "wxcs-out", "wxcs-good", "wxcs-ok", "wxcs-wait", "wxcs-mine"}
    assert set() == {name for name in named if not re.search(rf"{name}\b", sources)} - put_together
    for selector in re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", css):
        assert all("wxcs" in part for part in selector.split(",")), selector


def test_a_click_that_waited_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made before the result of the one before could be read: a double click sends once."""
    now = 100.0
    monkeypatch.setattr("wxcs_lite.panel.view.controls.monotonic", lambda: now)
    kit, done = Kit("en"), [0.0]
    button = kit.button(lambda: done.append(now), "send")
    button.click()
    button.click()
    now += 1
    button.click()
    assert [0, 100, 101] == done
    kit.close()


def test_a_conversation_is_drawn_by_few_widgets_and_none_twice() -> None:
    """The latest bubbles stand alone, older ones together; a heavy one stays alone; what is free is used again."""
    kit = Kit("en")
    talk = Talk(kit)
    for number in range(299):
        talk.add([(str(number), f"<p>{number}</p>")])
    assert [f"<p>{number}</p>" for number in range(299)] == talk.markup
    assert "".join(talk.markup) == "".join(widget.value for widget in talk.pane.children)
    assert len(talk.pane.children) < 20
    heavy = "<p>" + "x" * 60_000 + "</p>"
    talk.fill([("a", "<p>a</p>"), ("b", heavy), ("c", heavy), ("d", "<p>d</p>")])
    assert ["<p>a</p>", heavy, heavy, "<p>d</p>"] == [widget.value for widget in talk.pane.children]
    for number in range(30):
        talk.add([(f"h{number}", heavy if number % 2 else f"<p>{number}</p>")])
    assert "".join(talk.markup) == "".join(widget.value for widget in talk.pane.children)
    made = len(kit._made)
    talk.replace("d", "<p>D</p>")
    talk.replace("h2", "<p>two</p>")
    talk.replace("unknown", "<p>nobody</p>")
    talk.fill(("x" + str(number), "<p>x</p>") for number in range(250))
    talk.replace("x249", "<p>last</p>")
    assert 200 == len(talk.markup)
    assert "<p>last</p>" == talk.markup[-1]
    assert "".join(talk.markup) == "".join(widget.value for widget in talk.pane.children)
    for number in range(150):
        talk.add([(f"y{number}", "<p>y</p>")])
    assert 249 == len(talk.markup)
    assert made == len(kit._made)
    kit.close()


def test_a_new_conversation_is_shown_from_its_end() -> None:
    """What was scrolled is an element of the browser's: another one is put in its place."""
    kit = Kit("en")
    talk = Talk(kit)
    talk.fill([])
    first = talk.box.children
    talk.add([("a", "<p>a</p>")])
    assert first == talk.box.children
    talk.fill([])
    assert first != talk.box.children
    kit.close()


def test_fields_that_were_left_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at once: what was typed in them may still be on its way."""
    now = 100.0
    monkeypatch.setattr("wxcs_lite.panel.view.composer.monotonic", lambda: now)
    stage = Stage(touser="ann")
    field = stage.view.composer.fields["content"]
    stage.desk.select("bob")
    made = len(alive)
    stage.desk.refresh()
    assert field.comm is not None
    now += 31
    stage.desk.refresh()
    assert field.comm is None
    assert len(alive) < made
    for touser in ("ann", "bob") * 20:
        stage.desk.select(touser)
        now += 31
    stage.desk.refresh()
    assert len(alive) <= made
    stage.desk.close()


def test_three_hundred_messages_are_few_widgets() -> None:
    """Desk and phone together, layouts and styles counted."""
    before = len(alive)
    shown = demo()
    for number in range(150):
        shown.sandbox.user("ann").says(f"question {number}")
        shown.desk.refresh()
        write(shown.desk, f"answer {number}")
        shown.desk.send()
    shown.phone.refresh()
    assert "answer 149" in bubbles(shown.desk)
    assert len(alive) - before < 120
    shown.close()


def test_a_worker_makes_one_call_after_the_other() -> None:
    """In its thread while a loop runs; what ends after the loop is nobody's to hear."""
    done: list[object] = []
    worker = Worker()

    async def run() -> None:
        for number in range(3):
            worker.start(partial(done.append, number), done.append)
        worker.start(lambda: 1 / 0, done.append)
        async with asyncio.timeout(20):
            while len(done) < 7:
                await asyncio.sleep(0.005)

    asyncio.run(run())
    assert [0, 1, 2] == [found for found in done if isinstance(found, int)]
    assert 3 == done.count(None)
    assert isinstance(done[-1], ZeroDivisionError)
    ended, told = Event(), list[object]()

    async def leave() -> None:
        worker.start(lambda: ended.wait(20), told.append)

    asyncio.run(leave())
    ended.set()
    worker.stop()
    worker.stop()
    worker.start(lambda: None, told.append)
    assert [None] == told


def test_countdowns_are_one_task_that_close_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It only sets traits, and where no loop runs there is no task."""
    assert (1.0,) == Ticker.__init__.__defaults__
    monkeypatch.setattr(Ticker.__init__, "__defaults__", (0.01,))

    async def shown() -> None:
        before = asyncio.all_tasks()
        stage = Stage(touser="ann")
        (task,) = asyncio.all_tasks() - before
        stage.comes(stage.ann.says("hello?"))
        stage.desk.show_typing()
        async with asyncio.timeout(20):
            while "15 s" not in stage.view.composer.typing.description:
                await asyncio.sleep(0.005)
        sent = len(stage.seen)
        stage.sandbox.advance(3)
        async with asyncio.timeout(20):
            while "12 s" not in stage.view.composer.typing.description:
                await asyncio.sleep(0.01)
        assert len(stage.seen) == sent
        stage.desk.close()
        await asyncio.sleep(0)
        assert task.done()

    asyncio.run(shown())
    ticker = Ticker(lambda: None)
    assert not ticker.was_busy
    ticker.stop()
    assert ticker._task is None


def test_a_busy_kernel_is_noticed() -> None:
    """While a tick is overdue, and until what waited has been handled."""

    async def busy() -> None:
        ticker = Ticker(lambda: None, 0.01)
        await asyncio.sleep(0.05)
        assert not ticker.was_busy
        time.sleep(0.5)  # a cell that keeps the kernel
        assert ticker.was_busy
        await asyncio.sleep(0.05)
        assert ticker.was_busy
        ticker.stop()

    asyncio.run(busy())


def test_one_press_is_one_request_even_when_the_reply_is_lost() -> None:
    """Promise 1 holds here, too: what may have arrived is never sent again by itself."""
    stage = Stage(touser="ann")
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.fail_next(drop="after", path=SEND)
    stage.fill("text", content="hi")
    stage.desk.send()
    assert 1 == stage.calls(SEND)
    assert words("en")["maybe_sent"] in stage.status
    stage.desk.close()


def test_without_ipywidgets_the_panel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In both languages."""
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "wxcs_lite.panel")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'ipywidgets>=8,<9'"):
        importlib.import_module("wxcs_lite.panel")


def test_where_there_are_no_threads_a_call_is_made_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python in a browser has a loop, and nothing else."""

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("wxcs_lite.panel.worker.ThreadPoolExecutor.submit", no_thread)
    told: list[object] = []

    async def run() -> None:
        Worker().start(lambda: None, told.append)

    asyncio.run(run())
    assert [None] == told


def test_a_click_sends_at_once_where_no_loop_runs() -> None:
    """As in a script: there is nothing to wait for."""
    stage = Stage(touser="ann")
    stage.comes(stage.ann.says("hello?"))
    write(stage.desk, "hi")
    stage.view.composer.send.click()
    assert 1 == len(stage.ann.inbox)
    stage.desk.close()


def test_what_cannot_be_noted_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be copied fails before it leaves, not after."""
    stage = Stage(touser="ann")
    assert stage.desk.conversation is not None
    monkeypatch.setattr(Draft, "message", lambda *_: {"touser": "ann", "more": Lock()})
    stage.desk.send_to(stage.desk.conversation, is_asked=True)
    assert "TypeError" in stage.status
    assert [] == stage.seen
    stage.desk.close()


def test_a_token_that_cannot_be_fetched_is_noted_as_not_delivered() -> None:
    """The message was not even tried, whatever became of the request for the token."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    calls = Calls(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock))
    sandbox.fail_next(drop="after", path="/cgi-bin/stable_token")
    with pytest.raises(TransportError) as caught:
        calls.send(text("ann", "hi"))
    assert not caught.value.maybe_sent
