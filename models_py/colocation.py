"""Which workloads may share a group of devices: columns of the programme that places workloads.

A column is a group and the workloads whose rest it serves: their shares of its time add up to one at
most, and so do their shares of its memory. Columns are priced by what the programme's duals say that
serving a workload is worth (Gilmore and Gomory, 1961).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple

import numpy as np

from models_py.ways import Ways

Column = tuple[int, ...]  # ways that share a group
ROOM = 1 + 1e-6  # what HiGHS lets pass
WEIGHINGS = 30
BEST = 5
SEARCHED = 10_000


class Values(NamedTuple):
    """What the duals say.

    Attributes
    ----------
    ways
        What a way adds to a column, shape (ways,): the worth of its workload less its full groups.
    groups
        What one group of each kind costs.
    """

    ways: np.ndarray
    groups: np.ndarray


class Columns:
    """Columns over ways, without repetition: each way alone, and what is added.

    Attributes
    ----------
    members
        Ways of each column, as sorted tuples of positions.
    """

    def __init__(self, ways: Ways) -> None:
        self.members: list[Column] = []
        self._ways = ways
        self._known: set[Column] = set()
        self._refreshed = 0
        self.refresh()

    def refresh(self) -> None:
        """Take up ways that were added."""
        for way in range(self._refreshed, len(self._ways)):
            self.add((way,))
        self._refreshed = len(self._ways)
        groups = range(self._ways.full.shape[1])
        self._by_group = [np.flatnonzero(self._ways.group == group) for group in groups]

    def add(self, members: Column) -> bool:
        """Add a column; whether it is new."""
        column = tuple(sorted(members))
        if column in self._known:
            return False
        self._known.add(column)
        self.members.append(column)
        return True

    def enumerate_all(self, most: int) -> bool:
        """Add every column, unless there are more than so many; whether these are all."""
        if len(self._ways) > most:  # each way alone is one
            return False
        found: list[Column] = []
        for own in self._by_group:
            for column in self._subsets(own):
                found.append(column)
                if len(found) > most:
                    return False
        for column in found:
            self.add(column)
        return True

    def _subsets(self, own: np.ndarray) -> Iterator[Column]:
        """Ways of one group that fit together, each set once."""
        stack = [((), np.zeros(2), frozenset(), 0)]
        while stack:
            members, taken, workloads, start = stack.pop()
            if members:
                yield members
            for position in range(start, len(own)):
                way = own[position]
                total = taken + self._ways.takes[way]
                if self._ways.workload[way] not in workloads and (total <= ROOM).all():
                    served = workloads | {self._ways.workload[way]}
                    stack.append(((*members, int(way)), total, served, position + 1))

    def price(self, values: Values, generator: np.random.Generator, least: float = 1.0) -> int:
        """Add columns that are worth their group, by greedy knapsacks; how many came.

        Parameters
        ----------
        least
            What a column has to be worth, of what its group costs.
        """
        added = 0
        for group in range(len(self._by_group)):
            own = self._worth_while(group, values)
            found = {
                self._greedy(own, values.ways[own], try_, generator) for try_ in range(WEIGHINGS)
            }
            worth = {column: values.ways[list(column)].sum() for column in found if column}
            for column in sorted(worth, key=worth.get, reverse=True)[:BEST]:
                if worth[column] > least * values.groups[group] + 1e-6:
                    added += self.add(column)
        return added

    def _greedy(
        self, own: np.ndarray, value: np.ndarray, attempt: int, generator: np.random.Generator
    ) -> Column:
        """A knapsack filled by value for room: time, memory, both; then weighed at random."""
        takes, workload = self._ways.takes[own], self._ways.workload[own]
        balance, noise = attempt / 2, 1.0
        if attempt > 2:
            balance, noise = generator.uniform(), generator.uniform(0.7, 1.3, len(own))
        ratio = noise * value / (takes @ [balance, 1 - balance] + 0.02)
        members, left, free = [], np.full(2, ROOM), np.ones(len(own), bool)
        while (fits := free & (takes <= left).all(axis=1)).any():
            best = int(np.argmax(np.where(fits, ratio, -1)))
            members.append(int(own[best]))
            left = left - takes[best]
            free &= workload != workload[best]
        return tuple(sorted(members))

    def best(
        self, group: int, values: Values, until: float = math.inf, searched: int = SEARCHED
    ) -> tuple[Column, float]:
        """The most valuable column of a group, and by how much any is worth more than the group.

        Nothing and zero where none is.
        """
        own = self._worth_while(group, values)
        takes, once = self._ways.takes[own], self._ways.workload[own]
        least = values.groups[group]
        members, most = best_subset(values.ways[own], takes, once, least, searched, until)
        return tuple(own[members].tolist()), max(most - values.groups[group], 0.0)

    def excess_at_most(self, group: int, values: Values) -> float:
        """By how much a column may be worth more than its group, at the most; quick."""
        own = self._worth_while(group, values)
        return max(
            _weighing(values.ways[own], self._ways.takes[own])[1] - values.groups[group], 0.0
        )

    def worthiest(self, values: Values, most: int) -> list[Column]:
        """The columns that are worth the most of what their group costs."""
        ways = np.concatenate([np.array(column) for column in self.members])
        starts = np.cumsum([0, *(len(column) for column in self.members[:-1])])
        group = self._ways.group[ways[starts]]
        excess = np.add.reduceat(values.ways[ways], starts) - values.groups[group]
        return [self.members[column] for column in np.argsort(-excess, kind="stable")[:most]]

    def _worth_while(self, group: int, values: Values) -> np.ndarray:
        """Ways of a group that are worth something and that none of the same workload dominates."""
        own = self._by_group[group]
        own = own[values.ways[own] > 1e-9]
        own = own[np.argsort(self._ways.workload[own], kind="stable")]
        starts = np.flatnonzero(np.diff(self._ways.workload[own], prepend=-1))
        kept = [
            _undominated(values.ways[each], self._ways.takes[each])
            for each in np.split(own, starts[1:])
        ]
        return own[np.concatenate(kept)] if len(own) else own


def _undominated(value: np.ndarray, takes: np.ndarray) -> np.ndarray:
    """Whether none of the others is worth as much and takes as little; of equals the first."""
    scores = np.column_stack([value, -takes])
    as_good = (scores[:, None] <= scores).all(axis=2)
    better = as_good & (~as_good.T | np.tri(len(value), k=-1, dtype=bool))
    return ~better.any(axis=1)


def best_subset(
    value: np.ndarray,
    takes: np.ndarray,
    once: np.ndarray,
    least: float,
    searched: int = SEARCHED,
    until: float = math.inf,
) -> tuple[list[int], float]:
    """The most valuable items that fit by time and memory, if they are worth more than `least`.

    Branch and bound, the bound being the fractional knapsack that weighs time and memory together
    (Martello and Toth, 1990).

    Parameters
    ----------
    value, takes
        Of items, shapes (items,) and (items, 2).
    once
        Items of one name exclude each other, shape (items,).
    searched, until
        Nodes that are looked at before the search is given up, and when it is.

    Returns
    -------
    tuple of list and float
        Positions of items, none where nothing is worth so much; and a bound on the value, which is the
        value itself unless the search was given up.
    """
    balance, bound = _weighing(value, takes)
    if bound <= least:
        return [], least
    weight = np.maximum(takes @ [balance, 1 - balance], 1e-12)
    order = np.argsort(-value / weight).tolist()
    each = [
        (float(value[item]), float(weight[item]), *takes[item].tolist(), once[item], item)
        for item in order
    ]
    best, best_value, looked_at = [], least, 0
    stack: list[tuple] = [(0, 0.0, ROOM, ROOM, ROOM, ())]
    while stack:
        start, so_far, room, time, memory, members = stack.pop()
        looked_at += 1
        if looked_at > searched or (looked_at % 500 == 0 and monotonic() > until):
            return best, bound
        if so_far > best_value:
            best, best_value = list(members), so_far
        names, children = {once[item] for item in members}, []
        for position in range(start, len(each)):
            if so_far + _fractional(each, position, room) <= best_value:
                break
            worth, weighs, takes_time, takes_memory, name, item = each[position]
            if takes_time <= time and takes_memory <= memory and name not in names:
                children.append(
                    (
                        position + 1,
                        so_far + worth,
                        room - weighs,
                        time - takes_time,
                        memory - takes_memory,
                        (*members, item),
                    )
                )
        stack += reversed(children)
    return best, best_value


def _fractional(each: list[tuple], position: int, room: float) -> float:
    """Value of the items from a position on that fill the room, the last in part."""
    total = 0.0
    for worth, weighs, *_ in each[position:]:
        if weighs >= room:
            return total + worth * max(room, 0.0) / weighs
        total += worth
        room -= weighs
    return total


def _weighing(value: np.ndarray, takes: np.ndarray) -> tuple[float, float]:
    """The weight of time against memory that bounds the value of a column best, and that bound."""
    bounds = {}
    for balance in np.linspace(0, 1, 9).tolist():
        weight = np.maximum(takes @ [balance, 1 - balance], 1e-12)
        order = np.argsort(-value / weight)
        before = np.cumsum(weight[order]) - weight[order]
        bounds[balance] = float(value[order] @ np.clip((ROOM - before) / weight[order], 0, 1))
    return min(bounds.items(), key=lambda each: each[1])
