"""How a request looks: an HTTP message for reading, a curl command that does exactly the same."""

import io
import json
import os
import subprocess
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite import endpoints, text
from wxcs_lite.multipart import Multipart
from wxcs_lite.request import API, Request
from wxcs_lite.secret import is_telling

JPEG = b"\xff\xd8\xff\xe0 made up"
TOKEN, SECRET = "80_made-up", "made-up-secret"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
NASTY = [
    "it's",
    'say "hi"',
    "$(touch /tmp/x) `id` ${HOME} $WXCS_TOKEN",
    "line\nbreak\r\nand\ttab",
    "back\\slash \\' \\\"",
    "!! !$ ~ * ? [a] {a,b} # ; & | < > ( )",
    "你好 👋🏽 \u202e \u2028",
    "\x00\x1b[31m\x7f",
    "'",
    "@/etc/passwd",
    "-o/tmp/x",
    "%s%n",
]


def arguments(command: str) -> list[str]:
    """Return what curl would be called with, as the shell understands the command."""
    done = subprocess.run(
        ["bash", "--norc", "-c", 'curl() { printf "%s\\0" "$@"; }\n' + command],
        env={"PATH": os.environ["PATH"], "WXCS_TOKEN": TOKEN, "WXCS_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return done.stdout.decode().split("\0")[:-1]


def json_call(path: str, body: str) -> list[str]:
    url = f"https://api.weixin.qq.com{path}"
    return ["-sS", url, "-H", "Content-Type: application/json", "--data-raw", body]


def body_of(request: Request) -> str:
    assert isinstance(request.body, bytes)
    return request.body.decode()


@pytest.mark.parametrize("content", NASTY)
def test_no_text_escapes_its_quotes(content: str) -> None:
    """The shell passes curl the exact body, whatever a message holds."""
    request = endpoints.send(text("OPENID", content))
    expected = json_call(f"/cgi-bin/message/custom/send?access_token={TOKEN}", body_of(request))
    assert expected == arguments(request.curl())


@settings(deadline=None, max_examples=60)
@given(WORDS, st.text(st.sampled_from("'\"\\$`!(){}\n aé你"), min_size=1, max_size=30))
def test_any_text_arrives_through_the_shell(touser: str, content: str) -> None:
    """So it does for texts that nobody thought of."""
    request = endpoints.send(text(touser, content))
    assert body_of(request) == arguments(request.curl())[-1]


@settings(deadline=None, max_examples=30)
@given(WORDS)
def test_any_query_arrives_through_the_shell(media_id: str) -> None:
    """The URL is the one that `Request.url` gives for the token in the environment."""
    request = endpoints.download(media_id)
    assert ["-sS", "https://api.weixin.qq.com" + request.url(TOKEN)] == arguments(request.curl())


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(NASTY) | WORDS, st.booleans())
def test_the_secret_comes_from_the_environment(appid: str, force_refresh: bool) -> None:
    """The command holds $WXCS_SECRET, and the shell puts the secret where it belongs."""
    request = endpoints.stable_token(appid, SECRET, force_refresh=force_refresh)
    command = request.curl()
    assert SECRET not in command
    assert json_call("/cgi-bin/stable_token", body_of(request)) == arguments(command)


def test_a_handmade_appsecret_is_left_out_too() -> None:
    """The calls that clear a quota name it so."""
    request = Request("POST", "/x", (), b'{"appid":"A","appsecret":"made-up-secret"}', "application/json")
    assert SECRET not in request.curl() + str(request)
    assert body_of(request) == arguments(request.curl())[-1]


@pytest.mark.parametrize(
    "body", [{"component_appsecret": SECRET}, {"more": [{"Secret": SECRET, "refresh_token": [SECRET]}]}]
)
def test_a_secret_is_left_out_wherever_it_stands(body: dict[str, Any]) -> None:
    """Any JSON call may bring one: what is named like a secret hides at every level, in the body itself, too."""
    request = endpoints.call("/x", body)
    assert SECRET not in f"{request} {request.curl()} {request.body!r} {request.body!s}"
    assert body_of(request) == arguments(request.curl())[-1]


def test_a_secret_of_another_name_hides_in_the_query() -> None:
    """The tokens of third-party platforms have names of their own."""
    request = endpoints.call("/x", query={"component_access_token": SECRET})
    assert SECRET not in f"{request} {request.curl()} {request.url(None)!r}"
    assert f"/x?component_access_token={SECRET}" == request.url(None)


def test_an_upload_names_the_file() -> None:
    """curl builds the multipart body itself, from a file with the name that would be sent."""
    request = endpoints.upload(JPEG, filename="it's 照片.jpg", type="image")
    url = f"https://api.weixin.qq.com/cgi-bin/media/upload?access_token={TOKEN}&type=image"
    assert ["-sS", url, "-F", "media=@media.jpg;type=image/jpeg"] == arguments(request.curl())


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"])
def test_another_address_can_be_given(url: str) -> None:
    """A sandbox or a proxy, with or without its last slash."""
    called = arguments(endpoints.get_callback_ip().curl(url))
    assert ["-sS", f"http://127.0.0.1:8000/cgi-bin/getcallbackip?access_token={TOKEN}"] == called


def test_the_command_reads_well() -> None:
    """One argument a line, and the Chinese as it is."""
    assert (
        'curl -sS "https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=$WXCS_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        """  --data-raw '{"touser":"U","msgtype":"text","text":{"content":"你好"}}'"""
        == endpoints.send(text("U", "你好")).curl()
    )


def test_an_http_message_is_set_out_for_reading() -> None:
    """JSON on several lines, the size as it is on the wire, the token as three stars."""
    assert (
        "POST /cgi-bin/message/custom/send?access_token=*** HTTP/1.1\n"
        "Content-Type: application/json\n"
        "Content-Length: 64\n"
        "\n"
        "{\n"
        '  "touser": "U",\n'
        '  "msgtype": "text",\n'
        '  "text": {\n'
        '    "content": "你好\\n<a>"\n'
        "  }\n"
        "}" == str(endpoints.send(text("U", "你好\n<a>")))
    )


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (endpoints.get_callback_ip(), "GET /cgi-bin/getcallbackip?access_token=*** HTTP/1.1"),
        (endpoints.download("a*b"), "GET /cgi-bin/media/get?access_token=***&media_id=a%2Ab HTTP/1.1"),
        (endpoints.download("***"), "GET /cgi-bin/media/get?access_token=***&media_id=%2A%2A%2A HTTP/1.1"),
    ],
)
def test_a_request_without_body_is_one_line(request_: Request, line: str) -> None:
    """Only the stars of the token are stars; the rest is as it is on the wire."""
    assert line == str(request_)


