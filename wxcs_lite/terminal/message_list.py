"""A list of messages in a file, one JSON object a line: read before anything leaves, and again while it does."""

import io
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

from wxcs_lite import endpoints
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.terminal.environment import Told

__all__ = ["Line", "MessageList", "Numbered", "Wrong"]


class Numbered(dict[str, Any]):
    """A message that knows on which line it stands.

    >>> Numbered(17, {"touser": "OPENID"}).number
    17
    """

    def __init__(self, number: int, message: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.number = number


class Line(NamedTuple):
    """A message and its key, None if the line has none."""

    key: str | None
    message: Numbered


class Wrong(NamedTuple):
    """A line that is no message, and why."""

    number: int
    reason: Told


class MessageList:
    """An open file that can be read several times, as far as it went when it was opened.

    What can be read only once, as a pipe or standard input, is copied into a temporary file that nobody else can open.
    """

    def __init__(self, path: str) -> None:
        self._file = _again(getattr(sys.stdin, "buffer", io.BytesIO())) if path == "-" else _opened(path)
        self._end = self._file.seek(0, os.SEEK_END)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Line | Wrong]:
        """Yield the messages and what is none, in their order; an empty line is neither."""
        self._file.seek(0)
        read = number = 0
        while line := self._file.readline(self._end - read):
            read, number = read + len(line), number + 1
            if line.strip():
                yield _read(number, line)


def _opened(path: str) -> BinaryIO:
    file = Path(path).open("rb")  # noqa: SIM115 - the list closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return _again(file)


def _again(source: BinaryIO) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115
    shutil.copyfileobj(source, copy)
    return copy


def _read(number: int, line: bytes) -> Line | Wrong:
    try:
        found = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return Wrong(number, ("is not UTF-8", "不是 UTF-8 编码"))
    except json.JSONDecodeError as e:
        return Wrong(number, (f"is not JSON: {e.msg} (column {e.colno})", f"不是 JSON（第 {e.colno} 列出错）"))
    except (ValueError, RecursionError):
        return Wrong(number, ("is not JSON: too deep, or a number too long", "不是 JSON：嵌套过深或数字过长"))
    if isinstance(found, list):
        return Wrong(number, _LIST)
    if not isinstance(found, dict):
        return Wrong(number, ("is not a JSON object", "不是 JSON 对象"))
    return _judged(number, found)


def _judged(number: int, found: dict[str, Any]) -> Line | Wrong:
    key, message = None, found
    if "message" in found and "msgtype" not in found:
        if not found.keys() <= {"key", "message"}:
            return Wrong(number, _WRAPPED)
        key, message = found.get("key"), found["message"]
        if "key" in found and not (isinstance(key, str) and key):
            return Wrong(number, ("key: must be a text that is not empty", "key：应为非空文本"))
    try:
        endpoints.send(message)
    except InvalidMessage as e:
        return Wrong(number, (e.en, e.zh))
    return Line(key, Numbered(number, message))


_LIST = (
    "is a list: write one message a line (jq -c '.[]' list.json > messages.jsonl)",
    "是列表：请改为每行一条消息（jq -c '.[]' list.json > messages.jsonl）",
)
_WRAPPED = ('has fields beside "key" and "message"', "除 key 和 message 之外还有其他字段")
