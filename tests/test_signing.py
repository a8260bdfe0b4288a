"""The API signature: the published frames, everything that is refused, and the calls that use it."""

import base64
import hashlib
import json
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.test_signing_keys import DERIVED_REQUEST, KEYS, VECTORS, certificate, given, keys, made
from wxcs_lite import (
    ApiError,
    BadReply,
    InvalidMessage,
    Reply,
    Request,
    WindowClosed,
    clear_quota,
    endpoints,
    fetch_token,
    get_quota,
    get_rid,
    open_pool,
    send,
    text,
)
from wxcs_lite.replies import read_ok
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.signing import SigningKeys, encrypt, open_reply, sign

_, REQUEST, REPLY = VECTORS["published"]
_, DERIVED_REPLY, SM4_REQUEST = VECTORS["derived"]
JPEG = b"\xff\xd8\xff\xe0 made up"
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
NONCE, IV, NOW = "AAECAwQFBgcICQoLDA0ODw==", bytes(range(12)), 1700000000
URL = "https://api.weixin.qq.com/cgi-bin/openapi/quota/get"


def published_keys() -> SigningKeys:
    return keys(
        appid=KEYS["appid"],
        symmetric_key=KEYS["symmetric_key_base64"],
        symmetric_sn=KEYS["symmetric_key_number"],
        certificate=KEYS["platform_certificate_pem"],
        certificate_sn=KEYS["platform_certificate_number"],
    )


def signed_at(path: str, timestamp: int) -> Request:
    """Return as much of a signed request as its reply is compared with."""
    return Request("POST", path, extra_headers=(("Wechatmp-TimeStamp", str(timestamp)),))


PUBLISHED_REQUEST = signed_at("/wxa/getuserriskrank", REQUEST["timestamp"])
PUBLISHED_REPLY = Reply(200, REPLY["headers"], REPLY["body"].encode())


def seal(plaintext: bytes, *, at: int = NOW, bound_at: int | None = None, iv: bytes = IV, sn: str = "") -> bytes:
    """Encrypt as WeChat does, written apart from the code that is tested."""
    bound = f"{URL}|wx0123456789abcdef|{at if bound_at is None else bound_at}|{sn or given()['symmetric_sn']}"
    both = AESGCM(bytes(range(32))).encrypt(iv, plaintext, bound.encode())
    parts = {"iv": iv, "data": both[:-16], "authtag": both[-16:]}
    return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()


def answer(body: bytes, *, at: int = NOW, key: str = "platform", kind: str = "", **headers: Any) -> Reply:
    """Sign as WeChat does."""
    lines = f"{URL}\nwx0123456789abcdef\n{at}\n".encode() + body
    signature = base64.b64encode(made(key).sign(lines, PSS, hashes.SHA256())).decode()
    named = {
        "Wechatmp-Appid": "wx0123456789abcdef",
        "Wechatmp-TimeStamp": str(at),
        f"Wechatmp-Serial{kind}": "abcdef0123456789abcdef0123456789",
        f"Wechatmp-Signature{kind}": signature,
    }
    return Reply(200, {**named, **{name.replace("_", "-"): value for name, value in headers.items()}}, body)


def inside(at: int = NOW, **fields: Any) -> bytes:
    return json.dumps({"_n": "n", "_appid": "wx0123456789abcdef", "_timestamp": at, **fields}).encode()


ASKED = signed_at("/cgi-bin/openapi/quota/get", NOW)


# The published frames


@pytest.mark.parametrize("entry", [REQUEST, REPLY], ids=["request", "reply"])
def test_a_published_ciphertext_is_remade_byte_for_byte(entry: dict[str, Any]) -> None:
    """Address, appid, time and key number are bound to it in the right order, and the tag stands apart."""
    iv = base64.b64decode(entry["iv"])
    body = encrypt(entry["plaintext"].encode(), entry["url"], entry["timestamp"], published_keys(), iv)
    assert entry["body"].encode() == body


