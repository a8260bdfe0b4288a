"""What became of one message, what stops a whole batch, and which error means what.

An error is about one message, about the token, about the moment, or about everything that is still to come. Only the
first is an outcome; the others decide how the batch goes on. Whatever may have been delivered is never sent again.
"""

from typing import Any, Literal, NamedTuple

from wxcs_lite.errors import ApiError, InvalidMessage, TokenRejected, TransportError, WxError, retry_after
from wxcs_lite.places import places

__all__ = ["BatchStopped", "LedgerError", "Outcome", "State", "Verdict", "broken_executor", "judge", "lost_worker"]

State = Literal["sent", "refused", "unknown", "unsent", "skipped", "duplicate"]
Verdict = Literal["sent", "refused", "unknown", "token", "wait", "stop"]


class Outcome(NamedTuple):
    """What became of one message of a batch.

    >>> Outcome("order-17", {"touser": "OPENID"}, "sent", None, 0.0213)
    Outcome('order-17', sent, 21 ms)

    `state` is "sent"; "refused": WeChat, or our own check, said no, and it was certainly not delivered; "unknown": no
    clear reply came, and it may have been delivered; "unsent": it certainly was not sent, and the next run sends it;
    "skipped": the ledger has it as sent; "duplicate": its key came before in this batch. `seconds` is how long the call
    took, None if there was none.
    """

    key: str
    message: Any
    state: State
    error: WxError | None
    seconds: float | None

    def __repr__(self) -> str:
        took = "" if self.seconds is None else f", {1000 * self.seconds:.0f} ms"
        code = "" if self.error is None else f", {getattr(self.error, 'errcode', type(self.error).__name__)}"
        return f"Outcome({self.key!r}, {self.state}{code}{took})"


class BatchStopped(WxError):
    """A batch ended early, and everything that has no outcome is unsent: the text says why and how to go on.

    >>> BatchStopped(InvalidMessage("token", "must not be empty", "不能为空")).reason.field
    'token'

    `reason` is the error that made it stop, and `has_ledger` tells whether the next run will know what was sent.
    """

    reason: WxError
    has_ledger: bool

    def __init__(self, reason: WxError, has_ledger: bool = True) -> None:
        super().__init__("", "", False)
        self.args = (reason, has_ledger)
        self.reason, self.has_ledger = reason, has_ledger

    @property
    def en(self) -> str:
        """How to go on, and why it stopped."""
        how = _HOW if self.has_ledger else _HOW_WITHOUT
        return f"the batch stopped; {how[0]}: {self.reason.en}"

    @property
    def zh(self) -> str:
        """How to go on, and why it stopped, in Chinese."""
        how = _HOW if self.has_ledger else _HOW_WITHOUT
        return f"批量发送已中止，{how[1]}：{self.reason.zh}"


_HOW = "to send the rest, run it again with the same ledger", "处理后用同一账本再次运行，即可发送其余消息"
_HOW_WITHOUT = (
    "there is no ledger, so send again only what is unsent or was not reached",
    "由于没有账本，请只重发状态为 unsent 或尚未处理到的消息",
)


class LedgerError(WxError):
    """A ledger cannot be used: in use, not one of ours, newer, removed, or on a full disk. Nothing leaves without it.

    >>> LedgerError("full", "已满").maybe_sent
    False
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en, zh, False)
        self.args = (en, zh)


# An operator of the account, or time, has to change something first, so every other message would be refused as well;
# but these two are about one user and about one customer-service account.
_ABOUT_ONE = frozenset({50002, 65402})
# No token, a wrong appid; WeChat cloud hosting has no credential for the relay yet.
_ABOUT_ALL = frozenset({40013, 41001, 85112, 85113})


def judge(error: WxError | None) -> Verdict:
    """Return what an error says: about this message (sent, refused, unknown), or about those to come as well.

    >>> from wxcs_lite.errors import api_error
    >>> [judge(api_error(code, "")) for code in (45047, -1, 42001, 45011, 45009, 48001)]
    ['refused', 'unknown', 'token', 'wait', 'stop', 'stop']

    "token": with another one it may leave again. "wait": it may leave again after a while, because it certainly did
    not arrive. "stop": so would all others fail.
    """
    if error is None:
        return "sent"
    if error.maybe_sent:
        return "unknown"
    if isinstance(error, TokenRejected):
        return "token"
    if isinstance(error, InvalidMessage):
        return "stop" if error.field in ("token", "open_pool") else "refused"
    if not isinstance(error, ApiError):
        return "wait"  # no connection, HTTP 404 or 412
    if error.advice.retry == "back-off" and retry_after(error) is not None:
        return "wait"
    about_all = error.advice.retry in ("ops", "time") and error.errcode not in _ABOUT_ONE
    return "stop" if about_all or error.errcode in _ABOUT_ALL else "refused"


def lost_worker(error: BaseException) -> WxError:
    """Return what it means that a worker returned nothing: it may have sent the message first."""
    kind = f"{type(error).__name__} at {places(error)}" if error.__traceback__ else type(error).__name__
    return TransportError(
        f"a worker was lost ({kind}); the message may have been delivered anyway: check before you send it again",
        f"工作进程或线程异常退出（{kind}）；消息可能已经送达，重发前请先确认",
    )


def broken_executor(error: BaseException) -> WxError:
    """Return why an executor takes no more work."""
    kind = type(error).__name__
    return InvalidMessage(
        "executor",
        f"takes no more work ({kind}): pass one that is open and whose workers live",
        f"已无法接受任务（{kind}）：请传入未关闭且工作进程正常的 executor",
    )
