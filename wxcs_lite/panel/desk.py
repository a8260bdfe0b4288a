"""The desk: an agent's side of the conversations, for any pool, live or sandbox. It adds no rules of its own.

Nothing is sent without a press of a button (or a call of its method), and every error is shown.
"""

import time
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any

from wxcs_lite.errors import WxError
from wxcs_lite.look.bubbles import bubble, line, plain
from wxcs_lite.look.words import Language
from wxcs_lite.panel.actions import Actions
from wxcs_lite.panel.calls import Calls
from wxcs_lite.panel.controls import mimebundle, show
from wxcs_lite.panel.desk_view import DeskView
from wxcs_lite.panel.history import ENTRY, History
from wxcs_lite.panel.previews import as_curl, as_http, as_python
from wxcs_lite.panel.status import Tone, error_html, line_html, window_text
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.pools import Pool
from wxcs_lite.push import Push
from wxcs_lite.secret import hide_if_str

__all__ = ["Desk"]

_OFFERED = 100  # customers to choose from; any other can be typed
_PREVIEWED = {"image": 500_000, "miniprogrampage": 100_000}  # bytes; a cover is sent with each keystroke


class Desk:
    """A customer-service desk in a notebook, for any pool; `token` is a str or a callable as `fresh_token` returns.

    >>> from wxcs_lite import fresh_token
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> desk = Desk(pool, fresh_token(pool, sandbox.appid, sandbox.secret), touser="ann", clock=sandbox.clock)
    >>> desk
    <Desk, open>
    >>> desk.close()

    Each button is a method: `send`, `show_typing`, `hide_typing`, `upload`, `download`, `save`, `export`. They do
    not raise errors of WeChat or the network but show them, in the panel's language. `receive` is a handler for
    `push_app`.
    """

    def __init__(
        self,
        pool: Pool,
        token: str | Callable[..., str | None],
        *,
        touser: str = "",
        lang: Language = "en",
        clock: Callable[[], float] = time.time,
    ) -> None:
        pool, token = hide_if_str(pool), hide_if_str(token)
        self._history, self._clock = History(), clock
        self._calls = Calls(pool, token, self._history, clock)
        self._lang, self._words = lang, words(lang)
        self._arrived, self._thread = deque[dict[str, Any]](), get_ident()
        self._said: tuple[Tone, str, dict[str, object]] | Exception = ("calm", "ready", {})
        self.after_each: list[Callable[[], object]] = []
        self.inbound: set[str] = set()
        self._closers: list[Callable[[], object]] = []
        self._is_open = False
        self.view = DeskView(self, self._chosen, self._edited)
        self._actions = Actions(self.view, self._calls, self._history, clock, self._say)
        self.view.speak(self._words)
        self.view.forms.show()
        self.view.touser.value = touser
        self._is_open = True
        self.refresh()
        self._ticker = Ticker(self.refresh)

    def __repr__(self) -> str:
        return f"<Desk, {'open' if self._is_open else 'closed'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return mimebundle(self.view.root, repr(self)) if self._is_open else {"text/plain": repr(self)}

    # --- what its buttons do

    def send(self) -> None:
        """Send the message of the form, once; the form is emptied if WeChat accepted it, and kept if not."""
        self._do(self._actions.send)

    def show_typing(self) -> None:
        """Show "typing…" to the customer for 15 seconds."""
        self._do(lambda: self._actions.typing("Typing"))

    def hide_typing(self) -> None:
        """Hide "typing…" from the customer."""
        self._do(lambda: self._actions.typing("CancelTyping"))

    def upload(self) -> None:
        """Upload the chosen picture, or the one at the path; its media_id goes into the form."""
        self._do(self._actions.upload)

    def download(self) -> None:
        """Download a medium by its media_id, and show it if it is a picture."""
        self._do(lambda: self._actions.download(self._words))

    def save(self) -> None:
        """Save the downloaded medium, to the given path or with WeChat's filename."""
        self._do(self._actions.save)

    def export(self) -> None:
        """Write the history to a file, as JSON, without secrets and without file contents."""
        self._do(self._actions.export)

    def switch_language(self) -> None:
        """Switch between English and Chinese."""
        self._do(lambda: self.speak(LANGUAGES[self._lang == LANGUAGES[0]]))

    # --- what others do with it

    @property
    def history(self) -> list[dict[str, Any]]:
        """A copy of the history, oldest entry first."""
        return self._history.entries

    @property
    def lang(self) -> Language:
        """The language of the panel: en or zh."""
        return self._lang

    def receive(self, push: Push) -> None:
        """Show what a customer sent; a handler for `push_app`, to be called in any thread.

        Widgets are only changed in the desk's own thread: a push from another thread shows within a second.
        """
        self._arrived.append(push.fields)
        if get_ident() == self._thread:
            self.refresh()

    def speak(self, lang: Language) -> None:
        """Use another language: en or zh."""
        self._lang, self._words = lang, words(lang)
        self.view.speak(self._words)
        self.refresh()

    def refresh(self) -> None:
        """Show what has arrived, and update the countdowns; nothing is sent."""
        if self._is_open:
            self._guarded(self._take_in)
            self._guarded(self._show)

    @property
    def is_open(self) -> bool:
        """Whether the desk is open."""
        return self._is_open

    def report(self, en: str, zh: str) -> None:
        """Show a line about what brings the pushes, in English or Chinese; to be called in any thread."""
        self._arrived.append({"en": en, "zh": zh})
        if get_ident() == self._thread:
            self.refresh()

    def on_close(self, close: Callable[[], object]) -> None:
        """Call `close` once when the desk is closed, the latest first; at once if it is closed already."""
        if self._is_open:
            self._closers.append(close)
        else:
            close()

    def close(self) -> None:
        """Stop the countdowns, and remove everything shown from the notebook and its widget state."""
        if self._is_open:
            self._ticker.stop()
            self._is_open = False
            while self._closers:
                self._closers.pop()()
            self.view.close()

    # --- how

    # A keystroke updates only what it changes; the rest waits for the next refresh.

    def _chosen(self) -> None:
        if self._is_open:
            self._guarded(self._show_customer)

    def _edited(self) -> None:
        if self._is_open:
            self._guarded(self._show_message)

    def _do(self, action: Callable[[], object]) -> None:
        """Run an action with the buttons disabled, and show whatever it raises."""
        if not self._is_open:
            return
        with self.view.presses.pause():
            self._guarded(action)
        self.refresh()
        for follow in self.after_each:
            self._guarded(follow)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as e:  # the last resort: nobody would see an error in a widget's callback
            self._said = e
            self._show_status()

    def _say(self, key: str, tone: Tone = "good", **told: object) -> None:
        self._said = (tone, key, told)
        self._show_status()

    def _take_in(self) -> None:
        view = self.view
        while self._arrived:
            fields = self._arrived.popleft()
            if "FromUserName" not in fields and "zh" in fields:
                self._said = ("calm", "reported", {"text": fields[self._lang]})
                continue
            touser = plain(fields.get("FromUserName"))
            self._history.came_in(self._clock(), fields)
            if not view.customer:
                view.touser.value = touser
            if fields.get("MsgType") == "image":
                view.download_id.value = str(fields.get("MediaId", ""))
            if not isinstance(self._said, Exception):  # an error stays until the next press
                key = "entered" if fields.get("Event") == ENTRY else "wrote"
                self._said = ("calm", key, {"touser": touser})

    def _show(self) -> None:
        offered = self._history.latest(_OFFERED)
        if self.view.touser.options != offered:
            self.view.touser.options = offered
        self.view.log.value = self._history.to_html(self._words)
        self._show_customer()
        self._show_status()

    def _show_customer(self) -> None:
        view, touser = self.view, self.view.customer
        if touser:
            view.pill(*window_text(self._history.events(touser), self._clock(), self._words))
        else:
            view.pill("unknown", self._words["window_nobody"])
        left = self._actions.typing_left(touser)
        show(view.typing, line_html(self._words["typing_left"].format(seconds=left), "typing") if left else "")
        self._show_message()

    def _show_message(self) -> None:
        view, touser = self.view, self.view.customer
        view.medium.speak(self._words, self._clock())
        view.remarks.value = view.forms.remarks_html(touser, self._words, self._lang)
        self._show_look(touser)

    def _show_look(self, touser: str) -> None:
        try:
            message = self.view.forms.message(touser)
            code = _CODE.get(self.view.look_kind.value, as_python)(message)
        except WxError:
            self.view.show_look(line(self._words["look_empty"]), self._words["look_empty"])
            return
        picture = self.view.medium.picture(message)
        limit = _PREVIEWED.get(str(message.get("msgtype")))
        self.view.show_look(bubble(message, self._words, picture=picture, limit=limit), code)

    def _show_status(self) -> None:
        said = self._said
        if isinstance(said, Exception):
            shown = error_html(said, self._words, self._lang, renews=self._calls.renews)
        else:
            tone, key, told = said
            shown = line_html(self._words[key].format(**told), tone)
        self.view.status.value = shown


_CODE = {"python": as_python, "http": as_http, "curl": as_curl}
