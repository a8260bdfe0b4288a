"""A class that shares one served sandbox: students who run a lesson's cells all at once, and a teacher who types."""

import ast
import importlib
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Semaphore, local
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import wxcs_lite
from tests.notebook_tools import LANGUAGES
from wxcs_lite.pools import Pool

__all__ = ["Account", "Class", "Ran", "beside"]

ENOUGH = 120  # seconds after which a student who hangs fails the test
_NOTHING = ast.parse("None", mode="eval").body
_FILES = ("course", "course_zh", "checks", "shared", "student_version", "grade")


@contextmanager
def beside(lang: str, name: str) -> Iterator[ModuleType]:
    """Import a file that lies beside the lessons of a language, as a lesson would; forget it afterwards."""
    before = sys.path.copy()
    sys.path[:0] = [str(LANGUAGES[lang]), str(LANGUAGES["en"])]
    try:
        importlib.import_module("course_zh" if lang == "zh" else "course")
        yield importlib.import_module(name)
    finally:
        sys.path[:] = before
        for each in _FILES:
            sys.modules.pop(each, None)


class Account(NamedTuple):
    """What a student gets of the list that the sandbox prints."""

    appid: str
    secret: str


class Ran(NamedTuple):
    """How a cell went for one student: what it printed and showed, and its error, or ""."""

    shown: str
    error: str


class Class:
    """Students, each with the names of a notebook of their own; where a cell asks for the teacher, all wait."""

    def __init__(self, accounts: list[Account], shared: ModuleType) -> None:
        self.accounts = accounts
        self._names: list[dict[str, Any]] = []
        self._pools: list[Pool] = []
        self._told: SimpleQueue[str | None] = SimpleQueue()
        self._go = [Semaphore(0) for _ in accounts]
        self._parted = False
        self._who = local()
        self._executor = ThreadPoolExecutor(len(accounts))
        vars(shared).update(input=self._ask, open_pool=self._open_pool)

    def close(self) -> None:
        self._executor.shutdown()
        for pool in self._pools:
            pool.close()

    def opens_a_lesson(self) -> None:
        self._names = [{} for _ in self.accounts]

    def runs(self, sources: list[str]) -> Generator[str, None, tuple[list[str], list[Ran]]]:
        """Run a cell, each student's own; yield what the teacher types, and return that and how it went."""
        compiled = [_compiled(source) for source in sources]  # here, because Python 3.11's parser is for one thread
        running = [self._executor.submit(self._run, number, *each) for number, each in enumerate(compiled)]
        asked: list[str] = []
        while (told := {self._told.get(timeout=ENOUGH) for _ in sources}) != {None}:
            self._parted = len(told) > 1
            for line in () if self._parted else told:
                asked.append(str(line))
                yield str(line)  # it has been obeyed when this goes on
            for go in self._go:
                go.release()
            assert not self._parted, f"not all of them ask for the same: {told}, {[each.result() for each in running]}"
        return asked, [each.result() for each in running]

    def _ask(self, prompt: str) -> str:
        _, line, _ = prompt.split("  ")
        self._told.put(line)
        assert self._go[self._who.number].acquire(timeout=ENOUGH)
        assert not self._parted
        return ""

    def _open_pool(self, url: str) -> Pool:
        self._pools.append(wxcs_lite.open_pool(url))
        return self._pools[-1]

    def _run(self, number: int, body: CodeType, last: CodeType) -> Ran:
        self._who.number = number
        printed: list[str] = []
        names = self._names[number]
        names["print"] = lambda *values, sep=" ": printed.append(sep.join(map(str, values)))
        try:
            exec(body, names)
            value = eval(last, names)
            printed += [] if value is None else [repr(value)]
        except Exception as error:
            return Ran("\n".join(printed), f"{type(error).__name__}: {error}")
        finally:
            self._told.put(None)
        return Ran("\n".join(printed), "")


def _compiled(source: str) -> tuple[CodeType, CodeType]:
    """Return the cell, and the value that a notebook would show below it."""
    body = ast.parse(source).body
    *before, last = body
    value = last.value if isinstance(last, ast.Expr) else _NOTHING
    before += [] if isinstance(last, ast.Expr) else [last]
    return compile(ast.Module(before, []), "cell", "exec"), compile(ast.Expression(value), "cell", "eval")
