"""What is read from the caller's iterable: each item is a message that may leave, or has its outcome already.

It has one if the ledger knows it from a former run, if its key came before in this run, or if it is no message.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wxcs_lite import endpoints
from wxcs_lite.batch.keys import Seen, digest_of
from wxcs_lite.batch.ledger import Ledger, Record
from wxcs_lite.batch.outcome import LedgerError, Outcome, State
from wxcs_lite.errors import InvalidMessage, TransportError, WxError, api_error
from wxcs_lite.require import kind_of

__all__ = ["Admission", "Items", "Letter"]

Items = Iterable[Mapping[str, Any] | tuple[str, Mapping[str, Any]]]


class Letter:
    """A message that may leave, and what is known of it."""

    __slots__ = ("attempts", "before", "digest", "key", "message", "number")

    def __init__(self, number: int, key: str, digest: str, message: Mapping[str, Any], before: State | None) -> None:
        self.number, self.key, self.digest, self.message = number, key, digest, message
        self.before = before  # its state in the ledger when this run began
        self.attempts = 0  # that certainly did not arrive

    @property
    def touser(self) -> str:
        return str(self.message["touser"])

    def record(self, state: State, error: WxError | None = None, seconds: float | None = None) -> Record:
        """Return what the ledger shall say; what a former run left as unknown stays so until there is a reply."""
        state = "unknown" if state == "unsent" and self.before == "unknown" else state
        return Record(self.number, self.key, self.digest, state, error, seconds)


class Admission:
    """Reads one item at a time; `records` are for the ledger: messages that were refused here."""

    def __init__(self, items: Items, ledger: Ledger | None, *, resend: frozenset[str]) -> None:
        self._items: Iterator[Any] = iter(items)
        self._ledger, self._resend, self._seen = ledger, resend, Seen(ledger.keys() if ledger else ())
        self.is_over = False
        self.records: list[Record] = []

    def read(self) -> Letter | Outcome | None:
        """Return the next message, or its outcome, which is "unsent" if the ledger fails; None at the end."""
        try:
            item = next(self._items)
        except StopIteration:
            self.is_over = True
            return None
        key, message = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
        digest = digest_of(message)
        if key is not None:
            _require_key(key)
        try:
            return self._admitted(key, digest, message)
        except LedgerError as e:
            return Outcome(key or digest, message, "unsent", e.with_traceback(None), None)

    def _admitted(self, key: str | None, digest: str, message: Any) -> Letter | Outcome:
        times, number = self._seen.count(key or digest)
        if key is not None and times > 1:
            return Outcome(key, message, "duplicate", None, None)
        if times > 1:
            _, number = self._seen.count(key := f"{digest}-{times}")
        key = key or digest
        before, error = self._former(number, digest)
        if before == "sent":
            return Outcome(key, message, "skipped", error, None)
        if before == "unknown" and before not in self._resend:
            return Outcome(key, message, before, error, None)
        if before == "refused" and before not in self._resend and not isinstance(error, InvalidMessage):
            return Outcome(key, message, before, error, None)
        if number is None:
            number = 0 if self._ledger is None else self._ledger.new_number()
        try:
            endpoints.send(message)
        except InvalidMessage as e:
            refused = e.with_traceback(None)
            self.records.append(Record(number, key, digest, "refused", refused))
            return Outcome(key, message, "refused", refused, None)
        return Letter(number, key, digest, message, before)

    def _former(self, number: int | None, digest: str) -> tuple[State | None, WxError | None]:
        """Return what a former run has recorded: the state, and its error made again."""
        if number is None or self._ledger is None:
            return None, None
        state, was, kind, errcode = self._ledger.look_up(number)
        if state == "sent":
            return state, None if was == digest else _CHANGED
        if errcode is not None:
            return state, api_error(errcode, "")
        return state, _INVALID if kind == "InvalidMessage" else _UNKNOWN

    def close(self) -> None:
        self._seen.close()


_CHANGED = InvalidMessage(
    "key",
    "stands for another message in the ledger, which was sent: a new list needs keys of its own, or a new ledger",
    "在账本中对应另一条已发送的消息：新的名单请使用新的 key，或换用新账本",
)
_INVALID = InvalidMessage("message", "was refused before it was sent, in a former run", "在之前的运行中未通过检查")
_UNKNOWN = TransportError(
    "no reply was recorded in a former run; it may have been delivered: ask the customer, or send with resend_unknown",
    "之前的运行没有记录到应答，消息可能已经送达：请先确认；要重发请用 resend_unknown",
)


def _require_key(key: object) -> None:
    if not isinstance(key, str) or not key:
        raise TypeError(
            f"a key must be a non-empty str, not {kind_of(key)}: send_many takes messages or (key, message)\n"
            f"key 应为非空 str，收到的是 {kind_of(key)}：send_many 接受消息或 (key, 消息)"
        )
