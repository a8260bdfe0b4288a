"""A long text as several messages: cut where a reader would cut it, and never inside what must stay whole.

The text is a sequence of atoms with white space between them. An atom is what a reader sees as one character, or a
whole `<a …>…</a>`. Each place between two atoms has a rank (paragraph, line, sentence, word, none of these), and a
piece ends at the best place within its reach.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from unicodedata import category, combining, east_asian_width

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.require import kind_of, require_str

__all__ = ["TEXT_BYTES", "split_text"]

TEXT_BYTES = 2048  # measured by the community; WeChat documents no limit, only 45002


def split_text(content: str, max_bytes: int = TEXT_BYTES) -> list[str]:
    """Return a long text as pieces of at most max_bytes of UTF-8 each: one text message for each piece.

    >>> split_text("Your order has left. It arrives on Friday. 谢谢您的耐心等待！", max_bytes=32)
    ['Your order has left.', 'It arrives on Friday.', '谢谢您的耐心等待！']

    It cuts at paragraphs, lines, ends of sentences (Chinese and English) or words, in this order, and inside a word
    only if it fills a piece. A cut that would leave a piece half empty is skipped for the next kind, because each piece
    takes a message of the window. An `<a …>…</a>` and what a reader sees as one character (an emoji with its skin tone,
    a family, a flag, a letter with its accents) stay whole; InvalidMessage is raised if one alone exceeds max_bytes.
    White space at the cuts and at both ends is dropped; a text of nothing else gives `[]`.
    """
    if type(max_bytes) is not int or max_bytes < 1:
        kind = max_bytes if type(max_bytes) is int else kind_of(max_bytes)
        raise InvalidMessage(
            "max_bytes", f"must be an int of at least 1, not {kind}", f"应为不小于 1 的整数，收到的是 {kind}"
        )
    if content == "":
        return []
    require_str("content", content)
    if len(content.encode()) <= max_bytes:
        return [content.strip()] if content.strip() else []
    return list(_pieces(_atoms(content, max_bytes), max_bytes))


class _Atom(NamedTuple):
    """A part that is never cut: its text, the white space and the rank of a cut before it, and the bytes of both."""

    gap: str
    text: str
    rank: int
    gap_size: int
    size: int


_WITHIN, _WORD, _SENTENCE, _LINE, _PARAGRAPH = range(5)


def _pieces(atoms: list[_Atom], max_bytes: int) -> Iterator[str]:
    start = 0
    while start < len(atoms):
        end, cut = _reach(atoms, start, max_bytes)
        end = cut or end
        yield atoms[start].text + "".join(atom.gap + atom.text for atom in atoms[start + 1 : end])
        start = end


def _reach(atoms: list[_Atom], start: int, max_bytes: int) -> tuple[int, int]:
    """Return where the piece that begins at `start` must end, and the best cut before that, or 0 if everything fits."""
    # The last cut of each rank; one that leaves the piece half empty counts only if there is no other.
    late, early = [0] * 5, 0
    used = atoms[start].size
    for at in range(start + 1, len(atoms)):
        _, _, rank, gap_size, size = atoms[at]
        if used >= max_bytes / 2:
            late[rank] = at
        elif rank:
            early = at
        used += gap_size + size
        if used > max_bytes:
            best = next((cut for cut in reversed(late[_WORD:]) if cut), 0)
            return at, best or early
    return len(atoms), 0


def _atoms(content: str, max_bytes: int) -> list[_Atom]:
    atoms: list[_Atom] = []
    gap, ended = "", ""  # the white space since the last atom; its full stop, if it ended a sentence
    for text in _whole(content):
        if text.isspace() and text not in _FIRM:
            gap += text
            continue
        size = len(text.encode())
        if size > max_bytes:
            raise _too_long(text, size, max_bytes)
        rank = _rank(atoms[-1].text if atoms else "", ended, gap, text)
        atoms.append(_Atom(gap, text, rank, len(gap.encode()), size))
        if text in _STOPS or not (ended and text in _CLOSING):
            ended = text if text in _STOPS else ""
        gap = ""
    return atoms


_FIRM = "\u00a0\u2007\u202f"  # white space that keeps two words together
_STOPS = "。！？；…!?."
_CLOSING = "，。、；：！？…）》〉」』】〕”’.,;:!?)]}\"'"  # what must not begin a piece
_OPENING = "（《〈「『【〔“‘([{"  # what must not end a piece
_BREAK = r"\r\n|[\n\r\u2028\u2029]"


def _rank(before: str, ended: str, gap: str, text: str) -> int:
    """Return how good a cut is between two atoms with this white space between them."""
    if gap and (breaks := len(re.findall(_BREAK, gap))):
        return _PARAGRAPH if breaks > 1 else _LINE
    if text in _CLOSING:
        return _WORD if gap else _WITHIN
    if ended and ((gap and not text.islower()) or not ended.isascii()):
        return _SENTENCE
    if gap or (before not in _OPENING and (_stands_alone(before) or _stands_alone(text))):
        return _WORD
    return _WITHIN


def _stands_alone(atom: str) -> bool:
    """Return whether an atom is a word by itself: a Chinese character, an emoji, a link."""
    return east_asian_width(atom[0]) in "WF" or atom[:2].lower() == "<a"


def _whole(content: str) -> Iterator[str]:
    """Yield what is never cut: links, and between them what a reader sees as one character."""
    links = _links(content)
    link = next(links, None)
    start = character = 0
    for at in range(1, len(content)):
        if _joins(content, character, at):
            continue
        character = at
        while link and at >= link[1]:
            link = next(links, None)
        if not (link and link[0] < at):
            yield content[start:at]
            start = at
    yield content[start:]


def _links(content: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each link; a tag that is never closed is not a link."""
    start = None
    for tag in re.finditer(r"(?i)<a(?=\s)|</a\s*>", content):
        if tag[0][1] != "/":
            start = tag.start()
        elif start is not None:
            yield start, tag.end()
            start = None


