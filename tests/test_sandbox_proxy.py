"""The proxy: one host for clients that use it, a refusal for everything else, and the bounds of the other door."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3
from urllib3.exceptions import ReadTimeoutError

from tests.test_sandbox_peers import linux, peak_of, served
from tests.test_sandbox_server import CREDENTIALS, port_of, request_bytes, talk
from wxcs_lite.sandbox import Sandbox, Seen, sunset

HOST = "api.weixin.qq.com"
CONNECT = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode()
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
ASKED = request_bytes("GET", "/cgi-bin/getcallbackip")
Environment = dict[str, str]


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.user("ann").says("hi")
    return sandbox


@pytest.fixture
def environment(sandbox: Sandbox) -> Iterator[Environment]:
    with sandbox.proxy() as environment:
        yield environment


@pytest.fixture
def manager(environment: Environment) -> Iterator[urllib3.ProxyManager]:
    """A client that obeys the environment."""
    with urllib3.ProxyManager(environment["HTTPS_PROXY"], ca_certs=environment["SSL_CERT_FILE"]) as manager:
        yield manager


def port_in(environment: Environment) -> int:
    return port_of(environment["HTTPS_PROXY"])


def connect(environment: Environment, first: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port_in(environment)), timeout=10)
    connection.sendall(first)
    return connection


def receive(connection: socket.socket, expected: bytes) -> None:
    """Read as many bytes as these: they are these."""
    got = b""
    while len(got) < len(expected) and (data := connection.recv(len(expected) - len(got))):
        got += data
    assert expected == got


def trusting(environment: Environment) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def open_tunnel(environment: Environment) -> ssl.SSLSocket:
    connection = connect(environment, CONNECT)
    receive(connection, CONNECTED)
    context = trusting(environment)
    return context.wrap_socket(connection, server_hostname=HOST, suppress_ragged_eofs=False)


def hello(environment: Environment) -> bytes:
    """Return what a client says first in TLS."""
    leaving = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting(environment).wrap_bio(ssl.MemoryBIO(), leaving, server_hostname=HOST).do_handshake()
    return leaving.read()


def still_answers(environment: Environment) -> bool:
    return b"41001" in talk(port_in(environment), f"GET http://{HOST}/cgi-bin/getcallbackip HTTP/1.0\r\n\r\n".encode())


def test_the_official_address_leads_to_the_sandbox(sandbox: Sandbox, manager: urllib3.ProxyManager) -> None:
    """By name and by https; the connection is kept, and the message is on the phone."""
    token = manager.request("GET", f"https://{HOST}/cgi-bin/token?{CREDENTIALS}").json()["access_token"]
    url = f"https://{HOST}/cgi-bin/message/custom/send?access_token={token}"
    message = {"touser": "ann", "msgtype": "text", "text": {"content": "hello"}}
    assert 0 == manager.request("POST", url, json=message).json()["errcode"]
    assert ["hello"] == [delivered.message["text"]["content"] for delivered in sandbox.user("ann").inbox]
    assert 1 == manager.connection_from_url(url).num_connections


def test_a_tunnel_says_the_bytes_of_the_other_door() -> None:
    """Refusals and a picture larger than any piece too."""
    token = Sandbox().pool().request("GET", "/cgi-bin/token?" + CREDENTIALS).json()["access_token"]
    multipart = "Content-Type: multipart/form-data; boundary=B\r\n"
    upload = b'--B\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n'
    upload += sunset() + bytes(200_000) + b"\r\n--B--\r\n"
    said = request_bytes("GET", "/cgi-bin/token?" + CREDENTIALS) + request_bytes(
        "POST", f"/cgi-bin/media/upload?type=image&access_token={token}", upload, multipart
    )
    media_id = Sandbox().user("ann").sends_image(sunset() + bytes(300_000)).fields["MediaId"]
    said += request_bytes("GET", f"/cgi-bin/media/get?access_token={token}&media_id={media_id}")
    said += b"GET / HTTP/1.1 and no more of it\r\n\r\n"
    heard: list[bytes] = []
    for _ in range(2):
        sandbox = Sandbox()
        sandbox.user("ann").sends_image(sunset() + bytes(300_000))
        if not heard:
            with sandbox.serve() as url:
                heard.append(talk(port_of(url), said))
        else:
            with sandbox.proxy() as environment, open_tunnel(environment) as tunnel:
                tunnel.sendall(said)
                heard.append(b"".join(iter(lambda: tunnel.recv(65536), b"")))
    assert 300_000 < len(heard[0])
    assert heard[0] == heard[1]


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT example.com:443",
        "CONNECT 127.0.0.1:443",
        f"CONNECT {HOST}",
        f"CONNECT {HOST}:80",
        f"CONNECT {HOST}.:443",
        f"CONNECT x{HOST}:443",
        f"CONNECT {HOST}.example.com:443",
        "GET http://example.com/",
        f"GET http://{HOST}.example.com/",
        f"GET http://{HOST}@example.com/",
        f"GET http://ann@{HOST}/",
        f"GET http://{HOST}:8080/",
        f"GET http://{HOST}:443/",
        f"GET ftp://{HOST}/",
        f"GET http:/{HOST}/",
        "GET /cgi-bin/getcallbackip",
        f"POST http://example.com/?x=http://{HOST}/",
        "OPTIONS *",
    ],
)
def test_all_else_is_refused(environment: Environment, head: str) -> None:
    """Any other host, port and form: 403, in words, and the connection closes."""
    heard = talk(port_in(environment), f"{head} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() * 2)
    assert heard.startswith(f"HTTP/1.1 403 Only {HOST} is behind this proxy\r\n".encode())
    assert 1 == heard.count(b"HTTP/1.1")
    assert "不通向任何其他地址" in heard.decode()


@pytest.mark.parametrize(
    "prefix", [f"http://{HOST}", f"http://{HOST}:80", f"https://{HOST}", f"HTTPS://{HOST.upper()}:443"]
)
def test_absolute_targets_are_taken(environment: Environment, prefix: str) -> None:
    """As curl sends them for http, and some clients for https; the connection is kept."""
    asked = f"GET {prefix}/cgi-bin/getcallbackip?x=/y HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    heard = talk(port_in(environment), asked + asked)
    assert 2 == heard.count(b'"errcode":41001')


def test_a_target_without_a_path(environment: Environment) -> None:
    """It is the root, which there is not."""
    assert talk(port_in(environment), f"GET http://{HOST}?x=1 HTTP/1.1\r\n\r\n".encode()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"x" * 40_000, b"CONNECT\r\n\r\n"]
)
def test_garbage_is_refused(environment: Environment, data: bytes) -> None:
    """TLS to the proxy itself, a head without an end, half a line."""
    assert talk(port_in(environment), data).startswith(b"HTTP/1.1 400 ")


def test_a_body_without_a_length_is_refused_as_at_the_other_door(environment: Environment) -> None:
    """412, as WeChat says it."""
    asked = f"POST http://{HOST}/cgi-bin/message/custom/send HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert talk(port_in(environment), asked.encode()).startswith(b"HTTP/1.1 412 ")


def test_http_2_is_not_offered(environment: Environment) -> None:
    """A client that supports both learns which one it is; a strict one accepts the certificate."""
    with open_tunnel(environment) as tunnel:
        assert "http/1.1" == tunnel.selected_alpn_protocol()


def test_an_older_client(environment: Environment) -> None:
    """TLS 1.2 will do, as of Java 8."""
    context = trusting(environment)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        with context.wrap_socket(connection, server_hostname=HOST) as tunnel:
            tunnel.sendall(ASKED)
            assert b"41001" in tunnel.recv(65536)


def test_a_client_that_does_not_wait_for_the_tunnel(environment: Environment) -> None:
    """The bytes right after CONNECT are the beginning of TLS."""
    with connect(environment, CONNECT + hello(environment)) as connection:
        receive(connection, CONNECTED)
        assert b"\x16\x03" == connection.recv(2)  # the server's side of the handshake


def test_a_reply_that_closes_says_goodbye(environment: Environment) -> None:
    """TLS is closed properly, so that a client knows that nothing was cut off."""
    with open_tunnel(environment) as tunnel:
        tunnel.sendall(request_bytes("GET", "/cgi-bin/getcallbackip", headers="Connection: close\r\n"))
        assert b"41001" in b"".join(iter(lambda: tunnel.recv(65536), b""))


def test_a_client_that_says_goodbye_hears_it_back(environment: Environment) -> None:
    """A clean end on both sides, with what was asked before it answered."""
    with open_tunnel(environment) as tunnel:
        tunnel.sendall(ASKED)
        assert b"41001" in tunnel.recv(65536)
        with tunnel.unwrap() as plain:
            assert b"" == plain.recv(1)


def test_a_lost_connection_says_nothing(sandbox: Sandbox, environment: Environment) -> None:
    """As in life: no end of TLS."""
    sandbox.fail_next(drop="before")
    with open_tunnel(environment) as tunnel:
        tunnel.sendall(ASKED)
        with pytest.raises(ssl.SSLEOFError):
            tunnel.recv(1)


def test_a_slow_reply(sandbox: Sandbox, manager: urllib3.ProxyManager) -> None:
    """It is waited for inside a tunnel, too."""
    sandbox.fail_next(slow=30)
    with pytest.raises(ReadTimeoutError):
        manager.request("GET", f"https://{HOST}/", retries=False, timeout=urllib3.Timeout(connect=10, read=0.2))


@pytest.mark.parametrize("data", [b"no TLS at all\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x17\x03\x03\x00\x01x"])
def test_garbage_in_a_tunnel(environment: Environment, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """The connection closes, perhaps with an alert, and nobody else notices."""
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        connection.sendall(data)
        assert len(b"".join(iter(lambda: connection.recv(1024), b""))) < 100
    assert still_answers(environment)
    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("size", [0, 1, 200])
def test_a_client_that_hangs_up_in_its_handshake(
    environment: Environment, size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """At any byte of it; nothing is printed, and nobody else notices."""
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        connection.sendall(hello(environment)[:size])
        connection.shutdown(socket.SHUT_WR)
        assert b"" == connection.recv(1)
    assert still_answers(environment)
    assert ("", "") == capfd.readouterr()


def test_a_client_that_does_not_trust_the_certificate(environment: Environment) -> None:
    """Its alert ends the connection."""
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)
    assert still_answers(environment)


def test_a_slow_handshake_is_cut(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """However steadily its bytes come: the time is that of the whole."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._PATIENCE", 0.5)
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        connection.settimeout(0.05)
        sent = 0
        for byte in hello(environment)[:-1]:
            try:
                connection.sendall(bytes([byte]))
                sent += 1
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert sent < 200


