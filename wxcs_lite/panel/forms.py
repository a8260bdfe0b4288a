"""The forms: they turn the input into a message, with the public builders. They send nothing."""

import json
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.look.words import Language
from wxcs_lite.messages import REQUIRED, image, link, miniprogrampage, require_message, text, with_ai_label
from wxcs_lite.panel.controls import Labels, box
from wxcs_lite.panel.picture import Picture
from wxcs_lite.panel.texts import LANGUAGES, Words, words
from wxcs_lite.remarks import Remark, check
from wxcs_lite.splitting import TEXT_BYTES

__all__ = ["KINDS", "Forms"]

KINDS = ("text", "image", "link", "miniprogrampage", "raw")
_MEDIA = {"image": "media_id", "miniprogrampage": "thumb_media_id"}
_BUILD: dict[str, Callable[..., Any]] = {
    "text": text, "image": image, "link": link, "miniprogrampage": miniprogrampage,
}  # fmt: skip


class Forms:
    """One form for each type of message, one of which is shown."""

    def __init__(self, labels: Labels, medium: Picture, changed: Callable[[], None]) -> None:
        self.medium, self._changed = medium, changed
        self.kind = labels.choices(w.ToggleButtons(), {kind: f"kind_{kind}" for kind in KINDS})
        labels.put(self.kind, description="kind")
        self.ai_label = labels.put(w.Checkbox(indent=False), description="ai_label")
        self.fields: dict[str, dict[str, Any]] = {
            "text": {"content": labels.put(w.Textarea(rows=3), description="content", placeholder="content_hint")},
            "image": {},
            "link": {name: labels.put(w.Text(), description=name) for name in REQUIRED["link"]},
            "miniprogrampage": {name: labels.put(w.Text(), description=name) for name in ("title", "pagepath")},
            "raw": {"raw": labels.put(w.Textarea(rows=8), description="raw")},
        }
        self.fields["raw"]["raw"].add_class("wxcs-code")
        self.boxes = {kind: box(list(self.fields[kind].values())) for kind in KINDS}
        self.box = box([])
        for field in self.typed:
            field.observe(self._said, "value")
        self.kind.observe(self._chosen, "value")
        self.ai_label.observe(self._said, "value")

    def message(self, touser: str) -> dict[str, Any]:
        """Return the message of the chosen form; raise InvalidMessage if it is not complete yet."""
        kind = self.kind.value
        message = self._raw(touser) if kind == "raw" else _BUILD[kind](touser, **self._content(kind))
        return with_ai_label(message) if self.ai_label.value else message

    def clear(self) -> None:
        """Empty the chosen form after its message was sent."""
        for field in self.fields[self.kind.value].values():
            field.value = ""
        if self.kind.value in _MEDIA:
            self.medium.clear()

    def remarks_html(self, touser: str, words: Words, lang: Language) -> str:
        """Return notes on the form in its present state: bytes used, and the remarks of `check`."""
        told = []
        if self.kind.value == "text":
            used = len(self.fields["text"]["content"].value.encode("utf-8", "replace"))
            told.append(("warn" if used > TEXT_BYTES else "calm", words["bytes_used"].format(used=used)))
        if self._begun():
            remarks = self._remarks(touser)
            told += [("warn", f"{remark.field}: {remark.zh if lang == 'zh' else remark.en}") for remark in remarks]
            told += [] if remarks else [("calm", words["fine"])]
        shown = "".join(f'<div class="wxcs-{tone}">{escape(text)}</div>' for tone, text in told)
        return f'<div class="wxcs-remarks">{shown}</div>'

    def show(self) -> None:
        """Show the form of the chosen kind."""
        kind = self.kind.value
        shown = [self.boxes[kind], self.medium.box] if kind in _MEDIA else [self.boxes[kind]]
        if list(self.box.children) != shown:
            self.box.children = shown

    def close(self) -> list[Any]:
        """Return all boxes, hidden ones too, so that they can be closed."""
        return [*self.boxes.values(), self.medium.box]

    @property
    def typed(self) -> list[Any]:
        """The fields that report each keystroke."""
        return [field for fields in self.fields.values() for field in fields.values()]

    def _begun(self) -> bool:
        written = any(field.value for field in self.fields[self.kind.value].values())
        return written or (self.kind.value in _MEDIA and bool(self.medium.media_id.value))

    def _remarks(self, touser: str) -> list[Remark]:
        try:
            message = self.message(touser)
            require_message(message)
        except InvalidMessage as e:
            return [Remark(*e.args)]
        remarks = check(message)
        if touser and message["touser"] != touser:
            said = [words(lang)["other_touser"].format(touser=repr(message["touser"])) for lang in LANGUAGES]
            remarks.append(Remark("touser", *said))
        return remarks

    def _content(self, kind: str) -> dict[str, str]:
        content = {name: field.value for name, field in self.fields[kind].items()}
        if kind in _MEDIA:
            content[_MEDIA[kind]] = self.medium.media_id.value.strip()
        return content

    def _raw(self, touser: str) -> dict[str, Any]:
        en, zh = words("en"), words("zh")
        try:
            found = json.loads(self.fields["raw"]["raw"].value)
        except json.JSONDecodeError as e:
            at = {"line": e.lineno, "column": e.colno}
        except RecursionError:
            at = {"line": 1, "column": 1}
        else:
            if isinstance(found, dict):
                return {"touser": touser, **found}
            raise InvalidMessage("message", en["no_object"], zh["no_object"])
        raise InvalidMessage("message", en["not_json"].format(**at), zh["not_json"].format(**at))

    def _said(self, _: object) -> None:
        self._changed()

    def _chosen(self, change: Any) -> None:
        raw = self.fields["raw"]["raw"]
        if change["new"] == "raw" and not raw.value and change["old"] in REQUIRED:
            message = {"msgtype": change["old"], change["old"]: self._content(change["old"])}
            raw.value = json.dumps(message, ensure_ascii=False, indent=2)
        self.show()
        self._changed()
