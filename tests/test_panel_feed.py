"""A feed: the pushes of a file, each once its line is whole, whatever happens to the file; and a desk that has one."""

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.panel import Desk, feed
from wxcs_lite.panel.feed import Feed, follow
from wxcs_lite.push import Push, append_to
from wxcs_lite.sandbox import Sandbox


def line(number: int, content: str = "") -> bytes:
    fields = {"FromUserName": "ann", "MsgType": "text", "CreateTime": number, "MsgId": number, "Content": content}
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def add(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pushes.jsonl"


class Reader:
    """A feed and the numbers of what it gives."""

    def __init__(self, path: Path) -> None:
        self.feed = Feed(path)

    def __call__(self) -> list[int]:
        return [int(push.MsgId) for push in self.feed.read()]


@pytest.fixture(params=["keeps it open", "opens it each time"])
def read(path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.setattr(feed, "_KEEPS_OPEN", request.param == "keeps it open")
    reader = Reader(path)
    yield reader
    reader.feed.close()


def test_lines_are_read_once_each(path: Path, read: Reader) -> None:
    """From the beginning, then what is new."""
    add(path, line(1), line(2))
    assert [[1, 2], []] == [read(), read()]
    add(path, line(3))
    assert [[3], []] == [read(), read()]


def test_half_a_line_waits_for_its_rest(path: Path, read: Reader) -> None:
    """Even if the cut is inside a character."""
    whole = line(1, "您好")
    for cut in (1, len(whole) - 5, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert [] == read()
    add(path, whole[-1:], line(2)[:5])
    assert [1] == read()
    assert 0 == read.feed.broken


def test_what_is_not_a_push_is_skipped_and_counted(path: Path, read: Reader) -> None:
    """Blank lines are nothing at all; XML and a byte order mark are fine."""
    xml = b"<xml><FromUserName>ann</FromUserName><MsgId>7</MsgId></xml>\n"
    broken = [b"{\n", b'{"MsgType":"text"}\n', b"[]\n", b"\xff\xfe\n", b"null\n", line(5)[:30] + line(6)]
    add(path, b"\xef\xbb\xbf" + line(1), b"\n \r\n", *broken, line(2)[:-1] + b"\r\n", xml)
    assert [1, 2, 7] == read()
    assert len(broken) == read.feed.broken


def test_a_line_that_never_ends_is_skipped_in_bounded_memory(
    path: Path, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And counted once, however long it is."""
    monkeypatch.setattr(feed, "_PIECE", 200)
    add(path, line(1), b"x" * 1000)
    assert [1] == read()
    add(path, b"x" * 1000)
    assert [] == read()
    add(path, b"xyz\n", line(2))
    assert [2] == read()
    assert 1 == read.feed.broken
    assert len(read.feed._before) <= 256


def test_a_file_that_is_not_there_yet(path: Path, read: Reader) -> None:
    """Is an error each time, until it is."""
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            read()
    add(path, line(1))
    assert [1] == read()


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(path: Path) -> None:
    """As logrotate does it: also what was appended between the last look and the renaming."""
    read = Reader(path)
    add(path, line(1), line(2))
    assert [1, 2] == read()
    add(path, line(3))
    path.rename(path.with_suffix(".1"))
    assert [[3], []] == [read(), read()]
    add(path.with_suffix(".1"), line(4))
    add(path, line(5))
    assert [4, 5] == read()
    add(path, line(6))
    assert [6] == read()
    read.feed.close()


def test_what_is_appended_during_the_renaming_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is read once more when the new one is seen."""
    read = Reader(path)
    add(path, line(1))
    read()
    another = Feed._is_another

    def at_this_moment(feed: Feed) -> bool:
        add(path, line(2))
        path.rename(path.with_suffix(".1"))
        add(path, line(3))
        return another(feed)

    monkeypatch.setattr(Feed, "_is_another", at_this_moment)
    assert [2, 3] == read()
    read.feed.close()


def test_a_file_that_is_cut_is_begun_again(path: Path, read: Reader) -> None:
    """As logrotate's copytruncate does it; also if it has grown past the old place meanwhile."""
    add(path, line(1), line(2))
    read()
    path.write_bytes(b"")
    assert [] == read()
    add(path, line(3))
    assert [3] == read()
    path.write_bytes(b"".join(map(line, range(4, 10))))
    assert [*range(4, 10)] == read()


def test_a_longer_copy_of_the_file_is_read_from_the_same_place(path: Path, read: Reader) -> None:
    """As rsync brings it: a new file each time, with everything from the start."""
    add(path, line(1), line(2)[:9])
    assert [1] == read()
    for number in (2, 3):
        copy = path.with_suffix(".part")
        shutil.copy(path, copy)
        copy.write_bytes(b"".join(map(line, range(1, number + 1))))
        copy.replace(path)
        assert [number] == read()


def test_an_error_of_the_drive_leaves_the_place(path: Path, read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on there when the drive answers again."""
    add(path, line(1))
    read()
    add(path, line(2))

    def broken(*_: object) -> bytes:
        raise OSError(5, "whisper")

    with monkeypatch.context() as patch:
        patch.setattr(feed, "_read", broken)
        with pytest.raises(OSError, match="whisper"):
            read()
    assert [2] == read()


STEPS = st.lists(st.sampled_from(["line", "half", "rest", "look", "rename", "cut", "sync"]), max_size=30)


@settings(max_examples=150)
@given(STEPS)
def test_whatever_happens_to_the_file_no_push_is_missed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """As long as it is looked at before a file is cut; and what comes twice is everything from the start, in order."""
    path = tmp_path_factory.mktemp("feed") / "pushes.jsonl"
    path.touch()
    read, number, half, got = Reader(path), 0, b"", list[int]()

    def look() -> None:
        got.extend(read())

    for step in steps:
        if step == "look":
            look()
        elif step == "rename" and not half:
            look()  # the first time: nobody has the old file open yet
            path.rename(path.with_suffix(f".{number}"))
            path.touch()
        elif step == "cut" and not half:
            look()
            path.write_bytes(b"")
        elif step == "sync":
            copy = path.with_suffix(".part")
            shutil.copy(path, copy)
            copy.replace(path)
        elif half:
            add(path, half)
            half = b""
        elif step in ("line", "half"):
            number += 1
            whole = line(number, "您好")
            half = whole[20:] if step == "half" else b""
            add(path, whole[:20] if half else whole)
    add(path, half)
    look()
    look()
    assert [*range(1, number + 1)] == list(dict.fromkeys(got))
    assert 0 == read.feed.broken
    read.feed.close()


# A desk that follows


class Front:
    """What a follower needs of a desk, without a widget."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.reports: list[tuple[str, str]] = []
        self.closers: list[Callable[[], object]] = []
        self.inbound: set[str] = set()
        self.is_open = True
        self.failure: Exception | None = None

    def receive(self, push: Push) -> None:
        if self.failure is not None:
            raise self.failure
        self.pushes.append(push)

    def report(self, en: str, zh: str) -> None:
        self.reports.append((en, zh))

    def on_close(self, close: Callable[[], object]) -> None:
        self.closers.append(close)

    def close(self) -> None:
        self.is_open = False
        for close in self.closers:
            close()


def until(happens: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wxcs_lite follow"]


@pytest.fixture
def front() -> Iterator[Any]:
    made = Front()
    yield made
    made.close()
    assert [] == followers()
    assert {} == feed._following


def test_a_desk_shows_what_a_server_appends(path: Path, front: Any) -> None:
    """What is there already, and what comes; its name is said as long as it is followed."""
    handler = append_to(path)
    handler(Push({"FromUserName": "ann", "MsgId": 1}))
    follower = follow(front, path)
    until(lambda: len(front.pushes) == 1)
    handler(Push({"FromUserName": "ann", "MsgId": 2}))
    until(lambda: len(front.pushes) == 2)
    assert {"pushes.jsonl"} == front.inbound
    until(lambda: front.reports)
    assert [("Following pushes.jsonl.", "正在跟踪 pushes.jsonl。")] == front.reports
    assert "<Follower of pushes.jsonl, open: 2 pushes, 0 broken lines>" == repr(follower)
    follower.close()
    assert set() == front.inbound
    assert "<Follower of pushes.jsonl, closed: 2 pushes, 0 broken lines>" == repr(follower)


def test_it_says_what_is_wrong_with_the_file_and_when_it_is_over(path: Path, front: Any) -> None:
    """Missing, unreadable, broken lines: once each, in both languages."""
    follower = follow(front, path)
    until(lambda: front.reports)
    path.mkdir()
    until(lambda: len(front.reports) == 2)
    path.rmdir()
    until(lambda: len(front.reports) == 3)
    add(path, line(1), b"{\n", b"{\n")
    until(lambda: len(front.reports) == 4)
    add(path, line(2))
    until(lambda: len(front.pushes) == 2)
    missing = ("pushes.jsonl does not exist yet: waiting for it.", "pushes.jsonl 尚不存在，正在等待。")
    unreadable = (
        "pushes.jsonl cannot be read, trying again: Is a directory.",
        "无法读取 pushes.jsonl，将继续重试：Is a directory。",
    )
    skipped = (
        "Following pushes.jsonl; 2 broken lines were skipped.",
        "正在跟踪 pushes.jsonl，已跳过 2 行无法识别的内容。",
    )
    assert [missing, unreadable, missing, skipped] == front.reports
    assert 2 == follower.broken


def test_a_push_that_cannot_be_shown_does_not_end_it(path: Path, front: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the class and the place, and no text."""
    front.failure = KeyError("whisper")
    add(path, line(1))
    follow(front, path)
    until(lambda: caplog.messages)
    front.failure = None
    add(path, line(2))
    until(lambda: front.pushes)
    assert [2] == [push.MsgId for push in front.pushes]
    assert caplog.messages[0].startswith("a push of pushes.jsonl was not shown: KeyError at ")
    assert "Front.receive" in caplog.messages[0]
    assert "whisper" not in caplog.text


def test_following_again_leaves_one_thread(path: Path, front: Any) -> None:
    """A cell is run again; another file is another thread."""
    first = follow(front, path)
    second = follow(front, str(path))
    assert 1 == len(followers())
    first.close()  # nothing any more
    assert {"pushes.jsonl"} == front.inbound
    other = follow(front, path.with_name("other.jsonl"))
    assert 2 == len(followers())
    for follower in (second, other):
        follower.close()
    assert [] == followers()


def test_it_stops_in_the_middle_of_a_long_file(path: Path, front: Any) -> None:
    """Closing does not wait for the rest."""
    add(path, *map(line, range(1000)))
    on_first, may_go_on = threading.Event(), threading.Event()

    def receive(push: Push) -> None:
        front.pushes.append(push)
        on_first.set()
        assert may_go_on.wait(20)

    front.receive = receive
    follower = follow(front, path)
    assert on_first.wait(20)
    closing = threading.Thread(target=follower.close)
    closing.start()
    until(follower._stopped.is_set)
    may_go_on.set()
    closing.join(20)
    assert 1 == len(front.pushes)


def test_a_real_desk_follows_and_stops_with_it(path: Path) -> None:
    """The thread ends when the desk closes, and a closed desk follows nothing."""
    desk = Desk(Sandbox().pool(), "a token")
    add(path, line(1, "您好"))
    follower = follow(desk, path)
    until(lambda: follower.count)
    desk.refresh()
    assert ["您好"] == [entry["message"]["text"]["content"] for entry in desk.history]
    desk.close()
    assert [] == followers()
    with pytest.raises(InvalidMessage, match=r"^desk: is closed: make a new one\ndesk：已关闭"):
        follow(desk, path)


def shown(desk: Desk) -> list[str]:
    """Return the texts of customers that a desk has."""
    desk.refresh()
    return [entry["message"]["text"]["content"] for entry in desk.history]


@pytest.fixture
def desks() -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**settings: Any) -> Desk:
        made.append(Desk(Sandbox().pool(), "a token", **settings))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


def test_a_push_that_is_in_the_file_twice_is_shown_once(path: Path, desks: Callable[..., Desk]) -> None:
    """As two processes of a server may write it, or a sync that begins again; it may come by `receive` as well."""
    desk = desks()
    add(path, line(1, "a"), line(1, "a"), line(2, "b"))
    follower = desk.follow(path)
    until(lambda: follower.count == 3)
    path.write_bytes(line(1, "a") + line(2, "b") + line(3, "c"))
    until(lambda: "c" in shown(desk))
    desk.receive(Push(json.loads(line(2, "b"))))
    assert ["a", "b", "c"] == shown(desk)


def test_a_desk_that_is_started_again_does_not_repeat_its_history(path: Path, desks: Callable[..., Desk]) -> None:
    """It reads the feed from the beginning; what it has in its history is not new, what came meanwhile is."""
    history = path.with_name("desk.jsonl")
    add(path, line(1, "a"), line(2, "b"))
    first = desks(history=history)
    first.follow(path)
    until(lambda: shown(first) == ["a", "b"])
    first.close()
    add(path, line(3, "c"))
    second = desks(history=history)
    assert ["a", "b"] == shown(second)
    follower = second.follow(path)
    until(lambda: follower.count == 3)
    assert ["a", "b", "c"] == shown(second)


def test_what_only_looks_like_a_repetition_is_shown(desks: Callable[..., Desk]) -> None:
    """A sandbox that was started again has the same MsgIds at another second; a message without MsgId is never one."""
    desk, fields = desks(), json.loads(line(1, "a"))
    for changes in ({}, {"CreateTime": 2}, {"MsgId": 2}, {"FromUserName": "bob", "MsgId": 3}):
        desk.receive(Push(fields | changes))
    del fields["MsgId"]
    for _ in range(2):
        desk.receive(Push(fields))
    assert ["a"] * 6 == shown(desk)


def test_an_event_that_comes_again_is_shown_once(desks: Callable[..., Desk]) -> None:
    """It has no MsgId: customer, second and name of the event tell."""
    desk = desks()
    event = {"FromUserName": "ann", "MsgType": "event", "Event": "user_enter_tempsession", "CreateTime": 1}
    for changes in ({}, {}, {"CreateTime": 2}, {"FromUserName": "bob"}, {"Event": "another"}):
        desk.receive(Push(event | changes))
    desk.refresh()
    assert 4 == len(desk.history)


def test_a_long_feed_leaves_the_loop_time_for_other_things(
    desks: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of it is taken in at each turn, and a refresh in between makes no turn more."""
    monkeypatch.setattr("wxcs_lite.panel.arrivals._AT_ONCE", 10)
    woken: list[int] = []

    async def test() -> None:
        desk = desks()
        real = desk._arrivals._woken

        def wakes() -> None:
            real()
            woken.append(len(desk.history))

        monkeypatch.setattr(desk._arrivals, "_woken", wakes)

        def bring() -> None:
            for number in range(45):
                desk.receive(Push(json.loads(line(number, "a"))))

        thread = threading.Thread(target=bring)
        thread.start()
        thread.join(20)
        desk.refresh()
        assert 10 == len(desk.history)
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run(test())
    assert [20, 30, 40, 45] == woken
