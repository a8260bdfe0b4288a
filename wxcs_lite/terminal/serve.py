"""The served sandbox in a terminal: it prints its URL, shows requests, and lets you write as a customer."""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from threading import Event, Lock
from typing import Any, NoReturn, TextIO

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Sandbox, Seen
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.terminal.environment import PROXY
from wxcs_lite.terminal.inside import lines_to_paste, run_inside

__all__ = ["run"]

_TEXTS = {
    "en": {
        "opening": "Sandbox at {url}  (Ctrl-C stops it)",
        "account": "appid {appid}, secret {secret}",
        "own_secret": "appid {appid}, with your secret",
        "typing": "Type OPENID: text to write as that customer",
        "form": "type OPENID: text",
        "openid": "an openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not {openid!r}",
        "wrote": "{openid} wrote; you may answer with 5 messages within 48 h",
        "range": "port must be from 0 to 65535, not {port}",
        "taken": "port {port}: {reason}; choose another --port, or omit it for a free one",
        "empty": "--appid and --secret cannot be empty",
        "extra": "--proxy needs the package cryptography: pip install 'cryptography>=50.0.2'",
        "paste": "Paste this where your program runs: it finds the sandbox at api.weixin.qq.com, and no other host",
        "alone": "a command after -- runs behind the proxy: add --proxy before the --",
        "missing": "{command} cannot be run: {reason}",
    },
    "zh": {
        "opening": "沙箱（本地模拟的微信）地址：{url}  按 Ctrl-C 结束",
        "account": "appid {appid}，secret {secret}",
        "own_secret": "appid {appid}，secret 为你指定的值",
        "typing": "输入“OPENID: 文本”并回车，相当于该用户发来一条消息",
        "form": "请输入“OPENID: 文本”",
        "openid": "openid 须为 1 至 64 个字母、数字、下划线或连字符，而不是 {openid!r}",
        "wrote": "{openid} 发来了一条消息，48 小时内最多可回复 5 条",
        "range": "端口须在 0 至 65535 之间，而不是 {port}",
        "taken": "端口 {port} 无法使用（{reason}），请用 --port 另选一个；不指定则自动选用空闲端口",
        "empty": "--appid 和 --secret 不能为空",
        "extra": "--proxy 需要 cryptography 包：pip install 'cryptography>=50.0.2'",
        "paste": "把以下各行粘贴到运行你的程序的终端，程序访问 api.weixin.qq.com 就会连到沙箱，其他地址一律不通",
        "alone": "-- 之后的命令须经代理运行，请在 -- 之前加上 --proxy",
        "missing": "无法运行 {command}：{reason}",
    },
}

_CHINESE = {
    errno.EADDRINUSE: "已被占用",
    errno.EACCES: "没有权限",
    errno.ENOENT: "找不到该命令",
}  # the system speaks its own language


def run(
    *,
    lang: Language = "en",
    port: int = 0,
    appid: str | None = None,
    secret: str | None = None,
    customers: Sequence[str] = (),
    verbose: bool = False,
    proxy: bool = False,
    command: Sequence[str] = (),
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """Serve until Ctrl-C and return the exit status; each typed line `OPENID: text` is a message from that customer.

    The given customers have just written, so their windows are open. The clock is the real time here. A `command` is
    run behind the proxy, and nothing else is printed to stdout; its status is returned.
    """
    teller = _Teller(_TEXTS[lang], out or (sys.stderr if command else sys.stdout), lang)
    malformed = [openid for openid in customers if not well_formed(openid)]
    if not 0 <= port <= 65535:
        return teller.refuse("range", port=port)
    if "" in (appid, secret):
        return teller.refuse("empty")
    if malformed:
        return teller.refuse("openid", openid=malformed[0])
    if command and not proxy:
        return teller.refuse("alone")
    given: dict[str, Any] = {name: value for name, value in (("appid", appid), ("secret", secret)) if value is not None}
    sandbox = Sandbox(clock=time.time, **given)
    for openid in customers:
        sandbox.user(openid).says("…")
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, _end))
        try:
            opened = _open(sandbox, port, proxy, teller.tell if verbose else None, stack)
        except ImportError:
            return teller.refuse("extra")
        except OSError as error:
            return teller.refuse("taken", port=port, reason=teller.reason(error))
        if isinstance(opened, dict) and command:
            return _run_command(command, opened, teller)
        _tell(sandbox, opened, bool(secret), teller)
        _listen(sandbox, lines or sys.stdin, teller)
    return 0


