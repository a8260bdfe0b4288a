"""push_app: once for each push, in time, bounded, quiet; and nothing that is not WeChat's gets through."""

import gc
import http.client
import io
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from wxcs_lite.errors import InvalidMessage, PushRejected, api_error
from wxcs_lite.push import SUCCESS, Claims, Push, SqliteSeen, decrypt, encrypt, push_app, transfer_to_agent, verify
from wxcs_lite.push.crypto import sign
from wxcs_lite.push.markup import write_xml
from wxcs_lite.push.value import MAX_BODY, parse
from wxcs_lite.push.wsgi import PushApp

TOKEN, KEY, APPID, NOW = "sToken7Q", "sEcretKey" + "x" * 33 + "G", "wxba5fad812f8e6fb9", 1714112445
NONCE = "415670741"
TEXT = {
    "ToUserName": "gh_1",
    "FromUserName": "OPENID",
    "CreateTime": NOW,
    "MsgType": "text",
    "Content": "whisper",
    "MsgId": 1,
}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def call(app: Any, method: str, query: str, body: bytes = b"", **more: Any) -> Answer:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body)}
    environ |= {"CONTENT_LENGTH": str(len(body)), **more}
    setup_testing_defaults(environ)
    seen: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen.extend((int(status[:3]), dict(headers)))

    result: Any = validator(app)(environ, start_response)
    content = b"".join(result)
    result.close()
    assert seen[1]["Content-Length"] == str(len(content))
    return Answer(seen[0], seen[1], content)


def plain(fields: dict[str, Any], *, form: str = "json") -> tuple[str, bytes]:
    query = {"signature": sign(TOKEN, str(NOW), NONCE), "timestamp": str(NOW), "nonce": NONCE, "openid": "OPENID"}
    return urlencode(query), (write_xml(fields) if form == "xml" else json.dumps(fields)).encode()


def secure(fields: dict[str, Any], *, form: str = "json") -> tuple[str, bytes]:
    query, body = plain(fields, form=form)
    frame = encrypt(body, aes_key=KEY, appid=APPID)
    outer = {"ToUserName": "gh_1", "Encrypt": frame}
    query += "&" + urlencode({"encrypt_type": "aes", "msg_signature": sign(TOKEN, str(NOW), NONCE, frame)})
    return query, (write_xml(outer) if form == "xml" else json.dumps(outer)).encode()


class Recorder:
    """A handler that records what it gets, and blocks as long as the test wants."""

    def __init__(self, answer: Any = None) -> None:
        self.pushes: list[Push] = []
        self.answer = answer
        self.open = threading.Event()
        self.open.set()

    def __call__(self, push: Push) -> Any:
        self.pushes.append(push)
        assert self.open.wait(10)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer(push) if callable(self.answer) else self.answer


@pytest.fixture
def handler() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.open.set()


def secure_app(handler: Any, **more: Any) -> PushApp:
    return push_app(handler, token=TOKEN, aes_key=KEY, appid=APPID, **more)


# What WeChat sees


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("wrap", [plain, secure])
def test_a_push_reaches_the_handler_and_gets_bare_success(handler: Recorder, wrap: Any, form: str) -> None:
    """In both modes and both forms; success is never encrypted."""
    app = secure_app(handler) if wrap is secure else push_app(handler, token=TOKEN)
    answer = call(app, "POST", *wrap(TEXT, form=form), CONTENT_TYPE="text/xml")
    assert (200, SUCCESS) == answer[::2]
    assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]
    assert [TEXT] == [push.fields for push in handler.pushes]


@pytest.mark.parametrize(("form", "kind"), [("json", "application/json"), ("xml", "text/xml")])
def test_a_hand_over_is_sealed_where_the_push_was(form: str, kind: str) -> None:
    """In the form of the push; the signature is over the sealed answer."""
    answer = call(push_app(transfer_to_agent, token=TOKEN), "POST", *plain(TEXT, form=form))
    assert answer.headers["Content-Type"].startswith(kind)
    assert "transfer_customer_service" == parse(answer.body).MsgType
    sealed = call(secure_app(transfer_to_agent, clock=lambda: 1713424427.5), "POST", *secure(TEXT, form=form))
    assert sealed.headers["Content-Type"].startswith(kind)
    fields = parse(sealed.body).fields
    assert "1713424427" == str(fields["TimeStamp"])
    assert verify(TOKEN, "1713424427", fields["Nonce"], fields["MsgSignature"], fields["Encrypt"])
    assert decrypt(fields["Encrypt"], aes_key=KEY, appid=APPID) == answer.body


def test_the_id_of_the_frame_seals_where_no_appid_is_given() -> None:
    """A platform's pushes carry its own id."""
    sealed = call(push_app(transfer_to_agent, token=TOKEN, aes_key=KEY), "POST", *secure(TEXT))
    assert decrypt(json.loads(sealed.body)["Encrypt"], aes_key=KEY, appid=APPID)


