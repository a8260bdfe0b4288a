"""A progress bar of widgets, for a batch in a notebook."""

import ipywidgets
from IPython.display import display

__all__ = ["WidgetBar"]

_STEPS = 200  # of a bar: each step is a message to the browser


class WidgetBar:
    """A bar that shows itself; without a total it counts."""

    def __init__(self, total: int | None) -> None:
        self.total, self.done = total, 0
        self._shown = 0
        self._bar = ipywidgets.IntProgress(max=total or 1)
        self._label = ipywidgets.Label()
        if total is None:
            self._bar.layout.display = "none"
        display(ipywidgets.HBox([self._bar, self._label]))  # type: ignore[no-untyped-call]

    @property
    def label(self) -> str:
        """What stands beside the bar."""
        return str(self._label.value)

    def update(self, n: int) -> None:
        """Go on by n messages."""
        self.done += n
        if self.done - self._shown >= (self.total or 0) / _STEPS or self.done == self.total:
            self._shown = self.done
            self._bar.value = self.done
            self._label.value = f"{self.done}" if self.total is None else f"{self.done} / {self.total}"
