"""Pushes: published ones are read, changed ones are refused, and the value is frozen, exact and discreet."""

import base64
import copy
import json
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, TracebackType
from typing import Any, assert_type, get_type_hints

import pytest

from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.push import (
    SUCCESS,
    Push,
    decrypt,
    dedupe_key,
    echo,
    encrypt,
    push_app,
    read_push,
    seal,
    transfer_to_agent,
    verify,
)
from wxcs_lite.push import crypto as push_crypto
from wxcs_lite.push.crypto import sign
from wxcs_lite.push.markup import MAX_DEPTH, MAX_ELEMENTS, write_xml
from wxcs_lite.push.value import MAX_BODY, parse
from wxcs_lite.secret import hide

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "push_vectors.json").read_text(encoding="utf-8")
)
FRAMES = VECTORS["crypto"] + VECTORS["derived_crypto"]
TOKEN, KEY, APPID, NOW = "AAAAA", "A" * 42 + "G", "wxba5fad812f8e6fb9", 1714112445


def by_id(section: str, name: str) -> dict[str, Any]:
    return next(entry for entry in VECTORS[section] if entry["id"] == name)


def each(entries: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=[entry["id"] for entry in entries])


def signed(**more: str) -> dict[str, str]:
    query = {"timestamp": str(NOW), "nonce": "415670741", **more}
    return {"signature": sign(TOKEN, query["timestamp"], query["nonce"]), **query}


def sealed(plaintext: bytes, *, form: str = "json", appid: str = APPID) -> tuple[dict[str, str], bytes]:
    frame = encrypt(plaintext, aes_key=KEY, appid=appid)
    body = {"ToUserName": "gh_1", "Encrypt": frame}
    query = signed(openid="OPENID", encrypt_type="aes")
    query["msg_signature"] = sign(TOKEN, query["timestamp"], query["nonce"], frame)
    return query, (write_xml(body) if form == "xml" else json.dumps(body)).encode()


def read(body: bytes) -> Push:
    return read_push(signed(), body, token=TOKEN)


# Published frames, signatures, pushes and answers


@each(FRAMES)
def test_every_frame_decrypts_and_encrypts_again_to_the_same_text(entry: dict[str, Any]) -> None:
    """Also with keys whose last bits are not zero, and with pad bytes up to 32."""
    key, appid = entry["encoding_aes_key"], entry["frame_id"]
    plaintext = decrypt(entry["encrypt"], aes_key=key, appid=appid)
    assert plaintext == entry["plaintext"].encode()
    assert len(plaintext) == entry["msg_len"]
    assert encrypt(plaintext, aes_key=key, appid=appid, random=entry["random_16"].encode()) == entry["encrypt"]


@each([entry for entry in FRAMES if "msg_signature" in entry])
def test_every_msg_signature_is_right_and_covers_the_frame(entry: dict[str, Any]) -> None:
    """And is another one than `signature`, which does not."""
    given = (entry["token"], entry["timestamp"], entry["nonce"], entry["msg_signature"])
    assert verify(*given, entry["encrypt"])
    assert not verify(*given, entry["encrypt"].swapcase())
    assert not verify(*given)


@each([entry for entry in VECTORS["signatures"] + VECTORS["crypto"] if "signature" in entry])
def test_every_signature_is_right(entry: dict[str, Any]) -> None:
    """Three inputs for a query; the hash itself takes any number."""
    if "inputs" in entry:
        assert sign(*entry["inputs"]) == entry["signature"]
    else:
        assert verify(entry["token"], entry["timestamp"], entry["nonce"], entry["signature"])


def test_the_published_check_of_the_url_is_echoed() -> None:
    """As bytes and nothing else."""
    entry = by_id("signatures", "official-mp-url-verification")
    query = {name: entry[name] for name in ("signature", "timestamp", "nonce", "echostr")}
    assert echo(query, token=entry["token"]) == entry["expected_http_body"].encode()


