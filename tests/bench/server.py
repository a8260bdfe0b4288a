"""A server in a process of its own: fixed replies, a sink for uploads, media of any size, as cheaply as Python can.

It counts its own CPU time and reports it (`Server.cpu`), so that each table can show how busy it was: only a server
that mostly waits for its clients does not distort the clients' figures.
"""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.bench.samples import PROJECT

__all__ = ["OK", "Server", "answering"]


def _whole_reply(body: bytes, content_type: bytes = b"application/json; encoding=utf-8") -> bytes:
    return _head(len(body), content_type) + body


def _head(length: int, content_type: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    ) % (content_type, length)  # fmt: skip


OK = _whole_reply(b'{"errcode":0,"errmsg":"ok"}')
_UPLOADED = _whole_reply(b'{"type":"image","media_id":"1000000","created_at":1767240000}')
_MAGIC = b"\xff\xd8\xff\xe0"
_MEDIUM = re.compile(rb"/media/get\?.*media_id=([0-9]+)")
_PIECE = 65536
_BLOCK = memoryview(bytes(range(256)) * 1024)  # 256 KiB, sent again and again


class Server:
    """The client's end of it: where it listens, and what it has spent."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.pid = process.pid
        self.port = int(process.stdout.readline())
        self._asking = socket.create_connection(("127.0.0.1", self.port))

    def cpu(self) -> float:
        """Return the user + system seconds that it has used so far."""
        self._asking.sendall(b"GET /cpu HTTP/1.1\r\n\r\n")
        return float(self._asking.recv(4096).rpartition(b"\r\n")[2])

    def close(self) -> None:
        self._asking.close()


@contextmanager
def answering(delay: float = 0.0) -> Iterator[Server]:
    """Run it for the length of a `with` block; each reply leaves `delay` seconds after its request has come."""
    command = [sys.executable, "-m", "tests.bench.server", str(delay)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    try:
        server = Server(process)
        try:
            yield server
        finally:
            server.close()
    finally:
        process.terminate()
        process.communicate()


def _requests(connection: socket.socket) -> Iterator[bytes]:
    """Yield the first line of each request once it is whole; it knows as much HTTP as that takes.

    Of a body only the length is kept: a sink must not cost more for larger bodies.
    """
    head = b""
    while data := connection.recv(_PIECE):
        head += data
        while b"\r\n\r\n" in head:
            lines, _, body = head.partition(b"\r\n\r\n")
            length = lines.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            left = int(length or 0) - len(body)
            while left > 0:
                data = connection.recv(min(left, _PIECE))
                if not data:
                    return
                left -= len(data)
            head = body[len(body) + left :] if left < 0 else b""
            yield lines[: lines.find(b"\r\n")]


def _reply_to(line: bytes) -> bytes:
    if line.startswith(b"GET /cpu "):
        return _whole_reply(str(time.process_time()).encode())
    return _UPLOADED if b"/media/upload?" in line else OK


def _send_medium(connection: socket.socket, size: int) -> None:
    connection.sendall(_head(size, b"image/jpeg") + _MAGIC)
    left = size - len(_MAGIC)
    while left > 0:
        connection.sendall(_BLOCK[:left])
        left -= len(_BLOCK)


def _converse(connection: socket.socket, delay: float) -> None:
    """Answer one client until it goes, which may be in the middle of anything."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, suppress(ConnectionError):
        for line in _requests(connection):
            due = time.monotonic() + delay
            if medium := _MEDIUM.search(line):
                _send_medium(connection, int(medium[1]))
                continue
            reply = _reply_to(line)
            if delay and line[:8] != b"GET /cpu":
                time.sleep(max(0.0, due - time.monotonic()))
            connection.sendall(reply)


def serve(delay: float) -> None:
    """Answer for ever, a thread for each client.

    Threads that block need no selector: that is cheaper for a request, and wakes a sleeping thread more exactly than
    epoll, which counts in whole milliseconds.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection, delay), daemon=True).start()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        serve(float(sys.argv[1]))
