"""Removes secrets from urllib3's log records, because these contain URLs, and a URL contains the token.

A logger outlives the modules at exit, and so does everything that its filter refers to; each process has to free that
as it ends. Through `typing` that would be everything (4 ms on Python 3.11), so neither this module nor `scrub` imports
it.
"""

import logging

from wxcs_lite.scrub import scrub

__all__ = ["redact_logs"]


_URLLIB3 = tuple(
    f"urllib3.{name}" for name in ("connectionpool", "poolmanager", "connection", "util.retry", "response")
)


def redact_logs(names: tuple[str, ...] = _URLLIB3) -> None:
    """Add the filter to urllib3's loggers (or to others), for everybody who uses them."""
    # A filter on the parent logger "urllib3" does not see the records of its children, so each of them gets one.
    for name in names:
        logging.getLogger(name).addFilter(_Redact())


class _Redact(logging.Filter):
    """Keep only a scrubbed text of a record: its args and its traceback hold URLs and what a server has echoed."""

    def filter(self, record: logging.LogRecord) -> bool:
        text, _, _ = record.getMessage().partition(", unparsed data: ")
        record.msg, record.args = scrub(text), None
        record.exc_info = record.exc_text = None
        return True