def test_an_upload_shows_head_and_size() -> None:
    """The bytes of a picture are not for reading."""
    assert (
        "POST /cgi-bin/media/upload?access_token=***&type=image HTTP/1.1\n"
        "Content-Type: multipart/form-data; boundary=made-up\n"
        "Content-Length: 12118\n"
        "\n"
        "--made-up\n"
        'Content-Disposition: form-data; name="media"; filename="a.jpg"\n'
        "Content-Type: image/jpeg\n"
        "\n"
        "<12,000 bytes>\n"
        "--made-up--" == str(endpoints.upload(JPEG * 1000, filename="a.jpg", boundary="made-up"))
    )


@pytest.mark.parametrize("body", [b"", b"a=1", b"[1,2]", b"\xff\xd8\xff", b"null", b"[" * 100_000])
def test_any_handmade_body_can_be_looked_at(body: bytes) -> None:
    """A body that is not a JSON object is shown by its size, and curl gets it as a file."""
    request = Request("POST", "/x", (), body, "text/plain")
    assert str(request).endswith(f"\n\n<{len(body):,} bytes>")
    assert ["--data-binary", "@body"] == arguments(request.curl())[-2:]


@settings(deadline=None)
@given(st.dictionaries(WORDS, WORDS | st.integers() | st.none()))
def test_the_shown_json_is_the_sent_json(fields: dict[str, object]) -> None:
    """Nothing is lost on the way to the eye."""
    shown_ones = {name: value for name, value in fields.items() if not is_telling(name) and name != "businessid"}
    message = {**shown_ones, "touser": "U", "msgtype": "new"}  # a businessid has rules
    head, _, shown = str(endpoints.send(message)).partition("\n\n")
    assert message == json.loads(shown)
    assert "POST /cgi-bin/message/custom/send?access_token=*** HTTP/1.1" == head.splitlines()[0]


def test_a_secret_in_a_handmade_query_is_hidden() -> None:
    """Calls that this package does not offer carry secrets in the query; a Request for them hides them, too."""
    request = Request("GET", "/cgi-bin/token", (("appid", "APPID"), ("secret", "made-up-secret")))
    assert "secret=***" in str(request)
    assert "secret=$WXCS_SECRET" in request.curl()
    assert "made-up-secret" not in str(request) + request.curl()


