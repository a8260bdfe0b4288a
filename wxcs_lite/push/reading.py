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
    """An account's settings for pushes, and how old a push may be, in seconds, by which clock."""

    token: Secret
    aes_key: Secret | None
    appid: str | None
    max_age: float | None
    clock: Callable[[], float]


class Opened(NamedTuple):
    """A push and how it was wrapped: the outer format, and the id in its frame ("" if it came in plain text)."""

    push: Push
    format: Format
    frame_id: str


def echo(query: Query, *, token: str, aes_key: str | None = None) -> bytes:
    """Return the answer to WeChat's check of the URL (a GET), or raise PushRejected.

    >>> echo({"signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "timestamp": "1714036504",
    ...       "nonce": "1514711492", "echostr": "4375120948345356249"}, token="AAAAA")
    b'4375120948345356249'

    Answer exactly these bytes as text/plain, without quotes or newline. The echostr is plain in secure mode, too. Pass
    `aes_key` if `read_push` gets one: then a malformed key or a missing `cryptography` shows up at this check.
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

    Use secure mode: **the signature of a plain push does not cover its body**, so anyone who has seen one such query
    can forge pushes with it. With `aes_key` (the console's EncodingAESKey) a plain push is refused, and only what is
    inside `Encrypt` is trusted; without it, the plain fields of compatible mode are read. `appid` is compared with the
    one in the frame. `max_age` (seconds, either way) refuses old queries, as far as the hash tells a timestamp from a
    nonce (see `verify`); allow some minutes for WeChat's repetitions.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token, aes_key = hide(token), None if aes_key is None else hide(aes_key)
    return open_push(query, body, Settings(token, aes_key, appid, max_age, clock)).push


def open_push(query: Query, body: bytes, settings: Settings) -> Opened:
    """Read a push as `read_push` does, and return also how it was wrapped."""
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
            "the push is in plain text, which is refused because aes_key is given: choose secure mode in the console",
            "推送是明文，传入 aes_key 后不接受明文：请在管理后台选择安全模式",
        )
    _require_signature(query, "msg_signature", token, encrypt)
    _require_age(query, settings)
    plaintext, frame_id = open_frame(encrypt, aes_key)
    require_appid(frame_id, appid)
    return Opened(parse(plaintext), form, frame_id)


def read_plain(body: bytes) -> Push:
    """Return the push of a body that is trusted without a signature, or raise PushRejected."""
    push = parse(body)
    if push.get("Encrypt") and push.get("MsgType") is None:
        raise PushRejected("the push is encrypted: pass aes_key", "推送已加密：请传入 aes_key")
    return push


def require_secrets(token: Secret, aes_key: Secret | None) -> None:
    """Refuse an empty token, with which anybody could sign, and an impossible key."""
    if not token:
        raise InvalidMessage(
            "token",
            "must be the Token of the console's message push, as a non-empty str",
            "应为管理后台“消息推送”里的 Token（令牌），非空 str",
        )
    if aes_key is not None:
        require_key(aes_key)


def _require_signature(query: Query, name: str, token: Secret, encrypt: str = "") -> None:
    timestamp, nonce, signature = (_param(query, key) for key in ("timestamp", "nonce", name))
    # The hash does not separate timestamp from nonce: ten digits stop most queries from being split otherwise.
    whole = bool(nonce) and _SECONDS.fullmatch(timestamp) is not None
    if not (verify(token, timestamp, nonce, signature, encrypt) and whole):
        raise PushRejected(
            f"{name} is wrong or missing: is token the Token in the console?",
            f"{name} 缺失或有误：请核对 token 与管理后台的 Token（令牌）是否一致",
        )


def _require_age(query: Query, settings: Settings) -> None:
    max_age = settings.max_age
    if max_age is not None and not abs(settings.clock() - float(_param(query, "timestamp"))) <= max_age:
        raise PushRejected(
            f"the push is more than {max_age:g} s away from this clock: it is a replay, or a clock is wrong",
            f"推送时间与本机时钟相差超过 {max_age:g} 秒：可能是重放，或者本机时钟不准",
        )


def _param(query: Query, name: str) -> str:
    found: object = query.get(name, "")
    if isinstance(found, list):
        raise PushRejected(
            "the values of query are lists, as parse_qs returns them: pass dict(parse_qsl(query_string))",
            "query 的值是列表（parse_qs 的结果）：请传 dict(parse_qsl(query_string))",
        )
    return found if isinstance(found, str) else ""
