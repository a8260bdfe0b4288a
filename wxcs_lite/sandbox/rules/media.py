"""Temporary media: what may be uploaded, and for how long it is kept. Time is an argument."""

# https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_uploadtempmedia.html

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from wxcs_lite.sandbox.rules.evidence import CODES, FORUM, UPLOAD, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["Medium", "Shelf", "check_upload", "content_type"]

_LIFETIME = 3 * 86400  # seconds
_PICTURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


class _Kind(NamedTuple):
    extensions: tuple[str, ...]
    max_bytes: int
    too_large: int  # errcode; which one belongs to which type is inferred from its text


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "image": _Kind((".jpg", ".jpeg", ".png", ".gif"), 10 * 2**20, 40009),
        "voice": _Kind((".amr", ".mp3"), 2 * 2**20, 40010),
        "video": _Kind((".mp4",), 10 * 2**20, 40011),
        "thumb": _Kind((".jpg", ".jpeg"), 64 * 2**10, 40012),
    }
)


class Medium(NamedTuple):
    """A temporary medium; `gone_at` is in epoch seconds."""

    type: str
    content: bytes
    gone_at: float

    def __repr__(self) -> str:
        return f"Medium({self.type}, {len(self.content)} bytes)"


def content_type(content: bytes) -> str | None:
    r"""Return the content type by the first bytes, or None if it is not JPEG, PNG or GIF.

    >>> content_type(b"GIF89a...")
    'image/gif'
    """
    return next((name for magic, name in _PICTURES if content.startswith(magic)), None)


def check_type(type: str) -> None:
    """Raise 40004 unless the type is one of image, voice, video, thumb."""
    if type not in _KINDS:
        raise RefusedError(40004)


def check_upload(type: str, filename: str, content: bytes, *, max_image_bytes: int) -> None:
    r"""Raise 44001 (nothing in it), 40005 (format) or the size code of the type.

    >>> check_upload("image", "phpA1B2", b"\xff\xd8\xff", max_image_bytes=2**20)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 40005

    The extension decides, whatever Content-Type the part has; pictures are also known by their first bytes. A PNG
    called .jpg passes (inferred; not published), a WebP does not.
    """
    rule = _KINDS[type]
    if not content:
        raise RefusedError(44001)
    if not filename.lower().endswith(rule.extensions):
        raise RefusedError(40005)
    if len(content) > (max_image_bytes if type == "image" else rule.max_bytes):
        raise RefusedError(rule.too_large)
    kind = content_type(content)
    if (type == "image" and kind is None) or (type == "thumb" and kind != "image/jpeg"):
        raise RefusedError(40005)


class Shelf:
    """The temporary media by their media_id, each kept for three days.

    >>> shelf = Shelf(lambda: "MEDIA_ID")
    >>> media_id = shelf.put("image", b"GIF89a", now=0)
    >>> shelf.get(media_id, now=259199)
    Medium(image, 6 bytes)
    >>> shelf.get(media_id, now=259200)
    Traceback (most recent call last):
    wxcs_lite.sandbox.rules.refusals.RefusedError: 40007
    """

    def __init__(self, make_id: Callable[[], str]) -> None:
        self._make_id = make_id
        self._media: dict[str, Medium] = {}

    def put(self, type: str, content: bytes, now: float) -> str:
        for media_id in [media_id for media_id, medium in self._media.items() if medium.gone_at <= now]:
            del self._media[media_id]
        media_id = self._make_id()
        self._media[media_id] = Medium(type, content, now + _LIFETIME)
        return media_id

    def get(self, media_id: object, now: float, types: tuple[str, ...] = tuple(_KINDS)) -> Medium:
        """Return the medium, or raise 40007: unknown, gone, or of another type than asked for."""
        medium = self._media.get(media_id) if isinstance(media_id, str) else None
        if medium is None or medium.gone_at <= now or medium.type not in types:
            raise RefusedError(40007)
        return medium


# fmt: off
RULES = (
    Rule(
        f"The type must be one of {', '.join(_KINDS)}.",
        f"type 只能是 {'、'.join(_KINDS)}。",
        page=UPLOAD, seen="2022-10", errcodes=(40004,),
    ),
    Rule(
        "The filename's extension decides, whatever the part's Content-Type; pictures are also checked by their first "
        "bytes. A PNG named .jpg is accepted.",
        "以文件名后缀为准，不看该部分的 Content-Type；图片还会核对文件头。名为 .jpg 的 PNG 可以通过。",
        seen="2020, 2021-04: https://github.com/w7corp/easywechat/issues/1931", inferred=True, errcodes=(40005,),
    ),
    Rule(
        "An image may have up to 10 MB: the page says both 2 MB and 10 MB, and one user measured 10. The other types: "
        + ", ".join(f"{name} {rule.max_bytes // 2**10:,} KB" for name, rule in _KINDS.items() if name != "image")
        + ". Which code belongs to which type is inferred from its text.",
        "图片上限 10 MB：官方页面 2 MB 和 10 MB 都写了，有用户实测为 10 MB。其他类型："
        + "，".join(f"{name} {rule.max_bytes // 2**10:,} KB" for name, rule in _KINDS.items() if name != "image")
        + "。各类型对应哪个错误码，由错误码的文字说明推断。",
        page=UPLOAD, seen=f"{FORUM}/000e48fc2e8720d7f5e49a65c61800", inferred=True,
        errcodes=tuple(rule.too_large for rule in _KINDS.values()),
        setting="max_image_bytes",
    ),
    Rule("An empty file is refused.", "空文件会被拒绝。", page=CODES, errcodes=(44001,)),
    Rule(
        f"Temporary media are kept for {_LIFETIME // 86400} days and can be used repeatedly; the media_id of an "
        "expired one, or of another account, is invalid.",
        f"临时素材保留 {_LIFETIME // 86400} 天，可重复使用；过期或不属于本账号的 media_id 无效。",
        page=UPLOAD, seen="2021-04", errcodes=(40007,),
    ),
)