@each([entry for entry in VECTORS["crypto"] if entry["direction"] == "wechat->server" and "xml" in entry["plaintext"]])
def test_published_secure_xml_pushes_are_read(entry: dict[str, Any]) -> None:
    """From the query and the envelope to the fields."""
    query = {name: entry[name] for name in ("timestamp", "nonce", "msg_signature")}
    body = write_xml({"ToUserName": "gh_97417a04a28d", "Encrypt": entry["encrypt"]}).encode()
    push = read_push(query, body, token=entry["token"], aes_key=entry["encoding_aes_key"], appid=entry["frame_id"])
    assert "xml" == push.format
    assert isinstance(push.CreateTime, int)
    assert push.get("debug_str", push.get("Content")) in ("hello world", "hello")


def test_the_published_secure_json_push_is_read() -> None:
    """By msg_signature; the plain signature may even be wrong."""
    entry = by_id("crypto", "official-mp-json-push-secure")
    query = {name: entry[name] for name in ("timestamp", "nonce", "msg_signature")}
    body = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": entry["encrypt"]}).encode()
    push = read_push(
        {**query, "signature": "0"}, body, token="AAAAA", aes_key=entry["encoding_aes_key"], appid=entry["frame_id"]
    )
    assert push.fields == json.loads(entry["plaintext"])
    with pytest.raises(PushRejected):
        read_push(
            {**query, "msg_signature": entry["signature"]}, body, token="AAAAA", aes_key=entry["encoding_aes_key"]
        )


@each(VECTORS["inbound_push"])
def test_every_push_is_read_alike_from_json_and_xml(entry: dict[str, Any]) -> None:
    """Each field under WeChat's name, with the same value."""
    push = read(json.dumps(entry["body_json"], ensure_ascii=False).encode())
    assert push.fields == entry["body_json"]
    assert all(getattr(push, name) == value for name, value in entry["body_json"].items())
    if "body_xml_equivalent" in entry:
        twin = read(
            b"\xef\xbb\xbf\r\n  " + re.sub(r"(</\w+>|^<xml>)", r"\1\n  ", entry["body_xml_equivalent"]).encode()
        )
        assert "xml" == twin.format
        assert twin.fields == push.fields
        assert dedupe_key(twin) == dedupe_key(push)


@pytest.mark.parametrize(("name", "form"), [("json", "json"), ("thirdparty-xml", "xml")])
def test_published_sealed_answers_come_out_byte_for_byte(name: str, form: Any) -> None:
    """TimeStamp a number, Nonce a string."""
    entry = next(e for e in VECTORS["crypto"] if e["id"].startswith("official") and f"{name}-reply" in e["id"])
    answer = seal(
        entry["plaintext"].encode(),
        token=entry["token"],
        aes_key=entry["encoding_aes_key"],
        appid=entry["frame_id"],
        timestamp=int(entry["timestamp"]),
        nonce=entry["nonce"],
        format=form,
        random=entry["random_16"].encode(),
    )
    published = by_id("push_replies", f"encrypted-{form}-envelope")
    if form == "json":
        assert json.loads(answer) == published["body_json"]
    else:
        assert answer.decode() == published["body_xml"]


def test_published_hand_over_comes_out_byte_for_byte() -> None:
    """From the user to the account becomes from the account to the user; the JSON form says the same."""
    published = by_id("push_replies", "transfer-customer-service-xml")["body_xml"]
    fields = {"ToUserName": "fromuser", "FromUserName": "touser", "CreateTime": 1399197672, "MsgType": "text"}
    assert transfer_to_agent(Push(fields, "xml")).decode() == published
    twin = json.loads(transfer_to_agent(Push(fields, "json")))
    assert twin == parse(published.encode()).fields


# Reading


@pytest.mark.parametrize("form", ["json", "xml"])
def test_secure_mode_believes_only_what_is_inside(form: str) -> None:
    """In compatible mode, too, where the same fields stand outside in plain text."""
    query, body = sealed(b'{"MsgType":"text","Content":"inside"}', form=form)
    if form == "json":
        body = json.dumps({**json.loads(body), "MsgType": "text", "Content": "outside"}).encode()
    assert "inside" == read_push(query, body, token=TOKEN, aes_key=KEY, appid=APPID).Content


