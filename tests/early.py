"""Programs that tests wait for, started before the first test, so that they run beside other tests.

A test module with such a program has a function `begin_early(items)`, which gets its selected tests.
"""

import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from tests.bench.samples import PROJECT

__all__ = ["begin", "finish", "stop_all"]

ENOUGH = 300  # seconds after which a program that hangs fails its tests


class Begun(NamedTuple):
    """A running program; its output goes to files, because nobody reads pipes in the meantime."""

    process: "subprocess.Popen[bytes]"
    out: Any
    err: Any


_begun: dict[tuple[str, ...], Begun] = {}
_done: dict[tuple[str, ...], "subprocess.CompletedProcess[str]"] = {}


def begin(*arguments: str) -> None:
    """Start `python` with these arguments, unless that has been done."""
    if arguments in _begun or arguments in _done:
        return
    out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - open until the program is done
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8", *arguments], cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out, stderr=err
    )
    _begun[arguments] = Begun(process, out, err)


def finish(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Return what the program has printed, once it is done; it is begun now, if nobody has."""
    if arguments not in _done:
        begin(*arguments)
        process, *files = _begun[arguments]
        try:
            process.wait(ENOUGH)
        finally:
            _stop(arguments)
        out, err = map(_printed, files)
        _done[arguments] = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return _done[arguments]


def _printed(file: Any) -> str:
    file.seek(0)
    with file:
        return str(file.read().decode().replace("\r\n", "\n"))


def _stop(arguments: tuple[str, ...]) -> None:
    process = _begun.pop(arguments).process
    if process.poll() is None:
        process.kill()
        process.wait()


def stop_all() -> None:
    """End what no test has waited for: the run was cut short."""
    for arguments in [*_begun]:
        begun = _begun[arguments]
        _stop(arguments)
        begun.out.close()
        begun.err.close()
