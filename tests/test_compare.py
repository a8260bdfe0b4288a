"""The command `compare`: a sandbox with other switches stands for the live account, over HTTP."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.doctor_cases import nothing_set
from tests.hostile import Heard, Server, answers, reply
from tests.stages import closed_port
from wxcs_lite import fetch_token, send, text
from wxcs_lite.__main__ import main
from wxcs_lite.look.words import Language
from wxcs_lite.sandbox import Sandbox, Seen
from wxcs_lite.terminal.compare import run
from wxcs_lite.terminal.compare.cases import CASES
from wxcs_lite.terminal.environment import Address

__all__ = ["nothing_set"]

APPID, SECRET = "wx1234567890abcdef", "0123456789abcdef0123456789abcdef"
OPENID = "oGZUI0egBJY1zhBYw2KhdUfwVJJE"
CASSETTES = Path(__file__).parents[1] / "cassettes" / "test_cassettes"


class Terminal(io.StringIO):
    """A standard input with a person at the keyboard."""

    def isatty(self) -> bool:
        return True


class Live(NamedTuple):
    """The account that stands for a live one, its address, and the requests that reached it."""

    sandbox: Sandbox
    where: Address
    seen: list[Seen]

    def report(self, **more: Any) -> dict[str, Any]:
        """Return the JSON of a comparison that is not asked for."""
        out = io.StringIO()
        run(self.where, yes=True, as_json=True, out=out, **more)
        found: dict[str, Any] = json.loads(out.getvalue())
        return found


@contextmanager
def live(monkeypatch: pytest.MonkeyPatch, **switches: Any) -> Iterator[Live]:
    """Serve an account with these switches, to which the customer has just written."""
    sandbox = Sandbox(appid=APPID, secret=SECRET, seed=7, **switches)
    seen: list[Seen] = []
    sandbox.user(OPENID).says("hello")
    for name, value in (("APPID", APPID), ("SECRET", SECRET), ("OPENID", OPENID)):
        monkeypatch.setenv(f"WXCS_{name}", value)
    with sandbox.serve(on_request=seen.append) as url:
        yield Live(sandbox, Address(url), seen)


def differing(report: dict[str, Any]) -> dict[str, tuple[str, str, list[str]]]:
    """Return what differs, by the setting of the first rule that is named, or by its field."""
    return {
        (one["rules"][0]["setting"] if one["rules"] else one["field"]): (one["sandbox"], one["account"], one["cases"])
        for one in report["differences"]
    }


def test_the_same_account_does_not_differ(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 0; every case was compared, each call made once, and the customer has exactly five messages."""
    with live(monkeypatch) as it:
        assert 0 == run(it.where, yes=True)
        assert len(CASES) == len(it.seen)
        assert 5 == len(it.sandbox.user(OPENID).inbox)
    printed = capsys.readouterr()
    assert printed.out.startswith("wxcs_lite ")
    assert f"with a live account: {len(CASES)} calls, differences: 0" in printed.out
    assert "Not compared" not in printed.out
    assert "does it show 你好 or" in printed.out
    assert "please post" not in printed.err


SWITCHES: list[tuple[str, Any, str, str, list[str]]] = [
    ("upload_reply", "page", "item: []", "errcode: number", ["upload"]),
    ("part_name", "lax", "41005 media data missing", "0", ["upload_part_named_file"]),
    ("exhausted_code", 45015, "45047 out of response", "45015 response out of", ["send_one_too_many"]),
    ("unknown_openid_code", 40003, "45015 response out of", "40003 invalid openid", ["send_unknown_openid"]),
    ("unicode_escapes", "refuse", "0 ok", "47002 no JSON unicode", ["send_unicode_escapes"]),
]


