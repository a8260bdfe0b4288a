"""Tokens, media and the helper calls, as a client sees them."""

import json
import re
import tracemalloc
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api.calls import Call
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.http.values import Request

JPEG, PNG, GIF = b"\xff\xd8\xff\xe0...", b"\x89PNG\r\n\x1a\n...", b"GIF89a..."
QUOTA, RID = "/cgi-bin/openapi/quota/get", "/cgi-bin/openapi/rid/get"


class Caller:
    """A sandbox with a token, and short words for its calls."""

    def __init__(self, **switches: Any) -> None:
        self.sandbox = Sandbox(**switches)
        self.pool = self.sandbox.pool()
        self.token = self.get("/cgi-bin/token", **self.credentials())["access_token"]

    def credentials(self, **changes: Any) -> dict[str, Any]:
        fields = {"grant_type": "client_credential", "appid": self.sandbox.appid, "secret": str(self.sandbox.secret)}
        return {name: value for name, value in {**fields, **changes}.items() if value is not None}

    def get(self, path: str, **query: str) -> Any:
        return self.pool.request("GET", path, fields=query).json()

    def post(self, path: str, **fields: Any) -> Any:
        return self.pool.request("POST", f"{path}?access_token={self.token}", json=fields).json()

    def stable(self, **changes: Any) -> Any:
        return self.pool.request("POST", "/cgi-bin/stable_token", json=self.credentials(**changes)).json()

    def upload(self, content: bytes = JPEG, *, filename: str = "a.jpg", query: str = "&type=image") -> Any:
        url = f"/cgi-bin/media/upload?access_token={self.token}{query}"
        return self.pool.request("POST", url, fields={"media": (filename, content)}).json()

    def download(self, media_id: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
        return self.pool.request(method, f"/cgi-bin/media/get?access_token={self.token}&media_id={media_id}", body=b"")


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"appid": None}, 41002),
        ({"appid": ""}, 41002),
        ({"appid": "wx0"}, 40013),
        ({"appid": "wx0", "grant_type": None}, 40013),
        ({"grant_type": None}, 40002),
        ({"grant_type": "client_credentials", "secret": None}, 40002),
        ({"secret": None}, 41004),
        ({"secret": ""}, 41004),
        ({"secret": "wrong"}, 40125),
        ({}, None),
    ],
)
def test_wrong_credentials(caller: Caller, changes: dict[str, Any], expected: int | None) -> None:
    """Both token calls answer the same code; the appid is checked before the grant_type."""
    replies = [caller.get("/cgi-bin/token", **caller.credentials(**changes)), caller.stable(**changes)]
    assert [expected, expected] == [reply.get("errcode") for reply in replies]


def test_token_reply(caller: Caller) -> None:
    """A token comes with its lifetime and no errcode."""
    reply = caller.get("/cgi-bin/token", **caller.credentials())
    assert ["access_token", "expires_in"] == list(reply)
    assert 7200 == reply["expires_in"]
    assert ["access_token", "expires_in"] == list(caller.stable())


def test_stable_token_reads_no_query(caller: Caller) -> None:
    """Parameters in the query of stable_token are not read; its body must be JSON, and it must be POST."""
    query = urlencode(caller.credentials())
    codes = [
        caller.pool.request(method, "/cgi-bin/stable_token?" + query, body=body).json()["errcode"]
        for method, body in (("POST", b"{}"), ("POST", b""), ("POST", b"appid=x"), ("GET", None))
    ]
    assert [41002, 44002, 47001, 43002] == codes


def test_stable_token_in_time(caller: Caller) -> None:
    """It stays the same with less time each time, and only JSON's true forces."""
    first = caller.stable()
    caller.sandbox.advance(6855)
    assert {**first, "expires_in": 345} == caller.stable() == caller.stable(force_refresh="true")
    second = caller.stable(force_refresh=True)
    assert 7200 == second["expires_in"]
    assert second["access_token"] != first["access_token"]
    caller.token = first["access_token"]
    assert 40001 == caller.get("/cgi-bin/getcallbackip", access_token=first["access_token"])["errcode"]


