"""Every error survives pickle, and so comes out of a process pool unchanged."""

import copy
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from wxcs_lite import (
    ApiError,
    BadReply,
    InvalidMessage,
    MediaRejected,
    PushRejected,
    QuotaExceeded,
    Token,
    TokenRejected,
    TransportError,
    TypingRejected,
    WindowClosed,
    WxError,
    text,
)
from wxcs_lite.errors import api_error

RID = "rid: 64a774ce-020c072d-6c820ec0"
ERRORS = [
    WxError("English", "中文"),
    WxError("English", "中文", False),
    InvalidMessage("touser", "must not be empty", "不能为空"),
    TransportError("cut", "断开"),
    TransportError("refused", "被拒绝", False),
    BadReply("HTTP 502", "HTTP 502", 502),
    BadReply("HTTP 404", "HTTP 404", 404, False),
    BadReply("no status", "没有状态码"),
    PushRejected("no signature", "缺少签名"),
    ApiError(-1, "system error"),
    ApiError(4, "made up"),
    ApiError(99999, "never heard of 从未听说"),
    api_error(40001, f"invalid credential {RID}"),
    api_error(45047, f"out of response count limit {RID}"),
    api_error(45009, "reach max api daily quota limit"),
    api_error(40007, "invalid media_id"),
    api_error(45081, "already in the typing status"),
]
CLASSES = {
    WxError, InvalidMessage, TransportError, BadReply, PushRejected, ApiError, TokenRejected, WindowClosed,
    QuotaExceeded, MediaRejected, TypingRejected,
}  # fmt: skip
ATTRIBUTES = ("args", "maybe_sent", "field", "status", "errcode", "errmsg", "rid", "advice", "__notes__")


def pickled(number: int) -> Callable[[Any], Any]:
    return lambda value: pickle.loads(pickle.dumps(value, number))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"protocol {number}": pickled(number) for number in range(pickle.HIGHEST_PROTOCOL + 1)},
}


def told(error: BaseException) -> dict[str, object]:
    """Return class, text and attributes."""
    return {
        "class": type(error),
        "str": str(error),
        "repr": repr(error),
        **{name: getattr(error, name, None) for name in ATTRIBUTES},
    }


def test_the_list_names_every_class() -> None:
    """No class of errors is forgotten here."""

    def below(kind: type[WxError]) -> Iterator[type[WxError]]:
        yield kind
        for sub in kind.__subclasses__():
            yield from below(sub)

    ours = {kind for kind in below(WxError) if kind.__module__ == "wxcs_lite.errors"}
    assert CLASSES == ours
    assert ours == {type(error) for error in ERRORS}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{error.args[0]}")
def test_an_error_survives(error: WxError, way: str) -> None:
    """Class, text and attributes are the same after pickle and copy."""
    assert told(error) == told(COPIES[way](error))


@pytest.mark.parametrize("way", COPIES)
def test_notes_survive(way: str) -> None:
    """A note that the caller added goes along."""
    error = WindowClosed(45047, "out of response count limit")
    error.add_note("customer 7")
    assert ["customer 7"] == COPIES[way](error).__notes__


def test_a_raised_error_survives() -> None:
    """A traceback does not hinder it."""
    with pytest.raises(InvalidMessage) as caught:
        text("", "hello")
    assert told(caught.value) == told(pickle.loads(pickle.dumps(caught.value)))


def raise_number(number: int) -> None:
    raise ERRORS[number]


def give(token: Token) -> tuple[str, str]:
    return str(token), repr(token)


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessPoolExecutor]:
    """One fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("number", range(len(ERRORS)), ids=lambda number: type(ERRORS[number]).__name__)
def test_an_error_comes_out_of_a_process_pool(number: int, executor: ProcessPoolExecutor) -> None:
    """An error that another process raised is the same here, and does not break the pool."""
    error = executor.submit(raise_number, number).exception(60)
    assert error is not None
    assert {**told(ERRORS[number]), "__notes__": None} == {**told(error), "__notes__": None}


def test_a_token_goes_into_a_process_pool(executor: ProcessPoolExecutor) -> None:
    """A Token is the same text there, and hides itself there, too."""
    assert ("80_made-up", "Token('***')") == executor.submit(give, Token("80_made-up")).result(60)
