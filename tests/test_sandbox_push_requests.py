"""What is pushed, to the byte, and what an answer means: held to the published examples."""

import json
import re
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox import CustomerEvent
from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.pushes.answers import Verdict, judge
from wxcs_lite.sandbox.pushes.crypto import Sealer, sign
from wxcs_lite.sandbox.pushes.requests import Format, Setting, check_request, push_request, render
from wxcs_lite.sandbox.rules.made_up import Hidden, Names

PUBLISHED = json.loads(Path(__file__).with_name("sandbox_push_vectors.json").read_text("utf-8"))
FRAMES = {frame["id"]: frame for frame in PUBLISHED["frames"]}
REPLIES = {reply["id"]: reply for reply in PUBLISHED["replies"]}
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wxba5fad812f8e6fb9"
GH = "gh_97417a04a28d"
HEADERS = {"user-agent": "Mozilla/4.0", "accept": "*/*", "pragma": "no-cache", "content-type": "text/xml"}
HELLO = CustomerEvent(1482048670.5, "ann", "text", 2**62 + 1, {"Content": "你好"})
ENTRY = CustomerEvent(1482048670.5, "ann", "event", None, {"Event": "user_enter_tempsession", "SessionFrom": "shop"})
FIELDS: dict[str, Any] = {
    "ToUserName": "ann",
    "FromUserName": GH,
    "CreateTime": 1,
    "MsgType": "transfer_customer_service",
}


def setting(mode: str = "plain", format: Format = "json") -> Setting:
    sealer = None if mode == "plain" else Sealer(KEY, APPID)
    return Setting(Hidden("AAAAA"), format, sealer, mode == "compatible", GH)


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [str(one["id"]) for one in found]


# --- signatures and frames


@pytest.mark.parametrize("published", PUBLISHED["signatures"], ids=ids(PUBLISHED["signatures"]))
def test_published_signatures(published: dict[str, Any]) -> None:
    """Each published signature comes out of its published parts, in whatever order they are given."""
    parts = published.get("inputs") or [published[name] for name in ("token", "timestamp", "nonce")]
    assert published["signature"] == sign(*parts) == sign(*reversed(parts))


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_published_frames(frame: dict[str, Any]) -> None:
    """With its random part each published frame comes out the same to the byte, signature included, and opens again."""
    sealer = Sealer(frame["encoding_aes_key"], frame["frame_id"])
    plaintext = frame["plaintext"].encode()
    assert frame["encrypt"] == sealer.seal(plaintext, frame["random_16"])
    assert plaintext == sealer.unseal(frame["encrypt"])
    if "msg_signature" in frame:
        assert frame["msg_signature"] == sign(*(frame[name] for name in ("token", "timestamp", "nonce", "encrypt")))


@given(st.binary(max_size=100))
def test_frames_open_again(message: bytes) -> None:
    """Whatever is sealed opens again, and its size is a multiple of 32."""
    sealer = Sealer(KEY, APPID)
    assert message == sealer.unseal(sealer.seal(message, "0123456789abcdef"))


def sealed_raw(padded: bytes) -> str:
    """Encrypt bytes as they are, with whatever padding they have."""
    context = Sealer(KEY, APPID)._cipher.encryptor()
    return b64encode(context.update(padded) + context.finalize()).decode()


FRAME = b"0123456789abcdef" + (7).to_bytes(4) + b"success" + APPID.encode()  # 45 bytes
BAD_FRAMES = [
    ("not base64!", "not base64"),
    ("AAA", "not base64"),
    ("", "multiple of 32"),
    (sealed_raw(bytes(16)), "multiple of 32"),
    (sealed_raw(bytes(32)), "a different aes_key"),  # a pad byte of 0
    (sealed_raw(FRAME + b"\x21" * 19), "a different aes_key"),  # 33 is not valid padding
    (sealed_raw(FRAME + bytes(18) + b"\x13"), "a different aes_key"),  # 19, but not nineteen times
    (sealed_raw(FRAME[:10] + b"\x16" * 22), "the length"),
    (sealed_raw(FRAME[:16] + b"\xff" * 4 + FRAME[20:] + b"\x13" * 19), "the length"),
    (sealed_raw(FRAME[:-1] + b"!" + b"\x13" * 19), "the appid"),
    (sealed_raw(FRAME[:16] + (6).to_bytes(4) + FRAME[20:] + b"\x13" * 19), "the appid"),
]


@pytest.mark.parametrize(("encrypt", "said"), BAD_FRAMES)
def test_bad_frames(encrypt: str, said: str) -> None:
    """A frame that does not open is a ValueError that says why."""
    with pytest.raises(ValueError, match=said):
        Sealer(KEY, APPID).unseal(encrypt)


