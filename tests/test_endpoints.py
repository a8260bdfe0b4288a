"""The requests: method, path, query and body of each call, as values that know no access token."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite import endpoints, text, with_businessid
from wxcs_lite.endpoints import Command
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.multipart import Multipart
from wxcs_lite.request import Request

JPEG = b"\xff\xd8\xff\xe0 made up"
SECRET = "made-up-secret"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("request_", "method", "path", "query", "body"),
    [
        (
            endpoints.send({"touser": "U", "msgtype": "text", "text": {"content": "<a>&'你好'</a>\n"}}),
            "POST",
            "/cgi-bin/message/custom/send",
            (),
            '{"touser":"U","msgtype":"text","text":{"content":"<a>&\'你好\'</a>\\n"}}',
        ),
        (
            endpoints.send(with_businessid(text("U", "hi"), 1)),
            "POST",
            "/cgi-bin/message/custom/business/send",
            (),
            '{"touser":"U","msgtype":"text","text":{"content":"hi"},"businessid":1}',
        ),
        (
            endpoints.set_typing("U"),
            "POST",
            "/cgi-bin/message/custom/typing",
            (),
            '{"touser":"U","command":"Typing"}',
        ),
        (
            endpoints.set_typing("U", "CancelTyping", businessid="7"),
            "POST",
            "/cgi-bin/message/custom/business/typing",
            (),
            '{"touser":"U","command":"CancelTyping","businessid":"7"}',
        ),
        (
            endpoints.stable_token("A", SECRET),
            "POST",
            "/cgi-bin/stable_token",
            (),
            '{"grant_type":"client_credential","appid":"A","secret":"made-up-secret","force_refresh":false}',
        ),
        (
            endpoints.stable_token("A", SECRET, force_refresh=True),
            "POST",
            "/cgi-bin/stable_token",
            (),
            '{"grant_type":"client_credential","appid":"A","secret":"made-up-secret","force_refresh":true}',
        ),
        (endpoints.get_rid("a-b-c"), "POST", "/cgi-bin/openapi/rid/get", (), '{"rid":"a-b-c"}'),
        (
            endpoints.get_quota(),
            "POST",
            "/cgi-bin/openapi/quota/get",
            (),
            '{"cgi_path":"/cgi-bin/message/custom/send"}',
        ),
        (endpoints.clear_quota("A"), "POST", "/cgi-bin/clear_quota", (), '{"appid":"A"}'),
        (endpoints.get_quota("/a"), "POST", "/cgi-bin/openapi/quota/get", (), '{"cgi_path":"/a"}'),
        (endpoints.download("M"), "GET", "/cgi-bin/media/get", (("media_id", "M"),), None),
        (endpoints.get_callback_ip(), "GET", "/cgi-bin/getcallbackip", (), None),
    ],
)
def test_a_call_is_exactly_this_request(
    request_: Request, method: str, path: str, query: tuple[tuple[str, str], ...], body: str | None
) -> None:
    """Compact JSON in raw UTF-8, its Content-Type, and nothing that was not asked for."""
    content_type = None if body is None else "application/json"
    expected = (method, path, query, None if body is None else body.encode(), content_type, ())
    assert expected == request_[:6]


def test_an_upload_is_multipart_with_its_type_in_the_query() -> None:
    """The type is in the query, the boundary in the content type, the file in the body."""
    request = endpoints.upload(JPEG, filename="a.jpg", type="thumb", boundary="made-up")
    assert ("POST", "/cgi-bin/media/upload", (("type", "thumb"),)) == request[:3]
    assert "multipart/form-data; boundary=made-up" == request.content_type
    assert isinstance(request.body, Multipart)
    assert JPEG == request.body.content


def test_equal_calls_are_equal_values() -> None:
    """A request can be compared, put into a set, and kept in a pickle."""
    one, other = (endpoints.upload(JPEG, filename="a.jpg", boundary="made-up") for _ in range(2))
    assert one == other
    assert 1 == len({one, other})
    assert endpoints.get_rid("a-b-c") == pickle.loads(pickle.dumps(endpoints.get_rid("a-b-c")))


@pytest.mark.parametrize(
    ("request_", "token", "url"),
    [
        (endpoints.get_callback_ip(), "T", "/cgi-bin/getcallbackip?access_token=T"),
        (endpoints.get_callback_ip(), None, "/cgi-bin/getcallbackip"),
        (endpoints.download("a/b?&=#"), "T", "/cgi-bin/media/get?access_token=T&media_id=a%2Fb%3F%26%3D%23"),
        (endpoints.download("M"), None, "/cgi-bin/media/get?media_id=M"),
        (
            endpoints.get_callback_ip(),
            "a+b/c=&d 你",
            "/cgi-bin/getcallbackip?access_token=a%2Bb%2Fc%3D%26d%20%E4%BD%A0",
        ),
        (endpoints.stable_token("A", SECRET), None, "/cgi-bin/stable_token"),
    ],
)
def test_the_token_is_the_first_parameter(request_: Request, token: str | None, url: str) -> None:
    """Every value is percent-encoded: what a token holds cannot end it."""
    assert url == request_.url(token)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_any_query_can_be_read_back(token: str, media_id: str) -> None:
    """Whatever token and media_id hold, an independent parser finds them, and nothing else."""
    parts = urlsplit(endpoints.download(media_id).url(token))
    assert "" == parts.scheme
    assert "" == parts.netloc
    assert "/cgi-bin/media/get" == parts.path
    assert "" == parts.fragment
    assert [("access_token", token), ("media_id", media_id)] == parse_qsl(parts.query, keep_blank_values=True)


def test_a_request_says_what_comes_back() -> None:
    """A message's receipt, after whose loss a retry may deliver twice; a medium; or any other JSON."""
    assert "receipt" == endpoints.send(text("U", "hi")).gives == endpoints.set_typing("U").gives
    assert "media" == endpoints.download("M").gives
    others = [endpoints.upload(JPEG), endpoints.stable_token("A", SECRET), endpoints.get_rid("R")]
    assert {"json"} == {request.gives for request in [*others, endpoints.get_quota(), endpoints.get_callback_ip()]}


