"""Column generation, and whole numbers of the columns that it needed.

Set covering with column generation (Gilmore and Gomory, 1961): the linear relaxation of `programme.py`
prices columns and bounds what any placement by the given ways costs (Lasdon, 1970); the columns that it
needed, and some that are worth nearly as much, are then taken whole. Where columns are few, all are.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from models_py.colocation import ROOM, Column
from models_py.programme import Programme, Relaxed

if TYPE_CHECKING:
    from models_py.fleet import Fleet, Solution

ENUMERATED = 3_000
WHOLE = 2_000  # columns that are taken whole: those that are worth the most of their group
PERTURBED = 10
NEARLY = 0.9  # what a column may be worth, of its group, to serve the whole numbers
STALE = 3  # rounds without anything better, where workloads are left out
THOROUGH = 100_000  # nodes of a search that a bound depends on
EXCESS = 1e-5  # by which a column may be worth more than its group, in prices of a mean group


class Search:
    """Looks for something better than a solution.

    Parameters
    ----------
    nodes
        How many of each kind there are.
    start
        By any columns.
    """

    def __init__(self, fleet: Fleet, nodes: np.ndarray, start: Solution) -> None:
        self._fleet, self._nodes, self._best = fleet, nodes, start
        self._ways, self._columns = fleet.ways, fleet.columns
        # tolerances are in prices of a group in use
        self._scale = start.cost / len(start.columns) if start.cost else 1.0
        self._prices = fleet.prices / self._scale
        self._generator = np.random.default_rng(fleet.seed)
        self._columns.refresh()
        for column in start.columns:
            self._columns.add(column)

    def best(self, until: float, gap: float) -> Solution:
        """The best that is found until then, or as near to the least as that."""
        seconds = until - time.monotonic()
        relaxed = self._relax(until - 0.6 * seconds, until - 0.5 * seconds)
        if self._columns.enumerate_all(ENUMERATED):
            found = self._programme().whole(self._columns.members, until, min(gap, 1.0))
            if found is not None:
                self._take(found[0], found[1])
            return self._best
        if relaxed is None or (relaxed.left_out > EXCESS and math.isinf(gap)):
            return self._best
        least, bound = math.ceil(relaxed.left_out - EXCESS), None
        if least == 0 and not math.isinf(gap):
            bound = self._bound(relaxed, until - 0.4 * seconds)
            self._best = self._best.bounded(bound * self._scale)
        stale, late = 0, until - 0.2 * seconds
        while not self._best.within(gap) and stale < STALE:
            if self._round(relaxed, until, gap, least, bound):
                stale = 0
            stale += bool(self._best.unserved)
            if time.monotonic() > late:
                break
        return self._best

    def _programme(self) -> Programme:
        fleet = self._fleet
        return Programme(self._ways, fleet.rooms, self._prices, self._nodes, fleet.workloads)

    def _relax(self, until: float, mixed_until: float) -> Relaxed | None:
        """The relaxation by all columns that are worth their group, with ways that it mixes."""
        relaxed = self._generate(until)
        limits = self._fleet.rooms.limits(self._nodes)
        if relaxed and self._ways.mix(self._weights(relaxed), limits):
            self._columns.refresh()
            return self._generate(mixed_until)
        return relaxed

    def _generate(self, until: float) -> Relaxed | None:
        """Add columns until none is worth more than its group; None where there is no time for any."""
        programme, relaxed = self._programme(), None
        while True:
            late = time.monotonic() > until
            if relaxed is None or not late:
                relaxed = programme.relaxed(self._columns.members, until) or relaxed
            if relaxed is None or late:
                return relaxed
            if self._columns.price(relaxed.values, self._generator):
                continue
            best = [
                self._columns.best(group, relaxed.values, until)
                for group in range(len(relaxed.values.groups))
            ]
            came = [
                self._columns.add(column) for column, excess in best if column and excess > EXCESS
            ]
            if not any(came):
                return relaxed

    def _weights(self, relaxed: Relaxed) -> np.ndarray:
        """How much of each way is taken, in parts."""
        weights = np.zeros(len(self._ways))
        for column in np.flatnonzero(relaxed.taken):
            weights[list(self._columns.members[column])] += relaxed.taken[column]
        return weights

    def _round(
        self, relaxed: Relaxed, until: float, gap: float, least: int, bound: float | None
    ) -> bool:
        """Take columns whole, also some that are worth nearly their group; whether it helped."""
        programme = self._programme()
        for _ in range(PERTURBED):
            shaken = relaxed.worth * self._generator.uniform(0.95, 1.1, len(relaxed.worth))
            values = programme.values(shaken, relaxed.values.groups)
            self._columns.price(values, self._generator, NEARLY)
        chosen = self._columns.worthiest(relaxed.values, WHOLE)
        found = programme.whole(chosen, until, min(gap / 4, 1.0), least)
        return found is not None and self._take(found[0], bound)

    def _take(self, columns: list[Column], bound: float | None) -> bool:
        """Keep the better one; whether it is new. The bound is of all."""
        found = self._fleet.completed(self._nodes, columns)
        better = found.badness < self._best.badness
        best = found if better else self._best
        self._best = best.bounded(None if bound is None else bound * self._scale)
        return better

    def _bound(self, relaxed: Relaxed, until: float) -> float:
        """What any placement costs at the least, by duals that no column exceeds.

        Workloads of a column that does are made worth less, in proportion, until none is left; what
        other columns are worth only falls by it.
        """
        programme, worth, groups = self._programme(), relaxed.worth.copy(), relaxed.values.groups
        fixed, left = relaxed.cost - worth.sum(), list(range(len(groups)))
        given_up = np.zeros(len(groups))  # by how much a column may still be worth more
        while left and time.monotonic() < until:
            exceeded = []
            for group in left:
                values = programme.values(worth, groups)
                column, excess = self._columns.best(group, values, until, THOROUGH)
                members = self._ways.workload[list(column)]
                given_up[group] = 0.0
                if excess > EXCESS and len(members):
                    worth[members] -= excess * worth[members] / worth[members].sum()
                    exceeded.append(group)
                elif excess > EXCESS:
                    given_up[group] = excess
            left = exceeded
        values = programme.values(worth, groups)
        for group in left:
            given_up[group] = self._columns.excess_at_most(group, values)
        given_up = np.maximum(given_up, EXCESS)
        # no placement uses more columns than there are workloads; or all are worth less, in proportion
        absolute = worth.sum() - len(worth) * given_up.max(initial=0)
        relative = worth.sum() * (groups / (groups + given_up)).min(initial=1)
        return float(max(max(absolute, relative) + fixed, self._area(), 0.0))

    def _area(self) -> float:
        """What shares of time and memory, weighed together, cost on as much of nodes as they take."""
        rooms, ways = self._fleet.rooms, self._ways
        there = (rooms.room > 0) & (self._nodes > 0)
        each = rooms.size[:, None] * self._prices / rooms.devices
        prices = np.where(there, each, np.inf).min(axis=1)
        prices = np.where(np.isfinite(prices), prices, 0.0)
        full, least = ways.full @ prices, np.full(self._fleet.workloads, np.inf)
        best = 0.0
        for balance in np.linspace(0, 1, 5):
            cost = full + prices[ways.group] * (ways.takes @ [balance, 1 - balance]) / ROOM
            least[:] = np.inf
            np.minimum.at(least, ways.workload, cost)
            best = max(best, float(least[np.isfinite(least)].sum()))
        return best
