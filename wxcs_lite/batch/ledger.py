"""The ledger: a message is "unknown" there before it leaves, and gets its true state when its reply is known.

So whatever ends a run, a message that left without a recorded reply is found as unknown, and is not sent again. Keys
are committed in groups, because each commit waits for the disk, and a commit is durable when it returns: SQLite's
rollback journal with `synchronous = EXTRA`. The file is locked from the first line to the last: one batch at a time.

An insert into a file that has been deleted succeeds without a word, so before anything leaves, the path has to lead to
the file that was opened, and its journal's path to its journal. Rows are written in their order and found by number,
so that a commit touches few pages: which number a key has, `keys.Seen` knows. A ledger contains keys, digests and
states: no token, no openid, no text. The lock is SQLite's own, a POSIX lock on Unix: it also works through NFS 4, and
not on file systems without locks (many of sshfs, of object stores, some of SMB), where two machines must not use one
ledger.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from wxcs_lite.batch.outcome import LedgerError, State
from wxcs_lite.errors import ApiError, WxError

__all__ = ["OPEN", "Ledger", "Record", "connect", "explained", "require_layout", "shut"]

_APPLICATION = 0x57584353  # "WXCS": SQLite keeps this number in the file's header, for programs to know theirs
_LAYOUT = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
    error TEXT, errcode INTEGER, rid TEXT, seconds REAL, at REAL NOT NULL
)
"""
_WRITE = "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


# Python 3.13 closes a connection that is found in a cycle, perhaps before the batch in the same cycle has recorded what
# was under way. Held here, it is closed by its owner alone.
OPEN: set[sqlite3.Connection] = set()


def shut(db: sqlite3.Connection) -> None:
    """Close a connection that was held open."""
    db.close()
    OPEN.discard(db)


class Record(NamedTuple):
    """What the ledger shall say of a message from now on."""

    number: int
    key: str
    digest: str
    state: State
    error: WxError | None = None
    seconds: float | None = None

    def row(self, now: float) -> tuple[Any, ...]:
        kind = None if self.error is None else type(self.error).__name__
        errcode, rid = (self.error.errcode, self.error.rid) if isinstance(self.error, ApiError) else (None, None)
        return self.number, self.key, self.digest, self.state, kind, errcode, rid, self.seconds, now


class Ledger:
    """An open ledger, which no other batch can open meanwhile."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self._journal = Path(f"{self.path}-journal")
        _create(self.path)
        self._db = connect(self.path)
        OPEN.add(self._db)
        try:
            self._lock()
            self._files = self._found()
        except BaseException:
            shut(self._db)
            raise

    def __repr__(self) -> str:
        return f"<Ledger {self.path.name}>"

    def _lock(self) -> None:
        try:
            for pragma in ("locking_mode = EXCLUSIVE", "synchronous = EXTRA", "fullfsync = 1"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("BEGIN EXCLUSIVE")
            require_layout(self._db, new=True)
            self._db.execute("COMMIT")
            # The journal is kept, so that it can be seen whether it is still there. It is made by the first write.
            self._db.execute("PRAGMA journal_mode = PERSIST")
            self._db.execute("BEGIN")
            self._db.execute(_TABLE)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {_LAYOUT}")
            self._db.execute("COMMIT")
            self._last: int = self._db.execute("SELECT coalesce(max(number), 0) FROM messages").fetchone()[0]
        except sqlite3.Error as e:
            error = explained(e, self.path)
        else:
            return
        raise error

    def _found(self) -> list[tuple[int, int]]:
        try:
            return [(found.st_dev, found.st_ino) for found in map(os.stat, (self.path, self._journal))]
        except OSError:
            return []

    def check(self) -> None:
        """Raise LedgerError unless the ledger and its journal are still the files that were opened."""
        if not self._files or self._found() != self._files:
            raise LedgerError(
                f"the ledger {self.path.name} or its journal was removed or replaced while the batch was running: put "
                "it back, or begin with a new one only if nothing of this list may already have been sent",
                f"批量发送期间账本 {self.path.name} 或其日志文件被删除或替换：请恢复原文件；"
                "只有确认名单中的消息都未发出，才能换用新账本",
            )

    def new_number(self) -> int:
        """Return the number of a message that no former run has seen."""
        self._last += 1
        return self._last

    def keys(self) -> Iterator[tuple[str, int]]:
        """Yield the key and the number of every message of former runs."""
        try:
            yield from self._db.execute("SELECT key, number FROM messages")
        except sqlite3.Error as e:
            error = explained(e, self.path)
        else:
            return
        raise error

    def look_up(self, number: int) -> tuple[State, str, str | None, int | None]:
        """Return state, digest, and the error's class and errcode, of a message from a former run."""
        try:
            (row,) = self._db.execute("SELECT state, digest, error, errcode FROM messages WHERE number = ?", (number,))
        except sqlite3.Error as e:
            error = explained(e, self.path)
        else:
            return row  # type: ignore[no-any-return]
        raise error

    def write(self, records: Iterable[Record]) -> None:
        """Record what is known of messages, and which are about to leave ("unknown"); durable when it returns."""
        now = time.time()
        try:
            self._db.execute("BEGIN")
            try:
                self._db.executemany(_WRITE, (record.row(now) for record in records))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as e:
            error = explained(e, self.path)
        else:
            return
        raise error

    def close(self) -> None:
        """Remove the journal, which is empty now, and unlock the file."""
        with suppress(sqlite3.Error):
            if self._found() == self._files:
                self._db.execute("PRAGMA journal_mode = DELETE")
        shut(self._db)


