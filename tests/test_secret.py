"""A secret is a str for the server, and three stars for any reader."""

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

from wxcs_lite.secret import (
    CloudbaseToken,
    FromAppid,
    Secret,
    SecretBytes,
    Token,
    any_spelling,
    credential,
    hidden,
    hide,
    hide_if_str,
    hide_named,
    secret_of,
)

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
    assert MADE_UP == token
    assert hash(MADE_UP) == hash(token)
    assert f"{MADE_UP}|{MADE_UP}" == f"{token}|{token!s}"
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
@pytest.mark.parametrize("kind", [Secret, CloudbaseToken, FromAppid])
def test_every_credential_survives_pickle_and_copy(kind: type[str], again: Any) -> None:
    """With its class, which says where it stands in the query."""
    back = again(kind(MADE_UP))
    assert type(back) is kind
    assert MADE_UP == back


def test_what_a_call_is_made_with_keeps_its_class() -> None:
    """A bare str is an access token; anything but a str is an empty one, which the call refuses."""
    for kept in (None, FromAppid("wx0"), CloudbaseToken(MADE_UP), Token(MADE_UP)):
        assert credential(kept) is kept
        assert hidden("pool", kept)[1] is kept
    assert type(credential(MADE_UP)) is Secret
    assert [type(found) for found in (credential(b"bytes"), credential(7))] == [Secret, Secret]
    assert ["", ""] == [credential(b"bytes"), credential(7)]


def test_only_a_token_is_a_secret() -> None:
    """An appid is not one: an echo of it in a reply is left alone."""
    assert [None, None] == [secret_of(None), secret_of(FromAppid("wx0"))]
    assert [MADE_UP, MADE_UP] == [secret_of(CloudbaseToken(MADE_UP)), secret_of(Token(MADE_UP))]
    assert "FromAppid('wx0')" == repr(FromAppid("wx0"))


@pytest.mark.parametrize("again", COPIES)
def test_a_token_survives_pickle_and_copy(again: Any) -> None:
    """Class, text and end come back."""
    back = again(Token(MADE_UP, 1767240000.0))
    assert type(back) is Token
    assert MADE_UP == back
    assert 1767240000.0 == back.expires_at


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
    """Anything but a str becomes an empty secret, which the caller refuses."""
    assert type(hide(value)) is Secret
    assert text == hide(value)


def test_a_str_where_another_thing_belongs_is_hidden() -> None:
    """Token and pool swapped by mistake: the traceback shows neither."""
    pool = object()
    assert hide_if_str(pool) is pool
    assert type(hide_if_str(MADE_UP)) is Secret


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
    """A secret is not a pattern: its dots and plus signs stand for themselves."""
    assert (secret == other) == bool(any_spelling(secret).fullmatch(other))


def test_two_secrets_that_differ_at_the_end_are_told_apart_at_once() -> None:
    """Each character has one way to match: with two, 80 of them would have had 2**80, and the search no end."""
    assert not any_spelling("a" * 80 + "b").search("a" * 80 + "c")


@pytest.mark.parametrize(
    ("secret", "cut", "shown"),
    [
        (Token(MADE_UP, 1.0), "80_made", "Token('***')"),
        (Secret(MADE_UP), "80_made", "Secret('***')"),
        (CloudbaseToken(MADE_UP), "80_made", "CloudbaseToken('***')"),
        (SecretBytes(MADE_UP.encode()), b"80_made", "SecretBytes('***')"),
    ],
)
def test_a_slice_hides_too(secret: Any, cut: object, shown: str) -> None:
    """Viewers that cut a text before they ask for its repr show three stars; a Token's slice has no end."""
    assert cut == secret[:7]
    assert type(secret) is type(secret[:7])
    assert shown == repr(secret[:7])
    assert "80" not in repr(secret[:0]) + repr(secret)


def test_hidden_bytes_hide_their_text_too() -> None:
    """That of bytes is their repr, which print and a log's %s would show."""
    assert "SecretBytes('***') SecretBytes('***')" == "{} {!s}".format(*[SecretBytes(b"made-up")] * 2)


def test_what_holds_itself_is_copied_some_levels_deep() -> None:
    """Making JSON of it reports what is wrong with it."""
    body: dict[str, Any] = {"secret": "made-up"}
    body["self"] = body
    assert "made-up" == hide_named(body)["self"]["secret"]
    assert "Secret('***')" == repr(hide_named(body)["self"]["secret"])


def test_hidden_bytes_are_bytes() -> None:
    """urllib3 and recorders see what is sent."""
    assert b"made-up" == SecretBytes(b"made-up")
    assert ord("m") == SecretBytes(b"made-up")[0]
