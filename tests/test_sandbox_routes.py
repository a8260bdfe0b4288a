"""Routes and the order of checks, from the HTTP frame to the body."""

import json
import re
from typing import Any

import pytest

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.rules.switches import Chunked, ErrmsgStyle, ErrorContentType, Escapes

SEND = "/cgi-bin/message/custom/send"
TAKES_TOKEN = [path for path, route in ROUTES.items() if route.takes_token]


def fetch_token(sandbox: Sandbox) -> str:
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    return str(sandbox.pool().request("GET", "/cgi-bin/token", fields=fields).json()["access_token"])


def post(sandbox: Sandbox, path: str, body: bytes = b"", token: str | None = None, **query: str) -> dict[str, Any]:
    pairs = {**query, **({"access_token": token} if token is not None else {})}
    target = path + "?" + "&".join(f"{name}={value}" for name, value in pairs.items())
    reply: dict[str, Any] = sandbox.pool().request("POST", target, body=body).json()
    return reply


def errcode(reply: dict[str, Any]) -> int:
    return int(reply["errcode"])


def wrong_method(path: str) -> str:
    return "POST" if ROUTES[path].methods == ("GET",) else "PUT" if "GET" in ROUTES[path].methods else "GET"


def test_routes() -> None:
    """The sandbox answers these calls and no others."""
    assert [
        "/cgi-bin/business/get",
        "/cgi-bin/business/list",
        "/cgi-bin/business/register",
        "/cgi-bin/business/update",
        "/cgi-bin/callback/check",
        "/cgi-bin/clear_quota",
        "/cgi-bin/clear_quota/v2",
        "/cgi-bin/customservice/getkflist",
        "/cgi-bin/customservice/getonlinekflist",
        "/cgi-bin/get_api_domain_ip",
        "/cgi-bin/getcallbackip",
        "/cgi-bin/media/get",
        "/cgi-bin/media/upload",
        "/cgi-bin/message/custom/business/send",
        "/cgi-bin/message/custom/business/typing",
        "/cgi-bin/message/custom/send",
        "/cgi-bin/message/custom/typing",
        "/cgi-bin/openapi/quota/clear",
        "/cgi-bin/openapi/quota/get",
        "/cgi-bin/openapi/rid/get",
        "/cgi-bin/stable_token",
        "/cgi-bin/token",
        "/customservice/kfaccount/add",
        "/customservice/kfaccount/canceladmin",
        "/customservice/kfaccount/del",
        "/customservice/kfaccount/inviteworker",
        "/customservice/kfaccount/setadmin",
        "/customservice/kfaccount/update",
        "/customservice/kfsession/close",
        "/customservice/kfsession/create",
        "/customservice/kfsession/getsession",
        "/customservice/kfsession/getsessionlist",
        "/customservice/kfsession/getwaitcase",
        "/customservice/msgrecord/getmsglist",
        "/customservice/work/bind",
        "/customservice/work/get",
        "/customservice/work/unbind",
    ] == sorted(ROUTES)


@pytest.mark.parametrize(
    "path", ["/", "/cgi-bin", SEND + "/", SEND.upper(), "/cgi%E2%80%90bin/message/custom/send", "//cgi-bin/token"]
)
def test_unknown_path(path: str) -> None:
    """A path that is not one, if only by the U+2010 the documentation prints, is a 404 page and no JSON."""
    reply = Sandbox().pool().request("POST", path, body=b"{}")
    assert 404 == reply.status
    assert "text/html" == reply.headers["Content-Type"]
    assert reply.data.startswith(b"<html>")


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_wrong_method(path: str) -> None:
    """A POST-only call made otherwise is 43002, a GET-only one 43001; before the token is looked at."""
    reply = Sandbox().pool().request(wrong_method(path), path, body=b"").json()
    assert (43001 if ROUTES[path].methods == ("GET",) else 43002) == reply["errcode"]


@pytest.mark.parametrize("path", TAKES_TOKEN)
def test_no_token(path: str) -> None:
    """Without a token, with an empty one, or with one in the body, it is 41001."""
    sandbox = Sandbox()
    method = ROUTES[path].methods[0]
    body = json.dumps({"access_token": fetch_token(sandbox)}).encode()
    replies = [sandbox.pool().request(method, target, body=body).json() for target in (path, path + "?access_token=")]
    assert [41001, 41001] == [errcode(reply) for reply in replies]


@pytest.mark.parametrize("path", TAKES_TOKEN)
def test_made_up_token(path: str) -> None:
    """A made-up token is 40001, and the body is not looked at."""
    reply = Sandbox().pool().request(ROUTES[path].methods[0], path + "?access_token=made-up", body=b"garbage").json()
    assert 40001 == reply["errcode"]


def test_expired_token() -> None:
    """A token that grew old is 42001."""
    sandbox = Sandbox()
    token = fetch_token(sandbox)
    sandbox.advance(7200)
    assert 42001 == errcode(post(sandbox, SEND, b"garbage", token))


