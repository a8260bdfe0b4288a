"""The plugin as its users have it: a project of their own, whose tests run with it."""

import re
from pathlib import Path

# A project's tests run in this process, after which what they imported is forgotten: of these two, which are written in
# other languages, there can only be one.
import cryptography.hazmat.primitives.ciphers.algorithms  # noqa: F401
import pytest
import vcr.config  # noqa: F401

from wxcs_lite.sandbox import Sandbox
from wxcs_lite.testing.known import VARIABLES

SECRET_OF_AN_ACCOUNT = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
AES_KEY = "made" * 10 + "upA"

CONFTEST = """
    import pytest
    from wxcs_lite.testing import scrubbed_vcr_config

    pytest_plugins = ["wxcs_lite.testing"]

    @pytest.fixture
    def vcr_config():
        return scrubbed_vcr_config()
"""
BOT = """
    import os
    import pytest
    from wxcs_lite import send, text
    from wxcs_lite.bot import echo_bot
    from wxcs_lite.push import push_app

    OPENID = os.environ.get("WXCS_OPENID", "oCUSTOMER_of_the_sandbox_001")

    def serve(push_to, pool, token, **settings):
        return push_to(push_app(echo_bot(pool, token), **{"token": "madeUp", **settings}))
"""
RECORDED = """
    @pytest.mark.vcr
    def test_recorded(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to):
        serve(wxcs_push_to, wxcs_pool, wxcs_token)
        wxcs_sandbox.user(OPENID).says("hello")
"""


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def project(pytester: pytest.Pytester, tests: str, conftest: str = CONFTEST) -> pytest.Pytester:
    pytester.makeconftest(conftest)
    # Each of the two is dedented on its own.
    pytester.makepyfile(test_bot=BOT + tests)
    return pytester


def run(pytester: pytest.Pytester, *args: str, **outcomes: int) -> str:
    """Run the project's tests, where a warning is an error, and return what is printed."""
    result = pytester.runpytest("-W", "error", *args)
    result.assert_outcomes(**outcomes)
    return result.stdout.str()


def cassette(pytester: pytest.Pytester, name: str = "test_recorded") -> Path:
    return pytester.path / "cassettes" / "test_bot" / f"{name}.yaml"


def test_a_bot_is_tested_on_a_fresh_sandbox(pytester: pytest.Pytester) -> None:
    """In memory, with a clock that stands still; what one test did is unknown to the next."""
    tests = """
    @pytest.mark.parametrize("turn", [1, 2])
    @pytest.mark.parametrize("aes_key", [None, "made" * 10 + "upA"])
    def test_it_answers(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to, turn, aes_key):
        pushes = serve(wxcs_push_to, wxcs_pool, wxcs_token, aes_key=aes_key)
        wxcs_sandbox.user("ann").says("hello")
        assert ["hello"] == [shown.message["text"]["content"] for shown in wxcs_sandbox.user("ann").inbox]
        assert ["success"] == [pushed.answer for pushed in pushes.log]
        assert 1767240000.0 == wxcs_sandbox.clock()
        assert not hasattr(wxcs_pool, "proxy") or wxcs_pool.proxy is None
    """
    run(project(pytester, tests), passed=4)


def test_a_marker_sets_the_switches(pytester: pytest.Pytester) -> None:
    """Of the class, and over them those of the test."""
    tests = """
    @pytest.mark.wxcs(appid="wxOne", errmsg_style="hint")
    class TestSwitches:
        @pytest.mark.wxcs(appid="wxTwo")
        def test_nearest(self, wxcs_sandbox):
            assert "wxTwo" == wxcs_sandbox.appid

        def test_class(self, wxcs_sandbox):
            assert "wxOne" == wxcs_sandbox.appid
    """
    run(project(pytester, tests), "--strict-markers", passed=2)


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        (
            "refil_on_entry=True",
            "takes switches of the sandbox by name: .*appid, chunked, .*refill_on_entry.*; not refil",
        ),
        ("'literal'", "not 'literal'"),
        ("chunked='maybe'", "chunked must be 'refuse' or 'accept', not 'maybe'"),
        ("daily_limits=3", "int.* has no attribute"),
    ],
)
def test_a_wrong_switch_names_the_ones_there_are(pytester: pytest.Pytester, switch: str, told: str) -> None:
    """Even where the test asks for no sandbox."""
    tests = f"""
    @pytest.mark.wxcs({switch})
    def test_nothing():
        pass
    """
    printed = run(project(pytester, tests), errors=1)
    assert re.search(f"UsageError: .*{told}", printed)


