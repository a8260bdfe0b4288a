"""The phone in a notebook: a customer and an inbox show themselves, as a picture of that moment."""

import time
from typing import Any

import pytest

from tests.test_look_bubbles import ATTACKS, Seen
from wxcs_lite.look.words import words
from wxcs_lite.messages import image, link, miniprogrampage, text, with_ai_label
from wxcs_lite.sandbox import Delivered, Sandbox, sunset
from wxcs_lite.sandbox.rules.people import NO_ANSWER, WRONG_ANSWER
from wxcs_lite.transport import fetch_token, send, set_typing, upload


def account(sandbox: Sandbox) -> tuple[Any, str]:
    pool = sandbox.pool()
    return pool, fetch_token(pool, sandbox.appid, sandbox.secret)


def test_a_customer_shows_the_whole_conversation() -> None:
    """Both sides in the order in which things happened, although the clock stands still."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    pool, token = account(sandbox)
    ann.enters_session()
    send(pool, token, with_ai_label(text("ann", "welcome")))
    ann.says("first")
    send(pool, token, text("ann", "second"))
    ann.sends_image(sunset())
    media_id = upload(pool, token, sunset()).media_id
    send(pool, token, image("ann", media_id))
    send(pool, token, miniprogrampage("ann", title="order", pagepath="p", thumb_media_id=media_id))
    send(pool, token, link("ann", title="parcel", description="d", url="https://a.cn/", thumb_url="https://a.cn/i"))
    markup = ann._repr_html_()
    said = Seen(markup).text.partition("ann")[2]  # the style sheet comes first
    order = ["entered the customer-service session", "welcome", "Written by AI", "first", "second", "order"]
    assert sorted(order, key=said.index) == order
    assert 3 == markup.count("data:image/png;base64,")
    assert 2 == markup.count('"wxcs-row wxcs-mine"')
    assert "Customer service 客服" in said
    set_typing(pool, token, "ann")
    assert "对方正在输入…" in Seen(ann._repr_html_()).text


def test_an_inbox_is_a_tuple_that_shows_what_arrived() -> None:
    """And nothing that the customer wrote; it compares, counts and indexes as before."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    pool, token = account(sandbox)
    ann.says("a question")
    send(pool, token, text("ann", "an answer"))
    inbox = ann.inbox
    said = Seen(inbox._repr_html_()).text
    assert "(Delivered(" == repr(inbox)[:11]
    assert "an answer" in said
    assert "a question" not in said
    assert ((sandbox.clock(), text("ann", "an answer"), None, False),) == inbox


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_from_either_side_is_text(attack: str) -> None:
    """A customer's words and the API's fields."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    plain = ann._repr_html_()
    clean = attack.encode("utf-8", "replace").decode()
    ann.says(clean)
    ann.sends_card(title=clean, pagepath=clean)
    ann.enters_session(clean)
    pool, token = account(sandbox)
    send(pool, token, text("ann", clean))
    send(pool, token, {"touser": "ann", "msgtype": "link", "link": dict.fromkeys(LINK, clean)})
    markup = ann._repr_html_()
    assert 1 == markup.count("<style") == plain.count("<style")
    seen = Seen(markup)
    assert {"div", "style", "span", "svg", "path", "circle"} == set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("style", "src", "href")]


LINK = ("title", "description", "url", "thumb_url")


def test_a_notice_is_shown() -> None:
    """In the words that customers have read, and in English."""
    sandbox = Sandbox()

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        start_response("200 OK" if "echostr" in query else "500 Internal Server Error", [])
        return [query.get("echostr", "").encode()]

    sandbox.push_to(application, token="AAAAA")
    ann = sandbox.user("ann")
    ann.says("anybody?")
    assert f"please try again later {NO_ANSWER}" in Seen(ann._repr_html_()).text
    assert ["text", "notice"] == [getattr(one, "kind", "notice") for one in ann.screen]
    assert ann.notices == ann.screen[1:]


def test_notices_are_in_the_words_of_the_sandbox() -> None:
    """The Chinese texts of the phone are those that customers have read."""
    assert [NO_ANSWER, WRONG_ANSWER] == [words("zh")["no_answer"], words("zh")["wrong_answer"]]


def test_a_notebook_does_not_grow_with_the_conversation() -> None:
    """The last fifty bubbles, and no picture that is large."""
    ann = Sandbox().user("ann")
    for number in range(60):
        ann.says(f"message {number}.")
    ann.sends_image(sunset() + bytes(300_000))
    markup = ann._repr_html_()
    assert "message 11." in markup
    assert "message 10." not in markup
    assert len(markup) < 20_000


def test_a_screen_gives_copies() -> None:
    """Changing what it returned changes nothing on the phone."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    ann.says("hi")
    pool, token = account(sandbox)
    send(pool, token, text("ann", "x"))
    delivered = ann.screen[1]
    assert isinstance(delivered, Delivered)
    delivered.message["text"]["content"] = "changed"
    assert {"content": "x"} == ann.inbox[0].message["text"]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_the_times_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lesson's file, made in one country, is the same when it is run in another: the sandbox begins at noon."""
    customer = Sandbox().user("ann")
    customer.says("hello")
    shown = set()
    for zone in ("Asia/Shanghai", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        shown.add(customer._repr_html_())
    monkeypatch.undo()
    time.tzset()
    (html,) = shown
    assert 2 == html.count("01-01 12:00")
