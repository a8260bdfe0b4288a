"""A pool is one host: what `open_pool` refuses, warns of and sets, and the way through a proxy."""

import gc
import socket
import threading
import warnings
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import HostChangedError
from vcr import VCR

from tests.hostile import Peer, Server, answers, bare, certificate, cut_after_request, reply
from wxcs_lite import (
    CloudbaseToken,
    FromAppid,
    TransportError,
    call,
    endpoints,
    fetch_token,
    open_pool,
    perform,
    send,
    stream,
    text,
)
from wxcs_lite.pools import Pool

HELLO = text("OPENID", "hello")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.weixin.qq.com",
        "//api.weixin.qq.com",
        "ftp://api.weixin.qq.com",
        "https://",
        "https:///cgi-bin",
        "https://[",
        "https://host:port",
        "https://api.weixin.qq.com/cgi-bin",
        "https://api2.weixin.qq.com/wx",
        "https://api.weixin.qq.com//",
        "https://gateway.example//",
        "https://gateway.example/wx//",
        "https://gateway.example/wx//cs",
        "https://gateway.example/wx?key=made-up",
        "https://gateway.example/wx?",
        "https://gateway.example/wx#top",
        "https://user@gateway.example/wx",
        "https://gateway.example/.",
        "https://gateway.example/wx/..",
        "https://gateway.example/wx/../cs",
        "https://gateway.example/./wx",
        "https://gateway.example/a%20b",
        "https://gateway.example/wx/%2e%2e/cs",
        "https://gateway.example/a b",
        "https://gateway.example/网关",
        "https://gateway.example/wx\n",
        "https://gateway.example/wx;a=b",
        "https://gateway.example\\wx",
        "https://api.weixin.qq.com?access_token=made-up",
        "https://api.weixin.qq.com/?",
        "https://api.weixin.qq.com#top",
        "https://user@api.weixin.qq.com",
        "https://user:password@api.weixin.qq.com",
    ],
)
def test_a_url_that_is_more_or_less_than_a_host_is_refused(url: str) -> None:
    """Scheme, host, port and a gateway's plain path make a pool; anything else would be dropped or read in two ways."""
    with pytest.raises(ValueError, match=r"^url must"):
        open_pool(url)


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port"),
    [
        ("https://api.weixin.qq.com", "https", "api.weixin.qq.com", 443),
        ("https://api.weixin.qq.com/", "https", "api.weixin.qq.com", 443),
        ("HTTPS://API.weixin.qq.com", "https", "api.weixin.qq.com", 443),
        ("https://api2.weixin.qq.com:8443", "https", "api2.weixin.qq.com", 8443),
        ("http://127.0.0.1:8080", "http", "127.0.0.1", 8080),
        ("http://[::1]:8080", "http", "::1", 8080),
    ],
)
def test_scheme_host_and_port_are_the_pools(url: str, scheme: str, host: str, port: int) -> None:
    """The pool is bound to what the url says."""
    with open_pool(url) as pool:
        assert scheme == pool.scheme
        assert host == pool.host.strip("[]")
        assert port == (pool.port or 443)


