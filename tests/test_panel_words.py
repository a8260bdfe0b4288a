"""What the panel says: both languages whole, times in words, errors with cause, remedy and rid."""

import re
from pathlib import Path

import pytest

from wxcs_lite import panel
from wxcs_lite.errors import BadReply, InvalidMessage, TransportError, WxError, api_error
from wxcs_lite.look.words import Language
from wxcs_lite.messages import REQUIRED
from wxcs_lite.panel.status import duration, error_html, size, window_short, window_text
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.reply_window import WindowEvent

EN, ZH = words("en"), words("zh")
RID = "64a774ce-020c072d-6c820ec0"


def test_both_languages_say_everything_with_the_same_places() -> None:
    """A word that lacks a place would be a KeyError on the screen."""
    assert set(EN) == set(ZH)
    for key in EN:
        assert EN[key]
        assert ZH[key]
        assert sorted(re.findall(r"{\w+}", EN[key])) == sorted(re.findall(r"{\w+}", ZH[key]))


def test_no_word_is_left_over() -> None:
    """A text that no module of the panel names would be translated in vain; some keys are put together."""
    package = Path(panel.__file__).parent
    modules = [
        *package.rglob("*.py"),
        *package.with_name("look").glob("*.py"),
        package.with_name("sandbox") / "screen.py",
    ]
    source = "".join(path.read_text("utf-8") for path in modules if path.name not in ("texts.py", "words.py"))
    together = re.compile(r"(kind|look)_|_hint$|maybe_sent")
    left_over = {key for key in EN if not re.search(rf"""["']{key}["']""", source) and not together.search(key)}
    assert set() == left_over - set(REQUIRED["link"])


def test_a_language_that_is_not_there() -> None:
    """The usage error names what is allowed and what it got."""
    with pytest.raises(ValueError, match="'en' or 'zh', not 'fr'"):
        words("fr")  # type: ignore[arg-type]


def test_durations_and_sizes_in_both_languages() -> None:
    """In the unit that people use, never below zero."""
    assert "0 s" == duration(-5, EN)
    assert "59 min" == duration(3599.9, EN)
    assert "47 小时 59 分" == duration(172_799, ZH)
    assert "999 B" == size(999)
    assert "1 kB" == size(1000)
    assert "999 kB" == size(999_999)
    assert "1.0 MB" == size(1_000_000)


def test_the_window_in_words() -> None:
    """The words are those of `window_left`: unknown, open with what is left, used up, closed."""
    message, enter = WindowEvent("message", 0), WindowEvent("enter", 0)
    sent = [WindowEvent("sent", 1)] * 5
    assert ("unknown", EN["window_unknown"]) == window_text([], 0, EN)
    assert ("unknown", EN["window_unknown"]) == window_text([WindowEvent("sent", 0)], 0, EN)
    assert ("open", "5 of 5 left, 47 h 59 min") == window_text([message], 48, EN)
    assert ("open", "1 of 2 left, 50 s") == window_text([enter, sent[0]], 10, EN)
    assert ("closed", "0 of 5 left: the customer has to write") == window_text([message, *sent], 60, EN)
    assert ("closed", "已关闭：需等用户先发消息") == window_text([message], 48 * 3600 + 1, ZH)


def test_the_window_in_as_few_words_as_a_row_has_room_for() -> None:
    """Hours, and minutes in the last one; nothing where nothing is known."""
    message = WindowEvent("message", 0)
    assert "" == window_short([], 0, EN)
    assert "5/5, 47 h" == window_short([message], 48, EN)
    assert "5/5, 59 min" == window_short([message], 47 * 3600 + 1, EN)
    assert "已关闭" == window_short([message], 48 * 3600 + 1, ZH)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_error_says_code_cause_remedy_rid_and_whether_it_may_have_arrived(lang: Language) -> None:
    """In the panel's language, and in an element that screen readers announce."""
    error = api_error(45015, f"response out of time limit rid: {RID}")
    shown, advice = error_html(error, words(lang), lang), error.advice
    wanted = (advice.cause_zh, advice.remedy_zh) if lang == "zh" else (advice.cause, advice.remedy)
    for text in ("45015", *wanted, RID, words(lang)["surely_not"], 'role="alert"'):
        assert text in shown
    assert words(lang)["maybe_sent"] in error_html(api_error(-1, "system error"), words(lang), lang)


@pytest.mark.parametrize(
    "error", [TransportError("cut", "断开"), BadReply("cut", "断开", 502), InvalidMessage("f", "cut", "断开")]
)
def test_other_errors_speak_the_panel_s_language(error: WxError) -> None:
    """One language at a time."""
    english, chinese = error_html(error, EN, "en"), error_html(error, ZH, "zh")
    assert "cut" in english
    assert "断开" not in english
    assert "断开" in chinese
    assert "cut" not in chinese


def test_a_rejected_token_says_what_to_do() -> None:
    """Nothing is tried again by itself: the remedy depends on what the desk was given."""
    error = api_error(40001, "invalid credential")
    assert EN["token_string"] in error_html(error, EN, "en")
    assert EN["token_callable"] in error_html(error, EN, "en", renews=True)


def test_the_last_resort_names_class_and_place_and_no_text() -> None:
    """An unexpected exception is never silence, and its text may hold a secret."""
    try:
        raise KeyError("SECRET")
    except KeyError as e:
        error = e
    shown = error_html(error, EN, "en")
    assert re.search(r"Unexpected: KeyError \(test_panel_words.py, \d+\)", shown)
    assert "SECRET" not in shown
    assert "Unexpected: KeyError<" in error_html(KeyError("SECRET"), EN, "en")


def test_an_error_of_others_is_text() -> None:
    """A server may answer with markup."""
    error = api_error(99999, "<script>alert(1)</script>")
    assert "<script" not in error_html(error, EN, "en")
    assert "<script" not in error_html(TransportError("<script>", "<script>"), EN, "en")
