"""Conversations by customer: values in, values out, no widget, and nothing that slows down as they increase."""

import json
from itertools import count
from typing import Any

import pytest

from wxcs_lite.errors import TransportError, api_error
from wxcs_lite.panel.conversation import SENDING, Conversation, Conversations, as_line, result_of
from wxcs_lite.reply_window import WindowEvent, window_left

NOON = 1_767_240_000


IDS = count()


def said(conversations: Conversations, touser: str, text: str = "hi", at: float = NOON, **more: Any) -> dict[str, Any]:
    fields = {"FromUserName": touser, "MsgType": "text", "CreateTime": at, "Content": text, **more}
    return came(conversations, at, fields)


def came(conversations: Conversations, at: float, fields: dict[str, Any]) -> dict[str, Any]:
    entry = conversations.came_in(at, fields, f"id {next(IDS)}")
    assert entry is not None
    return entry


def sent(conversations: Conversations, touser: str, text: str = "yes", at: float = NOON, key: str = "k") -> None:
    conversations.goes_out(at, {"touser": touser, "msgtype": "text", "text": {"content": text}}, key)
    conversations.settle(key, "accepted")


def listed(conversations: Conversations, search: str = "", count: int = 200) -> list[str]:
    return [found.touser for found in conversations.listed(search, count)]


def test_who_waits_longest_stands_first() -> None:
    """A second message does not push a customer back; an answer ends the waiting, and the latest talk comes next."""
    conversations = Conversations()
    for touser in ("ann", "bob", "cid"):
        said(conversations, touser)
    said(conversations, "ann", "are you there?", NOON + 5)
    assert ["ann", "bob", "cid"] == listed(conversations)
    assert NOON == conversations.of("ann").waiting_since
    sent(conversations, "bob")
    sent(conversations, "ann")
    assert ["cid", "ann", "bob"] == listed(conversations)
    assert conversations.of("ann").waiting_since is None
    assert 1 == conversations.waiting
    said(conversations, "bob", "again")
    assert ["cid", "bob", "ann"] == listed(conversations)


def test_who_writes_while_an_answer_is_on_its_way_still_waits() -> None:
    """Since then: the answer was to what had been said before."""
    conversations = Conversations()
    said(conversations, "ann")
    conversations.goes_out(NOON, {"touser": "ann", "msgtype": "text", "text": {"content": "x"}}, "k")
    said(conversations, "bob", at=NOON + 1)
    said(conversations, "ann", at=NOON + 2)
    came(conversations, NOON, {"FromUserName": "ann", "MsgType": "event", "Event": "other", "CreateTime": NOON})
    said(conversations, "ann", at=NOON + 3)
    conversations.settle("k", "accepted")
    assert NOON + 2 == conversations.of("ann").waiting_since
    assert ["bob", "ann"] == listed(conversations)


def test_a_refused_message_answers_nobody() -> None:
    """Only what WeChat accepted ends the waiting and counts for the window."""
    conversations = Conversations()
    said(conversations, "ann")
    entry = conversations.goes_out(NOON, {"touser": "ann", "msgtype": "text", "text": {"content": "x"}}, "k")
    assert SENDING == entry["result"]
    conversations.settle("k", result_of(api_error(45015, "response out of time limit")))
    assert 45015 == entry["result"]["errcode"]
    assert [WindowEvent("message", NOON)] == list(conversations.of("ann").events)
    assert 1 == conversations.waiting
    conversations.settle("k", "accepted")  # it has its result
    assert 45015 == entry["result"]["errcode"]


def test_events_are_in_the_order_in_which_they_happened() -> None:
    """WeChat's clock is behind ours: an answer that is noted after a message counts after it."""
    conversations = Conversations()
    sent(conversations, "ann", at=NOON + 30)
    said(conversations, "ann", at=NOON)
    assert ["sent", "message"] == [event.kind for event in conversations.of("ann").events]


def test_another_event_opens_no_window_and_keeps_nobody_waiting() -> None:
    """The entry does open one; a kind that nobody knows is an entry that says so."""
    conversations = Conversations()
    for event in ("user_enter_tempsession", "other"):
        came(conversations, NOON, {"FromUserName": "ann", "MsgType": "event", "Event": event, "CreateTime": NOON})
    assert [WindowEvent("enter", NOON)] == list(conversations.of("ann").events)
    assert 0 == conversations.waiting
    entry = said(conversations, "bob", MsgType="hologram")
    assert "hologram" == entry["message"]["msgtype"]
    assert ["bob", "ann"] == listed(conversations)


@pytest.mark.parametrize("at", [-1, 10**18])
def test_an_impossible_time_is_now(at: int) -> None:
    """A plain push's body is not signed: anybody may have written it."""
    entry = came(Conversations(), NOON, {"FromUserName": "ann", "MsgType": "text", "CreateTime": at})
    assert NOON == entry["at"]


def test_search_finds_names_openids_and_last_words() -> None:
    """Whatever the case; the number of rows is bounded."""
    conversations = Conversations()
    said(conversations, "oANN", "where is my parcel?")
    said(conversations, "oBOB", "thanks")
    conversations.name("oBOB", "Robert")
    conversations.of("oCID")
    assert ["oANN"] == listed(conversations, "ann")
    assert ["oANN"] == listed(conversations, " PARCEL ")
    assert ["oBOB"] == listed(conversations, "robert")
    assert ["oCID"] == listed(conversations, "cid")
    assert [] == listed(conversations, "nobody")
    assert ["oANN"] == listed(conversations, count=1)
    assert "Robert" == conversations.of("oBOB").name
    assert "oCID" == conversations.of("oCID").name


