"""No secret survives in anything that gets saved or shown: whatever fails, echoes or is interrupted."""

import base64
import contextlib
import html
import io
import json
import logging
import pickle
import re
import socket
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast
from urllib.parse import quote, quote_plus, unquote

import pytest

from tests.hostile import OK, Heard, Peer, Script, Server, answers, bare, once, reply
from tests.stages import STAGES, Stage, named
from tests.watchers import WATCHERS, chain, in_ipython, walked
from wxcs_lite import (
    CloudbaseToken,
    Reply,
    Request,
    Token,
    TransportError,
    WindowEvent,
    WxError,
    call,
    check,
    clear_quota,
    download,
    endpoints,
    fetch_token,
    fresh_cloudbase_token,
    fresh_token,
    get_callback_ip,
    get_quota,
    get_rid,
    open_pool,
    perform,
    send,
    set_typing,
    showing_typing,
    stream,
    text,
    upload,
    window_left,
)
from wxcs_lite.__main__ import main
from wxcs_lite.batch import report, send_many
from wxcs_lite.panel import demo
from wxcs_lite.pools import Pool
from wxcs_lite.replies import read_token
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.signing import SigningKeys, open_reply, sign

# Test functions never name these: IPython's verbose mode shows each name of a line. They say `bare_token("odd")`.
_KEPT = {
    "long": ("80_" + "qW3eR5tY7uI9oP1aS" * 8, "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "81_" + "zX8cV6bN4mL2kJ0hG" * 8),
    "odd": ("tk+/&=%'\"n", "sc+/&=%'<t", "nw+/&=%:>w"),
}
KINDS = sorted(_KEPT)
JPEG = b"\xff\xd8\xff\xe0 made up"


def bare_token(kind: str) -> str:
    return _KEPT[kind][0]


def bare_secret(kind: str) -> str:
    return _KEPT[kind][1]


def next_token(kind: str) -> str:
    """The token that a reply brings."""
    return _KEPT[kind][2]


def needles(kind: str) -> Iterator[str]:
    """Yield each secret as it is, percent-encoded and as JSON, and a long one's inner part."""
    for value in _KEPT[kind]:
        percent = quote(value, safe="")
        escaped = json.dumps(value)[1:-1]
        yield from (value, percent, percent.lower(), quote_plus(value), escaped, repr(value)[1:-1])
        if len(value) > 20:
            yield value[4:24]


def everything_about(error: BaseException) -> Iterator[str]:
    """Yield everything of an error that debuggers and crash reporters can print, save or send."""
    for e in chain(error):
        yield from (str(e), repr(e), repr(e.args), repr(vars(e)), repr(getattr(e, "__notes__", None)))
        with contextlib.suppress(TypeError, AttributeError):
            yield pickle.dumps(e).decode("latin-1")
        yield "".join(traceback.TracebackException.from_exception(e, capture_locals=True).format())
    yield "".join(traceback.format_exception(error))
    yield in_ipython_once(error)
    yield walked(error)


_looked_at: set[object] = set()


def in_ipython_once(error: BaseException) -> str:
    """Return what `%xmode Verbose` shows: locals, and attributes that a line names; once for each kind of traceback.

    It takes a tenth of a second; the locals alone are checked every time.
    """
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    values = [(type(value) for value in frame.f_locals.values()) for frame, _ in traceback.walk_tb(error.__traceback__)]
    key = (type(error), *frames, *(tuple(types) for types in values))
    if key in _looked_at or not frames:
        return ""
    _looked_at.add(key)
    return in_ipython(error)


def everything_logged(records: list[logging.LogRecord]) -> Iterator[str]:
    for record in records:
        yield record.getMessage()
        yield repr(record.args)
        if record.exc_info and record.exc_info[1] is not None:
            yield from everything_about(record.exc_info[1])


class Watch(NamedTuple):
    """Runs calls and looks at everything they leave behind."""

    caplog: pytest.LogCaptureFixture
    capsys: pytest.CaptureFixture[str]

    def found_in(self, kind: str, call: Callable[[], object]) -> list[str]:
        """Return what was found of the secrets after a call, whether it returns or raises: nothing, that is."""
        told = io.StringIO()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                value = call()
                told.write(repr(value) + str(value))
            except BaseException as e:
                for said in everything_about(e):
                    told.write(said)
        for said in everything_logged(self.caplog.records):
            told.write(said)
        for warning in warned:
            told.write(str(warning))
        told.write(self.caplog.text + "".join(self.capsys.readouterr()))
        everything = told.getvalue()
        return [part for needle in needles(kind) for part in everything.splitlines() if needle in part]


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Watch:
    caplog.set_level(logging.DEBUG)
    return Watch(caplog, capsys)


def streamed(pool: Pool, kind: str) -> str:
    with stream(pool, bare_token(kind), "MEDIA_ID") as medium:
        b"".join(medium)
        return repr(medium)


def typed(pool: Pool, kind: str) -> None:
    with showing_typing(pool, bare_token(kind), "OPENID"):
        pass


def batched(pool: Pool, kind: str) -> str:
    batch = send_many(
        [text("OPENID", "hello")], token=bare_token(kind), open_pool=lambda: pool, workers=1, progress=False
    )
    for outcome in batch:
        if outcome.error is not None:
            raise outcome.error
    return repr((batch, outcome, report(batch)))


def first(pool: Pool, kind: str) -> object:
    fresh = fresh_token(pool, "APPID", bare_secret(kind))
    fresh()
    return fresh


@cache
def console() -> dict[str, Any]:
    return Sandbox(api_signature="optional").signing_keys


def signing_keys() -> SigningKeys:
    """Keys that take a plain reply, so that the servers here need not sign."""
    return SigningKeys(**console(), accept_plain=True)


def cloud_token(kind: str) -> CloudbaseToken:
    return CloudbaseToken(bare_token(kind))


def stable(kind: str) -> tuple[str, dict[str, str]]:
    return "/cgi-bin/stable_token", {"appid": "APPID", "secret": bare_secret(kind)}


def cleared(kind: str) -> tuple[str, dict[str, Any]]:
    query = {"appid": "APPID", "appsecret": bare_secret(kind)}
    return "/cgi-bin/clear_quota/v2", {"method": "POST", "query": query}


def nested(kind: str) -> tuple[str, dict[str, Any]]:
    return "/cgi-bin/x", {"more": [{"component_appsecret": bare_secret(kind)}]}


# Lambdas stand in functions here and below: of one at the top of a module, IPython evaluates all that the module says.
def calls() -> dict[str, Callable[[Pool, str], object]]:
    return {
        "send": lambda pool, kind: send(pool, bare_token(kind), text("OPENID", "hello")),
        "fetch_token": lambda pool, kind: fetch_token(pool, "APPID", bare_secret(kind)),
        "fresh_token": first,
        "download": lambda pool, kind: download(pool, bare_token(kind), "MEDIA_ID"),
        "stream": streamed,
        "upload": lambda pool, kind: upload(pool, bare_token(kind), JPEG),
        "perform": lambda pool, kind: perform(pool, bare_token(kind), endpoints.get_callback_ip()),
        "perform stable_token": lambda pool, kind: perform(
            pool, None, endpoints.stable_token("APPID", bare_secret(kind))
        ),
        "set_typing": lambda pool, kind: set_typing(pool, bare_token(kind), "OPENID"),
        "showing_typing": typed,
        "get_rid": lambda pool, kind: get_rid(pool, bare_token(kind), "RID"),
        "get_quota": lambda pool, kind: get_quota(pool, bare_token(kind)),
        "get_callback_ip": lambda pool, kind: get_callback_ip(pool, bare_token(kind)),
        "clear_quota": lambda pool, kind: clear_quota(pool, bare_token(kind), "APPID"),
        "call": lambda pool, kind: call(pool, bare_token(kind), "/cgi-bin/business/list", {"offset": 0, "count": 100}),
        "send in cloud hosting": lambda pool, kind: send(pool, cloud_token(kind), text("OPENID", "hello")),
        "stream in cloud hosting": lambda pool, kind: stream(pool, cloud_token(kind), "MEDIA_ID").__enter__(),
        "get_rid in cloud hosting": lambda pool, kind: get_rid(pool, cloud_token(kind), "RID"),
        "get_quota signed in cloud hosting": lambda pool, kind: get_quota(pool, cloud_token(kind), keys=signing_keys()),
        "send_many": lambda pool, kind: batched(pool, kind),
        "call with a secret": lambda pool, kind: call(pool, None, *stable(kind)),
        "call with a secret beside its token": lambda pool, kind: call(pool, bare_token(kind), *nested(kind)),
        "send signed": lambda pool, kind: send(pool, bare_token(kind), text("OPENID", "hello"), keys=signing_keys()),
        "get_rid signed": lambda pool, kind: get_rid(pool, bare_token(kind), "RID", keys=signing_keys()),
        "get_quota signed": lambda pool, kind: get_quota(pool, bare_token(kind), keys=signing_keys()),
        "clear_quota signed": lambda pool, kind: clear_quota(pool, bare_token(kind), "APPID", keys=signing_keys()),
        "call with a secret in its query": lambda pool, kind: call(pool, None, *cleared(kind)[:1], **cleared(kind)[1]),
    }


CALLS = calls()
MAIN_CALLS = ("send", "fetch_token", "stream")


def wechat(kind: str) -> Callable[[Heard], bytes]:
    """Answer every call well, with the secrets wherever WeChat puts them."""
    token = json.dumps({"access_token": next_token(kind), "expires_in": 7200}).encode()
    noted = {  # of the last two, which another call had, WeChat notes what is named or long
        "request_url": f"access_token={quote(bare_token(kind), safe='')}&a=b",
        "request_body": json.dumps({"appid": "APPID", "secret": bare_secret("long")}),
        "response_body": json.dumps({"access_token": next_token("long"), "expires_in": 7200}),
        "cost_in_ms": 30,
    }
    bodies = {
        "/cgi-bin/stable_token": token,
        "/cgi-bin/media/get": JPEG,
        "/cgi-bin/media/upload": b'{"type":"image","media_id":"MEDIA_ID","created_at":1}',
        "/cgi-bin/openapi/rid/get": json.dumps({"errcode": 0, "request": noted}).encode(),
    }
    return lambda heard: reply(bodies.get(heard.target.partition("?")[0], OK))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_success_leaves_no_secret_behind(name: str, kind: str, watch: Watch) -> None:
    """A call that succeeds logs, prints and returns nothing whose repr holds a secret."""
    with Server(answers(wechat(kind))) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: repr(CALLS[name](pool, kind)) + repr(pool))


