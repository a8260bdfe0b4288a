"""What users send us: verify, decrypt, parse, answer.

WeChat calls a URL of yours: once with GET, to check it (`echo`), then with POST for each message and event
(`read_push`). It wants an answer within 5 s, `SUCCESS` or `transfer_to_agent(push)`, or it sends the push up to three
times more (`dedupe_key`). There is no answer with a text, because a Mini Program has none: WeChat drops it, so answer
the user with `wxcs_lite.send`. `push_app` does all of this as a WSGI application; several processes of it share their
`Claims` on pushes, as in an `SqliteSeen`.

Choose secure mode (安全模式) in the console and give `aes_key`: the signature of a plain push does not cover its body.
That needs the extra "push".
"""

from wxcs_lite.push.answers import SUCCESS, seal, transfer_to_agent
from wxcs_lite.push.crypto import decrypt, encrypt, verify
from wxcs_lite.push.reading import echo, read_push
from wxcs_lite.push.seen import Claims, SqliteSeen
from wxcs_lite.push.value import Push, dedupe_key
from wxcs_lite.push.wsgi import push_app

__all__ = [
    "SUCCESS",
    "Claims",
    "Push",
    "SqliteSeen",
    "decrypt",
    "dedupe_key",
    "echo",
    "encrypt",
    "push_app",
    "read_push",
    "seal",
    "transfer_to_agent",
    "verify",
]
