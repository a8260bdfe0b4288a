"""For the tests of your own bot: a pytest plugin, asked for by name, and cassettes that hold no secret.

    # conftest.py
    pytest_plugins = ["wxcs_lite.testing"]

`wxcs_sandbox` is a fresh WeChat in a box for each test, `wxcs_pool` and `wxcs_token` lead to it, `wxcs_push_to(app)`
lets it push to your application; `@pytest.mark.wxcs(refill_on_entry=True)` sets its switches. In a test that is marked
`vcr` the same pool speaks HTTP, for pytest-recording: it is replayed, or recorded against the sandbox, or live.

It needs pytest, and for cassettes pytest-recording. PYTEST_DONT_REWRITE: a conftest may import it first.
"""

try:
    import pytest  # noqa: F401 - to say at once what is missing
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
