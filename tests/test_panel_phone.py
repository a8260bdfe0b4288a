"""The phone: what the customer sees is what the sandbox delivered, and each button is something a customer can do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_panel_desk import picked, write
from wxcs_lite.messages import image, link, miniprogrampage, text, with_ai_label
from wxcs_lite.panel import Phone, demo
from wxcs_lite.panel.texts import words
from wxcs_lite.sandbox import Delivered, Sandbox, sunset
from wxcs_lite.transport import fetch_token, send, set_typing, upload

EN = words("en")


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone(Sandbox(), "ann")
    yield made
    made.close()


def screen(phone: Phone) -> list[str]:
    """Return the markup of the bubbles and lines, from the top."""
    return phone.talk.markup


def account(phone: Phone) -> tuple[Any, str]:
    sandbox = phone._sandbox
    pool = sandbox.pool()
    return pool, fetch_token(pool, sandbox.appid, sandbox.secret)


def test_what_the_customer_writes_stands_on_the_right(phone: Phone) -> None:
    """Under the time; an empty field writes nothing."""
    phone.write()
    assert [] == screen(phone)
    phone.message.value = "您好"
    phone.write()
    time, bubble = screen(phone)
    assert "wxcs-line" in time
    assert "wxcs-mine" in bubble
    assert "您好" in bubble
    assert "" == phone.message.value


def test_each_message_is_shown_once_however_they_are_drawn(phone: Phone) -> None:
    """Older bubbles stand together in one widget; of many that come at once the latest are drawn."""
    customer = phone._sandbox.user("ann")
    for number in range(30):
        customer.says(f"line {number}.")
        phone.refresh()
    drawn = "".join(widget.value for widget in phone.talk.pane.children)
    assert [f"line {number}." for number in range(30)] == re.findall(r"line \d+\.", drawn)
    for number in range(500):
        customer.says(f"more {number}.")
    phone.refresh()
    drawn = "".join(widget.value for widget in phone.talk.pane.children)
    assert [f"more {number}." for number in range(400, 500)] == re.findall(r"more \d+\.", drawn)
    assert "line 29." in drawn


def test_what_was_shown_is_not_copied_again(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone asks every second and at each press: only for what is new."""
    pool, token = account(phone)
    phone._sandbox.user("ann").says("hello?")
    send(pool, token, text("ann", "one"))
    phone.refresh()
    copied: list[Delivered] = []

    def copy(one: Delivered) -> Delivered:
        copied.append(one)
        return one

    monkeypatch.setattr("wxcs_lite.sandbox.customers._copied", copy)
    phone.refresh()
    assert [] == copied
    send(pool, token, text("ann", "two"))
    phone.refresh()
    assert 1 == len(copied)


def test_the_four_types_are_shown(phone: Phone) -> None:
    """The picture from its bytes, the link as a card, the mini-program card with its cover, and the AI line."""
    pool, token = account(phone)
    phone.message.value = "hello?"
    phone.write()
    media_id = upload(pool, token, sunset()).media_id
    send(pool, token, with_ai_label(text("ann", "I am a robot")))
    send(pool, token, image("ann", media_id))
    send(pool, token, link("ann", title="Track", description="d", url="https://a.cn/", thumb_url="https://a.cn/i.png"))
    send(pool, token, miniprogrampage("ann", title="Order", pagepath="pages/a", thumb_media_id=media_id))
    phone.refresh()
    robot, picture, card, program = screen(phone)[-4:]
    assert EN["ai_line"] in robot
    assert "data:image/png" in picture
    assert "wxcs-link" in card
    assert "Order" in program
    assert "data:image/png" in program
    before = screen(phone)
    phone.refresh()
    assert screen(phone) == before


def test_typing_is_shown_while_it_lasts(phone: Phone) -> None:
    """In the title, as WeChat does."""
    pool, token = account(phone)
    phone.message.value = "hello?"
    phone.write()
    set_typing(pool, token, "ann")
    phone.refresh()
    assert EN["is_typing"] in phone.top.value
    phone.advance_minute()
    assert EN["is_typing"] not in phone.top.value


def test_a_picture_is_sent(phone: Phone) -> None:
    """A small sunset, or one of the customer's own, whose bytes leave the widget at once."""
    phone.send_picture()
    assert "data:image/png" in screen(phone)[-1]
    picked(phone.file, sunset(), "mine.png")
    assert () == phone.file.value
    assert "mine.png" in phone.ready.value
    phone.send_picture()
    assert phone._sandbox.events[-1].picture == sunset()
    assert "mine.png" not in phone.ready.value
    phone.file.value = ()


