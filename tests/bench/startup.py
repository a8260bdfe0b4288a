"""What an import costs a new process, beyond the cost of urllib3."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from random import Random
from statistics import median, quantiles

from tests.bench.samples import PROJECT
from tests.bench.tables import NOT_INSTALLED, Goal, milliseconds, note, print_table, times

__all__ = ["run"]

_URLLIB3, _OURS = "urllib3", "wxcs_lite"
# httpx loads most of itself when the first client is made, so that counts, too. All without the certificates, which the
# others load when they connect.
_CODE = {
    _URLLIB3: "import urllib3",
    _OURS: "import wxcs_lite",
    "wxcs_lite.push": "import wxcs_lite.push",
    "requests": "import requests",
    "httpx": "import httpx",
    "wechatpy": "import wechatpy",
    "urllib3, HTTPSConnectionPool()": "import urllib3; urllib3.HTTPSConnectionPool('api.weixin.qq.com')",
    "wxcs_lite, open_pool()": "import wxcs_lite; wxcs_lite.open_pool()",
    "requests, Session()": "import requests; requests.Session()",
    "httpx, Client(verify=False)": "import httpx; httpx.Client(verify=False)",
    "wechatpy, WeChatClient()": "import wechatpy; wechatpy.WeChatClient('APPID', 'SECRET')",
}
_NOTHING = "(nothing)"
_LIMIT = 0.015  # seconds
_PAIRS = 40  # for the goal
_BEST_OF = 3


def run(quick: bool) -> list[Goal]:
    """Measure, print, and say whether the goal is met."""
    pairs = 1 if quick else 30
    there = [name for name in _CODE if find_spec(re.split("[.,]", name)[0])]
    spans = _cold([_NOTHING, *there], pairs, warm_up=not quick)
    bare, base = spans[_NOTHING], spans[_URLLIB3]
    rows = [[_NOTHING, f"{median(bare) * 1e3:.1f}", "", "", ""]]
    for name in _CODE:
        if name not in there:
            rows.append([name, NOT_INSTALLED])
            continue
        found = spans[name]
        over, beyond = _difference(found, bare), _difference(found, base)
        ratio = median((a - c) / (b - c) for a, b, c in zip(found, base, bare, strict=True))
        rows.append([name, f"{median(found) * 1e3:.1f}", f"{over * 1e3:.1f}", milliseconds(beyond), times(ratio)])
    headings = ("import", "wall ms", "over bare Python", "over urllib3", "/ urllib3's")
    print_table(f"Start-up: cold python -c, medians of {pairs} in turns", headings, rows)
    pair = _cold([_URLLIB3, _OURS], pairs if quick else _PAIRS, best_of=_BEST_OF)
    beyond = _difference(pair[_OURS], pair[_URLLIB3])
    low, _, high = quantiles([a - b for a, b in zip(pair[_OURS], pair[_URLLIB3], strict=True)] * 2)
    note(
        "Single starts differ by more, because other machines share the host, and that can only add time. So the "
        f"goal is judged by {len(pair[_OURS])} more pairs, each the fastest of {_BEST_OF} starts: "
        f"{milliseconds(beyond)}, half of them from {milliseconds(low)} to {milliseconds(high)}."
    )
    return [Goal("import wxcs_lite over import urllib3", "15 ms or less", milliseconds(beyond), beyond <= _LIMIT)]


def _difference(mine: Sequence[float], theirs: Sequence[float]) -> float:
    return median(a - b for a, b in zip(mine, theirs, strict=True))


def _cold(modules: Sequence[str], rounds: int, *, warm_up: bool = False, best_of: int = 1) -> dict[str, list[float]]:
    """Return the wall seconds of `python -c "import …"`, one a round, in another order each time."""
    spans: dict[str, list[float]] = {name: [] for name in modules}
    order = Random(0)
    # Without written bytecode every process would compile again, and hide everything else.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(-warm_up, rounds):
        found: dict[str, list[float]] = {name: [] for name in modules}
        for name in order.sample(list(modules) * best_of, len(modules) * best_of):
            command = [sys.executable, "-c", _CODE.get(name, "pass")]
            begun = time.perf_counter()
            subprocess.run(command, check=True, cwd=PROJECT, env=environ)
            found[name].append(time.perf_counter() - begun)
        if turn >= 0:  # the first ones write the bytecode and fill the file cache
            for name, each in found.items():
                spans[name].append(min(each))
    return spans
