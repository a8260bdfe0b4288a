"""Calls the handler once for each push, in a bounded pool of threads.

WeChat repeats a push that was not answered. A repetition gets the answer to the first one and never calls the handler.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from threading import BoundedSemaphore, Lock

from wxcs_lite.errors import ApiError, InvalidMessage, WxError
from wxcs_lite.forks import renew_in_child
from wxcs_lite.places import places
from wxcs_lite.push.answers import SUCCESS
from wxcs_lite.push.value import Push, dedupe_key

__all__ = ["Handler", "OnError", "Once"]

Handler = Callable[[Push], bytes | None]
OnError = Callable[[Push, BaseException], object]

_log = logging.getLogger("wxcs_lite.push")


class Once:
    """Calls the handler for each push that it has not seen before."""

    __slots__ = (
        "__weakref__", "_handler", "_lock", "_log_errors", "_on_error", "_places", "_pool", "_queue", "_remember",
        "_seen", "_wait", "_workers",
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
    ) -> None:
        self._on_error = on_error
        self._handler, self._wait, self._remember, self._log_errors = handler, wait, remember, log_errors
        self._workers, self._queue = workers, queue
        self._seen: OrderedDict[bytes, Future[bytes] | bytes] = OrderedDict()  # the answer, or its future
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Take new locks and threads; in the child of a fork, leave unfinished pushes to the parent."""
        self._pool = ThreadPoolExecutor(self._workers, "wxcs_lite-push")
        self._places = BoundedSemaphore(self._workers + self._queue)
        self._lock = Lock()
        # Not even done() may be called on a future: a thread of the parent may have held its lock.
        self._seen = OrderedDict((key, SUCCESS if isinstance(v, Future) else v) for key, v in self._seen.items())

    def answer(self, push: Push) -> bytes | None:
        """Return the handler's answer to this push, or to the one it repeats; None if the queue is full."""
        name = dedupe_key(push)
        found = self._found(sha256(name.encode()).digest(), _shown(name), push)
        if not isinstance(found, Future):
            return found
        try:
            return found.result(self._wait)
        except TimeoutError:
            _log.warning("push %s: the handler takes longer than %g s, so WeChat got SUCCESS", _shown(name), self._wait)
            return SUCCESS

    def _found(self, key: bytes, name: str, push: Push) -> Future[bytes] | bytes | None:
        with self._lock:
            found = self._seen.get(key)
            if found is not None:
                return found
            if not self._places.acquire(blocking=False):
                _log.warning("push %s: all workers are busy and the queue is full, so WeChat got 503", name)
                return None
            try:
                started = self._pool.submit(self._run, key, name, push)
            except RuntimeError:  # the interpreter is shutting down
                self._places.release()
                return None
            self._seen[key] = started
            if len(self._seen) > self._remember:
                self._seen.popitem(last=False)
            return started

    def _run(self, key: bytes, name: str, push: Push) -> bytes:
        """Call the handler in a thread of the pool; whatever happens, this returns an answer and frees the place."""
        answer = SUCCESS
        try:
            given = self._handler(push)
            if given is not None and not isinstance(given, bytes):
                raise _wrong_answer(given)
            answer = SUCCESS if given is None else given
        except BaseException as e:
            self._failed(name, push, e)
        with self._lock:
            if key in self._seen:
                self._seen[key] = answer
        self._places.release()
        return answer

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
    """Return the English line of one of our errors, with errcode and rid; it contains no secret."""
    if not isinstance(error, WxError):
        return ""
    return f" ({error.en}{', maybe sent' if isinstance(error, ApiError) and error.maybe_sent else ''})"


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


def _shown(name: str) -> str:
    return repr(name)[:200]
