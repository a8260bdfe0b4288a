"""From a request to a reply: the route, and the checks in WeChat's order."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from wxcs_lite.sandbox.api import calls, management, sending
from wxcs_lite.sandbox.api.bodies import read_json
from wxcs_lite.sandbox.api.calls import Answerer, Call
from wxcs_lite.sandbox.api.credentials import check_credential, relayed
from wxcs_lite.sandbox.api.signature import opened, sealed
from wxcs_lite.sandbox.http.values import Reply, Request, page
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.rules.evidence import CODES, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["ROUTES", "Route", "answer", "refusal"]


class Route(NamedTuple):
    """What a path requires of a request."""

    answer: Answerer
    methods: tuple[str, ...] = ("POST",)
    takes_token: bool = True
    reads_json: bool = True


_OFFICIAL = Route(management.official_accounts_only, reads_json=False)

ROUTES: Mapping[str, Route] = {
    "/cgi-bin/token": Route(calls.token, ("GET",), takes_token=False, reads_json=False),
    "/cgi-bin/stable_token": Route(calls.stable_token, takes_token=False),
    "/cgi-bin/message/custom/send": Route(sending.send),
    "/cgi-bin/message/custom/typing": Route(sending.typing),
    "/cgi-bin/message/custom/business/send": Route(sending.for_business(sending.send)),
    "/cgi-bin/message/custom/business/typing": Route(sending.for_business(sending.typing)),
    "/cgi-bin/media/upload": Route(calls.upload, reads_json=False),
    # An SDK that downloads with POST is known to work.
    "/cgi-bin/media/get": Route(calls.get_media, ("GET", "POST"), reads_json=False),
    "/cgi-bin/openapi/quota/get": Route(calls.get_quota),
    "/cgi-bin/openapi/rid/get": Route(calls.get_rid),
    "/cgi-bin/clear_quota": Route(calls.clear_quota),
    "/cgi-bin/getcallbackip": Route(calls.get_ips, ("GET",), reads_json=False),
    "/cgi-bin/get_api_domain_ip": Route(calls.get_ips, ("GET",), reads_json=False),
    "/cgi-bin/callback/check": Route(management.check_callback),
    "/cgi-bin/openapi/quota/clear": Route(management.clear_api_quota),
    "/cgi-bin/clear_quota/v2": Route(management.clear_quota_by_secret, takes_token=False, reads_json=False),
    "/cgi-bin/business/register": Route(management.register_business),
    "/cgi-bin/business/update": Route(management.update_business),
    "/cgi-bin/business/get": Route(management.get_business),
    "/cgi-bin/business/list": Route(management.list_businesses),
    "/customservice/work/get": Route(management.get_work, ("GET",), reads_json=False),
    "/customservice/work/bind": Route(management.bind_work),
    "/customservice/work/unbind": Route(management.unbind_work),
    "/customservice/kfaccount/add": Route(management.add_agent),
    "/customservice/kfaccount/del": Route(management.remove_agent, ("GET",), reads_json=False),
    "/customservice/kfaccount/setadmin": Route(management.set_admin, ("GET",), reads_json=False),
    "/customservice/kfaccount/canceladmin": Route(management.set_admin, ("GET",), reads_json=False),
    "/cgi-bin/customservice/getkflist": Route(management.get_agents, ("GET",), reads_json=False),
    "/cgi-bin/customservice/getonlinekflist": Route(management.get_online_agents, ("GET",), reads_json=False),
    "/customservice/kfaccount/update": _OFFICIAL,
    "/customservice/kfaccount/inviteworker": _OFFICIAL,
    "/customservice/kfsession/create": _OFFICIAL,
    "/customservice/kfsession/close": _OFFICIAL,
    "/customservice/kfsession/getsession": _OFFICIAL._replace(methods=("GET",)),
    "/customservice/kfsession/getsessionlist": _OFFICIAL._replace(methods=("GET",)),
    "/customservice/kfsession/getwaitcase": _OFFICIAL._replace(methods=("GET",)),
    "/customservice/msgrecord/getmsglist": _OFFICIAL,
}


def answer(account: Account, request: Request, now: float) -> Reply:
    """Return the reply, and change the account if the call was accepted.

    The order of the checks is observed up to the token, and inferred after it.
    """
    route = ROUTES.get(request.path)
    if route is None:
        return page(404)
    reply = _answer(route, account, request, now)
    return relayed(account, request, reply) if route.takes_token else reply


def _answer(route: Route, account: Account, request: Request, now: float) -> Reply:
    try:
        plain = _admitted(route, account, request, now)
    except RefusedError as refused:
        return refusal(account, request, now, refused.errcode)
    try:
        fields = read_json(plain.body, account.switches.unicode_escapes) if route.reads_json else {}
        result = route.answer(account, Call(now, plain, fields))
    except RefusedError as refused:
        result = refusal(account, request, now, refused.errcode)
    reply = result if isinstance(result, Reply) else _json(result, "application/json; encoding=utf-8")
    if plain is request or account.api_keys is None:
        return reply
    return sealed(account, account.api_keys, request.path, reply, now)


def _admitted(route: Route, account: Account, request: Request, now: float) -> Request:
    """Return the request, decrypted if it was signed, or raise what is answered before the body is read."""
    if request.method not in route.methods:
        raise RefusedError(43002 if "POST" in route.methods else 43001)
    if route.takes_token:
        check_credential(account, request, now)
        account.quota.count(request.path, now)
        if request.path in account.switches.unauthorized:
            raise RefusedError(48001)
    return opened(account, request, now)


def refusal(account: Account, request: Request, now: float, errcode: int, text: str | None = None) -> Reply:
    """Return the error reply and keep its rid for /cgi-bin/openapi/rid/get."""
    errmsg, rid = account.errmsg(errcode, now, text)
    reply = _json({"errcode": errcode, "errmsg": errmsg}, account.switches.error_content_type)
    # A body that may contain a secret or a token is not kept, and neither is a picture, which is too large.
    route = ROUTES.get(request.path)
    harmless = route and route.takes_token and route.reads_json and request.parameter("access_token")
    account.rids.keep(rid, now, request, request.body if harmless else b"", reply.body)
    return reply


def _json(fields: Mapping[str, object], content_type: str) -> Reply:
    text = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":"))
    errcode = fields.get("errcode", 0)
    headers = (("Content-Type", content_type),)
    return Reply(200, headers, text.encode("utf-8", "replace"), errcode if isinstance(errcode, int) else None)


# fmt: off
RULES = (
    Rule(
        "An unknown path answers HTTP 404, without JSON; a wrong method answers 43001 or 43002.",
        "未知路径返回 HTTP 404，不是 JSON；请求方法不对返回 43001 或 43002。",
        page=CODES, seen="https://github.com/zoujingli/WeChatDeveloper", errcodes=(43001, 43002),
    ),
    Rule(
        "The token is checked before the body: first whether there is one, then whether it is valid.",
        "先检查有没有 access_token，再检查是否有效，之后才看请求体。",
        seen="2026-09",
    ),
    Rule(
        "After the token come the quota, the permission, the body and its fields, and last the reply window.",
        "其后依次是额度、权限、请求体、各字段，最后是下发时限。",
        inferred=True,
    ),
    Rule(
        "Calls that the account has no permission for are refused.",
        "账号没有权限的接口会拒绝调用。",
        seen="2020-08, 2023-10", inferred=True, errcodes=(48001,), setting="unauthorized",
    ),
)
