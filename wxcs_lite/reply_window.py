"""How many more messages a user may be sent, and until when. This is advice, never a lock: WeChat alone decides.

Each action of a user allows a number of messages for some time. They do not add up: the larger number and the later
end count. Time is an argument.

The times come from two clocks, WeChat's for what a user did and yours for what you sent, so the order of the events is
what counts: a message after which nothing was sent leaves five, even if your clock is ahead of WeChat's.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.require import quoted

__all__ = ["Window", "WindowEvent", "window_left"]

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/send.html
_GIVES = {"message": (5, 48 * 3600), "enter": (2, 60)}  # messages, seconds
_KINDS = ("sent", *_GIVES)


class WindowEvent(NamedTuple):
    """Something that happened between a user and you, at a time in seconds since the epoch.

    >>> from wxcs_lite.push import Push
    >>> push = Push({"FromUserName": "OPENID", "CreateTime": 1482048670, "MsgType": "text", "Content": "hi"})
    >>> WindowEvent("message", push.CreateTime)
    WindowEvent(kind='message', at=1482048670)

    `message`: the user sent one; `enter`: the user came in by the button (the event user_enter_tempsession); `sent`:
    WeChat answered `ok` to your message (refused ones do not count).
    """

    kind: Literal["message", "enter", "sent"]
    at: float


class Window(NamedTuple):
    """How many messages are left, and until when, in seconds since the epoch; None if no window is open.

    >>> Window(5, 1482221470).left
    5
    """

    left: int
    closes_at: float | None


def window_left(events: Iterable[WindowEvent], now: float, *, refill_on_entry: bool = False) -> Window:
    """Return what is left of one user's window after these events, given in the order in which they happened.

    >>> events = [WindowEvent("message", 0), WindowEvent("sent", 10), WindowEvent("sent", 20)]
    >>> window_left(events, 60)
    Window(left=3, closes_at=172800)
    >>> window_left(events, 172801)
    Window(left=0, closes_at=None)

    WeChat answers 45047 if nothing is left before `closes_at`, and 45015 if no window is open. Its pages do not say
    whether coming in by the button within the 48 hours of a message gives 5 again; `refill_on_entry=True` reads them
    so, the default gives 2. The events are not sorted by time, because a push has WeChat's clock and a sent message
    has yours: append each to one list when it arrives or is accepted. An event later than now counts for the same
    reason.
    """
    left, closes_at, answers_until = 0, float("-inf"), float("-inf")
    for kind, at in map(_checked, events):
        if at > closes_at:
            left = 0
        if kind == "sent":
            left = max(0, left - 1)
            continue
        count, seconds = _GIVES[kind]
        if kind == "message":
            answers_until = at + seconds
        elif refill_on_entry and at <= answers_until:
            count = _GIVES["message"][0]
        left, closes_at = max(left, count), max(closes_at, at + seconds)
    return Window(left, closes_at) if now <= closes_at else Window(0, None)


def _checked(event: Any) -> tuple[str, float]:
    if not (isinstance(event, tuple) and len(event) == 2 and isinstance(event[1], int | float)):
        raise InvalidMessage(
            "events",
            'must hold values such as WindowEvent("message", push.CreateTime)',
            '应为 WindowEvent("message", push.CreateTime) 这样的值',
        )
    if event[0] not in _KINDS:
        raise InvalidMessage(
            "kind",
            f"must be message, enter or sent, not {quoted(event[0])}",
            f"应为 message、enter 或 sent，收到的是 {quoted(event[0])}",
        )
    return event
