"""A message is known by its key, and which keys have come is kept in a temporary file rather than in memory."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from wxcs_lite.batch.ledger import OPEN, explained, shut

__all__ = ["Seen", "digest_of"]

_CACHE = 4096  # KiB
_FILE = Path("(its temporary file)")
_COUNT = """
INSERT INTO seen VALUES (?, 1, NULL) ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times, number
"""


def digest_of(message: Any) -> str:
    """Return 32 hexadecimal digits that stand for the content of a message, whatever the order of its fields.

    >>> digest_of({"touser": "OPENID", "msgtype": "text"}) == digest_of({"msgtype": "text", "touser": "OPENID"})
    True
    """
    try:
        content = json.dumps(message, sort_keys=True, default=_plain)
    except (TypeError, ValueError, RecursionError):  # no message at all, and refused as such
        content = repr(type(message))
    return sha256(content.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return what stands for a value in every run alike: the repr of many objects has their address in it."""
    return dict(value) if isinstance(value, Mapping) else repr(type(value))


class Seen:
    """Counts how often a key has come, and knows its number in the ledger, if a former run has given it one.

    >>> seen = Seen([("b", 17)])
    >>> seen.count("a"), seen.count("b"), seen.count("a")
    ((1, None), (1, 17), (2, None))

    SQLite keeps this in a temporary file that nobody else can open.
    """

    def __init__(self, former: Iterable[tuple[str, int]] = ()) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        OPEN.add(self._db)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, times INTEGER, number INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")  # and no COMMIT: it ends with the batch
        try:
            self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, 0, ?)", former)
        except sqlite3.Error as e:
            error = explained(e, _FILE)
        except BaseException:
            self.close()
            raise
        else:
            return
        self.close()
        raise error

    def count(self, key: str) -> tuple[int, int | None]:
        """Note a key, and return how often it has come by now, and its number in the ledger."""
        try:
            ((times, number),) = self._db.execute(_COUNT, (key,))
        except sqlite3.Error as e:
            error = explained(e, _FILE)
        else:
            return times, number
        raise error

    def close(self) -> None:
        shut(self._db)