def test_the_default_is_wechat() -> None:
    """Without a url it is WeChat's own host, over TLS."""
    with open_pool() as pool:
        assert "https" == pool.scheme
        assert "api.weixin.qq.com" == pool.host


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no connection be made."""

    def connect(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)


CARRYING: dict[str, Callable[[Pool], object]] = {
    "a token": lambda pool: send(pool, "80_made-up", HELLO),
    "a token of cloud hosting": lambda pool: send(pool, CloudbaseToken("made-up"), HELLO),
    "a token, to a stream": lambda pool: stream(pool, "80_made-up", "MEDIA_ID").__enter__(),
    "an AppSecret": lambda pool: fetch_token(pool, "APPID", "made-up"),
    "an AppSecret in its query": lambda pool: call(pool, None, "/x", query={"appsecret": "made-up"}),
}


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("name", CARRYING)
@pytest.mark.parametrize("host", ["192.168.0.7:8080", "api.weixin.qq.com", "10.127.0.1", "localhost.evil.invalid"])
def test_http_beyond_loopback_is_warned_of(host: str, name: str) -> None:
    """Plain http shows the token to anyone on the network path: the first call with one warns at the caller's line."""
    with open_pool(f"http://{host}") as pool:
        with pytest.warns(UserWarning, match="anyone on the network path") as warned, suppress(TransportError):
            CARRYING[name](pool)
        assert [__file__] == [warning.filename for warning in warned]
        with suppress(TransportError), warnings.catch_warnings():
            warnings.simplefilter("error")
            CARRYING[name](pool)


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("token", [None, FromAppid("wxba5fad812f8e6fb9")])
def test_http_is_not_warned_of_where_there_is_nothing_to_read(token: str | None) -> None:
    """Inside cloud hosting http is the right scheme, and the platform adds the credential."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_pool("http://api.weixin.qq.com") as pool, pytest.raises(TransportError):
            send(pool, token, HELLO)


@pytest.mark.usefixtures("nowhere")
def test_a_warning_that_is_an_error_stays_one() -> None:
    """With `-W error` no call carries the token out, not the second either."""
    with open_pool("http://api.weixin.qq.com") as pool:
        for _ in range(2):
            with pytest.raises(UserWarning, match="anyone on the network path"):
                send(pool, "80_made-up", HELLO)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1:8080", "localhost:8080", "[::1]:8080"])
@pytest.mark.usefixtures("nowhere")
def test_http_to_loopback_is_not_warned_of(host: str) -> None:
    """Traffic that does not leave the machine needs no TLS."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_pool(f"http://{host}") as pool, pytest.raises(TransportError):
            send(pool, "80_made-up", HELLO)


# A gateway's path


@pytest.mark.parametrize(
    ("path", "prefix"), [("/wx", "/wx"), ("/wx/", "/wx"), ("/a/v1.2/c_d-e~/", "/a/v1.2/c_d-e~"), ("/...", "/...")]
)
def test_a_gateways_path_comes_before_each_call(path: str, prefix: str) -> None:
    """With its query; a slash at the end of the prefix does not matter."""
    with Server(answers(reply())) as server, open_pool(server.url + path) as pool:
        send(pool, "80_made-up", HELLO)
        call(pool, None, "/cgi-bin/x")
    assert [f"{prefix}/cgi-bin/message/custom/send?access_token=80_made-up", f"{prefix}/cgi-bin/x"] == [
        heard.target for heard in server.heard
    ]


@pytest.mark.usefixtures("trusted")
def test_a_gateway_may_be_behind_a_proxy() -> None:
    """The proxy sees no path; the gateway's stands before the call's."""
    with (
        Server(answers(reply()), tls=True) as gateway,
        Server(tunnel) as proxy,
        open_pool(f"{gateway.url}/wx", proxy=proxy.url) as pool,
    ):
        send(pool, "80_made-up", HELLO)
    assert ["/wx/cgi-bin/message/custom/send?access_token=80_made-up"] == [heard.target for heard in gateway.heard]
    assert ["CONNECT"] == [heard.start.partition(" ")[0] for heard in proxy.heard]


def test_the_path_is_put_once_however_often_urllib3_tries() -> None:
    """Code that uses the pool directly may ask urllib3 to retry or to follow; the URL is then already complete."""
    moved = reply(b"", "302 Found", "Location: /elsewhere")
    scripts = (cut_after_request, cut_after_request, answers(moved, reply()))
    with Server(*scripts) as server, open_pool(f"{server.url}/wx") as pool:
        assert 200 == pool.request("GET", "/a", retries=3).status
        assert ["/wx/a", "/wx/a", "/wx/a", "/elsewhere"] == [heard.target for heard in server.heard]


def test_an_address_of_another_host_gets_no_path() -> None:
    """urllib3 refuses it, as it does without a gateway."""
    with Server(answers(reply())) as server, open_pool(f"{server.url}/wx") as pool:
        with pytest.raises(HostChangedError):
            pool.urlopen("GET", "http://elsewhere.invalid/x", retries=False)
        assert [] == server.heard


def test_a_request_knows_nothing_of_the_gateway() -> None:
    """It is the pool's: the same request goes to WeChat and to the gateway."""
    request = endpoints.send(HELLO)
    with Server(answers(reply())) as server, open_pool(f"{server.url}/wx") as pool:
        before = str(request), request.curl(), request.url("80_made-up")
        perform(pool, "80_made-up", request)
    assert before == (str(request), request.curl(), request.url("80_made-up"))
    assert request.curl("https://gateway.example/wx").startswith(
        'curl -sS "https://gateway.example/wx/cgi-bin/message/custom/send?access_token=$WXCS_TOKEN"'
    )