def test_what_a_handler_raises_fails_the_test(pytester: pytest.Pytester) -> None:
    """Where the customer writes, with the handler's own line; on_error's too, and wherever the app is mounted."""
    tests = """
    def bot(push):
        raise LookupError("a bug of " + "the bot")

    def also_wrong(push, error):
        raise ZeroDivisionError("a bug of " + "on_error")

    def mounted(environ, start_response):
        return push_app(bot, token="madeUp")(environ, start_response)

    def test_handler(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(bot, token="madeUp"))
        wxcs_sandbox.user("ann").says("hello")

    def test_mounted(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(mounted, token="madeUp")
        wxcs_sandbox.user("ann").says("hello")

    def test_expected(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(bot, token="madeUp"))
        with pytest.raises(LookupError):
            wxcs_sandbox.user("ann").says("hello")

    def test_application(wxcs_sandbox, wxcs_push_to):
        def broken(environ, start_response):
            raise OSError("a bug of " + "the application")
        wxcs_push_to(broken, token="madeUp")
    """
    printed = run(project(pytester, tests), failed=3, passed=1)
    assert 2 == printed.count("E       LookupError: a bug of the bot")
    assert 1 == printed.count("E       OSError: a bug of the application")


def test_on_error_is_a_place_for_mistakes_too(pytester: pytest.Pytester) -> None:
    """The handler's error comes out at once, what on_error made of it at the end of the test."""
    tests = """
    def bot(push):
        raise LookupError("a bug of the bot")

    def test_on_error(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(bot, token="madeUp", on_error=lambda push, error: 1 / 0))
        with pytest.raises(LookupError):
            wxcs_sandbox.user("ann").says("hello")
    """
    assert "ZeroDivisionError" in run(project(pytester, tests), passed=1, errors=1)


def test_a_slow_handler_that_fails_later_fails_the_test(pytester: pytest.Pytester) -> None:
    """Its push was answered before; nothing is lost."""
    tests = """
    from threading import Event

    def test_later(wxcs_sandbox, wxcs_push_to):
        go_on, over = Event(), Event()
        def bot(push):
            go_on.wait(60)
            raise LookupError("too late")
        wxcs_push_to(push_app(bot, token="madeUp", wait=0.001, on_error=lambda push, error: over.set()))
        wxcs_sandbox.user("ann").says("hello")
        go_on.set()
        assert over.wait(60)
    """
    assert "LookupError: too late" in run(project(pytester, tests), passed=1, errors=1)


def test_an_answer_that_wechat_would_not_take_fails_the_test(pytester: pytest.Pytester) -> None:
    """A wrong key, and an answer that means nothing."""
    tests = """
    def test_key(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(print, token="madeUp", appid="wxOfAnother", aes_key="x" * 42 + "A"))
        wxcs_sandbox.user("ann").says("hello")

    def test_answer(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(lambda push: b"hello to you", token="madeUp"))
        wxcs_sandbox.user("ann").says("hello")

    def test_check(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(print, token="madeUp"), token="another")
    """
    printed = run(project(pytester, tests), failed=3)
    assert "did not answer as WeChat requires: Pushed(text of ann, attempt 1, HTTP 403, failed (HTTP 403))" in printed
    assert "HTTP 200, abnormal" in printed
    assert "the URL check of PushApp failed" in printed


def test_no_secret_of_a_fixture_is_shown(pytester: pytest.Pytester) -> None:
    """With the locals of each frame (-l), in the frames of the plugin too."""
    tests = f"""
    def app(environ, start_response):
        raise LookupError

    def test_locals(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(app, token="t" * 30, aes_key="{AES_KEY[:40]}" + "upA")

    def test_own(wxcs_sandbox, wxcs_push_to):
        wxcs_push_to(push_app(lambda push: b"?", token="t" * 30))
        wxcs_sandbox.user("ann").says("hello")

    def test_secret(wxcs_sandbox, wxcs_pool, wxcs_token):
        wxcs_sandbox.fail_next(reply=b"no HTTP")
        wxcs_token()
    """
    printed = run(project(pytester, tests), "-l", "--full-trace", failed=3)
    assert [] == [secret for secret in ("t" * 30, AES_KEY, str(Sandbox().secret)) if secret in printed]


