"""What the doctor's tests share: an environment without settings, and a case as it examines them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from wxcs_lite.terminal.doctor import network, push
from wxcs_lite.terminal.doctor.findings import Case
from wxcs_lite.terminal.environment import NAMES, address, open_address, warnings_in

PUSH_TOKEN = "madeUpPushToken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the developer's environment apply, and a busy machine gets enough time."""
    for name in (*NAMES, *PROXIES):
        monkeypatch.delenv(name, raising=False)
    for module, limit in ((push, "_TIME"), (push, "_SLOW"), (network, "_PATIENCE")):
        monkeypatch.setattr(module, limit, 60.0)


@contextmanager
def a_case(base: str, proxy: str | None = None, **given: Any) -> Iterator[Case]:
    where = address(base, proxy)
    with warnings_in(None), open_address(where) as pool:
        yield Case(where, pool, **given)
