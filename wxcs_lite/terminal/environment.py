"""What the commands read from the environment, with the same names as recipes and lessons use.

A secret comes from here, or from a prompt in a terminal; never from the command line, which other processes can read
and a shell keeps.
"""

import errno
import getpass
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from wxcs_lite.errors import WxError
from wxcs_lite.look.words import Language
from wxcs_lite.pools import Pool, open_pool
from wxcs_lite.request import API
from wxcs_lite.scrub import scrub
from wxcs_lite.secret import hide

__all__ = [
    "AES_KEY",
    "APPID",
    "BASE_URL",
    "NAMES",
    "OPENID",
    "PROXY",
    "PUSH_TOKEN",
    "SECRET",
    "SEEN",
    "TOKEN",
    "Address",
    "Told",
    "address",
    "asked",
    "not_set",
    "open_address",
    "printable",
    "reason_of",
    "setting",
    "told",
    "warnings_in",
]

APPID = "WXCS_APPID"
SECRET = "WXCS_SECRET"  # noqa: S105 - its name
TOKEN = "WXCS_TOKEN"  # noqa: S105
PUSH_TOKEN = "WXCS_PUSH_TOKEN"  # noqa: S105 - Token and EncodingAESKey of the console's message push
AES_KEY = "WXCS_AES_KEY"
BASE_URL = "WXCS_BASE_URL"
PROXY = "WXCS_PROXY"  # may hold a login
OPENID = "WXCS_OPENID"  # whom `compare` sends messages; `send` has no default recipient
# Only for recipes and lessons: no command keeps claims on pushes.
SEEN = "WXCS_SEEN"
# What the API signature needs beside two files, by the parameters of SigningKeys.
SIGNING = ("WXCS_SYMMETRIC_KEY", "WXCS_SYMMETRIC_SN", "WXCS_CERTIFICATE_SN")
NAMES = (APPID, SECRET, TOKEN, PUSH_TOKEN, AES_KEY, BASE_URL, PROXY, OPENID, SEEN, *SIGNING)

Told = tuple[str, str]  # English, Chinese

_CHINESE = {
    errno.EADDRINUSE: "已被占用",
    errno.EACCES: "没有权限",
    errno.ENOENT: "找不到",
    errno.EISDIR: "是文件夹",
}


def setting(name: str) -> str | None:
    """Return a setting of the environment, as a str whose repr is hidden; None if it is not set or empty."""
    return hide(os.environ.get(name)) or None


def asked(name: str, lang: Language) -> str | None:
    """Return a setting, or ask for it in a terminal without showing what is typed."""
    found = setting(name)
    if found is None and sys.stdin is not None and sys.stdin.isatty():
        prompt = (
            f"{name}（输入时不显示，没有则直接回车）："
            if lang == "zh"
            else f"{name} (input is hidden; Enter for none): "
        )
        with suppress(EOFError):  # Ctrl-D
            found = hide(getpass.getpass(prompt).strip()) or None
    return found


def not_set(*missing: str) -> Told:
    """Return the message about missing settings."""
    are, first = "is" if len(missing) == 1 else "are", missing[0]
    return (
        f"{' and '.join(missing)} {are} not set: export {first}=…, or run this in a terminal to be asked",
        f"没有设置 {'、'.join(missing)}：请先 export {first}=…，或直接在终端里运行，按提示输入",
    )


class Address(NamedTuple):
    """Where calls go: a base URL and a proxy, whose URL may contain a login."""

    base: str
    proxy: str | None = None


def address(base: str | None, proxy: str | None) -> Address:
    """Return the address from the command line, else from the environment, else WeChat's own."""
    given = hide(proxy) if proxy else setting(PROXY)
    return Address(base or str(setting(BASE_URL) or API), given)


def open_address(where: Address, *, maxsize: int = 10) -> Pool:
    """Open the pool, or raise ValueError in two languages."""
    return open_pool(where.base, proxy=where.proxy, maxsize=maxsize)


def printable(foreign: object) -> str:
    r"""Return a text from outside as one line without control characters for the terminal.

    >>> printable("a\nb\x1b[2J")
    'a b [2J'
    """
    return "".join(char if char.isprintable() else " " for char in str(foreign))


def reason_of(error: OSError) -> Told:
    """Return why the system refused something; it speaks its own language, so only what is usual is in Chinese."""
    english = os.strerror(error.errno) if error.errno else type(error).__name__
    return english, _CHINESE.get(error.errno or 0, english)


@contextmanager
def warnings_in(lang: Language | None) -> Iterator[None]:
    """Print warnings as one line on stderr, in one language, instead of with our source line.

    Without a language warnings are not printed.
    """

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(told(message if isinstance(message, Warning) else Warning(message), lang or "en"), file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if lang is None else "default", UserWarning)
        warnings.showwarning = show
        yield


def told(error: Exception, lang: Language) -> str:
    """Return an error's line in this language, without secrets."""
    if isinstance(error, WxError):
        return error.zh if lang == "zh" else error.en
    lines = str(error).splitlines()
    return scrub(lines[-1 if lang == "zh" else 0] if lines else type(error).__name__)
