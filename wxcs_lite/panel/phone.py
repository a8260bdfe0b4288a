"""The phone: what a customer of the sandbox sees, and what they do."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from wxcs_lite.look.phone import moment, top, with_times
from wxcs_lite.look.words import Language
from wxcs_lite.panel.controls import Labels, Presses, box, close_tree, html, mimebundle, show, style
from wxcs_lite.panel.picture import taken
from wxcs_lite.panel.status import error_html
from wxcs_lite.panel.texts import words
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.screen import drawn

__all__ = ["Phone"]

_SHOWN = 100  # bubbles
_SHOWN_PICTURE = 6_000_000  # bytes; each picture travels to the browser once


class Phone:
    """A customer's phone in a notebook: what one customer of a sandbox sees and does.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> phone = Phone(Sandbox(), "ann")
    >>> phone
    <Phone of ann, open>
    >>> phone.close()

    Each button is a method: `write`, `send_picture`, `enter_session`, `advance_minute`, `advance_two_days`.
    """

    def __init__(self, sandbox: Sandbox, touser: str, *, lang: Language = "en") -> None:
        self._sandbox, self._customer = sandbox, sandbox.user(touser)
        self._lang, self._words = lang, words(lang)
        self._picture: tuple[str, bytes] | None = None
        self._seen = 0  # items of the screen
        self._told_at = float("-inf")
        self._error: Exception | None = None
        self.after_each: list[Callable[[], object]] = []
        self._build()
        self._is_open = True
        self.speak(lang)
        self._ticker = Ticker(self.refresh)

    def __repr__(self) -> str:
        return f"<Phone of {self._customer.openid}, {'open' if self._is_open else 'closed'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown = f"<Phone, {'open' if self._is_open else 'closed'}>"  # a saved notebook keeps it: no openid
        return mimebundle(self.root, shown) if self._is_open else {"text/plain": shown}

    # --- what the customer does

    def write(self) -> None:
        """Send the text in the field to customer service."""
        self._do(self._write)

    def send_picture(self) -> None:
        """Send the chosen picture, or a small sunset."""
        self._do(self._send_picture)

    def enter_session(self) -> None:
        """Enter by the customer-service button."""
        self._do(self._customer.enters_session)

    def advance_minute(self) -> None:
        """Let a minute pass in the sandbox."""
        self._do(lambda: self._sandbox.advance(60))

    def advance_two_days(self) -> None:
        """Let 48 hours pass in the sandbox."""
        self._do(lambda: self._sandbox.advance(48 * 3600))

    # --- what others do with it

    @property
    def lang(self) -> Language:
        """The language of the phone: en or zh."""
        return self._lang

    def speak(self, lang: Language) -> None:
        """Use another language: en or zh; existing bubbles stay as they are."""
        self._lang, self._words = lang, words(lang)
        self._labels.speak(self._words)
        self.refresh()

    def refresh(self) -> None:
        """Show what has arrived, and update the clock."""
        if self._is_open:
            self._guarded(self._show)

    def close(self) -> None:
        """Stop the clock, and remove everything shown from the notebook and its widget state."""
        if self._is_open:
            self._ticker.stop()
            self._is_open = False
            close_tree(self.root)

    # --- how

    def _do(self, action: Callable[[], object]) -> None:
        if not self._is_open:
            return
        self._error = None
        with self._presses.pause():
            self._guarded(action)
        self.refresh()
        for follow in self.after_each:
            self._guarded(follow)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as e:  # the last resort: nobody would see an error in a widget's callback
            self._error = e
            self._show_error()

    def _write(self) -> None:
        if text := self.message.value:
            self._customer.says(text)
            self.message.value = ""

    def _send_picture(self) -> None:
        _, content = self._picture or ("", sunset(216, 162))
        self._customer.sends_image(content)
        self._picture = None

    def _picked(self, _: object) -> None:
        if picked := taken(self.file):
            self._picture = picked
            self.refresh()

    def _build(self) -> None:
        labels, presses = Labels(), Presses()
        self._labels, self._presses = labels, presses
        self.buttons = {
            name: labels.put(presses.button(getattr(self, name)), description=key)
            for name, key in (
                ("write", "write_send"), ("send_picture", "send_picture"), ("enter_session", "enter"),
                ("advance_minute", "minute"), ("advance_two_days", "two_days"),
            )
        }  # fmt: skip
        b = self.buttons
        b["write"].button_style = "primary"
        # Sent when the field loses focus, so that no click overtakes a keystroke.
        self.message = labels.put(w.Text(continuous_update=False), description="write", placeholder="write_hint")
        self.file = labels.put(
            w.FileUpload(accept=".jpg,.jpeg,.png,.gif", multiple=False),
            description="pick_picture",
            tooltip="pick_picture",
        )
        self.file.observe(self._picked, "value")
        self.top, self.talk, self.ready, self.error = html("", "wxcs-top"), box([], "wxcs-talk"), html(), html()
        screen = box([self.talk], "wxcs-screen", tabbable=True)
        bar = box([self.message, b["write"]], "wxcs-input", across=True)
        frame = box([self.top, screen, bar], "wxcs-frame")
        pictures = box([b["send_picture"], self.file], across=True)
        times = box([b["enter_session"], b["advance_minute"], b["advance_two_days"]], across=True)
        hand = box([labels.title("hand", "wxcs-sub"), pictures, self.ready, times, self.error], "wxcs-hand")
        self.root = box([style(), frame, hand], "wxcs", "wxcs-phone")

    def _show(self) -> None:
        words, now = self._words, self._sandbox.clock()
        who = words["is_typing"] if self._customer.sees_typing else words["service"]
        self.top.value = top(self._customer.openid, moment(now), who)
        name = self._picture[0] if self._picture else None
        ready = words["picture_ready"].format(name=name) if name else words["picture_sample"]
        self.ready.value = f'<div class="wxcs-note">{escape(ready)}</div>'
        self._add_new()
        self._show_error()

    def _show_error(self) -> None:
        show(self.error, "" if self._error is None else error_html(self._error, self._words, self._lang))

    def _add_new(self) -> None:
        """Add what has happened since the last call."""
        items = self._customer.screen[self._seen :]
        if not items:
            return
        self._seen += len(items)
        rows = [(item.at, drawn(item, self._words, _SHOWN_PICTURE)) for item in items]
        added, self._told_at = with_times(rows, self._told_at), items[-1].at
        bubbles = [*self.talk.children, *(w.HTML(markup) for markup in added)]
        self.talk.children = bubbles[-_SHOWN:]
        for gone in bubbles[:-_SHOWN]:
            close_tree(gone)
