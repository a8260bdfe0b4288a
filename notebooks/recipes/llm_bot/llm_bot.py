"""A bot with a language model: answers that are slow and long, under WeChat's rules.

A model may take a minute, and write more than a message holds; WeChat wants an answer to its push at once, shows
"typing…" for 15 seconds, and lets you send five messages after each message of the customer.
"""

import logging
import os
import sys
import threading
import time
from collections import OrderedDict, deque
from contextlib import contextmanager

from wxcs_lite import (
    ApiError,
    QuotaExceeded,
    TokenRejected,
    WindowClosed,
    WindowEvent,
    WxError,
    fresh_token,
    open_pool,
    retry_after,
    send,
    set_typing,
    split_text,
    text,
    window_left,
    with_ai_label,
)
from wxcs_lite.push import SqliteSeen, push_app, transfer_to_agent
from wxcs_lite.sandbox import Sandbox

HUMAN = ("人工", "human")
MORE = ("继续", "more")
MORE_TO_COME = "\n…\n（回复“继续”看下文 / write “more” to read on）"
SORRY = "抱歉，暂时无法回答；回复“人工”转人工客服。\nSorry, no answer just now; write “human” for a person."
PIECE = 2048 - len(MORE_TO_COME.encode())
TYPING_AGAIN = 15.5  # seconds: WeChat answers 45081 before 15, and 45080 after 30 since the last message
REMEMBERED = 20  # turns of a conversation that the model sees
CUSTOMERS = 1000  # how many customers' conversations are kept

log = logging.getLogger("llm_bot")


def echo(history):
    """Repeat the last message, word by word: a model that is always available."""
    # A real model, here any that speaks OpenAI's protocol: client = openai.OpenAI(base_url=…, api_key=…)
    #     for chunk in client.chat.completions.create(model=…, messages=history, stream=True):
    #         yield chunk.choices[0].delta.content or ""
    yield "You wrote: "
    for word in history[-1]["content"].split(" "):
        yield word + " "


