"""The reply window and the typing line, by the second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox.rules.people import ReplyWindow
from wxcs_lite.sandbox.rules.refusals import RefusedError

HOUR = 3600


def send(window: ReplyWindow, now: float) -> int:
    try:
        window.check_send(now)
    except RefusedError as refused:
        return refused.errcode
    window.sent(now)
    return 0


def show(window: ReplyWindow, now: float) -> int:
    try:
        window.typing(now)
    except RefusedError as refused:
        return refused.errcode
    return 0


def test_nobody_came() -> None:
    """Without an action of the user nothing can be sent and no typing shown, nor taken away."""
    window = ReplyWindow()
    assert 45015 == send(window, 0)
    assert 45015 == show(window, 0)
    with pytest.raises(RefusedError, match="45015"):
        window.cancel_typing(0)


def test_message_opens_five_in_48_hours() -> None:
    """A message allows five; the sixth is 45047; after 48 h it is 45015, whatever is left."""
    window = ReplyWindow()
    window.user_wrote(0)
    assert [0, 0, 0, 0, 0, 45047] == [send(window, 48 * HOUR) for _ in range(6)]
    assert 45015 == send(window, 48 * HOUR + 0.1)


def test_entry_opens_two_in_a_minute() -> None:
    """Entering the session allows two for one minute."""
    window = ReplyWindow()
    window.user_entered(0)
    assert [0, 0, 45047] == [send(window, 60) for _ in range(3)]
    assert 45015 == send(window, 60.1)


def test_counts_do_not_add_up() -> None:
    """Two messages allow five, not ten; entry and message allow five, not seven."""
    window = ReplyWindow()
    window.user_entered(0)
    window.user_wrote(0)
    window.user_wrote(0)
    window.user_entered(0)
    assert 5 == [send(window, 1) for _ in range(9)].count(0)


def test_a_message_fills_up_again() -> None:
    """A new message restarts both the count and the 48 h."""
    window = ReplyWindow()
    window.user_wrote(0)
    for _ in range(5):
        send(window, 1)
    window.user_wrote(10)
    assert 5 == window.left
    assert 10 + 48 * HOUR == window.closes_at


def test_what_was_left_ends_with_the_window() -> None:
    """Messages left over from a window that closed are gone."""
    window = ReplyWindow()
    window.user_wrote(0)
    window.user_entered(49 * HOUR)
    assert 2 == window.left


@pytest.mark.parametrize(("refill", "used", "left"), [(False, 5, 2), (False, 4, 2), (False, 2, 3), (True, 5, 5)])
def test_entry_inside_48_hours(refill: bool, used: int, left: int) -> None:
    """Entering inside a running 48 h gives the larger count, or with refill five; it never shortens the time."""
    window = ReplyWindow()
    window.user_wrote(0)
    for _ in range(used):
        send(window, 1)
    window.user_entered(HOUR, refill=refill)
    assert left == window.left
    assert 48 * HOUR == window.closes_at


def test_refill_needs_running_48_hours() -> None:
    """Refill does not make an entry on its own worth five, also not a second one in the same minute."""
    window = ReplyWindow()
    window.user_entered(0, refill=True)
    window.user_entered(30, refill=True)
    assert 2 == window.left
    assert 90 == window.closes_at


def test_typing_lasts_15_seconds() -> None:
    """The status is shown for 15 s; asking again during that time is 45081, afterwards it works."""
    window = ReplyWindow()
    window.user_wrote(0)
    assert [0, 45081, 45081, 0] == [show(window, now) for now in (0, 1, 14.9, 15)]
    assert window.shows_typing(29.9)
    assert not window.shows_typing(30)


def test_typing_needs_a_message_within_30_seconds() -> None:
    """Thirty seconds after the last message, of either side, typing is refused with 45080."""
    window = ReplyWindow()
    window.user_wrote(0)
    assert 0 == show(window, 30)
    assert 45080 == show(window, 30.1)
    send(window, 100)
    assert 0 == show(window, 130)
    assert 45080 == show(window, 130.1)


def test_entry_is_no_message() -> None:
    """Entering the session opens the window, but typing waits for a message (inferred)."""
    window = ReplyWindow()
    window.user_entered(0)
    assert 45080 == show(window, 0)


def test_typing_ends() -> None:
    """Sending a message or cancelling ends the status; both also succeed where none is shown."""
    window = ReplyWindow()
    window.user_wrote(0)
    show(window, 0)
    send(window, 1)
    assert not window.shows_typing(1)
    assert 0 == show(window, 1)
    window.cancel_typing(2)
    window.cancel_typing(2)
    assert not window.shows_typing(2)


def test_typing_takes_no_message() -> None:
    """Typing does not use up the count, and works when the count is used up."""
    window = ReplyWindow()
    window.user_wrote(0)
    show(window, 0)
    assert [0] * 5 == [send(window, 0) for _ in range(5)]
    assert 0 == show(window, 1)


ACTIONS = st.sampled_from(["wrote", "entered", "send", "typing"])


@given(st.lists(st.tuples(ACTIONS, st.floats(0, 60 * HOUR)), max_size=60), st.booleans())
def test_any_history(history: list[tuple[str, float]], refill: bool) -> None:
    """At no time more than five messages follow an action of the user, none past 48 h, and the code says why."""
    window, now, wrote, acted, sent = ReplyWindow(), 0.0, -1e9, -1e9, 0
    for action, pause in history:
        now += pause
        if action == "wrote":
            window.user_wrote(now)
            wrote = acted = now
            sent = 0
        elif action == "entered":
            window.user_entered(now, refill=refill)
            acted = now
            sent = 0
        elif action == "send":
            code = send(window, now)
            open_ = now - wrote <= 48 * HOUR or now - acted <= 60
            assert (code == 45015) == (not open_)
            sent += code == 0
            assert sent <= 5
        else:
            show(window, now)
        assert 0 <= window.left <= 5
