"""The ledger: durable before anything leaves, one batch at a time, and nothing in it that is secret or personal."""

import csv
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.test_batch import a_token, delivered, hello, name, path, sandbox, start, states, stopped
from wxcs_lite import text
from wxcs_lite.batch import BatchStopped, LedgerError, export_csv, read_ledger, report
from wxcs_lite.batch.keys import Seen
from wxcs_lite.batch.ledger import Ledger, Record
from wxcs_lite.batch.reading import _AT_ONCE
from wxcs_lite.errors import api_error
from wxcs_lite.sandbox import Sandbox

__all__ = ["path", "sandbox"]


def refused(path: Path, what: str) -> str:
    """Return what the error says that refuses to open this ledger, in two lines."""
    with pytest.raises(LedgerError, match=what) as caught:
        Ledger(path)
    assert 2 == len(str(caught.value).splitlines())
    assert not caught.value.maybe_sent
    assert None is caught.value.__context__
    return str(caught.value)


# What is in it


def test_it_holds_no_token_openid_or_text(sandbox: Sandbox, path: Path) -> None:
    """Keys, digests and states, in one file that its owner alone can read; the journal is gone with the batch."""
    before = os.umask(0)
    try:
        with start(sandbox, [*hello(3), text(name(4), "您好")], ledger=path) as batch:
            next(batch)
            content = b"".join(file.read_bytes() for file in path.parent.iterdir())
            modes = [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()]
            list(batch)
    finally:
        os.umask(before)
    assert [0o600, 0o600] == modes
    assert [path] == list(path.parent.iterdir())
    for kept_out in (a_token(sandbox), name(0), "您好", sandbox.secret, sandbox.appid):
        assert kept_out.encode() not in content + path.read_bytes()
    assert "<Ledger run.sqlite>" == repr(Ledger(path))


def test_a_message_is_unknown_before_it_leaves(sandbox: Sandbox, path: Path) -> None:
    """Whoever looks into the file while the request is under way finds that it may have been sent."""
    seen = []

    def look(_: object) -> None:
        copy = path.with_name("copy.sqlite")
        copy.write_bytes(path.read_bytes())
        seen.append([entry.state for entry in read_ledger(copy)])

    list(start(sandbox, hello(1), ledger=path, open_pool=lambda: sandbox.pool(on_request=look)))
    assert [["unknown"]] == seen
    assert ["sent"] == [entry.state for entry in read_ledger(path)]


def test_it_is_synchronous_to_the_last(path: Path) -> None:
    """A commit is durable when it returns: EXTRA syncs the folder as well, and macOS needs a word of its own."""
    ledger = Ledger(path)
    asked = {name: ledger._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "fullfsync")}
    assert {"synchronous": 3, "fullfsync": 1} == asked
    assert "persist" == ledger._db.execute("PRAGMA journal_mode").fetchone()[0]
    ledger.close()


def test_an_entry_tells_what_is_known(sandbox: Sandbox, path: Path) -> None:
    """The class of an error, its errcode, its rid, how long it took and when."""
    list(start(sandbox, [*hello(1), ("z", text("oNOBODY", "您好"))], ledger=path))
    sent, no = read_ledger(path)
    assert ("k0", "sent", None, None, None) == sent[:5]
    assert ("z", "refused", "WindowClosed", 45015) == no[:4]
    assert no.rid is not None
    assert no.seconds is not None
    assert no.at > 1.7e9


def test_it_is_read_in_lots(path: Path) -> None:
    """A long one, too; between two of them nobody is kept out."""
    ledger = Ledger(path)
    keys = [f"{number:04}" for number in reversed(range(_AT_ONCE + 5))]
    ledger.write([Record(ledger.new_number(), key, "d", "sent") for key in keys])
    ledger.close()
    reading = read_ledger(path)
    assert keys[0] == next(reading).key
    Ledger(path).close()
    assert keys[1:] == [entry.key for entry in reading]