def test_compatible_mode_without_a_key_reads_the_plain_fields() -> None:
    """And keeps Encrypt among them."""
    query, body = sealed(b"{}")
    body = json.dumps({**json.loads(body), "MsgType": "text", "Content": "outside"}).encode()
    push = read_push(query, body, token=TOKEN)
    assert "outside" == push.Content
    assert "Encrypt" in push.fields


def rejected(query: Mapping[str, Any], body: bytes, match: str, **more: Any) -> None:
    with pytest.raises(PushRejected, match=match) as caught:
        read_push(query, body, **{"token": TOKEN, "aes_key": KEY, "appid": APPID, **more})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert any("\u4e00" <= c <= "\u9fff" for c in caught.value.args[1])


def test_what_is_refused_says_why() -> None:
    """In both languages, without a chain, without a value."""
    query, body = sealed(b'{"MsgType":"text"}')
    rejected(signed(), b'{"MsgType":"text"}', "plain text")
    rejected(signed(), b'{"Encrypt":["a"]}', "plain text")
    rejected(query, body, "a different appid", appid="wx0")
    rejected({**query, "nonce": ""}, body, "msg_signature")
    rejected({**query, "msg_signature": ["x"]}, body, "are lists, as parse_qs returns them")
    rejected({**query, "timestamp": "x"}, body, "msg_signature")
    rejected({**signed(), "timestamp": "415670741", "nonce": str(NOW)}, body, "signature is wrong", aes_key=None)
    rejected(query, body.replace(b'"Encrypt": "', b'"Encrypt": "AAAA'), "msg_signature")
    rejected(query, body, "encrypted: pass aes_key", aes_key=None)
    rejected({**query, "signature": "é" * 40}, body, "signature", aes_key=None)
    rejected(query, b"x", "not a push")
    assert "text" == read_push(query, body, token=TOKEN, aes_key=KEY).MsgType, "no appid compares none"


def test_max_age_refuses_what_is_too_old_or_from_the_future() -> None:
    """Only if it is given; the signature is looked at first."""
    for aes_key, (query, body) in ((None, (signed(), b'{"MsgType":"text"}')), (KEY, sealed(b'{"MsgType":"text"}'))):
        for now in (NOW - 300, NOW, NOW + 300):
            read_push(query, body, token=TOKEN, aes_key=aes_key, max_age=300, clock=lambda now=now: now)  # type: ignore[misc]
        for now in (NOW - 301, NOW + 301):
            rejected(query, body, "300 s", aes_key=aes_key, max_age=300, clock=lambda now=now: now)
        read_push(query, body, token=TOKEN, aes_key=aes_key)


def corrupted(frame: bytes) -> str:
    """Encrypt a whole frame as it is."""
    cipher = push_crypto._cipher(hide(KEY)).encryptor()
    frame = cipher.update(frame) + cipher.finalize()
    return base64.b64encode(frame).decode()


def test_bad_padding_length_and_coding_look_the_same() -> None:
    """The same text for all of them, so that it does not reveal which it was."""
    head = bytes(16) + (5).to_bytes(4, "big")
    whole = head + b"hello" + APPID.encode()
    bad = [
        "",
        "not base64!",
        "é",
        "AAAA",
        encrypt(b"hello", aes_key="B" * 43, appid=APPID),
        corrupted(whole.ljust(64, b"\0")),
        corrupted(whole.ljust(64, b"\x21")),
        corrupted(whole.ljust(63, b"\x15") + b"\x14"),
        corrupted((bytes(16) + (2**32 - 1).to_bytes(4, "big")).ljust(64, b"\x20")),
        corrupted((bytes(16) + (13).to_bytes(4, "big")).ljust(64, b"\x20")),
        corrupted(b"\x10" * 16),
        corrupted(b"\x20" * 32),
    ]
    texts = set()
    for frame in bad:
        with pytest.raises(PushRejected) as caught:
            decrypt(frame, aes_key=KEY, appid=APPID)
        texts.add(str(caught.value))
        assert caught.value.__context__ is None
    assert 1 == len(texts)
    assert b"hello" == decrypt(corrupted(whole + b"\x15" * 21), aes_key=KEY, appid=APPID)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"a":NaN}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' + b"[" * 100_000,
        b'{"MsgType":["text"]}',
        b'{"CreateTime":"soon"}',
        b'{"MsgId":{}}',
        b" " * MAX_BODY + b"{}",
        b"<html></html>",
        b"<xml>",
        b"<xml>text</xml>",
        b"<xml>text<a/></xml>",
        b"<xml><a>text<b/></a></xml>",
        b"<xml><a>&b;</a></xml>",
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        b'<!DOCTYPE xml [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><xml><a>&c;</a></xml>',
        b"<a>" * (MAX_DEPTH + 1),
        b"<xml>" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</xml>",
        b"<xml>" + b"<a/>" * MAX_ELEMENTS + b"</xml>",
        b"<xml><MsgType>text</MsgType><MsgType>text</MsgType></xml>",
    ],
    ids=range(24),
)
def test_a_body_that_is_no_push_or_past_a_limit_is_refused(body: bytes) -> None:
    """Never half read, never expanded."""
    with pytest.raises(PushRejected, match="the body is not a push"):
        read(body)


