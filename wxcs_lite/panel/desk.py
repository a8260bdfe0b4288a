"""The desk: an agent's side of the conversations, for any pool, live or sandbox. It adds no rules of its own.

Nothing is sent without a press of a button or of Enter (or a call of its method), and every error is shown, beside the
customer whom it concerns.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from secrets import token_hex
from typing import Any
from weakref import WeakSet

from wxcs_lite.endpoints import Command
from wxcs_lite.errors import PushRejected
from wxcs_lite.look.words import Language
from wxcs_lite.panel.arrivals import Arrivals
from wxcs_lite.panel.calls import Calls, Sending
from wxcs_lite.panel.conversation import Conversation, Conversations, key_of_push, may_be_openid, result_of
from wxcs_lite.panel.draft import MEDIA, Draft, Picture
from wxcs_lite.panel.feed import Follower, follow
from wxcs_lite.panel.gallery import Gallery
from wxcs_lite.panel.history import History, exported
from wxcs_lite.panel.picture import at_path, picked
from wxcs_lite.panel.screen import Said, Screen
from wxcs_lite.panel.status import Tone
from wxcs_lite.panel.texts import LANGUAGES
from wxcs_lite.panel.ticker import Ticker
from wxcs_lite.panel.view.controls import mimebundle
from wxcs_lite.panel.view.desk import DeskView
from wxcs_lite.panel.worker import Worker
from wxcs_lite.pools import Pool
from wxcs_lite.push import Push
from wxcs_lite.secret import hide_if_str

__all__ = ["Desk"]

_EXPORT = "wxcs_history.json"
_TYPING = 15  # seconds for which WeChat shows it
_ANNOUNCED = 5  # of the messages that come at once
_open: WeakSet["Desk"] = WeakSet()  # desks on one pool tell each other what they sent


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

    Each button is a method: `send`, `show_typing`, `hide_typing`, `save`, `export`. They do not raise errors of WeChat
    or the network but show them, in the panel's language. `receive` is a handler for `push_app`. `history` is the path
    of a file to which messages are appended, readable by its owner alone: it holds texts and openids, and is read again
    when the next desk begins. `quick_replies` are texts to choose from.
    """

    def __init__(
        self,
        pool: Pool,
        token: str | Callable[..., str | None],
        *,
        touser: str = "",
        lang: Language = "en",
        clock: Callable[[], float] = time.time,
        history: str | os.PathLike[str] | None = None,
        quick_replies: Iterable[str] = (),
    ) -> None:
        pool, token = hide_if_str(pool), hide_if_str(token)
        self._calls, self._clock = Calls(pool, token), clock
        self._lang = lang
        self._conversations, self._history = Conversations(), History(history)
        broken = self._history.read_into(self._conversations)
        self._sender, self._gallery = Worker(), Gallery(self._calls, self._picture_changed)
        self._arrivals = Arrivals(self._woken)
        self._said: Said = None
        self._sought = ""  # what was entered to find somebody, the last time
        self.after_each: list[Callable[[], object]] = []
        self.inbound: set[str] = set()
        self._closers: list[Callable[[], object]] = []
        self._is_open = True
        self._ticker = Ticker(self.refresh)
        self.view = DeskView(self, lang, quick_replies, lambda: self._ticker.was_busy)
        self._screen = Screen(self.view, self._conversations, self._gallery.pictures)
        _open.add(self)
        if broken:
            self._say("history_broken", "calm", count=broken)
        if touser:
            self.select(touser)
        self.refresh()

    def __repr__(self) -> str:
        return f"<Desk, {'open' if self._is_open else 'closed'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return mimebundle(self.view.root) if self._is_open else {"text/plain": repr(self)}

    # --- what its buttons do

    def send(self) -> None:
        """Send what is written to the customer who is shown, once; it is put back if it was refused."""
        if (conversation := self.conversation) is None:
            self._say("choose", "calm")
        else:
            self.press(conversation)

    def show_typing(self) -> None:
        """Show "typing…" to the customer for 15 seconds."""
        self._set_typing("Typing")

    def hide_typing(self) -> None:
        """Hide "typing…" from the customer."""
        self._set_typing("CancelTyping")

    def toggle_typing(self) -> None:
        """Show "typing…" to the customer, or hide it if it is shown."""
        conversation = self.conversation
        shown = conversation is not None and conversation.typing_until > self._clock()
        self._set_typing("CancelTyping" if shown else "Typing")

    def save(self) -> None:
        """Save the latest picture of the conversation; a file that exists is only overwritten at a second press."""
        self._do(self._save)

    def export(self) -> None:
        """Write the entries that are kept to a file, as JSON, without secrets and without file contents."""
        self._do(self._export)

    def switch_language(self) -> None:
        """Switch between English and Chinese."""
        self._do(lambda: self.speak(LANGUAGES[self._lang == LANGUAGES[0]]))

    def select(self, touser: str) -> None:
        """Show the conversation with a customer, with what was written to them and not sent yet."""
        if self._is_open:
            self._guarded(lambda: self._open(self._conversations.of(touser)))

    def select_next(self) -> None:
        """Show the customer who has waited longest, of those who are not shown."""
        waiting = (one for one in self._conversations.listed(count=2) if one.waiting_since is not None)
        if (found := next((one for one in waiting if one is not self.conversation), None)) is not None:
            self.choose(found.touser)

    # --- what others do with it

    @property
    def conversation(self) -> Conversation | None:
        """The conversation that is shown."""
        return self._screen.conversation

    @property
    def is_open(self) -> bool:
        """Whether the desk is open."""
        return self._is_open

    @property
    def history(self) -> list[dict[str, Any]]:
        """A copy of the entries in memory, oldest first: the latest 20,000."""
        return self._conversations.entries

    @property
    def lang(self) -> Language:
        """The language of the panel: en or zh."""
        return self._lang

    def receive(self, push: Push) -> None:
        """Show what a customer sent; a handler for `push_app`, to be called in any thread.

        A push that comes again is shown once. Widgets are only changed in the desk's own thread. A closed desk raises
        PushRejected: push_app answers 503 then, and WeChat pushes again.
        """
        if not self._is_open:
            raise PushRejected(
                "the desk is closed: give push_app the receive of a desk that is open",
                "客服工作台已关闭：请把仍打开的工作台的 receive 交给 push_app",
            )
        self._arrive(push)

    def follow(self, path: str | Path) -> Follower:
        """Show the pushes that a file contains, and those that are appended to it, until the desk is closed."""
        return follow(self, path)

    def report(self, en: str, zh: str) -> None:
        """Show a line about what brings the pushes, in English or Chinese; to be called in any thread."""
        self._arrive((en, zh))

    def on_close(self, close: Callable[[], object]) -> None:
        """Call `close` once when the desk is closed, the latest first; at once if it is closed already."""
        if self._is_open:
            self._closers.append(close)
        else:
            close()

    def speak(self, lang: Language) -> None:
        """Use another language: en or zh."""
        self._lang = lang
        self.view.speak(lang)
        self._screen.open(self.conversation)
        self.refresh()

    def refresh(self) -> None:
        """Show what has arrived, and update the countdowns; nothing is sent."""
        if self._is_open:
            self._guarded(self._take_in)
            self._guarded(self._show)

    def close(self) -> None:
        """Stop the countdowns, and remove everything shown from the notebook and its widget state."""
        if self._is_open:
            self._ticker.stop()
            self._is_open = False
            while self._closers:
                self._closers.pop()()
            self._sender.stop()
            self._gallery.stop()
            self.view.close()

    # --- what its widgets tell

    def choose(self, touser: str) -> None:
        """Show a conversation, and let the next key go into its field."""
        self.select(touser)
        self.view.composer.focus()

    def press(self, conversation: Conversation) -> None:
        """Send the draft of a customer, and let the next key go into the field."""
        self.send_to(conversation, is_asked=True)
        self.view.composer.focus()

    def send_to(self, conversation: Conversation, is_asked: bool = False) -> None:
        """Send the draft of a customer; an Enter in an empty field is passed over, a press of Send is told why."""
        if is_asked or conversation.draft.begun:
            self._do(lambda: self._send(conversation), conversation)

    def search(self, is_entered: bool) -> None:
        """Show who is found; after an Enter, open the first, or a conversation with an openid that is not there yet.

        An openid that somebody has only written may be another's: it opens nothing, and the same entered again opens
        the conversation with that openid, whatever it is a part of.
        """
        sought = str(self.view.people.search.value).strip()
        if not (is_entered and sought):
            self.refresh()
            return
        found, how = self._conversations.found(sought)
        is_again, self._sought = sought == self._sought, sought
        if how == "said" and may_be_openid(sought) and not is_again:
            self._do(lambda: self._say("only_said", "calm", openid=sought))
            return
        with self.view.kit.showing():
            self.view.people.search.value = ""
        is_new = found is None or (is_again and how != "called" and may_be_openid(sought))
        self.choose(sought if is_new or found is None else found.touser)

    def rename(self, conversation: Conversation, nickname: str) -> None:
        """Give a customer a name of the agent's own."""
        told = {"customer": conversation.touser, "nickname": nickname.strip()}
        self._conversations.name(told["customer"], told["nickname"])
        self._do(lambda: self._note(told))

    def edited(self, conversation: Conversation) -> None:
        """Show a draft that was changed."""
        if self._is_open and conversation is self.conversation:
            self._guarded(lambda: self._screen.draft(self._lang))

    def pick(self, conversation: Conversation, name: str, content: bytes) -> None:
        """Put a picture into a draft; one that is none leaves no older one there."""
        self._put_picture(conversation, lambda: picked(name, content))

    def pick_by(self, conversation: Conversation, name: str, value: str) -> None:
        """Put a picture into a draft by its path or its media_id."""
        if value := value.strip():
            pasted = Picture("", self._gallery.pictures.get(value), media_id=value)
            self._put_picture(conversation, lambda: at_path(value) if name == "path" else pasted)

    def unpick(self, conversation: Conversation) -> None:
        """Remove the picture from a draft."""
        conversation.draft.picture = None
        self.edited(conversation)

    # --- how

    def _do(self, action: Callable[[], object], conversation: Conversation | None = None) -> None:
        """Run an action, and show whatever it raises, beside the customer whom it concerns."""
        if not self._is_open:
            return
        self._said = None
        if conversation is not None:
            conversation.error = None
        self._guarded(action, conversation)
        self._finish()

    def _finish(self) -> None:
        self.refresh()
        for action in self.after_each:
            self._guarded(action)

    def _guarded(self, action: Callable[[], object], conversation: Conversation | None = None) -> None:
        try:
            action()
        except Exception as e:  # the last resort: nobody would see an error in a widget's callback
            if conversation is None:
                self._said = e
            else:
                conversation.error = e
            self._show_status()

    def _say(self, key: str, tone: Tone = "good", **told: object) -> None:
        self._said = (tone, key, told)
        self._show_status()

    def _send(self, conversation: Conversation) -> None:
        draft, key = conversation.draft, token_hex(6)
        # Until it is uploaded, a picture goes by a name that no other has.
        message = draft.message(conversation.touser, f"upload-{key}")
        entry = self._conversations.goes_out(self._clock(), message, key)
        self._note(entry)
        sent = draft.taken()
        self._gallery.keep(message, sent.picture)
        self._draw([entry])
        self._screen.draft(self._lang)
        sending = Sending(self._calls, entry["message"], sent.picture, self._clock)
        self._sender.start(sending, lambda error: self._is_sent(conversation, entry, sent, sending, error))

    def _is_sent(
        self, conversation: Conversation, entry: dict[str, Any], sent: Draft, sending: Sending, error: Exception | None
    ) -> None:
        """Note what became of a message; the desk may have been closed meanwhile, its history is kept."""
        key, result, message = entry["id"], result_of(error), sending.message
        self._conversations.settle(key, result, message)
        self._note({"id": key, "result": result, "message": message})
        sent.picture = sending.picture
        self._gallery.keep(message, sent.picture)
        if error is None:
            conversation.typing_until = 0.0
            for other in _open:
                other._takes_over(self._calls.pool, entry, self)
        else:
            conversation.error = error
            conversation.draft.put_back(sent)
        if self._is_open:
            self._guarded(lambda: self._screen.change(entry))
            self._finish()

    def _takes_over(self, pool: Pool, entry: dict[str, Any], sender: "Desk") -> None:
        """Note what another desk on the same pool has sent."""
        if self is not sender and self._is_open and self._calls.pool is pool:
            key = token_hex(6)
            own = self._conversations.goes_out(entry["at"], entry["message"], key)
            self._conversations.settle(key, "accepted")
            self._note(own)
            self._draw([own])

    def _note(self, told: dict[str, Any]) -> None:
        """Append to the history; that a disk is full keeps nobody from being answered."""
        self._guarded(lambda: self._history.write(told))

    def _set_typing(self, command: Command) -> None:
        conversation = self.conversation
        if conversation is None:
            self._say("choose", "calm")
            return

        def told(error: Exception | None) -> None:
            conversation.error = error
            if error is None:
                conversation.typing_until = self._clock() + _TYPING if command == "Typing" else 0.0
            self._finish()

        touser = conversation.touser
        self._do(lambda: self._sender.start(lambda: self._calls.set_typing(touser, command), told), conversation)

    def _put_picture(self, conversation: Conversation, make: Callable[[], Picture]) -> None:
        draft = conversation.draft
        draft.picture = None  # whatever comes of it: an older one is not sent

        def put() -> None:
            draft.picture = make()
            draft.kind = draft.kind if draft.kind in MEDIA else "image"

        self._do(put, conversation)

    def _open(self, conversation: Conversation) -> None:
        conversation.unread = 0
        shown = self._screen.open(conversation)
        self._gallery.open(shown)
        self._said = None
        self._show()

    def _draw(self, entries: list[dict[str, Any]]) -> None:
        """Show those of the new entries whose conversation is the one on the screen."""
        conversation = self.conversation
        own = [one for one in entries if conversation is not None and one["customer"] == conversation.touser]
        if conversation is not None and own:
            conversation.unread = 0
            self._screen.add(len(own))
            self._gallery.open(own)

    def _picture_changed(self, media_id: str) -> None:
        if self._is_open:
            self._guarded(lambda: self._screen.change_picture(media_id))

    def _arrive(self, arrived: Any) -> None:
        if self._arrivals.put(arrived):
            self.refresh()

    def _woken(self) -> None:
        if self._is_open:
            self._guarded(self._take_in)
            self._guarded(self._show_talk)  # the list with the next tick: see view.people

    def _take_in(self) -> None:
        """Note what has arrived, and show what concerns the conversation on the screen."""
        came = [entry for one in self._arrivals.take() if (entry := self._take(one)) is not None]
        for entry in came[-_ANNOUNCED:]:
            self._screen.announce(entry)
        if came and self.conversation is None:
            self._open(self._conversations.of(came[0]["customer"]))
        else:
            self._draw(came)

    def _take(self, arrived: Push | tuple[str, str]) -> dict[str, Any] | None:
        if isinstance(arrived, tuple):
            self._say("reported", "calm", text=arrived[self._lang == "zh"])
            return None
        entry = self._conversations.came_in(self._clock(), arrived.fields, key_of_push(arrived))
        if entry is not None:
            self._note(entry)
        return entry

    def _show(self) -> None:
        self._screen.people(self._clock())
        self._show_talk()

    def _show_talk(self) -> None:
        self._screen.header(self._clock())
        self._screen.draft(self._lang)
        self._show_status()
        self.view.composer.tidy()

    def _show_status(self) -> None:
        self._screen.status(self._said, self.inbound, self._lang, self._calls.renews)

    def _save(self) -> None:
        entries = list(self.conversation.entries) if self.conversation else []
        is_saved, path = self._gallery.save(entries, str(self.view.save_to.value).strip())
        self._say("saved" if is_saved else "save_again", "good" if is_saved else "calm", path=path)

    def _export(self) -> None:
        entries = self._conversations.entries
        path = exported(entries, str(self.view.export_to.value).strip() or _EXPORT)
        self._say("exported", count=len(entries), path=path)