def test_a_spreadsheet_gets_no_formula(path: Path) -> None:
    """A key comes from a customer's hands, perhaps; the file is the owner's alone, and Excel reads its Chinese."""
    ledger = Ledger(path)
    keys = ["=1+1", "+1", "-1", "@a", "\tx", "客户, 一", 'a"b']
    error = api_error(45047, "out rid: 64a774ce-020c072d-6c820ec0")
    ledger.write([Record(ledger.new_number(), key, "d", "refused", error, 0.5000000004) for key in keys])
    ledger.close()
    target = path.with_suffix(".csv")
    assert len(keys) == export_csv(path, target)
    assert len(keys) == export_csv(path, target)
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    assert target.read_bytes().startswith(b"\xef\xbb\xbfkey,state,error,errcode,rid,seconds,at\r\n")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    shown = {f"'{key}" if key[0] in "=+-@\t" else key for key in keys}
    assert shown == {row["key"] for row in rows}
    assert {("45047", "64a774ce-020c072d-6c820ec0", "0.5")} == {
        (row["errcode"], row["rid"], row["seconds"]) for row in rows
    }
    assert all(row["at"].endswith("+00:00") for row in rows)


def test_the_csv_file_is_private_even_if_it_was_there(path: Path) -> None:
    """A file keeps its mode when it is written again; what is no file, such as a terminal, is not changed."""
    Ledger(path).close()
    target = path.with_suffix(".csv")
    target.touch(0o644)
    assert 0 == export_csv(path, target)
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    mode = Path(os.devnull).stat().st_mode
    assert 0 == export_csv(path, os.devnull)
    assert mode == Path(os.devnull).stat().st_mode


@pytest.mark.parametrize("end", ["", "-journal"])
def test_a_csv_file_does_not_replace_the_ledger(path: Path, end: str) -> None:
    """Without it, everything would be sent again; a link to it is it, too."""
    Ledger(path).close()
    before = path.read_bytes()
    link = path.with_name(f"link{end}")
    link.symlink_to(f"{path}{end}")
    for target in (f"{path}{end}", link):
        with pytest.raises(LedgerError, match="must be another file"):
            export_csv(path, target)
    assert before == path.read_bytes()


# One at a time


def test_a_second_batch_on_one_ledger_is_refused_at_once(sandbox: Sandbox, path: Path) -> None:
    """In this process and in another; neither does any harm to the first."""
    batch = start(sandbox, hello(30), ledger=path)
    next(batch)
    assert "in use" in refused(path, "in use by another batch")
    with pytest.raises(LedgerError, match="in use by another batch"):
        read_ledger(path)
    with pytest.raises(LedgerError, match="in use by another batch"):
        report(path)
    code = f"from wxcs_lite.batch.ledger import Ledger; Ledger({str(path)!r})"
    for _ in range(2):  # what was refused here has not ended the lock of this process
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "LedgerError: the ledger run.sqlite is in use by another batch" in done.stderr
    assert 29 == len(list(batch))
    Ledger(path).close()


# What is no ledger


def test_another_file_is_left_as_it_is(path: Path) -> None:
    """A text, a foreign database, one of a newer layout, a folder, a place where nothing can be."""
    path.write_text("precious " * 100)
    refused(path, "not a ledger but another kind of file")
    assert "precious " * 100 == path.read_text()
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()
    before = path.read_bytes()
    assert "name another file" in refused(path, "not a ledger of wxcs_lite")
    assert before == path.read_bytes()
    path.unlink()
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    assert "update wxcs_lite" in refused(path, "newer wxcs_lite")
    refused(path.parent, "cannot be opened")
    refused(path.parent / "nowhere" / "run.sqlite", "cannot be created: No such file")
    with pytest.raises(LedgerError, match="cannot be opened"):
        read_ledger(path.parent / "nowhere.sqlite")
    assert [path] == list(path.parent.iterdir())


def test_an_empty_file_becomes_a_ledger_but_is_none_to_read(path: Path) -> None:
    """As mktemp makes it."""
    path.touch()
    with pytest.raises(LedgerError, match="not a ledger of wxcs_lite"):
        read_ledger(path)
    Ledger(path).close()
    assert [] == list(read_ledger(path))


@pytest.mark.parametrize("page", [1, 20], ids=["the root", "a leaf"])
def test_a_damaged_ledger_stops_everything(sandbox: Sandbox, path: Path, page: int) -> None:
    """Nothing is sent that could not be looked up."""
    ledger = Ledger(path)
    ledger.write(Record(number, f"key {number}", "d" * 32, "sent") for number in range(1, 3000))
    ledger.close()
    content = bytearray(path.read_bytes())
    content[4096 * page : 4096 * (page + 1)] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="is damaged"):
        list(read_ledger(path))
    with pytest.raises(LedgerError, match="is damaged"):
        start(sandbox, hello(30), ledger=path)
    assert [0] * 30 == delivered(sandbox)


