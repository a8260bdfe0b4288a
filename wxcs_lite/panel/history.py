"""The desk's history: what was sent and received, with results and times. No secrets, no file contents. Pure."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from html import escape
from itertools import islice
from time import localtime, strftime
from typing import Any

from wxcs_lite.errors import ApiError, WxError
from wxcs_lite.look.bubbles import as_message, plain, summary
from wxcs_lite.panel.status import size
from wxcs_lite.panel.texts import Words
from wxcs_lite.reply_window import WindowEvent

__all__ = ["ENTRY", "History"]

_SHOWN = 60  # entries; the export has all of them
_END_OF_TIME = 2**32  # seconds; a later time may not be a date
ENTRY = "user_enter_tempsession"


class History:
    """The conversations of an open desk; the entries are dicts that can be written as JSON.

    >>> history = History()
    >>> history.came_in(0, {"FromUserName": "ann", "MsgType": "text", "CreateTime": 0, "Content": "hi"})
    >>> history.latest(10), history.events("ann")
    (('ann',), [WindowEvent(kind='message', at=0)])
    """

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._events: dict[str, list[WindowEvent]] = {}
        self._customers: dict[str, None] = {}  # a set that keeps its order

    @property
    def entries(self) -> list[dict[str, Any]]:
        """A copy of all entries, oldest first."""
        return deepcopy(self._entries)

    def latest(self, count: int) -> tuple[str, ...]:
        """Return at most `count` customers who have written or were written to, the latest first."""
        return tuple(islice(reversed(self._customers), count))

    def events(self, touser: str) -> list[WindowEvent]:
        """Return the events that count for this customer's window."""
        return list(self._events.get(touser, ()))

    def came_in(self, now: float, fields: Mapping[str, Any]) -> None:
        """Record a push: a message or an event of a customer."""
        touser, kind = plain(fields.get("FromUserName")), plain(fields.get("MsgType"))
        at = fields.get("CreateTime", now)
        at = at if 0 <= at < _END_OF_TIME else now
        self._add(at, "in", touser, "message", message=as_message(kind, fields), result="received")
        self._know(touser)
        if kind != "event":
            self._events.setdefault(touser, []).append(WindowEvent("message", at))
        elif fields.get("Event") == ENTRY:
            self._events.setdefault(touser, []).append(WindowEvent("enter", at))

    def went_out(self, now: float, message: Mapping[str, Any], error: WxError | None = None) -> None:
        """Record a message of the desk and its result; only a message that WeChat accepted counts for the window."""
        touser = plain(message.get("touser"))
        self._add(now, "out", touser, "message", message=message, result=_result(error))
        if error is None:
            self._know(touser)
            self._events.setdefault(touser, []).append(WindowEvent("sent", now))

    def did(self, now: float, what: str, touser: str = "", error: WxError | None = None, **told: Any) -> None:
        """Record any other call: typing, upload or download."""
        self._add(now, "out", touser, what, **told, result=_result(error))

    def to_json(self) -> str:
        """Return all entries as JSON."""
        return plain(json.dumps(self._entries, ensure_ascii=False, indent=2))

    def to_html(self, words: Words) -> str:
        """Return the last entries as HTML; everything from outside is escaped as text."""
        shown = "".join(_row(entry, words) for entry in self._entries[-_SHOWN:])
        shown = shown or f'<div class="wxcs-empty">{escape(words["history_empty"])}</div>'
        label = escape(words["history"])
        return f'<div class="wxcs-log" role="log" tabindex="0" aria-label="{label}"><div>{shown}</div></div>'

    def _add(self, at: float, direction: str, touser: str, what: str, **told: Any) -> None:
        time = datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")
        entry = {"at": at, "time": time, "direction": direction, "customer": touser, "what": what}
        self._entries.append({**entry, **told})

    def _know(self, touser: str) -> None:
        self._customers.pop(touser, None)
        self._customers[touser] = None


def _result(error: WxError | None) -> str | dict[str, Any]:
    if error is None:
        return "accepted"
    told: dict[str, Any] = {"error": type(error).__name__, "maybe_sent": error.maybe_sent}
    if isinstance(error, ApiError):
        told |= {"errcode": error.errcode, "errmsg": error.errmsg, "rid": error.rid}
    return told


def _row(entry: Mapping[str, Any], words: Words) -> str:
    out = entry["direction"] == "out"
    who = words["you"] if out else entry["customer"]
    if out and entry["customer"]:
        who = f"{who} → {entry['customer']}"
    when = strftime("%H:%M:%S", localtime(entry["at"]))
    side = "out" if out else "in"
    return (
        f'<div class="wxcs-entry wxcs-{side}"><div class="wxcs-meta">{escape(who)} · {when}{_badge(entry, words)}</div>'
        f'<div class="wxcs-said wxcs-{entry["what"]}">{escape(_told(entry, words))}</div></div>'
    )


def _told(entry: Mapping[str, Any], words: Words) -> str:
    if entry["what"] == "message":
        return summary(entry["message"], words)
    if entry["what"] == "typing":
        return words["typing_row"].format(command=entry["command"])
    return words[f"{entry['what']}_row"].format(size=size(entry.get("bytes", 0)))


def _badge(entry: Mapping[str, Any], words: Words) -> str:
    result = entry["result"]
    if not isinstance(result, dict):
        return f' · <span class="wxcs-ok">{escape(words["accepted"])}</span>' if entry["direction"] == "out" else ""
    text = words["unsure" if result["maybe_sent"] else "refused"]
    code = result.get("errcode", result["error"])
    return f' · <span class="wxcs-bad">{escape(f"{text}: {code}")}</span>'
