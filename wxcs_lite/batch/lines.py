"""Messages of one customer form a line: the next one leaves when the one before has its outcome, and not earlier.

A line has one message outside of it: in `ready`, in `claimed`, or on its way. So whoever takes from these two need not
think of the order, and a message that has to leave once more still is the first of its customer.
"""

from collections import deque
from itertools import islice

from wxcs_lite.batch.admission import Letter

__all__ = ["Lines"]


class Lines:
    """All messages that have been read and have no outcome yet, but for those that are on their way."""

    def __init__(self) -> None:
        self.ready: deque[Letter] = deque()  # may leave, not claimed yet
        self.claimed: deque[Letter] = deque()  # may leave, and the ledger knows
        self.held = 0  # with those that are on their way
        self._behind: dict[str, deque[Letter]] = {}

    def __bool__(self) -> bool:
        """Whether a message may leave now."""
        return bool(self.claimed or self.ready)

    def join(self, letter: Letter) -> None:
        """Let a message wait for its turn."""
        self.held += 1
        if (behind := self._behind.get(letter.touser)) is not None:
            behind.append(letter)
        else:
            self._behind[letter.touser] = deque()
            self.ready.append(letter)

    def first(self, count: int) -> list[Letter]:
        """Return the next messages to be claimed."""
        return list(islice(self.ready, count))

    def claim(self, letters: list[Letter]) -> None:
        """Note that these, the first of `ready`, have been claimed."""
        self.claimed.extend(letters)
        for _ in letters:
            self.ready.popleft()

    def take_back(self) -> list[Letter]:
        """Return those that are claimed; they are the first of `ready` again, and have to be claimed once more."""
        letters = [*self.claimed]
        self.ready.extendleft(reversed(letters))
        self.claimed.clear()
        return letters

    def leave(self, letter: Letter) -> None:
        """Let a message that has its outcome go, and the next one of its customer follow."""
        self.held -= 1
        behind = self._behind[letter.touser]
        if behind:
            self.ready.append(behind.popleft())
        else:
            del self._behind[letter.touser]

    def take(self) -> Letter | None:
        """Take any message that has not left; None if there is none."""
        waiting = self.claimed or self.ready
        return waiting.popleft() if waiting else None
