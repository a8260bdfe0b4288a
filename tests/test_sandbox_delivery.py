"""Pushing as a whole: the URL check, retries, notices and hand-overs, and that nothing is left to chance."""

import hashlib
import json
import re
import threading
import traceback
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.validate import validator
from xml.etree import ElementTree

import pytest

from wxcs_lite.sandbox import Notice, Sandbox, sunset
from wxcs_lite.sandbox.pushes.crypto import Sealer

TOKEN = "a-token-of-the-test"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOON = 1767240000
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "compatible": {"aes_key": KEY, "compatible": True},
    "secure": {"aes_key": KEY},
}


def sha1(*parts: str) -> str:
    """The signature, as a customer's developer would write it."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


class App:
    """A developer's application: it answers the URL check, keeps what comes, and gives the answer set by the test."""

    def __init__(self, *answers: bytes | int | BaseException | Callable[[], bytes]) -> None:
        self.answers = list(answers)
        self.queries: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        query = dict(parse_qsl(environ["QUERY_STRING"]))
        assert sha1(TOKEN, query["timestamp"], query["nonce"]) == query["signature"]
        if environ["REQUEST_METHOD"] == "GET":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [query["echostr"].encode()]
        assert "text/xml" == environ["CONTENT_TYPE"]
        assert ["Mozilla/4.0", "*/*", "no-cache"] == [
            environ[f"HTTP_{name}"] for name in ("USER_AGENT", "ACCEPT", "PRAGMA")
        ]
        self.queries.append(query)
        self.bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        answer = self.answers.pop(0) if self.answers else b"success"
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = answer()
        status, body = (200, answer) if isinstance(answer, bytes) else (answer, b"")
        start_response(f"{status} Whatever", [("Content-Type", "text/plain")])
        return [body]

    @property
    def said(self) -> list[str | None]:
        """The texts that came, in plain JSON."""
        return [json.loads(body).get("Content") for body in self.bodies]


