"""Calls the handler once for each push, in a bounded pool of threads, or in place where there are none (a browser).

WeChat repeats a push that was not answered. A repetition gets the answer to the first one and never calls the handler:
in this process it is found in memory, in another one in a shared store (`seen`).
"""

import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from itertools import islice
from threading import BoundedSemaphore, RLock

from wxcs_lite.errors import ApiError, InvalidMessage, PushRejected, WxError
from wxcs_lite.forks import renew_in_child
from wxcs_lite.places import places
from wxcs_lite.push.answers import SUCCESS
from wxcs_lite.push.seen import Claims
from wxcs_lite.push.value import Push, dedupe_key

__all__ = ["Handler", "OnError", "Once"]

Handler = Callable[[Push], bytes | None]
OnError = Callable[[Push, BaseException], object]

_log = logging.getLogger("wxcs_lite.push")

_PAUSE = 0.05  # seconds between two checks of what another process is doing
_THREADS = sys.platform != "emscripten"  # Pyodide has none


class Once:
    """Calls the handler for each push that it has not seen before."""

    __slots__ = (
        "__weakref__", "_given_back", "_handler", "_lock", "_log_errors", "_on_error", "_places", "_pool", "_queue",
        "_remember", "_seen", "_store", "_wait", "_workers",
    )  # fmt: skip

    def __init__(
        self,
        handler: Handler,
        *,
        wait: float,
        workers: int,
        queue: int,
        remember: int,
        log_errors: bool,
        on_error: OnError | None = None,
        store: Claims | None = None,
    ) -> None:
        self._on_error, self._store = on_error, store
        self._handler, self._wait, self._remember, self._log_errors = handler, wait, remember, log_errors
        self._workers, self._queue = workers, queue
        # The answer, or its future.
        self._seen: OrderedDict[bytes, Future[bytes | None] | bytes] = OrderedDict()
        self.after_fork()
        renew_in_child(self)

    def after_fork(self) -> None:
        """Take new locks and threads; in the child of a fork, leave unfinished pushes to the parent."""
        self._renew_threads()
        self._places = BoundedSemaphore(self._workers + self._queue)
        self._lock = RLock()  # without threads, a push runs within it
        self._given_back: set[bytes] = set()  # keys of running pushes that WeChat shall send again
        # Not even done() may be called on a future: a thread of the parent may have held its lock. A store knows more.
        known = ((key, SUCCESS if isinstance(v, Future) else v) for key, v in self._seen.items())
        self._seen = OrderedDict(known if self._store is None else ())

    def answer(self, push: Push) -> bytes | None:
        """Return the handler's answer to this push, or to the one it repeats; None if WeChat shall send it again."""
        name = dedupe_key(push)
        found = self._found(_hashed(name), _shown(name), push)
        if not isinstance(found, Future):
            return found
        try:
            # Without threads, an answer that is missing is of a push whose handler sent it here again.
            return found.result(self._wait if _THREADS else 0)
        except TimeoutError:
            _log.warning("push %s: the handler takes longer than %g s, so WeChat got SUCCESS", _shown(name), self._wait)
            return SUCCESS

    def forget(self, push: Push) -> None:
        """Give the claim on a push back: if it runs, its request gets None, and the next one to come is handled."""
        key = _hashed(dedupe_key(push))
        with self._lock:
            if isinstance(self._seen.pop(key, None), Future):
                self._given_back.add(key)
        if self._store is not None:
            self._store.forget(key.hex())

    def _found(self, key: bytes, name: str, push: Push) -> Future[bytes | None] | bytes | None:
        with self._lock:
            found = self._seen.get(key)
            if found is not None:
                return found
            if key in self._given_back:  # its first run has not ended
                return None
            if not self._places.acquire(blocking=False):
                _log.warning("push %s: all workers are busy and the queue is full, so WeChat got 503", name)
                return None
            started: Future[bytes | None] = Future()
            self._seen[key] = started
            if not self._begin(started, key, name, push):
                del self._seen[key]
                self._places.release()
                _log.warning("push %s: no thread could be started, so WeChat got 503", name)
                return None
            self._forget_oldest()
            return started

    def _begin(self, started: Future[bytes | None], key: bytes, name: str, push: Push) -> bool:
        """Hand a push over to a thread; False if there is none, and then it will never be handled."""
        if not _THREADS:
            self._run(started, key, name, push)
            return True
        try:
            self._pool.submit(self._run, started, key, name, push)
        except RuntimeError:  # the machine has no thread left, or the interpreter is shutting down
            # The executor may keep what it refused in its queue: it is left, and its threads end with what they had.
            self._renew_threads()
            return not started.cancel()  # unless one of them was quicker
        return True

    def _renew_threads(self) -> None:
        self._pool = ThreadPoolExecutor(self._workers, "wxcs_lite-push")

    def _forget_oldest(self) -> None:
        """Keep to the bound; a push that is being handled stays, because its repetition would run the handler again."""
        answered = (key for key, found in self._seen.items() if isinstance(found, bytes))
        for key in list(islice(answered, max(0, len(self._seen) - self._remember))):
            del self._seen[key]

    def _run(self, started: Future[bytes | None], key: bytes, name: str, push: Push) -> None:
        """Answer a push in a thread of the pool, unless it was refused; whatever happens, this frees the place."""
        if not started.set_running_or_notify_cancel():
            return
        answer, known = (
            (self._handled(name, push), True) if self._store is None else self._shared(self._store, key, name, push)
        )
        with self._lock:
            if key in self._given_back:
                self._given_back.remove(key)
                answer = None
                _log.warning("push %s: given back, so WeChat got 503 and will send it again", name)
            elif answer is None or not known:
                del self._seen[key]
            else:
                self._seen[key] = answer
                self._forget_oldest()
        self._places.release()
        started.set_result(answer)

    def _shared(self, store: Claims, key: bytes, name: str, push: Push) -> tuple[bytes | None, bool]:
        """Return the answer, the handler's or another process's, and whether it is final."""
        try:
            found = self._claimed(store, key.hex())
        except BaseException as e:
            _log.error("push %s: seen.claim failed with %s at %s, so WeChat got 503", name, type(e).__name__, places(e))
            return None, False
        if found is not None:
            return found or SUCCESS, bool(found)
        answer = self._handled(name, push)
        if key not in self._given_back:
            try:
                store.settle(key.hex(), answer or SUCCESS)
            except BaseException as e:
                _log.error("push %s: seen.settle failed with %s at %s", name, type(e).__name__, places(e))
        return answer, True

    def _claimed(self, store: Claims, key: str) -> bytes | None:
        """Return None if the push is ours, or the answer of another process, waiting for it if necessary."""
        until = time.monotonic() + self._wait
        while (answer := store.claim(key)) == b"" and time.monotonic() < until:
            time.sleep(_PAUSE)
        return answer

    def _handled(self, name: str, push: Push) -> bytes:
        try:
            given = self._handler(push)
            if given is not None and not isinstance(given, bytes):
                raise _wrong_answer(given)
        except PushRejected as e:
            self._not_taken(name, push, e)
            return SUCCESS
        except BaseException as e:
            self._failed(name, push, e)
            return SUCCESS
        return SUCCESS if given is None else given

    def _not_taken(self, name: str, push: Push, error: PushRejected) -> None:
        """Give back a push that the handler did not take, for whatever it could not do with it."""
        _log.warning("push %s: the handler did not take it: %s", name, error.en)
        try:
            self.forget(push)
        except Exception as e:  # the store's; in this process the push is given back all the same
            _log.error("push %s: seen.forget failed with %s at %s", name, type(e).__name__, places(e))

    def _failed(self, name: str, push: Push, error: BaseException) -> None:
        self.log_crash(name, "handler", self._handler, error)
        if self._on_error is None:
            return
        try:
            self._on_error(push, error)
        except BaseException as e:
            self.log_crash(name, "on_error", self._on_error, e)

    def log_crash(self, name: str, who: str, function: Callable[..., object], error: BaseException) -> None:
        """Log what was raised, and where; another library's text may quote a user, so it is logged only on request."""
        _log.error(
            "push %s: the %s crashed with %s%s at %s; WeChat got SUCCESS",
            name,
            who,
            type(error).__name__,
            _told(error),
            places(error, without=__name__) or _place_of(function),
            exc_info=error if self._log_errors else None,
        )


