"""send_many: each message at most once, in the order of its customer, and a clear end whatever goes wrong."""

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from urllib3.exceptions import NewConnectionError

from wxcs_lite import (
    InvalidMessage,
    QuotaExceeded,
    TokenRejected,
    TransportError,
    WindowClosed,
    WxError,
    errcodes,
    fetch_token,
    fresh_token,
    text,
)
from wxcs_lite.batch import Batch, BatchStopped, Outcome, engine, pace, read_ledger, report, send_many
from wxcs_lite.batch.ledger import Ledger, Record
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Thirty customers have written; a pause takes a hundredth of a second."""
    monkeypatch.setitem(errcodes.WAITS, 45011, 0.01)
    monkeypatch.setattr("wxcs_lite.errors._NO_CONNECTION", 0.01)
    monkeypatch.setattr(engine, "_NOT_FOUND", 0.01)
    sandbox = Sandbox()
    for number in range(30):
        sandbox.user(name(number)).says("?")
    return sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite"


def name(number: int) -> str:
    return f"oCUSTOMER_{number:04}"


def hello(count: int, start: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a message for each customer, with a key."""
    for number in range(start, count):
        yield f"k{number}", dict(text(name(number), "您好"))


def a_token(sandbox: Sandbox) -> str:
    return fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)


def start(sandbox: Sandbox, messages: Any, **more: Any) -> Batch:
    if "token" not in more:
        more["token"] = a_token(sandbox)
    return send_many(messages, **{"open_pool": sandbox.pool, "workers": 4, "progress": False, **more})


def states(outcomes: Any) -> Counter[str]:
    return Counter(outcome.state for outcome in outcomes)


def stopped(batch: Batch) -> tuple[list[Outcome], BatchStopped]:
    """Return the outcomes of a batch that stops, and what it raises."""
    outcomes: list[Outcome] = []
    with pytest.raises(BatchStopped) as caught:
        outcomes.extend(batch)
    return outcomes, caught.value


def delivered(sandbox: Sandbox, count: int = 30) -> list[int]:
    return [len(sandbox.user(name(number)).inbox) for number in range(count)]


# What leaves


def test_each_message_is_sent_once_and_has_one_outcome(sandbox: Sandbox) -> None:
    """Without a ledger, too; the outcome holds key and message, and its repr neither text nor openid."""
    outcomes = list(start(sandbox, hello(30)))
    assert [1] * 30 == delivered(sandbox)
    assert {f"k{number}" for number in range(30)} == {outcome.key for outcome in outcomes}
    assert {"sent": 30} == states(outcomes)
    assert all(outcome.seconds is not None and outcome.error is None for outcome in outcomes)
    assert all(outcome.message["touser"] == name(int(outcome.key[1:])) for outcome in outcomes)
    assert not any("oCUSTOMER" in repr(outcome) or "您好" in repr(outcome) for outcome in outcomes)


def test_nothing_leaves_before_it_is_asked_for(sandbox: Sandbox, path: Path) -> None:
    """A batch that is closed before it has begun has read nothing; its ledger is free again."""
    items = hello(30)
    batch = start(sandbox, items, ledger=path)
    assert "<Batch: no outcome yet>" == repr(batch)
    batch.close()
    batch.close()
    assert "k0" == next(items)[0]
    assert [0] * 30 == delivered(sandbox)
    assert [] == list(batch)
    assert [] == list(read_ledger(path))


def test_two_equal_messages_are_two_without_keys(sandbox: Sandbox, path: Path) -> None:
    """The key is a digest and the count among identical ones; the next run with this list sends none of them again."""
    messages = [text(name(0), "您好"), text(name(1), "您好"), text(name(0), "您好")]
    first = list(start(sandbox, messages, ledger=path))
    assert {"sent": 3} == states(first)
    assert 3 == len({outcome.key for outcome in first})
    assert [2, 1] == delivered(sandbox, 2)
    assert {"skipped": 3, "sent": 1} == states(start(sandbox, [*messages, text(name(1), "您好")], ledger=path))
    assert [2, 2] == delivered(sandbox, 2)