@pytest.mark.parametrize("entry", [DERIVED_REQUEST, DERIVED_REPLY], ids=["request", "reply"])
def test_a_derived_ciphertext_is_remade_byte_for_byte(entry: dict[str, Any]) -> None:
    """With Chinese and with characters of HTML, raw."""
    iv = base64.b64decode(entry["iv"])
    assert entry["body"].encode() == encrypt(entry["plaintext"].encode(), entry["url"], entry["timestamp"], keys(), iv)


def test_a_message_is_signed_as_the_derived_request() -> None:
    """From the message to the body, byte for byte; three headers more, and nothing left in the query but the token."""
    message = text("oAAAA_AAAAAAAAAAAAAAAAAAAAAA", "你好 <a>&=</a>")
    request = sign(endpoints.send(message), keys(), NOW, NONCE, IV)
    assert DERIVED_REQUEST["body"].encode() == request.body
    assert "/cgi-bin/message/custom/send?access_token=T" == request.url("T")
    names = ["Content-Type", "Wechatmp-Appid", "Wechatmp-TimeStamp", "Wechatmp-Signature"]
    assert names == [*request.headers]
    assert ["application/json", "wx0123456789abcdef", "1700000000"] == [*request.headers.values()][:3]
    assert "receipt" == request.gives


def test_our_signature_holds() -> None:
    """Over four lines with no end of line at their end: the derived text, to its hash."""
    message = text("oAAAA_AAAAAAAAAAAAAAAAAAAAAA", "你好 <a>&=</a>")
    request = sign(endpoints.send(message), keys(), NOW, NONCE, IV)
    lines = DERIVED_REQUEST["sign_string"].encode()
    assert DERIVED_REQUEST["sign_string_sha256"] == hashlib.sha256(lines).hexdigest()
    signature = base64.b64decode(request.headers["Wechatmp-Signature"])
    made("developer").public_key().verify(signature, lines, PSS, hashes.SHA256())


@pytest.mark.parametrize("entry", [REQUEST, DERIVED_REQUEST, DERIVED_REPLY])
def test_the_signatures_of_requests_hold(entry: dict[str, Any]) -> None:
    """RSASSA-PSS with a salt of 32 bytes is what was published: our choice of algorithm is theirs."""
    public: Any = serialization.load_pem_public_key(KEYS["developer_public_key_pem"].encode())
    signature = base64.b64decode(entry["headers"]["Wechatmp-Signature"])
    public.verify(signature, entry["sign_string"].encode(), PSS, hashes.SHA256())


def test_the_published_reply_is_opened() -> None:
    """Verified with the published certificate by the number that the console shows, then decrypted."""
    opened = open_reply(PUBLISHED_REPLY, PUBLISHED_REQUEST, published_keys())
    expected = {"errcode": 0, "errmsg": "getuserriskrank succ", "risk_rank": 0, "unoin_id": 2258658297}
    assert expected == read_ok(*opened)
    assert (200, REPLY["headers"]) == opened[:2]


def test_the_derived_reply_is_opened() -> None:
    """Its platform key is the developer's, because WeChat's own is not public."""
    public: Any = serialization.load_pem_public_key(KEYS["developer_public_key_pem"].encode())
    reply = Reply(200, DERIVED_REPLY["headers"], DERIVED_REPLY["body"].encode())
    request = signed_at("/cgi-bin/message/custom/send", NOW)
    opened = open_reply(reply, request, keys(certificate=certificate(public)))
    assert b'{"errcode":0,"errmsg":"ok"}' == opened.body


def mutations(reply: Reply, count: int) -> Iterator[tuple[str, Reply]]:
    """Give the reply with one change in its body or in a header that counts, each time another."""
    dice = random.Random(14)
    counting = ["body", "Wechatmp-Appid", "Wechatmp-TimeStamp", "Wechatmp-Serial", "Wechatmp-Signature"]
    for _ in range(count):
        where = dice.choice(counting)
        whole = reply.body if where == "body" else reply.headers[where].encode()
        changed = whole
        while changed == whole:
            changed = mutated(whole, dice)
        if where == "body":
            yield where, reply._replace(body=changed)
        else:
            yield where, reply._replace(headers={**reply.headers, where: changed.decode("latin-1")})


