"""The sandbox's end of the API signature: what it verifies, what it refuses with which code, what it answers."""

import base64
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509 import load_pem_x509_certificate

from tests.test_signing import mutated
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api import signature
from wxcs_lite.sandbox.http.values import Request
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.rules.refusals import RefusedError

VECTORS = json.loads((Path(__file__).parent / "signing_vectors.json").read_text(encoding="utf-8"))
KEYS, REQUEST, _ = VECTORS["published"]
PATH = "/cgi-bin/openapi/quota/get"
URL = f"https://api.weixin.qq.com{PATH}"
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


class Developer:
    """Signs by hand, with the keys that the sandbox shows; each part of it can be spoilt."""

    def __init__(self, **switches: Any) -> None:
        self.sandbox = Sandbox(**{"api_signature": "optional", **switches})
        shown = Sandbox(api_signature="optional").signing_keys
        self.key: Any = serialization.load_pem_private_key(shown["private_key"].encode(), None)
        self.symmetric, self.sn = base64.b64decode(shown["symmetric_key"]), shown["symmetric_sn"]
        self.appid, self.at = self.sandbox.appid, int(self.sandbox.clock())
        self.fields: Any = {"cgi_path": PATH, "_n": "n", "_appid": self.appid, "_timestamp": self.at}
        self.iv, self.url = bytes(12), URL
        self.pool = self.sandbox.pool()
        account = {"grant_type": "client_credential", "appid": self.appid, "secret": self.sandbox.secret}
        self.token = self.pool.request("GET", "/cgi-bin/token", fields=account).json()["access_token"]

    def body(self) -> bytes:
        bound = f"{self.url}|{self.appid}|{self.at}|{self.sn}".encode()
        both = AESGCM(self.symmetric).encrypt(self.iv, json.dumps(self.fields).encode(), bound)
        parts = {"iv": self.iv, "data": both[:-16], "authtag": both[-16:]}
        return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()

    def headers(self, body: bytes) -> dict[str, str]:
        lines = f"{self.url}\n{self.appid}\n{self.at}\n".encode() + body
        signed = base64.b64encode(self.key.sign(lines, PSS, hashes.SHA256())).decode()
        return {"Wechatmp-Appid": self.appid, "Wechatmp-TimeStamp": str(self.at), "Wechatmp-Signature": signed}

    def ask(self, body: bytes | None = None, path: str = PATH, **headers: str) -> Any:
        """Ask for the quota; a header that is None is left out."""
        body = self.body() if body is None else body
        others = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**self.headers(body), **others}.items() if value}
        return self.pool.request("POST", f"{path}?access_token={self.token}", body=body, headers=sent)

    def opened(self, reply: Any) -> Any:
        """Verify and decrypt the reply, written apart from both sides."""
        shown, stamp = self.sandbox.signing_keys, reply.headers["Wechatmp-TimeStamp"]
        lines = f"{URL}\n{self.appid}\n{stamp}\n".encode() + reply.data
        public: Any = load_pem_x509_certificate(shown["certificate"].encode()).public_key()
        public.verify(base64.b64decode(reply.headers["Wechatmp-Signature"]), lines, PSS, hashes.SHA256())
        assert shown["certificate_sn"] == reply.headers["Wechatmp-Serial"]
        iv, data, tag = (base64.b64decode(reply.json()[name]) for name in ("iv", "data", "authtag"))
        plain = AESGCM(self.symmetric).decrypt(iv, data + tag, f"{URL}|{self.appid}|{stamp}|{self.sn}".encode())
        return json.loads(plain)


def test_a_signed_call_is_answered_signed() -> None:
    """With a nonce, the appid and the time inside, as the page has it; the same seed gives the same inside."""
    one, other = Developer(), Developer()
    found = one.opened(one.ask())
    assert one.opened(other.ask()) == found
    assert (0, one.appid, one.at) == (found["errcode"], found["_appid"], found["_timestamp"])
    assert 22 == len(found["_n"])
    assert {"daily_limit": 0, "used": 0, "remain": 0} == found["quota"]


def test_an_error_of_a_signed_call_is_signed_too() -> None:
    """That is inferred; a client must take both."""
    developer = Developer()
    developer.fields["cgi_path"] = "/nowhere"
    assert 76021 == developer.opened(developer.ask())["errcode"]