def test_only_the_token_call_takes_no_token() -> None:
    """All other calls want one."""
    assert endpoints.stable_token("A", SECRET).takes_token is False
    others = [endpoints.send(text("U", "hi")), endpoints.set_typing("U"), endpoints.get_callback_ip()]
    assert all(request.takes_token for request in [*others, endpoints.upload(JPEG), endpoints.download("M")])


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (endpoints.get_callback_ip(), "<Request GET /cgi-bin/getcallbackip>"),
        (endpoints.download("M"), "<Request GET /cgi-bin/media/get>"),
        (
            endpoints.stable_token("A", SECRET),
            "<Request POST /cgi-bin/stable_token, 94 bytes of application/json>",
        ),
        (
            endpoints.upload(JPEG, filename="a.jpg", boundary="made-up"),
            "<Request POST /cgi-bin/media/upload, 130 bytes of multipart/form-data>",
        ),
    ],
)
def test_repr_shows_names_and_sizes(request_: Request, shown: str) -> None:
    """No body, no query, no secret."""
    assert shown == repr(request_)


@pytest.mark.parametrize("look", [str, repr, Request.curl], ids=["str", "repr", "curl"])
def test_no_secret_can_be_seen(look: Callable[[Request], str]) -> None:
    """Whichever way a token request is looked at, the secret is not there."""
    assert SECRET not in look(endpoints.stable_token("A", SECRET))


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (endpoints.set_typing, "touser"),
        (endpoints.download, "media_id"),
        (endpoints.get_rid, "rid"),
        (endpoints.get_quota, "cgi_path"),
        (lambda wrong: endpoints.upload(JPEG, type=wrong), "type"),
        (lambda wrong: endpoints.stable_token(wrong, SECRET), "appid"),
        (endpoints.clear_quota, "appid"),
    ],
    ids=["set_typing", "download", "get_rid", "get_quota", "upload", "stable_token", "clear_quota"],
)
@pytest.mark.parametrize("wrong", [None, 7, b"x", "", "\ud800"])
def test_a_wrong_argument_is_named(call: Callable[[Any], Request], field: str, wrong: Any) -> None:
    """Missing, empty, no text or half an emoji: the request is not made, and the error names the argument."""
    with pytest.raises(InvalidMessage) as caught:
        call(wrong)
    assert field == caught.value.field