_JOINER = "\u200d"  # joins what follows to what comes before, as in a family of emoji
_EXTENDING = "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"  # besides all marks: vowels and voicing signs that are not marks
_HALVES = "\U0001f1e6\U0001f1ff"  # two of these letters, A to Z, are a flag


def _joins(content: str, start: int, at: int) -> bool:
    """Return whether the character at `at` belongs to the visible one that begins at `start`.

    These are the rules of Unicode (UAX 29), shortened to what people write: all marks, emoji of every kind, flags,
    decomposed Korean, Indic conjuncts. The few signs that precede their letter (such as U+0600) are not handled.
    """
    before, char = content[at - 1], content[at]
    if char < "\u0300" or "\u3400" <= char <= "\u9fff" or category(before) in ("Cc", "Zl", "Zp"):
        return (before == _JOINER and not char.isspace()) or before + char == "\r\n"
    if before == _JOINER or char in _EXTENDING or category(char)[0] == "M":
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":
        return True  # a skin tone; the letters in the flag of a part of a country
    if _HALVES[0] <= char <= _HALVES[1]:
        return at == start + 1 and _HALVES[0] <= before <= _HALVES[1]
    if _is_korean(char) and _is_korean(before):
        return before < "\u1160" or "\u1160" <= char <= "\u11ff"
    return combining(before) == 9 and category(char) == "Lo"  # after a virama


def _is_korean(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\uac00" <= char <= "\ud7a3"


def _too_long(text: str, size: int, max_bytes: int) -> InvalidMessage:
    what, what_zh = ("a link", "一个文字链接") if text[:2].lower() == "<a" else ("one character", "一个组合字符")
    return InvalidMessage(
        "content",
        f"contains {what} of {size} bytes, which must stay whole and exceeds max_bytes={max_bytes}",
        f"其中{what_zh}长 {size} 字节，不能拆开，又超过 max_bytes={max_bytes}",
    )
