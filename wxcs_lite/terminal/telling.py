"""Tells in a terminal what happens in the served sandbox: whole lines from any thread, in one language."""

import sys
from contextlib import suppress
from threading import Lock
from time import gmtime, strftime
from typing import TextIO

from wxcs_lite.look.bubbles import summary
from wxcs_lite.look.words import Language, words
from wxcs_lite.sandbox import Advanced, Arrived, Called, CustomerEvent, Delivered, Pushed
from wxcs_lite.sandbox.watching import Happening
from wxcs_lite.terminal.environment import printable, reason_of
from wxcs_lite.terminal.serving_words import TEXTS

__all__ = ["Refused", "Teller"]

_SHOWN = 200  # characters of a message


class Refused(Exception):
    """What was asked for cannot be done: a text of the table, and what is filled in.

    A value whose name ends in _text is itself the name of a text.
    """

    def __init__(self, name: str, /, **values: object) -> None:
        super().__init__(name)
        self.name = name
        self.values = values


class Teller:
    """Prints what is said and what happens; with `verbose` each call, too."""

    def __init__(self, lang: Language, out: TextIO, *, verbose: bool = False) -> None:
        self._texts, self._words, self._lang = TEXTS[lang], words(lang), lang
        self._out, self._verbose, self._printing = out, verbose, Lock()

    def text(self, name: str, /, **values: object) -> str:
        filled = {
            key.removesuffix("_text"): self._texts[str(value)] if key.endswith("_text") else value
            for key, value in values.items()
        }
        return self._texts[name].format(**filled)

    def pick(self, texts: tuple[str, str]) -> str:
        """Return the English or the Chinese one."""
        return texts[self._lang == "zh"]

    def say(self, name: str, /, **values: object) -> None:
        self.show(self.text(name, **values))

    def show(self, line: str) -> None:
        with self._printing:
            print(line, file=self._out, flush=True)

    def refuse(self, refused: Refused) -> int:
        """Print the problem to stderr, and return the exit status for wrong usage."""
        print(f"sandbox: {self.text(refused.name, **refused.values)}", file=sys.stderr)
        return 2

    def reason(self, error: OSError) -> str:
        return self.pick(reason_of(error))

    def tell(self, happening: Happening, before: str = "") -> None:
        """Print what has happened, and `before` an openid its account, as "APPID/", if there are several."""
        with suppress(BrokenPipeError):  # nobody reads any more; that is not the caller's fault
            if isinstance(happening, CustomerEvent):
                self._tell_event(happening, before)
            elif isinstance(happening, Arrived):
                self.say("arrived", who=before + happening.openid, summary=self.summary(happening.delivered))
            elif isinstance(happening, Pushed):
                self._tell_pushed(happening, before)
            elif isinstance(happening, Advanced):
                self.say("advanced", time=strftime("%Y-%m-%d %H:%M:%S UTC", gmtime(happening.at)))
            elif self._verbose:
                self._tell_call(happening, before)

    def summary(self, delivered: Delivered) -> str:
        """Return a message in one line."""
        line = printable(summary(delivered.message, self._words))
        line = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
        size = "" if delivered.picture is None else self.text("bytes", count=len(delivered.picture))
        return line + size

    def _tell_event(self, event: CustomerEvent, before: str) -> None:
        who = before + event.openid
        if event.kind == "text":
            self.say("wrote", who=who)
        elif event.kind == "event":
            self.say("entered", who=who)
        else:
            self.say("sent", who=who, what_text=f"sent_{event.kind}")

    def _tell_pushed(self, pushed: Pushed, before: str) -> None:
        status = self.text("no_answer") if pushed.status is None else f"HTTP {pushed.status}"
        notes = [self.text("attempt", attempt=pushed.attempt)] if pushed.attempt > 1 else []
        notes += [printable(self.pick((pushed.why, pushed.why_zh)))] if pushed.why else []
        more = self.text("notes", notes=self.pick((", ", "，")).join(notes)) if notes else ""
        self.say("pushed", who=before + pushed.event.openid, status=status, answer_text=pushed.answer, notes=more)

    def _tell_call(self, call: Called, before: str) -> None:
        seen = call.seen
        who = before + printable(call.openid) if call.openid else before.rstrip("/")
        query = "&".join(f"{name}={value}" for name, value in seen.query)
        self.say(
            "call",
            request=printable(f"{seen.method} {seen.path}{'?' if query else ''}{query} [{seen.body}]"),
            status=self.text("no_answer") if seen.status is None else f"HTTP {seen.status}",
            errcode="" if seen.errcode is None else f" errcode {seen.errcode}",
            who=f", {who}" if who else "",
            ms=call.ms,
        )