class Served:
    """The same application over real HTTP."""

    def __init__(self, app: App) -> None:
        class Quiet(WSGIRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = make_server("127.0.0.1", 0, validator(app), handler_class=Quiet)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/wx"

    def __exit__(self, *exc_info: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def transfer(sandbox: Sandbox, openid: str = "ann") -> bytes:
    fields = {"ToUserName": openid, "FromUserName": sandbox.original_id, "CreateTime": NOON}
    return json.dumps({**fields, "MsgType": "transfer_customer_service"}).encode()


@contextmanager
def pushing(app: App, **settings: Any) -> Iterator[Sandbox]:
    sandbox = Sandbox()
    with sandbox.push_to(app, token=TOKEN, **settings):
        yield sandbox


# --- what is pushed


@pytest.mark.parametrize("served", [False, True], ids=["application", "url"])
@pytest.mark.parametrize("format", ["json", "xml"])
@pytest.mark.parametrize("mode", MODES)
def test_all_that_customers_do(mode: str, format: str, served: bool) -> None:
    """Text, image, card and entry arrive signed, sealed and labelled as WeChat does it, at a URL as in process."""
    sandbox, app = Sandbox(), App()
    settings = {"token": TOKEN, "format": format, **MODES[mode]}
    with Served(app) if served else _just(validator(app)) as target, sandbox.push_to(target, **settings) as pushes:
        ann = sandbox.user("ann")
        events = [ann.says("你好 ]]> <&>"), ann.sends_image(sunset()), ann.sends_card(title="t", pagepath="p?a=1&b=2")]
        events.append(ann.enters_session("商店"))
    assert events == [pushed.event for pushed in pushes.log]
    assert {"/wx" if served else "/"} == {pushed.request.path for pushed in pushes.log}
    assert {("success", 200, 1)} == {(pushed.answer, pushed.status, pushed.attempt) for pushed in pushes.log}
    for event, query, body in zip(events, app.queries, app.bodies, strict=True):
        fields = read(body)
        assert sandbox.original_id == fields["ToUserName"]
        assert "ann" == query["openid"]
        assert str(NOON + ((mode, format) == ("compatible", "xml"))) == query["timestamp"]
        if mode != "plain":
            assert "aes" == query["encrypt_type"]
            assert sha1(TOKEN, query["timestamp"], query["nonce"], fields["Encrypt"]) == query["msg_signature"]
            opened = read(Sealer(KEY, sandbox.appid).unseal(fields.pop("Encrypt")))
            assert {"secure": {"ToUserName": sandbox.original_id}, "compatible": opened}[mode] == fields
            fields = opened
        common = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId")
        assert dict(event.fields) == {name: value for name, value in fields.items() if name not in common}
        assert "ann" == fields["FromUserName"]
        assert str(NOON) == str(fields["CreateTime"])
        assert event.kind == fields["MsgType"]
        assert str(fields.get("MsgId")) == str(event.msg_id)


@contextmanager
def _just(app: Any) -> Iterator[Any]:
    yield app


def read(body: bytes) -> dict[str, Any]:
    if body.startswith(b"{"):
        return dict(json.loads(body))
    return {element.tag: element.text or "" for element in ElementTree.fromstring(body)}


@pytest.mark.parametrize("mode", ["compatible", "secure"])
def test_another_sdk_reads_it(mode: str) -> None:
    """wechatpy opens and parses a secure push, and its sealed hand-over is understood."""
    crypto = pytest.importorskip("wechatpy.crypto")
    parse = pytest.importorskip("wechatpy.parser").parse_message
    sandbox, app = Sandbox(), App()
    theirs = crypto.WeChatCrypto(TOKEN, KEY, sandbox.appid)
    app.answers = [
        lambda: theirs.encrypt_message(
            f"<xml><ToUserName>ann</ToUserName><FromUserName>{sandbox.original_id}</FromUserName>"
            "<CreateTime>1399197672</CreateTime><MsgType>transfer_customer_service</MsgType></xml>",
            "xxxxxx",
            "1399197672",
        ).encode()
    ]
    with sandbox.push_to(app, token=TOKEN, format="xml", **MODES[mode]) as pushes:
        event = sandbox.user("ann").says("你好")
    [query], [body] = app.queries, app.bodies
    message = parse(theirs.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"]))
    assert "你好" == message.content
    assert "ann" == message.source
    assert event.msg_id == message.id
    assert ["transfer"] == [pushed.answer for pushed in pushes.log]


def test_only_what_comes_later_is_pushed() -> None:
    """Earlier events are not pushed, nor those after the stop; of two targets the later one gets them."""
    sandbox, first, second = Sandbox(), App(), App()
    ann = sandbox.user("ann")
    ann.says("0")
    one = sandbox.push_to(first, token=TOKEN)
    ann.says("1")
    two = sandbox.push_to(second, token=TOKEN)
    ann.says("2")
    assert "stopped" in repr(one)
    one.stop()
    ann.says("3")
    two.stop()
    ann.says("4")
    assert ["1"] == first.said
    assert ["2", "3"] == second.said
    assert 1 == len(one.log)
    assert 2 == len(two.log)
    assert () == ann.notices


def test_with_block_stops() -> None:
    """Leaving the block stops the pushes, and the repr says so."""
    app = App()
    with pushing(app) as sandbox:
        assert "<Pushes to App: 0>" == repr(sandbox._core.pushes)
    sandbox.user("ann").says("hi")
    assert [] == app.bodies
    assert "<Pushes to App, stopped: 0>" == repr(sandbox._core.pushes)


# --- the URL check


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, lambda echostr: echostr + b"\n"), "HTTP 200 with 20 bytes"),
        ((200, lambda echostr: b'"' + echostr + b'"'), "HTTP 200 with 21 bytes"),
        ((200, lambda echostr: b"\xef\xbb\xbf" + echostr), "HTTP 200 with 22 bytes"),
        ((200, lambda echostr: b"success"), "HTTP 200 with 7 bytes"),
        ((200, lambda echostr: b""), "HTTP 200 with 0 bytes"),
        ((403, lambda echostr: b"no"), "HTTP 403 with 2 bytes"),
        ((500, lambda echostr: echostr), "HTTP 500 with 19 bytes, the right ones"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_url_check(mode: str, answer: tuple[int, Callable[[bytes], bytes]], said: str) -> None:
    """An echostr with additions, or a refusal, fails the check: no pushes go there, only to the target before."""
    asked = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        asked.append(environ["REQUEST_METHOD"])
        start_response(f"{answer[0]} Whatever", [])
        return [answer[1](dict(parse_qsl(environ["QUERY_STRING"]))["echostr"].encode())]

    app = App()
    with pushing(app) as sandbox:
        with pytest.raises(
            ValueError, match=f"URL check of .* failed: .* the 19 bytes of the echostr, .*{said}\n"
        ) as e:
            sandbox.push_to(application, token=TOKEN, **MODES[mode])
        assert ["GET"] == asked
        assert TOKEN not in str(e.value)
        chinese = str(e.value).splitlines()[1]
        assert re.search(r"的 URL 校验未通过：应答须恰为 echostr 的 19 字节，而不是 HTTP \d+，\d+ 字节", chinese)
        sandbox.user("ann").says("hi")
    assert ["hi"] == app.said


def test_url_check_without_an_answer() -> None:
    """A check that nobody answers, or not in time, says so."""
    with pytest.raises(ValueError, match="of the echostr; KeyError in "):
        Sandbox().push_to(lambda environ, start_response: environ["nothing"], token=TOKEN)
    forever = threading.Event()
    with pytest.raises(ValueError, match=r"of the echostr; no answer within 0\.05 s"):
        Sandbox().push_to(lambda environ, start_response: [forever.wait(1) and b""], token=TOKEN, time_limit=0.05)  # type: ignore[list-item]
    forever.set()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"token": ""}, "token cannot be empty"),
        ({"format": "JSON"}, "format must be 'json' or 'xml', not 'JSON'"),
        ({"aes_key": KEY[1:]}, "43 of A-Z"),
        ({"compatible": True}, "they need an aes_key"),
        ({"time_limit": 0}, "time_limit must be"),
        ({"time_limit": -1}, "time_limit must be"),
        ({"time_limit": float("nan")}, "time_limit must be"),
        ({"time_limit": float("inf")}, "time_limit must be"),
        ({"time_limit": 1e300}, "time_limit must be"),
        ({"target": "ftp://127.0.0.1/"}, "http:// or https://"),
    ],
)
def test_impossible_settings(settings: dict[str, Any], said: str) -> None:
    """Wrong settings are refused before anything is sent, and no frame of ours shows a secret."""
    app = App()
    given = {"target": app, "token": TOKEN, "aes_key": None, **settings}
    with pytest.raises(ValueError, match=said) as error:
        Sandbox().push_to(**given)
    assert [] == app.bodies
    frames = [frame for frame, _ in traceback.walk_tb(error.value.__traceback__)][1:]
    shown = [repr(value) for frame in frames for value in frame.f_locals.values()]
    assert not any(secret in text for text in shown for secret in (TOKEN, KEY[1:]))


