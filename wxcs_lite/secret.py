"""A secret is a str whose repr does not show it.

Whatever shows values by their `repr` (a notebook, IPython's verbose tracebacks, `pytest -l`, a debugger) shows three
stars instead.
"""

import re
from collections.abc import Callable, Mapping
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
    "is_telling",
    "secret_of",
    "secrets_in",
]

_T = TypeVar("_T")


class Secret(str):
    """A str whose repr is hidden: an AppSecret, a key, a URL that contains a token.

    >>> Secret("made-up")
    Secret('***')
    >>> Secret("made-up") == "made-up"
    True

    Its slices are hidden too, because some viewers cut a text before they ask for its repr. Iteration, `partition`,
    `strip` and `+` give a plain str.
    """

    __slots__ = ()
    parameter: ClassVar[str] = "access_token"  # of the query, where it is what a call is made with

    def __getitem__(self, key: SupportsIndex | slice) -> Self:
        return type(self)(super().__getitem__(key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}('***')"


class SecretBytes(bytes):
    """Bytes whose repr is hidden: a body that contains an AppSecret, a key.

    >>> SecretBytes(b"made-up"), SecretBytes(b"made-up")[:4]
    (SecretBytes('***'), SecretBytes('***'))

    Iteration, `partition`, `strip` and `+` give plain bytes; a single index gives an int.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return type(self)(found) if isinstance(found, bytes) else found

    def __repr__(self) -> str:
        return f"{type(self).__name__}('***')"

    def __str__(self) -> str:  # that of bytes would show them, as print and a log's %s do
        return repr(self)


class Token(Secret):
    """An access token: a str whose repr does not show it.

    >>> token = Token("80_made-up", expires_at=1767240000.0)
    >>> token
    Token('***', expires_at=1767240000.0)
    >>> token == "80_made-up"
    True

    `print(token)` and f-strings give the real text, and so does its pickle: no other public value pickles a secret.
    `expires_at` is in seconds since the epoch, or None if unknown. A slice is a Token without expires_at; iteration,
    `partition`, `strip` and `+` give a plain str.
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
    """The token that WeChat cloud hosting (微信云托管) writes into a container; its repr is hidden.

    >>> from wxcs_lite.endpoints import get_callback_ip
    >>> token = CloudbaseToken("made-up")
    >>> token
    CloudbaseToken('***')
    >>> print(get_callback_ip().url(token))
    /cgi-bin/getcallbackip?cloudbase_access_token=made-up

    Pass it to a call instead of an access token; as a plain str it would be sent as one, and be refused (40001).
    """

    # https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html
    __slots__ = ()
    parameter = "cloudbase_access_token"


class FromAppid(str):
    """The account in whose name a call is made, in a shared environment (资源复用) of WeChat cloud hosting.

    >>> from wxcs_lite.endpoints import get_callback_ip
    >>> get_callback_ip().url(FromAppid("wxba5fad812f8e6fb9"))
    '/cgi-bin/getcallbackip?from_appid=wxba5fad812f8e6fb9'

    Pass it to a call instead of an access token, which the platform adds. An appid is not a secret.
    """

    # https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/faq.md
    __slots__ = ()
    parameter: ClassVar[str] = "from_appid"

    def __repr__(self) -> str:
        return f"FromAppid({str(self)!r})"


def hide(value: object) -> Secret:
    """Return the text as a `Secret`; a value that is not a str gives an empty one, which the caller then refuses.

    Public functions rebind their token or secret with this on their first line. It never raises, so no frame of
    ours can appear in a traceback while the name still refers to the plain text.
    """
    if isinstance(value, Secret):
        return value
    return Secret(value if isinstance(value, str) else "")


def hide_if_str(value: _T) -> _T:
    """Hide a str and return anything else unchanged, because a token may be passed by mistake in place of the pool."""
    return credential(value) if isinstance(value, str) else value  # type: ignore[return-value]


def credential(token: object) -> Secret | FromAppid | None:
    """Return a call's credential: a hidden token, or unchanged None or `FromAppid`, to which a relay adds the token.

    Like `hide` it never raises.
    """
    if isinstance(token, Secret):
        return token
    return token if token is None or isinstance(token, FromAppid) else hide(token)


def secret_of(token: str | None) -> Secret | None:
    """Return the secret in a credential, or None."""
    return token if isinstance(token, Secret) else None


def hidden(pool: _T, token: object, *others: Any) -> tuple[Any, ...]:
    """Return all arguments in order, every str among them hidden, because a token may be passed in the wrong place."""
    return hide_if_str(pool), credential(token), *map(hide_if_str, others)


_TELLING = ("secret", "token", "_key")  # in a name, in any case
_LEVELS = 8  # no secret was seen deeper, and a dict may hold itself


def hide_named(fields: _T, how: Callable[[Any], Any] = hide_if_str) -> _T:
    """Return a copy of the fields in which every text named like a secret is hidden, at every level.

    >>> hide_named({"appid": "APPID", "secret": "made-up", "more": {"session_key": "made-up"}})
    {'appid': 'APPID', 'secret': Secret('***'), 'more': {'session_key': Secret('***')}}

    What is passed by mistake is hidden as a whole: a text, bytes, the texts of a list. `how` is applied to a value.
    """
    if isinstance(fields, bytes):
        return SecretBytes(fields)  # type: ignore[return-value]
    if isinstance(fields, Mapping):
        fields = dict(fields)  # type: ignore[assignment]
    return _named(fields, True, how, _LEVELS)  # type: ignore[no-any-return]


def _named(value: object, telling: bool, how: Callable[[Any], Any], levels: int) -> Any:
    if not isinstance(value, dict | list) or not levels:
        return how(value) if telling else value
    if isinstance(value, list):
        return [_named(item, telling, how, levels - 1) for item in value]
    return {name: _named(item, is_telling(name), how, levels - 1) for name, item in value.items()}


def is_telling(name: object) -> bool:
    """Whether what has this name is a secret, or may be one.

    >>> [is_telling(name) for name in ("component_appsecret", "session_key", "touser")]
    [True, True, False]
    """
    return isinstance(name, str) and any(word in name.lower() for word in _TELLING)


def secrets_in(*fields: object) -> list[Secret]:
    """Return each text that is named like a secret, hidden.

    >>> secrets_in({"touser": "OPENID", "secret": "made-up"}, None)
    [Secret('***')]
    """
    found: list[Secret] = []

    def note(value: object) -> object:
        if isinstance(value, str):
            found.append(hide(value))
        return value

    for each in fields:
        hide_named(each, note)
    return found


def any_spelling(secret: str) -> re.Pattern[str]:
    r"""Return a pattern that finds the secret even if characters are percent-encoded, JSON escapes or HTML.

    >>> any_spelling("a+/&b").sub("***", r"a+/&b, a%2B%2f%26b, a\u002b\/\u0026b, a+/&amp;b")
    '***, ***, ***, ***'
    """
    return re.compile("".join(_spelled(character) for character in secret))


def _spelled(character: str) -> str:
    import html  # only errors need it, and it takes a while to import

    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    escapes = [percent, f"\\u{ord(character):04x}", f"&#x{ord(character):x};"]
    # No two alternatives match the same text; otherwise 2**n ways would be tried where a long one differs at its end.
    escapes += [entity for entity in (html.escape(character),) if entity != character]
    others = "|".join(re.escape(escape) for escape in escapes)
    return rf"(?:\\?{re.escape(character)}|(?i:{others})|&#{ord(character)};)"
