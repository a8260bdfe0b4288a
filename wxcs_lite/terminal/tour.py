"""A guided tour on a fresh sandbox: each line of Python that is shown is the one that was run."""

import ast
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from textwrap import indent, wrap
from typing import Any, TextIO

import wxcs_lite
from wxcs_lite import WxError, endpoints
from wxcs_lite.errcodes import fold
from wxcs_lite.look.words import Language
from wxcs_lite.push import Push, push_app
from wxcs_lite.sandbox import Delivered, Pushed, Sandbox, Seen, sunset
from wxcs_lite.terminal.tour_steps import CLOSING, OPENING, PANEL, STEPS, WORDS, Step

__all__ = ["tour"]

_OPENID = "oTOUR_ann"
_PUSH_TOKEN = "madeUpPushToken"  # noqa: S105
_WIDTH = 80
_BOLD, _DIM, _RED, _GREEN, _BLUE = 1, 2, 31, 32, 34


def tour(lang: Language = "en", out: TextIO | None = None, *, colour: bool | None = None) -> bool:
    """Run and print the tour step by step, and return whether every step had the expected result.

    >>> import io
    >>> tour(out=io.StringIO())
    True

    Colour is used on a terminal, unless NO_COLOR is set.
    """
    teller = _Teller(lang, out or sys.stdout, colour)
    sandbox = Sandbox()
    seen: list[Seen] = []
    names: dict[str, Any] = {name: getattr(wxcs_lite, name) for name in wxcs_lite.__all__}
    inbox: list[Push] = []
    names |= {
        "endpoints": endpoints,
        "sandbox": sandbox,
        "pool": sandbox.pool(on_request=seen.append),
        "inbox": inbox,
        "pushes": sandbox.push_to(push_app(inbox.append, token=_PUSH_TOKEN), token=_PUSH_TOKEN),
        "customer": sandbox.user(_OPENID),
        "photo": sunset(),
    }
    teller.opening()
    # It stops at the first step that fails, because the next ones build on it.
    done = all(_take(number, step, names, seen, teller) for number, step in enumerate(STEPS, 1))
    if done:
        teller.closing()
    return done


def _take(number: int, step: Step, names: dict[str, Any], seen: list[Seen], teller: "_Teller") -> bool:
    """Run and print one step; return whether it had the expected result."""
    code = step.code.format_map({name: repr(word) for name, word in teller.words.items()})
    teller.title(number, step)
    teller.code(code)
    customer = names["customer"]
    before, asked = len(customer.inbox), len(seen)
    result = _run(code, names)
    if step.says:
        pushed = names["pushes"].log[-1]
        teller.phone([f"{teller.words['you']}{teller.words[step.says]}"])
        teller.pushed(pushed)
        return pushed.answer == "success" and not isinstance(result, WxError)
    teller.request(eval(step.request, names))  # noqa: S307 - a constant of ours
    teller.reply(seen[-1], result)
    teller.delivered(customer.inbox[before:], customer.sees_typing)
    errcode = result.errcode if isinstance(result, wxcs_lite.ApiError) else 0
    as_it_says = errcode == step.refused and len(seen) > asked and seen[-1].errcode in (errcode, None)
    if not as_it_says:
        teller.failed()
    return as_it_says


def _run(code: str, names: dict[str, Any]) -> Any:
    """Run the statements; return the value of the last one, an expression or an assignment, or the error raised."""
    *statements, last = ast.parse(code).body
    assert isinstance(last, ast.Expr | ast.Assign)
    try:
        exec(compile(ast.Module(list(statements), []), "<tour>", "exec"), names)  # noqa: S102 - a constant of ours
        value = eval(compile(ast.Expression(last.value), "<tour>", "eval"), names)  # noqa: S307
    except WxError as e:
        return e
    if isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        names[last.targets[0].id] = value
    return value


class _Teller:
    """Prints the steps in 80 columns, in colour if wanted, with long ids shortened."""

    def __init__(self, lang: Language, out: TextIO, colour: bool | None) -> None:
        self.lang, self.words, self._out = lang, WORDS[lang], out
        self._colour = colour if colour is not None else out.isatty() and not os.environ.get("NO_COLOR")

    def _say(self, text: str = "", *styles: int) -> None:
        if styles and self._colour:
            text = f"\x1b[{';'.join(map(str, styles))}m{text}\x1b[0m"
        print(text, file=self._out)

    def _block(self, text: str, *styles: int) -> None:
        for line in re.sub(r"[\w-]{40,}", lambda m: m[0][:12] + "…", text, flags=re.ASCII).splitlines():
            for part in wrap(line, _WIDTH, subsequent_indent="    ") if line.isascii() and line.strip() else [line]:
                self._say(part, *styles)

    def opening(self) -> None:
        self._say(OPENING[self.lang].format(steps=len(STEPS)))
        self._say(self.words["setting"], _DIM)

    def title(self, number: int, step: Step) -> None:
        self._say()
        self._say(f"{number}. {step.zh if self.lang == 'zh' else step.en}", _BOLD)

    def code(self, code: str) -> None:
        for line in code.splitlines():
            self._say(f"{'...' if line.startswith((' ', ')')) else '>>>'} {line}", _BLUE)

    def request(self, request: wxcs_lite.Request) -> None:
        self._block(indent(str(request), "    "), _DIM)

    def pushed(self, pushed: Pushed) -> None:
        """Show a push as it arrives at the user's server, with only the names of its query parameters."""
        request = pushed.request
        query = "&".join(f"{name}=…" for name, _ in request.query)
        body = json.dumps(json.loads(request.body), ensure_ascii=False, indent=2)
        head = f"{request.method} {request.path}?{query} HTTP/1.1\nContent-Type: {request.headers['content-type']}"
        self._block(indent(f"{head}\n\n{body}", "    "), _DIM)
        self._say(f"<-- HTTP {pushed.status}", _GREEN)
        self._block(f"    {pushed.answer}", _GREEN)

    def reply(self, seen: Seen, result: object) -> None:
        style = _RED if isinstance(result, WxError) else _GREEN
        self._say(f"<-- HTTP {seen.status}", style)
        if isinstance(result, WxError):
            self._block(fold("", result.zh if self.lang == "zh" else result.en, hang=4), style)
        else:
            self._block(f"    {result!r}", style)

    def delivered(self, inbox: Sequence[Delivered], typing: bool) -> None:
        lines = [f"{self.words['agent']}{self._bubble(delivered)}" for delivered in inbox]
        self.phone([*lines, self.words["typing"]] if typing else lines)

    def phone(self, lines: list[str]) -> None:
        for line in lines:
            self._say(f"[{self.words['phone']}] {line}")

    def _bubble(self, delivered: Delivered) -> str:
        message = delivered.message
        content, size = message[message["msgtype"]], len(delivered.picture or b"")
        form = {"image": "picture", "link": "link", "miniprogrampage": "card"}.get(message["msgtype"])
        return self.words[form].format(size=size, **content) if form else str(content["content"])

    def failed(self) -> None:
        self._say(self.words["failed"], _BOLD, _RED)

    def closing(self) -> None:
        self._say()
        title, _, rest = CLOSING[self.lang].partition("\n")
        self._say(title, _BOLD)
        self._say(rest)
        if find_spec("wxcs_lite.panel"):
            self._say(PANEL[self.lang])
