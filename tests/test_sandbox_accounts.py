"""Several accounts at one address: each call reaches its own, by token or appid, and they share nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from wxcs_lite.sandbox import Called, Sandbox, sunset

APPIDS = ("wx1", "wx2", "wx3")


@pytest.fixture
def sandboxes() -> list[Sandbox]:
    return [Sandbox(appid=appid, secret=f"secret-of-{appid}") for appid in APPIDS]


@pytest.fixture
def http(sandboxes: list[Sandbox]) -> Iterator[urllib3.HTTPConnectionPool]:
    first, *others = sandboxes
    with first.serve(beside=others) as url, urllib3.connection_from_url(url) as pool:
        yield pool


def token_of(http: urllib3.HTTPConnectionPool, appid: str, **more: Any) -> str:
    fields = {"grant_type": "client_credential", "appid": appid, "secret": f"secret-of-{appid}", **more}
    return str(http.request("POST", "/cgi-bin/stable_token", json=fields).json()["access_token"])


def send(http: urllib3.HTTPConnectionPool, token: str, openid: str = "ann") -> int:
    message = {"touser": openid, "msgtype": "text", "text": {"content": "hello"}}
    reply = http.request("POST", f"/cgi-bin/message/custom/send?access_token={token}", json=message)
    return int(reply.json()["errcode"])


def test_each_call_goes_to_its_account(sandboxes: list[Sandbox], http: urllib3.HTTPConnectionPool) -> None:
    """By the token, whichever call issued it; the message is on that account's phone and on no other."""
    for sandbox in sandboxes:
        sandbox.user("ann").says("hi")
    assert 3 == len({token_of(http, appid) for appid in APPIDS})
    assert 0 == send(http, token_of(http, "wx2"))
    query = "grant_type=client_credential&appid=wx3&secret=secret-of-wx3"
    minted = http.request("GET", f"/cgi-bin/token?{query}").json()["access_token"]
    assert 0 == send(http, minted)
    assert [0, 1, 1] == [len(sandbox.user("ann").inbox) for sandbox in sandboxes]


def test_a_refresh_ends_one_token(http: urllib3.HTTPConnectionPool) -> None:
    """The others still work: 45015, because nobody has written, and no longer 40001."""
    tokens = [token_of(http, appid) for appid in APPIDS]
    token_of(http, "wx1", force_refresh=True)
    assert [40001, 45015, 45015] == [send(http, token) for token in tokens]


def test_customers_and_media_are_apart(sandboxes: list[Sandbox], http: urllib3.HTTPConnectionPool) -> None:
    """A customer who wrote to one may not be answered by another, and what one uploaded another cannot download."""
    sandboxes[0].user("ann").says("hi")
    first, second = token_of(http, "wx1"), token_of(http, "wx2")
    assert [0, 45015] == [send(http, first), send(http, second)]
    uploaded = http.request(
        "POST", f"/cgi-bin/media/upload?type=image&access_token={first}", fields={"media": ("a.png", sunset())}
    ).json()["media_id"]
    got = [
        http.request("GET", f"/cgi-bin/media/get?access_token={t}&media_id={uploaded}").data for t in (first, second)
    ]
    assert sunset() == got[0]
    assert 40007 == json.loads(got[1])["errcode"]