class Row(Mapping[str, Any]):
    """A message that is no dict, and whose repr has its address in it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)


def test_a_message_that_is_no_dict_has_the_same_key_in_every_run(sandbox: Sandbox, path: Path) -> None:
    """Its content counts: it is skipped in the next run, and it equals the dict."""
    message = dict(text(name(0), "您好"))
    with start(sandbox, [Row(message)], ledger=path) as batch:
        assert ["sent"] == [outcome.state for outcome in batch]
    for again in (Row(dict(reversed(message.items()))), MappingProxyType(message), message):
        with start(sandbox, [again], ledger=path) as batch:
            assert ["skipped"] == [outcome.state for outcome in batch]
    assert 1 == delivered(sandbox)[0]


def test_a_rate_claims_only_what_leaves_soon(sandbox: Sandbox, path: Path) -> None:
    """What is claimed is unknown after a kill: at twenty a second it is ten messages, and not a group of sixty-four."""
    seen: list[int] = []

    def watched(ledger: Ledger, records: list[Record]) -> None:
        seen.append(sum(record.state == "unknown" for record in records))
        real(ledger, records)

    real = Ledger.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "write", watched)
        with start(sandbox, hello(30), ledger=path, rate=20) as batch:
            for _ in range(3):
                next(batch)
    assert 10 == max(seen)
    assert [1, 64, sys.maxsize] == [pace.Pace(rate).soon for rate in (0.5, 128, None)]


def test_a_key_that_comes_twice_is_one_message(sandbox: Sandbox) -> None:
    """The second is skipped and counted, even with another text."""
    batch = start(sandbox, [("a", text(name(0), "一")), ("a", text(name(1), "二"))])
    assert {"sent": 1, "duplicate": 1} == states(batch)
    assert [1, 0] == delivered(sandbox, 2)
    assert {"sent": 1, "duplicate": 1} == report(batch).states


@pytest.mark.parametrize("key", ["", 7, None, b"k"])
def test_a_key_is_a_text(sandbox: Sandbox, key: object) -> None:
    """Anything else is the caller's mistake; what is under way has been awaited when the error comes."""
    if key is None:
        assert {"sent": 1} == states(start(sandbox, [(None, text(name(0), "您好"))]))
        return
    with pytest.raises(TypeError, match="a key must be a non-empty str"):
        list(start(sandbox, [*hello(3), (key, text(name(9), "您好"))]))
    assert 0 == delivered(sandbox)[9]


def test_what_is_no_message_is_refused_before_it_leaves(sandbox: Sandbox, path: Path) -> None:
    """It names the field; corrected under the same key, it is sent by the next run."""
    wrong: list[Any] = [("a", {"touser": "", "msgtype": "text"}), ("b", None), ("c", text(name(0), "您好")), (1, 2, 3)]
    outcomes = {outcome.key: outcome for outcome in start(sandbox, wrong, ledger=path)}
    assert {"refused": 3, "sent": 1} == states(outcomes.values())
    error = outcomes["a"].error
    assert isinstance(error, InvalidMessage)
    assert "touser" == error.field
    assert None is outcomes["a"].seconds
    assert {"sent": 1} == states(start(sandbox, [("a", text(name(1), "您好"))], ledger=path))


def test_many_that_are_no_messages_are_recorded_all_the_same(sandbox: Sandbox, path: Path) -> None:
    """They do not pile up in memory until a message leaves."""
    batch = start(sandbox, ({"touser": "", "number": number} for number in range(3 * engine._OUTCOMES)), ledger=path)
    for _ in batch:
        assert len(batch._records) <= 2 * engine._OUTCOMES
    assert 3 * engine._OUTCOMES == report(path).states["refused"]


def test_a_message_that_json_cannot_hold_has_a_key_all_the_same(sandbox: Sandbox) -> None:
    """Its outcome is a refusal."""
    nested: list[Any] = []
    nested.append(nested)
    broken = {"touser": name(0), "msgtype": "text", "text": {"content": "x", "more": nested}}
    (outcome,) = start(sandbox, [broken])
    assert "refused" == outcome.state
    assert 32 == len(outcome.key)


def test_a_customer_gets_messages_in_their_order(sandbox: Sandbox) -> None:
    """However many workers there are; those of others pass meanwhile, and a sixth is refused by WeChat."""
    messages = [(f"{number} {turn}", text(name(number), str(turn))) for turn in range(6) for number in range(8)]
    outcomes = {outcome.key: outcome for outcome in start(sandbox, messages, workers=16)}
    for number in range(8):
        inbox = [each.message["text"]["content"] for each in sandbox.user(name(number)).inbox]
        assert ["0", "1", "2", "3", "4"] == inbox
        sixth = outcomes[f"{number} 5"]
        assert "refused" == sixth.state
        assert isinstance(sixth.error, WindowClosed)


