"""True to live traffic: what was captured and differs from the pages, byte for byte, and both sides of it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from wxcs_lite import endpoints, fetch_token, image, send, text, upload
from wxcs_lite.errors import ApiError
from wxcs_lite.multipart import Multipart
from wxcs_lite.push import Push, push_app, read_push
from wxcs_lite.replies import read_uploaded
from wxcs_lite.sandbox import CustomerEvent, Sandbox
from wxcs_lite.sandbox.api.bodies import media_part
from wxcs_lite.sandbox.pushes.crypto import Sealer
from wxcs_lite.sandbox.pushes.requests import Format, InnerJson, Setting, push_request

LIVE = json.loads(Path(__file__).with_name("live_shapes.json").read_text("utf-8"))
UPLOADS = {entry["id"]: entry for entry in LIVE["uploads"]}
PUSHES = {entry["id"]: entry for entry in LIVE["pushes"]}
JPEG = b"\xff\xd8\xff\xe0 made up"
APPID = "wx0123456789abcdef"


# --- pushes


def captured(name: str) -> tuple[dict[str, str], bytes]:
    return PUSHES[name]["query"], PUSHES[name]["outer_body"].encode()


def pushed(name: str, inner_json: InnerJson = "spaced") -> tuple[dict[str, str], dict[str, str], bytes]:
    """Return query, headers and body of the sandbox's own push of what this capture is about."""
    entry = PUSHES[name]
    query, body = captured(name)
    sealer = Sealer(entry["encoding_aes_key"], APPID) if "encrypt" in entry else None
    format: Format = "xml" if body.startswith(b"<") else "json"
    fields = dict(read_push(query, body, **_keys(entry)).fields)
    at, openid, kind, msg_id = (fields.pop(n) for n in ("CreateTime", "FromUserName", "MsgType", "MsgId"))
    made = Setting(
        entry["token"], format, sealer, "compatible" in name, str(fields.pop("ToUserName")), inner_json=inner_json
    )
    event = CustomerEvent(at, openid, kind, msg_id, fields)
    request = push_request(made, event, nonce=query["nonce"], random=entry.get("random_16", ""))
    return dict(request.query), dict(request.headers), request.body


def _keys(entry: dict[str, Any]) -> dict[str, Any]:
    return {"token": entry["token"]} | (
        {"aes_key": entry["encoding_aes_key"], "appid": APPID} if "encrypt" in entry else {}
    )


@pytest.mark.parametrize("name", PUSHES)
def test_captured_pushes_are_made(name: str) -> None:
    """With the captured values the sandbox pushes the captured bytes: lines, indents, spaces, query and headers."""
    # How a compatible push lays out what is inside was not captured: this rebuilt one is without spaces.
    query, headers, body = pushed(name, "compact" if name == "live-shape-compatible-json" else "spaced")
    assert captured(name) == (query, body)
    seen = dict(PUSHES[name].get("headers", {}))
    assert str(len(body)) == seen.pop("content-length", str(len(body)))
    assert seen in ({}, headers)


@pytest.mark.parametrize("name", PUSHES)
def test_captured_pushes_are_read(name: str) -> None:
    """Captured pushes pass every check of `read_push`, whatever their layout and timestamp."""
    query, body = captured(name)
    push = read_push(query, body, **_keys(PUSHES[name]))
    assert query["openid"] == push.FromUserName
    assert {"text": "测试", "miniprogrampage": None}[push.MsgType] == push.get("Content")
    assert push.CreateTime in (int(query["timestamp"]), int(query["timestamp"]) - 1)


def test_times_differ_by_a_second() -> None:
    """A compatible push in XML is signed a second after its CreateTime; an application that compares them is wrong."""
    query, _, body = pushed("live-shape-compatible-xml")
    created = re.search(rb"<CreateTime>([0-9]+)</CreateTime>", body)
    assert created
    assert int(query["timestamp"]) == int(created[1]) + 1


@pytest.mark.parametrize("content_type", [None, "application/json", "text/xml; charset=utf-8"])
@pytest.mark.parametrize("aes_key", [None, "x" * 42 + "A"])
def test_the_label_of_a_push(content_type: str | None, aes_key: str | None) -> None:
    """`content_type` labels the body, by default as text/xml; push_app reads it in either case."""
    sandbox, labels, inbox = Sandbox(), list[str | None](), list[Push]()
    app = push_app(inbox.append, token="madeUp", aes_key=aes_key, appid=sandbox.appid, clock=sandbox.clock)

    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        labels.append(environ.get("CONTENT_TYPE"))
        return app(environ, start_response)

    with sandbox.push_to(noting, token="madeUp", aes_key=aes_key, content_type=content_type) as pushes:
        sandbox.user("ann").says("hi")
    assert [None, content_type or "text/xml"] == labels
    assert ["success"] == [one.answer for one in pushes.log]
    assert ["hi"] == [push.Content for push in inbox]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"content_type": ""}, "content_type must be the value of a header, not ''"),
        ({"content_type": "text/xml\r\nX: y"}, "content_type must be the value of a header"),
        ({"content_type": "text/xml\n"}, "content_type must be the value of a header"),
        ({"inner_json": "pretty"}, "inner_json must be 'spaced' or 'compact', not 'pretty'"),
    ],
)
def test_wrong_settings(setting: dict[str, Any], told: str) -> None:
    """An invalid header value as label, or an unknown layout, is refused before anything is pushed."""
    with pytest.raises(ValueError, match=re.escape(told)):
        Sandbox().push_to(push_app(print, token="madeUp"), token="madeUp", **setting)