def test_quotas_are_apart(http: urllib3.HTTPConnectionPool, sandboxes: list[Sandbox]) -> None:
    """What one account has used, another still has; clearing it by appid and secret clears that account's."""
    path = {"cgi_path": "/cgi-bin/message/custom/send"}
    tokens = [token_of(http, appid) for appid in APPIDS]

    def used() -> list[int]:
        urls = [f"/cgi-bin/openapi/quota/get?access_token={token}" for token in tokens]
        return [http.request("POST", url, json=path).json()["quota"]["used"] for url in urls]

    send(http, tokens[1])
    assert [0, 1, 0] == used()
    account = {"appid": "wx2", "appsecret": "secret-of-wx2"}
    assert 0 == http.request("POST", "/cgi-bin/clear_quota/v2", json=account).json()["errcode"]
    assert [0, 0, 0] == used()


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"appid": "wx9", "secret": "x"}, 40013),
        ({"appid": "wx2", "secret": "secret-of-wx1"}, 40125),
        ({"appid": 7}, 40013),
        ({}, 41002),
    ],
)
def test_a_wrong_account_is_refused(fields: dict[str, Any], errcode: int, http: urllib3.HTTPConnectionPool) -> None:
    """With WeChat's own codes; the secret of one does not open another."""
    body = {"grant_type": "client_credential", **fields}
    assert errcode == http.request("POST", "/cgi-bin/stable_token", json=body).json()["errcode"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{" * 70_000, b'{"a":' * 5000])
def test_a_call_of_nobody(body: bytes, http: urllib3.HTTPConnectionPool) -> None:
    """Without a token 41001, with an unknown one 40001, whatever the body is."""
    for query, errcode in (("", 41001), ("?access_token=80_unknown", 40001), ("?access_token=", 41001)):
        reply = http.request("POST", f"/cgi-bin/message/custom/send{query}", body=body)
        assert errcode == reply.json()["errcode"]


def test_who_watches_one_is_told_of_its_calls(sandboxes: list[Sandbox], http: urllib3.HTTPConnectionPool) -> None:
    """Of those of the others it is not told; of what no account could be found for, the first is."""
    told: list[Any] = []
    token = token_of(http, "wx2")
    with sandboxes[1].watch(told.append):
        send(http, token)
        send(http, token_of(http, "wx3"))
        send(http, "80_unknown")
    [call] = told
    assert isinstance(call, Called)
    assert 45015 == call.seen.errcode


def test_on_request_is_told_of_all(sandboxes: list[Sandbox]) -> None:
    """It belongs to the address."""
    paths: list[str] = []
    first, *others = sandboxes
    with (
        first.serve(beside=others, on_request=lambda call: paths.append(call.path)) as url,
        urllib3.connection_from_url(url) as http,
    ):
        token_of(http, "wx3")
        token_of(http, "wx1")
    assert ["/cgi-bin/stable_token"] * 2 == paths


def test_cloud_hosting() -> None:
    """The token of the file and from_appid name an account, too."""
    sandboxes = [Sandbox(appid=appid, cloud_hosting=["/*"]) for appid in APPIDS]
    sandboxes[2].user("ann").says("hi")
    message = {"touser": "ann", "msgtype": "text", "text": {"content": "hello"}}
    credentials = [f"cloudbase_access_token={sandboxes[2].cloudbase_token}", "from_appid=wx3", "from_appid=wx2"]
    with sandboxes[0].serve(beside=sandboxes[1:]) as url, urllib3.connection_from_url(url) as http:
        urls = [f"/cgi-bin/message/custom/send?{credential}" for credential in credentials]
        assert [0, 0, 45015] == [http.request("POST", url, json=message).json()["errcode"] for url in urls]


def test_behind_the_proxy(sandboxes: list[Sandbox]) -> None:
    """The accounts are at the official address, too."""
    first, *others = sandboxes
    with (
        first.proxy(beside=others) as environment,
        urllib3.ProxyManager(environment["HTTPS_PROXY"], ca_certs=environment["SSL_CERT_FILE"]) as manager,
    ):
        fields = {"grant_type": "client_credential", "appid": "wx3", "secret": "secret-of-wx3"}
        reply = manager.request("POST", "https://api.weixin.qq.com/cgi-bin/stable_token", json=fields)
        assert 7200 == reply.json()["expires_in"]


def test_an_appid_has_one_account(sandboxes: list[Sandbox]) -> None:
    """Two with the same could not be told apart."""
    for entrance in (sandboxes[0].serve, sandboxes[0].proxy, sandboxes[0].page):
        with pytest.raises(ValueError, match="an appid of its own"):
            entrance(beside=[Sandbox(appid="wx1")])
