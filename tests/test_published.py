"""Held to published reality: requests and replies that others have printed, in published.json with their sources."""

import email.parser
import email.policy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from wxcs_lite import endpoints, image, link, miniprogrampage, text, with_ai_label, with_businessid, with_kf_account
from wxcs_lite.errors import (
    ApiError,
    BadReply,
    MediaRejected,
    QuotaExceeded,
    TokenRejected,
    WindowClosed,
    api_error,
)
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.multipart import Multipart
from wxcs_lite.replies import read_media, read_ok, read_receipt, read_token, read_uploaded
from wxcs_lite.request import Request
from wxcs_lite.secret import Token

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))
EXCHANGES: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in PUBLISHED["exchanges"]}
ERRORS: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in PUBLISHED["errors"]}
JPEG = b"\xff\xd8\xff\xe0 made up"
LABEL = (
    '文本内容<a href="http://www.qq.com" data-miniprogram-appid="appid" '
    'data-miniprogram-path="pages/index/index">点击跳小程序</a>'
)


def official(msgtype: str, content: dict[str, Any], **more: Any) -> Request:
    """Return the request for a type of Official Accounts, which a handmade dict can send, too."""
    return endpoints.send({"touser": "OPENID", "msgtype": msgtype, msgtype: content, **more})


KF = {"customservice": {"kf_account": "test1@kftest"}}
CARD = {"title": "title", "pagepath": "pagepath", "thumb_media_id": "thumb_media_id"}
REQUESTS: dict[str, Request] = {
    "send-text": endpoints.send(text("OPENID", "Hello World")),
    "send-text-with-miniprogram-link": endpoints.send(text("OPENID", LABEL)),
    "send-image": endpoints.send(image("OPENID", "MEDIA_ID")),
    "send-link": endpoints.send(
        link("OPENID", title="Happy Day", description="Is Really A Happy Day", url="URL", thumb_url="THUMB_URL")
    ),
    "send-miniprogrampage": endpoints.send(miniprogrampage("OPENID", **CARD)),
    "send-miniprogrampage-with-appid": official("miniprogrampage", {**CARD, "appid": "appid"}),
    "send-voice-official-account": endpoints.send(
        with_kf_account({"touser": "OPENID", "msgtype": "voice", "voice": {"media_id": "MEDIA_ID"}}, "test1@kftest")
    ),
    "send-video-official-account": official(
        "video",
        {"media_id": "MEDIA_ID", "thumb_media_id": "THUMB_MEDIA_ID", "title": "TITLE", "description": "DESCRIPTION"},
        **KF,
    ),
    "send-music-official-account": official(
        "music",
        {
            "title": "MUSIC_TITLE",
            "description": "MUSIC_DESCRIPTION",
            "musicurl": "MUSIC_URL",
            "hqmusicurl": "HQ_MUSIC_URL",
            "thumb_media_id": "THUMB_MEDIA_ID",
        },
        **KF,
    ),
    "send-news-official-account": official(
        "news",
        {
            "articles": [
                {"title": "Happy Day", "description": "Is Really A Happy Day", "url": "URL", "picurl": "PIC_URL"}
            ]
        },
        **KF,
    ),
    "send-mpnews-official-account": official("mpnews", {"media_id": "MEDIA_ID"}, **KF),
    "send-msgmenu-official-account": official(
        "msgmenu",
        {
            "head_content": "您对本次服务是否满意呢? ",
            "list": [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}],
            "tail_content": "欢迎再次光临",
        },
        **KF,
    ),
    "send-wxcard-official-account": official("wxcard", {"card_id": "123dsdajkasd231jhksad"}, **KF),
    "send-mpnewsarticle-official-account": official("mpnewsarticle", {"article_id": "ARTICLE_ID"}),
    "send-text-ai-label": endpoints.send(with_ai_label(text("OPENID", "Hello World"))),
    "business-send-text": endpoints.send(with_businessid(text("OPENID", "Hello World"), 1)),
    "typing": endpoints.set_typing("OPENID"),
    "typing-cancel": endpoints.set_typing("OPENID", "CancelTyping"),
    "business-typing": endpoints.set_typing("OPENID", businessid=1),
    "upload-image": endpoints.upload(JPEG, filename="test.jpg"),
    "upload-image-no-errcode": endpoints.upload(JPEG, filename="another.jpg"),
    "media-get-image": endpoints.download("MEDIA_ID"),
    "stable-token-1": endpoints.stable_token("APPID", "APPSECRET"),
    "stable-token-3": endpoints.stable_token("APPID", "APPSECRET", force_refresh=True),
    "quota-get-doc": endpoints.get_quota("/wxa/gettemplatedraftlist"),
    "rid-get-doc": endpoints.get_rid("61725984-6126f6f9-040f19c4"),
    "getcallbackip-doc": endpoints.get_callback_ip(),
    "clear-quota": endpoints.clear_quota("wx448f04719cd48f69"),
    # Calls without a function of their own.
    "clear-quota-v2": endpoints.call(
        "/cgi-bin/clear_quota/v2", method="POST", query={"appid": "wx888888888888", "appsecret": "APPSECRET"}
    ),
    "clear-api-quota": endpoints.call("/cgi-bin/openapi/quota/clear", {"cgi_path": "/channels/ec/basics/info/get"}),
    "get-api-domain-ip": endpoints.call("/cgi-bin/get_api_domain_ip"),
    "callback-check": endpoints.call("/cgi-bin/callback/check", {"action": "all", "check_operator": "DEFAULT"}),
    "kf-work-bind": endpoints.call("/customservice/work/bind", {"corpid": "wwee11111xxxxxxx"}),
    "kf-work-unbind": endpoints.call("/customservice/work/unbind", {"corpid": "wwee11111xxxxxxx"}),
    "business-register": endpoints.call(
        "/cgi-bin/business/register",
        {"account_name": "ACCOUNT_NAME", "nickname": "NICKNAME", "icon_media_id": "MEDIA_ID"},
    ),
    "business-register-doc": endpoints.call(
        "/cgi-bin/business/register",
        {"account_name": "apple", "nickname": "苹果", "icon_media_id": "MEDIA_ID", "transfer_to_commkf": True},
    ),
    "business-update-doc": endpoints.call(
        "/cgi-bin/business/update", {"business_id": 1, "nickname": "苹果", "icon_media_id": "MEDIA_ID"}
    ),
    "business-get-doc": endpoints.call("/cgi-bin/business/get", {"business_id": 1}),
    "kfaccount-add-mp": endpoints.call("/customservice/kfaccount/add", {"kf_wx": "test1"}),
    "kfaccount-add-oa": endpoints.call(
        "/customservice/kfaccount/add", {"kf_account": "test1@test", "nickname": "客服1"}
    ),
    "kfaccount-update": endpoints.call(
        "/customservice/kfaccount/update", {"kf_account": "test1@test", "nickname": "客服1"}
    ),
    "kfaccount-del-mp-get": endpoints.call("/customservice/kfaccount/del", query={"kf_openid": "KF_OPENID"}),
    "kfaccount-setadmin": endpoints.call("/customservice/kfaccount/setadmin", query={"kf_openid": "KF_OPENID"}),
    "getkflist": endpoints.call("/cgi-bin/customservice/getkflist"),
    "kfsession-create": endpoints.call(
        "/customservice/kfsession/create", {"kf_account": "test1@test", "openid": "OPENID"}
    ),
    "kfsession-getsession": endpoints.call("/customservice/kfsession/getsession", query={"openid": "OPENID"}),
    "kfsession-getsessionlist": endpoints.call(
        "/customservice/kfsession/getsessionlist", query={"kf_account": "test1@test"}
    ),
    "kfsession-getwaitcase": endpoints.call("/customservice/kfsession/getwaitcase"),
    **dict.fromkeys(
        ("getmsglist", "getmsglist-empty"),
        endpoints.call(
            "/customservice/msgrecord/getmsglist",
            {"starttime": 1464710400, "endtime": 1464796800, "msgid": 1, "number": 10000},
        ),
    ),
}

