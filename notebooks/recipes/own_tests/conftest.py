"""Enables the plugin: it does nothing without the line `pytest_plugins`."""

import pytest

from wxcs_lite.testing import scrubbed_vcr_config

pytest_plugins = ["wxcs_lite.testing"]


@pytest.fixture
def vcr_config():
    """Return the configuration that pytest-recording passes to VCR."""
    return scrubbed_vcr_config()
