"""`--push URL`: what customers do is pushed there, from the time when it has passed the URL check.

The program that is pushed to may start after the sandbox, or be the command that runs behind the proxy, so the check is
repeated until it passes.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import NamedTuple

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.pushes.delivery import UrlCheckError
from wxcs_lite.sandbox.pushes.requests import Format
from wxcs_lite.terminal.environment import AES_KEY, PUSH_TOKEN, setting
from wxcs_lite.terminal.telling import Refused, Teller

__all__ = ["PushTarget", "Pushing"]

_AGAIN = 1.0  # seconds between two checks


class PushTarget(NamedTuple):
    """Where to push, and how; without a URL nowhere."""

    url: str | None = None
    format: Format | None = None
    content_type: str | None = None


class Pushing:
    """Checks a URL for all accounts until it passes; `waits` says that it has not yet."""

    def __init__(self, sandboxes: Iterable[Sandbox], url: str, target: PushTarget, teller: Teller) -> None:
        self._unchecked = list(sandboxes)
        self._url = url
        self._target = target
        self._teller = teller
        self._told = ("", "")
        self._ended = Event()

    @property
    def waits(self) -> bool:
        return bool(self._unchecked)

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Make the first check, then check in a thread during the block; raise Refused for impossible settings."""
        try:
            self._check()
        except ValueError as error:
            raise Refused("push_setting", reason=error) from None
        thread = Thread(target=self._keep_checking, name="wxcs_lite URL check", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(1)  # an answer that it waits for may come later

    def _keep_checking(self) -> None:
        while self._unchecked and not self._ended.wait(_AGAIN):
            with suppress(BrokenPipeError):  # nobody reads what it says; pushes go on all the same
                self._check()

    def _check(self) -> None:
        try:
            while self._unchecked:
                self._unchecked[0].push_to(
                    self._url,
                    token=setting(PUSH_TOKEN),
                    aes_key=setting(AES_KEY),
                    format=self._target.format or "json",
                    content_type=self._target.content_type,
                )
                del self._unchecked[0]
        except UrlCheckError as error:
            if self._told != error.got:
                self._told = error.got
                self._teller.say(
                    "push_waits" if error.was_answered else "push_silent", got=self._teller.pick(error.got)
                )
        else:
            self._teller.say("push_on", url=re.split("[?#]", self._url)[0])  # its query may contain a key
