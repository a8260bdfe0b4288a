"""The phone: what a customer of the sandbox sees, and what they do."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from wxcs_lite.look.phone import moment, top, with_times
from wxcs_lite.look.words import Language
from wxcs_lite.panel.status import error_html
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.panel.view.controls import Kit, mimebundle
from wxcs_lite.panel.view.talk import Talk
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
        self._kit = Kit(lang)
        self.talk = Talk(self._kit)
        self._picture: tuple[str, bytes] | None = None
        self._seen = 0  # items of the screen
        self._told_at = float("-inf")
        self._error: Exception | None = None
        self.after_each: list[Callable[[], object]] = []
        self._build()
        self._is_open = True
        self._redraw()
        self.refresh()
        self._ticker = Ticker(self.refresh)

    def __repr__(self) -> str:
        return f"<Phone of {self._customer.openid}, {'open' if self._is_open else 'closed'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # A saved notebook keeps it: no openid.
        return mimebundle(self.root) if self._is_open else {"text/plain": "<Phone, closed>"}

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
        return self._kit.lang

    def speak(self, lang: Language) -> None:
        """Use another language: en or zh."""
        self._kit.speak(lang)
        self._redraw()
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
            self._kit.close()

    # --- how

    def _do(self, action: Callable[[], object]) -> None:
        if not self._is_open:
            return
        self._error = None
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
            with self._kit.showing():
                self.message.value = ""

    def _send_picture(self) -> None:
        _, content = self._picture or ("", sunset(216, 162))
        self._customer.sends_image(content)
        self._picture = None

    def _picked(self, chosen: Any) -> None:
        if chosen:
            self._picture = str(chosen[0]["name"]), bytes(chosen[0]["content"])
            self.file.value = ()  # no bytes stay in the widget's state
            self.refresh()

    def _build(self) -> None:
        kit = self._kit
        write = kit.sender(self.write, "write_send", field=lambda: self.message)
        # Each press of these counts: five minutes are five presses.
        enter = kit.button(self.enter_session, "enter", each=True)
        minute = kit.button(self.advance_minute, "minute", each=True)
        two_days = kit.button(self.advance_two_days, "two_days", each=True)
        send_picture = kit.button(self.send_picture, "send_picture")
        self.message = kit.line(lambda _: None, self.write, {"description": "write", "placeholder": "write_hint"})
        keys = {"description": "pick_picture", "tooltip": "pick_picture"}
        self.file = kit.make(w.FileUpload, keys=keys, accept=".jpg,.jpeg,.png,.gif", multiple=False)
        kit.watch(self.file, self._picked)
        self.top, self.ready, self.error = kit.html("wxcs-top"), kit.html(), kit.html("wxcs-gone")
        bar = kit.box([self.message, write], "wxcs-input", across=True)
        frame = kit.box([self.top, self.talk.box, bar], "wxcs-frame")
        pictures = kit.box([send_picture, self.file], across=True)
        times = kit.box([enter, minute, two_days], across=True)
        hand = kit.box([kit.heading("h3", "hand"), pictures, times, self.ready, self.error], "wxcs-hand")
        offline = kit.heading("p", "offline", "wxcs-offline")
        self.root = kit.box([kit.style(), offline, frame, hand], "wxcs", "wxcs-phone")

    def _show(self) -> None:
        kit, now = self._kit, self._sandbox.clock()
        words = kit.words
        who = words["is_typing"] if self._customer.sees_typing else words["service"]
        kit.show(self.top, top(self._customer.openid, moment(now), who))
        name = self._picture[0] if self._picture else None
        ready = words["picture_ready"].format(name=name) if name else words["picture_sample"]
        kit.show(self.ready, f'<div class="wxcs-note">{escape(ready)}</div>')
        self.talk.add(self._new())
        self._show_error()

    def _show_error(self) -> None:
        error = self._error
        self._kit.show(self.error, "" if error is None else error_html(error, self._kit.words, self._kit.lang))

    def _new(self) -> list[tuple[str, str]]:
        """Return what has happened since the last call, with the times between, oldest first."""
        items = self._customer._screen_after(self._seen)
        if not items:
            return []
        self._seen += len(items)
        items = items[-_SHOWN:]
        rows = [(item.at, drawn(item, self._kit.words, _SHOWN_PICTURE)) for item in items]
        markup, self._told_at = with_times(rows, self._told_at), items[-1].at
        return [("", one) for one in markup]

    def _redraw(self) -> None:
        """Show the latest again, in the language of now."""
        self._told_at, self._seen = float("-inf"), max(0, len(self._customer.screen) - _SHOWN)
        self.talk.fill(self._new())
