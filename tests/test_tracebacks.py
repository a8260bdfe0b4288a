"""What IPython shows of an error by default: the reader's line, the place that refused, and the text."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.ultratb import VerboseTB

from wxcs_lite import call, download, endpoints, image, perform, send, set_typing, text, upload
from wxcs_lite.push import Push
from wxcs_lite.sandbox import Sandbox

POOL = Sandbox().pool()
OURS = re.compile(r"^File \S*wxcs_lite/", re.MULTILINE)
TOKEN = "80_made_up_and_unknown"

REFUSED: tuple[Callable[[], object], ...] = (
    lambda: send(POOL, TOKEN, text("ann", "hello")),
    lambda: set_typing(POOL, TOKEN, "ann"),
    lambda: upload(POOL, TOKEN, b"GIF89a"),
    lambda: download(POOL, TOKEN, "MEDIA_ID"),
    lambda: call(POOL, TOKEN, "/cgi-bin/getcallbackip"),
    lambda: text("ann", ""),
    lambda: image("", "MEDIA_ID"),
    lambda: send(POOL, TOKEN, {"touser": "ann", "msgtype": "text", "text": {}}),
)


def shown(function: Callable[[], object]) -> str:
    """Return what IPython prints of the error that a function raises."""
    try:
        function()
    except Exception as error:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return VerboseTB(theme_name="nocolor", include_vars=False).text(type(error), error, error.__traceback__)
    pytest.fail("nothing was raised")


@pytest.mark.parametrize("function", REFUSED)
def test_one_frame_of_ours_is_shown(function: Callable[[], object]) -> None:
    """Not the three to five that the call passes through; IPython says how many it left out."""
    printed = shown(function)
    assert 1 == len(OURS.findall(printed))
    assert "[... skipping hidden" in printed


def test_a_mistake_in_a_handler_is_shown_where_it_is() -> None:
    """Frames of the reader's own code are not ours to hide, whatever is above and below them."""

    def handler(push: Push) -> None:
        send(POOL, TOKEN, text(push.FromUserName, 1 / 0))  # type: ignore[arg-type]

    printed = shown(lambda: handler(Push({"FromUserName": "ann"})))
    assert "text(push.FromUserName, 1 / 0)" in printed
    assert [] == OURS.findall(printed)


def test_a_callback_of_the_reader_s_is_shown() -> None:
    """Its frame is kept, although it was called from within urllib3."""

    def progress(sent: int, total: int) -> None:
        raise LookupError(f"{sent} of {total}")

    printed = shown(lambda: upload(POOL, TOKEN, b"GIF89a" * 9, progress=progress))
    assert "raise LookupError" in printed


def test_a_mistake_of_ours_is_shown_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last frame is always shown; below `call_cleanly`, where frames are cut off, a note names the places."""

    def mistaken(*args: Any) -> Any:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patched:
        patched.setattr(endpoints, "require_message", mistaken)
        assert 'raise RuntimeError("a mistake of ours")' in shown(lambda: send(POOL, TOKEN, text("ann", "hello")))
    monkeypatch.setattr("wxcs_lite.wire._limits", mistaken)
    assert "raised at" in shown(lambda: perform(POOL, TOKEN, endpoints.get_callback_ip()))
