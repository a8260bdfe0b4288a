"""The calls that are made rarely: sub-merchants, agents, WeCom, quotas, the network check.

Calls that are only for Official Accounts answer 48001, as a Mini Program saw it on one of these paths.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from wxcs_lite.sandbox.api.bodies import read_json
from wxcs_lite.sandbox.api.calls import OK, Call, known_path, text_field
from wxcs_lite.sandbox.rules.evidence import MANAGEMENT, OPEN_API, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

if TYPE_CHECKING:
    from wxcs_lite.sandbox.rules.account import Account

__all__ = ["add_agent", "bind_work", "check_callback", "clear_api_quota", "clear_quota_by_secret", "get_agents"]
__all__ += ["get_business", "get_online_agents", "get_work", "list_businesses", "official_accounts_only"]
__all__ += ["register_business", "remove_agent", "set_admin", "unbind_work", "update_business"]


def _icon(account: "Account", media_id: str, now: float) -> str:
    if account.shelf.get(media_id, now).type != "image":
        raise RefusedError(40004)
    return media_id


def register_business(account: "Account", call: Call) -> Mapping[str, Any]:
    account_name, nickname = text_field(call.json, "account_name"), text_field(call.json, "nickname")
    icon = _icon(account, text_field(call.json, "icon_media_id"), call.now)
    business_id = account.merchants.register(account_name, nickname, icon)
    return {"errcode": 0, "errmsg": "", "business_id": business_id}  # empty, as in the published example


def update_business(account: "Account", call: Call) -> Mapping[str, Any]:
    nickname, media_id = (str(call.json.get(name) or "") for name in ("nickname", "icon_media_id"))
    icon = _icon(account, media_id, call.now) if media_id else ""
    account.merchants.update(call.json.get("business_id"), nickname, icon)
    return OK


def get_business(account: "Account", call: Call) -> Mapping[str, Any]:
    found = account.merchants.get(call.json.get("business_id"), call.json.get("account_name"))
    return {"errcode": 0, "errmsg": "", "business_info": found}


def list_businesses(account: "Account", call: Call) -> Mapping[str, Any]:
    offset, count = call.json.get("offset"), call.json.get("count")
    if not (type(offset) is int and type(count) is int and offset >= 0 and count >= 0):
        raise RefusedError(40035)
    return {"list": account.merchants.listed(offset, count)}  # without an errcode, as in the published example


def add_agent(account: "Account", call: Call) -> Mapping[str, Any]:
    account.agents.add(call.json.get("kf_wx"))
    return OK


def remove_agent(account: "Account", call: Call) -> Mapping[str, Any]:
    account.agents.remove(call.request.parameter("kf_openid"))
    return OK


def set_admin(account: "Account", call: Call) -> Mapping[str, Any]:
    account.agents.check(call.request.parameter("kf_openid"))
    return OK


def get_agents(account: "Account", call: Call) -> Mapping[str, Any]:
    return {"kf_list": account.agents.listed()}


def get_online_agents(account: "Account", call: Call) -> Mapping[str, Any]:
    return {"kf_online_list": []}  # nobody serves in a sandbox


def get_work(account: "Account", call: Call) -> Mapping[str, Any]:
    return {"errcode": 0, **account.work.get()}


def bind_work(account: "Account", call: Call) -> Mapping[str, Any]:
    account.work.bind(call.json.get("corpid"), call.now)
    return OK


def unbind_work(account: "Account", call: Call) -> Mapping[str, Any]:
    account.work.unbind(call.json.get("corpid"))
    return OK


def clear_api_quota(account: "Account", call: Call) -> Mapping[str, Any]:
    account.quota.clear_one(known_path(account, call), call.now)
    return OK


def clear_quota_by_secret(account: "Account", call: Call) -> Mapping[str, Any]:
    """The page's table has the account in the body, its example has it in the query: both are read."""
    fields = read_json(call.request.body) if call.request.body else {}
    given = {**dict(reversed(call.request.query)), **fields}
    account.check_secret(given.get("appid"), given.get("appsecret"))
    account.quota.clear(call.now)
    return OK


def check_callback(account: "Account", call: Call) -> Mapping[str, Any]:
    action, operator = call.json.get("action"), call.json.get("check_operator")
    if action not in ("dns", "ping", "all"):
        raise RefusedError(40202)
    if operator not in ("CHINANET", "UNICOM", "CAP", "DEFAULT"):
        raise RefusedError(40203)
    if not account.has_push_url:
        raise RefusedError(40201)
    by = "UNICOM" if operator == "DEFAULT" else operator  # as in the published example
    found = {
        "dns": [{"ip": "127.0.0.1", "real_operator": by}],
        "ping": [{"ip": "127.0.0.1", "from_operator": by, "package_loss": "0%", "time": "0.100ms"}],
    }
    return found if action == "all" else {action: found[action]}


def official_accounts_only(account: "Account", call: Call) -> NoReturn:
    raise RefusedError(48001)


# fmt: off
RULES = (
    Rule(
        "A sub-merchant's icon must be temporary media of type image; the offset and count of a list must be numbers.",
        "子商户图标须为图片类临时素材；列表的 offset 和 count 须为数字。",
        page=MANAGEMENT, inferred=True, errcodes=(40004, 40035),
    ),
    Rule(
        "The network check needs a URL for pushes, and an action and an operator from the published list.",
        "网络检测要求已配置推送 URL，action 和运营商须为文档所列的值。",
        page=OPEN_API, errcodes=(40201, 40202, 40203),
    ),
    Rule(
        "Calls that only Official Accounts may use are refused, as was seen for a Mini Program with one of them.",
        "仅公众号可用的接口会拒绝调用；曾有小程序在其中一个接口上遇到。",
        seen="2020-08", inferred=True, errcodes=(48001,),
    ),
)
