"""append_to: each push is one whole line on the disk before WeChat hears success, whatever happens beside it."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wxcs_lite.errors import PushRejected
from wxcs_lite.push import Push, append_to, push_app
from wxcs_lite.push.value import parse
from wxcs_lite.sandbox import Sandbox

TEXT = {"ToUserName": "gh_1", "FromUserName": "ann", "CreateTime": 1714112445, "MsgType": "text", "MsgId": 1}
AWKWARD = "您好\n\r\u2028\x0b\x1c\x85 \"'\\ 👋🏽"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pushes.jsonl"


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_push_is_one_line_that_reads_back(path: Path, form: Any) -> None:
    """With every kind of line break inside it, and whatever its format was."""
    push = Push({**TEXT, "Content": AWKWARD, "More": {"list": [1, {"deep": AWKWARD}]}}, form)
    append_to(path)(push)
    line, rest = lines_of(path)
    assert b"" == rest
    assert push.fields == parse(line).fields


def test_what_the_sandbox_pushes_in_secure_mode_is_written_without_a_secret(path: Path) -> None:
    """Neither the Token nor the key, nor a signature or what was encrypted."""
    sandbox, token, key = Sandbox(), "madeUpToken", "madeUpKey" + "x" * 33 + "G"
    app = push_app(append_to(path), token=token, aes_key=key, appid=sandbox.appid)
    with sandbox.push_to(app, token=token, aes_key=key):
        sandbox.user("ann").says("hello")
        sandbox.user("ann").enters_session()
    first, second, _ = lines_of(path)
    assert ("hello", "user_enter_tempsession") == (parse(first).Content, parse(second).Event)
    written = path.read_text()
    for hidden in (token, key, sandbox.secret, "Encrypt", "ignature", "nonce"):
        assert hidden not in written


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    """It is there from the start, so that a wrong path is noticed before the first push; what exists stays as it is."""
    append_to(path)
    assert b"" == path.read_bytes()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o640)
    append_to(path)(Push(TEXT))
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)
    with pytest.raises(FileNotFoundError):
        append_to(path.parent / "missing" / path.name)


def test_a_file_that_was_renamed_is_begun_again(path: Path) -> None:
    """As logrotate does it, without telling the server."""
    handler = append_to(path)
    handler(Push(TEXT))
    path.rename(path.with_suffix(".1"))
    handler(Push({**TEXT, "MsgId": 2}))
    assert [1, 2] == [parse(lines_of(file)[0]).MsgId for file in (path.with_suffix(".1"), path)]


def test_a_line_that_a_crash_cut_stays_alone(path: Path) -> None:
    """The next push begins on a line of its own."""
    handler = append_to(path)
    handler(Push(TEXT))
    with path.open("ab") as file:
        file.write(b'{"MsgType":"te')
    handler(Push({**TEXT, "MsgId": 2}))
    first, broken, second, _ = lines_of(path)
    assert (1, b'{"MsgType":"te', 2) == (parse(first).MsgId, broken, parse(second).MsgId)


REAL_WRITE = os.write


class Disk:
    """`os.write` that fails at first: the disk is full, or takes half of a line."""

    def __init__(self, failures: list[str]) -> None:
        self.failures = failures

    def __call__(self, file: int, data: bytes) -> int:
        if not self.failures:
            return REAL_WRITE(file, data)
        if self.failures.pop(0) == "full":
            raise OSError(errno.ENOSPC, "whisper")
        return REAL_WRITE(file, data[: len(data) // 2])


def test_a_push_that_cannot_be_written_comes_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses no customer: WeChat gets 503 until the line is whole, and half a line harms no other."""
    monkeypatch.setattr(os, "write", Disk(["full", "half"]))
    sandbox = Sandbox()
    pushes = sandbox.push_to(push_app(append_to(path), token="madeUp"), token="madeUp")
    sandbox.user("ann").says("hello")
    assert [503, 503, 200] == [pushed.status for pushed in pushes.log]
    _, whole, rest = lines_of(path)
    assert ("hello", b"") == (parse(whole).Content, rest)


def test_the_error_says_what_is_wrong_with_which_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both languages, without its folder."""
    handler = append_to(path)
    monkeypatch.setattr(os, "write", Disk(["full"]))
    with pytest.raises(PushRejected) as caught:
        handler(Push(TEXT))
    why = os.strerror(errno.ENOSPC)
    assert (f"pushes.jsonl cannot be written: {why}", f"无法写入 pushes.jsonl：{why}") == (
        caught.value.en,
        caught.value.zh,
    )


def test_the_line_is_on_the_disk_before_wechat_hears_success(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync comes after the whole line; if it fails, the push comes again."""
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(path.read_bytes()))
    append_to(path)(Push(TEXT))
    assert [path.read_bytes()] == synced
    assert synced[0].endswith(b"\n")

    def broken(file: int) -> None:
        raise OSError("no number, no text")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(PushRejected, match=os.strerror(errno.EIO)):
        append_to(path)(Push(TEXT))


WRITER = """
import sys
from wxcs_lite.push import Push, append_to
handler = append_to(sys.argv[1])
for number in range(200):
    handler(Push({"FromUserName": sys.argv[2], "MsgId": number, "Content": sys.argv[2] * 3000}))
"""


def test_several_processes_append_to_one_file(path: Path) -> None:
    """No line is torn by another, and none is missing."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "abc"]
    assert [0, 0, 0] == [writer.wait(60) for writer in writers]
    pushes = [json.loads(line) for line in lines_of(path)[:-1]]
    assert {(name, number) for name in "abc" for number in range(200)} == {
        (push["FromUserName"], push["MsgId"]) for push in pushes
    }
    assert 600 == len(pushes)
