"""What an operation costs as customers and events increase: it should stay flat, or nearly so."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import cycle
from statistics import median
from typing import Any

from tests.bench.measure import Call, interleaved, paired
from tests.bench.tables import NOT_INSTALLED, Goal, note, print_table, times
from wxcs_lite import WindowEvent, fetch_token, send, text, window_left
from wxcs_lite.push import Push
from wxcs_lite.sandbox import Sandbox

__all__ = ["run"]

_EACH = 4  # events of a customer


def run(quick: bool) -> list[Goal]:
    """Measure and print; no target has to be met."""
    sizes = (1, 100, 1000) if quick else (1, 1000, 100_000)
    rounds, count = (2, 5) if quick else (20, 100)
    rows = [
        ["sandbox: a customer says, send answers", *_costs([_say_and_send(size) for size in sizes], rounds, count)],
        [
            f"window_left, one of N customers ({_EACH} events)",
            *_costs([_one_of(size) for size in sizes], rounds, count),
        ],
        *_panel(sizes, rounds, count),
    ]
    headings = ["CPU µs per operation", *(f"{size:,}" for size in sizes), f"{sizes[-1]:,} / {sizes[0]}"]
    print_table("Growth: with the number of customers", headings, rows)
    # Each by itself: a large one would leave nothing in the caches for those that come after it.
    whole = [_cost(_history(size), rounds, max(1, 3_000 // size)) for size in sizes]
    each = [cost / size for cost, size in zip(whole, sizes, strict=True)]
    rows = [
        [name, *(f"{cost * 1e6:,.2f}" for cost in costs), times(costs[-1] / costs[1])]
        for name, costs in (("window_left of one customer", whole), ("the same per event", each))
    ]
    headings[-1] = f"{sizes[-1]:,} / {sizes[1]:,}"
    print_table("Growth: with the events of one customer", headings, rows)
    note("window_left keeps nothing between calls: it reads all the events that it is given, once.")
    return []


def _cost(call: Call, rounds: int, count: int) -> float:
    cost = interleaved({"": call}, rounds=rounds, count=count)[""]
    assert cost
    return median(cost.cpu)


def _costs(calls: Sequence[Call], rounds: int, count: int) -> list[str]:
    """Return CPU µs per operation for each size, and the ratio of the largest to the first."""
    found = interleaved({str(at): call for at, call in enumerate(calls)}, rounds=rounds, count=count)
    cpu = [cost.cpu for cost in found.values() if cost]
    return [*(f"{median(spent) * 1e6:,.2f}" for spent in cpu), times(paired(cpu[-1], cpu[0]))]


def _say_and_send(customers: int) -> Call:
    """Return an operation on the next customer of a sandbox in which all of them have written already."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    names = [f"customer-{number}" for number in range(customers)]
    for name in names:
        sandbox.user(name).says("hello")
    coming = cycle(names)

    def operation() -> None:
        touser = next(coming)
        sandbox.user(touser).says("在吗？")
        send(pool, token, text(touser, "您好"))

    return operation


def _one_of(customers: int) -> Call:
    """Return a look at the next customer's window; a program with many customers keeps the events of each apart."""
    events = {f"customer-{number}": _events(_EACH) for number in range(customers)}
    coming = cycle(events)
    return lambda: window_left(events[next(coming)], 60.0)


def _panel(sizes: Sequence[int], rounds: int, count: int) -> list[list[str]]:
    """Return the panel's cost of a text, of choosing a customer, and of each second."""
    names = [f"panel: {what}, N customers" for what in ("a text", "another customer", "a second")]
    if find_spec("ipywidgets") is None:
        return [[name, NOT_INSTALLED] for name in names]
    desks = [_desk(size) for size in sizes]
    kinds = (
        [_types(desk.view.composer.fields["content"]) for desk in desks],
        [_chooses(desk) for desk in desks],
        [desk.refresh for desk in desks],
    )
    rows = [[name, *_costs(calls, rounds, count)] for name, calls in zip(names, kinds, strict=True)]
    for desk in desks:
        desk.close()
    return rows


def _desk(customers: int) -> Any:
    """Return a desk to which all of them have written."""
    from wxcs_lite.panel import Desk  # here, because it imports ipywidgets

    sandbox = Sandbox()
    desk = Desk(sandbox.pool(), "80_made-up", touser="customer-0", clock=sandbox.clock)
    pushes = [
        Push({"FromUserName": f"customer-{number}", "CreateTime": 0, "MsgType": "text", "Content": "hello"})
        for number in range(customers)
    ]
    # In another thread, so that they are drawn once, at the end.
    with ThreadPoolExecutor(1) as elsewhere:
        list(elsewhere.map(desk.receive, pushes))
    desk.refresh()
    return desk


def _types(field: Any) -> Call:
    texts = cycle(["您", "您好"])

    def operation() -> None:
        field.value = next(texts)

    return operation


def _chooses(desk: Any) -> Call:
    customers = cycle(["customer-0", "customer-1"])
    return lambda: desk.select(next(customers))


def _history(size: int) -> Call:
    events = _events(size)
    return lambda: window_left(events, float(size))


def _events(size: int) -> list[WindowEvent]:
    return [WindowEvent("sent" if number % 2 else "message", float(number)) for number in range(size)]