def test_limits_are_where_they_say() -> None:
    """A push just inside each of them is read."""
    assert read(b'{"a":' * 16 + b"1" + b"}" * 16).get("a")
    assert {} == read(b" " * (MAX_BODY - 2) + b"{}").fields
    assert MAX_ELEMENTS - 1 == len(read(b"<xml>" + b"<a/>" * (MAX_ELEMENTS - 1) + b"</xml>").a)
    assert read(b"<xml>" + b"<a>" * (MAX_DEPTH - 1) + b"</a>" * (MAX_DEPTH - 1) + b"</xml>").a


def test_text_survives_exactly() -> None:
    """Blanks, line breaks, markup and emoji in CDATA; a character that was cut becomes U+FFFD."""
    content = " 你好\n<a href='x'>&amp;</a> ]] > 👋 "
    assert read(write_xml({"Content": content}).encode()).Content == content
    assert "a]]>b" == read(write_xml({"Content": "a]]>b"}).encode()).Content
    assert read(json.dumps({"Content": content}, ensure_ascii=False).encode()).Content == content
    assert "a\x01\tb" == read(b'{"Content":"a\x01\tb"}').Content
    cut = "sessionFrom 你".encode()[:-1]
    assert "sessionFrom \ufffd" == read(b'{"SessionFrom":"' + cut + b'"}').SessionFrom
    assert "sessionFrom \ufffd" == read(b"<xml><SessionFrom>" + cut + b"</SessionFrom></xml>").SessionFrom
    assert "\ufffd" == read(b'{"Content":"\\ud83d"}').Content
    assert "👋" == read(b'{"Content":"\\ud83d\\udc4b"}').Content
    assert {"Content": "12", "Extra": " "} == read(b"<xml><Content>12</Content><Extra a='1'> </Extra></xml>").fields


def test_nested_and_repeated_elements_are_kept() -> None:
    """As dict and list, as their JSON twins are."""
    body = b"<xml><List><Id>a</Id><Id>b</Id><Id>c</Id></List><BusinessId>7</BusinessId></xml>"
    assert {"List": {"Id": ["a", "b", "c"]}, "BusinessId": 7} == read(body).fields


@pytest.mark.parametrize("msgid", [0, 1, 2**53 + 1, 2**63 - 1, 2**64 - 1])
def test_msgid_is_exact_to_64_bits(msgid: int) -> None:
    """From a number, from a string and from XML."""
    for body in (
        b'{"MsgId":%d}',
        b'{"MsgId":"%d"}',
        b"<xml><MsgId>%d</MsgId></xml>",
        b"<xml><MsgId> %d\n</MsgId></xml>",
    ):
        found = read(body % msgid).MsgId
        assert found == msgid
        assert type(found) is int


def test_an_id_that_is_no_number_stays_a_string() -> None:
    """Cloud functions have such MsgIds; leading zeros are not lost."""
    for value in ("49d72d67b16d115e7935ac386f2f0fa41535298877_1555684067", "007", "", "1" * 21, "-1", "１"):
        assert read(json.dumps({"MsgId": value}).encode()).MsgId == value


# The value


