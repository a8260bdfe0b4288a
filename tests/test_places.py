"""Where an error came from is given in names, and so is a mistake of ours: no value, no path, no line of source."""

import pytest

from wxcs_lite import replies, send, text
from wxcs_lite.places import places
from wxcs_lite.sandbox import Sandbox


def deep(count: int) -> None:
    if count:
        deep(count - 1)
    raise KeyError("whisper")


def test_the_last_five_frames_are_named() -> None:
    """Module, line and function of each, outermost first."""
    with pytest.raises(KeyError) as caught:
        deep(9)
    found = places(caught.value).split(" > ")
    assert 5 == len(found)
    assert {(__name__, "deep")} == {(place.split(":")[0], place.split(":")[2]) for place in found}
    assert all(place.split(":")[1].isdigit() for place in found)


def test_a_module_can_be_left_out() -> None:
    """And an error that was never raised has no place."""
    with pytest.raises(KeyError) as caught:
        deep(1)
    assert "" == places(caught.value, without=__name__)
    assert "" == places(KeyError())


def test_a_mistake_of_ours_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its frames hold replies and are cut; a note names module, line and function in their place, and no value."""
    monkeypatch.setattr(replies, "scrub", {}.__getitem__)  # raises KeyError inside read_ok
    with pytest.raises(KeyError) as caught:
        send(Sandbox().pool(), "80_made-up-token-of-the-test", text("ann", "hi"))
    [note] = caught.value.__notes__
    assert note.startswith("raised at ")
    assert " > wxcs_lite.replies:" in note
    assert note.endswith(":read_ok")
    assert "made-up" not in note
