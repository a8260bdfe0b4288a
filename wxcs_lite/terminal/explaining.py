"""`python -m wxcs_lite explain`: what an errcode means, or WeChat's record of a call, by its rid."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from time import gmtime, strftime
from typing import Any, TextIO

from wxcs_lite.errcodes import explain
from wxcs_lite.errors import WxError
from wxcs_lite.look.words import Language
from wxcs_lite.require import quoted
from wxcs_lite.terminal.environment import Address, open_address, printable, told, warnings_in
from wxcs_lite.terminal.tokens import MissingSettingError, get_token
from wxcs_lite.transport import get_rid

__all__ = ["run"]

_RID = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"
_CHINA = 8 * 3600  # seconds east of Greenwich, all year

_TEXTS = {
    "en": {
        "neither": "{given} is neither an errcode such as 45047 nor a rid such as 61725984-6126f6f9-040f19c4",
        "made": "rid {rid}, a call of about {at} in China",
        "noted": "took {cost} ms, came from {address}",
        "query": "query",
        "asked": "body",
        "answered": "reply",
    },
    "zh": {
        "neither": "{given} 既不是 45047 这样的错误码，也不是 61725984-6126f6f9-040f19c4 这样的 rid",
        "made": "rid {rid}，约在北京时间 {at} 发起的调用",
        "noted": "耗时 {cost} 毫秒，来自 {address}",
        "query": "查询参数",
        "asked": "请求体",
        "answered": "应答",
    },
}


def run(given: str, where: Address, *, lang: Language = "en", out: TextIO | None = None) -> int:
    """Explain and return 0; 1 if the code is unknown, 2 if it is neither an errcode nor a rid.

    >>> run("45011", Address("http://127.0.0.1"))
    45011 api minute-quota reach limit
      Cause  Too many calls within one minute.
      Do     Slow down and go on in the next minute.
      Retry  Yes, later: wait before each retry, and longer every time.
    0

    A reply or an error text with an errcode also works. A rid is looked up at WeChat, within seven days.
    """
    out = out or sys.stdout
    rid = re.fullmatch(rf"\s*(?:rid:\s*)?({_RID})\s*", given.lower())
    if rid is not None:
        return _look_up(rid[1], where, lang, lambda line: print(line, file=out))
    errcode = _errcode(given)
    if errcode is None:
        print(f"explain: {_TEXTS[lang]['neither'].format(given=quoted(given))}", file=sys.stderr)
        return 2
    print(_explained(errcode, given, lang), file=out)
    return 0 if errcode == 0 or explain(errcode).retry else 1


def _errcode(given: str) -> int | None:
    """Return the number itself, or the errcode in a pasted reply or error."""
    found = re.fullmatch(r"\s*(-?\d{1,9})\s*", given) or re.search(r'"errcode"\s*:\s*(-?\d{1,9})\b', given)
    found = found or re.match(r"\s*(-?\d{1,9})[\s:：]", given)  # the text of one of our errors
    return int(found[1]) if found else None


def _explained(errcode: int, errmsg: str, lang: Language) -> str:
    english, _, chinese = str(explain(errcode, errmsg)).partition("\n\n")
    return chinese if lang == "zh" else english


def _look_up(rid: str, where: Address, lang: Language, say: Callable[[str], None]) -> int:
    texts = _TEXTS[lang]
    # Its first eight digits are the time of the call (observed, not documented).
    at = strftime("%Y-%m-%d %H:%M:%S", gmtime(int(rid[:8], 16) + _CHINA))
    say(texts["made"].format(rid=rid, at=at))
    try:
        with warnings_in(lang), open_address(where) as pool:
            noted = get_rid(pool, get_token(pool, lang), rid).get("request")
    except (MissingSettingError, ValueError) as e:
        print(f"explain: {told(e, lang)}", file=sys.stderr)
        return 2
    except WxError as e:
        print(f"explain: {told(e, lang)}", file=sys.stderr)
        return 1
    if isinstance(noted, Mapping):
        _tell(noted, texts, lang, say)
    return 0


def _tell(noted: Mapping[str, Any], texts: Mapping[str, str], lang: Language, say: Callable[[str], None]) -> None:
    say(printable(texts["noted"].format(cost=noted.get("cost_in_ms"), address=noted.get("client_ip"))))
    for name, label in (("request_url", "query"), ("request_body", "asked"), ("response_body", "answered")):
        if noted.get(name):
            say(printable(f"{texts[label]}: {noted[name]}"))
    try:
        answer = json.loads(noted.get("response_body", ""))
    except (TypeError, ValueError):
        return
    errcode = answer.get("errcode") if isinstance(answer, dict) else None
    if type(errcode) is int:
        say("")
        say(_explained(errcode, str(answer.get("errmsg")), lang))
