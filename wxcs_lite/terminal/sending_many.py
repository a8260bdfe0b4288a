"""`python -m wxcs_lite send-many`: a file of messages, each sent at most once, with a ledger to go on from."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TextIO

from wxcs_lite.batch import Batch, BatchStopped, LedgerError, Outcome, export_csv, report, send_many
from wxcs_lite.batch.report import STATES
from wxcs_lite.errors import WxError
from wxcs_lite.fresh import FreshToken
from wxcs_lite.look.words import Language
from wxcs_lite.terminal.bar import Bar
from wxcs_lite.terminal.environment import Address, open_address, printable, reason_of, told, warnings_in
from wxcs_lite.terminal.message_list import Line, MessageList, Numbered, Wrong
from wxcs_lite.terminal.survey import Found, look_over, survey
from wxcs_lite.terminal.tokens import token_source

__all__ = ["INTERRUPTED", "NOT_ALL", "UNKNOWN", "Order", "run"]

# Exit statuses beside 0 (every message is sent, now or before) and 2 (it did not begin: usage, file or ledger).
NOT_ALL = 1  # some certainly were not
UNKNOWN = 3  # some may have been
INTERRUPTED = 130  # by Ctrl-C; 128 plus the number of any other signal
_SHOWN = 20  # messages that were not sent

_TEXTS = {
    "en": {
        "ledger": "--ledger is missing: name a file that will know what was sent (or --dry-run to send nothing)",
        "number": "--workers must be a whole number above 0, and --rate a number above 0",
        "former": "the ledger {name} knows {count} of a former run: add --resume to go on, or name a new ledger for "
        "another list",
        "none": "there is no ledger {name} to go on from: check the path, or leave --resume out to begin",
        "wrong": "nothing was sent; lines that are not messages: {count:,}. Correct them, or leave them out with "
        "--skip-invalid",
        "skipped": "lines left out, because they are not messages: {count:,}",
        "csv": "--csv must name another file than the list and the ledger, in a folder that is there",
        "output": "the account could not be printed: {reason}",
        "file": "{name}: {reason}",
        "nothing": "Interrupted. Nothing was sent.",
        "waiting": "Interrupted: nothing more leaves; waiting for the replies to what is under way. "
        "Ctrl-C again leaves at once.",
        "left": "Left at once: what was under way is unknown; --resume goes on.",
        "outcome": "line {line} ({key}): {state}: {reason}",
        "more": "and {count:,} more that were not sent",
        "not_reached": "{count:,} messages were not reached",
        "next": "to go on: the same command with --resume; --resend-unknown and --resend-refused send those, too",
        "exported": "{count:,} rows in {name}",
        "known": "the ledger {name} knows: {states}",
    },
    "zh": {
        "ledger": "缺少 --ledger：请指定账本文件，用来记录哪些消息已经发送（只检查不发送请加 --dry-run）",
        "number": "--workers 应为大于 0 的整数，--rate 应大于 0",
        "former": "账本 {name} 里已有上次运行的 {count} 条记录：继续发送请加 --resume，发送另一份名单请换一个账本",
        "none": "没有可以继续的账本 {name}：请检查路径；若是第一次发送，请去掉 --resume",
        "wrong": "没有发送：有 {count:,} 行不是消息，请改正，或用 --skip-invalid 跳过这些行",
        "skipped": "已跳过 {count:,} 行（不是消息）",
        "csv": "--csv 不能与名单或账本是同一个文件，且所在文件夹应已存在",
        "output": "无法输出统计结果：{reason}",
        "file": "{name}：{reason}",
        "nothing": "已中断，没有发送。",
        "waiting": "已中断：不再发送，正在等待已发出消息的应答。再按一次 Ctrl-C 立即退出。",
        "left": "已立即退出：未收到应答的消息结果未知；可用 --resume 继续。",
        "outcome": "第 {line} 行（{key}）：{state}：{reason}",
        "more": "另有 {count:,} 条没有发送",
        "not_reached": "{count:,} 条尚未处理到",
        "next": "在命令行里：同一命令加 --resume；--resend-unknown、--resend-refused 分别重发结果未知和被拒绝的消息",
        "exported": "已将 {count:,} 行写入 {name}",
        "known": "账本 {name} 中已有：{states}",
    },
}


class Order(NamedTuple):
    """What the command line asks for."""

    path: str
    ledger: str | None = None
    workers: int = 16
    rate: float | None = None
    resume: bool = False
    dry_run: bool = False
    skip_invalid: bool = False
    resend_unknown: bool = False
    resend_refused: bool = False
    csv: str | None = None
    as_json: bool = False


def run(order: Order, where: Address, *, lang: Language = "en", out: TextIO | None = None) -> int:
    """Read the list through, send it, print what became of it, and return the exit status."""
    sending = _Sending(order, where, lang, out or sys.stdout)
    try:
        return sending.run()
    except KeyboardInterrupt:
        if not sending.has_begun:
            sending.tell("nothing")
        return INTERRUPTED
    except (WxError, ValueError) as e:
        return sending.refuse(told(e, lang))
    except OSError as e:
        name = printable(e.filename or order.path)
        return sending.refuse(_TEXTS[lang]["file"].format(name=name, reason=reason_of(e)[lang == "zh"]))


class _Sending:
    def __init__(self, order: Order, where: Address, lang: Language, out: TextIO) -> None:
        self._order, self._where, self._lang, self._out = order, where, lang, out
        self._texts = _TEXTS[lang]
        self._failed = 0
        self.has_begun = False

    def run(self) -> int:
        if (objection := self._objection()) is not None:
            return self.refuse(objection)
        with MessageList(self._order.path) as messages:
            if self._order.dry_run:
                found, counted = survey(messages, rate=self._order.rate, lang=self._lang, as_json=self._order.as_json)
                self._tell_wrong(found)
                is_printed = self._print(counted)
                return 2 if not is_printed or (found.wrong and not self._order.skip_invalid) else 0
            found = look_over(messages)
            self._tell_wrong(found)
            if found.wrong and not self._order.skip_invalid:
                return self.refuse(self._texts["wrong"].format(count=found.wrong))
            return self._send(messages, found)

    def _objection(self) -> str | None:
        """Return why it must not begin: no ledger, that of another run, or a file that would be written over."""
        order, texts = self._order, self._texts
        if order.workers < 1 or not (order.rate is None or 0 < order.rate < float("inf")):
            return texts["number"]
        if order.ledger is None:
            return None if order.dry_run else texts["ledger"]
        path, name = Path(order.ledger), printable(Path(order.ledger).name)
        if order.csv is not None:
            target = os.path.realpath(order.csv)
            needed = (os.path.realpath(order.path), os.path.realpath(path))
            if target in needed or not Path(target).parent.is_dir():
                return texts["csv"]
        if not path.exists():
            return texts["none"].format(name=name) if order.resume else None
        known = report(path).states if path.stat().st_size else {}
        if known and order.dry_run:
            states = ", ".join(f"{count:,} {state}" for state, count in known.items())
            self.tell("known", name=name, states=states)
        elif known and not order.resume:
            return texts["former"].format(name=name, count=sum(known.values()))
        return None

    def _tell_wrong(self, found: Found) -> None:
        for line in found.lines(self._lang):
            _say(line)
        if found.wrong and self._order.skip_invalid:
            self.tell("skipped", count=found.wrong)

    def _send(self, messages: MessageList, found: Found) -> int:
        order = self._order
        with warnings_in(self._lang), open_address(self._where, maxsize=order.workers) as pool:
            token = token_source(pool, self._lang)
            if isinstance(token, FreshToken):
                token()  # now, so that a wrong secret leaves no ledger behind
            batch = send_many(
                (_item(each) for each in messages if not isinstance(each, Wrong)),
                token=token,
                open_pool=lambda: pool,
                workers=order.workers,
                ledger=order.ledger,
                resend_unknown=order.resend_unknown,
                resend_refused=order.resend_refused,
                rate=order.rate,
                progress=False,
            )
            self.has_begun = True
            with _signals(self._texts) as caught, batch:
                self._follow(batch, found.messages, caught)
        return self._sum_up(batch, found, caught)

    def _follow(self, batch: Batch, total: int, caught: list[int]) -> None:
        """Show the outcomes as they come, until the end or a signal."""
        bar = Bar(total, self._lang, sys.stderr)
        try:
            for outcome in batch:
                bar.step(outcome.state)
                if caught:  # and what the handler raised was lost, as Python does in a callback
                    break
                # What is unsent because the batch stops has its reason in the account.
                if outcome.error is not None and not (outcome.state == "unsent" and batch.reason is not None):
                    self._failed += 1
                    if self._failed <= _SHOWN:
                        bar.erase()
                        self._tell_of(outcome, outcome.error)
        except BatchStopped:
            pass  # the report has its reason
        except OSError as e:  # the list cannot be read any more
            self._failed += 1
            self._tell_file(e)
        finally:
            bar.erase()

    def _tell_of(self, outcome: Outcome, error: WxError) -> None:
        self.tell(
            "outcome",
            line=outcome.message.number,
            key=printable(outcome.key),
            state=STATES[outcome.state] if self._lang == "zh" else outcome.state,
            reason=told(error, self._lang),
        )

    def _sum_up(self, batch: Batch, found: Found, caught: list[int]) -> int:
        """Print the account, write it as CSV if asked to, and return the exit status."""
        account = report(batch)
        reached = sum(account.states.values())
        if self._failed > _SHOWN:
            self.tell("more", count=self._failed - _SHOWN)
        if self._order.as_json:
            more = {"not_reached": found.messages - reached, "invalid_lines": found.wrong}
            shown = json.dumps(account.as_dict() | more, ensure_ascii=False)
        else:
            shown = account.zh if self._lang == "zh" else account.en
            if found.messages > reached:
                shown += "\n" + self._texts["not_reached"].format(count=found.messages - reached)
        is_printed = self._print(shown)
        is_done = not self._failed and reached == found.messages and not account.states.get("unsent")
        if not is_done:
            self.tell("next")
        is_done = self._export() and is_done and is_printed
        if caught:
            return 128 + caught[0]
        return UNKNOWN if account.states.get("unknown") else 0 if is_done else NOT_ALL

    def _export(self) -> bool:
        """Write the ledger as CSV, if that is asked for; return whether nothing failed."""
        ledger, target = self._order.ledger, self._order.csv
        if ledger is None or target is None:
            return True
        try:
            self.tell("exported", count=export_csv(ledger, target), name=printable(target))
        except OSError as e:
            self._tell_file(e)
        except LedgerError as e:
            _say(told(e, self._lang))
        else:
            return True
        return False

    def _tell_file(self, error: OSError) -> None:
        name = printable(error.filename or self._order.path)
        self.tell("file", name=name, reason=reason_of(error)[self._lang == "zh"])

    def _print(self, shown: str) -> bool:
        """Print to stdout, and return whether that can be done; a reader that has enough (`head`) is not a failure."""
        try:
            print(shown, file=self._out, flush=True)
        except OSError as e:
            with suppress(OSError):  # what is still in the buffer would fail once more at the exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            if not isinstance(e, BrokenPipeError):
                self.tell("output", reason=reason_of(e)[self._lang == "zh"])
                return False
        return True

    def tell(self, text: str, **values: object) -> None:
        """Print to stderr, so that stdout has only the account."""
        _say(self._texts[text].format(**values))

    def refuse(self, line: str) -> int:
        """Print why nothing was sent, and return the exit status for that."""
        _say(f"send-many: {line}")
        return 2


def _say(line: str) -> None:
    with suppress(OSError):  # where nobody reads, the messages are sent all the same
        print(line, file=sys.stderr, flush=True)


def _item(line: Line) -> Numbered | tuple[str, Numbered]:
    return line.message if line.key is None else (line.key, line.message)


@contextmanager
def _signals(texts: Mapping[str, str]) -> Iterator[list[int]]:
    """Turn the first Ctrl-C or SIGTERM into a clean end, and leave at once at the second; yields which came."""
    caught: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        _write(texts["left" if caught else "waiting"])
        if caught:
            os._exit(128 + number)
        caught.append(number)
        raise KeyboardInterrupt

    former = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    except KeyboardInterrupt:
        pass  # what was under way has ended, and is recorded
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _write(line: str) -> None:
    """Write to stderr without its buffer, which a signal may have interrupted."""
    with suppress(OSError):
        os.write(2, f"\n{line}\n".encode(sys.stderr.encoding, "replace"))
