"""The sandbox in a terminal: what it prints and obeys, and that what cannot be done is reported in one sentence."""

import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Thread
from wsgiref.simple_server import make_server

import pytest
import urllib3

import wxcs_lite
from tests.test_pushing import Quiet
from wxcs_lite import ApiError, fetch_token, open_pool, text
from wxcs_lite.look.words import Language
from wxcs_lite.push import Push, push_app, transfer_to_agent
from wxcs_lite.terminal.pushing import PushTarget
from wxcs_lite.terminal.serve import run


@pytest.mark.parametrize("port", [-1, 99999, 10**30])
def test_impossible_port(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """For an impossible port, one sentence and the exit status of wrong usage."""
    assert 2 == run(port=port, lines=io.StringIO(), out=io.StringIO())
    assert ("", f"sandbox: port must be from 0 to 65535, not {port}\n") == capsys.readouterr()


def test_impossible_customer(capsys: pytest.CaptureFixture[str]) -> None:
    """A customer who cannot be: the same."""
    assert 2 == run(customers=["张三"], lines=io.StringIO(), out=io.StringIO())
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert err.startswith("sandbox: an openid must be 1 to 64")


def test_an_empty_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither appid nor secret can be empty; the secret is not shown."""
    assert 2 == run(secret="", lines=io.StringIO(), out=io.StringIO())
    assert ("", "sandbox: --appid and --secret cannot be empty\n") == capsys.readouterr()


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "sandbox: a command after -- runs behind"), ("zh", "sandbox: -- 之后的命令须经代理运行")]
)
def test_a_command_without_the_proxy(lang: Language, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would reach WeChat itself, so it is refused, with what to do instead."""
    assert 2 == run(lang=lang, command=["true"])
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith(said)


@pytest.mark.parametrize(("command", "status"), [("no-such-command-anywhere", 127), ("/", 126)])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_command_that_cannot_be_run(
    lang: Language, command: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence with its name, and the status that a shell gives."""
    assert status == run(lang=lang, proxy=True, command=[command])
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert f" {command} " in err.replace("：", " ")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_proxy_without_cryptography(
    lang: Language, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ec", None)
    assert 2 == run(lang=lang, proxy=True, lines=io.StringIO(), out=io.StringIO())
    out, err = capsys.readouterr()
    assert "" == out
    assert 1 == err.count("\n")
    assert "pip install 'cryptography>=" in err


# Behind this: what it does when it is served. The lines that are typed end with Ctrl-C.

Lines = Iterator[str]


def ctrl_c(*lines: str | Callable[[], object]) -> Lines:
    """Yield what is typed, calling what is between two lines, and then interrupt."""
    for line in lines:
        if isinstance(line, str):
            yield line
        else:
            line()
    raise KeyboardInterrupt


class Out(io.StringIO):
    """What has been printed so far."""

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    @property
    def url(self) -> str:
        return str(re.findall(r"http://127\.0\.0\.1:\d+", self.getvalue())[0])


def send(out: Out, appid: str, secret: str, openid: str = "ann") -> int:
    pool = open_pool(out.url)
    token = fetch_token(pool, appid, secret)
    try:
        return int(wxcs_lite.send(pool, token, text(openid, "hello"))["errcode"])
    except ApiError as error:
        return error.errcode
    finally:
        pool.close()


DEFAULT = ("wxsandbox000000001", "sandbox-secret-of-no-real-account")


@pytest.mark.parametrize("verbose", [False, True])
def test_messages_are_shown_as_they_arrive(verbose: bool) -> None:
    """With whom they are for; every call too with --verbose."""
    out = Out()
    lines = ctrl_c("bob: hello", lambda: send(out, *DEFAULT), lambda: send(out, *DEFAULT, "bob"))
    assert 0 == run(customers=["ann"], verbose=verbose, lines=lines, out=out)
    shown = [re.sub("[0-9.]+ ms", "N ms", line) for line in out.lines[3:-1]]
    token = "POST /cgi-bin/stable_token [130 bytes of application/json] -> HTTP 200 errcode 0, N ms"
    call = "POST /cgi-bin/message/custom/send [60 bytes of application/json] -> HTTP 200 errcode 0, {}, N ms"
    expected = ["bob wrote; you may answer with 5 messages within 48 h"]
    expected += [token, "-> ann: hello", call.format("ann"), token, "-> bob: hello", call.format("bob")]
    assert [line for line in expected if verbose or not line.startswith("POST")] == shown


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_several_accounts(lang: Language) -> None:
    """Each has a secret of its own, which is printed and opens no other; a customer has written to each."""
    out = Out()
    errcodes: list[int] = []
    accounts: list[tuple[str, str]] = []

    def use() -> None:
        accounts.extend(re.findall(r"appid (wx\w+)[,，] ?secret (\w+)", out.getvalue()))
        errcodes.extend(send(out, *account) for account in accounts)
        with pytest.raises(ApiError) as caught:
            send(out, accounts[0][0], accounts[1][1])
        errcodes.append(caught.value.errcode)

    lines = ctrl_c(use, "+48h", "wx2/ann: hi")
    assert 0 == run(lang=lang, accounts=["wx1", "wx2", "wx3"], customers=["wx1/ann", "wx3/ann"], lines=lines, out=out)
    assert ["wx1", "wx2", "wx3"] == [appid for appid, _ in accounts]
    assert all(re.fullmatch("[0-9a-f]{32}", secret) for _, secret in accounts)
    assert 3 == len({secret for _, secret in accounts})
    assert [0, 45015, 0, 40125] == errcodes
    arrow = "-> {}: hello" if lang == "en" else "-> {}：hello"
    assert [arrow.format("wx1/ann"), arrow.format("wx3/ann")] == out.lines[5:7]
    assert 1 == sum("UTC" in line for line in out.lines)
    assert out.lines[-2].startswith("wx2/ann ")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_served_beside_it(lang: Language) -> None:
    """Its address is printed; it is in the same language, shows all accounts, and what is typed."""
    out = Out()
    seen: list[object] = []

    def look() -> None:
        (url,) = re.findall(r"http://\S+/[\w-]{32}/\S*", out.getvalue())
        markup = urllib3.request("GET", url).data.decode()
        seen.append((f'<html lang="{lang}">' in markup, markup.count('<option value="wx')))
        root = url.partition("?")[0]
        seen.extend(
            [row["said"] for row in urllib3.request("GET", f"{root}news?account={account}").json()["customers"]]
            for account in ("wx1", "wx2")
        )

    lines = ctrl_c("wx2/ann: hello", look)
    assert 0 == run(lang=lang, page=True, accounts=["wx1", "wx2"], lines=lines, out=out)
    assert [(True, 2), [], ["hello"]] == seen


def test_the_page_beside_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address goes to stderr: stdout is the command's."""
    assert 0 == run(page=True, proxy=True, command=[sys.executable, "-c", ""])
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith("Look at it in a browser: http://127.0.0.1:")


def test_an_account_of_the_user_beside_others() -> None:
    """Its secret is not repeated, theirs are made up."""
    out = Out()
    run(appid="wx1", secret="S3CRET", accounts=["wx2"], lines=ctrl_c(), out=out)
    assert "appid wx1, with your secret" == out.lines[1]
    assert re.fullmatch("appid wx2, secret [0-9a-f]{32}", out.lines[2])
    assert "S3CRET" not in out.getvalue()


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        (["wx1", "wx1"], "the account wx1 is named twice"),
        (["wx 1"], "an appid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not 'wx 1'"),
        ([""], "an appid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not ''"),
    ],
)
def test_impossible_accounts(accounts: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence."""
    assert 2 == run(accounts=accounts, lines=io.StringIO(), out=io.StringIO())
    assert f"sandbox: {said}\n" == capsys.readouterr().err


def test_switches_reach_the_sandbox() -> None:
    """All accounts have them; what they make necessary is printed."""
    out = Out()
    codes: list[int] = []
    settings = ["unknown_openid_code=40003", "api_signature=optional", "cloud_hosting=/*"]
    lines = ctrl_c(lambda: codes.append(send(out, *DEFAULT, "nobody")))
    assert 0 == run(settings=settings, lines=lines, out=out)
    assert [40003] == codes
    keys = json.loads(out.lines[2].partition(": ")[2])
    assert {"appid", "symmetric_key", "symmetric_sn", "private_key", "certificate", "certificate_sn"} == set(keys)
    assert out.lines[3].startswith("cloudbase_access_token for now: ")


def test_a_wrong_switch(capsys: pytest.CaptureFixture[str]) -> None:
    """What is allowed is said, and nothing is served."""
    assert 2 == run(settings=["chunked=maybe"], lines=io.StringIO(), out=io.StringIO())
    assert "sandbox: --set chunked: must be one of refuse, accept\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "push"),
    [(["api_signature=optional"], PushTarget()), ([], PushTarget("http://127.0.0.1:1/"))],
)
def test_what_needs_cryptography(
    settings: list[str], push: PushTarget, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to install."""
    monkeypatch.setenv("WXCS_PUSH_TOKEN", "AAAAA")
    monkeypatch.setenv("WXCS_AES_KEY", "a" * 42 + "A")

    def missing(whose: str) -> None:
        raise ImportError

    monkeypatch.setattr("wxcs_lite.sandbox.rules.api_keys._pair", missing)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    assert 2 == run(settings=settings, push=push, lines=io.StringIO(), out=io.StringIO())
    assert "pip install 'cryptography>=" in capsys.readouterr().err


def test_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What customers do goes to the URL, and what was answered is printed; an agent ends it for a customer."""
    monkeypatch.setenv("WXCS_PUSH_TOKEN", "AAAAA")
    monkeypatch.delenv("WXCS_AES_KEY", raising=False)

    def answer(push: Push) -> bytes | None:
        return transfer_to_agent(push) if push.MsgType == "text" and push.Content == "human" else None

    server = make_server("127.0.0.1", 0, push_app(answer, token="AAAAA"), handler_class=Quiet)
    loop = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    loop.start()
    url, out = f"http://127.0.0.1:{server.server_port}/", Out()
    try:
        lines = ctrl_c("ann: hello", "ann: human", "ann: anybody?", "ann enters", "bob: hello")
        assert 0 == run(push=PushTarget(url, "xml"), lines=lines, out=out)
    finally:
        server.shutdown()
        server.server_close()
        loop.join()
    assert [
        f"Pushes go to {url}",
        "Type OPENID: text to write as that customer, or help",
        "ann wrote; you may answer with 5 messages within 48 h",
        "pushed for ann: HTTP 200, success",
        "ann wrote; you may answer with 5 messages within 48 h",
        "pushed for ann: HTTP 200, handed over to an agent",
        "ann wrote; you may answer with 5 messages within 48 h",
        "not pushed: an agent has ann's session",
        "ann entered the session, which allows 2 messages within 1 minute",
        "pushed for ann: HTTP 200, success",
        "bob wrote; you may answer with 5 messages within 48 h",
        "pushed for bob: HTTP 200, success",
        "",
    ] == out.lines[2:]


def test_before_the_url_check_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is pushed, and that is said."""
    monkeypatch.setenv("WXCS_PUSH_TOKEN", "AAAAA")
    server = make_server("127.0.0.1", 0, push_app(lambda push: None, token="AAAAA"))
    url, out = f"http://127.0.0.1:{server.server_port}/", Out()
    server.server_close()
    assert 0 == run(push=PushTarget(url), lines=ctrl_c("ann: hello"), out=out)
    assert "The URL check was not answered (NewConnectionError); it is repeated every second" == out.lines[2]
    assert "not pushed: the URL check has not passed yet" == out.lines[5]


@pytest.mark.parametrize(
    ("push", "said"),
    [
        (PushTarget(None, "xml"), "--format and --content-type go with --push"),
        (PushTarget(None, None, "a/b"), "--format and --content-type go with --push"),
        (PushTarget("http://127.0.0.1:1/"), "--push needs WXCS_PUSH_TOKEN, from the environment: export"),
    ],
)
def test_impossible_pushes(
    push: PushTarget, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, that says where a secret belongs."""
    monkeypatch.delenv("WXCS_PUSH_TOKEN", raising=False)
    assert 2 == run(push=push, lines=io.StringIO(), out=io.StringIO())
    assert capsys.readouterr().err.startswith(f"sandbox: {said}")


def test_input_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on serving: a closed input, a terminal that belongs to another program, no input at all."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise KeyboardInterrupt

    def broken() -> Lines:
        yield "ann: hello"
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("wxcs_lite.terminal.serve.time.sleep", sleep)
    closed = io.StringIO()
    closed.close()
    for lines in (closed, broken(), io.StringIO("ann: hello")):
        assert 0 == run(lines=lines, out=io.StringIO())
    monkeypatch.setattr(sys, "stdin", None)
    assert 0 == run(out=io.StringIO())
    assert 4 == len(slept)


def test_the_end_of_a_terminal_s_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D ends no sandbox, which is said."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    out = Out()
    monkeypatch.setattr("wxcs_lite.terminal.serve.time.sleep", sleep)
    assert 0 == run(lines=Terminal("ann: hello"), out=out)
    assert "Nothing more can be typed; the sandbox goes on, and Ctrl-C stops it" == out.lines[-2]


def test_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the encoding of the terminal, a line of it ends nothing."""
    out = Out()

    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wxcs_lite.terminal.serve.time.sleep", sleep)
    run(lines=io.TextIOWrapper(io.BytesIO(b"ann: \xff\nbob: hi\n"), encoding="utf-8"), out=out)
    assert ["ann wrote", "bob wrote"] == [line.partition(";")[0] for line in out.lines[3:5]]


@pytest.mark.skipif(not hasattr(signal, "SIGTTIN"), reason="terminals of POSIX")
def test_signals_are_given_back() -> None:
    """After it has ended, they do what they did before."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGTTIN)]
    run(lines=ctrl_c(), out=io.StringIO())
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGTTIN)]


# A shell in a terminal of its own, with a job in the background that ends where it would wait for ever.
SHELL = """
import os, pty, subprocess, sys
JOB = '''
import os, time
from wxcs_lite.terminal import serve
time.sleep = lambda seconds: os._exit(7)
serve.run()
'''
pid, terminal = pty.fork()
if pid == 0:
    job = subprocess.Popen([sys.executable, "-c", JOB], process_group=0, stdout=subprocess.DEVNULL)
    _, status = os.waitpid(job.pid, os.WUNTRACED)
    job.kill()
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGTTIN"), reason="terminals of POSIX")
def test_in_the_background_of_a_terminal() -> None:
    """`sandbox &` serves; who reads from a terminal in the background is usually stopped."""
    done = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, text=True, timeout=60, check=False)
    assert 7 == done.returncode, done.stderr
