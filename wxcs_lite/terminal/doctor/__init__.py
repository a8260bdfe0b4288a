"""`python -m wxcs_lite doctor`: what is wrong between this machine, WeChat and the push URL, and what to do next.

It sends no message, changes nothing, and prints no secret.
"""

import json
import sys
from contextlib import ExitStack
from typing import TextIO

from wxcs_lite.errcodes import fold
from wxcs_lite.look.words import Language
from wxcs_lite.pools import Pool
from wxcs_lite.scrub import scrub
from wxcs_lite.terminal.doctor.examination import examine
from wxcs_lite.terminal.doctor.findings import Case, Check, Finding, State
from wxcs_lite.terminal.environment import (
    AES_KEY,
    APPID,
    PUSH_TOKEN,
    SECRET,
    TOKEN,
    Address,
    asked,
    open_address,
    setting,
    told,
    warnings_in,
)

__all__ = ["run"]

_LABELS: dict[State, tuple[str, str]] = {
    "ok": ("ok", "正常"),
    "warn": ("note", "注意"),
    "wrong": ("WRONG", "有误"),
    "skipped": ("-", "跳过"),
    "waiting": ("-", "待查"),
}
_HANG = 7  # columns


def run(
    where: Address,
    *,
    push_url: str | None = None,
    lang: Language = "en",
    as_json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Run the checks, print their findings, and return 0 if nothing is wrong, 1 if something is, 2 for wrong usage."""
    out = out or sys.stdout
    with ExitStack() as stack:
        stack.enter_context(warnings_in(None))  # plain http is one of the checks
        try:
            pool = stack.enter_context(open_address(where))
        except ValueError as e:
            print(f"doctor: {told(e, lang)}", file=sys.stderr)
            return 2
        case = _case(where, pool, push_url, lang)
        if not as_json:
            print(_opening(where, lang), file=out, flush=True)
        found: list[tuple[Check, Finding]] = []
        for check, finding in examine(case):
            found.append((check, finding))
            if not as_json and finding.state != "waiting":
                print(_line(check, finding, lang), file=out, flush=True)
    waiting = [check for check, finding in found if finding.state == "waiting"]
    if waiting and not as_json:
        print(_waiting(waiting, lang), file=out)
    wrong = sum(finding.state == "wrong" for _, finding in found)
    print(_json(where, found) if as_json else _closing(wrong, lang), file=out)
    return 1 if wrong else 0


def _case(where: Address, pool: Pool, push_url: str | None, lang: Language) -> Case:
    given_token = setting(TOKEN)
    appid, secret = (asked(name, lang) if given_token is None else setting(name) for name in (APPID, SECRET))
    push_token, aes_key = setting(PUSH_TOKEN), setting(AES_KEY)
    if push_url is not None:
        push_token, aes_key = asked(PUSH_TOKEN, lang), asked(AES_KEY, lang)
    return Case(
        where,
        pool,
        appid=appid,
        secret=secret,
        token=given_token,
        push_url=push_url,
        push_token=push_token,
        aes_key=aes_key,
    )


def _opening(where: Address, lang: Language) -> str:
    base = scrub(where.base)
    if lang == "zh":
        return f"检查 {base}{'（经代理）' if where.proxy else ''}\n不会发送任何消息，也不会显示密钥。\n"
    return f"Checking {base}{' through a proxy' if where.proxy else ''}\nNo message is sent, no secret is shown.\n"


def _line(check: Check, finding: Finding, lang: Language) -> str:
    return _row(finding.state, f"{check.zh}：{finding.zh}" if lang == "zh" else f"{check.en}: {finding.en}", lang)


def _waiting(checks: list[Check], lang: Language) -> str:
    if lang == "zh":
        return _row("waiting", f"解决之后再检查：{'、'.join(check.zh for check in checks)}", lang)
    return _row("waiting", f"To be checked after that: {', '.join(check.en for check in checks)}", lang)


def _row(state: State, text: str, lang: Language) -> str:
    label = _LABELS[state][lang == "zh"]
    columns = len(label) + sum(char >= "\u2e80" for char in label)
    return fold(label + " " * (_HANG - columns), text, hang=_HANG)


def _closing(wrong: int, lang: Language) -> str:
    if lang == "zh":
        return f"有 {wrong} 处问题{'，请从第一处开始处理' * (wrong > 1)}。" if wrong else "没有发现问题。"
    if wrong > 1:
        return f"{wrong} problems: begin with the first."
    return "One problem." if wrong else "No problems."


def _json(where: Address, found: list[tuple[Check, Finding]]) -> str:
    checks = [{"check": check.name, **finding._asdict()} for check, finding in found]
    return json.dumps({"base": scrub(where.base), "checks": checks}, ensure_ascii=False, indent=2)
