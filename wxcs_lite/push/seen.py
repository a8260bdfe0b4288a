"""Which pushes are being handled or have been, among several processes: a claim on a push's key.

WeChat repeats a push that it got no answer to, and the repetition may reach another process. Whoever makes the claim
handles the push; the others get the answer that was settled on.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["Claims", "SqliteSeen"]


class Claims(Protocol):
    """What `push_app(seen=…)` asks of a store; each call is one step that no other process can divide.

    A key is 64 hexadecimal digits, the hash of a `dedupe_key`. An answer is what the handler gave, and names the user
    if it is a hand-over.
    """

    def claim(self, key: str) -> bytes | None:
        """Return None where the push is yours now, else its answer: empty as long as somebody is at it."""
        ...

    def settle(self, key: str, answer: bytes) -> object:
        """Remember the answer, for those who come again."""
        ...

    def forget(self, key: str) -> object:
        """Give a claim or an answer back: the next one to come handles the push."""
        ...


_TABLE = "CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, key TEXT UNIQUE, answer BLOB)"
_BUSY = 5.0  # seconds to wait for another process; each holds the file for a moment


class SqliteSeen:
    """A `Claims` in a file of SQLite, for the processes of one machine: `push_app(bot, …, seen=SqliteSeen(path))`.

    >>> from tempfile import mkdtemp
    >>> seen = SqliteSeen(Path(mkdtemp()) / "seen.sqlite")
    >>> seen.claim("key"), seen.claim("key")
    (None, b'')
    >>> seen.settle("key", b"success")
    >>> seen.claim("key")
    b'success'

    A missing file is made, readable by you alone. It holds the last `remember` pushes. Whether the file was opened
    before or after a fork makes no difference, because each call opens it for itself; a network drive is no place for
    it. A claim that nobody settled, because its process was killed, is never given to another one: the push may have
    been answered.
    """

    __slots__ = ("_path", "_remember")

    def __init__(self, path: str | Path, *, remember: int = 100_000) -> None:
        if remember < 1:
            raise ValueError("remember must be at least 1\nremember 至少为 1")
        self._path, self._remember = Path(path).absolute(), remember
        # With sqlite's own way to make a file, anybody could read it for a moment.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(self._opened()) as db:
            db.execute(_TABLE)

    def __repr__(self) -> str:
        return f"<SqliteSeen {self._path.name}>"

    def claim(self, key: str) -> bytes | None:
        """Return None where the push is yours now, else its answer: empty as long as somebody is at it."""
        with closing(self._opened()) as db, db:
            made = db.execute("INSERT OR IGNORE INTO seen (key, answer) VALUES (?, x'')", (key,))
            if made.rowcount:
                db.execute("DELETE FROM seen WHERE id <= ?", ((made.lastrowid or 0) - self._remember,))
                return None
            ((answer,),) = db.execute("SELECT answer FROM seen WHERE key = ?", (key,))
            return bytes(answer)

    def settle(self, key: str, answer: bytes) -> None:
        """Remember the answer, for those who come again."""
        with closing(self._opened()) as db, db:
            db.execute("UPDATE seen SET answer = ? WHERE key = ?", (answer, key))

    def forget(self, key: str) -> None:
        """Give a claim or an answer back: the next one to come handles the push."""
        with closing(self._opened()) as db, db:
            db.execute("DELETE FROM seen WHERE key = ?", (key,))

    def _opened(self) -> "Connection":
        import sqlite3  # a Python may come without it

        return sqlite3.connect(self._path, timeout=_BUSY)