def test_token_daily_limit() -> None:
    """The allowance of the token calls is counted after the credentials."""
    caller = Caller(daily_limits={"/cgi-bin/token": 2}, minute_limits={"/cgi-bin/stable_token": 0})
    codes = [caller.get("/cgi-bin/token", **caller.credentials(secret=secret)) for secret in ("wrong", None, "", "x")]
    assert [40125, 41004, 41004, 40125] == [reply["errcode"] for reply in codes]
    assert [None, 45009] == [caller.get("/cgi-bin/token", **caller.credentials()).get("errcode") for _ in range(2)]
    assert 45011 == caller.stable()["errcode"]


def test_upload_and_download(caller: Caller) -> None:
    """What is uploaded is downloaded byte for byte, with the published headers."""
    uploaded = caller.upload()
    assert {"type": "image", "media_id": uploaded["media_id"], "created_at": 1767240000, "item": []} == uploaded
    reply = caller.download(uploaded["media_id"])
    assert 200 == reply.status
    assert JPEG == reply.data
    assert [
        ("Connection", "close"),
        ("Content-Type", "image/jpeg"),
        ("Content-disposition", f'attachment; filename="{uploaded["media_id"]}.jpg"'),
        ("Cache-Control", "no-cache, must-revalidate"),
        ("Content-Length", str(len(JPEG))),
    ] == list(reply.headers.items())
    assert JPEG == caller.download(uploaded["media_id"], method="POST").data


def test_upload_as_the_page_prints_it() -> None:
    """With the switch the reply has an errcode and an errmsg, and no item."""
    caller = Caller(upload_reply="page")
    for query, name in (("&type=image", "media_id"), ("&type=thumb", "thumb_media_id")):
        uploaded = caller.upload(query=query)
        assert ["errcode", "errmsg", "type", name, "created_at"] == list(uploaded)
        assert (0, "ok") == (uploaded["errcode"], uploaded["errmsg"])


@pytest.mark.parametrize(
    ("content", "filename", "kind"),
    [(PNG, "a.png", "image/png"), (GIF, "a.gif", "image/gif"), (PNG, "a.jpg", "image/png")],
)
def test_content_type_follows_the_bytes(caller: Caller, content: bytes, filename: str, kind: str) -> None:
    """The Content-Type of a download says what the bytes are; its file name says jpg."""
    reply = caller.download(caller.upload(content, filename=filename)["media_id"])
    assert kind == reply.headers["Content-Type"]
    assert reply.headers["content-disposition"].endswith('.jpg"')


@pytest.mark.parametrize(
    ("query", "content", "filename", "expected"),
    [
        ("", JPEG, "a.jpg", 40004),
        ("&type=", JPEG, "a.jpg", 40004),
        ("&type=picture", b"", "a", 40004),
        ("&type=image", b"", "a.jpg", 44001),
        ("&type=image", JPEG, "phpA1B2", 40005),
        ("&type=image", JPEG * 200, "a.jpg", 40009),
        ("&type=image", JPEG, "a.jpg", 0),
    ],
)
def test_upload_refused(query: str, content: bytes, filename: str, expected: int) -> None:
    """Type, emptiness, format and size are checked, the type first."""
    reply = Caller(max_image_bytes=1000).upload(content, filename=filename, query=query)
    assert expected == reply.get("errcode", 0)


def test_upload_that_is_no_multipart(caller: Caller) -> None:
    """JSON, a form or nothing instead of multipart answers 41005."""
    url = f"/cgi-bin/media/upload?access_token={caller.token}&type=image"
    for body, header in ((b"{}", "application/json"), (b"media=x", "application/x-www-form-urlencoded"), (b"", "")):
        assert 41005 == caller.pool.request("POST", url, body=body, headers={"Content-Type": header}).json()["errcode"]


