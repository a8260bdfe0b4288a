"""What urllib3 logs, at any level, shows no token; importing the package sees to it. Each call is a line of our own."""

import logging
import re
import subprocess
import sys
from typing import Any

import pytest

import wxcs_lite
from wxcs_lite import (
    MediaRejected,
    Request,
    WxError,
    download,
    endpoints,
    fetch_token,
    perform,
    send,
    stream,
    text,
    upload,
)
from wxcs_lite.sandbox import Sandbox

MARKER = "80_MARKERmarkerMARKERmarker"
LOGGERS = ("connectionpool", "poolmanager", "connection", "util.retry", "response")


def logged(name: str, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Let the logger say what urllib3 says, with a traceback that holds the token, too."""
    with caplog.at_level(logging.DEBUG, logger=f"urllib3.{name}"):
        try:
            raise ValueError(MARKER)
        except ValueError:
            logging.getLogger(f"urllib3.{name}").warning(
                "%s failed: %s, unparsed data: %r", "POST", f"/send?access_token={MARKER}", MARKER, exc_info=True
            )
    return caplog.records[-1]


@pytest.mark.parametrize("name", LOGGERS)
def test_a_record_keeps_its_text_and_loses_the_token(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Args and traceback are removed, because handlers may show them in any form."""
    record = logged(name, caplog)
    assert "POST failed: /send?access_token=***" == record.getMessage()
    assert record.args is None
    assert record.exc_info is None
    assert record.exc_text is None
    assert MARKER not in caplog.text


@pytest.mark.parametrize("module", [wxcs_lite.__name__, "wxcs_lite.endpoints", "wxcs_lite.push", "wxcs_lite.sandbox"])
def test_every_import_puts_it_there_once(module: str) -> None:
    """Nobody has to ask for it."""
    count = "[len(logging.getLogger(f'urllib3.{name}').filters) for name in sys.argv[1:]]"
    script = f"import logging, sys, {module}; print({count})"
    done = subprocess.run([sys.executable, "-c", script, *LOGGERS], capture_output=True, text=True, check=True)
    assert done.stdout == f"{[1] * len(LOGGERS)}\n"


# Our own line for each call

OPENID, TEXT = "oOPENIDopenidOPENIDopenid001", "whisper whisper"
TIMES = re.compile(r"\d+\.\d ms")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of our logger, without the time that each call took."""
    return [TIMES.sub("… ms", r.getMessage()) for r in caplog.records if r.name == "wxcs_lite"]


@pytest.fixture
def listened(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "wxcs_lite")
    return caplog


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.user(OPENID).says("hello")
    return sandbox


def test_each_call_is_one_line(listened: pytest.LogCaptureFixture, sandbox: Sandbox) -> None:
    """Method, path, status, errcode, milliseconds and bytes, and nothing that a customer or an account would hide."""
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    send(pool, token, text(OPENID, TEXT))
    with pytest.raises(MediaRejected):
        download(pool, token, "M" * 64)
    uploaded = upload(pool, token, b"\xff\xd8\xff\xe0 made up", filename=f"{TEXT}.jpg")
    download(pool, token, uploaded.media_id)
    with stream(pool, token, uploaded.media_id) as medium:
        b"".join(medium)
    with pytest.raises(MediaRejected), stream(pool, token, "M" * 64):
        pass
    sending = len(endpoints.send(text(OPENID, TEXT)).body or b"")
    told = [re.sub(r"\d+ (bytes sent|received)", r"N \1", line) for line in lines(listened)]
    assert f"POST /cgi-bin/message/custom/send: HTTP 200, errcode 0, … ms, {sending} bytes sent" in lines(listened)[1]
    assert [
        "POST /cgi-bin/stable_token: HTTP 200, … ms, N bytes sent, N received",
        "POST /cgi-bin/message/custom/send: HTTP 200, errcode 0, … ms, N bytes sent, N received",
        "GET /cgi-bin/media/get: HTTP 200, errcode 40007, … ms, N bytes sent, N received",
        "POST /cgi-bin/media/upload: HTTP 200, … ms, N bytes sent, N received",
        "GET /cgi-bin/media/get: HTTP 200, … ms, N bytes sent, N received",
        "GET /cgi-bin/media/get: HTTP 200, … ms, N bytes sent",
        "GET /cgi-bin/media/get: MediaRejected, errcode 40007, … ms, N bytes sent, N received",
    ] == told
    shown = listened.text + "".join(repr(record.args) for record in listened.records)
    for secret in (token, sandbox.secret, sandbox.appid, OPENID, TEXT, uploaded.media_id, "access_token"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"drop": "before"}, "ProtocolError"),
        ({"slow": 60.0}, "ReadTimeoutError"),
        ({"reply": (502, {}, b"<html>")}, "HTTP 502"),
        ({"errcode": 45047}, "HTTP 200, errcode 45047"),
    ],
)
def test_a_call_that_fails_is_one_line_too(
    listened: pytest.LogCaptureFixture, sandbox: Sandbox, fault: dict[str, Any], told: str
) -> None:
    """By the name of what went wrong below, or by what came back."""
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    sandbox.fail_next(**fault)
    with pytest.raises(WxError):
        send(pool, token, text(OPENID, TEXT))
    assert lines(listened)[1].startswith(f"POST /cgi-bin/message/custom/send: {told}, … ms")
    assert TEXT not in listened.text


def test_a_call_of_ones_own_shows_no_secret_in_its_path(listened: pytest.LogCaptureFixture, sandbox: Sandbox) -> None:
    """Its query is cut off, what is as long as a secret goes, and no line break gets into the log."""
    request = Request("POST", f"/a\u2028b/{MARKER * 2}?access_token={MARKER}", (), TEXT)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        perform(sandbox.pool(), "80_made-up", request)
    assert [f"POST /a\\u2028b/***: TypeError, … ms, {len(TEXT)} bytes sent"] == lines(listened)


def test_nothing_is_made_up_for_a_logger_that_nobody_listens_to(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """No text, no search of the reply, no record."""
    monkeypatch.setattr("wxcs_lite.logs.ascii", None, raising=False)
    monkeypatch.setattr(logging.getLogger("wxcs_lite"), "debug", None)
    assert not logging.getLogger("wxcs_lite").isEnabledFor(logging.DEBUG)
    fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