def mutated(whole: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(whole))
    byte = bytes([dice.randrange(256)])
    ways: list[Callable[[], bytes]] = [
        lambda: whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1 :],
        lambda: whole[:at] + byte + whole[at:],
        lambda: whole[:at] + whole[at + 1 :],
        lambda: whole[:at],
        lambda: whole[at:] + whole[:at],
        lambda: whole + byte,
        lambda: whole[:at] + whole[at:].swapcase(),
        lambda: whole[:at] + b"=" + whole[at + 1 :],
    ]
    return dice.choice(ways)()


def test_ten_thousand_changed_replies_are_refused() -> None:
    """One change anywhere in what counts of the published reply, and it is not believed."""
    published, passed = published_keys(), []
    for where, reply in mutations(PUBLISHED_REPLY, 10_000):
        try:
            open_reply(reply, PUBLISHED_REQUEST, published)
        except BadReply:
            pass
        else:
            passed.append((where, reply.headers, reply.body))
    assert [] == passed


def test_a_signature_with_surplus_bits_is_refused() -> None:
    """Base64 that a lenient decoder would take for the published signature."""
    signature = REPLY["headers"]["Wechatmp-Signature"]
    loose = signature.replace("g==", "h==")
    assert base64.b64decode(signature) == base64.b64decode(loose)
    reply = PUBLISHED_REPLY._replace(headers={**REPLY["headers"], "Wechatmp-Signature": loose})
    with pytest.raises(BadReply, match="invalid signature"):
        open_reply(reply, PUBLISHED_REQUEST, published_keys())


# Replies that are refused, and those that are not


def test_a_reply_is_opened() -> None:
    """The helpers above make a good one; what a rule of WeChat adds is taken out again."""
    opened = open_reply(answer(seal(inside(errcode=0, errmsg="好\ud800"))), ASKED, keys())
    assert '{"errcode":0,"errmsg":"好?"}'.encode() == opened.body
    text_time = seal(json.dumps({"_n": "n", "_appid": "wx0123456789abcdef", "_timestamp": str(NOW)}).encode())
    assert b"{}" == open_reply(answer(text_time), ASKED, keys()).body


def test_header_names_are_found_in_any_case() -> None:
    """urllib3 keeps them as they come, other libraries write them small."""
    reply = answer(seal(inside(errcode=0)))
    small = {name.lower(): value for name, value in reply.headers.items()}
    assert b'{"errcode":0}' == open_reply(reply._replace(headers=small), ASKED, keys()).body


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (lambda: answer(seal(inside()), Wechatmp_Appid="wxother"), "is signed for a different appid"),
        (lambda: answer(seal(inside(NOW + 301), at=NOW + 301), at=NOW + 301), "was signed more than 300 seconds"),
        (lambda: answer(seal(inside(NOW - 301), at=NOW - 301), at=NOW - 301), "was signed more than 300 seconds"),
        (lambda: answer(seal(inside()), Wechatmp_TimeStamp="soon"), "was signed more than 300 seconds"),
        (lambda: answer(seal(inside()), Wechatmp_Serial="784f98cb"), "is signed with another platform certificate"),
        (lambda: answer(seal(inside()), key="developer"), "has an invalid signature"),
        (lambda: answer(seal(inside()), Wechatmp_Signature="AAAA"), "has an invalid signature"),
        (lambda: answer(seal(inside()))._replace(body=seal(inside(errcode=1))), "has an invalid signature"),
        (lambda: answer(seal(inside(), bound_at=NOW - 1)), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(inside(), sn="another")), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(inside(), iv=bytes(16))), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(inside(NOW + 1))), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(inside(_appid="wxother"))), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(b"no JSON")), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(b"[1]")), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(seal(b"[" * 100_000)), "is signed by WeChat, but cannot be decrypted"),
        (lambda: answer(b'{"errcode":0,"errmsg":"ok"}'), "is neither signed nor encrypted"),
        (lambda: Reply(200, {}, b'{"errcode":0,"errmsg":"ok"}'), "is neither signed nor encrypted"),
        (lambda: Reply(200, {}, b'{"quota":{}}'), "is neither signed nor encrypted"),
        (lambda: Reply(200, {}, seal(inside())), "is encrypted, but its signature is missing"),
    ],
)
def test_a_reply_that_proves_nothing_is_refused(reply: Callable[[], Reply], told: str) -> None:
    """The error says what is wrong; nothing is quoted, nothing is chained, and WeChat may have got the message."""
    with pytest.raises(BadReply) as caught:
        open_reply(reply(), ASKED, keys())
    assert caught.value.en.startswith(f"the reply (HTTP 200) {told}")
    assert caught.value.maybe_sent
    assert caught.value.__context__ is None


