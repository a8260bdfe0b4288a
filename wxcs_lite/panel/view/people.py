"""The list of customers: those who wait first, with what is unread, what is left, and the last words."""

import re
from collections.abc import Callable, Sequence
from time import monotonic

import ipywidgets as w

from wxcs_lite.look.bubbles import plain, summary
from wxcs_lite.look.words import Words
from wxcs_lite.panel.conversation import Conversation
from wxcs_lite.panel.status import window_short
from wxcs_lite.panel.view.controls import Kit

__all__ = ["People", "row"]

# A row is drawn in two lines by the style sheet: the one place where it may break is after the first. The front end
# makes every space one that does not break, a joiner keeps a line together at its commas and hyphens, and what follows
# the last words makes the second line full.
_BREAK, _JOINER, _FILL = "\u200b", "\u2060", "\u2003" * 60
_LAST, _NAME = 60, 18  # characters
# A press of a row is lost if the list is drawn again before the finger is lifted: the browser makes all its rows again.
# So what others do changes the list once a second, with the countdowns, and what the agent does at once.
_SEEN = 0.3  # seconds: nobody reads a row that has just moved, and clicks, so soon


class People:
    """The field to search in, and the list; `chosen` is called with the customer whose row is clicked."""

    def __init__(self, kit: Kit, chosen: Callable[[str], None], sought: Callable[[bool], None]) -> None:
        self._kit, self._chosen = kit, chosen
        keys = {"description": "search", "placeholder": "search_hint"}
        self.search = kit.line(lambda _: sought(False), lambda: sought(True), keys)
        self.list = kit.make(w.Select, "wxcs-list", keys={"description": "customers"}, options=(), rows=8)
        kit.watch(self.list, self._clicked, "index")
        self.note = kit.html("wxcs-note")
        self._shown: tuple[object, int | None] | None = None
        self._rows: list[str] = []
        self._rows_before: list[str] = []
        self._moved = float("-inf")
        self.box = kit.box([self.search, self.list, self.note], "wxcs-people")

    def show(self, found: Sequence[tuple[str, str]], touser: str, note: str) -> None:
        """Show these customers, each with its row, and which of them is shown beside the list.

        That one's row stays where it is: the list does not run away from who has just answered.
        """
        found, rows = list(found), [one for one, _ in found]
        if touser in rows and touser in self._rows:
            found.insert(self._rows.index(touser), found.pop(rows.index(touser)))
            rows = [one for one, _ in found]
        options = tuple((text, one) for one, text in found)
        index = rows.index(touser) if touser in rows else None
        self._kit.show(self.note, note)
        # Not what the widget holds, which may be newer than what we have been told: it is changed in another thread.
        if (options, index) == self._shown:
            return
        self._shown = options, index
        if rows != self._rows:
            self._rows_before, self._rows, self._moved = self._rows, rows, monotonic()
        with self._kit.showing(), self.list.hold_sync():
            if options != self.list.options:
                self.list.options = options
            self.list.index = index

    def _clicked(self, index: int | None) -> None:
        if index is None:
            return
        self._shown = None  # the list shows another row than we did
        # The front end tells the place of a row, not whose it is: a click on its way meets the rows of before.
        rows = self._rows_before if monotonic() - self._moved < _SEEN else self._rows
        self._chosen((rows if index < len(rows) else self._rows)[index])


def row(conversation: Conversation, now: float, words: Words) -> str:
    """Return the text of a row: what is unread, who it is and what is left, then the last words."""
    marks = [f"● {conversation.unread}"] if conversation.unread else []
    marks += ["⚠"] if conversation.error else []
    marks += ["✎"] if conversation.draft.begun and not conversation.error else []
    name = _cut(conversation.nickname, _NAME) or _short(conversation.touser)
    left = window_short(conversation.events, now, words)
    first = " ".join([*marks, name, *([f"· {left}"] if left else [])])
    return plain(f"{_joined(first)}{_BREAK}{_joined(_cut(_last(conversation, words), _LAST))}{_FILL}")


def _last(conversation: Conversation, words: Words) -> str:
    if not conversation.entries:
        return words["no_words"]
    entry = conversation.entries[-1]
    said = summary(entry["message"], words)
    return f"{words['you']}: {said}" if entry["direction"] == "out" else said


def _joined(line: str) -> str:
    return re.sub(r"([^\w ])", rf"{_JOINER}\1{_JOINER}", line)


def _short(openid: str) -> str:
    """Return an openid shortened in its middle: those of one Mini Program begin alike."""
    return openid if len(openid) <= _NAME else f"{openid[:4]}…{openid[-8:]}"


def _cut(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
