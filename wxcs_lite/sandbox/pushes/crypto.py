"""Signatures and AES on WeChat's side of a push. The random part of a frame is an argument."""

# https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html

import re
from base64 import b64decode, b64encode
from hashlib import sha1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

__all__ = ["Sealer", "sign"]

_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_BLOCK = 32  # bytes; AES itself has blocks of 16, WeChat pads to twice that
_HEAD = 16 + 4  # bytes: the random part, then the length of the message


def sign(*parts: str) -> str:
    """Return the hex SHA-1 of the sorted, concatenated parts.

    >>> sign("AAAAA", "1714036504", "1514711492")
    'f464b24fc39322e44b38aa78f5edd27bd1441696'
    """
    # UTF-8 bytes sort like their characters; half a surrogate pair must not be an error here.
    encoded = (part.encode("utf-8", "replace") for part in parts)  # not a list, because one is a secret
    return sha1(b"".join(sorted(encoded)), usedforsecurity=False).hexdigest()


class Sealer:
    """Encrypts and decrypts pushes with an EncodingAESKey, for one appid; needs `cryptography`.

    The key is read as WeChat reads it: the last character may have unused bits.
    """

    def __init__(self, aes_key: str, appid: str) -> None:
        if _AES_KEY.fullmatch(aes_key) is None:
            raise ValueError("aes_key must be an EncodingAESKey: 43 of A-Z, a-z, 0-9, + and /")
        try:
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        except ImportError:
            raise ImportError("aes_key needs the package cryptography: pip install 'cryptography>=50.0.2'") from None
        key = b64decode(aes_key + "=")
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))
        self._appid = appid.encode()

    def seal(self, message: bytes, random: str) -> str:
        """Return the base64 of random part, length, message and appid, padded and encrypted."""
        frame = random.encode() + len(message).to_bytes(4) + message + self._appid
        pad = _BLOCK - len(frame) % _BLOCK
        return b64encode(_through(self._cipher.encryptor(), frame + bytes([pad]) * pad)).decode()

    def unseal(self, encrypt: str) -> bytes:
        """Return the message in a frame, or raise a ValueError that says what is wrong with it, in two languages."""
        try:
            data = b64decode(encrypt, validate=True)
        except ValueError:
            raise ValueError("Encrypt is not base64\nEncrypt 不是 base64") from None
        if not data or len(data) % _BLOCK:
            raise ValueError(
                f"the encrypted data must be padded to a multiple of {_BLOCK} bytes\n"
                f"加密数据须填充为 {_BLOCK} 字节的整数倍"
            )
        padded = _through(self._cipher.decryptor(), data)
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or not padded.endswith(bytes([pad]) * pad):
            raise ValueError(
                "it cannot be decrypted: a different aes_key, or wrong padding\n无法解密：aes_key 不一致，或填充有误"
            )
        frame = padded[:-pad]
        end = _HEAD + int.from_bytes(frame[16:_HEAD])
        if len(frame) < end:
            raise ValueError("the length inside exceeds the bytes that follow it\n其中的长度超过了后面的字节数")
        if frame[end:] != self._appid:
            raise ValueError("the appid inside is not the account's\n其中的 appid 不是该账号的 appid")
        return frame[_HEAD:end]


def _through(context: "CipherContext", data: bytes) -> bytes:
    return context.update(data) + context.finalize()
