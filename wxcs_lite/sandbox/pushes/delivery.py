"""The pushes to one target: the URL check, then each push with its retries and the effect of its answer."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import isfinite
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.pushes.answers import in_two_languages, judge
from wxcs_lite.sandbox.pushes.crypto import Sealer
from wxcs_lite.sandbox.pushes.requests import Format, InnerJson, Setting, check_request, push_request
from wxcs_lite.sandbox.pushes.targets import Target, ask, open_target
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.rules.evidence import PUSH, Rule
from wxcs_lite.sandbox.rules.people import NO_ANSWER, WRONG_ANSWER, CustomerEvent, Notice

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Pushed", "Pushes", "UrlCheckError", "open_pushes"]

_ATTEMPTS = 1 + 3
_HEADER = re.compile("[!-~]([ -~]*[!-~])?")


class UrlCheckError(ValueError):
    """The target has not passed the check: `got` says what came, in two languages, `was_answered` whether anything."""

    def __init__(self, text: str, got: tuple[str, str], was_answered: bool) -> None:
        super().__init__(text)
        self.got = got
        self.was_answered = was_answered


class Pushed(NamedTuple):
    """One attempt at one push: `attempt` is 1 to 4, `status` None if there was no answer.

    `answer` is "success", "empty", "transfer" (a hand-over to an agent), "abnormal" or "failed"; `why` explains the
    last two, `why_zh` in Chinese. `request` is what was sent, with method, query, headers and body.
    """

    event: CustomerEvent
    attempt: int
    status: int | None
    answer: str
    why: str
    request: Request
    why_zh: str = ""

    def __repr__(self) -> str:
        status = "no answer" if self.status is None else f"HTTP {self.status}"
        why = f" ({self.why})" if self.why else ""
        return f"Pushed({self.event.kind} of {self.event.openid}, attempt {self.attempt}, {status}, {self.answer}{why})"


class Pushes:
    """The pushes to one target, as `Sandbox.push_to` returns them; leaving a `with` block stops them.

    After a hand-over the customer's messages go to an agent (`Customer.has_agent`). If a push has no good answer, the
    phone says so (`Customer.notices`). That this also happens when a customer enters the session is inferred. Whether
    WeChat retries after an abnormal answer is not published; here it is final.
    """

    def __init__(
        self,
        account: Account,
        clock: Callable[[], float],
        lock: Callable[[], AbstractContextManager[Any]],
        target: Target,
        setting: Setting,
        time_limit: float,
        on_pushed: Callable[[Pushed], object] | None,
        tell: Callable[[Pushed], object],
    ) -> None:
        self._account = account
        self._clock = clock
        self._lock = lock
        self._target = target
        self._setting = setting
        self._time_limit = time_limit
        self._on_pushed = on_pushed
        self._tell = tell
        self._log: list[Pushed] = []
        self._stopped = False

    def __repr__(self) -> str:
        return f"<Pushes to {self._target.name}{', stopped' if self._stopped else ''}: {len(self._log)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def log(self) -> tuple[Pushed, ...]:
        """All attempts so far, in the order in which they ended."""
        with self._lock():
            return tuple(self._log)

    def stop(self) -> None:
        """Push nothing more; a push that has begun continues."""
        self._stopped = True

    def check(self) -> None:
        """Make the URL check, once, or raise UrlCheckError."""
        with self._lock():
            now, names = int(self._clock()), self._account.names
            echostr = names.echostr()
            request = check_request(self._setting, timestamp=now, nonce=names.nonce(), echostr=echostr)
        reply = ask(self._target, request, self._time_limit)
        if self._setting.marks is not None:
            self._judge_path_check(reply)
            return
        wanted = (
            f"the URL check of {self._target.name} failed: it must be answered with exactly the {len(echostr)} bytes "
            "of the echostr",
            f"{self._target.name} 的 URL 校验未通过：应答须恰为 echostr 的 {len(echostr)} 字节",
        )
        right = echostr.encode()
        if isinstance(reply, str) or not 200 <= reply.status < 300 or reply.body != right:
            raise _not_passed(wanted, reply, right)

    def _judge_path_check(self, reply: Reply | str) -> None:
        wanted = (
            f"the path check of {self._target.name} failed: it must be answered with status 200 and success, or an "
            "empty body",
            f"{self._target.name} 的路径校验未通过：应答须为状态码 200，内容为 success 或空",
        )
        if isinstance(reply, str) or reply.status != 200 or reply.body not in (b"", b"success"):
            raise _not_passed(wanted, reply)

    def push(self, event: CustomerEvent) -> None:
        """Push an event until it is answered, well or abnormally, at most four times, and apply the answer."""
        if self._stopped:
            return
        with self._lock():
            names = self._account.names
            random = "" if self._setting.sealer is None else names.frame_random()
            request = push_request(self._setting, event, nonce=names.nonce(), random=random)
        request = request._replace(path=self._target.path)
        attempt, answer = 0, "failed"
        while answer == "failed" and attempt < _ATTEMPTS:
            attempt += 1
            reply = ask(self._target, request, self._time_limit)
            answer, why, why_zh = judge(self._setting, event, reply)
            status = reply.status if isinstance(reply, Reply) else None
            pushed = Pushed(event, attempt, status, answer, why, request, why_zh)
            with self._lock():
                self._log.append(pushed)
            if self._on_pushed is not None:
                self._on_pushed(pushed)
            if answer != "failed" or attempt == _ATTEMPTS:
                self._apply(event, answer)
            self._tell(pushed)

    def _apply(self, event: CustomerEvent, answer: str) -> None:
        with self._lock():
            now, person = self._clock(), self._account.people[event.openid]
            if answer == "transfer":
                person.agent.begin(now)
            elif answer in ("abnormal", "failed"):
                person.screen.append(Notice(now, event, WRONG_ANSWER if answer == "abnormal" else NO_ANSWER))


def _not_passed(wanted: tuple[str, str], reply: Reply | str, right: bytes | None = None) -> UrlCheckError:
    """Return the error for a reply that is not the wanted one; `right` bytes may have come with another status."""
    if isinstance(reply, str):
        en, zh = in_two_languages(reply)
        return UrlCheckError(f"{wanted[0]}; {en}\n{wanted[1]}；{zh}", (en, zh), False)
    known, known_zh = (", the right ones", "，内容正确") if reply.body == right else ("", "")
    en = f"HTTP {reply.status} with {len(reply.body)} bytes{known}"
    zh = f"HTTP {reply.status}，{len(reply.body)} 字节{known_zh}"
    return UrlCheckError(f"{wanted[0]}, not with {en}\n{wanted[1]}，而不是 {zh}", (en, zh), True)


def _check(format: str, lacks_key: bool, content_type: str | None, inner_json: str, time_limit: float) -> None:
    if format not in ("json", "xml"):
        raise ValueError(f"format must be 'json' or 'xml', not {format!r}")
    if content_type is not None and _HEADER.fullmatch(content_type) is None:
        raise ValueError(f"content_type must be the value of a header, not {content_type!r}")
    if inner_json not in ("spaced", "compact"):
        raise ValueError(f"inner_json must be 'spaced' or 'compact', not {inner_json!r}")
    if lacks_key:
        raise ValueError("compatible pushes are encrypted as well: they need an aes_key")
    if not (isfinite(time_limit) and 0 < time_limit <= TIMEOUT_MAX):
        raise ValueError(f"time_limit must be a number of seconds above 0, not {time_limit!r}")


def open_pushes(
    account: Account,
    clock: Callable[[], float],
    lock: Callable[[], AbstractContextManager[Any]],
    target: "str | WSGIApplication",
    *,
    token: str | None,
    aes_key: str | None,
    format: Format,
    compatible: bool,
    content_type: str | None,
    inner_json: InnerJson,
    time_limit: float,
    on_pushed: Callable[[Pushed], object] | None,
    tell: Callable[[Pushed], object],
) -> Pushes:
    """Return the pushes to a target that has passed the URL check, or raise ValueError."""
    marks = None
    if token is None and aes_key is None and account.switches.cloud_hosting is not None:
        marks = {"x-wx-source": "other", "x-wx-appid": account.appid, "x-wx-env": account.cloud_env}
    elif not token:
        raise ValueError(
            "token cannot be empty: only pushes into a container of cloud_hosting have none, and no aes_key"
        )
    _check(format, compatible and aes_key is None, content_type, inner_json, time_limit)
    sealer = None if aes_key is None else Sealer(aes_key, account.appid)
    setting = Setting(
        token or "",
        format,
        sealer,
        compatible,
        account.original_id,
        marks,
        content_type=content_type,
        inner_json=inner_json,
    )
    pushes = Pushes(account, clock, lock, open_target(target), setting, time_limit, on_pushed, tell)
    pushes.check()
    return pushes


# fmt: off
RULES = (
    Rule(
        "The URL is checked first with an echostr, which is plain text in every mode. A push that is not answered "
        f"correctly within 5 s is repeated, {_ATTEMPTS} attempts in all (the interval is not published; here there is "
        "none).",
        f"先用 echostr 校验 URL，各模式下都是明文。5 秒内没有正确应答则重推，总共 {_ATTEMPTS} 次"
        "（间隔未公布，这里没有间隔）。",
        page=PUSH, inferred=True,
    ),
)
