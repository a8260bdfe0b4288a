"""The two token families: lifetimes, overlaps, forced refreshes and their limits."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox.rules.quota import china_day
from wxcs_lite.sandbox.rules.refusals import RefusedError
from wxcs_lite.sandbox.rules.tokens import Tokens


def new_tokens() -> Tokens:
    numbers = count(1)
    return Tokens(lambda: f"t{next(numbers)}")


def verdict(tokens: Tokens, value: str, now: float) -> int:
    try:
        tokens.check(value, now)
    except RefusedError as refused:
        return refused.errcode
    return 0


def test_mint_makes_a_new_one_each_time() -> None:
    """Each call of /token gives another token for 7200 s."""
    tokens = new_tokens()
    assert [("t1", 7200), ("t2", 7200)] == [tokens.mint(0), tokens.mint(0)]


@pytest.mark.parametrize(("now", "expected"), [(1000, 0), (1299.9, 0), (1300, 40001), (7200, 40001), (9000, 40001)])
def test_replaced_token_lives_300_seconds(now: float, expected: int) -> None:
    """The token before stays valid for 300 s, then it is not the latest."""
    tokens = new_tokens()
    tokens.mint(0)
    tokens.mint(1000)
    assert expected == verdict(tokens, "t1", now)


@pytest.mark.parametrize(("now", "expected"), [(7199, 0), (7200, 42001), (7400, 42001)])
def test_replaced_token_never_outlives_its_own_time(now: float, expected: int) -> None:
    """A token that was replaced in its last 300 s still ends at its own time: min(own expiry, 300 s)."""
    tokens = new_tokens()
    tokens.mint(0)
    tokens.mint(7100)
    assert expected == verdict(tokens, "t1", now)


def test_anything_older_than_the_one_before_stops_at_once() -> None:
    """With two newer ones a token is dead, also within the 300 s."""
    tokens = new_tokens()
    for _ in range(3):
        tokens.mint(0)
    assert [40001, 0, 0] == [verdict(tokens, value, 1) for value in ("t1", "t2", "t3")]


@pytest.mark.parametrize(("now", "expected"), [(7199.9, 0), (7200, 42001)])
def test_expired(now: float, expected: int) -> None:
    """A token nobody replaced answers 42001 when its 7200 s are over."""
    tokens = new_tokens()
    tokens.mint(0)
    assert expected == verdict(tokens, "t1", now)


def test_unknown() -> None:
    """A token that was never given answers 40001."""
    assert 40001 == verdict(new_tokens(), "made-up", 0)


def test_families_are_apart() -> None:
    """Neither family replaces a token of the other."""
    tokens = new_tokens()
    tokens.stable(0)
    tokens.mint(0)
    tokens.mint(0)
    tokens.stable(60, force=True)
    assert [40001, 0, 0, 0] == [verdict(tokens, value, 61) for value in ("t1", "t2", "t3", "t4")]


def test_stable_gives_the_same_until_300_seconds_before_its_end() -> None:
    """The stable token comes with the seconds it has left; from 300 s on a new one, and both are good."""
    tokens = new_tokens()
    assert [("t1", 7200), ("t1", 345), ("t1", 300)] == [tokens.stable(now) for now in (0, 6855, 6899.5)]
    assert ("t2", 7200) == tokens.stable(6900)
    assert [0, 0] == [verdict(tokens, value, 7199) for value in ("t1", "t2")]
    assert [42001, 0] == [verdict(tokens, value, 7200) for value in ("t1", "t2")]


def test_forced_refresh_kills_the_one_before() -> None:
    """A forced refresh gives a new token at once, and what was good before answers 40001."""
    tokens = new_tokens()
    tokens.stable(0)
    tokens.stable(6900)
    assert ("t3", 7200) == tokens.stable(6950, force=True)
    assert [40001, 40001, 0] == [verdict(tokens, value, 6950) for value in ("t1", "t2", "t3")]


def test_first_token_is_no_forced_refresh() -> None:
    """Forcing where there is no token yet does not use up a forced refresh."""
    tokens = new_tokens()
    assert ["t1", "t2"] == [tokens.stable(0, force=True)[0], tokens.stable(0, force=True)[0]]


def test_forced_refreshes_are_30_seconds_apart() -> None:
    """Within 30 s of a forced refresh another one gives the current token, and no error."""
    tokens = new_tokens()
    tokens.stable(0)
    assert ["t2", "t2", "t3"] == [tokens.stable(now, force=True)[0] for now in (0, 29.9, 30)]


def test_forced_refreshes_are_20_a_day() -> None:
    """The 21st of a day in China changes nothing; after midnight it works again."""
    tokens = new_tokens()
    tokens.stable(0)
    forced = [tokens.stable(30 * i, force=True)[0] for i in range(1, 22)]
    assert [*(f"t{i}" for i in range(2, 22)), "t21"] == forced
    midnight = 16 * 3600
    assert china_day(midnight) == china_day(0) + 1
    assert tokens.stable(midnight, force=True)[0] != tokens.stable(midnight + 30, force=True)[0]


@given(st.lists(st.tuples(st.sampled_from(["mint", "stable", "force"]), st.floats(0, 4000)), max_size=40))
def test_what_was_just_given_is_good(history: list[tuple[str, float]]) -> None:
    """Whatever happened before, a token is good when it is given and for all the time it says."""
    tokens, now = new_tokens(), 0.0
    for call, pause in history:
        now += pause
        value, left = tokens.mint(now) if call == "mint" else tokens.stable(now, force=call == "force")
        assert 0 == verdict(tokens, value, now)
        assert 300 <= left <= 7200
        assert 0 == verdict(tokens, value, now + left - 0.01)
