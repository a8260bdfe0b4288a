"""The exercises of the course answer back: not yet, which point is missing, or done."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.exercise_answers import WRONG
from tests.notebook_tools import LANGUAGES, NAMES, OPENS_A_SOCKET, PANEL, answers, code_cells, texts

WITH_A_CHECK = [f"{lang}/{name}" for lang in LANGUAGES for name in NAMES if name != PANEL]
YET = {"en": "Not yet.", "zh": "还没有完成。"}
DONE = {"en": "Done.", "zh": "完成。"}
HINT = {"en": "Hint: ", "zh": "提示："}


@pytest.fixture
def course(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module that every lesson begins with; what it imports beside itself is forgotten afterwards."""
    for folder in LANGUAGES.values():
        monkeypatch.syspath_prepend(folder)
    before = sys.path.copy()
    yield importlib.import_module("course")
    sys.path[:] = before
    for name in ("course", "course_zh", "checks"):
        sys.modules.pop(name, None)


def ran(lesson: str) -> tuple[dict[str, Any], str, str]:
    """Run a lesson up to its exercise; return its names, the starter and the check."""
    names: dict[str, Any] = {}
    for cell in code_cells(lesson):
        if cell.id == "check-code":
            break
        if OPENS_A_SOCKET not in cell.metadata.get("tags", []):
            exec(cell.source, names)
    (starter,) = [cell.source for cell in code_cells(lesson) if cell.id == "exercise-code"]
    return names, starter, cell.source


def tell(lesson: str) -> list[tuple[str, Any, str]]:
    """Return what the check finds of the starter, each wrong answer, the solution, and the starter again."""
    names, starter, check = ran(lesson)
    name = lesson.partition("/")[2]
    (solution,) = answers(lesson)
    if name == "01_the_whole_job":
        names["asked"] = names["bob"].screen[0].fields["Content"]
    found = []
    for code in (starter, *(code for code, _ in WRONG[name]), solution, starter):
        exec(code, names)
        checked = eval(check, names)
        found.append((code, checked, repr(checked)))
    return found


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("lesson", WITH_A_CHECK)
def test_an_exercise_answers_back(lesson: str) -> None:
    """The starter is not done, each wrong answer is told which point it misses, and the solution is done.

    Like a reader, all in one kernel, one after the other; whoever begins again is told the same as before.
    """
    lang, _, name = lesson.partition("/")
    first, *tries, solved, again = tell(lesson)
    for code, checked, shown in (first, *tries, again):
        assert not checked.done, code
        assert shown.startswith(YET[lang])
        assert 1 == shown.count(HINT[lang])
        assert "✗" in shown
    assert len(tries) >= 3
    for (code, checked, _), (_, missed) in zip(tries, WRONG[name], strict=True):
        points = [point.holds for point in checked.points]
        assert missed == points.index(False) + 1, (code, checked)
    _, checked, shown = solved
    assert checked.done, checked
    assert shown.startswith(DONE[lang])
    assert "✗" not in shown
    assert HINT[lang] not in shown
    assert first[2] == again[2]


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("name", [name for name in NAMES if name != PANEL])
def test_each_wrong_answer_is_told_something_else(name: str) -> None:
    """Those that miss different points get different hints, in both languages."""
    for lang in LANGUAGES:
        hints = {
            missed: shown.splitlines()[-1]
            for (_, missed), (_, _, shown) in zip(WRONG[name], tell(f"{lang}/{name}")[1:], strict=False)
        }
        assert len(set(hints.values())) == len(hints) > 1


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("lesson", WITH_A_CHECK)
def test_a_check_speaks_of_the_reader_s_answer_alone(lesson: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of its own gets into a log, which a notebook would show in red; and no line ends in an empty place."""
    names, starter, check = ran(lesson)
    caplog.clear()
    exec(starter, names)
    shown = repr(eval(check, names))
    assert [] == caplog.records
    assert [line.rstrip() for line in shown.splitlines()] == shown.splitlines()


def test_the_panel_is_solved_with_the_mouse() -> None:
    """So it has no check; every other lesson has a starter, a check and one solution."""
    for lesson in (f"{lang}/{PANEL}" for lang in LANGUAGES):
        assert [] == [cell.id for cell in code_cells(lesson) if cell.id == "check-code"]
    for lesson in WITH_A_CHECK:
        assert 1 == len(answers(lesson))
        assert any(text.startswith("<details>") for text in texts(lesson))


def test_a_reader_s_error_is_named(course: ModuleType) -> None:
    """What was written may raise anything: the check says so, and does not raise itself."""
    assert "ZeroDivisionError" in repr(course.checks.deliver(lambda pool, token, message: 1 / 0))
    assert "TypeError" in repr(course.checks.card(lambda: None))
