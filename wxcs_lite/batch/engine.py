"""Many messages, at most once each: one loop in the caller's thread, which alone decides what leaves.

A message is read, is claimed in the ledger together with others, leaves, and has an outcome. Those of one customer
wait behind each other; those that certainly did not arrive go back to the front of what is claimed. Workers only send
(`worker`): they know neither the ledger nor each other, so it does not matter whether they are threads, processes or
machines.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)  # fmt: skip
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self

from wxcs_lite.batch.admission import Admission, Letter
from wxcs_lite.batch.ledger import Ledger, Record
from wxcs_lite.batch.lines import Lines
from wxcs_lite.batch.outcome import BatchStopped, LedgerError, Outcome, State, broken_executor, judge, lost_worker
from wxcs_lite.batch.pace import Pace
from wxcs_lite.batch.progress import Shown
from wxcs_lite.batch.report import Counted, Tally, ordered
from wxcs_lite.batch.unkept import note_open, note_unkept
from wxcs_lite.batch.worker import Delivered, Opening, Task, deliver, drop_pool
from wxcs_lite.errors import WxError, retry_after
from wxcs_lite.forks import stay_in
from wxcs_lite.held import Held

__all__ = ["Batch", "Plan"]

_GROUP = 64  # messages that are claimed with one commit; a killed run leaves them as unknown
_HELD = 1024  # messages that are read and have not left: where one customer has many, others are found behind them
_OUTCOMES = 256  # that wait for the caller, or for the ledger
_READING = 0.05  # seconds for reading on while replies may have come
_WAIT = 1.0  # second; some systems notice Ctrl-C only between two waits
_ATTEMPTS = 5  # of a message that certainly did not arrive
_NOT_FOUND = 1.0  # second to wait after HTTP 404 or 412

# Elsewhere (Dask), what was cancelled may run in spite of that. Before Python 3.12, a pool of which one process dies
# does not end the others if anything in it was cancelled, before or after: the program would wait for them for ever.
_CANCELLING = ThreadPoolExecutor if sys.version_info < (3, 12) else ThreadPoolExecutor | ProcessPoolExecutor


class Plan(NamedTuple):
    """What `send_many` was told, checked."""

    name: str
    executor: Executor
    is_own: bool
    opening: Opening
    in_flight: int
    token: Held
    ledger: Ledger | None
    admission: Admission
    pace: Pace
    shown: Shown
    tend: Callable[[], object] | None  # once a second: an executor may have lost workers without a word


class _Flight(NamedTuple):
    letter: Letter
    token: str | None
    round: int


class Batch(Counted):
    """An iterator over the outcomes of a batch; nothing leaves before the first `next`.

    Closing it (`close`, a `with` block, or Ctrl-C) lets nothing more leave, waits for the replies to what is under
    way, and records them; one that nobody keeps is closed when the next one begins, and all are at Python's exit.
    `report(batch)` counts what became of the messages so far.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._pace, self._ledger, self._admission = plan, plan.pace, plan.ledger, plan.admission
        self._lines = Lines()
        self._flying: dict[Future[Delivered], _Flight] = {}
        self._landed: SimpleQueue[Future[Delivered]] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._records: list[Record] = []
        self._token: str | None = None
        self._is_token_new = False  # it replaced a rejected one and has not been accepted yet
        self._reads_slowly = True  # then each message leaves before the next is read; a fast list shows at the first
        self._is_ending = False
        self._is_broken = False  # the executor
        self._tended = monotonic()
        self.reason: WxError | None = None
        self.tally = Tally()
        self.has_ledger = plan.ledger is not None
        self._process = os.getpid()
        self._running = self._run()
        note_open(self._finish)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome:
        stay_in(self._process)
        return next(self._running)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        states = ", ".join(f"{number} {state}" for state, number in ordered(self.tally.states).items())
        return f"<Batch: {states or 'no outcome yet'}>"

    def __del__(self) -> None:
        if not getattr(self, "_is_ending", True):
            note_unkept(self._finish)

    def close(self) -> None:
        """Let nothing more leave, wait for what is under way, record it, and give the ledger back.

        A second Ctrl-C ends the waiting, but Python still joins the threads at its exit: at most a read_timeout.
        """
        self._finish()

    def _finish(self, *, waits: bool = True) -> None:
        self._running.close()
        self._end(waits)

    def _run(self) -> Generator[Outcome, None, None]:
        try:
            while not self._is_over():
                self._admit()
                self._send_off()
                yield from self._taken()
                self._await()
            self._give_up()
            self._record()
            yield from self._taken()
        except GeneratorExit:  # the garbage collector closes it, too, and must not wait here
            raise
        except BaseException:
            self._end()
            raise
        self._end()
        if self.reason is not None:
            raise BatchStopped(self.reason, self.has_ledger)

    def _is_over(self) -> bool:
        nothing_left = self._admission.is_over and not self._lines.held
        return not self._flying and not self._outcomes and (self.reason is not None or nothing_left)

    def _taken(self) -> Iterator[Outcome]:
        while self._outcomes:
            outcome = self._outcomes.popleft()
            self._plan.shown.step(1)
            yield outcome

    # Reading

    def _admit(self) -> None:
        """Read until a group may leave, as far as there is room."""
        if self._reads_slowly and self._outcomes:
            return
        until = monotonic() + (0 if self._reads_slowly else _READING)
        begun = monotonic()
        while self._may_read() and len(self._lines.ready) < _GROUP and len(self._outcomes) < _OUTCOMES:
            read = self._admission.read()
            if isinstance(read, Letter):
                self._lines.join(read)
            elif read is not None:
                self._take(read)
                if read.state == "unsent" and read.error is not None:
                    self._stop(read.error)
            if monotonic() > until:
                break
        self._reads_slowly = monotonic() > begun + _READING
        self._records += self._admission.records
        self._admission.records.clear()
        if len(self._records) > _OUTCOMES:
            self._record()

    def _may_read(self) -> bool:
        return self.reason is None and not self._admission.is_over and self._lines.held < _HELD

    # Leaving

    def _send_off(self) -> None:
        while self._may_leave() and self._pace.left <= 0:
            if not self._lines.claimed and not self._claim():
                return
            self._submit(self._lines.claimed[0])

    def _may_leave(self) -> bool:
        has_room = len(self._flying) < self._plan.in_flight
        return has_room and self.reason is None and bool(self._lines)

    def _claim(self) -> bool:
        """Make it durable that a group of messages is about to leave; return whether it is."""
        group = self._lines.first(min(_GROUP, self._pace.soon))
        if not self._record([letter.record("unknown") for letter in group]):
            return False
        self._lines.claim(group)
        return True

    def _take_back(self) -> None:
        """Claim nothing while nothing may leave: a run that is killed in a pause would leave all of it as unknown."""
        self._records += [letter.record("unsent") for letter in self._lines.take_back()]
        self._record()

    def _record(self, claims: Sequence[Record] = ()) -> bool:
        """Write what is known; after a failure nothing leaves any more."""
        if self._ledger is None:
            self._records.clear()
        elif self._records or claims:
            try:
                self._ledger.write([*self._records, *claims])
            except LedgerError as e:
                self._stop(e)
                return False
            self._records.clear()
        return True

    def _submit(self, letter: Letter) -> None:
        plan = self._plan
        try:
            token = plan.token()
            if self._ledger is not None:
                self._ledger.check()
        except WxError as e:
            self._stop(e.with_traceback(None))
            return
        self._token = token
        task = Task(plan.name, plan.opening, plan.in_flight, token, dict(letter.message))
        self._lines.claimed.popleft()  # first, because an interrupt must not leave it among those that did not leave
        try:
            future = plan.executor.submit(deliver, task)
        except Exception as e:
            self._is_broken = isinstance(e, BrokenExecutor)
            if self._is_broken or "cannot schedule" in str(e):
                self._lines.claimed.appendleft(letter)
            else:  # no thread could be started, for example, but others may work on it
                self._conclude(letter, "unknown", lost_worker(e), None)
            self._stop(broken_executor(e))
            return
        self._flying[future] = _Flight(letter, token, self._pace.round)
        self._pace.leave()
        future.add_done_callback(self._landed.put)

    # Landing

    def _await(self) -> None:
        """Wait until a reply has come, or until something can be read or may leave."""
        seconds = _WAIT if self._flying else 0.0
        if self._pace.is_pausing:
            self._take_back()
        if self._may_leave():
            seconds = min(max(self._pace.left, 0.0), _WAIT)
        elif self._may_read() and len(self._flying) < self._plan.in_flight:
            seconds = _READING if self._flying and self._reads_slowly else 0.0
        self._land(seconds)

    def _land(self, seconds: float) -> None:
        """Settle all replies that there are, and wait for the first of them."""
        with suppress(Empty):
            self._settle(self._landed.get(timeout=seconds))
            while True:
                self._settle(self._landed.get_nowait())
        self._tend()

    def _tend(self) -> None:
        if self._plan.tend is not None and monotonic() > self._tended + _WAIT:
            self._tended = monotonic()
            self._plan.tend()

    def _settle(self, future: Future[Delivered]) -> None:
        """Take what a worker has returned, and decide what it means for this message and for all others."""
        flight = self._flying.pop(future)
        letter = flight.letter
        if future.cancelled():
            self._go_back(letter, None, None)
            return
        lost = future.exception()
        error, seconds = future.result() if lost is None else (lost_worker(lost), None)
        if isinstance(lost, BrokenExecutor):
            self._is_broken = True
            self._stop(broken_executor(lost))
        verdict = judge(error)
        if verdict == "unknown":
            self._conclude(letter, verdict, error, seconds)
            if self._pace.go_dark() and error is not None:
                self._stop(error)
        elif verdict in ("sent", "refused"):
            self._pace.go_well(flight.round)
            self._is_token_new = self._is_token_new and flight.token != self._token
            self._conclude(letter, verdict, error, seconds)
        else:
            assert error is not None
            letter.attempts += 1
            try:
                self._react(verdict, flight, error)
            finally:  # a token's own function may fail
                self._go_back(letter, error, seconds)

    def _react(self, verdict: str, flight: _Flight, error: WxError) -> None:
        """Do what lets messages leave again after this one certainly did not arrive, or stop."""
        if verdict == "token":
            if flight.token == self._token and not self._is_ending and self.reason is None:
                self._renew_token(error)
        elif verdict == "stop":
            self._stop(error)
        else:
            if self._pace.pause(retry_after(error) or _NOT_FOUND, flight.round):
                self._stop(error)

    def _renew_token(self, error: WxError) -> None:
        """Get another token, once for all messages that were refused with this one."""
        if self._is_token_new or not self._plan.token.is_callable:
            self._stop(error)
            return
        self._plan.token.reject(self._token)
        try:
            token = self._plan.token()
        except WxError as e:
            self._stop(e.with_traceback(None))
            return
        if token == self._token:
            self._stop(error)
        self._token, self._is_token_new = token, True

    def _go_back(self, letter: Letter, error: WxError | None, seconds: float | None) -> None:
        """Let a message that certainly did not arrive leave once more, before all others."""
        if self._is_ending or self.reason is not None or letter.attempts >= _ATTEMPTS:
            self._conclude(letter, "unsent", error, seconds)
        else:
            self._lines.claimed.appendleft(letter)

    def _conclude(self, letter: Letter, state: State, error: WxError | None, seconds: float | None) -> None:
        """Note the outcome of a message, and let the next one of its customer follow."""
        record = letter.record(state, error, seconds)
        self._records.append(record)
        self._take(Outcome(letter.key, letter.message, record.state, error, seconds))
        self._lines.leave(letter)

    def _take(self, outcome: Outcome) -> None:
        self.tally.add(outcome.key, outcome.state, outcome.error, outcome.seconds)
        self._outcomes.append(outcome)

    # The end

    def _stop(self, reason: WxError) -> None:
        """Let nothing more leave; the first reason counts."""
        if self.reason is None:
            self.reason = reason
        self._call_back()

    def _call_back(self) -> None:
        """Cancel what has not begun; a broken pool lets all of it fail by itself."""
        if not self._is_broken and isinstance(self._plan.executor, _CANCELLING):
            for future in list(self._flying):
                future.cancel()

    def _give_up(self) -> None:
        """Conclude all that has not left."""
        while (letter := self._lines.take()) is not None:
            self._conclude(letter, "unsent", None, None)

    def _end(self, waits: bool = True) -> None:
        """Wait for what is under way, record everything, and give everything back; once."""
        if self._is_ending or os.getpid() != self._process:
            return  # in the child of a fork, ledger, workers and messages are its parent's
        try:
            self._is_ending = True
            self._call_back()
            self._give_up()
            self._await_all(waits)
            self._give_up()
        finally:
            self._close()

    def _await_all(self, waits: bool) -> None:
        """Settle all that is under way; not by what has landed, because an interrupt may have lost some of that."""
        while self._flying:
            for future in [future for future in self._flying if future.done()]:
                self._settle(future)
            if not waits:
                return
            wait(self._flying, _WAIT, FIRST_COMPLETED)
            self._tend()

    def _close(self) -> None:
        plan = self._plan
        try:
            self._record()
        finally:
            if self._ledger is not None:
                self._ledger.close()
            self._admission.close()
            if plan.is_own:
                plan.executor.shutdown(wait=not self._flying, cancel_futures=True)
            drop_pool(plan.name, plan.opening)
            plan.shown.end()
