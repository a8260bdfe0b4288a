"""After a fork each process has connections and locks of its own, whatever was held or used at that instant."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
import urllib3

from tests.hostile import Heard, Server, answers, certificate, reply
from wxcs_lite import forks, fresh_token, open_pool, send, stream, text
from wxcs_lite.push import push_app
from wxcs_lite.sandbox import Sandbox, core

ROOT = Path(__file__).parents[1]
MEDIUM = b"\xff\xd8\xff" + bytes(range(256)) * 4096  # larger than what sockets hold for a reader that waits
TOKEN = "80_made-up"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is missing")


def play(scene: str, **given: object) -> Any:
    """Run a scene of `tests.forking`; an unclosed socket, or any other warning of Python, fails it."""
    # It forks beside threads on purpose, and a child leaves the ledger of its parent open.
    allowed = ("This process:DeprecationWarning", "unclosed database:ResourceWarning")
    warnings = ("-W", "error", *(part for one in allowed for part in ("-W", f"ignore:{one}")))
    command = [sys.executable, *warnings, "-m", "tests.forking", scene, json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "" == done.stderr
    return json.loads(done.stdout)


def answered(heard: Heard) -> bytes:
    """Answer a message with its own content, an upload with a media_id, anything else with a medium in chunks."""
    if heard.target.startswith("/cgi-bin/media/upload"):
        return reply(b'{"type":"image","media_id":"M1","created_at":1}')
    if heard.target.startswith("/cgi-bin/media/get"):
        return reply(MEDIUM, "200 OK", "Content-Type: image/jpeg")
    content = json.loads(heard.body)["text"]["content"]
    return reply(json.dumps({"errcode": 0, "errmsg": "ok", "echo": content}).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answers(answered)) as server:
        yield server


@pytest.mark.parametrize("kind", ["ours", "foreign", "unblocking", "unseen"])
def test_no_reply_crosses(server: Server, kind: str) -> None:
    """Three children and their parent get their own replies, though one kept connection was there at the fork."""
    assert [0, 0, 0, 0] == play("crossed", url=server.url, kind=kind)
    assert 4 == server.connections


def test_a_session_of_tls_goes_on_in_the_parent() -> None:
    """The children close their copies without a word on it: the parent's next call is on the same connection."""
    with Server(answers(answered), tls=True) as server:
        assert [0, 0, 0, 0] == play("crossed", url=server.url, kind="foreign", ca=certificate().pem)
        assert 4 == server.connections


def test_a_childs_child_starts_again_too(server: Server) -> None:
    """However often it is forked."""
    assert [0, 0] == play("grandchild", url=server.url)


def test_a_closed_pool_stays_closed(server: Server) -> None:
    """A fork opens nothing."""
    assert "TransportError" == play("closed", url=server.url)


@pytest.mark.parametrize("kind", ["ours", "foreign", "unseen"])
def test_a_held_queue(server: Server, kind: str) -> None:
    """The lock of a pool's queue may be held at the fork: the child sends, and ends."""
    assert 0 == play("queue_lock", url=server.url, kind=kind)


def test_a_held_lock_of_ours(server: Server) -> None:
    """The lock that guards which pools are known may be held."""
    assert 0 == play("meeting_lock", url=server.url)


def test_a_held_fresh_token() -> None:
    """Another thread is fetching at the fork: the child fetches for itself."""
    assert play("fresh_lock") is True


def test_a_held_sandbox() -> None:
    """A box in memory works on in the child: calls, customers, clock and pushes."""
    assert [1, 1, 1] == play("sandbox_lock")


def test_push_app_at_work() -> None:
    """The child's handler runs in threads of its own; a push that its parent is handling gets SUCCESS, once handled."""
    assert [["another"], 200, "success"] == play("push_locks")


@pytest.mark.parametrize("tls", [False, True])
def test_a_stream_stays_with_its_process(tls: bool) -> None:
    """The child cannot read it, gives its connection back to nobody, and sends on one of its own."""
    with Server(answers(answered), tls=tls) as server:
        found, parent, sent = play("stream_here", url=server.url, ca=certificate().pem if tls else None)
        assert ["RuntimeError", False, 0] == found
        assert [len(MEDIUM), list(range(256))] == parent
        assert 0 == sent
        assert 2 == server.connections


def test_a_stream_of_another_thread(server: Server) -> None:
    """A child that lets go of it disturbs neither the parent's thread nor its own pool."""
    assert [0, [len(MEDIUM), list(range(256))], 0] == play("stream_elsewhere", url=server.url)


@pytest.mark.parametrize("at", ["start", "end"])
def test_an_upload_stays_with_its_process(server: Server, at: str) -> None:
    """A child that comes back from `progress` fails, sends nothing on its parent's connection, and can go on."""
    (child, sent), media_id, sent_by_parent = play("upload_here", url=server.url, at=at)
    assert ("RuntimeError", 0, "M1", 0) == (child, sent, media_id, sent_by_parent)


def test_a_preloaded_program() -> None:
    """As under `gunicorn --preload`: the parent has sent already, and its workers get each their own replies."""
    sandbox = Sandbox(clock=time.time)
    names = ["ann", *(f"ann-{thread}-{number}" for thread in range(2) for number in range(50))]
    for name in names:
        sandbox.user(name).says("hi")
    with sandbox.serve() as url:
        ann, bob = play("preloaded", url=url, appid=sandbox.appid, secret=sandbox.secret)
    assert [100, ["ok"]] == ann
    assert [100, ["WindowClosed"]] == bob
    assert {name: [f"hi {name}"] for name in names} == {
        name: [shown.message["text"]["content"] for shown in sandbox.user(name).inbox] for name in names
    }