# Their replies are nevertheless read below.
NOT_OFFERED = {
    "token-get": "each call ends the token that others hold: stable_token is offered instead",
}

_ANSWERED = {"errcode": 0, "errmsg": "ok"}
_AS_PRINTED = object()  # the reply is the printed JSON itself, as read_ok gives it
REPLIES: dict[str, object] = {
    **dict.fromkeys(EXCHANGES, _AS_PRINTED),
    **{
        exchange_id: _ANSWERED for exchange_id in EXCHANGES if exchange_id.startswith(("send-", "typing", "business-s"))
    },
    "upload-image": Uploaded("MEDIA_ID", "image", 1672500000),
    "upload-image-no-errcode": Uploaded("12345678", "image", 123456789),
    "media-get-image": Media(JPEG, "image/jpeg", "MEDIA_ID.jpg"),
    "token-get": Token("ACCESS_TOKEN", 7200),
    "stable-token-1": Token("ACCESS_TOKEN", 7200),
    "stable-token-3": Token("ACCESS_TOKEN", 7200),
}

REFUSED: dict[str, tuple[type[ApiError], int, str | None]] = {
    "token-40013": (ApiError, 40013, "6aac005a-01bfdbee-79769285"),
    "stable-token-40013": (ApiError, 40013, "6aac0060-297a2899-4b3fff85"),
    "send-40001-fake-token": (TokenRejected, 40001, "6aac0075-1b3628cf-4ed2dcbf"),
    "getcallbackip-40001": (TokenRejected, 40001, "6aac007f-16cdf738-3c46b187"),
    "media-get-40001": (TokenRejected, 40001, "65ffe934-2355113d-79ef0b31"),
    "any-41001": (ApiError, 41001, "6aac0064-355b48ab-4c5b487e"),
    "send-40001-short-form": (TokenRejected, 40001, "6141b79a-7c6e812d-5514c622"),
    "send-45015": (WindowClosed, 45015, "5f3e3696-11e78743-10655b48"),
    "send-45015-with-request": (WindowClosed, 45015, None),
    "send-45015-hint-form": (WindowClosed, 45015, None),
    "send-45047": (WindowClosed, 45047, "64a774ce-020c072d-6c820ec0"),
    "send-45047-2021": (WindowClosed, 45047, "608780e2-4b5d9662-035705c2"),
    "send-45002": (ApiError, 45002, "656d6d2f-14532dc3-2ed875c3"),
    "send-40003": (ApiError, 40003, "66f3bd4d-25a283a9-73c6a452"),
    "send-47001": (ApiError, 47001, "62183d72-12459552-79da1a42"),
    "send-44002": (ApiError, 44002, "62183ab5-2b35a499-4ccae8ac"),
    "send-44004": (ApiError, 44004, None),
    "business-send-40101": (ApiError, 40101, "63d87e8c-7acbe535-7fbbcf3f"),
    "upload-40005": (MediaRejected, 40005, "6075403b-63f2f8a9-25233646"),
    "upload-40004": (MediaRejected, 40004, "63511220-73cac615-7311b4ca"),
    "send-40007": (MediaRejected, 40007, None),
    "any-40007-hint-and-rid": (MediaRejected, 40007, "619a40c3-7b535ca3-02e80587"),
    "media-get-40007": (MediaRejected, 40007, "6087f0d0-5c83dcaa-438ebbcc"),
    "media-get-40007-doc": (MediaRejected, 40007, None),
    "token-40125": (ApiError, 40125, "67b81456-7702e5f9-2c9e1783"),
    "token-40125-old": (ApiError, 40125, None),
    "token-40164": (ApiError, 40164, None),
    "token-41002": (ApiError, 41002, "5f368647-37f5f5fd-763fff09"),
    "any-45009": (QuotaExceeded, 45009, "617682e0-09059ac5-34a8e2ea"),
    "quota-get-41001": (ApiError, 41001, None),
    "apisig-40234": (ApiError, 40234, "65f80ea1-179de203-67d1f80b"),
    "apisig-40235": (ApiError, 40235, "65f80ea1-179de203-67d1f80b"),
    "kfsession-48001-mp": (ApiError, 48001, "5f2a4bac-4d28a81c-07840f46"),
    "send-45015-seconds-after-success": (WindowClosed, 45015, "5f3ded7d-22929d02-4ba1f5f6"),
    "business-send-40101-2023-02": (ApiError, 40101, "63f71d09-65aaafaf-57b95f75"),
    "send-70000": (ApiError, 70000, "65f80ea1-179de203-67d1f80b"),
    "send-card-minus-1": (ApiError, -1, "668e4fa9-2a8817b8-43f3428a"),
    "upload-40007-hint-rid-2026": (MediaRejected, 40007, "698ea13f-7fddc2d7-08ae5e0c"),
    "business-get-45071": (ApiError, 45071, "65f80ea1-179de203-67d1f80b"),
}
NOT_JSON = {"chunked-412"}