@pytest.mark.parametrize("wrong", [None, 7, b"made-up", "", "made-up\ud800"])
def test_a_wrong_secret_is_refused_without_being_told(wrong: Any) -> None:
    """The error names the argument and never repeats it, and no frame of ours holds it bare."""
    with pytest.raises(InvalidMessage) as caught:
        endpoints.stable_token("A", wrong)
    assert "secret" == caught.value.field
    assert "made-up" not in str(caught.value)
    frames = [entry.frame.f_locals for entry in caught.traceback if Path(entry.path).parent.name == "wxcs_lite"]
    assert frames
    assert not [frame for frame in frames if "made-up" in repr(frame)]


@pytest.mark.parametrize("wrong", ["typing", "", None, 1, ["Typing"]])
def test_a_wrong_typing_command_is_refused(wrong: Any) -> None:
    """WeChat knows two (45072 otherwise), and the error lists them with what it got."""
    with pytest.raises(InvalidMessage, match=r"^command: must be 'Typing' or 'CancelTyping', not ") as caught:
        endpoints.set_typing("U", wrong)
    assert repr(wrong) in str(caught.value)


@pytest.mark.parametrize("wrong", ["", True, 1.5, [1]])
def test_a_wrong_businessid_of_typing_is_refused(wrong: Any) -> None:
    """As for a message."""
    with pytest.raises(InvalidMessage, match=r"^businessid: "):
        endpoints.set_typing("U", businessid=wrong)


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    return circle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "a value that JSON cannot represent"),
        (float("inf"), "a value that JSON cannot represent"),
        (b"bytes", "a value that JSON cannot represent"),
        ({1, 2}, "a value that JSON cannot represent"),
        ({(1, 2): 3}, "a value that JSON cannot represent"),
        (10**5000, "a value that JSON cannot represent"),
        (_circle(), "a value that JSON cannot represent: Circular reference"),
        (_deep(), "too many nested levels"),
        ("a\udc00", "a lone surrogate"),
        ({"a\udc00": 1}, "a lone surrogate"),
    ],
    ids=["nan", "inf", "bytes", "set", "tuple-key", "digits", "circle", "deep", "surrogate", "surrogate-key"],
)
def test_what_json_cannot_carry_is_refused(value: Any, why: str) -> None:
    """Wherever it is in a handmade message, it is refused before anything leaves, with no chain behind the error."""
    with pytest.raises(InvalidMessage, match=f"^message: contains {why}") as caught:
        endpoints.send({**text("U", "hi"), "extra": value})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@settings(deadline=None)
@given(WORDS, st.sampled_from(["Typing", "CancelTyping"]), st.none() | st.integers() | WORDS)
def test_typing_arrives_as_it_was_asked_for(touser: str, command: Command, businessid: int | str | None) -> None:
    """The businessid goes into the body and changes the path; without one neither happens."""
    request = endpoints.set_typing(touser, command, businessid=businessid)
    extra = {} if businessid is None else {"businessid": businessid}
    assert isinstance(request.body, bytes)
    assert {"touser": touser, "command": command, **extra} == json.loads(request.body)
    assert (businessid is not None) == ("/business/" in request.path)


def test_a_file_is_not_read_into_memory() -> None:
    """The request holds the file itself, and its length without its bytes."""
    file = io.BytesIO(JPEG)
    request = endpoints.upload(file, filename="a.jpg")
    assert isinstance(request.body, Multipart)
    assert request.body.content is file
    assert len(JPEG) == len(request.body) - len(request.body.head) - len(request.body.tail)


def test_a_web_address_is_no_media_id() -> None:
    """A push has both: PicUrl can be opened in a browser, MediaId is for this call."""
    with pytest.raises(InvalidMessage, match="media_id: is a web address: pass the MediaId of the push"):
        endpoints.download("https://mmbiz.qpic.cn/made-up")


