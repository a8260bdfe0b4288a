"""How far a batch is: to a function, to a bar such as tqdm's, or in a notebook, by default, to a bar of widgets."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, Protocol

__all__ = ["Bar", "Progress", "Shown", "shown_on"]


class Bar(Protocol):
    """What is needed of a progress bar, as tqdm has it."""

    total: Any

    def update(self, n: int, /) -> object:
        """Go on by n messages."""
        ...


Progress = Callable[[int, int | None], object] | Bar | Literal[False] | None


class Shown(NamedTuple):
    """What a batch calls: `step` with the number of messages that have an outcome since the last time, `end` once."""

    step: Callable[[int], object]
    end: Callable[[], object]


def shown_on(progress: Progress, total: int | None) -> Shown:
    """Return the functions that tell `progress` how far the batch is.

    >>> told = []
    >>> shown = shown_on(lambda done, total: told.append((done, total)), 5)
    >>> shown.step(2), shown.step(1), told
    (None, None, [(2, 5), (3, 5)])

    A bar that is made here, from its class, is closed at the end; one that was given is drawn once more, because tqdm
    leaves out what comes shortly after another update.
    """
    if progress is None:
        progress = _in_notebook(total)
    if progress is False:
        return Shown(lambda n: None, _nothing)
    end = "refresh"
    if isinstance(progress, type):  # tqdm itself
        progress, end = progress(total=total), "close"
    update = getattr(progress, "update", None)
    if update is None:
        return Shown(_counting(progress, total), _nothing)  # type: ignore[arg-type]
    if total is not None and getattr(progress, "total", total) is None:
        progress.total = total  # type: ignore[union-attr]
    return Shown(update, getattr(progress, end, _nothing))


def _nothing() -> None:
    """Do what a function needs at the end of a batch."""


def _counting(progress: Callable[[int, int | None], object], total: int | None) -> Callable[[int], object]:
    done = 0

    def step(n: int) -> object:
        nonlocal done
        done += n
        progress(done, total)
        return None

    return step


def _in_notebook(total: int | None) -> Bar | Literal[False]:
    """Return a bar of widgets where it can be seen, in a notebook with ipywidgets; otherwise False."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != "ZMQInteractiveShell" or find_spec("ipywidgets") is None:
        return False
    from wxcs_lite.panel.progress import WidgetBar

    bar: Bar = WidgetBar(total)
    return bar
