"""What a terminal is told of the served sandbox: in one language, in whole lines, with no secret or control sign."""

import io
from string import Formatter
from urllib.parse import parse_qsl

import pytest

from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.sandbox import Advanced, Arrived, Delivered, Pushed, Sandbox, sunset
from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.pushes.answers import in_two_languages
from wxcs_lite.sandbox.watching import Happening, called
from wxcs_lite.terminal.serving_words import TEXTS
from wxcs_lite.terminal.telling import Teller


def told(happening: Happening, lang: Language = "en", *, verbose: bool = True, before: str = "") -> str:
    out = io.StringIO()
    Teller(lang, out, verbose=verbose).tell(happening, before)
    return out.getvalue()


def test_both_languages_say_the_same() -> None:
    """Each text has the same places to fill."""
    assert {name: fields(text) for name, text in TEXTS["en"].items()} == {
        name: fields(text) for name, text in TEXTS["zh"].items()
    }


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(
    "target",
    [
        "/cgi-bin/x?ACCESS_TOKEN={}",
        "/cgi-bin/x?token={}",
        "/cgi-bin/x?a={}",
        "/cgi-bin/{}/x",
        "/{}?access_token=1",
        "/x?{}",
    ],
)
@pytest.mark.parametrize("token", ["80_" + "qW3eR5tY7u" * 12, "80_made-up-token", "0f1e2d3c" * 4])
def test_what_is_shown_of_a_request_holds_no_token(target: str, token: str) -> None:
    """Whatever the parameter is called, and in the path too."""
    path, _, query = target.format(token).partition("?")
    request = Request("GET", path, tuple(parse_qsl(query, keep_blank_values=True)), {}, b"", True)
    assert token not in told(called(request, None, 0.0, 0.0))


REQUEST = Request("POST", "/", (), {}, b"", False)


@pytest.mark.parametrize(
    ("status", "answer", "attempt", "why", "en", "zh"),
    [
        (200, "success", 1, "", "HTTP 200, success", "HTTP 200，成功"),
        (200, "success", 2, "", "HTTP 200, success (attempt 2)", "HTTP 200，成功（第 2 次）"),
        (200, "empty", 1, "", "HTTP 200, an empty answer, which is as good as success", "HTTP 200，应答为空，等同成功"),
        (200, "transfer", 1, "", "HTTP 200, handed over to an agent", "HTTP 200，转人工客服"),
        (None, "failed", 1, "no\x1b way\n没\x1b有", "no answer, failed (no  way)", "无应答，失败（没 有）"),
        (500, "failed", 3, "HTTP 500", "HTTP 500, failed (attempt 3, HTTP 500)", "HTTP 500，失败（第 3 次，HTTP 500）"),
        (
            200,
            "abnormal",
            1,
            "why\n原因",
            "HTTP 200, a wrong answer, so the phone shows a notice (why)",
            "HTTP 200，应答有误，手机上出现提示（原因）",
        ),
    ],
)
def test_a_push(status: int | None, answer: str, attempt: int, why: str, en: str, zh: str) -> None:
    """What was answered, which attempt it was if it was not the first, and why it was no good."""
    en_why, zh_why = in_two_languages(why)
    pushed = Pushed(Sandbox().user("ann").says("hi"), attempt, status, answer, en_why, REQUEST, zh_why)
    assert f"pushed for ann: {en}\n" == told(pushed)
    assert f"已推送 wx1/ann 的事件：{zh}\n" == told(pushed, "zh", before="wx1/")


@pytest.mark.parametrize(
    ("message", "picture", "line"),
    [
        ({"msgtype": "text", "text": {"content": "你好\n\x1b[2J"}}, None, "你好  [2J"),
        ({"msgtype": "text", "text": {"content": "x" * 300}}, None, "x" * 200 + "…"),
        ({"msgtype": "image", "image": {"media_id": "M" * 64}}, b"123", "[picture] MMMMMMMMMMMM… (3 bytes)"),
        ({"msgtype": "link", "link": {"title": "T", "url": "https://a.cn"}}, None, "[Link] T"),
        ({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "T"}}, b"", "[Card] T (0 bytes)"),
    ],
)
def test_a_message(message: dict[str, object], picture: bytes | None, line: str) -> None:
    """In one line that no message can leave, and not without end."""
    arrived = Arrived("ann", Delivered(0.0, message, picture, False))
    assert f"-> ann: {line}\n" == told(arrived)
    assert told(arrived, "zh", before="wx1/").startswith("-> wx1/ann：")


def test_what_customers_do() -> None:
    """What it allows us is said with it."""
    ann = Sandbox().user("ann")
    events = [ann.says("hi"), ann.sends_image(sunset()), ann.sends_card(), ann.enters_session()]
    assert [
        "ann wrote; you may answer with 5 messages within 48 h\n",
        "ann sent a picture; you may answer with 5 messages within 48 h\n",
        "ann sent a card; you may answer with 5 messages within 48 h\n",
        "ann entered the session, which allows 2 messages within 1 minute\n",
    ] == [told(event) for event in events]
    assert [
        "ann 发来了一条消息，48 小时内最多可回复 5 条\n",
        "ann 发来一张图片，48 小时内最多可回复 5 条\n",
        "ann 发来一张小程序卡片，48 小时内最多可回复 5 条\n",
        "ann 进入了会话，1 分钟内最多可下发 2 条\n",
    ] == [told(event, "zh") for event in events]


def test_time() -> None:
    """In the time of no country."""
    assert "The sandbox's time is 2026-01-01 04:00:00 UTC now\n" == told(Advanced(Sandbox().clock(), 1.0))


def test_a_call() -> None:
    """Whom it is for, what it was answered and how long it took; no control character of a query gets through."""
    request = Request("GET", "/x", (("a", "\x1b[2J"),), {"content-type": "a/b"}, b'{"touser": "a\\u001bnn"}', True)
    call = called(request, Reply(200, (), b"", 7), 0.0, 0.00125)
    assert "GET /x?a= [2J [23 bytes of a/b] -> HTTP 200 errcode 7, a nn, 1.2 ms\n" == told(call)
    assert "GET /x?a= [2J [23 bytes of a/b] -> HTTP 200 errcode 7, wx1/a nn, 1.2 ms\n" == told(call, before="wx1/")
    assert "" == told(call, verbose=False)
    lost = called(Request("GET", "/x", (), {}, b"", True), None, 0.0, 0.0)
    assert "GET /x [] -> no answer, 0.0 ms\n" == told(lost)
    assert "GET /x [] -> 无应答, wx1, 0.0 ms\n" == told(lost, "zh", before="wx1/")


def test_nobody_reads_any_more() -> None:
    """A pipe that was closed is no error of the call that would be printed."""

    class Closed(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    Teller("en", Closed()).tell(Advanced(0.0, 1.0))


def test_every_row_has_two_languages() -> None:
    """And no text is empty."""
    assert {*TEXTS["en"]} == {*TEXTS["zh"]}
    assert all(text for lang in LANGUAGES for text in TEXTS[lang].values())
