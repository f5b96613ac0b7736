"""Which nodes to use for which workloads, for this or that number of nodes.

What first fit makes (`first_fit.py`) is made better by column generation and an integer programme
(`search.py`).
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
from models_py.programme import cheapest_nodes
from models_py.search import Search
from models_py.ways import Ways


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
        Of the nodes, and what any placement by the ways that were tried costs at the least; None where
        that is not known.
    """

    nodes: np.ndarray
    columns: list[Column]
    unserved: list[int]
    cost: float
    bound: float | None = None

    def within(self, gap: float) -> bool:
        """Whether all workloads are served at a cost that is this near to the least, relatively."""
        if self.unserved or math.isinf(gap):
            return not self.unserved
        return self.bound is not None and self.cost - self.bound <= gap * self.cost

    def bounded(self, bound: float | None) -> Solution:
        """With a bound, where all workloads are served."""
        if self.unserved or bound is None:
            return self._replace(bound=None)
        return self._replace(bound=min(max(bound, 0.0), self.cost))

    @property
    def badness(self) -> tuple[int, float]:
        """What is to be small: workloads left out, and of as many the cost."""
        return len(self.unserved), self.cost


class Fleet:
    """Demands and kinds of nodes.

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
        self.rooms = Rooms(groups, inventory)
        self.prices = inventory["price_per_hour"].to_numpy(float)
        self.ways = Ways(points, demands, self.rooms, self.rooms.prices(self.prices))
        self.columns = Columns(self.ways)
        self.workloads, self.seed = len(demands), seed

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
        self.ways.allow(self.rooms.limits(nodes))
        start = self.completed(nodes, [])
        if not len(self.ways) or start.within(gap):
            return start
        return Search(self, nodes, start).best(until, gap)

    def completed(self, nodes: np.ndarray, columns: Sequence[Column]) -> Solution:
        """Columns with what there is room for besides, on the cheapest nodes."""
        every = set(range(self.workloads))
        if left_out := every - self._served(columns):
            made = [
                first_fit(self.ways, self.rooms, nodes, columns, left_out, decreasing)
                for decreasing in (True, False)
            ]
        else:
            made = [list(columns)]
        return min((self._on_nodes(nodes, each) for each in made), key=lambda each: each.badness)

    def _on_nodes(self, nodes: np.ndarray, columns: list[Column]) -> Solution:
        used = groups_used(self.ways, columns)
        needed = cheapest_nodes(self.rooms, self.prices, nodes, used)
        unserved = sorted(set(range(self.workloads)) - self._served(columns))
        return Solution(needed, columns, unserved, float(self.prices @ needed))

    def _served(self, columns: Sequence[Column]) -> set[int]:
        return {int(self.ways.workload[way]) for column in columns for way in column}
