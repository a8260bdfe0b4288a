"""The replies: whatever bytes come back, a documented value or one of our errors comes out."""

import base64
import json
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from wxcs_lite.errors import ApiError, BadReply, MediaRejected, TokenRejected, WindowClosed, WxError
from wxcs_lite.media import Media, Uploaded
from wxcs_lite.replies import (
    looks_like_text,
    read_media,
    read_ok,
    read_receipt,
    read_token,
    read_uploaded,
    refuse_encoded,
    too_large,
)
from wxcs_lite.secret import Token

JPEG, PNG, GIF = b"\xff\xd8\xff\xe0 made up", b"\x89PNG\r\n\x1a\n made up", b"GIF89a made up"
NOW = 1767240000.0
MARKER = "MARKER-made-up"
Read = Callable[[int, Any, bytes], Any]


def token_at_noon(status: int, headers: Any, body: bytes) -> Token:
    return read_token(status, headers, body, now=NOW)


READERS = [
    pytest.param(read_ok, id="read_ok"),
    pytest.param(read_receipt, id="read_receipt"),
    pytest.param(token_at_noon, id="read_token"),
    pytest.param(read_uploaded, id="read_uploaded"),
    pytest.param(read_media, id="read_media"),
]
JSON_READERS = READERS[:4]


# --- what every reader does ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {"content-type": "application/json; encoding=utf-8"}, HTTPHeaderDict()],
)
def test_an_error_is_an_error_under_any_label(read: Read, headers: Any) -> None:
    """WeChat has sent errors as text/plain: the content decides."""
    with pytest.raises(TokenRejected) as caught:
        read(200, headers, b'{"errcode":40001,"errmsg":"invalid credential rid: 6141b79a-7c6e812d-5514c622"}')
    assert 40001 == caught.value.errcode
    assert "invalid credential rid: 6141b79a-7c6e812d-5514c622" == caught.value.errmsg
    assert "6141b79a-7c6e812d-5514c622" == caught.value.rid


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("body", "errcode", "errmsg"),
    [
        (b'{"errcode":-1}', -1, ""),
        (b'{"errcode":45015,"errmsg":null}', 45015, ""),
        (b'{"errcode":45015,"errmsg":["a"]}', 45015, "['a']"),
        ('{"errcode":45015,"errmsg":"超出"}'.encode(), 45015, "超出"),
        ('{"errcode":45015,"errmsg":"超出"}'.encode("gbk"), 45015, "����"),
        (b'{"errcode":45015,"errmsg":"a\x00\x01\n\tb"}', 45015, "a\x00\x01\n\tb"),
        (b'\xef\xbb\xbf \r\n\t{"errcode":45015,"errmsg":"a"}\n', 45015, "a"),
        (b'{"errcode":9007199254740993,"errmsg":"a"}', 9007199254740993, "a"),
    ],
    ids=["no-errmsg", "null", "list", "utf-8", "gbk", "controls", "mark", "64-bit"],
)
def test_wechats_ways_with_json_are_known(read: Read, body: bytes, errcode: int, errmsg: str) -> None:
    """Raw control characters, a byte order mark, foreign bytes and missing texts hide no errcode."""
    with pytest.raises(ApiError) as caught:
        read(200, {}, body)
    assert (errcode, errmsg) == caught.value.args


@pytest.mark.parametrize("read", READERS)
def test_an_errmsg_that_echoes_a_secret_is_scrubbed(read: Read) -> None:
    """A server may repeat what was sent."""
    body = json.dumps({"errcode": 40001, "errmsg": f"bad access_token={MARKER} rid: 6141b79a-7c6e812d-5514c622"})
    with pytest.raises(TokenRejected) as caught:
        read(200, {}, body.encode())
    assert "bad access_token=*** rid: 6141b79a-7c6e812d-5514c622" == caught.value.errmsg


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("errcode", ["0", "40001", None, True, False, 0.0, 40001.0, [], {}])
def test_an_errcode_is_an_integer(read: Read, errcode: object) -> None:
    """Anything else is not a documented form, and its meaning is not guessed."""
    with pytest.raises(BadReply, match="has an errcode that is not an integer") as caught:
        read(200, {}, json.dumps({"errcode": errcode}).encode())
    assert caught.value.maybe_sent is True


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "body",
    [b"{", b'{"errcode":0', b"<html>", b"{]", b'{"a":' * 100_000, b'{"errcode":' + b"9" * 5000 + b"}"],
    ids=["open", "cut", "html", "broken", "deep", "digits"],
)
def test_what_only_begins_like_json_is_a_bad_reply(read: Read, body: bytes) -> None:
    """A cut or foreign page is reported as such."""
    with pytest.raises(BadReply, match=r"the reply \(HTTP 200\) is not a JSON object") as caught:
        read(200, {}, body)
    assert 200 == caught.value.status
    assert caught.value.maybe_sent


