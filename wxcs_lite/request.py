"""A request is a value: it can be looked at, compared, kept, and sent by any HTTP library.

It tells the layers below all they need to know about a call: whether it takes a token, and what comes back. None of
them looks at the path. Shown to people, as an HTTP message or a curl command, it reveals no secret.
"""

import json
import os
import re
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from wxcs_lite.multipart import Multipart
from wxcs_lite.scrub import scrub
from wxcs_lite.secret import Secret, credential, hide, hide_if_str, hide_named, is_telling

__all__ = ["API", "JSON", "SECRETS", "Gives", "Request"]

API = "https://api.weixin.qq.com"
JSON = "application/json"

Gives = Literal["json", "receipt", "media"]

SECRETS = ("secret", "appsecret")  # a call that has one of these fields or parameters takes no token
_BASE = r"(?i)https?://[^/?#@\\\x00-\x20\x7f]+(?:/[^?#\\\x00-\x20\x7f]*)?"
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")


class Request(NamedTuple):
    """A WeChat call as a value: method, path, query (pairs), body (bytes, `Multipart` or None) and content type.

    >>> from wxcs_lite.endpoints import get_rid
    >>> request = get_rid("61725984-6126f6f9-040f19c4")
    >>> request
    <Request POST /cgi-bin/openapi/rid/get, 36 bytes of application/json>
    >>> print(request.url("80_made+up"))
    /cgi-bin/openapi/rid/get?access_token=80_made%2Bup

    It never holds an access token; str and curl leave out what is named like a secret in body or query.
    `extra_headers` are pairs that are sent beside Content-Type. `gives` says what comes back: "receipt" confirms a
    message (if it gets lost, sending again may deliver twice), "media" is a file, "json" any other JSON object.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | Multipart | None = None
    content_type: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()
    takes_token: bool = True
    gives: Gives = "json"

    @property
    def headers(self) -> dict[str, str]:
        """All headers of the call: its Content-Type and its extra ones.

        >>> Request("POST", "/x", (), b"{}", JSON, (("X-Made-Up", "1"),)).headers
        {'Content-Type': 'application/json', 'X-Made-Up': '1'}
        """
        headers = {} if self.content_type is None or self.body is None else {"Content-Type": self.content_type}
        headers.update(self.extra_headers)
        return headers

    def url(self, token: str | None, base: str = "") -> str:
        """Return path and query, ready for a host-bound pool; with a base, the whole URL for any HTTP library.

        >>> from wxcs_lite.endpoints import get_callback_ip
        >>> print(get_callback_ip().url("80_made-up", base="https://gateway.example/wx"))
        https://gateway.example/wx/cgi-bin/getcallbackip?access_token=80_made-up

        token is None for a call that takes none; `request.API` is WeChat's own base. Raises ValueError for a base that
        is not http or https, host and path.

        With a token it is a str whose repr is hidden, because a notebook saves what its cells show. Inside WeChat cloud
        hosting, pass None, a `FromAppid` or a `CloudbaseToken` instead.
        """
        token, base = credential(token), hide_if_str(base)  # a base may hold a login
        path = _joined(base, self.path)
        query = "".join([f"&{name}={quote(value, safe='')}" for name, value in self.query])
        if isinstance(token, Secret):
            return hide(f"{path}?{token.parameter}={quote(token, safe='')}{query}")
        if token is not None:
            query = f"&{token.parameter}={quote(token, safe='')}{query}"
        url = f"{path}?{query[1:]}" if query else path
        return hide(url) if any(is_telling(name) for name, _ in self.query) else url

    def curl(self, url: str = API) -> str:
        """Return the curl command that does the same; the token stays `$WXCS_TOKEN`, a secret `$WXCS_SECRET`.

        >>> from wxcs_lite.endpoints import set_typing
        >>> print(set_typing("OPENID").curl())
        curl -sS "https://api.weixin.qq.com/cgi-bin/message/custom/typing?access_token=$WXCS_TOKEN" \\
          -H 'Content-Type: application/json' \\
          --data-raw '{"touser":"OPENID","command":"Typing"}'

        Everything that comes from a message is quoted for a POSIX shell.
        """
        return " \\\n  ".join(_curl(self, url))

    def __str__(self) -> str:
        """Return the request as an HTTP message: JSON is indented, sizes are those on the wire."""
        lines = [f"{self.method} {_target(self, '***', '***')} HTTP/1.1"]
        lines += [_header(name, value) for name, value in self.headers.items()]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\n".join([*lines, *_body(self.body)])

    def __sentry_repr__(self) -> str:  # Sentry walks through tuples without asking for their repr
        return repr(self)

    def __repr__(self) -> str:
        size = "" if self.body is None else f", {len(self.body)} bytes of {(self.content_type or '').partition(';')[0]}"
        return f"<Request {self.method} {self.path}{size}>"


def _joined(base: object, path: str) -> str:
    """Return the path after a base, which is empty or scheme, host and path; a wrong base is not shown."""
    if base == "":
        return path
    if not isinstance(base, str) or not re.fullmatch(_BASE, base):
        raise ValueError(
            "base must look like https://api.weixin.qq.com, with no query or user\n"
            "base 应形如 https://api.weixin.qq.com，不能带参数或用户名"
        )
    return f"{base.rstrip('/')}{path}"


def _target(request: Request, token: str, secret: str) -> str:
    """Return path and query as they are sent, with placeholders for token and secret."""
    pairs = [f"access_token={token}"] if request.takes_token else []
    pairs += [f"{name}={secret if is_telling(name) else quote(value, safe='')}" for name, value in request.query]
    return f"{request.path}?{'&'.join(pairs)}" if pairs else request.path


def _header(name: str, value: str) -> str:
    if name.lower() in ("content-type", "wechatmp-signature"):
        return f"{name}: {value}"  # as long as a secret, but not secret
    return f"{name}: {'***' if name.lower() in _SECRET_HEADERS else scrub(value)}"


def _body(body: bytes | Multipart | None) -> list[str]:
    if body is None:
        return []
    if isinstance(body, Multipart):
        head, tail = body.head.decode(), body.tail.decode()
        size = len(body) - len(body.head) - len(body.tail)
        return ["", *head.rstrip().splitlines(), "", f"<{size:,} bytes>", *tail.strip().splitlines()]
    fields = _fields(body)
    if fields is None:
        return ["", f"<{len(body):,} bytes>"]
    return ["", json.dumps(hide_named(fields, lambda _: "***"), ensure_ascii=False, indent=2)]


def _fields(body: bytes) -> dict[str, Any] | None:
    """Return the fields of a JSON object, or None: a handmade request may carry anything."""
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _curl(request: Request, url: str) -> list[str]:
    from shlex import quote as shell_quote  # only this needs it

    # Percent-encoding leaves no foreign quote, dollar or backquote in the target, so double quotes around it are safe.
    lines = [f'curl -sS "{url.rstrip("/")}{_target(request, "$WXCS_TOKEN", "$WXCS_SECRET")}"']
    body = request.body
    if request.method != ("GET" if body is None else "POST"):
        lines.append(f"-X {shell_quote(request.method)}")
    written_by_curl = ("content-type",) if isinstance(body, Multipart) else ()
    for name, value in request.headers.items():
        if name.lower() not in written_by_curl:
            lines.append(f"-H {shell_quote(_header(name, value))}")
    if isinstance(body, Multipart):
        named = re.search(r'filename="([^"]+)"\r\nContent-Type: (\S+)', body.head.decode())
        part = f"{named[1]};type={named[2]}" if named else "file"
        lines.append(f"-F {shell_quote(f'media=@{part}')}")
    elif body is not None:
        lines.append(_shell_json(body, shell_quote))
    return lines


def _shell_json(body: bytes, shell_quote: Any) -> str:
    fields = _fields(body)
    if fields is None:
        return "--data-binary @body"
    mark = os.urandom(16).hex()  # stands for a secret, and nobody can have written it into a message
    compact = json.dumps(hide_named(fields, lambda _: mark), ensure_ascii=False, separators=(",", ":"))
    if mark not in compact:
        return f"--data-raw {shell_quote(body.decode())}"
    return "--data-raw " + '"$WXCS_SECRET"'.join(shell_quote(part) for part in compact.split(mark))
