"""WeChat's signature, and the frame in which it encrypts pushes.

The signature is SHA-1 over sorted, concatenated strings. The frame is AES-256-CBC over 16 random bytes, a length of
four bytes, the message and an appid, padded to 32 bytes. AES comes from `cryptography` and is imported only when used.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from functools import cache
from typing import Any

from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.secret import Secret, SecretBytes, hide

__all__ = ["decrypt", "encrypt", "verify"]

_PADDED = 32  # bytes; twice the block of AES, so stock unpadders fail on pad bytes above 16
_BLOCK = 16  # bytes
_HEAD = 20  # bytes of the frame before the message: 16 random ones and its length


def verify(token: str, timestamp: str, nonce: str, signature: str, encrypt: str = "") -> bool:
    """Return whether the signature is right; the time it takes reveals nothing about it.

    >>> verify("AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696")
    True
    >>> verify("AAAAA", "1714036504", "1514711493", "f464b24fc39322e44b38aa78f5edd27bd1441696")
    False

    With `encrypt`, pass `msg_signature`, the only signature that covers the body. The hash is over the sorted,
    concatenated strings, so it does not tell where one of them ends, or a timestamp from a nonce that looks like one.
    With an empty token every signature is wrong.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token = hide(token)
    right = hmac.compare_digest(sign(token, timestamp, nonce, encrypt).encode(), _bytes(signature))
    return right and bool(token)


def sign(*parts: str) -> str:
    """Return the SHA-1 of the parts, sorted and concatenated, as WeChat writes it: 40 lower-case hex digits."""
    # WeChat's choice of hash; the token in it is the secret.
    return hashlib.sha1(b"".join(sorted(_bytes(part) for part in parts)), usedforsecurity=False).hexdigest()


def _bytes(text: str) -> bytes:
    return str(text).encode("utf-8", "surrogatepass")


def encrypt(plaintext: bytes, *, aes_key: str, appid: str, random: bytes | None = None) -> str:
    """Return the base64 text for `Encrypt`: the plaintext, framed with the appid, padded and encrypted.

    >>> frame = encrypt("你好".encode(), aes_key="A" * 43, appid="wxba5fad812f8e6fb9")
    >>> decrypt(frame, aes_key="A" * 43, appid="wxba5fad812f8e6fb9").decode()
    '你好'

    `aes_key` is the console's EncodingAESKey. `random` is 16 bytes that only a test should choose.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    aes_key = hide(aes_key)
    if random is not None and len(random) != _BLOCK:
        raise InvalidMessage("random", f"must be {_BLOCK} bytes", f"应为 {_BLOCK} 字节")
    random = secrets.token_bytes(_BLOCK) if random is None else random
    frame = random + len(plaintext).to_bytes(4, "big") + plaintext + appid.encode()
    pad = _PADDED - len(frame) % _PADDED
    encryptor = _cipher(aes_key).encryptor()
    return base64.b64encode(encryptor.update(frame + bytes([pad]) * pad) + encryptor.finalize()).decode()


def decrypt(encrypt: str, *, aes_key: str, appid: str | None = None) -> bytes:
    """Return what is inside the base64 text of `Encrypt`, or raise PushRejected.

    >>> decrypt("jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==",
    ...         aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", appid="wxb11529c136998cb6").decode()
    '我是中文abcd123'

    Verify first, as `read_push` does. Wrong padding, length and coding give the same error. `appid` is compared with
    the id in the frame (for a third-party platform, the component's appid); with None it is not.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    aes_key = hide(aes_key)
    plaintext, frame_id = open_frame(encrypt, aes_key)
    require_appid(frame_id, appid)
    return plaintext


def open_frame(encrypt: str, aes_key: Secret) -> tuple[bytes, str]:
    """Return the message and the id at the end of its frame."""
    data = _decoded(encrypt)
    opener = _cipher(aes_key).decryptor()
    whole = len(data) >= 2 * _BLOCK and len(data) % _BLOCK == 0
    data = opener.update(data if whole else bytes(2 * _BLOCK)) + opener.finalize()
    pad = data[-1]
    end = len(data) - pad
    size = int.from_bytes(data[16:_HEAD], "big")
    padded = hmac.compare_digest(data[-_PADDED:][-pad:] if pad else b"", bytes([pad]) * pad)
    if not (whole & (1 <= pad <= _PADDED) & padded & (end >= _HEAD + size)):
        raise PushRejected(
            "the push cannot be decrypted: is aes_key the EncodingAESKey of this account?",
            "推送无法解密：请核对 aes_key 是否为该账号的消息加解密密钥（EncodingAESKey）",
        )
    return data[_HEAD : _HEAD + size], data[_HEAD + size : end].decode("utf-8", "replace")


def _decoded(encrypt: str) -> bytes:
    """Decode base64; anything else gives empty bytes, which fail later like any wrong frame."""
    try:
        return base64.b64decode(encrypt, validate=True)
    except (binascii.Error, ValueError):
        return b""


def require_appid(frame_id: str, appid: str | None) -> None:
    """Refuse a frame with a different appid, if one is given."""
    if appid is not None and not hmac.compare_digest(_bytes(frame_id), _bytes(appid)):
        raise PushRejected(
            "the push is for a different appid than the one given (a third-party platform gives its component appid)",
            "推送的 appid 与传入的不一致（第三方平台应传 component_appid）",
        )


_KEY = re.compile(r"[A-Za-z0-9+/]{43}=?")


class _Key(SecretBytes):
    """A key that a traceback shows as three stars."""


def require_key(aes_key: Secret) -> None:
    """Refuse an impossible key, and a Python without AES, before the first push arrives."""
    if not _KEY.fullmatch(aes_key):
        raise InvalidMessage(
            "aes_key",
            "must be the console's EncodingAESKey, 43 letters and digits (None for plain mode)",
            "应为管理后台的消息加解密密钥（EncodingAESKey），43 个字母和数字（明文模式传 None）",
        )
    _ciphers()


def _cipher(aes_key: Secret) -> Any:
    require_key(aes_key)
    cipher, aes, cbc = _ciphers()
    # Not strict: the last character of a real key often has low bits that a strict decoder refuses.
    key = _Key(base64.b64decode(aes_key[:43] + "="))
    return cipher(aes(key), cbc(_Key(key[:_BLOCK])))


@cache  # an import statement costs some microseconds each time; the error is not kept
def _ciphers() -> tuple[Any, Any, Any]:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CBC
    except ImportError:
        pass
    else:
        return Cipher, AES, CBC
    raise ImportError(
        "encrypted pushes need cryptography: pip install 'cryptography>=50.0.2'\n"
        "加密推送需要 cryptography：pip install 'cryptography>=50.0.2'",
        name="cryptography",
    )
