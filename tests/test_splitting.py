"""Long texts in pieces: within their bytes, at good places, nothing lost, and what must stay whole is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite import InvalidMessage, split_text

# What a reader sees as one character, made of several of Python's.
CHARACTERS = {
    "family": "👨‍👩‍👧‍👦",
    "flag": "🇨🇳",
    "flag of a part": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "skin tone": "👍🏽",
    "skin tone and work": "👩🏽‍🚀",
    "heart in colour": "❤\ufe0f",
    "heart on fire": "❤\ufe0f‍🔥",
    "key": "1\ufe0f\u20e3",
    "copyright in colour": "©\ufe0f",
    "accent": "e\u0301",
    "accents": "o\u0302\u0323\u0301",
    "Devanagari": "क्षि",
    "Tamil": "நி",
    "Thai": "กำ",
    "Korean letters": "\u1112\u1161\u11ab",
    "Korean and a letter": "가\u11a8",
    "half-width kana": "\uff76\uff9e",
    "end of a line": "\r\n",
    "joined to copyright": "👍\u200d©",
}
LINK = '<a href="http://www.qq.com" data-miniprogram-appid="wx1" data-miniprogram-path="pages/a">看看 it. 好</a>'
PLAIN = "ab.,!? \n\r\t\u3000\u00a0好的。！“”（）é\u2028<>/a"

atoms = st.sampled_from([*CHARACTERS.values(), LINK, "<A\nx>y</A >"]) | st.sampled_from(PLAIN)
texts = st.lists(atoms, max_size=60)
sizes = st.integers(1, 400)


def bare(text: str) -> str:
    return "".join(text.split())


def split(content: str, size: int) -> list[str] | None:
    """Return the pieces, or None for a text that has something too large for one."""
    try:
        return split_text(content, size)
    except InvalidMessage:
        return None


def cuts(content: str, pieces: list[str]) -> set[int]:
    """Return at which index of the text each piece begins and ends."""
    found, at = set(), 0
    for piece in pieces:
        at = content.index(piece, at)
        found |= {at, at + len(piece)}
        at += len(piece)
    return found


@given(texts, sizes)
def test_pieces_are_small_whole_and_all_there(row: list[str], size: int) -> None:
    """For any text and any size: each piece fits, nothing but white space is lost, no atom is cut."""
    content = "".join(row)
    pieces = split(content, size)
    if pieces is None:
        assert max(len(atom.encode()) for atom in row) > size or _grown(row)
        return
    assert all(0 < len(piece.encode()) <= size for piece in pieces)
    assert all(piece == piece.strip(" \n\r\t\u3000\u2028") for piece in pieces)
    assert bare(content) == bare("".join(pieces))
    starts = {0}
    for atom in row:
        starts.add(max(starts) + len(atom))
    assert cuts(content, pieces) <= starts


def _grown(row: list[str]) -> bool:
    """Whether neighbours may have become one: a link around others, Korean after Korean."""
    joined = "".join(row).lower()
    return "<a" in joined.replace(LINK.lower(), "") or any("\u1100" <= b[0] <= "\u11ff" for _, b in pairwise(row))


@given(st.text(), st.integers(1, 60))
def test_any_text_comes_back(content: str, size: int) -> None:
    """Whatever Unicode has; only what is larger than a piece is refused."""
    pieces = split(content, size)
    if pieces is not None:
        assert bare(content) == bare("".join(pieces))
        assert all(len(piece.encode()) <= size for piece in pieces)


@given(texts, st.integers(150, 400))
def test_no_piece_but_the_last_is_needlessly_small(row: list[str], size: int) -> None:
    """Two neighbours never fit into one message together."""
    content = "".join(row)
    pieces = split_text(content, size)
    for one, other in pairwise(pieces):
        between = content[content.index(one) + len(one) :]
        gap = between[: between.index(other)]
        assert len((one + gap + other).encode()) > size / 2


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
def test_what_is_seen_as_one_character_is_not_cut(character: str) -> None:
    """Whichever size makes a cut fall into it."""
    if character.isspace():
        assert ["a", "b"] == split_text(f"a{character}b", 2)
        return
    size = len(character.encode())
    for room in range(size, 3 * size):
        pieces = split_text(character * 7, room)
        assert {character * (room // size)} >= set(pieces[:-1])
        assert character * 7 == "".join(pieces)


@pytest.mark.parametrize(
    ("content", "size", "pieces"),
    [
        ("One one one.\n\nTwo. Three", 18, ["One one one.", "Two. Three"]),
        ("One one one.\nTwo. Three", 17, ["One one one.", "Two. Three"]),
        ("One one one. Two two, two", 20, ["One one one.", "Two two, two"]),
        ("一一一。二二，二二二", 24, ["一一一。", "二二，二二二"]),
        ("“一一一！”二二，二二二", 30, ["“一一一！”", "二二，二二二"]),
        ("he said “no!” and went away", 22, ["he said “no!” and", "went away"]),
        ("price 3.14159265 yes", 14, ["price", "3.14159265 yes"]),
        ("https://a.cn/b?c=d.e 好", 20, ["https://a.cn/b?c=d.e", "好"]),
        ("请看https://a.cn/b?c=d.e好", 22, ["请看", "https://a.cn/b?c=d.e", "好"]),
        ("一二三（四五）", 12, ["一二三", "（四五）"]),
        ("一二三四五，六", 15, ["一二三四", "五，六"]),
        ("a b c d", 1, ["a", "b", "c", "d"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("at 10\u00a0km", 6, ["at", "10\u00a0km"]),
        ("word <a b>c</a> word", 11, ["word", "<a b>c</a>", "word"]),
        ("word<a b>c</a>word", 11, ["word", "<a b>c</a>", "word"]),
        ("<a b c d e f", 6, ["<a b c", "d e f"]),
        ("<a b <a c>d</a>", 11, ["<a b", "<a c>d</a>"]),
        ("  all of it fits \n", 99, ["all of it fits"]),
    ],
)
def test_cuts_are_where_a_reader_would_pause(content: str, size: int, pieces: list[str]) -> None:
    """At paragraphs, lines, sentences, words; half-empty pieces and torn words are avoided."""
    assert pieces == split_text(content, size)


def test_a_heading_does_not_cost_a_message() -> None:
    """The blank line after it would leave a piece nearly empty."""
    content = "Heading\n\n" + "A sentence of thirty-two letters. " * 120
    pieces = split_text(content)
    assert 2 == len(pieces)
    assert pieces[0].startswith("Heading\n\nA sentence")
    assert pieces[0].endswith("letters.")


@pytest.mark.parametrize("content", ["", " ", "\n" * 5000])
def test_nothing_but_white_space_is_no_message(content: str) -> None:
    """WeChat would refuse it."""
    assert [] == split_text(content)


@pytest.mark.parametrize("size", [0, -1, True, 2048.0, None, "2048"])
def test_a_size_that_is_none_is_refused_by_name(size: object) -> None:
    """An int, at least 1."""
    with pytest.raises(InvalidMessage, match="max_bytes: must be an int of at least 1"):
        split_text("hello", size)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [None, b"hello", "half \ud83d of it"])
def test_a_text_that_is_none_is_refused_by_name(content: object) -> None:
    """As `text` would refuse it: half a surrogate pair has no UTF-8 form."""
    with pytest.raises(InvalidMessage, match="content"):
        split_text(content)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "size", "told"),
    [
        (f"before {LINK} after", 100, f"a link of {len(LINK.encode())} bytes"),
        ("ab👨‍👩‍👧‍👦", 24, "one character of 25 bytes"),
        ("a好", 2, "one character of 3 bytes"),
    ],
)
def test_what_must_stay_whole_and_is_too_large_is_named(content: str, size: int, told: str) -> None:
    """Half a link would be useless; the error gives the size and the limit."""
    with pytest.raises(InvalidMessage) as caught:
        split_text(content, size)
    assert told in caught.value.en
    assert f"max_bytes={size}" in caught.value.en
    assert f"max_bytes={size}" in caught.value.zh


@pytest.mark.parametrize("piece", ["<a ", "<a x>y</a>", "a", "好。", ". ", "\n\n", "e\u0301", "👍🏽", "</a>"])
def test_a_long_text_is_read_a_few_times_only(piece: str) -> None:
    """Where the work grew with the square of the length, this would take hours."""
    content = piece * 30_000
    pieces = split_text(content)
    assert bare(content) == bare("".join(pieces))