def _create(path: Path) -> None:
    """Create the file, readable by its owner alone, unless it is there, and let the disk know of it."""
    # A file that is there must not even be opened: closing it would end this process's locks on it.
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            _sync_folder(path.parent)
        return
    except OSError as e:
        problem = e.strerror or type(e).__name__
    raise LedgerError(f"the ledger {path.name} cannot be created: {problem}", f"无法创建账本 {path.name}：{problem}")


def _sync_folder(folder: Path) -> None:
    """Make the folder's entry durable as well, where a folder can be opened (Windows cannot)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def connect(path: Path) -> sqlite3.Connection:
    """Open the SQLite file, which must exist, without waiting for whoever has locked it."""
    uri = f"{path.as_uri()}?mode=rw"
    try:
        return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as e:
        error = explained(e, path)
    raise error


def require_layout(db: sqlite3.Connection, *, new: bool = False) -> None:
    """Raise LedgerError unless the file is a ledger of this layout; `new`: or has nothing in it yet."""
    ((application,), (layout,), (tables,)) = (
        db.execute(f"{asked}").fetchone()
        for asked in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if new and (application, layout, tables) == (0, 0, 0):
        return
    if application != _APPLICATION:
        raise LedgerError(
            "this SQLite file is not a ledger of wxcs_lite, and was left as it is: name another file",
            "这个 SQLite 文件不是 wxcs_lite 的账本，未作任何改动：请换一个文件名",
        )
    if layout != _LAYOUT:
        raise LedgerError(
            f"the ledger was written by a newer wxcs_lite (layout {layout}, here {_LAYOUT}): update wxcs_lite",
            f"账本由更新版本的 wxcs_lite 写入（格式 {layout}，当前支持 {_LAYOUT}）：请升级 wxcs_lite",
        )


_KINDS: dict[str, tuple[str, str]] = {
    "SQLITE_BUSY": (
        "is in use by another batch or reader: wait for it to end (in this process: close() the batch)",
        "正被另一个批量发送或读取程序使用：请等它结束（同一进程内请先 close()）",
    ),
    "SQLITE_FULL": ("cannot be written: the disk is full", "无法写入：磁盘已满"),
    "SQLITE_NOTADB": ("is not a ledger but another kind of file", "不是账本文件"),
    "SQLITE_CORRUPT": (
        "is damaged: keep it, and try SQLite's .recover",
        "已损坏：请保留原文件，可试用 SQLite 的 .recover",
    ),
    "SQLITE_READONLY": ("cannot be written: the file is read-only", "无法写入：文件为只读"),
    "SQLITE_CANTOPEN": ("cannot be opened: check the path and its permissions", "无法打开：请检查路径和权限"),
    "SQLITE_IOERR": ("cannot be written or read: the disk failed", "读写失败：磁盘出错"),
}


def explained(error: sqlite3.Error, path: Path) -> LedgerError:
    """Return what an error of SQLite means for a ledger."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    told = next((told for kind, told in _KINDS.items() if name.startswith(kind)), None)
    en, zh = told or (f"failed: {name}", f"出错：{name}")
    return LedgerError(f"the ledger {path.name} {en}", f"账本 {path.name} {zh}")
