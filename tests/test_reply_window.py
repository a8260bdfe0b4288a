"""What is left of the reply window: examples from the documents, and what must hold for any history."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.reply_window import Window, WindowEvent, window_left

DAY2, MINUTE = 48 * 3600, 60

kinds = st.sampled_from(get_args(WindowEvent.__annotations__["kind"]))
gaps = st.sampled_from([0, 1, 30, 59, 60, 61, 3600, DAY2 - 60, DAY2, DAY2 + 1])


@st.composite
def histories(draw: st.DrawFn) -> list[WindowEvent]:
    at, events = 1767240000, []
    for kind, gap in draw(st.lists(st.tuples(kinds, gaps), max_size=25)):
        at += gap
        events.append(WindowEvent(kind, at))
    return events


def test_a_message_gives_five_in_48_hours_and_an_entry_two_in_a_minute() -> None:
    """To the last second of it."""
    for kind, count, seconds in (("message", 5, DAY2), ("enter", 2, MINUTE)):
        events = [WindowEvent(kind, 1000)]  # type: ignore[arg-type]
        assert window_left(events, 1000) == window_left(events, 1000 + seconds) == Window(count, 1000 + seconds)
        assert window_left(events, 1000 + seconds + 1) == Window(0, None)
    assert window_left([], 0) == Window(0, None)


def test_used_up_and_closed_are_told_apart() -> None:
    """45047 has an end to wait for, 45015 has not."""
    events = [WindowEvent("enter", 0), WindowEvent("sent", 1), WindowEvent("sent", 2), WindowEvent("sent", 3)]
    assert window_left(events, 60) == Window(0, 60)
    assert window_left(events, 61) == Window(0, None)


def test_numbers_do_not_add_up() -> None:
    """The larger number and the later end count."""
    assert window_left([WindowEvent("enter", 0), WindowEvent("message", 10), WindowEvent("enter", 20)], 30) == Window(
        5, 10 + DAY2
    )
    assert window_left([WindowEvent("message", 0), WindowEvent("message", 10)], 30) == Window(5, 10 + DAY2)
    assert window_left([WindowEvent("message", 0), WindowEvent("enter", DAY2 - 10)], DAY2 + 50) == Window(5, DAY2 + 50)


@pytest.mark.parametrize(("refill", "left"), [(False, 2), (True, 5)])
def test_entering_within_48_hours_is_read_both_ways(refill: bool, left: int) -> None:
    """The documents leave it open; only a message's 48 hours can be refilled."""
    used_up = [WindowEvent("message", 0), *[WindowEvent("sent", 1)] * 5]
    assert window_left(used_up, 2) == Window(0, DAY2)
    assert window_left([*used_up, WindowEvent("enter", 2)], 3, refill_on_entry=refill) == Window(left, DAY2)
    assert 2 == window_left([*used_up, WindowEvent("enter", DAY2 + 1)], DAY2 + 2, refill_on_entry=refill).left
    assert 2 == window_left([WindowEvent("enter", 0), WindowEvent("enter", 1)], 2, refill_on_entry=refill).left


def test_what_a_closed_window_had_left_is_gone() -> None:
    """A new one starts with its own number."""
    assert window_left([WindowEvent("message", 0), WindowEvent("enter", DAY2 + 1)], DAY2 + 1) == Window(2, DAY2 + 61)
    assert 5 == window_left([WindowEvent("sent", 0), WindowEvent("message", 1)], 1).left


def test_an_event_ahead_of_our_clock_counts() -> None:
    """WeChat's clock and ours differ by a second or two."""
    assert window_left([WindowEvent("message", 1002)], 1000) == Window(5, 1002 + DAY2)


def test_an_unknown_kind_is_refused_by_name() -> None:
    """With what is allowed."""
    wrong: Any = WindowEvent("typing", 0)  # type: ignore[arg-type]
    with pytest.raises(InvalidMessage, match="kind: must be message, enter or sent, not 'typing'"):
        window_left([wrong], 0)


@given(histories(), gaps, st.booleans())
def test_what_holds_for_any_history(events: list[WindowEvent], later: int, refill: bool) -> None:
    """Bounds, time, one fewer for each message sent, and five again for each message received."""
    now = (events[-1].at if events else 0) + later
    left, closes_at = window_left(events, now, refill_on_entry=refill)
    assert 0 <= left <= 5
    assert (closes_at is None) <= (left == 0)
    assert closes_at is None or now <= closes_at <= now + DAY2
    # It closes when it says, and neither fills nor moves before.
    if closes_at is not None:
        assert window_left(events, closes_at, refill_on_entry=refill) == (left, closes_at)
        assert (0, None) == window_left(events, closes_at + 1, refill_on_entry=refill)

    after_sent = window_left([*events, WindowEvent("sent", now)], now, refill_on_entry=refill)
    assert after_sent == (max(0, left - 1), closes_at)
    after_message = window_left([*events, WindowEvent("message", now)], now, refill_on_entry=refill)
    assert after_message == (5, now + DAY2)
    after_entry = window_left([*events, WindowEvent("enter", now)], now, refill_on_entry=refill)
    assert after_entry.left >= max(left, 2)
    assert after_entry.closes_at == max(closes_at or 0, now + MINUTE)
    assert window_left(events, now).left <= window_left(events, now, refill_on_entry=True).left


@pytest.mark.parametrize("ahead", [-30, -1, 0, 1, 30])
def test_order_counts_where_clocks_differ(ahead: int) -> None:
    """A push has WeChat's clock, a sent message ours: seconds between them change no number."""
    sent = [WindowEvent("sent", 1000 + ahead)] * 5
    assert Window(0, 1000 + DAY2) == window_left([WindowEvent("message", 1000), *sent], 1000 + ahead)
    again = [WindowEvent("message", 1000), *sent, WindowEvent("message", 1001)]
    assert Window(5, 1001 + DAY2) == window_left(again, 1001 + ahead)


def test_order_counts_within_one_second() -> None:
    """CreateTime has whole seconds, so sorting would decide by chance."""
    message, sent = WindowEvent("message", 1000), WindowEvent("sent", 1000)
    assert [4, 5] == [window_left(events, 1000).left for events in ([message, sent], [sent, message])]


@given(histories(), st.sampled_from([-30, 30]))
def test_a_clock_that_is_off_never_gives_more(events: list[WindowEvent], ahead: int) -> None:
    """Whatever happened: each accepted message takes one, and only what a customer does gives any."""
    ours = [event._replace(at=event.at + ahead) if event.kind == "sent" else event for event in events]
    for count, event in enumerate(ours):
        before = window_left(ours[:count], event.at).left
        after = window_left(ours[: count + 1], event.at).left
        assert event.kind != "sent" or after == max(0, before - 1)
        assert event.kind != "message" or after == 5


@pytest.mark.parametrize("event", [None, "message", ("message",), ("message", "noon"), 7])
def test_what_is_no_event_is_refused(event: Any) -> None:
    """The mistake names what was due."""
    with pytest.raises(
        InvalidMessage, match=r'^events: must hold values such as WindowEvent\("message", push.CreateTime\)'
    ):
        window_left([event], 0)
