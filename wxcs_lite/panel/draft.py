"""What is about to be sent to one customer: a text, a picture, a link, a card or JSON. Pure; it sends nothing."""

import json
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.messages import REQUIRED, image, link, miniprogrampage, require_message, text, with_ai_label
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.remarks import Remark, check

__all__ = ["BUILD", "FIELDS", "KINDS", "MEDIA", "Draft", "Kind", "Picture"]

Kind = Literal["text", "image", "link", "miniprogrampage", "raw"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEDIA = {"image": "media_id", "miniprogrampage": "thumb_media_id"}
BUILD: dict[str, Callable[..., Any]] = {
    "text": text, "image": image, "link": link, "miniprogrampage": miniprogrampage,
}  # fmt: skip
# What is typed for each kind; a medium is picked.
FIELDS: dict[str, tuple[str, ...]] = {
    **{kind: tuple(name for name in REQUIRED[kind] if name != MEDIA.get(kind)) for kind in BUILD},
    "raw": ("raw",),
}
_TO_COME = "MEDIA_ID"  # stands in a preview for what the upload will give


class Picture(NamedTuple):
    """A picture of a draft: its content or its path until it is uploaded, its media_id afterwards.

    >>> Picture(media_id="MEDIA_ID").needs_upload(0), Picture("sun.png", b"...").needs_upload(0)
    (False, True)
    """

    name: str = ""
    content: bytes | None = None  # what can be shown; None for a large file and for a pasted media_id
    path: str = ""
    size: int = 0
    media_id: str = ""
    expires_at: float | None = None

    def needs_upload(self, now: float) -> bool:
        """Return whether it has to be uploaded first: WeChat keeps a medium for three days."""
        gone = self.expires_at is not None and now >= self.expires_at
        return not self.media_id or (gone and (self.content is not None or self.path != ""))


class Draft:
    """What one customer is about to be sent. Each customer has their own, so none can be sent to another.

    >>> draft = Draft()
    >>> draft.put("text", "content", "hi")
    >>> draft.message("ann")
    {'touser': 'ann', 'msgtype': 'text', 'text': {'content': 'hi'}}
    """

    __slots__ = ("ai_label", "fields", "kind", "picture")

    def __init__(self, kind: Kind = "text") -> None:
        self.kind: Kind = kind
        self.ai_label = False
        self.fields: dict[tuple[str, str], str] = {}
        self.picture: Picture | None = None

    def put(self, kind: str, name: str, value: str) -> None:
        """Note what was typed into a field."""
        if value:
            self.fields[kind, name] = value
        else:
            self.fields.pop((kind, name), None)

    def get(self, kind: str, name: str) -> str:
        """Return what was typed into a field."""
        return self.fields.get((kind, name), "")

    @property
    def begun(self) -> bool:
        """Whether there is anything to send in the chosen kind."""
        typed = any(kind == self.kind for kind, _ in self.fields)
        return typed or (self.kind in MEDIA and self.picture is not None)

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all."""
        return not self.fields and self.picture is None

    def choose(self, kind: Kind) -> None:
        """Choose another kind; JSON begins with what the other form says."""
        if kind == "raw" and not self.get("raw", "raw") and self.kind in BUILD:
            message = {"msgtype": self.kind, self.kind: self._content(self.kind)}
            self.put("raw", "raw", json.dumps(message, ensure_ascii=False, indent=2))
        self.kind = kind

    def message(self, touser: str, to_come: str = _TO_COME) -> dict[str, Any]:
        """Return the message, or raise InvalidMessage if it is not complete; `to_come` stands for what is uploaded."""
        kind = self.kind
        message = self._raw(touser) if kind == "raw" else BUILD[kind](touser, **self._content(kind, to_come))
        return with_ai_label(message) if self.ai_label else message

    def remarks(self, touser: str) -> list[Remark]:
        """Return advice on the message as it is."""
        try:
            message = self.message(touser)
            require_message(message)
        except InvalidMessage as e:
            return [Remark(*e.args)]
        return check(message)

    def taken(self) -> "Draft":
        """Return what is sent now, and keep the rest: other kinds stay as they were typed, the label stays chosen."""
        sent = Draft(self.kind)
        sent.ai_label = self.ai_label
        for key in [key for key in self.fields if key[0] == self.kind]:
            sent.fields[key] = self.fields.pop(key)
        if self.kind in MEDIA:
            sent.picture, self.picture = self.picture, None
        if self.kind == "image":
            self.kind = "text"
        return sent

    def put_back(self, sent: "Draft") -> bool:
        """Take back what was refused, unless something else has been written meanwhile; return whether it was."""
        if any(key in self.fields for key in sent.fields) or (self.picture and sent.picture):
            return False
        self.fields |= sent.fields
        self.picture = sent.picture or self.picture
        self.kind = sent.kind
        return True

    def _content(self, kind: str, to_come: str = _TO_COME) -> dict[str, str]:
        content = {name: self.get(kind, name) for name in FIELDS[kind]}
        if kind in MEDIA:
            picture = self.picture
            content[MEDIA[kind]] = "" if picture is None else picture.media_id or to_come
        return content

    def _raw(self, touser: str) -> dict[str, Any]:
        try:
            found = json.loads(self.get("raw", "raw"))
        except json.JSONDecodeError as e:
            at = {"line": e.lineno, "column": e.colno}
        except RecursionError:
            at = {"line": 1, "column": 1}
        else:
            return _addressed(found, touser)
        raise InvalidMessage("message", *(words(lang)["not_json"].format(**at) for lang in LANGUAGES))


def _addressed(found: Any, touser: str) -> dict[str, Any]:
    """Return the JSON as a message to this customer; one that names somebody else is refused."""
    if not isinstance(found, dict):
        raise InvalidMessage("message", *(words(lang)["no_object"] for lang in LANGUAGES))
    message = {"touser": touser, **found}
    if message["touser"] != touser:
        said = (words(lang)["other_touser"].format(touser=repr(message["touser"])) for lang in LANGUAGES)
        raise InvalidMessage("touser", *said)
    return message
