"""What the page shows: what is new since it last asked, in words that are ready, and bounded."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from wxcs_lite.look.words import Language
from wxcs_lite.messages import text
from wxcs_lite.push import push_app as as_push_app
from wxcs_lite.push import transfer_to_agent
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.door import board as board_module
from wxcs_lite.sandbox.door.board import CALLS, PUSHES, Asked, Board
from wxcs_lite.transport import fetch_token, send, set_typing

PATH = "/cgi-bin/getcallbackip"


class Page:
    """What a page would ask, and know afterwards."""

    def __init__(self, board: Board, openid: str = "", lang: Language = "en") -> None:
        self.board = board
        self.asked = Asked(openid, 0, 0, "", lang)

    def news(self) -> dict[str, Any]:
        news = self.board.news(self.asked)
        have = news["phone"]["have"] if news["phone"] else 0
        self.asked = self.asked._replace(since=news["number"], have=have, state=news["state"])
        return news


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def board(sandbox: Sandbox) -> Iterator[Board]:
    board = Board(sandbox._core)
    with sandbox.watch(board.note):
        yield board


def account(sandbox: Sandbox) -> tuple[Any, str]:
    pool = sandbox.pool()
    return pool, fetch_token(pool, sandbox.appid, sandbox.secret)


def test_customers_come_in_the_order_of_their_last_change(sandbox: Sandbox, board: Board) -> None:
    """The page puts each on top of its list, so that the newest is there; only those that changed come again."""
    page = Page(board)
    for openid in ("ann", "bob", "carl"):
        sandbox.user(openid).says(f"I am {openid}")
    assert ["ann", "bob", "carl"] == [row["openid"] for row in page.news()["customers"]]
    pool, token = account(sandbox)
    page.news()
    send(pool, token, text("ann", "hello Ann"))
    assert [("ann", "hello Ann")] == [(row["openid"], row["said"]) for row in page.news()["customers"]]
    assert [] == page.news()["customers"]


def test_somebody_who_has_done_nothing_is_there(sandbox: Sandbox, board: Board) -> None:
    """A program that only asked for a customer wants to see the phone."""
    page = Page(board)
    sandbox.user("ann")
    assert [{"openid": "ann", "said": "", "at": ""}] == page.news()["customers"]
    sandbox.user("bob").says("hi")
    sandbox.user("carl")
    assert {"bob", "carl"} == {row["openid"] for row in page.news()["customers"]}
    assert [] == page.news()["customers"]


def test_many_customers(sandbox: Sandbox, board: Board) -> None:
    """The last thousand are listed, and it says how many others there are."""
    for number in range(1003):
        sandbox.user(f"c{number}")
    news = Page(board).news()
    assert 1000 == len(news["customers"])
    assert ("c3", "c1002") == (news["customers"][0]["openid"], news["customers"][-1]["openid"])
    assert "3 more: find them by their openid" == news["more"]


def test_a_phone_grows(sandbox: Sandbox, board: Board) -> None:
    """First all that is on it, then what was added; the time stands where it did on the whole phone."""
    ann = sandbox.user("ann")
    ann.says("first")
    page = Page(board, "ann")
    phone = page.news()["phone"]
    assert (True, 2, 1) == (phone["reset"], len(phone["rows"]), phone["have"])
    ann.says("second")
    phone = page.news()["phone"]
    assert (False, 1, 2) == (phone["reset"], len(phone["rows"]), phone["have"])
    sandbox.advance(600)
    ann.says("third")
    rows = page.news()["phone"]["rows"]
    assert ["wxcs-line", "wxcs-row"] == [row[12:21].rstrip() for row in rows]


def test_a_long_conversation_begins_anew(sandbox: Sandbox, board: Board) -> None:
    """A hundred bubbles at once are enough; a page that missed more, or knows more than there is, starts again."""
    ann = sandbox.user("ann")
    for number in range(150):
        ann.says(str(number))
    page = Page(board, "ann")
    phone = page.news()["phone"]
    assert (True, 150, 101) == (phone["reset"], phone["have"], len(phone["rows"]))
    for number in range(101):
        ann.says(str(number))
    assert page.news()["phone"]["reset"]
    page.asked = page.asked._replace(have=1000)
    assert (True, 101) == ((phone := page.news()["phone"])["reset"], len(phone["rows"]))


def test_not_every_picture_is_sent_at_once(sandbox: Sandbox, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones are shown; for the others there is a grey box."""
    monkeypatch.setattr(board_module, "_PICTURES", 2 * len(sunset()) + 10)
    ann = sandbox.user("ann")
    for _ in range(3):
        ann.sends_image(sunset())
    ann.says("a text")
    rows = Page(board, "ann").news()["phone"]["rows"]
    assert [False, False, True, True, False] == ["<img" in row for row in rows]
    assert "wxcs-nopic" in rows[1]


def test_typing_ends_by_itself(sandbox: Sandbox, board: Board) -> None:
    """What depends on the time alone is new, too, though nothing happened."""
    sandbox.user("ann").says("hi")
    page = Page(board, "ann")
    assert "Customer service" == page.news()["now"]["who"]
    pool, token = account(sandbox)
    set_typing(pool, token, "ann")
    assert "typing…" == page.news()["now"]["who"]
    assert page.news()["now"] is None
    sandbox._core._advanced += 16
    assert "Customer service" == page.news()["now"]["who"]


