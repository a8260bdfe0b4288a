"""The exercises of the course answer back: not yet, which point is missing, or done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.classroom import beside
from tests.exercise_answers import BY_MOUSE, WRONG
from tests.notebook_tools import LANGUAGES, LESSONS, NAMES, OPENS_A_SOCKET, PANEL, answers, code_cells, read

YET = {"en": "Not yet.", "zh": "还没有完成。"}
DONE = {"en": "Done.", "zh": "完成。"}
HINT = {"en": "Hint: ", "zh": "提示："}


@contextmanager
def ran(lesson: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Run a lesson up to its exercise; give its names, the starter and the check.

    The panel's exercise is done with the mouse: it begins with a new panel.
    """
    lang, _, name = lesson.partition("/")
    begins = "demo" if name == PANEL else "exercise-code"
    names: dict[str, Any] = {}
    with beside(lang, "checks"):
        for cell in code_cells(lesson):
            if cell.id == "check-code":
                break
            if OPENS_A_SOCKET not in cell.metadata.get("tags", []):
                exec(cell.source, names)
        (starter,) = [cell.source for cell in code_cells(lesson) if cell.id == begins]
        try:
            yield names, starter, cell.source
        finally:
            if name == PANEL:
                names["shown"].close()


def solution(lesson: str) -> str:
    (found,) = [BY_MOUSE] if lesson.endswith(PANEL) else answers(lesson)
    return found


def tell(lesson: str) -> list[tuple[str, Any, str]]:
    """Return what the check finds of the starter, each wrong answer, the solution, and the starter again."""
    name = lesson.partition("/")[2]
    found = []
    with ran(lesson) as (names, starter, check):
        if name == "01_the_whole_job":
            names["asked"] = names["bob"].screen[0].fields["Content"]
        for code in (starter, *(code for code, _ in WRONG[name]), solution(lesson), starter):
            exec(code, names)
            checked = eval(check, names)
            found.append((code, checked, repr(checked)))
    return found


@pytest.mark.parametrize("lesson", LESSONS)
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


@pytest.mark.parametrize("name", NAMES)
def test_each_wrong_answer_is_told_something_else(name: str) -> None:
    """Those that miss different points get different hints, in both languages."""
    for lang in LANGUAGES:
        hints = {
            missed: shown.splitlines()[-1]
            for (_, missed), (_, _, shown) in zip(WRONG[name], tell(f"{lang}/{name}")[1:], strict=False)
        }
        assert len(set(hints.values())) == len(hints) > 1


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_check_speaks_of_the_reader_s_answer_alone(lesson: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of its own gets into a log, which a notebook would show in red; and no line ends in an empty place."""
    with ran(lesson) as (names, starter, check):
        caplog.clear()
        exec(starter, names)
        shown = repr(eval(check, names))
    assert [] == caplog.records
    assert [line.rstrip() for line in shown.splitlines()] == shown.splitlines()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_solution_is_folded(lesson: str) -> None:
    """One for each exercise; that of the panel, which is done with the mouse, has no code."""
    assert (0 if lesson.endswith(PANEL) else 1) == len(answers(lesson))
    (answer,) = [cell.source for cell in read(lesson).cells if cell.id == "answer"]
    assert answer.startswith("<details>")


def test_the_panel_s_exercise_may_be_done_in_ones_own_way() -> None:
    """An answer in time before it, and a customer who thanks you after it, spoil nothing."""
    later = "shown.phone.advance_two_days()\n"
    before, _, after = BY_MOUSE.partition(later)
    in_time = 'shown.desk.view.composer.fields["content"].value = "One moment."\nshown.desk.send()\n'
    thanks = 'shown.phone.message.value = "Thank you!"\nshown.phone.write()\n'
    with ran(f"en/{PANEL}") as (names, _, check):
        exec(before + in_time + later + after + thanks, names)
        assert eval(check, names).done


def test_a_reader_s_error_is_named() -> None:
    """What was written may raise anything: the check says so, and does not raise itself."""
    with beside("en", "checks") as checks:
        assert "ZeroDivisionError" in repr(checks.deliver(lambda pool, token, message: 1 / 0))
        assert "TypeError" in repr(checks.card(lambda: None))
