"""What an operation costs when there are ever more customers and events: flat, or nearly so, is how it should be."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from statistics import median

from tests.bench.measure import Call, interleaved, paired
from tests.bench.tables import Goal, note, print_table, times
from wxcs_lite import Event, fetch_token, send, text, window_left
from wxcs_lite.push import Push
from wxcs_lite.sandbox import Sandbox

__all__ = ["run"]

_EACH = 4  # events of a customer


def run(quick: bool) -> list[Goal]:
    """Measure and print; there is no goal but to be seen."""
    sizes = (1, 100, 1000) if quick else (1, 1000, 100_000)
    rounds, count = (2, 5) if quick else (20, 100)
    rows = [
        ["sandbox: a customer says, send answers", *_costs([_say_and_send(size) for size in sizes], rounds, count)],
        [
            f"window_left, one of N customers ({_EACH} events)",
            *_costs([_one_of(size) for size in sizes], rounds, count),
        ],
        ["panel: a key typed, N customers have written", *_costs([_type_in(size) for size in sizes], rounds, count)],
    ]
    headings = ["CPU µs per operation", *(f"{size:,}" for size in sizes), f"{sizes[-1]:,} / {sizes[0]}"]
    print_table("Growth: with the number of customers", headings, rows)
    rows = [
        ["window_left of one customer", *_costs([_history(size) for size in sizes], max(2, rounds // 4), 3, base=1)]
    ]
    per_event = [float(cell.replace(",", "")) / size for cell, size in zip(rows[0][1:], sizes, strict=False)]
    rows.append(["the same per event", *(f"{cost:.2f}" for cost in per_event), times(per_event[-1] / per_event[1])])
    headings[-1] = f"{sizes[-1]:,} / {sizes[1]:,}"
    print_table("Growth: with the events of one customer", headings, rows)
    note("window_left keeps nothing between calls: it reads all the events that it is given, once.")
    return []


def _costs(calls: Sequence[Call], rounds: int, count: int, *, base: int = 0) -> list[str]:
    """Return CPU µs per operation for each size, and the ratio of the largest to the one at `base`."""
    found = interleaved({str(at): call for at, call in enumerate(calls)}, rounds=rounds, count=count)
    cpu = [cost.cpu for cost in found.values() if cost]
    return [*(f"{median(spent) * 1e6:,.2f}" for spent in cpu), times(paired(cpu[-1], cpu[base]))]


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
    """Return the look at the next customer's window; who has many customers keeps the events of each apart."""
    events = {f"customer-{number}": _events(_EACH) for number in range(customers)}
    coming = cycle(events)
    return lambda: window_left(events[next(coming)], 60.0)


def _type_in(customers: int) -> Call:
    """Return a key typed at a desk to which all of them have written; its history is not drawn anew for that."""
    from wxcs_lite.panel import Desk  # here, for it brings ipywidgets

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
    texts = cycle(["您", "您好"])
    field = desk.view.forms.fields["text"]["content"]

    def operation() -> None:
        field.value = next(texts)

    return operation


def _history(size: int) -> Call:
    events = _events(size)
    return lambda: window_left(events, float(size))


def _events(size: int) -> list[Event]:
    return [Event("sent" if number % 2 else "message", float(number)) for number in range(size)]
