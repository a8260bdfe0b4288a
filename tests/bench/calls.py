"""CPU and latency of the other calls: the typing status, and a picture of 1 MB each way."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.clients import ByHand, Library, Ours, RawSocket
from tests.bench.measure import Call, apart, interleaved
from tests.bench.peers import open_peers
from tests.bench.samples import MEGABYTE, picture, scratch
from tests.bench.server import Server, answering
from tests.bench.tables import Goal, print_costs

__all__ = ["run"]

_RAW, _HAND, _PIECES, _OURS = "raw socket: the limit", "urlopen, by hand", "urlopen, in 64 KiB pieces", "wxcs_lite"


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    rounds = 2 if quick else 20
    content = picture(MEGABYTE)
    with answering() as server, apart(server), TemporaryDirectory(dir=scratch()) as folder:
        path = Path(folder, "photo.jpg")
        path.write_bytes(content)
        hand, ours, raw = ByHand(server.port), Ours(server.port), RawSocket(server.port)
        raw.prepare(content)
        every: dict[str, Library | None] = {_HAND: hand, _OURS: ours, **open_peers(server.port)}

        _measure("set_typing", {_RAW: raw.typing, **_of(every, "typing")}, server, rounds, 100)
        first: dict[str, Call | None] = {_RAW: raw.upload, _PIECES: partial(hand.upload_in_pieces, content)}
        _measure("upload of 1 MB from bytes", {**first, **_of(every, "upload", content)}, server, rounds, 20)
        _measure("upload of 1 MB from a path", _of(every, "upload", path), server, rounds, 20)
        first = {_RAW: partial(raw.download, MEGABYTE)}
        _measure("download of 1 MB", {**first, **_of(every, "download", MEGABYTE)}, server, rounds, 20)
    return []


def _of(every: Mapping[str, Library | None], verb: str, *args: object) -> dict[str, Call | None]:
    return {name: partial(getattr(library, verb), *args) if library else None for name, library in every.items()}


def _measure(title: str, calls: Mapping[str, Call | None], server: Server, rounds: int, count: int) -> None:
    count = count if rounds > 2 else 3
    costs = interleaved(calls, rounds=rounds, count=count, server=server)
    print_costs(f"{title}: {rounds} rounds of {count} calls", costs, _HAND)
