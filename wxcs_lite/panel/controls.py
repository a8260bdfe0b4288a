"""What desk and phone are built with: labels in two languages, buttons that count a click once, complete closing."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from time import monotonic
from typing import Any

import ipywidgets as w

from wxcs_lite.panel.style import STYLE
from wxcs_lite.panel.texts import Words

__all__ = ["Labels", "Presses", "box", "close_tree", "html", "mimebundle", "show", "style"]

_QUEUED = 0.25  # seconds: nobody reads a result and clicks again faster, so such a click was made before
# While a keystroke is on its way, ipywidgets holds back the next ones, and a click overtakes them: "hel" for "hello".
# https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/base/src/widget.ts (_msg_throttle)
_SETTLED = 0.3  # seconds without a keystroke, after which none can still be on its way


def html(value: str = "", *classes: str) -> Any:
    """Return a widget that shows our own markup."""
    made = w.HTML(value)
    for name in classes:
        made.add_class(name)
    return made


def show(widget: Any, markup: str) -> None:
    """Show markup, or hide the widget if it is empty, so that no gap remains."""
    widget.value, widget.layout.display = markup, "" if markup else "none"


def box(children: list[Any], *classes: str, across: bool = False, tabbable: bool | None = None) -> Any:
    """Return a box with classes of our style sheet."""
    made = (w.HBox if across else w.VBox)(children, tabbable=tabbable)
    for name in classes:
        made.add_class(name)
    return made


def style() -> Any:
    """Return the style sheet as a widget; desk and phone each have it, because each can be used alone."""
    return w.HTML(STYLE, layout=w.Layout(display="none"))


class Labels:
    """The texts of all widgets, so that switching the language is one loop."""

    def __init__(self) -> None:
        self._put: list[tuple[Any, str, str]] = []
        self._choices: list[tuple[Any, Mapping[str, str]]] = []
        self._titles: list[tuple[Any, str, str]] = []

    def put(self, widget: Any, **keys: str) -> Any:
        """Give traits of a widget these texts."""
        self._put += [(widget, trait, key) for trait, key in keys.items()]
        return widget

    def choices(self, widget: Any, keys: Mapping[str, str]) -> Any:
        """Give a selection these values with these texts; the first is chosen."""
        self._choices.append((widget, keys))
        return widget

    def title(self, key: str, style: str) -> Any:
        """Return a line of text in one of our styles."""
        widget = html()
        self._titles.append((widget, key, style))
        return widget

    def speak(self, words: Words) -> None:
        """Show everything in this language."""
        for widget, trait, key in self._put:
            setattr(widget, trait, words[key])
        for widget, keys in self._choices:
            chosen = widget.value
            widget.options = [(words[key], value) for value, key in keys.items()]
            widget.value = chosen if chosen in keys else next(iter(keys))
        for widget, key, style in self._titles:
            widget.value = f'<div class="{style}">{escape(words[key])}</div>'


class Presses:
    """The buttons of one panel: a click counts once, and only after the keystrokes that were made before it."""

    def __init__(self) -> None:
        self._buttons: list[Any] = []
        self._typed = float("-inf")
        self._ended: dict[Callable[[], object], float] = {}
        self._waits = False

    def button(self, action: Callable[[], object]) -> Any:
        """Return a button for an action, which must show its errors itself because nobody would see them here."""
        made = w.Button()
        made.on_click(lambda _: self.click(action))
        self._buttons.append(made)
        return made

    def typed(self, _: object = None) -> None:
        """Note that a keystroke has arrived; observes each field that is sent while it is typed."""
        self._typed = monotonic()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Disable all buttons while something is on its way."""
        self._enable(False)
        try:
            yield
        finally:
            self._enable(True)

    def click(self, action: Callable[[], object]) -> None:
        """Run the action, unless the click was made before the result of the previous one was shown."""
        if self._waits or monotonic() - self._ended.get(action, float("-inf")) < _QUEUED:
            return
        rest = self._typed + _SETTLED - monotonic()
        loop = _running_loop()
        if rest > 0 and loop is not None:
            self._waits = True
            self._enable(False)
            loop.call_later(rest, self._settled, action)
            return
        action()
        self._ended[action] = monotonic()

    def _settled(self, action: Callable[[], object]) -> None:
        self._waits = False
        self._enable(True)
        self.click(action)

    def _enable(self, enabled: bool) -> None:
        for button in self._buttons:
            button.disabled = not enabled


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def mimebundle(root: Any, name: str) -> dict[str, Any]:
    """Return a panel's display data: its widget, and a plain name for notebooks that cannot show widgets."""
    view = {"version_major": 2, "version_minor": 0, "model_id": root.model_id}
    return {"text/plain": name, "application/vnd.jupyter.widget-view+json": view}


def close_tree(widget: Any) -> None:
    """Close a widget with its children, layout and style, so that nothing stays in the widget state."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for part in (getattr(widget, "style", None), widget.layout, widget):
        if part is not None:
            part.close()