def test_a_cassette_of_a_gateway_plays(tmp_path: Any) -> None:
    """Recorded once, it answers without the server, at the gateway's path."""
    recorder = VCR(record_mode="once")
    with (
        Server(answers(reply())) as server,
        recorder.use_cassette(tmp_path / "gateway.yaml"),
        open_pool(f"{server.url}/wx") as pool,
    ):
        send(pool, None, HELLO)
    with recorder.use_cassette(tmp_path / "gateway.yaml") as cassette, open_pool(f"{server.url}/wx") as pool:
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, None, HELLO)
        assert 1 == cassette.play_count
    assert [f"{server.url}/wx/cgi-bin/message/custom/send"] == [request.uri for request in cassette.requests]


def test_a_gateways_path_is_in_no_repr() -> None:
    """It may hold a key of the gateway's."""
    with open_pool("https://gateway.example/made-up-key/wx") as pool:
        assert "made-up-key" not in repr(pool) + repr(vars(pool))


def test_threads_wait_for_a_place() -> None:
    """The pool blocks, so that there are never more connections than maxsize."""
    with open_pool(maxsize=3) as pool:
        assert pool.block
        assert 3 == (pool.pool.maxsize if pool.pool else None)


def test_timeouts_are_in_seconds() -> None:
    """Both timeouts are as given, 3 and 10 seconds by default."""
    with open_pool() as usual, open_pool(connect_timeout=0.5, read_timeout=60) as given:
        assert [(3, 10), (0.5, 60)] == [(p.timeout.connect_timeout, p.timeout.read_timeout) for p in (usual, given)]


@pytest.mark.parametrize("timeout", [0, -1, "soon"])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    """A timeout must be a positive number."""
    with pytest.raises(ValueError, match=r"(?i)timeout"):
        open_pool(read_timeout=timeout)


@pytest.mark.parametrize("total", [0, -1, "soon", True, float("inf"), float("nan"), b"5"])
def test_a_total_timeout_that_is_no_number_of_seconds_is_refused(total: Any) -> None:
    """The error names it, in both languages."""
    with pytest.raises(ValueError, match=r"^total_timeout must be .*\ntotal_timeout 应"):
        open_pool(total_timeout=total)


def test_no_timeout_means_none() -> None:
    """None waits for ever, as it does with urllib3."""
    forever: Any = None
    with (
        Server(answers(reply())) as server,
        open_pool(server.url, connect_timeout=forever, read_timeout=forever) as pool,
    ):
        assert (None, None) == (pool.timeout.connect_timeout, pool.timeout.read_timeout)
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, "80_made-up", HELLO)


def wanted_options() -> set[tuple[int, int, int]]:
    wanted = {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    }
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
    return wanted | ({(socket.IPPROTO_TCP, idle, 30)} if idle else set())


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_idle_connections_are_probed(proxy: str | None) -> None:
    """TCP keep-alive is on, first after 30 s, so that a lost connection is noticed before a message is lost with it."""
    with open_pool(proxy=proxy) as pool:
        assert wanted_options() == set(pool.conn_kw["socket_options"])


def test_a_real_socket_gets_the_options() -> None:
    """The operating system takes them."""
    with Server(answers(reply())) as server, open_pool(server.url) as pool:
        send(pool, "80_made-up", HELLO)
        connection = pool._get_conn()
        sock = connection.sock  # type: ignore[attr-defined]
        assert (True, True) == tuple(
            bool(sock.getsockopt(level, option))
            for level, option in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY))
        )
        connection.close()


@pytest.mark.parametrize(
    "proxy", ["", "127.0.0.1:3128", "proxy.invalid", "socks5://127.0.0.1:9", "http://", "http://host:port", "http://["]
)
def test_a_proxy_that_is_no_http_address_is_refused(proxy: str) -> None:
    """A proxy is named by scheme, host and port."""
    with pytest.raises(ValueError, match=r"^proxy must look like"):
        open_pool(proxy=proxy)


def test_a_proxy_for_plain_http_is_refused() -> None:
    """It would read the token."""
    with pytest.raises(ValueError, match=r"^proxy= needs"):
        open_pool("http://127.0.0.1:9", proxy="http://127.0.0.1:9")


