"""The people who write to the account: what they did and saw, what they may still be sent, whether an agent has them.

A user's message opens 48 hours with 5 messages; entering the session opens 1 minute with 2. Time is an argument.
"""

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/typing.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html

from collections.abc import Mapping
from copy import deepcopy
from math import inf
from typing import Any, NamedTuple

from wxcs_lite.sandbox.rules.evidence import FORUM, INTRODUCTION, RECEIVE, SEND, TRANSFER, TYPING, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["NO_ANSWER", "WRONG_ANSWER", "AgentSession", "Arrived", "CustomerEvent", "Delivered", "Notice", "Person"]
__all__ += ["ReplyWindow", "Shown"]

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
    """A message on the phone: `at` is epoch seconds, `picture` the picture as it was when the message arrived."""

    at: float
    message: dict[str, Any]
    picture: bytes | None
    ai_label: bool

    def __repr__(self) -> str:
        size = "no picture" if self.picture is None else f"picture of {len(self.picture)} bytes"
        return f"Delivered({self.at}, {self.message!r}, {size}, ai_label={self.ai_label})"


class Arrived(NamedTuple):
    """A message has come to the phone of `openid`."""

    openid: str
    delivered: Delivered


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

    `text` is what customers have read; it depends on whether there was no answer or a wrong one.
    """

    at: float
    event: CustomerEvent
    text: str = NO_ANSWER


Shown = CustomerEvent | Delivered | Notice


class ReplyWindow:
    """The reply window of one user: how many messages are left, and until when.

    >>> window = ReplyWindow()
    >>> window.user_wrote(0)
    >>> for _ in range(5):
    ...     window.check_send(60)
    ...     window.sent(60)
    >>> window.check_send(60)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 45047

    Counts do not add up: the larger count and the later end apply. Whether entering the session within the 48 hours
    fills the count up to 5 again is not published; `refill` chooses (inferred: it does not).
    """

    def __init__(self) -> None:
        self.closes_at = -inf
        self.left = 0
        self._answers_until = -inf  # the end of the 48 hours, if they have begun
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
        """Count a delivered message, and end the typing status."""
        self.left -= 1
        self._exchanged_at = now
        self._typing_until = -inf

    def typing(self, now: float) -> None:
        """Show the typing status for 15 s, or raise 45015, 45080 or 45081; this does not reduce the count."""
        self._check_open(now)
        if now - self._exchanged_at > _EXCHANGE:
            raise RefusedError(45080)
        if self.shows_typing(now):
            raise RefusedError(45081)
        self._typing_until = now + _TYPING

    def cancel_typing(self, now: float) -> None:
        """End the typing status, even if it is not shown (inferred; not published); the window must be open."""
        self._check_open(now)
        self._typing_until = -inf

    def shows_typing(self, now: float) -> bool:
        return now < self._typing_until


class AgentSession:
    """A human agent's session: while it is open, the customer's messages go to the agent and are not pushed.

    >>> session = AgentSession()
    >>> session.takes(0)
    False
    >>> session.begin(0)
    >>> session.takes(1799), session.takes(1799 + 1800)
    (True, False)

    It ends when the agent closes it, or after 30 minutes of silence. The agent takes over at once: there is no queue
    here, during which messages would still be pushed. Agents do not write here, so only the customer can end a silence.
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

    __slots__ = ("agent", "screen", "window")

    def __init__(self) -> None:
        self.window = ReplyWindow()
        self.agent = AgentSession()
        self.screen: list[Shown] = []  # in the order in which it happened

    def show(self, now: float, message: Mapping[str, Any], picture: bytes | None) -> Delivered:
        context = message.get("aimsgcontext")
        ai_label = isinstance(context, dict) and context.get("is_ai_msg") == 1
        delivered = Delivered(now, deepcopy(dict(message)), picture, ai_label)
        self.screen.append(delivered)
        return delivered


# fmt: off
RULES = (
    Rule(
        f"A customer's message allows {_MESSAGE[0]} messages within {_MESSAGE[1] // 3600} hours, entering the session "
        f"{_ENTRY[0]} within {_ENTRY[1]} seconds. Outside these times a send is refused.",
        f"用户发来消息后 {_MESSAGE[1] // 3600} 小时内可下发 {_MESSAGE[0]} 条，"
        f"进入会话后 {_ENTRY[1]} 秒内可下发 {_ENTRY[0]} 条；超出时限则拒绝。",
        page=SEND, seen="2020-08", errcodes=(45015,),
    ),
    Rule(
        "These allowances do not add up: the larger count and the later end apply.",
        "额度不累加：取较大的条数和较晚的截止时间。",
        page=INTRODUCTION,
    ),
    Rule(
        "Entering the session again within the 48 hours does not restore the count.",
        "48 小时内再次进入会话，条数不会补满。",
        inferred=True, setting="refill_on_entry",
    ),
    Rule(
        "When all messages are used up, a separate code says so. (45015 was also seen seconds after a success, when "
        "messages were certainly left.)",
        "条数用完时返回单独的错误码。（也有人遇到过：条数肯定没有用完，几秒前刚下发成功，却返回 45015。）",
        page=SEND, errcodes=(45047,), setting="exhausted_code",
        seen=f"2021-04, 2023-07; 45015: 2020-08, {FORUM}/000cc8eeb745703799da2cbb256000; "
        f"2023-02, {FORUM}/000ec2fb4f07c879585f18a9351400",
    ),
    Rule(
        "The time is checked before the count.",
        "先判断时限，再判断条数。",
        inferred=True, errcodes=(45015, 45047),
    ),
    Rule(
        f"The typing status lasts {_TYPING} s and cannot be set again while it is shown; it needs a message in either "
        f"direction within the last {_EXCHANGE} s and an open reply window. A message ends it.",
        f"“正在输入”持续 {_TYPING} 秒，期间不能重复下发；最近 {_EXCHANGE} 秒内须有消息往来，且在可下发时限内。"
        "下发消息会使其结束。",
        page=TYPING, errcodes=(45015, 45080, 45081),
    ),
    Rule(
        "Typing does not count as a message; CancelTyping succeeds even if no status is shown.",
        "下发输入状态不占条数；没有输入状态时取消也返回成功。",
        inferred=True,
    ),
    Rule(
        "After a hand-over, messages are not pushed until the agent closes the session, or until there was no message "
        f"for {_SILENCE // 60} minutes.",
        f"转人工后消息不再推送，直到客服结束会话，或 {_SILENCE // 60} 分钟无消息。",
        page=TRANSFER,
    ),
    Rule(
        f"Without an answer, or with a late one, the phone shows {NO_ANSWER}; with a wrong answer, {WRONG_ANSWER}.",
        f"未应答或应答超时，手机上提示“{NO_ANSWER}”；应答有误，则提示“{WRONG_ANSWER}”。",
        page=RECEIVE, seen="2022-11: https://github.com/royalrick/weapp/issues/87", inferred=True,
    ),
)
