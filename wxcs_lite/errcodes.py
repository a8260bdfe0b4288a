"""What a WeChat errcode means and what to do next: one look-up in a table, with no network and no state."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wxcs_lite.catalogue import Row

__all__ = ["RETRY", "WAITS", "Explanation", "explain", "fold"]

RETRY: dict[str, tuple[str, str]] = {
    "no": (
        "No: the same request will be refused again; fix the request or the account first.",
        "不能：原样重试仍会失败，请先修正请求或账号。",
    ),
    "token": (
        "Yes, once: get the current token, repeat the call once, and never loop.",
        "可以重试一次：换用最新的凭证再试一次，切勿循环。",
    ),
    "back-off": (
        "Yes, later: wait before each retry, and longer every time.",
        "可以稍后重试：间隔要逐次拉长。",
    ),
    "user": (
        "Only after the user acts; until then every retry is refused.",
        "用户有新的操作之后才能重试，在此之前都会被拒绝。",
    ),
    "time": (
        "Only after the period of the limit has passed.",
        "限制周期过去之后才能重试。",
    ),
    "ops": (
        "Only after an operator of the account has changed something.",
        "管理员或运营人员处理之后才能重试。",
    ),
}

# After how many seconds the period that a code speaks of has certainly passed, for those that have one: a minute, a day
# (whose midnight it is need not be known then), a month, and what the administrator's refusal names.
# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/kf-message/api_sendcustommessage.html
WAITS: dict[int, float] = {45009: 86400.0, 45011: 60.0, 48006: 31 * 86400.0, 89506: 86400.0, 89507: 3600.0}

_NOT_NEEDED = ("Not needed.", "无需重试。")
_UNKNOWN = ("Unknown: nothing is recorded about this code.", "未知：没有关于此错误码的记录。")

_WIDTH = 80
_LABEL = 9
# A Chinese line may break between any two characters, but not before closing or after opening punctuation.
# Strings, which `re` compiles on first use and caches: compiling takes 10 ms that most programs never need.
_PIECE = r"[（《“]*(?:[\u2e80-\uffef]|[^\s“”\u2e80-\uffef]+)[，。；：、！？）》”]*|\s+|\S"
_CALLER = r"\b(?:ip|ipv6) +([0-9A-Fa-f:.]{2,45})(?=[ ,]|$)"


class Explanation(NamedTuple):
    """Everything the catalogue knows about one errcode, in English and Chinese.

    >>> explain(45047).kind, explain(45047).retry
    ('window', 'user')

    `str` is for a terminal, a notebook shows a table; `kind` and `retry` are "" where they do not apply.
    """

    errcode: int
    kind: str
    retry: str
    meaning: str
    meaning_zh: str
    cause: str
    cause_zh: str
    remedy: str
    remedy_zh: str

    @property
    def retry_text(self) -> tuple[str, str]:
        """Whether trying again can help, as an English and a Chinese sentence.

        >>> explain(45009).retry_text[0]
        'Only after the period of the limit has passed.'

        Success and unknown codes have a sentence too, though their `retry` is "".
        """
        return RETRY.get(self.retry, _UNKNOWN if self.errcode else _NOT_NEEDED)

    def _lines(self) -> Iterator[tuple[str, str, str, str]]:
        retry, retry_zh = self.retry_text
        yield "Cause", self.cause, "原因", self.cause_zh
        yield "Do", self.remedy, "处理", self.remedy_zh
        yield "Retry", retry, "重试", retry_zh

    def __str__(self) -> str:
        english = [fold(f"{self.errcode} ", self.meaning, hang=2)]
        chinese = [fold(f"{self.errcode} ", self.meaning_zh, hang=2)]
        for label, text, label_zh, text_zh in self._lines():
            english.append(fold(_pad(f"  {label}"), text, hang=_LABEL))
            chinese.append(fold(_pad(f"  {label_zh}"), text_zh, hang=_LABEL))
        return "\n".join([*english, "", *chinese])

    def _repr_html_(self) -> str:
        from html import escape  # only a notebook needs it

        def row(tag: str, label: str, text: str, label_zh: str, text_zh: str) -> str:
            return (
                f'<tr><th style="{left}">{escape(label)}</th><{tag} style="{left}">{escape(text)}</{tag}>'
                f'<th lang="zh" style="{left}">{escape(label_zh)}</th>'
                f'<{tag} lang="zh" style="{left}">{escape(text_zh)}</{tag}></tr>'
            )

        # No colours: they are the notebook's, light or dark.
        left = "text-align:left;vertical-align:top"
        head = row("th", str(self.errcode), self.meaning, str(self.errcode), self.meaning_zh)
        body = "".join(row("td", *line) for line in self._lines())
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


@cache
def _by_code() -> "Mapping[int, Row]":
    from wxcs_lite.catalogue import ROWS, SUCCESS  # here, so that only a program with an error pays for it

    return {row[0]: row for row in (SUCCESS, *ROWS)}


def explain(errcode: int, errmsg: str = "") -> Explanation:
    """Return what an errcode means, what usually causes it and what to do next.

    >>> print(explain(41001))
    41001 access_token missing
      Cause  The token was None (an unset environment variable?), or the call did
             not pass the relay of cloud hosting.
      Do     Pass a token; in cloud hosting switch on 开放接口服务, build a new
             version, and call once the service is up.
      Retry  No: the same request will be refused again; fix the request or the
             account first.
    <BLANKLINE>
    41001 缺少 access_token
      原因   传入的 token 是 None（环境变量没有设置？）；云托管内则是这次调用没有经
             过开放接口服务。
      处理   请传入 token；云托管内请打开“开放接口服务”后构建新版本，服务就绪后再调
             用。
      重试   不能：原样重试仍会失败，请先修正请求或账号。

    The errmsg matters for 40164 only, where it names the address that has to be added to the IP whitelist.
    An unknown code is explained as unknown; anything but an int raises TypeError.
    """
    if isinstance(errcode, bool) or not isinstance(errcode, int):
        raise TypeError(
            f"errcode must be an int, not {type(errcode).__name__}: pass a number as in explain(45047), "
            "or the attribute of a caught error as in explain(error.errcode)\n"
            f"errcode 应为 int，收到的是 {type(errcode).__name__}：写 explain(45047) 或 explain(error.errcode)"
        )
    row = _by_code().get(errcode)
    if row is None:
        return _unknown(errcode)
    known = Explanation(*row)
    if errcode == 40164 and (address := _caller(errmsg)):
        return known._replace(
            remedy=f"{known.remedy} The address to add: {address}",
            remedy_zh=f"{known.remedy_zh}要添加的地址：{address}",
        )
    return known


def _unknown(errcode: int) -> Explanation:
    return Explanation(
        errcode,
        "",
        "",
        "not in the catalogue",
        "未收录的错误码",
        "Unknown: the code is not in this catalogue.",
        "未知：本目录没有收录这个错误码。",
        "Read errmsg, keep the rid, and look the code up on the page of return codes at developers.weixin.qq.com.",
        "先看 errmsg，保留 rid，再到 developers.weixin.qq.com 的返回码页面查这个错误码。",
    )


def _caller(errmsg: str) -> str:
    """Return the IP address that WeChat saw; errmsg comes from outside, so only a valid address is accepted."""
    # "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: …"
    from ipaddress import IPv6Address, ip_address  # only 40164 needs it

    for text in re.findall(_CALLER, errmsg):
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(address)
    return ""


def _columns(text: str) -> int:
    return len(text) + sum(char >= "\u2e80" for char in text)


def _pad(label: str) -> str:
    return label + " " * (_LABEL - _columns(label))


def fold(line: str, text: str, *, hang: int) -> str:
    """Return the text after `line`, broken to fit 80 columns; textwrap counts a Chinese character as one."""
    done = []
    for piece in re.findall(_PIECE, text):
        if _columns(line + piece) > _WIDTH:
            done.append(line.rstrip())
            line = " " * hang + piece.lstrip()
        else:
            line += piece
    return "\n".join([*done, line])
