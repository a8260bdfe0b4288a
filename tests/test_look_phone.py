"""The phone around the bubbles: markup that stands alone, runs nothing and loads nothing."""

import pytest

from tests.test_look_bubbles import ATTACKS, Seen
from wxcs_lite.look.phone import moment, phone, top, with_times
from wxcs_lite.look.words import ROWS, bilingual


def test_times_stand_where_five_minutes_have_passed() -> None:
    """Before the first bubble, and after each pause; a conversation that goes on begins where it was."""
    rows = with_times([(0, "a"), (299, "b"), (599, "c"), (600, "d")])
    assert ["a", "b", "c", "d"] == [row for row in rows if "wxcs-line" not in row]
    assert [0, 3] == [number for number, row in enumerate(rows) if "wxcs-line" in row]
    assert moment(599) in rows[3]
    assert ["e"] == with_times([(700, "e")], 600)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_top_is_text(attack: str) -> None:
    """Whatever an openid or a title says."""
    clean = attack.encode("utf-8", "replace").decode()
    seen = Seen(top(clean, clean, clean))
    assert {"div", "span"} == set(seen.tags)
    assert clean * 3 == seen.text


def test_a_phone_stands_alone() -> None:
    """With its style sheet, without a script, and nothing in it is fetched; a keyboard can scroll it."""
    seen = Seen(phone(top("ann", "12:00", "…"), ["<b>bubble</b>"], bilingual()))
    assert {"div", "style", "span", "b"} == set(seen.tags)
    assert "url(" not in seen.text
    assert "@import" not in seen.text
    assert ("tabindex", "0") in seen.attributes
    assert ("aria-label", "Messages 消息") in seen.attributes


def test_both_languages_at_once() -> None:
    """Every row has both, so that what nobody has asked for a language can be read by everybody."""
    assert set(ROWS) == set(bilingual())
    assert "picture 图片" == bilingual()["photo"]