@pytest.mark.parametrize("read", JSON_READERS)
@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b"0", b'"ok"', b"null", JPEG])
def test_json_calls_want_an_object(read: Read, body: bytes) -> None:
    """No call is documented to answer anything else."""
    with pytest.raises(BadReply, match="is not a JSON object"):
        read(200, {}, body)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("status", "maybe_sent", "en", "zh"),
    [
        (100, True, "is not an API reply", "不是接口的应答"),
        (204, True, "is not an API reply", "不是接口的应答"),
        (302, True, "is a redirect, which is not followed", "重定向"),
        (307, True, "is a redirect, which is not followed", "重定向"),
        (400, True, "is not an API reply", "不是接口的应答"),
        (404, False, "means an unknown path", "路径不存在"),
        (407, True, "comes from a proxy that requires a login", "代理"),
        (412, False, "means a body without Content-Length", "Content-Length"),
        (500, True, "is a failure of the server", "对端故障"),
        (502, True, "is a failure of the server", "对端故障"),
        (599, True, "is a failure of the server", "对端故障"),
    ],
)
def test_every_other_status_is_a_bad_reply(read: Read, status: int, maybe_sent: bool, en: str, zh: str) -> None:
    """WeChat answers with 200; only 404 and 412 come before it looks at a message, even if the body says ok."""
    with pytest.raises(BadReply) as caught:
        read(status, {}, b'{"errcode":0,"errmsg":"ok"}')
    assert caught.value.status == status
    assert caught.value.maybe_sent == maybe_sent
    english, chinese = str(caught.value).splitlines()
    assert english.startswith(f"the reply (HTTP {status}) {en}")
    assert chinese.startswith(f"应答（HTTP {status}）")
    assert zh in chinese


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["Content-Encoding", "content-encoding", "CONTENT-ENCODING"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", " GZIP "])
@pytest.mark.parametrize("mapping", [dict, HTTPHeaderDict])
def test_a_compressed_reply_is_not_unpacked(read: Read, name: str, encoding: str, mapping: Any) -> None:
    """None was asked for, and a small one can hold gigabytes; the name is found in any case."""
    with pytest.raises(BadReply, match="is compressed, although no call asked for it"):
        read(200, mapping({name: encoding}), b'{"errcode":0}')


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_identity_is_no_compression(encoding: str) -> None:
    """A server may say that it did nothing."""
    refuse_encoded(200, {"Content-Encoding": encoding})


def test_a_reply_past_a_size_is_told_with_the_size() -> None:
    """The limit is written to be read."""
    error = too_large(200, 1048576)
    assert "the reply (HTTP 200) is larger than 1,048,576 bytes\n应答（HTTP 200）超过 1,048,576 字节" == str(error)
    assert error.maybe_sent is True


# --- anything at all ----------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["errcode", "errmsg", "access_token", "expires_in", "type", "media_id", "thumb_media_id", "created_at"]
OBJECTS = st.dictionaries(st.sampled_from([*NAMES, "video_url"]), VALUES, max_size=5).map(
    lambda fields: json.dumps(fields).encode()
)
BODIES = st.one_of(
    st.binary(max_size=200),
    OBJECTS,
    st.tuples(st.sampled_from([b"{", b"<", b"\xef\xbb\xbf", b'{"errcode":', JPEG]), st.binary(max_size=50)).map(
        b"".join
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "content-disposition", "Content-Encoding", "X-Other"]),
    st.sampled_from(["", "identity", "gzip", 'attachment; filename="a.jpg"', ";"]) | st.text(max_size=30),
)
STATUS = st.just(200) | st.integers(100, 599)
DOCUMENTED: dict[Any, type] = {
    read_ok: dict,
    read_receipt: dict,
    token_at_noon: Token,
    read_uploaded: Uploaded,
    read_media: Media,
}


