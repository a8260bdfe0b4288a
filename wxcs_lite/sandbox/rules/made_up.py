"""Everything the sandbox makes up: tokens, media ids, rids, nonces. Same seed, same calls, same names."""

from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from hashlib import shake_256

__all__ = ["Hidden", "HiddenBytes", "Names"]


class Hidden(str):
    """A str whose repr does not show it, so that no traceback or notebook cell does.

    >>> Hidden("abc")
    '…'
    >>> Hidden("abc") == "abc"
    True
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


class HiddenBytes(bytes):
    """Bytes that no traceback or notebook cell shows.

    >>> HiddenBytes(b"abc")
    b'…'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'…'"


class Names:
    """A source of made-up names that depends on nothing but the seed, the appid and how often it was asked.

    >>> names = Names(0, "wxsandbox000000001")
    >>> len(names.media_id()), len(names.token()), names.rid(1767240000)[:9]
    (64, 135, '6955f140-')

    Each kind is counted on its own: one more rid does not change the next token.
    """

    def __init__(self, seed: int, appid: str) -> None:
        self._root = f"{seed}|{appid}"
        self._asked: Counter[str] = Counter()

    def _bytes(self, kind: str, size: int) -> bytes:
        self._asked[kind] += 1
        return shake_256(f"{self._root}|{kind}|{self._asked[kind]}".encode()).digest(size)

    def _text(self, kind: str, size: int) -> str:
        return urlsafe_b64encode(self._bytes(kind, size)).decode()

    def token(self) -> str:
        # The observed shape: a decimal prefix, an underscore, then URL-safe base64.
        return Hidden(f"{self._bytes('prefix', 1)[0] % 90 + 10}_{self._text('token', 99)}")

    def cloud_token(self) -> str:
        """The token of cloud hosting; nobody has published one."""
        return Hidden(self._text("cloud_token", 99))

    def cloud_env(self) -> str:
        """The id of an environment of cloud hosting."""
        return f"sandbox-{self._bytes('cloud_env', 8).hex()}"

    def seqid(self) -> str:
        return self._bytes("seqid", 16).hex()

    def media_id(self) -> str:
        return self._text("media_id", 48)

    def rid(self, now: float) -> str:
        """Return three groups of eight hex digits, the first of which is the time of the request."""
        tail = self._bytes("rid", 8).hex()
        return f"{int(now) & 0xFFFFFFFF:08x}-{tail[:8]}-{tail[8:]}"

    def hint(self) -> str:
        """Six letters or digits, six digits, a dash and a digit, as in the newest published ones."""
        text = self._text("hint", 6).replace("-", "a").replace("_", "b")
        return f"{text[:6]}{int.from_bytes(self._bytes('hint', 3)) % 10**6:06}-{self._bytes('hint', 1)[0] % 10}"

    def msg_id(self) -> int:
        """Return a 64-bit integer that a float cannot hold exactly, like the real ones."""
        return int.from_bytes(self._bytes("MsgId", 8)) & (2**63 - 1) | 2**62 | 1

    def original_id(self) -> str:
        """Return the account's id in pushes: gh_ and twelve hex digits."""
        return f"gh_{self._bytes('original_id', 6).hex()}"

    def nonce(self) -> str:
        return str(int.from_bytes(self._bytes("nonce", 4)))

    def echostr(self) -> str:
        """Return nineteen decimal digits."""
        return str(10**18 + int.from_bytes(self._bytes("echostr", 7)))

    def agent(self) -> str:
        """Return an openid of 28 characters."""
        return f"o{self._text('agent', 21)[:27]}"

    def key_number(self) -> str:
        """Return the number of a key or certificate of the API signature: 32 hex digits, as in the published sample."""
        return self._bytes("key_number", 16).hex()

    def symmetric_key(self) -> bytes:
        return HiddenBytes(self._bytes("symmetric_key", 32))

    def iv(self) -> bytes:
        return self._bytes("iv", 12)

    def api_nonce(self) -> str:
        """Return the base64 of 16 bytes without padding, as in the published sample."""
        return b64encode(self._bytes("api_nonce", 16)).decode().rstrip("=")

    def frame_random(self) -> str:
        """Return the random part of an encrypted frame: 16 hex digits, as in WeChat's published frames."""
        return self._bytes("frame", 8).hex()