def test_records_that_say_nothing_are_no_pastime(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the handshake, too: the first request has to begin in time, whatever else of TLS arrives."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._PATIENCE", 1.0)
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting(environment).wrap_bio(arrived, leaving, server_hostname=HOST)
    with connect(environment, CONNECT) as connection:
        receive(connection, CONNECTED)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(leaving.read())
                said = connection.recv(65536)
                assert said, "cut in the handshake"
                arrived.write(said)
        connection.sendall(leaving.read())
        tls.write(ASKED)
        record = leaving.read()
        connection.settimeout(0.1)
        sent = 0
        for byte in record[:-1]:
            try:
                connection.sendall(bytes([byte]))
                sent += 1
                while connection.recv(65536):  # tickets
                    pass
                break
            except TimeoutError:
                continue
            except OSError:
                break
    assert sent < 60


def test_on_request_is_told_of_calls_and_of_what_is_refused(sandbox: Sandbox) -> None:
    """A tunnel is not a request; the requests inside it are, as at the other door."""
    seen: list[Seen] = []
    with sandbox.proxy(on_request=seen.append) as environment:
        talk(port_in(environment), b"CONNECT example.com:443 HTTP/1.1\r\n\r\n")
        talk(port_in(environment), f"GET http://{HOST}/nowhere?access_token=T0KEN HTTP/1.1\r\n\r\n".encode())
        with open_tunnel(environment) as tunnel:
            tunnel.sendall(ASKED)
            tunnel.recv(1)
    assert [
        Seen("CONNECT", "example.com:443", (), "", 403, None),
        Seen("GET", "/nowhere", (), "", 404, None),
        Seen("GET", "/cgi-bin/getcallbackip", (), "", 200, 41001),
    ] == seen


