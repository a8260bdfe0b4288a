"""Measure and print: all parts, or those named; `--quick` only shows that everything runs."""

import argparse
import importlib
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.bench.tables import Goal, print_goals

_PARTS: Mapping[str, str] = {
    "send": "tests.bench.send",
    "calls": "tests.bench.calls",
    "push": "tests.bench.pushes",
    "serve": "tests.bench.serving",
    "import": "tests.bench.startup",
    "weight": "tests.bench.weight",
    "memory": "tests.bench.memory",
    "layers": "tests.bench.layers",
    "threads": "tests.bench.threads",
    "batch": "tests.bench.batch",
    "growth": "tests.bench.growth",
    "sandbox": "tests.bench.sandbox",
}
_NAMED = ("urllib3", "requests", "httpx", "wechatpy", "cryptography")


def main() -> None:
    """Run the parts one after the other: two at a time would measure each other."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"any of {', '.join(_PARTS)}; none means all")
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see that it runs; the figures mean nothing"
    )
    given = parser.parse_args()
    if unknown := [part for part in given.part if part not in _PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    _print_machine(given.quick)
    before = _ticks()
    goals: list[Goal] = []
    for part in given.part or _PARTS:
        goals += importlib.import_module(_PARTS[part]).run(given.quick)
    if goals:
        print_goals(goals)
    _print_load()
    if before and (after := _ticks()):
        wanted, taken = (now - then for now, then in zip(after, before, strict=True))
        print(f"taken by the host from what this machine wanted of its cores: {taken / max(1, wanted):.1%}")


def _print_machine(quick: bool) -> None:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    print(f"{today}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, {_size()}")
    print(", ".join(f"{name} {_version(name)}" for name in _NAMED))
    if quick:
        print("--quick: it runs; the figures mean nothing")
    else:
        _print_load()


def _size() -> str:
    cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return f"{cores} cores"
    return f"{cores} cores, {memory:.0f} GiB"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _ticks() -> tuple[int, int] | None:
    """Return how much CPU time this machine has wanted, and how much of it went to others of its host (steal)."""
    try:
        # user, nice, system, idle, iowait, irq, softirq, steal
        spent = [int(field) for field in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return sum(spent) - sum(spent[3:5]), spent[7]


def _print_load() -> None:
    """Print how busy the machine is: beside other programs even ratios lose a few percent."""
    if hasattr(os, "getloadavg"):
        print(f"\nload average of the last minute: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
