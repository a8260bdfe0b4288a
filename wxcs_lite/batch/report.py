"""What became of the messages, counted; from a batch, from its outcomes, or from a ledger."""

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from wxcs_lite.batch.reading import read_ledger
from wxcs_lite.errcodes import explain
from wxcs_lite.errors import WxError

__all__ = ["STATES", "Counted", "Report", "Tally", "ordered", "report"]

_SLOWEST = 5


class _Told(Protocol):
    """An `Outcome` of a batch, or an `Entry` of a ledger."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def error(self) -> WxError | str | None: ...
    @property
    def seconds(self) -> float | None: ...


class Tally:
    """Counts outcomes as they come; its size does not depend on their number."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.slowest: list[tuple[float, str]] = []  # a heap
        self.seconds = 0.0

    def add(self, key: str, state: str, error: WxError | str | None, seconds: float | None) -> None:
        """Count one outcome."""
        self.states[state] += 1
        if error is not None and state != "skipped":
            name = error if isinstance(error, str) else str(getattr(error, "errcode", type(error).__name__))
            self.errors[name] += 1
        if seconds is not None:
            self.seconds += seconds
            keep = heapq.heappush if len(self.slowest) < _SLOWEST else heapq.heappushpop
            keep(self.slowest, (seconds, key))


class Counted:
    """What counts its outcomes: a `Batch`."""

    tally: Tally
    reason: WxError | None  # what stopped it
    has_ledger: bool


class Report(NamedTuple):
    """The account of a batch: how many messages are in which state, the errors, the slowest, how to go on.

    >>> told = report([])
    >>> told.states, told.as_dict()["messages"]
    ({}, 0)

    `errors` counts by errcode, as text, or by the class of an error without one; `slowest` has pairs of seconds and
    key, `seconds` is the sum of all calls, `reason` is what stopped the batch, or None, and `has_ledger` tells whether
    the next run will know what was sent.
    """

    states: Mapping[str, int]
    errors: Mapping[str, int]
    slowest: tuple[tuple[float, str], ...]
    seconds: float
    reason: WxError | None
    has_ledger: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it."""
        return {
            "messages": sum(self.states.values()),
            "states": dict(self.states),
            "errors": dict(self.errors),
            "slowest": [{"key": key, "seconds": round(seconds, 6)} for seconds, key in self.slowest],
            "seconds": round(self.seconds, 6),
            "stopped": None if self.reason is None else self.reason.en,
            "next": [en for en, _ in self._advice()],
        }

    @property
    def en(self) -> str:
        """The account in English, a few lines."""
        lines = [f"{sum(self.states.values())} messages{_listed(self.states, ': ', ', ')}"]
        for name, number in self.errors.items():
            lines.append(f"  {number} × {name} {explain(int(name)).meaning if _is_code(name) else ''}".rstrip())
        if self.slowest:
            lines.append("slowest: " + ", ".join(f"{seconds:.3f} s {key}" for seconds, key in self.slowest))
        if self.reason is not None:
            lines.append(f"stopped: {self.reason.en}")
        return "\n".join([*lines, *(en for en, _ in self._advice())])

    @property
    def zh(self) -> str:
        """The account in Chinese."""
        states = {STATES.get(state, state): number for state, number in self.states.items()}
        lines = [f"共 {sum(self.states.values())} 条消息{_listed(states, '：', '，')}"]
        for name, number in self.errors.items():
            lines.append(f"  {number} × {name} {explain(int(name)).meaning_zh if _is_code(name) else ''}".rstrip())
        if self.slowest:
            lines.append("最慢：" + "，".join(f"{seconds:.3f} 秒 {key}" for seconds, key in self.slowest))
        if self.reason is not None:
            lines.append(f"中止原因：{self.reason.zh}")
        return "\n".join([*lines, *(zh for _, zh in self._advice())])

    def __str__(self) -> str:
        return f"{self.en}\n\n{self.zh}"

    def _advice(self) -> list[tuple[str, str]]:
        found = []
        if self.states.get("unsent") or self.reason is not None:
            found.append(_GO_ON if self.has_ledger else _GO_ON_WITHOUT)
        if self.states.get("unknown"):
            found.append(_UNKNOWN)
        if self.states.get("refused"):
            found.append(_REFUSED)
        return found


STATES = {
    "sent": "已发送", "refused": "被拒绝", "unknown": "结果未知",
    "unsent": "未发送", "skipped": "已跳过", "duplicate": "重复",
}  # fmt: skip
_GO_ON = (
    "to go on: run the same list with the same ledger; it sends what is unsent and skips what was sent",
    "继续发送：用同一名单、同一账本再次运行，只发送未发出的消息，已发送的会跳过",
)
_GO_ON_WITHOUT = (
    "to go on without a ledger: send only what is unsent or was not reached; the whole list would be sent twice",
    "没有账本时继续发送：只重发未发出和尚未处理到的消息；整份名单再发一次，已发送的会重复",
)
_UNKNOWN = (
    "unknown may have been delivered: they are not sent again, unless with resend_unknown",
    "“结果未知”的消息可能已经送达：不会自动重发，确认后可用 resend_unknown 重发",
)
_REFUSED = (
    "refused are not sent again, unless with resend_refused: most have to wait for the customer to write first",
    "“被拒绝”的消息不会自动重发，可用 resend_refused 重发：多数要等用户再次发来消息",
)


def report(source: "Counted | str | os.PathLike[str] | Iterable[_Told]") -> Report:
    """Return the account of a batch (also of one that is under way), of a ledger by its path, or of outcomes.

    >>> from wxcs_lite.batch import Outcome
    >>> print(report([Outcome("a", {}, "sent", None, 0.02), Outcome("b", {}, "duplicate", None, None)]).en)
    2 messages: 1 sent, 1 duplicate
    slowest: 0.020 s a

    Raises LedgerError for a file that is no ledger, or that a batch is using.
    """
    reason, has_ledger = None, isinstance(source, str | os.PathLike)
    if isinstance(source, Counted):
        tally, reason, has_ledger = source.tally, source.reason, source.has_ledger
    else:
        tally = Tally()
        for each in read_ledger(source) if isinstance(source, str | os.PathLike) else source:
            error: Any = each.error
            errcode = getattr(each, "errcode", None)
            tally.add(each.key, each.state, error if errcode is None else str(errcode), each.seconds)
    slowest = tuple(sorted(tally.slowest, reverse=True))
    return Report(ordered(tally.states), dict(tally.errors.most_common()), slowest, tally.seconds, reason, has_ledger)


def ordered(states: Mapping[str, int]) -> dict[str, int]:
    """Return the states that there are, what was sent first."""
    return {state: states[state] for state in STATES if states.get(state)}


def _listed(numbers: Mapping[str, int], colon: str, comma: str) -> str:
    return colon + comma.join(f"{number} {name}" for name, number in numbers.items()) if numbers else ""


def _is_code(name: str) -> bool:
    return name.lstrip("-").isdigit()