def outcome(read: Read, status: int, headers: Any, body: bytes) -> Any:
    """Return what the reader gives, be it a value or one of our errors; any other exception goes on."""
    try:
        return read(status, headers, body)
    except WxError as e:
        return e


@settings(deadline=None)
@given(read=st.sampled_from(list(DOCUMENTED)), status=STATUS, headers=HEADERS, body=BODIES)
@example(token_at_noon, 200, {}, b'{"access_token":"80_x","expires_in":1' + b"0" * 400 + b"}")
@example(token_at_noon, 200, {}, b'{"access_token":"80_x","expires_in":Infinity}')
@example(read_uploaded, 200, {}, b'{"media_id":"M","created_at":"' + b"1" * 5000 + b'"}')
@example(read_uploaded, 200, {}, b'{"media_id":"M","created_at":true}')
@example(read_ok, 200, {}, b'{"errcode":NaN}')
def test_any_reply_is_a_value_or_our_error(read: Read, status: int, headers: dict[str, str], body: bytes) -> None:
    """There is no third outcome: no KeyError, no UnicodeDecodeError, no OverflowError."""
    found = outcome(read, status, headers, body)
    assert type(found) is DOCUMENTED[read] or isinstance(found, ApiError | BadReply)
    assert status == 200 or isinstance(found, BadReply)
    assert (str(found) + repr(found)).encode()
    assert getattr(found, "__cause__", None) is None


@settings(deadline=None)
@given(
    read=st.sampled_from(list(DOCUMENTED)),
    status=STATUS,
    before=st.binary(max_size=60),
    form=st.sampled_from([b"access_token=%s&x=1", b'"access_token":"%s"', b'{"secret" : "%s"}', b"appsecret=%s "]),
    after=st.binary(max_size=60),
)
def test_no_excerpt_shows_a_secret(read: Read, status: int, before: bytes, form: bytes, after: bytes) -> None:
    """A page that echoes a URL or a body is quoted without what is named like a secret."""
    found = outcome(read, status, {}, before + form % MARKER.encode() + after)
    if isinstance(found, WxError):
        assert MARKER not in f"{found}{found.args}{found!r}"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("before", ["", "no " * 30])
def test_an_excerpt_does_not_end_in_half_a_secret(read: Read, before: str) -> None:
    """One that is spelled in escapes is known by its whole: of a piece that the cut leaves nothing is shown."""
    spelled = "".join(f"\\u{ord(c):04X}" if at % 2 else c for at, c in enumerate("80_madeUpMadeUp" * 4))
    with pytest.raises(BadReply) as caught:
        read(404, {}, f"{before}{spelled}".encode())
    assert "80_" not in str(caught.value)
    assert "\\u" not in str(caught.value)


@pytest.mark.parametrize("read", JSON_READERS)
def test_an_excerpt_is_short_printable_and_on_one_line(read: Read) -> None:
    """A page of HTML does not take over the terminal."""
    with pytest.raises(BadReply) as caught:
        read(502, {}, b"<html>\r\n\x1b[31m  Bad\x00Gateway \xff" + "你好\u202e".encode() + b" x" * 5000)
    english, _ = str(caught.value).splitlines()
    excerpt = english.partition("check before you send again: ")[2]
    assert excerpt.startswith("<html> [31m BadGateway �你好 x x x")
    assert excerpt.endswith("…")
    assert 121 == len(excerpt)
    assert excerpt.isprintable()


