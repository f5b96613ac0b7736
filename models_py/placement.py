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
        What the nodes cost an hour, and what any placement costs at the least by the ways of serving
        workloads that were tried; the bound is None where workloads are left out.
    headroom
        How many times the demand is carried of all that are served; None where none is, or that was
        not asked for.
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
    headroom: float | None = None
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
    problem.require_countable()
    found, changes = problem.solve(seconds, gap), pd.DataFrame(columns=CHANGE)
    if what_if:
        found, changes = problem.changes(found, seconds / 2, gap)
    return replace(problem.located(found), changes=changes)


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
    every = _Problem(points, demands, inventory, seed)
    every.require_countable()
    smallest = every.scaled(1 / SCALED)
    least = smallest.solve(seconds / 4, gap)
    if len(least.unserved) == len(demands):
        return smallest.located(least)
    kept = every.without(least.unserved)

    def tried(factor: float) -> tuple[_Problem, Solution]:
        problem = kept.scaled(factor)
        return problem, problem.solve(min(seconds / 8, until - time.monotonic()), np.inf)

    factor, problem, found = _largest(tried, 1 + gap, until)
    cheaper = problem.solve(max(until - time.monotonic(), seconds / 8), gap)
    placed = problem.located(min(found, cheaper, key=lambda each: each.badness))
    times = max(factor, 1.0)
    copies = placed.copies.assign(
        share=placed.copies["share"] / times, carried=placed.copies["carried"] / times
    )
    unserved = sorted([*least.unserved, *placed.unserved])
    return replace(placed, copies=copies, unserved=unserved, headroom=factor)


def _largest(
    tried: Callable[[float], tuple[_Problem, Solution]], precision: float, until: float
) -> tuple[float, _Problem, Solution]:
    """The largest factor by which all is served, by bisection, and what serves it."""
    low, high, factor, best = 0.0, np.inf, 1.0, None
    while True:
        problem, solution = tried(factor)
        if solution.unserved or problem.replicas(solution).sum() > MOST_REPLICAS:
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
    """Demands and an inventory, what is found for them and where it lies.

    Parameters
    ----------
    positions
        Of the workloads, as the user counts them.
    """

    def __init__(
        self,
        points: pd.DataFrame,
        demands: np.ndarray,
        inventory: pd.DataFrame,
        seed: int,
        positions: np.ndarray | None = None,
    ) -> None:
        _require_valid(points, demands, inventory)
        self._given, self._demands, self._inventory, self._seed = points, demands, inventory, seed
        self._positions = np.arange(len(demands)) if positions is None else positions
        self._groups = groups_of(points, inventory)
        self._points = on_groups(points.reset_index(names="point"), self._groups)
        self._nodes = inventory["nodes"].to_numpy(float)
        self._fleet = Fleet(self._points, demands, self._groups, inventory, seed)

    def require_countable(self) -> None:
        """Raise a `TooManyReplicasError` for demands that take too many, whatever they run on."""
        best = self._given.groupby("workload")["rate"].max()
        fewest = np.ceil(self._demands[best.index] / best.to_numpy())
        if fewest.sum() > MOST_REPLICAS:
            self._refuse(dict(zip(best.index, fewest, strict=True)))

    def scaled(self, factor: float) -> _Problem:
        """The same with other demands."""
        return _Problem(
            self._given, factor * self._demands, self._inventory, self._seed, self._positions
        )

    def without(self, left_out: Sequence[int]) -> _Problem:
        """The same without some workloads."""
        kept = np.setdiff1d(np.arange(len(self._demands)), left_out)
        own = self._given[self._given["workload"].isin(kept)]
        own = own.assign(workload=np.searchsorted(kept, own["workload"]))
        return _Problem(
            own, self._demands[kept], self._inventory, self._seed, self._positions[kept]
        )

    def solve(self, seconds: float, gap: float) -> Solution:
        """What to use."""
        return self._fleet.solve(self._nodes, seconds, gap)

    def replicas(self, found: Solution) -> np.ndarray:
        """How many replicas, or shares of one, there are of each workload."""
        ways = [way for column in found.columns for way in column]
        number = self._fleet.ways.full[ways].sum(axis=1) + 1
        return np.bincount(self._fleet.ways.workload[ways], number, len(self._demands)).astype(int)

    def located(self, found: Solution) -> Placement:
        """Where it runs, with workloads as the user counts them."""
        replicas = self.replicas(found)
        if replicas.sum() > MOST_REPLICAS:
            self._refuse(dict(enumerate(replicas)))
        copies = laid_out(found, self._fleet.ways, self._points, self._groups, self._inventory)
        copies = copies.assign(workload=self._positions[copies["workload"].to_numpy(int)])
        unserved = self._positions[found.unserved].tolist()
        return Placement(copies, found.nodes, unserved, found.cost, found.bound)

    def changes(self, found: Solution, seconds: float, gap: float) -> tuple[Solution, pd.DataFrame]:
        """What one node more or fewer would change; and the best of all that the nodes allow."""
        nodes, solved = self._nodes, []
        of_use = self._fleet.rooms.room.any(axis=0)
        for kind in np.flatnonzero((found.nodes == nodes) & of_use):
            for change in (1, -1) if nodes[kind] else (1,):
                other = nodes + change * (np.arange(len(nodes)) == kind)
                solved.append((kind, change, self._fleet.solve(other, seconds, gap)))
        for _, _, other in solved:
            if (other.nodes <= nodes).all() and other.badness < found.badness:
                found = other.bounded(found.bound)
        rows = []
        for kind, change, other in solved:
            # more to choose from is no worse
            worst = min if change > 0 else max
            left, cost = worst(other.badness, found.badness)
            rows.append((kind, change, cost, left))
        return found, pd.DataFrame(rows, columns=CHANGE)

    def _refuse(self, replicas: dict[int, float]) -> None:
        workload = max(replicas, key=replicas.get)
        own, total = int(replicas[workload]), int(sum(replicas.values()))
        raise TooManyReplicasError(total, int(self._positions[workload]), own)


def _require_valid(points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame) -> None:
    rates, prices = points["rate"], inventory["price_per_hour"]
    for name, good in (
        ("demands have to be numbers above zero", ((demands > 0) & np.isfinite(demands)).all()),
        ("rates have to be numbers above zero", ((rates > 0) & np.isfinite(rates)).all()),
        ("shares of memory have to be in (0, 1]", points["memory"].between(1e-12, 1).all()),
        ("prices have to be numbers from zero on", ((prices >= 0) & np.isfinite(prices)).all()),
        ("numbers of nodes must not be negative", (inventory["nodes"] >= 0).all()),
    ):
        if not good:
            raise ValueError(name)
