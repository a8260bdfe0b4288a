"""Advice on a message before it is sent: it never refuses one, and is based only on what the dict shows."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.messages import REQUIRED, require_message
from wxcs_lite.require import quoted
from wxcs_lite.splitting import TEXT_BYTES, split_text

__all__ = ["Remark", "check"]


class Remark(NamedTuple):
    """A piece of advice on one field, in English and Chinese; `str(remark)` is both.

    >>> print(Remark("url", "is a path", "是路径"))
    url: is a path
    url：是路径
    """

    field: str
    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.field}: {self.en}\n{self.field}：{self.zh}"


def check(message: Mapping[str, Any]) -> list[Remark]:
    """Return advice on a message; an empty list means that nothing looks odd.

    >>> from wxcs_lite import miniprogrampage, text
    >>> check(text("OPENID", "hello"))
    []
    >>> print(check(text("OPENID", "好" * 700))[0].en)
    is 2100 bytes of UTF-8, more than the safe 2048: WeChat may answer 45002; cut by split_text, it takes 2 messages...
    >>> print(check(miniprogrampage("OPENID", title="t", pagepath="/pages/a", thumb_media_id="M"))[0].en)
    begins with "/": write it as in app.json, pages/…

    It never raises: what `send` would refuse becomes the only remark, and what cannot be judged is left out.
    """
    try:
        require_message(message)
    except InvalidMessage as e:
        return [Remark(*e.args)]
    found = [_apply("touser", message["touser"], _touser)]
    msgtype = message["msgtype"]
    found.append(_apply("msgtype", msgtype, _msgtype))
    found += [_apply(field, message[msgtype][field], rule) for field, rule in _RULES.get(msgtype, ())]
    return [remark for remark in found if remark]


_Advice = tuple[str, str] | None


def _apply(field: str, value: str, rule: Callable[[str], _Advice]) -> Remark | None:
    advice = rule(value)
    return Remark(field, *advice) if advice else None


# Patterns are compiled at their first use, not at import.
_OPENID = r"[A-Za-z0-9_-]{1,64}"


def _touser(value: str) -> _Advice:
    if re.fullmatch(_OPENID, value):
        return None
    return (
        "does not look like an openid (letters, digits, _ and -): WeChat may answer 40003",
        "不像是 openid（只含字母、数字、_ 和 -），微信可能返回 40003",
    )


def _msgtype(value: str) -> _Advice:
    if value in REQUIRED:
        return None
    types = ", ".join(REQUIRED)
    return (
        f"a Mini Program can send {types}; {quoted(value)} will probably get 45162",
        f"小程序只能发送 {types}，{quoted(value)} 多半会返回 45162",
    )


def _size(value: str) -> _Advice:
    size = len(value.encode())
    if size <= TEXT_BYTES:
        return None
    en = f"is {size} bytes of UTF-8, more than the safe {TEXT_BYTES}: WeChat may answer 45002; "
    zh = f"按 UTF-8 计算为 {size} 字节，超过稳妥的 {TEXT_BYTES} 字节，微信可能返回 45002；"
    try:
        count = len(split_text(value))
    except InvalidMessage as e:  # a link that is longer
        return f"{en}it {e.args[1]}", f"{zh}{e.args[2]}"
    full, full_zh = (", which holds 5", "，而窗口只有 5 条") if count > 5 else ("", "")
    return (
        f"{en}cut by split_text, it takes {count} messages of the window{full}",
        f"{zh}用 split_text 拆分后要占 {count} 条{full_zh}",
    )


_TAG = r"(?i)<a\s[^<>]*>"


def _own_page(value: str) -> _Advice:
    tags = [tag.lower() for tag in re.findall(_TAG, value)]
    if all("data-miniprogram-path" in tag for tag in tags if "data-miniprogram-appid" in tag):
        return None
    return (
        "has a link with data-miniprogram-appid but no data-miniprogram-path, so it has no page to open",
        "文字链带有 data-miniprogram-appid，却没有 data-miniprogram-path，无法确定要打开的页面",
    )


def _pagepath(value: str) -> _Advice:
    if "://" in value.partition("?")[0]:
        return ("is a URL: give the path of a page of your Mini Program, pages/…", "是网址，应填小程序页面路径 pages/…")
    if value.startswith("/"):
        return ('begins with "/": write it as in app.json, pages/…', "以“/”开头，应与 app.json 里一致，写成 pages/…")
    return None


def _url(value: str) -> _Advice:
    if value.lower().startswith("https://"):
        return None
    return ("does not begin with https://: the customer's WeChat may not open it", "不是 https:// 开头，用户可能打不开")


_WRONG_KIND = r"(?i)\.(gif|webp|svg|bmp|heic|avif|ico|tiff?|mp4|html?)$"


def _thumb_url(value: str) -> _Advice:
    if "://" not in value:
        return (
            "is not a web address: a link's thumbnail is a JPG or PNG on the web, not a media_id or a file",
            "不是网址：link 的缩略图要填网上的 JPG 或 PNG 地址，而不是 media_id 或本地文件",
        )
    ending = re.search(_WRONG_KIND, re.split(r"[?#]", value, maxsplit=1)[0])
    if ending:
        return (f"ends in {ending[0]}: WeChat shows JPG and PNG", f"以 {ending[0]} 结尾，微信只显示 JPG 和 PNG")
    return _url(value)


_FILE_NAME = r"(?i)[/\\]|\.(jpe?g|png|gif|webp)$"


def _media_id(value: str) -> _Advice:
    if not re.search(_FILE_NAME, value):
        return None
    return (
        "looks like an address or a file name: upload the picture and give the media_id that comes back",
        "像是网址或文件名：请先上传图片，再填返回的 media_id",
    )


_RULES: dict[str, tuple[tuple[str, Callable[[str], _Advice]], ...]] = {
    "text": (("content", _size), ("content", _own_page)),
    "image": (("media_id", _media_id),),
    "link": (("url", _url), ("thumb_url", _thumb_url)),
    "miniprogrampage": (("pagepath", _pagepath), ("thumb_media_id", _media_id)),
}
