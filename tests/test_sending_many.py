"""`send-many`: a file of messages, each sent at most once, with a ledger; what is wrong with it is said first."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.doctor_cases import nothing_set
from tests.hostile import ENOUGH, Peer, Server
from wxcs_lite import text
from wxcs_lite.__main__ import main
from wxcs_lite.batch import LedgerError, read_ledger, report
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal import sending_many
from wxcs_lite.terminal.bar import Bar
from wxcs_lite.terminal.environment import address
from wxcs_lite.terminal.message_list import Line
from wxcs_lite.terminal.sending_many import INTERRUPTED, NOT_ALL, UNKNOWN, Order, run

__all__ = ["nothing_set"]

SEND = "/cgi-bin/message/custom/send"
ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def name(number: int) -> str:
    return f"oCUSTOMER_{number:04}"


class Box:
    """A sandbox over HTTP whose customers have written, a file of messages, and a ledger that is not there yet."""

    def __init__(self, folder: Path, customers: int = 30) -> None:
        self.folder, self.customers = folder, customers
        self.sandbox = Sandbox(clock=time.time)
        self.base = ""
        for number in range(customers):
            self.sandbox.user(name(number)).says("?")

    @property
    def ledger(self) -> Path:
        return self.folder / "run.sqlite"

    @property
    def delivered(self) -> list[int]:
        return [len(self.sandbox.user(name(number)).inbox) for number in range(self.customers)]

    def write(self, *lines: Any) -> str:
        """Write a list; what is no str is JSON. Without lines it is a message with a key for each customer."""
        hello = [{"key": f"k{number}", "message": text(name(number), "您好")} for number in range(self.customers)]
        path = self.folder / "messages.jsonl"
        path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines or hello), "utf-8")
        return str(path)

    def run(self, path: str, lang: Language = "en", **more: Any) -> tuple[int, str]:
        out = io.StringIO()
        order = Order(path, **{"ledger": str(self.ledger), "workers": 4, **more})
        return run(order, address(self.base, None), lang=lang, out=out), out.getvalue()

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("WXCS_", "COV_"))}
        account = {"WXCS_APPID": self.sandbox.appid, "WXCS_SECRET": self.sandbox.secret, "WXCS_BASE_URL": self.base}
        return {**kept, **account, "PYTHONIOENCODING": "utf-8"}

    def start(self, path: str, *flags: str, **variables: str) -> "subprocess.Popen[str]":
        """Start the command in a process of its own."""
        command = [sys.executable, "-m", "wxcs_lite", "send-many", path, "--ledger", str(self.ledger), *flags]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment() | variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip


@contextmanager
def serving(box: Box, **more: Any) -> Iterator[Box]:
    with box.sandbox.serve(**more) as box.base:
        yield box


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    box = Box(tmp_path)
    monkeypatch.setenv("WXCS_APPID", box.sandbox.appid)
    monkeypatch.setenv("WXCS_SECRET", box.sandbox.secret)
    with serving(box):
        yield box


# What is sent


@pytest.mark.parametrize(("lang", "words"), [("en", "30 messages: 30 sent"), ("zh", "共 30 条消息：30 已发送")])
def test_each_message_is_sent_once(box: Box, lang: Language, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The account is on stdout, and where nothing went wrong, there is nothing else to read."""
    status, printed = box.run(box.write(), lang)
    assert 0 == status
    assert words == printed.splitlines()[0]
    assert [1] * 30 == box.delivered
    assert "" == capsys.readouterr().err


