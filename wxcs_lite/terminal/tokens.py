"""How a command gets its token: from the environment, or from WeChat with appid and secret."""

from wxcs_lite.errors import WxError
from wxcs_lite.fresh import FreshToken, fresh_token
from wxcs_lite.look.words import Language
from wxcs_lite.pools import Pool
from wxcs_lite.secret import Token
from wxcs_lite.terminal.environment import APPID, SECRET, TOKEN, asked, not_set, setting

__all__ = ["MissingSettingError", "get_token", "token_source"]


class MissingSettingError(WxError):
    """A required setting is neither in the environment nor was it entered."""


def get_token(pool: Pool, lang: Language) -> Token:
    """Return the token from the environment, or fetch the shared one; raise MissingSettingError if it cannot."""
    source = token_source(pool, lang)
    return source if isinstance(source, Token) else source()


def token_source(pool: Pool, lang: Language) -> Token | FreshToken:
    """Return the token from the environment, or what fetches one and renews it; raise MissingSettingError."""
    given = setting(TOKEN)
    if given is not None:
        return Token(given)
    appid, secret = asked(APPID, lang), asked(SECRET, lang)
    if appid is None or secret is None:
        en, zh = not_set(*(name for name, value in ((APPID, appid), (SECRET, secret)) if value is None))
        raise MissingSettingError(f"{en}; or set {TOKEN}", f"{zh}；也可以设置 {TOKEN}", False)
    return fresh_token(pool, appid, secret)
