"""The attacks run in their short form: they find nothing, except each fault that is planted."""

import re
import sys
import types

import pytest

from tests import early
from tests.attack import __main__ as attack
from tests.attack.calls import KINDS
from tests.attack.found import Finding, Result
from wxcs_lite import transport

QUICK = ("-m", "tests.attack", "--quick")


def begin_early(items: list[pytest.Item]) -> None:
    if any(item.name == test_no_attack_finds_anything.__name__ for item in items):
        early.begin(*QUICK)


def test_no_attack_finds_anything() -> None:
    """A sample of each; a finding is printed with the name that repeats it: python -m tests.attack part:name."""
    done = early.finish(*QUICK)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_attack_sees() -> None:
    """Each part has run cases, and has found all the faults that were planted for it."""
    rows = re.findall(r"^(\w+) +([\d,]+) +(\d+) of (\d+)  ", early.finish(*QUICK).stdout, re.MULTILINE)
    assert [*attack.PARTS] == [part for part, *_ in rows]
    assert all(cases != "0" and seen == planted != "0" for _, cases, seen, planted in rows), rows


def test_every_call_is_attacked() -> None:
    """A call that is added has to be added to the attacks as well."""
    assert set() == {*transport.__all__, "stream", "perform", "fresh_token"} - KINDS.keys()


def part(findings: list[Finding], canaries: dict[str, list[Finding]]) -> types.ModuleType:
    """Return an attack that finds just this."""
    module = types.ModuleType("made_up")
    module.run = lambda quick, only: Result(1, findings)  # type: ignore[attr-defined]
    module.canaries = lambda: canaries  # type: ignore[attr-defined]
    return module


FOUND = [Finding("made up / 17", "does not read its own answer")]


@pytest.mark.parametrize(
    ("module", "status", "said"),
    [
        (part([], {"a canary": FOUND}), 0, "1 of 1"),
        (part(FOUND, {"a canary": FOUND}), 1, "made_up:made up / 17\n    does not read its own answer"),
        (part([], {"a canary": []}), 1, "made_up:a canary\n    a canary that is not seen"),
    ],
    ids=["nothing found", "something found", "blind"],
)
def test_the_status_tells(
    module: types.ModuleType,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is 1 after a finding, and after a part that does not see a planted fault; both are named."""
    monkeypatch.setitem(sys.modules, "made_up", module)
    monkeypatch.setattr(attack, "PARTS", {"made_up": "made_up"})
    monkeypatch.setattr(sys, "argv", ["tests.attack", "--quick"])
    assert status == attack.main()
    assert said in capsys.readouterr().out
