"""What a Mini Program may send to one user, and until when; and the typing line on the user's screen.

A message of the user opens 48 hours with 5 messages; entering the session opens 1 minute with 2. Time is an argument.
"""

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/typing.html

from math import inf
from typing import Final

from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["ReplyWindow"]

_MESSAGE: Final = (5, 48 * 3600)  # messages, seconds
_ENTRY: Final = (2, 60)
_TYPING: Final = 15  # seconds
_EXCHANGE: Final = 30  # seconds


class ReplyWindow:
    """The state of one user.

    >>> window = ReplyWindow()
    >>> window.user_wrote(0)
    >>> for _ in range(5):
    ...     window.check_send(60)
    ...     window.sent(60)
    >>> window.check_send(60)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 45047

    Counts don't add up: each action gives the larger count and the later end. Whether entering the session inside a
    running 48 hours fills the count up to 5 again isn't said; `refill` chooses (inferred: it doesn't).
    """

    def __init__(self) -> None:
        self.closes_at = -inf
        self.left = 0
        self._answers_until = -inf  # the end of the 48 hours, if they run
        self._exchanged_at = -inf  # the last message in either direction
        self._typing_until = -inf

    def user_wrote(self, now: float) -> None:
        self._open(_MESSAGE, now)
        self._answers_until = now + _MESSAGE[1]
        self._exchanged_at = now

    def user_entered(self, now: float, *, refill: bool = False) -> None:
        count, seconds = _ENTRY
        if refill and now <= self._answers_until:
            count = _MESSAGE[0]
        self._open((count, seconds), now)

    def _open(self, action: tuple[int, int], now: float) -> None:
        left = self.left if now <= self.closes_at else 0
        self.left = max(left, action[0])
        self.closes_at = max(self.closes_at, now + action[1])

    def check_send(self, now: float) -> None:
        """Raise 45015 outside the window, else 45047 if its messages are used up (order inferred; not published)."""
        self._check_open(now)
        if not self.left:
            raise RefusedError(45047)

    def _check_open(self, now: float) -> None:
        if now > self.closes_at:
            raise RefusedError(45015)

    def sent(self, now: float) -> None:
        """Note a delivered message: it takes one from the count and ends the typing line."""
        self.left -= 1
        self._exchanged_at = now
        self._typing_until = -inf

    def typing(self, now: float) -> None:
        """Show the typing line for 15 s, or raise 45015, 45080 or 45081; it takes no message from the count."""
        self._check_open(now)
        if now - self._exchanged_at > _EXCHANGE:
            raise RefusedError(45080)
        if self.shows_typing(now):
            raise RefusedError(45081)
        self._typing_until = now + _TYPING

    def cancel_typing(self, now: float) -> None:
        """End the typing line, also when there is none (inferred; not published); the window must be open."""
        self._check_open(now)
        self._typing_until = -inf

    def shows_typing(self, now: float) -> bool:
        return now < self._typing_until
