"""WeChat's two kinds of token, which are independent of each other. Time is an argument.

/cgi-bin/token creates one at each call; /cgi-bin/stable_token returns the same one until it has nearly expired.
"""

# https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getaccesstoken.html
# https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html

from collections.abc import Callable
from math import inf

from wxcs_lite.sandbox.rules.evidence import STABLE_TOKEN, TOKEN, Rule
from wxcs_lite.sandbox.rules.quota import china_day
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["LIFETIME", "Tokens"]

LIFETIME = 7200  # seconds
_OVERLAP = 300  # seconds: how long a replaced token still works, and how early the stable one is renewed
_FORCED_A_DAY = 20
_FORCED_APART = 30  # seconds


class _Issued:
    __slots__ = ("dead_at", "expires_at", "value")

    def __init__(self, value: str, now: float) -> None:
        self.value = value
        self.expires_at = now + LIFETIME
        self.dead_at = inf  # when a newer one replaces it


class Tokens:
    """Both kinds of token, and the check that every other call makes.

    >>> made = iter(["one", "two", "three"])
    >>> tokens = Tokens(lambda: next(made))
    >>> tokens.mint(0), tokens.mint(100), tokens.stable(100)
    (('one', 7200), ('two', 7200), ('three', 7200))
    >>> tokens.check("one", 399)
    >>> tokens.check("one", 400)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 40001

    A replaced token answers 40001, an expired one 42001 (inferred; what happens if both are true is not published: here
    the earlier cause counts).
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._issued: dict[str, _Issued] = {}
        self._minted: list[_Issued] = []  # the current one, and the one before while it still works
        self._stable: list[_Issued] = []
        self._forced_at = -inf
        self._forced: tuple[int, int] = (0, 0)  # day, count

    def check(self, value: str, now: float) -> None:
        """Return if the token is valid now, else raise 40001 or 42001."""
        issued = self._issued.get(value)
        if issued is None or (issued.dead_at <= now and issued.dead_at < issued.expires_at):
            raise RefusedError(40001)
        if issued.expires_at <= now:
            raise RefusedError(42001)

    def knows(self, value: str) -> bool:
        """Return whether the token was issued here, valid or not."""
        return value in self._issued

    def mint(self, now: float) -> tuple[str, int]:
        """Return a new token; the previous one works for 300 s more, anything older stops at once."""
        for older in self._minted[:-1]:
            older.dead_at = min(older.dead_at, now)
        for before in self._minted[-1:]:
            before.dead_at = now + _OVERLAP
        self._minted = [*self._minted[-1:], self._issue(now)]
        return self._minted[-1].value, LIFETIME

    def stable(self, now: float, *, force: bool = False) -> tuple[str, int]:
        """Return the stable token and the whole seconds that it has left."""
        if force and self._stable and self._may_force(now):
            for older in self._stable:
                older.dead_at = min(older.dead_at, now)
            self._stable = []
        if not self._stable or now >= self._stable[-1].expires_at - _OVERLAP:
            self._stable = [*self._stable[-1:], self._issue(now)]
        current = self._stable[-1]
        return current.value, int(current.expires_at - now)

    def _may_force(self, now: float) -> bool:
        # Beyond the limits the call neither refreshes nor fails: it returns the current token.
        day, count = self._forced
        if day != china_day(now):
            count = 0
        if count >= _FORCED_A_DAY or now - self._forced_at < _FORCED_APART:
            return False
        self._forced_at, self._forced = now, (china_day(now), count + 1)
        return True

    def _issue(self, now: float) -> _Issued:
        issued = _Issued(self._make(), now)
        self._issued[issued.value] = issued
        return issued


# fmt: off
RULES = (
    Rule(
        f"/cgi-bin/token returns a new token each time, valid for {LIFETIME} s; the previous one works for another "
        f"{_OVERLAP} s, older ones no longer do.",
        f"/cgi-bin/token 每次返回新的 access_token，有效 {LIFETIME} 秒；上一个还能用 {_OVERLAP} 秒，更早的立即失效。",
        page=TOKEN, errcodes=(40001,),
    ),
    Rule(
        f"/cgi-bin/stable_token returns the same token until {_OVERLAP} s before it expires, then a new one, "
        "while the old one still works. The two calls do not affect each other.",
        f"/cgi-bin/stable_token 在到期前 {_OVERLAP} 秒之内换新，此前一直返回同一个；旧凭证在到期前仍有效。"
        "两个接口互不影响。",
        page=STABLE_TOKEN,
    ),
    Rule(
        f"force_refresh invalidates the previous token at once, at most {_FORCED_A_DAY} times a day and "
        f"{_FORCED_APART} s apart; beyond that the current token is returned.",
        f"force_refresh 使旧凭证立即失效，每天最多 {_FORCED_A_DAY} 次，间隔至少 {_FORCED_APART} 秒；"
        "超出时返回当前凭证。",
        page=STABLE_TOKEN,
    ),
    Rule(
        "A replaced token answers 40001, an expired one 42001; whichever happened first counts.",
        "被新凭证取代的返回 40001，自然过期的返回 42001；以先发生的为准。",
        seen="2021-09, 2026-09", inferred=True, errcodes=(40001, 42001),
    ),
)
