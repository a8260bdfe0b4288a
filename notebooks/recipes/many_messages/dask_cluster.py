"""Send a file of messages through a Dask cluster: two worker processes here, or the cluster at an address."""

import json
import os
import sys
from pathlib import Path

from distributed import Client, LocalCluster

from wxcs_lite import fresh_token, open_pool
from wxcs_lite.batch import report, send_many
from wxcs_lite.request import API

BASE = os.environ.get("WXCS_BASE_URL", API)


def messages(path):
    """Yield (key, message) for each line."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            yield found["key"], found["message"]


def main(path, scheduler=None):
    """Send the list and print the account; the exit status is 0 if every message is sent."""
    cluster = scheduler or LocalCluster(n_workers=2, threads_per_worker=8, dashboard_address=None)
    with Client(cluster) as client, open_pool(BASE) as pool:
        token = fresh_token(pool, os.environ["WXCS_APPID"], os.environ["WXCS_SECRET"])
        with send_many(  # each worker opens a pool of its own at BASE; this process alone renews the token
            messages(path), token=token, open_pool=BASE, executor=client, ledger=f"{path}.sqlite", rate=500
        ) as batch:
            for outcome in batch:
                if outcome.error is not None:
                    print(outcome.key, outcome.error.en)
    print(report(batch))
    return 0 if report(batch).states.keys() <= {"sent", "skipped"} else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Name the file, as README says / 请指定文件（见 README）: python dask_cluster.py messages.jsonl")
    missing = ", ".join(name for name in ("WXCS_APPID", "WXCS_SECRET") if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    sys.exit(main(*sys.argv[1:3]))
