"""The same calls repeated: as bare bytes, by hand with http.client and urllib3, and with wxcs_lite."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import urllib3

import wxcs_lite
from tests.bench.samples import HEADERS, MESSAGE, OPENID, SEND, TOKEN, TYPING
from tests.bench.server import OK

__all__ = ["ByHand", "HttpClient", "Library", "Ours", "RawSocket", "accepted", "path_of"]

_BOUNDARY = "made-up-boundary-0123456789abcdef"
_PART = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="media"; filename="photo.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_END = f"\r\n--{_BOUNDARY}--\r\n".encode()
_PIECE = 65536


class Library(Protocol):
    """What each of the libraries has to do, in the way that its own documents show."""

    def send(self) -> object: ...
    def typing(self) -> object: ...
    def upload(self, file: bytes | Path) -> object: ...
    def download(self, size: int) -> bytes: ...
    def stream(self, size: int) -> Iterator[bytes]: ...


def path_of(call: str, **more: str) -> str:
    """Return path and query of a call."""
    pairs = {"access_token": TOKEN, **more}
    return f"/cgi-bin/{call}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())


def accepted(reply: Any) -> Any:
    """Return the parsed reply, or raise, because code that calls the API by hand checks the errcode, too."""
    if reply.get("errcode"):
        raise RuntimeError(reply)
    return reply


class RawSocket:
    """Ready bytes out, bytes in, nothing parsed: the least that any library can do, and the most the server can."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(_PIECE)
        self._send = self._request("POST", path_of("message/custom/send"), SEND)
        self._typing = self._request("POST", path_of("message/custom/typing"), json.dumps(TYPING).encode())
        self._upload = b""

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def send(self) -> None:
        self._socket.sendall(self._send)
        self._expect_ok()

    def typing(self) -> None:
        self._socket.sendall(self._typing)
        self._expect_ok()

    def _expect_ok(self) -> None:
        if self._socket.recv(_PIECE) != OK:
            raise RuntimeError("the server's one reply did not come in one piece")

    def prepare(self, content: bytes) -> None:
        """Make the bytes of `upload`, outside of what is measured."""
        path = path_of("media/upload", type="image")
        self._upload = self._request("POST", path, _PART + content + _END)

    def upload(self) -> None:
        self._socket.sendall(self._upload)
        self._socket.recv(_PIECE)

    def download(self, size: int) -> None:
        self._socket.sendall(self._request("GET", path_of("media/get", media_id=str(size)), b""))
        head, got = b"", 0
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(_PIECE)
        got = len(head.partition(b"\r\n\r\n")[2])
        while got < size:
            got += self._socket.recv_into(self._buffer)


class HttpClient:
    """A message with what Python brings along."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def send(self) -> object:
        body = json.dumps(MESSAGE, ensure_ascii=False).encode()
        url = f"/cgi-bin/message/custom/send?access_token={quote(TOKEN, safe='')}"
        self._connection.request("POST", url, body, HEADERS)
        return accepted(json.loads(self._connection.getresponse().read()))


class ByHand:
    """The calls written by hand on a urllib3 pool: what anything built on urllib3 costs at least."""

    def __init__(self, port: int, maxsize: int = 10) -> None:
        # urllib3's own, with http.client's reading of replies, which a pool of open_pool does not have.
        timeout = urllib3.Timeout(connect=3, read=10)
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=maxsize, block=True, timeout=timeout)
        self._ready_url = path_of("message/custom/send")

    def send_ready(self) -> object:
        """Send bytes that are ready, and check nothing: less work than any real call can be."""
        return self.pool.urlopen("POST", self._ready_url, body=SEND, headers=HEADERS, retries=False).data

    def send(self) -> object:
        return self._post("message/custom/send", MESSAGE)

    def typing(self) -> object:
        return self._post("message/custom/typing", TYPING)

    def _post(self, call: str, message: Mapping[str, Any]) -> object:
        body = json.dumps(message, ensure_ascii=False).encode()
        url = f"/cgi-bin/{call}?access_token={quote(TOKEN, safe='')}"
        reply = self.pool.urlopen("POST", url, body=body, headers=HEADERS, retries=False)
        return accepted(json.loads(reply.data))

    def upload(self, file: bytes | Path) -> object:
        """Upload as urllib3's guide shows it, with a body made in memory."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        body, kind = urllib3.encode_multipart_formdata({"media": ("photo.jpg", content, "image/jpeg")})
        return self._uploaded(body, {"Content-Type": kind})

    def upload_in_pieces(self, content: bytes) -> object:
        """Upload as a careful user would: no copy of the whole, and no piece too large for a slow uplink."""
        length = str(len(_PART) + len(content) + len(_END))
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "Content-Length": length}
        return self._uploaded(_cut(content), headers)

    def _uploaded(self, body: Any, headers: Mapping[str, str]) -> object:
        url = path_of("media/upload", type="image")
        return accepted(json.loads(self.pool.urlopen("POST", url, body=body, headers=headers, retries=False).data))

    def download(self, size: int) -> bytes:
        return self.pool.urlopen("GET", path_of("media/get", media_id=str(size)), retries=False).data

    def stream(self, size: int) -> Iterator[bytes]:
        url = path_of("media/get", media_id=str(size))
        reply = self.pool.urlopen("GET", url, retries=False, preload_content=False)
        yield from reply.stream(_PIECE)
        reply.release_conn()


def _cut(content: bytes) -> Iterator[bytes]:
    yield _PART
    for at in range(0, len(content), _PIECE):
        yield content[at : at + _PIECE]
    yield _END


class Ours:
    """wxcs_lite, with a token that is a bare str: a `Token` would save it the hiding."""

    def __init__(self, port: int, maxsize: int = 10) -> None:
        self._pool = wxcs_lite.open_pool(f"http://127.0.0.1:{port}", maxsize=maxsize)

    def send(self) -> object:
        return wxcs_lite.send(self._pool, TOKEN, MESSAGE)

    def typing(self) -> object:
        return wxcs_lite.set_typing(self._pool, TOKEN, OPENID)

    def upload(self, file: bytes | Path) -> object:
        return wxcs_lite.upload(self._pool, TOKEN, file)

    def download(self, size: int) -> bytes:
        return wxcs_lite.download(self._pool, TOKEN, str(size)).content

    def stream(self, size: int) -> Iterator[bytes]:
        with wxcs_lite.stream(self._pool, TOKEN, str(size)) as medium:
            yield from medium