@pytest.mark.parametrize(("name", "kind"), [("send", "long"), ("fetch_token", "odd"), ("stream", "odd")])
@pytest.mark.parametrize("stage", STAGES, ids=named)
def test_no_failure_leaks(stage: Stage, name: str, kind: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """At whichever stage a call fails, its error, frames and log records hold no secret."""
    with stage.open(monkeypatch) as pool:
        assert [] == watch.found_in(kind, lambda: CALLS[name](pool, kind))


def many(*flags: str) -> int:
    """Send a list of two with a ledger of its own, in which nothing may be found afterwards."""
    with TemporaryDirectory() as folder:
        path, ledger = Path(folder, "messages.jsonl"), Path(folder, "run.sqlite")
        path.write_text("\n".join(json.dumps(text("ann", content)) for content in ("a", "b")), "utf-8")
        status = main(["send-many", str(path), "--ledger", str(ledger), *flags])
        for kept in Path(folder).iterdir():
            print(kept.read_bytes().decode("latin-1"))
        return status


COMMANDS: dict[str, Callable[[str], int]] = {
    "doctor": lambda url: main(["doctor", "--push", url]),
    "doctor --json": lambda url: main(["doctor", "--push", url, "--json"]),
    "explain": lambda url: main(["explain", "61725984-6126f6f9-040f19c4"]),
    "send": lambda url: main(["send", "--touser", "ann", "--text", "hi", "--yes"]),
    "send-many": lambda url: many(),
    "send-many --dry-run": lambda url: many("--dry-run"),
    "compare": lambda url: main(["compare", "--yes"]),
    "compare --json": lambda url: main(["compare", "--yes", "--json"]),
    "send --curl": lambda url: main(["send", "--touser", "ann", "--text", "hi", "--curl"]),
}


def echoing(kind: str, given: str) -> Callable[[Heard], bytes]:
    """Send the client's secret back to it: its token, or the secret that it has instead."""

    def refuse(heard: Heard) -> bytes:
        has_secret = heard.body and given == "SECRET"
        held = bare_token(kind) if "access_token=" in heard.target else bare_secret(kind) if has_secret else "nothing"
        return reply(json.dumps({"errcode": 40001, "errmsg": f"invalid {held}"}).encode())

    return refuse


def mistaken(*_: object) -> None:
    raise KeyError("a mistake")


@pytest.mark.parametrize("given", ["TOKEN", "SECRET"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_shows_one(name: str, kind: str, given: str, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it succeeds, is cut, gets the secret back, or runs into a mistake of ours."""
    monkeypatch.delenv("WXCS_TOKEN", raising=False)
    monkeypatch.setenv("WXCS_APPID", "wx1")
    monkeypatch.setenv("WXCS_OPENID", "ann")
    for variable in {"TOKEN"} if given == "TOKEN" else {"SECRET", "PUSH_TOKEN", "AES_KEY"}:
        monkeypatch.setenv(f"WXCS_{variable}", bare_token(kind) if given == "TOKEN" else bare_secret(kind))
    for script in (answers(wechat(kind)), answers(echoing(kind, given)), lambda peer: peer.read()):
        with Server(script) as server:
            monkeypatch.setenv("WXCS_BASE_URL", server.url)
            assert [] == watch.found_in(kind, lambda: COMMANDS[name](server.url))
    monkeypatch.setattr("wxcs_lite.wire._exchange", mistaken)
    assert [] == watch.found_in(kind, lambda: COMMANDS[name]("http://127.0.0.1:9"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_no_call_leaks_when_it_is_cut(name: str, kind: str, watch: Watch) -> None:
    """Every verb hides its secret when the connection is cut."""
    with Server(lambda peer: peer.read()) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: CALLS[name](pool, kind))


def chunked_garbage(what: str) -> bytes:
    return bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=what.encode() + b"\r\n")


PLACES: dict[str, Callable[[str], bytes]] = {
    "errmsg": lambda what: reply(json.dumps({"errcode": 40001, "errmsg": f"invalid {what} rid"}).encode()),
    "errmsg with slashes": lambda what: reply(
        json.dumps({"errcode": 40013, "errmsg": f"see {what}"}).replace("/", "\\/").encode()
    ),
    "errcode": lambda what: reply(json.dumps({"errcode": what}).encode()),
    "error page": lambda what: reply(f"<html>cannot serve {what}</html>".encode(), "502 Bad Gateway"),
    "page": lambda what: reply(f"<html>log in for {what}</html>".encode()),
    "404": lambda what: reply(what.encode(), "404 Not Found"),
    "truncated JSON": lambda what: reply(f'{{"errcode":0,"errmsg":"{what}'.encode()),
    "no JSON": lambda what: reply(what.encode()),
    "Location": lambda what: reply(b"", "302 Found", f"Location: /{what}"),
    "reason": lambda what: reply(b"", f"500 {what}"),
    "status line": lambda what: bare(f"HTTP/1.1 {what} {what}"),
    "no HTTP": lambda what: bare(what),
    "header": lambda what: reply(b"x", "200 OK", f"X-Echo: {what}", "Content-Encoding: gzip"),
    "header of a cut reply": lambda what: reply(b"{", "200 OK", f"X-Echo: {what}", length=99),
    "broken header": lambda what: bare("HTTP/1.1 200 OK", "X-One: 1", f"broken {what}", "X-Two: 2", body=OK),
    "broken first header": lambda what: bare("HTTP/1.1 200 OK", f"broken {what}", "X-Two: 2", body=OK),
    "encoding": lambda what: reply(b"x", "200 OK", f"Content-Encoding: {what}"),
    "lengths": lambda what: bare("HTTP/1.1 200 OK", "Content-Length: 2", f"Content-Length: 3 {what}", body=b"{}"),
    "chunk": chunked_garbage,
    "file name": lambda what: reply(JPEG, "200 OK", f'Content-Disposition: attachment; filename="{what}.jpg"'),
}
FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda value: value,
    "percent": lambda value: quote(value, safe=""),
    "lower percent": lambda value: quote(value, safe="").lower(),
    "url": lambda value: f"https://api.weixin.qq.com/cgi-bin/x?access_token={quote(value, safe='')}&a=b",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAIN_CALLS)
@pytest.mark.parametrize("place", PLACES)
def test_no_echo_leaks(place: str, name: str, kind: str, watch: Watch) -> None:
    """A server may echo the secret in any place and spelling: no error, frame or log record passes it on."""
    whose = bare_secret if name == "fetch_token" else bare_token
    replies = [PLACES[place](form(whose(kind))) for form in FORMS.values()]
    with Server(*(once(data) for data in replies)) as server, server.pool() as pool:
        for _ in replies:
            assert [] == watch.found_in(kind, lambda: CALLS[name](pool, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["call with a secret", "call with a secret in its query"])
@pytest.mark.parametrize("place", ["errmsg", "errmsg with slashes", "errcode", "page", "404", "no JSON"])
def test_no_echo_of_a_named_secret_leaks(place: str, name: str, kind: str, watch: Watch) -> None:
    """Even a call that takes no token has a secret."""
    replies = [PLACES[place](form(bare_secret(kind))) for form in FORMS.values()]
    with Server(*(once(data) for data in replies)) as server, server.pool() as pool:
        for _ in replies:
            assert [] == watch.found_in(kind, lambda: CALLS[name](pool, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("expires_in", ["null", "-5", '"soon"', "1e999", "7200,"])
def test_a_broken_token_reply_does_not_leak_the_new_token(expires_in: str, kind: str, watch: Watch) -> None:
    """The token of a reply that cannot be used is a secret, too."""
    body = f'{{"access_token":{json.dumps(next_token(kind))},"expires_in":{expires_in}}}'
    with Server(answers(reply(body.encode()))) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: fetch_token(pool, "APPID", bare_secret(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_reply_that_is_cut_does_not_leak_the_new_token(kind: str, watch: Watch) -> None:
    """Neither does the part of the reply that came."""
    body = json.dumps({"access_token": next_token(kind), "expires_in": 7200}).encode()
    with Server(once(reply(body, length=999))) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: fetch_token(pool, "APPID", bare_secret(kind)))


def interrupt(monkeypatch: pytest.MonkeyPatch, method: str, at: int) -> None:
    """Raise KeyboardInterrupt in the main thread at the given use of a socket's method, from 0."""
    real, uses = getattr(socket.socket, method), iter(range(10**6))

    def interrupted(*args: Any, **kwargs: Any) -> object:
        if threading.current_thread() is threading.main_thread() and next(uses) == at:
            if method == "connect":
                args[0].close()  # urllib3 leaves it to the garbage collector, which warns
            args = ()  # this frame is the test's own
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(socket.socket, method, interrupted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAIN_CALLS)
@pytest.mark.parametrize(
    ("method", "at"),
    [("connect", 0), ("sendall", 0), ("sendall", 1), ("recv_into", 0), ("recv_into", 1)],
    ids=["connecting", "sending the head", "sending the body", "waiting", "reading"],
)
def test_an_interrupt_leaks_nothing(
    method: str, at: int, name: str, kind: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at any moment comes out without the frames that hold the URL or the reply."""
    token = json.dumps({"access_token": next_token(kind), "expires_in": 7200}).encode()
    with Server(slowly(reply(token, length=999))) as server, server.pool(read_timeout=0.1) as pool:
        interrupt(monkeypatch, method, at)
        assert [] == watch.found_in(kind, lambda: CALLS[name](pool, kind))


def slowly(data: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.stall()

    return script


def test_an_interrupt_comes_out_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """KeyboardInterrupt has no chain, and no frame of urllib3."""
    with Server(slowly(b"")) as server, server.pool() as pool:
        interrupt(monkeypatch, "recv_into", 0)
        with pytest.raises(KeyboardInterrupt) as caught:
            send(pool, "80_made-up", text("OPENID", "hello"))
    modules = [str(entry.frame.f_globals["__name__"]) for entry in caught.traceback]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert [] == [module for module in modules if module.startswith(("urllib3", "http"))]


@pytest.mark.parametrize(("error", "expected"), [(KeyboardInterrupt, KeyboardInterrupt), (ValueError, TransportError)])
def test_an_interrupt_before_a_connection_is_taken_comes_out(
    error: type[BaseException], expected: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 puts a connection back that it has not taken, and says then that the pool is full."""

    def interrupted(*args: object, **kwargs: object) -> None:
        raise error

    with Server(answers(reply())) as server, server.pool() as pool:
        monkeypatch.setattr(pool, "_get_conn", interrupted)
        with pytest.raises(expected) as caught:
            send(pool, "80_made-up", text("OPENID", "hello"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_what_a_callback_raises_comes_out_of_a_full_pool() -> None:
    """In the child of a fork that `progress` made, say: its pool has all its places again."""
    with Server(answers(reply())) as server, server.pool() as pool:

        def fills_the_pool(sent: int, total: int) -> None:
            pool._put_conn(None)
            raise Boom

        with pytest.raises(Boom):
            upload(pool, "80_made-up", JPEG, progress=fills_the_pool)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", ["_json", "_header"])
def test_an_interrupt_while_the_reply_is_read_leaks_nothing(
    read: str, kind: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between the last byte and the value leaks no new token either."""

    def interrupted(*args: object) -> None:
        del args  # this frame is the test's own
        raise KeyboardInterrupt

    monkeypatch.setattr(f"wxcs_lite.replies.{read}", interrupted)
    with Server(answers(wechat(kind))) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: fetch_token(pool, "APPID", bare_secret(kind)))


class Boom(Exception):
    pass


def boom(*_: object) -> None:
    raise Boom


@pytest.mark.parametrize("kind", KINDS)
def test_a_progress_callback_that_raises_shows_only_itself(kind: str, watch: Watch) -> None:
    """The frames between the call and the callback, which hold URL and body, are removed."""
    with Server(answers(reply())) as server, server.pool() as pool:
        call = endpoints.stable_token("APPID", bare_secret(kind))
        assert [] == watch.found_in(kind, lambda: perform(pool, None, call, progress=boom))
        assert [] == watch.found_in(kind, lambda: upload(pool, bare_token(kind), JPEG, progress=boom))


# Mistakes that a type checker would find.
any_send: Any = send
any_set_typing: Any = set_typing
any_showing_typing: Any = showing_typing
any_upload: Any = upload
any_download: Any = download
any_stream: Any = stream
any_fetch_token: Any = fetch_token
any_perform: Any = perform
any_call: Any = call
any_sign: Any = sign
any_open_reply: Any = open_reply


def mistakes() -> list[Callable[[Any, str], object]]:
    return [
        lambda pool, kind: any_send(pool, bare_token(kind), {"touser": ""}),
        lambda pool, kind: any_set_typing(pool, bare_token(kind), "OPENID", "Blink"),
        lambda pool, kind: any_upload(pool, bare_token(kind), "/no/such/file.jpg"),
        lambda pool, kind: any_upload(pool, bare_token(kind), io.StringIO("text")),
        lambda pool, kind: any_download(pool, bare_token(kind), ""),
        lambda pool, kind: any_send(None, bare_token(kind), {"touser": ""}),
        lambda pool, kind: any_fetch_token(pool, "", bare_secret(kind)),
        lambda pool, kind: any_fetch_token(None, "APPID", bare_secret(kind)),
        lambda pool, kind: any_fetch_token(pool, "APPID", [bare_secret(kind)]),
        lambda pool, kind: any_send(pool, [bare_token(kind)], text("OPENID", "hello")),
        lambda pool, kind: any_send(pool, bare_token(kind).encode(), text("OPENID", "hello")),
        lambda pool, kind: any_send(pool, lambda: bare_token(kind), text("OPENID", "hello")),
        lambda pool, kind: any_send(None, bare_token(kind), text("OPENID", "hello")),
        lambda pool, kind: any_send(pool, bare_token(kind) + "\udc80", text("OPENID", "hello")),
        lambda pool, kind: any_fetch_token(pool, "APPID", bare_secret(kind) + "\udc80"),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("PO\nST", "/")),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("GET", "/\r\nX: y z")),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("GET", "//[")),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("GET", "http://[/")),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("GET", "http://elsewhere.invalid/")),
        lambda pool, kind: any_perform(pool, bare_token(kind), Request("GET", "no-slash")),
        lambda pool, kind: call(pool, bare_token(kind), f"/cgi-bin/x?access_token={bare_token(kind)}"),
        lambda pool, kind: call(pool, bare_token(kind), "no-slash", {"secret": bare_secret(kind)}),
        lambda pool, kind: call(pool, bare_token(kind), "/cgi-bin/x", query={"access_token": bare_token(kind)}),
        lambda pool, kind: any_call(pool, bare_token(kind), "/cgi-bin/x", [bare_secret(kind)]),
        lambda pool, kind: any_call(pool, bare_token(kind), "/cgi-bin/x", bare_secret(kind).encode()),
        lambda pool, kind: any_call(None, bare_token(kind), "/cgi-bin/x"),
        lambda pool, kind: SigningKeys(**{**console(), "symmetric_key": bare_secret(kind)}),
        lambda pool, kind: SigningKeys(**{**console(), "private_key": bare_secret(kind)}),
        lambda pool, kind: SigningKeys(**{**console(), "private_key": [bare_secret(kind)]}),
        lambda pool, kind: SigningKeys(**{**console(), "certificate": bare_secret(kind)}),
        lambda pool, kind: SigningKeys(**{**console(), "symmetric_sn": "", "symmetric_key": bare_secret(kind)}),
        lambda pool, kind: any_send(pool, bare_token(kind), text("OPENID", "hello"), keys=bare_secret(kind)),
        lambda pool, kind: any_sign(endpoints.get_quota(), bare_secret(kind), 0, "n", bytes(12)),
        lambda pool, kind: any_open_reply(Reply(200, {}, OK), endpoints.get_quota(), bare_secret(kind)),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", mistakes())
def test_no_mistake_of_the_caller_leaks(call: Callable[[Any, str], object], kind: str, watch: Watch) -> None:
    """An error raised before anything is sent shows no secret either."""
    with Server(answers(reply())) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: call(pool, kind))


MISPLACED: dict[str, Callable[[str], object]] = {
    "a kind of event": lambda value: window_left([WindowEvent(cast(Any, value), 0)], 0),
    "an msgtype": lambda value: check({"touser": "OPENID", "msgtype": value, value: {}}),
    "an openid": lambda value: Sandbox().user(value),
    "a language": lambda value: demo(cast(Any, value)),
    "a path": lambda value: any_upload(Sandbox().pool(), "x", value),
    "a command": lambda value: endpoints.set_typing("OPENID", cast(Any, value)),
    "a medium": lambda value: endpoints.upload(cast(Any, value)),
    "a filename": lambda value: endpoints.upload(b"unknown", filename=value),
    "a boundary": lambda value: endpoints.upload(JPEG, boundary=value),
}


@pytest.mark.parametrize("value", ["token", "picture"])
@pytest.mark.parametrize("place", MISPLACED)
def test_what_stands_in_the_wrong_place_is_not_quoted(place: str, value: str) -> None:
    """Neither a token nor a picture in base64: errors and remarks stay short and show neither."""
    misplaced = bare_token("long") if value == "token" else "iVBORw0KGgo" + "A" * 300
    try:
        shown = repr(MISPLACED[place](misplaced))
    except (ValueError, OSError) as e:
        shown = f"{e}{e!r}"
    assert shown
    assert misplaced[12:32] not in shown
    assert len(shown) < 700


def streamed_swapped(pool: Any, kind: str) -> None:
    with any_stream(bare_token(kind), pool, "MEDIA_ID"):
        pass


def typed_swapped(pool: Any, kind: str) -> None:
    with any_showing_typing(bare_token(kind), pool, "OPENID"):
        pass


def swapped() -> list[Callable[[Any, str], object]]:
    return [
        lambda pool, kind: any_send(bare_token(kind), pool, text("OPENID", "hello")),
        lambda pool, kind: any_set_typing(bare_token(kind), pool, "OPENID"),
        lambda pool, kind: any_upload(bare_token(kind), pool, JPEG),
        lambda pool, kind: any_download(bare_token(kind), pool, "MEDIA_ID"),
        lambda pool, kind: any_perform(bare_token(kind), pool, endpoints.get_callback_ip()),
        streamed_swapped,
        typed_swapped,
        lambda pool, kind: any_send(pool, text("OPENID", "hello"), bare_token(kind)),
        lambda pool, kind: any_set_typing(pool, "OPENID", bare_token(kind), "Blink"),
        lambda pool, kind: any_download(pool, None, bare_token(kind)),
        lambda pool, kind: any_call(bare_token(kind), pool, "/cgi-bin/x"),
        lambda pool, kind: any_call(pool, "/cgi-bin/x", bare_token(kind)),
        lambda pool, kind: any_call(pool, "x", "/cgi-bin/x", bare_token(kind)),
        lambda pool, kind: any_call(pool, "x", "/cgi-bin/x", method=bare_token(kind)),
        lambda pool, kind: any_fetch_token(pool, bare_secret(kind), ""),
        lambda pool, kind: repr(fresh_token(pool, bare_secret(kind), "APPID")),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", swapped())
def test_pool_and_token_swapped_leak_nothing(call: Callable[[Any, str], object], kind: str, watch: Watch) -> None:
    """The commonest slip, token first and pool second, shows no token."""
    with Server(answers(reply())) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: call(pool, kind))


def key_needles() -> Iterator[str]:
    """Yield the keys of the API signature as texts, as bytes and inside a pickle."""
    shown = console()
    yield str(shown["symmetric_key"])
    yield repr(base64.b64decode(shown["symmetric_key"]))[2:-1]
    yield from str(shown["private_key"]).splitlines()[1:-1]


@pytest.mark.parametrize("failing", ["server", "arguments", "reply", "nothing"])
def test_no_key_of_the_signature_is_shown(failing: str, watch: Watch) -> None:
    """Whether the call fails before it leaves, on its way, or when its reply is read."""
    scripts: dict[str, Script] = {"server": lambda peer: peer.read(), "reply": answers(reply(b"no JSON"))}
    arguments = {"touser": ""} if failing == "arguments" else text("OPENID", "hello")
    told = io.StringIO()
    with Server(scripts.get(failing, answers(reply()))) as server, server.pool() as pool:
        try:
            told.write(repr(any_send(pool, "80_made-up", arguments, keys=signing_keys())) + repr(signing_keys()))
        except WxError as e:
            for said in everything_about(e):
                told.write(said)
    for said in everything_logged(watch.caplog.records):
        told.write(said)
    assert [] == [needle for needle in key_needles() if needle in told.getvalue()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_shows_no_secret(kind: str) -> None:
    """repr, str and the curl command of the one request that holds a secret leave it out."""
    call = endpoints.stable_token("APPID", bare_secret(kind))
    shown = repr(call) + str(call) + call.curl()
    assert [] == [needle for needle in needles(kind) if needle in shown]


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_hides_itself(kind: str) -> None:
    """The repr of a Token, and of a container that holds it, shows three stars."""
    assert "[Token('***')]" == repr([Token(bare_token(kind))])


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_of_cloud_hosting_hides_itself(kind: str, tmp_path: Path, watch: Watch) -> None:
    """The one that a caller makes, the one that is read from the file, and the URL that holds it."""
    file = tmp_path / "cloudbase_access_token"
    file.write_text(bare_token("long"))
    given = CloudbaseToken(bare_token(kind))
    url = endpoints.get_callback_ip().url(given)
    assert "[CloudbaseToken('***')] Secret('***')" == f"{[given]!r} {url!r}"
    assert url.startswith("/cgi-bin/getcallbackip?cloudbase_access_token=")
    fresh = fresh_cloudbase_token(file)
    assert [] == watch.found_in("long", lambda: (fresh(), fresh))
    assert [] == watch.found_in("long", lambda: fresh(rejected=bare_token("long")))
    file.write_bytes(b"\xff" + bare_token("long").encode())
    assert [] == watch.found_in("long", lambda: fresh(rejected=bare_token("long")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_url_hides_itself(kind: str) -> None:
    """A cell that ends with `request.url(token)` saves what it shows."""
    url = endpoints.get_callback_ip().url(bare_token(kind))
    assert "Secret('***')" == repr(url)
    assert url.startswith("/cgi-bin/getcallbackip?access_token=")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:{}@host",
        "https://host/?access_token={}",
        "https://host/wx?access_token={}",
        "https://host/{}//wx",
        "https://host/#{}",
        "https://{}@[",
    ],
)
def test_an_address_that_is_refused_is_not_repeated(url: str, watch: Watch) -> None:
    """It is refused just because it holds more than a host, and that may be a login or a token."""
    assert [] == watch.found_in("long", lambda: open_pool(url.format(bare_secret("long"))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "reply", ['{{"access_token":{}}}', '{{"access_token":{},"expires_in":"x"}}', '[{{"access_token":{}}}]']
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_token_reply_that_is_read_by_hand_shows_no_token(kind: str, reply: str, status: int, watch: Watch) -> None:
    """With an HTTP library of one's own, our frames hold the body no longer when the error is raised."""

    def read() -> object:
        return read_token(status, {}, reply.format(json.dumps(next_token(kind))).encode(), now=0)

    assert [] == watch.found_in(kind, read)


@pytest.mark.parametrize(
    "proxy",
    ["http://user:{}@127.0.0.1:port", "socks5://user:{}@127.0.0.1:9", "user:{}@127.0.0.1:9", "http://user:{}@["],
)
def test_the_login_of_a_proxy_does_not_leak(proxy: str, watch: Watch) -> None:
    """A proxy address that cannot be used is refused without being repeated."""
    assert [] == watch.found_in("long", lambda: open_pool(proxy=proxy.format(bare_secret("long"))))


def test_an_error_of_ours_has_no_chain_and_no_foreign_frame() -> None:
    """Cause and context are None, and each frame is the caller's or ours."""
    with Server(lambda peer: peer.read()) as server, server.pool() as pool, pytest.raises(WxError) as caught:
        send(pool, "80_made-up", text("OPENID", "hello"))
    modules = {str(entry.frame.f_globals["__name__"]).partition(".")[0] for entry in caught.traceback}
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert {"tests", "wxcs_lite"} == modules


class Hiding(str):
    """Hides its repr, and nothing else: what viewers cut from it is bare."""

    def __repr__(self) -> str:
        return "***"


class Pair(NamedTuple):
    """Hides its repr; tools that walk a tuple find what it holds."""

    value: str

    def __repr__(self) -> str:
        return "<Pair>"


class Holder:
    """Hides its repr; a line that names `value` shows it in IPython's verbose mode."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<Holder>"


class Sealed(Exception):
    """Shows its content only in its pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Sealed, (bare_token("long"),)

    def __repr__(self) -> str:
        return "Sealed()"


def shown_value() -> str:
    return bare_token("long")


def logged() -> None:
    logging.getLogger("canary").debug("sent %s", bare_token("long"))


def warned() -> None:
    warnings.warn(bare_token("long"), stacklevel=1)


def printed() -> None:
    print(bare_token("long"))


def in_text() -> None:
    raise ValueError(bare_token("long"))


def in_locals() -> None:
    bare = bare_token("long")
    raise Boom(len(bare))


def in_a_slice() -> None:
    cut = Hiding(bare_token("long"))
    raise Boom(len(cut))


def in_a_tuple() -> None:
    pair = Pair(bare_token("long"))
    raise Boom(len(pair))


def in_a_chain() -> None:
    try:
        raise ValueError(bare_token("long"))
    except ValueError:
        raise Boom from None


def in_an_attribute() -> None:
    holder = Holder(bare_token("long"))
    raise Boom(len(holder.value))


def in_a_pickle() -> None:
    raise Sealed


CANARIES: list[Callable[[], object]] = [
    shown_value, logged, warned, printed, in_text, in_locals, in_a_slice, in_a_tuple, in_a_chain, in_an_attribute,
    in_a_pickle,
]  # fmt: skip


@pytest.mark.parametrize("leak", CANARIES)
def test_the_watch_sees(leak: Callable[[], object], watch: Watch) -> None:
    """Each way out is watched: a secret that leaves by it alone is found."""
    assert watch.found_in("long", leak)


def test_the_watch_sees_each_way_alone(watch: Watch) -> None:
    """An invisible secret is not found: the canaries do not sing by themselves."""
    assert [] == watch.found_in("long", boom)


def mishaps() -> dict[str, Callable[[Any, str], object]]:
    return {
        **CALLS,
        "showing_typing": lambda pool, kind: any_showing_typing(pool, bare_token(kind), "").__enter__(),
        "token as a path": lambda pool, kind: any_upload(pool, "photo.jpg", bare_token(kind)),
        "token as a command": lambda pool, kind: any_set_typing(pool, "o", "ann", bare_token(kind)),
        "stream without media_id": lambda pool, kind: any_stream(pool, bare_token(kind)),
        "showing_typing without touser": lambda pool, kind: any_showing_typing(pool, bare_token(kind)),
        "token first": lambda pool, kind: any_send(bare_token(kind), pool, {"touser": ""}),
    }


FAILING = mishaps()


def failing_calls(kind: str) -> dict[str, Callable[[], object]]:
    """Return the calls that fail: cut by the server, or by a mistake of the caller."""
    return {name: lambda name=name: _cut(name, kind) for name in FAILING}  # type: ignore[misc]


def _cut(name: str, kind: str) -> object:
    with Server(lambda peer: peer.read()) as server, server.pool() as pool:
        return FAILING[name](pool, kind)


def canary_calls() -> dict[str, Callable[[], object]]:
    return {"in_locals": in_locals, "in_a_tuple": in_a_tuple, "in_text": in_text}


def leaks(kind: str, shown: str) -> list[str]:
    """Return the needles found; nobody could recognize a caller's own short text in the wrong place."""
    return [needle for needle in needles(kind) if needle in shown]


@pytest.mark.parametrize("tool", WATCHERS)
@pytest.mark.parametrize("name", FAILING)
def test_no_tool_shows_a_secret_of_a_failing_call(name: str, tool: str) -> None:
    """IPython, rich and structlog with locals, and a walk through all values, find nothing."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is, it must not show
        failing_calls("long")[name]()
    assert [] == leaks("long", WATCHERS[tool](caught.value))


@pytest.mark.parametrize(
    ("tool", "leak"),
    [
        ("IPython", in_an_attribute),
        ("rich", in_a_slice),
        ("rich", in_locals),
        ("structlog", in_a_slice),
        ("structlog", in_locals),
        ("a walk", in_a_tuple),
        ("a walk", in_a_slice),
    ],
)
def test_each_tool_sees(tool: str, leak: Callable[[], object]) -> None:
    """The tools show what is there to be shown."""
    with pytest.raises(Boom) as caught:
        leak()
    assert bare_token("long")[4:24] in WATCHERS[tool](caught.value)


def test_sentry_sends_no_secret_of_a_failing_call() -> None:
    """With its default `init`, but for the query of each URL in its breadcrumbs, which only the user can take out."""
    done = subprocess.run([sys.executable, "-m", "tests.watchers"], capture_output=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    for canary in found.pop("canary").values():
        assert leaks("long", canary)
    assert {"long", "odd"} == set(found)
    for kind, events in found.items():
        assert len(FAILING) == len(events)
        assert {} == {name: leaks(kind, event) for name, event in events.items() if leaks(kind, event)}


@pytest.mark.parametrize("name", ["stream", "showing_typing"])
def test_a_context_manager_holds_no_bare_token_before_it_is_entered(name: str) -> None:
    """contextlib keeps its arguments, and a notebook or a debugger shows them."""
    call = {"stream": any_stream, "showing_typing": any_showing_typing}[name]
    assert [] == leaks("long", repr(vars(call(None, bare_token("long"), "x"))))


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_that_holds_a_secret_hides_itself(kind: str) -> None:
    """In `tuple(request)`, in a cell that ends with `request.body`, and in their slices."""
    request = endpoints.stable_token("APPID", bare_secret(kind))
    assert isinstance(request.body, bytes)
    shown = repr(tuple(request)) + repr(request.body) + repr(request.body[:80]) + request.__sentry_repr__()
    assert [] == leaks(kind, shown)


@pytest.mark.parametrize("name", ["download", "stream"])
@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Type: {}",),
        ("Content-Type: audio/{}",),
        ('Content-Disposition: attachment; filename="{}.amr"', "Content-Type: audio/amr"),
        ('Content-Disposition: attachment; filename="x{}"', "Content-Type: audio/amr"),
    ],
)
def test_a_medium_shows_no_echo_in_its_labels(headers: tuple[str, ...], name: str, watch: Watch) -> None:
    """A token in the type or filename that a server gives is in no repr."""
    filled = [header.format(bare_token("long")) for header in headers]
    with Server(answers(reply(b"#!AMR made up, sound", "200 OK", *filled))) as server, server.pool() as pool:
        assert [] == watch.found_in("long", lambda: CALLS[name](pool, "long"))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda text: "".join(f"%{ord(c):02X}" for c in text),
    "\\u": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "HTML": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "decimal HTML": lambda text: "".join(f"&#{ord(c)};" for c in text),
}


def readable(shown: str) -> str:
    """Return a text with every escape in it resolved, as a person would do who looks for a token."""
    escaped = re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), shown)
    return unquote(html.unescape(escaped)).replace("\0", "").replace("\\x00", "")


@pytest.mark.parametrize("form", SPELLINGS)
def test_an_escape_is_resolved_by_who_watches(form: str) -> None:
    """Otherwise an echo in that spelling would not be seen."""
    assert leaks("long", readable(repr([SPELLINGS[form](bare_token("long"))])))


@pytest.mark.parametrize("name", ["send", "set_typing", "upload", "get_rid", "get_quota", "get_callback_ip", "call"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("form", SPELLINGS)
def test_an_encoded_echo_in_a_good_reply_is_taken_out(form: str, encoding: str, name: str) -> None:
    """At whatever level it stands, in names of fields too; in a media_id as well."""
    spelled = SPELLINGS[form](bare_token("long"))
    body = (
        f'{{"errcode":0,"errmsg":"ok","a":[{{"{spelled}":"x"}},["{spelled}"]],"request":{{"b":{{"c":"{spelled}"}}}},'
        f'"media_id":"M{spelled}","type":"{spelled}","created_at":1}}'
    )
    with Server(answers(reply(body.encode(encoding)))) as server, server.pool() as pool:
        shown = repr(CALLS[name](pool, "long"))
    assert "***" in shown
    assert [] == leaks("long", readable(shown))


@pytest.mark.parametrize("form", SPELLINGS)
@pytest.mark.parametrize("name", ["download", "stream"])
def test_an_encoded_echo_in_the_headers_of_a_medium_is_taken_out(name: str, form: str) -> None:
    """In its filename, its type and all other headers of a stream, in their names too."""
    spelled = SPELLINGS[form](bare_token("long"))
    headers = (
        f'Content-Disposition: attachment; filename="a{spelled}.jpg"',
        f"Content-Type: audio/{spelled}",
        f"X-{spelled}: 1",
        f"X-Link: https://example.com/?access_token={spelled}&a=b",
    )
    with Server(answers(reply(JPEG, "200 OK", *headers))) as server, server.pool() as pool:
        if name == "download":
            assert [] == leaks("long", readable(repr(download(pool, bare_token("long"), "MEDIA_ID"))))
            return
        with stream(pool, bare_token("long"), "MEDIA_ID") as medium:
            shown = repr(medium) + repr(medium.headers)
            assert "https://example.com/?access_token=***&a=b" in shown
            assert [] == leaks("long", readable(shown))


def test_what_wechat_noted_is_scrubbed_at_every_level() -> None:
    """Another call's secret in a nested field of `get_rid` is blanked like one at the top."""
    noted = {"errcode": 0, "request": {"deep": [{"request_url": f"access_token={next_token('long')}"}]}}
    with Server(answers(reply(json.dumps(noted).encode()))) as server, server.pool() as pool:
        assert [] == leaks("long", repr(get_rid(pool, bare_token("long"), "RID")))
