"""What urllib3 logs, at any level, shows no token; importing the package sees to it."""

import logging
import subprocess
import sys

import pytest

import wxcs_lite

MARKER = "80_MARKERmarkerMARKERmarker"
LOGGERS = ("connectionpool", "poolmanager", "connection", "util.retry", "response")


def logged(name: str, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Let the logger say what urllib3 says, with a traceback that holds the token, too."""
    with caplog.at_level(logging.DEBUG, logger=f"urllib3.{name}"):
        try:
            raise ValueError(MARKER)
        except ValueError:
            logging.getLogger(f"urllib3.{name}").warning(
                "%s failed: %s, unparsed data: %r", "POST", f"/send?access_token={MARKER}", MARKER, exc_info=True
            )
    return caplog.records[-1]


@pytest.mark.parametrize("name", LOGGERS)
def test_a_record_keeps_its_text_and_loses_the_token(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Args and traceback go, for handlers may show them in any form."""
    record = logged(name, caplog)
    assert "POST failed: /send?access_token=***" == record.getMessage()
    assert record.args is None
    assert record.exc_info is None
    assert record.exc_text is None
    assert MARKER not in caplog.text


@pytest.mark.parametrize("module", [wxcs_lite.__name__, "wxcs_lite.endpoints", "wxcs_lite.push", "wxcs_lite.sandbox"])
def test_every_import_puts_it_there_once(module: str) -> None:
    """Nobody has to ask for it."""
    count = "[len(logging.getLogger(f'urllib3.{name}').filters) for name in sys.argv[1:]]"
    script = f"import logging, sys, {module}; print({count})"
    done = subprocess.run([sys.executable, "-c", script, *LOGGERS], capture_output=True, text=True, check=True)
    assert done.stdout == f"{[1] * len(LOGGERS)}\n"
