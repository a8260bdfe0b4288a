"""A ledger is read by anybody, between two runs; and goes into a spreadsheet, where a key must not be a formula."""

import csv
import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from wxcs_lite.batch.ledger import connect, explained, require_layout
from wxcs_lite.batch.outcome import LedgerError
from wxcs_lite.batch.unkept import close_unkept

__all__ = ["Entry", "export_csv", "read_ledger"]

_AT_ONCE = 1000  # rows; between two lots the file is not locked
_LOT = """
SELECT number, key, state, error, errcode, rid, seconds, at FROM messages WHERE number > ? ORDER BY number LIMIT ?
"""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Entry(NamedTuple):
    """What a ledger has recorded of one message; `at` is in seconds since the epoch."""

    key: str
    state: str
    error: str | None
    errcode: int | None
    rid: str | None
    seconds: float | None
    at: float


def read_ledger(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """Return what a ledger has recorded, in the order in which the messages were read.

    >>> from tempfile import mkdtemp
    >>> from wxcs_lite.batch.ledger import Ledger
    >>> path = Path(mkdtemp()) / "run.sqlite"
    >>> Ledger(path).close()
    >>> list(read_ledger(path))
    []

    A message without a recorded reply is "unknown". Raises LedgerError for a file that is no ledger, and while a batch
    is using it.
    """
    close_unkept()
    path = Path(os.path.realpath(path))
    lots = _lots(path)
    first = next(lots)  # so that an error comes now
    return _entries(first, lots)


def _entries(lot: list[Entry], lots: Iterator[list[Entry]]) -> Iterator[Entry]:
    yield from lot
    for more in lots:
        yield from more


def _lots(path: Path) -> Iterator[list[Entry]]:
    db = connect(path)
    try:
        require_layout(db)
        last = 0
        while True:
            rows = db.execute(_LOT, (last, _AT_ONCE)).fetchall()
            yield [Entry(*row[1:]) for row in rows]
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1][0]
    except sqlite3.Error as e:
        error = explained(e, path)
    finally:
        db.close()
    raise error


def export_csv(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Write a ledger as CSV, for a spreadsheet or pandas, and return the number of messages.

    >>> from tempfile import mkdtemp
    >>> from wxcs_lite.batch.ledger import Ledger
    >>> folder = Path(mkdtemp())
    >>> Ledger(folder / "run.sqlite").close()
    >>> export_csv(folder / "run.sqlite", folder / "run.csv")
    0

    The file is readable by its owner alone, in UTF-8 with a byte order mark, as Excel wants it. A key that a
    spreadsheet would take for a formula gets a ' in front. An existing file is replaced.
    """
    if os.path.realpath(target) in (os.path.realpath(path), f"{os.path.realpath(path)}-journal"):
        raise LedgerError(
            "the CSV file must be another file than the ledger, which would be lost",
            "CSV 文件不能与账本是同一个文件，否则账本会被覆盖",
        )
    entries = read_ledger(path)
    number = 0
    with open(target, "w", encoding="utf-8-sig", newline="", opener=_private) as file:
        writer = csv.writer(file)
        writer.writerow(Entry._fields)
        for number, entry in enumerate(entries, 1):  # noqa: B007 - the last number counts
            at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")
            seconds = None if entry.seconds is None else round(entry.seconds, 6)
            writer.writerow([_harmless(entry.key), *entry[1:-2], seconds, at])
    return number


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # one that was there keeps its mode; a terminal is not ours
        Path(path).chmod(0o600)
    return descriptor


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
