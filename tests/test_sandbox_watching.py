"""Who watches a sandbox is told of everything that happens, by whatever entrance, and of no secret."""

import json
from typing import Any

import pytest
import urllib3

from wxcs_lite.sandbox import Advanced, Arrived, Called, CustomerEvent, Pushed, Sandbox, sunset
from wxcs_lite.sandbox.http.values import Reply, Request, Seen
from wxcs_lite.sandbox.watching import Happening, called

TOKEN = "80_" + "qW3eR5tY7u" * 12


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.user("ann").says("hi")
    return sandbox


def token_of(sandbox: Sandbox) -> str:
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    return str(sandbox.pool().request("POST", "/cgi-bin/stable_token", json=fields).json()["access_token"])


def text(token: str, openid: str = "ann", content: str = "hello") -> dict[str, Any]:
    message = {"touser": openid, "msgtype": "text", "text": {"content": content}}
    return {"url": f"/cgi-bin/message/custom/send?access_token={token}", "json": message}


def test_a_call_and_the_message_that_it_brings(sandbox: Sandbox) -> None:
    """First the message on the phone, then the call, with whom it is for."""
    told: list[Happening] = []
    token = token_of(sandbox)
    with sandbox.watch(told.append):
        sandbox.pool().request("POST", **text(token))
    sandbox.pool().request("POST", **text(token))
    arrived, call = told
    assert Arrived("ann", sandbox.user("ann").inbox[0]) == arrived
    assert isinstance(call, Called)
    assert ("ann", sandbox.clock()) == (call.openid, call.at)
    assert call.ms >= 0
    assert Seen("POST", "/cgi-bin/message/custom/send", (), call.seen.body, 200, 0) == call.seen
    assert {"touser": "ann", "msgtype": "text", "text": {"content": "hello"}} == json.loads(call.sent)
    assert {"errcode": 0, "errmsg": "ok"} == json.loads(call.received)
    assert "Called(POST /cgi-bin/message/custom/send for ann: HTTP 200, errcode 0)" == repr(call)


def test_a_lost_reply(sandbox: Sandbox) -> None:
    """The message is told of, and the call has no status."""
    told: list[Happening] = []
    token = token_of(sandbox)
    sandbox.fail_next(drop="after")
    with sandbox.watch(told.append), pytest.raises(urllib3.exceptions.ProtocolError):
        sandbox.pool().request("POST", **text(token), retries=False)
    arrived, call = told
    assert isinstance(arrived, Arrived)
    assert isinstance(call, Called)
    assert (None, "") == (call.seen.status, call.received)


def test_what_a_customer_does_comes_before_its_push(sandbox: Sandbox) -> None:
    """Each attempt is told after its effect: of the last one, the notice is on the phone."""
    notices: list[int] = []
    told: list[Happening] = []
    alive = [b"ok"]

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        return [query.get("echostr", "").encode() or alive[0]]

    def watch(happening: Happening) -> None:
        told.append(happening)
        notices.append(len(sandbox.user("ann").notices))

    sandbox.push_to(application, token="AAAAA")
    with sandbox.watch(watch):
        event = sandbox.user("ann").says("?")
    wrote, pushed = told
    assert event is wrote
    assert isinstance(pushed, Pushed)
    assert "abnormal" == pushed.answer
    assert [0, 1] == notices
    alive.clear()
    with sandbox.watch(watch):
        sandbox.user("ann").says("?")
    attempts = [one.attempt for one in told[2:] if isinstance(one, Pushed)]
    assert [1, 2, 3, 4] == attempts
    assert [1, 1, 1, 1, 2] == notices[2:]


def test_time(sandbox: Sandbox) -> None:
    """That it was moved, and what it is now."""
    told: list[Happening] = []
    with sandbox.watch(told.append):
        sandbox.advance(60)
    assert [Advanced(sandbox.clock(), 60)] == told


