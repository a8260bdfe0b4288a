"""The errors: whose fault it was, whether WeChat may have the message, and what to do next."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wxcs_lite
from wxcs_lite import errors
from wxcs_lite.catalogue import ROWS, Row
from wxcs_lite.errcodes import explain
from wxcs_lite.errors import (
    ApiError,
    BadReply,
    InvalidMessage,
    MediaRejected,
    PushRejected,
    QuotaExceeded,
    TokenRejected,
    TransportError,
    TypingRejected,
    WindowClosed,
    WxError,
    api_error,
    retry_after,
)

RID = "64a774ce-020c072d-6c820ec0"
EACH: list[tuple[WxError, dict[str, object]]] = [
    (WxError("en", "中文"), {"maybe_sent": True}),
    (WxError("en", "中文", False), {"maybe_sent": False}),
    (InvalidMessage("touser", "must not be empty", "不能为空"), {"field": "touser", "maybe_sent": False}),
    (TransportError("cut", "断开"), {"maybe_sent": True}),
    (TransportError("refused", "被拒绝", False), {"maybe_sent": False}),
    (BadReply("no JSON", "不是 JSON"), {"status": None, "maybe_sent": True}),
    (BadReply("HTTP 404", "HTTP 404", 404, False), {"status": 404, "maybe_sent": False}),
    (PushRejected("no signature", "缺少签名"), {"maybe_sent": False}),
    *(
        (kind(errcode, f"a text rid: {RID}"), {"errcode": errcode, "rid": RID, "maybe_sent": errcode in (-1, 4)})
        for kind, errcode in [
            (ApiError, -1),
            (ApiError, 4),
            (ApiError, 40003),
            (TokenRejected, 40001),
            (WindowClosed, 45015),
            (QuotaExceeded, 45009),
            (MediaRejected, 40007),
            (TypingRejected, 45081),
        ]
    ),
]
NAMES = [f"{type(error).__name__}-{index}" for index, (error, _) in enumerate(EACH)]
COPIES = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *(
        pytest.param(lambda it, number=number: pickle.loads(pickle.dumps(it, number)), id=f"pickle-{number}")
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def test_every_class_is_tried() -> None:
    """The list above has an error of each class that the module offers, and the package offers them all."""
    classes = {name for name in errors.__all__ if name[0].isupper()}
    assert classes == {type(error).__name__ for error, _ in EACH}
    assert classes <= set(wxcs_lite.__all__)


@pytest.mark.parametrize(("error", "attributes"), EACH, ids=NAMES)
def test_attributes_tell_what_happened(error: WxError, attributes: dict[str, object]) -> None:
    """Programs decide by attributes, never by a part of the text."""
    assert attributes == {name: getattr(error, name) for name in attributes}


@pytest.mark.parametrize("again", COPIES)
@pytest.mark.parametrize(("error", "attributes"), EACH, ids=NAMES)
def test_errors_survive_pickle_and_copy(error: WxError, attributes: dict[str, object], again: Any) -> None:
    """Class, text, args and attributes come back, as a pool of processes needs."""
    back = again(error)
    assert type(back) is type(error)
    assert str(error) == str(back)
    assert error.args == back.args
    assert attributes == {name: getattr(back, name) for name in attributes}
    assert vars(error) == vars(back)


@pytest.mark.parametrize("error", [error for error, _ in EACH], ids=NAMES)
def test_the_text_is_english_then_chinese(error: WxError) -> None:
    """The first line can be read in English, the last one in Chinese."""
    first, *_, last = str(error).splitlines()
    assert first.isascii()
    assert not last.isascii() or last == "HTTP 404"


@pytest.mark.parametrize("error", [error for error, _ in EACH], ids=NAMES)
def test_all_are_caught_at_once(error: WxError) -> None:
    """`except WxError` catches whatever this package raises on purpose."""
    with pytest.raises(WxError):
        raise error


def test_a_wrong_message_is_a_value_error_too() -> None:
    """Code that knows nothing of this package still catches a wrong value."""
    with pytest.raises(ValueError, match=r"^touser: must not be empty\ntouser：不能为空$"):
        raise InvalidMessage("touser", "must not be empty", "不能为空")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("token", "TokenRejected"),
        ("window", "WindowClosed"),
        ("quota", "QuotaExceeded"),
        ("media", "MediaRejected"),
        ("typing", "TypingRejected"),
        ("", "ApiError"),
    ],
)
def test_the_catalogue_chooses_the_class(kind: str, name: str) -> None:
    """Every row's kind gives the class of its error."""
    assert {name} == {type(api_error(row[0], "")).__name__ for row in ROWS if row[1] == kind}


@given(st.integers())
def test_maybe_sent_is_true_for_two_codes_only(errcode: int) -> None:
    """WeChat refused the message for certain, except where it does not know itself."""
    assert (errcode in (-1, 4)) == api_error(errcode, "").maybe_sent


@pytest.mark.parametrize("errcode", [-1, 4])
def test_maybe_sent_is_true_where_wechat_is_unsure(errcode: int) -> None:
    """After "system error" the message may have been sent nevertheless."""
    assert api_error(errcode, "system error").maybe_sent is True


def test_advice_comes_from_the_catalogue() -> None:
    """An error carries the explanation of its code, made for its errmsg."""
    errmsg = "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist"
    assert explain(40164, errmsg) == api_error(40164, errmsg).advice
    assert "1.2.3.4" in api_error(40164, errmsg).advice.remedy