def test_a_push_is_frozen_and_hands_out_copies() -> None:
    """A caller who changes a copy changes only that copy."""
    push = Push({"MsgType": "event", "List": [{"a": 1}], "Map": {"b": [2]}})
    with pytest.raises(AttributeError, match="frozen"):
        push.MsgType = "x"
    with pytest.raises(AttributeError, match="frozen"):
        del push.MsgType
    push.fields["MsgType"] = "x"
    push.List.append(1)
    push.get("Map")["b"].clear()
    push.fields["List"][0]["a"] = 2
    assert {"MsgType": "event", "List": [{"a": 1}], "Map": {"b": [2]}} == push.fields


def test_a_push_compares_and_survives_pickle_and_copy() -> None:
    """Equal if fields and form are; usable in a set."""
    push = Push({"MsgType": "text", "MsgId": 1, "List": [1]}, "xml")
    for twin in (pickle.loads(pickle.dumps(push)), copy.copy(push), copy.deepcopy(push)):
        assert twin == push
        assert 1 == len({twin, push})
    assert push != Push(push.fields, "json")
    assert push != push.fields


def test_a_missing_field_says_what_there_is() -> None:
    """And `get` gives None; names with an underscore are never attributes."""
    push = Push({"MsgType": "image", "fields": "x", "_repr_html_": "<b>"})
    with pytest.raises(AttributeError, match="no Content; it has MsgType, fields, _repr_html_"):
        _ = push.Content
    with pytest.raises(AttributeError):
        _ = push._repr_html_
    assert push.get("Content") is None
    assert 1 == push.get("Content", 1)
    assert "x" == push.get("fields")
    assert "MsgType" in dir(push)


def test_fields_have_types() -> None:
    """Editors and type checkers know the documented fields; any others may have any type."""
    push = Push({"MsgType": "text", "Content": "hi", "CreateTime": 1482048670, "MsgId": "12", "Unheard": [1]})
    assert "text" == assert_type(push.MsgType, str)
    assert "hi" == assert_type(push.Content, str)
    assert 1482048670 == assert_type(push.CreateTime, int)
    assert 12 == assert_type(push.MsgId, int | str)
    assert [1] == assert_type(push.Unheard, Any)


@each([entry for entry in VECTORS["inbound_push"] if "MsgType" in entry["body_json"]])
def test_every_published_field_has_the_type_that_is_declared(entry: dict[str, Any]) -> None:
    """A field of a published push without a type would not be completed."""
    declared = get_type_hints(Push)
    undeclared = [
        name for name, value in entry["body_json"].items() if not isinstance(value, declared.get(name, NoneType))
    ]
    assert [] == undeclared


def test_repr_shows_names_and_sizes_only() -> None:
    """Also when the names are hostile."""
    push = Push({"MsgType": "text", "Content": "my secret", "MsgId": 5, "a\nb" * 50: "<script>"})
    assert repr(push) == f"<Push text (json): MsgType[4], Content[9], MsgId, {('a?b' * 50)[:40]}[8]>"
    assert "<Push ? (json): >" == repr(Push({}))
    assert len(repr(Push({f"{n}": "" for n in range(1000)}))) < 200


def test_dedupe_key_joins_repetitions_and_nothing_else() -> None:
    """Messages by MsgId; events by sender, second and name; what has neither by content."""
    event: dict[str, Any] = {
        "ToUserName": "gh",
        "FromUserName": "u",
        "CreateTime": 1,
        "MsgType": "event",
        "Event": "a",
    }
    pushes: list[dict[str, Any]] = [
        {"ToUserName": "gh", "FromUserName": "u", "MsgId": 1},
        {"ToUserName": "gh", "FromUserName": "u", "MsgId": 2},
        event,
        {**event, "Event": "b"},
        {**event, "CreateTime": 2},
        {**event, "FromUserName": "v"},
        {"InfoType": "component_verify_ticket", "CreateTime": 1, "Ticket": "一"},
        {"InfoType": "component_verify_ticket", "CreateTime": 1, "Ticket": "二"},
        {"MsgId": ""},
    ]
    assert len({dedupe_key(Push(push)) for push in pushes}) == len(pushes)
    assert dedupe_key(Push(pushes[0])) == dedupe_key(Push({**pushes[0], "Content": "again", "MsgId": "1"}, "xml"))


