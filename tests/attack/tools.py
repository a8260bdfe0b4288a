"""Failing calls, and every tool that shows, keeps or sends values of a failing program."""

import copy
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable

from tests import test_secrets
from tests.attack.found import Finding, Result
from tests.bench.samples import PROJECT
from tests.test_secrets import everything_about, failing_calls, leaks
from tests.watchers import WATCHERS

__all__ = ["canaries", "run"]

_QUICK = ("send", "fetch_token", "token as a path")


def _copied(error: BaseException) -> str:
    return "\n".join(everything_about(copy.copy(error)))


def _told(error: BaseException) -> str:
    return "\n".join(everything_about(error))


_TOOLS: dict[str, Callable[[BaseException], str]] = {
    **WATCHERS,
    "repr, str, args, vars, notes, pickle, traceback with locals": _told,
    "copy": _copied,
}


def run(quick: bool, only: str = "") -> Result:
    """Let each call fail under each tool, with every logger at DEBUG; Sentry has a process of its own."""
    found: list[Finding] = []
    cases = 0
    kinds = test_secrets.KINDS if not quick else test_secrets.KINDS[:1]
    for kind in kinds:
        for name, call in failing_calls(kind).items():
            if kind == "odd" and name.startswith("token as "):
                continue  # a caller's own short text in the wrong place is nothing that anyone could know
            if only in name and (not quick or name in _QUICK):
                found += [Finding(f"{name} / {kind} / {tool}", f"shows {what}") for tool, what in _shown(call, kind)]
                cases += len(_TOOLS) + 1
    if not quick:
        sentry = _sentry()
        found += sentry
        cases += len(kinds) * len(test_secrets.FAILING)
    return Result(
        cases, found, f"{len(test_secrets.FAILING)} failing calls, {len(_TOOLS) + 2} tools, odd and long secrets"
    )


def _shown(call: Callable[[], object], kind: str) -> list[tuple[str, str]]:
    """Return each tool that shows a secret of this call, and which."""
    # Not a generator: Python 3.13.0 crashes where a tool looks at the locals of one that is running.
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    failure: BaseException | None = None
    try:
        call()
    except BaseException as e:
        failure = e
        logging.getLogger("attack").exception("it failed")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown = {"logging at DEBUG": logged.getvalue()}
    if failure is not None:
        shown |= {tool: show(failure) for tool, show in _TOOLS.items()}
    return [(tool, repr(leak)[:20]) for tool, text in shown.items() for leak in leaks(kind, text)[:1]]


def _sentry() -> list[Finding]:
    command = [sys.executable, "-m", "tests.watchers"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=600, cwd=PROJECT)
    told = json.loads(done.stdout)
    blind = [name for name, shown in told.pop("canary").items() if not leaks("long", shown)]
    found = [Finding(f"{name} / Sentry", "a canary that is not seen") for name in blind]
    for kind, events in told.items():
        found += [
            Finding(f"{name} / {kind} / Sentry", "sends a secret")
            for name, shown in events.items()
            if leaks(kind, shown)
        ]
    return found


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for secrets that each leak in one way."""
    found = {}
    for leak in (
        test_secrets.logged, test_secrets.in_text, test_secrets.in_locals, test_secrets.in_a_slice,
        test_secrets.in_a_tuple, test_secrets.in_a_chain, test_secrets.in_an_attribute, test_secrets.in_a_pickle,
    ):  # fmt: skip
        found[leak.__name__] = [Finding(leak.__name__, tool) for tool, _ in _shown(leak, "long")]
    return found
