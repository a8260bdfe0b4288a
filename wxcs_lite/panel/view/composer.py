"""Where a message is written: fields of the customer's own, one line where Enter sends, a picture in one step.

Every customer gets fields of their own whenever they are shown. What was typed or picked for one and arrives late,
after another was chosen, finds the field that it was made in, and so the right draft.
"""

from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Any

import ipywidgets as w

from wxcs_lite.panel.conversation import Conversation
from wxcs_lite.panel.draft import FIELDS, KINDS, MEDIA, Kind
from wxcs_lite.panel.view.controls import Kit

__all__ = ["Composer"]

_KEPT = 30  # seconds; a large picture takes a while to arrive
_LINES = {"text": 4, "raw": 7}


class Composer:
    """The fields of the customer who is shown, and the small controls beneath; `desk` is told what happens."""

    def __init__(self, kit: Kit, desk: Any, quick_replies: Iterable[str]) -> None:
        self._kit, self._desk = kit, desk
        self.conversation: Conversation | None = None
        self.fields: dict[str, Any] = {}
        self.file: Any = None
        self._left: deque[tuple[float, list[Any]]] = deque()
        self._shape: tuple[object, ...] = ()
        self._many_lines = False
        self._quick = {f"quick {number}": text for number, text in enumerate(quick_replies)}
        self._build()

    def show(self, conversation: Conversation | None) -> None:
        """Show the draft of this customer."""
        self.conversation = conversation
        self._kit.hide(self.box, conversation is None)
        if conversation is None:
            return
        draft = conversation.draft
        many = self._many_lines or "\n" in draft.get("text", "content")
        shape = (conversation.touser, draft.kind, many, draft.picture is None)
        if shape != self._shape:
            self._shape = shape
            self._make(conversation, many)
        with self._kit.showing():
            self.kind.value, self.ai_label.value = draft.kind, draft.ai_label
            for name, field in self.fields.items():
                if isinstance(field, w.Text | w.Textarea):
                    field.value = self._value(conversation, name)

    def tidy(self, now: float | None = None) -> None:
        """Close fields that were left a while ago."""
        now = monotonic() if now is None else now
        while self._left and now - self._left[0][0] > _KEPT:
            self._kit.drop(self._left.popleft()[1])

    # --- how

    def _build(self) -> None:
        kit, desk = self._kit, self._desk
        self.lines = kit.box([], "wxcs-fields")
        self.send = kit.sender(desk.aim, "send", "wxcs-send")
        self.kind = kit.choice(w.Dropdown, {kind: f"kind_{kind}" for kind in KINDS}, "kind")
        kit.watch(self.kind, self._kind_chosen)
        self.more_lines = kit.button(self._turn, "many_lines")
        self.typing = kit.button(desk.toggle_typing, "typing_on")
        self.ai_label = kit.make(w.Checkbox, keys={"description": "ai_label"}, indent=False)
        kit.watch(self.ai_label, self._labelled)
        tools = [self.kind, self.more_lines, self.typing, self.ai_label]
        if self._quick:
            options = [(kit.words["quick"], ""), *((text, key) for key, text in self._quick.items())]
            self.quick = kit.make(w.Dropdown, keys={"description": "quick"}, options=options, value="")
            kit.watch(self.quick, self._quick_chosen)
            tools.insert(2, self.quick)
        self.picks = kit.box([], "wxcs-picks")
        line = kit.box([self.lines, self.send], "wxcs-line-of-text", across=True)
        self.tools = kit.box([self.picks, *tools], "wxcs-tools", across=True)
        self.box = kit.box([line, self.tools], "wxcs-composer", "wxcs-gone")

    def _make(self, conversation: Conversation, many: bool) -> None:
        """Make the fields of this customer and kind; those of before live on for what is still on its way."""
        self._left.append((monotonic(), list(self.fields.values())))
        kit, draft = self._kit, conversation.draft
        self.fields = {name: self._field(conversation, draft.kind, name, many) for name in FIELDS[draft.kind]}
        if draft.kind in MEDIA:
            if draft.picture is None:
                for name in ("path", "media_id"):
                    self.fields[name] = self._field(conversation, draft.kind, name, False)
            else:
                self.fields["picture"] = kit.html("wxcs-seen")
                self.fields["remove"] = kit.button(lambda: self._desk.unpick(conversation), "remove", each=True)
        self.lines.children = tuple(self.fields.values())
        file = kit.make(
            w.FileUpload,
            keys={"description": "pick", "tooltip": "pick_limit"},
            accept=".jpg,.jpeg,.png,.gif",
            multiple=False,
            disabled=draft.kind in MEDIA and draft.picture is not None,
        )
        kit.watch(file, lambda _: self._picked(conversation, file))
        self.picks.children = (file,)
        self.fields["file"] = file
        self.file = file

    def _field(self, conversation: Conversation, kind: str, name: str, many: bool) -> Any:
        keys = {"description": name}
        if name in ("content", "path", "media_id"):
            keys["placeholder"] = f"{name}_hint"
        typed = lambda value: self._typed(conversation, kind, name, value)  # noqa: E731 - for three kinds of field
        if kind == "text" and not many:
            return self._kit.line(typed, lambda: self._desk.send_to(conversation), keys)
        if kind in ("text", "raw"):
            style = "wxcs-code" if kind == "raw" else "wxcs-lines"
            field = self._kit.make(w.Textarea, style, keys=keys, continuous_update=False, rows=_LINES[kind])
        else:
            field = self._kit.make(w.Text, keys=keys, continuous_update=False)
        self._kit.watch(field, typed)
        return field

    def _value(self, conversation: Conversation, name: str) -> str:
        return "" if name in ("path", "media_id") else conversation.draft.get(conversation.draft.kind, name)

    def _typed(self, conversation: Conversation, kind: str, name: str, value: str) -> None:
        if name in ("path", "media_id"):
            self._desk.pick_by(conversation, name, value)
        else:
            conversation.draft.put(kind, name, value)
            self._desk.edited(conversation)

    def _picked(self, conversation: Conversation, file: Any) -> None:
        if file.value:
            name, content = str(file.value[0]["name"]), bytes(file.value[0]["content"])
            file.value = ()  # no bytes stay in the widget's state
            self._desk.pick(conversation, name, content)

    def _kind_chosen(self, kind: Kind) -> None:
        if self.conversation is not None:
            self.conversation.draft.choose(kind)
            self._desk.edited(self.conversation)

    def _labelled(self, is_labelled: bool) -> None:
        if self.conversation is not None:
            self.conversation.draft.ai_label = is_labelled
            self._desk.edited(self.conversation)

    def _quick_chosen(self, key: str) -> None:
        """Put a quick reply behind what is written; it is sent by nothing but a press."""
        conversation = self.conversation
        if not key or conversation is None:
            return
        draft = conversation.draft
        draft.kind = "text"
        draft.put("text", "content", " ".join(filter(None, [draft.get("text", "content"), self._quick[key]])))
        with self._kit.showing():
            self.quick.value = ""
        self._desk.edited(conversation)

    def _turn(self) -> None:
        self._many_lines = not self._many_lines
        self.relabel()
        self.show(self.conversation)

    def relabel(self) -> None:
        """Let the button say what a press of it does."""
        words = self._kit.words
        self.more_lines.description = words["one_line" if self._many_lines else "many_lines"]
        if self._quick:
            with self._kit.showing(), self.quick.hold_sync():
                self.quick.options = [(words["quick"], ""), *self.quick.options[1:]]
                self.quick.value = ""
