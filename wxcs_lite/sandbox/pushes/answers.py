"""What WeChat makes of the answer to a push: it is fine, a hand-over, abnormal, or as good as none."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html

import json
from typing import Any, NamedTuple
from xml.etree import ElementTree

from wxcs_lite.sandbox.http.values import Reply
from wxcs_lite.sandbox.pushes.crypto import Sealer, sign
from wxcs_lite.sandbox.pushes.requests import Setting
from wxcs_lite.sandbox.rules.people import CustomerEvent

__all__ = ["Verdict", "judge"]

_NUMBERS = frozenset({"CreateTime", "TimeStamp"})
_WHAT = "answer success, nothing at all, or transfer_customer_service"


class Verdict(NamedTuple):
    """`answer` is success, empty, transfer, abnormal or failed; `why` explains the last two."""

    answer: str
    why: str = ""


def judge(setting: Setting, event: CustomerEvent, reply: Reply | str) -> Verdict:
    """Return what an answer comes to; a text in place of one says why there is none.

    >>> setting = Setting("AAAAA", "json", None, False, "gh_97417a04a28d")
    >>> event = CustomerEvent(0, "ann", "text", 1, {"Content": "hi"})
    >>> judge(setting, event, Reply(200, (), b"success"))
    Verdict(answer='success', why='')
    >>> judge(setting, event, Reply(200, (), b'"success"')).why
    'answer success, nothing at all, or transfer_customer_service, not these 9 bytes'

    Only what failed is tried again: no answer, or a status other than 2xx (not published in so many words). What WeChat
    does after an abnormal answer is not published; here it is final: it is not pushed again, and the phone shows the
    notice. A secure account has to encrypt its hand-overs, a compatible one may; XML and JSON are both read, whatever
    the format of the push (what WeChat does then is not known).
    """
    if isinstance(reply, str):
        return Verdict("failed", reply)
    if not 200 <= reply.status < 300:
        return Verdict("failed", f"HTTP {reply.status}")
    if reply.body in (b"", b"success"):
        return Verdict("success" if reply.body else "empty")
    try:
        _check_transfer(setting, event, reply.body)
    except ValueError as error:
        return Verdict("abnormal", str(error))
    return Verdict("transfer")


def _check_transfer(setting: Setting, event: CustomerEvent, content: bytes) -> None:
    if setting.marks is not None:  # a Mini Program has no passive answer there (documented); nor a hand-over (inferred)
        raise ValueError("in cloud hosting answer success, or nothing at all")
    fields = _read(content)
    if setting.sealer is not None:
        if "Encrypt" in fields:
            fields = _read(_opened(setting.token, setting.sealer, fields))
        elif not setting.compatible:
            raise ValueError("in secure mode this answer must be encrypted")
    kind = fields.get("MsgType")
    if kind != "transfer_customer_service":
        raise ValueError(f"{_WHAT}: a Mini Program cannot answer a push with anything else")
    if event.kind == "event":
        raise ValueError("only a message can be handed over to an agent, not an event")
    for name, value in (("ToUserName", event.openid), ("FromUserName", setting.original_id)):
        if fields.get(name) != value:
            raise ValueError(f"{name} must be {value!r}")
    if type(fields.get("CreateTime")) is not int:
        raise ValueError("CreateTime must be a number")


def _opened(token: str, sealer: Sealer, fields: dict[str, Any]) -> bytes:
    """Return what is inside the envelope, or raise ValueError."""
    timestamp = fields.get("TimeStamp")
    if type(timestamp) is not int:
        raise ValueError("TimeStamp must be a number")
    encrypt, signature, nonce = (fields.get(name) for name in ("Encrypt", "MsgSignature", "Nonce"))
    if not (isinstance(encrypt, str) and isinstance(signature, str) and isinstance(nonce, str)):
        raise ValueError("Encrypt, MsgSignature and Nonce must be texts")
    if signature != sign(token, str(timestamp), nonce, encrypt):
        raise ValueError("MsgSignature does not fit token, TimeStamp, Nonce and Encrypt")
    content = sealer.unseal(encrypt)
    if content == b"success":
        raise ValueError("success must not be encrypted")
    return content


def _read(content: bytes) -> dict[str, Any]:
    """Return the fields of an answer in JSON or XML, or raise ValueError."""
    try:
        text = content.decode().strip()
        if text.startswith("<"):
            return _read_xml(text)
        fields = json.loads(text)
    except (ValueError, RecursionError, ElementTree.ParseError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError(f"{_WHAT}, not these {len(content)} bytes")
    return fields


def _read_xml(text: str) -> dict[str, Any]:
    if "<!DOCTYPE" in text:
        raise ValueError  # the stuff that bombs are made of
    fields: dict[str, Any] = {}
    for element in ElementTree.fromstring(text):  # noqa: S314 without a DOCTYPE there are no entities
        value = element.text or ""
        is_number = element.tag in _NUMBERS and value.isascii() and value.isdigit()
        fields[element.tag] = int(value) if is_number else value
    return fields
