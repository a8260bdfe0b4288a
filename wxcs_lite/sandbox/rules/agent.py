"""The session of a customer with a human agent, to whom a push was handed over. Time is an argument."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html

from math import inf
from typing import Final

__all__ = ["AgentSession"]

_SILENCE: Final = 30 * 60  # seconds


class AgentSession:
    """While it is open, messages of the customer go to the agent and aren't pushed.

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
        """Return whether a message goes to the agent; if so, the silence begins anew."""
        if not self.is_open(now):
            return False
        self._heard_at = now
        return True
