"""The hooks under plain VCR: what they keep from a cassette, and that what is left matches and is true."""

import gzip
import http.client
import importlib
import logging
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import vcr
from vcr.request import Request as VcrRequest

import wxcs_lite
import wxcs_lite.testing
from wxcs_lite import fetch_token, image, open_pool, send, text, upload
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.testing import scrubbed_vcr_config

OPENIDS = ("oCUSTOMER_of_the_sandbox_001", "oCUSTOMER_of_the_sandbox_002")
TOUSER = b'{"touser":"ann"}'
API = "https://api.weixin.qq.com"


@pytest.fixture
def recorder(tmp_path: Path) -> vcr.VCR:
    return vcr.VCR(cassette_library_dir=str(tmp_path), **scrubbed_vcr_config())


def talk(url: str, openids: tuple[str, ...], appid: str, secret: str) -> None:
    with open_pool(url) as pool:
        token = fetch_token(pool, appid, secret)
        picture = upload(pool, token, sunset())
        for openid in openids:
            send(pool, token, text(openid, f"hello {openid}"))
            send(pool, token, image(openid, picture.media_id))


def served() -> Any:
    sandbox = Sandbox()
    for openid in OPENIDS:
        sandbox.user(openid).says("hello")
    return sandbox.serve()


def test_plain_vcr_records_and_replays_under_other_values(recorder: vcr.VCR, tmp_path: Path) -> None:
    """Other openids, another account, another boundary, another address; each cassette counts from one."""
    sandbox = Sandbox()
    for name, openids in (("first.yaml", OPENIDS), ("second.yaml", OPENIDS[::-1])):
        with served() as url, recorder.use_cassette(name):
            talk(url, openids, sandbox.appid, sandbox.secret)
        with recorder.use_cassette(name, record_mode="none") as cassette:
            talk(
                API,
                ("oReal_customer_of_the_accoun", "oReal_other_customer_of_them"),
                "wx5e6f708192a3b4c5",
                "0f1e2d3c4b5a6978",
            )
        assert cassette.all_played
        held = (tmp_path / name).read_text("utf-8")
        assert {"1", "2"} == set(re.findall(r"hello OPENID_(\d)", held))
        assert [] == [secret for secret in (*OPENIDS, sandbox.appid, sandbox.secret, url) if secret in held]
    assert (tmp_path / "first.yaml").read_bytes() == (tmp_path / "second.yaml").read_bytes()


def test_two_customers_are_not_one(recorder: vcr.VCR) -> None:
    """Placeholders have numbers because who gets what counts: both messages to one is another conversation."""
    sandbox = Sandbox()
    with served() as url, recorder.use_cassette("two.yaml"):
        talk(url, OPENIDS, sandbox.appid, sandbox.secret)
    with (
        recorder.use_cassette("two.yaml", record_mode="none"),
        pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException),
    ):
        talk(API, OPENIDS[:1] * 2, sandbox.appid, sandbox.secret)


@pytest.fixture
def hooks() -> tuple[Any, Any]:
    """The two hooks of one cassette, as VCR asks for them."""
    config = scrubbed_vcr_config()
    (request,), (reply,) = list(config["before_record_request"]), list(config["before_record_response"])
    return request, reply


def reply(body: bytes | str, **headers: str) -> dict[str, Any]:
    found = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {"status": {"code": 200, "message": "OK"}, "headers": found, "body": {"string": body}}


@pytest.mark.parametrize(
    ("uri", "recorded"),
    [
        ("http://127.0.0.1:8080/cgi-bin/x?a=1", f"{API}/cgi-bin/x?a=1"),
        ("http://localhost/customservice/x", f"{API}/customservice/x"),
        ("http://[::1]:8080/wxa/x", f"{API}/wxa/x"),
        ("http://127.0.0.1:8080/other?to=http://127.0.0.1/cgi-bin/", "http://127.0.0.1:8080/other?to=http://127.0.0.1/cgi-bin/"),
        ("https://example.com/cgi-bin/x", "https://example.com/cgi-bin/x"),
    ],
)  # fmt: skip
def test_only_what_stands_in_for_wechat_gets_its_address(hooks: tuple[Any, Any], uri: str, recorded: str) -> None:
    """Other servers on this machine stay what they are."""
    assert recorded == hooks[0](VcrRequest("GET", uri, None, {})).uri


@pytest.mark.parametrize("boundary", ["0123", '"a b"', "----WebKitFormBoundaryx; charset=utf-8"])
@pytest.mark.parametrize("kind", [str, str.encode])
def test_any_boundary_matches(hooks: tuple[Any, Any], boundary: str, kind: Any) -> None:
    """Of any HTTP library; the length of the body is updated."""
    bare = boundary.partition(";")[0].strip('"')
    body = f'--{bare}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--{bare}--\r\n'.encode()
    headers = {"Content-Type": kind(f"multipart/form-data; boundary={boundary}"), "Content-Length": str(len(body))}
    found = hooks[0](VcrRequest("POST", f"{API}/x", body, headers))
    assert found.body == b'--BOUNDARY\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--BOUNDARY--\r\n'
    assert str(len(found.body)) == found.headers["content-length"]
    assert "BOUNDARY" in found.headers["Content-Type"]