# --- ok -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"errcode":0,"errmsg":"ok"}', {"errcode": 0, "errmsg": "ok"}),
        (b'{"errcode":0,"errmsg":"","business_id":1}', {"errcode": 0, "errmsg": "", "business_id": 1}),
        (b'{"ip_list":["1.2.3.4"]}', {"ip_list": ["1.2.3.4"]}),
        (b"{}", {}),
        (b'{"MsgId":1234567890123456789}', {"MsgId": 1234567890123456789}),
        ('{"entityName":"公司"}'.encode(), {"entityName": "公司"}),
    ],
)
def test_success_is_errcode_zero_or_none(body: bytes, value: dict[str, object]) -> None:
    """WeChat leaves errcode out where a reply has something to say; integers stay exact."""
    assert value == read_ok(200, {}, body)


@pytest.mark.parametrize(
    ("errcode", "kind"), [(45015, WindowClosed), (45047, WindowClosed), (40007, MediaRejected), (99999, ApiError)]
)
def test_the_errcode_chooses_the_class(errcode: int, kind: type[ApiError]) -> None:
    """As the catalogue says."""
    with pytest.raises(kind) as caught:
        read_ok(200, {}, b'{"errcode":%d,"errmsg":"a"}' % errcode)
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"{}", b'{"login":"https://hotel.example/"}', b'{"errmsg":"ok"}', b'{"Errcode":0}'])
def test_a_receipt_has_an_errcode(body: bytes) -> None:
    """WeChat documents 0 for a message: a 200 without one, as from a captive portal, does not come from WeChat."""
    with pytest.raises(BadReply, match="has no errcode, so it may not be WeChat's") as caught:
        read_receipt(200, {}, body)
    assert caught.value.maybe_sent is True
    assert {"errcode": 0} == read_receipt(200, {}, b'{"errcode":0}')


WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("blank", ["", "\r\n \t"])
def test_an_error_in_a_wide_encoding_is_an_error(read: Read, encoding: str, blank: str) -> None:
    """Something between may have made UTF-16 of it, with a byte order mark or without."""
    with pytest.raises(MediaRejected) as caught:
        read(200, {}, (blank + '{"errcode":40007,"errmsg":"不合法"}').encode(encoding))
    assert "不合法" == caught.value.errmsg


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("encoding", [*WIDE, "utf-32"])
def test_an_excerpt_in_a_wide_encoding_shows_no_secret(read: Read, encoding: str) -> None:
    """NULs between its letters would hide a secret from the rules, and from nobody else."""
    for text in (f"<p>access_token={MARKER}&a", f"{{access_token={MARKER}&a", f"x access_token={MARKER}&a"):
        for before in (b"", b"xy"):
            with pytest.raises(BadReply) as caught:
                read(502, {}, before + text.encode(encoding))
            assert MARKER not in re.sub(r"[ \0]", "", str(caught.value))


# --- token --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expires_in", "expires_at"), [(7200, NOW + 7200), (345, NOW + 345), (0, NOW)])
def test_a_token_ends_where_its_reply_says(expires_in: int, expires_at: float) -> None:
    """Counted from when it was asked for, which is the safe side."""
    token = token_at_noon(200, {}, b'{"access_token":"80_x","expires_in":%d}' % expires_in)
    assert "80_x" == token
    assert token.expires_at == expires_at


def test_a_token_with_an_errcode_of_zero_is_a_token() -> None:
    """Some replies say ok as well."""
    assert "80_x" == token_at_noon(200, {}, b'{"errcode":0,"errmsg":"ok","access_token":"80_x","expires_in":1}')


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "has no access_token"),
        ({"expires_in": 7200}, "has no access_token"),
        ({"access_token": "", "expires_in": 7200}, "has no access_token"),
        ({"access_token": 7, "expires_in": 7200}, "has no access_token"),
        ({"access_token": MARKER}, "has no expires_in in seconds"),
        ({"access_token": MARKER, "expires_in": "7200"}, "has no expires_in in seconds"),
        ({"access_token": MARKER, "expires_in": True}, "has no expires_in in seconds"),
        ({"access_token": MARKER, "expires_in": 7200.0}, "has no expires_in in seconds"),
        ({"access_token": MARKER, "expires_in": -1}, "has no expires_in in seconds"),
        ({"access_token": MARKER, "expires_in": 10**400}, "has no expires_in in seconds"),
    ],
)
def test_half_a_token_is_a_bad_reply(fields: dict[str, object], why: str) -> None:
    """It says what is missing, quotes nothing, and no frame of the reader keeps the token."""
    body = json.dumps(fields).encode()
    with pytest.raises(BadReply, match=f"{why}$|{why}\n") as caught:
        token_at_noon(200, {}, body)
    assert MARKER not in str(caught.value)
    frames = [entry.frame.f_locals for entry in caught.traceback if Path(entry.path).name == "replies.py"]
    assert frames
    assert not [frame for frame in frames if MARKER in repr(frame)]


