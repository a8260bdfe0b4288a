"""Where two replies differ, and which rule of the sandbox that concerns. Pure, and without a secret in what it gives.

Of a foreign reply only this is shown: its status, the names of its headers, its Content-Type, the names and types of
its JSON, errcode and errmsg.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import wxcs_lite.sandbox.api
import wxcs_lite.sandbox.rules
from wxcs_lite.replies import Reply
from wxcs_lite.sandbox.rules.evidence import Rule
from wxcs_lite.scrub import scrub
from wxcs_lite.secret import any_spelling
from wxcs_lite.terminal.compare.cases import RID, fields_of
from wxcs_lite.terminal.environment import printable

__all__ = ["Compared", "Difference", "cleaned", "errcode_of", "grouped", "rules_for"]

# Headers of which everybody knows that they differ from call to call, or that depend on the server and not on WeChat.
_IGNORED = {"connection", "content-length", "content-type", "date", "keep-alive", "server", "transfer-encoding"}
_MOST = 160  # characters of a value that are shown
_READ = 2000  # a longer one is not even searched for secrets, because a hostile one would take hours
_LEVELS, _NAMES = 4, 20  # of JSON
_SECRET_LENGTH = 6  # a shorter one may be part of any word
_RULES_SHOWN = 3
# An openid has 28 characters, a media_id 64, an appid 18; the names of errors have no digits.
_RANDOM = re.compile(r"\b(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{18,}|\bwx[0-9a-f]{16}\b")
_ADDRESS = re.compile(r"(?:::ffff:)?\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}\b")
_ENDING = re.compile(r"(?:,? *(?:hint: *\[[^\]]*\]|rid: *[0-9a-f-]+))+ *$")
_OF_FIELD = {"Content-Type": "error_content_type", "end of errmsg": "errmsg_style"}
_PICTURES = ((b"\xff\xd8\xff", "a JPEG"), (b"\x89PNG\r\n\x1a\n", "a PNG"), (b"GIF8", "a GIF"))


class Compared(NamedTuple):
    """One call: the name of its case, its path, the account's reply and the sandbox's."""

    case: str
    path: str
    account: Reply
    sandbox: Reply


class Difference(NamedTuple):
    """What differs, in which cases, and the rules of the sandbox that say otherwise."""

    field: str
    sandbox: str
    account: str
    cases: tuple[str, ...]
    rules: tuple[Rule, ...]


def grouped(compared: Iterable[Compared], secrets: Iterable[str]) -> list[Difference]:
    """Return the differences, each once, with all the cases in which it was found."""
    secrets = tuple(secrets)
    found: dict[tuple[str, str, str], list[Compared]] = {}
    for one in compared:
        for field, sandbox, account in _differing(one):
            key = field, _shown(sandbox, secrets), _shown(account, secrets)
            found.setdefault(key, []).append(one)
    return [
        Difference(*key, tuple(one.case for one in ones), rules_for(key[0], ones[0])) for key, ones in found.items()
    ]


def cleaned(text: str, secrets: Iterable[str]) -> str:
    """Return a foreign text on one line, without secrets, ids and addresses.

    >>> cleaned("invalid openid oGZUI0egBJY1zhBYw2KhdUfwVJJE from 1.2.3.4", ["made-up"])
    'invalid openid *** from ***'
    """
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH:
            text = any_spelling(secret).sub("***", text)
    text = scrub(RID.sub("***", text))
    return printable(_ADDRESS.sub("***", _RANDOM.sub("***", text)))


def _shown(text: str, secrets: Iterable[str]) -> str:
    text = cleaned(text, secrets)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def errcode_of(reply: Reply) -> int:
    """Return the errcode of a reply; 0 if there is none, because WeChat omits it on success."""
    errcode = fields_of(reply.body).get("errcode")
    return errcode if type(errcode) is int else 0


def _differing(one: Compared) -> Iterator[tuple[str, str, str]]:
    """Yield a field and what sandbox and account have there, where they differ."""
    ours, theirs = _seen(one.sandbox), _seen(one.account)
    if errcode_of(one.sandbox) != errcode_of(one.account):
        both = (f"{errcode_of(one.sandbox)} {ours['errmsg']}", f"{errcode_of(one.account)} {theirs['errmsg']}")
        yield "errcode", both[0].strip(), both[1].strip()
        ours = {name: value for name, value in ours.items() if name not in ("errmsg", "shape")}
    if not (errcode_of(one.sandbox) and errcode_of(one.account)):
        ours.pop("end of errmsg")
        ours.pop("errmsg", None)  # of a success it is "ok", or absent, which is its shape
    for field, value in ours.items():
        if value != theirs[field]:
            yield field, value, theirs[field]


def _seen(reply: Reply) -> dict[str, str]:
    """Return what is compared of a reply, by what it is called in the report."""
    fields = fields_of(reply.body)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    errmsg = _bounded(str(fields.get("errmsg", "")))
    ending = _ENDING.search(errmsg)
    return {
        "status": str(reply.status),
        "Content-Type": _bounded(headers.get("content-type", "-")),
        "headers": _bounded(", ".join(sorted(headers.keys() - _IGNORED))) or "-",
        "shape": _bounded(_shape(fields) if fields else _kind(reply.body)),
        "errmsg": errmsg[: ending.start()] if ending else errmsg,
        "end of errmsg": re.sub(r"\[[^\]]*\]", "[…]", RID.sub("…", ending[0])).strip(" ") if ending else "-",
    }


def _bounded(text: str) -> str:
    return text if len(text) <= _READ else f"({len(text)} characters)"


def _kind(body: bytes) -> str:
    picture = next((name for magic, name in _PICTURES if body.startswith(magic)), None)
    return picture or ("not JSON" if body else "empty")


def _shape(value: Any, levels: int = _LEVELS) -> str:
    """Return names and types of a JSON value.

    >>> _shape({"type": "image", "item": [], "created_at": 1})
    '{created_at: number, item: [], type: text}'
    """
    if isinstance(value, Mapping):
        if not levels:
            return "{…}"
        parts = [f"{name}: {_shape(value[name], levels - 1)}" for name in sorted(value)]
        return "{" + ", ".join([*parts[:_NAMES], *["…"][: len(parts) - _NAMES]]) + "}"
    if isinstance(value, list):
        return f"[{_shape(value[0], levels - 1) if value and levels else '…' if value else ''}]"
    if isinstance(value, str):
        return "text"
    return {bool: "boolean", int: "number", float: "number"}.get(type(value), "null")


@cache
def _rules() -> tuple[Rule, ...]:
    """Return the rules of all modules that decide about replies."""
    found: list[Rule] = []
    for package in (wxcs_lite.sandbox.api, wxcs_lite.sandbox.rules):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            found += getattr(importlib.import_module(module.name), "RULES", ())
    return tuple(found)


def rules_for(field: str, one: Compared) -> tuple[Rule, ...]:
    """Return the rules that a difference is about, those with a setting first; none if no rule speaks of it."""
    setting = _OF_FIELD.get(field)
    if field == "shape" and one.path.endswith("/media/upload") and not errcode_of(one.sandbox):
        setting = "upload_reply"
    if setting is not None:
        return tuple(rule for rule in _rules() if rule.setting == setting)
    if field != "errcode":
        return ()
    errcode = errcode_of(one.sandbox) or errcode_of(one.account)
    about = [rule for rule in _rules() if errcode in rule.errcodes]
    return tuple(sorted(about, key=lambda rule: not rule.setting)[:_RULES_SHOWN])
