"""The conversations of a desk, by customer: what was said, what waits, what is about to be said. Pure.

An entry is a dict that can be written as JSON: one line each, appended when something happens. A message of the desk
is two lines: the first before it leaves, so that a crash hides nothing, the second with its result.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from hashlib import sha256
from itertools import islice, takewhile
from operator import itemgetter
from secrets import token_hex
from typing import Any

from wxcs_lite.errors import ApiError, WxError
from wxcs_lite.look.bubbles import as_message, plain
from wxcs_lite.panel.draft import Draft
from wxcs_lite.push import Push, dedupe_key
from wxcs_lite.reply_window import WindowEvent

__all__ = [
    "ENTRY", "SENDING", "Conversation", "Conversations", "as_json", "as_line", "key_of_push", "may_be_openid",
    "result_of",
]  # fmt: skip

ENTRY = "user_enter_tempsession"
SENDING = "sending"
_END_OF_TIME = 2**32  # seconds; a later time may not be a date
_KEPT = 20_000  # entries of all customers; a file has all of them
_HOW = ("called", "part", "said")  # how well a conversation is found
_EVENTS = 100  # of one customer: the window depends on the latest only


class Conversation:
    """What was said between one customer and the desk, and what the desk is about to say."""

    __slots__ = (
        "draft", "entries", "error", "events", "is_shown", "nickname", "touser", "typing_until", "unread",
        "waiting_since",
    )  # fmt: skip

    def __init__(self, touser: str) -> None:
        self.touser, self.nickname = touser, ""
        self.entries: deque[dict[str, Any]] = deque()
        self.events: deque[WindowEvent] = deque(maxlen=_EVENTS)  # in the order in which they happened
        self.unread, self.is_shown = 0, False
        self.draft = Draft()
        self.error: Exception | None = None
        self.waiting_since: float | None = None
        self.typing_until = 0.0

    @property
    def name(self) -> str:
        """The name that the agent gave, or the openid."""
        return self.nickname or self.touser

    @property
    def is_blank(self) -> bool:
        """Whether nothing would be lost without it, and nobody looks at it."""
        is_empty = not self.entries and self.draft.empty and self.error is None
        return is_empty and not self.nickname and not self.is_shown


class Conversations:
    """All conversations; the latest entries of all of them together are kept, whoever wrote them.

    >>> conversations = Conversations()
    >>> fields = {"FromUserName": "ann", "MsgType": "text", "CreateTime": 4, "Content": "hi"}
    >>> entry = conversations.came_in(5, fields, "an id")
    >>> [found.touser for found in conversations.listed()], conversations.of("ann").unread
    (['ann'], 1)
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._all: dict[str, Conversation] = {}
        self._order: deque[Conversation] = deque()  # one for each entry, oldest first
        self._sending: dict[str, dict[str, Any]] = {}
        self._came_in: set[str] = set()  # the ids of all pushes: a feed may be longer than what is kept
        self._waiting: dict[str, None] = {}  # sets that keep their order: who waits, the longest first,
        self._others: dict[str, None] = {}  # and the others, the latest last

    def __len__(self) -> int:
        return len(self._all)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """A copy of the entries that are kept, in the order in which they happened."""
        places = {touser: iter(found.entries) for touser, found in self._all.items()}
        return [deepcopy(next(places[conversation.touser])) for conversation in self._order]

    @property
    def waiting(self) -> int:
        """How many customers wait for an answer."""
        return len(self._waiting)

    def of(self, touser: str) -> Conversation:
        """Return the conversation with a customer, a new one if there is none yet."""
        if touser not in self._all:
            self._all[touser] = Conversation(touser)
            self._others[touser] = None
        return self._all[touser]

    def get(self, touser: str) -> Conversation | None:
        """Return the conversation with a customer, if there is one."""
        return self._all.get(touser)

    def listed(self, search: str = "", count: int = 200) -> list[Conversation]:
        """Return some conversations: those who wait, the longest first, then the others, the latest first.

        Of those who are found, whoever is called so comes first, and who only said so comes last: a customer can write
        the name of another.
        """
        sought = search.strip().casefold()
        found: Iterable[Conversation] = (self._all[touser] for touser in self._in_order())
        if sought:
            ranked = [(rank, one) for one in found if (rank := _rank(one, sought)) is not None]
            found = (one for _, one in sorted(ranked, key=itemgetter(0)))
        return list(islice(found, count))

    def found(self, search: str) -> tuple[Conversation | None, str]:
        """Return the first of those who are found, and how: called so, by a part of the name, or by their words."""
        for one in self.listed(search, 1):
            return one, _HOW[_rank(one, search.strip().casefold()) or 0]
        return None, ""

    def came_in(self, now: float, fields: Mapping[str, Any], key: str) -> dict[str, Any] | None:
        """Note a push, a message or an event of a customer, and return its entry, or None if it is here already."""
        if key in self._came_in:
            return None
        touser, kind = plain(fields.get("FromUserName")), plain(fields.get("MsgType"))
        at = fields.get("CreateTime", now)
        at = at if isinstance(at, int | float) and 0 <= at < _END_OF_TIME else now
        return self._note(_entry(at, "in", touser, message=as_message(kind, fields), result="received", id=key))

    def goes_out(self, now: float, message: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Note a message of the desk before it leaves, and return its entry, which `key` names until its end."""
        message = deepcopy(dict(message))
        entry = _entry(now, "out", plain(message.get("touser")), message=message, result=SENDING, id=key)
        return self._note(entry)

    def settle(self, key: str, result: str | dict[str, Any], message: Mapping[str, Any] | None = None) -> None:
        """Note the result of a message; only one that WeChat accepted counts for the window and answers a customer."""
        entry = self._sending.pop(key, None)
        if entry is None:
            return
        entry["result"] = result
        if message is not None:
            entry["message"] = deepcopy(dict(message))
        if result == "accepted":
            conversation = self.of(entry["customer"])
            conversation.events.append(WindowEvent("sent", entry["at"]))
            self._waiting.pop(conversation.touser, None)
            conversation.waiting_since = _said_after(conversation, entry)
            if conversation.waiting_since is None:
                self._latest(conversation.touser)
            else:
                self._waiting[conversation.touser] = None

    def name(self, touser: str, nickname: str) -> None:
        """Give a customer a name of the agent's own."""
        self.of(touser).nickname = nickname

    def read(self, lines: Iterable[str]) -> int:
        """Take in the lines of a history; return how many are none. A message without a result may have been sent."""
        broken = 0
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, OSError):
                broken += 1
        for key in list(self._sending):
            self.settle(key, {"error": "Interrupted", "maybe_sent": True})
        for conversation in self._all.values():
            conversation.unread = 0
        return broken

    def _take(self, told: dict[str, Any]) -> None:
        if "nickname" in told:
            self.name(plain(told["customer"]), plain(told["nickname"]))
        elif "direction" in told:
            self._note(told | {"customer": plain(told["customer"]), "at": float(told["at"]), **_checked(told)})
        elif "id" in told:
            self.settle(told["id"], told["result"], told.get("message"))
        elif told.get("what") != "about":
            raise KeyError("what")

    def _note(self, entry: dict[str, Any]) -> dict[str, Any]:
        conversation = self.of(entry["customer"])
        conversation.entries.append(entry)
        self._order.append(conversation)
        if entry["direction"] == "in":
            self._came_in.add(str(entry.get("id")))
            self._came(conversation, entry)
        else:
            self._latest(conversation.touser)
        if entry["result"] == SENDING:
            self._sending[entry["id"]] = entry
        while len(self._order) > self._kept:
            self._forget(self._order.popleft())
        return entry

    def _came(self, conversation: Conversation, entry: dict[str, Any]) -> None:
        message, at = entry["message"], entry["at"]
        conversation.unread += 1
        if message["msgtype"] != "event":
            conversation.events.append(WindowEvent("message", at))
            if conversation.waiting_since is None:
                conversation.waiting_since = at
                self._others.pop(conversation.touser, None)
                self._waiting[conversation.touser] = None
        elif message["event"].get("event") == ENTRY:
            conversation.events.append(WindowEvent("enter", at))
        self._latest(conversation.touser)

    def _latest(self, touser: str) -> None:
        if touser not in self._waiting:
            self._others.pop(touser, None)
            self._others[touser] = None

    def _forget(self, conversation: Conversation) -> None:
        gone = conversation.entries.popleft()
        if gone["result"] != SENDING and conversation.is_blank:  # one that is on its way has still to be settled
            for held in (self._all, self._waiting, self._others):
                held.pop(conversation.touser, None)

    def _in_order(self) -> Iterator[str]:
        yield from self._waiting
        yield from reversed(self._others)


