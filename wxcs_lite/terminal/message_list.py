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
from wxcs_lite.require import quoted
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
    """A line that is not a message, and why."""

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
        text = line.decode("utf-8-sig").rstrip()  # several files may have been put together
        if text.startswith("["):
            return Wrong(number, _LIST)
        if text == "{":
            return Wrong(number, _BROKEN)
        found = json.loads(text, object_pairs_hook=_object)
    except UnicodeDecodeError:
        return Wrong(number, _ENCODING)
    except json.JSONDecodeError as e:
        return Wrong(number, (f"is not JSON: {e.msg} (column {e.colno})", f"不是 JSON（第 {e.colno} 列出错）"))
    except _Twice as e:
        name = quoted(e.args[0])
        return Wrong(number, (f"has the field {name} twice in one object", f"同一对象中字段 {name} 出现了两次"))
    except (ValueError, RecursionError):
        return Wrong(number, ("is not JSON: too deep, or a number too long", "不是 JSON：嵌套过深或数字过长"))
    if not isinstance(found, dict):
        return Wrong(number, ("is not a JSON object", "不是 JSON 对象"))
    return _judged(number, found)


class _Twice(Exception):
    """A field that is there twice: JSON does not say which of the two customers is meant."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _judged(number: int, found: dict[str, Any]) -> Line | Wrong:
    key, message = None, found
    if found.keys() & {"key", "message"} and "msgtype" not in found:
        if not {"message"} <= found.keys() <= {"key", "message"}:
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
_BROKEN = (
    "is the beginning of an object that goes on: write one message a line (jq -c . list.json > messages.jsonl)",
    "只是一个对象的开头：请改为每行一条消息（jq -c . list.json > messages.jsonl）",
)
_ENCODING = "is not UTF-8: save the file in this encoding", "不是 UTF-8 编码：请将文件另存为 UTF-8"
_WRAPPED = ('must have "message", and nothing beside it but "key"', "应有 message 字段，除它和 key 之外不能有其他字段")
