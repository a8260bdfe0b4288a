"""The keys of the API signature, on both sides: what the developer's console shows, and what only WeChat holds.

The RSA pairs are random and created once in a process, because that is slow; everything else comes from the seed.
"""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from wxcs_lite.sandbox.rules.made_up import Hidden, Names

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["ApiKeys"]


@cache
def _pair(whose: str) -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _certificate() -> str:
    """Return the platform certificate; it is self-signed, and neither its signer nor its expiry is checked."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key, name = _pair("platform"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wxcs_lite sandbox")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=3650))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


class ApiKeys:
    """The keys of one account; they need `cryptography`."""

    def __init__(self, names: Names) -> None:
        try:
            self.platform_key, self._developer_key = _pair("platform"), _pair("developer")
        except ImportError:
            raise ImportError(
                "api_signature needs the package cryptography: pip install 'cryptography>=50.0.2'"
            ) from None
        self.developer_key = self._developer_key.public_key()
        self.symmetric_key = names.symmetric_key()
        self.symmetric_sn = names.key_number()
        self.certificate_sn = names.key_number()

    def shown(self, appid: str) -> dict[str, Any]:
        """Return what the console shows, the private key that only the developer has, and the certificate."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        pem = self._developer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "appid": appid,
            "symmetric_key": Hidden(b64encode(self.symmetric_key).decode()),
            "symmetric_sn": self.symmetric_sn,
            "private_key": Hidden(pem.decode()),
            "certificate": _certificate(),
            "certificate_sn": self.certificate_sn,
        }
