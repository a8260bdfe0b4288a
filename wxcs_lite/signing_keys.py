"""What the console shows of an account under API 安全, checked once and kept as values that hide.

The keys are RSA and AES256_GCM. The console's other pair, SM2 and SM4, is refused by name, because no test vectors are
published for it.
"""

# https://developers.weixin.qq.com/miniprogram/dev/server/getting_started/api_signature.html

import base64
import re
from typing import TYPE_CHECKING, Any, NoReturn

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.require import kind_of, require_str
from wxcs_lite.secret import SecretBytes, hide, hide_if_str

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

__all__ = ["SigningKeys", "decode_base64", "require_keys"]

_KEY = 32  # bytes of AES-256; SM4 has 16


class SigningKeys:
    """The keys and numbers of one account, as the console shows them under API 安全; secrets are hidden.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> SigningKeys(**Sandbox(api_signature="required").signing_keys)
    <SigningKeys of wxsandbox000000001, symmetric key ..., certificate ...>

    `symmetric_key` is the base64 text of the AES256_GCM key and `symmetric_sn` its number. `private_key` is the PEM
    text of your own RSA key, whose public half you uploaded; `certificate` that of WeChat's platform certificate, and
    `certificate_sn` the number that the console shows for it, which is not the serial inside. `accept_plain` accepts a
    successful reply that is not encrypted: one account was seen to get no others. Raises InvalidMessage for a key that
    cannot be one, ImportError without `cryptography`. It cannot be pickled.
    """

    __slots__ = (
        "accept_plain",
        "appid",
        "certificate_sn",
        "private_key",
        "public_key",
        "symmetric_key",
        "symmetric_sn",
    )

    def __init__(
        self,
        appid: str,
        *,
        symmetric_key: str,
        symmetric_sn: str,
        private_key: str,
        certificate: str,
        certificate_sn: str,
        accept_plain: bool = False,
    ) -> None:
        symmetric_key, private_key = hide(symmetric_key), hide(private_key)
        appid, certificate = hide_if_str(appid), hide_if_str(certificate)
        symmetric_sn, certificate_sn = hide_if_str(symmetric_sn), hide_if_str(certificate_sn)
        _require_library()
        for field, value in (("appid", appid), ("symmetric_sn", symmetric_sn), ("certificate_sn", certificate_sn)):
            require_str(field, value)
            if not re.fullmatch("[!-~]+", value):
                raise InvalidMessage(field, "contains a space or a line break", "含有空格或换行")
        self.appid = str(appid)
        self.symmetric_key = _symmetric(symmetric_key)
        self.symmetric_sn = str(symmetric_sn)
        self.private_key = _private(private_key)
        self.public_key = _public(certificate)
        self.certificate_sn = str(certificate_sn)
        self.accept_plain = bool(accept_plain)

    def __repr__(self) -> str:
        if not hasattr(self, "accept_plain"):  # a traceback may look at keys that were refused
            return "<SigningKeys that were refused>"
        return f"<SigningKeys of {self.appid}, symmetric key {self.symmetric_sn}, certificate {self.certificate_sn}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "SigningKeys cannot be pickled, because they are secret: create them again in the other process\n"
            "SigningKeys 含密钥，不能序列化：请在另一个进程里重新创建"
        )


def require_keys(keys: object) -> None:
    if not isinstance(keys, SigningKeys):
        kind = kind_of(keys)
        raise InvalidMessage("keys", f"must be SigningKeys, not {kind}", f"应为 SigningKeys，收到的是 {kind}")


def decode_base64(text: Any) -> bytes:
    """Decode canonical base64; anything else gives empty bytes, which are refused later."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def _symmetric(symmetric_key: str) -> SecretBytes:
    key = SecretBytes(decode_base64(symmetric_key))
    if len(key) == _KEY // 2:
        raise InvalidMessage(
            "symmetric_key",
            "is an SM4 key, which is not supported here: choose AES256_GCM in the console",
            "是 SM4 密钥，这里不支持：请在管理后台选用 AES256_GCM",
        )
    if len(key) != _KEY:
        raise InvalidMessage(
            "symmetric_key",
            "must be the base64 text of 32 bytes, as the console shows it",
            "应为管理后台显示的 base64 文本，解码后 32 字节",
        )
    return key


def _private(private_key: str) -> "RSAPrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: object = None
    try:
        key = load_pem_private_key(private_key.encode("utf-8", "replace"), None)
    except UnsupportedAlgorithm:
        key = UnsupportedAlgorithm
    except (ValueError, TypeError):
        pass
    if key is None:
        raise InvalidMessage(
            "private_key",
            "must be the text of a PEM file, -----BEGIN … PRIVATE KEY-----, without a password",
            "应为 PEM 文件的内容（-----BEGIN … PRIVATE KEY-----），不能带密码",
        )
    if not isinstance(key, RSAPrivateKey):
        raise InvalidMessage(
            "private_key",
            "is not an RSA key: choose RSAwithSHA256 in the console (SM2 is not supported here)",
            "不是 RSA 密钥：请在管理后台选用 RSAwithSHA256（这里不支持 SM2）",
        )
    return key


def _public(certificate: str) -> "RSAPublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    require_str("certificate", certificate)
    key: object = None
    try:
        key = load_pem_x509_certificate(certificate.encode()).public_key()
    except UnsupportedAlgorithm:
        key = UnsupportedAlgorithm
    except ValueError:
        pass
    if key is None:
        raise InvalidMessage(
            "certificate",
            "must be the text of the platform certificate, -----BEGIN CERTIFICATE-----",
            "应为平台证书文件的内容（-----BEGIN CERTIFICATE-----）",
        )
    if not isinstance(key, RSAPublicKey):
        raise InvalidMessage(
            "certificate",
            "does not contain an RSA key: it is not WeChat's, or it is for SM2, which is not supported here",
            "里的公钥不是 RSA：不是微信的平台证书，或者是这里不支持的 SM2",
        )
    return key


def _require_library() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        pass
    else:
        return
    raise ImportError(
        "the API signature needs cryptography: pip install 'cryptography>=50.0.2'\n"
        "API 签名需要 cryptography：pip install 'cryptography>=50.0.2'",
        name="cryptography",
    )
