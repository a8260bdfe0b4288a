"""The error texts of the sandbox are the published ones, in the published grammar."""

import json
import re
from pathlib import Path

import pytest

import wxcs_lite.sandbox
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.rules.refusals import TEXTS, RefusedError, errmsg

RID, HINT = "6aac005a-01bfdbee-79769285", "JUmuwa08163951"
LONG_40001 = (
    "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, "
    "more details at https://mmbizurl.cn/s/JtxxFh33r"
)

CODES = {
    row["errcode"]: row["errmsg"]
    for row in json.loads((Path(__file__).parent / "published_errcodes.json").read_text(encoding="utf-8"))["rows"]
}

# Replies that were published: errcode, style of the era, text up to the suffix.
PUBLISHED = [
    (40013, "rid", "invalid appid"),
    (40001, "rid", LONG_40001),
    (40001, "both", "invalid credential, access_token is invalid or not latest"),
    (41001, "rid", "access_token missing"),
    (45015, "rid", "response out of time limit or subscription is canceled"),
    (45015, "hint", "response out of time limit or subscription is canceled"),
    (45047, "rid", "out of response count limit"),
    (45002, "rid", "content size out of limit"),
    (40003, "rid", "invalid openid"),
    (40003, "hint", "invalid openid"),
    (47001, "both", "data format error"),
    (44002, "both", "empty post data"),
    (44004, "hint", "empty content"),
    (40101, "rid", "missing parameter"),
    (40005, "both", "invalid file type"),
    (40004, "both", "invalid media type"),
    (40007, "hint", "invalid media_id"),
    (40007, "both", "invalid media_id"),
    (40125, "rid", "invalid appsecret"),
    (40125, "hint", "invalid appsecret, view more at http://t.cn/RAEkdVq"),
    (41002, "rid", "appid missing"),
    (45009, "rid", "reach max api daily quota limit"),
    (45009, "hint", "api freq out of limit"),
    (45162, "hint", "invalid type"),
    (4, "rid", ""),
]


@pytest.mark.parametrize(("errcode", "style", "text"), PUBLISHED)
def test_published_texts(errcode: int, style: str, text: str) -> None:
    """Each text is as published, and the suffix is that of its era."""
    suffix = {"rid": f" rid: {RID}", "hint": f" hint: [{HINT}]", "both": f" hint: [{HINT}] rid: {RID}"}[style]
    assert text + suffix == errmsg(errcode, style=style, rid=RID, hint=HINT)


@pytest.mark.parametrize(
    ("errcode", "text"),
    [
        (40007, f"invalid media_id hint: [{HINT}] rid: {RID}"),  # 2026-02
        (41005, f"media data missing hint: [{HINT}] rid: {RID}"),  # 2025-09
        (41002, f"appid missing rid: {RID}"),  # 2025-09
        (40013, f"invalid appid rid: {RID}"),  # 2026-09
        (70000, f"为保护未成年人权益，该条消息发送失败 rid: {RID}"),  # 2024-03
        (-1, f"system error rid: {RID}"),  # 2024-07
        (4, f" rid: {RID}"),  # 2023-11
    ],
)
def test_today(errcode: int, text: str) -> None:
    """Without a switch, each text ends as the latest published reply with this code."""
    assert text == errmsg(errcode, style="today", rid=RID, hint=HINT)


def test_comma_before_rid() -> None:
    """48001 has a comma before its rid, and no comma without one."""
    assert f"api unauthorized, rid: {RID}" == errmsg(48001, style="rid", rid=RID, hint=HINT)
    assert f"api unauthorized hint: [{HINT}]" == errmsg(48001, style="hint", rid=RID, hint=HINT)


def test_given_text() -> None:
    """A given text takes the place of the published one, and of one that is not."""
    assert f"mine rid: {RID}" == errmsg(99999, style="rid", rid=RID, hint=HINT, text="mine")
    assert f"mine rid: {RID}" == errmsg(40003, style="rid", rid=RID, hint=HINT, text="mine")


def test_published_patterns_match() -> None:
    """The two regular expressions that clients take the suffix apart with find both parts."""
    text = errmsg(40007, style="both", rid=RID, hint=HINT)
    rid = re.search(r"rid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})", text)
    hint = re.search(r"hint:\s*\[([^\]]*)\]", text)
    assert rid
    assert hint
    assert RID == rid[1]
    assert HINT == hint[1]


def test_every_text_is_the_published_one() -> None:
    """In the list of what is published "..." stands for what differs from reply to reply."""
    like = {code: re.escape(text).replace(re.escape("..."), ".+") for code, text in CODES.items() if text is not None}
    wrong = {code: text for code, text in TEXTS.items() if code in like and not re.fullmatch(like[code], text)}
    assert {} == wrong


@pytest.mark.parametrize("errcode", sorted(CODES))
def test_every_published_code_can_be_answered(errcode: int) -> None:
    """As a fault, each code comes with its own text; where none is published, the caller has to give one."""
    sandbox = Sandbox()
    if CODES[errcode] is None:
        with pytest.raises(ValueError, match=f"{errcode} is not known here: pass errmsg="):
            sandbox.fail_next(errcode=errcode)
        sandbox.fail_next(errcode=errcode, errmsg="mine")
    else:
        sandbox.fail_next(errcode=errcode)
    text, rid, _ = sandbox.pool().request("GET", "/").json()["errmsg"].rpartition(" rid: ")
    assert rid
    assert (text == "system error") == (errcode in (-1, 61450))
    assert bool(text) == (errcode != 4)


def test_every_rule_has_a_text() -> None:
    """Whatever code a rule of the sandbox refuses with, the table has its text."""
    sources = [file.read_text("utf-8") for file in Path(wxcs_lite.sandbox.__file__).parent.rglob("*.py")]
    raised = {int(code) for source in sources for code in re.findall(r"RefusedError\((\d+)", source)}
    assert len(raised) > 30
    assert raised <= TEXTS.keys()


def test_refused_error() -> None:
    """The error of a rule carries only the errcode."""
    assert 45015 == RefusedError(45015).errcode
