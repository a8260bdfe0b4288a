"""The cases over HTTP, replayed from cassettes; cassettes/README.md says what they prove and how to record them."""

import re
from pathlib import Path

import pytest

from tests.cases import CASES, Case, Desk
from wxcs_lite.sandbox import Sandbox

CASSETTES = Path(__file__).parents[1] / "cassettes"


@pytest.mark.vcr
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case: Case, desk: Desk) -> None:
    """The scrubbed recording still gives what the case promises."""
    assert case.expected == case.run(desk)


def test_every_cassette_has_its_case() -> None:
    """No recording is left over from a deleted case."""
    assert sorted(CASES) == sorted(path.stem for path in (CASSETTES / "test_cassettes").glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(CASSETTES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_cassette_holds_no_secret(path: Path) -> None:
    """Tokens, secrets and openids were scrubbed from URL, request body and reply."""
    text = path.read_text("utf-8")
    number = r"_\d+"
    assert [] == [
        found
        for found in re.findall(r"access_token=([^&\s]+)", text)
        if not re.fullmatch(r"(GIVEN_)?TOKEN" + number, found)
    ]
    for name, placeholder in (
        ("access_token", "GIVEN_TOKEN"),
        ("secret", "SECRET"),
        ("appid", "APPID"),
        ("touser", "OPENID"),
    ):
        named = re.findall(rf'{name}\\?": ?\\?"([^"\\]+)', text)
        assert [] == [found for found in named if not re.fullmatch(placeholder + number, found)]
    assert [] == [secret for secret in (Sandbox().secret, Sandbox().appid, "oSANDBOX") if secret in text]
    # A token is some 136 characters in one piece; a media_id has 64.
    assert [] == re.findall(r"[A-Za-z0-9_-]{80,}", text)
