"""The cases of the cassettes once more on the in-process sandbox: the two doors hold each other."""

import pytest

from tests.cases import CASES, Case, Desk, sandbox_account
from wxcs_lite.sandbox import Sandbox


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case: Case) -> None:
    """Without a socket, the same comes of it as over HTTP."""
    sandbox = Sandbox()
    account = sandbox_account(sandbox, "")
    account.customer_writes()
    assert case.expected == case.run(Desk(sandbox.pool(), account))
