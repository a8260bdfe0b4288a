"""A desk for many customers: what went wrong when thirty wrote at once, and must not be possible."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from threading import Event, Thread, get_ident
from time import monotonic
from typing import Any

import pytest
from ipywidgets import Text

from tests.test_panel_desk import DOWNLOAD, EN, SEND, UPLOAD, Stage, bubbles, picked, write
from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.panel import Desk, Phone
from wxcs_lite.panel.view import controls
from wxcs_lite.push import Push, push_app
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.transport import fetch_token


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A desk to which Ann, Mallory and Bob have written, in this order."""
    made = Stage()
    for touser in ("oAnn", "oMallory", "oBob"):
        made.comes(made.sandbox.user(touser).says(f"I am {touser}"))
    yield made
    made.desk.close()


def inbox(stage: Stage, touser: str) -> list[str]:
    return [one.message.get("text", {}).get("content", "") for one in stage.sandbox.user(touser).inbox]


def submit(field: Any) -> None:
    """Do what the browser does at an Enter: it tells of it before the text that stands there."""
    field._handle_custom_msg({"event": "submit"}, [])


async def until(found: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not found():
            await asyncio.sleep(0.005)


def on_a_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    asyncio.run(run())


# --- 1: the wrong recipient


def test_a_draft_stays_with_its_customer(stage: Stage) -> None:
    """Choosing another shows theirs; Send sends what is shown, to whom it is shown for."""
    write(stage.desk, "Ann, your PIN is 4711")
    stage.desk.select("oMallory")
    assert "" == stage.view.composer.fields["content"].value
    stage.desk.send()
    assert "content: must not be empty" in stage.status
    write(stage.desk, "Hello M.")
    stage.desk.send()
    assert (["Hello M."], []) == (inbox(stage, "oMallory"), inbox(stage, "oAnn"))
    stage.desk.select("oAnn")
    assert "Ann, your PIN is 4711" == stage.view.composer.fields["content"].value
    stage.desk.send()
    assert ["Ann, your PIN is 4711"] == inbox(stage, "oAnn")


def test_letters_that_arrive_late_go_to_the_draft_they_were_typed_in(stage: Stage) -> None:
    """The browser may send a field after the click that chose another customer."""
    field = stage.view.composer.fields["content"]
    stage.desk.select("oMallory")
    field.value = "Ann, your PIN is 4711"
    assert "" == stage.view.composer.fields["content"].value
    stage.desk.select("oAnn")
    assert "Ann, your PIN is 4711" == stage.view.composer.fields["content"].value
    field.value = "Ann, your PIN is 0815"  # from the field of before, once more
    assert "Ann, your PIN is 0815" == stage.view.composer.fields["content"].value


def test_a_send_that_arrives_late_sends_nobody_elses_draft(stage: Stage) -> None:
    """It was pressed when Ann's text was on the screen; Mallory's, of an hour ago, stays where it is."""
    stage.desk.select("oMallory")
    write(stage.desk, "not yet")
    stage.desk.select("oAnn")
    write(stage.desk, "Ann, your PIN is 4711")
    button = stage.view.composer.send
    stage.desk.select("oMallory")
    button.click()
    assert ([], ["Ann, your PIN is 4711"]) == (inbox(stage, "oMallory"), inbox(stage, "oAnn"))
    stage.view.composer.send.click()
    assert [] == inbox(stage, "oMallory")  # a second click, before anybody could see what the first one did
    assert "not yet" == stage.view.composer.fields["content"].value


def test_who_says_a_name_is_not_found_before_who_is_called_so(stage: Stage) -> None:
    """Or else Mallory, who has waited longer, would be answered in place of Bob."""
    stage.comes(stage.sandbox.user("oMallory").says("I know oBob, and Bobby"))
    people = stage.view.people
    for sought, found in (("oBob", "oBob"), ("ob", "oBob"), ("and bobby", "oMallory")):
        people.search.value = sought
        submit(people.search)
        assert found in stage.view.head.value
    stage.view.composer.nickname.value = "Bob"
    people.search.value = "bob"
    submit(people.search)
    assert "oMallory" in stage.view.head.value


def test_a_push_chooses_nobody(stage: Stage) -> None:
    """Whoever writes, the conversation and the draft that are on the screen stay there."""
    write(stage.desk, "Ann, your PIN is 4711")
    field = stage.view.composer.fields["content"]
    stage.comes(stage.sandbox.user("oMallory").says("me, me"))
    assert "oAnn" in stage.view.head.value
    assert field is stage.view.composer.fields["content"]
    assert "me, me" not in bubbles(stage.desk)
    assert ("● 2 oMallory · 5/5, 48 h | me, me", "oAnn") == (stage.rows[1], stage.view.people.list.value)


def test_an_error_stays_with_its_customer(stage: Stage) -> None:
    """It is not shown beside another; the list marks it."""
    stage.sandbox.fail_next(errcode=45047)
    write(stage.desk, "hi")
    stage.desk.send()
    stage.desk.select("oBob")
    assert "" == stage.status
    assert stage.rows[0].startswith("⚠ oAnn")
    stage.desk.select("oAnn")
    assert "45047" in stage.status


def test_many_messages_that_come_at_once_are_few_changes_of_widgets(stage: Stage) -> None:
    """10,000 one by one were so many messages to the browser that it stood still for a minute."""
    changes: list[Any] = []
    stage.view.talk.pane.observe(changes.append, "children")
    stage.desk.select("oAnn")
    before = len(bubbles(stage.desk))
    for number in range(700):
        event = stage.sandbox.user("oAnn").says(f"line {number}.")
        fields = {"FromUserName": event.openid, "MsgType": event.kind, "CreateTime": int(event.at), **event.fields}
        stage.desk._arrivals._waiting.append(Push(fields))
    stage.desk.refresh()
    assert before
    assert [f"line {number}." for number in range(500, 700)] == re.findall(r"line \d+\.", bubbles(stage.desk))
    assert not re.search(r"\d{4}-\d\d-\d\d", bubbles(stage.desk))  # the day began above
    assert len(changes) < 4
    assert stage.desk.conversation is not None
    assert 0 == stage.desk.conversation.unread
    stage.comes(stage.sandbox.user("oAnn").says("the last"))
    assert "the last" in stage.view.talk.markup[-1]


def test_a_row_that_has_just_moved_is_not_clicked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser tells a row's place. One that was clicked before the list was drawn again means the former rows."""
    now = 100.0
    monkeypatch.setattr("wxcs_lite.panel.view.people.monotonic", lambda: now)
    people = stage.view.people
    write(stage.desk, "done")
    stage.desk.send()  # Ann waits no longer, but is shown: her row stays where it is
    assert ["oAnn", "oMallory", "oBob"] == [touser for _, touser in people.list.options]
    stage.desk.select("oMallory")
    assert ["oBob", "oMallory", "oAnn"] == [touser for _, touser in people.list.options]
    people.list.index = 2
    assert stage.desk.conversation is not None
    assert "oBob" == stage.desk.conversation.touser
    now += 1
    people.list.index = 2
    assert "oAnn" == stage.desk.conversation.touser
    people.list.index = None
    assert "oAnn" == stage.desk.conversation.touser


def test_json_reaches_nobody_but_the_customer_who_is_shown(stage: Stage) -> None:
    """A touser that is somebody else is an error, and nothing leaves."""
    stage.fill("raw", raw='{"touser": "oMallory", "msgtype": "text", "text": {"content": "4711"}}')
    stage.desk.send()
    assert "the JSON names" in stage.status
    assert 0 == stage.calls(SEND)


# --- 2: the wrong picture


def test_the_picture_that_is_seen_is_the_one_that_is_sent(stage: Stage) -> None:
    """Uploaded when it is sent: there is no media_id of an older one that could stand above it."""
    first, second = sunset(), sunset(64, 48)
    stage.pick(first)
    stage.view.composer.fields["remove"].click()
    stage.pick(second, "second.png")
    assert "second.png" in stage.view.composer.fields["picture"].value
    assert 0 == stage.calls(UPLOAD)
    stage.desk.send()
    assert [second] == [one.picture for one in stage.sandbox.user("oAnn").inbox]


def test_the_picture_that_is_seen_is_sent_whatever_its_path_leads_to_by_then(stage: Stage, tmp_path: Path) -> None:
    """The file is read when it is shown, and not a second time."""
    path = tmp_path / "sun.png"
    path.write_bytes(sunset(8, 8))
    stage.fill("image", path=str(path))
    path.write_bytes(sunset(24, 24))
    stage.desk.send()
    assert [sunset(8, 8)] == [one.picture for one in stage.sandbox.user("oAnn").inbox]


@pytest.mark.parametrize("content", [b"", b"<svg/>"])
def test_a_pick_that_fails_leaves_no_picture_armed(stage: Stage, content: bytes) -> None:
    """The draft's picture is empty, and the desk says why."""
    stage.pick(sunset())
    picked(stage.view.composer.file, content, "bad.png")
    assert "bad.png" in stage.status
    stage.desk.send()
    assert "media_id: must not be empty" in stage.status
    assert 0 == stage.calls(UPLOAD) + stage.calls(SEND)


def test_a_pick_that_never_arrives_meets_no_older_one(stage: Stage) -> None:
    """Past 10 MB the notebook drops it without a word: another can only be picked when the one before is removed."""
    assert not stage.view.composer.file.disabled
    stage.pick(sunset())
    assert stage.view.composer.file.disabled
    stage.view.composer.fields["remove"].click()
    assert not stage.view.composer.file.disabled
    assert EN["pick_limit"] == stage.view.composer.file.tooltip
    stage.desk.send()
    assert 0 == stage.calls(UPLOAD)


def test_a_picture_that_arrives_late_goes_to_the_customer_it_was_picked_for(stage: Stage) -> None:
    """A large one takes a second, in which another customer may be chosen."""
    file = stage.view.composer.file
    stage.desk.select("oMallory")
    picked(file, sunset())
    assert "picture" not in stage.view.composer.fields
    assert () == file.value
    stage.desk.select("oAnn")
    assert "picture" in stage.view.composer.fields


def test_two_pictures_on_their_way_are_not_taken_for_each_other(stage: Stage) -> None:
    """Before it has a media_id each bubble has a name of its own."""

    async def hurried() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        for size in (40, 48):
            picked(desk.view.composer.file, sunset(size, 30))
            desk.send()
        shown = [re.findall('base64,[^"]+', markup) for markup in desk.view.talk.markup[-2:]]
        assert shown[0]
        assert shown[1]
        assert shown[0] != shown[1]
        await until(lambda: 2 == len(stage.sandbox.user("oAnn").inbox))
        await until(lambda: EN["accepted"] in desk.view.talk.markup[-1])
        assert [sunset(40, 30), sunset(48, 30)] == [one.picture for one in stage.sandbox.user("oAnn").inbox]
        desk.close()

    on_a_loop(hurried)


# --- 3 and 4: what arrives


def test_a_desk_that_nothing_reaches_says_so() -> None:
    """It promises no message that nothing would bring."""
    stage = Stage()
    assert EN["first_alone"] in stage.status.replace("&#x27;", "'")
    stage.desk.close()


def test_a_closed_desk_takes_no_push(stage: Stage) -> None:
    """push_app does not answer success then, so that WeChat pushes again."""
    answers: list[str] = []
    app = push_app(stage.desk.receive, token="AAAAA", clock=stage.sandbox.clock)

    def application(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, *more: Any) -> Any:
            answers.append(status)
            return start_response(status, headers, *more)

        return app(environ, start)

    stage.sandbox.push_to(application, token="AAAAA")
    stage.desk.close()
    with pytest.raises(PushRejected, match="the desk is closed"):
        stage.desk.receive(Push({"FromUserName": "oAnn", "MsgType": "text", "CreateTime": 1, "Content": "x"}))
    before = len(answers)
    stage.sandbox.user("oAnn").says("anybody?")
    assert "200 OK" not in answers[before:]
    assert answers[before:]


# --- 5: the meter


@pytest.mark.parametrize("ahead", [-30, 0, 30])
def test_the_meter_goes_by_the_order_of_arrival(ahead: int) -> None:
    """Five answers within a second of the message, on a clock that differs from WeChat's."""
    stage = Stage(touser="ann")
    desk = Desk(stage.pool, stage.token, touser="ann", clock=lambda: stage.sandbox.clock() + ahead)
    desk.receive(
        Push({"FromUserName": "ann", "MsgType": "text", "Content": "?", "CreateTime": int(stage.ann.says("?").at)})
    )
    for left in (4, 3, 2, 1):
        write(desk, "x")
        desk.send()
        assert f"{left} of 5 left" in desk.view.head.value
    write(desk, "x")
    desk.send()
    assert "0 of 5 left" in desk.view.head.value
    desk.close()
    stage.desk.close()


# --- 6: thirty customers


def test_thirty_customers_are_told_apart(stage: Stage) -> None:
    """Who waits longest, how many words are unread, what is left, the last words; and the day in the conversation."""
    for number in range(30):
        stage.comes(stage.sandbox.user(f"o{number:02}").says(f"question {number}"))
        stage.sandbox.advance(3600)
    stage.desk.refresh()
    assert 33 == len(stage.rows)
    assert "● 1 o00 · 5/5, 18 h | question 0" == stage.rows[3]
    assert "33 waiting, 33 in all" in stage.view.people.note.value
    stage.desk.select("o00")
    assert re.search(r"\d{4}-\d\d-\d\d", bubbles(stage.desk))
    assert "question 1" not in bubbles(stage.desk)
    assert "o00 · 5/5, 18 h | question 0" == stage.rows[3]


def test_a_customer_is_found_and_opened_by_words_name_or_openid(stage: Stage) -> None:
    """After an Enter the first who is found is shown; an openid that is not there yet begins a conversation."""
    people = stage.view.people
    stage.desk.select("oBob")
    stage.view.composer.nickname.value = "Robert"
    stage.desk.select("oAnn")
    people.search.value = "rob"
    assert ["Robert · 5/5, 48 h | I am oBob"] == stage.rows
    assert "1 found" in people.note.value
    submit(people.search)
    assert "Robert" in stage.view.head.value
    assert "oBob" in stage.view.head.value
    assert "" == people.search.value
    people.search.value = "oNew"
    submit(people.search)
    assert "oNew" in stage.view.head.value
    assert "oNew | nothing said yet" == stage.rows[3]
    submit(people.search)
    assert "oNew" in stage.view.head.value
    assert "Robert" == stage.desk._conversations.of("oBob").nickname


def test_an_openid_that_somebody_has_written_opens_nobody_else(stage: Stage) -> None:
    """It may be another customer's: the first Enter shows who has written it, the second opens it."""
    stage.comes(stage.sandbox.user("oMallory").says("ask oNew, she knows"))
    people = stage.view.people
    people.search.value = "oNew"
    submit(people.search)
    assert "oMallory" not in stage.view.head.value
    assert "oNew" in stage.status
    assert ["● 2 oMallory · 5/5, 48 h | ask oNew, she knows"] == stage.rows
    assert "oNew" == people.search.value
    submit(people.search)
    assert "<h3>oNew</h3>" in stage.view.head.value
    assert "" == stage.status


def test_an_openid_that_is_a_part_of_another_s_is_opened_when_it_is_entered_again(stage: Stage) -> None:
    """Entered once it finds the other, whose name begins so; who is called so always comes first."""
    people = stage.view.people
    for heading in ("oBob", "oB", "oB"):
        people.search.value = "oB"
        submit(people.search)
        assert f"<h3>{heading}</h3>" in stage.view.head.value


def test_a_customer_on_the_screen_is_not_forgotten(stage: Stage) -> None:
    """A feed may bring more than is kept: what they write afterwards is shown all the same."""
    stage.desk._conversations._kept = 20
    stage.desk.select("oAnn")
    for number in range(30):
        stage.comes(stage.sandbox.user("oBob").says(f"line {number}"))
    assert [] == list(stage.desk._conversations.of("oAnn").entries)
    stage.comes(stage.sandbox.user("oAnn").says("still here?"))
    assert "still here?" in bubbles(stage.desk)
    write(stage.desk, "yes")
    stage.desk.send()
    assert ["yes"] == inbox(stage, "oAnn")
    assert "accepted" in bubbles(stage.desk)
    stage.desk.select("oBob")
    for number in range(30):
        stage.comes(stage.sandbox.user("oBob").says(f"more {number}"))
    assert stage.desk._conversations.get("oAnn") is None


@pytest.mark.parametrize("shown", ["oAnn", "oMallory"])
def test_a_message_on_its_way_is_settled_although_it_is_forgotten(stage: Stage, shown: str) -> None:
    """A feed may bring more than is kept while WeChat has not answered: the bubble says what became of it."""

    async def slow() -> None:
        asked, answered = Event(), Event()

        def wait(seen: Any) -> None:
            if seen.path == SEND:
                asked.set()
                assert answered.wait(20)

        pool = stage.sandbox.pool(on_request=wait)
        desk = Desk(pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        desk._conversations._kept = 5
        write(desk, "slow")
        desk.send()
        await until(asked.is_set)
        desk.select(shown)
        for number in range(10):
            fields = {"FromUserName": "oBob", "MsgType": "text", "CreateTime": 1, "Content": f"line {number}."}
            desk.receive(Push(fields))
        answered.set()
        await until(lambda: not desk._conversations._sending)
        assert (EN["accepted"] in bubbles(desk)) == (shown == "oAnn")
        assert ["sent"] == [event.kind for event in desk._conversations.of("oAnn").events]
        push = Push({"FromUserName": "oBob", "MsgType": "text", "CreateTime": 1, "Content": "too late"})
        thread = Thread(target=desk.receive, args=(push,))
        thread.start()
        thread.join(20)
        desk.close()
        await asyncio.sleep(0)

    on_a_loop(slow)


def test_an_openid_is_shortened_in_its_middle(stage: Stage) -> None:
    """Those of one Mini Program begin alike; long words and breaks in them stay one line."""
    stage.comes(stage.sandbox.user("o6_bmjrPTlm6_2sgVt7hMZOPfL2M").says("a\nb " + "c" * 100))
    assert stage.rows[-1].startswith("● 1 o6_b…MZOPfL2M · 5/5, 48 h | a b ccc")
    assert stage.rows[-1].endswith("c…")
    stage.view.composer.nickname.value = "\ud83d half"
    assert "? half" in stage.rows[0]


def test_at_most_two_hundred_rows_are_drawn() -> None:
    """The search finds the others."""
    stage = Stage()
    for number in range(230):
        stage.comes(stage.sandbox.user(f"c{number}").says("hello?"))
    assert 200 == len(stage.rows)
    stage.view.people.search.value = "c229"
    assert 1 == len(stage.rows)
    stage.desk.close()


# --- 7: calls off the main thread


def test_a_slow_call_freezes_nothing(stage: Stage) -> None:
    """While it is on its way, pushes come in and customers are chosen; its result meets its own conversation."""

    async def slow() -> None:
        asked, answered, threads = Event(), Event(), set[int]()

        def wait(seen: Any) -> None:
            if seen.path == SEND:
                threads.add(get_ident())
                asked.set()
                assert answered.wait(20)

        pool = stage.sandbox.pool(on_request=wait)
        desk = Desk(pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        write(desk, "slow")
        desk.send()
        assert EN["sending"] in desk.view.talk.markup[-1]
        await until(asked.is_set)
        desk.select("oMallory")
        push = Push({"FromUserName": "oMallory", "MsgType": "text", "CreateTime": 1, "Content": "still here"})
        await asyncio.get_running_loop().run_in_executor(None, desk.receive, push)
        await until(lambda: "still here" in bubbles(desk))
        answered.set()
        await until(lambda: ["slow"] == inbox(stage, "oAnn"))
        desk.select("oAnn")
        await until(lambda: EN["accepted"] in desk.view.talk.markup[-1])
        assert get_ident() not in threads
        desk.close()

    on_a_loop(slow)


def test_what_others_write_does_not_draw_the_list_again_and_again(stage: Stage) -> None:
    """A row that is pressed while the list is drawn is not opened: so it changes once a second, however many write."""

    async def pushes() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        drawn: list[object] = []
        desk.view.people.list.observe(drawn.append, "options")
        begun = monotonic()
        for number in range(40):
            fields = {"FromUserName": "oBob", "MsgType": "text", "CreateTime": 1, "Content": f"line {number}."}
            await asyncio.get_running_loop().run_in_executor(None, desk.receive, Push(fields))
            await until(lambda: f"line {number}." in desk.view.news.value)  # noqa: B023
        await until(lambda: drawn)
        assert len(drawn) <= monotonic() - begun + 1
        desk.close()

    on_a_loop(pushes)


def test_what_was_pressed_before_closing_is_sent_and_noted(stage: Stage, tmp_path: Path) -> None:
    """The call ends by itself, and its result is in the history."""
    path = tmp_path / "desk.jsonl"

    async def closing() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock, history=path)
        write(desk, "the last words")
        desk.send()
        desk.close()
        await until(lambda: "accepted" in path.read_text("utf-8"))
        assert ["the last words"] == inbox(stage, "oAnn")

    on_a_loop(closing)


# --- 9: Enter


def test_enter_sends_the_text_that_follows_it(stage: Stage) -> None:
    """The browser tells of the key first: nothing is sent until the letters are there."""

    async def typed() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        field = desk.view.composer.fields["content"]
        submit(field)
        submit(field)
        await asyncio.sleep(0)
        assert 0 == stage.calls(SEND)
        field.value = "sent by enter"
        await until(lambda: ["sent by enter"] == inbox(stage, "oAnn"))
        submit(field)  # nothing stands there: nothing is said
        await asyncio.sleep(0.4)
        assert 1 == stage.calls(SEND)
        assert "" == desk.view.status.value
        desk.close()

    on_a_loop(typed)


def test_enter_sends_a_text_that_was_told_before(stage: Stage) -> None:
    """It was left, and returned to: no text follows."""

    async def typed() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        write(desk, "told before")
        await asyncio.sleep(0.1)
        submit(desk.view.composer.fields["content"])
        assert 0 == stage.calls(SEND)
        await until(lambda: ["told before"] == inbox(stage, "oAnn"))
        write(desk, "left open")
        await asyncio.sleep(0.1)
        submit(desk.view.composer.fields["content"])
        desk.close()  # an Enter on its way to a closed desk is nobody's
        await asyncio.sleep(0.4)
        assert 1 == stage.calls(SEND)

    on_a_loop(typed)


def test_leaving_a_field_sends_nothing(stage: Stage) -> None:
    """Blur and Tab tell the text, and only that; another message of the field's is nothing to the desk either."""
    for text in ("a", "ab"):
        write(stage.desk, text)
    stage.view.composer.fields["content"]._handle_custom_msg({"event": "focus"}, [])
    stage.desk.refresh()
    assert 0 == stage.calls(SEND)


def test_a_click_waits_for_the_text_of_its_field_and_no_longer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is here already, or the click acts when it comes; a form of several fields has its time."""
    monkeypatch.setattr(controls, "_FOLLOWS", 3600)

    async def clicked() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        write(desk, "here already")
        desk.view.composer.send.click()
        await until(lambda: ["here already"] == inbox(stage, "oAnn"))
        desk.select("oBob")
        monkeypatch.setattr(controls, "_QUEUED", 0)
        desk.view.composer.send.click()
        assert 1 == stage.calls(SEND)
        write(desk, "it comes")
        await until(lambda: ["it comes"] == inbox(stage, "oBob"))
        desk.view.composer.kind.value = "raw"
        desk.view.composer.fields["raw"].value = '{"msgtype": "text", "text": {"content": "raw"}}'
        desk.view.composer.send.click()
        desk.view.composer.fields["raw"].value = '{"msgtype": "text", "text": {"content": "raw, too"}}'
        desk.close()
        await asyncio.sleep(0)
        assert 2 == stage.calls(SEND)

    on_a_loop(clicked)


def test_a_click_waits_while_the_kernel_catches_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that was left twice while it was busy tells its second text after the click."""

    async def hurried() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        monkeypatch.setattr(type(desk._ticker), "was_busy", True)
        write(desk, "sent by")
        desk.view.composer.send.click()
        desk.view.composer.send.click()
        write(desk, "sent by click")
        assert 0 == stage.calls(SEND)
        await until(lambda: ["sent by click"] == inbox(stage, "oAnn"))
        await asyncio.sleep(0.1)
        assert 1 == stage.calls(SEND)
        desk.close()

    on_a_loop(hurried)


# --- 12: small


def test_two_desks_on_one_pool_share_what_was_sent(stage: Stage) -> None:
    """Both meters tell the truth; a desk on another pool hears nothing, and a closed one is left alone."""
    other = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
    elsewhere = Desk(stage.sandbox.pool(), stage.token, touser="oAnn", clock=stage.sandbox.clock)
    closed = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
    closed.close()
    write(stage.desk, "from here")
    stage.desk.send()
    assert "from here" in bubbles(other)
    assert [] == elsewhere.history == closed.history
    assert "accepted" == other.history[0]["result"]
    other.close()
    elsewhere.close()


def test_a_quick_reply_is_offered() -> None:
    """The browser offers it while one writes; it is sent by nothing but a press."""
    stage = Stage(touser="ann", quick_replies=["One moment, please.", "Anything else?"])
    stage.comes(stage.ann.says("hello?"))
    field = stage.view.composer.fields["content"]
    assert ("One moment, please.", "Anything else?") == field.options
    field.value = field.options[0]
    assert 0 == stage.calls(SEND)
    stage.desk.send()
    assert ["One moment, please."] == inbox(stage, "ann")
    empty = Stage(quick_replies=["x"])
    empty.view.composer.kind.value = "link"
    empty.view.composer.ai_label.value = True
    empty.desk.refresh()
    assert [] == empty.seen
    stage.desk.close()
    empty.desk.close()


def test_the_next_who_waits_is_a_press_away(stage: Stage) -> None:
    """The longest first; the one who is shown is not meant, and where nobody waits nothing happens."""
    for expected in ("oMallory", "oAnn", "oMallory"):
        stage.view.next.click()
        stage.view.kit._ended.clear()
        assert stage.desk.conversation is not None
        assert expected == stage.desk.conversation.touser
    for _ in range(3):
        write(stage.desk, "done")
        stage.desk.send()
        stage.desk.select_next()
    assert 0 == stage.desk._conversations.waiting
    shown = stage.desk.conversation
    stage.desk.select_next()
    assert shown is stage.desk.conversation


def test_the_next_key_goes_into_the_field(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In JupyterLab a letter is a command of the notebook's otherwise; a form of several fields is left alone."""

    async def focused() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        found: list[Any] = []
        monkeypatch.setattr(Text, "focus", lambda self: found.append(self))
        desk.choose("oBob")
        await until(lambda: found)
        assert [desk.view.composer.fields["content"]] == found
        desk.view.composer.kind.value = "link"
        desk.view.composer.focus()
        desk.view.composer.kind.value = "text"
        desk.view.composer.focus()
        desk.close()
        await asyncio.sleep(0.4)
        assert 1 == len(found)

    on_a_loop(focused)


def test_many_lines_are_written_in_a_larger_field(stage: Stage) -> None:
    """At a press, or because a draft has them; one line sends by Enter, many by the button."""
    stage.view.composer.more_lines.click()
    assert EN["one_line"] == stage.view.composer.more_lines.description
    write(stage.desk, "a\nb")
    stage.view.composer.more_lines.click()
    assert "a\nb" == stage.view.composer.fields["content"].value
    stage.desk.send()
    assert ["a\nb"] == inbox(stage, "oAnn")


def test_five_minutes_are_five_presses() -> None:
    """However quickly."""
    phone = Phone(Sandbox(), "ann")
    (minute,) = [one for one in phone._kit._made.values() if getattr(one, "description", "") == EN["minute"]]
    before = phone._sandbox.clock()
    for _ in range(5):
        minute.click()
    assert 300 == phone._sandbox.clock() - before
    phone.close()


# --- the history


def test_a_history_is_read_again(stage: Stage, tmp_path: Path) -> None:
    """By the next desk: conversations, names, results; a broken line is counted."""
    path = tmp_path / "desk.jsonl"
    token = fetch_token(stage.pool, stage.sandbox.appid, stage.sandbox.secret)
    desk = Desk(stage.pool, token, clock=stage.sandbox.clock, history=path)
    desk.receive(Push({"FromUserName": "oAnn", "MsgType": "text", "CreateTime": 1767240000, "Content": "您好"}))
    desk.view.composer.nickname.value = "Ann"
    write(desk, "hi")
    desk.send()
    stage.sandbox.fail_next(errcode=45047)
    write(desk, "once more")
    desk.send()
    before = desk.history
    desk.close()
    assert 0o600 == path.stat().st_mode & 0o777
    text = path.read_text("utf-8")
    assert "texts and openids" in text.splitlines()[0]
    assert str(token) not in text
    path.write_text(text + '{"half', "utf-8")
    again = Desk(stage.pool, token, clock=stage.sandbox.clock, history=path)
    assert before == again.history
    assert "1 lines of the history" in again.view.status.value
    again.select("oAnn")
    assert "Ann" in again.view.head.value
    assert "not sent: 45047" in bubbles(again)
    again.view.composer.nickname.value = "Anna"
    again.close()
    assert path.read_text("utf-8").splitlines()[-2:] == ['{"half', '{"customer": "oAnn", "nickname": "Anna"}']


def test_a_history_and_a_feed_that_are_both_read_again_show_a_push_once(stage: Stage, tmp_path: Path) -> None:
    """Each desk reads the feed from its beginning; what the history has is passed over, as a repetition is."""
    feed, path = tmp_path / "pushes.jsonl", tmp_path / "desk.jsonl"
    fields = {"FromUserName": "oAnn", "MsgType": "text", "CreateTime": 1767240000, "MsgId": 7, "Content": "您好"}
    feed.write_text(json.dumps(fields) + "\n", "utf-8")

    async def followed() -> None:
        desk = Desk(stage.pool, stage.token, clock=stage.sandbox.clock, history=path)
        follower = desk.follow(feed)
        await until(lambda: follower.count)
        await until(lambda: desk.history)
        desk.receive(Push(fields))
        assert 1 == len(desk.history)
        desk.close()

    on_a_loop(followed)
    on_a_loop(followed)
    again = Desk(stage.pool, stage.token, clock=stage.sandbox.clock, history=path)
    assert EN["choose"] in again.view.status.value
    again.close()


def test_a_result_of_a_conversation_that_is_not_shown_is_drawn_when_it_is(stage: Stage) -> None:
    """Nothing of it is put beside another customer."""
    write(stage.desk, "to Ann")
    stage.desk.select("oBob")
    ann = stage.desk._conversations.of("oAnn")
    stage.desk.send_to(ann)
    assert ["to Ann"] == inbox(stage, "oAnn")
    assert "to Ann" not in bubbles(stage.desk)
    stage.desk.select("oAnn")
    assert EN["accepted"] in stage.view.talk.markup[-1]


def test_a_history_that_cannot_be_kept_keeps_nobody_from_being_answered(stage: Stage, tmp_path: Path) -> None:
    """One that cannot be opened is told at once; one that is gone later is told, and the message sent."""
    with pytest.raises(InvalidMessage, match="history: cannot be opened"):
        Desk(stage.pool, "t", history=tmp_path)
    folder = tmp_path / "gone"
    folder.mkdir()
    desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock, history=folder / "desk.jsonl")
    (folder / "desk.jsonl").unlink()
    folder.rmdir()
    write(desk, "hi")
    desk.send()
    assert ["hi"] == inbox(stage, "oAnn")
    assert "cannot be written" in desk.view.status.value
    desk.close()


def test_a_name_that_arrives_late_is_given_to_whom_it_was_written_for(stage: Stage) -> None:
    """The browser may send a field after the press that chose another customer."""
    field = stage.view.composer.nickname
    stage.desk.select_next()
    field.value = "Ann"
    names = [stage.desk._conversations.of(touser).nickname for touser in ("oAnn", "oMallory")]
    assert (["Ann", ""], "") == (names, stage.view.composer.nickname.value)
    assert "oMallory" in stage.view.head.value


def test_a_download_goes_on_by_itself(stage: Stage) -> None:
    """It has a thread of its own, so a slow picture keeps no message back; a closed desk is not drawn."""

    async def slow() -> None:
        asked, answered = Event(), Event()

        def wait(seen: Any) -> None:
            if seen.path == DOWNLOAD:
                asked.set()
                assert answered.wait(20)

        desk = Desk(stage.sandbox.pool(on_request=wait), stage.token, touser="oAnn", clock=stage.sandbox.clock)
        event = stage.sandbox.user("oAnn").sends_image(sunset())
        push = {"FromUserName": "oAnn", "MsgType": event.kind, "CreateTime": int(event.at), **event.fields}
        desk.receive(Push(push))
        await until(asked.is_set)
        assert EN["loading"] in desk.view.talk.markup[-1]
        write(desk, "meanwhile")
        desk.send()
        await until(lambda: ["meanwhile"] == inbox(stage, "oAnn"))
        desk.close()
        answered.set()
        await until(lambda: desk._gallery.pictures._found)

    on_a_loop(slow)


# --- the front end's messages come in several threads, and in no order


async def in_a_subshell(action: Callable[[], object]) -> None:
    """Handle a message as JupyterLab and ipykernel 7 do what a field tells: in another thread."""
    await asyncio.get_running_loop().run_in_executor(None, action)


def test_a_click_that_overtakes_the_text_sends_the_text(stage: Stage) -> None:
    """The click is handled in the main thread, the text a moment later in another; it goes to whom it was aimed at."""

    async def hurried() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        field = desk.view.composer.fields["content"]
        desk.view.composer.send.click()
        await in_a_subshell(lambda: setattr(field, "value", "the whole text"))
        desk.view.people.list.index = None
        desk.select("oMallory")
        await until(lambda: ["the whole text"] == inbox(stage, "oAnn"))
        assert [] == inbox(stage, "oMallory")
        desk.close()

    on_a_loop(hurried)


def test_widgets_are_touched_in_the_desks_thread_only(stage: Stage) -> None:
    """Whichever thread a change, a click or an Enter arrives in; a text just told belongs to the Enter after it."""

    async def elsewhere() -> None:
        desk = Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock)
        threads: set[int] = set()
        desk.view.talk.pane.observe(lambda _: threads.add(get_ident()), "children")
        field = desk.view.composer.fields["content"]

        def told() -> None:
            field.value = "told first"
            submit(field)

        await in_a_subshell(told)
        await until(lambda: ["told first"] == inbox(stage, "oAnn"))
        assert {get_ident()} == threads
        desk.close()
        await in_a_subshell(lambda: setattr(field, "value", "too late"))

    on_a_loop(elsewhere)


def test_what_a_field_tells_after_the_loop_is_nobodys(stage: Stage) -> None:
    """A kernel that ends."""
    desks: list[Desk] = []

    async def opened() -> None:
        desks.append(Desk(stage.pool, stage.token, touser="oAnn", clock=stage.sandbox.clock))

    on_a_loop(opened)
    (desk,) = desks
    worker = Thread(target=lambda: write(desk, "too late"))
    worker.start()
    worker.join()
    push = Push({"FromUserName": "oAnn", "MsgType": "text", "CreateTime": 1, "Content": "x"})
    worker = Thread(target=lambda: desk.receive(push))
    worker.start()
    worker.join()
    assert "" == desk._conversations.of("oAnn").draft.get("text", "content")
    desk.close()
