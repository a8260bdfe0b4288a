"""The sandbox as cloud hosting: its settings, and how it pushes into a container."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from wxcs_lite.push import push_app, transfer_to_agent
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.rules.cloud_tokens import CloudTokens
from wxcs_lite.sandbox.rules.refusals import RefusedError

SEND = "/cgi-bin/message/custom/send"


def application(status: int = 200, body: bytes = b"success", seen: list[Any] | None = None) -> Callable[..., Any]:
    """A container that says the same to all."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if seen is not None:
            seen.append((dict(environ), environ["wsgi.input"].read()))
        start_response(f"{status} Whatever", [])
        return [body]

    return app


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ({"cloud_hosting": True}, 'cloud_hosting must be a list of paths, ["/*"] for all, not True'),
        ({"cloud_hosting": "/*"}, "cloud_hosting must be a list of paths"),
        ({"cloud_hosting": ["/nowhere"]}, "a path of cloud_hosting must be '/*', '/cgi-bin/business/get', "),
        ({"cloud_hosting": ["/cgi-bin/token"]}, "a path of cloud_hosting must be"),
        ({"cloud_hosting": ["/*"], "cloud_shared": 1}, "cloud_shared must be False or True, not 1"),
        ({"cloud_shared": True}, "cloud_shared goes with cloud_hosting"),
    ],
)
def test_usage_errors(switch: dict[str, Any], told: str) -> None:
    """Anything but a list of paths is refused, with what is allowed."""
    with pytest.raises(ValueError, match="cloud_") as error:
        Sandbox(**switch)
    assert told in str(error.value)


def test_an_empty_list_allows_nothing() -> None:
    """The relay is on, but no path may be called; without the switch there is no relay."""
    for paths, errcode in ((frozenset[str](), 85107), (None, 41001)):
        assert errcode == Sandbox(cloud_hosting=paths).pool().request("POST", SEND, json={}).json()["errcode"]


def test_a_set_of_paths_is_copied() -> None:
    """Changing it afterwards changes nothing."""
    paths = [SEND]
    sandbox = Sandbox(cloud_hosting=paths)
    paths.clear()
    assert 85107 != sandbox.pool().request("POST", SEND, json={}).json()["errcode"]


def test_the_checks_of_any_call_come_after_the_credential() -> None:
    """A path that the account may not call is 48001, a limit is a limit, also without a token."""
    path = "/cgi-bin/getcallbackip"
    sandbox = Sandbox(cloud_hosting=["/*"], unauthorized=[path])
    assert 48001 == sandbox.pool().request("GET", path).json()["errcode"]
    sandbox = Sandbox(cloud_hosting=["/*"], daily_limits={path: 1})
    assert [None, 45009] == [sandbox.pool().request("GET", path).json().get("errcode") for _ in "12"]


def test_what_takes_no_token_and_what_is_unknown_have_no_relay() -> None:
    """A host or path that the relay does not take is a 404 without its id (observed)."""
    pool = Sandbox(cloud_hosting=["/*"]).pool()
    unknown, token = pool.request("GET", "/_/cos/getauth"), pool.request("POST", "/cgi-bin/stable_token", json={})
    assert 404 == unknown.status
    assert [False, False] == ["x-openapi-seqid" in reply.headers for reply in (unknown, token)]


def test_each_reply_has_an_id_of_its_own_and_no_chance_in_it() -> None:
    """Same seed, same calls, same ids; refusals have one, too."""

    def ids() -> list[str]:
        pool = Sandbox(cloud_hosting=["/*"]).pool()
        return [pool.request(method, SEND, json={}).headers["x-openapi-seqid"] for method in ("POST", "POST", "GET")]

    assert 3 == len(set(ids()))
    assert ids() == ids()


def test_there_is_no_file_outside() -> None:
    """Nor a token in it."""
    with pytest.raises(ValueError, match=r"there is none: create the sandbox with cloud_hosting"):
        Sandbox().cloudbase_token  # noqa: B018
    assert "'…'" == repr(Sandbox(cloud_hosting=[]).cloudbase_token)


def test_the_tokens_of_the_file_overlap() -> None:
    """Written every ten minutes, each valid for thirty from then on."""
    made = iter("abcdef")
    tokens = CloudTokens(lambda: next(made))
    assert ["a", "a", "b", "c"] == [tokens.current(at) for at in (5, 599, 600, 1200)]
    tokens.check("a", 1799)
    for value, at, errcode in (("a", 1800, 42001), ("x", 0, 40001)):
        with pytest.raises(RefusedError) as caught:
            tokens.check(value, at)
        assert errcode == caught.value.errcode


