"""The types of checks and findings."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from wxcs_lite.errors import ApiError
from wxcs_lite.pools import Pool
from wxcs_lite.replies import Reply
from wxcs_lite.secret import hide
from wxcs_lite.terminal.environment import Address, Told

__all__ = ["Case", "Check", "Finding", "State", "of_error", "ok", "skipped", "warn", "wrong"]

State = Literal["ok", "warn", "wrong", "skipped", "waiting"]  # waiting: for an earlier check that failed


class Finding(NamedTuple):
    """What a check found, in English and Chinese, and what to do if something is wrong."""

    state: State
    en: str
    zh: str


def ok(en: str, zh: str) -> Finding:
    return Finding("ok", en, zh)


def warn(en: str, zh: str) -> Finding:
    return Finding("warn", en, zh)


def wrong(en: str, zh: str) -> Finding:
    return Finding("wrong", en, zh)


def skipped(en: str, zh: str) -> Finding:
    return Finding("skipped", en, zh)


class Case:
    """The settings to check, and what the checks have found so far; the reprs of credentials are hidden."""

    def __init__(
        self,
        where: Address,
        pool: Pool,
        *,
        appid: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        push_url: str | None = None,
        push_token: str | None = None,
        aes_key: str | None = None,
    ) -> None:
        self.where, self.pool = where, pool
        secret, token, push_token, aes_key = map(_hidden, (secret, token, push_token, aes_key))
        self.appid, self.secret, self.given_token = appid, secret, token
        self.push_url, self.push_token, self.aes_key = push_url, push_token, aes_key
        self.addresses: tuple[str, ...] = ()  # of the host, once its name is looked up
        self.reply: Reply | None = None  # to the first request
        self.clock_ahead: float | None = None  # seconds by which this machine's clock is ahead of the Date of it
        self.token: str | None = None  # one that was accepted
        self.refused: ApiError | None = None  # why no token came

    @property
    def relayed(self) -> bool:
        """Whether the reply came through the relay of WeChat cloud hosting."""
        return self.reply is not None and "x-openapi-seqid" in {name.lower() for name in self.reply.headers}


def _hidden(value: str | None) -> str | None:
    return None if value is None else hide(value)


class Check(NamedTuple):
    """A check: its name in the JSON, its titles, the checks it needs, and the function that runs it.

    `run` returns None if there is nothing to report.
    """

    name: str
    en: str
    zh: str
    needs: tuple[str, ...]
    run: Callable[[Case], Finding | None]


def of_error(error: Exception, told: Told | None = None) -> Finding:
    """Return the finding for one of our errors; `told` is added to it."""
    en, zh = str(getattr(error, "en", error)), str(getattr(error, "zh", error))
    return wrong(f"{en}; {told[0]}", f"{zh}；{told[1]}") if told else wrong(en, zh)