# --- retries


@pytest.mark.parametrize("mode", MODES)
def test_retries(mode: str) -> None:
    """A failed push is repeated, the same to the byte, until it is answered."""
    app = App(RuntimeError("no"), 500, b"success")
    with pushing(app, **MODES[mode]) as sandbox:
        ann = sandbox.user("ann")
        ann.says("hi")
        assert sandbox._core.pushes
        log = sandbox._core.pushes.log
    assert [(1, None, "failed"), (2, 500, "failed"), (3, 200, "success")] == [
        (pushed.attempt, pushed.status, pushed.answer) for pushed in log
    ]
    assert log[0].why.startswith("RuntimeError in test_sandbox_delivery.py, line ")
    assert [app.bodies[0]] * 3 == app.bodies == [pushed.request.body for pushed in log]
    assert [app.queries[0]] * 3 == app.queries == [dict(pushed.request.query) for pushed in log]
    assert () == ann.notices


def test_each_attempt_can_be_looked_at_and_ended() -> None:
    """on_pushed gets what the log has; what it raises comes out of `says`, and nothing is retried."""
    sandbox, app, seen = Sandbox(), App(500, 500), list[object]()
    ann = sandbox.user("ann")

    def look(pushed: object) -> None:
        seen.append(pushed)
        if len(seen) == 2:
            raise LookupError("enough")

    pushes = sandbox.push_to(app, token=TOKEN, on_pushed=look)
    with pytest.raises(LookupError, match="enough"):
        ann.says("hello?")
    assert list(pushes.log) == seen
    assert [1, 2] == [pushed.attempt for pushed in pushes.log]
    ann.says("again")
    assert "success" == pushes.log[-1].answer


