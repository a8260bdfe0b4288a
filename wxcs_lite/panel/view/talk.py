"""A conversation on the screen: few widgets, the latest bubbles at the end, and nothing drawn twice.

Older bubbles stand together, some forty in one widget; the latest have one each, so that a new one is only added. The
pane is filled from below (column-reverse), which keeps the place of a reader who has scrolled up. No widget is closed
while the conversation lives: the browser may still be building its view, and a closed one would stop it for good.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from wxcs_lite.panel.view.controls import Kit

__all__ = ["Talk"]

_TOGETHER = 48  # bubbles in one widget
_ALONE = 8  # of the latest bubbles
_SHOWN = 200  # bubbles; when half as many again are there, the oldest go
_HEAVY = 50_000  # characters: a bubble with a picture stays alone, so that it travels to the browser once


class Talk:
    """Shows bubbles, given as markup; each can be replaced by its key."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._bubbles: deque[tuple[str, str]] = deque()  # key and markup, the oldest first
        self._drawn: list[tuple[Any, list[str]]] = []  # each widget with the keys of its bubbles
        self._free: list[Any] = []
        self.pane = kit.box([], "wxcs-talk")
        # Two of them in turns: what has been scrolled is an element, and a new conversation is shown from its end.
        self._screens = [kit.box([], "wxcs-screen") for _ in range(2)]
        # What can have the focus, so that keys scroll: a box cannot.
        self._end = kit.text('<div class="wxcs-end" tabindex="0" role="note">{}</div>', "end")
        self.box = kit.box([], "wxcs-screens")

    @property
    def markup(self) -> list[str]:
        """The bubbles as they are shown, from the top."""
        return [markup for _, markup in self._bubbles]

    def fill(self, bubbles: Iterable[tuple[str, str]]) -> None:
        """Show these and nothing else, from the end."""
        self._screens.reverse()
        self._screens[0].children, self._screens[1].children = (self._end, self.pane), ()
        self.box.children = (self._screens[0],)
        self._redraw(bubbles)

    def _redraw(self, bubbles: Iterable[tuple[str, str]]) -> None:
        self._bubbles = deque(bubbles)
        while len(self._bubbles) > _SHOWN:
            self._bubbles.popleft()
        self._free += [widget for widget, _ in reversed(self._drawn)]
        self._drawn = []
        self._together(list(self._bubbles))
        self._place()

    def add(self, key: str, markup: str) -> None:
        """Add a bubble at the end."""
        if len(self._bubbles) >= _SHOWN * 3 // 2:
            self._redraw([*self._bubbles, (key, markup)])
            return
        self._bubbles.append((key, markup))
        self._drawn.append((self._widget(markup), [key]))
        self._join()
        self._place()

    def replace(self, key: str, markup: str) -> None:
        """Show a bubble anew, wherever it is."""
        for at, (known, _) in enumerate(self._bubbles):
            if known == key:
                self._bubbles[at] = key, markup
                break
        else:
            return
        by_key = dict(self._bubbles)
        widget, keys = next(drawn for drawn in reversed(self._drawn) if key in drawn[1])
        widget.value = "".join(by_key[one] for one in keys)

    def _together(self, bubbles: list[tuple[str, str]]) -> None:
        """Draw bubbles in as few widgets as possible."""
        waiting: list[tuple[str, str]] = []
        for bubble in bubbles:
            heavy = len(bubble[1]) > _HEAVY
            if waiting and (heavy or len(waiting) == _TOGETHER):
                self._draw(waiting)
                waiting = []
            waiting.append(bubble)
            if heavy:
                self._draw(waiting)
                waiting = []
        if waiting:
            self._draw(waiting)

    def _draw(self, bubbles: list[tuple[str, str]]) -> None:
        self._drawn.append((self._widget("".join(markup for _, markup in bubbles)), [key for key, _ in bubbles]))

    def _join(self) -> None:
        """Put the latest bubbles together when there are enough of them, with those above them if there is room."""
        by_key = dict(self._bubbles)
        begin, count = len(self._drawn), 0
        while begin and len(self._drawn[begin - 1][1]) == 1 and len(by_key[self._drawn[begin - 1][1][0]]) <= _HEAVY:
            begin, count = begin - 1, count + 1
        if count < _ALONE:
            return
        if begin and 1 < len(self._drawn[begin - 1][1]) <= _TOGETHER - count:
            begin -= 1
        tail, self._drawn = self._drawn[begin:], self._drawn[:begin]
        self._free += [widget for widget, _ in reversed(tail)]
        self._together([(key, by_key[key]) for _, keys in tail for key in keys])

    def _widget(self, markup: str) -> Any:
        made = self._free.pop() if self._free else self._kit.html()
        made.value = markup
        return made

    def _place(self) -> None:
        self.pane.children = tuple(widget for widget, _ in self._drawn)
