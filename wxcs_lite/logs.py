"""What urllib3 logs, made fit to be seen: its records hold URLs, and a URL holds the token.

A logger outlives the modules, and so does all that is within its filter's reach, which each process has to take down
again at its end. Through `typing` that is everything (4 ms on Python 3.11), so neither this module nor
`scrub` imports it.
"""

import logging

from wxcs_lite.scrub import scrub

__all__ = ["redact_logs"]


_URLLIB3 = tuple(
    f"urllib3.{name}" for name in ("connectionpool", "poolmanager", "connection", "util.retry", "response")
)


def redact_logs(names: tuple[str, ...] = _URLLIB3) -> None:
    """Put a filter on urllib3's loggers (or on others), whoever it is that uses them."""
    # One on the parent logger "urllib3" does nothing for what its children say, so each of them gets one.
    for name in names:
        logging.getLogger(name).addFilter(_Redact())


class _Redact(logging.Filter):
    """Leave of a record only a scrubbed text: its args and its traceback hold URLs and what a server has echoed."""

    def filter(self, record: logging.LogRecord) -> bool:
        text, _, _ = record.getMessage().partition(", unparsed data: ")
        record.msg, record.args = scrub(text), None
        record.exc_info = record.exc_text = None
        return True
