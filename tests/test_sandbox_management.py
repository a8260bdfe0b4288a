"""Calls of management: sub-merchants, agents, WeCom, the counters of quotas, the network check."""

import json
from typing import Any

import pytest

from tests.test_sandbox_calls import JPEG, Caller

REGISTER, UPDATE = "/cgi-bin/business/register", "/cgi-bin/business/update"
GET, LIST = "/cgi-bin/business/get", "/cgi-bin/business/list"
ADD, DEL, AGENTS = "/customservice/kfaccount/add", "/customservice/kfaccount/del", "/cgi-bin/customservice/getkflist"
BIND, UNBIND, WORK = "/customservice/work/bind", "/customservice/work/unbind", "/customservice/work/get"


@pytest.fixture
def caller() -> Caller:
    return Caller()


def get(caller: Caller, path: str, **query: str) -> Any:
    return caller.get(path, access_token=caller.token, **query)


def merchant(caller: Caller, **changes: Any) -> dict[str, Any]:
    icon = caller.upload(JPEG)["media_id"]
    return {"account_name": "apple", "nickname": "苹果", "icon_media_id": icon, **changes}


def test_a_sub_merchant_is_registered_found_changed_and_listed(caller: Caller) -> None:
    """The published example, from its registration on; what is empty is not changed."""
    assert {"errcode": 0, "errmsg": "", "business_id": 1} == caller.post(REGISTER, **merchant(caller))
    found = caller.post(GET, business_id=1)["business_info"]
    assert (1, "apple", "苹果") == (found["business_id"], found["account_name"], found["nickname"])
    assert found["icon_url"].startswith("http://")
    assert {"errcode": 0, "errmsg": "ok"} == caller.post(UPDATE, business_id=1, nickname="香蕉", icon_media_id="")
    changed = caller.post(GET, account_name="apple")["business_info"]
    assert {**found, "nickname": "香蕉"} == changed
    icon = caller.upload(JPEG)["media_id"]
    assert 0 == caller.post(UPDATE, business_id="1", icon_media_id=icon)["errcode"]
    assert {"list": [caller.post(GET, business_id="1")["business_info"]]} == caller.post(LIST, offset=0, count=100)
    assert {"list": []} == caller.post(LIST, offset=1, count=100)


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"account_name": "a" * 31}, 45091),
        ({"account_name": "苹果apple"}, 45091),
        ({"account_name": None}, 41011),
        ({"nickname": "果"}, 45078),
        ({"nickname": "x" * 31}, 45078),
        ({"icon_media_id": "nowhere"}, 40007),
    ],
)
def test_a_sub_merchant_that_breaks_a_rule_is_refused(changes: dict[str, Any], errcode: int, caller: Caller) -> None:
    """With the code that the page lists."""
    assert errcode == caller.post(REGISTER, **merchant(caller, **changes))["errcode"]


def test_a_sub_merchant_is_registered_once(caller: Caller) -> None:
    """And no other one is found."""
    caller.post(REGISTER, **merchant(caller))
    assert 45070 == caller.post(REGISTER, **merchant(caller))["errcode"]
    assert 45071 == caller.post(GET, business_id=2)["errcode"]
    assert 45071 == caller.post(UPDATE, business_id=2)["errcode"]
    assert 40035 == caller.post(LIST, offset="0", count=1)["errcode"]


def test_an_icon_is_an_image(caller: Caller) -> None:
    """Another medium is 40004."""
    voice = caller.upload(b"#!AMR made up", filename="a.mp3", query="&type=voice")["media_id"]
    assert 40004 == caller.post(REGISTER, **merchant(caller, icon_media_id=voice))["errcode"]


def test_an_agent_is_added_named_admin_and_removed(caller: Caller) -> None:
    """By the openid that the list gives."""
    assert {"errcode": 0, "errmsg": "ok"} == caller.post(ADD, kf_wx="test1")
    (agent,) = get(caller, AGENTS)["kf_list"]
    assert ("1001", "test1") == (agent["kf_id"], agent["kf_wx"])
    for call in ("setadmin", "canceladmin", "del"):
        assert 0 == get(caller, f"/customservice/kfaccount/{call}", kf_openid=agent["kf_openid"])["errcode"]
        last = get(caller, AGENTS)["kf_list"]
    assert [] == last
    assert 65401 == get(caller, DEL, kf_openid=agent["kf_openid"])["errcode"]
    assert {"kf_online_list": []} == get(caller, "/cgi-bin/customservice/getonlinekflist")


