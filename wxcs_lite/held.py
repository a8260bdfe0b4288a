"""How a desk or a batch keeps its token: in a closure, so that no attribute, trait or repr contains it."""

from collections.abc import Callable

from wxcs_lite.secret import credential, hide_if_str

__all__ = ["Held"]


class Held:
    """A token, or a callable that returns one; call it to get the token for one action.

    >>> held = Held("80_made-up")
    >>> held, held()
    (<Held: a token>, Secret('***'))

    After `reject`, the next call passes the old token to a callable, as `token(rejected=old)`.
    """

    __slots__ = ("_give", "_rejected", "is_callable")

    def __init__(self, token: str | Callable[..., str | None]) -> None:
        token = hide_if_str(token)
        if not (token if isinstance(token, str) else callable(token)):
            raise TypeError(
                "token must be a non-empty str, or a callable that returns one, such as fresh_token(…)\n"
                "token 应为非空 str，或返回 str 的函数，例如 fresh_token(…)"
            )
        if callable(token):
            _require_rejected(token)
        self.is_callable = callable(token)
        self._give: Callable[..., str | None] = token if callable(token) else lambda: token
        self._rejected: str | None = None

    def __call__(self) -> str | None:
        """Return a hidden token for one action, or None if the callable returns None, inside WeChat cloud hosting."""
        rejected, self._rejected = self._rejected, None
        if rejected is not None and self.is_callable:
            return credential(self._give(rejected=rejected))
        return credential(self._give())

    def reject(self, token: str | None) -> None:
        """Remember which token WeChat has refused."""
        self._rejected = credential(token)

    def __repr__(self) -> str:
        return f"<Held: {'a callable' if self.is_callable else 'a token'}>"


def _require_rejected(token: Callable[..., str | None]) -> None:
    """Refuse a callable that does not accept the token WeChat rejected: it would return the same one again."""
    from inspect import signature  # it takes a while to import

    try:
        accepted = signature(token)
    except (TypeError, ValueError):  # some callables written in C have no signature
        return
    try:
        accepted.bind()
        accepted.bind(rejected=None)
    except TypeError:
        fits = False
    else:
        fits = True
    if not fits:
        raise TypeError(
            "token must be callable as token() and as token(rejected=old): pass what fresh_token returned, or "
            "lambda rejected=None: fresh(rejected)\n"
            "token 须支持 token() 和 token(rejected=old) 两种调用：请传 fresh_token(…) 的返回值，或 "
            "lambda rejected=None: fresh(rejected)"
        )
