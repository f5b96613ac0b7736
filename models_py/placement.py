"""Which workloads run on which nodes: at the least cost, or with the most headroom.

A workload is served by full groups of devices, and by a share of the time of one more for the rest;
workloads share a group where its memory holds them all. Sharing is taken to cost nothing: each gets its
share of what it would do alone (isolation).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from models_py.fleet import Fleet, Solution
from models_py.groups import groups_of, on_groups
from models_py.layout import laid_out

SECONDS, GAP = 10.0, 0.01
SCALED = 1024.0  # factors of the demand beyond which none is tried
MOST_REPLICAS = 100_000
CHANGE = ["kind", "change", "cost", "unserved"]


@dataclass(frozen=True)
class Placement:
    """Where workloads run.

    Attributes
    ----------
    copies
        One row per replica, or share of one: `workload`, `point` (a row of the points), `kind` (a row of
        the inventory), `node` (its number, from 1), `first_device` and `device_count` of what it runs
        on, `share` of their time, `memory` (share of theirs), and `carried` (of the demand).
    nodes
        In use, by kind.
    unserved
        Workloads for which no room was found.
    cost, bound
        What the nodes cost an hour, and what any such placement costs at the least; the bound is None
        where workloads are left out, or no time was left to find one.
    headroom
        How many times the demand is carried of all that are served, None where none is.
    changes
        What one node more, or one fewer, of each kind that is used up would change: `kind` (a row of
        the inventory), `change` (1 or -1), `cost` and `unserved` (how many workloads); if that was
        asked for.
    """

    copies: pd.DataFrame
    nodes: np.ndarray
    unserved: list[int]
    cost: float
    bound: float | None
    headroom: float | None = 1.0
    changes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CHANGE))

    @property
    def gap(self) -> float | None:
        """By what share of its cost the placement may be dearer than the cheapest; None if unknown."""
        if self.bound is None:
            return None
        return 1 - self.bound / self.cost if self.cost > 0 else 0.0


class TooManyReplicasError(ValueError):
    """More than `MOST_REPLICAS` would run; `workload` has the most of them."""

    def __init__(self, replicas: int, workload: int, own: int) -> None:
        super().__init__(f"{own} of {replicas} replicas; at most {MOST_REPLICAS} are placed")
        self.workload = workload


def place(
    points: pd.DataFrame,
    demands: Sequence[float],
    inventory: pd.DataFrame,
    seconds: float = SECONDS,
    gap: float = GAP,
    seed: int = 0,
    what_if: bool = False,
) -> Placement:
    """Place workloads on nodes at the least cost.

    Parameters
    ----------
    points
        How workloads may run: `workload` (a position in `demands`), `hardware`, `device_count`, `rate`
        (what a replica carries, in the unit of the demand) and `memory` (share of the memory of its
        devices that it takes, in (0, 1]).
    inventory
        Kinds of nodes: `hardware, device_count`, `nodes` (how many there are, inf for any number) and
        `price_per_hour`.
    seconds, gap
        When to stop: then, or when the cost is this near to the least, relatively.
    what_if
        Whether to find `changes` too; each takes half of `seconds` at the most.

    Raises
    ------
    ValueError
        For demands or rates that are not above zero, shares of memory outside (0, 1], and prices or
        numbers of nodes below zero.
    TooManyReplicasError
        Where more would run than can be told.
    """
    problem = _Problem(points, np.asarray(demands, float), inventory, seed)
    placement = problem.located(problem.solve(seconds, gap))
    if not what_if:
        return placement
    return replace(placement, changes=problem.changes(placement, seconds / 2, gap))


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
    Workloads that find no room beside the others at a thousandth of their demands are left out.

    See `place`; every number of nodes has to be finite.
    """
    until, demands = time.monotonic() + seconds, np.asarray(demands, float)
    if np.isinf(inventory["nodes"]).any():
        raise ValueError("headroom needs a number of nodes of each kind")
    least = _Problem(points, demands / SCALED, inventory, seed).solve(seconds / 8, np.inf)
    kept = np.setdiff1d(np.arange(len(demands)), least.unserved)
    position = pd.Series(range(len(kept)), index=kept, dtype=int)
    own = points[points["workload"].isin(kept)]
    own = own.assign(workload=own["workload"].map(position).astype(int))
    if not len(kept):
        return replace(_Problem(own, demands[kept], inventory, seed).located(least), headroom=None)

    def tried(factor: float) -> tuple[_Problem, Solution]:
        problem = _Problem(own, factor * demands[kept], inventory, seed)
        return problem, problem.solve(min(seconds / 8, until - time.monotonic()), np.inf)

    factor, problem, found = _largest(tried, 1 + gap, until)
    cheaper = problem.solve(max(until - time.monotonic(), seconds / 8), gap)
    placed = problem.located(found if cheaper.unserved else cheaper)
    times = max(factor, 1.0)
    copies = placed.copies.assign(
        workload=kept[placed.copies["workload"].to_numpy(int)],
        share=placed.copies["share"] / times,
        carried=placed.copies["carried"] / times,
    )
    unserved = sorted([*least.unserved, *kept[placed.unserved].tolist()])
    return replace(placed, copies=copies, unserved=unserved, headroom=factor)