def test_another_application_needs_a_token(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument or from the environment; the message says where to get it."""
    tests = f"""
    def app(environ, start_response):
        return push_app(print, token="madeUp", aes_key="{AES_KEY}")(environ, start_response)

    def test_token(wxcs_sandbox, wxcs_push_to):
        pushes = wxcs_push_to(app)
        wxcs_sandbox.user("ann").says("hello")
        assert ["success"] == [pushed.answer for pushed in pushes.log]
    """
    printed = run(project(pytester, tests), failed=1)
    assert "UsageError: wxcs_push_to(app) reads the Token of a push_app" in printed
    monkeypatch.setenv("WXCS_PUSH_TOKEN", "madeUp")
    monkeypatch.setenv("WXCS_AES_KEY", AES_KEY)
    run(pytester, passed=1)


def test_a_cassette_is_recorded_against_the_sandbox_and_replayed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an account; then with another openid, and nothing leaves. No secret is in the file."""
    tests = (
        RECORDED
        + """
    from wxcs_lite.sandbox import sunset

    @pytest.mark.vcr
    def test_pictures(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to, vcr):
        serve(wxcs_push_to, wxcs_pool, wxcs_token)
        wxcs_sandbox.user(OPENID).sends_image(sunset())
        wxcs_sandbox.user(OPENID).sends_image(sunset())
    """
    )
    run(project(pytester, tests), "--record-mode=once", passed=2)
    monkeypatch.setenv("WXCS_OPENID", "oAnother_customer_who_writes")
    run(pytester, "--block-network", passed=2)
    for name in ("test_recorded", "test_pictures"):
        text = cassette(pytester, name).read_text("utf-8")
        assert "uri: https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=GIVEN_TOKEN_1" in text
        for secret in (Sandbox().secret, Sandbox().appid, "oCUSTOMER", "127.0.0.1"):
            assert secret not in text
        assert [] == re.findall(r"[A-Za-z0-9_-]{80,}", text)


def test_other_requests_do_not_match(pytester: pytest.Pytester) -> None:
    """Bodies are compared: another text is another request, and the handler's error comes out."""
    run(project(pytester, RECORDED), "--record-mode=once", passed=1)
    project(pytester, RECORDED.replace("hello", "goodbye"))
    assert "CannotOverwriteExistingCassetteException" in run(pytester, "--block-network", failed=1)


def test_what_vcr_says_of_a_request_that_does_not_match_holds_no_secret(pytester: pytest.Pytester) -> None:
    """It quotes the body: of a test that works with a secret of its own, and has no cassette yet."""
    tests = f"""
    from wxcs_lite import fetch_token

    @pytest.mark.vcr
    def test_recorded(wxcs_pool):
        fetch_token(wxcs_pool, "wx5e6f708192a3b4c5", "{SECRET_OF_AN_ACCOUNT[:16]}" + "{SECRET_OF_AN_ACCOUNT[16:]}")
    """
    printed = run(project(pytester, tests), "--block-network", failed=1)
    assert '"secret":"SECRET_1"' in printed
    assert SECRET_OF_AN_ACCOUNT not in printed


def test_without_recording_the_pool_leads_to_the_sandbox(pytester: pytest.Pytester) -> None:
    """--disable-recording runs the same test in memory."""
    run(project(pytester, RECORDED), "--disable-recording", "--block-network", passed=1)
    assert not cassette(pytester).exists()


def test_an_account_of_the_environment_is_recorded_live(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With WXCS_APPID the pool leads to api.weixin.qq.com: here a sandbox at its address. A missing secret is named."""
    sandbox = Sandbox(appid="wx5e6f708192a3b4c5", secret=SECRET_OF_AN_ACCOUNT)
    sandbox.user("oReal_customer_of_the_accoun").says("hello")
    project(pytester, RECORDED)
    monkeypatch.setenv("WXCS_APPID", sandbox.appid)
    monkeypatch.setenv("WXCS_OPENID", "oReal_customer_of_the_accoun")
    assert "UsageError: to record against WeChat, set WXCS_SECRET" in run(pytester, "--record-mode=once", errors=1)
    monkeypatch.setenv("WXCS_SECRET", SECRET_OF_AN_ACCOUNT)
    with sandbox.serve() as url:
        monkeypatch.setattr("wxcs_lite.testing.fixtures.API", url)
        run(pytester, "--record-mode=once", passed=1)
    assert "hello" == sandbox.user("oReal_customer_of_the_accoun").inbox[0].message["text"]["content"]
    text = cassette(pytester).read_text("utf-8")
    assert [] == [secret for secret in (sandbox.appid, SECRET_OF_AN_ACCOUNT, "oReal") if secret in text]
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    run(pytester, "--block-network", passed=1)


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ('"80_" + "x" * 130', "what looks like an access_token in request 2"),
        ("wxcs_sandbox.secret[:16] + '\\u200b' + wxcs_sandbox.secret[16:]", None),
        ("'ab'", None),
    ],
)
def test_a_planted_secret_fails_the_test_and_removes_the_file(
    pytester: pytest.Pytester, planted: str, told: str | None
) -> None:
    """A text that has a token's shape; other texts are as they are."""
    tests = f"""
    @pytest.mark.vcr
    def test_recorded(wxcs_sandbox, wxcs_pool, wxcs_token):
        wxcs_sandbox.user(OPENID).says("hello")
        send(wxcs_pool, wxcs_token(), text(OPENID, {planted}))
    """
    project(pytester, tests)
    printed = run(pytester, "--record-mode=once", **({"failed": 1} if told else {"passed": 1}))
    if told:
        assert f"test_recorded.yaml was removed because it contained {told}\n" in printed
        assert "xxx" not in printed
    assert cassette(pytester).exists() == (told is None)


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        ("vcr.requests[0].headers['X-Made-Up'] = str(wxcs_sandbox.secret)", "an AppSecret in request 1"),
        ("vcr.requests[0].uri += '&' + OPENID", "an openid in request 1"),
        ("vcr.responses[0]['headers']['X-Made-Up'] = [wxcs_sandbox.appid]", "an appid in reply 1"),
        ("vcr.responses[1]['body']['string'] = b'" + AES_KEY + "'", "an EncodingAESKey in reply 2"),
        ("vcr.responses[1]['body']['string'] = b'\\xff madeUp'", "the Token of message push in reply 2"),
    ],
)
def test_whatever_is_known_to_be_secret_is_found(pytester: pytest.Pytester, plant: str, told: str) -> None:
    """Planted past the hooks, on both sides of an exchange, in each of its parts."""
    tests = f"""
    @pytest.mark.vcr
    def test_recorded(wxcs_sandbox, wxcs_pool, wxcs_token, wxcs_push_to, vcr):
        serve(wxcs_push_to, wxcs_pool, wxcs_token, aes_key="{AES_KEY}")
        wxcs_sandbox.user(OPENID).says("hello")
        {plant}
    """
    assert f"because it contained {told}\n" in run(project(pytester, tests), "--record-mode=once", failed=1)
    assert not cassette(pytester).exists()


