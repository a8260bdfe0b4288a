"""Pushes from a file that grows.

A server elsewhere appends them (`push.append_to`), any sync brings the file here, and a desk shows what is new in it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, Protocol

from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.places import places
from wxcs_lite.push import Push
from wxcs_lite.push.value import parse

__all__ = ["Feed", "Follower", "Receiving", "follow", "require_open"]

_log = logging.getLogger("wxcs_lite.panel")

_PAUSE = 0.2  # seconds between two looks at the file
_PATIENCE = 5.0  # seconds for a look that has begun
_PIECE = 4 * 2**20  # bytes read at once; a longer line is no push
_KEEPS_OPEN = os.name != "nt"  # there a file that is open cannot be renamed; here its last lines are still read
_KNOWN = 256  # bytes before our place that tell whether the file is still the same


class Receiving(Protocol):
    """What a desk has for those who bring it pushes."""

    inbound: set[str]

    @property
    def is_open(self) -> bool: ...

    def receive(self, push: Push) -> None: ...

    def report(self, en: str, zh: str) -> None: ...

    def on_close(self, close: Callable[[], object]) -> None: ...


class Feed:
    """The pushes of a file, each as soon as its line is whole; `read` yields those that came since the last time.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "pushes.jsonl"
    >>> feed = Feed(path)
    >>> written = path.write_text('{"FromUserName": "ann", "Content": "hi"}\\nnot a push\\n{"FromUserName": "a')
    >>> [push.Content for push in feed.read()], feed.broken
    (['hi'], 1)
    >>> feed.close()

    The file may be renamed and begun again, be cut, or be replaced by a longer copy of itself. In the last case only
    what is new is read, otherwise all of it, so a push can come twice (`dedupe_key` tells). Lines that are not a
    customer's push are skipped and counted in `broken`. After an OSError (no file yet, no permission) call `read` again
    later: it goes on where it was.
    """

    __slots__ = ("_before", "_file", "_offset", "_path", "_skipping", "broken")

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._file: BinaryIO | None = None
        self._offset, self._before, self._skipping, self.broken = 0, b"", False, 0

    def read(self) -> Iterator[Push]:
        """Yield the pushes that have come since the last time."""
        yield from self._rest()
        if self._is_another():
            yield from self._rest()  # what came between the last line read and the renaming
            self.close()
            self._file = self._path.open("rb", buffering=0)
            yield from self._rest()
        if not _KEEPS_OPEN:
            self.close()

    def close(self) -> None:
        """Close the file; its place is kept."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_another(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._file is None:
                raise
            return False  # renamed, and not begun again
        return self._file is None or not os.path.samestat(found, os.fstat(self._file.fileno()))

    def _rest(self) -> Iterator[Push]:
        while self._file is not None and (lines := self._whole_lines(self._file)) is not None:
            for line in filter(bytes.strip, lines):
                push = _parsed(line)
                if push is None:
                    self.broken += 1
                else:
                    yield push

    def _whole_lines(self, file: BinaryIO) -> list[bytes] | None:
        """Return the next lines that are whole, or None if there are none yet."""
        data = self._piece(file)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) < _PIECE:
            return None
        too_long = not whole
        lines = data[:whole].split(b"\n")[: -1 if whole else 0]
        if self._skipping:
            lines = lines[1:]  # the end of the line that was too long
        self.broken += too_long and not self._skipping
        self._skipping = too_long
        self._move(data[: whole or len(data)])
        return lines

    def _piece(self, file: BinaryIO) -> bytes:
        """Return what follows our place; if the bytes before it have changed, it is another file: begin again."""
        file.seek(self._offset - len(self._before))
        data = _read(file, len(self._before) + _PIECE)
        if not data.startswith(self._before):
            self._offset, self._before, self._skipping = 0, b"", False
            file.seek(0)
            return _read(file, _PIECE)
        return data[len(self._before) :]

    def _move(self, done: bytes) -> None:
        self._offset += len(done)
        self._before = (self._before + done[-_KNOWN:])[-_KNOWN:]


