"""`explain`: an errcode with no network, a rid with one."""

import io
import time
from collections.abc import Iterator

import pytest
import urllib3

from tests.doctor_cases import nothing_set
from tests.hostile import Server, answers, reply
from wxcs_lite import fetch_token
from wxcs_lite.look.words import LANGUAGES, Language
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.environment import address
from wxcs_lite.terminal.explaining import run

__all__ = ["nothing_set"]

RID = "61725984-6126f6f9-040f19c4"
NOWHERE = address("http://127.0.0.1:9", None)


def explained(given: str, lang: Language = "en", base: str = "http://127.0.0.1:9") -> tuple[int, str]:
    out = io.StringIO()
    return run(given, address(base, None), lang=lang, out=out), out.getvalue()


@pytest.mark.parametrize(
    "given",
    [
        "45047",
        " 45047\n",
        '{"errcode":45047,"errmsg":"out of response count limit"}',
        "45047 out of response count limit: Stop sending…",
        "45047：超出下发条数",
    ],
)
def test_an_errcode_however_it_is_pasted(given: str) -> None:
    """A number, a reply, the text of an error: no network is needed."""
    for lang, words in (("en", "Retry  Only after the user acts"), ("zh", "重试   用户有新的操作")):
        status, printed = explained(given, "zh" if lang == "zh" else "en")
        assert 0 == status
        assert printed.startswith("45047 ")
        assert words in printed
        assert "\n\n" not in printed


def test_the_errmsg_counts_where_it_names_an_address() -> None:
    """40164: the address to add."""
    _, printed = explained('{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist"}')
    assert "1.2.3.4" in printed


@pytest.mark.parametrize(("given", "status"), [("0", 0), ("-1", 0), ("99999", 1)])
def test_the_status_tells_whether_it_is_known(given: str, status: int) -> None:
    """0 for success and -1; a number that nobody has seen is reported as unknown."""
    assert status == explained(given)[0]


@pytest.mark.parametrize(("lang", "words"), [("en", "is neither an errcode"), ("zh", "既不是")])
@pytest.mark.parametrize("given", ["hello", "", "80_abcdefghijklmnopqrstuvwxyz", "1" * 10])
def test_anything_else_is_wrong_usage(
    given: str, lang: Language, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value that may be a token is not repeated."""
    assert (2, "") == explained(given, lang)
    told = capsys.readouterr().err
    assert words in told
    assert "abcdefghijklmnopqrstuvwxyz" not in told


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, str]]:
    """Yield the URL of a sandbox, the rid of a refused call there, and the token of that call."""
    sandbox = Sandbox(clock=time.time)
    monkeypatch.setenv("WXCS_APPID", sandbox.appid)
    monkeypatch.setenv("WXCS_SECRET", sandbox.secret)
    token = str(fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret))
    message = {"touser": "ann", "msgtype": "text", "text": {"content": "你好"}}
    path = f"/cgi-bin/message/custom/send?access_token={token}"
    refused = sandbox.pool().request("POST", path, json=message, retries=urllib3.Retry(0)).json()
    with sandbox.serve() as url:
        yield url, refused["errmsg"].rpartition("rid: ")[2], token


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_rid_is_looked_up(looked_up: tuple[str, str, str], lang: Language) -> None:
    """When, how long, from where, what was asked and answered; then the errcode's meaning. The token is taken out."""
    url, rid, token = looked_up
    status, printed = explained(rid.upper(), lang, url)
    assert 0 == status
    assert rid in printed.splitlines()[0]
    assert ("你好" if lang == "zh" else '"touser"') in printed
    assert ("\n45015 超出下发时限" if lang == "zh" else "\n45015 response out of time limit") in printed
    assert token not in printed


def test_a_rid_without_credentials_tells_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    """And which variables are missing: status 2."""
    for given in (RID, f" rid: {RID.upper()}\n"):
        assert (2, f"rid {RID}, a call of about 2021-10-22 14:26:12 in China\n") == explained(given)
    assert "WXCS_APPID and WXCS_SECRET are not set" in capsys.readouterr().err


def test_a_rid_that_wechat_does_not_know(looked_up: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal is printed, with status 1."""
    assert 1 == explained(RID, "zh", looked_up[0])[0]
    assert capsys.readouterr().err.startswith("explain: 7600")


def test_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2."""
    assert 2 == explained(RID, base="wx://host")[0]
    assert "url must look like" in capsys.readouterr().err


@pytest.mark.parametrize(
    "noted",
    [
        b'{"errcode":0}',
        b'{"errcode":0,"request":{"cost_in_ms":3,"response_body":"<html>"}}',
        b'{"errcode":0,"request":{"response_body":7}}',
        b'{"errcode":0,"request":{"response_body":"[]"}}',
        b'{"errcode":0,"request":{"response_body":"{}"}}',
        b'{"errcode":0,"request":{"request_body":"\\u001b[2J\\u202e"}}',
    ],
)
def test_a_note_without_an_errcode(noted: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows what there is."""
    monkeypatch.setenv("WXCS_TOKEN", "80_made-up")
    with Server(answers(reply(noted))) as server:
        status, printed = explained(RID, base=server.url)
    assert 0 == status
    assert ("took" in printed) == (b"request" in noted)
    assert all(line.isprintable() for line in printed.splitlines())