@pytest.mark.parametrize(
    ("spoilt", "errcode"),
    [
        ({"Wechatmp_Appid": ""}, 40233),
        ({"Wechatmp_TimeStamp": ""}, 40231),
        ({"Wechatmp_Signature": ""}, 40232),
        ({"Wechatmp_Appid": "gh_made_up"}, 40236),
        ({"Wechatmp_Appid": "wx0123456789abcdef"}, 40237),
        ({"Wechatmp_TimeStamp": "soon"}, 40240),
        ({"Wechatmp_TimeStamp": "1767240301"}, 40240),
        ({"Wechatmp_TimeStamp": "1767240001"}, 40234),
        ({"Wechatmp_Signature": "AAAA"}, 40234),
        ({"Wechatmp_Signature": "no base64"}, 40234),
        ({"body": b"{}"}, 40235),
        ({"body": b"[1]"}, 40235),
        ({"body": b"no JSON"}, 40235),
        ({"body": b'{"iv":1,"data":2,"authtag":3}'}, 40235),
        ({"body": b'{"iv":"AAAA","data":"AAAA","authtag":"AAAA"}'}, 40235),
        ({"body": b'{"iv":"AAAAAAAAAAAAAAAA","data":"AAAA","authtag":"AAAAAAAAAAAAAAAAAAAAAA=="}'}, 40235),
    ],
)
def test_what_is_wrong_has_a_code_of_its_own(spoilt: dict[str, Any], errcode: int) -> None:
    """In plain JSON, without headers of the signature; the text is the page's name where none was seen."""
    reply = Developer().ask(**spoilt)
    assert errcode == reply.json()["errcode"]
    assert not [name for name in reply.headers if name.lower().startswith("wechatmp")]


@pytest.mark.parametrize(
    ("name", "value", "errcode"),
    [
        ("fields", [1], 40235),
        ("fields", {"cgi_path": PATH}, 40235),
        ("fields", {"_n": "n", "_appid": "wxother", "_timestamp": 1767240000}, 40235),
        ("fields", {"_n": "n", "_appid": "wxsandbox000000001", "_timestamp": 1767240001}, 40235),
        ("fields", {"_appid": "wxsandbox000000001", "_timestamp": 1767240000}, 40235),
        ("sn", "another", 40235),
        ("symmetric", bytes(32), 40235),
        ("at", 1767240301, 40240),
        ("url", f"{URL}?access_token=T", 40234),
        ("url", f"http://127.0.0.1{PATH}", 40234),
    ],
)
def test_a_mistake_in_signing_is_found(name: str, value: Any, errcode: int) -> None:
    """The query left in the address, another address, another key or number, no nonce."""
    developer = Developer()
    setattr(developer, name, value)
    assert errcode == developer.ask().json()["errcode"]


def test_an_extra_line_in_what_is_signed_is_found() -> None:
    """As one SDK had it, and got 40234 from everybody."""
    developer = Developer()
    body = developer.body()
    lines = f"{URL}\n{developer.appid}\n{developer.at}\n{developer.sn}\n".encode() + body
    signed = base64.b64encode(developer.key.sign(lines, PSS, hashes.SHA256())).decode()
    assert 40234 == developer.ask(body, Wechatmp_Signature=signed).json()["errcode"]


@pytest.mark.parametrize(("switch", "errcode"), [("off", 0), ("optional", 0), ("required", 40233)])
def test_a_plain_call_needs_the_switch(switch: str, errcode: int) -> None:
    """Only where signing is required is a plain call refused, and only one that can be signed."""
    developer = Developer(api_signature=switch)
    url, body = f"{PATH}?access_token={developer.token}", json.dumps({"cgi_path": PATH}).encode()
    assert errcode == developer.pool.request("POST", url, body=body).json()["errcode"]
    ips = developer.pool.request("GET", f"/cgi-bin/getcallbackip?access_token={developer.token}").json()
    assert {"ip_list": ["127.0.0.1"]} == ips


def test_without_keys_a_signed_call_is_refused() -> None:
    """The console of such an account has no keys; which of two codes answers then is inferred."""
    assert 40239 == Developer(api_signature="off").ask().json()["errcode"]


def test_a_call_that_cannot_be_signed_does_not_look_at_it() -> None:
    """The encrypted body is read as it is, and has no touser."""
    assert 40003 == Developer().ask(path="/cgi-bin/message/custom/typing").json()["errcode"]


