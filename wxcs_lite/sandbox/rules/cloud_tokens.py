"""The token that cloud hosting writes into a file of the container. Time is an argument."""

# https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html

from collections.abc import Callable

from wxcs_lite.sandbox.rules.evidence import CONTAINER, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["CloudTokens"]

_APART = 600  # seconds from one to the next
_LIFETIME = 1800  # seconds


class CloudTokens:
    """The tokens of cloud hosting: a new one every ten minutes by the clock, each valid for thirty (both documented).

    >>> made = iter(["one", "two"])
    >>> tokens = CloudTokens(lambda: next(made))
    >>> tokens.current(0), tokens.current(599), tokens.current(600)
    ('one', 'one', 'two')
    >>> tokens.check("one", 1799)
    >>> tokens.check("one", 1800)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 42001

    The answers to an old or unknown one are inferred.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._written: dict[int, str] = {}  # by the time of writing

    def current(self, now: float) -> str:
        """Return the present content of the file."""
        at = int(now // _APART) * _APART
        if at not in self._written:
            self._written[at] = self._make()
        return self._written[at]

    def knows(self, value: str) -> bool:
        """Return whether the token was written here, valid or not."""
        return value in self._written.values()

    def check(self, value: str, now: float) -> None:
        """Return if the token is valid now, else raise 40001 or 42001."""
        at = next((at for at, token in self._written.items() if token == value), None)
        if at is None:
            raise RefusedError(40001)
        if now >= at + _LIFETIME:
            raise RefusedError(42001)


# fmt: off
RULES = (
    Rule(
        f"The file in the container gets a new token every {_APART // 60} minutes, each valid for {_LIFETIME // 60}; "
        "which code an expired or unknown one answers is inferred.",
        f"容器里的文件每 {_APART // 60} 分钟换一次凭证，每个有效 {_LIFETIME // 60} 分钟；"
        "过期或未知的凭证返回什么错误码，属推断。",
        page=CONTAINER, inferred=True, errcodes=(40001, 42001),
    ),
)
