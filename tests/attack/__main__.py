"""Attack: all parts, or the named ones, as `matrix`, or as `matrix:chunk size` for cases with that in their name."""

import argparse
import importlib
import sys
import time
from collections.abc import Mapping

from tests.attack.found import Finding, Result
from tests.bench.tables import print_table

PARTS: Mapping[str, str] = {
    "cuts": "tests.attack.cuts",
    "matrix": "tests.attack.matrix",
    "threads": "tests.attack.threads",
    "forks": "tests.attack.forks",
    "interrupts": "tests.attack.interrupts",
    "pushes": "tests.attack.pushes",
    "tools": "tests.attack.tools",
    "targets": "tests.attack.targets",
    "kills": "tests.attack.kills",
    "batches": "tests.attack.batches",
}
_SHOWN = 40  # findings of a part


def attack(part: str, *, quick: bool, only: str = "") -> tuple[Result, dict[str, list[Finding]]]:
    """Run a part and its canaries: the faults that it has to find."""
    module = importlib.import_module(PARTS[part])
    return module.run(quick, only), module.canaries()


def main() -> int:
    """Run the parts one after the other; 1 if anything was found, or if a part does not see."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"any of {', '.join(PARTS)}; none means all")
    parser.add_argument("--quick", action="store_true", help="a sample of each part, in seconds")
    given = parser.parse_args()
    named = [part.partition(":") for part in given.part or PARTS]
    if unknown := [part for part, _, _ in named if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    rows: list[list[str]] = []
    found: dict[str, list[Finding]] = {}
    for part, _, only in named:
        begun = time.monotonic()
        result, canaries = attack(part, quick=given.quick, only=only)
        blind = [Finding(name, "a canary that is not seen") for name, findings in canaries.items() if not findings]
        found[part] = result.findings + blind
        seen = f"{len(canaries) - len(blind)} of {len(canaries)}"
        seconds = f"{time.monotonic() - begun:.1f}"
        rows.append([part, f"{result.cases:,}", seen, f"{len(result.findings):,}", seconds, result.told])
        print(f"{part}: {result.cases:,} cases, {len(found[part]):,} found, {seconds} s", file=sys.stderr)
    print_table("Attacks", ("part", "cases", "canaries seen", "findings", "seconds", "of"), rows, words=(0, 5))
    for part, findings in found.items():
        for finding in findings[:_SHOWN]:
            print(f"\n{part}:{finding.where}\n    {finding.what}")
        if len(findings) > _SHOWN:
            print(f"\n{part}: and {len(findings) - _SHOWN:,} more")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
