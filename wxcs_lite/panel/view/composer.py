"""Where a message is written: fields of the customer's own, one line where Enter sends, a picture in one step.

Every customer gets fields and a Send of their own whenever they are shown. What was typed, picked or pressed for one
and arrives late, after another was chosen, finds the widget that it was made in, and so the right draft.
"""

from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Any

import ipywidgets as w

from wxcs_lite.look.bubbles import plain
from wxcs_lite.panel.conversation import Conversation
from wxcs_lite.panel.draft import FIELDS, KINDS, MEDIA, Kind
from wxcs_lite.panel.view.controls import Kit, later

__all__ = ["Composer"]

_KEPT = 30  # seconds; a large picture takes a while to arrive
_BUILT = 0.2  # seconds
_LINES = {"text": 4, "raw": 7}


class Composer:
    """The fields of the customer who is shown, and the small controls beneath; `desk` is told what happens."""

    def __init__(self, kit: Kit, desk: Any, quick_replies: Iterable[str]) -> None:
        self._kit, self._desk = kit, desk
        self.conversation: Conversation | None = None
        self.fields: dict[str, Any] = {}
        self.file: Any = None
        self.send: Any = None
        self.nickname: Any = None
        self._of: Conversation | None = None  # whose Send and nickname these are
        self._left: deque[tuple[float, list[Any]]] = deque()
        self._shape: tuple[object, ...] = ()
        self._known: dict[str, object] = {}  # what each widget shows, as far as we know
        self._many_lines = False
        self._quick_replies = tuple(quick_replies)
        self._build()

    def show(self, conversation: Conversation | None) -> None:
        """Show the draft of this customer."""
        self.conversation = conversation
        self._kit.hide(self.box, conversation is None)
        if conversation is None:
            return
        if conversation is not self._of:
            self._turn_to(conversation)
        draft = conversation.draft
        many = self._many_lines or "\n" in draft.get("text", "content")
        shape = (conversation.touser, draft.kind, many, draft.picture is None)
        if shape != self._shape:
            self._shape = shape
            self._make(conversation, many)
        self._put(self.kind, draft.kind)
        self._put(self.ai_label, draft.ai_label)
        for name, field in self.fields.items():
            if isinstance(field, w.Text | w.Textarea):
                self._put(field, self._value(conversation, name))

    def _put(self, widget: Any, value: Any) -> None:
        """Show a value in a widget, unless we know that it is there.

        What the widget holds may be newer than what we have been told, because it is changed in another thread.
        """
        if self._known.get(widget.model_id) != value:
            self._known[widget.model_id] = value
            with self._kit.showing():
                widget.value = value

    def focus(self) -> None:
        """Let the next key go into the field, and not to the notebook, where a letter may be a command.

        It takes the browser a moment to build a new field.
        """
        field = self.fields.get("content")
        if field is not None:
            later(_BUILT, lambda: field.comm is not None and field.focus())

    def tidy(self, now: float | None = None) -> None:
        """Close fields that were left a while ago."""
        now = monotonic() if now is None else now
        while self._left and now - self._left[0][0] > _KEPT:
            left = self._left.popleft()[1]
            for widget in left:
                self._known.pop(widget.model_id, None)
            self._kit.drop(left)

    # --- how

    def _build(self) -> None:
        kit, desk = self._kit, self._desk
        self.lines = kit.box([], "wxcs-fields")
        self.kind = kit.choice(
            w.RadioButtons, {kind: f"kind_{kind}" for kind in KINDS}, "kind", orientation="horizontal"
        )
        kit.watch(self.kind, self._kind_chosen)
        self.more_lines = kit.button(self._turn, "many_lines", "wxcs-steady")
        self.typing = kit.button(desk.toggle_typing, "typing_on", "wxcs-steady", "wxcs-typing")
        self.ai_label = kit.make(w.Checkbox, keys={"description": "ai_label"}, indent=False)
        kit.watch(self.ai_label, self._labelled)
        self.picks = kit.box([], "wxcs-picks")
        tools = [self.kind, self.picks, self.more_lines, self.typing, self.ai_label]
        self.line, self.names = kit.box([self.lines], "wxcs-line-of-text", across=True), kit.box([])
        self.tools = kit.box(tools, "wxcs-tools", across=True)
        self.box = kit.box([self.line, self.tools], "wxcs-composer", "wxcs-gone")

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

        def typed(value: str) -> None:
            self._known[field.model_id] = value
            self._typed(conversation, kind, name, value)

        if kind == "text" and not many:
            replies = self._quick_replies  # offered by the browser while one writes
            field = self._kit.line(
                typed,
                lambda: self._desk.send_to(conversation),
                keys,
                **({"kind": w.Combobox, "options": replies} if replies else {}),
            )
            self._known[field.model_id] = ""
            return field
        if kind in ("text", "raw"):
            style = "wxcs-code" if kind == "raw" else "wxcs-lines"
            field = self._kit.make(w.Textarea, style, keys=keys, continuous_update=False, rows=_LINES[kind])
        else:
            field = self._kit.make(w.Text, keys=keys, continuous_update=False)
        self._kit.watch(field, typed)
        self._known[field.model_id] = ""
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
        self._known[self.kind.model_id] = kind
        if self.conversation is not None:
            self.conversation.draft.choose(kind)
            self._desk.edited(self.conversation)

    def _labelled(self, is_labelled: bool) -> None:
        self._known[self.ai_label.model_id] = is_labelled
        if self.conversation is not None:
            self.conversation.draft.ai_label = is_labelled
            self._desk.edited(self.conversation)

    def _turn_to(self, conversation: Conversation) -> None:
        """Make the Send of this customer, which sends nobody else's draft, and the field for their name."""
        if self._of is not None:
            self._left.append((monotonic(), [self.send, self.nickname]))
        kit, desk, self._of = self._kit, self._desk, conversation
        self.send = kit.sender(
            lambda: desk.press(conversation),
            "send",
            "wxcs-send",
            field=lambda: self.fields.get("content") if conversation is self.conversation else None,
        )
        self.nickname = kit.make(
            w.Text, keys={"description": "nickname"}, continuous_update=False, value=plain(conversation.nickname)
        )
        kit.watch(self.nickname, lambda name: desk.rename(conversation, name))
        self.line.children, self.names.children = (self.lines, self.send), (self.nickname,)

    def _turn(self) -> None:
        self._many_lines = not self._many_lines
        self.relabel()
        self.show(self.conversation)

    def relabel(self) -> None:
        """Let the button say what a press of it does."""
        self.more_lines.description = self._kit.words["one_line" if self._many_lines else "many_lines"]
