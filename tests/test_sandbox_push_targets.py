"""Where pushes go: what arrives there, and everything that is not an answer."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from wsgiref.validate import validator

import pytest

from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.pushes.targets import ask, open_target

HEADERS = {"user-agent": "Mozilla/4.0", "content-type": "text/xml"}
PUSH = Request("POST", "/", (("signature", "abc"), ("openid", "a&b")), HEADERS, '{"a":"你"}'.encode(), False)
CHECK = Request("GET", "/", (("echostr", "123"),), {"user-agent": "Mozilla/4.0"}, b"", False)


@contextmanager
def listening(answer: Callable[[socket.socket, bytes], object]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve raw connections one after the other; give the URL and what was received."""
    received: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    data = b""
                    while b"\r\n\r\n" not in data or (b"POST" in data and not data.endswith(b"}")):
                        data += connection.recv(65536)
                    received.append(data)
                    answer(connection, data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", received
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def says(reply: bytes) -> Callable[[socket.socket, bytes], object]:
    return lambda connection, data: connection.sendall(reply)


def ok(body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


# --- URLs


def test_what_a_url_gets() -> None:
    """A push goes out with the headers that were seen, and no others but those that HTTP needs."""
    with listening(says(ok(b"success"))) as (url, received):
        target = open_target(url + "/wx/push")
        reply = ask(target, PUSH, 5)
        assert isinstance(reply, Reply)
        assert 200 == reply.status
        assert b"success" == reply.body
        assert isinstance(ask(target, CHECK, 5), Reply)
    host = url.removeprefix("http://")
    head, _, body = received[0].partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    assert "POST /wx/push?signature=abc&openid=a%26b HTTP/1.1" == start
    assert ["Connection: close", "Content-Length: 11", "Content-Type: text/xml"] == sorted(lines)[:3]
    assert [f"Host: {host}", "User-Agent: Mozilla/4.0"] == sorted(lines)[3:]
    assert PUSH.body == body
    start, *lines = received[1].decode().rstrip().split("\r\n")
    assert "GET /wx/push?echostr=123 HTTP/1.1" == start
    assert ["Connection: close", f"Host: {host}", "User-Agent: Mozilla/4.0"] == sorted(lines)
    assert f"{url}/wx/push" == target.name


@pytest.mark.parametrize(
    ("path", "sent"), [("", "/?"), ("/?", "/?"), ("?a=1", "/?a=1&"), ("/x?a=1&b=#c", "/x?a=1&b=&")]
)
def test_a_query_of_its_own(path: str, sent: str) -> None:
    """A URL keeps its path and query, and WeChat's parameters follow; its name shows no query."""
    with listening(says(ok(b""))) as (url, received):
        target = open_target(url + path)
        ask(target, CHECK, 5)
    assert f"GET {sent}echostr=123 HTTP/1.1".encode() == received[0].partition(b"\r\n")[0]
    assert "a=1" not in target.name


NO_URLS = ["127.0.0.1:80", "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "", "http://", "http:///x"]
NO_URLS += ["https://?x", "http://:80/", "http://[::1/", "http://ann:pa55@127.0.0.1/", "http://127.0.0.1:99999/pa55"]


@pytest.mark.parametrize("target", NO_URLS)
def test_no_url_for_pushes(target: str) -> None:
    """Only http and https URLs with a host and no user are targets; one that is not may hold a secret."""
    with pytest.raises(ValueError, match="URL") as error:
        open_target(target)
    assert "pa55" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_no_target_at_all() -> None:
    """Anything but a URL or a callable is refused by its type."""
    with pytest.raises(ValueError, match="a WSGI application, not int"):
        open_target(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"", "ProtocolError"),
        (b"garbage\r\n\r\n", "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsuccess", "ProtocolError"),
    ],
)
def test_a_url_without_an_answer(reply: bytes, why: str) -> None:
    """A lost or cut reply does not count as one, and the class of the error says why."""
    with listening(says(reply)) as (url, received):
        assert why in str(ask(open_target(url), PUSH, 5))
        assert 1 == len(received)


def test_nobody_there() -> None:
    """A closed port counts as no answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert "NewConnectionError" == ask(open_target(url), PUSH, 5)


def test_redirects_are_not_followed_and_nothing_is_decoded() -> None:
    """A redirect is an answer like another, and compressed bytes stay what they are."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with listening(says(moved)) as (url, received):
        reply = ask(open_target(url), PUSH, 5)
        assert isinstance(reply, Reply)
        assert 302 == reply.status
        assert 1 == len(received)
    with listening(says(ok(b"success", "Content-Encoding: gzip\r\n"))) as (url, _):
        reply = ask(open_target(url), PUSH, 5)
        assert isinstance(reply, Reply)
        assert b"success" == reply.body


def test_no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushes go where they are sent."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with listening(says(ok(b"success"))) as (url, _):
        assert isinstance(ask(open_target(url), PUSH, 5), Reply)


def test_only_so_much_is_read() -> None:
    """An endless answer is cut, because nothing that long is meaningful."""

    def endless(connection: socket.socket, data: bytes) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(10_000_000))

    with listening(endless) as (url, _):
        reply = ask(open_target(url), PUSH, 5)
        assert isinstance(reply, Reply)
        assert 65536 == len(reply.body)


