"""The page of the sandbox's rules, made from the RULES of each module of the sandbox.

`python -m tests.rules_page` writes it in both languages.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import wxcs_lite.sandbox
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.rules.evidence import CODES, Rule

FOLDER = Path(__file__).parents[1] / "notebooks" / "recipes"
FILES = {"en": "sandbox_rules.md", "zh": "sandbox_rules.zh-CN.md"}
# The parts of the page, in order: the module that holds the rules, and the part's title.
PARTS = {
    "rules.account": ("The account", "账号"),
    "rules.tokens": ("Tokens", "access_token"),
    "rules.cloud_tokens": ("Cloud hosting tokens", "云托管的凭证"),
    "api.credentials": ("Which credential applies", "以哪个凭证为准"),
    "api.routes": ("The order of the checks", "检查的先后"),
    "rules.refusals": ("Format of errors", "报错的格式"),
    "rules.switches": ("HTTP", "HTTP"),
    "rules.quota": ("Quotas", "额度"),
    "api.bodies": ("Request bodies", "请求体"),
    "rules.people": ("Reply window, typing, agents, notices", "下发时限、输入状态、人工客服与提示"),
    "api.sending": ("Messages", "下发消息"),
    "rules.media": ("Media", "临时素材"),
    "api.calls": ("Replies", "各接口的返回"),
    "customers": ("Customers", "用户的操作"),
    "pushes.requests": ("Format of pushes", "推送的格式"),
    "pushes.delivery": ("Delivery of pushes", "推送的投递"),
    "pushes.answers": ("Answers to pushes", "推送的应答"),
    "api.signature": ("API signature", "API 签名"),
    "rules.management": ("Sub-merchants, agents, WeCom", "多商户、客服人员、微信客服"),
    "api.management": ("Management calls", "管理类接口"),
}
WORDS = {
    "page": ("page", "官方页面"),
    "copy": ("page, as copied by WxJava", "官方页面（WxJava 抄录）"),
    "seen": ("seen", "实例"),
    "forum": ("WeChat's forum", "微信开放社区"),
    "inferred": ("inferred", "推断"),
    "head": (
        "| what the sandbox does | errcodes | setting, default | evidence |",
        "| 沙箱的做法 | 错误码 | 设置及默认值 | 依据 |",
    ),
}
OPENING = (
    """# What the sandbox does, and why

[中文](sandbox_rules.zh-CN.md)

The sandbox behaves as WeChat does, as far as that is known. These are all its rules, each with its evidence: a
**page** of WeChat's documentation; a reply or push of the live service that somebody has **seen** and published (with
its date, and its address if known); or our own reading (**inferred**), wholly or in part. Where the evidence leaves a
choice, you make it with a setting of `Sandbox(…)` or of `sandbox.push_to(…)`. If you have an account,
`python -m wxcs_lite compare` finds out where it differs from the sandbox: please post what it prints.

This page is generated from the rules themselves, by `python -m tests.rules_page`.
""",
    """# 沙箱的做法与依据

[English](sandbox_rules.md)

沙箱按已知的微信行为实现。下面列出它的全部规则及依据：微信的**官方页面**；有人公布过的线上**实例**（附日期，\
知道出处的附链接）；或者我们的**推断**（全部或部分）。\
尚无定论之处，可用 `Sandbox(…)` 或 `sandbox.push_to(…)`
的设置来选择。如果你有账号，`python -m wxcs_lite compare --lang zh` 会列出它与沙箱的不同之处，欢迎提交结果。

本页由 `python -m tests.rules_page` 从规则本身生成。
""",
)


def modules() -> Iterator[tuple[str, str]]:
    """Yield the short name and the source of each module of the sandbox."""
    for info in pkgutil.walk_packages(wxcs_lite.sandbox.__path__, "wxcs_lite.sandbox."):
        module = importlib.import_module(info.name)
        yield info.name.removeprefix("wxcs_lite.sandbox."), inspect.getsource(module)


def rules(name: str) -> tuple[Rule, ...]:
    """Return the rules of a module, if it has any."""
    return getattr(importlib.import_module(f"wxcs_lite.sandbox.{name}"), "RULES", ())


def settings() -> dict[str, object]:
    """Return the arguments of the sandbox and of its pushes, with their defaults."""
    both = (inspect.signature(Sandbox), inspect.signature(Sandbox.push_to))
    return {name: one.default for signature in both for name, one in signature.parameters.items()}


def made(lang: str) -> str:
    """Return the page."""
    which = list(FILES).index(lang)
    parts = [OPENING[which]]
    for name, title in PARTS.items():
        rows = (_row(rule, which) for rule in rules(name))
        parts.append("\n".join((f"## {title[which]}\n", WORDS["head"][which], "|---|---|---|---|", *rows, "")))
    return "\n".join(parts)


def _row(rule: Rule, which: int) -> str:
    codes = ", ".join(map(str, rule.errcodes))
    setting = f"`{rule.setting}={_default(rule.setting)}`" if rule.setting else ""
    cells = ((rule.en, rule.zh)[which].replace("|", r"\|"), codes, setting, "; ".join(_reasons(rule, which)))
    return "| " + " | ".join(cells) + " |"


def _default(setting: str) -> str:
    default = settings()[setting]
    return "…" if isinstance(default, Mapping | Collection) and not isinstance(default, str) else _quoted(default)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _reasons(rule: Rule, which: int) -> Iterator[str]:
    if rule.page:
        yield f"[{WORDS['copy' if rule.page == CODES else 'page'][which]}]({rule.page})"
    if rule.seen:
        yield f"{WORDS['seen'][which]} " + re.sub(
            r"https://\S+[^\s;,]", lambda found: _link(found[0], which), rule.seen
        )
    if rule.inferred:
        yield WORDS["inferred"][which]


def _link(address: str, which: int) -> str:
    if not address.startswith("https://github.com/"):
        return f"[{WORDS['forum'][which]}]({address})"
    owner, *rest = address.removeprefix("https://github.com/").split("/")
    return f"[{owner}/{rest[0]}{' #' + rest[-1] if len(rest) > 1 else ''}]({address})"


if __name__ == "__main__":
    for language, file in FILES.items():
        (FOLDER / file).write_text(made(language), encoding="utf-8")
