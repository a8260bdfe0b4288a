"""What an attack gives back: how much was tried, and what was found, each with the name under which to try it again."""

from typing import NamedTuple

__all__ = ["Finding", "Result"]


class Finding(NamedTuple):
    """A promise that was broken: where (the name of the case, which repeats it), and how."""

    where: str
    what: str


class Result(NamedTuple):
    """How many cases ran, what was found, and figures that are worth a line."""

    cases: int
    findings: list[Finding]
    told: str = ""
