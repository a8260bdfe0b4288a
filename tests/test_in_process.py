"""The cases of the cassettes once more on the in-process sandbox: the two doors hold each other."""

import pytest

from tests.cases import CASES, Case, Desk


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case: Case, desk: Desk) -> None:
    """Without a socket, the result is the same as over HTTP."""
    assert case.expected == case.run(desk)
