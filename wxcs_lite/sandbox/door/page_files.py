"""The files of the page: HTML with places for texts, a style sheet, a program for the browser, an icon."""

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from wxcs_lite.errcodes import explain
from wxcs_lite.look.style import MESSAGES, PHONE
from wxcs_lite.look.words import Language, Words
from wxcs_lite.sandbox.door.actions import MAX_PICTURE
from wxcs_lite.sandbox.door.board import CALLS, PUSHES
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.sandbox.rules.refusals import TEXTS

__all__ = ["FILES", "first_page", "read"]

FILES = {
    "page.css": "text/css; charset=utf-8",
    "look.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_OFTEN = (-1, 40001, 42001, 40003, 45009, 45011, 45015, 45047, 45081, 48001)
_SLOW = 5  # seconds


@cache
def read(name: str) -> bytes:
    """Return a file's bytes; the style sheet of the phone is that of notebooks."""
    if name == "look.css":
        return (PHONE + MESSAGES).encode()
    return files(__package__).joinpath("files", name).read_bytes()


def first_page(lang: Language, appids: Sequence[str]) -> str:
    """Return the page in a language, with the texts in their places."""
    words = page_words(lang)
    markup = {
        "lang": lang,
        "accounts": "".join(f'<option value="{escape(one)}">{escape(one)}</option>' for one in appids),
        "faults": _faults(words, lang),
        "last_calls": escape(words["last"].format(count=CALLS)),
        "last_pushes": escape(words["last"].format(count=PUSHES)),
        "most_calls": str(CALLS),
        "most_pushes": str(PUSHES),
        "limit": str(MAX_PICTURE),
        "too_large": escape(words["too_large"].format(limit="10 MB")),
    }
    places = {name: escape(text) for name, text in words.items()} | markup
    return re.sub(r"{{(\w+)}}", lambda place: places[place[1]], read("page.html").decode())


def _faults(words: Words, lang: Language) -> str:
    lost = [(f'{{"drop":"{when}"}}', words[f"drop_{when}"]) for when in ("before", "after")]
    slow = (f'{{"slow":{_SLOW}}}', words["slow"].format(seconds=_SLOW))
    codes = {code: (f'{{"errcode":{code}}}', f"{code} {_meaning(code, lang)}") for code in sorted(TEXTS) if code}
    often = [codes[code] for code in _OFTEN]
    others = [option for code, option in codes.items() if code not in _OFTEN]
    groups = (("often", often), ("connection", [*lost, slow]), ("others", others))
    return "".join(_group(words[name], options) for name, options in groups)


def _meaning(code: int, lang: Language) -> str:
    known = explain(code)
    return known.meaning if lang == "en" else known.meaning_zh


def _group(label: str, options: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return f'<optgroup label="{escape(label)}">{rows}</optgroup>'
