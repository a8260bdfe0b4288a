"""The served sandbox in a terminal: it prints its URL, shows what happens, and obeys what is typed."""

import io
import json
import secrets
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, NoReturn, TextIO

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Advanced, CustomerEvent, Sandbox
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.sandbox.watching import Happening
from wxcs_lite.terminal.environment import AES_KEY, APPID, PROXY, PUSH_TOKEN, SECRET, setting
from wxcs_lite.terminal.inside import lines_to_paste, run_inside
from wxcs_lite.terminal.pushing import Pushing, PushTarget
from wxcs_lite.terminal.switches import read_switches
from wxcs_lite.terminal.telling import Refused, Teller
from wxcs_lite.terminal.typed import Commands

__all__ = ["run"]

_NOWHERE = PushTarget()


def run(
    *,
    lang: Language = "en",
    port: int = 0,
    appid: str | None = None,
    secret: str | None = None,
    accounts: Sequence[str] = (),
    settings: Sequence[str] = (),
    customers: Sequence[str] = (),
    push: PushTarget = _NOWHERE,
    verbose: bool = False,
    proxy: bool = False,
    page: bool = False,
    command: Sequence[str] = (),
    lines: Iterable[str] | None = None,
    out: TextIO | None = None,
) -> int:
    """Serve until Ctrl-C and return the exit status; `help`, typed meanwhile, shows what can be typed.

    The given customers have just written, so their windows are open. The clock is the real time here. A `command` is
    run behind the proxy, with the first account in its environment, and nothing else is printed to stdout; its status
    is returned.
    """
    teller = Teller(lang, out or (sys.stderr if command else sys.stdout), verbose=verbose)
    try:
        _check(port, command, proxy)
        switches = _read_switches(settings, push)
        sandboxes = _open_accounts(appid, secret, accounts, switches)
        commands = Commands(sandboxes, teller)
        for customer in [one for name in customers for one in commands.customers(name)]:
            customer.says("…")
        with ExitStack() as stack, suppress(KeyboardInterrupt):
            stack.enter_context(_signals(reads=not command))
            opened = _open([*sandboxes.values()], port, proxy, teller, stack)
            if not command or accounts:
                _tell_accounts(sandboxes.values(), "" if command else opened, bool(secret), teller)
            _open_page([*sandboxes.values()] if page else [], teller, stack)
            _watch(sandboxes, push, teller, stack)
            if command and not isinstance(opened, str):
                return _run_command(command, opened, next(iter(sandboxes.values())), teller)
            _tell_proxy(opened, teller)
            _listen(commands, sys.stdin if lines is None else lines, teller)
    except Refused as refused:
        return teller.refuse(refused)
    return 0


def _check(port: int, command: Sequence[str], proxy: bool) -> None:
    if not 0 <= port <= 65535:
        raise Refused("range", port=port)
    if command and not proxy:
        raise Refused("alone")


def _read_switches(settings: Sequence[str], push: PushTarget) -> dict[str, Any]:
    """Return the switches, with which the pushes must be possible."""
    with _needing_cryptography():
        switches = read_switches(settings)
    if push.url is None and (push.format or push.content_type):
        raise Refused("push_alone")
    if push.url is not None and setting(PUSH_TOKEN) is None and "cloud_hosting" not in switches:
        raise Refused("push_token", name=PUSH_TOKEN, key=AES_KEY)
    return switches


def _open_accounts(
    appid: str | None, secret: str | None, others: Sequence[str], switches: Mapping[str, Any]
) -> dict[str, Sandbox]:
    """Return the sandboxes by their appids; the AppSecrets of the others are made up."""
    if "" in (appid, secret):
        raise Refused("empty_account")
    given: dict[str, Any] = {name: value for name, value in (("appid", appid), ("secret", secret)) if value is not None}
    # Another seed for each run: a program that is pushed to would take the MsgIds of the run before for repetitions.
    seed = secrets.randbits(64)
    found = [] if others and not given else [Sandbox(clock=time.time, seed=seed, **given, **switches)]
    for other in others:
        if not well_formed(other):
            raise Refused("account_form", appid=f"{other:.60}")
        if other in [sandbox.appid for sandbox in found]:
            raise Refused("account_twice", appid=other)
        found.append(Sandbox(clock=time.time, seed=seed, appid=other, secret=secrets.token_hex(16), **switches))
    return {sandbox.appid: sandbox for sandbox in found}