def _open(
    sandbox: Sandbox, port: int, proxy: bool, on_request: Callable[[Seen], object] | None, stack: ExitStack
) -> str | dict[str, str]:
    """Return the URL of the server, or the environment of the proxy."""
    if proxy:
        environment = stack.enter_context(sandbox.proxy(port, on_request=on_request))
        return {**environment, PROXY: environment["HTTPS_PROXY"]}  # our own commands read that one
    return stack.enter_context(sandbox.serve(port, on_request=on_request))


def _end(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)  # so that what was opened is closed, and what was written is removed


def _run_command(command: Sequence[str], environment: Mapping[str, str], teller: "_Teller") -> int:
    try:
        return run_inside(command, environment)
    except OSError as error:
        teller.refuse("missing", command=command[0], reason=teller.reason(error))
        return 127 if isinstance(error, FileNotFoundError) else 126  # as shells do


def _tell(sandbox: Sandbox, opened: str | Mapping[str, str], own_secret: bool, teller: "_Teller") -> None:
    teller.say("opening", url=opened if isinstance(opened, str) else opened["HTTPS_PROXY"])
    # The secret of the default account opens nothing and is in the docs; one that was given is not repeated.
    name, secret = ("own_secret", "") if own_secret else ("account", sandbox.secret)
    teller.say(name, appid=sandbox.appid, secret=secret)
    if not isinstance(opened, str):
        teller.say("paste")
        for line in lines_to_paste(opened):
            teller.show(line)


class _Teller:
    """Prints whole lines from any thread, in one language."""

    def __init__(self, texts: Mapping[str, str], out: TextIO, lang: Language) -> None:
        self._texts, self._out, self._lang, self._printing = texts, out, lang, Lock()

    def say(self, name: str, **values: object) -> None:
        self.show(self._texts[name].format(**values))

    def show(self, line: str) -> None:
        with self._printing:
            print(line, file=self._out, flush=True)

    def tell(self, seen: Seen) -> None:
        self.show(_line(seen))

    def reason(self, error: OSError) -> str:
        chinese = _CHINESE.get(error.errno or 0) if self._lang == "zh" else None
        return chinese or os.strerror(error.errno or 0)

    def refuse(self, name: str, **values: object) -> int:
        """Print the problem to stderr, and return the exit status for wrong usage."""
        print(f"sandbox: {self._texts[name].format(**values)}", file=sys.stderr)
        return 2


def _listen(sandbox: Sandbox, lines: TextIO, teller: _Teller) -> None:
    teller.say("typing")
    try:
        for line in lines:
            _write(sandbox, line, teller)
        Event().wait()  # no more input, as under nohup: keep serving
    except KeyboardInterrupt:
        teller.show("")


def _write(sandbox: Sandbox, line: str, teller: _Teller) -> None:
    openid, colon, text = (part.strip() for part in line.replace("：", ":", 1).partition(":"))
    if not line.strip():
        return
    if not colon or not text:
        teller.say("form")
    elif not well_formed(openid):
        teller.say("openid", openid=openid)
    else:
        sandbox.user(openid).says(text)
        teller.say("wrote", openid=openid)


def _line(seen: Seen) -> str:
    query = "&".join(f"{name}={value}" for name, value in seen.query)
    errcode = "" if seen.errcode is None else f" errcode {seen.errcode}"
    return f"{seen.method} {seen.path}{'?' if query else ''}{query} [{seen.body}] -> HTTP {seen.status}{errcode}"