def test_the_edge_of_the_window_is_inside() -> None:
    """Three hundred seconds are allowed."""
    assert b"{}" == open_reply(answer(seal(inside(NOW + 300), at=NOW + 300), at=NOW + 300), ASKED, keys()).body


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}, b'{"errcode":40234,"errmsg":"invalid signature rid: 65f80ea1-179de203-67d1f80b"}'),
        Reply(200, {}, b'{"errcode":45015,"errmsg":"response out of time limit"}'),
        Reply(502, {}, b"<html>Bad Gateway</html>"),
        Reply(200, {}, b"<html>log in here</html>"),
        answer(b'{"errcode":45015,"errmsg":"response out of time limit"}'),
    ],
    ids=["of the signature", "of the call", "gateway", "page", "signed, not encrypted"],
)
def test_a_plain_error_comes_through(reply: Reply) -> None:
    """Whoever reads it raises it: nothing is believed that would pass for success."""
    assert reply == open_reply(reply, ASKED, keys())


def test_plain_replies_are_accepted_where_told() -> None:
    """An account was seen that gets no others; what is encrypted must be signed all the same."""
    lenient = keys(accept_plain=True)
    plain = Reply(200, {}, b'{"errcode":0,"errmsg":"ok"}')
    assert plain == open_reply(plain, ASKED, lenient)
    with pytest.raises(BadReply, match="its signature is missing"):
        open_reply(plain._replace(body=seal(inside())), ASKED, lenient)
    with pytest.raises(BadReply, match="invalid signature"):
        open_reply(answer(plain.body, key="developer"), ASKED, lenient)


def test_a_certificate_that_will_end_is_told() -> None:
    """While WeChat changes its certificate, it signs with both; the old one warns."""
    reply = answer(seal(inside(errcode=0)), kind="-Deprecated", Wechatmp_Serial="new", Wechatmp_Signature="AAAA")
    with pytest.warns(UserWarning, match="download the new one") as warned:
        opened = open_reply(reply, ASKED, keys())
    assert b'{"errcode":0}' == opened.body
    assert __file__ == warned[0].filename
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opened == open_reply(reply, ASKED, keys())  # WeChat has taken the call: nothing may be raised of it