@pytest.mark.parametrize("aes_key", ["", KEY[:-1], KEY + "A", KEY[:-1] + "=", KEY[:-1] + "你", KEY + "\n"])
def test_bad_aes_key(aes_key: str) -> None:
    """A malformed EncodingAESKey is refused, and not repeated in the error."""
    with pytest.raises(ValueError, match="43 of A-Z") as error:
        Sealer(aes_key, APPID)
    assert KEY[:10] not in str(error.value)


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that AES needs is asked for by name."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    with pytest.raises(ImportError, match=r"pip install 'cryptography>="):
        Sealer(KEY, APPID)


# --- bodies


@pytest.mark.parametrize("published", PUBLISHED["pushes"], ids=ids(PUBLISHED["pushes"]))
def test_published_bodies(published: dict[str, Any]) -> None:
    """With the published values the bodies are the published ones, order of the fields included; XML has its lines."""
    fields = dict(published["body_json"])
    head = {name: fields.pop(name) for name in ("ToUserName", "FromUserName", "CreateTime", "MsgType")}
    event = CustomerEvent(head["CreateTime"], "fromUser", head["MsgType"], fields.pop("MsgId", None), fields)
    bodies = [
        push_request(setting(format=format)._replace(original_id="toUser"), event, nonce="1", random="").body
        for format in ("json", "xml")
    ]
    compact = json.dumps(published["body_json"], separators=(",", ":"))
    assert [compact.encode(), published["body_xml_equivalent"].encode()] == [bodies[0], bodies[1].replace(b"\n", b"")]
    assert len(published["body_json"]) == bodies[1].count(b"\n")


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("]]><![CDATA[&;\x00\x1f\r\n你👋"))
def test_any_text_survives(text: str) -> None:
    """JSON keeps every text. XML keeps all that has a place in it; a parser makes a newline of a carriage return."""
    assert {"Content": text} == json.loads(render({"Content": text}, "json"))
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    root = ElementTree.fromstring(render({"Content": text}, "xml"))
    assert kept.replace("\r\n", "\n").replace("\r", "\n") == (root.findtext("Content") or "")


def test_raw_utf8_and_lone_surrogates() -> None:
    """Chinese stays Chinese; half a surrogate pair is not an error."""
    assert '{"Content":"你好<&>"}'.encode() == render({"Content": "你好<&>"}, "json")
    assert b'{"Content":"?"}' == render({"Content": "\ud800"}, "json")
    assert b"<xml><Content><![CDATA[]]></Content>\n</xml>" == render({"Content": "\ud800"}, "xml")


# --- requests