def test_the_text_holds_code_errmsg_and_advice() -> None:
    """The traceback alone has the code, WeChat's text with the rid, and what to do."""
    error = api_error(45047, f"out of response count limit rid: {RID}")
    assert [
        f"45047 out of response count limit: {error.advice.remedy} (rid: {RID})",
        f"45047 {error.advice.meaning_zh}：{error.advice.remedy_zh}（rid: {RID}）",
    ] == [error.en, error.zh]
    assert f"{error.en}\n{error.zh}" == str(error)


@pytest.mark.parametrize(
    "errmsg",
    ["a\x1b[31mb", "a\nb", "a\r\n\tb", "a\x00b", "a\x9bb", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800b"],
)
def test_nothing_unprintable_reaches_the_terminal(errmsg: str) -> None:
    """Escapes, line breaks, turned text and halves of emoji become one space; the attribute keeps the original."""
    error = api_error(40003, errmsg)
    assert str(error).splitlines()[0].startswith("40003 a ")
    assert 2 == len(str(error).splitlines())
    assert str(error).encode()
    assert errmsg == error.errmsg


def test_a_long_errmsg_is_cut_in_the_text_only() -> None:
    """A text of megabytes does not fill the screen, and is still there to look at."""
    error = api_error(40003, "x" * 1_000_000)
    assert error.en.startswith("40003 " + "x" * 60 + "…: ")
    assert 1_000_000 == len(error.errmsg)


HEX = st.text("0123456789abcdef", min_size=8, max_size=8)
RIDS = st.builds("{}-{}-{}".format, HEX, HEX, HEX)
HINTS = st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=20)
TEXTS = st.sampled_from([row[3] for row in ROWS] + [""])


@settings(deadline=None)
@given(TEXTS, st.sampled_from([" rid: ", ", rid: "]), RIDS)
def test_the_rid_is_found_behind_a_text(text: str, mark: str, rid: str) -> None:
    """With a space or with a comma before it, the rid comes out exactly."""
    assert rid == api_error(48001, f"{text}{mark}{rid}").rid


@settings(deadline=None)
@given(TEXTS, HINTS, RIDS)
def test_the_rid_is_found_behind_a_hint(text: str, hint: str, rid: str) -> None:
    """The texts of 2020 to 2023 have both, and the hint is not taken for the rid."""
    assert rid == api_error(44002, f"{text} hint: [{hint}] rid: {rid}").rid


@settings(deadline=None)
@given(TEXTS, HINTS)
def test_a_text_without_rid_has_none(text: str, hint: str) -> None:
    """Before 2020 there was only a hint."""
    assert api_error(44002, f"{text} hint: [{hint}]").rid is None


@pytest.mark.parametrize("errmsg", ["", "rid: ", "rid: <rid>", "rid: 64A774CE-020C072D-6C820EC0", f"id {RID}"])
def test_what_looks_different_is_no_rid(errmsg: str) -> None:
    """Only three groups of eight lower-case hexadecimal digits behind "rid:" are one."""
    assert api_error(40003, errmsg).rid is None


def test_args_are_what_the_constructor_takes() -> None:
    """The args of each error are what its constructor takes: that is what makes it survive a pickle."""
    assert [error.args for error, _ in EACH] == [type(error)(*error.args).args for error, _ in EACH]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_the_text_is_two_short_lines(row: tuple[Any, ...]) -> None:
    """For each code of the catalogue, with WeChat's usual text and a rid; each line alone has code and rid."""
    error = api_error(row[0], f"{row[3]} rid: {RID}")
    assert [error.en, error.zh] == str(error).splitlines()
    assert len(str(error)) <= 300
    assert all(line.startswith(f"{row[0]} ") and line.count(RID) == 1 for line in (error.en, error.zh))
    assert "\n" not in repr(error)


def test_a_long_errmsg_is_cut_at_a_word() -> None:
    """WeChat's own for 40001 since 2023 goes on with an advice and a link: the text stays short, `errmsg` is whole."""
    latest = "invalid credential, access_token is invalid or not latest"
    more = ", could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"
    error = api_error(40001, f"{latest}{more} rid: {RID}")
    assert error.en.startswith(f"40001 {latest}…: ")
    assert len(str(error)) <= 300
    assert error.errmsg.startswith(latest + more)


@pytest.mark.parametrize("error", [error for error, _ in EACH], ids=NAMES)
def test_advice_is_an_explanation_or_nothing(error: WxError) -> None:
    """The catalogue knows errcodes; all other errors say everything in their two lines."""
    assert (explain(error.errcode, error.errmsg) if isinstance(error, ApiError) else None) == error.advice


MONTH = 31 * 86400.0
WAITS = {45009: 86400.0, 45011: 60.0, 48006: MONTH, 89506: 86400.0, 89507: 3600.0}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_when_to_try_again_is_told_for_each_code(row: Row) -> None:
    """At once with a new token, after a period that the code names; never where a repeat could send twice."""
    errcode, _, retry, *_ = row
    told = retry_after(api_error(errcode, "made up"))
    if errcode in WAITS:
        assert retry in ("time", "back-off")
        assert WAITS[errcode] == told
    else:
        assert (0.0 if retry == "token" else None) == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (api_error(99999, "never heard of"), None),
        (TransportError("cut", "断开", False), 1.0),
        (TransportError("cut", "断开"), None),
        (BadReply("HTTP 404", "HTTP 404", 404, False), None),
        (BadReply("HTTP 502", "HTTP 502", 502), None),
        (InvalidMessage("touser", "must not be empty", "不能为空"), None),
        (PushRejected("no signature", "缺少签名"), None),
        (ValueError("not ours"), None),
    ],
)
def test_when_to_try_again_is_told_for_other_errors(error: Exception, told: float | None) -> None:
    """Without a connection nothing was sent; a mistake of ours does not go away by itself."""
    assert told == retry_after(error)
