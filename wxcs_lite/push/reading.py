"""From (query, body) to a push or an error: verify first, decrypt next, parse last."""

import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from wxcs_lite.errors import InvalidMessage, PushRejected
from wxcs_lite.push.crypto import open_frame, require_appid, require_key, verify
from wxcs_lite.push.value import Format, Push, parse, read_fields
from wxcs_lite.secret import Secret, hide

__all__ = ["Opened", "Settings", "echo", "open_push", "read_plain", "read_push", "require_secrets"]

Query = Mapping[str, str]

_SECONDS = re.compile("[0-9]{10}")


class Settings(NamedTuple):
    """What an account has set for its pushes, and how old one may be in seconds by which clock."""

    token: Secret
    aes_key: Secret | None
    appid: str | None
    max_age: float | None
    clock: Callable[[], float]


class Opened(NamedTuple):
    """A push, and how it was wrapped: the outer form, and the id in its frame ("" if it came in plain text)."""

    push: Push
    format: Format
    frame_id: str


def echo(query: Query, *, token: str, aes_key: str | None = None) -> bytes:
    """Return what WeChat's check of the URL (a GET) wants to read back, or raise PushRejected.

    >>> echo({"signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "timestamp": "1714036504",
    ...       "nonce": "1514711492", "echostr": "4375120948345356249"}, token="AAAAA")
    b'4375120948345356249'

    Answer these bytes as text/plain and nothing else: no quotes, no newline. The echostr is plain in secure mode, too.
    Give `aes_key` where `read_push` gets one: a wrong key or a missing cryptography then shows at this check.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token, aes_key = hide(token), None if aes_key is None else hide(aes_key)
    require_secrets(token, aes_key)
    _require_signature(query, "signature", token)
    echostr = _param(query, "echostr")
    if not echostr:
        raise PushRejected("the check of the URL has no echostr", "URL 校验缺少 echostr")
    return echostr.encode("utf-8", "replace")


def read_push(
    query: Query,
    body: bytes,
    *,
    token: str,
    aes_key: str | None = None,
    appid: str | None = None,
    max_age: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Push:
    """Return the push in the body of a POST, JSON or XML, or raise PushRejected.

    >>> query = {"signature": "899cf89e464efb63f54ddac96b0a0a235f53aa78", "timestamp": "1714037059",
    ...          "nonce": "486452656"}
    >>> read_push(query, b'{"MsgType":"event","Event":"debug_demo","debug_str":"hi"}', token="AAAAA").debug_str
    'hi'

    Use secure mode: **the signature of a plain push does not cover its body**, so whoever sees one such query can send
    any body with it. With `aes_key` (the console's EncodingAESKey) a push in plain text is refused, and only what is
    inside `Encrypt` is believed; without it, the plain fields of compatible mode are read. `appid` is compared with
    the one in the frame. `max_age` (seconds, either way) refuses old queries, as far as the hash tells a
    timestamp from a nonce (see `verify`); leave room for WeChat's repetitions, some minutes.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token, aes_key = hide(token), None if aes_key is None else hide(aes_key)
    return open_push(query, body, Settings(token, aes_key, appid, max_age, clock)).push


def open_push(query: Query, body: bytes, settings: Settings) -> Opened:
    """Do the work of `read_push`, and tell how the push was wrapped."""
    token, aes_key, appid, _, _ = settings
    require_secrets(token, aes_key)
    if not isinstance(body, bytes):
        raise InvalidMessage("body", "must be the raw bytes of the request", "应为请求正文的原始 bytes")
    if aes_key is None:
        _require_signature(query, "signature", token)
        _require_age(query, settings)
        push = read_plain(body)
        return Opened(push, push.format, "")
    fields, form = read_fields(body)
    encrypt = fields.get("Encrypt")
    if not (isinstance(encrypt, str) and encrypt):
        raise PushRejected(
            "the push came in plain text, refused where an aes_key is given: choose secure mode in the console",
            "推送是明文；给定 aes_key 时不接受明文，请在后台选择安全模式",
        )
    _require_signature(query, "msg_signature", token, encrypt)
    _require_age(query, settings)
    plaintext, frame_id = open_frame(encrypt, aes_key)
    require_appid(frame_id, appid)
    return Opened(parse(plaintext), form, frame_id)


def read_plain(body: bytes) -> Push:
    """Return the push of a body that is believed as it is, or raise PushRejected."""
    push = parse(body)
    if push.get("Encrypt") and push.get("MsgType") is None:
        raise PushRejected("the push is encrypted: give aes_key", "推送是加密的：请给出 aes_key")
    return push


def require_secrets(token: Secret, aes_key: Secret | None) -> None:
    """Refuse an empty token, which anybody could sign with, and a key that can be none."""
    if not token:
        raise InvalidMessage(
            "token",
            "must be the Token of the console's message push, as a str that is not empty",
            "应为后台消息推送配置里的 Token，非空 str",
        )
    if aes_key is not None:
        require_key(aes_key)


def _require_signature(query: Query, name: str, token: Secret, encrypt: str = "") -> None:
    timestamp, nonce, signature = (_param(query, key) for key in ("timestamp", "nonce", name))
    # The hash does not tell timestamp from nonce: ten digits of seconds keep most queries from being cut up anew.
    whole = bool(nonce) and _SECONDS.fullmatch(timestamp) is not None
    if not (verify(token, timestamp, nonce, signature, encrypt) and whole):
        raise PushRejected(
            f"{name} is wrong or missing: does the token equal the Token in the console?",
            f"{name} 不对或缺失：token 与后台的 Token 一致吗？",
        )


def _require_age(query: Query, settings: Settings) -> None:
    max_age = settings.max_age
    if max_age is not None and not abs(settings.clock() - float(_param(query, "timestamp"))) <= max_age:
        raise PushRejected(
            f"the push is more than {max_age:g} s away from this clock: a replay, or a clock that is off",
            f"推送时间与本机时钟相差超过 {max_age:g} 秒：可能是重放，或时钟不准",
        )


def _param(query: Query, name: str) -> str:
    found: object = query.get(name, "")
    if isinstance(found, list):
        raise PushRejected(
            "the values of query are lists, as parse_qs gives them: pass dict(parse_qsl(query_string))",
            "query 的值是列表（parse_qs 的结果）：请传 dict(parse_qsl(query_string))",
        )
    return found if isinstance(found, str) else ""