def test_a_look_up_that_fails_stops_the_batch(sandbox: Sandbox, path: Path) -> None:
    """The message is unsent."""
    list(start(sandbox, hello(30), ledger=path))
    batch = start(sandbox, hello(30), ledger=path)
    assert batch._ledger is not None
    batch._ledger._db.execute("DROP TABLE messages")
    outcomes, error = stopped(batch)
    assert {"unsent": 1} == states(outcomes)
    assert "the ledger run.sqlite failed: SQLITE_ERROR" in error.en
    assert [1] * 30 == delivered(sandbox)


def test_a_full_disk_for_temporary_files_is_known_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a long ledger behind it, the list of its keys may not fit."""

    def full() -> Iterator[tuple[str, int]]:
        yield "a", 1
        raise sqlite3.OperationalError("made up")

    with pytest.raises(LedgerError, match=r"\(its temporary file\) failed: OperationalError"):
        Seen(full())


# While it runs


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: Path(f"{path}-journal").unlink(),
        lambda path: (path.rename(path.with_name("old")), path.write_bytes(path.with_name("old").read_bytes())),
    ],
    ids=["removed", "journal removed", "replaced"],
)
def test_a_ledger_that_is_removed_stops_the_batch(sandbox: Sandbox, path: Path, harm: Callable[[Path], Any]) -> None:
    """SQLite would write into the deleted file without a word; nothing leaves after that."""
    batch = start(sandbox, hello(30), ledger=path, workers=1, in_flight=1)
    sent = [next(batch) for _ in range(5)]
    harm(path)
    outcomes, error = stopped(batch)
    assert isinstance(error.reason, LedgerError)
    assert "removed or replaced" in error.reason.en
    states_ = states([*sent, *outcomes])
    assert sum(delivered(sandbox)) == states_["sent"] <= 6
    assert 30 == sum(states_.values())


def test_a_full_disk_stops_the_batch(sandbox: Sandbox, path: Path) -> None:
    """Nothing leaves without its record; with room again, the next run sends the rest."""
    batch = start(
        sandbox, ((f"{number} {'x' * 3000}", text(name(number), "您好")) for number in range(30)), ledger=path
    )
    assert batch._ledger is not None
    (pages,) = batch._ledger._db.execute("PRAGMA page_count").fetchone()
    batch._ledger._db.execute(f"PRAGMA max_page_count = {pages + 4}")
    outcomes, error = stopped(batch)
    assert isinstance(error.reason, LedgerError)
    assert "disk is full" in error.reason.en
    assert sum(delivered(sandbox)) == states(outcomes)["sent"]
    again = ((f"{number} {'x' * 3000}", text(name(number), "您好")) for number in range(30))
    for outcome in start(sandbox, again, ledger=path):
        assert (outcome.state == "unknown") or 1 == len(sandbox.user(outcome.message["touser"]).inbox)
    assert 1 == max(delivered(sandbox))


def test_a_write_that_is_interrupted_is_taken_back(path: Path) -> None:
    """The next one finds no transaction of the former."""
    ledger = Ledger(path)

    def interrupted() -> Iterator[Record]:
        yield Record(1, "a", "d", "sent")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.write(interrupted())
    ledger.write([Record(2, "c", "d", "sent")])
    ledger.close()
    assert ["c"] == [entry.key for entry in read_ledger(path)]


def test_an_error_of_sqlite_that_has_no_words_here_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SQLite's own name for it, or by its class."""
    from wxcs_lite.batch.ledger import explained

    error = sqlite3.OperationalError("made up")
    assert "the ledger run.sqlite failed: OperationalError" == explained(error, path).en
    error.sqlite_errorname = "SQLITE_PROTOCOL"
    assert "账本 run.sqlite 出错：SQLITE_PROTOCOL" == explained(error, path).zh


def test_a_full_disk_for_temporary_files_stops_the_batch(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys that have come are in such a file: without it, nobody knows which of them come twice."""
    batch = start(sandbox, hello(3))
    batch._admission._seen._db.close()
    with pytest.raises(BatchStopped, match="its temporary file"):
        list(batch)
    assert [0] * 3 == delivered(sandbox, 3)
