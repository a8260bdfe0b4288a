"""A dry run's account: what would be sent, what it costs of the day's calls, and what looks odd."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from wxcs_lite import miniprogrampage, text
from wxcs_lite.endpoints import send
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.terminal.message_list import Line, Numbered, Wrong
from wxcs_lite.terminal.survey import look_over, survey


def lines(*given: Any) -> Iterator[Line | Wrong]:
    """Yield messages, (key, message)s and reasons as lines."""
    for number, each in enumerate(given, 1):
        if isinstance(each, str):
            yield Wrong(number, (each, f"{each}（中）"))
        else:
            key, message = each if isinstance(each, tuple) else (None, each)
            yield Line(key, Numbered(number, message))


def told(*given: Any, rate: float | None = None, lang: Language = "en") -> list[str]:
    return survey(lines(*given), rate=rate, lang=lang)[1].splitlines()


def test_messages_and_customers_and_kinds() -> None:
    """And their share of what WeChat allows in a day, with all bytes of all bodies."""
    card = miniprogrampage("bob", title="t", pagepath="pages/a", thumb_media_id="M")
    hello = [text("ann", f"hello {'x' * 1000}{number}") for number in range(999)]
    kilobytes = sum(len(bytes(send(message).body or b"")) for message in [*hello, card]) / 1e3
    assert [
        "messages: 1,000 (999 text, 1 miniprogrampage), customers: 2; nothing was sent",
        "  1 × a customer with more than five: WeChat refuses the sixth until they write again",
        f"cost: 1,000 calls, {kilobytes:,.0f} KB: 0.20% of the 500,000 calls a day of a verified account, "
        "2.00% of the 50,000 of a test account",
        "time: 50 s or more, at 20 messages a second",
    ] == told(*hello, card, rate=20)


def test_advice_is_counted_by_field_with_the_first_line() -> None:
    """The list may be long, so what is alike is told once."""
    found = told(text("ann", "x"), text("a nn", "好" * 700), text("b b", "好" * 800))
    assert found[1].startswith("  2 × touser, first on line 2: does not look like an openid")
    assert found[2].startswith("  2 × content, first on line 2: is 2100 bytes of UTF-8")


def test_as_json() -> None:
    """For a program; the remarks are in both languages."""
    hello = text("ann", "hello")
    (line,) = survey(lines(hello, hello, text("a nn", "x"), "no"), rate=None, lang="en", as_json=True)[1].splitlines()
    found = json.loads(line)
    (remark,) = found.pop("remarks")
    assert ("touser", 1, 3) == (remark["field"], remark["times"], remark["line"])
    assert remark["en"].startswith("does not look like an openid")
    assert not remark["zh"].isascii()
    assert {
        "messages": 3, "kinds": {"text": 3}, "customers": 2, "bytes": found["bytes"],
        "duplicates": 0, "equal": 1, "crowded": 0, "invalid_lines": 1,
    } == found  # fmt: skip
    assert found["bytes"] > 150


def test_equal_messages_and_keys_that_come_twice() -> None:
    """A key makes the second one a duplicate; without keys both are sent, and that may not be meant."""
    hello = text("ann", "hello")
    found = told(hello, hello, ("a", hello), ("a", hello), ("b", hello))
    assert "messages: 4 (4 text), customers: 1; nothing was sent" == found[0]
    assert ["  1 × a key that came before: skipped", "  1 × equal to another message, without a key: each is sent"] == [
        line for line in found if " × " in line
    ]


def test_five_messages_of_a_customer_are_not_odd() -> None:
    """The sixth is."""
    five = [text("ann", f"hello {number}") for number in range(5)]
    assert not [line for line in told(*five) if "more than five" in line]
    assert [line for line in told(*five, text("ann", "hello 5"), text("ann", "hello 6")) if "1 × a customer" in line]


def test_an_empty_list() -> None:
    """Nothing costs nothing."""
    assert "messages: 0, customers: 0; nothing was sent" == told()[0]
    assert "消息 0 条，用户 0 个；没有发送" == told(lang="zh")[0]


def test_in_chinese() -> None:
    """All of it."""
    six = [text("a nn", "您好")] * 6
    assert [
        "消息 6 条（6 text），用户 1 个；没有发送",
        "  6 × touser，首次出现在第 1 行：不像是 openid（只含字母、数字、_ 和 -），微信可能返回 40003",
        "  5 × 与另一条消息相同且没有 key：每条都会发送",
        "  1 个用户的消息超过 5 条：第 6 条起微信会拒绝，直到用户再次发来消息",
        "用量：6 次调用，0 KB；占认证账号每日 500,000 次的 0.00%，占测试号每日 50,000 次的 0.01%",
        "耗时：按每秒 2 条，至少 3 秒",
    ] == told(*six, rate=2, lang="zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_no_message_is_shown_up_to_a_number(lang: Language) -> None:
    """Twenty lines, and how many more; the terminal gets no control characters."""
    found = look_over(lines(*["bad\x1b[2J"] * 23, text("ann", "hello")))
    assert (1, 23) == (found.messages, found.wrong)
    shown = found.lines(lang)
    assert 21 == len(shown)
    assert ("第 1 行：bad [2J（中）" if lang == "zh" else "line 1: bad [2J") == shown[0]
    assert ("另有 3 行不是消息" if lang == "zh" else "more lines that are not messages: 3") == shown[-1]
    assert 20 == len(look_over(lines(*["bad"] * 20)).lines(lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_dry_run_shows_them_too(lang: Language) -> None:
    """They are no part of the account."""
    found, account = survey(lines("bad", text("ann", json.dumps({}))), rate=None, lang=lang)
    assert 1 == len(found.lines(lang))
    assert " 1 " in account.splitlines()[0]
