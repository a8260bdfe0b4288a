"""No secret survives in anything that gets saved or shown: whatever fails, echoes or is interrupted."""

import contextlib
import io
import json
import logging
import pickle
import socket
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from IPython.core.ultratb import VerboseTB

from tests.hostile import OK, Heard, Peer, Script, Server, answers, bare, once, reply
from tests.stages import STAGES, Stage, named
from wxcs_lite import (
    Request,
    Token,
    WxError,
    download,
    endpoints,
    fetch_token,
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
)
from wxcs_lite.pools import Pool
from wxcs_lite.replies import read_token

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
    """Give each secret as it is, percent-encoded and as JSON, and a long one's inner part."""
    for value in _KEPT[kind]:
        percent = quote(value, safe="")
        escaped = json.dumps(value)[1:-1]
        yield from (value, percent, percent.lower(), quote_plus(value), escaped, repr(value)[1:-1])
        if len(value) > 20:
            yield value[4:24]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is not None and id(error) not in seen:
            seen.add(id(error))
            yield error
            waiting += [error.__cause__, error.__context__]


def everything_about(error: BaseException) -> Iterator[str]:
    """Give all that can be printed, saved or sent of an error, as debuggers and crash reporters do."""
    for e in chain(error):
        yield from (str(e), repr(e), repr(e.args), repr(vars(e)), repr(getattr(e, "__notes__", None)))
        with contextlib.suppress(TypeError, AttributeError):
            yield pickle.dumps(e).decode("latin-1")
        yield "".join(traceback.TracebackException.from_exception(e, capture_locals=True).format())
    yield "".join(traceback.format_exception(error))
    yield in_ipython(error)


_looked_at: set[object] = set()


def in_ipython(error: BaseException) -> str:
    """Return what `%xmode Verbose` shows: locals, and attributes that a line names; once for each kind of traceback.

    It takes a tenth of a second, and the locals alone are looked at every time.
    """
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    values = [(type(value) for value in frame.f_locals.values()) for frame, _ in traceback.walk_tb(error.__traceback__)]
    key = (type(error), *frames, *(tuple(types) for types in values))
    if key in _looked_at or not frames:
        return ""
    _looked_at.add(key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return VerboseTB(theme_name="nocolor").text(type(error), error, error.__traceback__)


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


def first(pool: Pool, kind: str) -> object:
    fresh = fresh_token(pool, "APPID", bare_secret(kind))
    fresh()
    return fresh


CALLS: dict[str, Callable[[Pool, str], object]] = {
    "send": lambda pool, kind: send(pool, bare_token(kind), text("OPENID", "hello")),
    "fetch_token": lambda pool, kind: fetch_token(pool, "APPID", bare_secret(kind)),
    "fresh_token": first,
    "download": lambda pool, kind: download(pool, bare_token(kind), "MEDIA_ID"),
    "stream": streamed,
    "upload": lambda pool, kind: upload(pool, bare_token(kind), JPEG),
    "perform": lambda pool, kind: perform(pool, bare_token(kind), endpoints.get_callback_ip()),
    "perform stable_token": lambda pool, kind: perform(pool, None, endpoints.stable_token("APPID", bare_secret(kind))),
    "set_typing": lambda pool, kind: set_typing(pool, bare_token(kind), "OPENID"),
    "showing_typing": typed,
    "get_rid": lambda pool, kind: get_rid(pool, bare_token(kind), "RID"),
    "get_quota": lambda pool, kind: get_quota(pool, bare_token(kind)),
    "get_callback_ip": lambda pool, kind: get_callback_ip(pool, bare_token(kind)),
}
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
    """The frames between the call and the callback, which hold URL and body, are gone."""
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "call",
    [
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
    ],
)
def test_no_mistake_of_the_caller_leaks(call: Callable[[Any, str], object], kind: str, watch: Watch) -> None:
    """What is refused before it is sent shows no secret either."""
    with Server(answers(reply())) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: call(pool, kind))


def streamed_swapped(pool: Any, kind: str) -> None:
    with any_stream(bare_token(kind), pool, "MEDIA_ID"):
        pass


def typed_swapped(pool: Any, kind: str) -> None:
    with any_showing_typing(bare_token(kind), pool, "OPENID"):
        pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "call",
    [
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
        lambda pool, kind: any_fetch_token(pool, bare_secret(kind), ""),
        lambda pool, kind: repr(fresh_token(pool, bare_secret(kind), "APPID")),
    ],
)
def test_pool_and_token_swapped_leak_nothing(call: Callable[[Any, str], object], kind: str, watch: Watch) -> None:
    """The commonest slip, token first and pool second, shows no token."""
    with Server(answers(reply())) as server, server.pool() as pool:
        assert [] == watch.found_in(kind, lambda: call(pool, kind))


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
def test_a_url_hides_itself(kind: str) -> None:
    """A cell that ends with `request.url(token)` saves what it shows."""
    url = endpoints.get_callback_ip().url(bare_token(kind))
    assert "Secret('***')" == repr(url)
    assert url.startswith("/cgi-bin/getcallbackip?access_token=")


@pytest.mark.parametrize(
    "url", ["https://user:{}@host", "https://host/?access_token={}", "https://host/#{}", "https://{}@["]
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
