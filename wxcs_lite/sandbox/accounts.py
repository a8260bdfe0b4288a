"""Several accounts at one address, as at WeChat's own: each call goes to the account of its token or its appid."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.http.http11 import Admit, Conversation, origin_form
from wxcs_lite.sandbox.http.values import Answer, Reply, Request, Seen
from wxcs_lite.sandbox.http.welcome import welcome

__all__ = ["Accounts"]

_Opened = TypeVar("_Opened")
_MAX_BODY = 2**16  # bytes; no call that names its account in the body comes near


class Accounts:
    """The accounts behind one entrance; the first one answers calls that belong to none, and refuses them."""

    def __init__(self, cores: Sequence[Core]) -> None:
        self.cores = cores
        self._by_appid = {core.account.appid: core for core in cores}
        if len(self._by_appid) < len(cores):
            raise ValueError("each sandbox at one address needs an appid of its own")

    def converse(self, on_request: Callable[[Seen], object] | None, admit: Admit = origin_form) -> Conversation:
        """Return the conversation of a new connection."""

        def told(request: Request, reply: Reply | None, seconds: float) -> None:
            self._core_of(request).told_of_exchange(on_request, request, reply, seconds)

        accept_chunked = self.cores[0].account.switches.chunked == "accept"
        return Conversation(self._answer, accept_chunked=accept_chunked, on_exchange=told, admit=admit)

    @contextmanager
    def at(
        self, kind: str, entrance: AbstractContextManager[_Opened], url_of: Callable[[_Opened], str]
    ) -> Iterator[_Opened]:
        """Open an entrance, whose URL is known as long as it is open."""
        with entrance as opened:
            known = (kind, url_of(opened))
            for core in self.cores:
                core.entrances += (known,)
            try:
                yield opened
            finally:
                for core in self.cores:
                    core.entrances = tuple(one for one in core.entrances if one is not known)

    def _answer(self, request: Request) -> Answer:
        if (page := welcome(request)) is not None:  # it takes no fault that is planned for a call
            return Answer(page)
        return self._core_of(request).answer(request)

    def _core_of(self, request: Request) -> Core:
        first = self.cores[0]
        if len(self.cores) == 1:
            return first
        token, cloud_token = request.parameter("access_token"), request.parameter("cloudbase_access_token")
        for core in self.cores:
            if core.account.tokens.knows(token) or core.account.cloud_tokens.knows(cloud_token):
                return core
        appid = request.parameter("appid") or request.parameter("from_appid") or _appid_in(request.body)
        return self._by_appid.get(appid, first)


def _appid_in(body: bytes) -> str:
    try:
        fields = json.loads(body) if body[:1] == b"{" and len(body) <= _MAX_BODY else {}
    except (ValueError, RecursionError):
        return ""
    appid = fields.get("appid")
    return appid if isinstance(appid, str) else ""