# --- uploaded -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "uploaded"),
    [
        ({"type": "image", "media_id": "M", "created_at": 1672500000}, Uploaded("M", "image", 1672500000)),
        ({"type": "thumb", "thumb_media_id": "T", "created_at": 1672500000}, Uploaded("T", "thumb", 1672500000)),
        ({"type": "image", "media_id": "M", "created_at": "1672500000"}, Uploaded("M", "image", 1672500000)),
        ({"media_id": "M", "created_at": 1, "item": []}, Uploaded("M", "", 1)),
        ({"errcode": 0, "errmsg": "ok", "media_id": "M", "type": "image", "created_at": 1}, Uploaded("M", "image", 1)),
    ],
)
def test_an_upload_gives_its_id_and_time(fields: dict[str, object], uploaded: Uploaded) -> None:
    """With or without errcode, also for a thumb, and with a time that used to be a text."""
    assert uploaded == read_uploaded(200, {}, json.dumps(fields).encode())


def test_a_medium_lives_for_three_days() -> None:
    """Its end is in seconds of the epoch, as its beginning."""
    assert 1672500000 + 3 * 86400 == Uploaded("M", "image", 1672500000).expires_at


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"created_at": 1}, "has no media_id"),
        ({"media_id": "", "created_at": 1}, "has no media_id"),
        ({"media_id": 7, "created_at": 1}, "has no media_id"),
        ({"media_id": "M"}, "has no created_at in seconds"),
        ({"media_id": "M", "created_at": "soon"}, "has no created_at in seconds"),
        ({"media_id": "M", "created_at": "١٢"}, "has no created_at in seconds"),
        ({"media_id": "M", "created_at": "1" * 21}, "has no created_at in seconds"),
        ({"media_id": "M", "created_at": 1.5}, "has no created_at in seconds"),
        ({"media_id": "M", "created_at": True}, "has no created_at in seconds"),
    ],
)
def test_half_an_upload_is_a_bad_reply(fields: dict[str, object], why: str) -> None:
    """It says what is missing and quotes the reply."""
    with pytest.raises(BadReply, match=rf"the reply \(HTTP 200\) {why}: \{{"):
        read_uploaded(200, {}, json.dumps(fields).encode())


