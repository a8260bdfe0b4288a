"""Texts without secrets: what is named like one, or is known to be one, becomes a numbered placeholder.

Pure. A placeholder is numbered by its first appearance in a cassette: TOKEN_1, OPENID_2. What appears first in a reply
is counted separately, GIVEN_TOKEN_1: on replay the reply contains the placeholder itself, so both counts begin at one
again, whatever values the test then uses.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import unquote

from wxcs_lite.secret import Secret, any_spelling

__all__ = ["Scrubber", "occurs"]

# The names of fields and parameters, by what they hold.
_NAMED = {
    "TOKEN": r"(?:[a-z]+_)?(?:access|refresh)_token|token",
    "SECRET": r"(?:[a-z]+_)?(?:app_?)?secret|session_key",
    "APPID": r"(?:[a-z]+_)?app_?id",
    "OPENID": r"(?:[a-z]+_)?(?:open_?id|union_?id)(?:_list)?|tousers?|(?:from|to)username",
    "AES_KEY": r"(?:encoding_?)?aes_?key",
    "PUSH_TOKEN": r"push_token",
    "MEDIA_ID": r"(?:[a-z]+_)?media_?id",  # not secret, but different for each account
}
_NAMES = "|".join(f"(?P<{kind}>{names})" for kind, names in _NAMED.items())
_PLACEHOLDER = re.compile(rf"(?:GIVEN_)?(?:{'|'.join(_NAMED)})_\d+")

# A JSON string, at any depth of JSON in JSON: both its quotation marks have as many backslashes, and a backslash of the
# text is written with twice as many and two more.
_QUOTED = r"""(?:[^"\\]|(?P=b)(?P=b)\\\\|\\+[^"\\]|(?!(?P=q))\\+")++"""
_FIELD = re.compile(rf'(?i)(?P<q>(?P<b>\\*)")(?:{_NAMES})(?P=q)\s*:\s*(?P=q)(?P<value>{_QUOTED})(?P=q)')
_LIST = re.compile(rf'(?i)(?P<q>(?P<b>\\*)")(?:{_NAMES})(?P=q)\s*:\s*\[(?P<value>[^\]]+)\]')
_ELEMENT = re.compile(rf"(?i)<(?:{_NAMES})>\s*(?:<!\[CDATA\[)?(?P<value>[^<\]]+)")
# In a URL or a form, or in a text that quotes one: percent-encoded as a whole, or with JSON escapes.
_PLAIN = r"""(?:[^&\s"'<>#\\,;)}\]]|\\/|\\u(?!0026|0022|003c|003e)[0-9a-f]{4})+"""
_ENCODED = r"""(?:[^&\s"'<>#\\,;)}\]%]|%(?!26|22|23|20|7d|0a|0d)[0-9a-f]{2})+"""
_START = r"(?:(?<![a-z0-9_])|(?<=%[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
_PAIR = re.compile(rf"(?i){_START}(?:{_NAMES})(?:(?:=|\\u003d)(?P<value>{_PLAIN})|%3d(?P<encoded>{_ENCODED}))")
_NAME = re.compile(rf"(?i)(?:.*-)?(?:{_NAMES})")  # of a parameter, or of a header such as X-WX-OPENID

# A shorter value may be part of a word, and a shorter openid, such as a sandbox's, may be a word itself.
_LONG, _WORD = 16, 6


def occurs(value: str, kind: str) -> re.Pattern[str] | None:
    """Return a pattern that finds a value in any spelling; None if it is too short to be distinguished from words.

    >>> bool(occurs("made-up-secret-of-32-characters", "SECRET").search('a made\\u002dup-secret-of-32-characters.'))
    True
    >>> occurs("ann", "OPENID")
    """
    if len(value) >= _LONG:
        return any_spelling(value)
    if len(value) >= _WORD and kind not in ("OPENID", "APPID"):
        return re.compile(rf"(?<![A-Za-z0-9_-]){any_spelling(value).pattern}(?![A-Za-z0-9_-])")
    return None


class Scrubber:
    """Replaces secrets in the URLs, headers and bodies of one cassette; the same value gets the same placeholder.

    >>> scrubber = Scrubber(dict)
    >>> scrubber.url("https://api.weixin.qq.com/x?access_token=80_made%2Dup&type=image")
    'https://api.weixin.qq.com/x?access_token=TOKEN_1&type=image'
    >>> scrubber.body(b'{"touser":"ann","token":"80_made-up"}')
    b'{"touser":"OPENID_1","token":"TOKEN_1"}'

    `known` returns further values and their kinds, which are replaced everywhere. Placeholders are kept, so scrubbing
    twice is the same as scrubbing once.
    """

    def __init__(self, known: Callable[[], Mapping[str, str]]) -> None:
        self._known = known
        self._placeholders: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._patterns: dict[str, re.Pattern[str] | None] = {}

    @property
    def values(self) -> dict[str, str]:
        """Every value that got a placeholder, and its kind."""
        named = self._placeholders.items()
        return {Secret(value): name.removeprefix("GIVEN_").rpartition("_")[0] for value, name in named}

    def url(self, url: str) -> str:
        """Return a URL without secrets: parameters by their names, known values anywhere."""
        start, mark, query = url.partition("?")
        pairs = [self._pair(*pair.partition("=")) for pair in query.split("&")]
        return self.text(start + mark + "&".join(pairs))

    def header(self, name: str, value: str, *, given: bool = False) -> str:
        """Return the value of a header without secrets."""
        named = _NAME.fullmatch(name)
        return self._placeholder(value, _kind(named), given) if named else self.text(value, given=given)

    def body(self, body: bytes, *, given: bool = False) -> bytes:
        """Return a body without secrets; `given` marks a reply's. In a picture only known values are replaced."""
        try:
            return self.text(body.decode(), given=given).encode()
        except UnicodeError:
            for value, kind in self._all_known():
                if len(value) >= _LONG and value.encode() in body:
                    body = body.replace(value.encode(), self._placeholder(value, kind, given).encode())
            return body

    def text(self, text: str, *, given: bool = False) -> str:
        """Return a text without values that are named like secrets or known."""

        def replace(match: re.Match[str]) -> str:
            group = "value" if match["value"] is not None else "encoded"
            start, end = (at - match.start() for at in match.span(group))
            placeholder = self._placeholder(_plain(match[group]), _kind(match), given)
            return match[0][:start] + placeholder + match[0][end:]

        def replace_all(match: re.Match[str]) -> str:
            kind, start = _kind(match), match.start("value") - match.start()
            items = re.compile(rf"""(?P<q>(?P<b>{re.escape(match["b"])})")(?P<value>{_QUOTED})(?P=q)""")
            new = items.sub(
                lambda m: m["q"] + self._placeholder(_plain(m["value"]), kind, given) + m["q"], match["value"]
            )
            return match[0][:start] + new + "]"

        text = _LIST.sub(replace_all, _FIELD.sub(replace, text))
        text = _PAIR.sub(replace, _ELEMENT.sub(replace, text))
        for value, kind in self._all_known():
            pattern = self._pattern(value, kind)
            if pattern is not None and pattern.search(text):
                text = pattern.sub(self._placeholder(value, kind, given), text)
        return text

    def _pair(self, name: str, mark: str, value: str) -> str:
        named = _NAME.fullmatch(unquote(name))
        return name + mark + (self._placeholder(_plain(value), _kind(named), False) if named and value else value)

    def _all_known(self) -> list[tuple[str, str]]:
        """Return values and kinds, the longest first, because one may be part of another."""
        return sorted({**self._known(), **self.values}.items(), key=lambda pair: -len(pair[0]))

    def _pattern(self, value: str, kind: str) -> re.Pattern[str] | None:
        if value not in self._patterns:
            self._patterns[value] = occurs(value, kind)
        return self._patterns[value]

    def _placeholder(self, value: str, kind: str, given: bool) -> str:
        if _PLACEHOLDER.fullmatch(value):
            return value
        if value not in self._placeholders:
            name = f"GIVEN_{kind}" if given else kind
            self._counts[name] += 1
            self._placeholders[value] = f"{name}_{self._counts[name]}"
        return self._placeholders[value]


def _kind(match: re.Match[str]) -> str:
    return next(kind for kind in _NAMED if match[kind] is not None)


def _plain(value: str) -> str:
    """Return a value without its escapes, however often it was escaped, so that it is the same in a URL and in JSON."""
    while True:
        bare = _unescaped(value)
        if bare == value:
            return bare
        value = bare


def _unescaped(value: str) -> str:
    if "\\" in value:
        with suppress(ValueError):
            return str(json.loads(f'"{value}"'))
    return unquote(value)