def test_giving_up() -> None:
    """After three retries no more are made, and the phone says that nobody is there; the next push is sent as usual."""
    app = App(500, 502, 503, 302)
    with pushing(app) as sandbox:
        ann = sandbox.user("ann")
        event = ann.says("hi")
        assert (Notice(NOON, event, "该小程序客服暂时无法提供服务，请稍后再试"),) == ann.notices
        assert () == sandbox.user("ben").notices
        ann.says("again")
        assert 1 == len(ann.notices)
        assert sandbox._core.pushes
        assert "Pushed(text of ann, attempt 4, HTTP 302, failed (HTTP 302))" == repr(sandbox._core.pushes.log[3])
    assert ["hi"] * 4 + ["again"] == app.said


def test_time_limit() -> None:
    """An application that thinks too long is asked again; the phone says so after the fourth time."""
    release = threading.Event()

    def think() -> bytes:
        release.wait(5)
        return b"success"

    app = App(*[think] * 4)
    before = set(threading.enumerate())
    with pushing(app, time_limit=0.1) as sandbox:
        sandbox.user("ann").says("hi")
        assert sandbox._core.pushes
        assert [(None, "failed", "no answer within 0.1 s")] * 4 == [
            (pushed.status, pushed.answer, pushed.why) for pushed in sandbox._core.pushes.log
        ]
        assert 1 == len(sandbox.user("ann").notices)
        release.set()
        for thread in set(threading.enumerate()) - before:
            thread.join(5)
        assert 4 == len(sandbox._core.pushes.log)


def test_time_limit_is_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless said otherwise each attempt has five seconds."""
    limits = []

    class Impatient(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            limits.append(timeout)
            super().join(timeout)

    monkeypatch.setattr("wxcs_lite.sandbox.pushes.targets.Thread", Impatient)
    with pushing(App(500)) as sandbox:
        sandbox.user("ann").says("hi")
    assert [5.0, 5.0, 5.0] == limits


@pytest.mark.parametrize("body", [b"ok", b'{"MsgType":"text"}', b"success "])
def test_abnormal_answers_are_final(body: bytes) -> None:
    """A wrong answer is one: it is not asked for again, and the phone says so in the words that customers have read."""
    app = App(body)
    with pushing(app) as sandbox:
        ann = sandbox.user("ann")
        event = ann.enters_session()
        sandbox.advance(1)
        assert (Notice(NOON, event, "该小程序提供的服务出现故障，请稍候再试"),) == ann.notices
        assert sandbox._core.pushes
        assert ["abnormal"] == [pushed.answer for pushed in sandbox._core.pushes.log]
        assert "abnormal (answer success, nothing at all" in repr(sandbox._core.pushes.log)


def test_empty_answers_are_fine() -> None:
    """Nothing at all is as good as success."""
    with pushing(App(b"")) as sandbox:
        sandbox.user("ann").says("hi")
        assert () == sandbox.user("ann").notices
        assert sandbox._core.pushes
        assert "(Pushed(text of ann, attempt 1, HTTP 200, empty),)" == repr(sandbox._core.pushes.log)


# --- the agent


def test_hand_over() -> None:
    """After a hand-over the agent has that customer's messages, and nobody else's, until the session is closed."""
    sandbox, app = Sandbox(), App()
    ann, ben = sandbox.user("ann"), sandbox.user("ben")
    app.answers = [transfer(sandbox)]
    pushes = sandbox.push_to(app, token=TOKEN)
    assert not ann.has_agent
    ann.says("1")
    assert ann.has_agent
    assert not ben.has_agent
    event = ann.says("to the agent")
    ann.sends_image(sunset())
    ben.says("2")
    assert event in sandbox.events
    ann.agent_closes_session()
    assert not ann.has_agent
    ann.says("3")
    ann.agent_closes_session()
    ben.agent_closes_session()
    ann.says("4")
    assert ["1", "2", "3", "4"] == app.said
    assert ["transfer", "success", "success", "success"] == [pushed.answer for pushed in pushes.log]
    assert () == ann.notices


def test_agent_session_ends_after_30_minutes_of_silence() -> None:
    """Each message to the agent restarts the 30 minutes; when they are over messages are pushed again."""
    sandbox, app = Sandbox(), App()
    ann = sandbox.user("ann")
    app.answers = [transfer(sandbox)]
    sandbox.push_to(app, token=TOKEN)
    ann.says("1")
    for _ in range(3):
        sandbox.advance(1799)
        ann.says("to the agent")
    sandbox.advance(1799)
    assert ann.has_agent
    sandbox.advance(1)
    assert not ann.has_agent
    ann.says("2")
    ann.says("3")
    assert ["1", "2", "3"] == app.said


def test_entries_are_pushed_also_while_an_agent_has_the_session() -> None:
    """Only messages go to the agent; an entry is pushed, cannot be handed over, and does not break the silence."""
    sandbox, app = Sandbox(), App()
    ann = sandbox.user("ann")
    app.answers = [transfer(sandbox), b"success", transfer(sandbox)]
    pushes = sandbox.push_to(app, token=TOKEN)
    ann.says("1")
    sandbox.advance(1799)
    ann.enters_session()
    sandbox.advance(1)
    ann.enters_session()
    assert ["transfer", "success", "abnormal"] == [pushed.answer for pushed in pushes.log]
    assert not ann.has_agent


def test_hand_over_outlives_the_target() -> None:
    """The session is the customer's: another target does not end it."""
    sandbox, app = Sandbox(), App()
    app.answers = [transfer(sandbox)]
    sandbox.push_to(app, token=TOKEN)
    sandbox.user("ann").says("1")
    sandbox.push_to(app, token=TOKEN)
    sandbox.user("ann").says("to the agent")
    assert ["1"] == app.said