def test_nothing_is_skipped_silently() -> None:
    """Each published exchange is tried or named with a reason, each reply and each error is read."""
    assert set(EXCHANGES) == {*REQUESTS, *NOT_OFFERED}
    assert not set(REQUESTS) & set(NOT_OFFERED)
    assert set(EXCHANGES) == set(REPLIES)
    assert set(ERRORS) == {*REFUSED, *NOT_JSON}
    assert all(NOT_OFFERED.values())


def test_every_entry_tells_where_it_comes_from() -> None:
    """A reader who doubts a fact can look it up; ids are unique."""
    entries = [*PUBLISHED["exchanges"], *PUBLISHED["errors"]]
    assert len(entries) == len(EXCHANGES) + len(ERRORS)
    assert all(entry["source"] and entry["confidence"] for entry in entries)
    labels = tuple(PUBLISHED["confidence_labels"])
    assert all(entry["confidence"].startswith(labels) for entry in entries)


@pytest.mark.parametrize("exchange_id", REQUESTS)
def test_the_request_is_the_published_one(exchange_id: str) -> None:
    """Method, path and query are those that were printed, with the token in the query and nowhere else."""
    published, ours = EXCHANGES[exchange_id]["request"], REQUESTS[exchange_id]
    url = urlsplit(ours.url("ACCESS_TOKEN" if ours.takes_token else None))
    assert published["method"] == ours.method
    assert published["path"] == url.path
    assert published.get("query", {}) == dict(parse_qsl(url.query))


