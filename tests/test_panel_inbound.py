"""A desk and a sandbox in another process, with nothing between them but two loopback ports, as with a real account."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from wxcs_lite import fresh_token, open_pool
from wxcs_lite.panel import Desk, listen
from wxcs_lite.panel.texts import words
from wxcs_lite.push import append_to, push_app
from wxcs_lite.sandbox import Sandbox

TOKEN, KEY, APPID, SECRET = "madeUp", "x" * 42 + "A", "wxsandbox000000009", "madeUpSecret"


class Served:
    """`python -m wxcs_lite sandbox --push URL`, in a process of its own; what is typed into it, and what it prints."""

    def __init__(self, port: int, push_url: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WXCS_", "COV_"))}
        secrets = {"WXCS_PUSH_TOKEN": TOKEN, "WXCS_AES_KEY": KEY, "PYTHONUNBUFFERED": "1"}
        command = ["sandbox", "--port", str(port), "--appid", APPID, "--secret", SECRET, "--push", push_url]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wxcs_lite", *command],
            env=kept | secrets,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._reading.join(20)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Place:
    """An account whose sandbox may be stopped and started, and the desk of its agent."""

    def __init__(self) -> None:
        self.port, self.push_port = free_port(), free_port()
        self.pool = open_pool(f"http://127.0.0.1:{self.port}")
        self.token = fresh_token(self.pool, APPID, SECRET)
        self.started: list[Served] = []

    def start(self) -> Served:
        served = Served(self.port, f"http://127.0.0.1:{self.push_port}/")
        self.started.append(served)
        return served

    def desk(self, ahead: float = 0.0) -> Desk:
        """Open a desk that listens where the sandbox pushes to; its clock may be ahead of the sandbox's."""
        desk = Desk(self.pool, self.token, clock=lambda: time.time() + ahead)
        listen(desk, port=self.push_port, token=TOKEN, aes_key=KEY, appid=APPID)
        return desk

    def close(self) -> None:
        for served in self.started:
            served.stop()
        self.pool.close()


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.close()


async def until(happens: Callable[[], object]) -> None:
    """Wait while the loop runs, as in a kernel that has nothing to do."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() < began + 30
        await asyncio.sleep(0.005)


def has(desk: Desk, *texts: str) -> bool:
    """Return whether the desk has these texts of customers, once each and in this order, without refreshing it."""
    came = [entry["message"] for entry in desk.history if entry["direction"] == "in"]
    return list(texts) == [message["text"]["content"] for message in came if "text" in message]


def shown(widget: Any) -> str:
    """Return all that a widget and those inside it say."""
    inside = "".join(map(shown, getattr(widget, "children", ())))
    return f"{getattr(widget, 'value', '')}\n{inside}"


async def answer(desk: Desk, touser: str, content: str) -> None:
    """Do what an agent does."""
    before = len(desk.history)
    desk.select(touser)
    desk.view.composer.fields["content"].value = content
    desk.send()
    await until(lambda: len(desk.history) > before and desk.history[-1]["result"] != "sending")


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 120))


def test_pushes_arrive_and_answers_are_seen_there(place: Place) -> None:
    """What a customer writes in one process is on the desk in another, and what the desk sends is on the phone."""

    async def test() -> None:
        served, desk = place.start(), place.desk()
        await until(lambda: served.has_said("Pushes go to"))
        for texts in (["hello"], ["hello", "anybody there?"]):
            served.types(f"ann: {texts[-1]}")
            await until(lambda texts=texts: has(desk, *texts))  # type: ignore[misc]
        await answer(desk, "ann", "您好")
        await until(lambda: served.has_said("-> ann: 您好"))
        assert "4 of 5 left" in shown(desk.view.root)
        desk.close()

    run(test())


def test_the_sandbox_is_stopped_and_started(place: Place) -> None:
    """Desk, pool and token go on: meanwhile an answer fails and says so; afterwards all is as before."""

    async def test() -> None:
        served, desk = place.start(), place.desk()
        await until(lambda: served.has_said("Pushes go to"))
        served.types("ann: first")
        await until(lambda: has(desk, "first"))
        await answer(desk, "ann", "one")
        served.stop()
        await answer(desk, "ann", "lost")
        assert "TransportError" == desk.history[-1]["result"]["error"]
        served = place.start()
        await until(lambda: served.has_said("Pushes go to"))
        served.types("ann: second")
        await until(lambda: has(desk, "first", "second"))
        await answer(desk, "ann", "two")
        assert (
            40001 == desk.history[-1]["result"]["errcode"]
        )  # the token is of the run before; nothing is sent by itself
        await answer(desk, "ann", "two")
        await until(lambda: served.has_said("-> ann: two"))
        assert not served.has_said("lost")
        desk.close()

    run(test())


def test_a_desk_is_closed_and_another_opened(place: Place) -> None:
    """In between WeChat hears no success; the next desk takes over the port and hears the next push."""

    async def test() -> None:
        served, desk = place.start(), place.desk()
        await until(lambda: served.has_said("Pushes go to"))
        desk.close()
        served.types("ann: anybody?")
        await until(lambda: served.has_said("pushed for ann: no answer, failed (attempt 4"))
        desk = place.desk()
        served.types("ann: hello")
        await until(lambda: has(desk, "hello"))
        newer = place.desk()  # the cell is run again
        served.types("ann: and now?")
        await until(lambda: has(newer, "and now?"))
        assert has(desk, "hello")
        desk.close()
        newer.close()

    run(test())


@pytest.mark.parametrize("ahead", [0.0, 60.0])
def test_clocks_that_differ_by_half_a_minute(place: Place, ahead: float) -> None:
    """Whichever is ahead, the desk says that nothing is left when WeChat answers 45047, and five after a message."""

    async def test() -> None:
        served, desk = place.start(), place.desk(ahead)
        await until(lambda: served.has_said("Pushes go to"))
        served.types("+30s")  # with no desk's clock ahead, the sandbox's is; with 60 s, the desk's
        served.types("ann: hello")
        await until(lambda: has(desk, "hello"))
        for number in range(6):
            await answer(desk, "ann", f"answer {number}")
        assert 45047 == desk.history[-1]["result"]["errcode"]
        assert words("en")["window_used"].format(total=5) in shown(desk.view.root)
        served.types("ann: again")
        await until(lambda: has(desk, "hello", "again"))
        await until(lambda: "5 of 5 left" in shown(desk.view.root))
        desk.close()

    run(test())


def test_a_server_elsewhere_and_a_desk_that_follows(place: Place, tmp_path: Path) -> None:
    """The server takes pushes while no desk is open; the next desk has all of them."""
    feed = tmp_path / "pushes.jsonl"
    sandbox = Sandbox()
    app = push_app(append_to(feed), token=TOKEN, aes_key=KEY, appid=sandbox.appid)

    async def test() -> None:
        with sandbox.push_to(app, token=TOKEN, aes_key=KEY):
            sandbox.user("ann").says("while it is closed")
            desk = Desk(sandbox.pool(), "a token")
            desk.follow(feed)
            await until(lambda: has(desk, "while it is closed"))
            sandbox.user("ann").says("while it is open")
            await until(lambda: has(desk, "while it is closed", "while it is open"))
            desk.close()

    run(test())
