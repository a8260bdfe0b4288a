"""A urllib3 pool without sockets: its connections speak to the sandbox in memory.

Everything above the socket is urllib3 itself, so a truncated body, a lost connection or a timeout is urllib3's own.
"""

import io
from collections import deque
from collections.abc import Callable
from typing import Any

import urllib3

# In a browser urllib3.connection has another one, which calls fetch().
from urllib3.connectionpool import HTTPConnection  # type: ignore[attr-defined]

from wxcs_lite.sandbox.http.http11 import Conversation

__all__ = ["open_memory_pool"]


def open_memory_pool(
    converse: Callable[[], Conversation], *, maxsize: int, timeout: urllib3.Timeout | float | None
) -> urllib3.HTTPConnectionPool:
    """Return a pool bound to api.weixin.qq.com, as the client's is.

    It is an HTTP pool, not an HTTPS one, because there is no connection to encrypt and a certificate created for the
    purpose would only test itself.
    """
    if timeout is None:
        timeout = urllib3.Timeout(connect=3, read=10)
    return _MemoryPool("api.weixin.qq.com", timeout=timeout, maxsize=maxsize, block=True, converse=converse)


class _MemoryConnection(HTTPConnection):
    def __init__(self, *args: Any, converse: Callable[[], Conversation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._converse = converse

    def connect(self) -> None:
        self.sock: Any = _MemorySocket(self._converse(), self.timeout)

    @property
    def is_connected(self) -> bool:
        # urllib3 would ask the operating system whether the peer has closed; here the peer can be asked.
        return self.sock is not None and not self.sock.hung_up


class _MemoryPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _MemoryConnection


class _MemorySocket:
    """The part of a socket that http.client uses: requests are answered at once, and replies are read from a queue."""

    def __init__(self, conversation: Conversation, timeout: float | None) -> None:
        self._conversation = conversation
        self._timeout = timeout
        self._replies: deque[tuple[memoryview, float]] = deque()  # bytes to read, seconds they take
        self.hung_up = False

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout

    def sendall(self, data: bytes) -> None:
        # After hanging up, further bytes are ignored, as a real peer ignores the first packets.
        for outcome in self._conversation.feed(data):
            self._replies.append((memoryview(outcome.data), outcome.slow))
            self.hung_up = self.hung_up or outcome.close

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self))

    def read_some(self, size: int) -> bytes | memoryview:
        """Return up to `size` bytes of the replies, b"" at the end, or raise TimeoutError without having waited."""
        while self._replies:
            data, slow = self._replies.popleft()
            if slow and self._timeout is not None and slow >= self._timeout:
                raise TimeoutError("timed out")
            if len(data) > size:
                self._replies.appendleft((data[size:], 0.0))
            if data:
                return data[:size]
        if self.hung_up or self._timeout is None:  # without a timeout this would block for ever
            return b""
        raise TimeoutError("timed out")

    def shutdown(self, how: int) -> None:
        self._replies.clear()
        self.hung_up = True

    def close(self) -> None:
        """Do nothing: a reply that is being read can be read to its end, as from a real socket."""


class _Received(io.RawIOBase):
    def __init__(self, socket: _MemorySocket) -> None:
        self._socket = socket

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._socket.read_some(len(buffer))
        buffer[: len(data)] = data
        return len(data)
