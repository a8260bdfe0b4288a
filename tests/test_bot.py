"""The echo bot, and talking to it in a terminal."""

import io

import pytest

from wxcs_lite import fetch_token, fresh_token
from wxcs_lite.bot import echo_bot
from wxcs_lite.look.words import Language
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Pushes, Sandbox, sunset
from wxcs_lite.terminal.chat import chat

AES_KEY = "madeUp" + "x" * 36 + "A"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(params=["json", "xml"])
def pushes(sandbox: Sandbox, request: pytest.FixtureRequest) -> Pushes:
    """The bot behind encrypted pushes, in both forms."""
    pool = sandbox.pool()
    bot = echo_bot(pool, fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock))
    app = push_app(bot, token="madeUp", aes_key=AES_KEY, appid=sandbox.appid, clock=sandbox.clock)
    return sandbox.push_to(app, token="madeUp", aes_key=AES_KEY, format=request.param)


def answers(pushes: Pushes) -> list[str]:
    return [pushed.answer for pushed in pushes.log]


def test_a_text_comes_back(sandbox: Sandbox, pushes: Pushes) -> None:
    """As it was, emoji and markup included, and the typing status has ended."""
    ann = sandbox.user("ann")
    ann.says('你好 😀 <b>&amp;]]>"')
    assert ['你好 😀 <b>&amp;]]>"'] == [delivered.message["text"]["content"] for delivered in ann.inbox]
    assert ["success"] == answers(pushes)
    assert not ann.sees_typing


def test_a_picture_comes_back(sandbox: Sandbox, pushes: Pushes) -> None:
    """Downloaded, uploaded and sent: the same bytes."""
    ann = sandbox.user("ann")
    ann.sends_image(sunset())
    assert [sunset()] == [delivered.picture for delivered in ann.inbox]
    assert ["success"] == answers(pushes)


@pytest.mark.parametrize("word", ["人工", " human ", "HUMAN"])
def test_a_word_brings_a_human(sandbox: Sandbox, pushes: Pushes, word: str) -> None:
    """From then on the bot gets nothing, until the agent closes the session."""
    ann = sandbox.user("ann")
    ann.says(word)
    assert ["transfer"] == answers(pushes)
    assert ann.has_agent
    ann.says("hello?")
    assert 1 == len(pushes.log)
    ann.agent_closes_session()
    ann.says("back")
    assert 1 == len(ann.inbox)


def test_what_it_does_not_know_is_answered_with_success(sandbox: Sandbox, pushes: Pushes) -> None:
    """Cards and entries bring no message, and no notice either."""
    ann = sandbox.user("ann")
    ann.sends_card(title="订单", pagepath="pages/order")
    ann.enters_session("from=menu")
    assert () == ann.inbox
    assert () == ann.notices
    assert ["success", "success"] == answers(pushes)


def test_it_outlives_its_token(sandbox: Sandbox, pushes: Pushes) -> None:
    """Three hours later it still answers."""
    ann = sandbox.user("ann")
    ann.says("one")
    sandbox.advance(3 * 3600)
    ann.says("two")
    assert 2 == len(ann.inbox)


def test_it_outlives_a_token_that_others_have_replaced(sandbox: Sandbox, pushes: Pushes) -> None:
    """40001 in the middle of a token's life: it takes the new one and answers, once."""
    ann = sandbox.user("ann")
    ann.says("one")
    sandbox.advance(60)
    fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret, force_refresh=True)
    ann.says("two")
    ann.sends_image(sunset())
    assert ["text", "text", "image"] == [delivered.message["msgtype"] for delivered in ann.inbox]


def test_a_chat_shows_what_the_phone_shows() -> None:
    """Texts, pictures, and the hand-over."""
    out = io.StringIO()
    chat("en", io.StringIO("hello\n\n/picture\nhuman\n"), out)
    said = out.getvalue().splitlines()[2:]
    assert ["< hello", f"< [picture, {len(sunset())} bytes]"] == said[:2]
    assert "human agent" in said[2]


@pytest.mark.parametrize(("found", "mode"), [(None, "明文"), (object(), "加密")])
def test_a_chat_says_how_it_is_pushed_to(monkeypatch: pytest.MonkeyPatch, found: object, mode: str) -> None:
    """Encrypted where the extra is installed, plain where not; it works both ways."""
    monkeypatch.setattr("wxcs_lite.terminal.chat.find_spec", lambda name: found)
    out = io.StringIO()
    chat("zh", io.StringIO("你好\n"), out)
    assert mode in out.getvalue()
    assert "< 你好" == out.getvalue().splitlines()[-1]


@pytest.mark.parametrize(
    ("lang", "notice"),
    [("en", "(Customer service is unavailable.)"), ("zh", "（该小程序客服暂时无法提供服务，请稍后再试）")],
)
def test_a_chat_shows_the_notice_of_a_bot_that_fails(
    monkeypatch: pytest.MonkeyPatch, lang: Language, notice: str
) -> None:
    """The chat shows the same notice as the phone."""

    def unavailable(handler: object, **settings: object) -> object:
        return push_app(print, token=str(settings["token"]))  # plain: it refuses what comes encrypted

    monkeypatch.setattr("wxcs_lite.terminal.chat.push_app", unavailable)
    monkeypatch.setattr("wxcs_lite.terminal.chat.find_spec", lambda name: object())
    out = io.StringIO()
    chat(lang, io.StringIO("hello\n"), out)
    assert notice == out.getvalue().splitlines()[-1]


@pytest.mark.parametrize(("lang", "told"), [("en", "! 45002 content size out of limit"), ("zh", "! 45002 内容超长：")])
def test_a_chat_shows_what_went_wrong(lang: Language, told: str) -> None:
    """A text that is too long brings no answer, but the reason, in the language of the chat."""
    out = io.StringIO()
    chat(lang, io.StringIO("x" * 3000 + "\n"), out)
    assert told in out.getvalue()


def test_a_chat_names_a_bug_in_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its class only: its text could be anything."""
    monkeypatch.setattr("wxcs_lite.terminal.chat.echo_bot", lambda pool, token: {}.__getitem__)
    out = io.StringIO()
    chat("en", io.StringIO("hello\n"), out)
    assert "! KeyError" == out.getvalue().splitlines()[-1]