@pytest.mark.parametrize(
    "body",
    [TOUSER, TOUSER.decode(), bytearray(TOUSER), BytesIO(TOUSER), iter([TOUSER[:9], TOUSER[9:]])],
)
def test_every_kind_of_body_is_scrubbed(hooks: tuple[Any, Any], body: Any) -> None:
    """As text, bytes, a file and in pieces."""
    request = VcrRequest("POST", f"{API}/x", body, {})
    assert b'{"touser":"OPENID_1"}' == hooks[0](request).body
    assert hooks[0](VcrRequest("GET", f"{API}/x", None, {})).body is None


def test_what_opens_doors_is_not_kept(hooks: tuple[Any, Any]) -> None:
    """Cookies and logins, in both directions; the client's name says nothing of the request."""
    login = {
        "Authorization": "Basic a",
        "Cookie": "a=b",
        "Proxy-Authorization": "c",
        "User-Agent": "d",
        "Accept": "*/*",
    }
    assert {"Accept": "*/*"} == dict(hooks[0](VcrRequest("GET", f"{API}/x", None, login)).headers)
    assert ["Date"] == list(hooks[1](reply(b"{}", Set_Cookie="a=b", Date="now"))["headers"])


@pytest.mark.parametrize("body", [b'{"access_token":"80_made-up"}', '{"access_token":"80_made-up"}'])
def test_the_length_of_a_reply_stays_true(hooks: tuple[Any, Any], body: bytes | str) -> None:
    """It is that of the changed body, for a library that counts."""
    found = hooks[1](reply(body, Content_Length="29", X_Echo="80_made-up"))
    assert b'{"access_token":"GIVEN_TOKEN_1"}' == found["body"]["string"]
    assert {"Content-Length": ["32"], "X-Echo": ["GIVEN_TOKEN_1"]} == found["headers"]


def test_what_is_compressed_is_opened_first(recorder: vcr.VCR, tmp_path: Path) -> None:
    """In gzip, no token can be found."""
    sandbox = Sandbox()
    body = gzip.compress(b'{"access_token":"80_made-up"}', mtime=0)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    sandbox.fail_next(reply=head.encode() + body)
    with sandbox.serve() as url, recorder.use_cassette("gzip.yaml"):
        connection = http.client.HTTPConnection(url.removeprefix("http://"))  # urllib3 would have opened it
        connection.request("GET", "/cgi-bin/x")
        connection.getresponse()
        connection.close()
    assert '{"access_token":"GIVEN_TOKEN_1"}' in (tmp_path / "gzip.yaml").read_text("utf-8")


def test_hooks_of_the_user_run_first() -> None:
    """One or several; what they bring in is scrubbed as well."""

    def more(request: Any) -> Any:
        request.uri += "&access_token=80_made-up"
        return request

    config = scrubbed_vcr_config(before_record_request=more, before_record_response=[])
    request = VcrRequest("GET", f"{API}/x?a=1", None, {})
    for hook in config["before_record_request"]:
        request = hook(request)
    assert f"{API}/x?a=1&access_token=TOKEN_1" == request.uri
    assert 1 == len(list(config["before_record_response"]))


def test_vcr_s_own_log_holds_no_token(recorder: vcr.VCR, caplog: pytest.LogCaptureFixture) -> None:
    """It logs each request as it was before any hook."""
    caplog.set_level(logging.DEBUG)
    sandbox = Sandbox()
    with served() as url, recorder.use_cassette("log.yaml"):
        talk(url, OPENIDS, sandbox.appid, sandbox.secret)
    assert "access_token=***" in caplog.text
    assert not re.search(r"access_token=\d", caplog.text)


@pytest.fixture
def _afresh() -> Iterator[None]:
    before = {name: module for name, module in sys.modules.items() if name.startswith("wxcs_lite.testing")}
    yield
    sys.modules.update(before)
    wxcs_lite.testing = before["wxcs_lite.testing"]


@pytest.mark.usefixtures("_afresh")
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In both languages, with the command that gets it."""
    monkeypatch.delitem(sys.modules, "wxcs_lite.testing")
    monkeypatch.setitem(sys.modules, "pytest", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("wxcs_lite.testing")
    english, chinese = str(caught.value).splitlines()
    assert english.startswith("wxcs_lite.testing needs pytest: pip install 'pytest>=8'")
    assert "需要 pytest" in chinese