def _told(error: BaseException) -> str:
    """Return the English line of one of our errors, with errcode, rid and a relay's id; it contains no secret."""
    if not isinstance(error, WxError):
        return ""
    relayed = "".join(f", {note}" for note in getattr(error, "__notes__", ()) if note.startswith("x-openapi-seqid: "))
    return f" ({error.en}{', maybe sent' if isinstance(error, ApiError) and error.maybe_sent else ''}{relayed})"


def _wrong_answer(given: object) -> InvalidMessage:
    kind = type(given).__name__
    return InvalidMessage(
        "handler",
        f"must return bytes or None, not {kind}: send messages with wxcs_lite.send",
        f"只能返回 bytes 或 None，实际返回了 {kind}：消息请用 wxcs_lite.send 发送",
    )


def _place_of(function: object) -> str:
    """Return where a callable is defined, for an error that was raised outside its own frames."""
    function = function if hasattr(function, "__code__") else getattr(function, "__func__", type(function).__call__)
    code = getattr(function, "__code__", None)
    module, name = getattr(function, "__module__", "?"), getattr(function, "__qualname__", "?")
    return f"{module}:{code.co_firstlineno if code else '?'}:{name}"


def _hashed(name: str) -> bytes:
    return sha256(name.encode()).digest()


def _shown(name: str) -> str:
    return repr(name)[:200]
