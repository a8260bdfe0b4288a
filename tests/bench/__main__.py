"""Measure and print: CPU per `send` beside the same call by hand, and the cost of the import."""

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

import wxcs_lite
from tests.bench.server import answering

CALLS, ROUNDS = 400, 25
IMPORTS = 20
TOKEN = "80_" + "made-up_" * 16 + "token"
MESSAGE = wxcs_lite.text("oABCD-efgh_1234567890abcdef0", "您好，您的订单已经发出，预计明天送达。")
HEADERS = {"Content-Type": "application/json"}


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}; {ROUNDS} rounds of {CALLS} calls, interleaved")
    with answering() as port:
        pool = wxcs_lite.open_pool(f"http://127.0.0.1:{port}")
        ready_url = f"/cgi-bin/message/custom/send?access_token={quote(TOKEN, safe='')}"
        ready_body = json.dumps(MESSAGE, ensure_ascii=False).encode()

        def ready() -> object:
            return pool.urlopen("POST", ready_url, body=ready_body, headers=HEADERS, retries=False).data

        def by_hand() -> object:
            body = json.dumps(MESSAGE, ensure_ascii=False).encode()
            url = f"/cgi-bin/message/custom/send?access_token={quote(TOKEN, safe='')}"
            reply = pool.urlopen("POST", url, body=body, headers=HEADERS, retries=False)
            found = json.loads(reply.data)
            if found["errcode"]:
                raise RuntimeError(found)
            return found

        def ours() -> object:
            return wxcs_lite.send(pool, TOKEN, MESSAGE)

        costs = cpu_per_call({"urlopen, ready bytes": ready, "the same call by hand": by_hand, "wxcs_lite.send": ours})
    for name, seconds in costs.items():
        print(f"{name:24} {statistics.median(seconds) * 1e6:7.1f} µs CPU per call")
    for base in ("the same call by hand", "urlopen, ready bytes"):
        ratios = [mine / theirs for mine, theirs in zip(costs["wxcs_lite.send"], costs[base], strict=True)]
        print(f"wxcs_lite.send / {base}: {statistics.median(ratios):.3f}")
    print(f"import wxcs_lite over import urllib3: {import_cost() * 1e3:+.1f} ms (median of {IMPORTS} pairs)")


def cpu_per_call(calls: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return user + system seconds per call, one value a round; the order turns, so that drift hits all alike."""
    costs: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(ROUNDS + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            call = calls[name]
            begun = time.process_time()
            for _ in range(CALLS):
                call()
            if turn:  # the first round warms up
                costs[name].append((time.process_time() - begun) / CALLS)
    return costs


def import_cost() -> float:
    """Return the wall seconds that the import takes beyond urllib3's, as the median of pairs."""

    def cold(module: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - begun

    cold("wxcs_lite")
    return statistics.median(cold("wxcs_lite") - cold("urllib3") for _ in range(IMPORTS))


if __name__ == "__main__":
    main()
