"""From (status, headers, body) to a value or an error, with no network in sight.

A reply is judged by its content: WeChat answers errors with HTTP 200, has labelled JSON as text/plain and as Latin-1,
and leaves errcode out on success.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from wxcs_lite.errors import BadReply, WxError, api_error
from wxcs_lite.media import PICTURE_TYPES, Media, Uploaded
from wxcs_lite.multipart import extension_of, safe_name
from wxcs_lite.scrub import scrub
from wxcs_lite.secret import Token

__all__ = [
    "BLANK",
    "Reply",
    "looks_like_text",
    "read_media",
    "read_ok",
    "read_receipt",
    "read_token",
    "read_uploaded",
    "refuse_encoded",
    "scrub_texts",
    "too_large",
    "without_content",
]

Headers = Mapping[str, str]
_T = TypeVar("_T")


class Reply(NamedTuple):
    """A reply as it arrived: status, headers (case-insensitive) and the whole body, to pass to `replies`."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"<Reply HTTP {self.status}, {len(self.body)} bytes>"


_TOKEN_LIFE = 10**9  # seconds; 7200 is documented, and a number this large cannot be right


def read_ok(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the JSON of a reply whose errcode is 0 or absent, or raise the error that it stands for.

    >>> read_ok(200, {}, b'{"errcode":0,"errmsg":"ok"}')
    {'errcode': 0, 'errmsg': 'ok'}
    >>> read_ok(200, {}, b'{"errcode":45047,"errmsg":"out of response count limit"}')
    Traceback (most recent call last):
    wxcs_lite.errors.WindowClosed: 45047 out of response count limit...
    """
    _refuse_status(status, body)
    refuse_encoded(status, headers)
    found = _json(body)
    if found is None:
        raise _bad(status, body, "is not a JSON object", "不是 JSON 对象")
    errcode = found.get("errcode", 0)
    if type(errcode) is not int:  # True and 0.0 equal an int, but WeChat sends neither
        raise _bad(status, body, "has an errcode that is not an integer", "的 errcode 不是整数")
    if errcode:
        raise api_error(errcode, scrub(str(found.get("errmsg") or "")))
    return found


def read_receipt(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the JSON with which WeChat confirms a message: its errcode must be 0, not absent as elsewhere.

    >>> read_receipt(200, {}, b'{"errcode":0,"errmsg":"ok"}')
    {'errcode': 0, 'errmsg': 'ok'}
    >>> read_receipt(200, {}, b'{"login":"https://hotel.example/"}')
    Traceback (most recent call last):
    wxcs_lite.errors.BadReply: the reply (HTTP 200) has no errcode...

    For `send` and `set_typing`, because a captive portal answers 200, too.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
    found = read_ok(status, headers, body)
    if "errcode" not in found:
        raise _bad(
            status,
            body,
            "has no errcode, so it may not be WeChat's: look for a login page or proxy, check before you send again",
            "没有 errcode，可能不是微信的应答：请检查是否有登录页或代理拦截，重发前请先确认",
        )
    return found


def read_token(status: int, headers: Headers, body: bytes, *, now: float) -> Token:
    """Return the access token of a token reply; now is the time of the request, in seconds since the epoch.

    >>> read_token(200, {}, b'{"access_token":"80_made-up","expires_in":7200}', now=1767240000)
    Token('***', expires_at=1767247200)

    A token may arrive with less than its full two hours left, because stable_token shares it among its callers.
    """
    try:
        return _token(status, read_ok(status, headers, body), now)
    except WxError as e:
        failure = e.with_traceback(None)
    body = b""  # it may hold the token, and this frame may be shown
    raise failure


def _token(status: int, found: dict[str, Any], now: float) -> Token:
    token, expires_in = found.get("access_token"), found.get("expires_in")
    if not (isinstance(token, str) and token):
        raise _bad(status, b"", "has no access_token", "没有 access_token")
    if not isinstance(expires_in, int) or isinstance(expires_in, bool) or not 0 <= expires_in < _TOKEN_LIFE:
        raise _bad(status, b"", "has no expires_in in seconds", "没有以秒为单位的 expires_in")
    return Token(token, now + expires_in)


def read_uploaded(status: int, headers: Headers, body: bytes) -> Uploaded:
    """Return the media_id of an upload, or raise the error that the body stands for.

    >>> read_uploaded(200, {}, b'{"type":"image","media_id":"MEDIA_ID","created_at":1672500000}')
    Uploaded(media_id='MEDIA_ID', type='image', created_at=1672500000)

    For type=thumb WeChat names the id thumb_media_id; it is media_id here.
    """
    found = read_ok(status, headers, body)
    media_id = found.get("media_id") or found.get("thumb_media_id")
    created_at = found.get("created_at")
    if isinstance(created_at, str) and re.fullmatch(r"[0-9]{1,20}", created_at):
        created_at = int(created_at)  # once seen as a string
    if not (isinstance(media_id, str) and media_id):
        raise _bad(status, body, "has no media_id", "没有 media_id")
    if not isinstance(created_at, int) or isinstance(created_at, bool):
        raise _bad(status, body, "has no created_at in seconds", "没有以秒为单位的 created_at")
    return Uploaded(media_id, str(found.get("type", "")), created_at)


def read_media(status: int, headers: Headers, body: bytes) -> Media:
    r"""Return the medium, or raise the error that the body stands for.

    >>> read_media(200, {}, b"\xff\xd8\xff").content
    b'\xff\xd8\xff'
    >>> read_media(200, {}, b'{"errcode":40007,"errmsg":"invalid media_id"}')
    Traceback (most recent call last):
    wxcs_lite.errors.MediaRejected: 40007 invalid media_id...

    The Content-Type is not consulted: WeChat has sent errors as text/plain.
    """
    # https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_getmedia.html
    _refuse_status(status, body)
    refuse_encoded(status, headers)
    if looks_like_text(body):
        found = read_ok(status, headers, body)
        if "video_url" in found:
            raise _bad(
                status,
                b"",
                "is the URL of a video (video_url), not a picture: read it with perform",
                "给的是视频地址（video_url），不是图片：请用 perform 读取",
            )
        raise _bad(status, body, "is JSON, but neither an error nor a medium", "是 JSON，但既不是错误，也不是素材")
    if not body.strip():
        raise _bad(status, b"", "is empty", "为空")
    extension = extension_of(body)
    labelled = _header(headers, "content-type").partition(";")[0].strip()
    if not re.fullmatch(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}", labelled):  # shown to people, so only a plain one
        labelled = "application/octet-stream"
    content_type = PICTURE_TYPES.get(extension or "") or labelled
    return Media(body, content_type, _filename(headers, body))


def looks_like_text(start: bytes) -> bool:
    """Return whether the first bytes begin JSON or markup, in UTF-8 or UTF-16, as no picture, voice or video does."""
    if start.startswith(b"\0\0"):  # an MP4 begins with a size of four bytes, and one of them may be a "<"
        return False
    return re.match(_TEXT, start.lstrip(BLANK)[:16].replace(b"\0", b"")) is not None


BLANK = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # byte order marks, and the zero byte of a UTF-16 character
_TEXT = rb'[{<"]|\[(?:[\s\[\]{"0-9tfn-]|$)|null|true|false'
_decode = json.JSONDecoder(strict=False).decode  # WeChat has left control characters inside strings


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = _decode(_text(body).lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(body: bytes) -> str:
    """Return the text of a reply: WeChat sends UTF-8, but something in between may have made UTF-16 of it."""
    encoding = "utf-8"
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in body[:2]:
        encoding = "utf-16-be" if body[0] == 0 else "utf-16-le"
    return body.decode(encoding, "replace")


def _refuse_status(status: int, body: bytes) -> None:
    if status == 200:
        return
    en, zh = _STATUS.get(status, _STATUS.get(status // 100, ("is not an API reply", "不是接口的应答")))
    if b"OPENAPI_PROXY_ERROR" in body:
        en, zh = _RELAY
    # WeChat sends these two before it looks at a message.
    raise _bad(status, body, en, zh, maybe_sent=status not in (404, 412))


_STATUS = {
    3: (
        "is a redirect, which is not followed because the token must not go elsewhere: check the pool's address",
        "是重定向，为防止凭证泄露，不会跟随：请检查 pool 的地址",
    ),
    404: (
        "means an unknown path: check the pool's address and the path (a copied hyphen may be a different character)",
        "表示路径不存在：请检查 pool 的地址和路径（从网页复制的连字符可能是其他字符）",
    ),
    407: (
        "comes from a proxy that requires a login: give open_pool a proxy= with user and password",
        "来自要求登录的代理：请在 open_pool 的 proxy= 里带上用户名和密码",
    ),
    412: (
        "means a body without Content-Length (chunked), which WeChat refuses: give bytes or a seekable file",
        "表示请求体没有 Content-Length（chunked），微信不接受：请传 bytes 或可以回退的文件",
    ),
    5: (
        "is a failure of the server: the message may have been delivered anyway, so check before you send again",
        "表明对端故障：消息仍可能已经送达，重发前请先确认",
    ),
}


_RELAY = (
    "comes from the relay of cloud hosting: add the path in the console (云调用 > 微信令牌权限配置); if it is listed, "
    "retry later",
    "来自云托管的开放接口服务：请在控制台“云调用 > 微信令牌权限配置”里添加该路径；已添加的请稍后重试",
)


def refuse_encoded(status: int, headers: Headers) -> None:
    """Refuse a compressed reply: none was asked for, and a small one can unpack to gigabytes."""
    encoding = _header(headers, "content-encoding")
    if encoding and encoding.strip().lower() not in ("", "identity"):
        raise _bad(
            status,
            b"",
            "is compressed, although no call asked for it (if your HTTP library did, send Accept-Encoding: identity)",
            "经过压缩，而请求没有要求压缩（若用自己的 HTTP 库，请加请求头 Accept-Encoding: identity）",
        )


def too_large(status: int, limit: int) -> BadReply:
    """Return the error for a reply past a size in bytes."""
    return _bad(status, b"", f"is larger than {limit:,} bytes", f"超过 {limit:,} 字节")


def without_content(status: int) -> BadReply:
    """Return the error for a status that has no content."""
    return _bad(status, b"", "is not an API reply", "不是接口的应答")


_EXCERPT = 120  # characters
_LOOKED_AT = 2000  # bytes


def _bad(status: int, body: bytes, en: str, zh: str, maybe_sent: bool = True) -> BadReply:
    """Return a BadReply with a short excerpt that is safe to show: scrubbed, printable, on one line."""
    # Without NULs, which between the letters of a secret would hide it from `scrub` but not from people.
    text = scrub(_text(body[:_LOOKED_AT]).replace("\0", ""))
    # A cut may leave the beginning of a secret, too short to be recognised.
    if len(body) > _LOOKED_AT:
        text = re.sub(r"[\w%+=\\&#;/.-]*$", "", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > _EXCERPT:  # `scrub` has found any secret that is not spelled in escapes
        text = re.sub(r"[\w+=/.-]*[%&\\][\w%+=\\&#;/.-]*$", "", text[:_EXCERPT]) + "…"
    excerpt = f": {text}" if text else ""
    return BadReply(f"the reply (HTTP {status}) {en}{excerpt}", f"应答（HTTP {status}）{zh}", status, maybe_sent)


def _header(headers: Headers, name: str) -> str:
    """Look up a header in any case: urllib3's mapping does that, a plain dict from elsewhere does not."""
    if isinstance(headers, dict):
        return next((value for key, value in headers.items() if key.lower() == name), "")
    if name not in headers:  # urllib3's get() would raise and catch an exception for every reply
        return ""
    return headers[name]


_FILENAME = r'(?i)filename="?([^";]+)'


def _filename(headers: Headers, body: bytes) -> str:
    """Return WeChat's filename if it is plain and of a media type, else a new one."""
    named = re.search(_FILENAME, _header(headers, "content-disposition"))
    return safe_name(re.split(r"[/\\]", named[1])[-1].strip() if named else "", body)


def scrub_texts(value: _T, clean: Callable[[str], str]) -> _T:
    """Clean every text in a value, field names too, at every level; JSON is cleaned in place.

    >>> scrub_texts({"a": ["made-up", {"made-up": 1}]}, lambda text: text.replace("made-up", "***"))
    {'a': ['***', {'***': 1}]}
    """
    if isinstance(value, Uploaded):
        return value._replace(media_id=clean(value.media_id), type=clean(value.type))
    waiting: list[object] = [value]  # no recursion: a reply may be nested as deeply as the JSON parser allows
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            pairs = [(clean(name), item) for name, item in holder.items()]
            holder.clear()
            holder.update((name, clean(item) if isinstance(item, str) else item) for name, item in pairs)
            waiting += holder.values()
        elif isinstance(holder, list):
            holder[:] = [clean(item) if isinstance(item, str) else item for item in holder]
            waiting += holder
    return value