def _read(file: BinaryIO, count: int) -> bytes:
    """Read so many bytes, or to the end; one read of an unbuffered file may give fewer."""
    pieces = []
    while count > 0 and (piece := file.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _parsed(line: bytes) -> Push | None:
    try:
        push = parse(line)
    except PushRejected:
        return None
    return push if push.get("FromUserName") else None


class Follower:
    """What `follow` returns: a thread that shows the pushes of a file on a desk, until it or the desk is closed."""

    __slots__ = ("_desk", "_feed", "_path", "_said", "_stopped", "_thread", "count")

    def __init__(self, desk: Receiving, path: Path) -> None:
        self._desk, self._feed, self._path = desk, Feed(path), path
        self._said: tuple[str, str] | None = None
        self._stopped, self.count = Event(), 0
        self._thread = Thread(target=self._run, name="wxcs_lite follow", daemon=True)

    def __repr__(self) -> str:
        state = "closed" if self._stopped.is_set() else "open"
        return f"<Follower of {self._path.name}, {state}: {self.count} pushes, {self.broken} broken lines>"

    @property
    def broken(self) -> int:
        """How many lines were skipped because they are not a customer's push."""
        return self._feed.broken

    def start(self) -> None:
        """Begin to read."""
        self._desk.inbound.add(self._path.name)
        self._thread.start()
        self._desk.on_close(self.close)

    def close(self) -> None:
        """Stop reading."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._desk.inbound.discard(self._path.name)
        del _following[id(self._desk), self._path]
        self._thread.join(_PATIENCE)  # longer only if a drive does not answer; the thread ends when it does

    def _run(self) -> None:
        while not self._stopped.is_set():
            problem = self._take_in()
            told = self._told(problem)
            if told != self._said:
                self._said = told
                self._desk.report(*told)
            self._stopped.wait(_PAUSE)
        self._feed.close()

    def _take_in(self) -> OSError | None:
        """Show what has come, or return why the file cannot be read."""
        try:
            for push in self._feed.read():
                if self._stopped.is_set():
                    break
                self._show(push)
        except OSError as e:
            return e
        return None

    def _show(self, push: Push) -> None:
        try:
            self._desk.receive(push)
        except Exception as e:  # the rest of the file must still be shown; a desk that was just closed raises, too
            _log.error("a push of %s was not shown: %s at %s", self._path.name, type(e).__name__, places(e))
        else:
            self.count += 1

    def _told(self, problem: OSError | None) -> tuple[str, str]:
        """Return how it stands, in English and Chinese."""
        name, broken = self._path.name, self.broken
        if isinstance(problem, FileNotFoundError):
            return f"{name} does not exist yet: waiting for it.", f"{name} 尚不存在，正在等待。"
        if problem is not None:
            why = os.strerror(problem.errno or 0)
            return f"{name} cannot be read, trying again: {why}.", f"无法读取 {name}，将继续重试：{why}。"
        en = f"; {broken} broken lines were skipped" if broken else ""
        zh = f"，已跳过 {broken} 行无法识别的内容" if broken else ""
        return f"Following {name}{en}.", f"正在跟踪 {name}{zh}。"


_following: dict[tuple[int, Path], Follower] = {}


def follow(desk: Receiving, path: str | Path) -> Follower:
    """Show on a desk what a file contains and what is appended to it, until the desk or the returned value is closed.

    >>> from tempfile import mkdtemp
    >>> from wxcs_lite.panel import Desk
    >>> from wxcs_lite.sandbox import Sandbox
    >>> desk = Desk(Sandbox().pool(), "a token")
    >>> follow(desk, Path(mkdtemp()) / "pushes.jsonl")
    <Follower of pushes.jsonl, open: 0 pushes, 0 broken lines>
    >>> desk.close()

    The file is what `push.append_to` writes on a server, brought here by any sync; it need not exist yet. It is read
    from its beginning, and looked at five times a second. To follow a file again on the same desk replaces the first
    follower.
    """
    path = Path(path).absolute()
    require_open(desk)
    if former := _following.get((id(desk), path)):
        former.close()
    follower = _following[id(desk), path] = Follower(desk, path)
    follower.start()
    return follower


def require_open(desk: Receiving) -> None:
    """Refuse a desk that has been closed."""
    if not desk.is_open:
        raise InvalidMessage("desk", "is closed: make a new one", "已关闭，请新建一个")
