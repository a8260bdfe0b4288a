"""A call or a push in full: the request, the reply, what its errcode means, and no secret."""

from collections.abc import Iterator
from typing import Any

import pytest

from wxcs_lite.look.words import LANGUAGES
from wxcs_lite.messages import text
from wxcs_lite.sandbox import Pushed, Sandbox
from wxcs_lite.sandbox.door.details import call_details, push_details
from wxcs_lite.sandbox.watching import Called
from wxcs_lite.transport import fetch_token

TOKEN, AES_KEY = "pushTokenOfTheTest", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0"


@pytest.fixture
def happened() -> list[Any]:
    return []


@pytest.fixture
def sandbox(happened: list[Any]) -> Iterator[Sandbox]:
    sandbox = Sandbox()
    with sandbox.watch(happened.append):
        yield sandbox


def last(happened: list[Any], kind: type[Any]) -> Any:
    return [one for one in happened if isinstance(one, kind)][-1]


def test_a_call_that_succeeded(sandbox: Sandbox, happened: list[Any]) -> None:
    """Request and reply, laid out for reading; neither token nor secret."""
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    (asked, request, how), (answered, reply, _) = call_details(last(happened, Called), "en")
    assert ("Request", "Reply", "code") == (asked, answered, how)
    assert request.startswith('POST /cgi-bin/stable_token\n\n{\n  "grant_type": "client_credential"')
    assert reply.startswith('HTTP 200\n\n{\n  "access_token": "***"')
    assert token not in request + reply
    assert sandbox.secret not in request + reply


def test_a_call_that_was_refused(sandbox: Sandbox, happened: list[Any]) -> None:
    """Its errcode is explained first, in the language of the page."""
    path = "/cgi-bin/message/custom/send?a=1&access_token=89_" + "x" * 40
    sandbox.pool().request("POST", path, json=text("ann", "x"))
    call = last(happened, Called)
    (title, told, how), (_, request, _), _ = call_details(call, "en")
    assert ("40001 invalid credential", "error") == (title[:24], how)
    assert "What to do: " in told
    assert "Try again? Yes, once" in told
    assert request.startswith("POST /cgi-bin/message/custom/send\n  a=1\n\n{")
    (title, told, _), *_ = call_details(call, "zh")
    assert title.startswith("40001 凭证")
    assert "处理办法：" in told
    assert "xxxx" not in repr(call_details(call, "en"))


def test_no_reply_and_no_body(sandbox: Sandbox, happened: list[Any]) -> None:
    """A lost connection has no reply; a page of a front-end is told by its size."""
    sandbox.fail_next(drop="before")
    with pytest.raises(Exception, match="without response"):
        sandbox.pool().request("GET", "/cgi-bin/getcallbackip", retries=False)
    parts = call_details(last(happened, Called), "en")
    assert ["GET /cgi-bin/getcallbackip", "no reply: the connection was closed"] == [part[1] for part in parts]
    sandbox.pool().request("GET", "/nowhere")
    assert call_details(last(happened, Called), "en")[1][1].startswith("HTTP 404\n\n")


@pytest.mark.parametrize("format", ["json", "xml"])
@pytest.mark.parametrize("aes_key", [None, AES_KEY])
def test_a_push(sandbox: Sandbox, happened: list[Any], format: Any, aes_key: str | None) -> None:
    """As it was sent, without what would confirm a guess at the Token."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=", 1) for pair in environ["QUERY_STRING"].split("&"))
        start_response("200 OK", [])
        return [query.get("echostr", "what?").encode()]

    sandbox.push_to(application, token=TOKEN, aes_key=aes_key, format=format)
    sandbox.user("ann").says("您好 <b>")
    pushed = last(happened, Pushed)
    (_, request, _), (title, answer, _) = push_details(pushed, "en")
    assert request.startswith("POST /?signature=***&timestamp=")
    assert "content-type: text/xml" in request
    assert ("您好 <b>" in request) == (aes_key is None)
    assert ("Answer", "HTTP 200: wrong") == (title, answer.partition("\n")[0])
    for secret in (TOKEN, AES_KEY, dict(pushed.request.query)["signature"]):
        assert secret not in request + answer


def test_a_push_into_a_container(happened: list[Any]) -> None:
    """It has no query, nor the sign before one."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"success"]

    sandbox = Sandbox(cloud_hosting=["/*"])
    with sandbox.watch(happened.append):
        sandbox.push_to(application)
        sandbox.user("ann").says("hi")
    assert push_details(last(happened, Pushed), "en")[0][1].startswith("POST /\ncontent-type: application/json\n")


def test_a_push_without_an_answer(sandbox: Sandbox, happened: list[Any]) -> None:
    """And why, in the page's language."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=", 1) for pair in environ["QUERY_STRING"].split("&"))
        if "echostr" not in query:
            raise ConnectionError
        start_response("200 OK", [])
        return [query["echostr"].encode()]

    sandbox.push_to(application, token=TOKEN)
    sandbox.user("ann").says("hi")
    en, zh = (push_details(last(happened, Pushed), lang)[1][1] for lang in LANGUAGES)
    assert en.startswith("no answer: failed\nConnectionError in test_sandbox_details.py, line ")
    assert "\nConnectionError，位于 test_sandbox_details.py 第 " in zh


def test_an_answer_without_a_reason(sandbox: Sandbox, happened: list[Any]) -> None:
    """Success needs none."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = dict(pair.split("=", 1) for pair in environ["QUERY_STRING"].split("&"))
        start_response("200 OK", [])
        return [query.get("echostr", "success").encode()]

    sandbox.push_to(application, token=TOKEN)
    sandbox.user("ann").says("hi")
    assert "HTTP 200: success" == push_details(last(happened, Pushed), "en")[1][1]
