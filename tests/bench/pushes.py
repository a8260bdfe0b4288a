"""CPU and latency of receiving one encrypted push: by hand, with `read_push`, through `push_app`, with wechatpy."""

import hmac
import io
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from hashlib import sha1
from importlib import import_module
from itertools import cycle
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from tests.bench.measure import Call, interleaved
from tests.bench.samples import OPENID, TEXT
from tests.bench.tables import Goal, note, print_costs
from wxcs_lite import push
from wxcs_lite.push.crypto import sign
from wxcs_lite.push.markup import write_xml

__all__ = ["APPID", "KEY", "TOKEN", "Post", "post", "run"]

TOKEN, KEY, APPID, _NOW, _NONCE = "made-up", "sEcretKey" + "x" * 33 + "G", "wxba5fad812f8e6fb9", 1767240000, "4156"
_HAND = "JSON, by hand"


class Post(NamedTuple):
    query: str
    body: bytes


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    try:
        import_module("cryptography")
    except ImportError:
        print("\n## An encrypted push\n\ncryptography is not installed")
        return []
    rounds, count = (2, 5) if quick else (30, 100)
    costs = interleaved(_calls((rounds + 1) * max(3, count)), rounds=rounds, count=count)
    print_costs(f"An encrypted push: {rounds} rounds of {count}, in this process", costs, _HAND, server=False)
    note(
        "By hand: signature, AES, appid, parsed; no bounds, no repetitions, no thread that keeps a slow handler apart."
    )
    return []


def _calls(count: int) -> dict[str, Call | None]:
    """Return what receives the next push each time; one that `push_app` has seen would save it the work."""
    posts = [post(number, "json") for number in range(count)]
    few = posts[:100]
    in_xml = [post(number, "xml") for number in range(100)]
    app = push.push_app(lambda received: None, token=TOKEN, aes_key=KEY, appid=APPID)
    return {
        _HAND: _each(few, _by_hand()),
        "JSON, wxcs_lite read_push": _each(few, _read),
        "JSON, wxcs_lite push_app": _each(posts, lambda post: _through(app, post)),
        "XML, wxcs_lite read_push": _each(in_xml, _read),
        "XML, wechatpy": _each(in_xml, theirs) if (theirs := _wechatpy()) else None,
    }


def post(number: int, form: str) -> Post:
    fields: dict[str, Any] = {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": OPENID,
        "CreateTime": _NOW,
        "MsgType": "text",
        "Content": TEXT,
        "MsgId": 23_000_000_000_000_000 + number,
    }
    inner = write_xml(fields) if form == "xml" else json.dumps(fields, ensure_ascii=False)
    frame = push.encrypt(inner.encode(), aes_key=KEY, appid=APPID)
    outer = {"ToUserName": "gh_0123456789ab", "Encrypt": frame}
    query = {
        "signature": sign(TOKEN, str(_NOW), _NONCE),
        "timestamp": _NOW,
        "nonce": _NONCE,
        "openid": OPENID,
        "encrypt_type": "aes",
        "msg_signature": sign(TOKEN, str(_NOW), _NONCE, frame),
    }
    return Post(urlencode(query), (write_xml(outer) if form == "xml" else json.dumps(outer)).encode())


def _each(posts: list[Post], receive: Callable[[Post], object]) -> Call:
    coming: Iterator[Post] = cycle(posts)
    return lambda: receive(next(coming))


def _by_hand() -> Callable[[Post], object]:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    key = b64decode(KEY + "=")

    def receive(post: Post) -> object:
        query = dict(parse_qsl(post.query))
        frame = json.loads(post.body)["Encrypt"]
        signed = "".join(sorted((TOKEN, query["timestamp"], query["nonce"], frame))).encode()
        if not hmac.compare_digest(sha1(signed).hexdigest(), query["msg_signature"]):
            raise RuntimeError("signature")
        decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
        data = decryptor.update(b64decode(frame)) + decryptor.finalize()
        end = 20 + int.from_bytes(data[16:20], "big")
        if data[end : -data[-1]].decode() != APPID:
            raise RuntimeError("appid")
        return json.loads(data[20:end])

    return receive


def _read(post: Post) -> object:
    return push.read_push(dict(parse_qsl(post.query)), post.body, token=TOKEN, aes_key=KEY, appid=APPID)


def _through(app: Any, post: Post) -> None:
    said = []
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": post.query,
        "CONTENT_LENGTH": str(len(post.body)),
        "wsgi.input": io.BytesIO(post.body),
    }
    answer = b"".join(app(environ, lambda status, headers: said.append(status)))
    if said != ["200 OK"] or answer != push.SUCCESS:
        raise RuntimeError(f"{said} {answer!r}")


def _wechatpy() -> Callable[[Post], object] | None:
    try:
        wechatpy, crypto = import_module("wechatpy"), import_module("wechatpy.crypto")
    except ImportError:
        return None
    opener = crypto.WeChatCrypto(TOKEN, KEY, APPID)

    def receive(post: Post) -> object:
        query = dict(parse_qsl(post.query))
        plain = opener.decrypt_message(post.body, query["msg_signature"], query["timestamp"], query["nonce"])
        message: object = wechatpy.parse_message(plain)
        return message

    return receive
