"""Sending a message and showing the typing status: first the fields are checked, then the reply window."""

# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_typing.html

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from wxcs_lite.sandbox.api.calls import OK, Answerer, Call, text_field
from wxcs_lite.sandbox.http.values import Reply
from wxcs_lite.sandbox.rules.evidence import CODES, MANAGEMENT, SEND_CALL, TYPING_CALL, Rule
from wxcs_lite.sandbox.rules.people import Arrived
from wxcs_lite.sandbox.rules.refusals import RefusedError

if TYPE_CHECKING:
    from wxcs_lite.sandbox.rules.account import Account

__all__ = ["for_business", "send", "typing", "well_formed"]

_MAX_TEXT = 2048  # bytes of UTF-8 (measured by users; not published)
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LINKED_APPID = re.compile(r"""data-miniprogram-appid\s*=\s*["']?([^"'\s>]*)""")


def well_formed(openid: object) -> TypeGuard[str]:
    """Return whether a value can be an openid at all.

    >>> well_formed("oGZUI0egBJY1zhBYw2KhdUfwVJJE"), well_formed("张三")
    (True, False)
    """
    return isinstance(openid, str) and _OPENID.fullmatch(openid) is not None


def send(account: "Account", call: Call) -> Mapping[str, Any]:
    message, now = call.json, call.now
    if not well_formed(message.get("touser")):
        raise RefusedError(40003)
    msgtype = message.get("msgtype")
    if not isinstance(msgtype, str):
        raise RefusedError(40008)
    if msgtype not in _PARTS:
        raise RefusedError(45162)  # seen for news, inferred for the other types
    part = message.get(msgtype)
    if not isinstance(part, dict | None):
        raise RefusedError(40035)
    picture = _PARTS[msgtype](account, part or {}, now)
    person = account.person(message["touser"])
    person.window.check_send(now, exhausted=account.switches.exhausted_code)
    person.window.sent(now)
    # WeChat has answered ok to a link with empty addresses, and shown the user nothing: success is not delivery.
    if not (msgtype == "link" and part and not part["url"] and not part["thumb_url"]):
        account.arrived.append(Arrived(message["touser"], person.show(now, message, picture)))
    return OK


def _text(account: "Account", part: Mapping[str, Any], now: float) -> None:
    if part.get("content") in (None, ""):
        raise RefusedError(44004)
    content = text_field(part, "content")
    if len(content.encode()) > _MAX_TEXT:
        raise RefusedError(45002)
    if any(match[1] != account.appid for match in _LINKED_APPID.finditer(content)):
        raise RefusedError(45086)


def _image(account: "Account", part: Mapping[str, Any], now: float) -> bytes:
    # The MediaId of a customer's picture is accepted, too, and so is the ThumbMediaId of a card below. That is
    # inferred: only its download is published.
    return account.shelf.get(part.get("media_id"), now, ("image",)).content


def _link(account: "Account", part: Mapping[str, Any], now: float) -> None:
    for name in ("title", "description", "url", "thumb_url"):
        text_field(part, name)


def _miniprogrampage(account: "Account", part: Mapping[str, Any], now: float) -> bytes:
    for name in ("title", "pagepath"):
        text_field(part, name)
    if part.get("appid") not in (None, "", account.appid):
        raise RefusedError(40166)  # a Mini Program sends its own pages (the code is inferred from its text)
    return account.shelf.get(part.get("thumb_media_id"), now, ("image", "thumb")).content


_PARTS: Mapping[str, Callable[["Account", Mapping[str, Any], float], bytes | None]] = {
    "text": _text,
    "image": _image,
    "link": _link,
    "miniprogrampage": _miniprogrampage,
}


def typing(account: "Account", call: Call) -> Mapping[str, Any]:
    touser, command = call.json.get("touser"), call.json.get("command")
    if not well_formed(touser):
        raise RefusedError(40003)
    if command not in ("Typing", "CancelTyping"):
        raise RefusedError(45072)
    window = account.person(touser).window
    if command == "Typing":
        window.typing(call.now)
    else:
        window.cancel_typing(call.now)
    return OK


def for_business(answer: Answerer) -> Answerer:
    def answer_for_business(account: "Account", call: Call) -> Mapping[str, Any] | Reply:
        # Integers and strings are both documented. Which sub-merchants exist is not checked.
        businessid = call.json.get("businessid")
        if businessid in (None, ""):
            raise RefusedError(40101)
        if not isinstance(businessid, int | str):
            raise RefusedError(40035)
        return answer(account, call)

    return answer_for_business


# fmt: off
RULES = (
    Rule(
        "An openid has 1 to 64 letters, digits, _ and -; anything else is refused.",
        "openid 为 1 到 64 个字母、数字、下划线或短横线，否则视为不合法。",
        seen="2024-09", inferred=True, errcodes=(40003,),
    ),
    Rule(
        f"A Mini Program can send {', '.join(_PARTS)}; any other msgtype is refused (seen with news), and so is a "
        "missing one.",
        f"小程序可下发 {'、'.join(_PARTS)}；其他 msgtype 会被拒绝（实例为 news），缺少 msgtype 亦然。",
        page=SEND_CALL, seen="https://github.com/w7corp/easywechat/issues/1671", inferred=True,
        errcodes=(40008, 45162),
    ),
    Rule(
        f"A text must not be empty, and has at most {_MAX_TEXT} bytes of UTF-8, as measured by users.",
        f"文本不能为空，最长 {_MAX_TEXT} 字节（UTF-8，用户实测）。",
        seen="2023-12", inferred=True, errcodes=(44004, 45002),
    ),
    Rule(
        "A link in a text, or a card, may only lead into the Mini Program itself.",
        "文字链接和小程序卡片只能指向本小程序。",
        page=SEND_CALL, inferred=True, errcodes=(40166, 45086),
    ),
    Rule(
        "A link message with empty addresses is answered with ok but never shown.",
        "地址为空的图文链接返回成功，但用户收不到。",
        seen="2018: https://github.com/w7corp/easywechat/issues/1230",
    ),
    Rule(
        "A picture from a customer can be sent again by its MediaId. A refused send does not count as a message.",
        "用户发来的图片可用其 MediaId 直接下发。被拒绝的下发不占条数。",
        inferred=True,
    ),
    Rule(
        "A field of the wrong type is refused.", "字段类型不对会被拒绝。", page=CODES, inferred=True, errcodes=(40035,)
    ),
    Rule(
        "The command must be Typing or CancelTyping.",
        "command 只能是 Typing 或 CancelTyping。",
        page=TYPING_CALL, errcodes=(45072,),
    ),
    Rule(
        "The sub-merchant paths need a businessid, as a number or a string.",
        "多商户接口必须带 businessid，数字或字符串均可。",
        page=MANAGEMENT, seen="2023-01, 2023-02", errcodes=(40101,),
    ),
)
