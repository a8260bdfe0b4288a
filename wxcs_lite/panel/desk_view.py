"""The desk's widgets and their layout; the desk decides what they do."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from wxcs_lite.panel.controls import Labels, Presses, box, close_tree, html, show, style
from wxcs_lite.panel.forms import Forms
from wxcs_lite.panel.picture import Picture
from wxcs_lite.panel.texts import Words

__all__ = ["LOOKS", "DeskView"]

LOOKS = ("phone", "python", "http", "curl")
_ACTIONS = ("send", "show_typing", "hide_typing", "upload", "download", "save", "export", "switch_language")


class DeskView:
    """The widgets of one desk; `chosen` is called when the customer changes, `edited` when the message does."""

    def __init__(self, actions: Any, chosen: Callable[[], None], edited: Callable[[], None]) -> None:
        labels, presses = Labels(), Presses()
        self.labels, self.presses = labels, presses
        self.buttons = {name: presses.button(getattr(actions, name)) for name in _ACTIONS}
        for name, key in (("show_typing", "typing_on"), ("hide_typing", "typing_off"), ("switch_language", "language")):
            labels.put(self.buttons[name], description=key)
        for name in ("send", "upload", "download", "save", "export"):
            labels.put(self.buttons[name], description=name)
        self.buttons["send"].button_style = "primary"
        self.touser = labels.put(w.Combobox(ensure_option=False), description="to", placeholder="to_hint")
        self.window, self.typing, self.log = html(), html(), html()
        self.medium = Picture(labels, self.buttons["upload"], edited)
        self.forms = Forms(labels, self.medium, edited)
        self.remarks, self.status, self.look = html(), html(), html()
        self.look_kind = labels.choices(w.ToggleButtons(), {kind: f"look_{kind}" for kind in LOOKS})
        labels.put(self.look_kind, description="look")
        self.code = labels.put(w.Textarea(rows=7), description="copy").add_class("wxcs-code")
        self._more(labels)
        self._stands(labels)
        self.touser.observe(lambda _: chosen(), "value")
        for field in (self.touser, self.medium.media_id, *self.forms.typed):
            field.observe(presses.typed, "value")
        self.look_kind.observe(lambda _: edited(), "value")

    @property
    def customer(self) -> str:
        """The openid that the messages go to."""
        return str(self.touser.value).strip()

    def speak(self, words: Words) -> None:
        """Show every label in this language."""
        self.labels.speak(words)

    def pill(self, tone: str, text: str) -> None:
        """Show what is left of the window."""
        self.window.value = f'<span class="wxcs-pill wxcs-{tone}">{escape(text)}</span>'

    def show_look(self, markup: str, code: str) -> None:
        """Show the preview, as a bubble or as code to copy."""
        as_code = self.look_kind.value != "phone"
        self.code.layout.display, self.look.layout.display = ("", "none") if as_code else ("none", "")
        self.code.value, self.look.value = code, f'<div class="wxcs-look">{markup}</div>'

    def close(self) -> None:
        """Remove every widget from the notebook."""
        for hidden in (*self.forms.close(), self._download, self._export):
            close_tree(hidden)
        close_tree(self.root)

    def _more(self, labels: Labels) -> None:
        self.download_id = labels.put(w.Text(continuous_update=False), description="download_id")
        self.save_to = labels.put(w.Text(continuous_update=False), description="save_to")
        self.export_to = labels.put(w.Text(value="wxcs_history.json", continuous_update=False), description="export_to")
        self.downloaded = html()
        show(self.downloaded, "")
        self._download = box(
            [self.download_id, box([self.buttons["download"]], across=True), self.downloaded, self.save_to,
             box([self.buttons["save"]], across=True)]
        )  # fmt: skip
        self._export = box([self.export_to, box([self.buttons["export"]], across=True)])
        self.more_download = labels.put(w.ToggleButton(), description="more_download")
        self.more_export = labels.put(w.ToggleButton(), description="more_export")
        self._opened = box([])
        for switch in (self.more_download, self.more_export):
            switch.observe(self._open, "value")

    def _open(self, _: object) -> None:
        wanted = ((self.more_download, self._download), (self.more_export, self._export))
        self._opened.children = [content for switch, content in wanted if switch.value]

    def _stands(self, labels: Labels) -> None:
        b = self.buttons
        top = box([labels.title("desk", "wxcs-h"), b["switch_language"]], "wxcs-head", across=True)
        who = box([self.touser, self.window], "wxcs-whom", across=True)
        actions = box([b["send"], b["show_typing"], b["hide_typing"], self.forms.ai_label], "wxcs-actions", across=True)
        more = box([self.more_download, self.more_export], "wxcs-actions", across=True)
        self.root = box(
            [style(), top, who, self.log, self.forms.kind, self.forms.box, self.remarks, actions, self.typing,
             self.status, self.look_kind, self.look, self.code, more, self._opened, labels.title("note", "wxcs-note")],
            "wxcs", "wxcs-desk",
        )  # fmt: skip
