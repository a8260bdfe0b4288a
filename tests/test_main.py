"""`python -m wxcs_lite`: what a terminal sees."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

import wxcs_lite
from wxcs_lite import fetch_token, open_pool, send, text
from wxcs_lite.__main__ import main

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "wxcs_lite"]
ENVIRONMENT = {**os.environ, "PYTHONIOENCODING": "utf-8"}


def test_without_a_command_it_is_the_tour(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 0 and the last step is there."""
    assert 0 == main([])
    assert "11. Two days later" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--lang", "zh"], ["tour", "--lang", "zh"], ["--lang", "zh", "tour"]])
def test_it_speaks_chinese(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--lang goes before or after the command."""
    assert 0 == main(arguments)
    assert "11. 两天后" in capsys.readouterr().out


def test_a_tour_that_fails_has_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script can rely on the status."""
    monkeypatch.setattr("wxcs_lite.terminal.tour.tour", lambda lang: False)
    assert 1 == main(["tour"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version is the package's."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert f"{wxcs_lite.__version__}\n" == capsys.readouterr().out


def test_a_closed_pipe_is_no_traceback() -> None:
    """`python -m wxcs_lite | head -1` ends quietly."""
    command = f"{sys.executable} -m wxcs_lite | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)
    assert "" == done.stderr
    assert 1 == len(done.stdout.splitlines())


def test_a_terminal_without_chinese_gets_question_marks() -> None:
    """An encoding that lacks a character does not end the tour."""
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*COMMAND, "--lang", "zh"], capture_output=True, env=environment, cwd=ROOT, check=False)
    assert 0 == done.returncode
    assert b"?" in done.stdout


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the sandbox command and give the process and its URL; Ctrl-C ends it."""
    process = subprocess.Popen(
        [*COMMAND, "sandbox", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield process, found[0]
    finally:
        process.send_signal(2)
        process.communicate(timeout=60)  # it waits for its threads, which a busy machine keeps waiting


def test_the_sandbox_command_serves_a_customer_who_has_written() -> None:
    """--customer opens a window, so that a send from anywhere is delivered."""
    with served("--customer", "ann") as (process, url):
        assert process.stdout is not None
        account = process.stdout.readline().strip()
        assert "appid wxsandbox000000001, secret sandbox-secret-of-no-real-account" == account
        pool = open_pool(url)
        token = fetch_token(pool, "wxsandbox000000001", "sandbox-secret-of-no-real-account")
        assert {"errcode": 0, "errmsg": "ok"} == send(pool, token, text("ann", "hello"))
        pool.close()
    assert 0 == process.returncode


def test_a_typed_line_is_a_customer_writing_and_verbose_shows_requests() -> None:
    """`OPENID: text` opens that customer's window; --verbose prints a line for each request, with no secret in it."""
    with served("--verbose", "--secret", "a-secret-of-our-own", "--appid", "wx1") as (process, url):
        assert process.stdout is not None
        assert process.stdin is not None
        assert "appid wx1, with your secret\n" == process.stdout.readline()
        assert "Type OPENID: text" in process.stdout.readline()
        process.stdin.write("nonsense\nbob: 你好\nb o b: hi\n")
        process.stdin.flush()
        assert "type OPENID: text" in process.stdout.readline()
        assert process.stdout.readline().startswith("bob wrote")
        assert "an openid must be" in process.stdout.readline()
        pool = open_pool(url)
        token = fetch_token(pool, "wx1", "a-secret-of-our-own")
        send(pool, token, text("bob", "hello"))
        pool.close()
        lines = [process.stdout.readline() for _ in range(3)]
    assert ["POST /cgi-bin/stable_token", "-> bob: hello\n", "POST /cgi-bin/message/custom/send"] == [
        line.split(" [")[0] for line in lines
    ]
    assert ["HTTP 200 errcode 0", "HTTP 200 errcode 0, bob"] == [
        line.partition("-> ")[2].rpartition(",")[0] for line in lines[::2]
    ]
    assert token not in "".join(lines)
    assert "a-secret" not in "".join(lines)


def test_a_taken_port_is_a_sentence() -> None:
    """A mistake on the command line gives one line and status 2, no traceback."""
    with served() as (_, url):
        port = url.rpartition(":")[2]
        command = [*COMMAND, "sandbox", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)
    assert 2 == done.returncode
    assert done.stderr.startswith(f"sandbox: port {port}: ")
    assert 1 == len(done.stderr.splitlines())


def test_it_goes_on_serving_when_there_is_no_input() -> None:
    """Under nohup, or with stdin closed, it does not end by itself."""
    with served() as (process, url):
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        with urllib3.PoolManager() as http:
            assert 404 == http.request("GET", f"{url}/nowhere").status
        assert process.poll() is None


PROGRAM = """
import json, sys, urllib.request
query = "grant_type=client_credential&appid=wxsandbox000000001&secret=sandbox-secret-of-no-real-account"
host = "https://api.weixin.qq.com/cgi-bin"
token = json.load(urllib.request.urlopen(f"{host}/token?{query}"))["access_token"]
body = json.dumps({"touser": "ann", "msgtype": "text", "text": {"content": sys.stdin.read()}}).encode()
print(json.load(urllib.request.urlopen(f"{host}/message/custom/send?access_token={token}", body))["errcode"])
sys.exit(int(sys.argv[2]))
"""


def test_a_command_runs_behind_the_proxy() -> None:
    """Its output, input and status are its own, and so is each `--` after the first; stderr shows the requests."""
    command = [*COMMAND, "sandbox", "--proxy", "--customer=ann", "--verbose", "--", sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        [*command, "--", "7"], input="hello", capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False
    )
    assert (7, "0\n") == (done.returncode, done.stdout), done.stderr
    assert ["GET /cgi-bin/token", "-> ann: hello", "POST /cgi-bin/message/custom/send"] == [
        line.partition(" [")[0].partition("?")[0] for line in done.stderr.splitlines()
    ]
    assert "-secret-" not in done.stderr


def test_a_command_has_the_account_in_its_environment() -> None:
    """The first of several, whose secret is made up; whatever was there before; all accounts are on stderr."""
    program = PROGRAM.replace(
        '"grant_type=client_credential&appid=wxsandbox000000001&secret=sandbox-secret-of-no-real-account"',
        '"grant_type=client_credential&appid={WXCS_APPID}&secret={WXCS_SECRET}".format(**os.environ)',
    ).replace("import json", "import json, os")
    command = [*COMMAND, "sandbox", "--proxy", "--account=wx1", "--account=wx2", "--customer=wx1/ann", "--"]
    environment = {**ENVIRONMENT, "WXCS_APPID": "another", "WXCS_SECRET": "another"}
    done = subprocess.run(
        [*command, sys.executable, "-c", program, "--", "0"],
        input="hello", capture_output=True, text=True, env=environment, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (0, "0\n") == (done.returncode, done.stdout), done.stderr
    first, second, arrived = done.stderr.splitlines()
    assert ["appid wx1", "appid wx2"] == [line.partition(",")[0] for line in (first, second)]
    assert "-> wx1/ann: hello" == arrived


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_the_lines_to_paste_are_what_a_program_needs() -> None:
    """A shell that has read them runs a program that finds the sandbox; SIGTERM ends the proxy, and leaves nothing."""
    with served("--proxy", "--customer=ann") as (process, url):
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(17)]
        paste = "".join(line for line in lines if line.startswith("export "))
        assert 15 == paste.count("\n")
        assert url in paste
        script = f'{paste}exec "$0" -c "$1" -- 0'
        done = subprocess.run(
            ["sh", "-c", script, sys.executable, PROGRAM], input="hi", capture_output=True, text=True, check=False
        )
        assert (0, "0\n") == (done.returncode, done.stdout), done.stderr
        folder = Path(re.findall("SSL_CERT_DIR=(.*)", paste)[0])
        assert folder.is_dir()
        process.terminate()
        assert 143 == process.wait(10)
        assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_what_ends_us_ends_the_command() -> None:
    """`kill` leaves no program running without its proxy."""
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    command = [*COMMAND, "sandbox", "--proxy", "--", sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            child = int(process.stdout.readline())
            process.terminate()
            assert 143 == process.wait(10)
            with pytest.raises(ProcessLookupError):
                os.kill(child, 0)
        finally:
            process.kill()  # or a test that fails would wait for it


@pytest.mark.skipif(os.name == "nt", reason="a shell that closes stdout")
def test_a_closed_stdout_is_a_sentence() -> None:
    """`tour >&-` has nowhere to print, and says so."""
    command = f"{sys.executable} -m wxcs_lite tour >&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)
    assert 2 == done.returncode
    assert done.stderr.startswith("stdout is closed")
    assert 1 == len(done.stderr.splitlines())


def test_no_stdout_is_status_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Python has None for a stdout that was closed."""
    monkeypatch.setattr(sys, "stdout", None)
    assert 2 == main(["tour"])
    assert "stdout is closed" in capsys.readouterr().err


def test_the_sandbox_takes_a_language(capsys: pytest.CaptureFixture[str]) -> None:
    """The languages of the usage line also work after the command; the port is refused here, so that it ends."""
    assert 2 == main(["sandbox", "--lang", "zh", "--port", "65536"])
    assert "sandbox: 端口须在 0 至 65535 之间，而不是 65536\n" == capsys.readouterr().err


def test_the_sandbox_speaks_chinese() -> None:
    """All its lines do, and a message in no known form is refused in Chinese, too."""
    with served("--lang", "zh") as (process, url):
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdin.write("nonsense\nb o b: hi\nbob：你好\n")
        process.stdin.flush()
        shown = [process.stdout.readline() for _ in range(5)]
        port = url.rpartition(":")[2]
        command = [*COMMAND, "--lang", "zh", "sandbox", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)
    assert [
        "appid wxsandbox000000001，secret sandbox-secret-of-no-real-account\n",
        "输入“OPENID: 文本”并回车，相当于该用户发来一条消息；输入 help 查看其他命令\n",
        "没有这个命令；请输入“OPENID: 文本”，或输入 help\n",
        "openid 须为 1 至 64 个字母、数字、下划线或连字符，而不是 'b o b'\n",
        "bob 发来了一条消息，48 小时内最多可回复 5 条\n",
    ] == shown
    assert 2 == done.returncode
    assert done.stderr.startswith(f"sandbox: 端口 {port} 无法使用（已被占用）")
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.skipif(os.name == "nt", reason="a shell's pipe")
def test_a_pipe_that_closes_ends_the_sandbox_quietly() -> None:
    """A closed pipe is not taken for a port that is in use."""
    command = f"{sys.executable} -m wxcs_lite sandbox | true"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False, timeout=60
    )
    assert "" == done.stderr


@pytest.mark.parametrize(
    ("command", "place"),
    [(["doctor"], "doctor.examine"), (["explain", "1" * 8 + "-11111111-11111111"], "explaining.get_rid")],
)
def test_ctrl_c_is_no_traceback(command: list[str], place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status is that of an interrupted program."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"wxcs_lite.terminal.{place}", interrupted)
    monkeypatch.setenv("WXCS_TOKEN", "80_made-up")
    assert 130 == main(command)


def test_the_bot_leaves_logs_to_the_chat(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is reported once, by the chat."""
    monkeypatch.setattr(sys, "stdin", ["x" * 3000])
    assert 0 == main(["bot"])
    printed = capsys.readouterr()
    assert "! 45002 " in printed.out
    assert "" == printed.err
