"""The file that a desk's history is kept in: one JSON object a line, only ever appended to, read by its owner alone.

It holds what customers and agents wrote, and openids; no token, no key, no picture.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.panel.conversation import Conversations, as_json, as_line
from wxcs_lite.panel.picture import expanded
from wxcs_lite.require import quoted

__all__ = ["History", "exported", "written"]

_ABOUT = {
    "what": "about",
    "en": "The history of a wxcs_lite desk: texts and openids of customers. No tokens, no keys.",
    "zh": "wxcs_lite 客服工作台的往来记录：含用户的消息内容和 openid，不含凭证和密钥。",
}
# Not through a link where that can be said: one in a shared folder could lead to any file of the user's.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class History:
    """A file that entries are appended to; without a path, nothing is kept."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path).expanduser().absolute()

    def read_into(self, conversations: Conversations) -> int:
        """Read the file, or make one, and return how many of its lines are broken."""
        if self._path is None:
            return 0
        try:
            return self._read(self._path, conversations)
        except OSError as e:
            problem = e.strerror or type(e).__name__
        named = quoted(str(self._path))
        raise InvalidMessage("history", f"cannot be opened: {problem}: {named}", f"无法打开：{problem}：{named}")

    def write(self, told: Mapping[str, Any]) -> None:
        """Append an entry, a result or a name; the file is opened each time, so a call that ends late finds it."""
        if self._path is not None:
            written(lambda path: _append(path, as_line(told).encode()), str(self._path))

    def _read(self, path: Path, conversations: Conversations) -> int:
        with os.fdopen(os.open(path, _FLAGS, 0o600), "r+b") as file:
            broken = conversations.read(line.decode("utf-8", "replace") for line in file)
            if file.tell() == 0:
                file.write(as_line(_ABOUT).encode())
            else:
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":  # the last line was cut off: what comes begins a line of its own
                    file.write(b"\n")
        return broken


def _append(path: Path, line: bytes) -> None:
    with os.fdopen(os.open(path, _FLAGS, 0o600), "ab", buffering=0) as file:
        file.write(line)


def written(write: Callable[[Path], Any], path: str) -> Any:
    """Write to a path and return what `write` does, or raise InvalidMessage with the reason."""
    try:
        return write(expanded(path))
    except OSError as e:
        problem = e.strerror or type(e).__name__
    raise InvalidMessage(
        "file", f"cannot be written: {problem}: {quoted(path)}", f"无法写入：{problem}：{quoted(path)}"
    )


def exported(entries: Iterable[Mapping[str, Any]], path: str) -> Path:
    """Write entries to a file, as one JSON document, and return its path; raise InvalidMessage with the reason."""

    def write(path: Path) -> Path:
        path.write_text(as_json(entries), encoding="utf-8")
        return path

    return written(write, path)  # type: ignore[no-any-return]
