"""The pool without sockets: urllib3's own behaviour and urllib3's own errors."""

import http.client
import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ClosedPoolError, ProtocolError, ReadTimeoutError

from wxcs_lite.sandbox import Sandbox, Seen

SEND, UPLOAD, GET = "/cgi-bin/message/custom/send", "/cgi-bin/media/upload?type=image", "/cgi-bin/media/get"
TEXT = {"touser": "ann", "msgtype": "text", "text": {"content": "hello"}}
JPEG = b"\xff\xd8\xff"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox in a world where no socket can be opened."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    sandbox = Sandbox()
    sandbox.user("ann").says("hi")
    return sandbox


def with_token(sandbox: Sandbox, path: str) -> str:
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    token = sandbox.pool().request("POST", "/cgi-bin/stable_token", json=fields).json()["access_token"]
    return f"{path}{'&' if '?' in path else '?'}access_token={token}"


def test_a_real_pool(sandbox: Sandbox) -> None:
    """It is a urllib3 pool bound to WeChat's host, by default with the client's timeouts."""
    pool = sandbox.pool()
    assert isinstance(pool, urllib3.HTTPConnectionPool)
    assert "api.weixin.qq.com" == pool.host
    assert pool.block
    assert 3 == pool.timeout.connect_timeout
    assert 10 == pool.timeout.read_timeout
    assert 5 == sandbox.pool(timeout=5).timeout.read_timeout
    assert 200 == pool.urlopen("POST", with_token(sandbox, SEND), body=b"{}").status


def test_keep_alive(sandbox: Sandbox) -> None:
    """Requests one after another use one connection; after a medium, which closes it, another is opened."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    for _ in range(5):
        assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]
    assert 1 == pool.num_connections
    assert 5 == pool.num_requests
    media_id = sandbox.user("ann").sends_image(JPEG).fields["MediaId"]
    for _ in range(2):
        assert JPEG == pool.request("GET", with_token(sandbox, f"{GET}?media_id={media_id}")).data
    assert 200 == pool.request("POST", url, json=TEXT).status


@pytest.mark.parametrize("how", ["bytes", "pieces", "file"])
def test_ten_megabytes_up_and_down(sandbox: Sandbox, how: str) -> None:
    """A large body goes up as bytes, pieces or a file and comes down in any of urllib3's ways."""
    head = b'--B\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n'
    content = JPEG + bytes(range(256)) * 40_000
    whole = head + content + b"\r\n--B--\r\n"
    bodies: dict[str, Any] = {
        "bytes": whole,
        "pieces": (whole[at : at + 65536] for at in range(0, len(whole), 65536)),
        "file": io.BytesIO(whole),
    }
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": str(len(whole))}
    media_id = (
        sandbox.pool()
        .request("POST", with_token(sandbox, UPLOAD), body=bodies[how], headers=headers)
        .json()["media_id"]
    )
    url = with_token(sandbox, f"{GET}?media_id={media_id}")

    def download() -> urllib3.BaseHTTPResponse:
        return sandbox.pool().request("GET", url, preload_content=False)

    assert content == b"".join(download().stream(65536))
    reply = download()
    assert content == b"".join(iter(lambda: reply.read1(70_000), b""))
    assert content == download().data


def test_chunked_is_412(sandbox: Sandbox) -> None:
    """A body of unknown length goes out chunked and gets its 412, though it was never read to its end."""
    pieces = (b"x" * 1000 for _ in range(1000))
    assert 412 == sandbox.pool().request("POST", with_token(sandbox, UPLOAD), body=pieces).status


@pytest.mark.parametrize(("drop", "delivered"), [("before", 0), ("after", 1)])
def test_dropped(sandbox: Sandbox, drop: str, delivered: int) -> None:
    """A lost connection is a ProtocolError; the message has arrived or not, as ordered; the next request works."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    sandbox.fail_next(drop=drop)  # type: ignore[arg-type]
    with pytest.raises(ProtocolError) as error:
        pool.request("POST", url, json=TEXT, retries=False)
    assert isinstance(error.value.args[1], http.client.RemoteDisconnected)
    assert delivered == len(sandbox.user("ann").inbox)
    assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]


def test_slow(sandbox: Sandbox) -> None:
    """A reply slower than the read timeout is a ReadTimeoutError at once, after delivery; others do not wait."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    sandbox.fail_next(slow=10)
    with pytest.raises(ReadTimeoutError):
        pool.request("POST", url, json=TEXT, retries=False)
    sandbox.fail_next(slow=9.9)
    assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]
    sandbox.fail_next(slow=9.9)
    with pytest.raises(ReadTimeoutError):
        pool.request("POST", url, json=TEXT, retries=False, timeout=9)
    sandbox.fail_next(slow=1e9)
    assert 0 == pool.request("POST", url, json=TEXT, timeout=urllib3.Timeout(None)).json()["errcode"]
    assert 4 == len(sandbox.user("ann").inbox)


def test_errcode_delivers_nothing(sandbox: Sandbox) -> None:
    """An ordered errcode is answered in place of the call."""
    sandbox.fail_next(errcode=-1, path=SEND, times=2)
    sandbox.fail_next(errcode=45009, errmsg="api freq out of limit", path=SEND)
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    replies = [pool.request("POST", url, json=TEXT).json() for _ in range(4)]
    assert [-1, -1, 45009, 0] == [reply["errcode"] for reply in replies]
    assert replies[0]["errmsg"].startswith("system error rid: ")
    assert replies[2]["errmsg"].startswith("api freq out of limit rid: ")
    assert 1 == len(sandbox.user("ann").inbox)