def tunnel(peer: Peer) -> None:
    """A proxy: takes CONNECT and passes bytes to and fro."""
    head = peer.read()
    assert head is not None
    host, _, port = head.target.partition(":")
    with socket.create_connection((host, int(port))) as far:
        peer.send(bare("HTTP/1.1 200 Connection established"))

        def back() -> None:
            with suppress(OSError):
                while data := far.recv(65536):
                    peer.send(data)

        returning = threading.Thread(target=back)
        returning.start()
        with suppress(OSError):
            while data := peer.sock.recv(65536):
                far.sendall(data)
        far.shutdown(socket.SHUT_RDWR)
        returning.join()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Trust the throw-away certificate as if it stood among the system's."""
    file = tmp_path / "ca.pem"
    file.write_text(certificate().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.mark.usefixtures("trusted")
def test_a_send_goes_through_the_proxy() -> None:
    """The proxy sees the host and the port, and nothing of the request."""
    with (
        Server(answers(reply()), tls=True) as wechat,
        Server(tunnel) as proxy,
        open_pool(wechat.url, proxy=proxy.url) as pool,
    ):
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, "80_made-up", HELLO)
        assert [f"CONNECT 127.0.0.1:{wechat.port} HTTP/1."] == [heard.start[:-1] for heard in proxy.heard]


@pytest.mark.usefixtures("trusted")
def test_a_tunnel_is_kept() -> None:
    """Many sends share one connection through the proxy, even after the garbage collector has run."""
    with (
        Server(answers(reply()), tls=True) as wechat,
        Server(tunnel) as proxy,
        open_pool(wechat.url, proxy=proxy.url) as pool,
    ):
        for _ in range(5):
            send(pool, "80_made-up", HELLO)
            gc.collect()
        assert 1 == proxy.connections
        assert 5 == len(wechat.heard)


def test_a_login_in_the_proxys_address_is_used() -> None:
    """`http://user:password@host` logs in at the proxy, percent-encoding taken off."""
    with Server(answers(reply(b"", "407 no"))) as proxy:
        pool = open_pool("https://localhost:9", proxy=proxy.url.replace("//", "//user:p%40ss@"))
        with pool, pytest.raises(TransportError):
            send(pool, "80_made-up", HELLO)
        sent = proxy.last.headers["proxy-authorization"]
    assert "Basic " + b64encode(b"user:p@ss").decode() == sent


def test_a_proxy_without_login_gets_none() -> None:
    """No header is made up."""
    with Server(answers(reply(b"", "407 no"))) as proxy, open_pool("https://localhost:9", proxy=proxy.url) as pool:
        with pytest.raises(TransportError):
            send(pool, "80_made-up", HELLO)
        assert None is proxy.last.headers.get("proxy-authorization")


def test_the_proxy_never_gets_the_token() -> None:
    """CONNECT holds neither token nor path."""
    with Server(answers(reply(b"", "407 no"))) as proxy, open_pool("https://localhost:9", proxy=proxy.url) as pool:
        with pytest.raises(TransportError):
            send(pool, "80_made-up", HELLO)
        assert "80_made-up" not in str(proxy.heard)
        assert "localhost:9" == proxy.last.target


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"])
def test_the_environments_proxy_is_not_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a token goes is said in the code, not in the environment."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server(answers(reply())) as server, open_pool(server.url) as pool, open_pool() as https:
        send(pool, "80_made-up", HELLO)
        assert pool.proxy is None
        assert https.proxy is None
        assert 1 == len(server.heard)


def test_a_pool_of_ones_own_serves_as_well() -> None:
    """The pool of one host from a PoolManager is what the recipe of the TypeError gives."""
    with Server(answers(reply())) as server, urllib3.PoolManager() as manager:
        assert {"errcode": 0, "errmsg": "ok"} == send(manager.connection_from_url(server.url), "80_made-up", HELLO)


@pytest.mark.parametrize(
    ("missing", "present", "expected"),
    [
        (("TCP_KEEPIDLE",), {"TCP_KEEPALIVE": 16}, 16),  # macOS
        (("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"), {}, None),  # a system that has none of them
    ],
)
def test_a_system_with_other_keep_alive_options_gets_what_it_has(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], present: dict[str, int], expected: int | None
) -> None:
    """SO_KEEPALIVE is everywhere; how long to wait has another name on macOS, and may have none at all."""
    for name in missing:
        monkeypatch.delattr(socket, name, raising=False)
    for name, value in present.items():
        monkeypatch.setattr(socket, name, value, raising=False)
    with open_pool() as pool:
        options = pool.conn_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    assert (expected is not None) == ((socket.IPPROTO_TCP, expected, 30) in options)
