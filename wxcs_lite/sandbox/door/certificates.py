"""A certificate authority for one run: it can vouch for one host alone, and has forgotten its key before it is trusted.

Whoever trusts it risks little. Its certificate is constrained to that host and to no address. It signs one certificate,
and its key is gone when the function returns; the key of that certificate is in a file of 0600 for as long as `ssl`
reads it, because `ssl` takes files only.
"""

import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.x509 import Certificate, CertificateBuilder, KeyUsage

__all__ = ["TRUST_STORE_PASSWORD", "certify"]

TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 what Java has always called it; there is nothing secret in the store

_LIFE = timedelta(days=30)
_EARLIER = timedelta(days=1)  # clocks of containers differ


def certify(host: str, folder: Path) -> ssl.SSLContext:
    """Return a server's context for the host, and write what its clients have to trust into the folder.

    `ca.pem` is for most, `ca.p12` for Java, `ca.ini` for PHP. Raises ImportError where `cryptography` is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    except ImportError:
        raise ImportError("proxy needs the package cryptography: pip install 'cryptography>=50.0.2'") from None
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    authority, certificate = _sign(host, authority_key, key.public_key())
    _write_trust(authority, folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _load(context, certificate, key, folder)
    return context


def _sign(
    host: str, authority_key: "EllipticCurvePrivateKey", public_key: "EllipticCurvePublicKey"
) -> "tuple[Certificate, Certificate]":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID

    ours = "wxcs_lite sandbox, for one run"
    everywhere = [x509.IPAddress(IPv4Network("0.0.0.0/0")), x509.IPAddress(IPv6Network("::/0"))]
    authority = (
        _begin(ours, ours, authority_key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign"), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host)], everywhere), critical=True)
        .sign(authority_key, SHA256())
    )
    certificate = (
        _begin(host, ours, public_key, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(authority_key, SHA256())
    )
    return authority, certificate


def _begin(
    subject: str, issuer: str, public_key: "EllipticCurvePublicKey", signed_with: "EllipticCurvePublicKey"
) -> "CertificateBuilder":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    of_whom, by_whom = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer))
    now = datetime.now(UTC)
    # Python 3.13 and later are strict about the two identifiers.
    return (
        x509.CertificateBuilder(by_whom, of_whom, public_key, x509.random_serial_number(), now - _EARLIER, now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_with), critical=False)
    )


def _usage(one: str) -> "KeyUsage":
    from cryptography.x509 import KeyUsage

    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return KeyUsage(**{name: name == one for name in names.split()})


def _write_trust(authority: "Certificate", folder: Path) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

    bundle = folder / "ca.pem"
    bundle.write_bytes(authority.public_bytes(Encoding.PEM))
    encryption = BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())
    store = serialize_java_truststore([PKCS12Certificate(authority, b"wxcs_lite")], encryption)
    (folder / "ca.p12").write_bytes(store)
    (folder / "ca.ini").write_text(f'curl.cainfo="{bundle}"\nopenssl.cafile="{bundle}"\n', encoding="utf-8")


def _load(context: ssl.SSLContext, certificate: "Certificate", key: "EllipticCurvePrivateKey", folder: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    handle, name = tempfile.mkstemp(dir=folder)  # nobody else can open it
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate.public_bytes(Encoding.PEM))
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