@contextmanager
def _needing_cryptography() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise Refused("extra") from None


@contextmanager
def _signals(*, reads: bool) -> Iterator[None]:
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _end)}
    if reads and hasattr(signal, "SIGTTIN"):  # a terminal stops a job in the background that reads from it
        before[signal.SIGTTIN] = signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)  # so that what was opened is closed, and what was written is removed


def _open(
    sandboxes: Sequence[Sandbox], port: int, proxy: bool, teller: Teller, stack: ExitStack
) -> str | dict[str, str]:
    """Return the URL of the server, or the environment of the proxy."""
    first, *others = sandboxes
    try:
        if not proxy:
            return stack.enter_context(first.serve(port, beside=others))
        with _needing_cryptography():
            environment = stack.enter_context(first.proxy(port, beside=others))
    except OSError as error:
        raise Refused("taken", port=port, reason=teller.reason(error)) from None
    return {**environment, PROXY: environment["HTTPS_PROXY"]}  # our own commands read that one


def _open_page(sandboxes: Sequence[Sandbox], teller: Teller, stack: ExitStack) -> None:
    if sandboxes:
        first, *others = sandboxes
        teller.say("page", url=stack.enter_context(first.page(beside=others)))


def _run_command(command: Sequence[str], environment: Mapping[str, str], account: Sandbox, teller: Teller) -> int:
    try:
        return run_inside(command, {**environment, APPID: account.appid, SECRET: account.secret})
    except OSError as error:
        teller.refuse(Refused("missing", command=command[0], reason=teller.reason(error)))
        return 127 if isinstance(error, FileNotFoundError) else 126  # as shells do


def _tell_accounts(
    sandboxes: Iterable[Sandbox], opened: str | Mapping[str, str], own_secret: bool, teller: Teller
) -> None:
    if opened:
        teller.say("opening", url=opened if isinstance(opened, str) else opened[PROXY])
    for number, sandbox in enumerate(sandboxes):
        # The secret of the default account opens nothing and is in the docs; one that was given is not repeated.
        name, secret = ("own_secret", "") if own_secret and not number else ("account", sandbox.secret)
        teller.say(name, appid=sandbox.appid, secret=secret)
        with suppress(ValueError):
            teller.say("signing_keys", keys=json.dumps(sandbox.signing_keys))
        with suppress(ValueError):
            teller.say("cloud_token", token=sandbox.cloudbase_token)


def _tell_proxy(opened: str | Mapping[str, str], teller: Teller) -> None:
    if not isinstance(opened, str):
        teller.say("paste")
        for line in lines_to_paste(opened):
            teller.show(line)


def _watch(sandboxes: Mapping[str, Sandbox], push: PushTarget, teller: Teller, stack: ExitStack) -> None:
    """Tell of everything that happens, and push."""
    first = next(iter(sandboxes))
    pushing = None if push.url is None else Pushing(sandboxes.values(), push.url, push, teller)

    def told(happening: Happening, account: str) -> None:
        before = f"{account}/" if len(sandboxes) > 1 else ""
        if not isinstance(happening, Advanced) or account == first:
            teller.tell(happening, before)
        if not isinstance(happening, CustomerEvent) or pushing is None:
            return
        if pushing.waits:
            teller.say("not_pushed")
        elif happening.kind != "event" and sandboxes[account].user(happening.openid).has_agent:
            teller.say("with_agent", who=before + happening.openid)

    for appid, sandbox in sandboxes.items():
        stack.enter_context(sandbox.watch(partial(told, account=appid)))
    if pushing is not None:
        with _needing_cryptography():
            stack.enter_context(pushing.begun())


def _listen(commands: Commands, lines: Iterable[str], teller: Teller) -> None:
    teller.say("typing")
    try:
        for line in _readable(lines):
            commands.obey(line)
        if isinstance(lines, io.TextIOBase) and not lines.closed and lines.isatty():  # Ctrl-D, or in the background
            teller.say("no_more")
        while True:  # as under nohup: keep serving; Ctrl-C interrupts a sleep on every system
            time.sleep(3600)
    except KeyboardInterrupt:
        teller.show("")


def _readable(lines: Any) -> Iterator[str]:
    """Yield lines as long as there are any: a closed input, and a terminal in the background, have none."""
    if hasattr(lines, "reconfigure"):
        lines.reconfigure(errors="replace")
    with suppress(OSError, ValueError):
        yield from lines or ()
