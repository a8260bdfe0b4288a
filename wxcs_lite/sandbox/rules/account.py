"""All that a sandbox remembers: one account, its tokens and media, the people who wrote to it. Time is an argument."""

from collections.abc import Mapping
from typing import Any

from wxcs_lite.sandbox.rules.api_keys import ApiKeys
from wxcs_lite.sandbox.rules.cloud_tokens import CloudTokens
from wxcs_lite.sandbox.rules.made_up import Names
from wxcs_lite.sandbox.rules.management import Agents, Merchants, Work
from wxcs_lite.sandbox.rules.media import Shelf
from wxcs_lite.sandbox.rules.people import CustomerEvent, Person
from wxcs_lite.sandbox.rules.quota import Quota
from wxcs_lite.sandbox.rules.refusals import RefusedError, Rids, errmsg
from wxcs_lite.sandbox.rules.switches import Switches
from wxcs_lite.sandbox.rules.tokens import Tokens

__all__ = ["Account"]


class Account:
    """The state machine's state; `routes.answer` is the machine."""

    def __init__(self, appid: str, secret: str, seed: int, switches: Switches, paths: frozenset[str]) -> None:
        self.appid = appid
        self.secret = secret
        self.switches = switches
        self.paths = paths
        self.names = Names(seed, appid)
        self.original_id = self.names.original_id()
        self.tokens = Tokens(self.names.token)
        self.cloud_tokens = CloudTokens(self.names.cloud_token)
        self.cloud_env = self.names.cloud_env()
        self.shelf = Shelf(self.names.media_id)
        self.quota = Quota(switches.daily_limits, switches.minute_limits)
        self.rids = Rids()
        self.api_keys = None if switches.api_signature == "off" else ApiKeys(self.names)
        self.merchants = Merchants()
        self.agents = Agents(self.names)
        self.work = Work()
        self.has_push_url = False
        self.people: dict[str, Person] = {}
        self.events: list[CustomerEvent] = []

    def check_account(self, fields: Mapping[str, Any], path: str, now: float) -> None:
        """Raise what the token calls answer to a wrong account, then count the call.

        That the appid comes before the grant_type is observed; the rest of the order is inferred.
        """
        self._check_appid(fields.get("appid"))
        if fields.get("grant_type") != "client_credential":
            raise RefusedError(40002)
        self.check_secret(fields["appid"], fields.get("secret"))
        self.quota.count(path, now)

    def _check_appid(self, appid: object) -> None:
        if appid in (None, ""):
            raise RefusedError(41002)
        if appid != self.appid:
            raise RefusedError(40013)

    def check_secret(self, appid: object, secret: object) -> None:
        """Raise what is answered to a wrong appid or secret."""
        self._check_appid(appid)
        if secret in (None, ""):
            raise RefusedError(41004)
        if secret != self.secret:
            raise RefusedError(40125)

    def person(self, openid: str) -> Person:
        """Return the person, or raise 45015: nobody who never came has an open window."""
        if openid not in self.people:
            raise RefusedError(45015)
        return self.people[openid]

    def errmsg(self, errcode: int, now: float, text: str | None = None) -> tuple[str, str]:
        """Return the errmsg and its rid, which is made also where the style does not show it."""
        rid, hint = self.names.rid(now), self.names.hint()
        return errmsg(errcode, style=self.switches.errmsg_style, rid=rid, hint=hint, text=text), rid
