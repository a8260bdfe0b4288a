"""The teacher's sandbox, as a lesson uses a sandbox of its own.

    from shared import Shared

    sandbox = Shared("http://127.0.0.1:8080", "wx07", "the secret beside wx07")

Calls go to an account of the teacher's sandbox. What customers do, time and faults are typed there: the lesson says
what, and goes on when you press Enter. What is on a phone is on the teacher's page.
"""

import time
from typing import Any, NoReturn

import checks

from wxcs_lite import open_pool

__all__ = ["Shared"]

_ASKED = {"en": "The teacher types  {}  and then you press Enter.", "zh": "请老师输入  {}  之后你再按回车键。"}
_SEEN = {"en": "(look at the page)", "zh": "（请看老师的网页）"}
_OWN = {
    "en": "{}: not in a shared sandbox. Run this cell in a sandbox of your own, as the lesson has it.",
    "zh": "{}：共用沙箱没有这项功能。请照课程原样，用自己的沙箱运行这个单元格。",
}


def _ask_for(line: str) -> None:
    input(_ASKED[checks.language].format(line))


def _refuse(what: str) -> NoReturn:
    raise AttributeError(_OWN[checks.language].format(what))


class Shared:
    """An account of the sandbox at a URL; its clock moves as far as the teacher is asked to move the sandbox's."""

    def __init__(self, url: str, appid: str, secret: str) -> None:
        self.appid, self.secret = appid, secret
        self._url, self._moved = url, 0.0

    def __getattr__(self, name: str) -> NoReturn:
        _refuse(name)

    def pool(self) -> Any:
        return open_pool(self._url)

    def clock(self) -> float:
        return time.time() + self._moved

    def user(self, openid: str) -> "_Customer":
        return _Customer(openid)

    def advance(self, seconds: float) -> None:
        _ask_for(f"+{seconds}s")
        self._moved += seconds

    def fail_next(self, **fault: Any) -> None:
        if "reply" in fault:
            _refuse("fail_next(reply=…)")
        words = [str(value) if name == "errcode" else f"{name} {value}" for name, value in fault.items()]
        _ask_for(" ".join(["fail", *words]))


class _Customer:
    """A customer, whose phone is on the teacher's page."""

    def __init__(self, openid: str) -> None:
        self.openid = openid
        self.sees_typing = self.has_agent = self.inbox = _Seen()

    def __getattr__(self, name: str) -> NoReturn:
        _refuse(name)

    def __repr__(self) -> str:
        return f"{self.openid} {_SEEN[checks.language]}"

    def says(self, content: str) -> None:
        _ask_for(f"{self.openid}: {content}")

    def enters_session(self) -> None:
        _ask_for(f"{self.openid} enters")


class _Seen:
    """What can be seen on a phone: here it is a hint where to look."""

    def __repr__(self) -> str:
        return _SEEN[checks.language]

    def __getitem__(self, _: object) -> "_Seen":
        return self

    @property
    def message(self) -> "_Seen":
        return self

    def __len__(self) -> NoReturn:
        _refuse("len(inbox)")
