"""`send_many`: checks what it is told, takes the ledger, and returns the batch."""

import os
import pickle
import secrets
from collections.abc import Callable, Mapping, Sized
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from wxcs_lite.batch.admission import Admission, Items
from wxcs_lite.batch.engine import Batch, Plan
from wxcs_lite.batch.ledger import Ledger
from wxcs_lite.batch.pace import Pace
from wxcs_lite.batch.progress import Progress, shown_on
from wxcs_lite.batch.unkept import close_unkept
from wxcs_lite.batch.worker import Opening
from wxcs_lite.held import Held
from wxcs_lite.require import kind_of
from wxcs_lite.secret import hide_if_str

__all__ = ["send_many"]

TokenSource = str | None | Callable[..., str | None]


def send_many(
    messages: Items,
    *,
    token: TokenSource,
    open_pool: Opening,
    executor: Executor | Any = None,
    workers: int = 16,
    in_flight: int | None = None,
    ledger: str | os.PathLike[str] | None = None,
    resend_unknown: bool = False,
    resend_refused: bool = False,
    rate: float | None = None,
    progress: Progress = None,
) -> Batch:
    """Send many messages, each at most once, and return an iterator over their outcomes, as they come.

    >>> from wxcs_lite import fetch_token, text
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> event = sandbox.user("ANN").says("hello?")
    >>> token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    >>> messages = [("1", text("ANN", "您好")), ("2", text("BOB", "您好"))]
    >>> with send_many(messages, token=token, open_pool=sandbox.pool) as batch:
    ...     print(sorted((outcome.key, outcome.state) for outcome in batch))
    [('1', 'sent'), ('2', 'refused')]

    An item is a message, or a (key, message). Without a key, it is a digest of the message and its count among
    identical ones. The iterable is read as messages leave, and never held as a whole.

    `token` is a token, or what `fresh_token` returns: this process alone calls it, and each message takes the token
    with it. `open_pool` is a URL, or a function that returns a pool; each process calls it once. `executor` is any
    Executor: a ProcessPoolExecutor, a Dask client or its `get_executor()`; without one there are `workers` threads.
    `in_flight` bounds how many messages it has at once: by default, three times its workers, which have work then while
    the ledger waits for the disk.

    With a `ledger`, the path of an SQLite file, the next run with it skips what was sent and sends what was not. What
    may have been delivered, or was refused, is reported and not sent again, unless `resend_unknown` or
    `resend_refused` says so. `rate` is in messages per second. `progress` is a function of (done, total), a bar such as
    tqdm's, or False; in a notebook with ipywidgets there is a bar by default.

    Messages of one customer leave in their order, one after another. A rejected token is replaced once; too many calls
    in a minute, and no connection, let all wait. Used-up quota, a token that stays rejected, and a ledger that fails
    end the batch with BatchStopped, which says how to go on. Raises LedgerError if the ledger cannot be used.
    """
    close_unkept()
    token, messages = hide_if_str(token), hide_if_str(messages)
    open_pool, ledger = hide_if_str(open_pool), hide_if_str(ledger)
    _require_list(messages)
    workers, in_flight = _count("workers", workers), None if in_flight is None else _count("in_flight", in_flight)
    held = Held(_no_token if token is None else token)
    pace = Pace(_require_rate(rate))
    _require_progress(progress)
    is_own = executor is None
    executor, spread = _executor(executor, workers)
    _require_opening(open_pool, executor)
    total = len(messages) if isinstance(messages, Sized) else None
    resend = frozenset(s for s, asked in (("unknown", resend_unknown), ("refused", resend_refused)) if asked)
    book = None if ledger is None else Ledger(ledger)
    try:
        plan = Plan(
            secrets.token_hex(8), executor, is_own, open_pool, in_flight or 3 * spread, held, book,
            Admission(messages, book, resend=resend), pace, shown_on(progress, total),
            getattr(executor, "give_up_lost", None),
        )  # fmt: skip
    except BaseException:
        if book is not None:
            book.close()
        raise
    return Batch(plan)


