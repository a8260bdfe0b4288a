"""The report, fit to be posted: texts without secrets in, text or JSON out."""

import json
from collections.abc import Iterator, Sequence
from time import gmtime, strftime
from typing import NamedTuple

from wxcs_lite import __version__
from wxcs_lite.errcodes import fold
from wxcs_lite.look.words import Language
from wxcs_lite.sandbox.rules.evidence import Rule
from wxcs_lite.terminal.compare.asking import LeftOut
from wxcs_lite.terminal.compare.cases import ESCAPES
from wxcs_lite.terminal.compare.differences import Difference

__all__ = ["Report"]

_TEXTS = {
    "en": {
        "title": "wxcs_lite {version} compare, {date}, with {source}: {calls} calls, differences: {count}",
        "account": "a live account",
        "cassette": "a recording",
        "sandbox_says": "the sandbox says: {text}",
        "account_says": "the account says: {text}",
        "cases": "cases: {text}",
        "rule": "the sandbox's rule: {text}",
        "no_rule": "the sandbox has no rule for this: it is simply how it answers",
        "left_out": "Not compared: {cases}: {why}",
        "incomplete": "Incomplete: the connection failed before the end.",
        "page": "page {page}",
        "seen": "seen {seen}",
        "inferred": "inferred",
        "setting": "setting {setting}",
        "escapes": "Please look at the phone, too: does it show 你好 or \\u4f60\\u597d? (setting unicode_escapes)",
    },
    "zh": {
        "title": "wxcs_lite {version} compare，{date}，对照{source}：{calls} 次调用，{count} 处不同",
        "account": "真实账号",
        "cassette": "录制文件",
        "sandbox_says": "沙箱：{text}",
        "account_says": "账号：{text}",
        "cases": "用例：{text}",
        "rule": "沙箱的规则：{text}",
        "no_rule": "沙箱没有相应的规则，只是目前这样返回",
        "left_out": "未比较：{cases}：{why}",
        "incomplete": "未完成：中途连接失败。",
        "page": "官方页面 {page}",
        "seen": "实例 {seen}",
        "inferred": "推断",
        "setting": "设置 {setting}",
        "escapes": "另请看一下手机：显示的是“你好”还是 \\u4f60\\u597d？（设置 unicode_escapes）",
    },
}
_FIELDS_ZH = {"status": "状态码", "headers": "响应头", "shape": "字段", "end of errmsg": "errmsg 的结尾"}
_HANG = 3  # columns


class Report(NamedTuple):
    """What was compared, with what, and how it differs."""

    source: str  # account or cassette
    cases: Sequence[str]
    differences: Sequence[Difference]
    left_out: Sequence[LeftOut]
    complete: bool

    def text(self, lang: Language) -> str:
        """Return the report for people."""
        return "\n".join(self._lines(lang))

    def _lines(self, lang: Language) -> Iterator[str]:
        texts, count = _TEXTS[lang], len(self.differences)
        yield texts["title"].format(
            version=__version__, date=_today(), source=texts[self.source], calls=len(self.cases), count=count
        )
        for number, one in enumerate(self.differences, 1):
            yield ""
            yield f"{number}. {_FIELDS_ZH.get(one.field, one.field) if lang == 'zh' else one.field}"
            for name, text in (("sandbox_says", one.sandbox), ("account_says", one.account)):
                yield _item(texts[name].format(text=text))
            yield _item(texts["cases"].format(text=", ".join(one.cases)))
            for rule in one.rules:
                yield _item(texts["rule"].format(text=_rule(rule, lang)))
            if not one.rules:
                yield _item(texts["no_rule"])
        yield from [""][: len(self.left_out)]
        reasons: dict[str, list[str]] = {}
        for left in self.left_out:
            reasons.setdefault(left.why[lang == "zh"], []).append(left.case)
        for why, cases in reasons.items():
            yield fold("", texts["left_out"].format(cases=", ".join(cases), why=why), hang=_HANG)
        for name, told in (("escapes", ESCAPES in self.cases), ("incomplete", not self.complete)):
            if told:
                yield f"\n{texts[name]}"

    def json(self) -> str:
        """Return the report for programs."""
        found = {
            "wxcs_lite": __version__,
            "date": _today(),
            "source": self.source,
            "complete": self.complete,
            "cases": list(self.cases),
            "differences": [
                {**one._asdict(), "rules": [{"rule": rule.en, "setting": rule.setting} for rule in one.rules]}
                for one in self.differences
            ],
            "left_out": [{"case": left.case, "why": left.why[0]} for left in self.left_out],
        }
        return json.dumps(found, ensure_ascii=False, indent=2)


def _today() -> str:
    return strftime("%Y-%m-%d", gmtime())


def _item(text: str) -> str:
    return fold(" " * _HANG, text, hang=_HANG + 2)


def _rule(rule: Rule, lang: Language) -> str:
    texts = _TEXTS[lang]
    evidence = [
        texts[name].format(**{name: value})
        for name, value in (
            ("page", rule.page), ("seen", rule.seen), ("inferred", rule.inferred), ("setting", rule.setting),
        )
        if value
    ]  # fmt: skip
    between, brackets = ("；", "（{}）") if lang == "zh" else ("; ", " ({})")
    return (rule.zh if lang == "zh" else rule.en) + brackets.format(between.join(evidence))
