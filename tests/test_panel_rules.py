"""The panel's rules: no secret in a widget, nothing sent by itself, nothing left behind, a label on every control."""

import ast
import asyncio
import importlib
import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances as alive

import wxcs_lite.panel
from tests.test_panel_desk import SEND, Stage, picked
from wxcs_lite import InvalidMessage, TransportError, fresh_token, text
from wxcs_lite.look.words import Language
from wxcs_lite.panel import Desk, Phone, demo
from wxcs_lite.panel.calls import Calls
from wxcs_lite.panel.controls import Presses
from wxcs_lite.panel.history import History
from wxcs_lite.panel.picture import expanded
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.transport import fetch_token

PACKAGE = Path(wxcs_lite.panel.__file__).parent
MODULES = sorted(PACKAGE.glob("*.py"))
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
        desk.view.forms.fields["text"]["content"].value = "hi"
        for kind in ("python", "http", "curl", "phone"):
            desk.view.look_kind.value = kind
            shown.append(state())
        desk.send()
        shown.append(state())
        echo: Any = (200, {}, b"echo " + token.encode())
        mishaps: list[dict[str, Any]] = [{"errcode": 40001, "errmsg": f"bad {token}"}, {"reply": echo}]
        for mishap in mishaps:
            stage.sandbox.fail_next(**mishap)
            desk.view.forms.fields["text"]["content"].value = "hi"
            desk.send()
            shown.append(state())
        shown += [repr(desk), repr(vars(desk)), repr(desk._repr_mimebundle_()), json.dumps(desk.history)]
        shown += [repr(vars(desk._calls)), repr(desk._calls._token)]
    for secret in secrets:
        assert not [text for text in shown if secret in text]
    stage.desk.close()
    plain.close()


def test_the_repr_that_a_notebook_saves_says_nothing() -> None:
    """The text/plain of a widget would show its children's values; ours shows a name."""
    shown = demo()
    for panel in (shown, shown.desk, shown.phone):
        bundle = panel._repr_mimebundle_()
        assert re.fullmatch(r"<(Demo|Desk|Phone), open>", bundle["text/plain"])
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
    for file in (shown.phone.file, shown.desk.view.medium.file):
        picked(file, PHOTO + b"x" * 50_000)
        assert "eHh4eHh4eHh4" not in json.dumps(file.get_state(), default=repr)
        assert () == file.value
    shown.desk.view.forms.kind.value = "image"
    shown.desk.upload()
    shown.desk.view.more_download.value = shown.desk.view.more_export.value = True
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
    """Every trait of every control is changed: no request leaves."""
    stage = Stage(touser="ann")
    stage.pick(PHOTO)
    for widget in controls(stage.desk):
        if isinstance(widget, ipywidgets.ToggleButtons):
            for _, choice in widget.options:
                widget.value = choice
        elif isinstance(widget, ipywidgets.Text | ipywidgets.Textarea | ipywidgets.Combobox):
            widget.value = "changed"
        elif isinstance(widget, ipywidgets.Checkbox | ipywidgets.ToggleButton):
            widget.value = True
    stage.desk.refresh()
    assert [] == stage.seen
    stage.desk.close()


def test_the_buttons_are_disabled_while_sending() -> None:
    """And enabled again afterwards, whatever happened."""
    stage = Stage(touser="ann")
    seen: list[bool] = []
    sandbox_pool = stage.sandbox.pool(on_request=lambda _: seen.append(stage.view.buttons["send"].disabled))
    stage.desk._calls._pool = sandbox_pool
    stage.fill("text", content="hi")
    stage.desk.send()
    assert seen
    assert all(seen)
    assert not stage.view.buttons["send"].disabled
    stage.desk.close()


def controls(panel: Any) -> list[Any]:
    """Return all widgets of a panel that one can operate, also those that are not shown."""
    found: list[Any] = []
    hidden = [] if isinstance(panel, Phone) else [*panel.view.forms.close(), panel.view._download, panel.view._export]
    queue = [panel.root if isinstance(panel, Phone) else panel.view.root, *hidden]
    while queue:
        widget = queue.pop()
        queue += getattr(widget, "children", ())
        if not isinstance(widget, ipywidgets.Box | ipywidgets.HTML) and widget not in found:
            found.append(widget)
    return found


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


