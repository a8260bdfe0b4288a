"""The token that cloud hosting writes into a file of the container. Time is an argument."""

# https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html

from collections.abc import Callable

from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["CloudTokens"]

_APART = 600  # seconds from one to the next
_LIFETIME = 1800  # seconds


class CloudTokens:
    """A new one every ten minutes by the clock, each valid for thirty (both documented).

    >>> made = iter(["one", "two"])
    >>> tokens = CloudTokens(lambda: next(made))
    >>> tokens.current(0), tokens.current(599), tokens.current(600)
    ('one', 'one', 'two')
    >>> tokens.check("one", 1799)
    >>> tokens.check("one", 1800)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 42001

    What an old or an unknown one is answered is inferred.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._written: dict[int, str] = {}  # by the time at which it was

    def current(self, now: float) -> str:
        """Return what the file holds now."""
        at = int(now // _APART) * _APART
        if at not in self._written:
            self._written[at] = self._make()
        return self._written[at]

    def check(self, value: str, now: float) -> None:
        """Return if the token is good now, else raise 40001 or 42001."""
        at = next((at for at, token in self._written.items() if token == value), None)
        if at is None:
            raise RefusedError(40001)
        if now >= at + _LIFETIME:
            raise RefusedError(42001)
