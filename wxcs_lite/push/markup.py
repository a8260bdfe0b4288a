"""XML as WeChat writes it, and nothing more: elements and text.

A document type is refused as soon as it begins, so there are no entities to expand and nothing to fetch. Depth and the
number of elements are bounded; the caller bounds the size. A text that exceeds a limit is refused as a whole.
"""

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat  # the handlers below refuse what is dangerous in XML

__all__ = ["read_xml", "write_xml"]

MAX_DEPTH = 16
MAX_ELEMENTS = 5000


class _RefusedError(Exception):
    pass


def read_xml(text: str) -> dict[str, Any] | None:
    """Return the fields of an `<xml>` element, or None for any other text or one that exceeds a limit.

    >>> read_xml("<xml><MsgType><![CDATA[text]]></MsgType><MsgId>1</MsgId></xml>")
    {'MsgType': 'text', 'MsgId': '1'}
    >>> read_xml('<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>') is None
    True

    Values are str; an element with child elements becomes a dict, a repeated one a list. Attributes, which WeChat does
    not use, are left out.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, _RefusedError):
        return None
    return reader.fields


class _Reader:
    """Builds the fields from expat's events."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] | None = None
        self._open: list[tuple[dict[str, Any], list[str]]] = []  # fields and texts of each element that is open
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise _RefusedError

    def start(self, name: str, _: object) -> None:
        self._count += 1
        strange = name != "xml" and not self._open
        if strange or self._count > MAX_ELEMENTS or len(self._open) == MAX_DEPTH:
            raise _RefusedError
        self._open.append(({}, []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, name: str) -> None:
        fields, texts = self._open.pop()
        text = "".join(texts)
        if not self._open:
            if text.strip():
                raise _RefusedError  # text beside the fields, which must not be dropped silently
            self.fields = fields
            return
        if fields and text.strip():
            raise _RefusedError
        _add(self._open[-1][0], name, fields or text)


def _add(fields: dict[str, Any], name: str, value: object) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def write_xml(fields: Mapping[str, str | int]) -> str:
    """Return the fields as WeChat writes them: strings in CDATA, integers without it.

    >>> write_xml({"MsgType": "text", "CreateTime": 1399197672})
    '<xml><MsgType><![CDATA[text]]></MsgType><CreateTime>1399197672</CreateTime></xml>'
    """
    return f"<xml>{''.join(f'<{name}>{_written(value)}</{name}>' for name, value in fields.items())}</xml>"


def _written(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"  # a CDATA section cannot hold its own end
