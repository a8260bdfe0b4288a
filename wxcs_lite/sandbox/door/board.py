"""What the page shows of one sandbox: its customers, one phone, the last calls and pushes, and what is new of them.

Whatever happens gets a number. A page says up to which number it knows, and is told of what came later; what depends on
the time alone (who types, until when a reply is possible) is looked at twice a second.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice, takewhile
from threading import Condition
from time import localtime, monotonic, strftime
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

from wxcs_lite.look.bubbles import plain
from wxcs_lite.look.phone import moment, with_times
from wxcs_lite.look.words import Language, Words
from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.sandbox.faults import Fault
from wxcs_lite.sandbox.pushes.delivery import Pushed
from wxcs_lite.sandbox.rules.people import Arrived, CustomerEvent, Person, Shown
from wxcs_lite.sandbox.screen import drawn, in_a_line
from wxcs_lite.sandbox.watching import Called, Happening

__all__ = ["CALLS", "PUSHES", "Asked", "Board", "clock_time"]

CALLS, PUSHES = 500, 200  # the last that are kept
_Kept = TypeVar("_Kept", bound=tuple[Any, ...])
_CUSTOMERS = 1000  # in the list
_BUBBLES = 100
_PICTURES = 12_000_000  # bytes of all pictures that are shown at once; the others are grey boxes
_GLANCE = 0.5  # seconds


class Asked(NamedTuple):
    """What a page knows: the number `since` which it wants news, the `have` items of a phone, and its `state`."""

    openid: str
    since: int
    have: int
    state: str
    lang: Language


class Board:
    """One sandbox as the page shows it; `note` watches it, `wait` returns the news."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._changed = Condition()
        self._number = 0
        self._closed = False
        self._calls: deque[tuple[int, Called]] = deque(maxlen=CALLS)
        self._pushes: deque[tuple[int, float, Pushed]] = deque(maxlen=PUSHES)
        self._active: dict[str, int] = {}  # openids, the one that changed last at the end
        self._met = 0

    def note(self, happening: Happening) -> None:
        """Keep what happened, and wake the pages that wait for it."""
        now = self.core.clock()
        with self._changed:
            self._number += 1
            if isinstance(happening, Called):
                self._calls.append((self._number, happening))
            elif isinstance(happening, Pushed):
                self._pushes.append((self._number, now, happening))
                self._touch(happening.event.openid)
            elif isinstance(happening, Arrived | CustomerEvent):
                self._touch(happening.openid)
            self._changed.notify_all()

    def _touch(self, openid: str) -> None:
        self._active.pop(openid, None)
        self._active[openid] = self._number

    def wake(self) -> None:
        """Let the pages look again, because something was changed that is no happening."""
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, asked: Asked, seconds: float) -> dict[str, Any]:
        """Return the news as soon as there are any, or without any after so many seconds."""
        end = monotonic() + seconds
        while True:
            news = self.news(asked)
            with self._changed:
                if news["number"] != asked.since or news["state"] != asked.state or self._closed or monotonic() >= end:
                    return news
                self._changed.wait(_GLANCE if self._number == news["number"] else 0)

    def news(self, asked: Asked) -> dict[str, Any]:
        """Return everything that the page does not know yet, as JSON can hold it; all texts are ready to be shown."""
        words = page_words(asked.lang)
        self._meet()
        with self._changed:
            number = self._number
            calls = _newer(self._calls, asked.since)
            pushes = _newer(self._pushes, asked.since)
            names = _newer_names(self._active, asked.since)
            count = len(self._active)
        news = {
            "number": number,
            "calls": [_call_row(one, call, words) for one, call in calls],
            "pushes": [_push_row(one, at, pushed, words) for one, at, pushed in pushes],
            "customers": self._customer_rows(names, words),
            "more": words["more"].format(count=count - _CUSTOMERS) if count > _CUSTOMERS else "",
            "phone": self._phone(asked, words),
        }
        now = self._now(asked.openid, words)
        state = f"{crc32(repr(now).encode('utf-8', 'replace')):08x}{asked.openid}"
        return {**news, "state": state, "now": None if state == asked.state else now}

    def call(self, number: int) -> Called | None:
        """Return a call that is still kept."""
        with self._changed:
            return next((call for one, call in self._calls if one == number), None)

    def push(self, number: int) -> Pushed | None:
        """Return a push that is still kept."""
        with self._changed:
            return next((pushed for one, _, pushed in self._pushes if one == number), None)

    def _meet(self) -> None:
        """Add those who are customers without having done anything."""
        with self.core.lock:
            people = self.core.account.people
            new = [*islice(people, self._met, None)] if len(people) > self._met else []
            self._met = len(people)
        with self._changed:
            unknown = [openid for openid in new if openid not in self._active]
            self._number += bool(unknown)
            for openid in unknown:
                self._touch(openid)

    def _customer_rows(self, names: Sequence[str], words: Words) -> list[dict[str, Any]]:
        with self.core.lock:
            people = self.core.account.people
            last = [(openid, people[openid].screen[-1:]) for openid in names]
        rows = []
        for openid, items in last:
            said = in_a_line(items[0], words)[:80] if items else ""
            at = strftime("%H:%M", localtime(items[0].at)) if items else ""
            rows.append({"openid": openid, "said": said, "at": at})
        return rows

    def _phone(self, asked: Asked, words: Words) -> dict[str, Any] | None:
        with self.core.lock:
            person = self.core.account.people.get(asked.openid)
            if person is None:
                return None
            have, total = asked.have, len(person.screen)
            start = max(have if have <= total else 0, total - _BUBBLES)
            before, items = person.screen[start - 1 : start], person.screen[start:]
        rows = with_times(_drawn(items, words), before[0].at if before and start == have else float("-inf"))
        return {"openid": asked.openid, "have": total, "reset": start != have or not have, "rows": rows}

    def _now(self, openid: str, words: Words) -> dict[str, Any]:
        """Return what is shown of this moment; it can change although nothing happens."""
        with self.core.lock:
            now, person = self.core.clock(), self.core.account.people.get(openid)
            typing = person is not None and person.window.shows_typing(now)
            return {
                "api": " · ".join(words[f"api_{kind}"].format(url=url) for kind, url in self.core.entrances),
                "clock": strftime("%Y-%m-%d %H:%M", localtime(now)),
                "moment": moment(now),
                "who": words["is_typing"] if typing else words["service"],
                "window": "" if person is None else _window(person, now, words),
                "agent": person is not None and person.agent.is_open(now),
                "planned": _planned(self.core.faults.waiting, words),
            }


