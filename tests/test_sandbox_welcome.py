"""The address that is meant for programs, opened in a browser: it says what it is; programs notice nothing."""

import re

import pytest
import urllib3

from tests.test_look_bubbles import Seen
from wxcs_lite.sandbox import Sandbox

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_is_told_in_both_languages() -> None:
    """Nothing of the page can run, and it loads nothing, not even an icon: that would be a call."""
    with Sandbox().serve() as url:
        reply = urllib3.request("GET", url + "/", headers=BROWSER)
        assert (200, "text/html; charset=utf-8") == (reply.status, reply.headers["Content-Type"])
        seen = Seen(reply.data.decode())
        assert "not WeChat" in seen.text
        assert "不是微信" in seen.text
        assert "script" not in seen.tags
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert ("href", "data:,") in seen.attributes


def test_no_chinese_sentence_is_broken_over_two_lines() -> None:
    """A browser shows the line break as a blank."""
    page = Sandbox().pool().request("GET", "/", headers=BROWSER).data.decode()
    assert [] == re.findall(r"[\u3000-\uffef]\n", page)


def test_a_browser_takes_no_planned_fault() -> None:
    """It was meant for the next call."""
    sandbox = Sandbox()
    sandbox.fail_next(errcode=45047)
    pool = sandbox.pool()
    assert 200 == pool.request("GET", "/", headers=BROWSER).status
    assert 45047 == pool.request("GET", "/cgi-bin/getcallbackip").json()["errcode"]


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [("GET", "/", "*/*"), ("GET", "/", "application/json"), ("GET", "/", None), ("POST", "/", BROWSER["Accept"]),
     ("GET", "/nowhere", BROWSER["Accept"])],
)  # fmt: skip
def test_a_program_gets_what_it_got(method: str, path: str, accept: str | None) -> None:
    """The bare 404 of a front-end."""
    headers = {} if accept is None else {"Accept": accept}
    reply = Sandbox().pool().request(method, path, headers=headers)
    assert (404, "text/html") == (reply.status, reply.headers["Content-Type"])
    assert b"<html><head><title>404 Not Found</title></head>" == reply.data[:47]


def test_calls_of_a_browser_are_calls() -> None:
    """A token in the address bar gets what any client gets."""
    reply = Sandbox().pool().request("GET", "/cgi-bin/getcallbackip", headers=BROWSER)
    assert 41001 == reply.json()["errcode"]
