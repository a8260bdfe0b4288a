"""What one can do on the page: the same functions that a program calls, from the fields of a form."""

from collections.abc import Callable, Mapping
from typing import Any

from wxcs_lite.look.bubbles import plain
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.customers import Customer
from wxcs_lite.sandbox.samples import sunset

__all__ = ["MAX_PICTURE", "NotPossibleError", "act", "send_picture"]

MAX_PICTURE = 10 * 2**20  # bytes; what the official page allows
_SAMPLE = (216, 162)  # pixels
_LONGEST = 10 * 365 * 24 * 3600  # seconds that one can skip at once
_SLOWEST = 60  # seconds
_TIMES = 100


class NotPossibleError(Exception):
    """It cannot be done: the arguments are the key of a text of the page, and what `{why}` in it is."""

    def __init__(self, key: str, why: str = "") -> None:
        super().__init__(key, why)
        self.key, self.why = key, why


def act(core: Core, fields: Mapping[str, Any]) -> None:
    """Do what the field `action` names; raise NotPossibleError where that cannot be done."""
    name = fields.get("action")
    action = _ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise NotPossibleError("refused", f"action: {', '.join(_ACTIONS)}")
    action(core, fields)


def send_picture(core: Core, openid: str, content: bytes) -> None:
    """Let a customer send a picture."""
    if not content:
        raise NotPossibleError("empty_text")
    _customer(core, {"openid": openid}).sends_image(content)


def _customer(core: Core, fields: Mapping[str, Any]) -> Customer:
    openid = fields.get("openid")
    if not isinstance(openid, str) or not well_formed(openid):
        raise NotPossibleError("bad_openid")
    return Customer(core, openid)


def _says(core: Core, fields: Mapping[str, Any]) -> None:
    text = fields.get("text")
    if not isinstance(text, str) or not text.strip():
        raise NotPossibleError("empty_text")
    _customer(core, fields).says(plain(text))


def _advance(core: Core, fields: Mapping[str, Any]) -> None:
    core.advance(_number(fields, "seconds", _LONGEST))


def _fail(core: Core, fields: Mapping[str, Any]) -> None:
    slow = _number(fields, "slow", _SLOWEST) if "slow" in fields else None
    times = _number(fields, "times", _TIMES)
    try:
        with core.lock:
            core.faults.add(errcode=fields.get("errcode"), drop=fields.get("drop"), slow=slow, times=int(times))
    except ValueError as error:
        raise NotPossibleError("refused", str(error)[:200]) from None


def _clear(core: Core, fields: Mapping[str, Any]) -> None:
    with core.lock:
        core.faults.clear()


def _number(fields: Mapping[str, Any], name: str, most: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:  # NaN is not, either
        raise NotPossibleError("refused", f"{name}: 0 – {most}")
    return value


_ACTIONS: Mapping[str, Callable[[Core, Mapping[str, Any]], object]] = {
    "add": _customer,
    "says": _says,
    "sends_sample": lambda core, fields: _customer(core, fields).sends_image(sunset(*_SAMPLE)),
    "enters_session": lambda core, fields: _customer(core, fields).enters_session(),
    "agent_closes": lambda core, fields: _customer(core, fields).agent_closes_session(),
    "advance": _advance,
    "fail": _fail,
    "clear": _clear,
}
