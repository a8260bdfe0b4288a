"""`python -m wxcs_lite send`: one message from a shell, shown first and sent once."""

import io
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple, TextIO

from wxcs_lite.errors import InvalidMessage, WxError
from wxcs_lite.look.words import Language
from wxcs_lite.remarks import check
from wxcs_lite.terminal.composing import Draft, compose, requests, with_media_id
from wxcs_lite.terminal.environment import Address, open_address, printable, told, warnings_in
from wxcs_lite.terminal.tokens import MissingSettingError, get_token
from wxcs_lite.transport import send, upload

__all__ = ["INTERRUPTED", "UNKNOWN", "How", "run"]

# Exit statuses beside 0 (sent, or only shown), 1 (certainly not sent) and 2 (wrong usage).
UNKNOWN = 3  # it may have been sent
INTERRUPTED = 130  # by Ctrl-C, before it was sent

_TEXTS = {
    "en": {
        "remark": "Note: {remark}",
        "ask": "Send it? [y/N] ",
        "yes": "nothing was sent: there is no terminal to confirm, so pass --yes to send, or --dry-run to look",
        "declined": "Nothing was sent.",
        "interrupted": "Interrupted. Nothing was sent.",
        "unknown": "It may have been sent: check before you send again.",
        "kind": "say what to send: --text, --image, --media-id, --url or --pagepath, or JSON on standard input",
    },
    "zh": {
        "remark": "提示：{remark}",
        "ask": "确认发送？[y/N] ",
        "yes": "没有发送：这里无法询问，发送请加 --yes，只看请求请加 --dry-run",
        "declined": "没有发送。",
        "interrupted": "已中断，没有发送。",
        "unknown": "消息可能已经送达，重发前请先确认。",
        "kind": "请说明要发什么：--text、--image、--media-id、--url、--pagepath，或从标准输入传入 JSON",
    },
}


class How(NamedTuple):
    """What to do with the message: send it without asking, or only show it, as HTTP or as a curl command."""

    yes: bool = False
    dry_run: bool = False
    curl: bool = False


def run(
    flags: Mapping[str, str | None],
    where: Address,
    how: How,
    *,
    lang: Language = "en",
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """Show the request, ask, send once, and return the exit status."""
    lines, out = lines or sys.stdin or io.StringIO(), out or sys.stdout
    sending = _Sending(where, lang, out)
    try:
        return sending.run(flags, how, lines)
    except KeyboardInterrupt:
        if sending.sent:
            return 0
        sending.tell("unknown" if sending.leaving else "interrupted")
        return UNKNOWN if sending.leaving else INTERRUPTED
    except WxError as e:
        return sending.failed(e)
    except Exception as e:
        if sending.leaving:  # a mistake of ours: Python's status for it, 1, would say that nothing was sent
            traceback.print_exception(e)
            sending.tell("unknown")
            return UNKNOWN
        if not isinstance(e, ValueError):
            raise
        return sending.refuse(told(e, lang))  # an invalid URL


class _Sending:
    """One message to send; `leaving` is True while it may have been sent, `sent` once it has been."""

    def __init__(self, where: Address, lang: Language, out: TextIO) -> None:
        self._where, self._lang, self._out, self._texts = where, lang, out, _TEXTS[lang]
        self.leaving = self.sent = False

    def run(self, flags: Mapping[str, str | None], how: How, lines: TextIO) -> int:
        at_terminal = lines.isatty()
        if at_terminal and not any(value is not None for name, value in flags.items() if name != "touser"):
            return self.refuse(self._texts["kind"])
        draft = compose(flags, lines)
        self._show(draft, how)
        if how.dry_run or how.curl:
            return 0
        if not how.yes:
            if not at_terminal:
                return self.refuse(self._texts["yes"])
            if not self._confirmed(lines.readline):
                self.tell("declined")
                return 1
        self._send(draft)
        return 0

    def _show(self, draft: Draft, how: How) -> None:
        for remark in check(draft.message):
            self.tell("remark", remark=f"{remark.field}: {remark.zh if self._lang == 'zh' else remark.en}")
        shown = [request.curl(self._where.base) if how.curl else str(request) for request in requests(draft)]
        print("\n\n".join(shown), file=self._out, flush=True)

    def _confirmed(self, read: Callable[[], str]) -> bool:
        print(self._texts["ask"], end="", file=sys.stderr, flush=True)
        return read().strip().lower() in ("y", "yes", "是")

    def _send(self, draft: Draft) -> None:
        message = draft.message
        with warnings_in(self._lang), open_address(self._where) as pool:
            token = get_token(pool, self._lang)
            if draft.picture is not None:
                message = with_media_id(message, upload(pool, token, draft.picture).media_id)
            self.leaving = True
            answer = send(pool, token, message)
            self.leaving, self.sent = False, True
        print(printable(json.dumps(answer, ensure_ascii=False)), file=self._out)

    def tell(self, name: str, **values: str) -> None:
        """Print to stderr, so that stdout has only requests and replies."""
        print(self._texts[name].format(**values), file=sys.stderr, flush=True)

    def refuse(self, line: str) -> int:
        """Print what is wrong with the command, and return the exit status for wrong usage."""
        print(f"send: {line}", file=sys.stderr)
        return 2

    def failed(self, error: WxError) -> int:
        """Print what went wrong, and return the exit status, which tells whether the message may have been sent."""
        if isinstance(error, InvalidMessage | MissingSettingError) and not self.leaving:
            return self.refuse(told(error, self._lang))
        print(told(error, self._lang), file=sys.stderr)
        if self.leaving and error.maybe_sent:
            self.tell("unknown")
            return UNKNOWN
        self.tell("declined")
        return 1
