"""`python -m wxcs_lite compare`: where the sandbox answers other than a live account, or than a recording of one.

It says first what it will send, and to whom, and asks. What it prints then has no secret and can be posted.
"""

import io
import sys
from collections.abc import Sequence
from typing import TextIO

from wxcs_lite.errcodes import fold
from wxcs_lite.errors import WxError
from wxcs_lite.look.words import Language
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.scrub import scrub
from wxcs_lite.terminal.compare.asking import LeftOut, asked_both, beside, chosen
from wxcs_lite.terminal.compare.cases import Side
from wxcs_lite.terminal.compare.differences import Compared, cleaned, grouped
from wxcs_lite.terminal.compare.recording import read_recording, replayed, secrets_of
from wxcs_lite.terminal.compare.report import Report
from wxcs_lite.terminal.environment import (
    APPID,
    OPENID,
    SECRET,
    TOKEN,
    Address,
    asked,
    not_set,
    open_address,
    setting,
    told,
    warnings_in,
)

__all__ = ["run"]

_USAGE = 2
_TEXTS = {
    "en": {
        "calls": "This makes {calls} calls to {base}, each once, with the account {appid}, and the same to a sandbox.",
        "sends": "It sends {messages} messages to {openid} ({name}), who must have just written and have had no answer "
        "yet: five arrive, all that WeChat then allows, and the last should be refused. So should all others that are "
        "malformed on purpose; what WeChat accepts of them arrives, too.",
        "nobody": "{name} is not set, so no customer is sent anything, and the cases about messages are left out.",
        "keeps": "One picture is uploaded, which WeChat keeps for three days. No token is replaced, no quota cleared.",
        "ask": "Go on? [y/N] ",
        "yes": "nothing was sent: there is no terminal to confirm, so pass --yes to go on",
        "declined": "Nothing was sent.",
        "openid": "{name} must be 1 to 64 of A-Z, a-z, 0-9, _ and -",
        "post": "No token, secret, appid, openid or media_id is in it: please post it as an issue of wxcs_lite.",
    },
    "zh": {
        "calls": "将以账号 {appid} 向 {base} 发起 {calls} 次调用，每次只发一遍，并向沙箱发起同样的调用。",
        "sends": "其中会向 {openid}（{name}）下发 {messages} 条消息，请让该用户先给小程序发一条消息，且尚未回复："
        "其中五条会送达，这是微信此后允许的全部条数，最后一条应被拒绝。另有若干故意写错的消息也应被拒绝，"
        "微信若接受，同样会送达。",
        "nobody": "没有设置 {name}，因此不会给任何用户下发消息，有关消息的用例略过。",
        "keeps": "会上传一张图片，微信保留三天。不会使任何 access_token 失效，也不会清零额度。",
        "ask": "继续？[y/N] ",
        "yes": "没有发送：这里无法询问，要继续请加 --yes",
        "declined": "没有发送。",
        "openid": "{name} 须为 1 至 64 个字母、数字、下划线或连字符",
        "post": "其中没有 access_token、密钥、appid、openid 和 media_id，欢迎提交到 wxcs_lite 的 issue。",
    },
}