# Pushes


@pytest.mark.parametrize("body", [b"success", b""])
@pytest.mark.parametrize("format", ["json", "xml"])
def test_the_path_is_checked_first(format: Any, body: bytes) -> None:
    """With the published body, by POST and with the header; success and an empty body are both accepted."""
    seen: list[Any] = []
    Sandbox(cloud_hosting=[]).push_to(application(200, body, seen), format=format)
    [(environ, sent)] = seen
    if format == "json":
        assert {"action": "CheckContainerPath"} == json.loads(sent)
    else:
        assert b"<xml><action><![CDATA[CheckContainerPath]]></action></xml>" == sent
    assert "POST" == environ["REQUEST_METHOD"]
    assert "" == environ["QUERY_STRING"]
    assert "HTTP_X_WX_SOURCE" in environ
    assert {"json": "application/json", "xml": "text/xml"}[format] == environ["CONTENT_TYPE"]
    assert "HTTP_CONTENT_TYPE" not in environ


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (application(400), "not with HTTP 400 with 7 bytes"),
        (application(201), "not with HTTP 201 with 7 bytes"),
        (application(200, b"ok"), "not with HTTP 200 with 2 bytes"),
        (lambda environ, start_response: 1 / 0, "ZeroDivisionError in test_sandbox_cloud.py"),
    ],
)
def test_a_wrong_answer_to_the_check_changes_nothing(app: Any, told: str) -> None:
    """Any status but 200 fails it, and so does an application that does not answer."""
    sandbox = Sandbox(cloud_hosting=[])
    with pytest.raises(ValueError, match=r"the path check of .* failed") as error:
        sandbox.push_to(app)
    assert told in str(error.value)
    sandbox.user("ann").says("hello")  # goes nowhere


@pytest.mark.parametrize(
    ("switches", "settings"),
    [
        ({}, {}),
        ({}, {"token": ""}),
        ({"cloud_hosting": []}, {"token": ""}),
        ({"cloud_hosting": []}, {"aes_key": "A" * 43}),
    ],
)
def test_only_pushes_into_a_container_have_no_token(switches: dict[str, Any], settings: dict[str, Any]) -> None:
    """An empty token counts as none, and nothing is encrypted there."""
    with pytest.raises(ValueError, match="token cannot be empty: only pushes into a container"):
        Sandbox(**switches).push_to(application(), **settings)


def test_a_compatible_push_into_a_container_makes_no_sense() -> None:
    """It would need an aes_key."""
    with pytest.raises(ValueError, match="they need an aes_key"):
        Sandbox(cloud_hosting=[]).push_to(application(), compatible=True)


def test_with_a_token_the_developers_url_is_pushed_to_as_ever() -> None:
    """For one who only calls out of cloud hosting."""
    sandbox = Sandbox(cloud_hosting=["/*"])
    with sandbox.push_to(push_app(lambda push: None, token="AAAAA"), token="AAAAA") as pushes:
        sandbox.user("ann").says("hello")
    assert "signature" in dict(pushes.log[0].request.query)


def test_a_hand_over_is_abnormal_there() -> None:
    """A Mini Program cannot answer passively in a container; that this includes a hand-over is inferred."""
    sandbox = Sandbox(cloud_hosting=["/*"])
    with sandbox.push_to(push_app(transfer_to_agent, cloud_hosting=True)) as pushes:
        sandbox.user("ann").says("hello")
    assert ("abnormal", "in cloud hosting answer success, or nothing at all") == (
        pushes.log[0].answer,
        pushes.log[0].why,
    )
    assert 1 == len(sandbox.user("ann").notices)


def test_a_push_that_fails_is_repeated_to_the_byte() -> None:
    """As elsewhere, which is inferred; the page recommends to drop duplicates by MsgId."""
    answers = iter([200, 500, 500, 500, 500])
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.input"].read())
        start_response(f"{next(answers)} Whatever", [])
        return []

    sandbox = Sandbox(cloud_hosting=["/*"])
    with sandbox.push_to(app) as pushes:
        sandbox.user("ann").says("hello")
    assert 4 == len(pushes.log)
    assert 1 == len(set(seen[1:]))
