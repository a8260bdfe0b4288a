"""One bot, tested in three ways: the handler alone, on the sandbox, and from a cassette."""

import os

import pytest
from my_bot import make_bot

from wxcs_lite import WindowClosed
from wxcs_lite.push import Push, push_app

OPENID = os.environ.get("WXCS_OPENID", "oCUSTOMER_of_the_sandbox_001")


# 1. The handler alone: a push made by hand. The quickest, and a debugger stops where you think it does.

TEXT = {"ToUserName": "gh_made_up", "FromUserName": OPENID, "CreateTime": 1767240000, "MsgType": "text"}


def test_a_picture_is_passed_over():
    """Nothing is sent: there is not even a pool."""
    bot = make_bot(pool=None, token=None)
    assert bot(Push({**TEXT, "MsgType": "image", "MediaId": "made-up"})) is None


def test_human_hands_over():
    """The answer to the push itself asks for an agent."""
    bot = make_bot(pool=None, token=None)
    answer = bot(Push({**TEXT, "Content": "human"}))
    assert b"transfer_customer_service" in answer


# 2. On the sandbox: the whole way, from the customer's phone and back, with WeChat's rules.


@pytest.fixture
def customer(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to):
    """A customer whose messages are pushed to the bot. What the handler raises fails the test."""
    wxcs_push_to(push_app(make_bot(wxcs_pool, wxcs_token), token="madeUp"))
    return wxcs_sandbox.user(OPENID)


def test_a_text_is_answered(customer):
    """The phone shows it."""
    customer.says("hello")
    assert [shown.message["text"]["content"] for shown in customer.inbox] == ["You wrote: hello"]


def test_an_agent_takes_over(customer):
    """Then the bot is silent."""
    customer.says("human")
    customer.says("hello")
    assert customer.has_agent
    assert customer.inbox == ()


def test_a_reply_after_two_days_is_refused(customer, wxcs_sandbox, wxcs_pool, wxcs_token):
    """Time travel: the rules of the reply window are WeChat's."""
    customer.says("hello")
    wxcs_sandbox.advance(49 * 3600)
    late = make_bot(wxcs_pool, wxcs_token)
    with pytest.raises(WindowClosed):
        late(Push({**TEXT, "Content": "still there?"}))


# 3. From a cassette: real HTTP, recorded once against the sandbox or against WeChat, and compared to the byte since.


@pytest.mark.vcr
def test_what_leaves(customer):
    """The token is fetched, and one message is sent, with this body."""
    customer.says("hello")
