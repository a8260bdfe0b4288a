"""The recipes for many messages: a CSV file and a pandas frame, and a real Dask cluster of two workers."""

import importlib
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.samples import PROJECT
from tests.recipes.stage import RECIPES, account, command_in, environment
from wxcs_lite.batch import read_ledger, send_many
from wxcs_lite.sandbox import Sandbox

NAMES = ("ann", "bob", "chen")


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    for name in NAMES:
        sandbox.user(name).says("?")
    return sandbox


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the recipe, because it leaves a ledger beside it."""
    return Path(shutil.copytree(RECIPES / request.param, tmp_path / request.param))


def run(folder: Path, command: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def sent(sandbox: Sandbox) -> list[list[str]]:
    return [[one.message["text"]["content"] for one in sandbox.user(name).inbox] for name in NAMES]


@pytest.mark.parametrize("folder", ["from_csv"], indirect=True)
def test_a_csv_file_is_looked_at_first_and_sent_once(folder: Path, sandbox: Sandbox) -> None:
    """As README says: the dry run needs no account; the second run with --send skips what was sent."""
    command = command_in("from_csv", "python from_csv.py")[1:]
    done = run(folder, command)
    assert (0, "") == (done.returncode, done.stderr)
    assert "3 messages\n" in done.stdout
    assert "Nothing was sent" in done.stdout
    with sandbox.serve() as url:
        for word in ("sent", "skipped"):
            done = run(folder, [*command, "--send"], **account(sandbox, url))
            assert (0, "") == (done.returncode, done.stderr), done.stdout
            assert f"3 messages: 3 {word}" in done.stdout
    assert [
        ["Ann，您好！您的订单 00017 已发货。"],
        ["Bob，您好！您的订单 00018 已发货。"],
        ["陈女士，您好！您的订单 00019 已发货。"],
    ] == sent(sandbox)


@pytest.mark.parametrize("folder", ["from_csv"], indirect=True)
def test_a_row_without_an_openid_is_named_and_nothing_is_sent(folder: Path, sandbox: Sandbox) -> None:
    """The number is the spreadsheet's; a customer with six messages, and a key that comes twice, are told."""
    rows = "".join(f"{number},ann,Ann\n" for number in (1, 2, 3, 4, 5, 6, 6))
    (folder / "customers.csv").write_text(f"\ufefforder,openid,name\n0,,Nobody\n{rows}", "utf-8")
    with sandbox.serve() as url:
        done = run(folder, ["from_csv.py", "customers.csv", "--send"], **account(sandbox, url))
    assert 1 == done.returncode
    assert "row 2: touser: must not be empty\n" in done.stdout
    assert "1 invalid, 7 messages, 1 the same key again, 1 customers with more than five\n" in done.stdout
    assert [[], [], []] == sent(sandbox)


def test_a_pandas_frame_gives_the_same_messages(tmp_path: Path) -> None:
    """No zero is lost from a number, and an empty cell is an empty text."""
    recipe: dict[str, Any] = runpy.run_path(str(RECIPES / "from_csv" / "from_csv.py"))
    path = tmp_path / "customers.csv"
    path.write_text("\ufefforder,openid,name\n00017,ann,\n00018,bob,Bob\n", "utf-8")
    frame = recipe["frame_of"](path)
    assert list(recipe["messages"](recipe["rows_of"](path))) == list(recipe["messages"](frame.to_dict("records")))
    assert ["shipped-2026-11-00017", "shipped-2026-11-00018"] == [
        key for key, _ in recipe["messages"](frame.to_dict("records"))
    ]


def test_a_pandas_frame_itself_is_refused() -> None:
    """Its columns would be taken for messages."""
    pandas: Any = importlib.import_module("pandas")

    with pytest.raises(TypeError, match=r'for row in frame\.to_dict\("records"\)'):
        send_many(pandas.DataFrame({"openid": ["ann"]}), token="80_made-up", open_pool="http://127.0.0.1:9")


@pytest.mark.parametrize("folder", ["many_messages"], indirect=True)
def test_a_cluster_of_two_workers_sends_each_message_once(folder: Path, sandbox: Sandbox) -> None:
    """As README says; and again, with nothing left to send."""
    line = command_in("many_messages", "WXCS_APPID=")
    command = line[line.index("python") + 1 :]
    with sandbox.serve() as url:
        for word in ("sent", "skipped"):
            done = run(folder, command, **account(sandbox, url))
            assert 0 == done.returncode, done.stdout + done.stderr
            assert f"2 messages: 2 {word}" in done.stdout
    assert [["您的订单 17 已发货。"], ["您的订单 18 已发货。"], []] == sent(sandbox)
    ledger = folder / "messages.jsonl.sqlite"
    assert {"order-17": "sent", "order-18": "sent"} == {entry.key: entry.state for entry in read_ledger(ledger)}


def test_a_cluster_that_loses_a_worker_sends_nothing_twice() -> None:
    """Two processes; one is killed in the middle, and Dask would run its messages again."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.batch_cluster"], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "twice: 0" in done.stdout


@pytest.mark.parametrize(
    ("folder", "program"), [("from_csv", "from_csv.py"), ("many_messages", "dask_cluster.py")], indirect=["folder"]
)
def test_without_its_arguments_it_says_what_is_missing(folder: Path, program: str) -> None:
    """The file, and the environment by name."""
    done = run(folder, [program])
    assert 1 == done.returncode
    assert f"python {program}" in done.stderr
    done = run(folder, [program, "customers.csv", "--send"])
    assert 1 == done.returncode
    assert "Set these in the environment, as README says: WXCS_APPID, WXCS_SECRET\n请" in done.stderr
