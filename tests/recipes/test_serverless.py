"""The recipe of a serverless function: the sandbox pushes to its handler as a platform calls it."""

import base64
import runpy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.recipes.stage import AES_KEY, PUSH_TOKEN, RECIPES, account, run
from tests.test_push_app import secure
from wxcs_lite.sandbox import Sandbox

Event = dict[str, Any]


class Platform:
    """A WSGI application that turns each request into an event for the function, and keeps both."""

    def __init__(self, handler: Callable[[Event, object], dict[str, Any]]) -> None:
        self.handler, self.events, self.answers = handler, list[Event](), list[dict[str, Any]]()
        self.in_base64 = False

    def ask(self, method: str, query: str, body: bytes) -> dict[str, Any]:
        event: Event = {"requestContext": {"http": {"method": method}}, "rawQueryString": query}
        event["isBase64Encoded"] = self.in_base64
        if body:
            event["body"] = base64.b64encode(body).decode() if self.in_base64 else body.decode()
        self.events.append(event)
        self.answers.append(self.handler(event, None))
        return self.answers[-1]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = self.ask(environ["REQUEST_METHOD"], environ["QUERY_STRING"], body)
        start_response(f"{answer['statusCode']} OK", list(answer["headers"].items()))
        return [answer["body"].encode()]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def platform(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """One instance of the function, and the sandbox that pushes to it."""
    with sandbox.serve() as url:
        for name, value in account(sandbox, url).items():
            monkeypatch.setenv(name, value)
        names = runpy.run_path(str(RECIPES / "serverless" / "bot.py"))
        platform = Platform(names["handler"])
        sandbox.push_to(platform, token=PUSH_TOKEN, aes_key=AES_KEY)
        yield platform
        names["token_pool"].close()


@pytest.mark.parametrize("in_base64", [False, True])
def test_all_is_done_when_the_handler_returns(platform: Platform, sandbox: Sandbox, in_base64: bool) -> None:
    """The customer has the message, and a push that comes again sends none."""
    platform.in_base64 = in_base64
    ann = sandbox.user("ann")
    done: list[int] = []
    handler = platform.handler

    def handle(event: Event, context: object) -> dict[str, Any]:
        answer = handler(event, context)
        done.append(len(ann.inbox))
        return answer

    platform.handler = handle
    ann.says("你好")
    assert [1] == done
    assert {"content": "You wrote: 你好"} == ann.inbox[0].message["text"]
    assert (200, "success") == (platform.answers[-1]["statusCode"], platform.answers[-1]["body"])
    assert platform.answers[-1] == handler(platform.events[-1], None)
    assert 1 == len(ann.inbox)


def test_human_hands_over_in_secure_mode(platform: Platform, sandbox: Sandbox) -> None:
    """Sealed, as WeChat wants it there."""
    sandbox.user("ann").says("human")
    assert sandbox.user("ann").has_agent
    assert "Encrypt" in platform.answers[-1]["body"]


def test_what_is_not_wechats_is_refused(platform: Platform) -> None:
    """No signature, and another account's key."""
    assert [403, 403, 403] == [
        platform.ask(method, query, body)["statusCode"]
        for method, query, body in (("GET", "echostr=1", b""), ("POST", "nonce=1", b"{}"), ("POST", *secure({})))
    ]


def test_without_a_token_the_push_is_to_come_again(platform: Platform, sandbox: Sandbox) -> None:
    """Nothing was sent, so 503 is safe."""
    sandbox.fail_next(errcode=45009)
    sandbox.user("ann").says("hello")
    assert {503} == {answer["statusCode"] for answer in platform.answers[1:]}
    assert () == sandbox.user("ann").inbox


def test_a_message_that_may_have_been_sent_is_not_sent_again(platform: Platform, sandbox: Sandbox) -> None:
    """The connection drops after delivery: WeChat gets its answer, and a repetition is passed over."""
    ann = sandbox.user("ann")
    ann.says("one")
    sandbox.fail_next(drop="after")
    ann.says("two")
    assert 2 == len(ann.inbox)
    assert (
        200
        == platform.ask("POST", platform.events[-1]["rawQueryString"], platform.events[-1]["body"].encode())[
            "statusCode"
        ]
    )
    assert 2 == len(ann.inbox)


def test_a_token_that_was_replaced_is_fetched_again(platform: Platform, sandbox: Sandbox) -> None:
    """Once, because nothing was sent with the old one."""
    sandbox.user("ann").says("one")
    sandbox.advance(7300)
    sandbox.user("ann").says("two")
    assert 2 == len(sandbox.user("ann").inbox)


def test_without_its_environment_it_says_what_is_missing() -> None:
    """By name, in both languages, in the log of its first start."""
    done = run("serverless", "bot.py", WXCS_APPID="wx1", WXCS_AES_KEY="x")
    assert 1 == done.returncode
    assert done.stderr.startswith("Set these in the function's environment: WXCS_SECRET, WXCS_PUSH_TOKEN\n请")


def test_it_loads_little() -> None:
    """Its cold start is urllib3's: nothing of the sandbox, the panel or the tests comes along."""
    variables = account(Sandbox(), "http://127.0.0.1:9")
    done = run("serverless", "-c", "import bot, sys; print(*sys.modules)", **variables)
    loaded = set(done.stdout.split())
    assert {"bot", "urllib3", "wxcs_lite.push"} <= loaded
    assert set() == loaded & {"wxcs_lite.sandbox", "wxcs_lite.panel", "wxcs_lite.terminal", "asyncio", "dataclasses"}
