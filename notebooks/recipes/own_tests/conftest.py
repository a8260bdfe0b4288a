"""The plugin is asked for here; without this line, nothing of it is on."""

import pytest

from wxcs_lite.testing import scrubbed_vcr_config

pytest_plugins = ["wxcs_lite.testing"]


@pytest.fixture
def vcr_config():
    """What pytest-recording gives to VCR."""
    return scrubbed_vcr_config()
