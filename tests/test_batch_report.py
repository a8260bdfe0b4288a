"""What became of the messages: counted from a batch, its outcomes or a ledger, in two languages, and for JSON."""

import json
from pathlib import Path

from tests.test_batch import hello, path, sandbox, start, stopped
from wxcs_lite import text
from wxcs_lite.batch import Outcome, report
from wxcs_lite.errors import TransportError, api_error
from wxcs_lite.sandbox import Sandbox

__all__ = ["path", "sandbox"]


def test_a_batch_and_its_ledger_tell_the_same(sandbox: Sandbox, path: Path) -> None:
    """Except for what the ledger cannot know: the reason of the end, and what was skipped."""
    batch = start(sandbox, [*hello(4), ("a", text("oNOBODY", "您好")), ("a", text("oNOBODY", "您好"))], ledger=path)
    assert {} == report(batch).states
    outcomes = list(batch)
    told, kept = report(batch), report(path)
    assert {"sent": 4, "refused": 1, "duplicate": 1} == told.states
    assert {"sent": 4, "refused": 1} == kept.states
    assert {"45015": 1} == told.errors == kept.errors
    assert told.slowest == kept.slowest == report(outcomes).slowest
    assert told.seconds == sum(outcome.seconds or 0 for outcome in outcomes)
    assert "<Batch: 4 sent, 1 refused, 1 duplicate>" == repr(batch)
    assert told == report(outcomes)._replace(has_ledger=True)


def test_the_slowest_are_named(sandbox: Sandbox) -> None:
    """Five of them, the slowest first, whatever their order."""
    outcomes = [Outcome(str(n), {}, "sent", None, float(n * 7 % 10)) for n in range(10)]
    assert ((9.0, "7"), (8.0, "4"), (7.0, "1"), (6.0, "8"), (5.0, "5")) == report(outcomes).slowest


def test_it_says_how_to_go_on_in_both_languages(sandbox: Sandbox) -> None:
    """Only what applies: nothing after a batch that went well."""
    lost = TransportError("lost", "断开")
    outcomes = [
        Outcome("a", {}, "sent", None, 0.1),
        Outcome("b", {}, "refused", api_error(45047, "out"), 0.1),
        Outcome("c", {}, "unknown", lost, 0.1),
        Outcome("d", {}, "unsent", lost, None),
    ]
    told = report(outcomes)
    assert ["to", "unknown", "refused"] == [line.split()[0] for line in told.as_dict()["next"]]
    assert told.en.splitlines()[0] == "4 messages: 1 sent, 1 refused, 1 unknown, 1 unsent"
    assert "共 4 条消息：1 已发送，1 被拒绝，1 结果未知，1 未发送" == told.zh.splitlines()[0]
    assert "  1 × 45047 " in told.en
    assert "  2 × TransportError" in told.zh
    assert f"{told.en}\n\n{told.zh}" == str(told)
    well = report(outcomes[:1])
    assert [] == well.as_dict()["next"]
    assert "1 messages: 1 sent\nslowest: 0.100 s a" == well.en
    assert ("0 messages", "共 0 条消息") == (report([]).en, report([]).zh)


def test_without_a_ledger_nobody_is_told_to_run_the_whole_list_again(sandbox: Sandbox, path: Path) -> None:
    """What was sent would be sent twice; of outcomes alone it is not known whether there was one."""
    stop = {"token": "80_made-up"}
    for batch, words in (
        (start(sandbox, hello(2), **stop), "only"),
        (start(sandbox, hello(2), ledger=path, **stop), "same"),
    ):
        stopped(batch)
        (advice,) = report(batch).as_dict()["next"]
        assert (words == "same") == report(batch).has_ledger
        assert words in advice
        assert ("整份名单再发一次" in report(batch).zh) == (words == "only")
    assert "only" in report([Outcome("d", {}, "unsent", None, None)]).as_dict()["next"][0]
    assert report(path).has_ledger


def test_a_batch_that_stopped_tells_why(sandbox: Sandbox) -> None:
    """In both languages, and in what goes to JSON."""
    batch = start(sandbox, hello(2), token="80_made-up")
    stopped(batch)
    told = report(batch)
    assert "stopped: 40001" in told.en
    assert "中止原因：40001" in told.zh
    kept = json.loads(json.dumps(told.as_dict()))
    assert kept["stopped"].startswith("40001")
    assert {"messages", "states", "errors", "slowest", "seconds", "stopped", "next"} == set(kept)
    assert {"key", "seconds"} == set(kept["slowest"][0])
