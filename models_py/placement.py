"""Which workloads run on which nodes: at the least cost, or with the most headroom.

A workload is served by full groups of devices of one kind, and by a share of the time of one more for
the rest, on that kind or another; workloads share a group where its memory holds them all. Sharing is
taken to cost nothing: each gets its share of what it would do alone (isolation).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.fleet import Fleet, Solution
from models_py.ways import groups_of, on_groups, ways_of

SECONDS, GAP = 10.0, 0.01
SCALED = 1024.0  # factors of the demand beyond which none is tried
MOST_NODES = 100_000
COPY = ["workload", "point", "kind", "node", "first_device", "device_count", "share", "memory"]
COPY += ["carried"]


@dataclass(frozen=True)
class Placement:
    """Where workloads run.

    Attributes
    ----------
    copies
        One row per replica, or share of one: `workload`, `point` (a row of the points), `kind` (a row of
        the inventory), `node` (its number, from 1), `first_device` and `device_count` of its group,
        `share` of the group's time, `memory` (share of the group's), and `carried` (of the demand).
    nodes
        In use, by kind.
    unserved
        Workloads for which nothing is left.
    cost, bound
        What the nodes cost an hour, and what any such placement costs at the least; the bound is None
        where workloads are left out.
    headroom
        How many times the demand is carried, by the plan.
    """

    copies: pd.DataFrame
    nodes: np.ndarray
    unserved: list[int]
    cost: float
    bound: float | None
    headroom: float = 1.0

    @property
    def gap(self) -> float | None:
        """By what share of its cost the placement may be dearer than the cheapest; None if unknown."""
        if self.bound is None:
            return None
        return 1 - self.bound / self.cost if self.cost > 0 else 0.0


def place(
    points: pd.DataFrame,
    demands: Sequence[float],
    inventory: pd.DataFrame,
    seconds: float = SECONDS,
    gap: float = GAP,
    seed: int = 0,
) -> Placement:
    """Place workloads on nodes at the least cost.

    Parameters
    ----------
    points
        How workloads may run: `workload` (a position in `demands`), `hardware`, `device_count`, `rate`
        (what a replica carries, in the unit of the demand) and `memory` (share of the group's memory
        that it takes, in (0, 1]).
    inventory
        Kinds of nodes: `hardware, device_count`, `nodes` (how many there are, inf for any number) and
        `price_per_hour`.
    seconds, gap
        When to stop: then, or when the cost is this near to the least, relatively.

    Raises
    ------
    ValueError
        For demands or rates that are not above zero, shares of memory outside (0, 1], and prices or
        numbers of nodes below zero; and where more than `MOST_NODES` are needed.
    """
    return _located(_solved(points, np.asarray(demands, float), inventory, seconds, gap, seed))


def place_with_headroom(
    points: pd.DataFrame,
    demands: Sequence[float],
    inventory: pd.DataFrame,
    seconds: float = SECONDS,
    gap: float = GAP,
    seed: int = 0,
) -> Placement:
    """Place workloads such that all of them may grow by the largest factor that the inventory carries.

    The factor is found by bisection; where it is below one, the plan carries that share of each demand.
    See `place`; some number of nodes has to be finite.
    """
    demands = np.asarray(demands, float)

    def tried(factor: float) -> _Solved:
        return _solved(points, demands * factor, inventory, seconds / 4, gap, seed)

    found, factor, step = tried(1.0), 1.0, 2.0
    if found.solution.unserved:
        step = 0.5
    while 1 / SCALED < factor < SCALED:
        other = tried(factor * step)
        if step > 1 and other.solution.unserved:
            break
        factor, found = factor * step, other
        if step < 1 and not other.solution.unserved:
            break
    if found.solution.unserved:
        return _located(found)
    low, high = factor, factor * 2
    while high / low > 1 + gap:
        middle = float(np.sqrt(low * high))
        other = tried(middle)
        if other.solution.unserved:
            high = middle
        else:
            low, found = middle, other
    planned, times = _located(found), max(low, 1.0)
    copies = planned.copies.assign(
        share=planned.copies["share"] / times, carried=planned.copies["carried"] / times
    )
    return replace(planned, copies=copies, headroom=low)


def what_if(
    placement: Placement,
    points: pd.DataFrame,
    demands: Sequence[float],
    inventory: pd.DataFrame,
    seconds: float = SECONDS,
) -> pd.DataFrame:
    """What one node more, or one fewer, of each kind that is used up would change.

    Returns
    -------
    pandas.DataFrame
        `kind` (a row of the inventory), `change` (1 or -1), `cost` and `unserved` (how many workloads).
    """
    rows = []
    demands, nodes = np.asarray(demands, float), inventory["nodes"].to_numpy(float)
    for kind in np.flatnonzero((placement.nodes == nodes) & (nodes > 0)):
        for change in (1, -1):
            changed = nodes + change * (np.arange(len(nodes)) == kind)
            other = _solved(points, demands, inventory.assign(nodes=changed), seconds).solution
            cost, left = other.cost, len(other.unserved)
            if left == len(placement.unserved):  # more to choose from costs no more
                cost = min(cost, placement.cost) if change > 0 else max(cost, placement.cost)
            rows.append((kind, change, cost, left))
    return pd.DataFrame(rows, columns=["kind", "change", "cost", "unserved"])


class _Solved(NamedTuple):
    """What to use, and what it refers to."""

    solution: Solution
    ways: pd.DataFrame
    points: pd.DataFrame
    groups: pd.DataFrame
    inventory: pd.DataFrame


def _solved(
    points: pd.DataFrame,
    demands: np.ndarray,
    inventory: pd.DataFrame,
    seconds: float,
    gap: float = GAP,
    seed: int = 0,
) -> _Solved:
    """What `place` uses, before it is known where."""
    _require_valid(points, demands, inventory)
    groups = groups_of(points, inventory)
    placed = on_groups(points.reset_index(names="point"), groups)
    ways = ways_of(placed, demands, _most(groups, inventory))
    nodes = inventory["nodes"].to_numpy(float)
    if ways.empty:
        found = Solution(np.zeros(len(nodes), int), [], list(range(len(demands))), 0.0, None)
    else:
        fleet = Fleet(ways, len(demands), groups, inventory)
        found = fleet.solve(nodes, seconds, gap, seed)
    if found.nodes.sum() > MOST_NODES:
        raise ValueError(f"{found.nodes.sum()} nodes are needed, {MOST_NODES} at most are placed")
    return _Solved(found, ways, placed, groups, inventory)


def _require_valid(points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame) -> None:
    for name, good in (
        ("demands have to be above zero", (demands > 0).all()),
        ("rates have to be above zero", (points["rate"] > 0).all()),
        ("shares of memory have to be in (0, 1]", points["memory"].between(1e-12, 1).all()),
        ("prices must not be negative", (inventory["price_per_hour"] >= 0).all()),
        ("numbers of nodes must not be negative", (inventory["nodes"] >= 0).all()),
    ):
        if not good:
            raise ValueError(name)


def _most(groups: pd.DataFrame, inventory: pd.DataFrame) -> np.ndarray:
    """How many groups of each kind there are, if they are all that is used."""
    pairs = groups.reset_index().merge(inventory, on="hardware", suffixes=("", "_of_node"))
    number = pairs["nodes"] * (pairs["device_count_of_node"] // pairs["device_count"])
    most = number.groupby(pairs["index"]).sum().reindex(groups.index).fillna(0)
    return np.minimum(most, 2**31).to_numpy(int)


def _located(solved: _Solved) -> Placement:
    """Copies on the devices of nodes: the largest groups first, each on the first node with room."""
    found, ways, points, groups, inventory = solved
    sizes, hardware = groups["device_count"].tolist(), groups["hardware"].tolist()
    nodes = {
        name: [
            [kind, number, 0]
            for kind in np.flatnonzero(inventory["hardware"] == name)
            for number in range(1, int(found.nodes[kind]) + 1)
        ]
        for name in dict.fromkeys(hardware)
    }
    # where a group found no room, no later one of its size does
    first = [0] * len(groups)
    room, rows = inventory["device_count"].tolist(), []
    for group, shares in sorted(_groups_used(found, ways), key=lambda each: -sizes[each[0]]):
        own, devices = nodes[hardware[group]], sizes[group]
        while own[first[group]][2] + devices > room[own[first[group]][0]]:
            first[group] += 1
        node = own[first[group]]
        for workload, point, share in shares:
            memory, rate = points["memory"].iat[point], points["rate"].iat[point]
            run = (workload, points["point"].iat[point], *node, devices, share, memory)
            rows.append((*run, rate * share))
        node[2] += devices
    copies = pd.DataFrame(rows, columns=COPY).sort_values(
        ["workload", "kind", "node", "first_device"], ignore_index=True
    )
    return Placement(copies, found.nodes, found.unserved, found.cost, found.bound)


def _groups_used(
    found: Solution, ways: pd.DataFrame
) -> Iterator[tuple[int, list[tuple[int, int, float]]]]:
    """Groups in use, with the workloads, points and shares of those that use them."""
    for column in found.columns:
        members = [ways.iloc[way] for way in column]
        shares = [(int(way["workload"]), int(way["shared_point"]), way["share"]) for way in members]
        yield int(members[0]["group"]), shares
        for way in members:
            for group, replicas, point in (
                (way["first"], way["first_replicas"], way["first_point"]),
                (way["group"], way["replicas"], way["full_point"]),
            ):
                for _ in range(int(replicas)):
                    yield int(group), [(int(way["workload"]), int(point), 1.0)]
