"""The desk's widgets and their layout: the list on the left, the conversation and where it is answered on the right."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import ipywidgets as w

from wxcs_lite.look.words import Language
from wxcs_lite.panel.status import window_text
from wxcs_lite.panel.view.composer import Composer
from wxcs_lite.panel.view.controls import Kit
from wxcs_lite.panel.view.people import People
from wxcs_lite.panel.view.talk import Talk

__all__ = ["LOOKS", "DeskView"]

LOOKS = ("off", "phone", "python", "http", "curl")


class DeskView:
    """The widgets of one desk; the desk decides what they do."""

    def __init__(self, desk: Any, lang: Language, quick_replies: Iterable[str], was_busy: Callable[[], bool]) -> None:
        kit = self.kit = Kit(lang, was_busy)
        self.people = People(kit, desk.choose, desk.search)
        self.next = kit.button(desk.select_next, "next")
        self.talk = Talk(kit)
        self.composer = Composer(kit, desk, quick_replies)
        self.head, self.status, self.remarks = kit.html("wxcs-head-of-talk"), kit.html(), kit.html()
        self.news = kit.html("wxcs-unseen")
        self.language = kit.button(desk.switch_language, "language")
        self._fold(desk)
        self.root = self._stands()

    def close(self) -> None:
        """Remove every widget from the notebook."""
        self.kit.close()

    def header(self, conversation: Any, now: float) -> None:
        """Show who is written to, and what is left of the window."""
        words = self.kit.words
        if conversation is None:
            self.kit.show(self.head, f"<h3>{escape(words['nobody'])}</h3>")
            return
        tone, left = window_text(conversation.events, now, words)
        openid = f'<span class="wxcs-openid">{escape(conversation.touser)}</span>' if conversation.nickname else ""
        self.kit.show(
            self.head,
            f'<h3>{escape(conversation.name)}</h3>{openid}<span class="wxcs-pill wxcs-{tone}">{escape(left)}</span>',
        )

    def show_look(self, markup: str, code: str) -> None:
        """Show the preview, as a bubble or as code to copy."""
        chosen = self.look_kind.value
        self.kit.hide(self.code, chosen in ("off", "phone"))
        if chosen in ("off", "phone"):
            self.kit.show(self.look, f'<div class="wxcs-look" tabindex="0">{markup}</div>' if chosen == "phone" else "")
        else:
            self.kit.show(self.look, "")
            self.code.value = code

    def _fold(self, desk: Any) -> None:
        """Make what is folded away, but one click off."""
        kit = self.kit
        self.look_kind = kit.choice(
            w.RadioButtons, {kind: f"look_{kind}" for kind in LOOKS}, "look", orientation="horizontal"
        )
        kit.watch(self.look_kind, lambda _: desk.refresh())
        self.look = kit.html("wxcs-gone")
        self.code = kit.make(w.Textarea, "wxcs-code", "wxcs-gone", keys={"description": "copy"}, rows=7)
        self.more = kit.button(self._turn, "more")
        self.export_to = kit.make(
            w.Text, keys={"description": "export_to"}, value="wxcs_history.json", continuous_update=False
        )
        self.save_to = kit.make(w.Text, keys={"description": "save_to"}, continuous_update=False)
        export, save = kit.button(desk.export, "export"), kit.button(desk.save, "save")
        self.folded = kit.box(
            [self.composer.names, kit.box([self.save_to, save], "wxcs-pair", across=True),
             kit.box([self.export_to, export], "wxcs-pair", across=True), kit.heading("div", "note", "wxcs-note")],
            "wxcs-folded", "wxcs-gone",
        )  # fmt: skip

    def _turn(self) -> None:
        is_open = "wxcs-gone" not in self.folded._dom_classes
        self.kit.hide(self.folded, is_open)
        self.relabel()

    def speak(self, lang: Language) -> None:
        """Show every label in this language."""
        self.kit.speak(lang)
        self.kit.show(self.news, "")  # it was told in the other language
        self.composer.relabel()
        self.relabel()

    def relabel(self) -> None:
        """Let the button say what a press of it does."""
        self.more.description = self.kit.words["more" if "wxcs-gone" in self.folded._dom_classes else "less"]

    def _stands(self) -> Any:
        kit = self.kit
        top = kit.box([kit.heading("h2", "desk", "wxcs-h"), self.next, self.language], "wxcs-head", across=True)
        foot = kit.box([self.look_kind, self.more], "wxcs-foot-of-desk", across=True)
        # Nothing that comes and goes may move a button while it is pressed, or the press is lost; a field that is left
        # by that press has its remark removed before the finger is lifted. So this column has a height of its own, the
        # composer stands at its end, and what is told above takes its room from the conversation.
        told = kit.box([self.status, self.remarks], "wxcs-told")
        talk = kit.box([self.head, self.talk.box, told, self.composer.box], "wxcs-side")
        main = kit.box([self.people.box, talk], "wxcs-main", across=True)
        return kit.box(
            [kit.style(), kit.heading("p", "offline", "wxcs-offline"), self.news, top, main, foot, self.look,
             self.code, self.folded],
            "wxcs", "wxcs-desk",
        )  # fmt: skip
