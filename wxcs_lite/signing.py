"""The optional API signature (API 安全): a request is encrypted and signed, its reply verified and decrypted.

The body is encrypted first, with AES-256-GCM, bound to the URL, the account, the time and the key's number. Then it is
signed, with RSASSA-PSS over four lines, the last of which is the encrypted body. Both come from `cryptography`, which
is imported only when used.
"""

# https://developers.weixin.qq.com/miniprogram/dev/server/getting_started/api_signature.html

import base64
import json
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wxcs_lite.endpoints import SIGNABLE
from wxcs_lite.errors import BadReply, InvalidMessage, WxError
from wxcs_lite.replies import Reply, read_ok
from wxcs_lite.request import API, JSON, Request
from wxcs_lite.require import quoted, require_str
from wxcs_lite.secret import hide_if_str
from wxcs_lite.signing_keys import SigningKeys, decode_base64, require_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import PSS
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import GCM
    from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["SigningKeys", "open_reply", "sign"]

_IV = 12  # bytes
_TAG = 16  # bytes
_SALT = 32  # bytes
_AGE = 300  # seconds between request and reply
_FRAME = ("iv", "data", "authtag")
_ADDED = ("_n", "_appid", "_timestamp")


def sign(request: Request, keys: SigningKeys, now: float, nonce: str, iv: bytes) -> Request:
    """Return the request with the API signature: its body is encrypted, and it has three more headers.

    >>> from wxcs_lite import endpoints
    >>> from wxcs_lite.sandbox import Sandbox
    >>> keys = SigningKeys(**Sandbox(api_signature="required").signing_keys)
    >>> signed = sign(endpoints.get_quota(), keys, 1767240000, "o89QaPVsRu1yppIZzvSZc4", bytes(12))
    >>> [name for name, value in signed.extra_headers]
    ['Wechatmp-Appid', 'Wechatmp-TimeStamp', 'Wechatmp-Signature']

    `now` is in seconds of the epoch. `nonce` is a random text and `iv` twelve random bytes, never used twice with one
    key. The signed URL is https://api.weixin.qq.com plus the path, whatever gateway is used. WeChat offers it for
    four calls; InvalidMessage names them for any other. The signature differs each time: its salt is random.
    """
    keys = hide_if_str(keys)
    require_keys(keys)
    _require_signable(request)
    require_str("nonce", nonce)
    if len(iv) != _IV:
        raise InvalidMessage("iv", f"must be {_IV} bytes", f"应为 {_IV} 字节")
    url, timestamp = API + request.path, int(now)
    added = dict(zip(_ADDED, (nonce, keys.appid, timestamp), strict=True))
    plaintext = _json({**dict(request.query), **_fields(request), **added})
    body = encrypt(plaintext, url, timestamp, keys, iv)
    signature = keys.private_key.sign(_lines(url, keys.appid, str(timestamp), body), *_padding())
    headers = (
        ("Wechatmp-Appid", keys.appid),
        ("Wechatmp-TimeStamp", str(timestamp)),
        ("Wechatmp-Signature", base64.b64encode(signature).decode()),
    )
    return request._replace(query=(), body=body, content_type=JSON, extra_headers=(*request.extra_headers, *headers))


def encrypt(plaintext: bytes, url: str, timestamp: int, keys: SigningKeys, iv: bytes) -> bytes:
    """Return the body with iv, ciphertext and tag, each as base64."""
    encryptor = _cipher(keys.symmetric_key, iv, None).encryptor()
    encryptor.authenticate_additional_data(_bound_to(url, str(timestamp), keys))
    data = encryptor.update(plaintext) + encryptor.finalize()
    texts = (base64.b64encode(part).decode() for part in (iv, data, encryptor.tag))
    return _json(dict(zip(_FRAME, texts, strict=True)))


def _bound_to(url: str, timestamp: str, keys: SigningKeys) -> bytes:
    return "|".join((url, keys.appid, timestamp, keys.symmetric_sn)).encode()


def _lines(url: str, appid: str, timestamp: str, body: bytes) -> bytes:
    return "\n".join((url, appid, timestamp, "")).encode() + body


def open_reply(reply: Reply, request: Request, keys: SigningKeys) -> Reply:
    """Verify the reply to a signed request, and return it with its body decrypted.

    The time in the reply is compared with that of the request (300 seconds), so no clock is asked. An error may come
    plain, as those of the signature itself do (40230 to 40240), and is returned as it came. Raises BadReply for an
    invalid signature, for that of another account or certificate, and for a success that is not signed or not encrypted
    unless the keys accept it. Warns if WeChat has a new certificate and yours is about to expire.
    """
    keys = hide_if_str(keys)
    require_keys(keys)
    url, sent_at = API + request.path, _header(request.headers, "wechatmp-timestamp")
    if not sent_at:
        raise InvalidMessage("request", "is not signed: pass what sign returned", "没有签名：请传 sign 返回的请求")
    if not any(_header(reply.headers, f"wechatmp-signature{kind}") for kind in ("", "-deprecated")):
        return _unsigned(reply, keys)
    timestamp = _verify(reply, url, int(sent_at), keys)
    frame = _frame(reply.body)
    if frame is None:
        return _plain(reply, keys)
    found = _decrypt(frame, url, timestamp, keys)
    if found is None or found.get("_appid") != keys.appid or str(found.get("_timestamp")) != timestamp:
        raise _refused(
            reply,
            "is signed by WeChat, but cannot be decrypted: is symmetric_key the one with the number symmetric_sn?",
            "有微信的签名，但无法解密：请核对 symmetric_key 与编号 symmetric_sn 是否对应",
        )
    return reply._replace(body=_json({name: value for name, value in found.items() if name not in _ADDED}))


