"""What is typed into the served sandbox: customers act, time passes, calls fail; a mistake does nothing."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Sandbox, sunset
from wxcs_lite.terminal.telling import Teller
from wxcs_lite.terminal.typed import Commands

PICTURE = sunset()


class Typing:
    """A terminal with sandboxes behind it."""

    def __init__(self, *appids: str, lang: Language = "en") -> None:
        self.sandboxes = {appid: Sandbox(appid=appid) for appid in appids or ("wx1",)}
        self.out = io.StringIO()
        self.commands = Commands(self.sandboxes, Teller(lang, self.out))

    @property
    def sandbox(self) -> Sandbox:
        return next(iter(self.sandboxes.values()))

    def type(self, line: str) -> str:
        """Return what is answered to a line."""
        before = len(self.out.getvalue())
        self.commands.obey(line)
        return self.out.getvalue()[before:]

    def did(self) -> list[tuple[str, str, dict[str, str]]]:
        return [(event.openid, event.kind, dict(event.fields)) for event in self.sandbox.events]


@pytest.fixture
def typing() -> Typing:
    return Typing()


@pytest.mark.parametrize("line", ["ann: hello", "ann：hello", "  ann :hello \n", "ann:hello"])
def test_a_text(line: str, typing: Typing) -> None:
    """With either colon, and whatever space there is."""
    assert "" == typing.type(line)
    assert [("ann", "text", {"Content": "hello"})] == typing.did()


@pytest.mark.parametrize("text", ["a: b", "a <- b.png", "+48h", "fail drop", "help", "https://example.com/?a=b"])
def test_a_text_may_be_anything(text: str, typing: Typing) -> None:
    """Behind the colon nothing is a command."""
    typing.type(f"ann: {text}")
    assert [("ann", "text", {"Content": text})] == typing.did()


@pytest.mark.parametrize("name", ["help", "fail", "inbox", "-_-"])
def test_a_customer_may_be_called_like_a_command(name: str, typing: Typing) -> None:
    """The colon, or the arrow, comes first."""
    typing.type(f"{name}: hello")
    assert [(name, "text", {"Content": "hello"})] == typing.did()


@pytest.mark.parametrize("form", ["{}", "'{}'", '"{}"'])
def test_a_picture(form: str, typing: Typing, tmp_path: Path) -> None:
    """From a file, whose name may be quoted and hold spaces."""
    path = tmp_path / "a sunset.png"
    path.write_bytes(PICTURE)
    assert "" == typing.type(f"ann <- {form.format(path)}")
    assert PICTURE == typing.sandbox.events[-1].picture


def test_a_picture_at_home(typing: Typing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's ~ is understood."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.png").write_bytes(PICTURE)
    typing.type("ann <- ~/a.png")
    assert PICTURE == typing.sandbox.events[-1].picture


def card(pagepath: str, title: str) -> dict[str, str]:
    return {"Title": title, "AppId": "wx1", "PagePath": pagepath, "ThumbUrl": "", "ThumbMediaId": ""}


@pytest.mark.parametrize(
    ("line", "kind", "fields"),
    [
        ("ann enters", "event", {"Event": "user_enter_tempsession", "SessionFrom": ""}),
        ("ann enters from the shop", "event", {"Event": "user_enter_tempsession", "SessionFrom": "from the shop"}),
        ("ann card pages/a 我的 订单", "miniprogrampage", card("pages/a", "我的 订单")),
        ("ann card pages/a", "miniprogrampage", card("pages/a", "")),
        ("ann card", "miniprogrampage", card("", "")),
    ],
)
def test_other_events(line: str, kind: str, fields: dict[str, str], typing: Typing) -> None:
    """Entering the session and sending a card, with what goes with them."""
    assert "" == typing.type(line)
    assert [("ann", kind, fields)] == typing.did()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("ann hello", "that is not a command; type OPENID: text, or help"),
        ("ann", "that is not a command; type OPENID: text, or help"),
        ("inbox", "that is not a command; type OPENID: text, or help"),
        ("inbox ann bob", "that is not a command; type OPENID: text, or help"),
        ("ann:", "that is not a command; type OPENID: text, or help"),
        ("ann <-", "that is not a command; type OPENID: text, or help"),
        ("help me", "that is not a command; type OPENID: text, or help"),
        ("张三: hello", "an openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not '张三'"),
        (": hello", "an openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not ''"),
        ("a.b enters", "an openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not 'a.b'"),
        ("wx9/ann: hello", "there is no account 'wx9'; there are wx1"),
        ("ann <- /nowhere/a.png", "/nowhere/a.png cannot be read: No such file or directory"),
        ("ann <- a\x00b", "a b cannot be read: ValueError"),
        ("ann <- /dev/null", "/dev/null is empty"),
        ("+", "write +48h, +30s, +5m, +2d or +1h30m"),
        ("+48", "write +48h, +30s, +5m, +2d or +1h30m"),
        ("+48h and more", "write +48h, +30s, +5m, +2d or +1h30m"),
        ("+-5m", "write +48h, +30s, +5m, +2d or +1h30m"),
    ],
)
def test_a_mistake(line: str, answer: str, typing: Typing) -> None:
    """What is allowed is said, and nothing has happened."""
    typing.type("ann: hello")
    now = typing.sandbox.clock()
    assert f"{answer}\n" == typing.type(line)
    assert 1 == len(typing.sandbox.events)
    assert now == typing.sandbox.clock()


@pytest.mark.parametrize("line", ["", "  ", "\n"])
def test_an_empty_line_is_nothing(line: str, typing: Typing) -> None:
    """Enter alone gives a line between others."""
    assert "" == typing.type(line)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("+48h", 172800),
        ("+30s", 30),
        ("+5m", 300),
        ("+2d", 172800),
        ("+1h30m", 5400),
        ("+ 1.5h", 5400),
        ("+1h 1s", 3601),
    ],
)
def test_time(line: str, seconds: float, typing: Typing) -> None:
    """It moves on by the sum."""
    now = typing.sandbox.clock()
    assert "" == typing.type(line)
    assert now + seconds == typing.sandbox.clock()


def call(sandbox: Sandbox, path: str = "/cgi-bin/getcallbackip") -> int:
    return int(sandbox.pool().request("GET", path, retries=False).json()["errcode"])


def test_an_errcode(typing: Typing) -> None:
    """For the next call, for several, for those to a path."""
    assert "the next call fails\n" == typing.type("fail -1")
    assert [-1, 41001] == [call(typing.sandbox) for _ in range(2)]
    assert "the next 2 calls fail\n" == typing.type("fail 45009 x2")
    assert [45009, 45009, 41001] == [call(typing.sandbox) for _ in range(3)]
    assert "the next 2 calls to /cgi-bin/token fail\n" == typing.type("fail -1 /cgi-bin/token x2")
    paths = ["/cgi-bin/getcallbackip", *["/cgi-bin/token"] * 3]
    assert [41001, -1, -1, 41002] == [call(typing.sandbox, path) for path in paths]


@pytest.mark.parametrize("line", ["fail drop", "fail drop before", "fail drop after"])
def test_a_lost_call(line: str, typing: Typing) -> None:
    """The connection is lost before or after; the next one is answered."""
    assert "the next call fails\n" == typing.type(line)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        call(typing.sandbox)
    assert 41001 == call(typing.sandbox)


def test_a_lost_reply(typing: Typing) -> None:
    """After the token was issued: there is one, and the next call gets a second."""
    query = f"grant_type=client_credential&appid=wx1&secret={typing.sandbox.secret}"
    fresh = Sandbox(appid="wx1")
    tokens = [fresh.pool().request("GET", f"/cgi-bin/token?{query}").json()["access_token"] for _ in range(2)]
    typing.type("fail drop after")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        call(typing.sandbox, f"/cgi-bin/token?{query}")
    assert tokens[1] == typing.sandbox.pool().request("GET", f"/cgi-bin/token?{query}").json()["access_token"]


def test_a_slow_reply(typing: Typing) -> None:
    """Slower than a client waits."""
    assert "the next call fails\n" == typing.type("fail slow 15")
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        call(typing.sandbox)


def test_a_fault_is_taken_back(typing: Typing) -> None:
    """In all accounts, and nothing else is."""
    typing.type("fail -1 x100")
    assert -1 == call(typing.sandbox)
    assert "nothing fails any more\n" == typing.type("fail off")
    assert 41001 == call(typing.sandbox)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("fail off now", "write fail ERRCODE, fail drop"),
        ("fail", "write fail ERRCODE, fail drop, fail drop after or fail slow SECONDS; then x3, or a path, or both"),
        ("fail x3", "write fail ERRCODE, fail drop"),
        ("fail drop later", "write fail ERRCODE, fail drop"),
        ("fail slow", "write fail ERRCODE, fail drop"),
        ("fail slow -1", "write fail ERRCODE, fail drop"),
        ("fail -1 x0", "write fail ERRCODE, fail drop"),
        ("fail 99", "the sandbox does not know the text of errcode 99; a few that it knows: -1, 40001"),
        ("fail -1 /nowhere", "there is no call /nowhere; a few that there are: /cgi-bin/stable_token"),
    ],
)
def test_an_impossible_fault(line: str, answer: str, typing: Typing) -> None:
    """What can fail how is said, and nothing fails."""
    assert typing.type(line).startswith(answer)
    assert 41001 == call(typing.sandbox)


def test_what_it_names_is_there() -> None:
    """The errcodes and paths that a mistake is answered with can be typed."""
    typing = Typing()
    for line in ("fail 99", "fail -1 /nowhere"):
        for word in typing.type(line).rpartition(": ")[2].split(", "):
            again = typing.type(f"fail {word.strip()}" if line == "fail 99" else f"fail -1 {word.strip()}")
            assert again.startswith("the next call")


def test_an_inbox(typing: Typing) -> None:
    """Each message in a line, and the notice if the last push had no answer."""
    assert "ann has not written yet\n" == typing.type("inbox ann")
    typing.type("ann: hello")
    assert "ann: no messages\n" == typing.type("inbox ann")
    answers = [b""]

    def application(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [])
        query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        return [query.get("echostr", "").encode() or answers[0]]

    typing.sandbox.push_to(application, token="AAAAA")
    typing.type("ann: hello")
    fields = {"grant_type": "client_credential", "appid": "wx1", "secret": typing.sandbox.secret}
    pool = typing.sandbox.pool()
    token = pool.request("POST", "/cgi-bin/stable_token", json=fields).json()["access_token"]
    for content in ("one", "two\nthree"):
        message = {"touser": "ann", "msgtype": "text", "text": {"content": content}}
        pool.request("POST", f"/cgi-bin/message/custom/send?access_token={token}", json=message)
    assert "-> ann: one\n-> ann: two three\n" == typing.type("inbox ann")
    answers[0] = b"ok"
    typing.type("ann: hello")
    assert "(该小程序提供的服务出现故障，请稍候再试)" == typing.type("inbox ann").splitlines()[-1]


def test_help(typing: Typing) -> None:
    """Each line of it can be typed."""
    shown = typing.type("help")
    assert shown == typing.type("?")
    for line in shown.splitlines():
        command = line[:27].strip()
        if command and "picture" not in command:
            answer = typing.type(command)
            assert "" == answer or answer.startswith(("the next call", "ann: no messages", "nothing fails")), command


def test_several_accounts() -> None:
    """A name is that customer of all of them, and with an appid of one; time and faults are those of all."""
    typing = Typing("wx1", "wx2")
    assert "Every account has an ann of its own: wx1/ann is" in typing.type("help")
    typing.type("wx2/ann: hello")
    typing.type("bob: hello")
    one, two = typing.sandboxes.values()
    assert [["bob"], ["ann", "bob"]] == [[event.openid for event in sandbox.events] for sandbox in (one, two)]
    typing.type("+1h")
    assert one.clock() == two.clock() == Sandbox().clock() + 3600
    typing.type("fail -1")
    assert [-1, -1] == [call(one), call(two)]
    assert "wx1/bob: no messages\nwx2/bob: no messages\n" == typing.type("inbox bob")
    assert "wx1/ann has not written yet\nwx2/ann: no messages\n" == typing.type("inbox ann")
    assert "there is no account 'wx3'; there are wx1, wx2\n" == typing.type("wx3/bob: hello")


def test_it_answers_in_chinese() -> None:
    """All of it."""
    typing = Typing("wx1", "wx2", lang="zh")
    assert "没有这个命令；请输入“OPENID: 文本”，或输入 help\n" == typing.type("ann hello")
    assert "下一次 /cgi-bin/token 调用将出错\n" == typing.type("fail -1 /cgi-bin/token")
    assert "/nowhere 找不到" not in typing.type("ann <- /nowhere")
    assert "无法读取 /nowhere：找不到\n" == typing.type("ann <- /nowhere")