def test_a_sandbox_without_signature_shows_no_keys() -> None:
    """And needs no cryptography."""
    with pytest.raises(ValueError, match="create the sandbox with api_signature="):
        _ = Sandbox().signing_keys


def test_the_keys_hide() -> None:
    """In a notebook cell that shows them; they are texts as the console has them."""
    shown = Sandbox(api_signature="optional").signing_keys
    assert "PRIVATE" not in repr(shown)
    assert shown["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert 32 == len(base64.b64decode(shown["symmetric_key"]))
    assert str(shown["symmetric_key"]) not in repr(shown)


def test_the_symmetric_key_comes_from_the_seed() -> None:
    """The RSA keys alone are random, and the same in one process."""
    one, same, other = (Sandbox(seed=seed, api_signature="optional").signing_keys for seed in (1, 1, 2))
    assert one == same
    assert one["symmetric_key"] != other["symmetric_key"]
    assert one["private_key"] == other["private_key"]


def published(monkeypatch: pytest.MonkeyPatch) -> tuple[Account, Request]:
    """Return an account with the published keys, and the published request to it."""
    monkeypatch.setattr(signature, "SIGNED", ("/wxa/getuserriskrank",))
    sandbox = Sandbox(appid=KEYS["appid"], api_signature="optional")
    account = sandbox._core.account
    assert account.api_keys is not None
    public: Any = serialization.load_pem_public_key(KEYS["developer_public_key_pem"].encode())
    account.api_keys.developer_key = public
    account.api_keys.symmetric_key = base64.b64decode(KEYS["symmetric_key_base64"])
    account.api_keys.symmetric_sn = KEYS["symmetric_key_number"]
    headers = {name.lower(): value for name, value in REQUEST["headers"].items()}
    return account, Request("POST", "/wxa/getuserriskrank", (), headers, REQUEST["body"].encode(), True)


def test_the_published_request_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified with the published key, and decrypted to what was published, without the three additions."""
    account, request = published(monkeypatch)
    opened = signature.opened(account, request, REQUEST["timestamp"])
    expected = json.loads(REQUEST["plaintext"])
    for name in ("_n", "_appid", "_timestamp"):
        del expected[name]
    assert expected == json.loads(opened.body)


def test_ten_thousand_changed_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One change anywhere in what counts, and the codes are those of the signature."""
    account, request = published(monkeypatch)
    dice, passed, codes = random.Random(14), [], set()
    for _ in range(10_000):
        where = dice.choice(["body", *request.headers])
        whole = request.body if where == "body" else request.headers[where].encode()
        changed = whole
        while changed == whole:
            changed = mutated(whole, dice)
        if where == "body":
            spoilt = request._replace(body=changed)
        else:
            spoilt = request._replace(headers={**request.headers, where: changed.decode("latin-1")})
        try:
            passed.append((where, signature.opened(account, spoilt, REQUEST["timestamp"])))
        except RefusedError as refused:
            codes.add(refused.errcode)
    assert [] == passed
    assert {40231, 40232, 40233, 40234, 40236, 40237, 40240} >= codes >= {40234, 40237, 40240}


def test_a_signature_with_surplus_bits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Base64 that a lenient decoder would take for the published signature."""
    account, request = published(monkeypatch)
    loose = request.headers["wechatmp-signature"].replace("g==", "h==")
    assert loose != request.headers["wechatmp-signature"]
    spoilt = request._replace(headers={**request.headers, "wechatmp-signature": loose})
    with pytest.raises(RefusedError) as caught:
        signature.opened(account, spoilt, REQUEST["timestamp"])
    assert 40234 == caught.value.errcode


def test_the_library_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox with API signature needs it."""

    def missing(whose: str) -> None:
        raise ImportError

    monkeypatch.setattr("wxcs_lite.sandbox.rules.api_keys._pair", missing)
    with pytest.raises(ImportError, match="api_signature needs the package cryptography"):
        Sandbox(api_signature="optional")


def test_over_http_and_with_the_clock_of_the_world() -> None:
    """The host that is signed is WeChat's, wherever the sandbox is served."""
    developer = Developer(clock=time.time)
    assert 0 == developer.opened(developer.ask())["errcode"]