def test_the_reply_window_in_words(sandbox: Sandbox, board: Board) -> None:
    """How many messages are left, that none is, that it has closed; and nothing without a customer."""
    ann, page = sandbox.user("ann"), Page(board, "ann")
    assert "Reply window closed: the customer has to write first" == page.news()["now"]["window"]
    ann.enters_session()
    assert page.news()["now"]["window"].startswith("Messages left: 2, until ")
    pool, token = account(sandbox)
    for word in ("one", "two"):
        send(pool, token, text("ann", word))
    assert "No message left: the customer has to write" == page.news()["now"]["window"]
    sandbox.advance(61)
    assert page.news()["now"]["window"].startswith("Reply window closed")
    assert "" == Page(board).news()["now"]["window"]
    assert Page(board, "nobody").news()["phone"] is None


def test_calls_with_their_results(sandbox: Sandbox, board: Board) -> None:
    """An errcode, ok, the status of what is no JSON, or that there was no reply."""
    pool, token = account(sandbox)
    sandbox.user("ann")
    send_path = f"/cgi-bin/message/custom/send?access_token={token}"
    pool.request("POST", send_path, json={"touser": "ann", "msgtype": "text", "text": {"content": "x"}})
    pool.request("GET", "/nowhere")
    sandbox.fail_next(drop="before")
    with pytest.raises(Exception, match="without response"):
        pool.request("GET", PATH, retries=False)
    page = Page(board)
    calls = page.news()["calls"]
    assert [("ok", True), ("45015", False), ("HTTP 404", False), ("no reply", False)] == [
        (call["result"], call["ok"]) for call in calls
    ]
    assert ["", "ann", "", ""] == [call["openid"] for call in calls]
    assert ["POST", "POST", "GET", "GET"] == [call["method"] for call in calls]
    assert token not in repr(calls)
    kept = board.call(calls[1]["id"])
    assert kept is not None
    assert kept.seen.errcode == 45015
    assert board.call(0) is None
    assert [] == page.news()["calls"]


def test_pushes_with_their_answers(sandbox: Sandbox, board: Board) -> None:
    """Each attempt; what was answered; an agent who takes over."""
    status = "200 OK"

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        start_response("200 OK" if "echostr" in query else status, [])
        return [query.get("echostr", "success").encode()]

    def hangs_up(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return application(environ, start_response)
        raise ConnectionError

    page, ann = Page(board, "ann"), sandbox.user("ann")
    sandbox.push_to(application, token="AAAAA")
    ann.says("hi")
    status = "500 Internal Server Error"
    ann.enters_session()
    assert [("hi", 1, "success", True), *((ENTERED, attempt, "HTTP 500", False) for attempt in range(1, 5))] == [
        (push["said"], push["attempt"], push["result"], push["ok"]) for push in page.news()["pushes"]
    ]
    assert "unavailable" in Page(board).news()["customers"][0]["said"]
    sandbox.push_to(hangs_up, token="AAAAA")
    ann.says("hm")
    assert {"no answer"} == {push["result"] for push in page.news()["pushes"]}
    assert not page.board._pushes[-1][2].status
    sandbox.push_to(as_push_app(transfer_to_agent, token="AAAAA"), token="AAAAA")
    ann.says("an agent, please")
    news = page.news()
    assert "handed to an agent" == news["pushes"][0]["result"]
    assert news["now"]["agent"]
    kept = board.push(news["pushes"][0]["id"])
    assert kept is not None
    assert "transfer" == kept.answer
    assert board.push(0) is None


ENTERED = "(entered the customer-service session)"


def test_the_log_is_bounded(sandbox: Sandbox, board: Board) -> None:
    """However many calls there are, the last ones are kept, the newest last."""
    pool = sandbox.pool()
    for _ in range(CALLS + 5):
        pool.request("GET", PATH)
    calls = Page(board).news()["calls"]
    assert CALLS == len(calls)
    assert calls[-1]["id"] - calls[0]["id"] == CALLS - 1
    assert board._pushes.maxlen == PUSHES


def test_planned_faults_are_told(sandbox: Sandbox, board: Board) -> None:
    """All kinds, and not more than a handful."""
    page = Page(board)
    assert "" == page.news()["now"]["planned"]
    sandbox.fail_next(errcode=45047)
    sandbox.fail_next(errcode=-1, path=PATH)
    sandbox.fail_next(drop="before")
    sandbox.fail_next(slow=2.5)
    sandbox.fail_next(reply=b"")
    told = f"Planned: 45047, -1 ({PATH}), lost before the call arrives, reply 2.5 s late, another reply"
    assert told == page.news()["now"]["planned"]
    sandbox.fail_next(errcode=-1, times=5)
    assert page.news()["now"]["planned"].endswith(", -1, …")


def test_in_chinese(sandbox: Sandbox, board: Board) -> None:
    """All texts are in the language of the page."""
    sandbox.user("ann").enters_session()
    news = Page(board, "ann", "zh").news()
    assert "客服" == news["now"]["who"]
    assert "还可下发 2 条" in news["now"]["window"]
    assert "(进入客服会话)" == news["customers"][0]["said"]


def test_who_waits_is_woken(sandbox: Sandbox, board: Board) -> None:
    """By whatever happens, by a change that is no happening, by the end; and if time alone changes something."""
    page = Page(board, "ann")
    sandbox.user("ann").says("hi")
    for wakes in (
        lambda: sandbox.advance(1),
        board.wake,
        lambda: sandbox.user("bob"),
        lambda: setattr(sandbox._core, "_advanced", 49 * 3600.0),
        board.close,
    ):
        page.news()
        got: list[dict[str, Any]] = []
        waiting = Thread(target=lambda got=got: got.append(board.wait(page.asked, 600)))
        waiting.start()
        wakes()
        waiting.join(30)
        assert 1 == len(got)


def test_nobody_waits_longer_than_asked(board: Board) -> None:
    """Then there is no news."""
    page = Page(board)
    page.news()
    assert page.asked.since == board.wait(page.asked, 0.0)["number"]
