"""Each kind of call, made so that its answer differs from every other's: its name goes out and must come back.

A name such as `id17x` is in the token or appid of the request, and so in the true answer. A value with another name
is another call's reply.
"""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote

from tests.hostile import Heard
from wxcs_lite import (
    call,
    clear_quota,
    download,
    endpoints,
    fetch_token,
    fresh_token,
    get_callback_ip,
    get_quota,
    get_rid,
    perform,
    send,
    set_typing,
    showing_typing,
    stream,
    text,
    upload,
)
from wxcs_lite.pools import Pool

__all__ = ["JPEG", "KINDS", "Got", "Kind", "name_of", "names_in", "readable", "secrets_of", "token_of", "true_body"]

JPEG = b"\xff\xd8\xff\xe0 made up "
_NAME = re.compile(r"id\d+x")
_TAIL = "qW3eR5tY7uI9oP1aS" * 2


def token_of(name: str) -> str:
    return f"80_{name}_{_TAIL}"


def _secret_of(name: str) -> str:
    return f"s0_{name}_{_TAIL[::-1]}"


class Got(NamedTuple):
    """What a call returned: as it would be shown, and everything that it holds."""

    shown: str
    content: str


class Kind(NamedTuple):
    """A kind of call; `receipt` for a message or a status, whose success only an errcode of 0 confirms."""

    call: Callable[[Pool, str], Got]
    path: str
    receipt: bool = False
    tells: bool = True  # its value holds what the server said
    secret: Callable[[str], str] = token_of


def _new_token_of(name: str) -> str:
    return f"81_{name}_{_TAIL.swapcase()}"


def secrets_of(name: str) -> tuple[str, ...]:
    """Return what nobody may see of the call of this name: inner parts count, too."""
    return tuple(secret[3:35] for secret in (token_of(name), _secret_of(name), _new_token_of(name)))


def names_in(content: str) -> set[str]:
    return set(_NAME.findall(content))


def name_of(heard: Heard) -> str:
    """Return the name that a request carries: in its token, or in the appid of its body."""
    found = _NAME.search(heard.target) or _NAME.search(heard.body.decode("latin-1"))
    return found[0] if found else ""


def readable(shown: str) -> str:
    """Return a text with everything taken back that one look-up in a table takes back: %41, \\u0041, \\/, &#65;."""
    escaped = re.sub(r"(?i)\\u([0-9a-f]{4})|\\x([0-9a-f]{2})", lambda found: chr(int(found[1] or found[2], 16)), shown)
    return "\n".join((shown, *(unescape(unquote(text.replace("\\/", "/"))) for text in (shown, escaped))))


def _plain(value: object) -> Got:
    return Got(repr(value), repr(value))


def _download(pool: Pool, name: str) -> Got:
    medium = download(pool, token_of(name), "MEDIA_ID")
    return Got(repr(medium), repr(medium.content))


def _stream(pool: Pool, name: str) -> Got:
    with stream(pool, token_of(name), "MEDIA_ID") as medium:
        return Got(repr(medium), repr(b"".join(medium)))


def _token(pool: Pool, name: str) -> Got:
    token = fetch_token(pool, f"wx_{name}", _secret_of(name))
    return Got(repr(token), str(token))


def _fresh(pool: Pool, name: str) -> Got:
    fresh = fresh_token(pool, f"wx_{name}", _secret_of(name))
    return Got(repr(fresh), str(fresh()))


def _perform(pool: Pool, name: str) -> Got:
    reply = perform(pool, token_of(name), endpoints.get_callback_ip())
    return Got(repr(reply), repr(reply.body))


def _showing(pool: Pool, name: str) -> Got:
    with showing_typing(pool, token_of(name), "OPENID"):
        return Got("", "")


_TYPING = "/cgi-bin/message/custom/typing"
KINDS: dict[str, Kind] = {
    "send": Kind(
        lambda pool, name: _plain(send(pool, token_of(name), text("OPENID", "hello"))),
        "/cgi-bin/message/custom/send",
        receipt=True,
    ),
    "set_typing": Kind(
        lambda pool, name: _plain(set_typing(pool, token_of(name), "OPENID")),
        _TYPING,
        receipt=True,
    ),
    "showing_typing": Kind(_showing, _TYPING, tells=False),
    "upload": Kind(lambda pool, name: _plain(upload(pool, token_of(name), JPEG)), "/cgi-bin/media/upload"),
    "download": Kind(_download, "/cgi-bin/media/get"),
    "stream": Kind(_stream, "/cgi-bin/media/get"),
    "fetch_token": Kind(_token, "/cgi-bin/stable_token", secret=_secret_of),
    "fresh_token": Kind(_fresh, "/cgi-bin/stable_token", secret=_secret_of),
    "get_rid": Kind(lambda pool, name: _plain(get_rid(pool, token_of(name), "RID")), "/cgi-bin/openapi/rid/get"),
    "get_quota": Kind(lambda pool, name: _plain(get_quota(pool, token_of(name))), "/cgi-bin/openapi/quota/get"),
    "get_callback_ip": Kind(lambda pool, name: _plain(get_callback_ip(pool, token_of(name))), "/cgi-bin/getcallbackip"),
    "clear_quota": Kind(lambda pool, name: _plain(clear_quota(pool, token_of(name), "wx1")), "/cgi-bin/clear_quota"),
    "call": Kind(
        lambda pool, name: _plain(call(pool, token_of(name), "/cgi-bin/business/register", {"account_name": "a"})),
        "/cgi-bin/business/register",
    ),
    "perform": Kind(_perform, "/cgi-bin/getcallbackip"),
}


def true_body(path: str, name: str) -> bytes:
    """Return what WeChat would answer to this path, with the name in it."""
    if path == "/cgi-bin/media/get":
        return JPEG + name.encode()
    found: dict[str, object] = {"errcode": 0, "errmsg": f"ok {name}"}
    if path == "/cgi-bin/media/upload":
        found = {"type": "image", "media_id": name, "created_at": 1672500000}
    elif path == "/cgi-bin/stable_token":
        found = {"access_token": _new_token_of(name), "expires_in": 7200}
    elif path == "/cgi-bin/getcallbackip":
        found = {"ip_list": [name]}
    return json.dumps(found).encode()
