"""Claims on pushes, for several processes: which pushes are being handled or have been answered.

WeChat repeats a push that was not answered, and the repetition may reach another process. The process that makes the
claim handles the push; the others get its answer.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["Claims", "SqliteSeen"]


class Claims(Protocol):
    """The store that `push_app(seen=…)` needs; each call must be atomic among the processes.

    A key is 64 hexadecimal digits, the hash of a `dedupe_key`. An answer is what the handler returned; a hand-over
    contains the user's openid.
    """

    def claim(self, key: str) -> bytes | None:
        """Return None if the push is yours now, else its answer, which is empty while another process handles it."""
        ...

    def settle(self, key: str, answer: bytes) -> object:
        """Store the answer for repetitions of the push."""
        ...

    def forget(self, key: str) -> object:
        """Remove a claim or an answer, so that the next repetition is handled."""
        ...


_TABLE = "CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, key TEXT UNIQUE, answer BLOB)"
_BUSY = 5.0  # seconds to wait for another process; each locks the file only briefly


class SqliteSeen:
    """Claims in an SQLite file, for the processes of one machine: `push_app(bot, …, seen=SqliteSeen(path))`.

    >>> from tempfile import mkdtemp
    >>> seen = SqliteSeen(Path(mkdtemp()) / "seen.sqlite")
    >>> seen.claim("key"), seen.claim("key")
    (None, b'')
    >>> seen.settle("key", b"success")
    >>> seen.claim("key")
    b'success'

    A missing file is created, readable by you alone. It keeps the last `remember` pushes. Forks do no harm, because
    each call opens the file itself; do not put it on a network drive. A claim whose process was killed is never given
    to another one, because the push may have been answered.
    """

    __slots__ = ("_path", "_remember")

    def __init__(self, path: str | Path, *, remember: int = 100_000) -> None:
        if remember < 1:
            raise ValueError("remember must be at least 1\nremember 至少为 1")
        self._path, self._remember = Path(path).absolute(), remember
        # A file that sqlite creates could be read by anybody for a moment.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(self._opened()) as db:
            db.execute(_TABLE)

    def __repr__(self) -> str:
        return f"<SqliteSeen {self._path.name}>"

    def claim(self, key: str) -> bytes | None:
        """Return None if the push is yours now, else its answer, which is empty while another process handles it."""
        with closing(self._opened()) as db, db:
            made = db.execute("INSERT OR IGNORE INTO seen (key, answer) VALUES (?, x'')", (key,))
            if made.rowcount:
                db.execute("DELETE FROM seen WHERE id <= ?", ((made.lastrowid or 0) - self._remember,))
                return None
            ((answer,),) = db.execute("SELECT answer FROM seen WHERE key = ?", (key,))
            return bytes(answer)

    def settle(self, key: str, answer: bytes) -> None:
        """Store the answer for repetitions of the push."""
        with closing(self._opened()) as db, db:
            db.execute("UPDATE seen SET answer = ? WHERE key = ?", (answer, key))

    def forget(self, key: str) -> None:
        """Remove a claim or an answer, so that the next repetition is handled."""
        with closing(self._opened()) as db, db:
            db.execute("DELETE FROM seen WHERE key = ?", (key,))

    def _opened(self) -> "Connection":
        import sqlite3  # some Pythons lack it

        return sqlite3.connect(self._path, timeout=_BUSY)
