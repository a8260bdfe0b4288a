"""The calls of WeChat that the sandbox answers: from a request past the common checks to the fields of its reply."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .bodies import media_part
from .errmsg import RefusedError
from .shelf import check_type, check_upload, content_type
from .wire import Reply, Request

if TYPE_CHECKING:
    from .world import World

__all__ = ["ROUTES", "Call", "Route", "well_formed"]

MAX_TEXT: Final = 2048  # bytes of UTF-8 (measured by users; not published)
_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINKED_APPID: Final = re.compile(r"""data-miniprogram-appid\s*=\s*["']?([^"'\s>]*)""")
_OK: Final[Mapping[str, Any]] = MappingProxyType({"errcode": 0, "errmsg": "ok"})


class Call(NamedTuple):
    """One call: when, the request, and its JSON body if the route reads one."""

    now: float
    request: Request
    json: dict[str, Any]

    def __repr__(self) -> str:
        return f"Call({self.request.method} {self.request.path})"


Answerer = Callable[["World", Call], Mapping[str, Any] | Reply]


class Route(NamedTuple):
    answer: Answerer
    methods: tuple[str, ...] = ("POST",)
    takes_token: bool = True
    reads_json: bool = True


def well_formed(openid: object) -> bool:
    """Return whether a text can be an openid at all.

    >>> well_formed("oGZUI0egBJY1zhBYw2KhdUfwVJJE"), well_formed("张三")
    (True, False)
    """
    return isinstance(openid, str) and _OPENID.fullmatch(openid) is not None


def _text(part: Mapping[str, Any], name: str) -> str:
    """Return a required text; 41011 and 40035 are inferred from their published texts, not seen on these calls."""
    value = part.get(name)
    if value is None:
        raise RefusedError(41011)
    if not isinstance(value, str):
        raise RefusedError(40035)
    return value


# --- tokens


def token(world: "World", call: Call) -> Mapping[str, Any]:
    world.check_account(dict(reversed(call.request.query)), call)
    value, expires_in = world.tokens.mint(call.now)
    return {"access_token": value, "expires_in": expires_in}


def stable_token(world: "World", call: Call) -> Mapping[str, Any]:
    world.check_account(call.json, call)  # parameters in the query are not read
    value, expires_in = world.tokens.stable(call.now, force=call.json.get("force_refresh") is True)
    return {"access_token": value, "expires_in": expires_in}


# --- messages


def send(world: "World", call: Call) -> Mapping[str, Any]:
    message, now = call.json, call.now
    if not well_formed(message.get("touser")):
        raise RefusedError(40003)
    msgtype = message.get("msgtype")
    if not isinstance(msgtype, str):
        raise RefusedError(40008)
    if msgtype not in _PARTS:
        raise RefusedError(45162)  # seen for news; for the other types inferred
    part = message.get(msgtype)
    if not isinstance(part, dict | None):
        raise RefusedError(40035)
    picture = _PARTS[msgtype](world, part or {}, now)
    person = world.person(message["touser"])
    person.window.check_send(now)
    person.window.sent(now)
    # WeChat has answered ok to a link with empty addresses, and shown the user nothing: success is not delivery.
    if not (msgtype == "link" and part and not part["url"] and not part["thumb_url"]):
        person.show(now, message, picture)
    return _OK


def _text_message(world: "World", part: Mapping[str, Any], now: float) -> None:
    if part.get("content") in (None, ""):
        raise RefusedError(44004)
    content = _text(part, "content")
    if len(content.encode()) > MAX_TEXT:
        raise RefusedError(45002)
    if any(match[1] != world.appid for match in _LINKED_APPID.finditer(content)):
        raise RefusedError(45086)


def _image(world: "World", part: Mapping[str, Any], now: float) -> bytes:
    return world.shelf.get(part.get("media_id"), now, ("image",)).content


def _link(world: "World", part: Mapping[str, Any], now: float) -> None:
    for name in ("title", "description", "url", "thumb_url"):
        _text(part, name)


def _miniprogrampage(world: "World", part: Mapping[str, Any], now: float) -> bytes:
    for name in ("title", "pagepath"):
        _text(part, name)
    if part.get("appid") not in (None, "", world.appid):
        raise RefusedError(40166)  # a Mini Program sends its own pages (the code is inferred from its text)
    return world.shelf.get(part.get("thumb_media_id"), now, ("image", "thumb")).content


_PARTS: Final[Mapping[str, Callable[["World", Mapping[str, Any], float], bytes | None]]] = MappingProxyType(
    {"text": _text_message, "image": _image, "link": _link, "miniprogrampage": _miniprogrampage}
)


def typing(world: "World", call: Call) -> Mapping[str, Any]:
    touser, command = call.json.get("touser"), call.json.get("command")
    if not well_formed(touser):
        raise RefusedError(40003)
    if command not in ("Typing", "CancelTyping"):
        raise RefusedError(45072)
    window = world.person(touser).window
    if command == "Typing":
        window.typing(call.now)
    else:
        window.cancel_typing(call.now)
    return _OK


def _for_business(answer: Answerer) -> Answerer:
    def answer_for_business(world: "World", call: Call) -> Mapping[str, Any] | Reply:
        # Integers and strings are both documented. Which sub-merchants exist is not checked.
        if call.json.get("businessid") in (None, ""):
            raise RefusedError(40101)
        return answer(world, call)

    return answer_for_business


# --- media


def upload(world: "World", call: Call) -> Mapping[str, Any]:
    kind = call.request.parameter("type")
    check_type(kind)
    part = media_part(call.request.headers.get("content-type", ""), call.request.body)
    check_upload(kind, part.filename, part.content, max_image_bytes=world.switches.max_image_bytes)
    media_id = world.shelf.put(kind, part.content, call.now)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {**_OK, "type": kind, name: media_id, "created_at": int(call.now)}


_OTHER_MEDIA: Final = MappingProxyType({"voice": ("audio/amr", "amr")})


def get_media(world: "World", call: Call) -> Mapping[str, Any] | Reply:
    media_id = call.request.parameter("media_id")
    medium = world.shelf.get(media_id, call.now)
    if medium.type == "video":
        return {"video_url": f"http://sandbox.invalid/{media_id}"}
    # "jpg" also for other pictures (inferred; not published).
    kind, extension = _OTHER_MEDIA.get(medium.type, (content_type(medium.content) or "image/jpeg", "jpg"))
    headers = (
        ("Connection", "close"),
        ("Content-Type", kind),
        ("Content-disposition", f'attachment; filename="{media_id}.{extension}"'),
        ("Cache-Control", "no-cache, must-revalidate"),
    )
    return Reply(200, headers, medium.content)


# --- helpers


def get_quota(world: "World", call: Call) -> Mapping[str, Any]:
    path = _text(call.json, "cgi_path")
    if not path.startswith("/"):
        raise RefusedError(76003)  # as the text of the page says
    if path not in ROUTES:
        raise RefusedError(76021)
    limit, used = world.quota.daily.get(path), world.quota.used(path, call.now)
    # The published example has three zeros, which here stand for "no limit".
    quota = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)} if limit is not None else _NO_LIMIT
    per_minute = world.quota.per_minute.get(path)
    rate = {"rate_limit": {"call_count": per_minute, "refresh_second": 60}} if per_minute is not None else {}
    return {**_OK, "quota": quota, **rate}


