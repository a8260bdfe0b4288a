"""What the desk shows of its state: each part by itself, so that a key or a push draws only what it changes."""

from html import escape
from itertools import islice
from math import ceil
from typing import Any

from wxcs_lite.errors import WxError
from wxcs_lite.look.bubbles import bubble, line, summary
from wxcs_lite.panel.conversation import Conversation, Conversations
from wxcs_lite.panel.drawn import drawn, drawn_all, key_of
from wxcs_lite.panel.gallery import Pictures, media_id_of
from wxcs_lite.panel.picture import seen_html
from wxcs_lite.panel.previews import as_curl, as_http, as_python
from wxcs_lite.panel.status import error_html, line_html
from wxcs_lite.panel.view.desk import DeskView
from wxcs_lite.panel.view.people import row

__all__ = ["Said", "Screen"]

Said = tuple[Any, str, dict[str, object]] | Exception | None  # tone, key and what the text tells; or an error
_SHOWN = 200  # entries of a conversation that are drawn
_CODE = {"python": as_python, "http": as_http, "curl": as_curl}


class Screen:
    """The desk's view, kept up with its conversations."""

    def __init__(self, view: DeskView, conversations: Conversations, pictures: Pictures) -> None:
        self._view, self._conversations, self._pictures = view, conversations, pictures
        self.conversation: Conversation | None = None

    def open(self, conversation: Conversation | None) -> list[dict[str, Any]]:
        """Show another conversation, from its end; return the entries that are shown."""
        for one in filter(None, (self.conversation, conversation)):
            one.is_shown = one is conversation
        self.conversation = conversation
        shown = [] if conversation is None else list(conversation.entries)[-_SHOWN:]
        self._view.talk.fill(drawn_all(shown, self._view.kit.words, self._pictures))
        return shown

    def add(self, count: int) -> None:
        """Add the latest entries of the conversation that is shown."""
        assert self.conversation is not None
        latest = list(islice(reversed(self.conversation.entries), min(count, _SHOWN) + 1))[::-1]
        before = latest.pop(0) if len(latest) > count or count > _SHOWN else None
        self._view.talk.add(drawn_all(latest, self._view.kit.words, self._pictures, before))

    def announce(self, entry: dict[str, Any]) -> None:
        """Tell what a customer wrote to those who do not see it."""
        kit = self._view.kit
        name = self._conversations.of(entry["customer"]).name
        told = f"{name}: {summary(entry['message'], kit.words)}"
        kit.show(self._view.news, f'<div role="log" aria-label="{escape(kit.words["news"])}">{escape(told)}</div>')

    def change(self, entry: dict[str, Any]) -> None:
        """Show the new state of an entry, if it is shown at all."""
        conversation = self.conversation
        if conversation is None or entry["customer"] != conversation.touser:
            return
        latest = iter(reversed(conversation.entries))
        is_kept = any(one is entry for one in latest)
        before = next(latest, None) if is_kept else entry
        self._view.talk.replace(key_of(entry), drawn(entry, before, self._view.kit.words, self._pictures))

    def change_picture(self, media_id: str) -> None:
        """Show a picture, or that it cannot be loaded, wherever it is in the conversation."""
        for entry in list(self.conversation.entries)[-_SHOWN:] if self.conversation else []:
            if media_id_of(entry["message"]) == media_id:
                self.change(entry)

    def people(self, now: float) -> None:
        """Show the list."""
        people, words = self._view.people, self._view.kit.words
        search = str(people.search.value)
        found = self._conversations.listed(search)
        rows = [(one.touser, row(one, now, words)) for one in found]
        told = words["count"].format(count=len(self._conversations), waiting=self._conversations.waiting)
        if search.strip():
            told = words["found"].format(count=len(found))
        people.show(rows, self.conversation.touser if self.conversation else "", escape(told))

    def header(self, now: float) -> None:
        """Show who is written to, what is left of the window, and whether "typing…" is shown."""
        conversation = self.conversation
        self._view.header(conversation, now)
        left = 0 if conversation is None else max(0, ceil(conversation.typing_until - now))
        words = self._view.kit.words
        text = words["typing_off"] + f" ({words['seconds'].format(s=left)})" if left else words["typing_on"]
        self._view.composer.typing.description = text

    def draft(self, lang: str) -> None:
        """Show the draft of the conversation, what is odd about it, and how it will look."""
        view, conversation = self._view, self.conversation
        view.composer.show(conversation)
        if conversation is None:
            view.kit.show(view.remarks, "")
            view.show_look(line(view.kit.words["look_empty"]), view.kit.words["look_empty"])
            return
        draft = conversation.draft
        if "picture" in view.composer.fields and draft.picture is not None:
            view.kit.show(view.composer.fields["picture"], seen_html(draft.picture, view.kit.words))
        remarks = draft.remarks(conversation.touser) if draft.begun else []
        told = [f"{remark.field}: {remark.zh if lang == 'zh' else remark.en}" for remark in remarks]
        shown = "".join(f'<div class="wxcs-warn">{escape(text)}</div>' for text in told)
        view.kit.show(view.remarks, shown and f'<div class="wxcs-remarks">{shown}</div>')
        self._look(conversation)

    def _look(self, conversation: Conversation) -> None:
        view, draft = self._view, conversation.draft
        if view.look_kind.value == "off":
            view.show_look("", "")
            return
        words = view.kit.words
        try:
            message = draft.message(conversation.touser)
            code = _CODE.get(view.look_kind.value, as_python)(message)
        except WxError:
            view.show_look(line(words["look_empty"]), words["look_empty"])
            return
        picture = draft.picture.content if draft.picture else None
        view.show_look(bubble(message, words, picture=picture, limit=500_000), code)

    def status(self, said: Said, inbound: set[str], lang: Any, renews: bool) -> None:
        """Show the last result; an error of a customer is shown beside that customer only."""
        kit, conversation = self._view.kit, self.conversation
        error = conversation.error if conversation is not None else None
        shown = error or said
        if isinstance(shown, Exception):
            markup = error_html(shown, kit.words, lang, renews=renews)
        elif shown is not None:
            tone, key, told = shown
            markup = line_html(kit.words[key].format(**told), tone)
        elif conversation is None:
            markup = line_html(self._first(inbound))
        else:
            markup = ""
        kit.show(self._view.status, markup)

    def _first(self, inbound: set[str]) -> str:
        words = self._view.kit.words
        if len(self._conversations):
            return words["choose"]
        if inbound:
            return words["first_connected"].format(names=", ".join(sorted(inbound)))
        return words["first_alone"]
