"""What can be done on the page, from the fields of a form: what a program can do, and nothing that cannot be."""

from typing import Any

import pytest

from wxcs_lite.push import push_app, transfer_to_agent
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.sandbox.door.actions import NotPossibleError, act, send_picture


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def do(sandbox: Sandbox, **fields: object) -> None:
    act(sandbox._core, fields)


def test_customers_act(sandbox: Sandbox) -> None:
    """As their methods do."""
    do(sandbox, action="add", openid="ann")
    assert not sandbox.events
    assert "customers: 1" in repr(sandbox)
    do(sandbox, action="says", openid="ann", text=" 您好\n")
    do(sandbox, action="sends_sample", openid="ann")
    do(sandbox, action="enters_session", openid="bob")
    send_picture(sandbox._core, "bob", sunset())
    assert [("ann", "text"), ("ann", "image"), ("bob", "event"), ("bob", "image")] == [
        (event.openid, event.kind) for event in sandbox.events
    ]
    assert " 您好\n" == sandbox.events[0].fields["Content"]
    assert sunset() == sandbox.events[3].picture


def test_half_of_an_emoji_is_a_question_mark(sandbox: Sandbox) -> None:
    """JSON can name it; no phone could send it."""
    do(sandbox, action="says", openid="ann", text="\ud83d")
    assert "?" == sandbox.events[0].fields["Content"]


def test_an_agent_ends_the_session(sandbox: Sandbox) -> None:
    """Then messages are pushed again."""
    sandbox.push_to(push_app(transfer_to_agent, token="AAAAA"), token="AAAAA")
    do(sandbox, action="says", openid="ann", text="an agent, please")
    assert sandbox.user("ann").has_agent
    do(sandbox, action="agent_closes", openid="ann")
    assert not sandbox.user("ann").has_agent


def test_time_is_moved(sandbox: Sandbox) -> None:
    """Forwards, by some number of seconds."""
    before = sandbox.clock()
    do(sandbox, action="advance", seconds=60)
    do(sandbox, action="advance", seconds=0.5)
    assert before + 60.5 == sandbox.clock()


def test_faults_are_planned_and_forgotten(sandbox: Sandbox) -> None:
    """An errcode, a lost connection, a late reply, as often as wanted."""
    do(sandbox, action="fail", errcode=45047, times=2)
    do(sandbox, action="fail", drop="after", times=1)
    do(sandbox, action="fail", slow=5, times=1)
    waiting = sandbox._core.faults.waiting
    assert [45047, 45047, None, None] == [fault.errcode for fault in waiting]
    assert ["after", None] == [fault.drop for fault in waiting[2:]]
    assert 5 == waiting[3].slow
    do(sandbox, action="clear")
    assert () == sandbox._core.faults.waiting


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "refused"),
        ({"action": None}, "refused"),
        ({"action": ["add"]}, "refused"),
        ({"action": "explode"}, "refused"),
        ({"action": "add"}, "bad_openid"),
        ({"action": "add", "openid": 5}, "bad_openid"),
        ({"action": "add", "openid": "a b"}, "bad_openid"),
        ({"action": "enters_session", "openid": "<script>"}, "bad_openid"),
        ({"action": "says", "openid": "ann"}, "empty_text"),
        ({"action": "says", "openid": "ann", "text": ["x"]}, "empty_text"),
        ({"action": "says", "openid": "ann", "text": " \n"}, "empty_text"),
        ({"action": "says", "openid": "", "text": "hi"}, "bad_openid"),
        ({"action": "advance"}, "refused"),
        ({"action": "advance", "seconds": "60"}, "refused"),
        ({"action": "advance", "seconds": -1}, "refused"),
        ({"action": "advance", "seconds": True}, "refused"),
        ({"action": "advance", "seconds": 1e300}, "refused"),
        ({"action": "advance", "seconds": 10**400}, "refused"),
        ({"action": "advance", "seconds": float("nan")}, "refused"),
        ({"action": "fail", "times": 1}, "refused"),
        ({"action": "fail", "errcode": 12345, "times": 1}, "refused"),
        ({"action": "fail", "errcode": "45047", "times": 1}, "refused"),
        ({"action": "fail", "errcode": 45047, "drop": "after", "times": 1}, "refused"),
        ({"action": "fail", "drop": ["after"], "times": 1}, "refused"),
        ({"action": "fail", "slow": 1e9, "times": 1}, "refused"),
        ({"action": "fail", "errcode": 45047}, "refused"),
        ({"action": "fail", "errcode": 45047, "times": 0.5}, "refused"),
        ({"action": "fail", "errcode": 45047, "times": 10**9}, "refused"),
    ],
)
def test_what_cannot_be_done_changes_nothing(sandbox: Sandbox, fields: dict[str, Any], key: str) -> None:
    """It is refused with a text of the page."""
    with pytest.raises(NotPossibleError) as caught:
        act(sandbox._core, fields)
    assert key == caught.value.key
    assert ((), (), 1767240000.0) == (sandbox.events, sandbox._core.faults.waiting, sandbox.clock())
    assert "customers: 0" in repr(sandbox)


def test_a_picture_has_bytes(sandbox: Sandbox) -> None:
    """An empty file is no picture; and somebody has to send it."""
    for openid, content, key in (("ann", b"", "empty_text"), ("", sunset(), "bad_openid")):
        with pytest.raises(NotPossibleError) as caught:
            send_picture(sandbox._core, openid, content)
        assert key == caught.value.key
