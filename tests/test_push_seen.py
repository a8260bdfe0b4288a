"""SqliteSeen: one claim for a key among threads and processes; bounded, private, the same before and after a fork."""

import multiprocessing
import os
import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from wxcs_lite.push import SqliteSeen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seen.sqlite"


def test_a_claim_is_made_once_and_settled_for_all(path: Path) -> None:
    """A second claim gets b"" until the first is settled, then the answer; another key is independent."""
    seen, other = SqliteSeen(path), SqliteSeen(path)
    assert None is seen.claim("a")
    assert [b"", b""] == [seen.claim("a"), other.claim("a")]
    seen.settle("a", b"answer \x00")
    assert [b"answer \x00"] * 2 == [seen.claim("a"), other.claim("a")]
    assert None is other.claim("b")


def test_a_claim_given_back_can_be_made_again(path: Path) -> None:
    """By anybody; what comes to be settled afterwards is settled no more."""
    seen = SqliteSeen(path)
    seen.claim("a")
    seen.forget("a")
    seen.settle("a", b"late")
    assert None is seen.claim("a")
    seen.forget("never claimed")


def test_the_file_holds_the_last_ones_only(path: Path) -> None:
    """The oldest are forgotten, settled or not."""
    seen = SqliteSeen(path, remember=3)
    for n in range(10):
        assert None is seen.claim(str(n))
        seen.settle(str(n), b"success")
    assert [b"success"] * 3 == [seen.claim(str(n)) for n in (7, 8, 9)]
    assert None is seen.claim("6")
    with sqlite3.connect(path) as db:
        assert [(3,)] == db.execute("SELECT count(*) FROM seen").fetchall()
    db.close()
    with pytest.raises(ValueError, match="remember must be at least 1"):
        SqliteSeen(path, remember=0)


def test_the_file_is_ours_alone(path: Path) -> None:
    """An answer names a user; whatever the umask says."""
    before = os.umask(0)
    try:
        SqliteSeen(path).claim("a")
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(path.parent.iterdir())


def test_what_is_in_the_file_survives_its_process(path: Path) -> None:
    """The next program finds it; it says no path."""
    SqliteSeen(path).claim("a")
    assert b"" == SqliteSeen(str(path)).claim("a")
    assert "<SqliteSeen seen.sqlite>" == repr(SqliteSeen(path))


def test_a_file_that_is_none_of_ours_is_left_alone(path: Path) -> None:
    """SQLite says what is wrong with it."""
    path.write_text("precious " * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        SqliteSeen(path)
    assert "precious " * 100 == path.read_text()


def test_the_name_that_sqlite_takes_for_memory_is_a_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call opens it; and a program that changes its directory still finds it."""
    monkeypatch.chdir(tmp_path)
    seen = SqliteSeen(":memory:")
    assert None is seen.claim("a")
    monkeypatch.chdir("/")
    assert b"" == seen.claim("a")


def test_of_many_threads_one_gets_the_claim(path: Path) -> None:
    """For each key."""
    seen = SqliteSeen(path)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(seen.claim, [str(n % 5) for n in range(100)]))
    assert 5 == found.count(None)


_shared: SqliteSeen


def _claim(key: str) -> tuple[int, bool]:
    return os.getpid(), _shared.claim(key) is None


def test_of_many_forked_processes_one_gets_the_claim(path: Path) -> None:
    """With a store that was opened, and used, before the fork."""
    global _shared
    _shared = SqliteSeen(path)
    _shared.claim("before")
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(_claim, [str(n % 5) for n in range(100)]))
    assert 5 == sum(mine for _, mine in found)
    assert os.getpid() not in {pid for pid, _ in found}
