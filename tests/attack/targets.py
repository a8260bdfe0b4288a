"""Pushes to hostile targets: whatever they answer, the pushing process stays small and finishes in time."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from tests.attack.found import Finding, Result
from tests.bench.memory import forget_peak, peak_of_process
from tests.bench.samples import PROJECT
from tests.hostile import Peer, Server, bare, reply
from wxcs_lite.sandbox import Sandbox

__all__ = ["canaries", "run"]

_MEGABYTES = 26  # over the idle process
_SECONDS = 30.0
_TIME_LIMIT = 0.5  # seconds of each attempt
_OK = "HTTP/1.1 200 OK"


def _endless(start: bytes, piece: bytes) -> Callable[[Peer], object]:
    def script(peer: Peer) -> None:
        peer.send(start)
        with suppress(OSError):
            while not peer.server.stopped.is_set():
                peer.send(piece)

    return script


def _says(data: bytes) -> Callable[[Peer], object]:
    return lambda peer: peer.send(data)


def _targets() -> dict[str, Callable[[Peer], object]]:
    """Return what is said to a push, by name."""
    bomb = gzip.compress(bytes(100_000_000))
    megabyte = bytes(2**20)
    chunked = bare(_OK, "Transfer-Encoding: chunked")
    return {
        "an endless body": _endless(bare(_OK), megabyte),
        "an endless body of a length": _endless(bare(_OK, "Content-Length: 9999999999999"), megabyte),
        "an endless chunk": _endless(chunked + b"7fffffffffff\r\n", megabyte),
        "endless chunks": _endless(chunked, b"100000\r\n" + megabyte + b"\r\n"),
        "tiny chunks": _endless(chunked, b"1\r\nx\r\n" * 10_000),
        "an endless size line": _endless(chunked, b"0" * 2**20),
        "an endless extension": _endless(chunked + b"5;", b"x" * 2**20),
        "endless trailers": _endless(chunked + b"0\r\n", b"X: y\r\n" * 100_000),
        "endless headers": _endless(_OK.encode() + b"\r\n", b"X: y\r\n" * 100_000),
        "an endless header": _endless(_OK.encode() + b"\r\nX: ", b"x" * 2**20),
        "an endless status line": _endless(_OK.encode(), b"x" * 2**20),
        "endless interim replies": _endless(b"", bare("HTTP/1.1 100 Go on") * 10_000),
        "a bomb": _says(reply(bomb, "200 OK", "Content-Encoding: gzip")),
        "a bomb in chunks": _says(
            bare(
                _OK,
                "Transfer-Encoding: chunked",
                "Content-Encoding: gzip",
                body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb),
            )
        ),
        "a bomb of two": _says(reply(gzip.compress(bomb), "200 OK", "Content-Encoding: gzip, gzip")),
    }


def run(quick: bool, only: str = "") -> Result:
    """Push to each target from a process of its own."""
    targets = {name: script for name, script in _targets().items() if only in name}
    if quick:
        targets = dict(list(targets.items())[::7])
    found: list[Finding] = []
    most = 0.0
    for name, script in targets.items():
        peak, findings = _pushed(name, script, [])
        most = max(most, peak)
        found += findings
    return Result(len(targets), found, f"peak of {most:.1f} MB over the idle process")


def _pushed(name: str, script: Callable[[Peer], object], more: list[str]) -> tuple[float, list[Finding]]:
    def converse(peer: Peer) -> None:
        heard = peer.read()
        if heard is None:
            return
        if heard.start.startswith("GET"):  # the check of the URL is answered well
            echostr = heard.target.partition("echostr=")[2].partition("&")[0]
            peer.send(reply(echostr.encode(), "200 OK", "Connection: close"))
        else:
            script(peer)

    begun = time.monotonic()
    with Server(converse) as server:
        command = [sys.executable, "-m", "tests.attack.targets", server.url, *more]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return 0.0, [Finding(name, f"ends with {done.returncode}: {done.stderr[-200:]}")]
    peak = json.loads(done.stdout)["peak"] / 2**20
    wrong = [f"takes {peak:.0f} MB"] if peak > _MEGABYTES else []
    if (seconds := time.monotonic() - begun) > _SECONDS:
        wrong.append(f"takes {seconds:.0f} s")
    return peak, [Finding(name, what) for what in wrong]


def canaries() -> dict[str, list[Finding]]:
    """Return what is found for a target whose answer is read to its end."""
    script = _says(reply(bytes(60_000_000)))
    return {"an answer read whole": _pushed("greedy", script, ["greedy"])[1]}


def main() -> None:
    """Push some messages to the URL given, and print the peak over what there was after the first check."""
    url, greedy = sys.argv[1], sys.argv[2:] == ["greedy"]
    sandbox = Sandbox()
    sandbox.push_to(url, token="madeUp", time_limit=_TIME_LIMIT)
    idle = forget_peak()
    if greedy:
        import urllib3

        urllib3.PoolManager().request("POST", url)
    for text in ("one", "two"):
        sandbox.user("ann").says(text)
    print(json.dumps({"peak": peak_of_process() - idle}))


if __name__ == "__main__":
    main()
