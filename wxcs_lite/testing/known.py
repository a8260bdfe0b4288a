"""What is known to be secret, whatever its name: of the environment, and of the fixtures of this test."""

import os

from wxcs_lite.secret import Secret

__all__ = ["VARIABLES", "forget", "know", "known_secrets"]

# The names that this project's pages use, and what they hold.
VARIABLES = {
    "WXCS_APPID": "APPID",
    "WXCS_SECRET": "SECRET",
    "WXCS_TOKEN": "TOKEN",
    "WXCS_OPENID": "OPENID",
    "WXCS_PUSH_TOKEN": "PUSH_TOKEN",
    "WXCS_AES_KEY": "AES_KEY",
}

_of_this_test: dict[str, str] = {}


def know(value: str, kind: str) -> None:
    """Remember a secret until the next test begins."""
    _of_this_test[Secret(value)] = kind


def forget() -> None:
    """Start afresh: another test has other secrets."""
    _of_this_test.clear()


def known_secrets() -> dict[str, str]:
    """Return all that is known now, and which kind each is of."""
    found = dict(_of_this_test)
    found.update((Secret(os.environ[name]), kind) for name, kind in VARIABLES.items() if os.environ.get(name))
    return found
