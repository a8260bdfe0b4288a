"""An echo bot to copy: it shows typing, sends texts and pictures back, and hands over to a human on request."""

from collections.abc import Callable

from wxcs_lite.errors import TokenRejected
from wxcs_lite.messages import image, text
from wxcs_lite.pools import Pool
from wxcs_lite.push import Push, transfer_to_agent
from wxcs_lite.transport import download, send, showing_typing, upload

__all__ = ["echo_bot"]


def echo_bot(pool: Pool, token: Callable[..., str | None]) -> Callable[[Push], bytes | None]:
    """Return a handler for `push_app`; token is what `fresh_token` returns, because a bot outlives any one token.

    >>> from wxcs_lite import fresh_token
    >>> from wxcs_lite.push import push_app
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> bot = echo_bot(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock))
    >>> with sandbox.push_to(push_app(bot, token="madeUp"), token="madeUp"):
    ...     event = sandbox.user("ann").says("hello")
    >>> sandbox.user("ann").inbox[0].message["text"]
    {'content': 'hello'}

    All answers but the hand-over go through `send`: a Mini Program cannot answer a push with a message. A rejected
    token is replaced once, because another process may have fetched a newer one. Inside WeChat cloud hosting,
    where the platform adds the credential, token is `lambda rejected=None: None`.
    """

    def answer(push: Push) -> bytes | None:
        if push.MsgType == "text" and push.Content.strip().lower() in ("人工", "human"):
            return transfer_to_agent(push)
        current = token()
        try:
            echo(push, current)
        except TokenRejected:  # somebody has fetched a newer one, and nothing was sent
            echo(push, token(rejected=current))  # once, never in a loop
        return None

    def echo(push: Push, current: str | None) -> None:
        touser = push.FromUserName
        if push.MsgType == "text":
            with showing_typing(pool, current, touser):
                send(pool, current, text(touser, push.Content))
        elif push.MsgType == "image":
            with showing_typing(pool, current, touser):
                picture = download(pool, current, push.MediaId)
                copy = upload(pool, current, picture.content)
                send(pool, current, image(touser, copy.media_id))

    return answer
