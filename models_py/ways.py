"""How workloads can be served: full groups of devices, and a share of one more for the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from models_py.groups import Rooms

MOST, FEWEST = 20_000, 20  # ways in all, and of a workload
KINDS = 10  # of groups, the cheapest, that may be the first of a way
FEW = 64  # full groups of all kinds that are combined in every number
LEAST = 1e-6  # share of a group below which nothing is left of a demand


class _Own(NamedTuple):
    """How one workload runs: the rate and the row of its fastest point by group, and every point.

    Groups by what a unit of the demand costs on them, the cheapest first.
    """

    rate: dict[int, float]
    fastest: dict[int, int]
    points: list[tuple[int, int, float, float]]


class _Key(NamedTuple):
    """What tells a way from others: full groups by kind, and how the rest is run."""

    workload: int
    full: tuple[tuple[int, int], ...]
    point: int


class _Rest(NamedTuple):
    group: int
    share: float
    memory: float
    cost: float


class Ways:
    """Ways to serve each workload's demand, without repetition; more can be added.

    Full groups of some kinds carry most of it, and a share of the time of one more carries what is left:
    at least a millionth of it. Of more than `MOST` ways in all, the cheapest of each workload are kept.

    Parameters
    ----------
    points
        As `on_groups` returns them.
    demands
        By workload, in the unit of its `rate`; above zero.
    rooms
        How many groups fit into nodes.
    prices
        Of groups, by kind.

    Attributes
    ----------
    workload, group, point
        Whose way it is, and of which kind of groups the rest takes a share, run as which row of
        `points`; shape (ways,).
    takes
        Shares of the group's time and memory that the rest takes, in (0, 1], shape (ways, 2).
    full
        Full groups by kind, shape (ways, groups).
    cost
        Of its groups, shape (ways,); of a share the larger part, that of time or that of memory.
    """

    def __init__(
        self, points: pd.DataFrame, demands: np.ndarray, rooms: Rooms, prices: np.ndarray
    ) -> None:
        self._demands, self._rooms, self._prices = demands, rooms, prices
        self._own = {
            int(workload): _own(own, prices)
            for workload, own in points.groupby("workload", sort=True)
        }
        self._most = max(MOST // max(len(self._own), 1), FEWEST)
        self._known: set[_Key] = set()
        self.workload = self.group = self.point = np.zeros(0, int)
        self.takes, self.cost = np.zeros((0, 2)), np.zeros(0)
        self.full = csr_array((0, len(rooms.size)), dtype=int)

    def __len__(self) -> int:
        return len(self.workload)

    def fastest(self, workload: int, group: int) -> int:
        """The point by which a full group of a kind is run."""
        return self._own[workload].fastest[group]

    def allow(self, limits: np.ndarray, workloads: Iterable[int] | None = None) -> None:
        """Add ways by full groups of one kind, as many as the demand fills, and the rest on any kind.

        Where there are not enough of it, others follow until the demand is carried.

        Parameters
        ----------
        limits
            Devices that are free, see `Rooms.limits`.
        workloads
            All by default.
        """
        chosen: dict[_Key, _Rest] = {}
        for workload in self._own if workloads is None else workloads:
            found: dict[_Key, _Rest] = {}
            for full in self._fulls(workload, limits):
                found.update(self._with_rests(workload, full, limits))
            cheapest = sorted(found, key=lambda key: found[key].cost)[: self._most]
            chosen.update({key: found[key] for key in cheapest})
        self._append(chosen)

    def mix(self, weights: np.ndarray, limits: np.ndarray) -> bool:
        """Add ways between those that a fractional solution mixes; whether there are any.

        Parameters
        ----------
        weights
            How much of each way is taken, shape (ways,).
        """
        found: dict[_Key, _Rest] = {}
        for workload in self._own:
            mixed = np.flatnonzero((self.workload == workload) & (weights > LEAST))
            if len(mixed) < 2:
                continue
            mean = weights[mixed] @ self.full[mixed].toarray() / weights[mixed].sum()
            number = np.floor(mean + LEAST).astype(int)
            less = {int(group): int(number[group]) for group in np.flatnonzero(number)}
            found.update(self._with_rests(workload, less, limits))
            for group in np.flatnonzero(mean - number > LEAST).tolist():
                found.update(self._with_rests(workload, _with(less, group, 1), limits))
        return self._append(found)

    def _fulls(self, workload: int, limits: np.ndarray) -> Iterator[dict[int, int]]:
        """Full groups: in every number where they are few, else as the demand fills, or one less."""
        if (own := self._own.get(workload)) is None:
            return
        free, demand = self._rooms.free(limits), self._demands[workload]
        there = [group for group in own.rate if free[group]]
        most = [min(_whole(demand / own.rate[group]), int(free[group])) for group in there]
        if math.prod(number + 1 for number in most) <= FEW:
            for numbers in itertools.product(*(range(number + 1) for number in most)):
                yield {g: number for g, number in zip(there, numbers, strict=True) if number}
            return
        for first in there[:KINDS]:
            enough = _whole(demand / own.rate[first]) <= free[first]
            for second in [first] if enough else there[:KINDS]:
                full = self._filled(workload, dict.fromkeys([first, second, *there]), limits)
                if full is not None:
                    yield full
                    if full:
                        yield _with(full, list(full)[-1], -1)

    def _filled(
        self, workload: int, kinds: Iterable[int], limits: np.ndarray
    ) -> dict[int, int] | None:
        """Full groups until less than one is left; None where all that there are do not carry it."""
        rate, left = self._own[workload].rate, self._demands[workload]
        full: dict[int, int] = {}
        for group in kinds:
            filled = _whole(left / rate[group])
            if taken := min(filled, int(self._left(full, limits)[group])):
                full[group] = taken
                left -= taken * rate[group]
            if taken == filled:
                return full
        return None

    def _left(self, full: dict[int, int], limits: np.ndarray) -> np.ndarray:
        """How many more groups there are of each kind beside full ones."""
        for group, number in full.items():
            limits = limits - number * self._rooms.counted[:, group]
        return self._rooms.free(limits)

    def _with_rests(
        self, workload: int, full: dict[int, int], limits: np.ndarray
    ) -> Iterator[tuple[_Key, _Rest]]:
        """Ways that serve what full groups leave on one kind, with more full groups of it."""
        own = self._own[workload]
        left = self._demands[workload] - sum(own.rate[g] * number for g, number in full.items())
        if left < -LEAST * self._demands[workload]:  # they are more than it takes
            return
        if full and left <= LEAST * own.rate[last := list(full)[-1]]:
            full, left = _with(full, last, -1), own.rate[last]
        free = self._left(full, limits)
        for point, group, rate, memory in own.points:
            more = _whole(left / own.rate[group])
            share = (left - more * own.rate[group]) / rate
            if more and share <= LEAST:
                more, share = more - 1, own.rate[group] / rate
            if share <= 1 and more < free[group]:
                share, filled = max(share, LEAST), _with(full, group, more)
                cost = max(share, memory) * self._prices[group]
                cost += sum(self._prices[g] * number for g, number in filled.items())
                key = _Key(workload, tuple(sorted(filled.items())), point)
                yield key, _Rest(group, share, memory, float(cost))

    def _append(self, rows: dict[_Key, _Rest]) -> bool:
        """Add what is new; whether there is any."""
        new = {key: rest for key, rest in rows.items() if key not in self._known}
        self._known.update(new)
        keys, rests = list(new), list(new.values())
        at = [(way, *item) for way, key in enumerate(keys) for item in key.full]
        way, group, number = np.array(at, int).reshape(-1, 3).T
        full = csr_array((number, (way, group)), shape=(len(keys), len(self._rooms.size)))
        self.full = csr_array(vstack([self.full, full]))
        for name, values in (
            ("workload", [key.workload for key in keys]),
            ("point", [key.point for key in keys]),
            ("group", [rest.group for rest in rests]),
            ("cost", [rest.cost for rest in rests]),
        ):
            old = getattr(self, name)
            setattr(self, name, np.append(old, np.array(values, old.dtype)))
        takes = np.array([(rest.share, rest.memory) for rest in rests], float).reshape(-1, 2)
        self.takes = np.concatenate([self.takes, takes])
        return bool(new)


def _own(points: pd.DataFrame, prices: np.ndarray) -> _Own:
    fastest = points.drop_duplicates("group")
    cost = prices[fastest["group"]] / fastest["rate"]
    fastest = fastest.assign(cost=cost).sort_values("cost", kind="stable")
    return _Own(
        dict(zip(fastest["group"], fastest["rate"], strict=True)),
        dict(zip(fastest["group"], fastest.index, strict=True)),
        list(zip(points.index, points["group"], points["rate"], points["memory"], strict=True)),
    )


def _with(full: dict[int, int], group: int, more: int) -> dict[int, int]:
    """Full groups and some more of a kind, without kinds of which there are none."""
    changed = {**full, group: full.get(group, 0) + more}
    return {each: number for each, number in changed.items() if number}


def _whole(number: float) -> int:
    return int(np.floor(number + 1e-9))