def _no_token(rejected: str | None = None) -> None:
    """Stand for the credential of WeChat cloud hosting, which the platform adds."""


def _executor(given: Any, workers: int) -> tuple[Executor, int]:
    """Return the executor and how many messages it can work on at once."""
    if given is None:
        return ThreadPoolExecutor(workers, "wxcs_lite-batch"), workers
    client = given if hasattr(given, "get_executor") else getattr(given, "_client", None)
    if type(client).__module__.partition(".")[0] == "distributed":
        from wxcs_lite.batch.pinned import Pinned  # not loaded by those who have no cluster

        pinned = Pinned(client)
        return pinned, pinned.threads
    if not isinstance(given, Executor):
        raise TypeError(
            f"executor must be an Executor of concurrent.futures or a Dask client, not {kind_of(given)}\n"
            f"executor 应为 concurrent.futures 的 Executor 或 Dask 客户端，收到的是 {kind_of(given)}"
        )
    spread = getattr(given, "_max_workers", None)
    return given, spread if isinstance(spread, int) else workers


def _require_opening(opening: object, executor: Executor) -> None:
    if not (isinstance(opening, str) or callable(opening)):
        raise TypeError(
            f"open_pool must be a URL or a function that returns a pool, not {kind_of(opening)}: "
            "a pool itself cannot go to another process; for threads write lambda: pool\n"
            f"open_pool 应为网址或返回连接池的函数，收到的是 {kind_of(opening)}："
            "连接池无法传给其他进程，线程可用 lambda: pool"
        )
    if isinstance(executor, ProcessPoolExecutor):
        try:
            pickle.dumps(opening)
        except Exception as e:
            problem = type(e).__name__
        else:
            return
        raise TypeError(
            f"open_pool cannot go to another process ({problem}): pass a URL, or a function of a module\n"
            f"open_pool 无法传给其他进程（{problem}）：请传网址，或定义在模块顶层的函数"
        )


_ROWS = {"iterrows": 'to_dict("records")', "iter_rows": "iter_rows(named=True)"}  # pandas, polars


def _require_list(messages: object) -> None:
    kind = type(messages)
    rows = next((rows for name, rows in _ROWS.items() if hasattr(kind, name) and hasattr(kind, "columns")), None)
    if rows is not None:  # it would be read as a list of the names of its columns
        each = f"(text(row['openid'], …) for row in frame.{rows})"
        raise TypeError(
            f"messages must be an iterable of messages, not a {kind.__name__}: "
            f"make a message of each row, as in {each}\n"
            f"messages 应为消息的可迭代对象，不能是 {kind.__name__}：请由每一行生成一条消息，例如 {each}"
        )
    if isinstance(messages, str | bytes | Mapping):
        raise TypeError(
            f"messages must be an iterable of messages or (key, message), not {kind_of(messages)}: put it into a list\n"
            f"messages 应为消息或 (key, 消息) 的可迭代对象，收到的是 {kind_of(messages)}：单条消息请放进列表"
        )


def _require_progress(progress: object) -> None:
    if not (progress is None or progress is False or callable(progress) or hasattr(progress, "update")):
        raise TypeError(
            f"progress must be a function of (done, total), a bar with update(n), or False, not {kind_of(progress)}\n"
            f"progress 应为 (done, total) 的函数、有 update(n) 的进度条或 False，收到的是 {kind_of(progress)}"
        )


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} must be a whole number above 0\n{name} 应为大于 0 的整数")
    return value


def _require_rate(rate: float | None) -> float | None:
    if rate is not None and (type(rate) not in (int, float) or not 0 < rate < float("inf")):
        raise ValueError("rate must be a number of messages per second above 0\nrate 应为每秒消息数，大于 0")
    return rate