@pytest.mark.parametrize("exchange_id", [key for key in REQUESTS if "body_json" in EXCHANGES[key]["request"]])
def test_the_body_is_the_published_json_in_raw_utf_8(exchange_id: str) -> None:
    """The same JSON, without unnecessary escapes or blanks."""
    body, ours = EXCHANGES[exchange_id]["request"]["body_json"], REQUESTS[exchange_id]
    if exchange_id == "stable-token-1":
        body = {**body, "force_refresh": False}  # what leaving it out means, said aloud
    assert isinstance(ours.body, bytes)
    raw = ours.body.decode()
    assert body == json.loads(raw)
    assert "\\u" not in raw
    for value in _strings(body):
        assert json.dumps(value, ensure_ascii=False) in raw
    assert len(raw) == len(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
    assert "application/json" == ours.content_type


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("exchange_id", [key for key in REQUESTS if "body_json" not in EXCHANGES[key]["request"]])
def test_a_call_without_json_sends_none(exchange_id: str) -> None:
    """An upload has its parts, and whatever else names no JSON has no body."""
    published, ours = EXCHANGES[exchange_id]["request"], REQUESTS[exchange_id]
    assert ("multipart" in published) == isinstance(ours.body, Multipart)
    assert ("multipart" not in published) == (ours.body is None)


@pytest.mark.parametrize("exchange_id", [key for key in REQUESTS if "multipart" in EXCHANGES[key]["request"]])
def test_the_upload_has_the_published_part(exchange_id: str) -> None:
    """One part named media, with a filename, its content type and the file's bytes."""
    (published,), ours = EXCHANGES[exchange_id]["request"]["multipart"], REQUESTS[exchange_id]
    assert isinstance(ours.body, Multipart)
    head = f"MIME-Version: 1.0\r\nContent-Type: {ours.content_type}\r\n\r\n".encode("ascii")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + b"".join(ours.body))
    parts: Any = message.get_payload()
    assert 1 == len(parts)
    assert published["name"] == parts[0].get_param("name", header="content-disposition")
    if not published["filename"].startswith("<"):
        assert published["filename"] == parts[0].get_filename()
        assert published["content_type"] == parts[0].get_content_type()
    assert JPEG == parts[0].get_payload(decode=True)


def test_a_printed_body_is_met_to_the_byte() -> None:
    """One of the published errors shows the very text of its request."""
    printed = re.search(r"\{.*\}", ERRORS["send-45015-with-request"]["request"]["trigger"])
    assert printed
    assert printed[0].encode() == endpoints.send(text("testOpenId", "你好")).body


