"""`--push`: an URL is checked until it passes, and what customers do goes there from then on."""

import io
import threading
from collections.abc import Callable, Iterator
from threading import Semaphore
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal import pushing as module
from wxcs_lite.terminal.pushing import Pushing, PushTarget
from wxcs_lite.terminal.telling import Refused, Teller

TOKEN, KEY = "AAAAA", "a" * 42 + "A"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Receiver:
    """A program that pushes go to, which may begin later than the pushes: its port is taken from the start."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.app: Callable[..., Any] = self.not_ready
        self.content_types: list[str] = []
        self.server: WSGIServer = make_server("127.0.0.1", 0, self.answer, handler_class=Quiet)
        self.url = f"http://127.0.0.1:{self.server.server_port}/push"
        self.asked = Semaphore(0)

    def answer(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Any:
        self.content_types.append(environ.get("CONTENT_TYPE", ""))
        self.asked.release()
        return self.app(environ, start_response)

    def not_ready(self, environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        start_response("503 Service Unavailable", [])
        return [b"not yet"]

    def become_ready(self, appid: str = "wxsandbox000000001", aes_key: str | None = None) -> None:
        self.app = push_app(lambda push: self.got.append(push.Content), token=TOKEN, aes_key=aes_key, appid=appid)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    loop = threading.Thread(target=receiver.server.serve_forever, args=(0.02,), daemon=True)
    loop.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        loop.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WXCS_PUSH_TOKEN", TOKEN)
    monkeypatch.delenv("WXCS_AES_KEY", raising=False)
    monkeypatch.setattr(module, "_AGAIN", 0.02)


class Output(io.StringIO):
    """What is printed; `printed` is set whenever a line is."""

    def __init__(self) -> None:
        super().__init__()
        self.printed = threading.Condition()

    def write(self, text: str, /) -> int:
        with self.printed:
            self.printed.notify_all()
            return super().write(text)

    def wait_for(self, text: str) -> None:
        with self.printed:
            assert self.printed.wait_for(lambda: text in self.getvalue(), 30), self.getvalue()


def test_a_url_that_is_ready(receiver: Receiver) -> None:
    """The check passes at once, and pushes go there; the format and label are JSON as text/xml."""
    out, sandbox = Output(), Sandbox()
    receiver.become_ready()
    pushing = Pushing([sandbox], receiver.url, PushTarget(receiver.url), Teller("en", out))
    assert pushing.waits
    with pushing.begun():
        assert not pushing.waits
        sandbox.user("ann").says("hello")
    assert ["hello"] == receiver.got
    assert "text/xml" == receiver.content_types[-1]
    assert f"Pushes go to {receiver.url}\n" == out.getvalue()


def test_the_query_of_a_url_is_not_printed(receiver: Receiver) -> None:
    """It may contain a key; it is asked for, all the same."""
    out = Output()
    receiver.become_ready()
    with Pushing([Sandbox()], f"{receiver.url}?key=made-up", PushTarget(receiver.url), Teller("en", out)).begun():
        pass
    assert f"Pushes go to {receiver.url}\n" == out.getvalue()


def test_one_that_becomes_ready(receiver: Receiver) -> None:
    """It is checked again until it is; the same answer is told once."""
    out, sandbox = Output(), Sandbox()
    pushing = Pushing([sandbox], receiver.url, PushTarget(receiver.url), Teller("en", out))
    with pushing.begun():
        sandbox.user("ann").says("lost")
        assert all(receiver.asked.acquire(timeout=30) for _ in range(3))
        assert pushing.waits
        receiver.become_ready()
        out.wait_for("Pushes go to")
        assert not pushing.waits
        sandbox.user("ann").says("hello")
    assert ["hello"] == receiver.got
    assert [
        "The URL check was answered with HTTP 503 with 7 bytes, which is wrong; it is repeated every second",
        f"Pushes go to {receiver.url}",
    ] == out.getvalue().splitlines()


def test_nobody_reads_any_more(receiver: Receiver) -> None:
    """A pipe that was closed does not end the checks."""

    class Closed(Output):
        def write(self, text: str, /) -> int:
            super().write(text)
            if "Pushes go to" in text:
                raise BrokenPipeError
            return len(text)

    out, sandbox = Closed(), Sandbox()
    pushing = Pushing([sandbox], receiver.url, PushTarget(receiver.url), Teller("en", out))
    with pushing.begun():
        receiver.become_ready()
        out.wait_for("Pushes go to")
        sandbox.user("ann").says("hello")
    assert ["hello"] == receiver.got


def test_one_that_never_answers() -> None:
    """That is told, and leaving the block ends it."""
    out, sandbox = Output(), Sandbox()
    server = make_server("127.0.0.1", 0, lambda environ, start: [])
    url = f"http://127.0.0.1:{server.server_port}/"
    server.server_close()
    with Pushing([sandbox], url, PushTarget(url), Teller("zh", out)).begun():
        pass
    assert "URL 校验没有应答（NewConnectionError），每秒重试一次\n" == out.getvalue()
    assert "wxcs_lite URL check" not in [thread.name for thread in threading.enumerate()]


def test_format_label_and_key(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """As given, for every account; the key is that of the environment."""
    monkeypatch.setenv("WXCS_AES_KEY", KEY)
    sandboxes = [Sandbox(appid=appid) for appid in ("wx1", "wx2")]
    receiver.become_ready("wx2", KEY)
    target = PushTarget(receiver.url, "xml", "application/xml")
    with Pushing(sandboxes, receiver.url, target, Teller("en", Output())).begun():
        sandboxes[1].user("ann").says("hello")
        assert "application/xml" == receiver.content_types[-1]
        sandboxes[0].user("ann").says("of another account")
    assert ["hello"] == receiver.got


@pytest.mark.parametrize(
    ("url", "key", "reason"),
    [
        ("ftp://127.0.0.1/", None, "a target URL must begin with http"),
        ("http://user:S3CRET@127.0.0.1/", None, "it has a user name"),
        ("http://127.0.0.1/", "S3CRET", "aes_key must be an EncodingAESKey"),
    ],
)
def test_impossible_settings(url: str, key: str | None, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused at once, and no secret is repeated."""
    if key:
        monkeypatch.setenv("WXCS_AES_KEY", key)
    with pytest.raises(Refused) as caught, Pushing([Sandbox()], url, PushTarget(url), Teller("en", Output())).begun():
        pass
    assert "push_setting" == caught.value.name
    assert reason in str(caught.value.values["reason"])
    assert "S3CRET" not in str(caught.value.values)
