"""A command behind the proxy of the served sandbox: its environment, its signals, its status."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

__all__ = ["lines_to_paste", "run_inside"]

_JAVA = "JAVA_TOOL_OPTIONS"  # the one variable that may hold much else


def lines_to_paste(environment: Mapping[str, str]) -> Iterator[str]:
    """Return the lines for a shell that set these variables.

    >>> list(lines_to_paste({"http_proxy": "http://127.0.0.1:8080", "_JAVA": "-Da=b|c"}))
    ['export http_proxy=http://127.0.0.1:8080', "export _JAVA='-Da=b|c'"]
    """
    for name, value in environment.items():
        yield f"export {name}={shlex.quote(value)}"


def run_inside(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end with these variables besides ours, and return its status as a shell has it.

    >>> run_inside(["sh", "-c", "exit $STATUS"], {"STATUS": "3"})
    3

    Ctrl-C reaches it without us, and it decides what to do; SIGTERM is passed on to it, also one that comes while it
    starts.
    """
    whole = {**os.environ, **environment}
    if _JAVA in environment and _JAVA in os.environ:
        whole[_JAVA] = f"{os.environ[_JAVA]} {environment[_JAVA]}"  # of two, Java takes the later
    program, *arguments = command
    process: subprocess.Popen[bytes] | None = None
    is_over = False

    def end(*_: object) -> None:
        nonlocal is_over
        is_over = True
        if process is not None:
            process.terminate()

    before = signal.signal(signal.SIGTERM, end)
    try:
        # The command is what the user has just typed, and Windows finds npm.cmd only so.
        process = subprocess.Popen([shutil.which(program) or program, *arguments], env=whole)  # noqa: S603
        if is_over:
            process.terminate()
        status = _waited_for(process)
    finally:
        signal.signal(signal.SIGTERM, before)
    return status if status >= 0 else 128 - status


def _waited_for(process: "subprocess.Popen[bytes]") -> int:
    while True:
        with suppress(KeyboardInterrupt):
            return process.wait()
