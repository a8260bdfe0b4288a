"""A secret is a str that only a server gets to see.

Whatever shows values by their `repr` (a notebook, IPython's verbose tracebacks, `pytest -l`, a debugger) shows three
stars.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self, SupportsIndex, TypeVar

__all__ = [
    "CloudbaseToken",
    "FromAppid",
    "Secret",
    "SecretBytes",
    "Token",
    "any_spelling",
    "credential",
    "hidden",
    "hide",
    "hide_if_str",
    "hide_named",
    "secret_of",
]

_T = TypeVar("_T")


class Secret(str):
    """A text that is itself everywhere but in its repr: an AppSecret, a key, a URL with a token in it.

    >>> Secret("made-up")
    Secret('***')
    >>> Secret("made-up") == "made-up"
    True

    Its slices hide too, because some viewers cut a text before they ask for its repr. Iteration, `partition`, `strip`
    and `+` give a bare str.
    """

    __slots__ = ()
    parameter: ClassVar[str] = "access_token"  # of the query, where it is what a call is made with

    def __getitem__(self, key: SupportsIndex | slice) -> Self:
        return type(self)(super().__getitem__(key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}('***')"


class SecretBytes(bytes):
    """Bytes that hide like a `Secret`: a body with an AppSecret in it, a key.

    >>> SecretBytes(b"made-up"), SecretBytes(b"made-up")[:4]
    (SecretBytes('***'), SecretBytes('***'))

    Iteration, `partition`, `strip` and `+` give bare bytes; a single index gives an int.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return type(self)(found) if isinstance(found, bytes) else found

    def __repr__(self) -> str:
        return f"{type(self).__name__}('***')"


class Token(Secret):
    """An access token: a str everywhere, but its repr shows no secret.

    >>> token = Token("80_made-up", expires_at=1767240000.0)
    >>> token
    Token('***', expires_at=1767240000.0)
    >>> token == "80_made-up"
    True

    `print(token)` and f-strings give the real text, and so does its pickle: it is the one public value that keeps a
    secret. `expires_at` is in seconds of the epoch, or None where nobody knows. A slice is a Token without expires_at;
    iteration, `partition`, `strip` and `+` give a bare str.
    """

    __slots__ = ("expires_at",)
    expires_at: float | None

    def __new__(cls, value: str, expires_at: float | None = None) -> Self:
        self = super().__new__(cls, value)
        self.expires_at = expires_at
        return self

    def __repr__(self) -> str:
        return super().__repr__() if self.expires_at is None else f"Token('***', expires_at={self.expires_at!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.expires_at)


class CloudbaseToken(Secret):
    """The token that WeChat cloud hosting (微信云托管) writes into a container; it hides like a `Token`.

    >>> from wxcs_lite.endpoints import get_callback_ip
    >>> token = CloudbaseToken("made-up")
    >>> token
    CloudbaseToken('***')
    >>> print(get_callback_ip().url(token))
    /cgi-bin/getcallbackip?cloudbase_access_token=made-up

    Give it to a call in place of an access token; as a plain str it would be sent as one, and be refused (40001).
    """

    # https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html
    __slots__ = ()
    parameter = "cloudbase_access_token"


class FromAppid(str):
    """The account in whose name a call is made, in a shared environment (资源复用) of WeChat cloud hosting.

    >>> from wxcs_lite.endpoints import get_callback_ip
    >>> get_callback_ip().url(FromAppid("wxba5fad812f8e6fb9"))
    '/cgi-bin/getcallbackip?from_appid=wxba5fad812f8e6fb9'

    Give it to a call in place of an access token, which the platform adds. An appid is no secret.
    """

    # https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/faq.md
    __slots__ = ()
    parameter: ClassVar[str] = "from_appid"

    def __repr__(self) -> str:
        return f"FromAppid({str(self)!r})"


def hide(value: object) -> Secret:
    """Return the text as a `Secret`; whatever is not a str becomes an empty one, which the caller refuses.

    Public functions rebind their token or secret with this on their first line. It never raises, so that no frame of
    ours can stand in a traceback while the name still holds the bare text.
    """
    if isinstance(value, Secret):
        return value
    return Secret(value if isinstance(value, str) else "")


def hide_if_str(value: _T) -> _T:
    """Return a str hidden and anything else as it is: where the pool belongs, a token may stand by mistake."""
    return credential(value) if isinstance(value, str) else value  # type: ignore[return-value]


def credential(token: object) -> Secret | FromAppid | None:
    """Return what a call is made with: a token hidden; None and a `FromAppid`, to which a relay adds one, as they are.

    Like `hide` it never raises.
    """
    if isinstance(token, Secret):
        return token
    return token if token is None or isinstance(token, FromAppid) else hide(token)


def secret_of(token: str | None) -> Secret | None:
    """Return the secret that a credential holds, if it does."""
    return token if isinstance(token, Secret) else None


def hidden(pool: _T, token: object, *others: Any) -> tuple[Any, ...]:
    """Return all in their order with every str among them hidden, for a token may stand where another was due."""
    return hide_if_str(pool), credential(token), *map(hide_if_str, others)


_TELLING = ("secret", "token", "_key")  # in a name, in any case


def hide_named(fields: _T) -> _T:
    """Return a copy of the fields in which each text that is named like a secret hides.

    >>> hide_named({"appid": "APPID", "secret": "made-up"})
    {'appid': 'APPID', 'secret': Secret('***')}

    What stands there by mistake hides as a whole: a text, bytes, the texts of a list.
    """
    if isinstance(fields, bytes):
        return SecretBytes(fields)  # type: ignore[return-value]
    if isinstance(fields, list):
        return [hide_if_str(value) for value in fields]  # type: ignore[return-value]
    if not isinstance(fields, Mapping):
        return hide_if_str(fields)
    return {name: hide_if_str(value) if _is_telling(name) else value for name, value in fields.items()}  # type: ignore[return-value]


def _is_telling(name: object) -> bool:
    return isinstance(name, str) and any(word in name.lower() for word in _TELLING)


def any_spelling(secret: str) -> re.Pattern[str]:
    r"""Return the pattern of the secret as it is, percent-encoded, as a JSON escape or as HTML, character by character.

    >>> any_spelling("a+/&b").sub("***", r"a+/&b, a%2B%2f%26b, a\u002b\/\u0026b, a+/&amp;b")
    '***, ***, ***, ***'
    """
    return re.compile("".join(_spelled(character) for character in secret))


def _spelled(character: str) -> str:
    import html  # only errors need it, and it takes a while to import

    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    escapes = [percent, f"\\u{ord(character):04x}", f"&#x{ord(character):x};"]
    # No two alternatives match the same: where a long text differs at its end only, 2**n ways would be tried.
    escapes += [entity for entity in (html.escape(character),) if entity != character]
    others = "|".join(re.escape(escape) for escape in escapes)
    return rf"(?:\\?{re.escape(character)}|(?i:{others})|&#{ord(character)};)"