@pytest.mark.parametrize(("name", "value", "ours", "theirs", "cases"), SWITCHES, ids=[row[0] for row in SWITCHES])
def test_a_switch_is_found(
    name: str, value: Any, ours: str, theirs: str, cases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly that one, with the rule that has this setting."""
    with live(monkeypatch, **{name: value}) as it:
        found = differing(it.report())
    assert [name] == list(found)
    assert (True, True, cases) == (ours in found[name][0], theirs in found[name][1], found[name][2])


def test_switches_of_every_error_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Content-Type and the end of an errmsg are each one difference, with all its cases."""
    with live(monkeypatch, error_content_type="text/plain", errmsg_style="both") as it:
        report = it.report()
    found = differing(report)
    assert {"error_content_type", "errmsg_style", "errmsg"} == set(found)
    assert 3 == len(report["differences"])
    assert ("application/json; encoding=utf-8", "text/plain") == found["error_content_type"][:2]
    assert ("rid: …", "hint: […] rid: …") == found["errmsg_style"][:2]
    assert len(found["error_content_type"][2]) > 20
    assert ["invented_token"] == found["errmsg"][2]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["the sandbox says: 45047", "the account says: 45015", "seen 2021-04", "setting exhausted_code"]),
        ("zh", ["沙箱：45047", "账号：45015", "实例 2021-04", "设置 exhausted_code"]),
    ],
)
def test_the_report_says_what_the_rule_rests_on(
    lang: Language, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a reader sees which rule to mend; the status is 1, and only the report is on stdout."""
    with live(monkeypatch, exhausted_code=45015) as it:
        assert 1 == run(it.where, yes=True, lang=lang)
    printed = capsys.readouterr()
    report = " ".join(printed.out.split())
    assert [True] * 4 == [word in report for word in words]
    assert ("issue" in printed.err, "issue" in printed.out) == (True, False)


def test_a_reader_of_chinese_is_told_what_differs_in_chinese(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Except for what WeChat itself calls so."""
    with live(monkeypatch, upload_reply="page", errmsg_style="both") as it:
        assert 1 == run(it.where, yes=True, lang="zh")
    titles = re.findall(r"^[0-9]+\. (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert {"字段", "errmsg 的结尾", "errmsg"} == set(titles)


def test_what_will_be_sent_is_said_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """How many calls, to which address, for which account; how many messages, to whom; and nothing before a yes."""
    with live(monkeypatch) as it:
        assert 2 == run(it.where, lines=Terminal("n\n"))
        asked = " ".join(capsys.readouterr().err.split())
        assert [] == it.seen
        assert 0 == run(it.where, lines=Terminal("y\n"))
    assert f"This makes {len(CASES)} calls to {it.where.base}, each once, with the account wx1234…cdef" in asked
    assert "It sends 6 messages to oGZUI0…VJJE (WXCS_OPENID)" in asked
    assert asked.endswith("Go on? [y/N] Nothing was sent.")
    assert (APPID in asked, OPENID in asked) == (False, False)


@pytest.mark.parametrize(("lang", "words"), [("en", "pass --yes"), ("zh", "请加 --yes")])
def test_without_a_terminal_nothing_is_sent(
    lang: Language, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless --yes says so."""
    with live(monkeypatch) as it:
        assert 2 == run(it.where, lang=lang, lines=io.StringIO("y\n"))
        assert [] == it.seen
    assert words in capsys.readouterr().err


def test_without_an_openid_nobody_gets_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cases about messages are left out, and the rest is compared."""
    with live(monkeypatch) as it:
        monkeypatch.delenv("WXCS_OPENID")
        assert 0 == run(it.where, yes=True)
        assert 0 == len(it.sandbox.user(OPENID).inbox)
        assert sum("openid" not in case.needs for case in CASES) == len(it.seen)
    assert "WXCS_OPENID is not set" in capsys.readouterr().err


def test_a_token_alone_is_enough(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The case that fetches one is left out then."""
    with live(monkeypatch) as it:
        pool = it.sandbox.pool()
        body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
        token = pool.request("POST", "/cgi-bin/stable_token", json=body).json()["access_token"]
        monkeypatch.setenv("WXCS_TOKEN", token)
        monkeypatch.delenv("WXCS_APPID")
        monkeypatch.delenv("WXCS_SECRET")
        assert 0 == run(it.where, yes=True)
        assert "token" not in {case["case"] for case in it.report()["left_out"]}
    printed = capsys.readouterr()
    assert "with the account (WXCS_TOKEN)" in " ".join(printed.err.split())
    assert token not in printed.out + printed.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SECRET": ""}, "compare: WXCS_SECRET is not set"),
        ({"APPID": "", "SECRET": ""}, "compare: WXCS_APPID and WXCS_SECRET are not set"),
        ({"OPENID": "not an openid"}, "compare: WXCS_OPENID must be 1 to 64"),
    ],
)
def test_a_wrong_setting_is_named(
    settings: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With status 2, before anything is sent."""
    with live(monkeypatch) as it:
        for name, value in settings.items():
            monkeypatch.setenv(f"WXCS_{name}", value)
        assert 2 == run(it.where, yes=True, lines=io.StringIO())
        assert [] == it.seen
    assert capsys.readouterr().err.startswith(words)


def test_a_wrong_secret_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With what WeChat says of it, and no report; the sandbox is not to blame."""
    with live(monkeypatch) as it:
        monkeypatch.setenv("WXCS_SECRET", "f" * 32)
        assert 2 == run(it.where, yes=True)
        assert 1 == len(it.seen)
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "40125 invalid appsecret" in printed.err


def test_a_customer_who_did_not_write_gets_nothing_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first refusal is no difference: it is said what to do, and the other messages are not sent."""
    with live(monkeypatch) as it:
        it.sandbox.advance(49 * 3600)
        assert 0 == run(it.where, yes=True)
        sends = [one for one in it.seen if one.path.endswith("/send") and one.errcode == 45015]
    assert 2 == len(sends)  # the unknown openid, and the first message
    printed = " ".join(capsys.readouterr().out.split())
    assert "Not compared: send_text: errcode 45015, the customer cannot be sent anything now: let them" in printed
    assert "Not compared: typing, typing_again, typing_cancelled, send_image, send_link," in printed


@pytest.mark.parametrize("code", [45047, 45015])
def test_used_up_messages_are_no_difference(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has answered the customer before: what is refused then, and all that comes after, is left out."""
    with live(monkeypatch, exhausted_code=code) as it:
        token = fetch_token(it.sandbox.pool(), APPID, SECRET)
        for number in range(3):
            send(it.sandbox.pool(), token, text(OPENID, f"{number}"))
        report = it.report()
        assert 5 == len(it.sandbox.user(OPENID).inbox)
    assert [] == report["differences"]
    assert ["send_link", "send_miniprogrampage", "send_unicode_escapes", "send_one_too_many"] == [
        one["case"] for one in report["left_out"]
    ]
    assert report["left_out"][0]["why"].startswith(f"errcode {code}, the customer cannot be sent anything now")


def test_what_the_account_may_not_do_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing permission or a used-up quota says nothing about WeChat."""
    with live(
        monkeypatch, unauthorized=["/cgi-bin/openapi/quota/get"], daily_limits={"/cgi-bin/media/upload": 0}
    ) as it:
        report = it.report()
    assert [] == report["differences"]
    whys = {one["case"]: one["why"] for one in report["left_out"]}
    assert ("errcode 48001", "errcode 45009") == (whys["quota"], whys["upload"])
    assert "it needs what an earlier reply should have given" == whys["download"]


def test_a_refusal_of_one_message_leaves_one_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the sixth would be the fifth, and tell nothing."""
    with live(monkeypatch, unicode_escapes="refuse") as it:
        report = it.report()
    assert ["send_one_too_many"] == [one["case"] for one in report["left_out"]]
    assert "not all messages are used up" in report["left_out"][0]["why"]


def test_a_dead_network_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With status 2 and no report."""
    with closed_port() as port, live(monkeypatch):
        assert 2 == run(Address(f"http://127.0.0.1:{port}"), yes=True)
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "no connection" in printed.err


@pytest.mark.parametrize(("lang", "word"), [("en", "Incomplete"), ("zh", "未完成")])
def test_a_network_that_dies_leaves_a_part(
    lang: Language, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was compared is reported, the rest is not asked, and the status says that it is not whole."""
    with live(monkeypatch) as it:
        it.sandbox.fail_next(drop="after", path="/cgi-bin/media/upload")
        assert 2 == run(it.where, yes=True, lang=lang)
        assert "/cgi-bin/media/upload" == it.seen[-1].path
    printed = capsys.readouterr()
    assert word in printed.out
    assert printed.err


def test_an_unreadable_reply_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed one, for example; the next case is asked."""
    with live(monkeypatch) as it:
        it.sandbox.fail_next(reply=(200, {"Content-Encoding": "gzip"}, b"made up"), path="/cgi-bin/openapi/quota/get")
        report = it.report()
    assert ["quota"] == [one["case"] for one in report["left_out"]]
    assert "quota_unknown_path" in report["cases"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_hostile_server_puts_no_secret_into_the_report(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it echoes them, in whatever spelling, next to escapes for the terminal, and however much of it."""
    token = "80_" + "made-up-Token0" * 9
    secrets = [APPID, SECRET, OPENID, token, "f" * 32]

    def echo(heard: Heard) -> bytes:
        if heard.target.endswith("/stable_token"):
            return reply(json.dumps({"access_token": token, "expires_in": 7200, "media_id": "M" * 64}).encode())
        escaped = "".join(f"\\u{ord(char):04x}" for char in token)
        percent = "".join(f"%{ord(char):02x}" for char in SECRET)
        keys = {secret: {secret: [secret]} for secret in secrets}
        errmsg = f"{' '.join(secrets)} {percent} {escaped}\x1b[2J\r\n" + "a-" * (
            300_000 if "media" in heard.target else 9
        )
        body = json.dumps({"errcode": 40001, "errmsg": errmsg, **keys}).encode()
        head = "".join(f"X-{secret}: {secret}\r\n" for secret in secrets)
        return (
            f"HTTP/1.1 200 {SECRET}\r\nContent-Type: text/{token}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    for name, value in (("APPID", APPID), ("SECRET", SECRET), ("OPENID", OPENID)):
        monkeypatch.setenv(f"WXCS_{name}", value)
    with Server(answers(echo)) as server:
        assert 1 == run(Address(server.url), yes=True, as_json=as_json)
    printed = capsys.readouterr()
    assert "40001" in printed.out
    assert [] == [secret for secret in secrets for text in printed if secret in text.replace("\n     ", "")]
    assert "\x1b" not in printed.out
    assert len(printed.out) < 40_000


DEEP = b'{"a":' * 30 + b"1" + b"}" * 30
WIDE = json.dumps({f"k{number:02}": [None, True, 1.5][number % 3] for number in range(30)}).encode()


@pytest.mark.parametrize(
    ("body", "start", "end"),
    [
        (b"<html>", "not JSON", ""),
        (b"", "empty", ""),
        (b"\x89PNG\r\n\x1a\n", "a PNG", ""),
        (DEEP, "{a: {a: {a: {a: {…}}}}}", ""),
        (WIDE, "{k00: null, k01: boolean, k02: number", "…"),
        (b'{"a":[[[[[1]]]]]}', "{a: [[[[…]]]]}", ""),
    ],
    ids=["html", "empty", "picture", "deep", "wide", "lists"],
)
def test_what_is_no_reply_of_wechat_is_compared_too(
    body: bytes, start: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of a proxy, or a body that is deeper or wider than any reply."""
    with live(monkeypatch) as it:
        it.sandbox.fail_next(reply=(502, {"X-Made-Up": "1"}, body), path="/cgi-bin/openapi/rid/get")
        report = it.report()
    found = {one["field"]: one["account"] for one in report["differences"] if one["cases"] == ["rid"]}
    assert ("502", "x-made-up", "-") == (found["status"], found["headers"], found["Content-Type"])
    assert (True, True) == (found["shape"].startswith(start), found["shape"].endswith(end))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (["--cassette", "send_text.yaml"], 0),
        (["--cassette", "send_text.yaml", "--lang", "zh", "--json"], 0),
        (["--cassette", "none.yaml"], 2),
        (["--base", "nonsense", "--yes"], 2),
    ],
)
def test_the_command_line(
    given: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording needs neither an account nor a yes; a file or an address that is no good is a sentence."""
    monkeypatch.chdir(CASSETTES)
    assert status == main(["compare", *given])
    assert bool(capsys.readouterr().out) == (status == 0)


def test_a_recording_of_another_account_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the account itself would."""
    text = (CASSETTES / "one_message_too_many.yaml").read_text("utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text(
        text.replace('"errcode":45047,"errmsg":"out of response count limit', '"errcode":45015,"errmsg":"x')
    )
    assert 1 == main(["compare", "--cassette", str(changed)])
    printed = " ".join(capsys.readouterr().out.split())
    assert "with a recording: 7 calls, differences: 1" in printed
    assert "cases: 7 POST /cgi-bin/message/custom/send" in printed
    assert "setting exhausted_code" in printed


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status is that of an interrupted program."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wxcs_lite.terminal.compare.run", interrupted)
    assert 130 == main(["compare"])


def test_no_case_replaces_a_token_or_clears_a_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's token may end because somebody compared, and no counter that is reset ten times a month at most."""
    with live(monkeypatch) as it:
        run(it.where, yes=True, out=io.StringIO())
        paths = {one.path for one in it.seen}
        assert 1 == len(it.sandbox._core.account.tokens._issued)
    assert {
        "/cgi-bin/stable_token", "/cgi-bin/getcallbackip", "/cgi-bin/wxcs_lite/compare", "/cgi-bin/media/upload",
        "/cgi-bin/media/get", "/cgi-bin/openapi/quota/get", "/cgi-bin/openapi/rid/get",
        "/cgi-bin/message/custom/send", "/cgi-bin/message/custom/typing",
    } == paths  # fmt: skip
    assert len(CASES) == len({case.name for case in CASES})
    assert all(re.fullmatch("[a-z_]+", case.name) for case in CASES)


@pytest.mark.parametrize(
    ("page", "words"), [("README.md", "same {} calls to a live account"), ("README.zh-CN.md", "同样的 {} 次调用")]
)
def test_the_readme_counts_the_calls(page: str, words: str) -> None:
    """What somebody agrees to is what is made; all but the last of the messages arrive."""
    assert words.format(len(CASES)) in (CASSETTES.parents[1] / page).read_text("utf-8")
    assert 6 == sum(case.message for case in CASES)


# What WeChat's pages and published replies say of each case: the errcode, or the HTTP status where there is no JSON.
PUBLISHED = {
    "token": 0, "token_unknown_appid": 40013, "token_without_appid": 41002, "no_token": 41001, "invented_token": 40001,
    "callback_ip": 0, "unknown_path": 404, "quota": 0, "quota_unknown_path": 76021, "quota_without_slash": 76003,
    "upload": 0, "upload_unknown_type": 40004, "upload_part_named_file": 41005, "upload_without_filename": 41005,
    "upload_filename_without_quotes": 41005, "upload_wrong_extension": 40005, "upload_empty": 44001, "download": 0,
    "download_unknown_media_id": 40007, "download_without_media_id": 40007, "rid": 0, "rid_unknown": 76001,
    "rid_malformed": 76002, "send_by_get": 43002, "send_without_body": 44002, "send_broken_json": 47001,
    "send_malformed_openid": 40003, "send_unknown_openid": 45015, "send_without_msgtype": 40008, "send_news": 45162,
    "send_empty_text": 44004, "send_oversized_text": 45002, "send_unknown_media_id": 40007,
    "typing_unknown_command": 45072, "send_text": 0, "typing": 0, "typing_again": 45081, "typing_cancelled": 0,
    "send_image": 0, "send_link": 0, "send_miniprogrampage": 0, "send_unicode_escapes": 0, "send_one_too_many": 45047,
}  # fmt: skip


def test_each_case_is_what_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox refuses each for its own reason, and not for one that comes before."""
    with live(monkeypatch) as it:
        assert 0 == run(it.where, yes=True, out=io.StringIO())
    answered = [one.status if one.errcode is None and one.status != 200 else one.errcode or 0 for one in it.seen]
    assert PUBLISHED == dict(zip([case.name for case in CASES], answered, strict=True))
