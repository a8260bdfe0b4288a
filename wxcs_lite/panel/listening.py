"""A server on this machine that hands WeChat's pushes to a desk; a tunnel or a reverse proxy leads WeChat to it."""

import errno
import logging
import os
import socket
import sys
from contextlib import suppress
from threading import Lock, Thread
from time import monotonic
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.panel.feed import Receiving, require_open
from wxcs_lite.places import places
from wxcs_lite.push import push_app
from wxcs_lite.secret import hide

__all__ = ["Listener", "listen"]

_log = logging.getLogger("wxcs_lite.panel")

_CONNECTIONS = 32  # at once, because anybody may come through a tunnel
_SILENCE, _WHOLE = 5.0, 15.0  # seconds without a byte, and for all of a request; WeChat itself waits for 5
_GLANCE = 0.1  # seconds between two looks at what is overdue
_PATIENCE = 5.0  # seconds for threads that have been told to end


def listen(
    desk: Receiving, *, port: int, token: str, aes_key: str | None = None, appid: str | None = None
) -> "Listener":
    """Serve `push_app(desk.receive, …)` on a port of 127.0.0.1 until the desk or the returned value is closed.

    >>> from wxcs_lite.panel import Desk
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> desk = Desk(sandbox.pool(), "a token")
    >>> listener = listen(desk, port=0, token="madeUp")
    >>> with sandbox.push_to(listener.url, token="madeUp"):
    ...     event = sandbox.user("ann").says("hello")
    >>> desk.refresh()
    >>> [entry["customer"] for entry in desk.history]
    ['ann']
    >>> desk.close()
    >>> listener.url.startswith("http://127.0.0.1:"), listener
    (True, <Listener, closed>)

    WeChat reaches it only through a tunnel or a reverse proxy of yours; choose secure mode in the console and pass
    `aes_key`, because anyone can come the same way. Port 0 takes a free one. A second call with this port or for this
    desk closes the first listener, so that a cell can be run again. A port of another program raises InvalidMessage.
    """
    token, aes_key = hide(token), None if aes_key is None else hide(aes_key)
    require_open(desk)
    app = push_app(desk.receive, token=token, aes_key=aes_key, appid=appid)
    _close([former for former in _listeners if former.occupies(port)])
    server = _open(port, app)
    _close([former for former in _listeners if former.serves(desk)])
    listener = Listener(desk, server)
    _listeners.append(listener)
    desk.inbound.add(listener.url)
    desk.on_close(listener.close)
    return listener


class Listener:
    """What `listen` returns: a server in a thread; `url` is its address on this machine."""

    __slots__ = ("_desk", "_loop", "_server", "url")

    def __init__(self, desk: Receiving, server: "_Server") -> None:
        self._desk, self._server = desk, server
        self.url = f"http://127.0.0.1:{server.server_port}/"
        self._loop = Thread(target=server.serve_forever, args=(_GLANCE,), name="wxcs_lite listen", daemon=True)
        self._loop.start()

    def __repr__(self) -> str:
        return f"<Listener, {'open' if self in _listeners else 'closed'}>"

    def serves(self, desk: Receiving) -> bool:
        """Return whether it hands pushes to this desk."""
        return self._desk is desk

    def occupies(self, port: int) -> bool:
        """Return whether it listens on this port."""
        return self._server.server_port == port

    def close(self) -> None:
        """Stop listening; a request that is being answered is cut, and WeChat repeats it."""
        if self not in _listeners:
            return
        _listeners.remove(self)
        self._desk.inbound.discard(self.url)
        self._server.shutdown()
        self._server.server_close()
        self._loop.join(_PATIENCE)


_listeners: list[Listener] = []


def _close(listeners: list[Listener]) -> None:
    for listener in listeners:
        listener.close()


def _open(port: int, app: Any) -> "_Server":
    if type(port) is not int or not 0 <= port <= 65535:
        raise InvalidMessage("port", "must be a number from 0 to 65535", "须为 0 至 65535 的整数")
    try:
        server = _Server(("127.0.0.1", port), _Handler)
    except OSError as e:
        number = e.errno
    else:
        server.set_app(app)
        return server
    if number == errno.EADDRINUSE:
        raise InvalidMessage(
            "port",
            f"{port} is used by another program, perhaps another notebook: close that, or choose another port",
            f"{port} 已被其他程序占用（可能是另一个 notebook）：请先关闭它，或换一个端口",
        )
    why = os.strerror(number or 0)
    raise InvalidMessage(
        "port", f"{port} cannot be opened ({why}): choose another port", f"{port} 无法使用（{why}）：请换一个端口"
    )


class _Server(WSGIServer):
    """One thread for each connection, a bounded number of them, each for a bounded time."""

    allow_reuse_address = os.name == "posix"  # elsewhere it would share the port with another program
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self._open: dict[socket.socket, tuple[float, Thread]] = {}
        self._changing = Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the look-up of a host name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, or close it if there are too many: WeChat repeats its push."""
        thread = Thread(target=self._attend, args=(request, client_address), name="wxcs_lite listen", daemon=True)
        with self._changing:
            has_room = len(self._open) < _CONNECTIONS
            if has_room:
                self._open[request] = monotonic(), thread
        if has_room:
            thread.start()
        else:
            self.shutdown_request(request)

    def _attend(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            with self._changing:
                del self._open[request]
            self.shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log an error of ours; a client that has gone, or was cut, is none."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            _log.error("a request was not answered: %s at %s", type(error).__name__, places(error))

    def service_actions(self) -> None:
        """Cut what has taken too long."""
        self._cut(monotonic() - _WHOLE)

    def server_close(self) -> None:
        """Close the port, cut all connections, and wait for their threads."""
        super().server_close()
        for thread in self._cut(monotonic()):
            thread.join(_PATIENCE)
        self.application = None  # its threads end with it

    def _cut(self, since: float) -> list[Thread]:
        with self._changing:
            overdue = [(request, thread) for request, (began, thread) in self._open.items() if began <= since]
        for request, _ in overdue:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        return [thread for _, thread in overdue]


class _Handler(WSGIRequestHandler):
    timeout = _SILENCE

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a query holds an openid, and stderr is part of the notebook."""
