"""A message is known by its key, and which keys have come is kept in a temporary file rather than in memory."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

from wxcs_lite.batch.ledger import explained

__all__ = ["Seen", "digest_of"]

_CACHE = 4096  # KiB
_FILE = Path("(its temporary file)")
_COUNT = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times"


def digest_of(message: Any) -> str:
    """Return 32 hexadecimal digits that stand for the content of a message, whatever the order of its fields.

    >>> digest_of({"touser": "OPENID", "msgtype": "text"}) == digest_of({"msgtype": "text", "touser": "OPENID"})
    True
    """
    try:
        content = json.dumps(message, sort_keys=True, default=repr)
    except (TypeError, ValueError, RecursionError):  # no message at all, and refused as such
        content = repr(type(message))
    return sha256(content.encode()).hexdigest()[:32]


class Seen:
    """Counts how often a key has come; SQLite keeps the counts in a temporary file that nobody else can open.

    >>> seen = Seen()
    >>> seen.count("a"), seen.count("b"), seen.count("a")
    (1, 1, 2)
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")  # and no COMMIT: it ends with the batch

    def count(self, key: str) -> int:
        """Note a key, and return how often it has come by now."""
        try:
            ((times,),) = self._db.execute(_COUNT, (key,))
        except sqlite3.Error as e:
            error = explained(e, _FILE)
        else:
            return int(times)
        raise error

    def close(self) -> None:
        self._db.close()
