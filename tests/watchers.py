"""Tools that show the values of a failing program, as their users switch them on: what each would print, keep or send.

Each is a function from an error to everything that is shown of it. Sentry patches `http.client` and much else for good,
so it runs in a separate process. Its default `init` notes URLs as breadcrumbs, so its users have to set
`_without_query`.
"""

import contextlib
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from traceback import walk_tb
from typing import Any
from unittest import mock

from IPython.core.ultratb import VerboseTB

__all__ = ["WATCHERS", "chain", "in_ipython", "sentry_events", "walked"]


def in_ipython(error: BaseException) -> str:
    """`%xmode Verbose`: locals, and attributes that a line names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shown = VerboseTB(theme_name="nocolor")
        shown.skip_hidden = False  # as after `%config`; a frame that is left out could hold anything
        return shown.text(type(error), error, error.__traceback__)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            yield error
            waiting += [error.__cause__, error.__context__]


def walked(error: BaseException) -> str:
    """What debuggers and crash reporters do: into tuples, lists and dicts without asking for a repr, and slices."""
    shown: list[str] = []
    for e in chain(error):
        waiting: list[object] = [e.args]
        waiting += [value for frame, _ in walk_tb(e.__traceback__) for value in frame.f_locals.values()]
        seen: set[int] = set()
        while waiting and len(seen) < 20_000:
            value = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, str | bytes):
                shown.append(repr(value) + repr(value[:80]) + repr(value[1:]))
            elif isinstance(value, tuple | list):
                waiting += value
            elif isinstance(value, dict):
                waiting += [*value.keys(), *value.values()]
    return "\n".join(shown)


def colourless() -> AbstractContextManager[object]:
    """Let rich take source for text: for colours that nobody sees here it would read each file to its end."""
    from rich.traceback import Traceback

    return mock.patch.dict(Traceback.LEXERS, {".py": "text"})


def in_rich(error: BaseException) -> str:
    """`rich.traceback.install(show_locals=True)`."""
    from rich.console import Console
    from rich.traceback import Traceback

    out = io.StringIO()
    shown = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    with colourless():
        Console(file=out, width=4000, color_system=None).print(shown)
    return out.getvalue()


def in_structlog(error: BaseException) -> str:
    """structlog's dictionaries of tracebacks, with and without rich, and its console's."""
    from structlog.dev import RichTracebackFormatter
    from structlog.tracebacks import ExceptionDictTransformer

    exc_info: Any = (type(error), error, error.__traceback__)
    out = io.StringIO()
    with colourless():
        RichTracebackFormatter(show_locals=True, width=4000)(out, exc_info)
    for use_rich in (True, False):
        transform = ExceptionDictTransformer(show_locals=True, use_rich=use_rich)
        out.write(json.dumps(transform(exc_info), default=repr, ensure_ascii=False))
    return out.getvalue()


WATCHERS: dict[str, Callable[[BaseException], str]] = {
    "IPython": in_ipython,
    "rich": in_rich,
    "structlog": in_structlog,
    "a walk": walked,
}


def sentry_events(calls: dict[str, Callable[[], object]]) -> dict[str, str]:
    """Run each call under Sentry's default `init` and return what would be sent of its failure."""
    import sentry_sdk
    from sentry_sdk.transport import Transport

    sent: list[object] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.append([item.payload.json for item in envelope.items])

    sentry_sdk.init("http://key@127.0.0.1:9/1", transport=Kept, before_breadcrumb=_without_query)
    found = {}
    for name, call in calls.items():
        sent.clear()
        with sentry_sdk.isolation_scope():
            sentry_sdk.capture_exception(_failure_of(call))
        found[name] = json.dumps(sent, default=repr, ensure_ascii=False)
    return found


def _without_query(crumb: dict[str, Any], _: object) -> dict[str, Any]:
    """Sentry notes the URL of every HTTP call with its token, in `http.client`, where nothing can hide."""
    crumb.get("data", {}).pop("http.query", None)
    return crumb


def _failure_of(call: Callable[[], object]) -> BaseException | None:
    """Return what the call raises; its frame is shown, so it holds nothing of what was sent before."""
    try:
        call()
    except BaseException as e:
        return e
    return None


def main() -> None:
    """Print, as JSON, what Sentry would send of each failing call of test_secrets."""
    from tests import test_secrets

    logging.disable(logging.DEBUG)
    with contextlib.redirect_stdout(sys.stderr):
        found = {kind: sentry_events(test_secrets.failing_calls(kind)) for kind in test_secrets.KINDS}
        found["canary"] = sentry_events(test_secrets.canary_calls())
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
