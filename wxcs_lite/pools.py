"""A pool is a urllib3 pool bound to one host: address, timeouts and kept-alive connections in one value."""

import re
import socket
import sys
import warnings
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import Any
from urllib.parse import unquote

import urllib3
from urllib3.connectionpool import HTTPConnection  # type: ignore[attr-defined]  # in a browser .connection has another
from urllib3.exceptions import ConnectTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout, Url, make_headers, parse_url

from wxcs_lite.framing import Framed
from wxcs_lite.request import API
from wxcs_lite.require import kind_of
from wxcs_lite.secret import hide, hide_if_str

__all__ = ["CallTimeout", "Pool", "open_pool", "require_pool", "warn_of_exposure"]

Pool = urllib3.HTTPConnectionPool

_LOOPBACK = r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?"


def open_pool(
    url: str = API,
    *,
    proxy: str | None = None,
    maxsize: int = 10,
    connect_timeout: float = 3,
    read_timeout: float = 10,
    total_timeout: float | None = None,
) -> Pool:
    """Return a urllib3 pool bound to one host, the first argument of every call.

    >>> pool = open_pool()
    >>> pool.scheme, pool.host
    ('https', 'api.weixin.qq.com')

    No connection is opened before the first call. `maxsize` is how many threads can call at once; others wait. Proxy
    environment variables are not read: `proxy="http://host:port"`, or `http://user:password@host:port`, gives you one
    fixed address for WeChat's IP whitelist. So does your own gateway: the path in `https://gateway.example/wx` is put
    before the path of each call. Raises ValueError for a url with a query or user. Over http beyond loopback, the first
    call that carries a secret warns; inside WeChat cloud hosting `http://api.weixin.qq.com` is right, because calls
    carry no secret.

    Timeouts are in seconds. `read_timeout` bounds each silence of the server; six times that bounds a whole JSON reply
    and, in a medium, the wait for the next byte. `total_timeout` bounds a whole call, a `stream` up to its last chunk,
    for callers with a deadline of their own (a serverless function). It does not bound the DNS lookup, and each further
    address of the host, or the last piece of a large upload, may add a third of it. A pool that you created yourself
    has only urllib3's timeouts: a server that sends headers, chunk sizes or trailers byte by byte can block its calls.
    """
    url, proxy = hide_if_str(url), hide_if_str(proxy)  # they may hold a login
    scheme, host, port, prefix = _origin(url)
    if total_timeout is not None and (type(total_timeout) not in (int, float) or not 0 < total_timeout < inf):
        raise ValueError("total_timeout must be a number of seconds above 0\ntotal_timeout 应为大于 0 的秒数")
    settings: dict[str, Any] = {
        "maxsize": maxsize,
        "block": True,
        "timeout": CallTimeout(connect_timeout, read_timeout, total_timeout),
        "socket_options": [*HTTPConnection.default_socket_options, *_keep_alive()],
    }
    classes = _GATEWAYS if prefix else _POOLS
    if proxy is None:
        pool: Any = classes[scheme](host, port, **settings)
    elif scheme != "https":
        raise ValueError("proxy= needs an https url: over http the proxy could read the token\nproxy= 只用于 https")
    else:
        manager = _manager(proxy, classes, settings)
        if manager is None:
            raise ValueError("proxy must look like http://host:port\nproxy 应形如 http://主机:端口")
        pool = manager.connection_from_host(host, port, scheme)
    pool.prefix = prefix
    pool.exposed = scheme == "http" and not re.fullmatch(_LOOPBACK, host)
    return pool  # type: ignore[no-any-return]


class CallTimeout(Timeout):
    """The timeouts of `open_pool`; each call has a copy that also knows when the call must end.

    urllib3 asks a Timeout for two numbers: how long each step of connecting may take, and how long the socket may wait
    for the reply. `Framed` bounds each silence itself, so during a call the second is the time for the whole reply.
    """

    def __init__(self, connect: float | None, read: float | None, total: float | None = None) -> None:
        super().__init__(connect=connect, read=read, total=total)
        self._step, self._silence, self._total = connect, read, total
        self.silence = inf if read is None else read
        self._reply_within = inf
        self.ends: float | None = None  # on the clock of `monotonic`, once a call has begun

    def begin(self, reply_within: float = inf) -> "CallTimeout":
        """Return the timeouts of a call that starts now; its reply may take `reply_within` seconds."""
        call = CallTimeout.__new__(CallTimeout)  # the constructor has checked these values already
        vars(call).update(vars(self))
        call._reply_within = reply_within
        call.ends = inf if self._total is None else monotonic() + self._total
        return call

    def clone(self) -> Timeout:
        """Return the timeouts of one call; urllib3 asks when a call begins, and again before it connects."""
        return self.begin() if self.ends is None else self

    @property
    def left(self) -> float:
        """The seconds that the call has left."""
        return inf if self._total is None or self.ends is None else max(0.0, self.ends - monotonic())

    @property
    def connect_timeout(self) -> float | None:
        """The seconds for each of the three steps: connect, a proxy's CONNECT, the handshake; None for no bound.

        urllib3 asks before it connects or sends, so a call that has no time left ends here, with nothing sent.
        """
        if self._total is None or self.ends is None:
            return self._step
        left = self.left
        if not left:  # as a socket's time-out, 0 would mean not to wait at all, and read as a refused connection
            raise ConnectTimeoutError("total_timeout is over")
        return left / 3 if self._step is None else min(self._step, left / 3)

    @property
    def read_timeout(self) -> float | None:
        """The seconds for the whole reply; before a call, those of each silence; None for no bound."""
        if self.ends is None:
            return self._silence
        seconds = min(self.left, self._reply_within)
        return None if seconds == inf else seconds