# Answers and configuration


def test_a_hand_over_is_for_messages_only() -> None:
    """An event, or a push without names, is refused by name."""
    for fields in ({"MsgType": "event", "FromUserName": "u", "ToUserName": "gh", "CreateTime": 1}, {"MsgType": "text"}):
        with pytest.raises(InvalidMessage, match="cannot be handed over"):
            transfer_to_agent(Push(fields))


def test_success_and_nothing_are_never_encrypted() -> None:
    """WeChat wants them bare; iOS shows a service fault otherwise."""
    assert SUCCESS == by_id("push_replies", "success")["body_text"].encode()
    for answer in (SUCCESS, b""):
        sealed_answer = seal(answer, token=TOKEN, aes_key=KEY, appid=APPID, timestamp=NOW, nonce="1", format="json")
        assert sealed_answer == answer


def test_a_sealed_answer_reads_back() -> None:
    """A nonce that would end a CDATA section does not."""
    for form in ("json", "xml"):
        answer = seal(b"<xml/>", token=TOKEN, aes_key=KEY, appid=APPID, timestamp=NOW, nonce="]]>&\"'", format=form)
        fields = parse(answer).fields
        assert "]]>&\"'" == fields["Nonce"]
        assert verify(TOKEN, str(NOW), fields["Nonce"], fields["MsgSignature"], fields["Encrypt"])
        assert b"<xml/>" == decrypt(fields["Encrypt"], aes_key=KEY, appid=APPID)


def test_two_frames_of_one_text_differ() -> None:
    """The 16 bytes at the front are random."""
    assert encrypt(b"", aes_key=KEY, appid=APPID) != encrypt(b"", aes_key=KEY, appid=APPID)
    with pytest.raises(InvalidMessage, match="random: must be 16 bytes"):
        encrypt(b"", aes_key=KEY, appid=APPID, random=b"short")


@pytest.mark.parametrize("aes_key", ["", "A" * 42, "A" * 44, "*" * 43, "A" * 43 + "==", 43])
def test_a_key_that_can_be_none_is_refused_not_taken_for_plain_mode(aes_key: Any) -> None:
    """An empty environment variable must not switch encryption off."""
    calls: list[Callable[[], object]] = [
        lambda: read_push(signed(), b"{}", token=TOKEN, aes_key=aes_key),
        lambda: push_app(print, token=TOKEN, aes_key=aes_key),
        lambda: decrypt("", aes_key=aes_key),
        lambda: encrypt(b"", aes_key=aes_key, appid=APPID),
    ]
    for call in calls:
        with pytest.raises(InvalidMessage, match="aes_key: must be the console's EncodingAESKey"):
            call()


def test_a_trailing_equals_sign_does_no_harm() -> None:
    """Some people copy the base64 whole."""
    assert b"a" == decrypt(encrypt(b"a", aes_key=KEY, appid=APPID), aes_key=KEY + "=")


@pytest.mark.parametrize("token", ["", None, 5])
def test_an_empty_token_is_refused(token: Any) -> None:
    """Anybody could sign with it."""
    assert not verify(token, "1", "2", sign("", "1", "2"))
    for call in (
        lambda: read_push(signed(), b"{}", token=token),
        lambda: echo(signed(echostr="1"), token=token),
        lambda: push_app(print, token=token),
    ):
        with pytest.raises(InvalidMessage, match="token: must be the Token"):
            call()


def test_only_bytes_are_a_body() -> None:
    """A decoded text may have lost something."""
    with pytest.raises(InvalidMessage, match="body: must be the raw bytes"):
        read_push(signed(), "{}", token=TOKEN)  # type: ignore[arg-type]


def test_the_check_of_the_url_is_refused_without_signature_or_echostr() -> None:
    """With PushRejected, as a push is."""
    for query in (signed(), {**signed(echostr="1"), "nonce": "1"}, {}):
        with pytest.raises(PushRejected):
            echo(query, token=TOKEN)


# Secrets and dependencies