def test_curl_names_a_method_that_it_would_not_choose_itself() -> None:
    """curl takes GET without and POST with a body."""
    assert "-X POST" in Request("POST", "/cgi-bin/x").curl()
    assert "-X" not in Request("POST", "/cgi-bin/x", (), b"{}", "application/json").curl()


def test_a_handmade_multipart_without_a_filename_is_still_a_command() -> None:
    """The file to send is left to the reader then."""
    body = Multipart(b"", b"x", b"")
    assert "-F media=@file" in Request("POST", "/cgi-bin/x", (), body, "multipart/form-data").curl()


def test_extra_headers_go_out_and_show_no_secret() -> None:
    """They stand beside the Content-Type; a login among them is three stars, in curl too."""
    pairs = (("X-Made-Up", "1"), ("Authorization", "Bearer made-up-secret"))
    request = Request("POST", "/x", (), b"{}", "application/json", pairs)
    assert {"Content-Type": "application/json", **dict(pairs)} == request.headers
    assert "\nX-Made-Up: 1\nAuthorization: ***\nContent-Length: 2\n" in str(request)
    assert "X-Made-Up: 1" in arguments(request.curl())
    assert "made-up-secret" not in str(request) + request.curl()


def test_a_call_without_a_body_has_no_content_type() -> None:
    """A Content-Type without content would confuse a proxy."""
    assert {} == Request("GET", "/x", (), None, "application/json").headers


def test_a_handmade_request_says_itself_that_it_takes_no_token() -> None:
    """No path is looked at: what a Request does not say is not known of it."""
    assert "?access_token=***" in str(Request("POST", "/cgi-bin/stable_token", (), b"{}", "application/json"))
    assert "access_token" not in str(Request("GET", "/x", takes_token=False))


@pytest.mark.parametrize(
    ("base", "whole"),
    [
        (API, "https://api.weixin.qq.com/cgi-bin/media/get?"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/cgi-bin/media/get?"),
        ("http://[::1]:8000", "http://[::1]:8000/cgi-bin/media/get?"),
        ("https://gateway.example/wx", "https://gateway.example/wx/cgi-bin/media/get?"),
        ("HTTPS://gateway.example/wx/", "HTTPS://gateway.example/wx/cgi-bin/media/get?"),
        ("", "/cgi-bin/media/get?"),
    ],
)
def test_a_base_makes_the_url_a_whole_one(base: str, whole: str) -> None:
    """For an HTTP library that is bound to no host; a gateway's path comes first, and one slash between the two."""
    url = endpoints.download("MEDIA+ID/1").url("80_made+up", base=base)
    assert f"{whole}access_token=80_made%2Bup&media_id=MEDIA%2BID%2F1" == url
    assert "Secret('***')" == repr(url)
    assert whole.partition("/cgi-bin")[0] + "/cgi-bin/stable_token" == endpoints.stable_token("A", SECRET).url(
        None, base=base
    )


@pytest.mark.parametrize(
    "base",
    [
        "api.weixin.qq.com", "https://", "https:///wx", "ftp://gateway.example", "https://user:made-up-secret@gateway.example",
        "https://gateway.example?x=1", "https://gateway.example/wx#x", "https://gateway.example/wx y",
        "https://gateway.example\r\nX: y", "https://gateway.example\\wx", TOKEN, b"https://gateway.example", None,
    ],
)  # fmt: skip
def test_what_is_no_base_is_refused_and_not_shown(base: Any) -> None:
    """It may hold a login, or be the token in the wrong place."""
    with pytest.raises(ValueError, match=r"^base must look like https://api\.weixin\.qq\.com, .*\nbase 应") as caught:
        endpoints.get_callback_ip().url(TOKEN, base=base)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]  # ours
    assert ["url", "_joined"] == [frame.f_code.co_name for frame in frames]
    assert "made-up" not in repr([frame.f_locals for frame in frames]) + str(caught.value)


def test_headers_and_bytes_are_what_leaves() -> None:
    """Of an upload, too: any library sends the same with them, and a Content-Length of its own."""
    request = endpoints.upload(io.BytesIO(JPEG), filename="a.jpg", boundary="b0undary")
    assert {"Content-Type": "multipart/form-data; boundary=b0undary"} == request.headers
    assert request.body is not None
    body = bytes(request.body)
    assert len(request.body) == len(body)
    assert b"".join(request.body) == body  # type: ignore[arg-type]
    assert JPEG in body
    assert bytes(request.body) == body
