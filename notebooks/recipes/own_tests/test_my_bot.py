"""One bot, tested in three ways: the handler alone, on the sandbox, and from a cassette."""

import os

import pytest
from my_bot import make_bot

from wxcs_lite import WindowClosed
from wxcs_lite.push import Push, push_app

OPENID = os.environ.get("WXCS_OPENID", "oCUSTOMER_of_the_sandbox_001")


# 1. The handler alone: a push built by hand. This is the quickest, and a debugger stops where you expect it to.

TEXT = {"ToUserName": "gh_made_up", "FromUserName": OPENID, "CreateTime": 1767240000, "MsgType": "text"}


def test_a_picture_is_passed_over():
    """Nothing is sent: the bot does not even have a pool."""
    bot = make_bot(pool=None, token=None)
    assert bot(Push({**TEXT, "MsgType": "image", "MediaId": "made-up"})) is None


def test_human_hands_over():
    """The answer to the push itself asks for an agent."""
    bot = make_bot(pool=None, token=None)
    answer = bot(Push({**TEXT, "Content": "human"}))
    assert b"transfer_customer_service" in answer


# 2. On the sandbox: the whole path, from the customer's phone and back, with WeChat's rules.


@pytest.fixture
def customer(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to):
    """A customer whose messages are pushed to the bot. An exception in the handler fails the test."""
    wxcs_push_to(push_app(make_bot(wxcs_pool, wxcs_token), token="madeUp"))
    return wxcs_sandbox.user(OPENID)


def test_a_text_is_answered(customer):
    """The phone shows the answer."""
    customer.says("hello")
    assert [shown.message["text"]["content"] for shown in customer.inbox] == ["You wrote: hello"]


def test_an_agent_takes_over(customer):
    """After the hand-over, the bot is silent."""
    customer.says("human")
    customer.says("hello")
    assert customer.has_agent
    assert customer.inbox == ()


def test_a_reply_after_two_days_is_refused(customer, wxcs_sandbox, wxcs_pool, wxcs_token):
    """The sandbox's clock is moved; it applies WeChat's rules of the reply window."""
    customer.says("hello")
    wxcs_sandbox.advance(49 * 3600)
    late = make_bot(wxcs_pool, wxcs_token)
    with pytest.raises(WindowClosed):
        late(Push({**TEXT, "Content": "still there?"}))


# 3. From a cassette: real HTTP, recorded once against the sandbox or against WeChat, and compared byte for byte since.


@pytest.mark.vcr
def test_what_leaves(customer):
    """The token is fetched, and one message is sent, with this body."""
    customer.says("hello")
