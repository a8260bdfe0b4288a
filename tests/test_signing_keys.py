"""The keys of the API signature: which are taken, and that they hide; other tests of signing take theirs from here."""

import copy
import json
import pickle
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from wxcs_lite import InvalidMessage
from wxcs_lite.signing_keys import SigningKeys

VECTORS = json.loads((Path(__file__).parent / "signing_vectors.json").read_text(encoding="utf-8"))
KEYS, _, _ = VECTORS["published"]
DERIVED_REQUEST, _, SM4_REQUEST = VECTORS["derived"]


@cache
def made(whose: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


def certificate(public_key: Any) -> str:
    """Return a certificate that holds the key: who has signed it does not matter here."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, public_key, 1, begin, begin + timedelta(days=1))
    return builder.sign(made("issuer"), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def given(**others: Any) -> dict[str, Any]:
    """Return arguments of SigningKeys whose platform key is `made("platform")`."""
    return {
        "appid": "wx0123456789abcdef",
        "symmetric_key": DERIVED_REQUEST["symmetric_key_base64"],
        "symmetric_sn": DERIVED_REQUEST["symmetric_key_number"],
        "private_key": pem(made("developer")),
        "certificate": certificate(made("platform").public_key()),
        "certificate_sn": "abcdef0123456789abcdef0123456789",
        **others,
    }


@cache
def keys(**others: Any) -> SigningKeys:
    return SigningKeys(**given(**others))


@cache
def curve() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def locked() -> str:
    secret = serialization.BestAvailableEncryption(b"made up")
    key = made("developer")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret).decode()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"appid": ""}, "appid: must not be empty"),
        ({"appid": "wx0123456789abcdef\n"}, "appid: contains a space or a line break"),
        ({"certificate_sn": "abc def"}, "certificate_sn: contains a space or a line break"),
        ({"symmetric_sn": 7}, "symmetric_sn: must be a str"),
        ({"certificate_sn": None}, "certificate_sn: must be a str"),
        ({"symmetric_key": "made-up"}, "symmetric_key: must be the base64 text of 32 bytes"),
        ({"symmetric_key": b"x" * 32}, "symmetric_key: must be the base64 text of 32 bytes"),
        (
            {"symmetric_key": SM4_REQUEST["symmetric_key_base64"]},
            "symmetric_key: is an SM4 key",
        ),
        ({"private_key": "made-up"}, "private_key: must be the text of a PEM file"),
        ({"private_key": None}, "private_key: must be the text of a PEM file"),
        ({"private_key": locked()}, "private_key: must be the text of a PEM file"),
        ({"private_key": "\ud800"}, "private_key: must be the text of a PEM file"),
        ({"private_key": KEYS["developer_public_key_pem"]}, "private_key: must be the text of a PEM file"),
        ({"private_key": pem(curve())}, "private_key: is not an RSA key: choose RSAwithSHA256"),
        ({"certificate": ""}, "certificate: must not be empty"),
        ({"certificate": "made-up"}, "certificate: must be the text of the platform certificate"),
        ({"certificate": KEYS["platform_public_key_pem"]}, "certificate: must be the text of the platform certificate"),
        ({"certificate": certificate(curve().public_key())}, "certificate: does not contain an RSA key"),
    ],
)
def test_keys_that_cannot_be_any_are_refused(wrong: dict[str, Any], told: str) -> None:
    """When they are made, not with the first call; the error names the argument and repeats nothing."""
    with pytest.raises(InvalidMessage) as caught:
        keys(**wrong)
    assert caught.value.en.startswith(told)
    assert "made-up" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("field", ["private_key", "certificate"])
def test_a_key_of_the_sm_kind_is_told_apart(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the library knows the curve or not."""
    from cryptography.exceptions import UnsupportedAlgorithm

    def unsupported(*_: object) -> None:
        raise UnsupportedAlgorithm("made up")

    arguments = given()
    monkeypatch.setattr("cryptography.hazmat.primitives.serialization.load_pem_private_key", unsupported)
    if field == "certificate":
        monkeypatch.undo()
        monkeypatch.setattr("cryptography.x509.load_pem_x509_certificate", unsupported)
    with pytest.raises(InvalidMessage, match=f"^{field}: .* an RSA key.*SM2"):
        SigningKeys(**arguments)


def test_keys_show_numbers_only() -> None:
    """In a notebook and in a traceback."""
    shown = repr(keys())
    assert (
        "<SigningKeys of wx0123456789abcdef, symmetric key 0123456789abcdef0123456789abcdef, "
        "certificate abcdef0123456789abcdef0123456789>" == shown
    )


@pytest.mark.parametrize("use", [pickle.dumps, copy.copy, copy.deepcopy])
def test_keys_go_into_no_file(use: Callable[[object], object]) -> None:
    """A Token is the one value whose pickle holds a secret."""
    with pytest.raises(TypeError, match="SigningKeys cannot be pickled"):
        use(keys())


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the keys are made."""
    arguments = given()
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ImportError, match="the API signature needs cryptography: pip install"):
        SigningKeys(**arguments)
