"""Made-up names: their shapes, and that only the seed and the order of asking decide them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox.rules.made_up import Hidden, Names


@given(st.integers(), st.integers(0, 2**32 - 1))
def test_shapes(seed: int, now: int) -> None:
    """Tokens, media ids, rids, hints and message ids look like the observed ones."""
    names = Names(seed, "wx")
    assert re.fullmatch(r"[0-9]{2}_[A-Za-z0-9_-]{132}", names.token())
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", names.media_id())
    assert re.fullmatch(rf"{now:08x}-[0-9a-f]{{8}}-[0-9a-f]{{8}}", names.rid(now))
    assert re.fullmatch(r"[A-Za-z0-9]{6}[0-9]{6}-[0-9]", names.hint())
    assert 2**62 <= names.msg_id() < 2**63


def test_same_seed_same_names() -> None:
    """The same seed gives the same sequence; another seed or appid gives another."""
    one, two = Names(1, "wx"), Names(1, "wx")
    assert [one.token(), one.token()] == [two.token(), two.token()]
    assert 4 == len({Names(1, "wx").token(), Names(2, "wx").token(), Names(1, "wy").token(), one.token()})


def test_kinds_are_counted_apart() -> None:
    """Asking for one kind does not change the next name of another kind."""
    one, two = Names(1, "wx"), Names(1, "wx")
    one.rid(0)
    assert one.media_id() == two.media_id()


def test_msg_id_is_no_float() -> None:
    """A message id is odd and over 2**53, so that code that reads it as a float loses it."""
    msg_id = Names(0, "wx").msg_id()
    assert int(float(msg_id)) != msg_id


def test_hidden() -> None:
    """A hidden text is the same text, but its repr says nothing."""
    assert "abc" == Hidden("abc")
    assert "abc" not in repr([Hidden("abc")])
    assert "abc" not in repr(Names(0, "wx").token())
