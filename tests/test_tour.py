"""The tour: the whole job in one command."""

import io
import re
import unicodedata

import pytest

from wxcs_lite import Request
from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.terminal.tour import tour
from wxcs_lite.terminal.tour_steps import STEPS


def told(lang: Language, *, colour: bool | None = None) -> str:
    out = io.StringIO()
    assert tour(lang, out, colour=colour)
    return out.getvalue()


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_step_is_told_with_code_request_reply_and_phone(lang: Language) -> None:
    """Each step has its number; calls show request and reply; what is delivered shows on the phone."""
    text = told(lang)
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
    assert list(range(1, len(STEPS) + 1)) == numbers
    assert len(STEPS) == text.count("<-- HTTP 200")
    calls, pushes = sum(1 for step in STEPS if step.request), sum(1 for step in STEPS if step.says)
    assert calls == len(re.findall(r"^    (?:POST|GET) /cgi-bin/.* HTTP/1\.1$", text, re.MULTILINE))
    assert pushes == len(re.findall(r"^    POST /\?signature=….* HTTP/1\.1$", text, re.MULTILINE))
    # Two from the customer, the typing line, four messages.
    assert 7 == len(re.findall(r"^\[(?:phone|手机)\] ", text, re.MULTILINE))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_fits_into_80_columns(lang: Language) -> None:
    """No line is wider than a terminal, Chinese characters counted as two."""
    assert [] == [line for line in told(lang).splitlines() if width(line) > 80]


@pytest.mark.parametrize(("lang", "meaning", "other"), [
    ("en", "45015 response out of time limit", "超出下发时限"),
    ("zh", "45015 超出下发时限", "response out of time limit"),
])  # fmt: skip
def test_the_last_step_is_refused_and_explained_in_one_language(lang: Language, meaning: str, other: str) -> None:
    """45015 comes with its rid and what to do, in the language that was asked for and no other."""
    text = told(lang)
    assert meaning in text
    assert "rid:" in text
    assert other not in text


@pytest.mark.parametrize(("colour", "expected"), [(True, True), (False, False), (None, False)])
def test_colour_is_for_terminals(colour: bool | None, expected: bool) -> None:
    """Plain in a pipe, coloured where asked for."""
    assert expected == ("\x1b[" in told("en", colour=colour))


def test_no_token_or_secret_is_printed() -> None:
    """The requests that are shown hide what they would carry."""
    text = told("en")
    sandbox = Sandbox()
    assert sandbox.secret not in text
    assert not re.search(r"access_token=(?!\*\*\*)", text)
    assert not re.search(r"[\w-]{100,}", text)


def test_a_step_that_goes_wrong_fails_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is about what happened, not about getting to the end."""
    broken = STEPS[3]._replace(code="message = text('never_wrote', 'hi')\nsend(pool, token, message)")
    monkeypatch.setattr("wxcs_lite.terminal.tour.STEPS", (*STEPS[:3], broken, *STEPS[4:]))
    out = io.StringIO()
    assert not tour("en", out)
    assert "did not have the expected result" in out.getvalue()
    assert "5. " not in out.getvalue()


def test_a_refusal_that_does_not_come_fails_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the window failed to close, the tour would say so."""
    last = STEPS[-1]._replace(code="message = text(touser, {late})\nsend(pool, token, message)")
    monkeypatch.setattr("wxcs_lite.terminal.tour.STEPS", (*STEPS[:-1], last))
    assert not tour("en", io.StringIO())


def test_the_request_that_is_shown_is_the_one_that_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Method, path and query of every request shown are those that the sandbox saw."""
    shown: list[tuple[str, str, tuple[tuple[str, str], ...]]] = []
    seen: list[tuple[str, str, tuple[tuple[str, str], ...]]] = []
    real_request, real_reply = tour.__globals__["_Teller"].request, tour.__globals__["_Teller"].reply

    def request(self: object, value: Request) -> None:
        shown.append((value.method, value.path, value.query))
        real_request(self, value)

    def reply(self: object, value: object, result: object) -> None:
        seen.append((value.method, value.path, value.query))  # type: ignore[attr-defined]
        real_reply(self, value, result)

    monkeypatch.setattr("wxcs_lite.terminal.tour._Teller.request", request)
    monkeypatch.setattr("wxcs_lite.terminal.tour._Teller.reply", reply)
    told("en")
    assert seen == shown


def test_the_sunset_is_a_png_that_the_api_takes() -> None:
    """It has the magic of a PNG and is small enough for anything."""
    assert b"\x89PNG\r\n\x1a\n" == sunset()[:8]
    assert len(sunset()) < 2048


def test_the_panel_is_named_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No word of it where `import wxcs_lite.panel` would fail."""
    for found, expected in ((None, False), (object(), True)):
        monkeypatch.setattr("wxcs_lite.terminal.tour.find_spec", lambda name, found=found: found)
        assert expected == ("wxcs_lite.panel import demo" in told("en"))