def test_the_session_is_entered(phone: Phone) -> None:
    """A grey line says so."""
    phone.enter_session()
    assert EN["session_line"] in screen(phone)[-1]


def test_the_clock_is_moved(phone: Phone) -> None:
    """A minute or two days: windows close before the customer's eyes."""
    now = phone._sandbox.clock()
    phone.advance_minute()
    phone.advance_two_days()
    assert phone._sandbox.clock() == now + 60 + 48 * 3600


def test_a_push_without_an_answer_is_told_by_the_phone(phone: Phone) -> None:
    """As WeChat does: the service is unavailable; in Chinese, in the words that customers have read."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
            start_response("200 OK", [])
            return [query["echostr"].encode()]
        start_response("500 Internal Server Error", [])
        return []

    phone._sandbox.push_to(application, token="AAAAA")
    phone.message.value = "anybody?"
    phone.write()
    assert EN["no_answer"] in screen(phone)[-1]
    phone.speak("zh")
    phone.message.value = "有人吗？"
    phone.write()
    assert "该小程序客服暂时无法提供服务，请稍后再试" in screen(phone)[-1]


def test_another_customer_is_not_on_this_phone(phone: Phone) -> None:
    """Each has their own."""
    phone._sandbox.user("bob").says("hi")
    phone.refresh()
    assert [] == screen(phone)


def test_only_the_last_bubbles_stay(phone: Phone) -> None:
    """A thousand in one cell: no widget is closed, because the browser may not have built it yet."""
    before = set(phone._kit._made)
    for number in range(1000):
        phone._sandbox.user("ann").says(f"message {number}")
        phone.refresh()
    made = [widget for widget in phone._kit._made.values() if widget.model_id not in before]
    assert before <= set(phone._kit._made)
    assert len(made) < 30
    assert all(widget.comm is not None for widget in made)
    assert len(screen(phone)) <= 300
    assert "message 999" in screen(phone)[-1]
    phone.speak("zh")
    assert 100 <= len(screen(phone)) <= 200


def test_the_language_is_switched(phone: Phone) -> None:
    """Labels and what is on the screen already."""
    phone.enter_session()
    phone.speak("zh")
    assert "zh" == phone.lang
    assert "发送" in [getattr(widget, "description", "") for widget in phone._kit._made.values()]
    assert "客服" in phone.top.value
    assert words("zh")["session_line"] in screen(phone)[-1]


def test_an_unexpected_exception_is_a_visible_line(phone: Phone) -> None:
    """Also one from a hook; the next action takes it away."""

    def broken() -> None:
        raise KeyError("SECRET")

    phone.after_each.append(broken)
    phone.enter_session()
    assert "Unexpected: KeyError" in phone.error.value
    assert "SECRET" not in phone.error.value
    phone.after_each.clear()
    phone.enter_session()
    assert "" == phone.error.value


def test_a_closed_phone_does_nothing(phone: Phone) -> None:
    """Its buttons are gone."""
    phone.close()
    phone.close()
    phone.enter_session()
    phone.refresh()
    assert () == phone._sandbox.events
    assert "<Phone of ann, closed>" == repr(phone)
    assert {"text/plain": "<Phone, closed>"} == phone._repr_mimebundle_()


def test_the_demo_is_a_conversation() -> None:
    """A phone's message reaches the desk at once, an answer the phone; and the language is one."""
    shown = demo()
    shown.phone.message.value = "hello?"
    shown.phone.write()
    assert "hello?" in shown.desk.view.talk.markup[-1]
    write(shown.desk, "hi there")
    shown.desk.send()
    assert "hi there" in screen(shown.phone)[-1]
    shown.desk.switch_language()
    assert "zh" == shown.phone.lang
    shown.close()
    shown.close()
    assert "<Demo, closed>" == repr(shown)
    assert {"text/plain": "<Demo, closed>"} == shown._repr_mimebundle_()


def test_the_demo_travels_past_a_tokens_life() -> None:
    """48 hours are 24 lives of a token: fresh_token goes by the sandbox's clock."""
    shown = demo("zh")
    for _ in range(3):
        shown.phone.advance_two_days()
        shown.phone.enter_session()
        write(shown.desk, "您好")
        shown.desk.send()
        assert "已受理" in shown.desk.view.talk.markup[-1]
    shown.close()
