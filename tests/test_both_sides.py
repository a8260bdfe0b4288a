"""Client and sandbox were written separately; here each rule that both know is checked against the other."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite import WindowClosed, fetch_token, send, text
from wxcs_lite.push import Push, dedupe_key, push_app, transfer_to_agent
from wxcs_lite.reply_window import WindowEvent, window_left
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.pushes.requests import Format

TOKEN, AES_KEY = "madeUp", "madeUp" + "x" * 36 + "G"
STEP = st.one_of(
    st.sampled_from(["message", "enter", "sent"]),
    st.sampled_from([0, 1, 59, 60, 61, 3600, 47 * 3600, 48 * 3600 - 1, 48 * 3600, 48 * 3600 + 1]),
)


@given(st.lists(STEP, max_size=40), st.booleans())
def test_window_left_and_the_sandbox_agree(steps: list[str | int], refill: bool) -> None:
    """After any history, what the client foretells of the next message is what WeChat in the box answers."""
    sandbox = Sandbox(refill_on_entry=refill)
    ann, pool, events = sandbox.user("ann"), sandbox.pool(), list[WindowEvent]()
    token, fetched_at = "", float("-inf")
    for step in [*steps, "sent"]:
        now = sandbox.clock()
        if isinstance(step, int):
            sandbox.advance(step)
        elif step == "message":
            ann.says("hi")
            events.append(WindowEvent("message", now))
        elif step == "enter":
            ann.enters_session()
            events.append(WindowEvent("enter", now))
        else:
            if now - fetched_at > 6000:
                token, fetched_at = fetch_token(pool, sandbox.appid, sandbox.secret), now
            window = window_left(events, now, refill_on_entry=refill)
            expected = 45015 if window.closes_at is None else 0 if window.left else 45047
            assert expected == _errcode_of_sending(sandbox, token)
            if not expected:
                events.append(WindowEvent("sent", now))


def _errcode_of_sending(sandbox: Sandbox, token: str) -> int:
    try:
        send(sandbox.pool(), token, text("ann", "hi"))
    except WindowClosed as e:
        return e.errcode
    return 0


@pytest.mark.parametrize(("format", "mode"), list(product(["json", "xml"], ["plain", "compatible", "secure"])))
def test_what_is_pushed_is_read(format: Format, mode: str) -> None:
    """Each thing a customer does arrives with its fields, in each form and mode."""
    sandbox = Sandbox()
    inbox: list[Push] = []
    key = None if mode == "plain" else AES_KEY
    app = push_app(inbox.append, token=TOKEN, aes_key=key, appid=sandbox.appid, clock=sandbox.clock, max_age=60)
    with sandbox.push_to(app, token=TOKEN, aes_key=key, format=format, compatible=mode == "compatible") as pushes:
        ann = sandbox.user("ann")
        done = [ann.says("你好 ]]> & <a>"), ann.sends_image(sunset()), ann.sends_card(title="订单", pagepath="p?a=1")]
        done.append(ann.enters_session("from=<菜单>"))
    assert ["success"] * 4 == [pushed.answer for pushed in pushes.log]
    for event, push in zip(done, inbox, strict=True):
        assert "ann" == push.FromUserName
        assert event.kind == push.MsgType
        assert int(event.at) == push.CreateTime
        assert event.msg_id == push.get("MsgId")
        assert dict(event.fields) == {name: push.get(name) for name in event.fields}
    assert 4 == len({dedupe_key(push) for push in inbox})


@pytest.mark.parametrize(("format", "key"), list(product(["json", "xml"], [None, AES_KEY])))
def test_a_hand_over_is_understood(format: Format, key: str | None) -> None:
    """What transfer_to_agent writes, sealed or not, hands the session to an agent."""
    sandbox = Sandbox()
    app = push_app(transfer_to_agent, token=TOKEN, aes_key=key, appid=sandbox.appid, clock=sandbox.clock)
    with sandbox.push_to(app, token=TOKEN, aes_key=key, format=format) as pushes:
        sandbox.user("ann").says("human please")
    assert ["transfer"] == [pushed.answer for pushed in pushes.log]
    assert sandbox.user("ann").has_agent


def test_a_repeated_push_meets_the_handler_once() -> None:
    """The handler fails the sandbox's time limit; the repetitions are dropped and answered."""
    sandbox = Sandbox()
    inbox: list[Push] = []
    app = push_app(inbox.append, token=TOKEN)
    calls = 0

    def first_one_lost(environ: dict[str, object], start_response: object) -> object:
        nonlocal calls
        calls += environ["REQUEST_METHOD"] == "POST"
        answer = app(environ, start_response)  # type: ignore[arg-type]
        if calls == 1 and environ["REQUEST_METHOD"] == "POST":
            raise ConnectionError("the answer is lost on its way")
        return answer

    with sandbox.push_to(first_one_lost, token=TOKEN) as pushes:  # type: ignore[arg-type]
        sandbox.user("ann").says("hello")
    assert 2 == len(pushes.log)
    assert 1 == len(inbox)
    assert "success" == pushes.log[-1].answer


def test_a_wrong_key_gets_nowhere() -> None:
    """The URL check is signed with the token only, so it passes; the first push does not, and the phone says so."""
    sandbox = Sandbox()
    inbox: list[Push] = []
    app = push_app(inbox.append, token=TOKEN, aes_key="other" + "y" * 37 + "A", clock=sandbox.clock)
    with sandbox.push_to(app, token=TOKEN, aes_key=AES_KEY) as pushes:
        sandbox.user("ann").says("hello")
    assert [] == inbox
    assert [403] * 4 == [pushed.status for pushed in pushes.log]
    assert 1 == len(sandbox.user("ann").notices)
