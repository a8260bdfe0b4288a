"""For your own tests: a pytest plugin, which you enable by name, and cassettes without secrets.

    # conftest.py
    pytest_plugins = ["wxcs_lite.testing"]

`wxcs_sandbox` is a fresh sandbox for each test, `wxcs_pool` and `wxcs_token` connect to it, `wxcs_push_to(app)` makes
it push to your application, and `@pytest.mark.wxcs(refill_on_entry=True)` sets its switches. In a test marked `vcr` the
same pool uses HTTP, for pytest-recording: the test is replayed, or recorded against the sandbox or the live API.

This needs pytest, and for cassettes pytest-recording. PYTEST_DONT_REWRITE: a conftest may import it first.
"""

try:
    import pytest  # noqa: F401 - to report a missing package at once
except ModuleNotFoundError as e:
    raise ModuleNotFoundError(
        "wxcs_lite.testing needs pytest: pip install 'pytest>=8' 'pytest-recording>=0.14.1' 'vcrpy>=9.4'\n"
        "wxcs_lite.testing 需要 pytest：pip install 'pytest>=8' 'pytest-recording>=0.14.1' 'vcrpy>=9.4'"
    ) from e

from wxcs_lite.testing.cassettes import scrubbed_vcr_config
from wxcs_lite.testing.fixtures import wxcs_pool, wxcs_push_to, wxcs_sandbox, wxcs_token
from wxcs_lite.testing.hooks import (
    pytest_configure,
    pytest_fixture_setup,
    pytest_runtest_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    pytest_runtest_teardown,
)

__all__ = [
    "pytest_configure",
    "pytest_fixture_setup",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "scrubbed_vcr_config",
    "wxcs_pool",
    "wxcs_push_to",
    "wxcs_sandbox",
    "wxcs_token",
]
