"""What WeChat pushes, to the byte: an event in either format, and the request around it."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html

import json
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from wxcs_lite.sandbox.http.values import Request
from wxcs_lite.sandbox.pushes.crypto import Sealer, sign
from wxcs_lite.sandbox.rules.people import CustomerEvent

__all__ = ["Format", "Setting", "check_request", "fields_of", "push_request", "render"]

# What was seen, 2013 to 2018. JSON is labelled text/xml too, and that is known not to change.
_USER_AGENT = {"user-agent": "Mozilla/4.0"}
_HEADERS = {**_USER_AGENT, "content-type": "text/xml"}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


Format = Literal["json", "xml"]


class Setting(NamedTuple):
    """What an account has set for its pushes. Without a `sealer` they are plain; `compatible` ones are both.

    `marks` are headers: of a push into a container of WeChat cloud hosting, by a link of the platform's own.
    """

    token: str
    format: Format
    sealer: Sealer | None
    compatible: bool
    original_id: str
    marks: Mapping[str, str] | None = None  # the headers of a push into a container, which has no signature


def fields_of(event: CustomerEvent, original_id: str) -> dict[str, str | int]:
    """Return the fields in their published order: the MsgId of a card comes before its fields, else after.

    >>> event = CustomerEvent(1482048670.9, "fromUser", "text", 1234567890123456, {"Content": "this is a test"})
    >>> list(fields_of(event, "toUser").items())[1:4]
    [('FromUserName', 'fromUser'), ('CreateTime', 1482048670), ('MsgType', 'text')]
    """
    fields: dict[str, str | int] = {"ToUserName": original_id, "FromUserName": event.openid}
    fields |= {"CreateTime": int(event.at), "MsgType": event.kind}
    msg_id = {} if event.msg_id is None else {"MsgId": event.msg_id}
    if event.kind == "miniprogrampage":
        return {**fields, **msg_id, **event.fields}
    return {**fields, **event.fields, **msg_id}


def render(fields: Mapping[str, str | int], format: Format) -> bytes:
    """Return the fields as "json" or "xml"; in XML, texts are CDATA and numbers are bare.

    >>> render({"Content": "1 ]]> 0", "MsgId": 7}, "xml")
    b'<xml><Content><![CDATA[1 ]]]]><![CDATA[> 0]]></Content><MsgId>7</MsgId></xml>'

    No spaces and raw UTF-8 in JSON, as in the published frame. How WeChat writes what has no place in XML (most
    control characters) is not known: here it is left out. Half a surrogate pair becomes a question mark in JSON.
    """
    if format == "json":
        return json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    inner = "".join(f"<{name}>{_cdata(value)}</{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


def _cdata(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    text = _NO_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def check_request(setting: Setting, *, timestamp: int, nonce: str, echostr: str) -> Request:
    """Return the URL check; its echostr is plain in every mode. Of a container the path is checked."""
    if setting.marks is not None:
        return _marked(setting, setting.marks, {"action": "CheckContainerPath"})
    return Request("GET", "/", (*_signed(setting, timestamp, nonce), ("echostr", echostr)), _USER_AGENT, b"", False)


def push_request(setting: Setting, event: CustomerEvent, *, nonce: str, random: str) -> Request:
    """Return the push of an event; `random` is the random part of the frame, and not used in a plain push.

    A compatible push has the query of a secure one and both bodies in one, the plain fields first (inferred from its
    description; no example is published).
    """
    if setting.marks is not None:
        return _marked(setting, setting.marks, fields_of(event, setting.original_id))
    timestamp = int(event.at)
    query = [*_signed(setting, timestamp, nonce), ("openid", event.openid)]
    fields = fields_of(event, setting.original_id)
    if setting.sealer is not None:
        encrypt = setting.sealer.seal(render(fields, setting.format), random)
        query += [("encrypt_type", "aes"), ("msg_signature", sign(setting.token, str(timestamp), nonce, encrypt))]
        if not setting.compatible:
            fields = {"ToUserName": setting.original_id}
        fields["Encrypt"] = encrypt
    return Request("POST", "/", tuple(query), _HEADERS, render(fields, setting.format), False)


def _marked(setting: Setting, marks: Mapping[str, str], fields: Mapping[str, str | int]) -> Request:
    """Return a request into a container: no query, no signature, nothing encrypted (documented).

    That x-wx-source is "other", the two headers beside it and the type of JSON are one product's test data; the type of
    XML is inferred.
    """
    kind = "application/json" if setting.format == "json" else "text/xml"
    return Request("POST", "/", (), {"content-type": kind, **marks}, render(fields, setting.format), False)


def _signed(setting: Setting, timestamp: int, nonce: str) -> tuple[tuple[str, str], ...]:
    signature = sign(setting.token, str(timestamp), nonce)
    return ("signature", signature), ("timestamp", str(timestamp)), ("nonce", nonce)
