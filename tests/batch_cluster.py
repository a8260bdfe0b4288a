"""A real Dask cluster of two processes, one of which is killed in the middle of a batch.

    python -m tests.batch_cluster

Counts at the sandbox's HTTP door; Dask runs the tasks of a lost worker again elsewhere, unless it is kept from that.
"""

import importlib
import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from wxcs_lite import fetch_token, open_pool, text
from wxcs_lite.batch import send_many
from wxcs_lite.sandbox import Sandbox

_COUNT = 300


def main() -> int:
    """Print what became of the messages; 0 if none was delivered twice, and all others are known."""
    # Not at the top: it changes how exceptions are copied (tblib), for all tests of a process; and it has no types.
    dask: Any = importlib.import_module("distributed")
    sandbox = Sandbox()
    names = [f"oCUSTOMER_{number:04}" for number in range(_COUNT)]
    for name in names:
        sandbox.user(name).says("?")
    with (
        TemporaryDirectory() as folder,
        sandbox.serve() as url,
        dask.LocalCluster(n_workers=2, threads_per_worker=4, dashboard_address=None) as cluster,
        dask.Client(cluster) as client,
    ):
        pids = [*client.run(os.getpid).values()]
        killer = Timer(0.4, os.kill, (pids[0], signal.SIGKILL))
        token = fetch_token(sandbox.pool(), sandbox.appid, sandbox.secret)
        messages = [text(name, "您好") for name in names]
        ledger = Path(folder, "run.sqlite")
        killer.start()
        with send_many(
            messages,
            token=token,
            open_pool=partial(open_pool, url),
            executor=client.get_executor(),
            ledger=ledger,
            rate=400,
        ) as batch:
            states = Counter(outcome.state for outcome in batch)
        killer.join()
    inboxes = [len(sandbox.user(name).inbox) for name in names]
    twice = sum(each > 1 for each in inboxes)
    print(f"{dict(states)}, delivered: {sum(inboxes)}, twice: {twice}")
    explained = states["sent"] + states["unknown"] == _COUNT
    bounded = states["sent"] <= sum(inboxes) <= states["sent"] + states["unknown"]
    return 0 if explained and bounded and not twice and 0 < states["sent"] else 1


if __name__ == "__main__":
    sys.exit(main())
