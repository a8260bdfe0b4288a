"""The phone around the bubbles: its top line, the times between messages, and a whole phone that needs no script."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from html import escape

from wxcs_lite.look.bubbles import line
from wxcs_lite.look.style import MESSAGES, PHONE
from wxcs_lite.look.words import Words

__all__ = ["CHINA", "moment", "phone", "top", "with_times"]

CHINA = timezone(timedelta(hours=8))  # where the phones are

_PAUSE = 300  # seconds after which the phone shows the time again


def moment(at: float, zone: tzinfo | None = None) -> str:
    """Return a time as the phone shows it, in a zone or in that of this machine.

    >>> moment(0.0, CHINA)
    '01-01 08:00'
    """
    return datetime.fromtimestamp(at, zone).strftime("%m-%d %H:%M")


def top(left: str, right: str, who: str) -> str:
    """Return the top of the phone: a line with the customer and the time, and below it who writes.

    >>> print(top("ann", "12:00", "Service"))
    <div class="wxcs-bar"><span>ann</span><span>12:00</span></div><div class="wxcs-who" role="status">Service</div>
    """
    bar = f'<div class="wxcs-bar"><span>{escape(left)}</span><span>{escape(right)}</span></div>'
    return f'{bar}<div class="wxcs-who" role="status">{escape(who)}</div>'


def with_times(
    rows: Iterable[tuple[float, str]], shown_at: float = float("-inf"), zone: tzinfo | None = None
) -> list[str]:
    """Return bubbles with the times between them: one where five minutes have passed, and before the first.

    `rows` are epoch seconds and markup; `shown_at` is the time of the bubble before them, `zone` as in `moment`.
    """
    markup = []
    for at, row in rows:
        if at - shown_at >= _PAUSE:
            markup.append(line(moment(at, zone)))
        shown_at = at
        markup.append(row)
    return markup


def phone(head: str, rows: Iterable[str], words: Words) -> str:
    """Return a phone that can stand alone in any page: `head` is from `top`, `rows` from `with_times`.

    >>> from wxcs_lite.look.words import bilingual
    >>> phone(top("ann", "", ""), [], bilingual()).count("<script")
    0
    """
    screen = f'<div class="wxcs-talk">{"".join(rows)}</div>'
    region = f'role="region" aria-label="{escape(words["messages"])}" tabindex="0"'
    return (
        f'<div class="wxcs-still"><style>\n{PHONE}{MESSAGES}</style>'
        f'<div class="wxcs-frame"><div class="wxcs-top">{head}</div>'
        f'<div class="wxcs-screen" {region}>{screen}</div></div></div>'
    )