def as_line(told: Mapping[str, Any]) -> str:
    """Return an entry, a result or a name as a line of a history.

    >>> as_line({"id": "1", "result": "accepted"})
    '{"id": "1", "result": "accepted"}\\n'
    """
    return plain(json.dumps(told, ensure_ascii=False)) + "\n"


def as_json(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return entries as one JSON document.

    >>> as_json([])
    '[]'
    """
    return plain(json.dumps(list(entries), ensure_ascii=False, indent=2))


def key_of_push(push: Push) -> str:
    """Return what is the same for all repetitions of a push, and for no other; a message without MsgId has none.

    A sandbox that was started again begins with the same MsgIds, but not at the same second.
    """
    if push.get("MsgId") is None and push.get("MsgType") != "event":
        return token_hex(8)
    return sha256(f"{dedupe_key(push)} {push.get('CreateTime')}".encode()).hexdigest()[:16]


def may_be_openid(sought: str) -> bool:
    """Return whether this may be somebody's openid, and not only words.

    >>> may_be_openid("oP3k7-w_A"), may_be_openid("my parcel"), may_be_openid("包裹")
    (True, False, False)
    """
    return sought.isascii() and not any(map(str.isspace, sought))


def result_of(error: Exception | None) -> str | dict[str, Any]:
    """Return the result of a call as it is noted.

    >>> result_of(None), result_of(KeyError())
    ('accepted', {'error': 'KeyError', 'maybe_sent': True})
    """
    if error is None:
        return "accepted"
    maybe = error.maybe_sent if isinstance(error, WxError) else True
    told: dict[str, Any] = {"error": type(error).__name__, "maybe_sent": maybe}
    if isinstance(error, ApiError):
        told |= {"errcode": error.errcode, "errmsg": error.errmsg, "rid": error.rid}
    return told


def _entry(at: float, direction: str, touser: str, **told: Any) -> dict[str, Any]:
    time = datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")
    return {"at": at, "time": time, "direction": direction, "customer": touser, "what": "message", **told}


def _said_after(conversation: Conversation, entry: Mapping[str, Any]) -> float | None:
    """Return when the customer first wrote after a message that was still on its way, or None."""
    since = None
    for one in takewhile(lambda one: one is not entry, reversed(conversation.entries)):
        if one["direction"] == "in" and one["message"]["msgtype"] != "event":
            since = one["at"]
    return since


def _checked(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an entry that are looked into, or raise what says that it is none."""
    message, result = told["message"], told["result"]
    kind = message["msgtype"] if told["direction"] == "in" else message.get("msgtype")
    if told["direction"] == "in" and not isinstance(message.get(kind), dict):
        raise TypeError
    if isinstance(result, dict):
        result["maybe_sent"], result["error"]  # both are shown
    elif result == SENDING:
        told["id"]
    datetime.fromtimestamp(float(told["at"]))
    return {"message": message, "result": result}


def _rank(conversation: Conversation, sought: str) -> int | None:
    """Return how well a conversation is found: by its very name, by a part of it, or by its last words."""
    names = conversation.nickname.casefold(), conversation.touser.casefold()
    if sought in names:
        return 0
    if any(sought in name for name in names):
        return 1
    return 2 if sought in _last_words(conversation) else None


def _last_words(conversation: Conversation) -> str:
    last = conversation.entries[-1]["message"] if conversation.entries else {}
    said = last.get(plain(last.get("msgtype")))
    content = plain(said.get("content")) if isinstance(said, Mapping) else ""
    return content.casefold()
