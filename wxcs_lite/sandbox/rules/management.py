"""What is managed rarely: sub-merchants, agents, and the company whose customer service is bound."""

# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-mgnt/
# https://developers.weixin.qq.com/miniprogram/dev/server/API/kf-work/

import re
from typing import Any

from wxcs_lite.sandbox.rules.evidence import MANAGEMENT, WORK, Rule
from wxcs_lite.sandbox.rules.made_up import Names
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["Agents", "Merchants", "Work"]

# The page says 6 to 30 characters but registers "apple": only too long names are refused.
_ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")
_NICKNAME = range(4, 31)  # characters, of which a Chinese one counts 2
_AGENTS = 100
_LISTED = 200


def _check_nickname(nickname: str) -> None:
    if len(nickname) + sum(character >= "\u2e80" for character in nickname) not in _NICKNAME:
        raise RefusedError(45078)


class Merchants:
    """The sub-merchants of a platform, by business_id."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, Any]] = {}

    def register(self, account_name: str, nickname: str, icon: str) -> int:
        if _ACCOUNT_NAME.fullmatch(account_name) is None:
            raise RefusedError(45091)
        _check_nickname(nickname)
        if any(merchant["account_name"] == account_name for merchant in self._known.values()):
            raise RefusedError(45070)
        business_id = len(self._known) + 1
        self._known[business_id] = {
            "business_id": business_id,
            "account_name": account_name,
            "nickname": nickname,
            "icon_url": _icon_url(icon),
        }
        return business_id

    def update(self, business_id: object, nickname: str, icon: str) -> None:
        """Change the fields that are not empty."""
        merchant = self.get(business_id, None)
        if nickname:
            _check_nickname(nickname)
            merchant["nickname"] = nickname
        if icon:
            merchant["icon_url"] = _icon_url(icon)

    def get(self, business_id: object, account_name: object) -> dict[str, Any]:
        """Find by number, which may be a str, or by name, or raise 45071."""
        for number, merchant in self._known.items():
            if str(number) == str(business_id) or merchant["account_name"] == account_name:
                return merchant
        raise RefusedError(45071)

    def listed(self, offset: int, count: int) -> list[dict[str, Any]]:
        return list(self._known.values())[offset : offset + min(count, _LISTED)]


def _icon_url(media_id: str) -> str:
    return f"http://sandbox.invalid/{media_id}"


class Agents:
    """The agents who serve in WeChat's own console; their fields are not published in full for Mini Programs."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, dict[str, Any]] = {}

    def add(self, kf_wx: object) -> None:
        """Add the WeChat user; a kf_account in place of kf_wx gave a Mini Program 40097."""
        if not (isinstance(kf_wx, str) and kf_wx):
            raise RefusedError(40097)
        if any(agent["kf_wx"] == kf_wx for agent in self._known.values()):
            raise RefusedError(65407)
        if len(self._known) >= _AGENTS:
            raise RefusedError(65405)
        openid = self._names.agent()
        self._known[openid] = {
            "kf_account": "",
            "kf_nick": kf_wx,
            "kf_id": str(1001 + len(self._known)),
            "kf_headimgurl": "http://sandbox.invalid/0",
            "kf_wx": kf_wx,
            "kf_openid": openid,
        }

    def check(self, kf_openid: str) -> None:
        if kf_openid not in self._known:
            raise RefusedError(65401)

    def remove(self, kf_openid: str) -> None:
        self.check(kf_openid)
        del self._known[kf_openid]

    def listed(self) -> list[dict[str, Any]]:
        return list(self._known.values())


class Work:
    """Which company's customer service (微信客服) is bound, and since when."""

    def __init__(self) -> None:
        self._bound: dict[str, Any] = {}

    def get(self) -> dict[str, Any]:
        return self._bound

    def bind(self, corpid: object, now: float) -> None:
        """Bind a company; what distinguishes the two codes for a wrong corpid is not published."""
        _check_corpid(corpid)
        if self._bound:
            raise RefusedError(10130603)
        self._bound = {"entityName": "sandbox", "corpid": corpid, "bindTime": int(now)}

    def unbind(self, corpid: object) -> None:
        _check_corpid(corpid)
        if self._bound.get("corpid") != corpid:
            raise RefusedError(10130604)
        self._bound = {}


def _check_corpid(corpid: object) -> None:
    if not (isinstance(corpid, str) and corpid):
        raise RefusedError(10130002)
    if not corpid.startswith("ww"):
        raise RefusedError(10130600)


# fmt: off
RULES = (
    Rule(
        "A sub-merchant's account_name has at most 30 letters, digits and _, and must be unique; its nickname has "
        f"{_NICKNAME[0]} to {_NICKNAME[-1]} characters, where a Chinese character counts as 2.",
        "子商户 account_name 最长 30 个字符（字母、数字、下划线），不可重复；"
        f"nickname 为 {_NICKNAME[0]} 到 {_NICKNAME[-1]} 个字符，汉字算 2 个。",
        page=MANAGEMENT, errcodes=(45070, 45071, 45078, 45091),
    ),
    Rule(
        f"A Mini Program adds agents by kf_wx, at most {_AGENTS}; a kf_account instead is refused.",
        f"小程序用 kf_wx 添加客服，最多 {_AGENTS} 个；改用 kf_account 会被拒绝。",
        page=MANAGEMENT, seen="40097: 2024-02", errcodes=(40097, 65401, 65405, 65407),
    ),
    Rule(
        "Only one company can be bound at a time. Which code answers which mistake in a corpid is inferred from the "
        "codes' texts.",
        "同时只能绑定一个企业。corpid 有误时用哪个错误码，由错误码的文字说明推断。",
        page=WORK, inferred=True, errcodes=(10130002, 10130600, 10130603, 10130604),
    ),
)
