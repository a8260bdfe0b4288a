"""The error texts of the sandbox are the published ones, in the published grammar."""

import re

import pytest

from wxcs_lite.sandbox.errmsg import RefusedError, errmsg

RID, HINT = "6aac005a-01bfdbee-79769285", "JUmuwa08163951"
LONG_40001 = (
    "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, "
    "more details at https://mmbizurl.cn/s/JtxxFh33r"
)

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


def test_comma_before_rid() -> None:
    """48001 has a comma before its rid, and none without."""
    assert f"api unauthorized, rid: {RID}" == errmsg(48001, style="rid", rid=RID, hint=HINT)
    assert f"api unauthorized hint: [{HINT}]" == errmsg(48001, style="hint", rid=RID, hint=HINT)


def test_unknown_code_and_given_text() -> None:
    """A code without a text still gets one, and a given text takes its place."""
    assert f"system error rid: {RID}" == errmsg(99999, style="rid", rid=RID, hint=HINT)
    assert f"mine rid: {RID}" == errmsg(40003, style="rid", rid=RID, hint=HINT, text="mine")


def test_published_patterns_match() -> None:
    """The two regular expressions that clients take the suffix apart with find both parts."""
    text = errmsg(40007, style="both", rid=RID, hint=HINT)
    rid = re.search(r"rid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})", text)
    hint = re.search(r"hint:\s*\[([^\]]*)\]", text)
    assert rid
    assert hint
    assert (RID, HINT) == (rid[1], hint[1])


def test_refused_error() -> None:
    """The error of a rule carries the errcode and nothing else."""
    assert 45015 == RefusedError(45015).errcode
