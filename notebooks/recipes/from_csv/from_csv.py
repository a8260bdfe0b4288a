"""From a CSV file, or a pandas frame, to messages: first a dry run, then each is sent once, with a ledger."""

import csv
import os
import sys
from collections import Counter
from pathlib import Path

from wxcs_lite import InvalidMessage, check, endpoints, fresh_token, open_pool
from wxcs_lite.batch import report, send_many
from wxcs_lite.request import API

BASE = os.environ.get("WXCS_BASE_URL", API)
CAMPAIGN = "shipped-2026-11"  # part of every key: another list about the same orders is another campaign


def rows_of(path):
    """Yield the rows of a CSV file as dicts of texts, one at a time, so a file of any length needs little memory."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:  # Excel writes a byte order mark
        yield from csv.DictReader(file)


def frame_of(path):
    """Return the same file as a pandas frame: `messages(frame_of(path).to_dict("records"))` does the rest."""
    import pandas

    return pandas.read_csv(path, dtype=str, keep_default_na=False)  # else 00017 becomes 17, and an empty cell NaN


def messages(rows):
    """Yield (key, message) for each row; change this to what you want to say."""
    for row in rows:
        content = f"{row['name']}，您好！您的订单 {row['order']} 已发货。"
        # Not with `text`, which stops at an empty openid: the dry run tells its row, and looks at the others, too.
        message = {"touser": row["openid"], "msgtype": "text", "text": {"content": content}}
        yield f"{CAMPAIGN}-{row['order']}", message


def dry_run(items):
    """Print what would be refused and what looks odd, and return whether the list can be sent."""
    counts, customers, keys = Counter(), Counter(), set()
    for number, (key, message) in enumerate(items, 2):  # as a spreadsheet counts: the first row has the names
        try:
            endpoints.send(message)
        except InvalidMessage as error:
            print(f"row {number}: {error.en}")
            counts["invalid"] += 1
            continue
        counts["messages"] += 1
        counts["the same key again"] += key in keys
        keys.add(key)
        customers[message["touser"]] += 1
        for remark in check(message):
            print(f"row {number}: {remark.field} {remark.en}")
    counts["customers with more than five"] = sum(number > 5 for number in customers.values())
    print(", ".join(f"{number} {name}" for name, number in counts.items() if number))
    return not counts["invalid"]


def main(path, is_meant):
    """Look at the list, and send it if that is meant; the exit status is 0 if every message is sent, or could be."""
    if not dry_run(messages(rows_of(path))):
        return 1
    if not is_meant:
        print("Nothing was sent; add --send to send. / 没有发送；加 --send 才会发送。")
        return 0
    with open_pool(BASE, maxsize=16) as pool:
        token = fresh_token(pool, os.environ["WXCS_APPID"], os.environ["WXCS_SECRET"])
        ledger = f"{CAMPAIGN}.sqlite"
        with send_many(messages(rows_of(path)), token=token, open_pool=lambda: pool, ledger=ledger) as batch:
            for outcome in batch:
                if outcome.error is not None:
                    print(outcome.key, outcome.error.en)
    print(report(batch))
    return 0 if report(batch).states.keys() <= {"sent", "skipped", "duplicate"} else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Name the file, as README says / 请指定文件（见 README）: python from_csv.py customers.csv")
    missing = ", ".join(name for name in ("WXCS_APPID", "WXCS_SECRET") if not os.environ.get(name))
    if missing and "--send" in sys.argv:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    sys.exit(main(sys.argv[1], "--send" in sys.argv))