def locals_of(tb: TracebackType | None) -> str:
    return "\n".join(
        f"{name}={value!r}"
        for frame, _ in traceback.walk_tb(tb)
        if frame.f_globals["__name__"].startswith("wxcs_lite")
        for name, value in frame.f_locals.items()
    )


def test_no_frame_and_no_text_shows_token_or_key() -> None:
    """Not even a traceback that prints the locals."""
    token, key = "sToken7Q", "sEcretKey" + "x" * 34
    raw = base64.b64decode(key + "=")
    frame = encrypt(b"{}", aes_key=key, appid="wx1")
    at = str(NOW)
    query = {"timestamp": at, "nonce": "2", "signature": sign(token, at, "2")}
    secure = {**query, "msg_signature": sign(token, at, "2", frame)}
    body = json.dumps({"Encrypt": frame}).encode()
    cut = json.dumps({"Encrypt": "AAAA"}).encode()
    calls: list[Callable[[], object]] = [
        lambda: echo({}, token=token),
        lambda: echo(query, token=token),
        lambda: read_push({}, b"{}", token=token),
        lambda: read_push(query, b"{", token=token),
        lambda: read_push(query, body, token=token),
        lambda: read_push(secure, body, token=token, aes_key=key, appid="wx2"),
        lambda: read_push(secure, body, token=token, aes_key=key, max_age=1),
        lambda: read_push({**secure, "msg_signature": sign(token, at, "2", "AAAA")}, cut, token=token, aes_key=key),
        lambda: read_push(secure, body, token=token, aes_key=key + "!"),
        lambda: decrypt("AAAA", aes_key=key),
        lambda: encrypt(b"", aes_key=key, appid=None),  # type: ignore[arg-type]
        lambda: seal(b"x", token=token, aes_key=key, appid="wx1", timestamp=None, nonce="1", format="xml"),  # type: ignore[arg-type]
        lambda: verify(token, "1", "2", object()) or 1 / 0,  # type: ignore[arg-type]
        lambda: push_app(5, token=token, aes_key=key),  # type: ignore[arg-type]
        lambda: push_app(print, token=token, aes_key=key, workers=0),
        lambda: push_crypto._cipher(hide(key)).encryptor().update(None),
    ]
    for call in calls:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            call()
        shown = f"{locals_of(caught.tb)}\n{caught.value!r}\n{caught.value}"
        assert token not in shown
        assert key not in shown
        assert repr(raw)[2:-1] not in shown
    assert token not in repr(push_app(print, token=token, aes_key=key))
    assert "_Key('***')" == repr(push_crypto._Key(raw))


def test_cryptography_waits_until_it_is_needed() -> None:
    """Importing does not load it; plain mode never does."""
    code = (
        "import sys, wxcs_lite.push as p; from wxcs_lite.push.crypto import sign\n"
        "q = {'timestamp': '1714112445', 'nonce': '2', 'signature': sign('t', '1714112445', '2')}\n"
        "p.push_app(print, token='t'); p.read_push(q, b'{}', token='t')\n"
        "assert not [m for m in sys.modules if m.partition('.')[0] == 'cryptography']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_cryptography_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first push comes, and with no chain."""
    push_crypto._ciphers.cache_clear()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    for call in (
        lambda: push_app(print, token=TOKEN, aes_key=KEY),
        lambda: encrypt(b"", aes_key=KEY, appid=APPID),
    ):
        with pytest.raises(ImportError, match=r"pip install 'cryptography>=") as caught:
            call()
        assert "cryptography" == caught.value.name
        assert caught.value.__context__ is None
    assert "text" == read_push(signed(), b'{"MsgType":"text"}', token=TOKEN).MsgType


def test_a_query_of_lists_is_not_blamed_on_the_token() -> None:
    """parse_qs gives lists; what to use in its place is named."""
    with pytest.raises(PushRejected, match=r"pass dict\(parse_qsl\(query_string\)\)"):
        echo({"signature": ["a"]}, token=TOKEN)  # type: ignore[dict-item]


def test_the_url_check_knows_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """With aes_key, a key that cannot be one and a missing cryptography show before the first push."""
    with pytest.raises(InvalidMessage, match="aes_key"):
        echo({}, token=TOKEN, aes_key="short")
