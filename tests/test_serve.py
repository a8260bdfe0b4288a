"""The sandbox in a terminal: what cannot be done is told in one sentence."""

import io

import pytest

from wxcs_lite.terminal.serve import run


@pytest.mark.parametrize("port", [-1, 99999, 10**30])
def test_impossible_port(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that none can be: one sentence, and the exit status of wrong usage."""
    assert 2 == run(port=port, lines=io.StringIO(), out=io.StringIO())
    assert ("", f"sandbox: port must be from 0 to 65535, not {port}\n") == capsys.readouterr()


def test_impossible_customer(capsys: pytest.CaptureFixture[str]) -> None:
    """A customer who cannot be: the same."""
    assert 2 == run(customers=["张三"], lines=io.StringIO(), out=io.StringIO())
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert err.startswith("sandbox: an openid is 1 to 64")
