"""The people who write to the account: what each did and saw, what may still be sent to them, who looks after them.

A message of the user opens 48 hours with 5 messages; entering the session opens 1 minute with 2. Time is an argument.
"""

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/typing.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html

from collections.abc import Mapping
from copy import deepcopy
from math import inf
from typing import Any, NamedTuple

from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["NO_ANSWER", "WRONG_ANSWER", "AgentSession", "CustomerEvent", "Delivered", "Notice", "Person"]
__all__ += ["ReplyWindow"]

_MESSAGE = (5, 48 * 3600)  # messages, seconds
_ENTRY = (2, 60)
_TYPING = 15  # seconds
_EXCHANGE = 30  # seconds
_SILENCE = 30 * 60  # seconds

# What customers have read on their phones. The second was seen in 2022-11, after an encrypted `success` was answered;
# that any other wrong answer brings it too is inferred. https://github.com/royalrick/weapp/issues/87
NO_ANSWER = "该小程序客服暂时无法提供服务，请稍后再试"
WRONG_ANSWER = "该小程序提供的服务出现故障，请稍候再试"


class Delivered(NamedTuple):
    """A message on the phone: `at` is epoch seconds, `picture` what the shelf held when the message arrived."""

    at: float
    message: dict[str, Any]
    picture: bytes | None
    ai_label: bool

    def __repr__(self) -> str:
        size = "no picture" if self.picture is None else f"picture of {len(self.picture)} bytes"
        return f"Delivered({self.at}, {self.message!r}, {size}, ai_label={self.ai_label})"


class CustomerEvent(NamedTuple):
    """What a customer did: `fields` are those of a push beyond ToUserName, FromUserName, CreateTime, MsgType, MsgId.

    `kind` is the MsgType (text, image, miniprogrampage, event). An event has no MsgId: `msg_id` is None.
    """

    at: float
    openid: str
    kind: str
    msg_id: int | None
    fields: Mapping[str, str]
    picture: bytes | None = None

    def __repr__(self) -> str:
        return f"CustomerEvent({self.at}, {self.openid!r}, {self.kind!r}, {dict(self.fields)!r})"


class Notice(NamedTuple):
    """The phone said that customer service is unavailable: at `at`, because the push of `event` had no good answer.

    `text` has the words that customers have read: they differ by whether there was no answer, or a wrong one.
    """

    at: float
    event: CustomerEvent
    text: str = NO_ANSWER


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

    Counts do not add up: each action gives the larger count and the later end. Whether entering the session inside a
    running 48 hours fills the count up to 5 again is not said; `refill` chooses (inferred: it does not).
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

    def check_send(self, now: float, *, exhausted: int = 45047) -> None:
        """Raise 45015 outside the window, else `exhausted` if its messages are used up (order inferred)."""
        self._check_open(now)
        if not self.left:
            raise RefusedError(exhausted)

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


class AgentSession:
    """While it is open, messages of the customer go to the agent and are not pushed.

    >>> session = AgentSession()
    >>> session.takes(0)
    False
    >>> session.begin(0)
    >>> session.takes(1799), session.takes(1799 + 1800)
    (True, False)

    It ends when the agent closes it, or after 30 minutes of silence. The agent takes over at once: there is no queue
    here, from which messages would still be pushed. Nor do agents speak here, so silence is the customer's.
    """

    def __init__(self) -> None:
        self._heard_at = -inf

    def begin(self, now: float) -> None:
        self._heard_at = now

    def end(self) -> None:
        self._heard_at = -inf

    def is_open(self, now: float) -> bool:
        return now - self._heard_at < _SILENCE

    def takes(self, now: float) -> bool:
        """Return whether a message goes to the agent; if so, the silence begins again."""
        if not self.is_open(now):
            return False
        self._heard_at = now
        return True


class Person:
    """One customer as the account sees them."""

    __slots__ = ("agent", "inbox", "notices", "window")

    def __init__(self) -> None:
        self.window = ReplyWindow()
        self.agent = AgentSession()
        self.notices: list[Notice] = []
        self.inbox: list[Delivered] = []

    def show(self, now: float, message: Mapping[str, Any], picture: bytes | None) -> None:
        context = message.get("aimsgcontext")
        ai_label = isinstance(context, dict) and context.get("is_ai_msg") == 1
        self.inbox.append(Delivered(now, deepcopy(dict(message)), picture, ai_label))