def test_any_reply(sandbox: Sandbox) -> None:
    """A reply made of status, headers and body comes as it is, control characters too, and delivers nothing."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    sandbox.fail_next(reply=(502, {"Content-Type": "text/plain; charset=gbk"}, b'{"errmsg":"\x01\xff"}'))
    reply = pool.request("POST", url, json=TEXT)
    assert 502 == reply.status
    assert "text/plain; charset=gbk" == reply.headers["content-type"]
    assert b'{"errmsg":"\x01\xff"}' == reply.data
    assert () == sandbox.user("ann").inbox
    assert 200 == pool.request("POST", url, json=TEXT).status
    assert 1 == pool.num_connections


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", http.client.IncompleteRead),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", http.client.IncompleteRead),
        (b"\x00\x01\x02\r\n\r\n", http.client.BadStatusLine),
        (b"", http.client.RemoteDisconnected),
    ],
)
def test_broken_reply(sandbox: Sandbox, raw: bytes, cause: type[Exception]) -> None:
    """A cut or missing reply is urllib3's own error, and the pool works for the next call."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    sandbox.fail_next(reply=raw)
    with pytest.raises(ProtocolError) as error:
        pool.request("POST", url, json=TEXT, retries=False)
    assert isinstance(error.value.args[-1], cause)
    assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]


def test_unfinished_request(sandbox: Sandbox) -> None:
    """A client that announces more than it sends waits in vain: a timeout at once, or without one the end."""
    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    headers = {"Content-Length": "100"}
    with pytest.raises(ReadTimeoutError):
        pool.request("POST", url, body=b"{}", headers=headers, retries=False)
    with pytest.raises(ProtocolError):
        pool.request("POST", url, body=b"{}", headers=headers, retries=False, timeout=urllib3.Timeout(None))


def test_reply_of_a_lost_body(sandbox: Sandbox) -> None:
    """A body that fails halfway reaches nobody."""

    def failing() -> Iterator[bytes]:
        yield b'{"touser":'
        raise RuntimeError("the file is gone")

    pool, url = sandbox.pool(), with_token(sandbox, SEND)
    with pytest.raises(RuntimeError):
        pool.request("POST", url, body=failing(), headers={"Content-Length": "100"})
    assert 0 == pool.request("POST", url, json=TEXT).json()["errcode"]


def test_shutdown_ends_a_reply(sandbox: Sandbox) -> None:
    """A reply whose reading is shut down has no more bytes than were read ahead."""
    media_id = sandbox.user("ann").sends_image(JPEG + bytes(1_000_000)).fields["MediaId"]
    reply = sandbox.pool().request("GET", with_token(sandbox, f"{GET}?media_id={media_id}"), preload_content=False)
    assert JPEG == reply.read(3)
    reply.shutdown()
    with pytest.raises(ProtocolError):
        reply.read()


def test_closed_pool(sandbox: Sandbox) -> None:
    """A closed pool is closed, as any of urllib3's."""
    pool = sandbox.pool()
    pool.request("GET", "/nowhere")
    pool.close()
    with pytest.raises(ClosedPoolError):
        pool.request("GET", "/nowhere")


def test_many_threads(sandbox: Sandbox) -> None:
    """Fifty users served by sixteen threads each get what is theirs, and the counts hold."""
    pool, url = sandbox.pool(maxsize=16), with_token(sandbox, SEND)
    people = [sandbox.user(f"user{i}") for i in range(50)]
    for person in people:
        person.says("hi")

    def send(index: int) -> int:
        message = {**TEXT, "touser": f"user{index % 50}", "text": {"content": str(index)}}
        return int(pool.request("POST", url, json=message).json()["errcode"])

    with ThreadPoolExecutor(16) as executor:
        codes = list(executor.map(send, range(400)))
    assert 250 == codes.count(0)
    assert 150 == codes.count(45047)
    for number, person in enumerate(people):
        shown = [int(delivered.message["text"]["content"]) for delivered in person.inbox]
        assert 5 == len(shown)
        assert {number} == {content % 50 for content in shown}
    assert pool.num_connections <= 16


def test_on_request(sandbox: Sandbox) -> None:
    """on_request gets each request, without its token."""
    seen: list[Seen] = []
    pool = sandbox.pool(on_request=seen.append)
    pool.request("POST", with_token(sandbox, SEND), json=TEXT)
    pool.request("GET", "/nowhere?x=1")
    size = len('{"touser":"ann","msgtype":"text","text":{"content":"hello"}}')
    assert [
        Seen("POST", SEND, (), f"{size} bytes of application/json", 200, 0),
        Seen("GET", "/nowhere", (("x", "1"),), "", 404, None),
    ] == seen


# As urllib3 does when it is imported in a browser.
_IN_A_BROWSER = """
import sys, types
sys.modules["urllib3.contrib.emscripten.fetch"] = types.SimpleNamespace(
    _RequestError=OSError, _TimeoutError=OSError, send_request=None, send_streaming_request=None
)
import urllib3.contrib.emscripten
urllib3.contrib.emscripten.inject_into_urllib3()
import wxcs_lite
from wxcs_lite.sandbox import Sandbox
sandbox = Sandbox()
pool = sandbox.pool()
sandbox.user("ann").says("hi")
token = wxcs_lite.fetch_token(pool, sandbox.appid, sandbox.secret)
print(wxcs_lite.send(pool, token, wxcs_lite.text("ann", "Hello"))["errmsg"])
print(wxcs_lite.open_pool())
"""


def test_urllib3_as_it_is_in_a_browser() -> None:
    """There its connections call fetch(); the sandbox's do not."""
    done = subprocess.run([sys.executable, "-c", _IN_A_BROWSER], capture_output=True, text=True, timeout=60)
    assert "" == done.stderr
    assert ["ok", "HTTPSPool(host='api.weixin.qq.com', port=None)"] == done.stdout.splitlines()
