"""A desk that listens: WeChat's pushes reach it over HTTP, nobody else's do, and nothing stays behind."""

import gc
import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.test_panel_feed import Front, until
from tests.watchers import in_ipython, walked
from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.panel import listen, listening
from wxcs_lite.panel.listening import Listener
from wxcs_lite.sandbox import Sandbox

TOKEN, KEY = "madeUpToken", "madeUpKey" + "x" * 33 + "G"


def threads() -> set[threading.Thread]:
    names = ("wxcs_lite listen", "wxcs_lite-push")
    return {thread for thread in threading.enumerate() if thread.name.startswith(names)}


@pytest.fixture
def front() -> Iterator[Any]:
    """A desk without widgets, after which no thread and no port is left."""
    made, before = Front(), threads()
    yield made
    made.close()
    assert [] == listening._listeners
    gc.collect()
    until(lambda: threads() <= before)


def reach(listener: Listener) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", urlsplit(listener.url).port or 0, timeout=20)


def raw(listener: Listener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(listener.url).port or 0), timeout=20)


def answer(connection: socket.socket) -> bytes:
    """Return what the other side says before it closes."""
    said = b""
    while more := connection.recv(4096):
        said += more
    return said


@pytest.mark.parametrize("key", [None, KEY])
def test_pushes_reach_the_desk_in_both_modes(front: Any, key: str | None) -> None:
    """After the check of the URL; WeChat hears success."""
    sandbox = Sandbox()
    listener = listen(front, port=0, token=TOKEN, aes_key=key, appid=sandbox.appid)
    pushes = sandbox.push_to(listener.url, token=TOKEN, aes_key=key)
    sandbox.user("ann").says("您好")
    sandbox.user("bob").enters_session()
    assert ["ann", "bob"] == [push.FromUserName for push in front.pushes]
    assert "您好" == front.pushes[0].Content
    assert ["success", "success"] == [pushed.answer for pushed in pushes.log]
    assert {listener.url} == front.inbound


