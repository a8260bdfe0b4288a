"""What users send us, as a frozen value with WeChat's own names, and how it is read from bytes."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from wxcs_lite.errors import PushRejected, WxError
from wxcs_lite.push.markup import read_xml

__all__ = ["Format", "Push", "dedupe_key", "parse", "read_fields"]

Format = Literal["json", "xml"]

MAX_BODY = 1024 * 1024  # bytes
_MAX_DEPTH = 16
_BLANK = "\ufeff \t\r\n"
_STRINGS = ("ToUserName", "FromUserName", "MsgType", "Event")
_INTEGERS = ("CreateTime", "MsgId", "BusinessId")
_INTEGER = re.compile(r"\s*(0|[1-9][0-9]{0,19})\s*", re.ASCII)  # at most 64 bits


class MissingField(WxError, AttributeError):
    """A push has no such field; the text lists the names of its fields, but no values."""


class Push:
    """What WeChat pushed, as a frozen value: each field is an attribute with WeChat's name.

    >>> push = Push({"ToUserName": "gh_1", "FromUserName": "OPENID", "MsgType": "text", "Content": "hi", "MsgId": "12"})
    >>> push.Content, push.MsgId
    ('hi', 12)
    >>> push
    <Push text (json): ToUserName[4], FromUserName[6], MsgType[4], Content[2], MsgId>

    Unknown types and fields are kept. A missing field raises AttributeError; `push.get(name)` returns None for it.
    CreateTime (seconds since the epoch), MsgId and BusinessId are exact integers, even if WeChat wrote a string; the
    MsgId of a cloud function, which is not a number, stays a string. `fields` is a new dict of all fields, `format` is
    the format in which the push came.
    """

    # https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html
    __slots__ = ("_fields", "format")

    # For type checkers and editors; only the fields that every push has are checked when one is created.
    format: Format
    ToUserName: str
    FromUserName: str
    CreateTime: int
    MsgType: str
    MsgId: int | str
    Content: str
    PicUrl: str
    MediaId: str
    Title: str
    AppId: str
    PagePath: str
    ThumbUrl: str
    ThumbMediaId: str
    Event: str
    SessionFrom: str
    BusinessId: int

    def __init__(self, fields: Mapping[str, Any], format: Format = "json") -> None:
        object.__setattr__(self, "_fields", _checked(fields))
        object.__setattr__(self, "format", format)

    @property
    def fields(self) -> dict[str, Any]:
        """All fields, as a new dict."""
        return _copied(self._fields)  # type: ignore[no-any-return]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default if it is missing."""
        return _copied(self._fields.get(name, default))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # or a push could imitate methods of Python's and IPython's own
            raise AttributeError(name)
        if name not in self._fields:
            has = ", ".join(_names(self._fields))
            raise MissingField(f"this push has no {name}; it has {has}", f"这条推送没有 {name}；现有字段：{has}", False)
        return _copied(self._fields[name])

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._fields]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Push is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Push is frozen")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Push):
            return NotImplemented
        return bool(self._fields == other._fields and self.format == other.format)

    def __hash__(self) -> int:
        return hash(dedupe_key(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Push, (self.fields, self.format)

    def __repr__(self) -> str:
        msgtype = _names([self._fields.get("MsgType", "?")])[0]
        sizes = (f"[{len(value)}]" if isinstance(value, str) else "" for value in self._fields.values())
        shown = ", ".join(map("".join, zip(_names(self._fields), sizes, strict=False)))
        return f"<Push {msgtype} ({self.format}): {shown}>"


def _names(names: Any) -> list[str]:
    """Return names from outside in a form that is safe to show: the first twenty, shortened, on one line."""
    return [re.sub(r"\W", "?", name[:40]) for name in list(names)[:20]]


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return our own copy with exact integers, or refuse common fields that have a wrong type."""
    own: dict[str, Any] = _cleaned(fields, _MAX_DEPTH)
    for name in _INTEGERS:
        found = own.get(name)
        if isinstance(found, str) and (number := _INTEGER.fullmatch(found)):
            own[name] = int(number[1])
    strings = all(isinstance(own.get(name, ""), str) for name in _STRINGS)
    times = isinstance(own.get("CreateTime", 0), int) and isinstance(own.get("MsgId", 0), int | str)
    if not (strings and times):
        raise _malformed()
    return own


def _cleaned(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        if value.isascii():
            return value
        # Half of an emoji, which JSON can escape, cannot be encoded as UTF-8 and would fail when it is written later.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if not isinstance(value, Mapping | list):
        return value
    if not depth:
        raise _malformed()
    if isinstance(value, list):
        return [_cleaned(item, depth - 1) for item in value]
    return {_cleaned(name, 1): _cleaned(item, depth - 1) for name, item in value.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def parse(body: bytes) -> Push:
    """Parse a push, JSON or XML by its first character, or raise PushRejected."""
    fields, format = read_fields(body)
    return Push(fields, format)


def read_fields(body: bytes) -> tuple[dict[str, Any], Format]:
    """Return the raw fields and the format; the Content-Type is not consulted, because JSON has come as text/xml."""
    # WeChat truncates SessionFrom by bytes, perhaps inside a character: hence "replace".
    text = body.decode("utf-8", "replace").lstrip(_BLANK) if len(body) <= MAX_BODY else ""
    form: Format = "xml" if text.startswith("<") else "json"
    fields = read_xml(text) if form == "xml" else _read_json(text)
    if fields is None:
        raise _malformed()
    return fields, form


def _no_number(text: str) -> NoReturn:
    raise ValueError


# Strings may contain raw control characters; NaN and Infinity are not JSON.
_decode = json.JSONDecoder(strict=False, parse_constant=_no_number).decode


def _read_json(text: str) -> dict[str, Any] | None:
    try:
        found = _decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _malformed() -> PushRejected:
    return PushRejected(
        "the body is not a push: neither a JSON object nor an <xml> element within the limits of size and depth",
        "正文不是推送：既不是 JSON 对象，也不是大小和层数在限制之内的 <xml> 元素",
    )


def dedupe_key(push: Push) -> str:
    """Return a key that is the same for all repetitions of a push, because WeChat sends one up to four times.

    >>> dedupe_key(Push({"ToUserName": "gh_1", "FromUserName": "OPENID", "MsgType": "text", "MsgId": 12}))
    'gh_1 12'
    >>> dedupe_key(Push({"ToUserName": "gh_1", "FromUserName": "OPENID", "MsgType": "event", "Event": "E",
    ...                  "CreateTime": 1482048670}))
    'gh_1 OPENID 1482048670 event E'

    A message is identified by its MsgId, an event by sender, second and name, anything else by its content.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    to, msgid, sender, at = (push.get(name) for name in ("ToUserName", "MsgId", "FromUserName", "CreateTime"))
    if msgid not in (None, ""):
        return f"{to} {msgid}"
    if sender and at:
        return f"{to} {sender} {at} {push.get('MsgType')} {push.get('Event')}"
    return hashlib.sha256(json.dumps(push.fields, sort_keys=True).encode()).hexdigest()
