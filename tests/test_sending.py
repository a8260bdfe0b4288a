"""`send`: one message from a shell, shown, asked for, sent once."""

import io
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doctor_cases import nothing_set
from tests.hostile import Server, cut_after_request
from tests.stages import closed_port
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.sandbox import Sandbox, Seen, sunset
from wxcs_lite.terminal import sending
from wxcs_lite.terminal.environment import address
from wxcs_lite.terminal.sending import INTERRUPTED, UNKNOWN, How, run

__all__ = ["nothing_set"]

SEND = "/cgi-bin/message/custom/send"
UPLOAD = "/cgi-bin/media/upload"
TEXT = {"touser": "ann", "text": "您好"}
YES = How(yes=True)


class Keyboard(io.StringIO):
    """A terminal with a person at the keyboard."""

    def isatty(self) -> bool:
        return True


class Box:
    """A sandbox over HTTP with a customer who has written, and what was called."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(clock=time.time)
        self.ann = self.sandbox.user("ann")
        self.ann.says("hi")
        self.seen: list[Seen] = []
        self.base = ""

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.seen]

    @property
    def texts(self) -> list[str]:
        return [one.message["text"]["content"] for one in self.ann.inbox]

    def run(self, flags: dict[str, Any], how: How = YES, **more: Any) -> tuple[int, str]:
        return sent(flags, how, base=self.base, **more)


def sent(flags: dict[str, Any], how: How = YES, *, base: str, **more: Any) -> tuple[int, str]:
    out = io.StringIO()
    more = {"lines": io.StringIO(), **more}
    return run(flags, address(base, None), how, out=out, **more), out.getvalue()


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    box = Box()
    monkeypatch.setenv("WXCS_APPID", box.sandbox.appid)
    monkeypatch.setenv("WXCS_SECRET", box.sandbox.secret)
    with box.sandbox.serve(on_request=box.seen.append) as box.base:
        yield box


def test_it_shows_and_sends(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """The request, then WeChat's answer on the last line; once, and with no secret."""
    status, printed = box.run(TEXT)
    assert 0 == status
    assert ["您好"] == box.texts
    assert ["/cgi-bin/stable_token", SEND] == box.paths
    assert printed.startswith(f"POST {SEND}?access_token=*** HTTP/1.1")
    assert '{"errcode": 0, "errmsg": "ok"}' == printed.splitlines()[-1]
    assert "" == capsys.readouterr().err
    assert box.sandbox.secret not in printed


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("YES\n", 0), ("是\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_asks(box: Box, answer: str, status: int, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a yes sends; after anything else nothing was sent, and it says so."""
    assert status == box.run(TEXT, How(), lines=Keyboard(answer), lang=lang)[0]
    assert (["您好"] if status == 0 else []) == box.texts
    told = capsys.readouterr().err
    assert ("确认发送？" if lang == "zh" else "Send it?") in told
    assert (status == 1) == (("没有发送。" if lang == "zh" else "Nothing was sent.") in told)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_where_nobody_can_be_asked_it_wants_a_yes(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe or a job: status 2, and nothing leaves."""
    assert 2 == box.run(TEXT, How(), lang=lang)[0]
    assert [] == box.paths
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize("how", [How(dry_run=True), How(curl=True), How(yes=True, dry_run=True)])
def test_a_look_sends_nothing(box: Box, how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no credentials, either; curl has the address that was given."""
    monkeypatch.delenv("WXCS_SECRET")
    status, printed = box.run(TEXT, how)
    assert 0 == status
    assert [] == box.paths
    assert (f'curl -sS "{box.base}{SEND}?access_token=$WXCS_TOKEN"' if how.curl else "HTTP/1.1") in printed


def test_a_picture_is_uploaded_once_and_after_the_yes(box: Box, tmp_path: Path) -> None:
    """Both requests are shown; then the message has the real media_id."""
    path = tmp_path / "sunset.png"
    path.write_bytes(sunset())
    flags = {"touser": "ann", "image": str(path)}
    assert 1 == box.run(flags, How(), lines=Keyboard("n\n"))[0]
    assert [] == box.paths
    status, printed = box.run(flags)
    assert 0 == status
    assert ["/cgi-bin/stable_token", UPLOAD, SEND] == box.paths
    assert sunset() == box.ann.inbox[0].picture
    assert [0, 1] == [printed.count(f"POST {UPLOAD}") - 1, printed.count(f"POST {SEND}")]


def test_json_of_standard_input_is_sent(box: Box) -> None:
    """A card, say, that another program made."""
    lines = io.StringIO('{"touser":"ann","msgtype":"text","text":{"content":"from a pipe"}}')
    assert 0 == box.run({"touser": None}, lines=lines)[0]
    assert ["from a pipe"] == box.texts


def test_somebody_who_says_nothing_is_told_the_flags(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise it would wait for JSON that the user knows nothing of."""
    assert 2 == box.run({"touser": "ann"}, lines=Keyboard("{}"))[0]
    assert "--text" in capsys.readouterr().err


def test_a_closed_standard_input_is_an_empty_one(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None for it."""
    monkeypatch.setattr("sys.stdin", None)
    assert 0 == box.run(TEXT, lines=None)[0]


@pytest.mark.parametrize(("lang", "words"), [("en", "Note: touser: does not look like"), ("zh", "提示：touser")])
def test_advice_comes_before_the_request(lang: Language, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that stdout can be piped on."""
    assert 0 == sent({"touser": "a b", "text": "hi"}, How(curl=True), base="http://127.0.0.1:9", lang=lang)[0]
    assert words in capsys.readouterr().err


def test_plain_http_is_told_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line of its own says who could read the token."""
    monkeypatch.setenv("WXCS_TOKEN", "80_made-up")

    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert 1 == sent(TEXT, base="http://gateway.example")[0]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("http to gateway.example")
    assert ["Nothing was sent."] == told[2:]


# What goes wrong


@pytest.mark.parametrize(("lang", "words"), [("en", "touser: must not be empty"), ("zh", "touser：不能为空")])
def test_a_mistake_is_wrong_usage(box: Box, lang: Language, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, in one line, and no call was made."""
    assert (2, "") == box.run({"text": "hi"}, lang=lang)
    assert f"send: {words}\n" == capsys.readouterr().err
    assert [] == box.paths


def test_missing_credentials_are_named(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2."""
    monkeypatch.delenv("WXCS_SECRET")
    assert 2 == box.run(TEXT)[0]
    assert "WXCS_SECRET is not set" in capsys.readouterr().err


def test_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, without repeating it."""
    assert 2 == sent(TEXT, base="wx://user:made-up@host")[0]
    told = capsys.readouterr().err
    assert "url must look like" in told
    assert "made-up" not in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refusal_was_not_sent(box: Box, lang: Language, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, with what to do."""
    assert 1 == box.run({**TEXT, "touser": "bob"}, lang=lang)[0]
    told = capsys.readouterr().err
    assert told.startswith("45015 ")
    assert ("没有发送。" if lang == "zh" else "Nothing was sent.") == told.splitlines()[-1]


@pytest.mark.parametrize(
    ("fault", "status", "calls", "delivered"),
    [
        ({"errcode": -1}, UNKNOWN, 1, 0),
        ({"drop": "after"}, UNKNOWN, 1, 1),
        ({"drop": "before"}, UNKNOWN, 1, 0),
        ({"reply": (502, {}, b"<html>")}, UNKNOWN, 1, 0),
        ({"errcode": 45009}, 1, 1, 0),
    ],
)
def test_nothing_is_sent_twice(
    box: Box,
    fault: dict[str, Any],
    status: int,
    calls: int,
    delivered: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever becomes of the reply, there is one call; where it may have arrived, the status is 3 and it is said."""
    box.sandbox.fail_next(path=SEND, **fault)
    assert status == box.run(TEXT)[0]
    assert delivered == len(box.texts)
    assert (status == UNKNOWN) == ("It may have been sent" in capsys.readouterr().err)
    if "drop" not in fault:
        assert calls == box.paths.count(SEND)


def test_what_fails_before_the_message_sends_none(box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost token or upload does no harm."""
    path = tmp_path / "sunset.png"
    path.write_bytes(sunset())
    box.sandbox.fail_next(path=UPLOAD, drop="after")
    assert 1 == box.run({"touser": "ann", "image": str(path)})[0]
    assert "Nothing was sent." == capsys.readouterr().err.splitlines()[-1]
    assert SEND not in box.paths
    with Server(cut_after_request) as server:
        assert 1 == sent(TEXT, base=server.url)[0]
        assert 1 == len(server.heard)
    with closed_port() as port:
        assert 1 == sent(TEXT, base=f"http://127.0.0.1:{port}")[0]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("get_token", INTERRUPTED, "Interrupted. Nothing was sent."),
        ("send", UNKNOWN, "It may have been sent: check before you send again."),
    ],
)
def test_ctrl_c_says_whether_it_may_have_been_sent(
    box: Box, name: str, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the message leaves, it was not; from then on it may."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, name, interrupted)
    assert status == box.run(TEXT)[0]
    assert f"{words}\n" == capsys.readouterr().err


def test_a_mistake_of_ours_does_not_say_that_nothing_was_sent(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that repeats what failed with 1 must not send twice; if nothing was sent, the error is passed on."""

    def mistaken(*_: object) -> None:
        raise KeyError("made-up")

    monkeypatch.setattr(sending, "send", mistaken)
    assert UNKNOWN == box.run(TEXT)[0]
    told = capsys.readouterr().err.splitlines()
    assert ["KeyError: 'made-up'", "It may have been sent: check before you send again."] == told[-2:]
    monkeypatch.setattr(sending, "get_token", mistaken)
    with pytest.raises(KeyError):
        box.run(TEXT)


def test_ctrl_c_after_the_reply_was_sent(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that WeChat has accepted is not called unsent."""

    def pressing(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "printable", pressing)
    assert 0 == box.run(TEXT)[0]
    assert ["您好"] == box.texts


def test_ctrl_c_at_the_question_sends_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what most people press there."""

    class Pressing(Keyboard):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            raise KeyboardInterrupt

    assert INTERRUPTED == box.run(TEXT, How(), lines=Pressing())[0]
    assert [] == box.paths
