"""The doctor on the account: appid and secret, whitelist, token, quota, the host of the push URL."""

import pytest

from tests.doctor_cases import PUSH_TOKEN, a_case, nothing_set
from tests.hostile import Server, answers, reply
from tests.stages import closed_port
from wxcs_lite import fetch_token, send, text
from wxcs_lite.push import push_app
from wxcs_lite.replies import Reply
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.doctor.account import (
    check_account,
    check_callback,
    check_quota,
    check_token,
    check_whitelist,
)
from wxcs_lite.terminal.doctor.findings import Case

__all__ = ["nothing_set"]

STABLE_TOKEN = "/cgi-bin/stable_token"
QUOTA = "/cgi-bin/openapi/quota/get"
CALLBACK = "/cgi-bin/callback/check"
SEND = "/cgi-bin/message/custom/send"


def in_sandbox(sandbox: Sandbox, **given: str | None) -> Case:
    """Return the case of an account in the sandbox, whose pool opens no socket."""
    with a_case("http://127.0.0.1:9") as case:
        return Case(case.where, sandbox.pool(), **{"appid": sandbox.appid, "secret": sandbox.secret, **given})


def with_token(sandbox: Sandbox) -> Case:
    case = in_sandbox(sandbox)
    check_account(case)
    assert case.token is not None
    return case


# appid and secret


def test_they_give_a_token() -> None:
    """The shared one, so that nobody's ends; the address is on the whitelist, then."""
    sandbox = Sandbox()
    before = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    case = in_sandbox(sandbox)
    assert "ok" == check_account(case).state
    whitelist = check_whitelist(case)
    assert whitelist is not None
    assert "ok" == whitelist.state
    assert before == case.token


@pytest.mark.parametrize("missing", ["appid", "secret"])
def test_a_missing_one_is_named(missing: str) -> None:
    """By its variable."""
    found = check_account(in_sandbox(Sandbox(), **{missing: None}))
    assert "wrong" == found.state
    assert found.en.startswith(f"WXCS_{missing.upper()} is not set")
    assert f"WXCS_{missing.upper()}" in found.zh


def test_both_missing_are_named() -> None:
    """And what to type."""
    found = check_account(in_sandbox(Sandbox(), appid=None, secret=None))
    assert found.en.startswith("WXCS_APPID and WXCS_SECRET are not set: export WXCS_APPID=…")


def test_a_token_in_their_place_is_well() -> None:
    """There is nothing wrong with having only a token."""
    case = in_sandbox(Sandbox(), secret=None, token="80_made-up")
    assert "skipped" == check_account(case).state
    assert check_whitelist(case) is None


def test_inside_cloud_hosting_none_is_needed() -> None:
    """The relay adds the credential, so they are not missed, and no token is fetched."""
    case = in_sandbox(Sandbox(), appid=None, secret=None)
    case.reply = Reply(200, {"X-Openapi-Seqid": "made-up"}, b"")
    assert "skipped" == check_account(case).state
    assert "skipped" == check_quota(case).state


@pytest.mark.parametrize("secret", [" made-up", "made-up\n", "made\x7fup"])
def test_a_blank_around_it_is_seen_before_wechat_is_asked(secret: str) -> None:
    """It comes from a file or a form; WeChat would say that the secret is wrong."""
    found = check_account(in_sandbox(Sandbox(), secret=secret))
    assert "wrong" == found.state
    assert "WXCS_SECRET contains a space" in found.en
    assert "made" not in found.en


@pytest.mark.parametrize("errcode", [40013, 40125, 40243, 45009, 50004, 50007])
def test_a_refusal_is_told_with_what_to_do(errcode: int) -> None:
    """A wrong appid or secret, a frozen one, an empty allowance, a frozen account: in both languages."""
    sandbox = Sandbox()
    sandbox.fail_next(errcode=errcode, path=STABLE_TOKEN)
    case = in_sandbox(sandbox)
    found = check_account(case)
    assert "wrong" == found.state
    assert found.en.startswith(f"{errcode} ")
    assert found.zh.startswith(f"{errcode} ")
    assert check_whitelist(case) is None


def test_no_reply_is_told_too() -> None:
    """As the network's fault."""
    with closed_port() as port, a_case(f"http://127.0.0.1:{port}", appid="wx1", secret="made-up") as case:
        found = check_account(case)
    assert "wrong" == found.state
    assert "no connection" in found.en


# The whitelist


def test_an_address_that_is_not_on_the_whitelist() -> None:
    """The account is not judged, and the address to enter is named."""
    sandbox = Sandbox()
    sandbox.fail_next(
        errcode=40164, errmsg="invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist", path=STABLE_TOKEN
    )
    case = in_sandbox(sandbox)
    assert "skipped" == check_account(case).state
    found = check_whitelist(case)
    assert found is not None
    assert "wrong" == found.state
    assert "The address to add: 1.2.3.4" in found.en
    assert "要添加的地址：1.2.3.4" in found.zh


