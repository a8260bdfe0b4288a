"""The served sandbox in a terminal: it tells its address, shows what comes in, and lets customers write."""

import sys
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Any, TextIO

from wxcs_lite.sandbox import Sandbox, Seen

__all__ = ["run"]


def run(
    *,
    port: int = 0,
    appid: str | None = None,
    secret: str | None = None,
    customers: Sequence[str] = (),
    verbose: bool = False,
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """Serve until Ctrl-C and return the exit status; each line `OPENID: text` that is typed is that customer writing.

    The customers named have just written, so that their windows are open. Time is real time here.
    """
    lines, out = lines or sys.stdin, out or sys.stdout
    given: dict[str, Any] = {name: value for name, value in (("appid", appid), ("secret", secret)) if value is not None}
    printing = Lock()

    def say(line: str) -> None:
        with printing:
            print(line, file=out, flush=True)

    try:
        sandbox = Sandbox(clock=time.time, **given)
        for openid in customers:
            sandbox.user(openid).says("…")
        with sandbox.serve(port, on_request=(lambda seen: say(_line(seen))) if verbose else None) as url:
            say(f"WeChat in a box at {url}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
            # The secret of the default account opens nothing and is in the docs; one that was given is not repeated.
            say(f"appid {sandbox.appid}" if secret else f"appid {sandbox.appid}, secret {sandbox.secret}")
            say("OPENID: text + Enter  = that customer writes / 该用户发来一条消息")
            for line in lines:
                _write(sandbox, line, say)
            Event().wait()  # no more input, as under nohup: go on serving
    except OSError as e:
        told = f"port {port}: {e.strerror}; choose another --port / 端口 {port} 不可用，请换一个 --port"
        print(f"sandbox: {told}", file=sys.stderr)
        return 2
    except ValueError as e:
        print(f"sandbox: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("")
    return 0


def _write(sandbox: Sandbox, line: str, say: Callable[[str], None]) -> None:
    openid, colon, text = line.replace("：", ":", 1).partition(":")
    if not line.strip():
        return
    if not colon or not text.strip():
        say("write OPENID: text / 请输入 OPENID: 文本")
        return
    try:
        sandbox.user(openid.strip()).says(text.strip())
    except ValueError as e:
        say(str(e))
    else:
        say(f"{openid.strip()} wrote; 5 messages may answer within 48 h / 已发送，48 小时内可回复 5 条")


def _line(seen: Seen) -> str:
    query = "&".join(f"{name}={value}" for name, value in seen.query)
    errcode = "" if seen.errcode is None else f" errcode {seen.errcode}"
    return f"{seen.method} {seen.path}{'?' if query else ''}{query} [{seen.body}] -> HTTP {seen.status}{errcode}"