def test_it_goes_on_with_a_ledger_only_if_it_is_told_to(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """A ledger that is there belongs to a list that was sent: the next list may have the same keys."""
    path = box.write()
    assert 0 == box.run(path)[0]
    assert (2, "") == box.run(path)
    assert "the ledger run.sqlite knows 30 of a former run: add --resume" in capsys.readouterr().err
    assert (2, "") == box.run(path, "zh")
    assert "账本 run.sqlite 里已有上次运行的 30 条记录：继续发送请加 --resume" in capsys.readouterr().err
    status, printed = box.run(path, resume=True)
    assert (0, "30 messages: 30 skipped\n") == (status, printed)
    assert [1] * 30 == box.delivered


def test_a_ledger_with_nothing_in_it_is_a_new_one(box: Box) -> None:
    """A run that ended before its first message, or `touch`, leaves one."""
    box.ledger.touch()
    assert 0 == box.run(box.write("", ""))[0]
    assert 0 == box.run(box.write())[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_must_be_something_to_resume(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """A path with a mistake in it would send everything again."""
    assert (2, "") == box.run(box.write(), lang, resume=True)
    assert ("没有可以继续的账本" if lang == "zh" else "there is no ledger run.sqlite") in capsys.readouterr().err
    assert [0] * 30 == box.delivered
    assert not box.ledger.exists()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_wrong_is_said_before_anything_is_sent(
    box: Box, lang: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its line; with --skip-invalid the others are sent."""
    path = box.write(text(name(0), "您好"), "hello", {"touser": "", "msgtype": "text"}, text(name(1), "您好"))
    assert (2, "") == box.run(path, lang)
    told = capsys.readouterr().err.splitlines()
    assert ["第 2 行", "第 3 行"] == [line[:5] for line in told[:2]] or ["line 2", "line 3"] == [
        x[:6] for x in told[:2]
    ]
    assert (
        "没有发送：有 2 行不是消息" if lang == "zh" else "nothing was sent; lines that are not messages: 2."
    ) in told[2]
    assert [0] * 30 == box.delivered
    assert not box.ledger.exists()
    assert 0 == box.run(path, lang, skip_invalid=True)[0]
    assert (
        "已跳过 2 行" if lang == "zh" else "lines left out, because they are not messages: 2"
    ) in capsys.readouterr().err
    assert [1, 1] == box.delivered[:2]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_dry_run_sends_nothing(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no ledger, and says what one that is there knows; its status tells whether every line is a message."""
    path = box.write()
    status, printed = box.run(path, lang, dry_run=True, ledger=None, rate=10.0)
    assert 0 == status
    assert ("没有发送" if lang == "zh" else "nothing was sent") in printed.splitlines()[0]
    assert ("至少 3 秒" if lang == "zh" else "3 s or more") in printed
    assert [0] * 30 == box.delivered
    assert 30 == json.loads(box.run(path, lang, dry_run=True, ledger=None, as_json=True)[1])["messages"]
    box.run(path)
    capsys.readouterr()
    assert 0 == box.run(path, lang, dry_run=True)[0]
    assert "30 sent" in capsys.readouterr().err
    path = box.write("hello")
    assert 2 == box.run(path, lang, dry_run=True)[0]
    assert ("第 1 行" if lang == "zh" else "line 1: is not JSON") in capsys.readouterr().err
    assert 0 == box.run(path, lang, dry_run=True, skip_invalid=True)[0]


def test_the_account_as_json(box: Box) -> None:
    """For a program; with the lines that were left out."""
    status, printed = box.run(box.write(text(name(0), "您好"), "hello"), skip_invalid=True, as_json=True)
    assert 0 == status
    account = json.loads(printed)
    assert ({"sent": 1}, 0, 1) == (account["states"], account["not_reached"], account["invalid_lines"])


def test_the_ledger_as_csv(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each message."""
    target = box.folder / "run.csv"
    assert 0 == box.run(box.write(), csv=str(target))[0]
    assert 31 == len(target.read_text("utf-8-sig").splitlines())
    assert "30 rows in" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["messages.jsonl", "run.sqlite", "nowhere/run.csv"])
def test_csv_goes_over_no_file_that_is_needed(box: Box, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the list nor the ledger; and not where it could not be written in the end."""
    assert (2, "") == box.run(box.write(), csv=str(box.folder / target))
    assert "--csv must name another file" in capsys.readouterr().err


def test_csv_that_cannot_be_written_is_said_after_the_account(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """The messages are sent, so the account comes first."""
    status, printed = box.run(box.write(), csv=str(box.folder))
    assert NOT_ALL == status
    assert printed.startswith("30 messages: 30 sent")
    assert f"{box.folder}: Is a directory" in capsys.readouterr().err


def test_csv_of_a_ledger_that_fails_is_said_after_the_account(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another batch may have taken it meanwhile."""

    def fail(*_: object) -> int:
        raise LedgerError("is in use", "正在使用")

    monkeypatch.setattr(sending_many, "export_csv", fail)
    assert NOT_ALL == box.run(box.write(), csv=str(box.folder / "run.csv"))[0]
    assert "is in use\n" == capsys.readouterr().err


class Full(io.StringIO):
    """A disk that is full, or a reader that has gone."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_account_that_cannot_be_printed_is_said(
    box: Box, lang: Language, dry_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was sent stays sent, and the list is not blamed; a reader that has enough is not a failure."""
    for number, status in ((errno.ENOSPC, 2 if dry_run else NOT_ALL), (errno.EPIPE, 0)):
        box.ledger.unlink(missing_ok=True)
        order = Order(box.write(), ledger=str(box.ledger), workers=4, dry_run=dry_run)
        assert status == run(order, address(box.base, None), lang=lang, out=Full(number))
        said = ["无法输出统计结果：" if lang == "zh" else "the account could not be printed: "]
        found = [line[: len(said[0])] for line in capsys.readouterr().err.splitlines()]
        assert (found == said) == (number == errno.ENOSPC)
    assert [0 if dry_run else 2] * 30 == box.delivered


# What goes wrong


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refused_message_is_told_with_its_line(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; --resend-refused sends it again once the customer has written."""
    path = box.write(text(name(0), "您好"), {"key": "k", "message": text("oBOB", "您好")})
    status, printed = box.run(path, lang)
    assert NOT_ALL == status
    assert ("1 被拒绝" if lang == "zh" else "1 refused") in printed
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("第 2 行（k）：被拒绝：45015 " if lang == "zh" else "line 2 (k): refused: 45015 ")
    assert "--resend-refused" in told[1]
    box.sandbox.user("oBOB").says("?")
    assert NOT_ALL == box.run(path, lang, resume=True)[0]
    assert 0 == box.run(path, lang, resume=True, resend_refused=True)[0]
    assert 1 == len(box.sandbox.user("oBOB").inbox)


def test_what_may_have_been_delivered_has_a_status_of_its_own(box: Box) -> None:
    """Status 3, also when it goes on; only --resend-unknown sends it again."""
    path = box.write(text(name(0), "您好"))
    box.sandbox.fail_next(path=SEND, drop="after")
    assert UNKNOWN == box.run(path)[0]
    assert UNKNOWN == box.run(path, resume=True)[0]
    assert 1 == box.delivered[0]
    assert 0 == box.run(path, resume=True, resend_unknown=True)[0]
    assert 2 == box.delivered[0]


def test_many_that_fail_are_counted(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty are told, then how many more."""
    assert NOT_ALL == box.run(box.write(*[text(f"oNOBODY_{number}", "您好") for number in range(25)]))[0]
    told = capsys.readouterr().err.splitlines()
    assert 20 == sum("refused: 45015" in line for line in told)
    assert "and 5 more that were not sent" in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_batch_that_stops_says_why_and_how_to_go_on(
    box: Box, lang: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    """Used-up quota: everything else is unsent, and the next run sends it."""
    box.sandbox.fail_next(path=SEND, errcode=45009)
    path = box.write()
    status, printed = box.run(path, lang, workers=1)
    assert NOT_ALL == status
    assert ("中止原因：45009" if lang == "zh" else "stopped: 45009") in printed
    (line,) = capsys.readouterr().err.splitlines()  # not one for each that stays unsent
    assert "--resume" in line
    assert 0 == box.run(path, lang, resume=True)[0]
    assert [1] * 30 == box.delivered


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_not_reached_is_counted(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """The list cannot be read to its end: what was read is sent, and it is said what happened."""
    path = box.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending_many, "_item", failing(OSError(5, "Input/output error"), after=10))
        status, printed = box.run(path, lang)
    assert NOT_ALL == status
    assert ("20 条尚未处理到" if lang == "zh" else "20 messages were not reached") == printed.splitlines()[-1]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(path)
    assert told[0].endswith("Input/output error")
    assert 0 == box.run(path, lang, resume=True)[0]
    assert [1] * 30 == box.delivered


def failing(error: BaseException, after: int) -> Callable[[Line], Any]:
    """Return what stands for `_item`, and fails after so many lines."""
    real, lines = sending_many._item, count()

    def item(line: Line) -> Any:
        if next(lines) >= after:
            raise error
        return real(line)

    return item


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_begins_without_a_ledger(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one, nobody would know what was sent."""
    assert (2, "") == box.run(box.write(), lang, ledger=None)
    assert ("缺少 --ledger" if lang == "zh" else "send-many: --ledger is missing") in capsys.readouterr().err
    assert [0] * 30 == box.delivered


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("wrong", [{"workers": 0}, {"rate": 0.0}, {"path": "nowhere.jsonl"}, {"ledger": "/nowhere/x"}])
def test_a_wrong_argument_is_a_sentence(
    box: Box, lang: Language, wrong: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, in one line, and nothing is sent."""
    assert (2, "") == box.run(**{"path": box.write(), "lang": lang, **wrong})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("send-many: ")
    assert [0] * 30 == box.delivered


def test_another_kind_of_file_is_no_ledger(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """It is left as it is."""
    path = box.write()
    before = Path(path).read_bytes()
    assert (2, "") == box.run(path, ledger=path)
    assert "is not a ledger" in capsys.readouterr().err
    assert before == Path(path).read_bytes()


def test_missing_credentials_are_named(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no ledger is left behind, also if the secret is wrong or nobody answers."""
    path = box.write()
    monkeypatch.setenv("WXCS_SECRET", "made-up")
    assert (2, "") == box.run(path)
    assert "40125" in capsys.readouterr().err
    monkeypatch.delenv("WXCS_SECRET")
    assert (2, "") == box.run(path)
    assert "WXCS_SECRET is not set" in capsys.readouterr().err
    assert not box.ledger.exists()


def test_a_token_of_the_environment_is_taken(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token cannot be renewed, so when WeChat refuses it the batch stops."""
    monkeypatch.setenv("WXCS_TOKEN", "80_made-up")
    status, printed = box.run(box.write())
    assert NOT_ALL == status
    assert "stopped: 40001" in printed or "stopped: 40014" in printed
    assert [0] * 30 == box.delivered


# Interrupts


def test_ctrl_c_before_it_begins_sends_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the list is read, say."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending_many, "look_over", interrupted)
    assert INTERRUPTED == box.run(box.write())[0]
    assert "Interrupted. Nothing was sent.\n" == capsys.readouterr().err


def test_ctrl_c_after_the_end_does_not_say_so(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the account is printed, everything has been sent."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending_many, "report", interrupted)
    assert INTERRUPTED == box.run(box.write())[0]
    assert "" == capsys.readouterr().err
    assert [1] * 30 == box.delivered


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(box: Box, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing more leaves, what is under way is awaited, and the former handlers are there again."""
    former = signal.getsignal(number)
    path = box.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bar, "step", lambda *_: signal.raise_signal(number))
        status, printed = box.run(path, workers=1)
    assert 128 + number == status
    assert "unsent" in printed or "not reached" in printed
    assert "Interrupted: nothing more leaves" in capfd.readouterr().err
    assert former == signal.getsignal(number)
    assert 0 == box.run(path, resume=True)[0]
    assert [1] * 30 == box.delivered


@posix
def test_a_signal_that_python_has_swallowed_counts(box: Box) -> None:
    """As it does with an exception in a finalizer: the batch ends all the same."""

    def swallowed(*_: object) -> None:
        if not came:
            came.append(1)
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    came: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bar, "step", swallowed)
        status, printed = box.run(box.write(), workers=1, rate=50.0)
    assert INTERRUPTED == status
    assert "unsent" in printed or "not reached" in printed


@posix
def test_a_second_one_leaves_at_once(box: Box, capfd: pytest.CaptureFixture[str]) -> None:
    """Without waiting for anybody; also where stderr is closed."""
    left: list[int] = []

    def leave(status: int) -> None:
        left.append(status)
        raise SystemExit(status)

    def twice(*_: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    path = box.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", leave)
        patch.setattr(Bar, "step", twice)
        with pytest.raises(SystemExit):
            box.run(path)
    assert [130] == left
    assert "Left at once" in capfd.readouterr().err


# In a process of its own


def waiting(happens: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def killed_after(seconds: float, process: "subprocess.Popen[str]") -> Iterator[None]:
    """Let a process that hangs fail the test that reads what it prints."""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def states(box: Box) -> dict[str, int]:
    return dict(report(box.ledger).states)


@posix
def test_ctrl_c_in_a_real_process(tmp_path: Path) -> None:
    """Every message that left has its reply in the ledger, and the next run sends the others."""
    with serving(Box(tmp_path, 100)) as box:
        path = box.write()
        process = box.start(path, "--rate", "10")
        waiting(lambda: sum(box.delivered) >= 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert 130 == process.returncode, err
        assert "waiting for the replies" in err
        assert "Traceback" not in err
        assert f"{sum(box.delivered)} sent" in out
        assert sum(box.delivered) == states(box)["sent"] < 100
        assert "unknown" not in states(box)
        process = box.start(path, "--resume")
        out, err = process.communicate(timeout=60)
        assert 0 == process.returncode, err
        assert [1] * 100 == box.delivered


@posix
def test_ctrl_c_twice_in_a_real_process(tmp_path: Path) -> None:
    """A server that never answers holds nobody: what was under way is unknown, and is not sent again."""
    box = Box(tmp_path, 3)

    def stalling(peer: Peer) -> None:
        peer.read()
        peer.stall()

    with Server(stalling) as server:
        box.base = server.url
        with box.start(box.write(), WXCS_TOKEN="80_made-up") as process, killed_after(60, process):
            waiting(lambda: len(server.heard) == 3)
            process.send_signal(signal.SIGINT)
            stderr = process.stderr
            assert stderr is not None
            waiting(lambda: "waiting for the replies" in stderr.readline())
            process.send_signal(signal.SIGINT)
            assert 130 == process.wait(ENOUGH)
            assert "Left at once" in stderr.read()
    assert {"unknown": 3} == states(box)


@posix
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """Killed again and again, each time a little later: no message arrives twice, and each has its state."""
    with serving(Box(tmp_path, 600)) as box:
        path, flags, kills = box.write(), tuple[str, ...](), 0
        while True:
            enough = sum(box.delivered) + 20
            with box.start(path, "--rate", "300", *flags) as process:
                while sum(box.delivered) < enough and process.poll() is None:
                    time.sleep(0.01)
                if kills == 2:
                    process.communicate(timeout=60)
                process.kill()
                process.communicate(timeout=60)
            if process.returncode != -signal.SIGKILL:
                break
            flags, kills = ("--resume",), kills + 1
        assert process.returncode in (0, UNKNOWN)
        assert kills >= 1
        assert {0, 1} >= set(box.delivered)
        ledger = {entry.key: entry.state for entry in read_ledger(box.ledger)}
        assert {"sent", "unknown"} >= set(ledger.values())
        assert 600 == len(ledger)
        assert {1} == {n for number, n in enumerate(box.delivered) if ledger[f"k{number}"] == "sent"}


@posix
def test_a_reader_that_has_enough_stops_nothing(tmp_path: Path) -> None:
    """As `2>&1 | head` has; the status is that of what was sent."""
    with serving(Box(tmp_path, 5)) as box:
        path = box.write(
            *[text("oNOBODY", str(number)) for number in range(10)], *[text(name(n), "x") for n in range(5)]
        )
        with box.start(path, "--rate", "20") as process, killed_after(60, process):
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            process.stderr.close()
        assert NOT_ALL == process.returncode
        assert {"refused": 10, "sent": 5} == states(box)


@posix
def test_two_at_once_on_one_ledger(tmp_path: Path) -> None:
    """The second is told so at once, and sends nothing."""
    with serving(Box(tmp_path, 100)) as box:
        path = box.write()
        first = box.start(path, "--rate", "10")
        waiting(lambda: sum(box.delivered) >= 1)
        second = box.start(path, "--resume")
        _, err = second.communicate(timeout=60)
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
        assert 2 == second.returncode
        assert "is in use by another batch" in err
        assert {0, 1} == set(box.delivered)


def test_the_command_line_reaches_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each flag by its name."""
    monkeypatch.setenv("WXCS_BASE_URL", box.base)
    given = ["--ledger", str(box.ledger), "--workers", "2", "--rate", "1000", "--csv", str(box.folder / "run.csv")]
    assert 0 == main(["send-many", box.write(), *given])
    assert [1] * 30 == box.delivered
    assert (box.folder / "run.csv").exists()
    assert 0 == main(["--lang", "zh", "send-many", box.write(), *given, "--resume", "--json", "--skip-invalid"])
    assert 0 == main(["send-many", box.write(), "--dry-run", "--resend-unknown", "--resend-refused"])