def drips(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
        for _ in range(40):
            time.sleep(0.08)
            connection.sendall(b"x")


@pytest.mark.parametrize("answer", [lambda connection, data: time.sleep(0.4), drips])
def test_a_slow_url(answer: Callable[[socket.socket, bytes], object]) -> None:
    """An answer that comes too late does not count, nor does one that comes in drips."""
    with listening(answer) as (url, _):
        started = time.perf_counter()
        assert "no answer within 0.2 s\n0.2 秒内没有应答" == ask(open_target(url), PUSH, 0.2)
        assert time.perf_counter() - started < 2


def test_a_server_of_the_standard_library() -> None:
    """An everyday server reads a push without ado."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        reply = ask(open_target(f"http://127.0.0.1:{server.server_port}/"), PUSH, 5)
        thread.join()
    assert isinstance(reply, Reply)
    assert PUSH.body == reply.body


# --- WSGI applications


def test_what_an_application_gets() -> None:
    """It gets what PEP 3333 asks for, in a thread of its own, and its iterable is closed."""
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append({**environ, "body": environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))})
        seen[-1]["thread"] = threading.current_thread()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"suc", b"cess"]

    target = open_target(validator(application))
    for request in (PUSH, CHECK):
        reply = ask(target, request, 5)
        assert Reply(200, (("Content-Type", "text/plain"),), b"success") == reply
    push, check = seen
    assert "POST" == push["REQUEST_METHOD"]
    assert "text/xml" == push["CONTENT_TYPE"]
    assert PUSH.body == push["body"]
    assert "signature=abc&openid=a%26b" == push["QUERY_STRING"]
    assert "Mozilla/4.0" == push["HTTP_USER_AGENT"]
    assert push["thread"] is not threading.current_thread()
    assert "GET" == check["REQUEST_METHOD"]
    assert "echostr=123" == check["QUERY_STRING"]
    assert "CONTENT_TYPE" not in check
    assert "application" in open_target(application).name


def test_where_there_are_no_threads_an_application_is_called_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a browser, where it takes the time that it takes; what it raises is reported all the same."""
    monkeypatch.setattr("wxcs_lite.sandbox.pushes.targets._THREADS", False)
    monkeypatch.delattr(threading.Thread, "start")
    threads = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        threads.append(threading.current_thread())
        start_response("200 OK", [])
        return [b"success"]

    assert Reply(200, (), b"success") == ask(open_target(application), PUSH, 0)
    assert [threading.current_thread()] == threads
    assert str(ask(open_target(failing(SystemExit("s3cret"))), PUSH, 0)).startswith(
        "SystemExit in test_sandbox_push_targ"
    )


def test_write_and_generators() -> None:
    """Applications that write, yield or start late are heard as well, and their results are closed."""
    closed = []

    class Parts:
        def __init__(self, start_response: Any) -> None:
            self.write = start_response("200 OK", [])
            self.write(b"suc")

        def __iter__(self) -> Iterator[bytes]:
            yield b"cess"

        def close(self) -> None:
            closed.append(True)

    reply = ask(open_target(lambda environ, start_response: Parts(start_response)), PUSH, 5)
    assert Reply(200, (), b"success") == reply
    assert [True] == closed

    def late(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("500 Oh", [])
        start_response("200 OK", [], sys.exc_info())
        yield b"success"

    assert Reply(200, (), b"success") == ask(open_target(late), PUSH, 5)


class Endless:
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        while True:
            yield bytes(1000)


def test_an_endless_application() -> None:
    """An endless answer is cut here, too; an application that is an object is known by its class."""
    target = open_target(Endless())
    reply = ask(target, PUSH, 5)
    assert isinstance(reply, Reply)
    assert 65536 == len(reply.body)
    assert "Endless" == target.name


def failing(error: BaseException) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise error

    return application


@pytest.mark.parametrize("error", [KeyError("s3cret"), SystemExit("s3cret"), KeyboardInterrupt("s3cret")])
def test_an_application_that_fails(error: BaseException, capfd: pytest.CaptureFixture[str]) -> None:
    """An exception is not an answer: its class and place are reported, not its text, and nothing is printed."""
    why = str(ask(open_target(failing(error)), PUSH, 5))
    assert why.startswith(f"{type(error).__name__} in test_sandbox_push_targets.py, line ")
    assert "s3cret" not in why
    assert ("", "") == capfd.readouterr()


def test_an_application_that_never_starts() -> None:
    """There is no answer without start_response, with an invalid status, or with texts instead of bytes."""
    assert "start_response was not called\n没有调用 start_response" == ask(
        open_target(lambda environ, start: [b"success"]), PUSH, 5
    )

    def odd(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("OK", [])
        return []

    assert "ValueError in targets.py" in str(ask(open_target(odd), PUSH, 5))

    def texts(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return ["success"]

    assert "TypeError in targets.py" in str(ask(open_target(texts), PUSH, 5))


def test_a_slow_application() -> None:
    """When its time is up it is left alone, and its late answer goes nowhere."""
    release = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        release.wait(5)
        start_response("200 OK", [])
        return [b"success"]

    before = set(threading.enumerate())
    assert "no answer within 0.05 s\n0.05 秒内没有应答" == ask(open_target(slow), PUSH, 0.05)
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert before == set(threading.enumerate())
