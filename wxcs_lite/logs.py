"""What is logged: one line of our own for each call, and urllib3's lines without their secrets.

Our lines name no host, query or body, because a query contains the token, and a body a text and an openid; urllib3's
records contain URLs, and a URL contains the token.

A logger outlives the modules at exit, and so does everything that its filter refers to; each process has to free that
as it ends. Through `typing` that would be everything (4 ms on Python 3.11), so neither this module nor `scrub` imports
it.
"""

import logging
import re
import time

from wxcs_lite.scrub import scrub

__all__ = ["log_call", "redact_logs"]

_log = logging.getLogger("wxcs_lite")

_ERRCODE = rb'"errcode"\s*:\s*(-?[0-9]{1,12})\b'
_LOOKED_AT = 65536  # bytes of a reply; anything longer is a medium


def log_call(call: tuple[object, ...], begun: float, outcome: str, reply: bytes | None = None) -> None:
    """Log one call (a `Request`) at DEBUG, if anybody listens; `begun` is its start by time.perf_counter.

    This module does not import `Request`: the first four fields of the tuple are method, path, query and body.
    """
    if not _log.isEnabledFor(logging.DEBUG):
        return
    method, path, _, body = call[:4]
    told = re.search(_ERRCODE, reply) if reply is not None and b"{" in reply[:8] and len(reply) < _LOOKED_AT else None
    _log.debug(
        "%s %s: %s%s, %.1f ms, %d bytes sent%s",
        method,
        ascii(scrub(str(path).partition("?")[0]))[1:-1],
        outcome,
        f", errcode {int(told[1])}" if told else "",
        1000 * (time.perf_counter() - begun),
        len(body) if hasattr(body, "__len__") else 0,
        "" if reply is None else f", {len(reply)} received",
    )


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
