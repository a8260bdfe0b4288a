"""What a cassette must not hold becomes a numbered placeholder, whatever it is called and however it is escaped."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.testing.scrubbing import Scrubber, occurs

TOKEN = "80_" + "aB3-_" * 26
SECRET = "0123456789abcdef0123456789abcdef"
OPENID = "oReal_openid_of_28_letters-1"
AES_KEY = "made" * 10 + "upA"


def scrubber() -> Scrubber:
    return Scrubber(dict)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{"touser":"{OPENID}","msgtype":"text"}}', '{"touser":"OPENID_1","msgtype":"text"}'),
        (f'{{ "touser" : "{OPENID}" }}', '{ "touser" : "OPENID_1" }'),
        ('{"touser":"ann"}', '{"touser":"OPENID_1"}'),
        ('{"touser":["ann","bob","ann"]}', '{"touser":["OPENID_1","OPENID_2","OPENID_1"]}'),
        (
            '{"data":{"openid":["a", "b"]},"next_openid":"b"}',
            '{"data":{"openid":["OPENID_2", "OPENID_1"]},"next_openid":"OPENID_1"}',
        ),
        (
            '{"user_list":[{"openid":"a"},{"openid":"b"}]}',
            '{"user_list":[{"openid":"OPENID_1"},{"openid":"OPENID_2"}]}',
        ),
        ('{"appid":"wx1","secret":"s1"}', '{"appid":"APPID_1","secret":"SECRET_1"}'),
        (
            '{"component_appid":"wx1","component_appsecret":"s"}',
            '{"component_appid":"APPID_1","component_appsecret":"SECRET_1"}',
        ),
        (
            '{"access_token":"t","authorizer_refresh_token":"u"}',
            '{"access_token":"TOKEN_1","authorizer_refresh_token":"TOKEN_2"}',
        ),
        ('{"ACCESS_TOKEN":"t"}', '{"ACCESS_TOKEN":"TOKEN_1"}'),
        ("cloudbase_access_token=t&from_appid=wx1", "cloudbase_access_token=TOKEN_1&from_appid=APPID_1"),
        ('{"session_key":"k","unionid":"u"}', '{"session_key":"SECRET_1","unionid":"OPENID_1"}'),
        ('{"EncodingAESKey":"k","push_token":"p"}', '{"EncodingAESKey":"AES_KEY_1","push_token":"PUSH_TOKEN_1"}'),
        # As an escape of JSON, with a quotation mark in it, and JSON in JSON.
        (r'{"touser":"\u0061nn","x":1}', '{"touser":"OPENID_1","x":1}'),
        (r'{"secret":"a\"b\/c","x":1}', '{"secret":"SECRET_1","x":1}'),
        (
            r'{"request_body":"{\"touser\":\"ann\",\"x\":\"y\"}"}',
            r'{"request_body":"{\"touser\":\"OPENID_1\",\"x\":\"y\"}"}',
        ),
        (r'"{\"openid\":[\"a\",\"b\"]}"', r'"{\"openid\":[\"OPENID_1\",\"OPENID_2\"]}"'),
        (r'{"touser":"no \q escape","x":1}', '{"touser":"OPENID_1","x":1}'),
        # In a URL that a text quotes.
        ('{"request_url":"access_token=80_x&type=image"}', '{"request_url":"access_token=TOKEN_1&type=image"}'),
        (
            r'{"url":"https:\/\/x\/?a=1\u0026access_token=80_x\u0026b=1"}',
            r'{"url":"https:\/\/x\/?a=1\u0026access_token=TOKEN_1\u0026b=1"}',
        ),
        ('{"back":"x%3Faccess_token%3D80_x%26a%3D1"}', '{"back":"x%3Faccess_token%3DTOKEN_1%26a%3D1"}'),
        (
            "grant_type=client_credential&appid=wx1&secret=s",
            "grant_type=client_credential&appid=APPID_1&secret=SECRET_1",
        ),
        # In XML.
        (
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName>ann</FromUserName></xml>",
            "<xml><ToUserName><![CDATA[OPENID_1]]></ToUserName><FromUserName>OPENID_2</FromUserName></xml>",
        ),
        # What only looks like one.
        ('{"touser":"","msgid":1,"openid":null,"tokens":"x","mytoken=":1}', None),
        ('{"content":"the access_token is gone, the openid: too"}', None),
    ],
)  # fmt: skip
def test_what_has_the_name_of_a_secret_is_taken_out(body: str, expected: str | None) -> None:
    """In JSON, forms, XML and texts; nothing else changes, and scrubbing twice makes no difference."""
    scrub = scrubber()
    assert (body if expected is None else expected) == scrub.body(body.encode()).decode()
    assert (body if expected is None else expected) == scrub.body(scrub.body(body.encode())).decode()


def test_one_value_has_one_placeholder_however_it_is_escaped() -> None:
    """In a URL, in JSON and in another text it is the same one."""
    scrub = scrubber()
    assert "https://x/y?access_token=TOKEN_1" == scrub.url("https://x/y?access_token=a%2B%2Fb-and-sixteen")
    assert b'{"access_token":"TOKEN_1"}' == scrub.body(rb'{"access_token":"a\u002b\/b-and-sixteen"}')
    assert "not TOKEN_1, TOKEN_1!" == scrub.text("not a+/b-and-sixteen, a%2b%2Fb-and-sixteen!")


def test_a_url_is_scrubbed_by_the_names_of_its_parameters() -> None:
    """An openid in a URL too; the others stay, and their order."""
    url = f"https://x/cgi-bin/y?a=1&openid={OPENID}&{urlencode({'access_token': TOKEN})}&type=image&b"
    assert "https://x/cgi-bin/y?a=1&openid=OPENID_1&access_token=TOKEN_1&type=image&b" == scrubber().url(url)
    assert "https://x/y" == scrubber().url("https://x/y")


def test_headers_are_scrubbed_by_name_and_by_value() -> None:
    """Those of WeChat cloud hosting, and what an echo holds."""
    scrub = scrubber()
    assert "OPENID_1" == scrub.header("X-WX-OPENID", OPENID)
    assert "APPID_1" == scrub.header("Wechatmp-Appid", "wx1")
    assert 'attachment; filename="OPENID_1.jpg"' == scrub.header(
        "Content-disposition", f'attachment; filename="{OPENID}.jpg"'
    )
    assert "no-cache" == scrub.header("Cache-Control", "no-cache")


def test_what_a_reply_brings_is_numbered_on_its_own() -> None:
    """On replay a reply brings a placeholder: what only requests bring must not depend on it."""
    recording, replay = scrubber(), scrubber()
    reply = recording.body(f'{{"access_token":"{TOKEN}"}}'.encode(), given=True)
    assert b'{"access_token":"GIVEN_TOKEN_1"}' == reply
    assert "/x?access_token=TOKEN_1" == recording.url("/x?access_token=80_made-up")
    assert "/x?access_token=GIVEN_TOKEN_1" == recording.url(f"/x?access_token={TOKEN}")
    assert "/x?access_token=TOKEN_1" == replay.url("/x?access_token=another")
    assert "/x?access_token=GIVEN_TOKEN_1" == replay.url("/x?access_token=GIVEN_TOKEN_1")


def test_what_is_known_is_taken_out_wherever_it_stands() -> None:
    """A key has no name in a text of a customer's; and a secret of few letters is looked for as a word."""
    scrub = Scrubber(lambda: {AES_KEY: "AES_KEY", "madeUp": "PUSH_TOKEN", "ann": "OPENID", "abc": "PUSH_TOKEN"})
    text = f'{{"text":{{"content":"{AES_KEY}, {quote(AES_KEY[::-1])}, madeUp, madeUpon, annual, ann, abc"}}}}'
    expected = f'{{"text":{{"content":"AES_KEY_1, {AES_KEY[::-1]}, PUSH_TOKEN_1, madeUpon, annual, ann, abc"}}}}'
    assert expected == scrub.body(text.encode()).decode()
    assert {AES_KEY: "AES_KEY", "madeUp": "PUSH_TOKEN"} == scrub.values


