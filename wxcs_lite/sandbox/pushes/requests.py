"""What WeChat pushes, to the byte: an event in either format, and the request around it."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html

import json
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from wxcs_lite.sandbox.http.values import Request
from wxcs_lite.sandbox.pushes.crypto import Sealer, sign
from wxcs_lite.sandbox.rules.evidence import CLOUD_PUSH, PUSH, RECEIVE, Rule
from wxcs_lite.sandbox.rules.people import CustomerEvent

__all__ = ["Format", "InnerJson", "Setting", "check_request", "fields_of", "push_request", "render"]

_USER_AGENT = {"user-agent": "Mozilla/4.0"}
_HEADERS = {**_USER_AGENT, "accept": "*/*", "pragma": "no-cache"}  # as captured in 2023-03
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# XML was seen labelled so from 2013 to 2023. About JSON the evidence is divided: in 2018 it came as text/xml, and that
# was not to change; nothing since says either, and some SDKs in Go refuse JSON that is labelled so.
# https://github.com/tencentyun/wafer2-startup/issues/104
_XML = "text/xml"

Format = Literal["json", "xml"]
InnerJson = Literal["spaced", "compact"]


class Setting(NamedTuple):
    """An account's settings for pushes. Without a `sealer` they are plain; with `compatible` they are both.

    `marks` are the headers of a push that WeChat cloud hosting itself delivers into a container.
    """

    token: str
    format: Format
    sealer: Sealer | None
    compatible: bool
    original_id: str
    marks: Mapping[str, str] | None = None  # the headers of a push into a container, which has no signature
    content_type: str | None = None
    inner_json: InnerJson = "spaced"


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


def render(fields: Mapping[str, str | int], format: Format, *, indent: str = "") -> bytes:
    """Return the fields as "json" or "xml"; in XML, texts are CDATA, numbers are bare, and each element ends its line.

    >>> render({"Content": "1 ]]> 0", "MsgId": 7}, "xml")
    b'<xml><Content><![CDATA[1 ]]]]><![CDATA[> 0]]></Content>\\n<MsgId>7</MsgId>\\n</xml>'

    JSON has no spaces and is raw UTF-8, as in the published frame. How WeChat writes what XML does not allow (most
    control characters) is not known: here it is left out. Half a surrogate pair becomes a question mark in JSON.
    """
    if format == "json":
        return json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    inner = "".join(f"{indent}<{name}>{_cdata(value)}</{name}>\n" for name, value in fields.items())
    # Two layouts were captured in 2023-03: of a plain push, and, with an indent, of a compatible one.
    return (f"<xml>\n{inner}</xml>\n" if indent else f"<xml>{inner}</xml>").encode()


def _inner(fields: Mapping[str, str | int], setting: Setting) -> bytes:
    """Return what is encrypted: XML as a plain push has it (so published), JSON as a live push of 2020-07 had it."""
    if setting.format == "xml" or setting.inner_json == "compact":
        return render(fields, setting.format)
    return json.dumps(dict(fields), ensure_ascii=False, indent=0).encode("utf-8", "replace")


def _cdata(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    text = _NO_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def check_request(setting: Setting, *, timestamp: int, nonce: str, echostr: str) -> Request:
    """Return the URL check, whose echostr is plain in every mode; for a container, the path check."""
    if setting.marks is not None:
        check = _marked(setting, setting.marks, {"action": "CheckContainerPath"})
        return check._replace(body=check.body.replace(b"\n", b""))  # on one line, as published
    return Request("GET", "/", (*_signed(setting, timestamp, nonce), ("echostr", echostr)), _USER_AGENT, b"", False)


def push_request(setting: Setting, event: CustomerEvent, *, nonce: str, random: str) -> Request:
    """Return the push of an event; `random` is the random part of the frame, and not used in a plain push.

    A compatible push has the query of a secure one and the fields of both bodies, the plain ones first. In XML it was
    captured with a timestamp one second after its CreateTime, and it is made like that here.
    """
    if setting.marks is not None:
        return _marked(setting, setting.marks, fields_of(event, setting.original_id))
    timestamp = int(event.at) + (setting.compatible and setting.format == "xml")
    query = [*_signed(setting, timestamp, nonce), ("openid", event.openid)]
    fields = fields_of(event, setting.original_id)
    body = render(fields, setting.format)
    if setting.sealer is not None:
        encrypt = setting.sealer.seal(_inner(fields, setting), random)
        query += [("encrypt_type", "aes"), ("msg_signature", sign(setting.token, str(timestamp), nonce, encrypt))]
        visible = fields if setting.compatible else {"ToUserName": setting.original_id}
        # That the XML of a secure push is indented as that of a compatible one is inferred.
        body = render({**visible, "Encrypt": encrypt}, setting.format, indent=" " * 4)
    return Request("POST", "/", tuple(query), {**_HEADERS, "content-type": setting.content_type or _XML}, body, False)


def _marked(setting: Setting, marks: Mapping[str, str], fields: Mapping[str, str | int]) -> Request:
    """Return a request into a container: no query, no signature, nothing encrypted (documented).

    The value "other" of x-wx-source, the two headers beside it and the content type of JSON are from one product's test
    data; the content type of XML is inferred.
    """
    kind = setting.content_type or ("application/json" if setting.format == "json" else _XML)
    return Request("POST", "/", (), {"content-type": kind, **marks}, render(fields, setting.format), False)


def _signed(setting: Setting, timestamp: int, nonce: str) -> tuple[tuple[str, str], ...]:
    signature = sign(setting.token, str(timestamp), nonce)
    return ("signature", signature), ("timestamp", str(timestamp)), ("nonce", nonce)


# fmt: off
RULES = (
    Rule(
        "A push has signature, timestamp, nonce and openid in its query; an encrypted one also has encrypt_type and "
        "msg_signature. In XML, texts are CDATA and numbers are not.",
        "推送的 URL 参数有 signature、timestamp、nonce、openid，加密时还有 encrypt_type 和 msg_signature。"
        "XML 中文本用 CDATA，数字不用。",
        page=PUSH, seen="2021-03, 2023-03",
    ),
    Rule(
        "In XML a line break follows each element. The envelope of an encrypted push is indented by four spaces (seen "
        "in compatible mode, inferred for secure mode).",
        "XML 每个元素后换行；加密推送的外层缩进四个空格（兼容模式有实例，安全模式为推断）。",
        seen="2023-03", inferred=True,
    ),
    Rule(
        "In compatible mode the timestamp of an XML push is a second after its CreateTime; in all other pushes the two "
        "are equal. Do not rely on either.",
        "兼容模式的 XML 推送，timestamp 比 CreateTime 晚一秒；其余推送两者相同。这两种情况都不要依赖。",
        seen="2020-07, 2021-03, 2023-03",
    ),
    Rule(
        "The outer JSON is compact; inside an encrypted push each pair is on a line of its own, with a space after the "
        "colon. (The example on the page is compact.)",
        "外层 JSON 不含空白；加密推送的内层 JSON 每个键值对占一行，冒号后有空格。（官方页面的示例不含空白。）",
        seen="2020-07", setting="inner_json",
    ),
    Rule(
        "The Content-Type of a push is text/xml, even for JSON. (For JSON, no report is newer than 2018.)",
        "推送的 Content-Type 为 text/xml，JSON 也一样。（JSON 的情况 2018 年之后没有新的实例。）",
        seen="XML: 2013/2017, 2023-03; JSON: 2018-01, https://github.com/tencentyun/wafer2-startup/issues/104",
        setting="content_type",
    ),
    Rule(
        "The other headers of a push are Accept, Pragma and User-Agent.",
        "推送的其余请求头为 Accept、Pragma 和 User-Agent。",
        seen="2023-03",
    ),
    Rule(
        "A push to a cloud hosting container has neither query nor signature, is never encrypted, and is marked by "
        "x-wx-source; its other headers are taken from one product's test data.",
        "推送到云托管容器时没有 URL 参数和签名，也不加密，以 x-wx-source 标明；其余请求头取自某产品的测试数据。",
        page=CLOUD_PUSH, inferred=True,
    ),
    Rule(
        "The MsgId of a card comes before its fields. Characters that XML does not allow are left out.",
        "小程序卡片的 MsgId 排在其他字段之前。XML 不允许的字符会被去掉。",
        page=RECEIVE, seen="2020-07", inferred=True,
    ),
)
