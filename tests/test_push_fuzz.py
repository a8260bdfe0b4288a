"""Ten thousand changed requests against push_app: only refusals, no exception, no growth, no wrong handler call."""

import gc
import json
import random
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest

from tests.test_push_app import APPID, KEY, NOW, TOKEN, call, plain, secure
from wxcs_lite.push import Push, push_app
from wxcs_lite.push.value import MAX_BODY

EACH = 5000
SIGNED = ("signature", "timestamp", "nonce")
SNIPPETS = [
    b"\0", b"<", b">", b"]]>", b"&a;", b"<!DOCTYPE a [<!ENTITY a 'b'>]>", b'{"Encrypt":"', b"\xff\xfe", b"\xf0\x9f",
    b"<xml>", b"</xml>", b"&", b"=", b"%", b"%00", b"+", b"\\ud83d", b'"', b"{" * 400, b"<a>" * 40, b"AAAA", b"NaN",
    b"&nonce=1", b"&timestamp=1", b"&msg_signature=", b"9" * 40, "é你👋".encode(),
]  # fmt: skip


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change bytes here and there: flip, drop, insert, repeat, cut, swap."""
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at, other = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[at + rng.choice((1, 1, 4, 16)) :]
        elif kind == 2:
            data = data[:at] + rng.choice(SNIPPETS) + data[at:]
        elif kind == 3:
            data = data[:other] + data[at:]
        elif kind == 4:
            data = data[:at]
        else:
            data = data[other:] + data[at:other] + data[:at]
    return data


def mutate_query(rng: random.Random, query: str) -> str:
    """Change its text, or its parameters: drop, swap, repeat, move a character from one to the next."""
    if rng.random() < 0.5:
        return mutate(rng, query.encode()).decode("latin-1")
    pairs = parse_qsl(query)
    at, other = rng.randrange(len(pairs)), rng.randrange(len(pairs))
    kind = rng.randrange(4)
    if kind == 0:
        del pairs[at]
    elif kind == 1:
        pairs.append(pairs[at])
    else:
        (name, value), (twin, another) = pairs[at], pairs[other]
        pairs[at], pairs[other] = ((name, another), (twin, value)) if kind == 2 else ((name, value[:-1]), pairs[other])
    return urlencode(pairs)


@pytest.mark.parametrize("wrap", [plain, secure])
def test_five_thousand_changed_requests(wrap: Callable[..., tuple[str, bytes]], caplog: Any) -> None:
    """Secure: the handler only ever sees what was sealed. Plain: nothing, once the signed part of a query changed."""
    caplog.set_level("CRITICAL")
    rng = random.Random(20260101)
    seen: list[Push] = []
    key = {"aes_key": KEY, "appid": APPID} if wrap is secure else {}
    app = push_app(seen.append, token=TOKEN, remember=100, **key)  # type: ignore[arg-type]
    statuses: dict[int, int] = {}
    blocks = calls = 0
    for n in range(EACH):
        fields = {"ToUserName": "gh_1", "FromUserName": "u", "CreateTime": NOW, "MsgType": "text", "MsgId": n}
        query, body = wrap({**fields, "Content": "你好 👋"}, form=rng.choice(("json", "xml")))
        which = rng.randrange(8)
        changed = mutate_query(rng, query) if which in (0, 1, 2) else query
        given = mutate(rng, body) if which in (2, 3, 4, 5) else body
        more = {"CONTENT_LENGTH": rng.choice(("", "0", "7", str(MAX_BODY + 1), "99999"))} if which == 6 else {}
        method = rng.choice(("HEAD", "PUT", "GET", "PATCH")) if which == 7 else "POST"
        status = call(app, method, changed, given, **more).status
        statuses[status] = statuses.get(status, 0) + 1
        if wrap is secure:
            assert all(push.fields == {**fields, "Content": "你好 👋"} for push in seen), (changed, given)
        elif signed_part(changed) != signed_part(query):
            assert not seen, changed
        assert status == 200 or not seen
        calls += len(seen)
        seen.clear()
        if n == EACH // 2:
            gc.collect()
            blocks = sys.getallocatedblocks()
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 2000, "memory grows"
    assert {200, 403, 405, 413} == set(statuses), statuses
    assert min(statuses.values()) > EACH / 100, statuses
    assert calls > EACH / 100, "some changes are harmless, so that the handler is known to be reached"


def signed_part(query: str) -> list[Any]:
    found = parse_qs(query, keep_blank_values=True)
    return [found.get(name) for name in SIGNED]


def test_the_mutations_are_no_toys() -> None:
    """An unchanged push passes: what is refused above is refused for its change."""
    for wrap, key in ((plain, {}), (secure, {"aes_key": KEY, "appid": APPID})):
        query, body = wrap({"MsgType": "text", "MsgId": 1})
        app = push_app(lambda push: None, token=TOKEN, **key)  # type: ignore[arg-type]
        assert 200 == call(app, "POST", query, body).status
        assert json.loads(body)
