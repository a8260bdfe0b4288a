"""How secrets are kept out of frames, exception chains and echoed texts, and why.

*Who may see what.* A caller gets our error, its text, and the frames of their own code. The token, the AppSecret, the
bodies and the reply are for the server alone. Whatever shows an exception shows more than its text:

- `traceback` and logging show source lines, causes and contexts; IPython's verbose mode, `pytest -l`, rich and
  structlog show the `repr` of each frame's locals, and some of them slice a text before they show it (`obj[:80]!r`);
- error trackers and debuggers walk: through locals, through tuples, lists and dicts in them without asking for their
  `repr`, along `__cause__` and `__context__` even where `from None` hides these, and into `args`.

*So four things hold.* Names that hold a secret are rebound on the first line of each public function to a value whose
repr and slices hide (`secret`). Everything that sends or reads runs inside `call_cleanly`, whose frame has nothing to
show; the frames below it, ours and urllib3's with URLs in them, are cut off. The error that leaves is raised *after*
the `except` block: inside it, Python would set the original as its `__context__`, and `raise … from None` would only
keep that from being printed. And an error's text consists of our own words, with any echo of the secret removed.

**What cannot be hidden.* Three things are beyond us, and users should know them:

- Outside of frames a secret is plain text: Sentry decodes bytes in `extra` and contexts, and whatever takes a `Secret`
  apart (iteration, `partition`, `strip`, `+`, f-strings) gets plain text. Its default `init` also notes the URL of each
  HTTP call, access token included, from inside `http.client`: set a `before_breadcrumb` that drops `http.query`.
- Before the first line of a call has run, its arguments are as they were given: a KeyboardInterrupt at that very
  moment shows a plain token, unless it is a `Token`, as `fetch_token` and `fresh_token` give. The same goes for the
  frames of the caller, which are not ours.
- A KeyboardInterrupt inside urllib3 or http.client, after the connection was taken from the pool and before the
  response is ours, can lose that connection's place. At every line of ours the place is given back, as a test shows;
  still, open a new pool after Ctrl-C in a program that continues.

*What a reader need not see.* `__tracebackhide__` in a function leaves its frame out where IPython and pytest show an
error; both always show the last frame, and all of them when asked (`skip_hidden`, `--full-trace`). It stands in the
functions that only pass on to others, so the reader's own line is near the error's text. It keeps no secret, and comes
after the line that hides them: everything above is done as if all frames were shown.

*Why not a decorator.* Its wrapper would be one more frame, whose `args` and `kwargs` hold the plain token in a tuple
and a dict, where our repr is not used; and it would hide the signature from `help()` and from type checkers.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from urllib3.exceptions import FullPoolError, HTTPError

from wxcs_lite.errors import WxError
from wxcs_lite.failures import transport_error
from wxcs_lite.places import places
from wxcs_lite.request import Request
from wxcs_lite.secret import any_spelling

__all__ = ["Carried", "call_cleanly"]

_T = TypeVar("_T")


def call_cleanly(request: Request, secret: str | None, call: Callable[[], _T]) -> _T:
    """Run `call`; its errors leave without a chain, an echo, or frames that hold a URL, a body or a reply.

    Everything that sends, receives or reads a reply runs in here, so tracebacks show only the frames above it.
    """
    try:
        return call()
    except FullPoolError as e:
        failure: BaseException = _interrupt_behind(e) or transport_error(e, request)
    except HTTPError as e:
        failure = transport_error(e, request)
    except WxError as e:
        failure = without_echo(e, secret)
    except Carried as e:
        failure = without_foreign_frames(e.error)
    except BaseException as e:
        e.__cause__ = e.__context__ = None
        failure = without_foreign_frames(e)
    try:
        raise failure
    finally:
        del failure  # otherwise it would refer to its own frame and keep those above alive


def _interrupt_behind(error: FullPoolError) -> BaseException | None:
    """Return the interrupt that urllib3 covers up by putting back a connection that it never took from its pool."""
    behind = error.__context__
    while behind is not None and isinstance(behind, Exception):
        behind = behind.__context__
    if behind is None:
        return None
    if isinstance(behind, Carried):
        return without_foreign_frames(behind.error)
    behind.__cause__ = behind.__context__ = None
    return without_foreign_frames(behind)


class Carried(BaseException):
    """Carries an error of the caller's code through urllib3, which would take it for a network error or swallow it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


_FOREIGN = ("urllib3.", "http.client", "socket", "ssl", "vcr.", "wxcs_lite.")


def without_foreign_frames(error: BaseException) -> BaseException:
    """Return the error with only the frames after the last foreign one: those of the caller's own callback.

    Our frames count as foreign, too, because they hold bodies and replies. If nothing is left, a note names the places,
    so that a mistake in our code is easy to find.
    """
    kept: TracebackType | None = None
    frame = error.__traceback__
    while frame is not None:
        foreign = frame.tb_frame.f_globals.get("__name__", "").startswith(_FOREIGN)
        kept = None if foreign else kept or frame
        frame = frame.tb_next
    if kept is None and isinstance(error, Exception):
        error.add_note(f"raised at {places(error)}")
    return error.with_traceback(kept)


def without_echo(error: WxError, secret: str | None) -> WxError:
    """Return a new copy of the error without frames, chain, or a secret that a reply may have echoed."""
    if not secret:
        return error.with_traceback(None)
    echo = any_spelling(secret)
    # Each of our errors can be rebuilt from its args; pickle relies on that too.
    args: list[Any] = [echo.sub("***", arg) if isinstance(arg, str) else arg for arg in error.args]
    again = type(error)(*args)
    for note in getattr(error, "__notes__", ()):
        again.add_note(echo.sub("***", note))
    return again
