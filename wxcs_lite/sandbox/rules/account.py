"""What a sandbox remembers: one account, its tokens and media, the people who wrote to it. Time is an argument."""

from collections.abc import Mapping
from typing import Any

from wxcs_lite.sandbox.rules.api_keys import ApiKeys
from wxcs_lite.sandbox.rules.cloud_tokens import CloudTokens
from wxcs_lite.sandbox.rules.evidence import TOKEN, Rule
from wxcs_lite.sandbox.rules.made_up import Names
from wxcs_lite.sandbox.rules.management import Agents, Merchants, Work
from wxcs_lite.sandbox.rules.media import Shelf
from wxcs_lite.sandbox.rules.people import Arrived, CustomerEvent, Person
from wxcs_lite.sandbox.rules.quota import Quota
from wxcs_lite.sandbox.rules.refusals import RefusedError, Rids, errmsg
from wxcs_lite.sandbox.rules.switches import Switches
from wxcs_lite.sandbox.rules.tokens import Tokens

__all__ = ["Account"]


class Account:
    """The state of one account; `routes.answer` changes it."""

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
        self.arrived: list[Arrived] = []  # by the call that is being answered

    def check_account(self, fields: Mapping[str, Any], path: str, now: float) -> None:
        """Count a token call, or raise what is answered for a wrong account.

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
        """Raise what is answered for a wrong appid or secret."""
        self._check_appid(appid)
        if secret in (None, ""):
            raise RefusedError(41004)
        if secret != self.secret:
            raise RefusedError(40125)

    def person(self, openid: str) -> Person:
        """Return the person, or raise 45015 (40003 by a switch), because a stranger has no open window."""
        if openid not in self.people:
            raise RefusedError(self.switches.unknown_openid_code)
        return self.people[openid]

    def errmsg(self, errcode: int, now: float, text: str | None = None) -> tuple[str, str]:
        """Return the errmsg and its rid, which is created even if the style does not show it."""
        rid, hint = self.names.rid(now), self.names.hint()
        return errmsg(errcode, style=self.switches.errmsg_style, rid=rid, hint=hint, text=text), rid


# fmt: off
RULES = (
    Rule(
        "The token calls check the appid first, then the grant_type, then the secret.",
        "获取凭证时先校验 appid，再校验 grant_type，最后校验 secret。",
        page=TOKEN, seen="2026-09", inferred=True, errcodes=(40002, 40013, 40125, 41002, 41004),
    ),
    Rule(
        "A well-formed openid whose user never wrote is refused like one whose reply window has closed.",
        "openid 格式正确、但从未发过消息的用户，按超出下发时限处理。",
        inferred=True, errcodes=(45015,), setting="unknown_openid_code",
    ),
)
