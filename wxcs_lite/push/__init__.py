"""What users send us: verify, decrypt, parse, answer.

WeChat calls a URL of yours: once with GET, to check it (`echo`), then with POST for each message and event
(`read_push`). It expects an answer within 5 s, `SUCCESS` or `transfer_to_agent(push)`, and otherwise sends the push up
to three more times (`dedupe_key`). A Mini Program cannot answer a push with a text: answer the user with
`wxcs_lite.send`. Such an answer was seen to be dropped silently (2019, 2021); the official page says that any wrong
answer shows the customer a notice, and the sandbox does that. `push_app` does all of this as a WSGI application;
several processes of it share their `Claims` on pushes, for example in an `SqliteSeen`.

Choose secure mode (安全模式) in the console and pass `aes_key`, because the signature of a plain push does not cover
its body. This needs the extra "push".
"""

# https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html
# https://github.com/Eric-Guo/wechat/issues/264

from wxcs_lite.push.answers import SUCCESS, seal, transfer_to_agent
from wxcs_lite.push.crypto import decrypt, encrypt, verify
from wxcs_lite.push.feed import append_to
from wxcs_lite.push.reading import echo, read_push
from wxcs_lite.push.seen import Claims, SqliteSeen
from wxcs_lite.push.value import Push, dedupe_key
from wxcs_lite.push.wsgi import push_app

__all__ = [
    "SUCCESS",
    "Claims",
    "Push",
    "SqliteSeen",
    "append_to",
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
