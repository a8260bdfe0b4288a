"""`--set SWITCH=VALUE`: each switch of the sandbox from a command line, by its type in the sandbox itself."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.rules.switches import Switches
from wxcs_lite.terminal.telling import Refused

__all__ = ["SWITCHES", "read_switches"]

SWITCHES: Mapping[str, Any] = get_type_hints(Switches)


def read_switches(given: Sequence[str]) -> dict[str, Any]:
    """Return the keywords of `Sandbox` for settings such as "chunked=accept", or raise Refused.

    >>> read_switches(["chunked=accept", "exhausted_code=45015", "daily_limits=/cgi-bin/token:3"])
    {'chunked': 'accept', 'exhausted_code': 45015, 'daily_limits': {'/cgi-bin/token': 3}}
    """
    found: dict[str, Any] = {}
    for setting in given:
        name, sign, text = (part.strip() for part in setting.partition("="))
        if not sign:
            raise Refused("set_form", names=", ".join(SWITCHES))
        if name not in SWITCHES:
            raise Refused("set_name", name=f"{name:.60}", names=", ".join(SWITCHES))
        found[name] = _read(name, SWITCHES[name], text)
    for name, value in found.items():
        # Alone, so that the name of the wrong one can be given; the second goes with the first.
        beside = {"cloud_hosting": ["/*"]} if name == "cloud_shared" else {}
        _try({**beside, name: value}, name)
    _try(found, ", ".join(found))
    return found


def _try(switches: Mapping[str, Any], name: str) -> None:
    try:
        Sandbox(**switches)
    except ValueError as error:
        raise Refused("set_range", name=name, reason=error) from None


def _read(name: str, kind: Any, text: str) -> object:
    origin = get_origin(kind)
    if origin is UnionType:  # with None, which is what it is when it is not set
        kind = get_args(kind)[0]
        origin = get_origin(kind)
    if origin is Literal or kind is bool:
        words = {str(one): one for one in get_args(kind)} or {"true": True, "false": False}
        if text not in words:
            raise Refused("set_choice", name=name, words=", ".join(words))
        return words[text]
    if kind is int:
        if re.fullmatch("[0-9]{1,12}", text) is None:
            raise Refused("set_value", name=name, allowed_text="a_number")
        return int(text)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if origin is Collection:
        if not parts:
            raise Refused("set_value", name=name, allowed_text="paths")
        _check_paths(name, parts)
        return parts
    limits = [re.fullmatch("(/[^:]+):([0-9]{1,12})", part) for part in parts]
    if not limits or None in limits:
        raise Refused("set_value", name=name, allowed_text="limits")
    found = {limit[1]: int(limit[2]) for limit in limits if limit}
    _check_paths(name, found)
    return found


def _check_paths(name: str, paths: Iterable[str]) -> None:
    for path in paths:
        if path not in (*ROUTES, "/*"):
            raise Refused("set_path", name=name, path=f"{path:.60}", paths=", ".join(sorted(ROUTES)))