# --- uploads


def test_captured_upload() -> None:
    """An upload is answered in the captured form, to the byte but for the id, and that has 128 bytes."""
    sandbox = Sandbox(clock=lambda: 1596595550)
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    reply = sandbox.pool().request(
        "POST",
        f"/cgi-bin/media/upload?type=image&access_token={token}",
        fields={"media": ("tea.jpg", JPEG)},
    )
    published = UPLOADS["upload-image-live-no-errcode-item"]["response"]["body_json"]
    printed = json.dumps({**published, "media_id": reply.json()["media_id"]}, separators=(",", ":")).encode()
    assert printed == reply.data
    assert 128 == len(printed)


@pytest.mark.parametrize("name", UPLOADS)
def test_captured_upload_is_read(name: str) -> None:
    """Without an errcode, with an item that means nothing."""
    body = json.dumps(UPLOADS[name]["response"]["body_json"]).encode()
    uploaded = read_uploaded(200, {}, body)
    assert ("image", 64) == (uploaded.type, len(uploaded.media_id))
    assert UPLOADS[name]["response"]["body_json"]["created_at"] == uploaded.created_at


def test_both_forms_of_an_upload_are_usable() -> None:
    """The client gets the same value of either, and the id can be sent."""
    for form in ("live", "page"):
        sandbox = Sandbox(upload_reply=form)
        sandbox.user("ann").says("hi")
        pool = sandbox.pool()
        token = fetch_token(pool, sandbox.appid, sandbox.secret)
        uploaded = upload(pool, token, JPEG, filename="tea.jpg")
        send(pool, token, image("ann", uploaded.media_id))
        assert JPEG == sandbox.user("ann").inbox[-1].picture


def test_a_part_named_file() -> None:
    """It was accepted once: refused by default, accepted by the switch."""
    header = UPLOADS["upload-image-part-named-file"]["request"]["content_type"]
    name, filename = re.findall('="([^"]+)"', header)
    codes = []
    for sandbox in (Sandbox(), Sandbox(part_name="lax")):
        token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
        reply = sandbox.pool().request(
            "POST", f"/cgi-bin/media/upload?type=image&access_token={token}", fields={name: (filename, JPEG)}
        )
        codes.append(reply.json().get("errcode"))
    assert [41005, None] == codes


def test_our_own_uploads_have_their_quotes() -> None:
    """The client's part is a good one for the strictest reader."""
    request = endpoints.upload(JPEG, filename="茶.jpg")
    assert isinstance(request.body, Multipart)
    assert JPEG == media_part(request.headers["Content-Type"], b"".join(request.body)).content


# --- sends


def errcode_of(sandbox: Sandbox, touser: str = "ann") -> int:
    pool = sandbox.pool()
    try:
        send(pool, fetch_token(pool, sandbox.appid, sandbox.secret), text(touser, "hi"))
    except ApiError as error:
        return error.errcode
    return 0


@pytest.mark.parametrize("exhausted", [45047, 45015])
def test_when_all_messages_are_used(exhausted: Any) -> None:
    """The sixth message gets the code of the switch; a new message of the customer opens the window again."""
    sandbox = Sandbox(exhausted_code=exhausted)
    ann = sandbox.user("ann")
    ann.says("hi")
    assert [0, 0, 0, 0, 0, exhausted] == [errcode_of(sandbox) for _ in range(6)]
    ann.says("hi")
    assert 0 == errcode_of(sandbox)


@pytest.mark.parametrize("unknown", [45015, 40003])
def test_an_openid_that_never_wrote(unknown: Any) -> None:
    """A malformed openid is 40003; a stranger's is 45015, or 40003 by the switch; an old customer's stays 45015."""
    sandbox = Sandbox(unknown_openid_code=unknown)
    sandbox.user("ann").says("hi")
    sandbox.advance(49 * 3600)
    assert [40003, unknown, 45015] == [errcode_of(sandbox, touser) for touser in ("张三", "ben", "ann")]


def test_typing_to_a_stranger() -> None:
    """The typing call answers as the send does."""
    for unknown in (45015, 40003):
        sandbox = Sandbox(unknown_openid_code=unknown)
        pool = sandbox.pool()
        token = fetch_token(pool, sandbox.appid, sandbox.secret)
        body = b'{"touser":"ben","command":"Typing"}'
        reply = pool.request("POST", f"/cgi-bin/message/custom/typing?access_token={token}", body=body)
        assert unknown == reply.json()["errcode"]


def test_escapes_are_shown_as_they_are() -> None:
    """By default the phone shows the escapes of a client that escapes its JSON."""
    sandbox = Sandbox()
    ann = sandbox.user("ann")
    ann.says("hi")
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    body = json.dumps(text("ann", "你好")).encode()
    path = f"/cgi-bin/message/custom/send?access_token={token}"
    assert 0 == sandbox.pool().request("POST", path, body=body).json()["errcode"]
    assert [r"\u4f60\u597d"] == [shown.message["text"]["content"] for shown in ann.inbox]
