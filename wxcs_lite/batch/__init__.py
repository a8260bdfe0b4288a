"""Many messages, at most once each: from threads, processes or a Dask cluster, with a ledger that survives the program.

    from wxcs_lite.batch import report, send_many

    with send_many(messages, token=fresh_token(pool, appid, secret), open_pool=url, ledger="run.sqlite") as batch:
        for outcome in batch:
            ...
    print(report(batch))

Run it again with the same ledger, whatever has happened: what was sent is skipped, what may have been delivered is
reported, and the rest is sent.
"""

from wxcs_lite.batch.engine import Batch
from wxcs_lite.batch.outcome import BatchStopped, LedgerError, Outcome, State
from wxcs_lite.batch.reading import Entry, export_csv, read_ledger
from wxcs_lite.batch.report import Report, report
from wxcs_lite.batch.sending import send_many
from wxcs_lite.batch.worker import ignore_interrupts

__all__ = [
    "Batch",
    "BatchStopped",
    "Entry",
    "LedgerError",
    "Outcome",
    "Report",
    "State",
    "export_csv",
    "ignore_interrupts",
    "read_ledger",
    "report",
    "send_many",
]