class Customer:
    """What is known about one customer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = deque()  # pushes; the first one is being answered
        self.history = deque(maxlen=REMEMBERED)
        self.events = []  # for the reply window
        self.rest = []  # pieces that did not fit into the window
        self.with_agent = False


class Bot:
    """A handler for `push_app`; token is what `fresh_token` gives, answer(history) an iterator of text."""

    def __init__(self, pool, token, answer=echo, *, clock=time.time, wait=threading.Event.wait):
        self.pool, self.token, self.answer, self.clock, self.wait = pool, token, answer, clock, wait
        self.lock = threading.Lock()
        self.customers = OrderedDict()
        self.quiet_until = 0  # after a quota is used up

    def __call__(self, push):
        customer = self.customer(push.FromUserName)
        if push.MsgType == "event":
            if push.get("Event") == "user_enter_tempsession":
                customer.events.append(WindowEvent("enter", push.CreateTime))
            return None
        with customer.lock:
            customer.with_agent = self.said(push) in HUMAN
            customer.events = [WindowEvent("message", push.CreateTime)]  # older ones no longer count
            if customer.with_agent:  # at once: what is still being written will not be sent
                customer.rest = []
                while len(customer.waiting) > 1:
                    customer.waiting.pop()
                return transfer_to_agent(push)
            customer.waiting.append(push)
            if len(customer.waiting) > 1:
                return None  # the thread that answers the first one answers this one next
        while self.serve(customer):
            pass
        return None

    def customer(self, touser):
        with self.lock:
            customer = self.customers.setdefault(touser, Customer())
            self.customers.move_to_end(touser)
            if len(self.customers) > CUSTOMERS:
                self.customers.popitem(last=False)
            return customer

    def said(self, push):
        return push.Content.strip().lower() if push.MsgType == "text" else f"({push.MsgType})"

    def serve(self, customer):
        """Answer the push that has waited longest, and return whether there is another."""
        try:
            self.reply(customer, customer.waiting[0])
        except Exception as error:  # the customer's next message must still be answered
            log.error("no answer: %s", error.en if isinstance(error, WxError) else type(error).__name__)
        with customer.lock:
            customer.waiting.popleft()
            return bool(customer.waiting)

    def reply(self, customer, push):
        if self.clock() < self.quiet_until:
            log.warning("no answer: the quota is used up")
            return
        touser = push.FromUserName
        if customer.rest and self.said(push) in MORE:
            pieces, customer.rest = customer.rest, []
        else:
            customer.history.append({"role": "user", "content": push.get("Content", f"({push.MsgType})")})
            with self.typing(touser):
                content = self.written(customer)
            pieces = split_text(content, PIECE)
        self.deliver(customer, touser, pieces)

    def written(self, customer):
        """Return all that the model writes: only then is it known how many messages it takes."""
        try:
            content = "".join(self.answer(list(customer.history)))
        except Exception as error:
            log.error("the model failed: %s", type(error).__name__)
            return SORRY
        customer.history.append({"role": "assistant", "content": content})
        return content

    def deliver(self, customer, touser, pieces):
        """Send as many pieces as the window has room for; the others wait for the customer to ask for them."""
        while pieces:
            left = window_left(customer.events, self.clock()).left
            with customer.lock:
                if customer.with_agent:
                    return
                if not left:
                    customer.rest = pieces
                    return
            more = MORE_TO_COME if left == 1 and len(pieces) > 1 else ""
            try:
                self.call(send, with_ai_label(text(touser, pieces[0] + more)))
            except (WindowClosed, QuotaExceeded) as error:  # nothing was sent
                customer.rest = pieces
                self.quiet_until = self.clock() + (retry_after(error) or 0)
                raise
            customer.events.append(WindowEvent("sent", self.clock()))
            pieces = pieces[1:]

    @contextmanager
    def typing(self, touser):
        """Show "typing…" for as long as the block takes or the rules allow; sending a message ends it."""
        done = threading.Event()
        thread = threading.Thread(target=self.type, args=(touser, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()  # otherwise a late "typing…" could follow the answer

    def type(self, touser, done):
        try:
            self.call(set_typing, touser)
            while not self.wait(done, TYPING_AGAIN):
                self.call(set_typing, touser)
        except WxError as error:  # 45080: half a minute has passed since the customer's message
            log.info("typing is not shown any longer: %s", error.errcode if isinstance(error, ApiError) else error.en)

    def call(self, function, *arguments):
        """Call WeChat; if another process has replaced the token, fetch the new one, once."""
        current = self.token()
        try:
            return function(self.pool, current, *arguments)
        except TokenRejected:
            return function(self.pool, self.token(rejected=current), *arguments)


def from_environment():
    """Return the WSGI application: gunicorn --threads 32 'llm_bot:from_environment()'."""
    names = ("WXCS_APPID", "WXCS_SECRET", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")
    missing = ", ".join(name for name in names if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    appid, secret, push_token, aes_key = (os.environ[name] for name in names)
    pool = open_pool(os.environ.get("WXCS_BASE_URL", "https://api.weixin.qq.com"))
    bot = Bot(pool, fresh_token(pool, appid, secret))
    seen = SqliteSeen("seen.sqlite")
    return push_app(bot, token=push_token, aes_key=aes_key, appid=appid, workers=32, seen=seen)


def demo():
    """Print a conversation on the sandbox: no account, no network."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    bot = Bot(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock), clock=sandbox.clock)
    push_token = sandbox.secret[:8]  # any value will do here
    sandbox.push_to(push_app(bot, token=push_token), token=push_token)
    customer = sandbox.user("ann")
    for line in ("hello", "what a long story: " + "once upon a time. " * 800, "more", "human"):
        shown = len(customer.inbox)
        print(f"ann: {line[:60]}")
        customer.says(line)
        for delivered in customer.inbox[shown:]:
            content = delivered.message["text"]["content"]
            print(f"bot: {content[:40]!r} … {content[-40:]!r}, {len(content.encode())} bytes")
    print("an agent has the session" if customer.has_agent else "the bot has the session")


if __name__ == "__main__":
    demo()