class Watched(Executor):
    """Counts how many messages of a customer, and of all, are under way."""

    def __init__(self) -> None:
        self.inner = ThreadPoolExecutor(16)
        self.now, self.most = Counter[str](), Counter[str]()
        self.lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        names = "all", args[0].message["touser"]
        with self.lock:
            self.now.update(names)
            for each in names:
                self.most[each] = max(self.most[each], self.now[each])
        return self.inner.submit(self.run, fn, names, *args)

    def run(self, fn: Callable[..., Any], names: tuple[str, str], task: object) -> Any:
        try:
            return fn(task)
        finally:
            with self.lock:
                self.now.subtract(names)


def test_there_are_never_more_under_way_than_allowed(sandbox: Sandbox) -> None:
    """A bounded number of all, and one of each customer."""
    watched = Watched()
    messages = [text(name(number % 10), str(number)) for number in range(40)]
    assert {"sent": 40} == states(start(sandbox, messages, executor=watched, in_flight=5))
    watched.inner.shutdown()
    assert 2 <= watched.most.pop("all") <= 5
    assert [1] * 10 == [*watched.most.values()]


def test_the_list_is_read_as_messages_leave(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never as a whole: what has been read and has no outcome yet is bounded."""
    monkeypatch.setattr(engine, "_HELD", 20)
    read = 0

    def reading() -> Iterator[tuple[str, dict[str, Any]]]:
        nonlocal read
        for item in hello(30):
            read += 1
            yield item

    batch = start(sandbox, reading(), in_flight=2, workers=2)
    for had, _ in enumerate(batch, 1):
        assert read - had <= 20 + 2 * 2
    assert 30 == read


def test_a_slow_list_holds_nothing_back(sandbox: Sandbox) -> None:
    """What has been read leaves while the next is still to come."""

    def slowly() -> Iterator[tuple[str, dict[str, Any]]]:
        for number, item in enumerate(hello(4)):
            until = time.monotonic() + 10
            while sum(delivered(sandbox)) < number and time.monotonic() < until:
                time.sleep(0.01)
            assert number == sum(delivered(sandbox))
            time.sleep(2 * engine._READING)
            yield item

    assert {"sent": 4} == states(start(sandbox, slowly()))


def test_a_list_that_fails_ends_the_batch_with_its_own_error(sandbox: Sandbox, path: Path) -> None:
    """What was read before and has not left is unsent, and nothing is lost."""

    def failing() -> Iterator[tuple[str, dict[str, Any]]]:
        yield from hello(3)
        raise KeyError("line 4")

    with pytest.raises(KeyError, match="line 4"):
        list(start(sandbox, failing(), ledger=path))
    list(start(sandbox, hello(3), ledger=path))
    assert [1] * 3 == delivered(sandbox, 3)


def test_a_rate_is_kept_across_all_workers(sandbox: Sandbox) -> None:
    """Thirty at a hundred a second take the time of at least twenty-nine intervals, less what may be caught up."""
    begun = time.monotonic()
    assert {"sent": 30} == states(start(sandbox, hello(30), rate=100))
    assert time.monotonic() - begun >= 0.29 - pace._CATCH_UP


# Errors


def test_a_refused_message_is_an_outcome_and_not_the_end(sandbox: Sandbox) -> None:
    """A customer who never wrote, a wrong openid."""
    messages = [*hello(3), ("never", text("oNOBODY", "您好")), *hello(6, 3)]
    outcomes = list(start(sandbox, messages))
    assert {"sent": 6, "refused": 1} == states(outcomes)
    (refused,) = (outcome for outcome in outcomes if outcome.state == "refused")
    assert isinstance(refused.error, WindowClosed)
    assert 45015 == refused.error.errcode
    assert refused.error.__traceback__ is None


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"drop": "after"}, {"drop": "before"}, {"slow": 99.0}])
def test_what_may_have_been_delivered_is_never_sent_again(sandbox: Sandbox, path: Path, fault: dict[str, Any]) -> None:
    """It is unknown, in this run and in the next one, until the caller says so."""
    sandbox.fail_next(**fault, path=SEND)
    first = list(start(sandbox, hello(1), ledger=path, open_pool=lambda: sandbox.pool(timeout=0.2)))
    assert {"unknown": 1} == states(first)
    assert isinstance(first[0].error, WxError)
    assert first[0].error.maybe_sent
    again = list(start(sandbox, hello(1), ledger=path))
    assert {"unknown": 1} == states(again)
    assert again[0].error is not None
    assert again[0].error.maybe_sent
    before = delivered(sandbox)[0]
    assert {"sent": 1} == states(start(sandbox, hello(1), ledger=path, resend_unknown=True))
    assert before + 1 == delivered(sandbox)[0]
    assert {"skipped": 1} == states(start(sandbox, hello(1), ledger=path, resend_unknown=True))


def test_what_was_refused_is_sent_again_only_on_request(sandbox: Sandbox, path: Path) -> None:
    """The customer may have written since; the errcode of the former run is reported."""
    message = [("a", text("oLATER", "您好"))]
    assert {"refused": 1} == states(start(sandbox, message, ledger=path))
    sandbox.user("oLATER").says("?")
    (outcome,) = start(sandbox, message, ledger=path)
    assert "refused" == outcome.state
    assert isinstance(outcome.error, WindowClosed)
    assert {"sent": 1} == states(start(sandbox, message, ledger=path, resend_refused=True))


def test_a_key_that_stands_for_another_message_is_skipped_with_a_word(sandbox: Sandbox, path: Path) -> None:
    """One that was sent has its key; the outcome says that this is another list."""
    assert {"sent": 1} == states(start(sandbox, [("a", text(name(0), "一"))], ledger=path))
    (outcome,) = start(sandbox, [("a", text(name(0), "二"))], ledger=path)
    assert "skipped" == outcome.state
    assert isinstance(outcome.error, InvalidMessage)
    assert "key" == outcome.error.field
    assert 1 == delivered(sandbox)[0]


def test_too_many_calls_in_a_minute_let_all_wait(sandbox: Sandbox) -> None:
    """45011 is waited for, and what it refused is sent, in its order."""
    sandbox.fail_next(errcode=45011, path=SEND, times=3)
    messages = [text(name(number % 3), str(number)) for number in range(9)]
    assert {"sent": 9} == states(start(sandbox, messages))
    for number in range(3):
        inbox = [each.message["text"]["content"] for each in sandbox.user(name(number)).inbox]
        assert [str(number), str(number + 3), str(number + 6)] == inbox


def test_nothing_is_claimed_in_a_pause(sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed then leaves nothing as unknown that has not left; afterwards all leaves, in its order."""
    monkeypatch.setitem(errcodes.WAITS, 45011, 3600.0)
    sandbox.fail_next(errcode=45011, path=SEND, times=2)
    both = threading.Barrier(2)
    first = [both.wait, both.wait]
    pool = sandbox.pool(on_request=lambda _: first and first.pop()(60))
    messages = [(str(turn), text(name(turn % 10), str(turn))) for turn in range(30)]
    batch = start(sandbox, messages, ledger=path, workers=2, in_flight=2, open_pool=lambda: pool)
    real, seen = batch._land, list[Counter[str]]()

    def watched(seconds: float) -> None:
        if batch._pace.is_pausing and not batch._flying:
            copy = path.with_name("copy.sqlite")
            copy.write_bytes(path.read_bytes())
            seen.append(states(read_ledger(copy)))
            batch._pace._resume = 0.0
        real(seconds)

    monkeypatch.setattr(batch, "_land", watched)
    assert {"sent": 30} == states(batch)
    (in_the_pause,) = seen
    assert {"unsent"} == {*in_the_pause}
    assert in_the_pause["unsent"] >= 2
    for number in range(10):
        inbox = [each.message["text"]["content"] for each in sandbox.user(name(number)).inbox]
        assert [str(number), str(number + 10), str(number + 20)] == inbox


def test_waiting_has_a_bound(sandbox: Sandbox, path: Path) -> None:
    """If it never ends, the batch does, with everything unsent still unsent; the next run sends it."""
    sandbox.fail_next(errcode=45011, path=SEND, times=1000)
    outcomes, error = stopped(start(sandbox, hello(30), ledger=path))
    assert {"unsent"} == {*states(outcomes)}
    assert isinstance(error.reason, QuotaExceeded)
    assert {"unsent"} == {*report(path).states}
    assert [0] * 30 == delivered(sandbox)


@pytest.mark.parametrize("path_", ["/404"])
def test_no_connection_is_waited_for_and_has_a_bound(sandbox: Sandbox, path: Path, path_: str) -> None:
    """A port where nobody listens: nothing can have left, so nothing is unknown."""
    with sandbox.serve() as url:
        pass
    outcomes, error = stopped(start(sandbox, hello(30), ledger=path, open_pool=url))
    assert {"unsent"} == {*states(outcomes)}
    assert isinstance(error.reason, TransportError)
    assert not error.reason.maybe_sent
    assert {"sent": 30} == states(start(sandbox, hello(30), ledger=path))


def test_a_short_failure_of_the_network_costs_nothing(sandbox: Sandbox) -> None:
    """HTTP 404, as a gateway answers that is being restarted: the message leaves again."""
    sandbox.fail_next(reply=(404, {}, b""), path=SEND, times=3)
    assert {"sent": 30} == states(start(sandbox, hello(30)))
    assert [1] * 30 == delivered(sandbox)


def test_one_message_is_not_tried_for_ever(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others go well between its attempts, so the batch goes on without it."""
    pools = defaultdict[str, int](int)

    def fussy() -> Pool:
        pool = sandbox.pool()
        send = pool.urlopen

        def urlopen(method: str, url: str, body: Any = None, *args: Any, **more: Any) -> Any:
            if name(5).encode() in body:
                pools["tries"] += 1
                raise NewConnectionError(pool, "made up")  # type: ignore[arg-type]
            return send(method, url, body, *args, **more)

        monkeypatch.setattr(pool, "urlopen", urlopen)
        return pool

    outcomes = list(start(sandbox, hello(30), open_pool=fussy, rate=400))
    assert {"sent": 29, "unsent": 1} == states(outcomes)
    assert engine._ATTEMPTS == pools["tries"]


@pytest.mark.parametrize("errcode", [45009, 48001, 45102])
def test_what_concerns_the_account_stops_the_batch(sandbox: Sandbox, path: Path, errcode: int) -> None:
    """Used-up quota, a missing permission: everything unsent is still unsent, and the error says how to go on."""
    sandbox.fail_next(errcode=errcode, errmsg="made up", path=SEND, times=1000)
    batch = start(sandbox, hello(30), ledger=path)
    outcomes, error = stopped(batch)
    assert {"unsent"} == {*states(outcomes)}
    assert errcode == getattr(error.reason, "errcode", None)
    assert not error.maybe_sent
    assert "same ledger" in error.en
    assert "同一账本" in error.zh
    assert str(errcode) in report(batch).en
    sandbox = Sandbox()
    assert [] == [entry for entry in read_ledger(path) if entry.state != "unsent"]


def test_a_network_that_swallows_everything_does_not_swallow_the_list(sandbox: Sandbox, path: Path) -> None:
    """Each message without a reply becomes unknown; after fifty in a row, the others are kept for later."""
    sandbox.fail_next(drop="before", path=SEND, times=1000)
    outcomes, _ = stopped(start(sandbox, [text("oANY", str(number)) for number in range(200)], ledger=path))
    assert pace._DARK < states(outcomes)["unknown"] <= pace._DARK + 8
    assert 0 < states(outcomes)["unsent"]


# Tokens


def test_one_renewal_serves_all_refusals(sandbox: Sandbox) -> None:
    """The token is not the latest any more: those under way are refused, one renewal is made, and they leave again."""
    pool = sandbox.pool()
    fresh = fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)
    asked: list[str | None] = []

    def token(rejected: str | None = None) -> str:
        asked.append(rejected)
        return fresh(rejected)

    old = fresh()
    fetch_token(pool, sandbox.appid, sandbox.secret, force_refresh=True)
    gathered = Gathering(8)
    assert {"sent": 30} == states(start(sandbox, hello(30), token=token, executor=gathered, in_flight=8))
    assert [1] * 30 == delivered(sandbox)
    assert [old] == [each for each in asked if each is not None]


class Gathering(Executor):
    """Begins with nothing until it has so many tasks."""

    def __init__(self, count: int) -> None:
        self.inner, self.gate, self.left = ThreadPoolExecutor(count), threading.Event(), count

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.left -= 1
        if self.left == 0:
            self.gate.set()
        return self.inner.submit(self.run, fn, *args)

    def run(self, fn: Callable[..., Any], task: object) -> Any:
        assert self.gate.wait(10)
        return fn(task)


def made_up_tokens(*given: str) -> Callable[..., str]:
    tokens = iter(given)
    held = [next(tokens)]

    def token(rejected: str | None = None) -> str:
        if rejected is not None and rejected == held[0]:
            held[0] = next(tokens)
        return held[0]

    return token


def test_a_token_is_replaced_when_it_is_refused(sandbox: Sandbox) -> None:
    """The good one comes second; each message is sent once."""
    token = made_up_tokens("80_made-up", a_token(sandbox), "never asked for")
    assert {"sent": 30} == states(start(sandbox, hello(30), token=token))
    assert [1] * 30 == delivered(sandbox)


@pytest.mark.parametrize("tokens", [("80_a", "80_b", "80_c"), ("80_a", "80_a")], ids=["another", "the same"])
def test_a_token_that_stays_refused_stops_the_batch(sandbox: Sandbox, path: Path, tokens: tuple[str, ...]) -> None:
    """One replacement, and no more; nothing was sent, and the next run sends all."""
    outcomes, error = stopped(start(sandbox, hello(30), token=made_up_tokens(*tokens), ledger=path))
    assert {"unsent"} == {*states(outcomes)}
    assert isinstance(error.reason, TokenRejected)
    assert {"sent": 30} == states(start(sandbox, hello(30), ledger=path))


def test_tokens_that_are_always_new_and_refused_come_to_an_end(sandbox: Sandbox) -> None:
    """A function that fetches one for each message: none of them is tried for ever."""
    numbers = iter(range(10**6))
    batch = start(sandbox, hello(30), token=lambda rejected=None: f"80_{next(numbers)}")
    with suppress(BatchStopped):
        list(batch)
    assert {"unsent"} == {*report(batch).states}
    assert next(numbers) <= 3 * engine._ATTEMPTS * 30


def test_a_token_function_that_crashes_loses_nothing(sandbox: Sandbox, path: Path) -> None:
    """Its own error comes out, and what was refused is unsent."""

    def token(rejected: str | None = None) -> str:
        return "80_made-up" if rejected is None else str(1 / 0)

    with pytest.raises(ZeroDivisionError):
        list(start(sandbox, hello(30), token=token, ledger=path))
    assert {"unsent"} == {*report(path).states}


def test_a_plain_token_that_is_refused_stops_the_batch(sandbox: Sandbox) -> None:
    """There is no other one."""
    outcomes, error = stopped(start(sandbox, hello(5), token="80_made-up"))
    assert {"unsent"} == {*states(outcomes)}
    assert isinstance(error.reason, TokenRejected)


def test_a_renewal_that_fails_stops_the_batch(sandbox: Sandbox) -> None:
    """With the error of the renewal."""
    fresh = fresh_token(sandbox.pool(), sandbox.appid, sandbox.secret, clock=sandbox.clock)

    def token(rejected: str | None = None) -> str:
        return "80_made-up" if rejected is None else fresh(rejected)

    sandbox.fail_next(errcode=-1, path="/cgi-bin/stable_token")
    outcomes, error = stopped(start(sandbox, hello(5), token=token, in_flight=1))
    assert {"unsent"} == {*states(outcomes)}
    assert -1 == getattr(error.reason, "errcode", None)


def test_a_token_that_cannot_be_had_stops_the_batch(sandbox: Sandbox) -> None:
    """Before anything leaves."""
    fresh = fresh_token(sandbox.pool(), sandbox.appid, "wrong secret", clock=sandbox.clock)
    outcomes, error = stopped(start(sandbox, hello(5), token=fresh))
    assert {"unsent"} == {*states(outcomes)}
    assert 40125 == getattr(error.reason, "errcode", None)


def test_a_token_of_the_wrong_form_stops_the_batch(sandbox: Sandbox) -> None:
    """It is none of the message's fault."""
    outcomes, error = stopped(start(sandbox, hello(5), token=lambda rejected=None: "line\nbreak"))
    assert {"unsent"} == {*states(outcomes)}
    assert "token" == getattr(error.reason, "field", None)


def test_inside_cloud_hosting_there_is_no_token(path: Path) -> None:
    """None takes its place; a refusal stops the batch."""
    sandbox = Sandbox(cloud_hosting=["/*"])
    sandbox.user(name(0)).says("?")
    assert {"sent": 1} == states(start(sandbox, hello(1), token=None))
    outcomes, error = stopped(start(Sandbox(), hello(3), token=None))
    assert {"unsent"} == {*states(outcomes)}
    assert isinstance(error.reason, WxError)


# Workers


def test_a_worker_that_is_lost_leaves_its_message_unknown(sandbox: Sandbox, path: Path) -> None:
    """And an executor that is broken ends the batch; the others are unsent."""

    class Breaking(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("made up"))
            return future

    outcomes, error = stopped(start(sandbox, hello(30), executor=Breaking(), in_flight=3, ledger=path))
    assert 1 <= states(outcomes)["unknown"] <= 3
    assert {*states(outcomes)} <= {"unknown", "unsent"}
    assert "executor" == getattr(error.reason, "field", None)


def test_an_executor_that_is_shut_down_sends_nothing(sandbox: Sandbox) -> None:
    """That is certain, so all are unsent."""
    executor = ThreadPoolExecutor(2)
    executor.shutdown()
    outcomes, error = stopped(start(sandbox, hello(5), executor=executor))
    assert {"unsent"} == {*states(outcomes)}
    assert "executor" == getattr(error.reason, "field", None)


def test_a_thread_that_cannot_be_started_leaves_a_doubt(sandbox: Sandbox) -> None:
    """The executor has the message in its queue already, and another thread may take it."""

    class Full(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise RuntimeError("can't start new thread")

    outcomes, _ = stopped(start(sandbox, hello(5), executor=Full()))
    assert 1 == states(outcomes)["unknown"]
    assert {*states(outcomes)} <= {"unknown", "unsent"}


@pytest.mark.parametrize("opening", [lambda: 1 / 0, lambda: "no pool"])
def test_a_pool_that_cannot_be_opened_stops_the_batch(sandbox: Sandbox, opening: Callable[[], Pool]) -> None:
    """The error says where it failed; nothing was sent."""
    outcomes, error = stopped(start(sandbox, hello(5), open_pool=opening))
    assert {"unsent"} == {*states(outcomes)}
    assert "open_pool" == getattr(error.reason, "field", None)


def test_an_error_that_nobody_foresaw_leaves_a_doubt(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is unknown, with the place of the error."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("wxcs_lite.batch.worker.send", broken)
    (outcome,) = start(sandbox, hello(1))
    assert "unknown" == outcome.state
    assert outcome.error is not None
    assert "ZeroDivisionError" in outcome.error.en


# The end


def test_closing_early_lets_nothing_more_leave(sandbox: Sandbox, path: Path) -> None:
    """What was under way is recorded, and the next run sends exactly the others."""
    with start(sandbox, hello(30), ledger=path, workers=2, in_flight=4, rate=200) as batch:
        next(batch)
    entries = states(read_ledger(path))
    assert entries["sent"] == sum(delivered(sandbox))
    assert 0 == entries["unknown"]
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("wxcs_lite-batch")]
    assert [] == threads
    left = states(start(sandbox, hello(30), ledger=path))
    assert {"skipped": entries["sent"], "sent": 30 - entries["sent"]} == left
    assert [1] * 30 == delivered(sandbox)


class Slow(ThreadPoolExecutor):
    """A thread that takes its time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(self.run, fn, *args)

    def run(self, fn: Callable[..., Any], task: object) -> Any:
        time.sleep(0.05)
        return fn(task)


def test_what_waits_for_a_worker_is_called_back(sandbox: Sandbox, path: Path) -> None:
    """It has not left, so it does not, and the ledger has it as unsent."""
    with Slow(1) as executor:
        with start(sandbox, hello(30), ledger=path, executor=executor, in_flight=20) as batch:
            next(batch)
        assert sum(delivered(sandbox)) <= 5
    entries = states(read_ledger(path))
    assert entries["sent"] == sum(delivered(sandbox))
    assert {"sent", "unsent"} == {*entries}


def test_what_a_former_run_left_unknown_stays_so_until_there_is_a_reply(sandbox: Sandbox, path: Path) -> None:
    """It was to be sent again, but the batch stopped first: the doubt of the former run is not forgotten."""
    sandbox.fail_next(drop="after", path=SEND)
    assert {"unknown": 1} == states(start(sandbox, hello(1), ledger=path))
    outcomes, _ = stopped(start(sandbox, hello(1), ledger=path, resend_unknown=True, token="80_made-up"))
    assert {"unknown": 1} == states(outcomes) == report(path).states
    assert {"unknown": 1} == states(start(sandbox, hello(1), ledger=path))


@pytest.mark.parametrize("after", [False, True], ids=["while it waits", "with a reply in its hand"])
def test_an_interrupt_lets_nothing_more_leave(
    sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Ctrl-C is raised when everything is recorded, also a reply that it has thrown away."""
    batch = start(sandbox, hello(30), ledger=path, workers=2, in_flight=4)
    real, calls = batch._landed, iter(range(1000))

    class Interrupted:
        put = real.put
        get_nowait = real.get_nowait

        def get(self, timeout: float) -> Any:
            if next(calls) != 2:
                return real.get(timeout=timeout)
            if after:
                real.get(timeout=10)
            raise KeyboardInterrupt

    monkeypatch.setattr(batch, "_landed", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        list(batch)
    entries = states(read_ledger(path))
    assert entries["sent"] == sum(delivered(sandbox)) > 0
    assert 0 == entries["unknown"]


def test_a_second_interrupt_leaves_at_once(sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what is under way is unknown, and the ledger is free."""
    gate, begun = threading.Event(), threading.Event()

    def gated() -> Pool:
        begun.set()
        assert gate.wait(10)
        return sandbox.pool()

    batch = start(sandbox, hello(30), ledger=path, workers=2, in_flight=2, open_pool=gated)

    def interrupted(*_: object) -> None:
        assert begun.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "_land", interrupted)
    monkeypatch.setattr(batch, "_await_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(batch)
    assert {"unknown": 1} == states(read_ledger(path))
    gate.set()


# What it is told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"workers": 0}, "workers must be"),
        ({"in_flight": 1.5}, "in_flight must be"),
        ({"rate": 0}, "rate must be"),
        ({"rate": True}, "rate must be"),
        ({"executor": "threads"}, "executor must be"),
        ({"progress": True}, "progress must be a function"),
        ({"open_pool": Sandbox().pool()}, "for threads write lambda: pool"),
        ({"token": ""}, "token must be a non-empty str"),
        ({"token": lambda: "one"}, "token must be callable as"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(sandbox: Sandbox, path: Path, wrong: dict[str, Any], said: str) -> None:
    """In both languages, before the ledger is made."""
    with pytest.raises((TypeError, ValueError), match=said) as caught:
        start(sandbox, [], ledger=path, **wrong)
    assert 2 == len(str(caught.value).splitlines())
    assert not path.exists()


@pytest.mark.parametrize(
    ("method", "said"), [("iterrows", 'frame.to_dict("records")'), ("iter_rows", "frame.iter_rows(named=True)")]
)
def test_a_frame_is_no_list_of_messages(sandbox: Sandbox, method: str, said: str) -> None:
    """It yields the names of its columns, and its rows are not messages: the error says what to write."""
    frame = type("DataFrame", (list,), {"columns": ["openid", "name"], method: None})(["openid", "name"])
    with pytest.raises(TypeError, match="not a DataFrame: make a message of each row") as caught:
        start(sandbox, frame)
    assert [True, True] == [said in line for line in str(caught.value).splitlines()]


def test_what_is_no_list_gives_the_ledger_back(sandbox: Sandbox, path: Path) -> None:
    """The next call can have it."""
    with pytest.raises(TypeError):
        start(sandbox, 7)
    with pytest.raises(TypeError):
        start(sandbox, 7, ledger=path)
    assert {"sent": 1} == states(start(sandbox, hello(1), ledger=path))


# Progress


def test_progress_is_a_function_or_a_bar(sandbox: Sandbox) -> None:
    """Or the class of a bar: it is called for every outcome, with the total if the list has a length.

    What the batch made it closes, what it was given it draws once more: the last update may have been too soon.
    """
    ends: list[str] = []
    told: list[tuple[int, int | None]] = []

    class Bar:
        def __init__(self, total: int | None = None) -> None:
            self.total, self.n = total, 0
            bars.append(self)

        def update(self, n: int) -> None:
            self.n += n

        def refresh(self) -> None:
            ends.append(f"refresh at {self.n}")

        def close(self) -> None:
            ends.append(f"close at {self.n}")

    bars: list[Bar] = []
    list(start(sandbox, list(hello(3)), progress=lambda done, total: told.append((done, total))))
    list(start(sandbox, hello(3), progress=lambda done, total: told.append((done, total))))
    list(start(sandbox, list(hello(3)), progress=Bar))
    list(start(sandbox, list(hello(3)), progress=Bar()))
    list(start(sandbox, hello(3), progress=Bar(7)))
    assert [(1, 3), (2, 3), (3, 3), (1, None), (2, None), (3, None)] == told
    assert [(3, 3), (3, 3), (3, 7)] == [(bar.n, bar.total) for bar in bars]
    assert ["close at 3", "refresh at 3", "refresh at 3"] == ends
