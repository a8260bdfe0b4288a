"""Where a command gets its token."""

import pytest

from tests.doctor_cases import nothing_set
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.tokens import MissingSettingError, get_token

__all__ = ["nothing_set"]


def test_a_given_token_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """WeChat is not asked, and the token hides."""
    sandbox = Sandbox()
    sandbox.fail_next(errcode=-1)
    monkeypatch.setenv("WXCS_TOKEN", "80_made-up")
    token = get_token(sandbox.pool(), "en")
    assert "80_made-up" == token
    assert "Token('***')" == repr(token)


def test_appid_and_secret_give_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the same: nobody else's token ends."""
    sandbox = Sandbox()
    monkeypatch.setenv("WXCS_APPID", sandbox.appid)
    monkeypatch.setenv("WXCS_SECRET", sandbox.secret)
    pool = sandbox.pool()
    assert get_token(pool, "en") == get_token(pool, "en")


@pytest.mark.parametrize("name", ["APPID", "SECRET"])
def test_a_missing_one_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that a token would do."""
    monkeypatch.setenv("WXCS_SECRET" if name == "APPID" else "WXCS_APPID", "made-up")
    with pytest.raises(MissingSettingError, match=f"WXCS_{name} is not set") as caught:
        get_token(Sandbox().pool(), "en")
    assert "or set WXCS_TOKEN" in caught.value.en
    assert "也可以设置 WXCS_TOKEN" in caught.value.zh
    assert not caught.value.maybe_sent
