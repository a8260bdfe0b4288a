"""A conversation on the screen: few widgets, the latest bubbles at the end, and nothing drawn twice.

Older bubbles stand together, some forty in one widget; the latest have one each, so that a new one is only added. The
pane is filled from below (column-reverse), which keeps the place of a reader who has scrolled up. No widget is closed
while the conversation lives: the browser may still be building its view, and a closed one would stop it for good.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from wxcs_lite.panel.view.controls import Kit

__all__ = ["Bubble", "Talk"]

Bubble = tuple[str, str]  # key and markup

_TOGETHER = 48  # bubbles in one widget
_ALONE = 8  # of the latest bubbles
_SHOWN = 200  # bubbles; when half as many again are there, the oldest go
_MANY = 16  # bubbles that come at once and are drawn at once: each by itself would cost several messages
_HEAVY = 50_000  # characters: a bubble with a picture stays alone, so that it travels to the browser once


class Talk:
    """Shows bubbles, given as key and markup; each can be replaced by its key."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._drawn: list[tuple[Any, list[Bubble]]] = []  # each widget with its bubbles, the oldest first
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

    @property
    def _bubbles(self) -> list[Bubble]:
        return [bubble for _, bubbles in self._drawn for bubble in bubbles]

    def fill(self, bubbles: Iterable[Bubble]) -> None:
        """Show these and nothing else, from the end."""
        self._screens.reverse()
        self._screens[0].children, self._screens[1].children = (self._end, self.pane), ()
        self.box.children = (self._screens[0],)
        self._redraw(bubbles)

    def add(self, bubbles: Sequence[Bubble]) -> None:
        """Add bubbles at the end."""
        before = self._bubbles
        if len(bubbles) > _MANY or len(before) + len(bubbles) > _SHOWN * 3 // 2:
            self._redraw([*before, *bubbles])
            return
        for key, markup in bubbles:
            self._drawn.append((self._widget(markup), [(key, markup)]))
            self._join()
        self._place()

    def replace(self, key: str, markup: str) -> None:
        """Show a bubble again, wherever it is."""
        for widget, bubbles in reversed(self._drawn):
            for at, (known, _) in enumerate(bubbles):
                if known == key:
                    bubbles[at] = key, markup
                    widget.value = "".join(markup for _, markup in bubbles)
                    return

    def _redraw(self, bubbles: Iterable[Bubble]) -> None:
        self._free += [widget for widget, _ in reversed(self._drawn)]
        self._drawn = []
        self._together(list(bubbles)[-_SHOWN:])
        self._place()

    def _together(self, bubbles: Iterable[Bubble]) -> None:
        """Draw bubbles in as few widgets as possible."""
        waiting: list[Bubble] = []
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

    def _draw(self, bubbles: list[Bubble]) -> None:
        self._drawn.append((self._widget("".join(markup for _, markup in bubbles)), bubbles))

    def _join(self) -> None:
        """Put the latest bubbles together when there are enough of them, with those above them if there is room."""
        begin = len(self._drawn)
        while begin and len(found := self._drawn[begin - 1][1]) == 1 and len(found[0][1]) <= _HEAVY:
            begin -= 1
        count = len(self._drawn) - begin
        if count < _ALONE:
            return
        if begin and 1 < len(self._drawn[begin - 1][1]) <= _TOGETHER - count:
            begin -= 1
        tail, self._drawn = self._drawn[begin:], self._drawn[:begin]
        self._free += [widget for widget, _ in reversed(tail)]
        self._together([bubble for _, bubbles in tail for bubble in bubbles])

    def _widget(self, markup: str) -> Any:
        made = self._free.pop() if self._free else self._kit.html()
        made.value = markup
        return made

    def _place(self) -> None:
        self.pane.children = tuple(widget for widget, _ in self._drawn)