class HTTPPool(urllib3.HTTPConnectionPool):
    """A urllib3 pool whose connections read replies with `Framed`.

    A ConnectionCls of our own would bypass vcrpy, which replaces that attribute: a test would call the real server.
    """

    prefix: str = ""  # the gateway's path, which precedes each call's
    exposed: bool = False  # plain http beyond loopback, not warned of yet

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        timeout = self.timeout
        silence = timeout.silence if isinstance(timeout, CallTimeout) else None
        connection.response_class = partial(Framed, silence=silence)
        return connection


class HTTPSPool(HTTPPool, urllib3.HTTPSConnectionPool):
    """An `HTTPPool` over TLS."""


class HTTPGateway(HTTPPool):
    """An `HTTPPool` to a gateway, whose path is put before each call's."""

    def urlopen(  # type: ignore[override]
        self, method: str, url: str, body: Any = None, headers: Any = None, retries: Any = None, *args: Any, **more: Any
    ) -> BaseHTTPResponse:
        """Make the request at the gateway's path."""
        # urllib3 calls this again for retries and redirects, with the URL that already has the path.
        if url.startswith("/") and not getattr(retries, "history", ()):
            url = hide(self.prefix + url)
        return super().urlopen(method, url, body, headers, retries, *args, **more)


class HTTPSGateway(HTTPGateway, HTTPSPool):
    """An `HTTPGateway` over TLS."""


_POOLS: dict[str, type[HTTPPool]] = {"http": HTTPPool, "https": HTTPSPool}
_GATEWAYS: dict[str, type[HTTPPool]] = {"http": HTTPGateway, "https": HTTPSGateway}


def warn_of_exposure(pool: Any) -> None:
    """Warn, once for a pool and at the caller's line, that the request can be read on the network path."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PASSED):
        frame, level = frame.f_back, level + 1
    warnings.warn(
        f"http to {pool.host}: anyone on the network path can read the token; use https\n"
        f"用 http 访问 {pool.host}：途中任何人都能读取凭证，请改用 https",
        stacklevel=level,
    )
    pool.exposed = False


_PASSED = ("wxcs_lite.", "contextlib")


def _origin(url: str) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and path; a path of only a slash becomes empty."""
    try:
        address = parse_url(url)
    except urllib3.exceptions.LocationParseError:
        address = Url()
    scheme, host, port = address.scheme, address.host, address.port
    more = bool(address.auth) or (address.query, address.fragment) != (None, None)
    path = hide(re.sub(r"^[^/]*//[^/?#\\]*", "", url) or "/")  # urllib3 would tidy it up
    address, url = Url(), ""  # they may hold a login, and this frame may be shown
    if scheme not in ("http", "https") or not host:
        raise ValueError("url must look like https://api.weixin.qq.com\nurl 应形如 https://api.weixin.qq.com")
    if more or (path != "/" and host.endswith(".weixin.qq.com")):
        raise ValueError(
            "url must be scheme, host and port only, with no path (unless it is a gateway's), query or user\n"
            "url 只能含协议、主机和端口，不能带参数、用户名，也不能带路径（自建网关除外）"
        )
    if not re.fullmatch(_PREFIX, path):
        raise ValueError(
            "url must have a plain path, as in https://gateway.example/wx: letters, digits, - . _ ~ between single "
            "slashes\nurl 的路径应形如 https://gateway.example/wx：单个斜杠之间只能是字母、数字和 - . _ ~"
        )
    return scheme, host, port, hide(path.rstrip("/"))


_PREFIX = r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)*/?"


def _manager(proxy: str, classes: dict[str, type[HTTPPool]], settings: dict[str, Any]) -> urllib3.ProxyManager | None:
    """Return the manager of a proxy, with the login of its address, which urllib3 would pass over; None if it is none.

    Nothing is raised, because a traceback of this frame, or of urllib3's, would show the address.
    """
    with suppress(ValueError):
        address = parse_url(proxy)
        if address.scheme in ("http", "https") and address.host:
            headers = make_headers(proxy_basic_auth=unquote(address.auth)) if address.auth else None
            manager = urllib3.ProxyManager(address._replace(auth=None).url, proxy_headers=headers, **settings)
            manager.pool_classes_by_scheme = classes
            return manager
    return None


def _keep_alive() -> list[tuple[int, int, int]]:
    """Probe an idle connection after 30 s, so that its loss is noticed before a message is lost with it."""
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)  # the latter on macOS
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if idle is not None:
        options.append((socket.IPPROTO_TCP, idle, 30))
    for name, value in (("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        option = getattr(socket, name, None)
        if option is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


def require_pool(pool: object) -> None:
    """Refuse what is not a host-bound pool, and say how to get one."""
    if isinstance(pool, urllib3.PoolManager):
        raise TypeError(
            "pool is a PoolManager; pass the pool of one host: "
            f'manager.connection_from_url("{API}"), or open_pool()\n'
            f'pool 是 PoolManager，请传绑定了主机的连接池：manager.connection_from_url("{API}") 或 open_pool()'
        )
    if not hasattr(pool, "urlopen"):
        raise TypeError(
            f"pool must be a pool such as open_pool() returns, not {kind_of(pool)}: pool first, token second"
            f"\npool 应为 open_pool() 返回的连接池，收到的是 {kind_of(pool)}：先 pool，后 token"
        )
