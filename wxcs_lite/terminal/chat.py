"""Talk to the echo bot in a terminal: you are the customer, and the sandbox plays WeChat."""

import secrets
import sys
import time
from importlib.util import find_spec
from typing import TextIO

from wxcs_lite.bot import echo_bot
from wxcs_lite.errors import WxError
from wxcs_lite.fresh import fresh_token
from wxcs_lite.look.words import Language
from wxcs_lite.push import Push, push_app
from wxcs_lite.sandbox import Customer, Sandbox, sunset

__all__ = ["chat"]

_TEXTS = {
    "en": {
        "opening": "You are a customer; an echo bot (wxcs_lite/bot.py) answers. {mode}\n"
        "Type a line; /picture sends a picture, 'human' asks for a human, Ctrl-D quits.",
        "secure": "Pushes to it are encrypted.",
        "plain": "Pushes to it are plain; pip install 'cryptography>=50.0.2' to encrypt them.",
        "picture": "[picture, {} bytes]",
        "agent": "(A human agent has taken over; the bot gets no more messages.)",
        "notice": "(Customer service is unavailable.)",
    },
    "zh": {
        "opening": "你扮演用户，由复读机器人（wxcs_lite/bot.py）回复。{mode}\n"
        "输入一行文字即可；/picture 发送图片，“人工”转人工客服，Ctrl-D 结束。",
        "secure": "推送内容已加密。",
        "plain": "推送为明文；执行 pip install 'cryptography>=50.0.2' 后改为加密。",
        "picture": "[图片，{} 字节]",
        "agent": "（已转人工客服，机器人不再收到消息。）",
        "notice": "（{}）",
    },
}


def chat(lang: Language = "en", lines: TextIO | None = None, out: TextIO | None = None) -> None:
    """Read what the customer writes, line by line, and print what the bot answers.

    >>> import io
    >>> out = io.StringIO()
    >>> chat(lines=io.StringIO("hello\\n"), out=out)
    >>> out.getvalue().splitlines()[-1]
    '< hello'
    """
    texts, out = _TEXTS[lang], out or sys.stdout
    # A server should use secure mode, which needs the extra "push".
    secure = find_spec("cryptography") is not None
    sandbox = Sandbox(clock=time.time)
    pool = sandbox.pool()
    bot = echo_bot(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock))
    token, aes_key = secrets.token_hex(8), secrets.token_hex(21) + "A" if secure else None

    def failed(push: Push, error: BaseException) -> None:
        print("!", _line(error, lang), file=out, flush=True)

    app = push_app(bot, token=token, aes_key=aes_key, appid=sandbox.appid, on_error=failed)
    print(texts["opening"].format(mode=texts["secure" if secure else "plain"]), file=out, flush=True)
    customer = sandbox.user("you")
    with sandbox.push_to(app, token=token, aes_key=aes_key):
        for line in lines or sys.stdin:
            if line.strip():
                _turn(customer, line.strip(), texts, out)


def _line(error: BaseException, lang: Language) -> str:
    if isinstance(error, WxError):
        return error.zh if lang == "zh" else error.en
    return type(error).__name__


def _turn(customer: Customer, line: str, texts: dict[str, str], out: TextIO) -> None:
    shown, noticed = len(customer.inbox), len(customer.notices)
    if line == "/picture":
        customer.sends_image(sunset())
    else:
        customer.says(line)
    for delivered in customer.inbox[shown:]:
        content = delivered.message.get("text", {}).get("content")
        print("<", content or texts["picture"].format(len(delivered.picture or b"")), file=out, flush=True)
    if customer.has_agent:
        print(texts["agent"], file=out, flush=True)
    if len(customer.notices) > noticed:
        print(texts["notice"].format(customer.notices[-1].text), file=out, flush=True)
