"""What a customer's phone shows, from what the sandbox keeps to the bubbles of `look`."""

from collections.abc import Sequence

from wxcs_lite.look.bubbles import as_message, bubble, line, summary
from wxcs_lite.look.phone import CHINA, phone, top, with_times
from wxcs_lite.look.words import Words, bilingual
from wxcs_lite.sandbox.rules.people import NO_ANSWER, WRONG_ANSWER, Delivered, Notice, Shown

__all__ = ["drawn", "in_a_line", "still"]

_STILL = 50  # bubbles that stay in a notebook's file
_NOTICES = {NO_ANSWER: "no_answer", WRONG_ANSWER: "wrong_answer"}  # in Chinese, the texts are these very words
_STILL_PICTURE = 300_000  # bytes; a larger one is a grey box there


def drawn(item: Shown, words: Words, limit: int) -> str:
    """Return a bubble or a line; a picture of more than `limit` bytes is a grey box.

    >>> from wxcs_lite.look.words import words
    >>> from wxcs_lite.sandbox import CustomerEvent
    >>> drawn(CustomerEvent(0.0, "ann", "text", 1, {"Content": "<hi>"}), words("en"), 0)
    '<div class="wxcs-row wxcs-mine"><div class="wxcs-bubble wxcs-text">&lt;hi&gt;</div></div>'
    """
    if isinstance(item, Notice):
        return line(words[_NOTICES[item.text]])
    if isinstance(item, Delivered):
        message = {**item.message, "aimsgcontext": {"is_ai_msg": int(item.ai_label)}}
        return bubble(message, words, picture=item.picture, limit=limit)
    if item.kind == "event":
        return line(words["session_line"])
    return bubble(as_message(item.kind, item.fields), words, mine=True, picture=item.picture, limit=limit)


def in_a_line(item: Shown, words: Words) -> str:
    """Return the same in one line of plain text."""
    if isinstance(item, Notice):
        return words[_NOTICES[item.text]]
    message = item.message if isinstance(item, Delivered) else as_message(item.kind, item.fields)
    return summary(message, words)


def still(items: Sequence[Shown], left: str, right: str, who: str) -> str:
    """Return the phone as a picture of one moment, in both languages, with the last of the items.

    Its times are China's, because it stays in files, which should not depend on where they were made.
    """
    rows = [(item.at, drawn(item, bilingual(), _STILL_PICTURE)) for item in items[-_STILL:]]
    return phone(top(left, right, who), with_times(rows, zone=CHINA), bilingual())
