"""A server in a process of its own that answers every request with the same bytes, as cheaply as Python can."""

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BODY = b'{"errcode":0,"errmsg":"ok"}'
REPLY = (
    b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json; encoding=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


@contextmanager
def answering() -> Iterator[int]:
    """Run it for the length of a `with` block, and give its port."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.server"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


def serve() -> None:
    """Answer for ever; it knows only as much HTTP as to find the end of a request."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    begun: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in waiting.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if connection is listener:
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waiting.register(accepted, selectors.EVENT_READ)
                begun[accepted] = b""
                continue
            try:
                data = connection.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                waiting.unregister(connection)
                del begun[connection]
                connection.close()
                continue
            begun[connection] += data
            if _whole(begun[connection]):
                begun[connection] = b""
                connection.sendall(REPLY)


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length or 0)


if __name__ == "__main__":
    serve()