def test_other_types(caller: Caller) -> None:
    """A thumb's id has a name of its own; a video comes as an address in JSON; a voice as bytes."""
    thumb = caller.upload(query="&type=thumb")
    assert ["type", "thumb_media_id", "created_at", "item"] == list(thumb)
    video = caller.download(caller.upload(b"...", filename="a.mp4", query="&type=video")["media_id"])
    assert ["video_url"] == list(video.json())
    assert "Content-disposition" not in video.headers
    assert b"#!AMR" == caller.download(caller.upload(b"#!AMR", filename="a.amr", query="&type=voice")["media_id"]).data


def test_download_refused(caller: Caller) -> None:
    """An id that is unknown, missing or three days old answers 40007."""
    media_id = caller.upload()["media_id"]
    assert [40007, 40007] == [caller.download(name).json()["errcode"] for name in ("made-up", "")]
    caller.sandbox.advance(3 * 86400)
    caller.token = caller.get("/cgi-bin/token", **caller.credentials())["access_token"]
    assert 40007 == caller.download(media_id).json()["errcode"]


def test_get_quota() -> None:
    """A path's quota shows limit, use and rest; three zeros where no limit is published."""
    caller = Caller(daily_limits={"/cgi-bin/media/get": 3})
    caller.download("made-up")
    ok = {"errcode": 0, "errmsg": "ok"}
    assert {**ok, "quota": {"daily_limit": 3, "used": 1, "remain": 2}} == caller.post(
        QUOTA, cgi_path="/cgi-bin/media/get"
    )
    assert {**ok, "quota": {"daily_limit": 0, "used": 0, "remain": 0}} == caller.post(QUOTA, cgi_path=QUOTA)
    reply = caller.post(QUOTA, cgi_path="/cgi-bin/stable_token")
    assert {"call_count": 10_000, "refresh_second": 60} == reply["rate_limit"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cgi_path": "cgi-bin/token"}, 76003),
        ({"cgi_path": "/sns/nowhere"}, 76021),
        ({"cgi_path": 1}, 40035),
        ({}, 41011),
    ],
)
def test_get_quota_refused(caller: Caller, fields: dict[str, Any], expected: int) -> None:
    """A path without its slash, an unknown path, and a missing one."""
    assert expected == caller.post(QUOTA, **fields)["errcode"]


def test_clear_quota() -> None:
    """Clearing restores the day's quota, ten times a month, for the account's own appid only."""
    caller = Caller(daily_limits={"/cgi-bin/media/get": 1})
    path, appid = "/cgi-bin/clear_quota", caller.sandbox.appid
    assert [40007, 45009] == [caller.download("x").json()["errcode"] for _ in range(2)]
    assert 40013 == caller.post(path, appid="wx0")["errcode"]
    assert {"errcode": 0, "errmsg": "ok"} == caller.post(path, appid=appid)
    assert 40007 == caller.download("x").json()["errcode"]
    assert [0] * 9 + [48006] == [caller.post(path, appid=appid)["errcode"] for _ in range(10)]


def rid_of(reply: dict[str, Any]) -> str:
    match = re.search(r"rid: (\S+)", reply["errmsg"])
    assert match
    return match[1]


def test_get_rid(caller: Caller) -> None:
    """A rid gives back what the refused request was, with its token cut short."""
    refused = caller.post("/cgi-bin/message/custom/send", touser="图")
    caller.sandbox.advance(7 * 86400)
    caller.token = caller.get("/cgi-bin/token", **caller.credentials())["access_token"]
    request = caller.post(RID, rid=rid_of(refused))["request"]
    assert re.fullmatch(r"access_token=[A-Za-z0-9_-]{6}xxxx", request.pop("request_url"))
    assert {
        "invoke_time": 1767240000,
        "cost_in_ms": 1,
        "request_body": '{"touser":"图"}',
        "response_body": json.dumps(refused, separators=(",", ":")),
        "client_ip": "127.0.0.1",
    } == request
    caller.sandbox.advance(1)
    assert 76004 == caller.post(RID, rid=rid_of(refused))["errcode"]


