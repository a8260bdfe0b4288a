"""Refuse a value that WeChat could certainly not use; unlike WeChat's errors, ours name the field."""

import re
from collections.abc import Mapping

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.scrub import scrub

__all__ = ["kind_of", "quoted", "require_businessid", "require_str", "require_utf8"]


def require_str(field: str, value: object) -> None:
    """Refuse what is missing, empty, not a str, or contains half of a surrogate pair."""
    if not isinstance(value, str):
        meant, kind = _meant(field, value), kind_of(value)
        en, zh = (f": pass its {meant}", f"：请传它的 {meant}") if meant else ("", "")
        raise InvalidMessage(field, f"must be a str, not {kind}{en}", f"应为 str，收到的是 {kind}{zh}")
    if not value:
        raise InvalidMessage(field, "must not be empty", "不能为空")
    if not value.isascii():
        require_utf8(field, value)


# Where other values have the text of a field: an attribute of an uploaded medium or of a sandbox's customer, and a
# field of a push.
_ELSEWHERE = {
    "touser": ("openid", "FromUserName"),
    "content": ("", "Content"),
    "media_id": ("media_id", "MediaId"),
    "thumb_media_id": ("media_id", "MediaId"),
}


def _meant(field: str, value: object) -> str:
    attribute, pushed = _ELSEWHERE.get(field.rpartition(".")[2], ("", ""))
    if hasattr(value, attribute):
        return f".{attribute}"
    fields = getattr(value, "fields", None)
    return f'.fields["{pushed}"]' if isinstance(fields, Mapping) and pushed in fields else ""


def require_utf8(field: str, value: str) -> None:
    """Refuse a str that cannot be encoded as UTF-8, such as half of an emoji."""
    try:
        value.encode()
    except UnicodeEncodeError as e:
        at = e.start
    else:
        return
    raise InvalidMessage(
        field,
        f"contains a lone surrogate (half of an emoji) at index {at}: cut texts between whole characters",
        f"第 {at} 位是不成对的代理字符（半个 emoji），截断文本时请保留完整字符",
    )


def require_businessid(businessid: object) -> None:
    """Refuse a businessid that is neither an int nor a non-empty str: WeChat's own pages show both forms."""
    if isinstance(businessid, str):
        require_str("businessid", businessid)
    elif isinstance(businessid, bool) or not isinstance(businessid, int):
        raise InvalidMessage(
            "businessid",
            f"must be the int (or str) that WeChat gave the sub-merchant, not {kind_of(businessid)}",
            f"应为微信分配给子商户的整数（或字符串），收到的是 {kind_of(businessid)}",
        )


def kind_of(value: object) -> str:
    """Return the type by which an error names a value without showing it."""
    for plain in (str, bytes):  # the caller passed a plain one and does not know the class that hides it
        if isinstance(value, plain):
            return plain.__name__
    return "None" if value is None else type(value).__name__


_QUOTED = 60  # characters
_LOOKED_AT = 2000  # characters: anything longer is a picture or a book, and is not searched as a whole


def quoted(value: object) -> str:
    """Return a value as an error quotes it: only the end of a long one, and nothing that could be a token or a secret.

    >>> quoted("Blink"), quoted("80_" + "a" * 20)
    ("'Blink'", "'***'")
    """
    told = value if isinstance(value, str) else repr(value)
    if len(told) > _LOOKED_AT:
        told = re.sub(r"^[\w%+=-]*", "…", told[-_LOOKED_AT:])  # may be the end of a secret, too short to be recognised
    shown = scrub(re.sub(r"[0-9]+_[\w-]{17,}", "***", told))
    if len(shown) > _QUOTED:
        shown = f"…{shown[1 - _QUOTED :]}"
    return repr(shown) if isinstance(value, str) else shown
