"""What desk and phone are built with: widgets that share layout and style, texts in two languages, patient buttons."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from threading import get_ident
from time import monotonic
from typing import Any, Literal

import ipywidgets as w

from wxcs_lite.look.words import Language
from wxcs_lite.panel.style import STYLE
from wxcs_lite.panel.texts import LANGUAGES, words

__all__ = ["Kit", "later", "mimebundle", "running_loop"]

_QUEUED = 0.25  # seconds: nobody reads a result and clicks again faster, so such a click was made before
# A field tells its text when it is left, so before the click that left it. But JupyterLab lets a subshell of the kernel
# handle what fields tell, in a thread of its own, and the kernel's main thread what buttons do: a click may be a few
# milliseconds ahead, and so it waits. https://jupyterlab.readthedocs.io/en/stable/user/commands.html (subshells)
_FOLLOWS = 0.05  # seconds
# If a field is left twice while the kernel is busy, the front end holds the second text back until the first has been
# handled: after so long it has arrived.
# https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/base/src/widget.ts (_msg_throttle)
_SETTLED = 0.3  # seconds
_GONE = "wxcs-gone"


class Kit:
    """Makes the widgets of one panel, gives them their texts, and closes them all."""

    def __init__(self, lang: Language, was_busy: Callable[[], bool] = lambda: False) -> None:
        self.lang, self.words = lang, words(lang)
        self._was_busy = was_busy
        self._shared: dict[type[Any], Any] = {}
        self._made: dict[str, Any] = {}
        self._labels: list[tuple[Any, dict[str, str]]] = []
        self._choices: list[tuple[Any, Mapping[str, str]]] = []
        self._headings: list[tuple[Any, str, str]] = []
        self._ended: dict[object, float] = {}
        self._entered: dict[str, asyncio.TimerHandle] = {}
        self._pressed: dict[str, tuple[asyncio.TimerHandle, Callable[[], object]]] = {}
        self._told_at: dict[str, float] = {}
        self._is_showing = False
        self._loop, self._thread = running_loop(), get_ident()

    # --- widgets

    def make(self, kind: type[Any], *classes: str, keys: Mapping[str, str] | None = None, **traits: Any) -> Any:
        """Return a widget with shared layout and style; `keys` are the texts of its traits."""
        if "style" in kind.class_trait_names():
            traits["style"] = self._share(kind.class_traits()["style"].klass)
        texts = {trait: self.words[key] for trait, key in (keys or {}).items()}
        made = kind(layout=self._share(w.Layout), _dom_classes=classes, **texts, **traits)
        self._made[made.model_id] = made
        if keys:
            self._labels.append((made, dict(keys)))
        return made

    def box(self, children: Iterable[Any], *classes: str, across: bool = False) -> Any:
        """Return a box, in a column or across."""
        return self.make(w.HBox if across else w.VBox, *classes, children=tuple(children))

    def html(self, *classes: str, value: str = "", hidden: bool = False) -> Any:
        """Return a widget that shows our own markup."""
        return self.make(w.HTML, *classes, *((_GONE,) if hidden else ()), value=value)

    def style(self) -> Any:
        """Return the style sheet; desk and phone each have it, because each can be shown alone."""
        return self.html(value=STYLE, hidden=True)

    def heading(self, tag: str, key: str, *classes: str) -> Any:
        """Return a heading, or another line of text."""
        return self.text(f"<{tag}>{{}}</{tag}>", key, *classes)

    def text(self, markup: str, key: str, *classes: str) -> Any:
        """Return a text in a markup that has a place for it."""
        made = self.html(*classes)
        self._headings.append((made, markup, key))
        self._head(made, markup, key)
        return made

    def choice(self, kind: type[Any], keys: Mapping[str, str], label: str, *classes: str, **traits: Any) -> Any:
        """Return a selection of these values with these texts; the first is chosen."""
        options = [(self.words[key], value) for value, key in keys.items()]
        made = self.make(kind, *classes, keys={"description": label}, options=options, **traits)
        self._choices.append((made, keys))
        return made

    def button(self, action: Callable[[], object], key: str, *classes: str, each: bool = False, **traits: Any) -> Any:
        """Return a button for an action, which must show its errors itself because nobody would see them here.

        A click that was made before the result of the one before could be seen is passed over, unless `each` counts.
        """
        made = self.make(w.Button, *classes, keys={"description": key}, **traits)
        made.on_click(lambda _: self._here(action if each else lambda: self._press(action, action)))
        return made

    def sender(
        self, action: Callable[[], object], key: str, *classes: str, field: Callable[[], Any] = lambda: None
    ) -> Any:
        """Return a button whose action needs what has just been written; those of one key count as one button.

        If all of it is in one field, `field` returns that: nothing is waited for when its text has arrived.
        """
        made = self.make(w.Button, *classes, keys={"description": key}, button_style="primary")
        made.on_click(lambda _: self._here(lambda: self._send(key, action, field())))
        return made

    def line(
        self,
        typed: Callable[[str], object],
        entered: Callable[[], object],
        keys: Mapping[str, str],
        kind: type[Any] = w.Text,
        **traits: Any,
    ) -> Any:
        """Return a field of one line: `typed` is called when it is left, `entered` when Enter is pressed in it.

        The browser tells of an Enter, and of the text that stood there unless it has told it before; either may arrive
        first. So an Enter waits for a text, and a text without an Enter (the field was left) sends nothing.
        """
        made = self.make(kind, keys=keys, continuous_update=False, **traits)
        made.on_msg(lambda _, content, __: self._here(lambda: self._told(made.model_id, content, entered)))
        self.watch(made, lambda value: self._left(made.model_id, value, typed, entered))
        return made

    def watch(self, widget: Any, changed: Callable[[Any], object], trait: Literal["value", "index"] = "value") -> None:
        """Call a function with what the user has changed; not with what we show ourselves."""

        def told(change: Any) -> None:
            if not (self._is_showing and get_ident() == self._thread):
                self._here(lambda: self._changed(widget.model_id, change["new"], changed))

        widget.observe(told, trait)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Change widgets ourselves."""
        before, self._is_showing = self._is_showing, True
        try:
            yield
        finally:
            self._is_showing = before

    def show(self, widget: Any, markup: str) -> None:
        """Show markup in the panel's language, or hide the widget if it is empty, so that no gap remains."""
        self.hide(widget, not markup)
        widget.value = f'<div lang="{_LANG[self.lang]}">{markup}</div>' if markup else ""

    def hide(self, widget: Any, hidden: bool) -> None:
        """Hide a widget, or show it."""
        if hidden:
            widget.add_class(_GONE)
        else:
            widget.remove_class(_GONE)

    def speak(self, lang: Language) -> None:
        """Show every label in this language."""
        self.lang, self.words = lang, words(lang)
        for widget, keys in self._labels:
            for trait, key in keys.items():
                setattr(widget, trait, self.words[key])
        for widget, choices in self._choices:
            chosen = widget.value
            with self.showing(), widget.hold_sync():
                widget.options = [(self.words[key], value) for value, key in choices.items()]
                widget.value = chosen
        for widget, markup, key in self._headings:
            self._head(widget, markup, key)

    def drop(self, widgets: Iterable[Any]) -> None:
        """Close widgets that are no longer shown."""
        gone = set()
        for widget in widgets:
            gone.add(widget.model_id)
            del self._made[widget.model_id]
            self._told_at.pop(widget.model_id, None)
            widget.close()
        self._labels = [pair for pair in self._labels if pair[0].comm is not None]

    def close(self) -> None:
        """Close everything, layout and styles too, so that nothing stays in the widget state."""
        for timer in (*self._entered.values(), *(timer for timer, _ in self._pressed.values())):
            timer.cancel()
        for widget in (*self._made.values(), *self._shared.values()):
            widget.close()
        self._made.clear()

    # --- how

    def _here(self, action: Callable[[], object]) -> None:
        """Act in the panel's own thread, because the front end's messages may be handled in another."""
        if self._loop is None or get_ident() == self._thread:
            action()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    def _told(self, field: str, content: Mapping[str, Any], entered: Callable[[], object]) -> None:
        if content.get("event") != "submit" or field in self._entered:
            return
        has_text = monotonic() - self._told_at.get(field, float("-inf")) < _FOLLOWS
        if timer := None if has_text else later(_SETTLED, lambda: self._has_entered(field, entered)):
            self._entered[field] = timer
        else:
            entered()

    def _has_entered(self, field: str, entered: Callable[[], object]) -> None:
        del self._entered[field]
        entered()

    def _left(self, field: str, value: str, typed: Callable[[str], object], entered: Callable[[], object]) -> None:
        typed(value)
        if timer := self._entered.get(field):
            timer.cancel()
            self._has_entered(field, entered)

    def _share(self, kind: type[Any]) -> Any:
        if kind not in self._shared:
            self._shared[kind] = kind()
        return self._shared[kind]

    def _head(self, widget: Any, markup: str, key: str) -> None:
        self.show(widget, markup.format(escape(self.words[key])))

    def _changed(self, name: str, value: Any, changed: Callable[[Any], object]) -> None:
        changed(value)
        self._told_at[name] = monotonic()
        if pressed := self._pressed.pop(name, None):
            timer, act = pressed
            timer.cancel()
            act()

    def _press(self, pressed: object, action: Callable[[], object]) -> None:
        if not self._is_hasty(pressed):
            self._act(pressed, action)

    def _send(self, pressed: object, action: Callable[[], object], field: Any) -> None:
        """Act when what was written before the press is here: a text that has just arrived is the last of its field."""
        if self._is_hasty(pressed):
            return
        is_busy, name = self._was_busy(), "" if field is None else field.model_id
        is_here = not is_busy and monotonic() - self._told_at.get(name, float("-inf")) < _QUEUED
        rest = _SETTLED if is_busy else _FOLLOWS
        self._ended[pressed] = monotonic() + rest
        timer = None if is_here else later(rest, lambda: self._has_waited(name, pressed, action))
        if timer is None:
            self._act(pressed, action)
        elif name and not is_busy:
            self._pressed[name] = timer, lambda: self._act(pressed, action)

    def _has_waited(self, name: str, pressed: object, action: Callable[[], object]) -> None:
        self._pressed.pop(name, None)
        self._act(pressed, action)

    def _is_hasty(self, pressed: object) -> bool:
        return monotonic() - self._ended.get(pressed, float("-inf")) < _QUEUED

    def _act(self, pressed: object, action: Callable[[], object]) -> None:
        action()
        self._ended[pressed] = monotonic()


def later(seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle | None:
    """Run an action in a while, or return None if no loop runs."""
    loop = running_loop()
    return loop.call_later(seconds, action) if loop else None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop of a notebook's kernel; none runs in a script or a test."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def mimebundle(root: Any) -> dict[str, Any]:
    """Return a panel's display data: its widget, and a sentence for where no kernel runs that could show it."""
    view = {"version_major": 2, "version_minor": 0, "model_id": root.model_id}
    sentence = "\n".join(words(lang)["offline"] for lang in LANGUAGES)
    return {"text/plain": sentence, "application/vnd.jupyter.widget-view+json": view}


_LANG = {"en": "en", "zh": "zh-CN"}
