"""Pushes in a file, one JSON object on each line: a server writes them, and whoever has the file reads them.

A line is a push as WeChat writes it in JSON (one that came as XML, too), so `jq`, a spreadsheet or another program can
read it and `parse` makes a `Push` of it. It contains what customers wrote and their openids, but no secret.
"""

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wxcs_lite.errors import PushRejected
from wxcs_lite.push.value import Push

__all__ = ["append_to"]

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


def append_to(path: str | Path) -> Callable[[Push], None]:
    """Return a handler for `push_app` that appends each push to a file, as one line of JSON.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "pushes.jsonl"
    >>> handler = append_to(path)
    >>> handler(Push({"FromUserName": "OPENID", "MsgType": "text", "Content": "hi"}))
    >>> path.read_text()
    '{"FromUserName":"OPENID","MsgType":"text","Content":"hi"}\\n'

    A missing file is created at once, readable by you alone: it holds texts and openids. WeChat hears `success` only
    when the line is on the disk (fsync); if it cannot be written, WeChat gets 503 and sends the push again. Several
    processes may append to one file (which is locked meanwhile), but not on a network drive or on Windows. The file is
    opened for each push, so it can be renamed at any time. It is read by `panel.follow`.
    """
    path = Path(path).absolute()
    os.close(_opened(path))  # a wrong path fails now, and not at the first push

    def append(push: Push) -> None:
        line = json.dumps(push.fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        problem = _append(path, line)
        if problem is not None:
            why = os.strerror(problem)
            raise PushRejected(f"{path.name} cannot be written: {why}", f"无法写入 {path.name}：{why}")

    return append


def _opened(path: Path) -> int:
    return os.open(path, _FLAGS, 0o600)


def _append(path: Path, line: bytes) -> int | None:
    """Append a whole line and wait until it is on the disk, or return the errno of what went wrong."""
    try:
        file = _opened(path)
        try:
            _lock(file)
            whole = line if _ends_a_line(file) else b"\n" + line
            if os.write(file, whole) < len(whole):
                return errno.ENOSPC  # the rest of the line has no place; the next one begins on its own
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as e:
        return e.errno or errno.EIO
    return None


def _lock(file: int) -> None:
    """Wait until no other process is writing: the length of a file can grow in steps under a long write."""
    with suppress(ImportError):  # Windows has no fcntl
        from fcntl import LOCK_EX, flock

        flock(file, LOCK_EX)


def _ends_a_line(file: int) -> bool:
    """Return whether the file is empty or ends with a newline: it does not after a crash in the midst of a write."""
    if not os.fstat(file).st_size:
        return True
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) == b"\n"