def clock_time(at: float) -> str:
    """Return the time of day, to the second."""
    return strftime("%H:%M:%S", localtime(at))


def _newer(kept: Sequence[_Kept], since: int) -> list[_Kept]:
    return [*takewhile(lambda one: one[0] > since, reversed(kept))][::-1]


def _newer_names(active: dict[str, int], since: int) -> list[str]:
    changed = takewhile(lambda one: one[1] > since, reversed(active.items()))
    return [openid for openid, _ in islice(changed, _CUSTOMERS)][::-1]


def _drawn(items: Sequence[Shown], words: Words) -> list[tuple[float, str]]:
    rows, room = [], _PICTURES
    for item in reversed(items):  # if there is not room for all pictures, the last ones are shown
        rows.append((item.at, drawn(item, words, room)))
        size = len(getattr(item, "picture", None) or b"")
        room -= size if size <= room else 0
    return rows[::-1]


def _window(person: Person, now: float, words: Words) -> str:
    window = person.window
    if now > window.closes_at:
        return words["window_closed"]
    key = "window_open" if window.left else "window_used"
    return words[key].format(left=window.left, until=moment(window.closes_at))


def _planned(faults: Sequence[Fault], words: Words) -> str:
    told = [_fault(fault, words) for fault in faults[:6]] + ["…"] * (len(faults) > 6)
    return words["planned"].format(faults=", ".join(told)) if told else ""


def _fault(fault: Fault, words: Words) -> str:
    where = f" ({fault.path})" if fault.path else ""
    if fault.errcode is not None:
        return f"{fault.errcode}{where}"
    if fault.drop is not None:
        return words[f"drop_{fault.drop}"] + where
    return (words["another_reply"] if fault.slow is None else words["slow"].format(seconds=f"{fault.slow:g}")) + where


def _call_row(number: int, call: Called, words: Words) -> dict[str, Any]:
    seen = call.seen
    return {
        "id": number, "at": clock_time(call.at), "method": seen.method, "path": seen.path, "openid": call.openid,
        "ms": call.ms, "ok": _is_ok(call), "result": _result(call, words),
    }  # fmt: skip


def _is_ok(call: Called) -> bool:
    return call.seen.status == 200 and not call.seen.errcode


def _result(call: Called, words: Words) -> str:
    status, errcode = call.seen.status, call.seen.errcode
    if errcode:
        return str(errcode)
    return words["ok"] if _is_ok(call) else words["cut"] if status is None else f"HTTP {status}"


def _answer(pushed: Pushed, words: Words) -> str:
    if pushed.answer != "failed":
        return words[f"answer_{pushed.answer}"]
    return words["unanswered"] if pushed.status is None else f"HTTP {pushed.status}"


def _push_row(number: int, at: float, pushed: Pushed, words: Words) -> dict[str, Any]:
    event = pushed.event
    return {
        "id": number, "at": clock_time(at), "openid": event.openid, "said": plain(in_a_line(event, words))[:80],
        "attempt": pushed.attempt, "result": _answer(pushed, words),
        "ok": pushed.answer not in ("abnormal", "failed"),
    }  # fmt: skip
