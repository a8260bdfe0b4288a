"""How much memory a large upload and a large download take at their worst, over the idle process.

Each case has a separate process, which counts as idle after it has imported its library and sent one message.
"""

import gc
import json
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.bench.peers import LIBRARIES
from tests.bench.samples import MEGABYTE, PROJECT, picture, scratch
from tests.bench.server import answering
from tests.bench.tables import NOT_INSTALLED, Goal, note, print_table, times

__all__ = ["forget_peak", "peak_of_process", "run"]

_PATH, _BYTES, _STREAM = _CASES = "path", "bytes", "stream"
_OURS = "wxcs_lite"


class _Task(NamedTuple):
    """What a child process has to do."""

    port: int
    path: str
    download: int  # bytes


def run(quick: bool) -> list[Goal]:
    """Measure, print, and say whether the goals are met."""
    upload, download, repeats = (MEGABYTE, 2 * MEGABYTE, 1) if quick else (99 * MEGABYTE // 10, 200 * MEGABYTE, 5)
    with answering() as server, TemporaryDirectory(dir=scratch()) as folder:
        path = Path(folder, "photo.jpg")
        path.write_bytes(picture(upload))
        task = _Task(server.port, str(path), download)
        peaks = {name: _peaks(name, task, repeats, together=quick) for name in LIBRARIES}
    sent, streamed = f"{upload / MEGABYTE:g} MB", f"{download // MEGABYTE} MB"
    rows: list[list[str]] = []
    for name, over in peaks.items():
        if over is None:
            rows.append([name, NOT_INSTALLED])
            continue
        figures = [f"{over[case] / MEGABYTE:.1f}" for case in _CASES]
        rows.append([name, figures[0], figures[1], times(over[_BYTES] / upload), figures[2]])
    headings = ("peak MB over idle", f"upload {sent}, path", "bytes", "/ the file", f"stream {streamed}")
    print_table(f"Memory: resident set, medians of {repeats} processes", headings, rows)
    note("By hand is as urllib3's guide has it: a body made of fields, stream(). wechatpy has only the whole.")
    ours = peaks[_OURS]
    assert ours
    ratio = ours[_BYTES] / upload
    return [
        Goal(f"peak of a {sent} upload from bytes", "1.2× the file or less", times(ratio), ratio <= 1.2),
        _two_megabytes(f"peak of a {sent} upload from a path", ours[_PATH]),
        _two_megabytes(f"peak of a {streamed} stream", ours[_STREAM]),
    ]


def _two_megabytes(what: str, peak: float) -> Goal:
    return Goal(what, "2 MB or less", f"{peak / MEGABYTE:.1f} MB", peak <= 2 * MEGABYTE)


def _peaks(name: str, task: _Task, repeats: int, *, together: bool) -> dict[str, float] | None:
    """Return the median peak of each case in bytes over idle; None if the library is not installed.

    `together` lets one process do all of them, which is quick but wrong: each uses what the one before has freed.
    """
    groups: list[Sequence[str]] = [_CASES] if together else [(case,) for case in _CASES]
    peaks: dict[str, float] = {}
    for group in groups:
        found = [_in_a_child(name, task, group) for _ in range(repeats)]
        for at, case in enumerate(group):
            told = [peak[at] for peak in found if peak is not None]
            if not told:
                return None
            peaks[case] = median(told)
    return peaks


def _in_a_child(name: str, task: _Task, cases: Sequence[str]) -> list[int] | None:
    command = [sys.executable, "-m", "tests.bench.memory", name, *map(str, task), *cases]
    done = subprocess.run(command, check=True, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    peaks: list[int] | None = json.loads(done.stdout)
    return peaks


def _child(name: str, task: _Task, cases: Sequence[str]) -> list[int] | None:
    """Do the cases in this process and return what each took at its worst."""
    try:
        library = LIBRARIES[name](task.port)
    except ImportError:
        return None
    library.send()
    peaks: list[int] = []
    for case in cases:
        gc.collect()
        idle = forget_peak()
        if case == _STREAM:
            got = sum(len(chunk) for chunk in library.stream(task.download))
            assert got == task.download
        elif case == _BYTES:
            library.upload(Path(task.path).read_bytes())
        else:
            library.upload(Path(task.path))
        peaks.append(max(0, peak_of_process() - idle))
    return peaks


_STATUS = Path("/proc/self/status")


def forget_peak() -> int:
    """Return the present size in bytes, and let the peak start from it: an import has peaks of its own."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return _kilobytes("VmRSS")
    return peak_of_process()


def peak_of_process() -> int:
    """Return the largest size so far in bytes.

    Without getrusage if possible: on Linux a child's ru_maxrss starts from the size of the process that
    started it, which hides everything smaller.
    """
    if _STATUS.exists():
        return _kilobytes("VmHWM")
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def _kilobytes(field: str) -> int:
    found = re.search(rf"{field}:\s+([0-9]+) kB", _STATUS.read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    _name, _port, _path, _download, *_cases = sys.argv[1:]
    print(json.dumps(_child(_name, _Task(int(_port), _path, int(_download)), _cases)))
