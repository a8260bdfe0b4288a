"""A message is a dict: what a builder returns is what WeChat receives.

Builders refuse only what is certainly wrong (`InvalidMessage`); what may be wrong, or may change, is advice
(`remarks.check`).
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, Required, TypedDict, TypeVar, cast

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.require import kind_of, require_businessid, require_str

__all__ = [
    "ImageMessage",
    "LinkMessage",
    "Message",
    "MiniProgramPageMessage",
    "TextMessage",
    "image",
    "link",
    "miniprogrampage",
    "text",
    "with_ai_label",
    "with_businessid",
    "with_kf_account",
]

# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("content",),
    "image": ("media_id",),
    "link": ("title", "description", "url", "thumb_url"),
    "miniprogrampage": ("title", "pagepath", "thumb_media_id"),
}


class _AiMsgContext(TypedDict):
    is_ai_msg: Literal[0, 1]


class _CustomService(TypedDict):
    kf_account: str


class _Envelope(TypedDict, total=False):
    touser: Required[str]
    aimsgcontext: _AiMsgContext
    customservice: _CustomService
    businessid: int | str


class _Text(TypedDict):
    content: str


class _Image(TypedDict):
    media_id: str


class _Link(TypedDict):
    title: str
    description: str
    url: str
    thumb_url: str


class _MiniProgramPage(TypedDict):
    title: str
    pagepath: str
    thumb_media_id: str
    appid: NotRequired[str]


class TextMessage(_Envelope):
    """A text message, as `text` returns it."""

    msgtype: Literal["text"]
    text: _Text


class ImageMessage(_Envelope):
    """A picture message, as `image` returns it."""

    msgtype: Literal["image"]
    image: _Image


class LinkMessage(_Envelope):
    """A link message, as `link` returns it."""

    msgtype: Literal["link"]
    link: _Link


class MiniProgramPageMessage(_Envelope):
    """A mini-program card, as `miniprogrampage` returns it."""

    msgtype: Literal["miniprogrampage"]
    miniprogrampage: _MiniProgramPage


Message = TextMessage | ImageMessage | LinkMessage | MiniProgramPageMessage
_M = TypeVar("_M", bound=Mapping[str, Any])


def text(touser: str, content: str) -> TextMessage:
    """Return a text message; 2048 bytes of UTF-8 are safe, some 680 Chinese characters.

    >>> text("OPENID", "你好")
    {'touser': 'OPENID', 'msgtype': 'text', 'text': {'content': '你好'}}

    `<a href="…" data-miniprogram-appid="…" data-miniprogram-path="…">label</a>` in the content links to a page.
    """
    __tracebackhide__ = True
    return _checked(TextMessage(touser=touser, msgtype="text", text={"content": content}))


def image(touser: str, media_id: str) -> ImageMessage:
    """Return a picture message, from the `media_id` that `upload` gave.

    >>> image("OPENID", "MEDIA_ID")
    {'touser': 'OPENID', 'msgtype': 'image', 'image': {'media_id': 'MEDIA_ID'}}

    A media_id is valid for three days and can be sent any number of times.
    """
    __tracebackhide__ = True
    return _checked(ImageMessage(touser=touser, msgtype="image", image={"media_id": media_id}))


def link(touser: str, *, title: str, description: str, url: str, thumb_url: str) -> LinkMessage:
    """Return a link message: a card that opens a web page.

    >>> link("OPENID", title="Hi", description="…", url="https://a.cn/", thumb_url="https://a.cn/i.png")["link"]["url"]
    'https://a.cn/'

    All four are required: WeChat answers `ok` to an empty url and never shows the message. `thumb_url` is a JPG or PNG
    on the web, 640x320 or 80x80 pixels, not a media_id.
    """
    __tracebackhide__ = True
    content: _Link = {"title": title, "description": description, "url": url, "thumb_url": thumb_url}
    return _checked(LinkMessage(touser=touser, msgtype="link", link=content))


def miniprogrampage(touser: str, *, title: str, pagepath: str, thumb_media_id: str) -> MiniProgramPageMessage:
    """Return a mini-program card: it opens a page of your own Mini Program.

    >>> miniprogrampage("OPENID", title="订单", pagepath="pages/order?id=1", thumb_media_id="MEDIA_ID")["msgtype"]
    'miniprogrampage'

    The cover is an uploaded picture (`thumb_media_id`, 520x416 pixels suggested), where a link has a `thumb_url`.
    """
    __tracebackhide__ = True
    content: _MiniProgramPage = {"title": title, "pagepath": pagepath, "thumb_media_id": thumb_media_id}
    return _checked(MiniProgramPageMessage(touser=touser, msgtype="miniprogrampage", miniprogrampage=content))


def with_ai_label(message: _M, is_ai_msg: bool = True) -> _M:
    """Return the message with the grey line that says a third-party AI wrote it (`aimsgcontext`).

    >>> with_ai_label(text("OPENID", "hi"))["aimsgcontext"]
    {'is_ai_msg': 1}

    False says explicitly that it did not; it does not remove the field.
    """
    __tracebackhide__ = True
    return _with(message, "aimsgcontext", {"is_ai_msg": int(bool(is_ai_msg))})


def with_kf_account(message: _M, kf_account: str) -> _M:
    """Return the message sent in the name of a customer-service account (`customservice`).

    >>> with_kf_account(text("OPENID", "hi"), "test1@kftest")["customservice"]
    {'kf_account': 'test1@kftest'}

    It is documented for every type of account, but confirmed for Official Accounts only.
    """
    __tracebackhide__ = True
    require_str("kf_account", kf_account)
    return _with(message, "customservice", {"kf_account": kf_account})


def with_businessid(message: _M, businessid: int | str) -> _M:
    """Return the message sent for a sub-merchant (多商户).

    >>> with_businessid(text("OPENID", "hi"), 1)["businessid"]
    1

    It also changes the path, to `/cgi-bin/message/custom/business/send`; without it that path answers 40101.
    """
    __tracebackhide__ = True
    require_businessid(businessid)
    return _with(message, "businessid", businessid)


def _with(message: _M, field: str, value: object) -> _M:
    __tracebackhide__ = True
    require_message(message)
    return cast(_M, {**message, field: value})


def _checked(message: _M) -> _M:
    __tracebackhide__ = True
    require_message(message)
    return message


def require_message(message: Mapping[str, Any]) -> None:
    """Refuse a message that WeChat could certainly not use, even a handmade one; an unknown msgtype passes."""
    __tracebackhide__ = True
    if not isinstance(message, dict | Mapping):
        raise InvalidMessage(
            "message",
            f"must be a dict such as text(touser, content) returns, not {kind_of(message)}",
            f"应为 dict，例如 text(touser, content) 的返回值，收到的是 {kind_of(message)}",
        )
    require_str("touser", message.get("touser"))
    msgtype: Any = message.get("msgtype")
    require_str("msgtype", msgtype)
    if "businessid" in message:
        require_businessid(message["businessid"])
    required = REQUIRED.get(msgtype)
    if required is None:
        return
    content = message.get(msgtype)
    if not isinstance(content, dict):
        raise InvalidMessage(
            f"{msgtype}", f"must be a dict with {', '.join(required)}", f"应为含 {'、'.join(required)} 的 dict"
        )
    for name in required:
        require_str(name, content.get(name))
