"""Which nodes to use for which columns: the integer programme that places workloads.

Set covering with column generation (Gilmore and Gomory, 1961): its linear relaxation prices columns and
bounds what any placement costs (Lasdon, 1970); the columns that it needed are then taken whole.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack

from models_py.colocation import Columns, Values
from models_py.highs import solve_integer

ENUMERATED = 3_000
PERTURBED = 10
NEARLY = 0.9  # what a column may be worth, of its group, to serve the whole numbers
THOROUGH = 100_000  # nodes of a search that a bound depends on
EXCESS = 1e-5  # by which a column may be worth more than its group
UNSERVED = 10.0  # times what all workloads cost at the most


class Solution(NamedTuple):
    """What to use.

    Attributes
    ----------
    nodes
        By kind of node.
    columns
        Ways that share a group, one entry per group in use.
    unserved
        Workloads for which nothing is left.
    cost, bound
        Of the nodes, and what any placement costs at the least; None where workloads are left out.
    """

    nodes: np.ndarray
    columns: list[tuple[int, ...]]
    unserved: list[int]
    cost: float
    bound: float | None


class Fleet:
    """The programme for one set of ways, solved for this or that inventory.

    Parameters
    ----------
    ways
        See `ways_of`.
    workloads
        Number of workloads.
    groups
        `hardware, device_count`, as `groups_of` returns them.
    inventory
        Kinds of nodes: `hardware, device_count` and `price_per_hour`; how many there are is said to
        `solve`.
    """

    def __init__(
        self, ways: pd.DataFrame, workloads: int, groups: pd.DataFrame, inventory: pd.DataFrame
    ) -> None:
        self.ways, self.workloads, self.groups, self.inventory = ways, workloads, groups, inventory
        self.columns = Columns(ways)
        self._prices = inventory["price_per_hour"].to_numpy(float)
        size = groups["device_count"].to_numpy()
        same = groups["hardware"].to_numpy()[:, None] == groups["hardware"].to_numpy()
        # a node has room for groups of a size and the larger ones, in multiples of that size
        self._counted = (same & (size >= size[:, None])) * size.astype(float)
        here = groups["hardware"].to_numpy()[:, None] == inventory["hardware"].to_numpy()
        self._room = here * (inventory["device_count"].to_numpy() // size[:, None] * size[:, None])
        self._complete = self.columns.enumerate_all(ENUMERATED)
        self._penalty = UNSERVED * max(1.0, self._worst())

    def _worst(self) -> float:
        """What all workloads cost, each on groups of its own and as dear as they come."""
        rate = (self._prices / self.inventory["device_count"].to_numpy()).max(initial=0)
        size = self.groups["device_count"].to_numpy()
        replicas = size[self.ways["first"]] * self.ways["first_replicas"]
        replicas = replicas + size[self.ways["group"]] * (self.ways["replicas"] + 1)
        return float(rate * replicas.groupby(self.ways["workload"]).max().sum())

    def solve(self, nodes: np.ndarray, seconds: float, gap: float, seed: int = 0) -> Solution:
        """Place all workloads at the least cost, or as many of them as there is room for.

        Parameters
        ----------
        nodes
            How many of each kind there are, inf for any number.
        seconds
            When to stop looking for something better.
        gap
            Relative gap between cost and bound that is good enough.
        """
        until = time.monotonic() + seconds
        if self._complete:
            return self._whole(nodes, seconds, gap, None)
        generator = np.random.default_rng(seed)
        worth, groups, bound = self._generate(nodes, 0.6 * seconds, generator)
        while True:
            for _ in range(PERTURBED):
                shaken = worth * generator.uniform(0.95, 1.1, len(worth))
                self.columns.price(self._values(shaken, groups), generator, NEARLY)
            left = max(until - time.monotonic(), 0.1 * seconds)
            found = self._whole(nodes, left, gap / 4, bound)
            good = found.bound is not None and found.cost - found.bound <= gap * found.cost
            if good or time.monotonic() > until - 0.2 * seconds:
                return found

    def _whole(
        self, nodes: np.ndarray, seconds: float, gap: float, bound: float | None
    ) -> Solution:
        """The best use of whole nodes and of the columns that there are.

        Parameters
        ----------
        bound
            None where these are all columns: then the solver's own holds.
        """
        costs, matrix, limits, upper = self._programme(nodes)
        found = solve_integer(
            costs,
            integrality=np.ones(len(costs)),
            bounds=Bounds(0, upper),
            constraints=LinearConstraint(matrix, ub=limits),
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )
        used = np.zeros(len(costs), int) if found.x is None else np.round(found.x).astype(int)
        return self._solution(used, found.mip_dual_bound if bound is None else bound)

    def _solution(self, used: np.ndarray, bound: float | None) -> Solution:
        """Each workload once, of the columns that were taken."""
        kinds, served, columns = len(self._prices), set(), []
        for column in np.flatnonzero(used[kinds + self.workloads :]):
            members = tuple(
                way
                for way in self.columns.members[column]
                if self.ways["workload"].iat[way] not in served
            )
            served |= {self.ways["workload"].iat[way] for way in members}
            columns += [members] if members else []
        unserved = sorted(set(range(self.workloads)) - served)
        cost = float(self._prices @ used[:kinds])
        whole = None if unserved or bound is None else min(bound, cost)
        return Solution(used[:kinds], columns, unserved, cost, whole)

    def _generate(
        self, nodes: np.ndarray, seconds: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Add columns until none is worth more than its group.

        Returns
        -------
        tuple of numpy.ndarray, numpy.ndarray and float
            What workloads are worth, what groups cost, and what any placement costs at the least.
        """
        until = time.monotonic() + seconds / 2
        while True:
            worth, values, cost = self._relaxed(nodes)
            late = time.monotonic() > until
            if self.columns.price(values, generator) and not late:
                continue
            best = [self.columns.best(group, values) for group in range(len(self.groups))]
            came = [
                self.columns.add(column) for column, excess in best if column and excess > EXCESS
            ]
            if late or not any(came):
                break
        bound = self._bound(worth, values.groups, cost - worth.sum(), until + seconds / 2)
        return worth, values.groups, bound

    def _bound(self, worth: np.ndarray, groups: np.ndarray, fixed: float, until: float) -> float:
        """What any placement costs at the least, by duals that no column exceeds.

        Workloads of a column that does are made worth less, in proportion, until none is left; what
        other columns are worth only falls by it.
        """
        worth, left, most = worth.copy(), list(range(len(self.groups))), EXCESS
        workload = self.ways["workload"].to_numpy()
        while left:
            exceeded = []
            for group in left:
                column, excess = self.columns.best(group, self._values(worth, groups), THOROUGH)
                members = workload[list(column)]
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
        return float(worth.sum() + fixed - self.workloads * most)

    def _relaxed(self, nodes: np.ndarray) -> tuple[np.ndarray, Values, float]:
        """Worth of each workload, values, and the cost."""
        costs, matrix, limits, upper = self._programme(nodes)
        found = linprog(
            costs, A_ub=matrix, b_ub=limits, bounds=np.column_stack([np.zeros(len(upper)), upper])
        )
        duals = -found.ineqlin.marginals
        worth = duals[: self.workloads]
        groups = duals[self.workloads :] @ self._counted
        return worth, self._values(worth, groups), float(found.fun)

    def _values(self, worth: np.ndarray, groups: np.ndarray) -> Values:
        ways = self.ways
        full = groups[ways["first"]] * ways["first_replicas"].to_numpy()
        full = full + groups[ways["group"]] * ways["replicas"].to_numpy()
        return Values(worth[ways["workload"]] - full, groups)

    def _programme(self, nodes: np.ndarray) -> tuple[np.ndarray, csr_array, np.ndarray, np.ndarray]:
        """Costs, rows, limits and upper bounds of nodes, workloads left out, and columns."""
        members = self.columns.members
        way = np.concatenate([np.array(column) for column in members])
        column = np.repeat(np.arange(len(members)), [len(each) for each in members])
        ways = self.ways.iloc[way]
        shape = (len(self.groups), len(members))
        own = self.ways["group"].to_numpy()[[each[0] for each in members]]
        used = coo_array((np.ones(len(members)), (own, np.arange(len(members)))), shape=shape)
        for group, replicas in (("first", "first_replicas"), ("group", "replicas")):
            used = used + coo_array((ways[replicas], (ways[group], column)), shape=shape)
        covered = coo_array(
            (np.ones(len(way)), (ways["workload"], column)), shape=(self.workloads, len(members))
        )
        kinds, every = len(self._prices), np.eye(self.workloads)
        rows = vstack(
            [
                hstack([csr_array((self.workloads, kinds)), -every, -covered]),
                hstack(
                    [
                        -self._room,
                        csr_array((len(self.groups), self.workloads)),
                        csr_array(self._counted) @ used,
                    ]
                ),
            ]
        )
        penalties = np.full(self.workloads, self._penalty)
        costs = np.concatenate([self._prices, penalties, np.zeros(len(members))])
        limits = np.concatenate([-np.ones(self.workloads), np.zeros(len(self.groups))])
        upper = np.concatenate([nodes, np.full(self.workloads + len(members), np.inf)])
        return costs, csr_array(rows), limits, upper
