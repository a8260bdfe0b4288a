"""What the desk's buttons do: read the form, make one call, report the result. The desk shows what is raised."""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any, Protocol

from wxcs_lite.endpoints import Command
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.media import Media
from wxcs_lite.panel.calls import Calls
from wxcs_lite.panel.controls import show
from wxcs_lite.panel.desk_view import DeskView
from wxcs_lite.panel.history import History
from wxcs_lite.panel.picture import expanded, seen_html
from wxcs_lite.panel.status import Tone, size
from wxcs_lite.panel.texts import LANGUAGES, Words, words
from wxcs_lite.require import quoted

__all__ = ["Actions", "Say"]

_EXPORT = "wxcs_history.json"
_TYPING = 15  # seconds for which WeChat shows it


class Say(Protocol):
    """A function that shows a text in the status line, by its key."""

    def __call__(self, key: str, tone: Tone = "good", **told: object) -> None: ...


class Actions:
    """The actions of one desk; they raise their errors, which the desk shows."""

    def __init__(self, view: DeskView, calls: Calls, history: History, clock: Callable[[], float], say: Say) -> None:
        self._view, self._calls, self._history, self._clock, self._say = view, calls, history, clock, say
        self._typing_until: dict[str, float] = {}
        self._medium: Media | None = None
        self._asked: tuple[str, Media] | None = None

    def send(self) -> None:
        """Send the form's message; empty the form if it was accepted."""
        message = self._view.forms.message(self._view.customer)
        self._say("sending", "calm")
        self._calls.send(message)
        self._typing_until.pop(message["touser"], None)
        self._view.forms.clear()
        self._say("sent", touser=message["touser"])

    def typing(self, command: Command) -> None:
        """Show or hide "typing…"."""
        touser = self._view.customer
        self._calls.set_typing(touser, command)
        if command == "Typing":
            self._typing_until[touser] = self._clock() + _TYPING
            self._say("typing_shown", touser=touser)
        else:
            self._typing_until.pop(touser, None)
            self._say("typing_hidden", touser=touser)

    def typing_left(self, touser: str) -> int:
        """Return how many seconds the customer will still see "typing…"."""
        return max(0, ceil(self._typing_until.get(touser, 0) - self._clock()))

    def upload(self) -> None:
        """Upload the chosen picture, and put its media_id into the form."""
        medium = self._view.medium
        file, name, count = medium.source()
        self._say("uploading", "calm")
        medium.uploaded(self._calls.upload(file, name, count, medium.advance))
        self._say("uploaded")

    def download(self, words: Words) -> None:
        """Download a medium and show it."""
        view = self._view
        self._medium = None
        show(view.downloaded, "")
        found = self._medium = self._calls.download(view.download_id.value.strip())
        show(view.downloaded, seen_html(found.filename, found.content, words))
        self._say("downloaded", name=found.filename, size=size(len(found.content)))

    def save(self) -> None:
        """Save the downloaded medium; an existing file is overwritten only if the button is pressed again."""
        medium = self._medium
        if medium is None:
            raise InvalidMessage("file", *(words(lang)["nothing_to_save"] for lang in LANGUAGES))
        path = self._view.save_to.value.strip() or medium.filename
        replace, self._asked = self._asked == (path, medium), None
        try:
            saved = _written(lambda target: medium.save(target, replace=replace), path)
        except InvalidMessage as e:
            if e.field != "replace":
                raise
            self._asked = path, medium
            self._say("save_again", "calm", path=path)
        else:
            self._say("saved", path=saved)

    def export(self) -> None:
        """Write the history to a file."""

        def write(path: Path) -> Path:
            path.write_text(self._history.to_json(), encoding="utf-8")
            return path

        path = _written(write, self._view.export_to.value.strip() or _EXPORT)
        self._say("exported", count=len(self._history.entries), path=path)


def _written(write: Callable[[Path], Any], path: str) -> Any:
    """Write to a path and return it, or raise InvalidMessage with the reason."""
    try:
        return write(expanded(path))
    except OSError as e:
        problem = e.strerror or type(e).__name__
    raise InvalidMessage(
        "file", f"cannot be written: {problem}: {quoted(path)}", f"无法写入：{problem}：{quoted(path)}"
    )
