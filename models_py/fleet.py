"""Which nodes to use for which workloads: column generation, and whole numbers of what it needed.

Set covering with column generation (Gilmore and Gomory, 1961): the linear relaxation of `programme.py`
prices columns and bounds what any placement costs (Lasdon, 1970); the columns that it needed, and some
that are worth nearly as much, are then taken whole. What is left out after that is added where there is
room (`first_fit.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.colocation import Column, Columns
from models_py.first_fit import first_fit, groups_used
from models_py.groups import Rooms
from models_py.programme import Programme, Relaxed
from models_py.ways import Ways

ENUMERATED = 3_000
WHOLE = 2_000  # columns that are taken whole: those that are worth the most of their group
PERTURBED = 10
NEARLY = 0.9  # what a column may be worth, of its group, to serve the whole numbers
STALE = 3  # rounds without anything better, where workloads are left out
THOROUGH = 100_000  # nodes of a search that a bound depends on
EXCESS = 1e-5  # by which a column may be worth more than its group, in prices of a mean node


class Solution(NamedTuple):
    """What to use.

    Attributes
    ----------
    nodes
        By kind of node.
    columns
        Ways that share a group, one entry per group in use.
    unserved
        Workloads for which no room was found.
    cost, bound
        Of the nodes, and what any placement costs at the least; None where that is not known.
    """

    nodes: np.ndarray
    columns: list[Column]
    unserved: list[int]
    cost: float
    bound: float | None

    def within(self, gap: float) -> bool:
        """Whether all workloads are served at a cost that is this near to the least, relatively."""
        if self.unserved or math.isinf(gap):
            return not self.unserved
        return self.bound is not None and self.cost - self.bound <= gap * self.cost


class Fleet:
    """Demands and kinds of nodes, solved for this or that number of nodes.

    Parameters
    ----------
    points
        As `on_groups` returns them.
    demands
        By workload.
    groups
        As `groups_of` returns them.
    inventory
        Kinds of nodes: `hardware, device_count` and `price_per_hour`.
    """

    def __init__(
        self,
        points: pd.DataFrame,
        demands: np.ndarray,
        groups: pd.DataFrame,
        inventory: pd.DataFrame,
        seed: int = 0,
    ) -> None:
        self._workloads, self._seed = len(demands), seed
        prices = inventory["price_per_hour"].to_numpy(float)
        # tolerances are in prices of a mean node
        self._scale = float(prices[prices > 0].mean()) if (prices > 0).any() else 1.0
        self._prices = prices / self._scale
        self.rooms = Rooms(groups, inventory)
        self.ways = Ways(points, demands, groups, self.rooms.prices(self._prices))
        self.columns = Columns(self.ways)

    def solve(self, nodes: np.ndarray, seconds: float, gap: float) -> Solution:
        """Place as many workloads as there is room for, at the least cost.

        Parameters
        ----------
        nodes
            How many of each kind there are, inf for any number.
        seconds
            When to stop looking for something better.
        gap
            Relative gap between cost and bound that is good enough; with inf, whatever serves all is.
        """
        until = time.monotonic() + seconds
        self.ways.allow(self.rooms.free(nodes))
        self.columns.refresh()
        programme = Programme(self.ways, self.rooms, self._prices, nodes, self._workloads)
        if not len(self.ways):
            return self._completed(programme, nodes, [], None)
        if self.columns.enumerate_all(ENUMERATED):
            found = programme.whole(self.columns.members, until, min(gap, 1.0))
            return self._completed(programme, nodes, *(found or ([], None)))
        return self._searched(programme, nodes, until, gap)

    def _searched(
        self, programme: Programme, nodes: np.ndarray, until: float, gap: float
    ) -> Solution:
        """The best that the columns which come up make until then."""
        generator, seconds = np.random.default_rng(self._seed), until - time.monotonic()
        relaxed = self._generate(programme, generator, until - 0.6 * seconds)
        if relaxed and self.ways.mix(self._weights(relaxed), self.rooms.free(nodes)):
            self.columns.refresh()
            relaxed = self._generate(programme, generator, until - 0.5 * seconds)
        if relaxed is None or (relaxed.left_out > EXCESS and math.isinf(gap)):
            return self._completed(programme, nodes, [], None)
        least, bound = math.ceil(relaxed.left_out - EXCESS), None
        if least == 0:
            bound = self._bound(programme, relaxed, until - 0.4 * seconds)
        best, stale = None, 0
        while best is None or (time.monotonic() < until - 0.2 * seconds and stale < STALE):
            for _ in range(PERTURBED):
                shaken = relaxed.worth * generator.uniform(0.95, 1.1, self._workloads)
                values = programme.values(shaken, relaxed.values.groups)
                self.columns.price(values, generator, NEARLY)
            chosen = self.columns.worthiest(relaxed.values, WHOLE)
            found = programme.whole(chosen, until, min(gap / 4, 1.0), least)
            found = self._completed(programme, nodes, found[0] if found else [], bound)
            if found.within(gap):
                return found
            stale += bool(found.unserved)
            if best is None or _badness(found) < _badness(best):
                best, stale = found, 0
        return best

    def _weights(self, relaxed: Relaxed) -> np.ndarray:
        """How much of each way is taken, in parts."""
        weights = np.zeros(len(self.ways))
        for column in np.flatnonzero(relaxed.taken):
            weights[list(self.columns.members[column])] += relaxed.taken[column]
        return weights

    def _completed(
        self,
        programme: Programme,
        nodes: np.ndarray,
        columns: Sequence[Column],
        bound: float | None,
    ) -> Solution:
        """With what there is room for besides, on the cheapest nodes."""
        every = set(range(self._workloads))
        left_out = every - self._served(columns)
        if left_out:
            columns = first_fit(self.ways, self.rooms, nodes, columns, left_out)
            left_out = every - self._served(columns)
        used = programme.nodes_for(groups_used(self.ways, columns))
        cost = float(self._prices @ used) * self._scale
        least = None if left_out or bound is None else min(max(bound, 0.0) * self._scale, cost)
        return Solution(used, list(columns), sorted(left_out), cost, least)

    def _served(self, columns: Sequence[Column]) -> set[int]:
        return {int(self.ways.workload[way]) for column in columns for way in column}

    def _generate(
        self, programme: Programme, generator: np.random.Generator, until: float
    ) -> Relaxed | None:
        """Add columns until none is worth more than its group; None where there is no time for any."""
        relaxed = None
        while True:
            late = time.monotonic() > until
            if relaxed is None or not late:
                relaxed = programme.relaxed(self.columns.members, until) or relaxed
            if relaxed is None or late:
                return relaxed
            if self.columns.price(relaxed.values, generator):
                continue
            best = [self.columns.best(g, relaxed.values) for g in range(len(self.rooms.size))]
            came = [
                self.columns.add(column) for column, excess in best if column and excess > EXCESS
            ]
            if not any(came):
                return relaxed

    def _bound(self, programme: Programme, relaxed: Relaxed, until: float) -> float:
        """What any placement costs at the least, by duals that no column exceeds.

        Workloads of a column that does are made worth less, in proportion, until none is left; what
        other columns are worth only falls by it.
        """
        worth, groups = relaxed.worth.copy(), relaxed.values.groups
        fixed, left, most = relaxed.cost - worth.sum(), list(range(len(groups))), EXCESS
        while left:
            exceeded = []
            for group in left:
                values = programme.values(worth, groups)
                column, excess = self.columns.best(group, values, THOROUGH)
                members = self.ways.workload[list(column)]
                if excess > EXCESS and len(members):
                    worth[members] -= excess * worth[members] / worth[members].sum()
                    exceeded.append((excess, group))
                elif excess > EXCESS:  # the search was given up
                    most = max(most, excess)
            left = [group for _, group in exceeded]
            if left and time.monotonic() > until:
                most = max(most, *(excess for excess, _ in exceeded))
                break
        # no placement uses more columns than there are workloads
        return float(worth.sum() + fixed - self._workloads * most)


def _badness(found: Solution) -> tuple[int, float]:
    return len(found.unserved), found.cost
