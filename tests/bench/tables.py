"""Tables that can be read in a terminal and pasted into a README."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from textwrap import fill
from typing import NamedTuple

from tests.bench.measure import Cost, paired

__all__ = ["NOT_INSTALLED", "Goal", "milliseconds", "note", "print_costs", "print_goals", "print_table", "times"]

NOT_INSTALLED = "not installed"
_WIDTH = 100  # columns


class Goal(NamedTuple):
    """Something that must be so, and what this run says of it."""

    what: str
    goal: str
    measured: str
    met: bool


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[int] = (0,)
) -> None:
    """Print columns as wide as they need to be, those of words to the left, numbers to the right."""
    lines = [list(headings), *(list(row) for row in rows)]
    # A row that ends early says in words why it has no figures; words must not widen a column.
    full = [line for line in lines if len(line) == len(headings)]
    widths = [max(len(line[at]) for line in full) for at in range(len(headings))]
    widths[0] = max(len(line[0]) for line in lines)
    print(f"\n## {title}\n")
    for number, line in enumerate(lines):
        cells = zip(range(len(line)), line, widths[: len(line)], strict=True)
        print("  ".join(cell.ljust(width) if at in words else cell.rjust(width) for at, cell, width in cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def print_costs(title: str, costs: Mapping[str, Cost | None], base: str, *, server: bool = True) -> None:
    """Print what calls cost, each beside the one named `base`."""
    compared = costs[base]
    assert compared is not None
    headings = ["call", "CPU µs", f"/ {base.rpartition(', ')[2]}", "p50 µs", "p99 µs", "calls/s"]
    rows: list[list[str]] = []
    for name, cost in costs.items():
        if cost is None:
            rows.append([name, NOT_INSTALLED])
            continue
        row = [name, f"{median(cost.cpu) * 1e6:,.1f}", times(paired(cost.cpu, compared.cpu))]
        row += [f"{cost.percentile(percent) * 1e6:,.0f}" for percent in (50, 99)]
        rows.append([*row, f"{cost.rate:,.0f}", *([f"{cost.busy:.0%}"] if server else [])])
    print_table(title, [*headings, *(["server busy"] if server else [])], rows)


def print_goals(goals: Iterable[Goal]) -> None:
    """Print each goal beside the figure that was measured."""
    rows = [(goal.what, goal.goal, goal.measured, "yes" if goal.met else "NO") for goal in goals]
    print_table("Goals", ("what", "goal", "measured", "met"), rows)


def note(text: str) -> None:
    """Print what has to be known to read the table above."""
    print(f"\n{fill(text, _WIDTH)}")


def times(ratio: float) -> str:
    """Write a ratio; the sign distinguishes it from a figure that depends on the machine."""
    return f"{ratio:.3f}×" if ratio < 10 else f"{ratio:.1f}×"


def milliseconds(seconds: float) -> str:
    """Write a difference of times, with its sign."""
    return f"{seconds * 1e3:+.1f} ms"