def test_what_the_listener_raises_shows(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """Also an error of TLS that is not from the tunnel in which it happens."""

    def fail(seen: Seen) -> None:
        raise ssl.SSLError("of a log on another machine")

    with sandbox.proxy(on_request=fail) as environment, open_tunnel(environment) as tunnel:
        tunnel.sendall(ASKED)
        with pytest.raises(ssl.SSLEOFError):
            tunnel.recv(1)
    assert "of a log on another machine" in capfd.readouterr().err


def test_nothing_is_left_behind(sandbox: Sandbox) -> None:
    """Certificates exist for the block; after it neither they nor the port do."""
    with sandbox.proxy() as environment:
        folder = Path(environment["SSL_CERT_DIR"])
        assert ["ca.ini", "ca.p12", "ca.pem"] == sorted(path.name for path in folder.iterdir())
        assert not [path for path in folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        connect(environment)


def test_the_child_of_a_fork_leaves_its_parent_everything(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving the block there removes nothing, because the process has another id."""
    with monkeypatch.context() as patched:
        with sandbox.proxy() as environment:
            folder = Path(environment["SSL_CERT_DIR"])
            patched.setattr("wxcs_lite.sandbox.door.proxy.os", SimpleNamespace(getpid=lambda: 0))
        assert (folder / "ca.pem").exists()
    shutil.rmtree(folder)


def test_without_cryptography_it_says_what_to_install(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that has it is `push`."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ec", None)
    with pytest.raises(ImportError, match="proxy needs the package cryptography: pip install 'cryptography>="):
        sandbox.proxy().__enter__()


def test_a_taken_port_is_named(sandbox: Sandbox, environment: Environment) -> None:
    """Which port it was, and what to do."""
    port = port_in(environment)
    with pytest.raises(OSError, match=f"port {port} cannot be opened.*choose another"):
        sandbox.proxy(port).__enter__()
    with pytest.raises(ValueError, match="port must be from 0 to 65535, not 70000"):
        sandbox.proxy(70000).__enter__()


def test_who_ignores_the_proxy_says_nothing_to_another_server(environment: Environment) -> None:
    """A program trusts this run's certificate alone in that environment: the real host's would be foreign, too."""
    program = f"import urllib.request as it\ntry: it.urlopen('https://{HOST}/')\nexcept OSError as e: print(e)"
    seen: list[Seen] = []
    with Sandbox().proxy(on_request=seen.append) as another:
        whole = {**os.environ, **environment, "HTTPS_PROXY": "", "https_proxy": another["https_proxy"]}
        done = subprocess.run([sys.executable, "-c", program], env=whole, capture_output=True, text=True, check=True)
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout
    assert [] == seen


def test_what_is_set(environment: Environment) -> None:
    """Both cases of the proxy's variables, one bundle for all; Java and PHP have theirs."""
    url, bundle = environment["HTTPS_PROXY"], environment["SSL_CERT_FILE"]
    assert {url} == {environment[name] for name in ("HTTP_PROXY", "http_proxy", "https_proxy")}
    assert {"127.0.0.1,localhost"} == {environment["NO_PROXY"], environment["no_proxy"]}
    assert {bundle} == {environment[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}
    assert "1" == environment["NODE_USE_ENV_PROXY"]
    assert f"-Dhttps.proxyPort={port_of(url)} " in environment["JAVA_TOOL_OPTIONS"]
    extra = Path(environment["PHP_INI_SCAN_DIR"].removeprefix(os.pathsep), "ca.ini").read_text()
    assert f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n' == extra


def test_who_holds_the_other_end_may_close_first(sandbox: Sandbox) -> None:
    """Leaving the block hangs up on tunnels that are open: their plain socket still has its descriptor."""
    with sandbox.proxy() as environment:
        tunnel = open_tunnel(environment)
        tunnel.sendall(ASKED)
        tunnel.recv(65536)
    with closing(tunnel), pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
        tunnel.recv(1)


def test_who_only_opened_a_tunnel_was_not_served(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who keep the door waiting, the one goes who never sent a whole request, though it came later."""
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._CONNECTIONS", 2)
    monkeypatch.setattr("wxcs_lite.sandbox.http.peers.GRACE", 0.05)
    with sandbox.proxy() as environment, open_tunnel(environment) as served:
        for _ in range(2):  # once the second answer is here, the first has been counted
            served.sendall(ASKED)
            assert served.recv(65536)
        with connect(environment, CONNECT) as opening:
            receive(opening, CONNECTED)
            time.sleep(0.1)  # both have kept the server waiting for longer than GRACE, so that either could be cut
            assert still_answers(environment)
            assert b"" == opening.recv(1)
        served.sendall(ASKED)
        assert served.recv(65536)


def test_a_slow_reader_of_a_large_reply_is_cut(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole reply, not of each piece that is encrypted."""
    sandbox = Sandbox()
    media_id = sandbox.user("ann").sends_image(sunset() + bytes(9_900_000)).fields["MediaId"]
    token = sandbox.pool().request("GET", "/cgi-bin/token?" + CREDENTIALS).json()["access_token"]
    monkeypatch.setattr("wxcs_lite.sandbox.http.server._PATIENCE", 0.3)
    with sandbox.proxy() as environment, open_tunnel(environment) as tunnel:
        tunnel.sendall(request_bytes("GET", f"/cgi-bin/media/get?access_token={token}&media_id={media_id}"))
        with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
            read_slowly(tunnel, 9_900_000)


def read_slowly(tunnel: ssl.SSLSocket, size: int) -> None:
    read = 0
    while read < size:
        said = tunnel.recv(65536)
        assert said, "cut with a word"
        read += len(said)
        time.sleep(0.005)


@linux
def test_a_crowd_in_tunnels_locks_nobody_out() -> None:
    """300, of whom half say nothing and half read nothing of a large picture: others get it, in little memory."""
    with served("--proxy") as (process, url), ExitStack() as stack:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        bundle = next(line for line in lines if "SSL_CERT_FILE=" in line).partition("=")[2].strip()
        environment = {"HTTPS_PROXY": url, "SSL_CERT_FILE": bundle}
        manager = stack.enter_context(urllib3.ProxyManager(url, ca_certs=bundle))
        token = manager.request("GET", f"https://{HOST}/cgi-bin/token?{CREDENTIALS}").json()["access_token"]
        picture = sunset() + bytes(9_900_000)
        uploaded = manager.request(
            "POST",
            f"https://{HOST}/cgi-bin/media/upload?type=image&access_token={token}",
            fields={"media": ("a.jpg", picture, "image/jpeg")},
        )
        target = f"/cgi-bin/media/get?access_token={token}&media_id={uploaded.json()['media_id']}"
        for number in range(300):
            if number % 2:
                receive(stack.enter_context(connect(environment, CONNECT)), CONNECTED)
            else:
                stack.enter_context(open_tunnel(environment)).sendall(request_bytes("GET", target))
        assert picture == manager.request("GET", f"https://{HOST}{target}", timeout=60).data
        assert peak_of(process) < 150
