"""The recipe for several processes: two real gunicorn workers, a file of SQLite or a real Redis, and one handler."""

import http.client
import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from redis import Redis

from tests.recipes.stage import RECIPES
from tests.test_push_app import APPID, KEY, TOKEN, secure
from wxcs_lite.push import decrypt
from wxcs_lite.sandbox import Sandbox

RECIPE = RECIPES / "several_processes"
REDIS = shutil.which("redis-server") or "/usr/bin/redis-server"
needs_redis = pytest.mark.skipif(not Path(REDIS).exists(), reason="needs Debian's redis-server")


def until(happens: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for what another process does, and return what it gives."""
    end = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@contextmanager
def running(command: list[str], log: Path, cwd: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; what it says is in the log."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("WXCS_", "COV_", "REDIS_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=bare | environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of our own on loopback, with nothing written to disk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [REDIS, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    log = tmp_path / "redis.txt"
    with running(command, log, tmp_path):
        until(lambda: b"Ready to accept connections" in log.read_bytes())
        yield f"redis://127.0.0.1:{port}/0"


class Workers(NamedTuple):
    """Two workers of gunicorn, pushed to as WeChat would."""

    port: int
    log: Path

    def push(self, query: str, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", f"/?{query}", body)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def push_at_once(self, query: str, body: bytes, times: int = 50) -> tuple[list[tuple[int, bytes]], set[str]]:
        """Return the answers, and which workers gave them."""
        before = self.log.stat().st_size
        with ThreadPoolExecutor(times) as pool:
            answers = list(pool.map(lambda _: self.push(query, body), range(times)))
        until(lambda: len(self._pids(before)) == times)
        return answers, set(self._pids(before))

    def _pids(self, start: int) -> list[str]:
        return re.findall(r"worker <(\d+)> answered", self.log.read_bytes()[start:].decode())


@contextmanager
def two_workers(sandbox: Sandbox, folder: Path, **environment: str) -> Iterator[Workers]:
    """Start the recipe with the command in README, at a free port, against the sandbox."""
    readme = (RECIPE / "README.md").read_text("utf-8")
    assert "\ngunicorn -w 2 --preload app:app\n" in readme
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "--preload", "app:app", "-b", "127.0.0.1:0"]
    command += ["--access-logfile", "-", "--access-logformat", "worker %(p)s answered"]
    log = folder / "gunicorn.txt"
    secrets = {"APPID": sandbox.appid, "SECRET": sandbox.secret, "PUSH_TOKEN": TOKEN, "AES_KEY": KEY}
    environment |= {f"WXCS_{name}": value for name, value in secrets.items()}
    with sandbox.serve() as url, running(command, log, RECIPE, WXCS_BASE_URL=url, **environment):
        found = until(lambda: re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text()))
        yield Workers(int(found[1]), log)


def message(n: int, content: str) -> tuple[str, bytes]:
    return secure(
        {
            "ToUserName": "gh_1",
            "FromUserName": "ann",
            "CreateTime": 1,
            "MsgType": "text",
            "Content": content,
            "MsgId": n,
        }
    )


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=needs_redis)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "redis":
        return {"REDIS_URL": request.getfixturevalue("redis_url")}
    return {"WXCS_SEEN": str(tmp_path / "seen.sqlite")}


def test_the_same_push_fifty_times_at_once_is_handled_once(store: dict[str, str], tmp_path: Path) -> None:
    """By one of two workers, which both answer; the customer gets one message, and every one of fifty a hand-over."""
    sandbox = Sandbox(appid=APPID)
    ann = sandbox.user("ann")
    with two_workers(sandbox, tmp_path, **store) as workers:
        for n in range(20):  # in most rounds, if not in all, both workers take part
            ann.says("hello")
            shown = len(ann.inbox)
            answers, pids = workers.push_at_once(*message(n, "hello"))
            assert {(200, b"success")} == set(answers)
            assert shown + 1 == len(ann.inbox)
            if len(pids) == 2:
                break
        assert 2 == len(pids)
        answers, _ = workers.push_at_once(*message(100, "human"))
        assert {200} == {status for status, _ in answers}
        for _, sealed in answers:
            assert b"transfer_customer_service" in decrypt(json.loads(sealed)["Encrypt"], aes_key=KEY, appid=APPID)
        shown = len(ann.inbox)
        assert (403, b"") == workers.push(urlencode({"nonce": "1"}), b"{}")
    assert shown == len(ann.inbox)


@needs_redis
def test_a_claim_in_redis(redis_url: str) -> None:
    """The same as one in a file: made once, settled for all, given back; it lapses by itself."""
    redis = Redis.from_url(redis_url)
    recipe = runpy.run_path(str(RECIPE / "redis_seen.py"))["RedisSeen"]
    seen, other = recipe(redis), recipe(redis)
    assert None is seen.claim("a")
    assert [b"", b""] == [seen.claim("a"), other.claim("a")]
    seen.settle("a", b"answer \x00")
    assert b"answer \x00" == other.claim("a")
    other.forget("a")
    seen.settle("a", b"late")
    assert None is seen.claim("a")
    assert [b"wxcs:seen:a"] == redis.keys()
    assert 0 < redis.ttl("wxcs:seen:a") <= 24 * 3600
    with ThreadPoolExecutor(16) as pool:
        assert 5 == list(pool.map(seen.claim, [f"b{n % 5}" for n in range(100)])).count(None)
    redis.close()


def test_without_its_environment_it_says_what_is_missing() -> None:
    """By name, in both languages."""
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=RECIPE, env={"WXCS_APPID": "wx1"}, capture_output=True, text=True, timeout=60
    )
    assert 1 == done.returncode
    assert "Set these in the environment, as README says: WXCS_SECRET, WXCS_PUSH_TOKEN, WXCS_AES_KEY\n请" in done.stderr


def test_a_library_that_is_missing_is_named(tmp_path: Path) -> None:
    """With the command that brings it."""
    (tmp_path / "redis.py").write_text("raise ImportError")
    given = {f"WXCS_{name}": "madeUp" for name in ("APPID", "SECRET", "PUSH_TOKEN", "AES_KEY")}
    given |= {"REDIS_URL": "redis://127.0.0.1", "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "import app"]
    done = subprocess.run(command, cwd=RECIPE, env=given, capture_output=True, text=True, timeout=60)
    assert 1 == done.returncode
    assert "redis is missing: pip install redis\n" in done.stderr