def test_the_check_of_the_url_is_answered_in_plain_text(handler: Recorder) -> None:
    """Also if an echostr looks like a page: it is not signed."""
    for app in (push_app(handler, token=TOKEN), secure_app(handler)):
        answer = call(app, "GET", plain({})[0] + "&echostr=%3Chtml%3E123")
        assert (200, b"<html>123") == answer[::2]
        assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        assert (403, b"") == call(app, "GET", "echostr=123&signature=0&timestamp=1&nonce=1")[::2]
    assert not handler.pushes


def test_unknown_types_reach_the_handler_too(handler: Recorder) -> None:
    """And WeChat hears success."""
    for n, fields in enumerate(({"MsgType": "hologram"}, {"MsgType": "event", "Event": "new"}, {"InfoType": "x"})):
        assert (200, SUCCESS) == call(push_app(handler, token=TOKEN), "POST", *plain(fields))[::2]
        assert handler.pushes[n].fields == fields


@pytest.mark.parametrize(
    "body", [b'{"action":"CheckContainerPath"}', b"<xml><action><![CDATA[CheckContainerPath]]></action></xml>"]
)
def test_cloud_hostings_path_check_never_reaches_the_handler(handler: Recorder, body: bytes) -> None:
    """It is unsigned, so only a body that is exactly it passes."""
    for app in (push_app(handler, token=TOKEN), secure_app(handler)):
        assert (200, SUCCESS) == call(app, "POST", "", body)[::2]
        assert 403 == call(app, "POST", "", body.replace(b"Path", b"Part")).status
        assert 403 == call(app, "POST", "", body + b" " * 300).status
        assert 403 == call(app, "POST", "", body + b"x").status
    assert not handler.pushes


# Inside cloud hosting


MARKED: Any = {"HTTP_X_WX_SOURCE": "other"}


def cloud_app(handler: Any, **more: Any) -> PushApp:
    return push_app(handler, cloud_hosting=True, **more)


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("mark", ["HTTP_X_WX_SOURCE", "HTTP_X_WX_SOURCES"])
@pytest.mark.parametrize("value", ["other", "", "wx_unknown", "made up"])
def test_a_marked_push_is_read_as_it_comes(handler: Recorder, value: str, mark: str, form: str) -> None:
    """Two pages have two names for the header, and its value is not documented."""
    marked: Any = {mark: value}
    answer = call(cloud_app(handler), "POST", "", plain(TEXT, form=form)[1], **marked)
    assert (200, SUCCESS) == answer[::2]
    assert [TEXT] == [push.fields for push in handler.pushes]


@pytest.mark.parametrize("value", ["wx_client", "wx_devtools", "wx_client,other", "other, wx_client"])
def test_what_a_customer_sends_into_the_container_is_no_push(handler: Recorder, value: str) -> None:
    """`wx.cloud.callContainer` reaches any path of it, and the platform says so in the same header."""
    for app in (cloud_app(handler), cloud_app(handler, token=TOKEN)):
        assert (403, b"") == call(app, "POST", "", plain(TEXT)[1], HTTP_X_WX_SOURCE=value)[::2]
    assert not handler.pushes


def test_the_header_means_nothing_unless_asked_for(handler: Recorder) -> None:
    """Outside of a container anybody can write it."""
    for app in (push_app(handler, token=TOKEN), secure_app(handler)):
        assert (403, b"") == call(app, "POST", "", plain(TEXT)[1], **MARKED)[::2]
    assert not handler.pushes