def test_memory_is_bounded_and_the_window_stays_right() -> None:
    """The oldest entries go, whoever wrote them, and with the last one a customer of whom nothing would be lost."""
    conversations = Conversations(kept=10)
    said(conversations, "old")
    said(conversations, "named")
    conversations.name("named", "Nan")
    conversations.goes_out(NOON, {"touser": "named", "msgtype": "text", "text": {"content": "x"}}, "lost")
    for number in range(300):
        said(conversations, "ann", f"m{number}", NOON + number)
        sent(conversations, "ann", at=NOON + number, key=str(number))
    conversations.settle("lost", "accepted")
    assert conversations.get("old") is None
    assert "Nan" == conversations.of("named").name
    assert 10 == len(conversations.entries)
    assert "m299" == conversations.entries[-2]["message"]["text"]["content"]
    assert 4 == window_left(conversations.of("ann").events, NOON + 300).left
    assert 2 == len(conversations)


def test_a_hundred_thousand_entries_cost_as_much_each_as_a_thousand() -> None:
    """Counted, not timed: nothing that is kept grows, and a look at the list reads no more than its rows."""
    conversations = Conversations()
    for number in range(100_000):
        said(conversations, f"c{number % 7000}", at=NOON + number)
    assert 20_000 == len(conversations._order)
    assert 20_000 == sum(len(found.entries) for found in conversations._all.values())
    assert max(len(found.events) for found in conversations._all.values()) <= 100
    read: list[str] = []

    class Read(dict[str, Conversation]):
        def __getitem__(self, touser: str) -> Conversation:
            read.append(touser)
            return super().__getitem__(touser)

    conversations._all = Read(conversations._all)
    assert 200 == len(conversations.listed()) == len(read)


def test_a_history_reads_back_what_was_written() -> None:
    """Messages, their results and names; unread is what arrives from then on."""
    conversations, lines = Conversations(), []
    lines.append(as_line(said(conversations, "ann", "您好 \ud83d")))
    message = {"touser": "ann", "msgtype": "image", "image": {"media_id": "upload-1"}}
    lines.append(as_line(conversations.goes_out(NOON, message, "1")))
    done = {**message, "image": {"media_id": "M"}}
    lines.append(as_line({"id": "1", "result": "accepted", "message": done}))
    lines.append(as_line({"customer": "ann", "nickname": "Ann"}))
    lines.append(as_line({"what": "about", "en": "…"}))
    again = Conversations()
    assert 0 == again.read(lines)
    ann = again.of("ann")
    assert ("Ann", 0, None) == (ann.nickname, ann.unread, ann.waiting_since)
    assert ["message", "sent"] == [event.kind for event in ann.events]
    assert {"media_id": "M"} == ann.entries[-1]["message"]["image"]
    assert "您好 ?" == ann.entries[0]["message"]["text"]["content"]


def test_a_message_without_a_result_may_have_been_sent() -> None:
    """The program ended between the two lines."""
    lines = [as_line(Conversations().goes_out(NOON, {"touser": "ann", "msgtype": "text", "text": {}}, "1"))]
    again = Conversations()
    assert 0 == again.read(lines)
    assert {"error": "Interrupted", "maybe_sent": True} == again.entries[0]["result"]


ENTRY: dict[str, Any] = {
    "at": NOON, "direction": "in", "customer": "ann", "what": "message",
    "message": {"msgtype": "text", "text": {"content": "hi"}}, "result": "received",
}  # fmt: skip


WRONG: tuple[dict[str, Any], ...] = (
    {"at": "x"}, {"at": 1e300}, {"message": None}, {"message": {"msgtype": "text"}}, {"message": []},
    {"result": {"error": "E"}}, {"direction": "out", "result": "sending"},
)  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        "", "{", '{"at": 1, "dire', "[]", "5", "null", "{}", "[" * 100_000, '{"what": "other"}', '{"id": "1"}',
        *(json.dumps({**ENTRY, **wrong}) for wrong in WRONG),
        *(json.dumps({name: value for name, value in ENTRY.items() if name != missing}) for missing in (
            "at", "customer", "message", "result",
        )),
    ],
)  # fmt: skip
def test_a_broken_line_is_counted_and_passed_over(broken: str) -> None:
    """A half line, another program's, one that was edited by hand: what follows it is read."""
    conversations = Conversations()
    assert 1 == conversations.read([broken, as_line(ENTRY)])
    assert ["ann"] == listed(conversations)
    assert 1 == len(conversations.entries)


def test_what_is_copied_out_changes_nothing() -> None:
    """The entries are the caller's own."""
    conversations = Conversations()
    said(conversations, "ann")
    conversations.entries[0]["message"]["text"]["content"] = "changed"
    assert "hi" == conversations.entries[0]["message"]["text"]["content"]


def test_a_result_says_what_became_of_it() -> None:
    """As it is exported: no text of an exception that is not ours."""
    assert {"error": "TransportError", "maybe_sent": True} == result_of(TransportError("cut", "断开"))
    assert {"error": "KeyError", "maybe_sent": True} == result_of(KeyError("SECRET"))


def test_a_push_that_comes_again_is_noted_once() -> None:
    """WeChat repeats pushes, and a feed is read again by the next desk, even if it is longer than what is kept."""
    conversations = Conversations(kept=2)
    fields = {"FromUserName": "ann", "MsgType": "text", "CreateTime": NOON, "Content": "hi"}
    lines = [as_line(conversations.came_in(NOON, fields, "same") or {})]
    assert conversations.came_in(NOON, fields, "same") is None
    again = Conversations()
    again.read(lines)
    assert again.came_in(NOON, fields, "same") is None
    for _ in range(2):
        said(conversations, "bob")
    assert conversations.came_in(NOON, fields, "same") is None