def test_no_output_widget_no_thread_and_nothing_remote() -> None:
    """The sources know neither; the style sheet and the markup load nothing. What brings pushes knows no widget."""
    for module in MODULES:
        brings_pushes = module.name in ("feed.py", "listening.py")
        tree = ast.parse(module.read_text("utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        threads = {"Thread", "ThreadPoolExecutor", "to_thread", "run_in_executor"}
        assert not names & {"Output", "Password", *(() if brings_pushes else threads)}
        assert not (brings_pushes and re.search("ipywidgets|panel.controls", module.read_text("utf-8")))
        assert not re.search(r"[ :]url\(|@import|<script|<link|<iframe|srcset", module.read_text("utf-8"))


def test_a_click_that_waited_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made before the result of the one before could be read: a double click sends once."""
    now = 100.0
    monkeypatch.setattr("wxcs_lite.panel.controls.monotonic", lambda: now)
    presses, done = Presses(), [0.0]
    button = presses.button(lambda: done.append(now))
    button.click()
    button.click()
    now += 1
    button.click()
    assert [0, 100, 101] == done
    for part in (button.layout, button.style, button):
        part.close()


def test_a_click_never_overtakes_the_keys_before_it() -> None:
    """While keys may still be on their way it waits, with the buttons disabled; then it acts once."""
    presses, done = Presses(), list[bool]()
    button = presses.button(lambda: done.append(button.disabled))

    async def hurried() -> None:
        presses.typed()
        button.click()
        button.click()
        assert button.disabled
        await asyncio.sleep(0.1)
        presses.typed()  # the last letters arrive
        await asyncio.sleep(0.25)
        assert [] == done
        await asyncio.sleep(0.25)

    asyncio.run(hurried())
    assert [False] == done
    assert not button.disabled
    for part in (button.layout, button.style, button):
        part.close()


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
        sent = len(stage.seen)
        stage.sandbox.advance(3)
        async with asyncio.timeout(5):
            while "12 s" not in stage.view.typing.value:
                await asyncio.sleep(0.01)
        assert len(stage.seen) == sent
        stage.desk.close()
        await asyncio.sleep(0)
        assert task.done()

    asyncio.run(shown())
    ticker = Ticker(lambda: None)
    ticker.stop()
    assert ticker._task is None


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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_is_short(module: Path) -> None:
    """One job each."""
    assert len(module.read_text("utf-8").splitlines()) < 250


def test_what_cannot_be_noted_is_not_sent() -> None:
    """A message nested too deep to be copied fails before it leaves, not after."""
    sandbox = Sandbox()
    seen: list[object] = []
    pool = sandbox.pool(on_request=seen.append)
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"a": deep}
    calls = Calls(pool, "80_made-up", History(), sandbox.clock)
    with pytest.raises(RecursionError):
        calls.send({"touser": "ann", "msgtype": "text", "text": {"content": "hi"}, "more": deep})
    assert [] == seen


def test_a_token_that_cannot_be_fetched_is_noted_as_not_delivered() -> None:
    """The message was not even tried, whatever became of the request for the token."""
    sandbox = Sandbox()
    pool, history = sandbox.pool(), History()
    calls = Calls(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock), history, sandbox.clock)
    sandbox.fail_next(drop="after", path="/cgi-bin/stable_token")
    with pytest.raises(TransportError) as caught:
        calls.send(text("ann", "hi"))
    assert not caught.value.maybe_sent
    assert 1 == len(history.entries)


def test_a_home_that_nobody_has_is_told() -> None:
    """`~nobody` is a mistake in a path, not an accident."""
    with pytest.raises(InvalidMessage, match="unknown user"):
        expanded("~no-such-user-anywhere/photo.png")