def test_a_picture_is_left_alone_but_for_what_is_known() -> None:
    """Bytes that are not text have no names in them."""
    scrub = Scrubber(lambda: {SECRET: "SECRET", "madeUp": "PUSH_TOKEN", AES_KEY: "AES_KEY"})
    picture = b'\xff\xd8\xff "touser":"ann" madeUp '
    assert picture == scrub.body(picture)
    assert picture + b"SECRET_1" == scrub.body(picture + SECRET.encode())


def test_the_longer_of_two_goes_first() -> None:
    """Otherwise a part of it would be left over."""
    scrub = Scrubber(lambda: {SECRET: "SECRET", SECRET * 2: "TOKEN"})
    assert "TOKEN_1 and SECRET_1" == scrub.text(f"{SECRET * 2} and {SECRET}")


def test_values_hide() -> None:
    """A failing test may show the locals of any frame."""
    scrub = scrubber()
    scrub.url(f"/x?access_token={TOKEN}")
    assert TOKEN not in repr(scrub.values)


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (SECRET, "SECRET", True),
        ("madeUp", "PUSH_TOKEN", True),
        ("short", "PUSH_TOKEN", False),
        ("a-customer", "OPENID", False),
    ],
)
def test_what_is_too_short_is_not_looked_for(value: str, kind: str, found: bool) -> None:
    """It could be any word."""
    assert found == (occurs(value, kind) is not None)


@pytest.mark.parametrize("value", ["\\", "a\\", '"', '\\"', 'a"b\\', '\\\\"x'])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_value_may_hold_backslashes_and_quotation_marks(value: str, depth: int) -> None:
    """In JSON inside JSON, too."""
    bodies = [json.dumps({"touser": openid, "count": 1}) for openid in (value, "OPENID_1")]
    for _ in range(depth):
        bodies = [json.dumps({"body": body}) for body in bodies]
    assert bodies[1].encode() == scrubber().body(bodies[0].encode())


NAMES = st.sampled_from(["touser", "openid", "access_token", "secret", "appid", "EncodingAESKey"])
VALUES = st.text(min_size=1, max_size=40)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.booleans())
def test_any_values_match_again_under_other_values(pairs: list[tuple[str, str]], ascii_only: bool) -> None:
    """Whatever stands in the fields, another run with other values in the same places gives the same bytes."""
    others = {value: f"{number:x}-another" for number, value in enumerate(sorted({value for _, value in pairs}))}
    first, second = scrubber(), scrubber()
    for name, value in pairs:
        bodies = [
            json.dumps({name: it}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
            for it in (value, others[value])
        ]
        scrubbed = first.body(bodies[0])
        assert scrubbed == second.body(bodies[1])
        assert scrubbed == first.body(scrubbed)
        assert f"/x?{name}=" + json.loads(scrubbed)[name] == first.url(f"/x?{name}={quote(value, safe='')}")