# A token that was given


def test_a_given_token_is_tried() -> None:
    """It is used, unless appid and secret gave one."""
    sandbox = Sandbox()
    token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    case = in_sandbox(sandbox, appid=None, secret=None, token=str(token))
    found = check_token(case)
    assert found is not None
    assert "ok" == found.state
    assert token == case.token
    assert str(token) not in repr(vars(case))


def test_a_given_token_that_is_old() -> None:
    """It is reported like any other error, and not used."""
    case = in_sandbox(Sandbox(), token="80_made-up")
    found = check_token(case)
    assert found is not None
    assert "wrong" == found.state
    assert found.en.startswith("40001 ")
    assert case.token is None


def test_no_token_is_nothing_to_tell() -> None:
    """Most developers have none."""
    assert check_token(in_sandbox(Sandbox())) is None


# The quota


@pytest.mark.parametrize(
    ("limit", "sent", "state", "words"),
    [(500_000, 0, "ok", "500,000 of 500,000"), (20, 19, "warn", "slow down"), (2, 2, "wrong", "wait until tomorrow")],
)
def test_what_is_left_of_today(limit: int, sent: int, state: str, words: str) -> None:
    """Less than a tenth is pointed out; nothing left is wrong."""
    sandbox = Sandbox(daily_limits={SEND: limit})
    case = with_token(sandbox)
    assert case.token is not None
    customer = sandbox.user("ann")
    for _ in range(sent):
        customer.says("hi")
        send(case.pool, case.token, text("ann", "hello"))
    found = check_quota(case)
    assert state == found.state
    assert words in found.en


def test_a_quota_that_cannot_be_had() -> None:
    """No token; a refusal; an answer without it, or with zeros, as for a call that has no limit."""
    assert "skipped" == check_quota(in_sandbox(Sandbox())).state
    sandbox = Sandbox()
    case = with_token(sandbox)
    sandbox.fail_next(errcode=48001, path=QUOTA)
    assert check_quota(case).en.startswith("48001 ")
    for body, state in (
        (b'{"errcode":0}', "warn"),
        (b'{"errcode":0,"quota":{"daily_limit":"5","remain":1}}', "warn"),
        (b'{"errcode":0,"quota":{"daily_limit":0,"used":0,"remain":0}}', "ok"),
    ):
        sandbox.fail_next(reply=(200, {}, body), path=QUOTA)
        assert state == check_quota(case).state, body


# The host of the push URL


def test_without_a_push_url_a_word_is_said() -> None:
    """A developer who only sends does not need one."""
    found = check_callback(with_token(Sandbox()))
    assert "warn" == found.state
    assert "no push URL is set" in found.en


def test_wechat_reaches_the_host() -> None:
    """The sandbox pings the host that it pushes to."""
    sandbox = Sandbox()
    with sandbox.push_to(push_app(lambda push: None, token=PUSH_TOKEN), token=PUSH_TOKEN):
        assert "ok" == check_callback(with_token(sandbox)).state


@pytest.mark.parametrize(
    ("body", "state", "words"),
    [
        (b"{}", "wrong", "no address"),
        (b'{"dns":[],"ping":[]}', "wrong", "no address"),
        (b'{"dns":[1]}', "wrong", "no address"),
        (b'{"dns":[{"ip":"1.2.3.4"}]}', "ok", "reaches"),
        (b'{"dns":[{}],"ping":[{"ip":"1.2.3.4","package_loss":"100%"}]}', "warn", "1.2.3.4 100%"),
        (b'{"dns":[{}],"ping":[{"ip":"1.2.3.4","package_loss":"0%"}]}', "ok", "reaches"),
    ],
)
def test_what_wechat_found(body: bytes, state: str, words: str) -> None:
    """No address is wrong; lost packets may be a firewall's doing."""
    sandbox = Sandbox()
    case = with_token(sandbox)
    sandbox.fail_next(reply=(200, {}, body), path=CALLBACK)
    found = check_callback(case)
    assert state == found.state
    assert words in found.en


def test_a_check_that_cannot_be_made() -> None:
    """No token, a refusal, no reply in JSON."""
    assert "skipped" == check_callback(in_sandbox(Sandbox())).state
    sandbox = Sandbox()
    case = with_token(sandbox)
    sandbox.fail_next(errcode=48001, path=CALLBACK)
    assert check_callback(case).en.startswith("48001 ")
    with Server(answers(reply(b"<html>"))) as server, a_case(server.url) as other:
        other.token = case.token
        assert "wrong" == check_callback(other).state