def test_order_of_checks() -> None:
    """Token, daily allowance, minute allowance, capability, empty body, JSON, fields, window: one after the other."""
    limits = {"daily_limits": {SEND: 1}, "minute_limits": {SEND: 0}, "unauthorized": {SEND}}
    codes = []
    for body, switches in [
        (b"", {**limits, "daily_limits": {SEND: 0}}),
        (b"", limits),
        (b"", {"unauthorized": {SEND}}),
        (b"", {}),
        (b"{", {}),
        (b"{}", {}),
        (b'{"touser":"ann"}', {}),
        (b'{"touser":"ann","msgtype":"news"}', {}),
        (b'{"touser":"ann","msgtype":"text"}', {}),
        (b'{"touser":"ann","msgtype":"text","text":{"content":"x"}}', {}),
    ]:
        sandbox = Sandbox(**switches)  # type: ignore[arg-type]
        codes.append(errcode(post(sandbox, SEND, body, fetch_token(sandbox))))
    assert [45009, 45011, 48001, 44002, 47001, 40003, 40008, 45162, 44004, 45015] == codes


def test_quota_counts_refused_calls_with_a_good_token_only() -> None:
    """A call with a bad token is not counted, one that fails later is."""
    sandbox = Sandbox(daily_limits={SEND: 1})
    token = fetch_token(sandbox)
    codes = [errcode(post(sandbox, SEND, b"", value)) for value in ("made-up", token, token)]
    assert [40001, 44002, 45009] == codes
    sandbox.advance(12 * 3600)
    assert 45009 != errcode(post(sandbox, SEND, b"", fetch_token(sandbox)))


@pytest.mark.parametrize(
    ("style", "pattern"),
    [
        ("rid", r"invalid openid rid: 6955f140-[0-9a-f]{8}-[0-9a-f]{8}"),
        ("hint", r"invalid openid hint: \[[A-Za-z0-9_-]{14}\]"),
        ("both", r"invalid openid hint: \[[A-Za-z0-9_-]{14}\] rid: 6955f140-[0-9a-f]{8}-[0-9a-f]{8}"),
    ],
)
def test_error_style(style: ErrmsgStyle, pattern: str) -> None:
    """Error texts end as the switch says; the first group of the rid is the time."""
    sandbox = Sandbox(errmsg_style=style)
    assert re.fullmatch(pattern, post(sandbox, SEND, b"{}", fetch_token(sandbox))["errmsg"])


@pytest.mark.parametrize("content_type", ["application/json; encoding=utf-8", "text/plain"])
def test_content_type_of_errors(content_type: ErrorContentType) -> None:
    """Errors come under the content type of the switch, everything else as WeChat's JSON, with nothing more."""
    sandbox = Sandbox(error_content_type=content_type)
    error = sandbox.pool().request("GET", "/cgi-bin/getcallbackip")
    good = sandbox.pool().request("GET", "/cgi-bin/getcallbackip?access_token=" + fetch_token(sandbox))
    for reply, expected in ((error, content_type), (good, "application/json; encoding=utf-8")):
        assert [
            ("Connection", "keep-alive"),
            ("Content-Type", expected),
            ("Content-Length", str(len(reply.data))),
        ] == list(reply.headers.items())


@pytest.mark.parametrize(("escapes", "expected"), [("decode", "你"), ("literal", r"\u4f60"), ("refuse", None)])
def test_unicode_escapes(escapes: Escapes, expected: str | None) -> None:
    """The switch decides what an escaped text becomes on the phone."""
    sandbox = Sandbox(unicode_escapes=escapes)
    ann = sandbox.user("ann")
    ann.says("hi")
    body = rb'{"touser":"ann","msgtype":"text","text":{"content":"\u4f60"}}'
    reply = post(sandbox, SEND, body, fetch_token(sandbox))
    assert (0 if expected else 47002) == errcode(reply)
    assert [expected] * bool(expected) == [shown.message["text"]["content"] for shown in ann.inbox]


def test_chunked() -> None:
    """A chunked body is 412 before anything else, unless the switch accepts it."""
    cases: list[tuple[Chunked, str, int]] = [
        ("refuse", SEND, 412), ("refuse", "/nowhere", 412), ("accept", SEND, 200)
    ]  # fmt: skip
    for chunked, path, status in cases:
        reply = Sandbox(chunked=chunked).pool().request("POST", path, body=iter([b"{}"]))
        assert status == reply.status


def test_json_whatever_the_content_type() -> None:
    """A JSON body is read as JSON also with another content type, or without one."""
    sandbox = Sandbox()
    url = f"{SEND}?access_token={fetch_token(sandbox)}"
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
        reply = sandbox.pool().request("POST", url, body=b'{"touser":"bad openid"}', headers=headers)
        assert 40003 == reply.json()["errcode"]
