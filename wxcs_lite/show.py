"""How a request looks to people: as an HTTP message, and as a curl command. Neither shows a secret."""

import json
import re
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

from wxcs_lite.multipart import Multipart

if TYPE_CHECKING:
    from wxcs_lite.endpoints import Request

__all__ = ["as_curl", "as_http"]

_SECRETS = ("secret", "appsecret")


def as_http(request: "Request") -> str:
    """Return the request as an HTTP message: JSON set out for reading, sizes as they are on the wire."""
    lines = [f"{request.method} {_target(request, '***', '***')} HTTP/1.1"]
    if request.body is not None:
        lines += [f"Content-Type: {request.content_type}", f"Content-Length: {len(request.body)}"]
    return "\n".join([*lines, *_body(request.body)])


def _target(request: "Request", token: str, secret: str) -> str:
    """Return path and query as they leave, with something else in place of token and secret."""
    pairs = [f"access_token={token}"] if request.takes_token else []
    pairs += [f"{name}={secret if name in _SECRETS else percent(value, safe='')}" for name, value in request.query]
    return f"{request.path}?{'&'.join(pairs)}" if pairs else request.path


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
    shown = {name: "***" if name in _SECRETS else value for name, value in fields.items()}
    return ["", json.dumps(shown, ensure_ascii=False, indent=2)]


def _fields(body: bytes) -> dict[str, Any] | None:
    """Return the fields of a JSON object, or None: a handmade request may carry anything."""
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def as_curl(request: "Request", url: str) -> str:
    """Return the curl command that does the same, quoted for a POSIX shell."""
    # Percent-encoding leaves no quote, dollar or backquote of others in the target: double quotes are safe around it.
    lines = [f'curl -sS "{url.rstrip("/")}{_target(request, "$WXCS_TOKEN", "$WXCS_SECRET")}"']
    body = request.body
    if request.method != ("GET" if body is None else "POST"):
        lines.append(f"-X {quote(request.method)}")
    if isinstance(body, Multipart):
        named = re.search(r'filename="([^"]+)"\r\nContent-Type: (\S+)', body.head.decode())
        part = f"{named[1]};type={named[2]}" if named else "file"
        lines.append(f"-F {quote(f'media=@{part}')}")
    elif body is not None:
        lines.append(f"-H {quote(f'Content-Type: {request.content_type}')}")
        lines.append(_shell_json(body))
    return " \\\n  ".join(lines)


def _shell_json(body: bytes) -> str:
    fields = _fields(body)
    if fields is None:
        return "--data-binary @body"
    name = next((name for name in _SECRETS if name in fields), None)
    if name is None:
        return f"--data-raw {quote(body.decode())}"
    compact = json.dumps({**fields, name: ""}, ensure_ascii=False, separators=(",", ":"))
    before, _, after = compact.partition(f'"{name}":""')
    return f"""--data-raw {quote(f'{before}"{name}":"')}"$WXCS_SECRET"{quote(f'"{after}')}"""
