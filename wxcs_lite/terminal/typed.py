"""The commands that are typed while the sandbox is served: customers act, time passes, calls fail."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wxcs_lite.sandbox import Customer, Sandbox
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.sandbox.rules.refusals import TEXTS as ERRMSGS
from wxcs_lite.terminal.environment import printable
from wxcs_lite.terminal.telling import Refused, Teller

__all__ = ["Commands"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"\+\s*((?:[0-9]{1,6}(?:\.[0-9]+)?[smhd]\s*)+)")
_ONE_TIME = re.compile(r"([0-9.]+)([smhd])")
_SECOND_WORDS = ("enters", "card")
_SOME_CODES = (-1, 40001, 42001, 45009, 45015, 45047, 48001)
_SOME_PATHS = ("/cgi-bin/stable_token", "/cgi-bin/message/custom/send", "/cgi-bin/media/upload")


class Commands:
    """Does what a typed line says in the sandboxes, by appid; what it cannot do it says, and nothing is changed."""

    def __init__(self, sandboxes: Mapping[str, Sandbox], teller: Teller) -> None:
        self._sandboxes = sandboxes
        self._teller = teller

    def obey(self, line: str) -> None:
        """Carry out one line."""
        line = line.strip()
        if not line:
            return
        try:
            self._command(line)(line)
        except Refused as refused:
            self._teller.say(refused.name, **refused.values)

    def customers(self, name: str) -> Iterator[Customer]:
        """Yield the customers with a name, as "ann" or "APPID/ann", or raise Refused."""
        for _, sandbox, openid in self._found(name):
            yield sandbox.user(openid)

    def _found(self, name: str) -> Iterator[tuple[str, Sandbox, str]]:
        """Yield how each is shown, its sandbox and its openid; nobody is created."""
        appid, slash, openid = name.rpartition("/")
        if slash and appid not in self._sandboxes:
            raise Refused("no_account", appid=f"{appid:.60}", appids=", ".join(self._sandboxes))
        if not well_formed(openid):
            raise Refused("openid", openid=f"{openid:.60}")
        for one, sandbox in self._sandboxes.items():
            if not slash or one == appid:
                yield (f"{one}/{openid}" if len(self._sandboxes) > 1 else openid), sandbox, openid

    def _command(self, line: str) -> Callable[[str], object]:
        """Return what a line is, which its first sign tells: text may hold any other."""
        word, *others = line.split(maxsplit=2)
        sign = re.search(r"[:：]|<-", line)
        if sign is not None and not re.match(r"(inbox|fail)\s+[^\s:：<]", line):
            return self._sends_picture if sign[0] == "<-" else self._says
        if line in ("help", "?"):
            return self._help
        if line.startswith("+"):
            return self._advance
        if word == "fail":
            return self._fail
        if word == "inbox" and len(others) == 1:
            return self._inbox
        if others and others[0] in _SECOND_WORDS:
            return self._enters if others[0] == "enters" else self._sends_card
        raise Refused("form")

    def _help(self, line: str) -> None:
        self._teller.say("help")
        if len(self._sandboxes) > 1:
            self._teller.say("help_accounts", appid=next(iter(self._sandboxes)))

    # --- customers

    def _says(self, line: str) -> None:
        name, text = (part.strip() for part in re.split("[:：]", line, maxsplit=1))
        if not text:
            raise Refused("form")
        for customer in self.customers(name):
            customer.says(text)

    def _sends_picture(self, line: str) -> None:
        name, path = (part.strip() for part in line.split("<-", 1))
        customers = list(self.customers(name))
        if not path:
            raise Refused("form")
        if path[0] == path[-1] and path[0] in "\"'" and len(path) > 2:  # as a file dropped on a terminal comes
            path = path[1:-1]
        try:
            content = Path(path).expanduser().read_bytes()
        except (OSError, ValueError, RuntimeError) as error:
            reason = self._teller.reason(error) if isinstance(error, OSError) else type(error).__name__
            raise Refused("no_file", path=f"{printable(path):.60}", reason=reason) from None
        if not content:
            raise Refused("empty_file", path=f"{printable(path):.60}")
        for customer in customers:
            customer.sends_image(content)

    def _sends_card(self, line: str) -> None:
        name, _, pagepath, title = [*line.split(maxsplit=3), "", ""][:4]
        for customer in self.customers(name):
            customer.sends_card(pagepath=pagepath, title=title)

    def _enters(self, line: str) -> None:
        name, _, *session_from = line.split(maxsplit=2)
        for customer in self.customers(name):
            customer.enters_session(*session_from)

    def _inbox(self, line: str) -> None:
        for who, sandbox, openid in self._found(line.split()[1]):
            if openid not in {event.openid for event in sandbox.events}:
                self._teller.say("nobody", who=who)
                continue
            customer = sandbox.user(openid)
            if not customer.inbox:
                self._teller.say("nothing", who=who)
            for delivered in customer.inbox:
                self._teller.say("arrived", who=who, summary=self._teller.summary(delivered))
            for notice in customer.notices[-1:]:
                self._teller.show(f"({notice.text})")

    # --- time and faults

    def _advance(self, line: str) -> None:
        found = _TIME.fullmatch(line)
        if found is None:
            raise Refused("time_form")
        seconds = sum(float(count) * _SECONDS[unit] for count, unit in _ONE_TIME.findall(found[1]))
        for sandbox in self._sandboxes.values():
            sandbox.advance(seconds)

    def _fail(self, line: str) -> None:
        if line.split()[1:] == ["off"]:
            for sandbox in self._sandboxes.values():
                sandbox.fail_next(times=0)
            self._teller.say("fails_no_more")
            return
        fault = _fault(line.split()[1:])
        for sandbox in self._sandboxes.values():
            sandbox.fail_next(**fault)
        path = self._teller.text("to_path", path=fault["path"]) if fault["path"] else ""
        self._teller.say("fails_once" if fault["times"] == 1 else "fails", times=fault["times"], path=path)


def _fault(words: list[str]) -> dict[str, Any]:
    """Return the keywords of `fail_next`.

    >>> _fault(["slow", "15", "x2"])
    {'times': 2, 'path': None, 'slow': 15.0}
    """
    fault: dict[str, Any] = {"times": 1, "path": None}
    while len(words) > 1 and (found := re.fullmatch(r"x([1-9][0-9]{0,3})|(/\S*)", words[-1])):
        fault |= {"times": int(found[1])} if found[1] else {"path": found[2]}
        words = words[:-1]
    if fault["path"] not in (None, *ROUTES):
        raise Refused("fail_path", path=f"{fault['path']:.60}", some=", ".join(_SOME_PATHS))
    match words:
        case [code] if re.fullmatch(r"-?[0-9]{1,9}", code):
            if int(code) not in ERRMSGS:
                raise Refused("fail_code", errcode=int(code), some=", ".join(map(str, _SOME_CODES)))
            return {**fault, "errcode": int(code)}
        case ["drop"] | ["drop", "before"]:
            return {**fault, "drop": "before"}
        case ["drop", "after"]:
            return {**fault, "drop": "after"}
        case ["slow", seconds] if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", seconds):
            return {**fault, "slow": float(seconds)}
    raise Refused("fail_form")
