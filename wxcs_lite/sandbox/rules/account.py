"""All that a sandbox remembers: one account, its tokens and media, the people who wrote to it. Time is an argument."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from wxcs_lite.sandbox.http.values import Request
from wxcs_lite.sandbox.rules.agent import AgentSession
from wxcs_lite.sandbox.rules.made_up import Names
from wxcs_lite.sandbox.rules.media import Shelf
from wxcs_lite.sandbox.rules.people import ReplyWindow
from wxcs_lite.sandbox.rules.quota import Quota
from wxcs_lite.sandbox.rules.refusals import RefusedError, errmsg
from wxcs_lite.sandbox.rules.switches import Switches
from wxcs_lite.sandbox.rules.tokens import Tokens

__all__ = ["Delivered", "Event", "Notice", "Person", "World"]


class Delivered(NamedTuple):
    """A message on the phone: `at` is epoch seconds, `picture` what the shelf held when the message arrived."""

    at: float
    message: dict[str, Any]
    picture: bytes | None
    ai_label: bool

    def __repr__(self) -> str:
        size = "no picture" if self.picture is None else f"picture of {len(self.picture)} bytes"
        return f"Delivered({self.at}, {self.message!r}, {size}, ai_label={self.ai_label})"


class Event(NamedTuple):
    """What a customer did: `fields` are those of a push beyond ToUserName, FromUserName, CreateTime, MsgType, MsgId.

    `kind` is the MsgType (text, image, miniprogrampage, event). An event has no MsgId: `msg_id` is None.
    """

    at: float
    openid: str
    kind: str
    msg_id: int | None
    fields: Mapping[str, str]
    picture: bytes | None = None

    def __repr__(self) -> str:
        return f"Event({self.at}, {self.openid!r}, {self.kind!r}, {dict(self.fields)!r})"


class Notice(NamedTuple):
    """The phone said that customer service is unavailable: at `at`, for the push of `event` had no good answer."""

    at: float
    event: Event


class Person:
    """One customer as the account sees them."""

    __slots__ = ("agent", "inbox", "notices", "window")

    def __init__(self) -> None:
        self.window = ReplyWindow()
        self.agent = AgentSession()
        self.notices: list[Notice] = []
        self.inbox: list[Delivered] = []

    def show(self, now: float, message: Mapping[str, Any], picture: bytes | None) -> None:
        context = message.get("aimsgcontext")
        ai_label = isinstance(context, dict) and context.get("is_ai_msg") == 1
        self.inbox.append(Delivered(now, deepcopy(dict(message)), picture, ai_label))


class World:
    """The state machine's state; `routes.answer` is the machine."""

    def __init__(self, appid: str, secret: str, seed: int, switches: Switches, paths: frozenset[str]) -> None:
        self.appid = appid
        self.secret = secret
        self.switches = switches
        self.paths = paths
        self.names = Names(seed, appid)
        self.original_id = self.names.original_id()
        self.tokens = Tokens(self.names.token)
        self.shelf = Shelf(self.names.media_id)
        self.quota = Quota(switches.daily_limits, switches.minute_limits)
        self.rids = Rids()
        self.people: dict[str, Person] = {}
        self.events: list[Event] = []

    def check_account(self, fields: Mapping[str, Any], path: str, now: float) -> None:
        """Raise what the token calls answer to a wrong account, then count the call.

        That the appid comes before the grant_type is observed; the rest of the order is inferred.
        """
        if fields.get("appid") in (None, ""):
            raise RefusedError(41002)
        if fields["appid"] != self.appid:
            raise RefusedError(40013)
        if fields.get("grant_type") != "client_credential":
            raise RefusedError(40002)
        if fields.get("secret") in (None, ""):
            raise RefusedError(41004)
        if fields["secret"] != self.secret:
            raise RefusedError(40125)
        self.quota.count(path, now)

    def person(self, openid: str) -> Person:
        """Return the person, or raise 45015: nobody who never came has an open window."""
        if openid not in self.people:
            raise RefusedError(45015)
        return self.people[openid]

    def errmsg(self, errcode: int, now: float, text: str | None = None) -> tuple[str, str]:
        """Return the errmsg and its rid, which is made also where the style doesn't show it."""
        rid, hint = self.names.rid(now), self.names.hint()
        return errmsg(errcode, style=self.switches.errmsg_style, rid=rid, hint=hint, text=text), rid


_RID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")
_RIDS_KEPT: Final = 1000
_KEPT_OF_EACH: Final = 4096  # bytes of a body, characters of a query: anyone can be refused, and as often as they like
_RID_LIFETIME: Final = 7 * 86400  # seconds


class Rids:
    """The refused requests by their rid: the last thousand, each with no more than 4096 bytes of body and of query.

    Both numbers are ours, so that nobody can fill the memory, not even with requests that have no good token.
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}

    def keep(self, rid: str, now: float, request: Request, body: bytes, reply: bytes) -> None:
        query = urlencode([(name, _short(name, value)) for name, value in request.query])
        self._kept[rid] = {
            "invoke_time": int(now),
            "cost_in_ms": 1,
            "request_url": query[:_KEPT_OF_EACH],
            "request_body": body[:_KEPT_OF_EACH].decode(errors="replace"),
            "response_body": reply.decode(),
            "client_ip": "127.0.0.1",
        }
        if len(self._kept) > _RIDS_KEPT:
            del self._kept[next(iter(self._kept))]

    def get(self, rid: str, now: float) -> Mapping[str, Any]:
        """Return the fields of the request, or raise 76002 (malformed), 76001 (unknown), 76004 (over 7 days old)."""
        if _RID.fullmatch(rid) is None:
            raise RefusedError(76002)
        if rid not in self._kept:
            raise RefusedError(76001)
        if now - self._kept[rid]["invoke_time"] > _RID_LIFETIME:
            raise RefusedError(76004)  # the page names 76001 for it too
        return self._kept[rid]


def _short(name: str, value: str) -> str:
    # The published example cuts the token short; a secret isn't shown at all.
    if name == "access_token":
        return f"{value[:6]}xxxx"
    return "xxxx" if name in ("secret", "appsecret") else value