_NO_LIMIT: Final = MappingProxyType({"daily_limit": 0, "used": 0, "remain": 0})


def clear_quota(world: "World", call: Call) -> Mapping[str, Any]:
    if call.json.get("appid") != world.appid:
        raise RefusedError(40013)
    world.quota.clear(call.now)
    return _OK


def get_rid(world: "World", call: Call) -> Mapping[str, Any]:
    return {**_OK, "request": world.rids.get(_text(call.json, "rid"), call.now)}


def get_ips(world: "World", call: Call) -> Mapping[str, Any]:
    return {"ip_list": ["127.0.0.1"]}


ROUTES: Final[Mapping[str, Route]] = MappingProxyType(
    {
        "/cgi-bin/token": Route(token, ("GET",), takes_token=False, reads_json=False),
        "/cgi-bin/stable_token": Route(stable_token, takes_token=False),
        "/cgi-bin/message/custom/send": Route(send),
        "/cgi-bin/message/custom/typing": Route(typing),
        "/cgi-bin/message/custom/business/send": Route(_for_business(send)),
        "/cgi-bin/message/custom/business/typing": Route(_for_business(typing)),
        "/cgi-bin/media/upload": Route(upload, reads_json=False),
        # An SDK that downloads with POST is known to work.
        "/cgi-bin/media/get": Route(get_media, ("GET", "POST"), reads_json=False),
        "/cgi-bin/openapi/quota/get": Route(get_quota),
        "/cgi-bin/openapi/rid/get": Route(get_rid),
        "/cgi-bin/clear_quota": Route(clear_quota),
        "/cgi-bin/getcallbackip": Route(get_ips, ("GET",), reads_json=False),
        "/cgi-bin/get_api_domain_ip": Route(get_ips, ("GET",), reads_json=False),
    }
)
