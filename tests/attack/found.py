"""What an attack returns: how much was tried, and what was found, each with the name under which to try it again."""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Finding", "Result", "seen_again"]

_AGAIN = 3  # times


class Finding(NamedTuple):
    """A promise that was broken: where (the name of the case, which repeats it), and how."""

    where: str
    what: str


class Result(NamedTuple):
    """How many cases ran, what was found, and figures that are worth a line."""

    cases: int
    findings: list[Finding]
    told: str = ""


def seen_again(found: list[Finding], once: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what is found; if all of it is time-outs, what is found again when nothing else of ours runs.

    A busy machine is silent, too, and may be so again.
    """
    for _ in range(_AGAIN):
        if not found or not all("TimeoutError" in each.what for each in found):
            break
        found = once()
    return found
