"""Request bodies as WeChat reads them: JSON that should be raw UTF-8, and multipart in exactly one form."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from wxcs_lite.sandbox.rules.evidence import CODES, UPLOAD, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError
from wxcs_lite.sandbox.rules.switches import Escapes, PartName

__all__ = ["Part", "media_part", "read_json"]

_MAX_DEPTH = 64  # ours, so that nobody can exhaust the stack; no message needs more than three
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def read_json(body: bytes, escapes: Escapes = "literal") -> dict[str, Any]:
    r"""Return the JSON object, or raise 44002 (no body), 47001 (not an object, not UTF-8) or 47002.

    >>> read_json(rb'{"content":"\u4f60"}', "decode")
    {'content': '你'}
    >>> read_json(rb'{"content":"\u4f60"}', "literal")
    {'content': '\\u4f60'}

    The Content-Type is not looked at (inferred: SDKs that send none work).
    """
    if not body:
        raise RefusedError(44002)
    try:
        text = body.decode()
        if escapes == "refuse" and any(match[1] == "u" for match in _ESCAPE.finditer(text)):
            raise RefusedError(47002)
        if escapes == "literal":
            text = _ESCAPE.sub(lambda match: r"\\u" if match[1] == "u" else match[0], text)
        value = json.loads(text, parse_constant=_refuse_constant)
        if r"\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except (ValueError, RecursionError):
        raise RefusedError(47001) from None
    if not isinstance(value, dict) or _is_deeper_than(_MAX_DEPTH, value):
        raise RefusedError(47001)
    return value


def _is_deeper_than(limit: int, value: object) -> bool:
    level = [value]
    for _ in range(limit):
        level = [part for one in level for part in _parts_of(one)]
    return bool(level)


def _parts_of(value: object) -> Collection[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class Part(NamedTuple):
    """The file of an upload."""

    filename: str
    content: bytes

    def __repr__(self) -> str:
        return f"Part({self.filename!r}, {len(self.content)} bytes)"


# A quoted boundary is read with its quotes and then never found: uploads from clients that quote it have failed.
_BOUNDARY = re.compile(r'\s*multipart/form-data\s*;(?:[^"]*;)?\s*boundary=([^;,\s]{1,200})', re.IGNORECASE)
_PARAMETER = re.compile(rb';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))', re.DOTALL)


def media_part(content_type: str, body: bytes, name: PartName = "strict") -> Part:
    r"""Return the part called `media`, or raise 41005 if it cannot be read for any reason.

    >>> body = b'--B\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n...\r\n--B--\r\n'
    >>> media_part("multipart/form-data; boundary=B", body)
    Part('a.jpg', 3 bytes)

    A name that is given only as `filename*=` does not count, which breaks clients that send a Chinese file name;
    neither does one without quotes. A part called something other than `media` was accepted once and refused
    elsewhere: with `name` "lax" the first part that is a file is taken.
    """
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        raise RefusedError(41005)
    for head, content in _parts(boundary[1].encode("latin-1"), body):
        fields = _disposition(head)
        if b"filename" in fields and (name == "lax" or fields.get(b"name") == b"media"):
            return Part(_text(fields[b"filename"]), body[content])
    raise RefusedError(41005)


def _parts(boundary: bytes, body: bytes) -> Iterator[tuple[bytes, slice]]:
    """Yield the head of each part and the position of its content, so that only the chosen part is copied."""
    mark = b"\r\n--" + boundary
    first = -2 if body.startswith(mark[2:]) else body.find(mark)  # no line is required before the first one
    last = max(first, body.rfind(mark))
    if last == -1 or not body.startswith(b"--", last + len(mark)):
        raise RefusedError(41005)  # no end mark: the rest was lost
    while first != last:
        start = first + len(mark)
        first = body.find(mark, start)
        yield from _part(body, start, first)


def _part(body: bytes, start: int, end: int) -> Iterator[tuple[bytes, slice]]:
    line = body.find(b"\r\n", start, end)
    blank = body.find(b"\r\n\r\n", line + 2, end)
    if 0 <= line < blank and not body[start:line].strip(b" \t"):
        yield body[line + 2 : blank], slice(blank + 4, end)


def _disposition(head: bytes) -> dict[bytes, bytes]:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            return {
                match[1].lower(): match[2] if match[2] is not None else match[3]
                for match in _PARAMETER.finditer(value)
                if match[2] is not None or match[1].lower() != b"filename"
            }
    return {}


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


# fmt: off
RULES = (
    Rule(
        "The body is always read as UTF-8 JSON, whatever its Content-Type.",
        "请求体一律按 UTF-8 JSON 解析，不看 Content-Type。",
        seen="2022-02", inferred=True, errcodes=(44002, 47001),
    ),
    Rule(
        "\\u escapes are shown to the customer literally. (Four reports say so, two say the opposite, none of them "
        "newer than 2018; 47002 is documented but was never seen.)",
        "\\u 转义会原样显示给用户。（四份报告如此，两份相反，都不晚于 2018 年；47002 只见于文档，没有实例。）",
        page=CODES, seen="2015, 2017-09, 2017-12, 2018-12: https://github.com/dptobat/learning-php/issues/50",
        errcodes=(47002,), setting="unicode_escapes",
    ),
    Rule(
        "The part with the file must be named media. (One named file was accepted once.)",
        "文件所在的部分必须名为 media。（名为 file 的曾被接受过一次。）",
        page=UPLOAD, seen="https://github.com/JeffreySu/WeiXinMPSDK/pull/698; file: 2020-09", errcodes=(41005,),
        setting="part_name",
    ),
    Rule(
        "That part needs a filename in quotes; filename*= alone is not enough. The boundary in the header has no "
        "quotes.",
        "该部分必须有带双引号的 filename，只有 filename*= 不算。请求头里的 boundary 不加引号。",
        seen="2025: https://github.com/silenceper/wechat/pull/832; https://github.com/wechatpy/wechatpy/issues/293",
        errcodes=(41005,),
    ),
)
