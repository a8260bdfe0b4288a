"""`python -m wxcs_lite`: the commands for a terminal."""

import argparse
import os
import sys
from collections.abc import Sequence

from wxcs_lite import __version__
from wxcs_lite.terminal import flags

__all__ = ["main", "run"]

_ABOUT = """\
wxcs_lite: the customer-service messages of WeChat Mini Programs, in Python.
Without a command: a guided tour, with no account and no network.
wxcs_lite：在 Python 里收发微信小程序客服消息。
不带命令时演示完整流程，不需要账号，也不联网。
"""
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status; without a command it is the tour."""
    chosen = _parser().parse_args(arguments)
    if sys.stdout is None:
        print("stdout is closed: there is nowhere to print / 标准输出已关闭，无法显示", file=sys.stderr)
        return 2
    if sys.stderr is None:  # closed, as some programs start others
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    # A terminal that cannot show a character gets a "?" for it, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = _COMMANDS[chosen.command or "tour"](chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Piping the output into `head` is not a failure, but without this Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = flags.Parser("python -m wxcs_lite", about=_ABOUT)
    parser.add_argument("--version", action="version", version=__version__)
    _add_lang(parser, "en")
    commands = parser.add_subparsers(dest="command", metavar="command")
    tour = commands.add_parser("tour", help="a guided tour, step by step (the default) / 完整演示（默认）")
    _add_lang(tour, argparse.SUPPRESS)
    bot = commands.add_parser("bot", help="talk to an echo bot in the sandbox / 在沙箱里和复读机器人对话")
    _add_lang(bot, argparse.SUPPRESS)
    _add_lang(flags.add_sandbox(commands), argparse.SUPPRESS)
    flags.add_doctor(commands)
    flags.add_explain(commands)
    flags.add_send(commands)
    flags.add_send_many(commands)
    flags.add_compare(commands)
    return parser


def _add_lang(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--lang", choices=("en", "zh"), default=default, help="language / 语言")


def _tour(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.tour import tour

    return 0 if tour(chosen.lang) else 1


def _bot(chosen: argparse.Namespace) -> int:
    import logging

    from wxcs_lite.terminal.chat import chat

    logging.getLogger("wxcs_lite.push").addHandler(logging.NullHandler())  # the chat shows what goes wrong
    try:
        chat(chosen.lang)
    except KeyboardInterrupt:
        print()
    return 0


def _sandbox(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.pushing import PushTarget
    from wxcs_lite.terminal.serve import run

    return run(
        lang=chosen.lang,
        port=chosen.port,
        appid=chosen.appid,
        secret=chosen.secret,
        accounts=chosen.account,
        settings=chosen.set,
        customers=chosen.customer,
        push=PushTarget(chosen.push, chosen.format, chosen.content_type),
        verbose=chosen.verbose,
        proxy=chosen.proxy,
        page=chosen.page,
        command=chosen.run,
    )


def _doctor(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.doctor import run
    from wxcs_lite.terminal.environment import address

    try:
        where = address(chosen.base, chosen.proxy)
        return run(where, push_url=chosen.push, lang=chosen.lang, as_json=chosen.json)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _explain(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.environment import address
    from wxcs_lite.terminal.explaining import run

    try:
        return run(chosen.given, address(chosen.base, chosen.proxy), lang=chosen.lang)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _send(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.environment import address
    from wxcs_lite.terminal.sending import How, run

    how = How(chosen.yes, chosen.dry_run, chosen.curl)
    return run(flags.message_flags(chosen), address(chosen.base, chosen.proxy), how, lang=chosen.lang)


def _send_many(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.environment import address
    from wxcs_lite.terminal.sending_many import Order, run

    given = vars(chosen) | {"path": chosen.file, "as_json": chosen.json}
    return run(
        Order(**{name: given[name] for name in Order._fields}), address(chosen.base, chosen.proxy), lang=chosen.lang
    )


def _compare(chosen: argparse.Namespace) -> int:
    from wxcs_lite.terminal.compare import run
    from wxcs_lite.terminal.environment import address

    try:
        where = address(chosen.base, chosen.proxy)
        return run(where, cassette=chosen.cassette, yes=chosen.yes, as_json=chosen.json, lang=chosen.lang)
    except KeyboardInterrupt:
        return _INTERRUPTED


_COMMANDS = {
    "tour": _tour,
    "bot": _bot,
    "sandbox": _sandbox,
    "doctor": _doctor,
    "explain": _explain,
    "send": _send,
    "send-many": _send_many,
    "compare": _compare,
}


def run() -> None:
    """Exit with the status of `main`; a zipapp calls this, because it ignores return values."""
    sys.exit(main())


if __name__ == "__main__":
    run()
