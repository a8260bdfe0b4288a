"""An account and the sandbox, asked the same, call by call; the account is asked nothing twice."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from wxcs_lite.errors import BadReply
from wxcs_lite.replies import Reply, read_token
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.compare.cases import CASES, ONE_TOO_MANY, Case, Side
from wxcs_lite.terminal.compare.differences import Compared, errcode_of
from wxcs_lite.terminal.environment import Told
from wxcs_lite.wire import perform

__all__ = ["LeftOut", "asked_both", "beside", "chosen"]

# Refusals that tell about this account today and not about WeChat: overload, quotas, permissions.
_OF_ACCOUNT = frozenset({-1, 45009, 45011, 48001, 48004, 50002, 50007})
_WINDOW = frozenset({45015, 45047})
_ALL_MESSAGES = sum(case.message for case in CASES) - 1

_CLOSED = (
    "the customer cannot be sent anything now: let them write to the Mini Program, then compare again",
    "现在不能向该用户下发消息：请让用户先给小程序发一条消息，再重新比较",
)
_MISSING = "it needs what an earlier reply should have given", "缺少先前的应答本应给出的值"
_NOT_USED_UP = (
    "not all messages are used up, because the account refused one of them",
    "下发条数尚未用完，因为账号拒绝了其中的消息",
)


class LeftOut(NamedTuple):
    """A case that says nothing about WeChat, and why, in English and Chinese."""

    case: str
    why: Told


def chosen(account: Side) -> list[Case]:
    """Return the cases that there are settings for: with no openid none that concerns a customer, for one."""
    given = {name for name in ("appid", "secret", "openid") if getattr(account, name)}
    return [case for case in CASES if given.issuperset({"appid", "secret", "openid"}.intersection(case.needs))]


def beside(account: Side) -> Side:
    """Return the sandbox's side: the same customer, who has just written, and an account of its own."""
    sandbox = Sandbox(clock=time.time)
    if account.openid:
        sandbox.user(account.openid).says("…")
    ours = Side(sandbox.pool(), appid=sandbox.appid, secret=sandbox.secret, openid=account.openid)
    _reply(CASES[0], ours)
    return ours


def asked_both(account: Side, sandbox: Side, left_out: list[LeftOut]) -> Iterator[Compared]:
    """Yield what both answered to each case; add to `left_out` what cannot be compared.

    Raises WxError if the account gives no token, or if no reply arrives: then the rest is not asked.
    """
    closed, accepted = False, 0
    for case in chosen(account):
        why = _obstacle(case, account, sandbox, closed, accepted)
        if why is not None:
            left_out.append(LeftOut(case.name, why))
            continue
        try:
            theirs = _reply(case, account)
        except BadReply as e:
            left_out.append(LeftOut(case.name, (e.en, e.zh)))
            continue
        ours, errcode = _reply(case, sandbox), errcode_of(theirs)
        accepted += case.message and not errcode
        closes = case.message and case.name != ONE_TOO_MANY and errcode in _WINDOW
        closed = closed or closes
        if closes or errcode in _OF_ACCOUNT:
            left_out.append(LeftOut(case.name, _refused(errcode, closes)))
        else:
            yield Compared(case.name, case.build(sandbox).path, theirs, ours)


def _refused(errcode: int, closes: bool) -> Told:
    code = f"errcode {errcode}"
    return (f"{code}, {_CLOSED[0]}", f"{code}，{_CLOSED[1]}") if closes else (code, code)


def _obstacle(case: Case, account: Side, sandbox: Side, closed: bool, accepted: int) -> Told | None:
    """Return why a case is not asked, or None."""
    if closed and "openid" in case.needs:
        return _CLOSED
    if not (account.has(case.needs) and sandbox.has(case.needs)):
        return _MISSING
    if case.name == ONE_TOO_MANY and accepted < _ALL_MESSAGES:
        return _NOT_USED_UP
    return None


def _reply(case: Case, side: Side) -> Reply:
    reply = perform(side.pool, side.credential(case.credential), case.build(side))
    side.learn(reply, case.credential)
    if not side.token and case is CASES[0]:
        read_token(*reply, now=0)  # raises what the reply says
    return reply
