"""The API signature on WeChat's side: requests are verified and decrypted, replies encrypted and signed."""

# https://developers.weixin.qq.com/miniprogram/dev/server/getting_started/api_signature.html

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.rules.evidence import SIGNATURE, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import PSS

    from wxcs_lite.sandbox.rules.account import Account
    from wxcs_lite.sandbox.rules.api_keys import ApiKeys

__all__ = ["SIGNED", "opened", "sealed"]

SIGNED = (
    "/cgi-bin/message/custom/send",
    "/cgi-bin/openapi/quota/get",
    "/cgi-bin/openapi/rid/get",
    "/cgi-bin/clear_quota",
)
_HOST = "https://api.weixin.qq.com"  # whatever URL the request came to
_APPID, _TIME, _SIGNATURE = "wechatmp-appid", "wechatmp-timestamp", "wechatmp-signature"
_WINDOW = 300  # seconds (inferred; not published for requests)


def opened(account: "Account", request: Request, now: float) -> Request:
    """Return the request with its body decrypted, the request itself if it is plain, or raise 40231 to 40240.

    The order of the checks is inferred.
    """
    given = [name for name in (_APPID, _TIME, _SIGNATURE) if request.headers.get(name)]
    if request.path not in SIGNED or not (given or account.switches.api_signature == "required"):
        return request
    for name, errcode in ((_APPID, 40233), (_TIME, 40231), (_SIGNATURE, 40232)):
        if name not in given:
            raise RefusedError(errcode)
    appid, timestamp = request.headers[_APPID], request.headers[_TIME]
    if not appid.startswith("wx"):
        raise RefusedError(40236)
    if appid != account.appid:
        raise RefusedError(40237)
    if re.fullmatch("[0-9]{1,12}", timestamp) is None or abs(now - int(timestamp)) > _WINDOW:
        raise RefusedError(40240)
    if account.api_keys is None:
        raise RefusedError(40239)  # the console has no keys; 40238 would be just as true
    _check_signature(account.api_keys, request, appid, timestamp)
    fields = _decrypted(account.api_keys, request, appid, timestamp)
    for name, expected in (("_n", None), ("_appid", appid), ("_timestamp", int(timestamp))):
        value = fields.pop(name, None)
        if value is None or expected not in (None, value):
            raise RefusedError(40235)
    return request._replace(body=json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"))


def _four_lines(path: str, appid: str, timestamp: str, body: bytes) -> bytes:
    return f"{_HOST}{path}\n{appid}\n{timestamp}\n".encode() + body


def _check_signature(keys: "ApiKeys", request: Request, appid: str, timestamp: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes

    lines = _four_lines(request.path, appid, timestamp, request.body)
    text = request.headers[_SIGNATURE]
    try:
        signature = b64decode(text, validate=True)
        if b64encode(signature).decode() != text:
            raise InvalidSignature
        keys.developer_key.verify(signature, lines, _pss(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        raise RefusedError(40234) from None


def _pss() -> "PSS":
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def _decrypted(keys: "ApiKeys", request: Request, appid: str, timestamp: str) -> dict[str, Any]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    aad = f"{_HOST}{request.path}|{appid}|{timestamp}|{keys.symmetric_sn}".encode()
    try:
        frame = json.loads(request.body)
        iv, data, tag = (b64decode(frame[name], validate=True) for name in ("iv", "data", "authtag"))
        if len(iv) != 12 or len(tag) != 16:
            raise RefusedError(40235)
        fields = json.loads(AESGCM(keys.symmetric_key).decrypt(iv, data + tag, aad))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidTag):
        raise RefusedError(40235) from None
    if not isinstance(fields, dict):
        raise RefusedError(40235)
    return fields


def sealed(account: "Account", keys: "ApiKeys", path: str, reply: Reply, now: float) -> Reply:
    """Encrypt and sign the reply to an opened request; that errors are treated so, too, is inferred, not published."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    names, timestamp = account.names, str(int(now))
    fields = {"_n": names.api_nonce(), "_appid": account.appid, "_timestamp": int(now), **json.loads(reply.body)}
    iv, aad = names.iv(), f"{_HOST}{path}|{account.appid}|{timestamp}|{keys.symmetric_sn}".encode()
    both = AESGCM(keys.symmetric_key).encrypt(iv, json.dumps(fields, ensure_ascii=False).encode(), aad)
    texts = (b64encode(part).decode() for part in (iv, both[:-16], both[-16:]))
    body = '{{"iv":"{}","data":"{}","authtag":"{}"}}'.format(*texts).encode()
    lines = _four_lines(path, account.appid, timestamp, body)
    signature = keys.platform_key.sign(lines, _pss(), hashes.SHA256())
    headers = (
        *reply.headers,
        ("Wechatmp-Appid", account.appid),
        ("Wechatmp-TimeStamp", timestamp),
        ("Wechatmp-Serial", keys.certificate_sn),
        ("Wechatmp-Signature", b64encode(signature).decode()),
    )
    return reply._replace(headers=headers, body=body)


# fmt: off
RULES = (
    Rule(
        f"Signed requests are verified and decrypted, and their replies encrypted and signed: {', '.join(SIGNED)}. The "
        f"order of the checks, the limit of {_WINDOW} s, and that errors are encrypted as well are our reading.",
        f"对签名请求先验签、再解密，返回内容也加密并签名，适用于 {'、'.join(SIGNED)}。"
        f"检查的先后、{_WINDOW} 秒的时限、出错时也加密，均为推断。",
        page=SIGNATURE, seen="40234: 2023-07, 2026-03; 40235: 2024-04", inferred=True,
        errcodes=(40231, 40232, 40233, 40234, 40235, 40236, 40237, 40239, 40240), setting="api_signature",
    ),
)