def test_check_request() -> None:
    """The URL check is a GET with the published signature, and its echostr is plain in every mode."""
    for mode in ("plain", "compatible", "secure"):
        request = check_request(setting(mode), timestamp=1714036504, nonce="1514711492", echostr="4375120948345356249")
        query = (
            ("signature", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
            ("timestamp", "1714036504"),
            ("nonce", "1514711492"),
            ("echostr", "4375120948345356249"),
        )
        assert Request("GET", "/", query, {"user-agent": "Mozilla/4.0"}, b"", False) == request


@pytest.mark.parametrize("format", ["json", "xml"])
def test_plain_request(format: Format) -> None:
    """A plain push has signature, timestamp, nonce and openid, and is labelled text/xml whatever it is."""
    event = HELLO._replace(at=1714037059)
    request = push_request(setting(format=format), event, nonce="486452656", random="")
    assert (
        ("signature", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("timestamp", "1714037059"),
        ("nonce", "486452656"),
        ("openid", "ann"),
    ) == request.query
    assert "POST" == request.method
    assert HEADERS == request.headers
    assert request.body.startswith({"json": b'{"ToUserName":"gh_', "xml": b"<xml><ToUserName><![CDATA[gh_"}[format])


@pytest.mark.parametrize("format", ["json", "xml"])
@pytest.mark.parametrize("mode", ["compatible", "secure"])
def test_encrypted_request(mode: str, format: Format) -> None:
    """A secure push holds only whom it is for and what is sealed; a compatible one is the plain one with that added."""
    made = setting(mode, format)._replace(inner_json="compact")
    request = push_request(made, HELLO, nonce="415670741", random="a8eedb185eb2fecf")
    later = 1 if (mode, format) == ("compatible", "xml") else 0
    plain = push_request(setting("plain", format), HELLO, nonce="415670741", random="")
    signed = push_request(setting("plain"), HELLO._replace(at=HELLO.at + later), nonce="415670741", random="").query
    assert made.sealer
    encrypt = made.sealer.seal(plain.body, "a8eedb185eb2fecf")
    msg_signature = sign("AAAAA", str(1482048670 + later), "415670741", encrypt)
    assert (*signed, ("encrypt_type", "aes"), ("msg_signature", msg_signature)) == request.query
    assert plain.headers == request.headers
    visible = (
        {"ToUserName": GH}
        if mode == "secure"
        else json.loads(push_request(setting(), HELLO, nonce="1", random="").body)
    )
    assert render({**visible, "Encrypt": encrypt}, format, indent="    ") == request.body


def test_published_secure_push() -> None:
    """The published secure push has this very envelope, and both its signatures."""
    frame = FRAMES["official-mp-json-push-secure"]
    sealer = Sealer(frame["encoding_aes_key"], frame["frame_id"])
    fields = {"Event": "debug_demo", "debug_str": "hello world"}
    event = CustomerEvent(1714112445, "o9AgO5Kd5ggOC-bXrbNODIiE3bGY", "event", None, fields)
    made = Setting(frame["token"], "json", sealer, False, GH, inner_json="compact")
    request = push_request(made, event, nonce=frame["nonce"], random=frame["random_16"])
    assert {"ToUserName": GH, "Encrypt": frame["encrypt"]} == json.loads(request.body)
    assert (
        ("signature", frame["signature"]),
        ("timestamp", frame["timestamp"]),
        ("nonce", frame["nonce"]),
        ("openid", "o9AgO5Kd5ggOC-bXrbNODIiE3bGY"),
        ("encrypt_type", "aes"),
        ("msg_signature", frame["msg_signature"]),
    ) == request.query


@given(st.integers())
def test_names(seed: int) -> None:
    """Made-up names look like the published ones, and come from the seed."""
    one, two = Names(seed, "wx"), Names(seed, "wx")
    made = [one.original_id(), one.nonce(), one.echostr(), one.frame_random()]
    assert made == [two.original_id(), two.nonce(), two.echostr(), two.frame_random()]
    assert len(GH) == len(made[0])
    assert 19 == len(made[2])
    assert 16 == len(made[3])
    assert "gh_" == made[0][:3]
    assert made[1].isdecimal()
    assert made[2].isdecimal()
    assert bytes.fromhex(made[0][3:] + made[3])
    assert made[3] == made[3].lower()
    assert one.nonce() != made[1]


# --- answers


def answered(body: bytes, mode: str = "plain", event: CustomerEvent = HELLO) -> Verdict:
    return judge(setting(mode), event, Reply(200, (), body))


def transfer(format: Format = "json", **changed: Any) -> bytes:
    """A hand-over, with fields changed, or left out where the change is None."""
    return render({name: value for name, value in {**FIELDS, **changed}.items() if value is not None}, format)


def envelope(content: bytes, format: Format = "json", sealer: Sealer | None = None, **changed: Any) -> bytes:
    """The sealed form of an answer, as published."""
    encrypt = (sealer or Sealer(KEY, APPID)).seal(content, "707722b803182950")
    fields: dict[str, Any] = {
        "Encrypt": encrypt,
        "MsgSignature": sign("AAAAA", "1713424427", "415670741", encrypt),
        "TimeStamp": 1713424427,
        "Nonce": "415670741",
    } | changed
    return render({name: value for name, value in fields.items() if value is not None}, format)


@pytest.mark.parametrize("mode", ["plain", "compatible", "secure"])
@pytest.mark.parametrize("event", [HELLO, ENTRY])
def test_fine_answers(mode: str, event: CustomerEvent) -> None:
    """The bare word, or an empty answer, is right in every mode, for messages and events."""
    assert Verdict("success") == answered(b"success", mode, event)
    assert Verdict("empty") == answered(b"", mode, event)


@pytest.mark.parametrize("format", ["json", "xml"])
def test_transfers(format: Format) -> None:
    """A hand-over is plain in plain mode, sealed in secure mode, and either in compatible mode."""
    plain, sealed = transfer(format), envelope(transfer(format), format)
    assert "transfer" == answered(plain).answer == answered(plain, "compatible").answer
    assert "transfer" == answered(sealed, "compatible").answer == answered(sealed, "secure").answer
    told = "in secure mode this answer must be encrypted", "安全模式下，这个应答须加密"
    assert Verdict("abnormal", *told) == answered(plain, "secure")
    assert "abnormal" == answered(sealed).answer


def test_published_transfer() -> None:
    """The published hand-over is one, and so are its indented and longer forms."""
    published = REPLIES["transfer-customer-service-xml"]["body_xml"].encode()
    made = setting()._replace(original_id="fromuser")
    event = HELLO._replace(openid="touser")
    indented = b"\n " + re.sub(rb"(</\w+>|<xml>)", rb"\1\n  ", published) + b"\n"
    longer = published.replace(b"</xml>", b"<TransInfo><KfAccount>a@b</KfAccount></TransInfo></xml>")
    for body in (published, indented, longer):
        assert Verdict("transfer") == judge(made, event, Reply(200, (), body))


def test_published_envelopes_open() -> None:
    """The published envelopes pass all checks of an envelope; their content is not a hand-over."""
    cases: list[tuple[Format, str]] = [("json", APPID), ("xml", "wx134c8103faa5a59e")]
    for name, frame_id in cases:
        reply = REPLIES[f"encrypted-{name}-envelope"]
        body = reply["body_xml"].encode() if name == "xml" else json.dumps(reply["body_json"]).encode()
        made = Setting("AAAAA", name, Sealer("A" * 43, frame_id), False, GH)
        assert "cannot answer a push with anything else" in judge(made, HELLO, Reply(200, (), body)).why


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"success\n", "not these 8 bytes"),
        (b'"success"', "not these 9 bytes"),
        (b"Success", "not these 7 bytes"),
        (b"\xef\xbb\xbfsuccess", "not these 10 bytes"),
        (b"ok", "not these 2 bytes"),
        (b"\xff", "not these 1 bytes"),
        (b"[]", "not these 2 bytes"),
        (b"[" * 100_000, "not these 100000 bytes"),
        (b"<html><body>", "not these 12 bytes"),
        (b'<!DOCTYPE xml [<!ENTITY a "b">]><xml/>', "not these 38 bytes"),
        (b"<html><body>It works</body></html>", "anything else"),
        (b"{}", "anything else"),
        (transfer(MsgType="text", Content="hi"), "anything else"),
        (transfer(ToUserName="ben"), "ToUserName must be 'ann'"),
        (transfer(FromUserName=None), f"FromUserName must be '{GH}'"),
        (transfer(CreateTime="1"), "CreateTime must be a number"),
        (transfer(CreateTime=True), "CreateTime must be a number"),
        (transfer("xml", CreateTime="x"), "CreateTime must be a number"),
        (transfer("xml", CreateTime="١"), "CreateTime must be a number"),
        (transfer("xml", CreateTime=None), "CreateTime must be a number"),
    ],
)
def test_abnormal_answers(body: bytes, said: str) -> None:
    """Anything else is abnormal, and the verdict says why."""
    verdict = answered(body)
    assert "abnormal" == verdict.answer
    assert said in verdict.why
    assert not verdict.why_zh.isascii()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (envelope(transfer(), Encrypt=None), "must be encrypted"),
        (envelope(transfer(), TimeStamp="1713424427"), "TimeStamp must be a number"),
        (envelope(transfer(), TimeStamp=None), "TimeStamp must be a number"),
        (envelope(transfer(), Nonce=415670741), "must be texts"),
        (envelope(transfer(), MsgSignature=None), "must be texts"),
        (envelope(transfer(), Encrypt=1), "must be texts"),
        (envelope(transfer(), Nonce="1"), "MsgSignature does not match"),
        (envelope(transfer(), MsgSignature="0" * 40), "MsgSignature does not match"),
        (envelope(transfer(), sealer=Sealer("A" * 43, APPID)), "a different aes_key"),
        (envelope(transfer(), sealer=Sealer(KEY, "wx0")), "the appid"),
        (envelope(b"success"), "success must not be encrypted"),
        (envelope(b"<xml>"), "not these 5 bytes"),
        (envelope(transfer(ToUserName="ben")), "ToUserName must be 'ann'"),
    ],
)
def test_abnormal_envelopes(body: bytes, said: str) -> None:
    """A sealed answer is checked in all its parts; the key and the token are not shown."""
    verdict = answered(body, "secure")
    assert "abnormal" == verdict.answer
    assert said in verdict.why
    assert not verdict.why_zh.isascii()
    assert "AAAAA" not in verdict.why


def test_events_are_not_handed_over() -> None:
    """Only a message can be answered with a hand-over."""
    told = "only a message can be handed over to an agent, not an event", "只有消息可以转人工，事件不行"
    assert Verdict("abnormal", *told) == answered(transfer(), event=ENTRY)


@pytest.mark.parametrize("status", [301, 404, 500, 199])
def test_failed_answers(status: int) -> None:
    """Another status than 2xx is as good as no answer, whatever it says."""
    failed = f"HTTP {status}"
    assert Verdict("failed", failed, failed) == judge(setting(), HELLO, Reply(status, (), b"success"))
    assert Verdict("failed", "no answer", "没有应答") == judge(setting(), HELLO, "no answer\n没有应答")
    assert Verdict("success") == judge(setting(), HELLO, Reply(204, (), b"success"))
