"""The measurements run; their results are for people to judge, on a machine that does nothing else."""

import math
import re
import subprocess
import sys

import pytest

from tests import early
from tests.bench.samples import PROJECT
from tests.bench.tables import NOT_INSTALLED

HEADINGS = (
    "send: ", "set_typing: ", "upload of 1 MB from bytes: ", "upload of 1 MB from a path: ", "download of 1 MB: ",
    "An encrypted push", "Encrypted pushes, served", "Start-up: ", "Weight: ", "Memory: ",
    "Layers: who", "Layers: the functions", "Threads: ",
    "Batch: 40 messages", "Batch: the ledger", "Batch: memory",
    "Growth: with the number of customers", "Growth: with the events of one customer",
    "The sandbox: ", "The sandbox: what it keeps", "Goals",
)  # fmt: skip


ALL_PARTS = ("-m", "tests.bench", "--quick")


def begin_early(items: list[pytest.Item]) -> None:
    if any(item.name == test_every_part_runs_and_prints_its_table.__name__ for item in items):
        early.begin(*ALL_PARTS)


def bench(*given: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.bench", *given]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)


def test_every_part_runs_and_prints_its_table() -> None:
    """Each ratio is a number, no line is too wide to be read, and every row has a name and figures."""
    done = early.finish(*ALL_PARTS)
    assert 0 == done.returncode
    assert "" == done.stderr
    titles = re.findall(r"^## (.+)$", done.stdout, re.MULTILINE)
    assert [True] * 21 == [title.startswith(heading) for title, heading in zip(titles, HEADINGS, strict=True)]
    ratios = re.findall(r"(\S+)×", done.stdout)
    assert len(ratios) > 50
    assert all(math.isfinite(float(ratio)) for ratio in ratios)  # over an idle process, noise may be below nothing
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert re.search(r"^wxcs_lite\[push\] +\d+ +\d+\.\d\d ", done.stdout, re.MULTILINE)
    goals = done.stdout.partition("## Goals")[2]
    assert 9 == len(re.findall(r"  (?:yes|NO)$", goals, re.MULTILINE))


def test_a_peer_that_is_missing_leaves_a_row_that_says_so() -> None:
    """Nobody needs all of them to measure."""
    hide = "import sys; sys.modules.update(dict.fromkeys(('requests', 'httpx', 'wechatpy')))"
    run = "import runpy; sys.argv[1:] = ['--quick', 'send']; runpy.run_module('tests.bench', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", f"{hide}; {run}"], cwd=PROJECT, capture_output=True, text=True)
    assert 0 == done.returncode
    assert "" == done.stderr
    assert 3 == len(re.findall(rf"^(?:requests|httpx|wechatpy) +{NOT_INSTALLED}$", done.stdout, re.MULTILINE))
    assert "wxcs_lite.send" in done.stdout


def test_an_unknown_part_is_refused_with_those_there_are() -> None:
    """A usage error names what is allowed and what it got."""
    done = bench("sned")
    assert 2 == done.returncode
    assert "no such part: sned" in done.stderr
    assert "send, calls, push, serve, import, weight, memory, layers, threads, batch, growth, sandbox" in done.stderr
