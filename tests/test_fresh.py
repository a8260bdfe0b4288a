"""`fresh_token` asks WeChat as rarely as it can, whatever threads, clocks and rejections do."""

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from wxcs_lite import ApiError, InvalidMessage, Token, TokenRejected, TransportError, fresh, fresh_token
from wxcs_lite.fresh import FreshToken
from wxcs_lite.pools import Pool

POOL: Any = None  # fetch_token is played by the test


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1767240000.0

    def __call__(self) -> float:
        return self.now


class WeChat:
    """Plays `fetch_token`: gives token after token, each for `life` seconds, or fails."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.life: float = 7200
        self.fetches = 0
        self.forced = 0
        self.failure: Exception | None = None
        self.always_the_same = False
        self.takes: float = 0  # seconds

    def __call__(
        self,
        pool: Pool,
        appid: str,
        secret: str,
        *,
        force_refresh: bool = False,
        clock: Callable[[], float],
    ) -> Token:
        self.fetches += 1
        self.forced += force_refresh
        asked = clock()
        self.clock.now += self.takes
        if self.failure is not None:
            raise self.failure
        return Token("same" if self.always_the_same else f"token-{self.fetches}", asked + self.life)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wechat(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> WeChat:
    wechat = WeChat(clock)
    monkeypatch.setattr(fresh, "fetch_token", wechat)
    return wechat


@pytest.fixture
def token(clock: Clock, wechat: WeChat) -> FreshToken:
    return fresh_token(POOL, "APPID", "made-up secret", clock=clock)


def in_threads(number: int, call: Callable[[], object]) -> Iterator[object]:
    """Run the call in this many threads at once and yield what each returned or raised."""
    ready = Barrier(number)

    def run() -> object:
        ready.wait()
        try:
            return call()
        except Exception as e:
            return e

    with ThreadPoolExecutor(number) as executor:
        yield from [future.result() for future in [executor.submit(run) for _ in range(number)]]


def test_nothing_is_fetched_before_the_first_call(token: FreshToken, wechat: WeChat) -> None:
    """Creating it makes no request."""
    assert 0 == wechat.fetches


def test_a_token_is_fetched_once(token: FreshToken, wechat: WeChat) -> None:
    """Call after call gives the same token, from one fetch."""
    assert {"token-1"} == {token() for _ in range(100)}
    assert 1 == wechat.fetches


def test_a_hundred_threads_fetch_once(token: FreshToken, wechat: WeChat) -> None:
    """Threads that want the first token at once share one fetch."""
    assert {"token-1"} == set(in_threads(100, token))
    assert 1 == wechat.fetches


def test_a_hundred_threads_that_were_rejected_fetch_once(token: FreshToken, wechat: WeChat) -> None:
    """Threads that were all rejected with the same token share the next one."""
    old = token()
    assert {"token-2"} == set(in_threads(100, lambda: token(rejected=old)))
    assert 2 == wechat.fetches


@pytest.mark.parametrize(
    ("later", "given"), [(6899, "token-1"), (6900, "token-2"), (7200, "token-2"), (1e6, "token-2")]
)
def test_a_token_is_renewed_five_minutes_before_its_end(
    later: float, given: str, token: FreshToken, clock: Clock
) -> None:
    """Within the last five minutes stable_token gives the next token while this one still works."""
    token()
    clock.now += later
    assert given == token()


@pytest.mark.parametrize(
    ("life", "later", "given"), [(400, 199, "token-1"), (400, 200, "token-2"), (60, 30, "token-2")]
)
def test_a_short_lived_token_is_renewed_at_half_its_life(
    life: float, later: float, given: str, token: FreshToken, wechat: WeChat, clock: Clock
) -> None:
    """A token that arrives with under ten minutes left is renewed halfway to its end."""
    wechat.life = life
    token()
    clock.now += later
    assert given == token()


@pytest.mark.parametrize("life", [0, 1, 4, 12, 19])
def test_it_never_renews_twice_within_ten_seconds(life: float, token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """However short a token lives, calls within ten seconds share it."""
    wechat.life = life
    for _ in range(10):
        token()
        clock.now += 0.99
    assert 1 == wechat.fetches


def test_a_token_of_no_life_is_asked_for_every_ten_seconds(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """After ten seconds it asks again."""
    wechat.life = 0
    token()
    clock.now += 10
    assert "token-2" == token()


def test_an_old_token_that_lives_survives_a_failed_renewal(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """If renewal fails while the old token lives, the old one is given."""
    old = token()
    clock.now += 7000
    wechat.failure = TransportError("cut", "断开")
    assert old == token()
    assert 2 == wechat.fetches


def test_a_failed_renewal_is_not_tried_at_every_call(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """It is tried again after ten seconds, not before."""
    token()
    clock.now += 7000
    wechat.failure = TransportError("cut", "断开")
    for _ in range(21):
        token()
        clock.now += 1
    assert 1 + 3 == wechat.fetches


def test_a_failed_renewal_is_raised_once_the_old_token_is_dead(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """A dead token is never given instead of the failure."""
    token()
    clock.now += 7199
    wechat.failure = TransportError("cut", "断开")
    token()
    clock.now += 2
    with pytest.raises(TransportError):
        token()


def test_it_recovers_from_a_failure(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """Ten seconds after a failure it asks again, and gives what comes."""
    wechat.failure = TransportError("cut", "断开")
    with pytest.raises(TransportError):
        token()
    wechat.failure = None
    clock.now += 10
    assert "token-2" == token()


def test_waiting_threads_share_a_failure(token: FreshToken, wechat: WeChat) -> None:
    """A hundred threads see one failed fetch, each as an exception of its own."""
    wechat.failure = ApiError(40125, "invalid appsecret")
    errors = list(in_threads(100, token))
    assert 1 == wechat.fetches
    assert 100 == len(set(map(id, errors)))
    assert {"ApiError"} == {type(e).__name__ for e in errors}


def test_a_failure_that_took_long_is_shared_too(token: FreshToken, wechat: WeChat) -> None:
    """The ten seconds begin when the fetch has failed; otherwise the waiting threads would all time out in turn."""
    wechat.failure, wechat.takes = TransportError("no answer", "没有应答"), 13
    list(in_threads(20, token))
    assert 1 == wechat.fetches


def test_a_wrong_secret_does_not_loop(token: FreshToken, wechat: WeChat) -> None:
    """A call that fails has asked once."""
    wechat.failure = ApiError(40125, "invalid appsecret")
    with pytest.raises(ApiError):
        token()
    assert 1 == wechat.fetches


def test_a_rejected_token_that_is_not_held_costs_no_fetch(token: FreshToken, wechat: WeChat) -> None:
    """Another caller has already renewed it: the token held is given."""
    token()
    assert "token-1" == token(rejected="older")
    assert 1 == wechat.fetches


def test_a_rejected_token_is_replaced_at_once(token: FreshToken, wechat: WeChat) -> None:
    """A rejection is news: the ten seconds do not hold it up."""
    assert "token-2" == token(rejected=token())


def test_the_same_token_again_is_rejected(token: FreshToken, wechat: WeChat) -> None:
    """If stable_token gives the rejected token again, another round would be the first of an endless loop."""
    wechat.always_the_same = True
    old = token()
    with pytest.raises(TokenRejected):
        token(rejected=old)
    assert 2 == wechat.fetches


def test_the_same_token_again_is_not_fetched_a_hundred_times(token: FreshToken, wechat: WeChat) -> None:
    """All threads share that rejection."""
    wechat.always_the_same = True
    old = token()
    errors = list(in_threads(100, lambda: token(rejected=old)))
    assert 2 == wechat.fetches
    assert {TokenRejected} == {type(e) for e in errors}


def test_a_rejected_token_is_not_given_because_renewal_failed(token: FreshToken, wechat: WeChat) -> None:
    """A token that was rejected counts as dead, whatever its end."""
    old = token()
    wechat.failure = TransportError("cut", "断开")
    with pytest.raises(TransportError):
        token(rejected=old)


def test_it_never_forces(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """force_refresh would end the token of everybody else."""
    old = token()
    clock.now += 7000
    token()
    token(rejected=old)
    token(rejected=token())
    assert 0 == wechat.forced


@pytest.mark.parametrize("back", [5, 3600, 10**9])
def test_a_clock_that_is_set_back_does_no_harm(back: float, token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """The token held is given on."""
    token()
    clock.now -= back
    assert "token-1" == token()
    assert 1 == wechat.fetches


def test_a_failure_under_a_clock_set_back_is_tried_again(token: FreshToken, wechat: WeChat, clock: Clock) -> None:
    """A failure from the future is not shared for ever."""
    wechat.failure = TransportError("cut", "断开")
    with pytest.raises(TransportError):
        token()
    wechat.failure = None
    clock.now -= 3600
    assert "token-2" == token()


def test_an_error_that_is_not_ours_passes(token: FreshToken, wechat: WeChat) -> None:
    """A TypeError, say, is raised as it is and locks nothing."""
    wechat.failure = TypeError("no pool")
    for _ in range(2):
        with pytest.raises(TypeError):
            token()
    assert 2 == wechat.fetches


def test_an_invalid_secret_is_refused_by_name() -> None:
    """The error of fetch_token comes out of the first call."""
    with pytest.raises(InvalidMessage) as caught:
        fresh_token(POOL, "APPID", "")()
    assert "secret" == caught.value.field


def test_each_thread_raises_its_own(token: FreshToken, wechat: WeChat) -> None:
    """Two calls raise equal errors that are not the same object."""
    wechat.failure = ApiError(40125, "invalid appsecret")
    errors = []
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            token()
        errors.append(caught.value)
    assert errors[0].args == errors[1].args
    assert errors[0] is not errors[1]


def test_it_shows_no_secret(token: FreshToken, wechat: WeChat) -> None:
    """Its repr names nothing: appid and secret may have been given in the wrong order."""
    token()
    assert "<fresh_token>" == repr(token)


def test_what_it_gives_hides_itself(token: FreshToken) -> None:
    """The token is a Token: a str whose repr shows no secret."""
    assert "Token('***', expires_at=1767247200.0)" == repr(copy.copy(token()))
