"""CPU and latency of one `send`, keep-alive, one thread."""

from statistics import median

from tests.bench.clients import ByHand, HttpClient, Ours, RawSocket
from tests.bench.measure import Call, Cost, apart, interleaved, paired
from tests.bench.peers import PEERS, open_peers
from tests.bench.server import Server, answering
from tests.bench.tables import Goal, note, print_costs, times

__all__ = ["run"]

_RAW, _READY, _HAND, _OURS = "raw socket: the limit", "urlopen, ready bytes", "urlopen, by hand", "wxcs_lite.send"
_TIMES = 3.2


def run(quick: bool) -> list[Goal]:
    """Measure, print, and say whether the goals are met."""
    rounds, count = (2, 10) if quick else (40, 200)
    with answering() as server, apart(server):
        costs = interleaved(_calls(server), rounds=rounds, count=count, server=server)
    hand, ours = costs[_HAND], costs[_OURS]
    assert hand
    assert ours
    title = f"send: {rounds} rounds of {count} calls, keep-alive, one thread"
    print_costs(title, costs, _HAND)
    print()
    _print_ratios(costs, ours)
    _print_server(costs)
    goals = [_goal("CPU per send / by hand", "0.90× or less", ratio := paired(ours.cpu, hand.cpu), ratio <= 0.90)]
    if theirs := costs["wechatpy"]:
        ratio = paired(theirs.wall, ours.wall)
        allowed, bound = median(theirs.wall) / _TIMES * 1e6, median(hand.wall) * 1e6
        note(f"{_TIMES} times wechatpy's rate would be {allowed:.0f} µs a send; by hand it takes {bound:.0f}.")
        goals.append(_goal("send rate / wechatpy's", f"{_TIMES}× or more", ratio, ratio >= _TIMES))
    return goals


def _calls(server: Server) -> dict[str, Call | None]:
    hand = ByHand(server.port)
    peers = open_peers(server.port)
    return {
        _RAW: RawSocket(server.port).send,
        "http.client, by hand": HttpClient(server.port).send,
        _READY: hand.send_ready,
        _HAND: hand.send,
        _OURS: Ours(server.port).send,
        **{name: peer.send if peer else None for name, peer in peers.items()},
    }


def _print_ratios(costs: dict[str, Cost | None], ours: Cost) -> None:
    for base in (_READY, _HAND):
        cost = costs[base]
        assert cost
        print(f"CPU of {_OURS} / {base}: {times(paired(ours.cpu, cost.cpu))}")
    hand = costs[_HAND]
    assert hand
    for name in PEERS:
        if cost := costs[name]:
            rate, cpu, bound = paired(cost.wall, ours.wall), paired(cost.cpu, ours.cpu), paired(cost.wall, hand.wall)
            print(f"{_OURS} beside {name}: {times(rate)} its rate (by hand: {times(bound)}), 1/{cpu:.1f} of its CPU")


def _print_server(costs: dict[str, Cost | None]) -> None:
    raw = costs[_RAW]
    others = {name: cost for name, cost in costs.items() if cost and name != _RAW}
    assert raw
    fastest = max(others, key=lambda name: others[name].rate)
    # The CPU time that it counts itself, over wall time.
    busy = max(cost.busy for cost in others.values())
    asked = times(paired(others[fastest].wall, raw.wall))
    note(
        f"The server is not the bottleneck: to the raw socket it gives {raw.rate:,.0f} replies a second, {asked} what "
        f"the fastest of the others asks for ({fastest}), and for them it is at work {busy:.0%} of the time at most. "
        "A client that waits uses no CPU, so the CPU columns do not hold the server's work; the median latency "
        f"holds {raw.percentile(50) * 1e6:.0f} µs of it at most, the raw socket's p50."
    )


def _goal(what: str, goal: str, ratio: float, met: bool) -> Goal:
    return Goal(what, goal, times(ratio), met)
