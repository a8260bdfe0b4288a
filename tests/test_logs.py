"""What urllib3 logs, at any level, shows no token; importing the package sees to it."""

import logging
import subprocess
import sys

import pytest

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
    assert (record.getMessage(), record.args) == ("POST failed: /send?access_token=***", None)
    assert (record.exc_info, record.exc_text) == (None, None)
    assert MARKER not in caplog.text


@pytest.mark.parametrize("name", LOGGERS)
def test_the_package_has_put_it_there_once(name: str) -> None:
    """Nobody has to ask for it."""
    import wxcs_lite.wire  # noqa: F401 - what everything is sent through

    found = [type(each).__module__ for each in logging.getLogger(f"urllib3.{name}").filters]
    assert found.count("wxcs_lite.logs") == 1


REACH = """
import gc, sys
import wxcs_lite

modules = {id(vars(module)): name for name, module in sys.modules.items()}
seen, left, reached = {id(sys.modules), id(vars(sys))}, [vars(sys.modules["wxcs_lite.logs"])], set()
while left:
    one = left.pop()
    if id(one) not in seen:
        seen.add(id(one))
        reached |= {modules[id(one)]} if id(one) in modules else set()
        left += gc.get_referents(one)
print(*sorted(name for name in reached if name.startswith(("typing", "urllib3", "wxcs_lite"))))
"""


def test_little_is_within_the_filters_reach() -> None:
    """A logger outlives the modules: what its filter reaches has to be taken down last, by every process."""
    done = subprocess.run([sys.executable, "-c", REACH], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wxcs_lite.logs", "wxcs_lite.scrub"]
