"""What a list would cost and what looks odd about it, counted without sending anything."""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import NamedTuple

from wxcs_lite import endpoints
from wxcs_lite.batch.keys import Seen, digest_of
from wxcs_lite.look.words import Language
from wxcs_lite.remarks import Remark, check
from wxcs_lite.sandbox.rules.quota import DAILY
from wxcs_lite.terminal.environment import printable
from wxcs_lite.terminal.message_list import Line, Wrong

__all__ = ["TEST_ACCOUNT", "Found", "look_over", "survey"]

_SHOWN = 20  # lines that are not messages
_KINDS = 8  # msgtypes; WeChat may have new ones, but not many
_WINDOW = 5  # messages that a customer's message allows
_ALLOWED = DAILY["/cgi-bin/message/custom/send"]
TEST_ACCOUNT = 50_000  # calls a day; from the same page
# https://developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits.html

_TEXTS = {
    "en": {
        "all": "messages: {messages:,}{kinds}, customers: {customers:,}; nothing was sent",
        "remark": "  {count:,} × {field}, first on line {line}: {text}",
        "duplicates": "  {count:,} × a key that came before: skipped",
        "equal": "  {count:,} × equal to another message, without a key: each is sent",
        "crowded": "  {count:,} × a customer with more than five: WeChat refuses the sixth until they write again",
        "cost": "cost: {messages:,} calls, {kilobytes:,.0f} KB: {share:.2%} of the {allowed:,} calls a day of a "
        "verified account, {test_share:.2%} of the {test:,} of a test account",
        "time": "time: {seconds:,.0f} s or more, at {rate:g} messages a second",
        "wrong": "line {number}: {reason}",
        "more": "more lines that are not messages: {count:,}",
    },
    "zh": {
        "all": "消息 {messages:,} 条{kinds}，用户 {customers:,} 个；没有发送",
        "remark": "  {count:,} × {field}，首次出现在第 {line} 行：{text}",
        "duplicates": "  {count:,} × key 重复：将跳过",
        "equal": "  {count:,} × 与另一条消息相同且没有 key：每条都会发送",
        "crowded": "  {count:,} 个用户的消息超过 5 条：第 6 条起微信会拒绝，直到用户再次发来消息",
        "cost": "用量：{messages:,} 次调用，{kilobytes:,.0f} KB；占认证账号每日 {allowed:,} 次的 {share:.2%}，"
        "占测试号每日 {test:,} 次的 {test_share:.2%}",
        "time": "耗时：按每秒 {rate:g} 条，至少 {seconds:,.0f} 秒",
        "wrong": "第 {number} 行：{reason}",
        "more": "另有 {count:,} 行不是消息",
    },
}


class Found:
    """The lines of a list that are not messages: how many of them, and the first ones."""

    def __init__(self) -> None:
        self.messages = self.wrong = 0
        self.first: list[Wrong] = []

    def take(self, wrong: Wrong) -> None:
        self.wrong += 1
        if len(self.first) < _SHOWN:
            self.first.append(wrong)

    def lines(self, lang: Language) -> list[str]:
        """Return what is wrong with which line."""
        texts = _TEXTS[lang]
        told = [
            texts["wrong"].format(number=each.number, reason=printable(each.reason[lang == "zh"]))
            for each in self.first
        ]
        return [*told, texts["more"].format(count=self.wrong - _SHOWN)] if self.wrong > _SHOWN else told


def look_over(lines: Iterable[Line | Wrong]) -> Found:
    """Return how many messages there are, and which lines are none."""
    found = Found()
    for each in lines:
        if isinstance(each, Wrong):
            found.take(each)
        else:
            found.messages += 1
    return found


class _Remarks(NamedTuple):
    times: int
    line: int
    first: Remark


def survey(
    lines: Iterable[Line | Wrong], *, rate: float | None, lang: Language, as_json: bool = False
) -> tuple[Found, str]:
    """Return which lines are not messages, and an account of the others, as text or as JSON.

    >>> from wxcs_lite import text
    >>> from wxcs_lite.terminal.message_list import Numbered
    >>> found, told = survey([Line(None, Numbered(1, text("OPENID", "hello")))], rate=None, lang="en")
    >>> print(told.splitlines()[0])
    messages: 1 (1 text), customers: 1; nothing was sent
    """
    with closing(Seen()) as seen:
        counted = _Survey(seen)
        for each in lines:
            counted.take(each)
    if as_json:
        return counted.found, json.dumps(counted.as_dict(), ensure_ascii=False)
    return counted.found, "\n".join(counted.told(rate, _TEXTS[lang], lang))


class _Survey:
    def __init__(self, seen: Seen) -> None:
        self.found = Found()
        self._seen = seen
        self._kinds: Counter[str] = Counter()
        self._remarks: dict[str, _Remarks] = {}
        self._customers = self._crowded = self._duplicates = self._equal = self._bytes = 0

    def take(self, line: Line | Wrong) -> None:
        if isinstance(line, Wrong):
            self.found.take(line)
            return
        key, message = line
        times = self._seen.count(f"key {key or digest_of(message)}")[0]
        if key is not None and times > 1:
            self._duplicates += 1
            return
        self._equal += times > 1
        to_customer = self._seen.count(f"customer {message['touser']}")[0]
        self._customers += to_customer == 1
        self._crowded += to_customer == _WINDOW + 1
        self.found.messages += 1
        self._kinds[message["msgtype"]] += 1
        self._bytes += len(bytes(endpoints.send(message).body or b""))
        for remark in check(message):
            before = self._remarks.get(remark.field, _Remarks(0, message.number, remark))
            self._remarks[remark.field] = before._replace(times=before.times + 1)

    def as_dict(self) -> dict[str, object]:
        return {
            "messages": self.found.messages,
            "kinds": dict(self._kinds),
            "customers": self._customers,
            "bytes": self._bytes,
            "remarks": [
                {"field": field, "times": times, "line": line, "en": first.en, "zh": first.zh}
                for field, (times, line, first) in self._remarks.items()
            ],
            "duplicates": self._duplicates,
            "equal": self._equal,
            "crowded": self._crowded,
            "invalid_lines": self.found.wrong,
        }

    def told(self, rate: float | None, texts: dict[str, str], lang: Language) -> list[str]:
        messages = self.found.messages
        kinds = ", ".join(f"{count:,} {printable(kind)}" for kind, count in self._kinds.most_common(_KINDS))
        kinds = kinds and (f"（{kinds}）" if lang == "zh" else f" ({kinds})")
        told = [texts["all"].format(messages=messages, customers=self._customers, kinds=kinds)]
        for field, (times, line, first) in self._remarks.items():
            text = first.zh if lang == "zh" else first.en
            told.append(texts["remark"].format(count=times, field=field, line=line, text=text))
        notes = {"duplicates": self._duplicates, "equal": self._equal, "crowded": self._crowded}
        told += [texts[name].format(count=count) for name, count in notes.items() if count]
        told.append(
            texts["cost"].format(
                messages=messages, kilobytes=self._bytes / 1e3, allowed=_ALLOWED, share=messages / _ALLOWED,
                test=TEST_ACCOUNT, test_share=messages / TEST_ACCOUNT,
            )
        )  # fmt: skip
        return [*told, texts["time"].format(seconds=messages / rate, rate=rate)] if rate else told