# --- media --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "content_type", "filename"),
    [
        (JPEG, {"Content-disposition": 'attachment; filename="MEDIA_ID.jpg"'}, "image/jpeg", "MEDIA_ID.jpg"),
        (JPEG, {}, "image/jpeg", "media.jpg"),
        (PNG, {"Content-Type": "image/jpeg"}, "image/png", "media.png"),
        (GIF, {"Content-Type": "text/plain"}, "image/gif", "media.gif"),
        (b"#!AMR\n", {"content-type": "audio/amr; x=1"}, "audio/amr", "media.bin"),
        (b"#!AMR\n", {}, "application/octet-stream", "media.bin"),
        (b"#!AMR\n", {"Content-Disposition": "attachment; filename=a.amr"}, "application/octet-stream", "a.amr"),
        (JPEG, {"Content-Disposition": 'attachment; FILENAME="a.jpg"; x=1'}, "image/jpeg", "a.jpg"),
        (JPEG, {"Content-Disposition": 'attachment; filename=""'}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": "attachment; filename*=utf-8''a.jpg"}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": 'attachment; filename="../../a.jpg"'}, "image/jpeg", "a.jpg"),
        (JPEG, {"Content-Disposition": r'attachment; filename="C:\a.jpg"'}, "image/jpeg", "a.jpg"),
        (JPEG, {"Content-Disposition": 'attachment; filename=".."'}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": 'attachment; filename=".profile"'}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": 'attachment; filename="ç\x85§.jpg"'}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": f'attachment; filename="{"a" * 101}"'}, "image/jpeg", "media.jpg"),
        (JPEG, {"Content-Disposition": "attachment"}, "image/jpeg", "media.jpg"),
    ],
)
def test_a_medium_has_a_true_type_and_a_safe_name(
    body: bytes, headers: dict[str, str], content_type: str, filename: str
) -> None:
    """A picture is what its first bytes say; a name that could lead elsewhere is replaced."""
    for given_headers in (headers, HTTPHeaderDict(headers), types.MappingProxyType(HTTPHeaderDict(headers))):
        assert Media(body, content_type, filename) == read_media(200, given_headers, body)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b'{"errcode":0,"errmsg":"ok"}', "is JSON, but neither an error nor a medium"),
        (b'{"video_url":"http://a.cn/v?access_token=x"}', r"is the URL of a video \(video_url\)"),
        (b"<html>login</html>", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b" true", "is not a JSON object"),
        (b"false\n", "is not a JSON object"),
        (b'"ok"', "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"[", "is not a JSON object"),
        (b'["a"]', "is not a JSON object"),
        (b'[\r\n {"errcode":40007}]', "is not a JSON object"),
        (b"[1]", "is not a JSON object"),
        (b"[[", "is not a JSON object"),
        (b"[nul", "is not a JSON object"),
        ("null".encode("utf-16"), "is not a JSON object"),
        ("[1]".encode("utf-16-le"), "is not a JSON object"),
        ("<html>".encode("utf-16-be"), "is not a JSON object"),
        ('{"video_url":"http://a.cn/"}'.encode("utf-16-be"), "is the URL of a video"),
        (b" \r\n", "is empty"),
    ],
)
def test_what_is_no_medium_is_a_bad_reply(body: bytes, why: str) -> None:
    """An error page saved as a picture is found out a week later."""
    with pytest.raises(BadReply, match=why):
        read_media(200, {"Content-Type": "image/jpeg"}, body)


@pytest.mark.parametrize(
    ("start", "text"),
    [
        (b"{", True),
        (b"<", True),
        (b"[", True),
        (b'["', True),
        (b"null", True),
        (b"\xff\xfe{\0", True),
        (b"\xfe\xff\0{", True),
        (b"\0\r\0\n\0<", True),
        (b"[\x95\x01", False),
        (b"nul", False),
        (b"\0\0\0\x3cftypmp42", False),
        (b"\0\0\0\x20ftypisom", False),
        (b"\xff\xfb\x90{", False),
        (b"\xff\xfe", False),
        (b" \r\n\t{", True),
        (b"\xef\xbb\xbf<", True),
        (b"", False),
        (b" ", False),
        (JPEG, False),
        (PNG, False),
        (GIF, False),
        (b"\x00\x00\x00\x18ftypmp42", False),
        (b"#!AMR\n", False),
        (b"ID3", False),
    ],
)
def test_the_first_byte_tells_json_from_a_medium(start: bytes, text: bool) -> None:
    """Neither picture nor voice nor video begins like JSON or markup, in whatever encoding."""
    assert text == looks_like_text(start)


def test_a_medium_shows_name_and_size() -> None:
    """Never its bytes."""
    assert repr(Media(JPEG, "image/jpeg", "a.jpg")) == f"<Media a.jpg, {len(JPEG)} bytes of image/jpeg>"


@pytest.mark.parametrize(("content", "kind"), [(JPEG, "image/jpeg"), (PNG, "image/png"), (GIF, "image/gif")])
def test_a_picture_shows_itself_in_a_notebook(content: bytes, kind: str) -> None:
    """By its first bytes, whatever the label says."""
    media = Media(content, "text/html", "a.html")
    expected = {"text/plain": repr(media), kind: base64.b64encode(content).decode()}
    assert expected == media._repr_mimebundle_()


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", b"<svg/>", b"#!AMR\n", b""])
def test_nothing_else_shows_itself(content: bytes) -> None:
    """A label cannot bring markup into a notebook."""
    media = Media(content, "image/svg+xml", "a.svg")
    assert {"text/plain": repr(media)} == media._repr_mimebundle_()
