"""The served sandbox in a terminal: it prints its URL, shows requests, and lets you write as a customer."""

import errno
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from threading import Event, Lock
from typing import Any, TextIO

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Sandbox, Seen
from wxcs_lite.sandbox.api.sending import well_formed

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
    },
}

_CHINESE = {errno.EADDRINUSE: "已被占用", errno.EACCES: "没有权限"}  # the system's texts are in its own language


def run(
    *,
    lang: Language = "en",
    port: int = 0,
    appid: str | None = None,
    secret: str | None = None,
    customers: Sequence[str] = (),
    verbose: bool = False,
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """Serve until Ctrl-C and return the exit status; each typed line `OPENID: text` is a message from that customer.

    The given customers have just written, so their windows are open. The clock is the real time here.
    """
    teller = _Teller(_TEXTS[lang], out or sys.stdout)
    malformed = [openid for openid in customers if not well_formed(openid)]
    if not 0 <= port <= 65535:
        return teller.refuse("range", port=port)
    if "" in (appid, secret):
        return teller.refuse("empty")
    if malformed:
        return teller.refuse("openid", openid=malformed[0])
    given: dict[str, Any] = {name: value for name, value in (("appid", appid), ("secret", secret)) if value is not None}
    sandbox = Sandbox(clock=time.time, **given)
    for openid in customers:
        sandbox.user(openid).says("…")
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        try:
            on_request = (lambda seen: teller.show(_line(seen))) if verbose else None
            url = stack.enter_context(sandbox.serve(port, on_request=on_request))
        except OSError as e:
            reason = _CHINESE.get(e.errno or 0) if lang == "zh" else None
            return teller.refuse("taken", port=port, reason=reason or os.strerror(e.errno or 0))
        teller.say("opening", url=url)
        # The default account's secret is public and opens nothing; one that was passed is not printed.
        teller.say("own_secret" if secret else "account", appid=sandbox.appid, secret="" if secret else sandbox.secret)
        _listen(sandbox, lines or sys.stdin, teller)
    return 0


class _Teller:
    """Prints whole lines from any thread, in one language."""

    def __init__(self, texts: Mapping[str, str], out: TextIO) -> None:
        self._texts, self._out, self._printing = texts, out, Lock()

    def say(self, name: str, **values: object) -> None:
        self.show(self._texts[name].format(**values))

    def show(self, line: str) -> None:
        with self._printing:
            print(line, file=self._out, flush=True)

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
