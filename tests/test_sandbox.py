"""The sandbox as a whole: its clock, its determinism, its secrets."""

import pickle
import traceback

import pytest

from wxcs_lite.sandbox import Sandbox

SECRET = "sandbox-secret-of-no-real-account"
NOON = 1767240000.0


def test_clock() -> None:
    """Time stands still until it is advanced, and never goes back."""
    sandbox = Sandbox()
    assert NOON == sandbox.clock() == sandbox.clock()
    sandbox.advance(1.5)
    sandbox.advance(0)
    assert NOON + 1.5 == sandbox.clock()


def test_given_clock() -> None:
    """A given clock runs, with what was advanced on top."""
    times = iter([100.0, 101.0])
    sandbox = Sandbox(clock=times.__next__)
    sandbox.advance(50)
    assert [150.0, 151.0] == [sandbox.clock(), sandbox.clock()]


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), float("-inf")])
def test_time_goes_forwards_only(seconds: float) -> None:
    """Anything but a number of seconds from 0 is refused, and the time does not change."""
    sandbox = Sandbox()
    with pytest.raises(ValueError, match="only moves forwards"):
        sandbox.advance(seconds)
    assert NOON == sandbox.clock()


def story(sandbox: Sandbox) -> list[bytes]:
    """All that is said in a short story."""
    pool, ann = sandbox.pool(), sandbox.user("ann")
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    replies = [pool.request("GET", "/cgi-bin/token", fields=fields)]
    token = replies[0].json()["access_token"]
    events = [ann.says("hi"), ann.sends_image(b"photo"), ann.enters_session()]
    sandbox.advance(10)
    body = b'{"touser":"ann","msgtype":"text","text":{"content":"x"}}'
    for _ in range(6):
        replies.append(pool.request("POST", "/cgi-bin/message/custom/send?access_token=" + token, body=body))
    return [*(reply.data for reply in replies), repr(events).encode(), repr(ann.inbox).encode()]


def test_same_seed_clock_and_calls_give_the_same_bytes() -> None:
    """The same calls give the same bytes; with another seed they do not."""
    assert story(Sandbox(seed=7)) == story(Sandbox(seed=7))
    assert story(Sandbox(seed=7)) != story(Sandbox(seed=8))


def test_repr_shows_no_secret() -> None:
    """Neither the sandbox nor its secret's repr nor what it holds shows a secret or token."""
    sandbox = Sandbox()
    core = sandbox._core
    token = core.account.tokens.mint(0)[0]
    shown = repr([sandbox, sandbox.secret, vars(sandbox), vars(core), vars(core.account), token])
    assert SECRET == sandbox.secret
    assert SECRET not in shown
    assert str(token) not in shown


def test_no_frame_shows_a_secret() -> None:
    """When a setting is refused, no local of our frames shows the secret."""
    secret = "a-secret-of-the-test"
    with pytest.raises(ValueError, match="chunked") as error:
        Sandbox(secret=str(secret), chunked="x")  # type: ignore[arg-type]
    frames = [frame for frame, _ in traceback.walk_tb(error.value.__traceback__)][1:]
    assert frames
    assert not any(secret in repr(value) for frame in frames for value in frame.f_locals.values())


def test_events_can_be_pickled() -> None:
    """An event can be handed on to another process, with a dict in place of its read-only mapping."""
    event = Sandbox().user("ann").says("hi")
    copy = pickle.loads(pickle.dumps(event._replace(fields=dict(event.fields))))
    assert event == copy
