"""What a sandbox keeps: all that happened between it and its customers, and nothing of other calls."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from wxcs_lite import endpoints, fetch_token, send, text
from wxcs_lite.request import Request
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.wire import perform

EACH = 2_000  # bytes of a message and its answer; the docstring of `Sandbox` says 1.4 KB


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Yield a function that returns how many bytes are in use that were allocated in this block."""
    tracemalloc.start()

    def used() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    try:
        yield used
    finally:
        tracemalloc.stop()


def test_messages_are_kept_at_a_known_price() -> None:
    """Every one, for a test to look at: memory grows with them, by what the documentation says."""
    sandbox, count = Sandbox(), 1_000
    pool, ann = sandbox.pool(), sandbox.user("ann")
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    with traced() as used:
        for _ in range(count):
            ann.says("在吗？")
            send(pool, token, text("ann", "您好"))
        assert 500 < used() / count < EACH
    assert (count, count) == (len(ann.inbox), len(sandbox.events))


CALLS: dict[str, Request] = {
    "refused": endpoints.send(text("nobody", "x" * 1_000)),
    "typing": endpoints.set_typing("ann", "CancelTyping"),
    "token": endpoints.stable_token(Sandbox().appid, Sandbox().secret),
    "unknown path": endpoints.call("/cgi-bin/nowhere"),
}


@pytest.mark.parametrize("request_", CALLS.values(), ids=CALLS)
def test_other_calls_leave_nothing_behind(request_: Request) -> None:
    """However many: of refused ones the last thousand can be looked up, and no more are kept; a token is shared."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    sandbox.user("ann").says("hi")
    token = fetch_token(pool, sandbox.appid, sandbox.secret) if request_.takes_token else None
    with traced() as used:
        for _ in range(1_050):
            perform(pool, token, request_)
        before = used()
        for _ in range(500):
            perform(pool, token, request_)
        assert used() - before < 100_000