def _verify(reply: Reply, url: str, sent_at: int, keys: SigningKeys) -> str:
    """Return the reply's timestamp if its signature holds, else raise."""
    headers = reply.headers
    if _header(headers, "wechatmp-appid") != keys.appid:
        raise _refused(reply, "is signed for a different appid", "是签给其他 AppID 的")
    timestamp = _header(headers, "wechatmp-timestamp")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(int(timestamp) - sent_at) > _AGE:
        raise _refused(
            reply,
            f"was signed more than {_AGE} seconds before or after the request: it is old, or your clock is wrong",
            f"的签名时间与请求相差超过 {_AGE} 秒：可能是旧的应答，或者本机时钟不准",
        )
    signature = _signature(reply, keys)
    if not _holds(signature, _lines(url, keys.appid, timestamp, reply.body), keys):
        raise _refused(
            reply,
            "has an invalid signature: it was changed on the way, or certificate belongs to another account",
            "的签名校验不通过：应答在传输途中被修改，或者 certificate 不是这个账号的平台证书",
        )
    return timestamp


def _signature(reply: Reply, keys: SigningKeys) -> str:
    """Return the signature that belongs to our certificate."""
    for kind in ("", "-deprecated"):
        if _header(reply.headers, f"wechatmp-serial{kind}") == keys.certificate_sn:
            if kind:
                with suppress(UserWarning):  # under -W error it would be raised out of a call that WeChat has taken
                    warnings.warn(
                        "WeChat has changed its platform certificate; yours will soon expire: download the new one\n"
                        "微信的平台证书已更换，现有证书即将失效：请到管理后台下载新证书",
                        stacklevel=4,
                    )
            return _header(reply.headers, f"wechatmp-signature{kind}")
    raise _refused(
        reply,
        "is signed with another platform certificate than certificate_sn: download it again in the console (API 安全)",
        "用的平台证书与 certificate_sn 不符：请到管理后台“API 安全”重新下载证书",
    )


def _holds(signature: str, lines: bytes, keys: SigningKeys) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        keys.public_key.verify(decode_base64(signature), lines, *_padding())
    except InvalidSignature:
        return False
    return True


def _decrypt(frame: tuple[bytes, ...], url: str, timestamp: str, keys: SigningKeys) -> dict[str, Any] | None:
    from cryptography.exceptions import InvalidTag

    iv, data, tag = frame
    if len(iv) != _IV or len(tag) != _TAG:
        return None
    decryptor = _cipher(keys.symmetric_key, iv, tag).decryptor()
    decryptor.authenticate_additional_data(_bound_to(url, timestamp, keys))
    try:
        return _object(decryptor.update(data) + decryptor.finalize())
    except InvalidTag:
        return None


def _unsigned(reply: Reply, keys: SigningKeys) -> Reply:
    """Return a reply that has no signature, unless its content would have to be signed."""
    if _frame(reply.body) is not None:
        raise _refused(reply, "is encrypted, but its signature is missing", "已加密，但缺少签名")
    return _plain(reply, keys)


def _plain(reply: Reply, keys: SigningKeys) -> Reply:
    if keys.accept_plain:
        return reply
    try:
        read_ok(*reply)
    except WxError:
        return reply  # whoever reads it raises it
    raise _refused(
        reply,
        "is neither signed nor encrypted, although the request was: if your account gets no other replies, pass "
        "accept_plain=True to SigningKeys",
        "既未签名也未加密，而请求已签名：如果账号只能收到这样的应答，可用 SigningKeys(accept_plain=True) 接受",
    )


def _refused(reply: Reply, en: str, zh: str) -> BadReply:
    return BadReply(f"the reply (HTTP {reply.status}) {en}", f"应答（HTTP {reply.status}）{zh}", reply.status)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _frame(body: bytes) -> tuple[bytes, ...] | None:
    """Return iv, ciphertext and tag of a body, or None if it is not encrypted."""
    found = _object(body) or {}
    texts = [found.get(name) for name in _FRAME]
    return tuple(decode_base64(text) for text in texts) if all(isinstance(text, str) for text in texts) else None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _require_signable(request: Request) -> None:
    if request.path not in SIGNABLE:
        offered = ", ".join(sorted(SIGNABLE))
        raise InvalidMessage(
            "request",
            f"{quoted(request.path)} takes no API signature; WeChat offers it for {offered}",
            f"{quoted(request.path)} 不支持 API 签名；支持的接口有 {offered}",
        )
    if request.method != "POST":
        raise InvalidMessage("request", "must be a POST to be signed", "须为 POST 才能签名")
    if _header(request.headers, "wechatmp-signature"):
        raise InvalidMessage("request", "is signed already", "已经签过名了")


def _fields(request: Request) -> dict[str, Any]:
    fields = _object(request.body or b"{}") if isinstance(request.body, bytes | None) else None
    if fields is None:
        raise InvalidMessage("request", "must have a JSON object as its body", "请求体应为 JSON 对象")
    return fields


def _padding() -> tuple["PSS", "SHA256"]:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA256

    return PSS(MGF1(SHA256()), _SALT), SHA256()


def _cipher(key: bytes, iv: bytes, tag: bytes | None) -> "Cipher[GCM]":
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import GCM

    return Cipher(AES(key), GCM(iv, tag))
