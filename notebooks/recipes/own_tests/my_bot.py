"""The bot of lesson 10: it hands over to a human when asked, and otherwise repeats what the customer wrote."""

from wxcs_lite import send, text
from wxcs_lite.push import transfer_to_agent


def make_bot(pool, token):
    """Return a handler for `push_app`; token is what `fresh_token` gives."""

    def bot(push):
        if push.MsgType != "text":
            return None
        if push.Content == "human":
            return transfer_to_agent(push)
        send(pool, token(), text(push.FromUserName, f"You wrote: {push.Content}"))
        return None

    return bot