def test_the_other_signature_is_not_looked_at() -> None:
    """The published reply has a second one, of a certificate that nobody has published."""
    headers = {**REPLY["headers"], "Wechatmp-Signature-Deprecated": "AAAA", "Wechatmp-Serial-Deprecated": "x"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_reply(PUBLISHED_REPLY._replace(headers=headers), PUBLISHED_REQUEST, published_keys())


def test_a_request_that_was_not_signed_has_no_such_reply() -> None:
    """A slip that would look like an attack."""
    with pytest.raises(InvalidMessage, match="request: is not signed: pass what sign returned"):
        open_reply(PUBLISHED_REPLY, endpoints.get_quota(), keys())


# What can be signed, and with which keys


@pytest.mark.parametrize(
    "request_",
    [
        endpoints.send(text("OPENID", "hello")),
        endpoints.get_quota(),
        endpoints.get_rid("a-b-c"),
        endpoints.clear_quota("APPID"),
        endpoints.call("/cgi-bin/clear_quota", {"appid": "APPID"}),
    ],
)
def test_four_calls_can_be_signed(request_: Request) -> None:
    """However they are made; the same input gives the same body."""
    assert sign(request_, keys(), NOW, NONCE, IV).body == sign(request_, keys(), NOW + 0.9, NONCE, IV).body


@pytest.mark.parametrize(
    "request_",
    [
        endpoints.set_typing("OPENID"),
        endpoints.upload(JPEG),
        endpoints.download("MEDIA_ID"),
        endpoints.stable_token("APPID", "made-up"),
        endpoints.get_callback_ip(),
        endpoints.send({**text("OPENID", "hello"), "businessid": 1}),
        endpoints.call("/cgi-bin/openapi/quota/clear", {"cgi_path": "/x"}),
    ],
)
def test_every_other_call_is_refused_by_name(request_: Request) -> None:
    """WeChat does not offer it for them; the error names those that it is offered for."""
    with pytest.raises(InvalidMessage) as caught:
        sign(request_, keys(), NOW, NONCE, IV)
    assert caught.value.en.startswith(f"request: {request_.path!r} takes no API signature; WeChat offers it for")
    assert "/cgi-bin/clear_quota, /cgi-bin/message/custom/send, " in caught.value.en


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request("GET", "/cgi-bin/clear_quota"), "request: must be a POST to be signed"),
        (Request("POST", "/cgi-bin/clear_quota", (), b"[1]"), "request: must have a JSON object as its body"),
        (Request("POST", "/cgi-bin/clear_quota", (), b"\xff"), "request: must have a JSON object as its body"),
        (endpoints.upload(JPEG)._replace(path="/cgi-bin/clear_quota"), "request: must have a JSON object as its body"),
        (sign(endpoints.get_quota(), keys(), NOW, NONCE, IV), "request: is signed already"),
    ],
)
def test_what_cannot_be_signed_is_told(request_: Request, told: str) -> None:
    """Handmade requests, and one that is signed already."""
    with pytest.raises(InvalidMessage) as caught:
        sign(request_, keys(), NOW, NONCE, IV)
    assert told == caught.value.en


@pytest.mark.parametrize(
    ("arguments", "field"), [((NONCE, bytes(16)), "iv"), (("", IV), "nonce"), ((None, IV), "nonce")]
)
def test_a_wrong_nonce_or_iv_is_refused(arguments: Any, field: str) -> None:
    """A wrong length would be WeChat's 40235, which says nothing of it."""
    with pytest.raises(InvalidMessage, match=f"^{field}: "):
        sign(endpoints.get_quota(), keys(), NOW, *arguments)


def test_parameters_of_the_query_are_encrypted_too() -> None:
    """As the page says: all but the token."""
    request = endpoints.call("/cgi-bin/clear_quota", method="POST", query={"appid": "A", "n": 1})
    plaintext = b'{"appid":"A","n":"1","_n":"n","_appid":"wx0123456789abcdef","_timestamp":1700000000}'
    url = "https://api.weixin.qq.com/cgi-bin/clear_quota"
    signed = sign(request, keys(), NOW, "n", IV)
    assert encrypt(plaintext, url, NOW, keys(), IV) == signed.body
    assert () == signed.query


@pytest.mark.parametrize("wrong", ["made-up", None, {}])
def test_what_is_no_keys_is_not_repeated(wrong: Any) -> None:
    """A key in the place of all keys is a secret."""
    with pytest.raises(InvalidMessage, match=r"keys: must be SigningKeys, not (str|None|dict)") as caught:
        sign(endpoints.get_quota(), wrong, NOW, NONCE, IV)
    assert "made-up" not in str(caught.value)


def test_importing_it_loads_no_cryptography() -> None:
    """And importing the package loads none of it."""
    script = "import sys, wxcs_lite; print('wxcs_lite.signing' in sys.modules)\nimport wxcs_lite.signing\n"
    script += "print([name for name in sys.modules if name.startswith('cryptography')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "False\n[]\n" == done.stdout


# The calls


@pytest.fixture
def wechat() -> Sandbox:
    sandbox = Sandbox(clock=time.time, api_signature="required")
    sandbox.user("ann").says("hello?")
    return sandbox