def test_an_agent_that_cannot_be_added_is_told(caller: Caller) -> None:
    """A kf_account of a Mini Program was answered with 40097; one person counts once, and a hundred are allowed."""
    assert 40097 == caller.post(ADD, kf_account="test1@test", nickname="客服1")["errcode"]
    for number in range(100):
        assert 0 == caller.post(ADD, kf_wx=f"test{number}")["errcode"]
    assert 65407 == caller.post(ADD, kf_wx="test1")["errcode"]
    assert 65405 == caller.post(ADD, kf_wx="one too many")["errcode"]


def test_wecom_is_bound_and_unbound(caller: Caller) -> None:
    """Unbound, the three fields are not there."""
    assert {"errcode": 0} == get(caller, WORK)
    assert 10130604 == caller.post(UNBIND, corpid="wwee11111xxxxxxx")["errcode"]
    assert {"errcode": 0, "errmsg": "ok"} == caller.post(BIND, corpid="wwee11111xxxxxxx")
    assert {"errcode", "entityName", "corpid", "bindTime"} == set(get(caller, WORK))
    assert 10130603 == caller.post(BIND, corpid="wwother")["errcode"]
    assert 10130604 == caller.post(UNBIND, corpid="wwother")["errcode"]
    assert 0 == caller.post(UNBIND, corpid="wwee11111xxxxxxx")["errcode"]
    assert 10130002 == caller.post(BIND)["errcode"]
    assert 10130600 == caller.post(BIND, corpid="made up")["errcode"]


def test_one_counter_is_cleared(caller: Caller) -> None:
    """Fifty times a month; the others go on counting."""
    path, clear = "/cgi-bin/media/upload", "/cgi-bin/openapi/quota/clear"
    caller.upload()
    quota = caller.post("/cgi-bin/openapi/quota/get", cgi_path=path)["quota"]
    assert 1 == quota["used"]
    for _ in range(50):
        assert 0 == caller.post(clear, cgi_path=path)["errcode"]
    assert 0 == caller.post("/cgi-bin/openapi/quota/get", cgi_path=path)["quota"]["used"]
    assert 45009 == caller.post(clear, cgi_path=path)["errcode"]
    assert 76021 == caller.post(clear, cgi_path="/nowhere")["errcode"]
    caller.sandbox.advance(32 * 86400)
    caller.token = caller.get("/cgi-bin/token", **caller.credentials())["access_token"]
    assert 0 == caller.post(clear, cgi_path=path)["errcode"]


@pytest.mark.parametrize("where", ["query", "body"])
def test_counters_are_cleared_with_the_secret(where: str, caller: Caller) -> None:
    """No token; in the query, as the example has it, or in the body, as the table says."""
    given = {"appid": caller.sandbox.appid, "appsecret": str(caller.sandbox.secret)}
    for changes, errcode in (({}, 0), ({"appid": ""}, 41002), ({"appid": "x"}, 40013), ({"appsecret": ""}, 41004)):
        fields = {**given, **changes}
        query = "&".join(f"{name}={value}" for name, value in fields.items()) if where == "query" else ""
        body = json.dumps(fields) if where == "body" else ""
        reply = caller.pool.request("POST", f"/cgi-bin/clear_quota/v2?{query}", body=body)
        assert errcode == reply.json()["errcode"]


def test_the_network_to_the_push_url_is_checked(caller: Caller) -> None:
    """Only what was asked for; without a URL there is nothing to check."""
    check = "/cgi-bin/callback/check"
    assert 40201 == caller.post(check, action="all", check_operator="DEFAULT")["errcode"]

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        return [query.get("echostr", "success").encode()]

    caller.sandbox.push_to(application, token="madeUp")
    assert {"dns", "ping"} == set(caller.post(check, action="all", check_operator="DEFAULT"))
    found = caller.post(check, action="dns", check_operator="CAP")
    assert {"dns": [{"ip": "127.0.0.1", "real_operator": "CAP"}]} == found
    assert 40202 == caller.post(check, action="mail", check_operator="DEFAULT")["errcode"]
    assert 40203 == caller.post(check, action="all", check_operator="ANYBODY")["errcode"]


@pytest.mark.parametrize("path", ["/customservice/kfsession/create", "/customservice/msgrecord/getmsglist"])
def test_what_is_for_official_accounts_is_refused(path: str, caller: Caller) -> None:
    """As a Mini Program saw it."""
    assert 48001 == caller.post(path, kf_account="test1@test", openid="ann")["errcode"]
