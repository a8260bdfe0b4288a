"""A call or a push in full, as titled texts that the page shows beside each other; secrets are not in them."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from wxcs_lite.errcodes import explain
from wxcs_lite.look.words import Language, Words
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.sandbox.pushes.delivery import Pushed
from wxcs_lite.sandbox.watching import Called, without_misplaced

__all__ = ["Part", "call_details", "push_details"]

Part = tuple[str, str, str]  # title, text, and how it is shown
_SHOWN = 4096  # characters of a body
_HIDDEN = ("signature", "msg_signature")  # with the other values, they would confirm a guess at a weak Token


def call_details(call: Called, lang: Language) -> Sequence[Part]:
    """Return the parts of a call; the first one explains its errcode."""
    words, seen = page_words(lang), call.seen
    query = "".join(f"\n  {name}={value}" for name, value in seen.query)
    request = f"{seen.method} {seen.path}{query}" + (f"\n\n{_pretty(call.sent)}" if call.sent else "")
    reply = words["no_reply"] if seen.status is None else f"HTTP {seen.status}\n\n{_pretty(call.received)}"
    shown = [(words["request"], request, "code"), (words["reply"], reply, "code")]
    return [*_explained(seen.errcode, lang, words), *shown]


def push_details(pushed: Pushed, lang: Language) -> Sequence[Part]:
    """Return the parts of a push: what was sent, and what came of it."""
    words, request = page_words(lang), pushed.request
    query = urlencode([(name, "***" if name in _HIDDEN else value) for name, value in request.query], safe="*")
    line = f"{request.method} {request.path}{'?' if query else ''}{query}"  # into a container there is no query
    headers = "".join(f"\n{name}: {value}" for name, value in request.headers.items())
    body = without_misplaced(request.body.decode("utf-8", "replace"))[:_SHOWN]
    status = words["unanswered"] if pushed.status is None else f"HTTP {pushed.status}"
    why = pushed.why_zh if lang == "zh" else pushed.why
    answer = f"{status}: {words['answer_' + pushed.answer]}" + (f"\n{why}" if why else "")
    sent = f"{line}{headers}\n\n{_pretty(body)}"
    return [(words["request"], sent, "code"), (words["col_answer"], answer, "code")]


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):  # not JSON, or cut off
        return body


def _explained(errcode: int | None, lang: Language, words: Words) -> Sequence[Part]:
    if not errcode:
        return []
    known, number = explain(errcode), ("en", "zh").index(lang)
    meaning, cause = (known.meaning, known.meaning_zh)[number], (known.cause, known.cause_zh)[number]
    remedy, retry = (known.remedy, known.remedy_zh)[number], known.retry_text[number]
    told = [cause, words["remedy"].format(text=remedy), words["retry"].format(text=retry)]
    return [(f"{errcode} {meaning}", "\n".join(told), "error")]