def test_what_is_not_wechats_gets_403(front: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """By its Token or appid; nothing is printed into the notebook."""
    sandbox = Sandbox()
    listener = listen(front, port=0, token=TOKEN, aes_key=KEY, appid="wx0000000000000000")
    with pytest.raises(ValueError, match="HTTP 403"):
        sandbox.push_to(listener.url, token="another")
    pushes = sandbox.push_to(listener.url, token=TOKEN, aes_key=KEY)
    sandbox.user("ann").says("hello")
    assert [403] * 4 == [pushed.status for pushed in pushes.log]
    connection = reach(listener)
    connection.request("PUT", "/?openid=ann")
    assert 405 == connection.getresponse().status
    connection.close()
    assert [] == front.pushes
    assert ("", "") == capfd.readouterr()


def test_a_closed_desk_hears_nothing_and_wechat_does_not_hear_success(front: Any) -> None:
    """The port is closed at once, and its name goes."""
    sandbox = Sandbox()
    listener = listen(front, port=0, token=TOKEN)
    pushes = sandbox.push_to(listener.url, token=TOKEN)
    front.close()
    sandbox.user("ann").says("hello")
    assert ["failed"] * 4 == [pushed.answer for pushed in pushes.log]
    assert 1 == len(sandbox.user("ann").notices)
    assert set() == front.inbound
    assert "<Listener, closed>" == repr(listener)
    with pytest.raises(InvalidMessage, match=r"^desk: is closed: make a new one"):
        listen(front, port=0, token=TOKEN)


def test_a_push_that_meets_the_closing_gets_503(front: Any) -> None:
    """A desk that is closed raises PushRejected, so that WeChat sends the push again."""
    sandbox = Sandbox()
    pushes = sandbox.push_to(listen(front, port=0, token=TOKEN).url, token=TOKEN)
    front.failure = PushRejected("the desk is closed", "工作台已关闭")
    sandbox.user("ann").says("hello")
    assert [503] * 4 == [pushed.status for pushed in pushes.log]
    front.failure = None
    sandbox.user("ann").says("again")
    assert ["again"] == [push.Content for push in front.pushes]


def test_a_cell_run_again_takes_over_its_port_and_leaves_no_thread(front: Any) -> None:
    """With the same desk or a new one; the first listener has ended, and closing it again does nothing."""
    sandbox, newer = Sandbox(), Front()
    first = listen(front, port=0, token=TOKEN)
    port = urlsplit(first.url).port or 0
    second = listen(front, port=port, token=TOKEN)
    third = listen(newer, port=port, token=TOKEN)
    assert first.url == second.url == third.url
    assert (set(), {third.url}) == (front.inbound, newer.inbound)
    first.close()
    sandbox.push_to(third.url, token=TOKEN)
    sandbox.user("ann").says("hello")
    assert (0, 1) == (len(front.pushes), len(newer.pushes))
    assert [third] == listening._listeners
    newer.close()


def test_a_desk_listens_on_one_port_at_a_time(front: Any) -> None:
    """A second call moves it, unless the new port cannot be had."""
    first = listen(front, port=0, token=TOKEN)
    second = listen(front, port=0, token=TOKEN)
    assert first.url != second.url
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(InvalidMessage, match="port"):
        listen(front, port=other.getsockname()[1], token=TOKEN)
    assert {second.url} == front.inbound
    assert ["<Listener, closed>", "<Listener, open>"] == [repr(first), repr(second)]


def test_a_port_that_cannot_be_had_says_what_to_do(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both languages."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(InvalidMessage) as caught:
        listen(front, port=(port := other.getsockname()[1]), token=TOKEN)
    assert caught.value.en.startswith(f"port: {port} is used by another program, perhaps another notebook: close that")
    assert caught.value.zh.startswith(f"port：{port} 已被其他程序占用")
    for wrong in (-1, 65536, True, "8080", 80.0, None):
        with pytest.raises(
            InvalidMessage, match=r"^port: must be a number from 0 to 65535\nport：须为 0 至 65535 的整数$"
        ):
            listen(front, port=wrong, token=TOKEN)  # type: ignore[arg-type]

    def refused(*_: object) -> None:
        raise PermissionError(13, "whisper")

    monkeypatch.setattr(listening._Server, "server_bind", refused)
    with pytest.raises(InvalidMessage, match=r"^port: 80 cannot be opened \(Permission denied\): choose another port"):
        listen(front, port=80, token=TOKEN)
    assert [] == listening._listeners


def test_wrong_secrets_are_refused_before_anything_is_opened(front: Any) -> None:
    """An empty Token, with which anybody could sign, and an impossible key."""
    for wrong in ({"token": ""}, {"token": TOKEN, "aes_key": "short"}):
        with pytest.raises(InvalidMessage):
            listen(front, port=0, **wrong)
    assert set() == front.inbound


def test_no_frame_and_no_repr_holds_a_secret(front: Any) -> None:
    """Neither of a failure here, as a notebook shows it with all variables, nor of what listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        calls: list[Callable[[], Any]] = [
            lambda: listen(front, port=other.getsockname()[1], token=TOKEN, aes_key=KEY),
            lambda: listen(front, port=-1, token=TOKEN, aes_key=KEY),
            lambda: listen(None, port=0, token=TOKEN, aes_key=KEY),  # type: ignore[arg-type]
        ]
        for call in calls:
            with pytest.raises((InvalidMessage, AttributeError)) as caught:
                call()
            error = caught.value
            ours = caught.traceback.cut(path=listening.__file__)[0]._rawentry
            shown = in_ipython(error.with_traceback(ours)) + walked(error)
            assert "in listen(" in shown
            assert [] == [secret for secret in (TOKEN, KEY) if secret in shown]
    listener = listen(front, port=0, token=TOKEN, aes_key=KEY)
    for found in (listener, listener._server, vars(listener._server)):
        assert [] == [secret for secret in (TOKEN, KEY) if secret in repr(found)]


def test_only_this_machine_can_reach_it(front: Any) -> None:
    """It is bound to 127.0.0.1, whatever the host name is."""
    listener = listen(front, port=0, token=TOKEN)
    assert "127.0.0.1" == listener._server.socket.getsockname()[0]
    assert listener.url.startswith("http://127.0.0.1:")


# What a tunnel lets in


def test_more_connections_than_it_takes_are_closed_and_the_next_is_served(
    front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WeChat repeats a push that met a closed connection."""
    monkeypatch.setattr(listening, "_CONNECTIONS", 2)
    monkeypatch.setattr(listening._Handler, "timeout", 60)  # as is the next, longer than this test waits
    monkeypatch.setattr(listening, "_WHOLE", 60)
    listener = listen(front, port=0, token=TOKEN)
    silent = [raw(listener) for _ in range(2)]
    until(lambda: len(listener._server._open) == 2)
    with raw(listener) as third:
        assert b"" == answer(third)
    for connection in silent:
        connection.close()
    until(lambda: not listener._server._open)
    Sandbox().push_to(listener.url, token=TOKEN)


def test_who_is_silent_or_slow_is_cut(
    front: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """After some seconds without a byte, and after some more however it drips; nothing is printed or logged."""
    assert 0 < listening._Handler.timeout <= 10
    monkeypatch.setattr(listening._Handler, "timeout", 0.05)
    listener = listen(front, port=0, token=TOKEN)
    with raw(listener) as silent:
        assert b"" == answer(silent)
    monkeypatch.setattr(listening._Handler, "timeout", 30)
    with raw(listener) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n")
        until(lambda: listener._server._open)
        monkeypatch.setattr(listening, "_WHOLE", 0.0)
        assert b"" == answer(slow)
    until(lambda: not listener._server._open)
    assert not re.search("Error|Exception", caplog.text)
    assert ("", "") == capfd.readouterr()


def test_closing_does_not_wait_for_a_client_that_is_silent(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut, and its thread ends."""
    monkeypatch.setattr(listening._Handler, "timeout", 60)  # as is the next, longer than this test waits
    monkeypatch.setattr(listening, "_WHOLE", 60)
    listener = listen(front, port=0, token=TOKEN)
    with raw(listener) as silent:
        until(lambda: listener._server._open)
        listener.close()
        assert b"" == answer(silent)
    assert set() == {thread for thread in threads() if thread.name == "wxcs_lite listen"}


def test_an_error_of_ours_is_logged_by_class_and_place(
    front: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """And not printed into the notebook."""
    listener = listen(front, port=0, token=TOKEN)

    def broken(self: object) -> None:
        raise KeyError("whisper")

    monkeypatch.setattr(listening._Handler, "handle", broken)
    with raw(listener) as connection:
        assert b"" == answer(connection)
    until(lambda: caplog.messages)
    assert caplog.messages[0].startswith("a request was not answered: KeyError at ")
    assert "whisper" not in caplog.text
    assert ("", "") == capfd.readouterr()


def test_many_customers_at_once(front: Any) -> None:
    """Each push arrives once."""
    sandbox = Sandbox()
    pushes = sandbox.push_to(listen(front, port=0, token=TOKEN, aes_key=KEY).url, token=TOKEN, aes_key=KEY)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: sandbox.user(f"customer{number}").says("hi"), range(50)))
    assert {f"customer{number}" for number in range(50)} == {push.FromUserName for push in front.pushes}
    assert 50 == len(front.pushes)
    assert {"success"} == {pushed.answer for pushed in pushes.log}