def test_a_batch_stays_with_its_process(tmp_path: Path) -> None:
    """A child cannot go on with it, and closing it there, or leaving, neither waits nor touches the ledger."""
    assert ["RuntimeError", 39, ["sent"], ["sent"]] == play("batch_left", folder=str(tmp_path))


def test_a_served_box_is_left_by_a_child() -> None:
    """The child waits for no thread of its parent's, and the parent serves on."""
    assert ["left", 404] == play("serving")


# --- the same in this process, where each line can be seen


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the test's own is known, as in a process that was never forked."""
    monkeypatch.setattr(forks, "_queues", set())
    monkeypatch.setattr(forks, "_renewables", WeakSet())
    monkeypatch.setattr(forks, "_is_child", False)
    monkeypatch.setattr(forks, "_meeting", forks._meeting)
    monkeypatch.setattr(forks, "_ORPHANED", 0.05)
    monkeypatch.setattr(core, "_cores", WeakSet())


def kept(pool: urllib3.HTTPConnectionPool) -> list[Any]:
    assert pool.pool is not None
    return list(pool.pool.queue)


@pytest.mark.usefixtures("_alone")
def test_a_known_pool_starts_again(server: Server) -> None:
    """It has as many places as before, with nothing open, even if one was in use and the lock was held."""
    with closing(open_pool(server.url, maxsize=3)) as pool:
        send(pool, TOKEN, text("ann", "hi"))
        assert pool.pool is not None
        in_use = pool.pool.get()
        pool.pool.mutex.acquire()
        forks.in_child()
        in_use.close()
        assert [None, None, None] == kept(pool)
        send(pool, TOKEN, text("ann", "hi"))
    assert 2 == server.connections


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("is_held", [False, True])
def test_an_unknown_pool_lets_idle_connections_go(server: Server, is_held: bool) -> None:
    """Once, when a child passes it in first; a place in use stays in use, unless the lock is held for good."""
    with closing(urllib3.HTTPConnectionPool("127.0.0.1", server.port, maxsize=3, block=True)) as pool:
        pool.request("POST", "/", json={"text": {"content": "first"}})
        assert pool.pool is not None
        in_use = pool.pool.get()
        in_use.close()
        pool.pool.put(pool.pool.get())
        forks.in_child()
        if is_held:
            pool.pool.mutex.acquire()
        forks.watch(pool)
        assert [None] * (3 if is_held else 2) == kept(pool)
        send(pool, TOKEN, text("ann", "hi"))
        found = kept(pool)
        forks.watch(pool)
        assert found == kept(pool)


@pytest.mark.usefixtures("_alone")
def test_what_is_known_already_is_met_once(server: Server) -> None:
    """Of two threads that pass a pool in at the same time, the second leaves the first one's connections in it."""
    with closing(open_pool(server.url)) as pool:
        forks.in_child()
        send(pool, TOKEN, text("ann", "hi"))
        found = kept(pool)
        assert pool.pool is not None
        forks._meet(pool.pool)
        assert found == kept(pool)


@pytest.mark.usefixtures("_alone")
def test_a_process_that_was_not_forked_keeps_what_a_pool_has(server: Server) -> None:
    """A connection that urllib3 alone has opened there is its own."""
    with closing(urllib3.HTTPConnectionPool("127.0.0.1", server.port)) as pool:
        pool.request("POST", "/", json={"text": {"content": "first"}})
        send(pool, TOKEN, text("ann", "hi"))
    assert 1 == server.connections


@pytest.mark.usefixtures("_alone")
def test_what_cannot_be_closed_keeps_no_other_open() -> None:
    """A stranger's connection that fails to close is left alone."""

    class Stubborn:
        def close(self) -> None:
            raise OSError("no")

    class Pool:
        pool: "queue.Queue[object]" = queue.LifoQueue(2)

    class Connection:
        is_open = True

        def close(self) -> None:
            self.is_open = False

    connection = Connection()
    Pool.pool.put(Stubborn())
    Pool.pool.put(connection)
    forks.watch(Pool())
    forks.in_child()
    assert not connection.is_open
    assert [None, None] == list(Pool.pool.queue)


@pytest.mark.usefixtures("_alone")
def test_what_has_no_queue_is_no_pool_of_urllib3() -> None:
    """A pool of another make is passed by."""
    forks.watch(object())
    forks.in_child()


@pytest.mark.usefixtures("_alone")
def test_locks_are_renewed() -> None:
    """A sandbox, a fresh_token and a push_app of a child have new ones."""
    sandbox = Sandbox()
    token = fresh_token(sandbox.pool(), sandbox.appid, sandbox.secret)
    app = push_app(print, token=TOKEN)
    before = sandbox._core.lock, token._lock, app._once._lock
    core.in_child()
    forks.in_child()
    assert not {*before} & {sandbox._core.lock, token._lock, app._once._lock}


def test_a_copy_of_a_stream_goes_back_into_no_pool(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process it refuses to be read, and leaving it closes what it has."""
    process = os.getpid()
    with closing(open_pool(server.url, maxsize=1)) as pool:
        with stream(pool, TOKEN, "media") as medium:
            monkeypatch.setattr(os, "getpid", lambda: process + 1)
            with pytest.raises(RuntimeError, match="only the parent can continue it"):
                next(medium)
        assert [] == kept(pool)


def test_a_served_box_stops_in_its_own_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process there is no thread to stop."""
    process = os.getpid()
    with Sandbox().serve():
        [loop] = [thread for thread in threading.enumerate() if thread.name == "wxcs_lite sandbox"]
        monkeypatch.setattr(os, "getpid", lambda: process + 1)
    assert loop.is_alive()
    loop._target.__self__.shutdown()  # type: ignore[attr-defined]
    loop.join()
