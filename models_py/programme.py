"""The integer programme that serves workloads by columns on nodes, and its linear relaxation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog
from scipy.sparse import csr_array, hstack, vstack

from models_py.colocation import Column, Values
from models_py.groups import Rooms
from models_py.highs import solve_integer
from models_py.ways import Ways

UNSERVED = 10.0  # times what all workloads cost at the most
TIE = 1e-7  # relative differences of cost that do not matter
SHORTEST = 0.05  # seconds that a solver gets, however late it is


class Relaxed(NamedTuple):
    """A solution in parts.

    Attributes
    ----------
    worth
        Of serving each workload.
    values
        The same by way and group.
    cost
        Of nodes and of what is left out.
    left_out
        How many workloads are, in parts.
    taken
        How much of each column is.
    """

    worth: np.ndarray
    values: Values
    cost: float
    left_out: float
    taken: np.ndarray


class Programme:
    """Columns cover workloads, and nodes have room for the groups that columns use.

    Parameters
    ----------
    prices
        Of nodes, by kind.
    nodes
        How many of each kind there are, inf for any number.
    workloads
        How many there are.
    """

    def __init__(
        self, ways: Ways, rooms: Rooms, prices: np.ndarray, nodes: np.ndarray, workloads: int
    ) -> None:
        self._ways, self._rooms, self._prices, self._nodes = ways, rooms, prices, nodes
        self._workloads = workloads
        self._penalty = UNSERVED * max(1.0, self._worst())

    def _worst(self) -> float:
        """What all workloads cost, each on groups of its own and as dear as they come."""
        dearest = self._rooms.prices(self._prices, self._nodes, dearest=True)
        cost = self._ways.full @ dearest + dearest[self._ways.group]
        most = np.zeros(self._workloads)
        np.maximum.at(most, self._ways.workload, cost)
        return float(most.sum())

    def values(self, worth: np.ndarray, groups: np.ndarray) -> Values:
        """What ways add to a column, where workloads are worth and groups cost so much."""
        return Values(worth[self._ways.workload] - self._ways.full @ groups, groups)

    def relaxed(self, columns: Sequence[Column], until: float) -> Relaxed | None:
        """The solution in parts, None where there is no time for it."""
        costs, matrix, limits, upper = self._rows(columns)
        found = linprog(
            costs,
            A_ub=matrix,
            b_ub=limits,
            bounds=np.column_stack([np.zeros(len(upper)), upper]),
            options={"time_limit": _left(until)},
        )
        if found.x is None:
            return None
        duals = -found.ineqlin.marginals
        worth = duals[: self._workloads]
        groups = duals[self._workloads :] @ self._rooms.counted
        kinds = len(self._prices)
        left_out, taken = np.split(found.x[kinds:], [self._workloads])
        values = self.values(worth, groups)
        return Relaxed(worth, values, float(found.fun), float(left_out.sum()), taken)

    def whole(
        self, columns: Sequence[Column], until: float, gap: float, least: int = 0
    ) -> tuple[list[Column], float | None] | None:
        """Columns that serve the most workloads, on the cheapest nodes; None if none is found.

        Parameters
        ----------
        gap
            Relative gap of the cost that is good enough.
        least
            How many workloads are left out at the least, by the relaxation.

        Returns
        -------
        tuple of list and float, or None
            Columns, and what any choice of these costs at the least, None where workloads are left out.
        """
        costs, matrix, limits, upper = self._rows(columns)
        left_out = np.zeros(len(costs))
        left_out[len(self._prices) :][: self._workloads] = 1.0
        matrix = csr_array(vstack([matrix, csr_array(left_out[None])]))

        def solved(objective: np.ndarray, most: float, gap: float, share: float) -> OptimizeResult:
            return solve_integer(
                objective,
                integrality=np.ones(len(costs)),
                bounds=Bounds(0, upper),
                constraints=LinearConstraint(matrix, ub=np.append(limits, most)),
                options={"time_limit": share * _left(until), "mip_rel_gap": gap},
            )

        costs = costs * (1 - left_out)
        if least == 0:
            found = solved(costs, 0, gap, 0.6)
            if found.x is not None:
                return self._taken(columns, found), found.mip_dual_bound
        fewest = solved(left_out, self._workloads, 0.0, 0.5)
        if fewest.x is None:
            return None
        found = solved(costs, np.round(fewest.fun), gap, 1.0)
        return self._taken(columns, fewest if found.x is None else found), None

    def _taken(self, columns: Sequence[Column], found: OptimizeResult) -> list[Column]:
        """Columns in use, each workload in one of them only."""
        used = np.round(found.x[len(self._prices) + self._workloads :])
        served, taken = set(), []
        for column in np.flatnonzero(used):
            members = [way for way in columns[column] if self._ways.workload[way] not in served]
            served |= set(self._ways.workload[members].tolist())
            taken += [tuple(members)] if members else []
        return taken

    def _rows(
        self, columns: Sequence[Column]
    ) -> tuple[np.ndarray, csr_array, np.ndarray, np.ndarray]:
        """Costs, rows, limits and upper bounds of nodes, workloads left out, and columns."""
        ways, rooms, number = self._ways, self._rooms, len(columns)
        way = np.concatenate([np.array(column) for column in columns])
        column = np.repeat(np.arange(number), [len(each) for each in columns])
        members = csr_array((np.ones(len(way)), (way, column)), shape=(len(ways), number))
        shared = ways.group[[each[0] for each in columns]]
        used = csr_array(
            (np.ones(number), (shared, np.arange(number))), shape=(len(rooms.size), number)
        )
        covered = csr_array(
            (np.ones(len(way)), (ways.workload[way], column)), shape=(self._workloads, number)
        )
        kinds, none = len(self._prices), csr_array((len(rooms.size), self._workloads))
        every = csr_array(-np.eye(self._workloads))
        taken = csr_array(rooms.counted) @ (used + ways.full.T @ members)
        rows = vstack(
            [
                hstack([csr_array((self._workloads, kinds)), every, -covered]),
                hstack([csr_array(-rooms.room), none, taken]),
            ]
        )
        penalties = np.full(self._workloads, self._penalty)
        costs = np.concatenate([self._prices, penalties, np.zeros(number)])
        limits = np.concatenate([-np.ones(self._workloads), np.zeros(len(rooms.size))])
        upper = np.concatenate([self._nodes, np.full(self._workloads + number, np.inf)])
        return costs, csr_array(rows), limits, upper


def _left(until: float) -> float:
    return max(until - time.monotonic(), SHORTEST)


def cheapest_nodes(
    rooms: Rooms, prices: np.ndarray, nodes: np.ndarray, used: np.ndarray
) -> np.ndarray:
    """The cheapest nodes with room for so many groups of each kind; of equal ones the smallest.

    Parameters
    ----------
    prices, nodes
        Of nodes, and how many there are, by kind.
    """
    serving = (rooms.room[used > 0] > 0).any(axis=0)
    scale = prices[serving].max(initial=0) or 1.0
    found = solve_integer(
        np.where(serving, prices / scale, 0) + TIE * rooms.devices,
        integrality=np.ones(len(prices)),
        bounds=Bounds(0, np.where(serving, nodes, 0)),
        constraints=LinearConstraint(rooms.room, lb=rooms.counted @ used),
        options={"mip_rel_gap": TIE},
    )
    return np.round(found.x).astype(int)