def test_several_watch(sandbox: Sandbox) -> None:
    """Each for its own time, the same function twice too; a watcher may use the sandbox."""
    told: list[str] = []

    def first(happening: Happening) -> None:
        told.append("first")
        if isinstance(happening, CustomerEvent):
            sandbox.user("bob").enters_session() if happening.openid == "ann" else None

    with sandbox.watch(first):
        with sandbox.watch(lambda _: told.append("second")):
            sandbox.user("ann").says("hi")
        sandbox.user("eve").says("hi")
    sandbox.user("eve").says("hi")
    assert ["first", "first", "second", "second", "first"] == told


def test_one_that_watches_twice(sandbox: Sandbox) -> None:
    """Is told twice, and then once."""
    told: list[Happening] = []
    with sandbox.watch(told.append):
        with sandbox.watch(told.append):
            sandbox.advance(1)
        sandbox.advance(1)
    assert 3 == len(told)


def test_what_it_raises_comes_out(sandbox: Sandbox) -> None:
    """Where it happened."""

    def fail(happening: Happening) -> None:
        raise RuntimeError("the watcher's own")

    with sandbox.watch(fail), pytest.raises(RuntimeError, match="the watcher's own"):
        sandbox.user("ann").says("hi")
    assert "hi" == sandbox.events[-1].fields["Content"]


def call_of(body: bytes, reply: bytes = b"", kind: str = "") -> Called:
    request = Request("POST", "/x", (("access_token", TOKEN),), {"content-type": kind} if kind else {}, body, True)
    return called(request, Reply(200, (("Content-Type", "image/png; a=b"),), reply), 0.0, 0.0)


@pytest.mark.parametrize(
    "sent", [{"secret": "S3CRET"}, {"a": [{"access_token": "S3CRET"}]}, {"EncodingAESKey": "S3CRET"}]
)
def test_no_secret_by_its_name(sent: dict[str, Any]) -> None:
    """However deep, in what was sent and what was answered."""
    body = json.dumps(sent).encode()
    found = call_of(body, body)
    assert "S3CRET" not in found.sent + found.received
    assert "***" in found.sent


@pytest.mark.parametrize("secret", [TOKEN, "0f1e2d3c" * 4, "90_" + "a" * 60])
def test_no_secret_in_the_wrong_place(secret: str) -> None:
    """As the value of a field, inside a text, as a name, as the openid."""
    for sent in ({"x": secret}, {"x": f"it is {secret}."}, {secret: 1}, {"touser": secret}, [secret]):
        found = call_of(json.dumps(sent).encode())
        assert secret not in str(tuple(found))


def test_what_is_not_json() -> None:
    """Its size and type; a message's own words stay whole."""
    assert ("3 bytes of image/png", "3 bytes of image/png") == call_of(b"\xff\xd8\xff", b"\xff\xd8\xff", "image/png")[
        4:
    ]
    assert ("2 bytes", "") == call_of(b"{x")[4:]
    assert "" == call_of(b"").sent
    assert '"content": "' + "好" * 300 in call_of(json.dumps({"content": "好" * 300}).encode()).sent
    assert "300000 bytes" == call_of(b"[" + b"0," * 149_999 + b"]").sent
    assert 4096 == len(call_of(json.dumps(["x"] * 9999).encode()).sent)


@pytest.mark.parametrize("depth", [600, 2000, 100_000])
def test_what_is_too_deep(depth: int) -> None:
    """Nesting that Python cannot follow is a number of bytes, wherever that is noticed."""
    sent = call_of(b"[" * depth + b"]" * depth).sent
    assert sent in (f"{2 * depth} bytes", "[" * depth + "]" * depth)


def test_a_picture_has_no_openid(sandbox: Sandbox) -> None:
    """Of an upload there is the size."""
    told: list[Happening] = []
    token = token_of(sandbox)
    with sandbox.watch(told.append):
        sandbox.pool().request(
            "POST", f"/cgi-bin/media/upload?type=image&access_token={token}", fields={"media": ("a.png", sunset())}
        )
    [call] = told
    assert isinstance(call, Called)
    assert "" == call.openid
    assert call.sent.endswith(" bytes of multipart/form-data")
    assert "media_id" in call.received
    assert "***" not in call.received
