"""Planned faults: what happens to the next requests instead of, or in addition to, an answer."""

from collections.abc import Mapping
from math import isfinite
from typing import Literal, NamedTuple

from wxcs_lite.sandbox.http.values import Reply
from wxcs_lite.sandbox.rules.refusals import TEXTS

__all__ = ["Drop", "Fault", "Faults", "RawReply"]

Drop = Literal["before", "after"]
RawReply = bytes | tuple[int, Mapping[str, str], bytes]


class Fault(NamedTuple):
    """Exactly one of errcode, drop, slow and reply is set; path None means any."""

    errcode: int | None
    errmsg: str | None
    drop: str | None
    slow: float | None
    reply: Reply | bytes | None
    path: str | None


class Faults:
    """A queue of planned faults: the first that fits a path is taken.

    >>> faults = Faults()
    >>> faults.add(errcode=-1, path="/cgi-bin/token")
    >>> faults.take("/cgi-bin/media/get"), faults.take("/cgi-bin/token").errcode
    (None, -1)
    """

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(
        self,
        *,
        errcode: int | None = None,
        errmsg: str | None = None,
        drop: str | None = None,
        slow: float | None = None,
        reply: object = None,
        path: str | None = None,
        times: int = 1,
    ) -> None:
        chosen = [name for name, value in (("errcode", errcode), ("drop", drop), ("slow", slow), ("reply", reply))
                  if value is not None]  # fmt: skip
        if (times, chosen) == (0, []):
            self.clear()
            return
        if len(chosen) != 1:
            raise ValueError(f"fail_next takes exactly one of errcode, drop, slow and reply, not {chosen or 'none'}")
        if errmsg is not None and errcode is None:
            raise ValueError("errmsg needs an errcode")
        if errcode is not None and type(errcode) is not int:
            raise ValueError(f"errcode must be an integer, not {errcode!r}")
        if errcode is not None and errcode not in TEXTS and errmsg is None:
            raise ValueError(f"WeChat's text for {errcode} is not known here: pass errmsg=, too")
        if drop not in (None, "before", "after"):
            raise ValueError(f'drop must be "before" or "after", not {drop!r}')
        if slow is not None and not (isfinite(slow) and slow >= 0):
            raise ValueError(f"slow must be a number of seconds that is not negative, not {slow!r}")
        if path is not None and not path.startswith("/"):
            raise ValueError(f"path must be None or begin with a slash, not {path!r}")
        if type(times) is not int or times < 1:
            raise ValueError(f"times must be a positive integer, not {times!r}")
        fault = Fault(errcode, errmsg, drop, slow, None if reply is None else _reply(reply), path)
        self._waiting += [fault] * times

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Those that no request has taken yet."""
        return tuple(self._waiting)

    def clear(self) -> None:
        """Forget those that no request has taken yet."""
        self._waiting.clear()

    def take(self, path: str) -> Fault | None:
        for index, fault in enumerate(self._waiting):
            if fault.path in (None, path):
                return self._waiting.pop(index)
        return None


def _reply(given: object) -> Reply | bytes:
    """Check raw bytes (a whole reply, status line and all) or (status, headers, body)."""
    if isinstance(given, bytes):
        return given
    if isinstance(given, tuple) and len(given) == 3:
        status, headers, body = given
        if type(status) is int and 100 <= status <= 999 and isinstance(headers, Mapping) and isinstance(body, bytes):
            pairs = tuple((str(name), str(value)) for name, value in headers.items())
            if all(name.isascii() and max(value, default="") < "\u0100" for name, value in pairs):
                return Reply(status, pairs, body)
    raise ValueError("reply must be the bytes of a whole HTTP reply, or (status, a mapping of Latin-1 headers, bytes)")