@pytest.mark.parametrize(
    ("request_", "method", "url", "body"),
    [
        (endpoints.call("/a/b"), "GET", "/a/b?access_token=T", None),
        (endpoints.call("/a/b", query={"id": "a b", "n": 1}), "GET", "/a/b?access_token=T&id=a%20b&n=1", None),
        (endpoints.call("/a/b", {"nick": "苹果<a>"}), "POST", "/a/b?access_token=T", '{"nick":"苹果<a>"}'),
        (endpoints.call("/a/b", {}), "POST", "/a/b?access_token=T", "{}"),
        (endpoints.call("/a/b", method="POST"), "POST", "/a/b?access_token=T", None),
        (endpoints.call("/a/b", {"a": 1}, method="GET"), "GET", "/a/b?access_token=T", '{"a":1}'),
    ],
)
def test_any_other_call_is_exactly_this_request(request_: Request, method: str, url: str, body: str | None) -> None:
    """With a body it is a POST of raw UTF-8, without one a GET, unless the method is given."""
    assert (method, url) == (request_.method, request_.url("T"))
    assert (None if body is None else body.encode()) == request_.body
    assert (None if body is None else "application/json") == request_.content_type


def test_any_other_call_equals_the_one_that_has_a_function() -> None:
    """The same values: it can be compared, kept and signed like them."""
    assert endpoints.get_rid("a-b-c") == endpoints.call("/cgi-bin/openapi/rid/get", {"rid": "a-b-c"})
    assert endpoints.get_callback_ip() == endpoints.call("/cgi-bin/getcallbackip")
    assert endpoints.download("M")[:5] == endpoints.call("/cgi-bin/media/get", query={"media_id": "M"})[:5]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("https://api.weixin.qq.com/cgi-bin/x", "is a full URL"),
        ("//api.weixin.qq.com/cgi-bin/x", "is a full URL"),
        ("cgi-bin/x", "must begin with a slash"),
        ("/cgi-bin/x?a=b", "has a query"),
        ("/cgi-bin/x#a", "has a query"),
        ("/cgi-bin/x?access_token=80_made-up", "contains an access_token"),
        ("/cgi-bin/a b", "contains a space"),
        ("/cgi-bin/x\n", "contains a space"),
        ("/cgi\u2010bin/x", "contains a space or another character"),
        ("", "must not be empty"),
        (None, "must be a str"),
    ],
)
def test_a_path_that_is_not_one_is_refused(path: Any, why: str) -> None:
    """The error says what is wrong and repeats nothing: it may hold a token."""
    with pytest.raises(InvalidMessage, match=f"^path: {why}") as caught:
        endpoints.call(path)
    assert "80_made-up" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"body": [1]}, "body: must be a dict, not list"),
        ({"body": b"{}"}, "body: must be a dict, not bytes"),
        ({"body": {"a": {1}}}, "body: contains a value that JSON cannot represent"),
        ({"method": "PUT"}, "method: must be 'GET' or 'POST'"),
        ({"query": "a=b"}, "query: must be a dict, not str"),
        ({"query": {"access_token": "80_made-up"}}, "query: contains access_token: pass it as the token argument"),
        ({"query": {"a": True}}, "query: a must be a str or an int, not bool"),
        ({"query": {"a": None}}, "query: a must be a str or an int, not None"),
        ({"query": {"a": "\udc00"}}, "query: contains a lone surrogate"),
        ({"query": {"": "a"}}, "query: must not be empty"),
        ({"query": {1: "a"}}, "query: must be a str"),
    ],
)
def test_a_wrong_part_of_any_other_call_is_named(arguments: dict[str, Any], told: str) -> None:
    """Before anything leaves."""
    with pytest.raises(InvalidMessage) as caught:
        endpoints.call("/a/b", **arguments)
    assert caught.value.en.startswith(told)


@pytest.mark.parametrize("look", [str, repr, Request.curl, tuple], ids=["str", "repr", "curl", "tuple"])
@pytest.mark.parametrize("where", ["body", "query"])
def test_a_secret_of_any_other_call_cannot_be_seen(where: str, look: Callable[[Request], object]) -> None:
    """Such a call takes no token; its secret is sent, and shown nowhere."""
    arguments: dict[str, Any] = {where: {"appid": "A", "appsecret": SECRET}}
    request = endpoints.call("/cgi-bin/clear_quota/v2", method="POST", **arguments)
    assert request.takes_token is False
    assert isinstance(request.body, bytes | None)
    assert SECRET not in repr(look(request)) + repr(request.url(None))
    assert SECRET in f"{request.url(None)} {(request.body or b'').decode()}"
