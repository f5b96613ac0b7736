"""Which workloads may share a group of devices: columns of the programme that places workloads.

A column is a group and the workloads whose rest it serves: their shares of its time add up to one at
most, and so do their shares of its memory. Columns are priced by what the programme's duals say that
serving a workload is worth (Gilmore and Gomory, 1961).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

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
    """Columns over ways, without repetition.

    Parameters
    ----------
    ways
        See `ways_of`.

    Attributes
    ----------
    members
        Ways of each column, as sorted tuples of positions.
    by_group
        Ways whose rest runs on a group of each kind.
    """

    def __init__(self, ways: pd.DataFrame) -> None:
        self.members: list[tuple[int, ...]] = []
        self._known: set[tuple[int, ...]] = set()
        self._workload = ways["workload"].to_numpy()
        group = ways["group"].to_numpy()
        self._takes = ways[["share", "memory"]].to_numpy(float)
        self.by_group = [np.flatnonzero(group == each) for each in range(group.max(initial=-1) + 1)]
        for way in range(len(ways)):
            self.add((way,))

    def add(self, members: tuple[int, ...]) -> bool:
        """Add a column; whether it is new."""
        column = tuple(sorted(members))
        if column in self._known:
            return False
        self._known.add(column)
        self.members.append(column)
        return True

    def enumerate_all(self, most: int) -> bool:
        """Add every column, unless there are more than so many; whether these are all."""
        found: list[tuple[int, ...]] = []
        for own in self.by_group:
            for column in self._subsets(own):
                found.append(column)
                if len(found) > most:
                    return False
        for column in found:
            self.add(column)
        return True

    def _subsets(self, own: np.ndarray) -> Iterator[tuple[int, ...]]:
        """Ways of one group that fit together, each set once."""
        stack = [((), np.zeros(2), frozenset(), 0)]
        while stack:
            members, taken, workloads, start = stack.pop()
            if members:
                yield members
            for position in range(start, len(own)):
                way = own[position]
                total = taken + self._takes[way]
                if self._workload[way] not in workloads and (total <= ROOM).all():
                    served = workloads | {self._workload[way]}
                    stack.append(((*members, int(way)), total, served, position + 1))

    def price(self, values: Values, generator: np.random.Generator, least: float = 1.0) -> int:
        """Add columns that are worth their group, by greedy knapsacks; how many came.

        Parameters
        ----------
        least
            What a column has to be worth, of what its group costs.
        """
        added = 0
        for group in range(len(self.by_group)):
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
    ) -> tuple[int, ...]:
        """A knapsack filled by value for room: time, memory, both; then weighed at random."""
        takes, workload = self._takes[own], self._workload[own]
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
        self, group: int, values: Values, searched: int = SEARCHED
    ) -> tuple[tuple[int, ...], float]:
        """The most valuable column of a group, and by how much any is worth more than the group.

        Nothing and zero where none is.
        """
        own = self._worth_while(group, values)
        members, most = best_subset(
            values.ways[own], self._takes[own], self._workload[own], values.groups[group], searched
        )
        return tuple(own[members].tolist()), max(most - values.groups[group], 0.0)

    def _worth_while(self, group: int, values: Values) -> np.ndarray:
        """Ways of a group that are worth something and that none of the same workload dominates."""
        own = self.by_group[group]
        own = own[values.ways[own] > 1e-9]
        scores = np.column_stack([values.ways[own], -self._takes[own]])
        same = self._workload[own][:, None] == self._workload[own]
        as_good = same & (scores[:, None] <= scores).all(axis=2)
        better = as_good & (
            (scores[:, None] < scores).any(axis=2) | np.tri(len(own), k=-1, dtype=bool)
        )
        return own[~better.any(axis=1)]


def best_subset(
    value: np.ndarray,
    takes: np.ndarray,
    once: np.ndarray,
    least: float,
    searched: int = SEARCHED,
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
    searched
        Nodes that are looked at before the search is given up.

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
        if looked_at > searched:
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