def _largest(
    tried: Callable[[float], tuple[_Problem, Solution]], precision: float, until: float
) -> tuple[float, _Problem, Solution]:
    """The largest factor by which all is served, by bisection, and what serves it."""
    low, high, factor, best = 0.0, np.inf, 1.0, None
    while True:
        problem, solution = tried(factor)
        if solution.unserved:
            high = factor
        else:
            low, best = factor, (factor, problem, solution)
        late = time.monotonic() > until
        if best and (late or high <= precision * low or low >= SCALED):
            return best
        if best is None and factor <= 1 / SCALED:
            return factor, problem, solution
        if np.isinf(high) or not low:
            factor *= 2 if low else 0.5
        else:
            factor = float(np.sqrt(low * high))


class _Problem:
    """Demands and an inventory, what is found for them and where it lies."""

    def __init__(
        self, points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame, seed: int
    ) -> None:
        _require_valid(points, demands, inventory)
        self._groups = groups_of(points, inventory)
        self._points = on_groups(points.reset_index(names="point"), self._groups)
        self._inventory, self._nodes = inventory, inventory["nodes"].to_numpy(float)
        self._fleet = Fleet(self._points, demands, self._groups, inventory, seed)

    def solve(self, seconds: float, gap: float) -> Solution:
        return self._fleet.solve(self._nodes, seconds, gap)

    def located(self, found: Solution) -> Placement:
        ways = self._fleet.ways
        most = np.zeros(int(ways.workload.max(initial=0)) + 1, int)
        for column in found.columns:
            for way in column:
                most[ways.workload[way]] += int(ways.full[[way]].sum()) + 1
        if most.sum() > MOST_REPLICAS:
            raise TooManyReplicasError(int(most.sum()), int(most.argmax()), int(most.max()))
        copies = laid_out(found, ways, self._points, self._groups, self._inventory)
        return Placement(copies, found.nodes, found.unserved, found.cost, found.bound)

    def changes(self, placement: Placement, seconds: float, gap: float) -> pd.DataFrame:
        rows = []
        for kind in np.flatnonzero(placement.nodes == self._nodes):
            for change in (1, -1) if self._nodes[kind] else (1,):
                nodes = self._nodes + change * (np.arange(len(self._nodes)) == kind)
                other = self._fleet.solve(nodes, seconds, gap)
                cost, left = other.cost, len(other.unserved)
                if left == len(placement.unserved):  # more to choose from costs no more
                    cost = min(cost, placement.cost) if change > 0 else max(cost, placement.cost)
                rows.append((kind, change, cost, left))
        return pd.DataFrame(rows, columns=CHANGE)


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
