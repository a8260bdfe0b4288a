"""A file of messages: what a line may be, what is said of one that is no message, and reading it twice."""

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from wxcs_lite.terminal.message_list import Line, MessageList, Numbered, Wrong

HELLO = b'{"touser":"ann","msgtype":"text","text":{"content":"\xe6\x82\xa8\xe5\xa5\xbd"}}'
MESSAGE = {"touser": "ann", "msgtype": "text", "text": {"content": "您好"}}


def read(folder: Path, content: bytes) -> list[Line | Wrong]:
    path = folder / "messages.jsonl"
    path.write_bytes(content)
    with MessageList(str(path)) as messages:
        return list(messages)


def test_a_line_is_a_message_or_has_one_with_its_key(tmp_path: Path) -> None:
    """Empty lines are nothing, but count, so that numbers are those of an editor."""
    content = b"\xef\xbb\xbf" + HELLO + b"\r\n\n  \n" + b'{"key":"k1","message":' + HELLO + b"}"
    found = read(tmp_path, content + b'\n{"message":' + HELLO + b"}\n")
    assert [
        Line(None, Numbered(1, MESSAGE)),
        Line("k1", Numbered(4, MESSAGE)),
        Line(None, Numbered(5, MESSAGE)),
    ] == found
    assert [1, 4, 5] == [each.message.number for each in found if isinstance(each, Line)]


def test_files_that_were_put_together_are_one(tmp_path: Path) -> None:
    """Each may begin with a byte order mark."""
    found = read(tmp_path, 2 * (b"\xef\xbb\xbf" + HELLO + b"\r\n"))
    assert [Line(None, Numbered(1, MESSAGE)), Line(None, Numbered(2, MESSAGE))] == found


def test_a_type_that_is_called_message_is_a_message(tmp_path: Path) -> None:
    """WeChat may name one so."""
    (found,) = read(tmp_path, b'{"touser":"ann","msgtype":"message","message":{"a":1}}')
    assert isinstance(found, Line)


@pytest.mark.parametrize(
    ("line", "en", "zh"),
    [
        (b"hello", "is not JSON: Expecting value (column 1)", "不是 JSON（第 1 列出错）"),
        (b'{"touser":"ann",', "is not JSON", "不是 JSON"),
        (HELLO[:-1], "is not JSON: Expecting ',' delimiter (column 57)", "不是 JSON（第 57 列出错）"),
        (b'{"a":"\xff"}', "is not UTF-8: save the file", "不是 UTF-8 编码：请将文件另存为"),
        (b'{"a":' + b"[" * 100_000, "is not JSON: too deep, or a number too long", "不是 JSON：嵌套过深或数字过长"),
        (b'{"touser":' + b"1" * 5000 + b"}", "is not JSON: too deep, or a number too long", "不是 JSON"),
        (b"[" + HELLO + b"]", "is a list: write one message a line (jq -c '.[]'", "是列表：请改为每行一条消息"),
        (b"[", "is a list: write one message a line (jq -c '.[]'", "是列表：请改为每行一条消息"),
        (b"{", "is the beginning of an object that goes on: write one", "只是一个对象的开头：请改为每行一条消息"),
        (b'{"touser":"ann",' + HELLO[1:], "has the field 'touser' twice", "同一对象中字段 'touser' 出现了两次"),
        (b'"hello"', "is not a JSON object", "不是 JSON 对象"),
        (b'{"key":"a","message":{},"note":1}', 'must have "message", and nothing', "应有 message 字段，除它和 key"),
        (b'{"key":"a","mesage":{}}', 'must have "message", and nothing', "应有 message 字段，除它和 key"),
        (b'{"key":17,"message":' + HELLO + b"}", "key: must be a text that is not empty", "key：应为非空文本"),
        (b'{"key":"","message":' + HELLO + b"}", "key: must be a text that is not empty", "key：应为非空文本"),
        (b'{"key":"a","message":null}', "message: must be a", "message：应为"),
        (b'{"touser":"","msgtype":"text","text":{"content":"a"}}', "touser: must not be empty", "touser：不能为空"),
    ],
)
def test_what_is_no_message_says_why(tmp_path: Path, line: bytes, en: str, zh: str) -> None:
    """With its number, and the lines around it are read."""
    before, wrong, after = read(tmp_path, HELLO + b"\n" + line + b"\n" + HELLO)
    assert isinstance(before, Line)
    assert isinstance(after, Line)
    assert isinstance(wrong, Wrong)
    assert 2 == wrong.number
    assert wrong.reason[0].startswith(en)
    assert wrong.reason[1].startswith(zh)


def test_it_is_read_again_as_far_as_it_went(tmp_path: Path) -> None:
    """What another program appends meanwhile was not looked at, so it is not sent."""
    path = tmp_path / "messages.jsonl"
    for content, more in ((HELLO + b"\n", HELLO + b"\n"), (HELLO, b" and more")):
        path.write_bytes(content)
        with MessageList(str(path)) as messages:
            first = list(messages)
            with path.open("ab") as file:
                file.write(more)
            assert first == list(messages)
    path.write_bytes(HELLO + b"\n" + HELLO + b"\n")
    with MessageList(str(path)) as messages:
        os.truncate(path, len(HELLO))
        assert first == list(messages)


@pytest.mark.skipif(os.name == "nt", reason="pipes with a name")
def test_a_pipe_is_read_twice_as_well(tmp_path: Path) -> None:
    """It is copied: `send-many <(make_messages)` works."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(HELLO + b"\n",))  # it waits for the reader
    writer.start()
    with MessageList(str(path)) as messages:
        assert [1, 1] == [len(list(messages)), len(list(messages))]
    writer.join(60)


@pytest.mark.parametrize(("stdin", "count"), [(io.TextIOWrapper(io.BytesIO(HELLO)), 1), (None, 0)])
def test_standard_input_is_a_list(stdin: Any, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None for a closed one, which is an empty list."""
    monkeypatch.setattr("sys.stdin", stdin)
    with MessageList("-") as messages:
        assert [count, count] == [len(list(messages)), len(list(messages))]


def test_a_file_that_is_not_there() -> None:
    """The error has its name."""
    with pytest.raises(FileNotFoundError) as caught:
        MessageList("nowhere.jsonl")
    assert "nowhere.jsonl" == caught.value.filename