def test_what_the_environment_holds_is_found(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its variables, in a cassette of another service too."""
    conftest = 'pytest_plugins = ["wxcs_lite.testing"]'
    tests = """
    import urllib3
    from wxcs_lite.sandbox import Sandbox

    @pytest.mark.vcr
    def test_recorded():
        with Sandbox().serve() as url, urllib3.PoolManager() as http:
            http.request("GET", url + "/nowhere/" + OPENID)
    """
    project(pytester, tests, conftest)
    run(pytester, "--record-mode=once", passed=1)
    cassette(pytester).unlink()
    monkeypatch.setenv("WXCS_OPENID", "oReal_customer_of_the_accoun")
    assert "because it contained an openid in request 1\n" in run(pytester, "--record-mode=once", failed=1)
    assert not cassette(pytester).exists()


def test_a_failing_test_and_its_end_are_searched_too(pytester: pytest.Pytester) -> None:
    """VCR saves what a failed test has recorded, and what a fixture does afterwards."""
    tests = """
    @pytest.fixture
    def goodbye(wxcs_sandbox, wxcs_pool, wxcs_token):
        yield
        send(wxcs_pool, wxcs_token(), text(OPENID, "80_" + "x" * 130))

    @pytest.mark.vcr
    def test_recorded(wxcs_sandbox, wxcs_pool, wxcs_token, goodbye):
        wxcs_sandbox.user(OPENID).says("hello")
        send(wxcs_pool, wxcs_token(), text(OPENID, "fine"))

    @pytest.mark.vcr
    def test_failing(wxcs_sandbox, wxcs_pool, wxcs_token):
        wxcs_sandbox.user(OPENID).says("hello")
        send(wxcs_pool, wxcs_token(), text(OPENID, "80_" + "x" * 130))
        raise AssertionError
    """
    run(project(pytester, tests), "--record-mode=once", passed=1, failed=1, errors=2)
    assert not cassette(pytester).exists()
    assert not cassette(pytester, "test_failing").exists()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{**scrubbed_vcr_config(), "before_record_request": print}', "it lacks our before_record_request"),
        ('{**scrubbed_vcr_config(), "before_record_response": None}', "it lacks our before_record_response"),
        ('{**scrubbed_vcr_config(), "decode_compressed_response": False}', "it lacks our decode_compressed_response"),
        ('{**scrubbed_vcr_config(), "after_load_interaction": print}', "it sets after_load_interaction"),
        ("{}", "it lacks our before_record_request, before_record_response, decode_compressed_response"),
        ("scrubbed_vcr_config(before_save_interaction=print, match_on=[])", "it sets before_save_interaction"),
    ],
)
def test_a_config_that_would_record_secrets_is_refused(pytester: pytest.Pytester, config: str, told: str) -> None:
    """It says what is allowed and what it got, before a cassette is touched."""
    run(project(pytester, RECORDED), "--record-mode=once", passed=1)
    pytester.makeconftest(CONFTEST.replace("scrubbed_vcr_config()", config))
    printed = run(pytester, "--record-mode=rewrite", errors=1)
    assert f"UsageError: this VCR configuration could record secrets: {told}. Return" in printed
    assert "which accepts additional_matchers, " in printed
    assert cassette(pytester).exists()


def test_a_mark_that_would_record_secrets_is_refused(pytester: pytest.Pytester) -> None:
    """Its arguments go over those of the fixture."""
    tests = RECORDED.replace("pytest.mark.vcr", "pytest.mark.vcr(before_record_response=lambda it: it)")
    assert "it lacks our before_record_response" in run(project(pytester, tests), errors=1)


def test_what_is_allowed_beside_ours_works(pytester: pytest.Pytester) -> None:
    """Hooks of the user's run before ours; a mode and a format of their own."""
    conftest = CONFTEST.replace(
        "scrubbed_vcr_config()",
        'scrubbed_vcr_config(record_mode="once", serializer="json", filter_headers=["Content-Type"], '
        "before_record_request=without_typing)",
    )
    conftest += """
    def without_typing(request):
        return None if request.path.endswith("/typing") else request
    """
    run(project(pytester, RECORDED, conftest), passed=1)
    text = cassette(pytester).with_suffix(".json").read_text("utf-8")
    assert "OPENID_1" in text
    assert "/typing" not in text
    assert 2 == text.count('"uri"')


def test_a_test_of_another_service_has_its_own_config(pytester: pytest.Pytester) -> None:
    """The plugin is for tests that use it: the others only must not record what it knows."""
    tests = """
    @pytest.mark.vcr
    def test_other():
        pass
    """
    run(project(pytester, tests, 'pytest_plugins = ["wxcs_lite.testing"]'), passed=1)


def test_pytest_recording_is_asked_for_where_it_is_missing(pytester: pytest.Pytester) -> None:
    """Otherwise a marked test would go out live, and record nothing."""
    project(pytester, RECORDED + "\n    def test_other(wxcs_sandbox, wxcs_pool, wxcs_token):\n        wxcs_token()\n")
    printed = run(pytester, "-p", "no:recording", "-W", "ignore", errors=1, passed=1)
    assert "UsageError: a test marked vcr needs pytest-recording: pip install" in printed
