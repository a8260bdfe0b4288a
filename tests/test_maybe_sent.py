"""`maybe_sent` tells whether WeChat may have the message: False only where that is certain."""

import pytest

from tests.stages import STAGES, Stage, named
from wxcs_lite import WxError, send, text


@pytest.mark.parametrize("stage", STAGES, ids=named)
def test_the_stage_decides(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage of failure raises its class, and says whether the message may have been delivered."""
    with stage.open(monkeypatch) as pool, pytest.raises(WxError) as caught:
        send(pool, "80_made-up", text("OPENID", "x" * stage.size))
    assert stage.error == caught.type
    assert stage.maybe_sent == caught.value.maybe_sent


@pytest.mark.parametrize("stage", STAGES, ids=named)
def test_the_text_is_in_both_languages(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of the text is English, and a later one Chinese."""
    with stage.open(monkeypatch) as pool, pytest.raises(WxError) as caught:
        send(pool, "80_made-up", text("OPENID", "x" * stage.size))
    english, _, rest = str(caught.value).partition("\n")
    assert english.isascii()
    assert any("\u4e00" <= c <= "\u9fff" for c in rest)
