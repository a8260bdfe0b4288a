"""What may be answered to a push: the word `success`, or the hand-over to a human agent."""

import json
from collections.abc import Mapping
from typing import Any

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.push.crypto import encrypt, sign
from wxcs_lite.push.markup import write_xml
from wxcs_lite.push.value import Format, Push
from wxcs_lite.secret import hide

__all__ = ["SUCCESS", "seal", "transfer_to_agent"]

SUCCESS = b"success"  # an empty answer means the same; without one within 5 s WeChat repeats the push


def transfer_to_agent(push: Push) -> bytes:
    """Return the answer that hands the user over to a human agent, in the format of the push.

    >>> push = Push({"ToUserName": "gh_1", "FromUserName": "OPENID", "CreateTime": 1399197672, "MsgType": "text"})
    >>> transfer_to_agent(push)[45:]
    b'"CreateTime":1399197672,"MsgType":"transfer_customer_service"}'

    For messages only: an event cannot be handed over (InvalidMessage). The answer is plain: `push_app` seals it if the
    push came encrypted. To answer with a text, use `send`.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/trans.html
    user, account, at = push.get("FromUserName"), push.get("ToUserName"), push.get("CreateTime")
    if push.get("MsgType") == "event" or not (user and account and at is not None):
        raise InvalidMessage(
            "push", "must be a user's message: an event cannot be handed over", "应为用户消息：事件不能转人工"
        )
    fields = {"ToUserName": user, "FromUserName": account, "CreateTime": at, "MsgType": "transfer_customer_service"}
    return _written(fields, push.format)


def seal(
    answer: bytes,
    *,
    token: str,
    aes_key: str,
    appid: str,
    timestamp: int,
    nonce: str,
    format: Format,
    random: bytes | None = None,
) -> bytes:
    """Return the encrypted form of an answer, for a push that came encrypted.

    >>> seal(b'{"demo_resp":"good luck"}', token="AAAAA", aes_key="A" * 43, appid="wxba5fad812f8e6fb9",
    ...      timestamp=1713424427, nonce="415670741", format="json", random=b"707722b803182950")[90:]
    b'L32tmxSQ==","MsgSignature":"1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1","TimeStamp":1713424427,"Nonce":"415670741"}'

    SUCCESS and an empty answer are returned unchanged: WeChat wants them plain. `timestamp` is in seconds since the
    epoch; `nonce` may be that of the push; `random` is 16 bytes that only a test should choose.
    """
    # https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
    token, aes_key = hide(token), hide(aes_key)
    if answer in (b"", SUCCESS):
        return answer
    encrypted = encrypt(answer, aes_key=aes_key, appid=appid, random=random)
    signature = sign(token, str(int(timestamp)), nonce, encrypted)
    fields = {"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": int(timestamp), "Nonce": str(nonce)}
    return _written(fields, format)


def _written(fields: Mapping[str, Any], format: Format) -> bytes:
    text = write_xml(fields) if format == "xml" else json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