def test_what_has_neither_mark_nor_token_is_refused(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """With public access on it does not come from WeChat; nor does cloud hosting make a URL check."""
    app = cloud_app(handler)
    assert (403, b"") == call(app, "POST", "", plain(TEXT)[1])[::2]
    assert (403, b"") == call(app, "POST", *plain(TEXT))[::2]
    assert (403, b"") == call(app, "GET", plain({})[0] + "&echostr=123", **MARKED)[::2]
    assert (403, b"") == call(app, "GET", "")[::2]
    assert 4 == caplog.text.count("no x-wx-source header of cloud hosting, and no token")
    assert not handler.pushes


@pytest.mark.parametrize(
    "signature",
    ["signature=0", "msg_signature=0", "%73ignature=0", "signature=0&signature=1", "encrypt_type=aes&msg_signature="],
)
def test_a_signature_counts_where_there_are_both(handler: Recorder, signature: str) -> None:
    """A signed push is judged by its signature, and the header does not excuse a wrong one."""
    query, body = plain(TEXT)
    for app in (cloud_app(handler), cloud_app(handler, token=TOKEN), cloud_app(handler, token=TOKEN, aes_key=KEY)):
        assert (403, b"") == call(app, "POST", signature, body, **MARKED)[::2]
    assert not handler.pushes
    assert 200 == call(cloud_app(handler, token=TOKEN), "POST", query, body, **MARKED).status
    assert 403 == call(cloud_app(handler, token="other"), "POST", query, body, **MARKED).status
    assert 200 == call(cloud_app(handler, token=TOKEN, aes_key=KEY), "POST", *secure(TEXT), **MARKED).status


def test_an_account_may_be_in_both_worlds(handler: Recorder) -> None:
    """With a key signed pushes are opened and sealed as ever, and marked ones are believed and answered plainly."""
    app = cloud_app(transfer_to_agent, token=TOKEN, aes_key=KEY, appid=APPID)
    assert "Encrypt" in json.loads(call(app, "POST", *secure(TEXT)).body)
    other = {**TEXT, "MsgId": 2}
    assert "transfer_customer_service" == json.loads(call(app, "POST", "", plain(other)[1], **MARKED).body)["MsgType"]
    assert 403 == call(app, "POST", *plain({**TEXT, "MsgId": 3})).status


def test_a_marked_push_that_is_none_is_refused(handler: Recorder) -> None:
    """Encrypted ones are not delivered there; the rest is not a push at all."""
    for body in (secure(TEXT)[1], b"", b"[]", b"hello"):
        assert (403, b"") == call(cloud_app(handler), "POST", "", body, **MARKED)[::2]
    assert not handler.pushes


def test_a_marked_push_is_handled_once_and_may_find_all_busy(handler: Recorder) -> None:
    """As any other."""
    app = cloud_app(handler, workers=1, queue=0, wait=0.01)
    handler.open.clear()
    for _ in range(2):
        assert (200, SUCCESS) == call(app, "POST", "", plain(TEXT)[1], **MARKED)[::2]
    assert (503, b"") == call(app, "POST", "", plain({**TEXT, "MsgId": 2})[1], **MARKED)[::2]
    handler.open.set()
    assert 1 == len(handler.pushes)


def test_a_token_is_optional_there_and_nowhere_else() -> None:
    """An empty one is a variable that was not set; only True may open the door."""
    cloud_app(print)
    wrong: Any
    for wrong in ({}, {"token": None}, {"token": "", "cloud_hosting": True}, {"aes_key": KEY, "cloud_hosting": True}):
        with pytest.raises(InvalidMessage) as caught:
            push_app(print, **wrong)
        assert "token" == caught.value.field
    for odd in ("0", 1, None):
        with pytest.raises(TypeError, match="cloud_hosting must be True or False"):
            push_app(print, token=TOKEN, cloud_hosting=cast(Any, odd))


def test_its_repr_says_what_it_believes() -> None:
    """No secret, and the one thing that a reviewer looks for."""
    assert "<push_app in cloud hosting>" == repr(cloud_app(print))
    assert "<push_app in cloud hosting, and in plain mode>" == repr(cloud_app(print, token=TOKEN))
    assert "<push_app in cloud hosting, and in secure mode>" == repr(cloud_app(print, token=TOKEN, aes_key=KEY))


def test_what_is_wrong_gets_403_and_nothing_more(handler: Recorder) -> None:
    """Whatever it was."""
    app = secure_app(handler, max_age=300, clock=lambda: NOW)
    query, body = secure(TEXT)
    old = secure_app(handler, max_age=300, clock=lambda: NOW + 301)
    for which, q, b in (
        (app, query.replace(NONCE, "415670742"), body),
        (app, query + f"&nonce={NONCE}", body),
        (app, query + "&x=" + "y" * 9000, body),
        (app, *plain(TEXT)),
        (app, query, body[:-1]),
        (old, query, body),
        (push_app(handler, token="other", aes_key=KEY), query, body),
        (push_app(handler, token=TOKEN, aes_key="B" * 43), query, body),
        (push_app(handler, token=TOKEN, aes_key=KEY, appid="wx0"), query, body),
    ):
        assert (403, b"") == call(which, "POST", q, b)[::2]
    assert not handler.pushes
    assert 200 == call(app, "POST", query, body).status


def test_other_methods_get_405(handler: Recorder) -> None:
    """With the methods there are."""
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = call(push_app(handler, token=TOKEN), method, *plain(TEXT))
        assert 405 == answer.status
        assert "GET, POST" == answer.headers["Allow"]


class Broken(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("gone")


def test_the_body_is_bounded_and_must_be_whole(handler: Recorder) -> None:
    """By its Content-Length, or by reading where the server knows the end."""
    query, body = plain(TEXT)
    app = push_app(handler, token=TOKEN, max_body=len(body))
    assert 413 == call(app, "POST", query, body + b" ").status
    assert 413 == call(app, "POST", query, b"", CONTENT_LENGTH="9" * 30).status
    assert 403 == call(app, "POST", query, body[:-1], CONTENT_LENGTH=str(len(body))).status
    assert 403 == call(app, "POST", query, body, CONTENT_LENGTH="").status
    for length in ("-1", "1e3", "１"):
        environ = {"REQUEST_METHOD": "POST", "QUERY_STRING": query, "CONTENT_LENGTH": length}
        answer = app({**environ, "wsgi.input": io.BytesIO(body)}, lambda *_: lambda _: None)
        assert [b""] == list(answer)
    for stream in (Broken(body),):
        assert 403 == call(app, "POST", query, body, **{"wsgi.input": stream}).status
    assert not handler.pushes
    chunked = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert 413 == call(app, "POST", query, body + b" ", **chunked).status
    assert 200 == call(app, "POST", query, body, **chunked).status
    whole = push_app(handler, token=TOKEN, max_body=10 * MAX_BODY)
    assert 200 == call(whole, "POST", query, body + b" " * (MAX_BODY - len(body))).status
    assert 413 == call(whole, "POST", query, body + b" " * MAX_BODY).status


# Once, in time, bounded


def test_a_repeated_push_gets_the_same_answer_without_the_handler(handler: Recorder) -> None:
    """WeChat repeats what it got no answer to, so a hand-over must not be lost the second time."""
    handler.answer = transfer_to_agent
    app = push_app(handler, token=TOKEN)
    first, second = call(app, "POST", *plain(TEXT)), call(app, "POST", *plain(TEXT, form="xml"))
    assert first.body == second.body != SUCCESS
    assert 1 == len(handler.pushes)


def test_the_memory_of_pushes_is_bounded(handler: Recorder) -> None:
    """The oldest is forgotten."""
    app = push_app(handler, token=TOKEN, remember=2)
    for msgid in (1, 2, 1, 3, 1, 2):
        call(app, "POST", *plain({**TEXT, "MsgId": msgid}))
    assert [1, 2, 3, 1, 2] == [push.MsgId for push in handler.pushes]


def test_a_push_is_not_forgotten_while_it_runs(handler: Recorder) -> None:
    """Otherwise its repetition would be handled beside it; after that the memory is within its bound again."""
    app = push_app(handler, token=TOKEN, wait=0.02, remember=1)
    handler.open.clear()
    for msgid in (1, 2, 1):
        assert SUCCESS == call(app, "POST", *plain({**TEXT, "MsgId": msgid})).body
    handler.open.set()
    app._once._pool.shutdown()
    assert [1, 2] == sorted(push.MsgId for push in handler.pushes)
    assert 1 == len(app._once._seen)


def test_an_overrun_is_success_while_the_handler_runs_on(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """And a repetition meets the answer that came late."""
    handler.answer = transfer_to_agent
    app = push_app(handler, token=TOKEN, wait=0.02)
    handler.open.clear()
    assert SUCCESS == call(app, "POST", *plain(TEXT)).body
    assert SUCCESS == call(app, "POST", *plain(TEXT)).body
    assert "'gh_1 1'" in caplog.text
    handler.open.set()
    app._once._pool.shutdown()
    assert b"transfer" in call(app, "POST", *plain(TEXT)).body
    assert 1 == len(handler.pushes)


def test_when_all_is_full_it_says_503_and_forgets(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """So that WeChat sends it again, and it is handled then."""
    app = push_app(handler, token=TOKEN, wait=0.02, workers=1, queue=1)
    handler.open.clear()
    assert [200, 200, 503, 200] == [call(app, "POST", *plain({**TEXT, "MsgId": n})).status for n in (1, 2, 3, 2)]
    assert "'gh_1 3': all workers are busy and the queue is full" in caplog.text
    handler.open.set()
    while call(app, "POST", *plain({**TEXT, "MsgId": 3})).status == 503:
        pass
    app._once._pool.shutdown()
    assert [1, 2, 3] == [push.MsgId for push in handler.pushes]


def no_thread_left(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture
def threadless(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A machine on which no further thread can be started."""
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread_left)
        yield patch


def test_a_push_that_no_thread_can_take_gets_503_and_is_never_handled(
    handler: Recorder, threadless: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """WeChat sends it again, and that one is handled, once; until then nothing of it is kept, not even its place."""
    app = push_app(handler, token=TOKEN, workers=1, queue=0)
    gc.collect()
    before = sum(type(each) is Push for each in gc.get_objects())
    assert [503] * 3 == [call(app, "POST", *plain(TEXT)).status for _ in range(3)]
    gc.collect()
    assert before == sum(type(each) is Push for each in gc.get_objects())
    assert 3 == caplog.text.count("'gh_1 1': no thread could be started, so WeChat got 503")
    threadless.undo()
    assert [200, 200, 200] == [call(app, "POST", *plain({**TEXT, "MsgId": n})).status for n in (2, 1, 1)]
    app._once._pool.shutdown()
    assert [2, 1] == [push.MsgId for push in handler.pushes]


def test_a_push_that_runs_is_finished_when_another_gets_no_thread(
    handler: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was answered with SUCCESS; the thread that runs it ends afterwards."""
    app = push_app(handler, token=TOKEN, wait=0.02)
    handler.open.clear()
    before = set(threading.enumerate())
    assert 200 == call(app, "POST", *plain(TEXT)).status
    (thread,) = (each for each in threading.enumerate() if each not in before)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread_left)
        assert 503 == call(app, "POST", *plain({**TEXT, "MsgId": 2})).status
    handler.open.set()
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
    assert [200, 200] == [call(app, "POST", *plain({**TEXT, "MsgId": n})).status for n in (1, 2)]
    assert [1, 2] == [push.MsgId for push in handler.pushes]


def test_a_push_that_was_taken_after_all_is_not_refused(handler: Recorder) -> None:
    """A thread that has just become free may take what the executor then refuses."""
    begun = threading.Event()

    class Late(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            super().submit(*args, **kwargs)
            assert begun.wait(10)
            raise RuntimeError("can't start new thread")

    def answer(push: Push) -> None:
        begun.set()
        handler(push)

    app = push_app(answer, token=TOKEN)
    app._once._pool = Late(1)
    assert [200, 200] == [call(app, "POST", *plain(TEXT)).status for _ in range(2)]
    assert [1] == [push.MsgId for push in handler.pushes]


def test_an_interpreter_that_is_shutting_down_says_503(handler: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is given back."""
    app = push_app(handler, token=TOKEN, workers=1, queue=0)
    monkeypatch.setattr("concurrent.futures.thread._shutdown", True)
    assert [503] * 3 == [call(app, "POST", *plain(TEXT)).status for _ in range(3)]


def test_where_there_are_no_threads_the_handler_runs_in_place(
    handler: Recorder, threadless: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a browser: once for each push, with its answer, and forgotten when asked to be."""
    threadless.setattr("wxcs_lite.push.dedupe._THREADS", False)
    app = push_app(handler, token=TOKEN, workers=1, queue=0, wait=0)
    handler.answer = transfer_to_agent
    assert [True, True] == [b"transfer" in call(app, "POST", *plain(TEXT)).body for _ in range(2)]
    handler.answer = KeyError("whisper")
    assert SUCCESS == call(app, "POST", *plain({**TEXT, "MsgId": 2})).body
    handler.answer = app.forget
    assert 503 == call(app, "POST", *plain({**TEXT, "MsgId": 3})).status
    handler.answer = lambda push: call(app, "POST", *plain({**TEXT, "MsgId": 3})).body and None
    assert [200, 200] == [call(app, "POST", *plain({**TEXT, "MsgId": 3})).status for _ in range(2)]
    assert [1, 2, 3, 3] == [push.MsgId for push in handler.pushes]
    assert 1 == caplog.text.count("crashed")


def test_fifty_threads_with_one_push_call_the_handler_once(handler: Recorder) -> None:
    """All of them hear its answer."""
    handler.answer = transfer_to_agent
    app = push_app(handler, token=TOKEN)
    handler.open.clear()
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(call, app, "POST", *plain(TEXT)) for _ in range(50)]
        threading.Timer(0.05, handler.open.set).start()
        assert {True} == {b"transfer" in answer.result().body for answer in answers}
    assert 1 == len(handler.pushes)


def test_every_push_of_many_is_handled_while_some_crash(handler: Recorder) -> None:
    """A crash costs no worker and no place."""

    def crash_on_odd(push: Push) -> None:
        if int(push.MsgId) % 2:
            raise SystemExit

    handler.answer = crash_on_odd
    app = push_app(handler, token=TOKEN, workers=2, queue=0)
    for msgid in range(50):
        assert (200, SUCCESS) == call(app, "POST", *plain({**TEXT, "MsgId": msgid}))[::2]
    assert 50 == len(handler.pushes)


@pytest.mark.parametrize("answer", [ValueError("whisper"), "whisper"])
def test_a_crash_is_logged_with_the_key_and_without_the_text(
    handler: Recorder, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    """The handler's error, and its place; its text only if asked for. WeChat gets success, now and again later."""
    handler.answer = answer
    app = push_app(handler, token=TOKEN)
    for _ in range(2):
        assert (200, SUCCESS) == call(app, "POST", *plain(TEXT))[::2]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    told = (
        "ValueError at "
        if isinstance(answer, Exception)
        else "InvalidMessage (handler: must return bytes or None, not str"
    )
    assert f"push 'gh_1 1': the handler crashed with {told}" in record.getMessage()
    assert re.search(r" at tests\.test_push_app:\d+:Recorder\.__call__; WeChat got SUCCESS$", record.getMessage())
    assert "/" not in record.getMessage()
    assert "whisper" not in caplog.text
    call(push_app(handler, token=TOKEN, log_errors=True), "POST", *plain(TEXT))
    assert "Traceback" in caplog.text


def test_logs_hold_no_secret_and_no_text(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """At any level, whatever happens; a key that breaks lines is shown escaped and short."""
    caplog.set_level(logging.DEBUG)
    handler.answer = ZeroDivisionError("whisper")
    for app in (push_app(handler, token=TOKEN), secure_app(handler, workers=1, queue=0, wait=0.01)):
        for fields in (TEXT, {**TEXT, "ToUserName": "gh\nFAKE " + "z" * 5000, "MsgId": 2}):
            for query, body in (plain(fields), secure(fields)):
                call(app, "POST", query, body)
                call(app, "POST", query + "0", body + b"whisper")
                call(app, "GET", query)
    for secret in (TOKEN, KEY, "whisper", "\nFAKE", "z" * 300):
        assert secret not in caplog.text
    assert "FAKE" in caplog.text


def test_what_cannot_be_served_is_refused_at_once() -> None:
    """By name."""
    with pytest.raises(InvalidMessage, match="handler"):
        push_app(None, token=TOKEN)  # type: ignore[arg-type]
    for wrong in ({"workers": 0}, {"queue": -1}, {"remember": 0}):
        with pytest.raises(ValueError, match="at least"):
            push_app(print, token=TOKEN, **wrong)  # type: ignore[arg-type]
    assert "<push_app in plain mode>" == repr(push_app(print, token=TOKEN))


# Over real HTTP


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_it_mounts_under_wsgiref_with_its_validator(handler: Recorder) -> None:
    """Real sockets, one request after the other."""
    handler.answer = transfer_to_agent
    with make_server("127.0.0.1", 0, validator(secure_app(handler)), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            query, body = secure(TEXT, form="xml")
            seen = []
            for method, q, b in (
                ("GET", query + "&echostr=123", None),
                ("POST", query, body),
                ("POST", query, body),
                ("POST", "", b'{"action":"CheckContainerPath"}'),
                ("POST", "nonce=1", body),
                ("PUT", query, body),
            ):
                connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
                connection.request(method, f"/wechat?{q}", b, {"Content-Type": "text/xml"})
                reply = connection.getresponse()
                seen.append((reply.status, reply.read()))
                connection.close()
        finally:
            server.shutdown()
            thread.join()
    assert [200, 200, 200, 200, 403, 405] == [status for status, _ in seen]
    assert b"123" == seen[0][1]
    assert seen[1][1].startswith(b"<xml><Encrypt>")
    assert 1 == len(handler.pushes)


# A handler that fails


def crash_log(handler: Any, caplog: pytest.LogCaptureFixture, **more: Any) -> str:
    """Push a text to a handler that fails, and return what is logged of it."""
    call(push_app(handler, token=TOKEN, **more), "POST", *plain(TEXT))
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR][-1]


@pytest.mark.parametrize(
    ("errcode", "told"),
    [(45002, "45002 made up: Split the text"), (-1, "(rid: 64a774ce-020c072d-6c820ec0), maybe sent) at ")],
)
def test_an_error_of_wechat_is_logged_with_errcode_and_rid(
    handler: Recorder, caplog: pytest.LogCaptureFixture, errcode: int, told: str
) -> None:
    """Our own text holds no secret: it says what happened, what to do, and under which rid."""
    handler.answer = api_error(errcode, "made up rid: 64a774ce-020c072d-6c820ec0")
    logged = crash_log(handler, caplog)
    assert told in logged
    assert "64a774ce-020c072d-6c820ec0" in logged


def test_a_field_that_did_not_come_is_named_in_the_log(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """With the names of those that came, which are not secret, and none of their values."""
    handler.answer = lambda push: push.Event
    logged = crash_log(handler, caplog)
    assert "MissingField (this push has no Event; it has ToUserName, " in logged
    assert str(TEXT["Content"]) not in logged


class Waits:
    """A callable object instead of a function."""

    async def __call__(self, push: Push) -> bytes:
        raise NotImplementedError


async def waits(push: Push) -> bytes:
    raise NotImplementedError


@pytest.mark.parametrize("wrong", [waits, partial(waits), Waits()], ids=["function", "partial", "object"])
def test_a_coroutine_function_is_no_handler(wrong: Any) -> None:
    """Nobody would await it, so that it would never run: refused at once."""
    with pytest.raises(InvalidMessage, match="handler: must be a plain function, not async"):
        push_app(wrong, token=TOKEN)


def answers_text(push: Push) -> Any:
    return "hello"


class Answers:
    def text(self, push: Push) -> Any:
        return "hello"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (answers_text, rf"{__name__}:\d+:answers_text"),
        (Answers().text, rf"{__name__}:\d+:Answers\.text"),
        (type, r":\?:"),
    ],
    ids=["function", "method", "builtin"],
)
def test_a_wrong_answer_is_told_at_the_handlers_place(wrong: Any, place: str, caplog: pytest.LogCaptureFixture) -> None:
    """What it must return, what it returned, and where the handler is defined, if that is known."""
    logged = crash_log(wrong, caplog)
    assert "must return bytes or None, not " in logged
    assert re.search(f" at .*{place}", logged)


def test_on_error_gets_each_failure(handler: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """With the push, in the handler's thread; a failure of its own is logged and costs nothing."""
    got: list[tuple[Push, BaseException]] = []

    def note(push: Push, error: BaseException) -> None:
        got.append((push, error))
        raise ZeroDivisionError("whisper")

    handler.answer = failure = KeyError("whisper")
    app = push_app(handler, token=TOKEN, on_error=note)
    assert (200, SUCCESS) == call(app, "POST", *plain(TEXT))[::2]
    assert [(handler.pushes[0], failure)] == got
    logged = [record.getMessage() for record in caplog.records]
    assert ["the handler crashed with KeyError", "the on_error crashed with ZeroDivisionError"] == [
        re.findall(r"the \w+ crashed with \w+", line)[0] for line in logged
    ]
    assert "whisper" not in caplog.text


# Given back, and shared among processes


class Shelf(dict[str, bytes]):
    """A `Claims` in memory, which can be out of order."""

    broken = ""
    error: type[BaseException] = OSError

    def claim(self, key: str) -> bytes | None:
        self._work("claim")
        found = self.get(key)
        if found is None:
            self[key] = b""
        return found

    def settle(self, key: str, answer: bytes) -> None:
        self._work("settle")
        if key in self:
            self[key] = answer

    def forget(self, key: str) -> None:
        self._work("forget")
        self.pop(key, None)

    def _work(self, name: str) -> None:
        if name == self.broken:
            raise self.error("redis://whisper@127.0.0.1")


@pytest.fixture(params=["shelf", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Claims:
    return Shelf() if request.param == "shelf" else SqliteSeen(tmp_path / "seen")


def until(happens: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


def two_apps(handler: Recorder, store: Claims, **more: Any) -> tuple[PushApp, PushApp]:
    """Two processes, as far as they share nothing but the store."""
    return push_app(handler, token=TOKEN, seen=store, **more), push_app(handler, token=TOKEN, seen=store, **more)


def test_a_repetition_in_another_process_gets_the_first_ones_answer(handler: Recorder, store: Claims) -> None:
    """A hand-over is not lost, and the handler runs once."""
    handler.answer = transfer_to_agent
    answers = [call(app, "POST", *plain(TEXT)) for app in two_apps(handler, store) for _ in range(2)]
    assert [answers[0]] * 4 == answers
    assert b"transfer" in answers[0].body
    assert 1 == len(handler.pushes)


def test_a_repetition_waits_for_the_process_that_is_at_it(handler: Recorder, store: Claims) -> None:
    """And gets the resulting hand-over."""
    handler.answer = transfer_to_agent
    handler.open.clear()
    one, other = two_apps(handler, store, wait=10)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, one, "POST", *plain(TEXT))
        until(lambda: handler.pushes)
        second = pool.submit(call, other, "POST", *plain(TEXT))
        until(lambda: other._once._seen)
        handler.open.set()
        assert first.result(10) == second.result(10)
    assert b"transfer" in first.result().body
    assert 1 == len(handler.pushes)


def test_a_repetition_that_waited_in_vain_gets_success_and_may_ask_again(handler: Recorder, store: Claims) -> None:
    """That success is not stored as the answer."""
    handler.answer = transfer_to_agent
    handler.open.clear()
    one, other = two_apps(handler, store, wait=0.02)
    assert [SUCCESS] * 3 == [call(app, "POST", *plain(TEXT)).body for app in (one, other, other)]
    until(lambda: not any(isinstance(found, Future) for found in other._once._seen.values()))
    handler.open.set()
    one._once._pool.shutdown()
    other._once._wait = 10.0  # what is there now must be found, on a busy machine, too
    assert b"transfer" in call(other, "POST", *plain(TEXT)).body
    assert 1 == len(handler.pushes)


def test_after_a_crash_a_repetition_gets_success_everywhere(handler: Recorder, store: Claims) -> None:
    """The handler may have sent before it crashed: nothing is sent twice."""
    handler.answer = ZeroDivisionError("whisper")
    for app in two_apps(handler, store):
        assert [SUCCESS] * 2 == [call(app, "POST", *plain(TEXT)).body for _ in range(2)]
    assert 1 == len(handler.pushes)


def test_a_claim_that_on_error_gives_back_is_taken_by_the_repetition(
    handler: Recorder, store: Claims, caplog: pytest.LogCaptureFixture
) -> None:
    """The first request gets 503, so that WeChat sends the push again; whichever process it reaches handles it."""
    handler.answer = ZeroDivisionError("nothing was sent")
    one = push_app(handler, token=TOKEN, seen=store, on_error=lambda push, error: one.forget(push))
    other = push_app(handler, token=TOKEN, seen=store)
    assert 503 == call(one, "POST", *plain(TEXT)).status
    assert "push 'gh_1 1': given back, so WeChat got 503 and will send it again" == caplog.messages[-1]
    handler.answer = transfer_to_agent
    for app in (other, one):
        assert b"transfer" in call(app, "POST", *plain(TEXT)).body
    assert 2 == len(handler.pushes)


def test_a_push_that_the_handler_does_not_take_comes_again(
    handler: Recorder, store: Claims, caplog: pytest.LogCaptureFixture
) -> None:
    """PushRejected says so: 503, here and in another process, and on_error is not called, because nothing is wrong."""
    failures: list[BaseException] = []
    handler.answer = PushRejected("the desk is closed", "工作台已关闭")
    apps = two_apps(handler, store, on_error=lambda push, error: failures.append(error))
    assert [503] * 4 == [call(app, "POST", *plain(TEXT)).status for app in apps for _ in range(2)]
    assert caplog.messages[:2] == [
        "push 'gh_1 1': the handler did not take it: the desk is closed",
        "push 'gh_1 1': given back, so WeChat got 503 and will send it again",
    ]
    handler.answer = transfer_to_agent
    assert [True, True] == [b"transfer" in call(app, "POST", *plain(TEXT)).body for app in apps]
    assert 5 == len(handler.pushes)
    assert [] == failures


def test_a_push_that_is_not_taken_gets_503_even_if_the_store_fails(
    handler: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says that the claim could not be given back, and the worker is free for the next push."""
    shelf = Shelf()
    shelf.broken = "forget"
    handler.answer = PushRejected("the desk is closed", "工作台已关闭")
    app = push_app(handler, token=TOKEN, seen=shelf, workers=1, queue=0)
    assert [503] * 2 == [call(app, "POST", *plain({**TEXT, "MsgId": number})).status for number in (1, 2)]
    assert re.search(r"seen\.forget failed with OSError at .*Shelf\.forget", "\n".join(caplog.messages))
    assert "whisper" not in caplog.text
    assert 2 == len(handler.pushes)


def test_what_is_given_back_is_settled_no_more(handler: Recorder) -> None:
    """Another process may have claimed it at once; it is that one's to settle."""
    shelf = Shelf()
    handler.answer = ZeroDivisionError("nothing was sent")

    def give_back(push: Push, error: BaseException) -> None:
        [key] = shelf
        app.forget(push)
        assert None is shelf.claim(key)  # the other process

    app = push_app(handler, token=TOKEN, seen=shelf, on_error=give_back)
    assert 503 == call(app, "POST", *plain(TEXT)).status
    assert [b""] == list(shelf.values())


def test_after_a_fork_the_store_is_asked_what_was_under_way(handler: Recorder, tmp_path: Path) -> None:
    """The child knows only that; what its parent gives back later is handled by it."""
    handler.open.clear()
    store = SqliteSeen(tmp_path / "seen")
    app, other = two_apps(handler, store, wait=0.02)
    assert SUCCESS == call(app, "POST", *plain(TEXT)).body
    app._once.after_fork()
    assert SUCCESS == call(app, "POST", *plain(TEXT)).body
    until(lambda: not app._once._seen)  # the store said that another process has it
    other.forget(handler.pushes[0])
    assert SUCCESS == call(app, "POST", *plain(TEXT)).body
    until(lambda: len(handler.pushes) == 2)  # the parent's thread, which a real child does not have, still waits


def test_what_is_given_back_comes_again_only_after_its_first_run(handler: Recorder) -> None:
    """As long as on_error is busy, a repetition gets 503 as well."""
    handler.answer = ZeroDivisionError("nothing was sent")
    statuses: list[int] = []

    def give_back(push: Push, error: BaseException) -> None:
        app.forget(push)
        statuses.append(call(app, "POST", *plain(TEXT)).status)

    app = push_app(handler, token=TOKEN, on_error=give_back)
    statuses.append(call(app, "POST", *plain(TEXT)).status)
    handler.answer = None
    statuses.append(call(app, "POST", *plain(TEXT)).status)
    assert [503, 503, 200] == statuses
    assert 2 == len(handler.pushes)


def test_a_claim_can_be_given_back_without_a_store(handler: Recorder) -> None:
    """In this process then; and an answer can be forgotten, too."""
    handler.answer = ZeroDivisionError("nothing was sent")
    app = push_app(handler, token=TOKEN, on_error=lambda push, error: app.forget(push))
    assert 503 == call(app, "POST", *plain(TEXT)).status
    handler.answer = None
    assert [200, 200] == [call(app, "POST", *plain(TEXT)).status for _ in range(2)]
    assert 2 == len(handler.pushes)
    app.forget(handler.pushes[0])
    assert 200 == call(app, "POST", *plain(TEXT)).status
    assert 3 == len(handler.pushes)
    assert set() == app._once._given_back


@pytest.mark.parametrize("error", [OSError, SystemExit])
def test_a_store_that_cannot_say_gets_503_and_no_handler(
    handler: Recorder, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else may be at it; the log says what failed and where, without the store's address."""
    shelf = Shelf()
    shelf.broken, shelf.error = "claim", error
    app = push_app(handler, token=TOKEN, seen=shelf)
    assert 503 == call(app, "POST", *plain(TEXT)).status
    assert not handler.pushes
    assert f"seen.claim failed with {error.__name__} at " in caplog.messages[-1]
    assert re.search(r"Shelf\.claim.*, so WeChat got 503$", caplog.messages[-1])
    assert "whisper" not in caplog.text
    shelf.broken = ""
    assert 200 == call(app, "POST", *plain(TEXT)).status
    assert 1 == len(handler.pushes)


@pytest.mark.parametrize("error", [OSError, SystemExit])
def test_an_answer_that_cannot_be_settled_is_given_all_the_same(
    handler: Recorder, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """This process remembers it; the claim still keeps the others from the handler."""
    handler.answer = transfer_to_agent
    shelf = Shelf()
    shelf.broken, shelf.error = "settle", error
    one, other = push_app(handler, token=TOKEN, seen=shelf), push_app(handler, token=TOKEN, seen=shelf, wait=0.02)
    assert [True, True] == [b"transfer" in call(one, "POST", *plain(TEXT)).body for _ in range(2)]
    assert re.search(rf"seen\.settle failed with {error.__name__} at .*Shelf\.settle", caplog.messages[-1])
    assert SUCCESS == call(other, "POST", *plain(TEXT)).body
    assert 1 == len(handler.pushes)
    assert "whisper" not in caplog.text


def test_a_store_knows_no_openid_by_its_keys(handler: Recorder) -> None:
    """They are hashes; an event's dedupe key would name the user."""
    shelf = Shelf()
    event = {**TEXT, "MsgType": "event", "Event": "user_enter_tempsession", "MsgId": ""}
    call(push_app(handler, token=TOKEN, seen=shelf), "POST", *plain(event))
    [key] = shelf
    assert re.fullmatch(r"[0-9a-f]{64}", key)


@pytest.mark.parametrize("wrong", [set(), "seen.sqlite"], ids=["set", "path"])
def test_what_cannot_keep_claims_is_refused_by_name(wrong: Any) -> None:
    """With what it must have."""
    with pytest.raises(InvalidMessage, match="seen: must have claim, settle and forget"):
        push_app(print, token=TOKEN, seen=wrong)
