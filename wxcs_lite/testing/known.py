"""The values known to be secret, whatever their name: from the environment and from this test's fixtures."""

import os

from wxcs_lite.secret import Secret

__all__ = ["VARIABLES", "forget", "know", "known_secrets"]

# The environment variables of this project, and what they contain.
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
    """Forget them, because another test has other secrets."""
    _of_this_test.clear()


def known_secrets() -> dict[str, str]:
    """Return the secrets known now, and their kinds."""
    found = dict(_of_this_test)
    found.update((Secret(os.environ[name]), kind) for name, kind in VARIABLES.items() if os.environ.get(name))
    return found
