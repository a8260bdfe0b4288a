"""How WeChat judges the answer to a push: success, a hand-over, abnormal, or failed."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html

import json
from typing import Any, NamedTuple
from xml.etree import ElementTree

from wxcs_lite.sandbox.http.values import Reply
from wxcs_lite.sandbox.pushes.crypto import Sealer, sign
from wxcs_lite.sandbox.pushes.requests import Setting
from wxcs_lite.sandbox.rules.evidence import RECEIVE, TRANSFER, Rule
from wxcs_lite.sandbox.rules.people import CustomerEvent

__all__ = ["Verdict", "in_two_languages", "judge"]

_NUMBERS = frozenset({"CreateTime", "TimeStamp"})
_WHAT = "answer success, nothing at all, or transfer_customer_service"
_WHAT_ZH = "请应答 success、空内容或 transfer_customer_service"


class Verdict(NamedTuple):
    """`answer` is success, empty, transfer, abnormal or failed; `why` explains the last two, `why_zh` in Chinese."""

    answer: str
    why: str = ""
    why_zh: str = ""


def judge(setting: Setting, event: CustomerEvent, reply: Reply | str) -> Verdict:
    """Judge an answer; a text in its place says why there is none, on a second line in Chinese.

    >>> setting = Setting("AAAAA", "json", None, False, "gh_97417a04a28d")
    >>> event = CustomerEvent(0, "ann", "text", 1, {"Content": "hi"})
    >>> judge(setting, event, Reply(200, (), b"success"))
    Verdict(answer='success', why='', why_zh='')
    >>> judge(setting, event, Reply(200, (), b'"success"')).why
    'answer success, nothing at all, or transfer_customer_service, not these 9 bytes'

    Only a failed push is repeated: no answer, or a status other than 2xx (not published in so many words). What WeChat
    does after an abnormal answer is not published; here it is final: the push is not repeated, and the phone shows the
    notice. An account in secure mode must encrypt its hand-overs, one in compatible mode may; XML and JSON are both
    accepted, whatever the format of the push (what WeChat does then is not known).
    """
    if isinstance(reply, str):
        return Verdict("failed", *in_two_languages(reply))
    if not 200 <= reply.status < 300:
        return Verdict("failed", *in_two_languages(f"HTTP {reply.status}"))
    if reply.body in (b"", b"success"):
        return Verdict("success" if reply.body else "empty")
    try:
        _check_transfer(setting, event, reply.body)
    except ValueError as error:
        return Verdict("abnormal", *in_two_languages(str(error)))
    return Verdict("transfer")


def in_two_languages(text: str) -> tuple[str, str]:
    """Return the English and the Chinese line of a text; one without words has one line for both.

    >>> in_two_languages("CreateTime must be a number\\nCreateTime 应为数字"), in_two_languages("HTTP 500")
    (('CreateTime must be a number', 'CreateTime 应为数字'), ('HTTP 500', 'HTTP 500'))
    """
    english, _, chinese = text.partition("\n")
    return english, chinese or english


def _check_transfer(setting: Setting, event: CustomerEvent, content: bytes) -> None:
    if setting.marks is not None:  # a Mini Program has no passive answer there (documented); nor a hand-over (inferred)
        raise ValueError("in cloud hosting answer success, or nothing at all\n云托管中应答 success 或空内容")
    fields = _read(content)
    if setting.sealer is not None:
        if "Encrypt" in fields:
            fields = _read(_opened(setting.token, setting.sealer, fields))
        elif not setting.compatible:
            raise ValueError("in secure mode this answer must be encrypted\n安全模式下，这个应答须加密")
    kind = fields.get("MsgType")
    if kind != "transfer_customer_service":
        raise ValueError(
            f"{_WHAT}: a Mini Program cannot answer a push with anything else\n{_WHAT_ZH}：小程序不能用其他内容应答推送"
        )
    if event.kind == "event":
        raise ValueError("only a message can be handed over to an agent, not an event\n只有消息可以转人工，事件不行")
    for name, value in (("ToUserName", event.openid), ("FromUserName", setting.original_id)):
        if fields.get(name) != value:
            raise ValueError(f"{name} must be {value!r}\n{name} 应为 {value!r}")
    if type(fields.get("CreateTime")) is not int:
        raise ValueError("CreateTime must be a number\nCreateTime 应为数字")


def _opened(token: str, sealer: Sealer, fields: dict[str, Any]) -> bytes:
    """Return what is inside the envelope, or raise ValueError."""
    timestamp = fields.get("TimeStamp")
    if type(timestamp) is not int:
        raise ValueError("TimeStamp must be a number\nTimeStamp 应为数字")
    encrypt, signature, nonce = (fields.get(name) for name in ("Encrypt", "MsgSignature", "Nonce"))
    if not (isinstance(encrypt, str) and isinstance(signature, str) and isinstance(nonce, str)):
        raise ValueError("Encrypt, MsgSignature and Nonce must be texts\nEncrypt、MsgSignature 和 Nonce 应为字符串")
    if signature != sign(token, str(timestamp), nonce, encrypt):
        raise ValueError(
            "MsgSignature does not match token, TimeStamp, Nonce and Encrypt\n"
            "MsgSignature 与 token、TimeStamp、Nonce、Encrypt 不符"
        )
    content = sealer.unseal(encrypt)
    if content == b"success":
        raise ValueError("success must not be encrypted\nsuccess 不能加密")
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
        raise ValueError(f"{_WHAT}, not these {len(content)} bytes\n{_WHAT_ZH}，而不是这 {len(content)} 字节")
    return fields


def _read_xml(text: str) -> dict[str, Any]:
    if "<!DOCTYPE" in text:
        raise ValueError  # it could declare entities, which grow when they are expanded
    fields: dict[str, Any] = {}
    for element in ElementTree.fromstring(text):  # noqa: S314 without a DOCTYPE there are no entities
        value = element.text or ""
        is_number = element.tag in _NUMBERS and value.isascii() and value.isdigit()
        fields[element.tag] = int(value) if is_number else value
    return fields


# fmt: off
RULES = (
    Rule(
        "An answer may be success or empty. Any other answer except a hand-over shows the notice; that the push is "
        "then not repeated is our reading, and so is what a status other than 2xx means. An encrypted success has "
        "been seen to show the notice.",
        "应答 success 或空内容均可；除转人工外，其他内容都会弹出提示。此后不再重推、非 2xx 状态如何处理，均为推断。"
        "应答加密的 success 也会弹出提示，有实例。",
        page=RECEIVE, seen="2022-11: https://github.com/royalrick/weapp/issues/87", inferred=True,
    ),
    Rule(
        "A push cannot be answered with a text message. (WeChat has been seen to drop one silently; the sandbox shows "
        "the notice, so that you see the mistake.)",
        "不能用文本消息应答。（实例中，微信直接丢弃，没有任何提示；沙箱会弹出提示，以便发现错误。）",
        page=RECEIVE, seen="2019-08, 2021-08: https://github.com/Eric-Guo/wechat/issues/264", inferred=True,
    ),
    Rule(
        "Messages can be handed over to an agent, events cannot; in secure mode the answer must be encrypted.",
        "消息可以转人工，事件不行；安全模式下应答须加密。",
        page=TRANSFER,
    ),
)