def run(
    where: Address,
    *,
    cassette: str | None = None,
    yes: bool = False,
    as_json: bool = False,
    lang: Language = "en",
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    """Compare, print the report, and return 0 if nothing differs, 1 if something does, 2 if it could not be done.

    Only the report goes to `out`; the questions go to stderr.
    """
    lines, out = lines or sys.stdin or io.StringIO(), out or sys.stdout
    comparison = _Comparison(where, lang, lines)
    try:
        with warnings_in(lang):
            report = comparison.of_recording(cassette) if cassette is not None else comparison.of_account(yes)
    except ValueError as e:  # of an address or a cassette, too; InvalidMessage is one
        return comparison.refuse(told(e, lang))
    if report is None:
        return _USAGE
    print(report.json() if as_json else report.text(lang), file=out)
    if report.differences:
        comparison.tell("post")
    return _USAGE if not report.complete else 1 if report.differences else 0


class _Comparison:
    """One comparison; `secrets` is everything that must not be printed."""

    def __init__(self, where: Address, lang: Language, lines: TextIO) -> None:
        self._where, self._lang, self._lines, self._texts = where, lang, lines, _TEXTS[lang]
        self.secrets: tuple[str, ...] = ()

    def of_recording(self, cassette: str) -> Report:
        exchanges = read_recording(cassette)
        self.secrets = tuple(secrets_of(exchanges))
        return self._report("cassette", list(replayed(exchanges)), [])

    def of_account(self, yes: bool) -> Report | None:
        with open_address(self._where) as pool:
            account = self._account(pool)
            if account is None or not self._agreed(account, yes):
                return None
            return self._asked(account)

    def _account(self, pool: Pool) -> Side | None:
        token = setting(TOKEN)
        appid, secret = (asked(name, self._lang) if token is None else setting(name) for name in (APPID, SECRET))
        openid = setting(OPENID) or ""
        if token is None and (appid is None or secret is None):
            missing = not_set(*(name for name, value in ((APPID, appid), (SECRET, secret)) if value is None))
            self.refuse(missing[self._lang == "zh"])
        elif openid and not well_formed(openid):
            self.refuse(self._texts["openid"].format(name=OPENID))
        else:
            return Side(pool, appid=appid or "", secret=secret or "", openid=openid, token=token or "")
        return None

    def _agreed(self, account: Side, yes: bool) -> bool:
        """Say what will be sent, and ask."""
        cases = chosen(account)
        messages = sum(case.message for case in cases)
        self.tell("calls", base=scrub(self._where.base), appid=_masked(account.appid) or f"({TOKEN})", calls=len(cases))
        self.tell("sends" if messages else "nobody", name=OPENID, openid=_masked(account.openid), messages=messages)
        self.tell("keeps")
        if yes:
            return True
        if not self._lines.isatty():
            self.refuse(self._texts["yes"])
            return False
        print(self._texts["ask"], end="", file=sys.stderr, flush=True)
        agreed = self._lines.readline().strip().lower() in ("y", "yes", "是")
        if not agreed:
            self.tell("declined")
        return agreed

    def _asked(self, account: Side) -> Report | None:
        compared: list[Compared] = []
        left_out: list[LeftOut] = []
        complete = True
        try:
            for one in asked_both(account, beside(account), left_out):
                compared.append(one)  # one by one: what came before a failure counts
        except WxError as e:
            print(cleaned(told(e, self._lang), account.secrets), file=sys.stderr)
            complete = False
        self.secrets = account.secrets
        return self._report("account", compared, left_out, complete) if compared else None

    def _report(
        self, source: str, compared: Sequence[Compared], left_out: Sequence[LeftOut], complete: bool = True
    ) -> Report:
        cases = [cleaned(one.case, self.secrets) for one in compared]
        compared = [one._replace(case=case) for one, case in zip(compared, cases, strict=True)]
        left_out = [
            LeftOut(left.case, (cleaned(left.why[0], self.secrets), cleaned(left.why[1], self.secrets)))
            for left in left_out
        ]
        return Report(source, cases, grouped(compared, self.secrets), left_out, complete)

    def tell(self, what: str, **values: object) -> None:
        """Print to stderr, so that stdout has only the report."""
        print(fold("", self._texts[what].format(**values), hang=0), file=sys.stderr, flush=True)

    def refuse(self, line: str) -> int:
        """Print what is wrong with the command, and return the exit status for wrong usage."""
        print(f"compare: {line}", file=sys.stderr)
        return _USAGE


def _masked(text: str) -> str:
    """Return enough of an id for its owner to recognise it.

    >>> _masked("oGZUI0egBJY1zhBYw2KhdUfwVJJE"), _masked("ann")
    ('oGZUI0…VJJE', 'ann')
    """
    return f"{text[:6]}…{text[-4:]}" if len(text) > 12 else text
