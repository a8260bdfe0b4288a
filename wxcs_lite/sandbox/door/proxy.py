"""An HTTPS proxy that leads to the sandbox, for SDKs that know one address and cannot be told another.

They obey the proxy of the environment, ask for the official host, and are answered by the sandbox with a certificate
that was made for this run. Nothing is passed on to anybody: every other host is refused.
"""

import os
import re
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from wxcs_lite.sandbox.door.certificates import TRUST_STORE_PASSWORD, certify
from wxcs_lite.sandbox.door.tunnel import Tunnel
from wxcs_lite.sandbox.http.http11 import Admit, Conversation, origin_form
from wxcs_lite.sandbox.http.server import Talk, serving
from wxcs_lite.sandbox.http.values import Answer, Outcome, Reply, Request, Seen

__all__ = ["proxying"]

_HOST = "api.weixin.qq.com"
# An absolute https target is what some clients send instead of CONNECT.
_ABSOLUTE = re.compile(r"(?i:http://{0}(?::80)?|https://{0}(?::443)?)(/.*)?".format(re.escape(_HOST)))
_CONNECTED = Answer(b"HTTP/1.1 200 Connection established\r\n\r\n")
_ONLY = f"Only {_HOST} is behind this proxy"
_REFUSED = Answer(
    Reply(
        403,
        (("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")),
        f"{_ONLY}: it is the sandbox of wxcs_lite, and leads nowhere else.\n"
        f"这是 wxcs_lite 沙箱的代理，只代理 {_HOST}，不通向任何其他地址。\n".encode(),
        reason=_ONLY,  # many clients show nothing else
    )
)

OnRequest = Callable[[Seen], object] | None


@contextmanager
def proxying(
    converse: Callable[[OnRequest, Admit], Conversation], port: int, on_request: OnRequest
) -> Iterator[dict[str, str]]:
    """Serve for the length of the block, and give the environment in which programs come here."""
    folder, process = Path(tempfile.mkdtemp(prefix="wxcs_lite-")), os.getpid()
    try:
        context = certify(_HOST, folder)
        with serving(lambda: _ProxyTalk(context, converse, on_request), port) as url:
            yield _environment(url, folder)
    finally:
        if os.getpid() == process:  # the child of a fork leaves its parent what it needs
            shutil.rmtree(folder)


class _ProxyTalk:
    """One connection to the proxy: requests with absolute targets, until CONNECT turns it into a tunnel."""

    def __init__(
        self,
        context: ssl.SSLContext,
        converse: Callable[[OnRequest, Admit], Conversation],
        on_request: OnRequest,
    ) -> None:
        self._context = context
        self._inside = partial(converse, on_request, origin_form)
        self._connected = False
        self._plain = converse(on_request, self._admit)
        self._talk: Talk = self._plain

    @property
    def held(self) -> int:
        return self._talk.held

    def feed(self, data: bytes) -> Iterator[Outcome]:
        for outcome in self._talk.feed(data):
            if self._connected and self._talk is self._plain:
                yield outcome._replace(close=False, ends=False)
                self._talk = Tunnel(self._context, self._inside())
                yield from self._talk.feed(self._plain.unread)
                self._plain.close()
                return
            yield outcome

    def close(self) -> None:
        self._talk.close()

    def _admit(self, head: Request) -> Request | Answer:
        if head.method == "CONNECT":
            self._connected = head.path.lower() == f"{_HOST}:443"
            return _CONNECTED if self._connected else _REFUSED
        found = _ABSOLUTE.fullmatch(head.path)
        return _REFUSED if found is None else head._replace(path=found[1] or "/")


def _environment(url: str, folder: Path) -> dict[str, str]:
    """Return what makes programs of many languages come to this address and trust what they find there.

    They trust it alone: a program that does not obey the proxy, and so reaches the real host, ends with an error of
    TLS before it has said a word to it. (Node's variable only adds to what it trusts, and so does curl's on Debian.)
    """
    bundle, colon, port = str(folder / "ca.pem"), os.pathsep, url.rpartition(":")[2]
    java = {f"{scheme}.proxyHost": "127.0.0.1" for scheme in ("http", "https")}
    java |= {f"{scheme}.proxyPort": port for scheme in ("http", "https")}
    java |= {"http.nonProxyHosts": "127.0.0.1|localhost", "javax.net.ssl.trustStore": str(folder / "ca.p12")}
    java |= {"javax.net.ssl.trustStoreType": "PKCS12", "javax.net.ssl.trustStorePassword": TRUST_STORE_PASSWORD}
    proxy = {"HTTPS_PROXY": url, "HTTP_PROXY": url, "NO_PROXY": "127.0.0.1,localhost"}  # their own loopback stays so
    return {
        **proxy,
        **{name.lower(): value for name, value in proxy.items()},  # curl knows http_proxy in this form only
        "SSL_CERT_FILE": bundle,  # OpenSSL, so Python, Ruby and others, and Go
        "SSL_CERT_DIR": str(folder),  # both read the system's, too, unless this names another
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": bundle,
        "NODE_USE_ENV_PROXY": "1",  # from Node 24 on its fetch obeys the proxy with it
        "PHP_INI_SCAN_DIR": f"{colon}{folder}",  # beside its own files, as `-d curl.cainfo=… -d openssl.cafile=…`
        "JAVA_TOOL_OPTIONS": " ".join(f"-D{name}={value}" for name, value in java.items()),
    }
