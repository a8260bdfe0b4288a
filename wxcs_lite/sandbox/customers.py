"""The other side: what a customer does on the phone, and what the phone shows."""

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType

from wxcs_lite.look.phone import CHINA, moment
from wxcs_lite.look.words import bilingual
from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.rules.evidence import RECEIVE, Rule
from wxcs_lite.sandbox.rules.people import CustomerEvent, Delivered, Notice, Person, Shown
from wxcs_lite.sandbox.screen import still

__all__ = ["Customer", "Inbox"]

_MAX_SESSION_FROM = 1000  # bytes of UTF-8
_PICTURE = {"image": ("PicUrl", "MediaId"), "miniprogrampage": ("ThumbUrl", "ThumbMediaId")}


class Inbox(tuple[Delivered, ...]):
    """The messages on a phone: a tuple that a notebook shows as the phone would."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return still(self, "", "", bilingual()["service"])


class Customer:
    """A user of the Mini Program and their phone; `Sandbox.user` returns one.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> ann = Sandbox().user("ann")
    >>> ann.says("你好")
    CustomerEvent(1767240000.0, 'ann', 'text', {'Content': '你好'})
    >>> ann.inbox, ann.sees_typing
    ((), False)

    A customer has no open reply window before the first `says`, `sends_…` or `enters_session`. If the sandbox pushes
    to a target, each of these returns when the push has been answered or given up.

    In a notebook a customer shows itself as the phone, and so does its `inbox`: a picture of that moment.
    """

    def __init__(self, core: Core, openid: str) -> None:
        self._core = core
        self._openid = openid
        with core.lock:
            self._person = core.account.people.setdefault(openid, Person())

    def __repr__(self) -> str:
        return f"<Customer {self._openid}>"

    def _repr_html_(self) -> str:
        words = bilingual()
        who = words["is_typing"] if self.sees_typing else words["service"]
        return still(self.screen, self._openid, moment(self._core.clock(), CHINA), who)

    @property
    def openid(self) -> str:
        """The `touser` of messages to this customer."""
        return self._openid

    def says(self, text: str) -> CustomerEvent:
        """Send a text, which opens the 48 hours, and return the event that is pushed."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}")
        if not text:
            raise ValueError("a customer cannot send an empty text")
        return self._does("text", {"Content": text})

    def sends_image(self, content: bytes) -> CustomerEvent:
        """Send a picture, which can be downloaded by its `fields["MediaId"]` for three days.

        That it can also be sent with this id, without an upload, is inferred: only the download is published.
        """
        return self._does("image", {}, picture=_picture(content))

    def sends_card(
        self,
        *,
        title: str = "",
        pagepath: str = "",
        appid: str | None = None,
        thumb: bytes | None = None,
    ) -> CustomerEvent:
        """Send a mini-program card; `appid` None means this Mini Program itself."""
        fields = {"Title": title, "AppId": self._core.account.appid if appid is None else appid, "PagePath": pagepath}
        return self._does("miniprogrampage", fields, picture=None if thumb is None else _picture(thumb))

    def enters_session(self, session_from: str = "") -> CustomerEvent:
        """Enter by the customer-service button, which opens one minute with two messages.

        >>> from wxcs_lite.sandbox import Sandbox
        >>> len(Sandbox().user("ann").enters_session("客" * 400).fields["SessionFrom"])
        333

        More than 1000 bytes of UTF-8 are cut off, at a whole character.
        """
        cut = session_from.encode()[:_MAX_SESSION_FROM].decode(errors="ignore")
        return self._does("event", {"Event": "user_enter_tempsession", "SessionFrom": cut})

    @property
    def screen(self) -> tuple[Shown, ...]:
        """All that is on the phone, oldest first: what the customer did, what was delivered, and notices.

        The order is that in which it happened, which times do not tell while the clock stands still.
        """
        return self._screen_after(0)

    def _screen_after(self, count: int) -> tuple[Shown, ...]:
        """Return what has come onto the screen after so many; the panel's phone asks every second."""
        with self._core.lock:
            latest = self._person.screen[count:]
            return tuple(_copied(one) if isinstance(one, Delivered) else one for one in latest)

    @property
    def inbox(self) -> Inbox:
        """The messages on the phone, oldest first, as new copies."""
        with self._core.lock:
            return Inbox(_copied(one) for one in self._person.screen if isinstance(one, Delivered))

    @property
    def sees_typing(self) -> bool:
        """Whether the phone shows the typing line now."""
        with self._core.lock:
            return self._person.window.shows_typing(self._core.clock())

    @property
    def notices(self) -> tuple[Notice, ...]:
        """How often, when, and with which words the phone said that customer service is unavailable."""
        with self._core.lock:
            return tuple(one for one in self._person.screen if isinstance(one, Notice))

    @property
    def has_agent(self) -> bool:
        """Whether a human agent has the session now, after a hand-over."""
        with self._core.lock:
            return self._person.agent.is_open(self._core.clock())

    def agent_closes_session(self) -> None:
        """Let the agent end the session, if there is one: messages are pushed again."""
        with self._core.lock:
            self._person.agent.end()

    def _does(self, kind: str, fields: Mapping[str, str], *, picture: bytes | None = None) -> CustomerEvent:
        with self._core.lock:
            now, account, person = self._core.clock(), self._core.account, self._person
            if kind == "event":
                person.window.user_entered(now, refill=account.switches.refill_on_entry)
            else:
                person.window.user_wrote(now)
            if kind in _PICTURE:
                media_id = "" if picture is None else account.shelf.put("image", picture, now)
                url = media_id and f"http://sandbox.invalid/{media_id}"
                fields = {**fields, **dict(zip(_PICTURE[kind], (url, media_id), strict=True))}
            msg_id = None if kind == "event" else account.names.msg_id()
            event = CustomerEvent(now, self._openid, kind, msg_id, MappingProxyType(dict(fields)), picture)
            account.events.append(event)
            person.screen.append(event)
            # That events are pushed even while an agent has the session is inferred: the page speaks only of messages.
            pushes = None if kind != "event" and person.agent.takes(now) else self._core.pushes
        self._core.tell(event)
        if pushes is not None:
            pushes.push(event)
        return event


def _copied(delivered: Delivered) -> Delivered:
    return delivered._replace(message=deepcopy(delivered.message))


def _picture(content: bytes) -> bytes:
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(f'content must be bytes, not {type(content).__name__}: pass Path("a.png").read_bytes()')
    if not content:
        raise ValueError("a customer cannot send an empty picture")
    return bytes(content)


# fmt: off
RULES = (
    Rule(
        f"session_from is cut at {_MAX_SESSION_FROM:,} bytes; the event of entering the session has no MsgId.",
        f"session_from 超过 {_MAX_SESSION_FROM:,} 字节会被截断；进入会话事件没有 MsgId。",
        page=RECEIVE,
    ),
    Rule(
        "Events are still pushed during an agent's session.",
        "人工会话期间，事件仍会推送。",
        inferred=True,
    ),
)