@pytest.mark.parametrize(
    ("rid", "expected"), [("61725984-6126f6f9-040f19c4", 76001), ("nonsense", 76002), (7, 40035), (None, 41011)]
)
def test_get_rid_refused(caller: Caller, rid: object, expected: int) -> None:
    """A rid of another account, a malformed one, and a missing one."""
    assert expected == caller.post(RID, rid=rid)["errcode"]


def test_get_rid_keeps_no_secret(caller: Caller) -> None:
    """Neither a secret nor a token nor a file can be read back through a rid."""
    secret, token = str(caller.sandbox.secret), caller.token
    replies = [
        caller.get("/cgi-bin/token", **caller.credentials(grant_type="x")),
        caller.stable(grant_type="x"),
        caller.pool.request("POST", "/cgi-bin/message/custom/send", json={"access_token": token}).json(),
        caller.upload(b"", query="&type=picture&appsecret=" + secret),
        caller.pool.request("POST", "/cgi-bin/message/custom/send?access_token=" + token, body=b"\xff").json(),
    ]
    for reply in replies:
        shown = json.dumps(caller.post(RID, rid=rid_of(reply)))
        assert secret not in shown
        assert token not in shown


def test_rids_are_bounded(caller: Caller) -> None:
    """The last thousand refusals are kept."""
    first = caller.get("/cgi-bin/getcallbackip")
    for _ in range(1000):
        caller.get("/cgi-bin/getcallbackip")
    assert 76001 == caller.post(RID, rid=rid_of(first))["errcode"]


def test_a_rid_keeps_the_beginning_only(caller: Caller) -> None:
    """Of a large body and a long query only the first 4096 are kept, and nobody needs a token to try."""
    url = "/cgi-bin/message/custom/send?access_token=nobody&x=" + "y" * 5000
    for body, expected in (
        ("a" * 4096, "a" * 4096),
        ("a" * 2**20, "a" * 4096),
        ("a" * 4095 + "图", "a" * 4095 + "\ufffd"),
    ):
        refused = caller.pool.request("POST", url, body=body.encode()).json()
        assert 40001 == refused["errcode"]
        kept = caller.post(RID, rid=rid_of(refused))["request"]
        assert expected == kept["request_body"]
        assert 4096 == len(kept["request_url"])


def test_strangers_can_not_fill_the_memory() -> None:
    """Whatever is asked without a good token or secret, no more than the beginnings of a thousand requests stays."""
    sandbox = Sandbox()
    pool, world, body = sandbox.pool(), sandbox._core.account, json.dumps({"touser": "ann", "x": "y" * 2**18})
    tracemalloc.start()
    try:
        for number in range(40):
            for path in ROUTES:
                name = f"stranger{number}"
                query = f"?access_token={name}&appid={name}&secret={name}&media_id={name}&type=image"
                pool.request(ROUTES[path].methods[0], f"{path}{query}", body=body.replace("ann", name))
            pool.request("POST", f"/{number}", body=body)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < min(1000, 40 * len(ROUTES)) * 10_000 < 40 * len(body)
    assert {} == world.people
    assert [] == world.events
    assert {} == world.shelf._media
    assert {} == world.tokens._issued
    assert not [*world.quota._today, *world.quota._this_minute]


def test_reprs_show_no_query(caller: Caller) -> None:
    """A traceback of a call in progress would show no token."""
    request = Request("GET", "/cgi-bin/media/get", (("access_token", caller.token),), {}, b"", True)
    assert "Call(GET /cgi-bin/media/get)" == repr(Call(0, request, {"secret": "x"}))


def test_ip_lists(caller: Caller) -> None:
    """Both address lists are lists of texts, with no errcode."""
    for path in ("/cgi-bin/getcallbackip", "/cgi-bin/get_api_domain_ip"):
        assert {"ip_list": ["127.0.0.1"]} == caller.get(path, access_token=caller.token)