def _reader(path: str) -> Callable[[int, Any, bytes], Any]:
    if path == "/cgi-bin/media/upload":
        return read_uploaded
    if path == "/cgi-bin/media/get":
        return read_media
    if path in ("/cgi-bin/token", "/cgi-bin/stable_token"):
        return lambda status, headers, body: read_token(status, headers, body, now=0)
    return read_receipt if path.startswith("/cgi-bin/message/custom/") else read_ok


def _body(response: dict[str, Any]) -> bytes:
    if "body_json" in response:
        return json.dumps(response["body_json"], ensure_ascii=False).encode()
    return JPEG if response["body"] == "<binary>" else str(response["body"]).encode()


@pytest.mark.parametrize("exchange_id", EXCHANGES)
def test_the_published_reply_is_read(exchange_id: str) -> None:
    """It gives the value that this package promises for the call."""
    request, response = EXCHANGES[exchange_id]["request"], EXCHANGES[exchange_id]["response"]
    found = _reader(request["path"])(response["status"], response.get("headers", {}), _body(response))
    expected = response["body_json"] if REPLIES[exchange_id] is _AS_PRINTED else REPLIES[exchange_id]
    assert expected == found
    assert getattr(expected, "expires_at", None) == getattr(found, "expires_at", None)


@pytest.mark.parametrize("error_id", REFUSED)
def test_the_published_error_is_raised(error_id: str) -> None:
    """Its class, errcode and rid, with WeChat's text untouched; it is certain that nothing was delivered."""
    request, response = ERRORS[error_id]["request"], ERRORS[error_id]["response"]
    kind, errcode, rid = REFUSED[error_id]
    with pytest.raises(kind) as caught:
        _reader(request["path"])(response["status"], response.get("headers", {}), _body(response))
    assert type(caught.value) is kind
    assert errcode == caught.value.errcode
    assert rid == caught.value.rid
    assert (response["body_json"]["errcode"], response["body_json"]["errmsg"]) == caught.value.args
    assert caught.value.maybe_sent is (errcode == -1)  # system error: it may have been sent nevertheless


@pytest.mark.parametrize("error_id", REFUSED)
def test_the_published_error_is_explained(error_id: str) -> None:
    """The catalogue knows every code that somebody has published."""
    error = api_error(*ERRORS[error_id]["response"]["body_json"].values())
    assert "not in the catalogue" not in str(error)


def test_the_address_of_a_published_40164_is_named() -> None:
    """The advice names the address to add."""
    error = api_error(*ERRORS["token-40164"]["response"]["body_json"].values())
    assert error.advice.remedy.endswith("The address to add: 101.45.43.1")


@pytest.mark.parametrize("error_id", sorted(NOT_JSON))
@pytest.mark.parametrize("reader", [read_ok, read_uploaded, read_media])
def test_a_published_refusal_without_json_is_a_bad_reply(error_id: str, reader: Callable[..., Any]) -> None:
    """HTTP 412 for a chunked body: the text says what it means, and nothing was delivered."""
    response = ERRORS[error_id]["response"]
    with pytest.raises(BadReply, match="means a body without Content-Length") as caught:
        reader(response["status"], {}, _body(response))
    assert 412 == caught.value.status
    assert not caught.value.maybe_sent


RID = "6aac005a-01bfdbee-79769285"


@pytest.mark.parametrize("suffix", PUBLISHED["errmsg_grammar"]["suffix_forms"])
def test_every_published_suffix_gives_its_rid(suffix: str) -> None:
    """With a comma, a hint, both or neither."""
    errmsg = "api unauthorized" + suffix.replace("8hex-8hex-8hex", RID).replace("[token]", "[6S.ava09154128]")
    assert (RID if "rid" in suffix else None) == api_error(48001, errmsg).rid


def test_the_published_pattern_agrees() -> None:
    """Over all texts that were met, the printed pattern finds the same rid."""
    pattern = re.compile(PUBLISHED["errmsg_grammar"]["rid_regex"])
    for error_id in REFUSED:
        errmsg = ERRORS[error_id]["response"]["body_json"]["errmsg"]
        found = pattern.search(errmsg)
        assert (found[1] if found else None) == api_error(1, errmsg).rid