def test_the_four_calls_are_signed(wechat: Sandbox) -> None:
    """`keys` is all that they take more; the sandbox refuses every plain one."""
    pool, ours = wechat.pool(), SigningKeys(**wechat.signing_keys)
    token = fetch_token(pool, wechat.appid, wechat.secret)
    assert {"errcode": 0, "errmsg": "ok"} == send(pool, token, text("ann", "你好 <a>&=</a>"), keys=ours)
    assert "你好 <a>&=</a>" == wechat.user("ann").inbox[0].message["text"]["content"]
    assert 1 == get_quota(pool, token, keys=ours)["quota"]["used"]
    with pytest.raises(ApiError) as caught:
        send(pool, token, text("ann", "hello"))
    assert 40233 == caught.value.errcode
    assert caught.value.rid
    assert "40233" in get_rid(pool, token, caught.value.rid, keys=ours)["request"]["response_body"]
    assert {"errcode": 0, "errmsg": "ok"} == clear_quota(pool, token, wechat.appid, keys=ours)


def test_an_encrypted_refusal_is_raised_as_any_other(wechat: Sandbox) -> None:
    """With its class, errcode and rid."""
    pool, ours = wechat.pool(), SigningKeys(**wechat.signing_keys)
    token = fetch_token(pool, wechat.appid, wechat.secret)
    with pytest.raises(WindowClosed) as caught:
        send(pool, token, text("nobody", "hello"), keys=ours)
    assert caught.value.rid
    assert caught.value.maybe_sent is False


def test_a_plain_success_after_a_signed_call_is_refused(wechat: Sandbox) -> None:
    """Somebody in between could say it; the message may have gone out."""
    pool, ours = wechat.pool(), SigningKeys(**wechat.signing_keys)
    token = fetch_token(pool, wechat.appid, wechat.secret)
    wechat.fail_next(reply=(200, {}, b'{"errcode":0,"errmsg":"ok"}'))
    with pytest.raises(BadReply, match="is neither signed nor encrypted") as caught:
        send(pool, token, text("ann", "hello"), keys=ours)
    assert caught.value.maybe_sent


def test_the_official_address_is_signed_whatever_the_pool_leads_to(wechat: Sandbox) -> None:
    """A gateway changes nothing: the sandbox verifies https://api.weixin.qq.com over plain HTTP on loopback."""
    with wechat.serve() as url, open_pool(url) as pool:
        token = fetch_token(pool, wechat.appid, wechat.secret)
        assert {"errcode": 0, "errmsg": "ok"} == send(
            pool, token, text("ann", "hi"), keys=SigningKeys(**wechat.signing_keys)
        )


def test_each_call_has_a_nonce_and_an_iv_of_its_own(wechat: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One iv used twice with one key would undo the cipher."""
    used: list[tuple[str, bytes]] = []

    def noted(request: Request, keys: SigningKeys, now: float, nonce: str, iv: bytes) -> Request:
        used.append((nonce, iv))
        return sign(request, keys, now, nonce, iv)

    monkeypatch.setattr("wxcs_lite.signing.sign", noted)
    pool, ours = wechat.pool(), SigningKeys(**wechat.signing_keys)
    token = fetch_token(pool, wechat.appid, wechat.secret)
    for _ in range(3):
        get_quota(pool, token, keys=ours)
    assert 3 == len({nonce for nonce, _ in used}) == len({iv for _, iv in used})
    assert {22} == {len(nonce) for nonce, _ in used}


@pytest.mark.parametrize(("token", "shown"), [("80_made-up", "***"), ("80_", "80_")])
def test_an_echo_inside_is_taken_out(token: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was encrypted could not be cleaned before; a short text is no secret."""
    echo: Mapping[str, Any] = {"errcode": 0, "quota": {"daily_limit": f"for {token}"}}
    opened = Reply(200, {}, json.dumps(echo).encode())
    monkeypatch.setattr("wxcs_lite.signing.open_reply", lambda *_: opened)
    sandbox = Sandbox(clock=time.time, api_signature="optional")
    found = get_quota(sandbox.pool(), token, keys=SigningKeys(**sandbox.signing_keys))
    assert f"for {shown}" == found["quota"]["daily_limit"]


def test_a_signed_request_can_be_looked_at() -> None:
    """The signature is no secret: the curl command would be accepted, while its time is fresh."""
    request = sign(endpoints.get_quota(), keys(), NOW, NONCE, IV)
    header = f"Wechatmp-Signature: {request.headers['Wechatmp-Signature']}"
    assert header in str(request)
    assert header in request.curl()
