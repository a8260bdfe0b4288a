"""Desk and phone side by side on a fresh sandbox, wired as they would be with a real account."""

import time
from secrets import token_hex
from typing import Any

from wxcs_lite.fresh import fresh_token
from wxcs_lite.look.words import Language
from wxcs_lite.panel.desk import Desk
from wxcs_lite.panel.phone import Phone
from wxcs_lite.panel.view.controls import Kit, mimebundle
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox

__all__ = ["Demo", "demo"]


class Demo:
    """A `desk` and a `phone` side by side on a `sandbox`; `close` closes both."""

    def __init__(self, sandbox: Sandbox, desk: Desk, phone: Phone) -> None:
        self.sandbox, self.desk, self.phone = sandbox, desk, phone
        self._kit = Kit(desk.lang)
        offline = self._kit.heading("p", "offline", "wxcs-offline")
        halves = [offline, desk.view.root, phone.root]
        self._root = self._kit.box(halves, "wxcs", "wxcs-both", across=True)
        self._is_open = True

    def __repr__(self) -> str:
        return f"<Demo, {'open' if self._is_open else 'closed'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return mimebundle(self._root) if self._is_open else {"text/plain": repr(self)}

    def close(self) -> None:
        """Close desk and phone, and remove what they showed from the notebook."""
        if self._is_open:
            self._is_open = False
            self.desk.close()
            self.phone.close()
            self._kit.close()


def demo(lang: Language = "en") -> Demo:
    """Return a desk and a phone on a fresh sandbox, in English or Chinese; the phone's messages are pushed to the desk.

    >>> shown = demo()
    >>> shown.phone.message.value = "hello"
    >>> shown.phone.write()
    >>> shown.desk.view.composer.fields["content"].value = "hi"
    >>> shown.desk.send()
    >>> shown.sandbox.user("ann").inbox[0].message["text"]
    {'content': 'hi'}
    >>> shown.close()
    """
    sandbox = Sandbox(clock=time.time)
    pool = sandbox.pool()
    token = fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)
    desk = Desk(pool, token, lang=lang, clock=sandbox.clock)
    push_token = token_hex(8)
    # The handler runs in a thread of push_app, so the desk only stores the push; after_each shows it at once.
    sandbox.push_to(push_app(desk.receive, token=push_token, clock=sandbox.clock), token=push_token)
    desk.inbound.add("sandbox")
    phone = Phone(sandbox, "ann", lang=lang)

    def answered() -> None:
        if phone.lang != desk.lang:
            shown._kit.speak(desk.lang)
            phone.speak(desk.lang)
        phone.refresh()

    desk.after_each.append(answered)
    phone.after_each.append(desk.refresh)
    shown = Demo(sandbox, desk, phone)
    return shown