# --- nothing left to chance, no lock held, no secret shown


def story(seed: int, mode: str) -> list[object]:
    """All that is pushed in a short story."""
    sandbox, app = Sandbox(seed=seed), App(500)
    with sandbox.push_to(app, token=TOKEN, **MODES[mode]) as pushes:
        ann = sandbox.user("ann")
        ann.says("hi")
        sandbox.advance(2.5)
        ann.sends_image(b"photo")
        ann.enters_session("x")
    return [app.queries, app.bodies, repr(pushes.log), sandbox.original_id]


@pytest.mark.parametrize("mode", MODES)
def test_same_seed_clock_and_calls_push_the_same_bytes(mode: str) -> None:
    """The same calls push the same bytes; with another seed they do not."""
    assert story(7, mode) == story(7, mode)
    assert not any(one == other for one, other in zip(story(7, mode)[:2], story(8, mode)[:2], strict=True))


def test_what_is_pushed_may_call_the_sandbox() -> None:
    """No lock is held: an application answers through the API while it is being pushed to, and customers go on."""
    sandbox = Sandbox()
    ann, ben = sandbox.user("ann"), sandbox.user("ben")
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    token = sandbox.pool().request("GET", "/cgi-bin/token", fields=fields).json()["access_token"]

    def work() -> bytes:
        message = {"touser": "ann", "msgtype": "text", "text": {"content": "您好"}}
        reply = sandbox.pool().request("POST", "/cgi-bin/message/custom/send?access_token=" + token, json=message)
        assert 0 == reply.json()["errcode"]
        ben.says("meanwhile")
        return b"success"

    app = App(work)
    with sandbox.push_to(app, token=TOKEN, time_limit=5) as pushes:
        ann.says("hi")
        assert ["您好"] == [delivered.message["text"]["content"] for delivered in ann.inbox]
        assert ["ben", "ann"] == [pushed.event.openid for pushed in pushes.log]


def test_customers_in_many_threads() -> None:
    """Pushes of many customers go side by side, each exactly once."""
    meet = threading.Barrier(8, timeout=5)

    def wait() -> bytes:
        meet.wait()
        return b"success"

    app = App(*[wait] * 8)
    with pushing(app) as sandbox:
        threads = [threading.Thread(target=sandbox.user(f"u{n}").says, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [str(n) for n in range(8)] == sorted(str(said) for said in app.said)
    assert 8 == len({query["nonce"] for query in app.queries})


def test_no_secret_is_shown() -> None:
    """Neither the pushes nor their log nor the sandbox show the token or the key."""
    app = App(RuntimeError(TOKEN + KEY), b"odd")
    with pushing(app, **MODES["compatible"]) as sandbox:
        sandbox.user("ann").says("hi")
        pushes = sandbox._core.pushes
    assert pushes
    shown = repr([sandbox, vars(sandbox), pushes, vars(pushes), pushes.log, pushes.log[0].request.headers])
    shown += repr([pushes.log[0].request.query, [one.why for one in pushes.log], vars(pushes._setting.sealer)])
    assert "Pushed(text of ann, attempt 1, no answer, failed (RuntimeError in" in shown
    assert not any(secret in shown for secret in (TOKEN, KEY, str(b64decode(KEY + "="))[2:-1]))
