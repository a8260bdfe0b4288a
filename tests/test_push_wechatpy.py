"""Our frames and wechatpy's understand each other, both ways."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.push import decrypt, encrypt, read_push, seal
from wxcs_lite.push.crypto import sign

crypto = pytest.importorskip("wechatpy.crypto")

KEY_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text("你好吗再见，。👋👨‍👩‍👧🇨🇳 a<&>]", max_size=60)
keys = st.text(KEY_CHARS, min_size=43, max_size=43)
appids = st.text("0123456789abcdef", min_size=16, max_size=16).map("wx".__add__)
tokens = st.text(KEY_CHARS, min_size=3, max_size=32)


@settings(max_examples=1000, deadline=None)
@given(texts, keys, appids, tokens)
def test_frames_and_envelopes_cross_both_ways(text: str, key: str, appid: str, token: str) -> None:
    """A thousand random messages, Chinese and emoji included, with random keys: 3 in 4 a strict decoder refuses."""
    theirs = crypto.PrpCrypto(crypto.WeChatCrypto(token, key, appid).key)
    assert theirs.decrypt(encrypt(text.encode(), aes_key=key, appid=appid), appid) == text
    assert decrypt(theirs.encrypt(text, appid).decode(), aes_key=key, appid=appid) == text.encode()

    envelope = crypto.WeChatCrypto(token, key, appid)
    frame = theirs.encrypt(json.dumps({"Content": text}), appid).decode()
    query = {"timestamp": "1409304348", "nonce": "n", "msg_signature": sign(token, "1409304348", "n", frame)}
    body = json.dumps({"Encrypt": frame}).encode()
    assert read_push(query, body, token=token, aes_key=key, appid=appid).Content == text

    if text.encode() not in (b"", b"success"):
        answer = seal(
            text.encode(), token=token, aes_key=key, appid=appid, timestamp=1409304348, nonce="n", format="json"
        )
        fields = json.loads(answer)
        assert envelope.decrypt_message(fields, fields["MsgSignature"], "1409304348", "n") == text
