"""A secret is a str for the server, and three stars for whoever looks."""

import copy
import json
import pickle
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.secret import Token, any_spelling, hide, hide_if_str, scrub

MADE_UP = "80_made-up"
COPIES = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *(
        pytest.param(lambda it, number=number: pickle.loads(pickle.dumps(it, number)), id=f"pickle-{number}")
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def test_a_token_is_its_text() -> None:
    """Whatever sends a token sees a str: comparing, joining, JSON and f-strings give the real text."""
    token = Token(MADE_UP)
    assert token == MADE_UP
    assert hash(MADE_UP) == hash(token)
    assert f"{token}|{token!s}" == f"{MADE_UP}|{MADE_UP}"
    assert json.dumps({"secret": MADE_UP}) == json.dumps({"secret": token})


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (Token(MADE_UP), "Token('***')"),
        (Token(MADE_UP, 12.5), "Token('***', expires_at=12.5)"),
        (Token(MADE_UP, 0), "Token('***', expires_at=0)"),
    ],
)
def test_repr_shows_no_secret(token: Token, shown: str) -> None:
    """The repr gives the end of the token's life and not one letter of it, in a container too."""
    assert shown == repr(token)
    assert f"[{shown}]" == str([token])
    assert shown == ascii(token)


def test_the_end_is_unknown_unless_given() -> None:
    """A token from elsewhere has no known end."""
    assert Token(MADE_UP).expires_at is None


@pytest.mark.parametrize("again", COPIES)
def test_a_token_survives_pickle_and_copy(again: Any) -> None:
    """Class, text and end come back."""
    back = again(Token(MADE_UP, 1767240000.0))
    assert type(back) is Token
    assert (back, back.expires_at) == (MADE_UP, 1767240000.0)


def test_a_token_takes_no_further_attributes() -> None:
    """A typing mistake such as `expire_at` does not go unnoticed."""
    with pytest.raises(AttributeError):
        Token(MADE_UP).expire_at = 1  # type: ignore[attr-defined]


def test_hiding_keeps_a_token() -> None:
    """A token that is hidden already comes back as it is, with its end."""
    token = Token(MADE_UP, 1.0)
    assert hide(token) is token


@pytest.mark.parametrize(("value", "text"), [(MADE_UP, MADE_UP), ("", ""), (None, ""), (b"80_made-up", ""), (7, "")])
def test_hiding_never_raises(value: object, text: str) -> None:
    """What is no str becomes an empty token, which the caller refuses."""
    assert type(hide(value)) is Token
    assert text == hide(value)


def test_a_str_where_another_thing_belongs_is_hidden() -> None:
    """Token and pool swapped by mistake: the traceback shows neither."""
    pool = object()
    assert hide_if_str(pool) is pool
    assert type(hide_if_str(MADE_UP)) is Token


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda secret: quote(secret, safe=""),
    "percent, all": lambda secret: "".join(f"%{ord(char):02x}" for char in secret),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json, slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "json, all": lambda secret: "".join(f"\\u{ord(char):04X}" for char in secret),
    "html": escape,
    "html, all": lambda secret: "".join(f"&#{ord(char)};" for char in secret),
    "html, hex": lambda secret: "".join(f"&#x{ord(char):X};" for char in secret),
}


@settings(deadline=None)
@given(st.sampled_from(sorted(SPELLINGS)), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_secret_is_found_in_any_spelling(spelling: str, secret: str) -> None:
    """An echo may come back encoded once: in a URL, in JSON or in HTML."""
    assert any_spelling(secret).fullmatch(SPELLINGS[spelling](secret))


@settings(deadline=None)
@given(st.text(st.sampled_from("aB1+/%&._-"), min_size=1), st.text(st.sampled_from("aB1+/%&._-")))
def test_no_other_text_is_taken_for_the_secret(secret: str, other: str) -> None:
    """A secret is no pattern: its dots and plus signs stand for themselves."""
    assert (secret == other) == bool(any_spelling(secret).fullmatch(other))


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("", ""),
        ("/media/get?access_token=80_x&media_id=M", "/media/get?access_token=***&media_id=M"),
        ("/media/get?media_id=M&access_token=80_x", "/media/get?media_id=M&access_token=***"),
        ("grant_type=client_credential&appid=A&secret=S", "grant_type=client_credential&appid=A&secret=***"),
        ('{"access_token":"80_x","expires_in":7200}', '{"access_token":"***","expires_in":7200}'),
        ('{"appid": "A", "secret" : "S"}', '{"appid": "A", "secret" : "***"}'),
        ("{'appsecret': 'S', 'session_key': 'K'}", "{'appsecret': '***', 'session_key': '***'}"),
        ("ACCESS_TOKEN=80_x", "ACCESS_TOKEN=***"),
        ("aes_key=K, AESKey: K", "aes_key=***, AESKey: ***"),
        ("the token " + "a" * 32 + " is wrong", "the token *** is wrong"),
        ("http://x/?t=" + "%3D" * 11, "http://x/?***"),
        ("a" * 31, "a" * 31),
    ],
)
def test_scrubbing_blanks_what_is_named_or_long(text: str, scrubbed: str) -> None:
    """A value named like a secret, or as long as one, becomes three stars; the rest stays readable."""
    assert scrubbed == scrub(text)


@pytest.mark.parametrize(
    "errmsg",
    [
        "access_token missing rid: 6aac0064-355b48ab-4c5b487e",
        "invalid appsecret rid: 67b81456-7702e5f9-2c9e1783",
        "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 6aac005a-01bfdbee-79769285",
        "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, "
        "more details at https://mmbizurl.cn/s/JtxxFh33r rid: 6aac0075-1b3628cf-4ed2dcbf",
        "empty post data hint: [fEmAsDOre-5_d8LA] rid: 62183ab5-2b35a499-4ccae8ac",
    ],
)
def test_scrubbing_keeps_what_helps(errmsg: str) -> None:
    """Texts of WeChat's errors, with rid, hint and address, are not taken for secrets."""
    assert errmsg == scrub(errmsg)


@settings(deadline=None)
@given(
    before=st.text(max_size=40),
    form=st.sampled_from(
        ["access_token=%s&a=1", '"secret":"%s"', "'secret': '%s'", '"appsecret" : "%s"', "aes_key=%s"]
    ),
    secret=st.text(st.sampled_from("MARKERmarker0189_-"), min_size=6, max_size=40),
    after=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_no_named_secret_survives(before: str, form: str, secret: str, after: str) -> None:
    """Whatever stands around it, a secret in a named place is gone."""
    secret = f"~{secret}~"
    assert secret not in scrub(before + form % secret + after)
