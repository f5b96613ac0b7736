"""How workloads can be served: full groups of devices, and a share of one more for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

MOST, FEWEST = 20_000, 20  # ways in all, and of a workload
KINDS = 10  # of groups, the cheapest, that may be the first of a way
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
    groups
        As `groups_of` returns them.
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
        self, points: pd.DataFrame, demands: np.ndarray, groups: pd.DataFrame, prices: np.ndarray
    ) -> None:
        self._demands, self._groups, self._prices = demands, groups, prices
        self._own = {
            int(workload): _own(own, prices)
            for workload, own in points.groupby("workload", sort=True)
        }
        self._most = max(MOST // max(len(self._own), 1), FEWEST)
        self._known: set[_Key] = set()
        self.workload = self.group = self.point = np.zeros(0, int)
        self.takes, self.cost = np.zeros((0, 2)), np.zeros(0)
        self.full = csr_array((0, len(groups)), dtype=int)

    def __len__(self) -> int:
        return len(self.workload)

    def fastest(self, workload: int, group: int) -> int:
        """The point by which a full group of a kind is run."""
        return self._own[workload].fastest[group]

    def allow(self, most: np.ndarray, workloads: Iterable[int] | None = None) -> None:
        """Add ways by full groups of one kind, as many as the demand fills, and the rest on any kind.

        Where there are not enough of it, others follow until the demand is carried.

        Parameters
        ----------
        most
            How many groups of each kind there are.
        workloads
            All by default.
        """
        chosen: dict[_Key, _Rest] = {}
        for workload in self._own if workloads is None else workloads:
            found: dict[_Key, _Rest] = {}
            for full in self._fulls(workload, most):
                found.update(self._with_rests(workload, full, most))
            cheapest = sorted(found, key=lambda key: found[key].cost)[: self._most]
            chosen.update({key: found[key] for key in cheapest})
        self._append(chosen)

    def mix(self, weights: np.ndarray, most: np.ndarray) -> bool:
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
            found.update(self._with_rests(workload, less, most))
            for group in np.flatnonzero(mean - number > LEAST).tolist():
                found.update(self._with_rests(workload, _with(less, group, 1), most))
        return self._append(found)

    def _fulls(self, workload: int, most: np.ndarray) -> Iterator[dict[int, int]]:
        """Full groups that carry a demand but for less than one of them."""
        if (own := self._own.get(workload)) is None:
            return
        there, demand = [group for group in own.rate if most[group]], self._demands[workload]
        hardware = self._groups["hardware"].to_numpy()
        for first in there[:KINDS]:
            enough = _whole(demand / own.rate[first]) <= most[first]
            for second in [first] if enough else there[:KINDS]:
                used = {hardware[first], hardware[second]}
                # the groups of one device are parts of the same nodes
                others = {hardware[g]: g for g in reversed(there) if hardware[g] not in used}
                kinds = dict.fromkeys([first, second, *reversed(others.values())])
                full = _filled(demand, own.rate, kinds, most)
                if full is not None:
                    yield full

    def _with_rests(
        self, workload: int, full: dict[int, int], most: np.ndarray
    ) -> Iterator[tuple[_Key, _Rest]]:
        own = self._own[workload]
        left = self._demands[workload] - sum(own.rate[g] * number for g, number in full.items())
        if left < -LEAST * self._demands[workload]:  # they are more than it takes
            return
        for filled, group, share, memory, point in _rests(own, full, left, most):
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
        full = csr_array((number, (way, group)), shape=(len(keys), len(self._groups)))
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


def _filled(
    demand: float, rate: dict[int, float], kinds: Iterable[int], most: np.ndarray
) -> dict[int, int] | None:
    """Full groups until less than one is left; None where all that there are do not carry so much."""
    full = {}
    for group in kinds:
        filled = _whole(demand / rate[group])
        if taken := min(filled, int(most[group])):
            full[group] = taken
            demand -= taken * rate[group]
        if taken == filled:
            return full
    return None


def _rests(
    own: _Own, full: dict[int, int], left: float, most: np.ndarray
) -> Iterator[tuple[dict[int, int], int, float, float, int]]:
    """All full groups; the kind that carries what is left, and of one more of it the share and point."""
    if full and left <= LEAST * own.rate[last := list(full)[-1]]:
        full, left = _with(full, last, -1), own.rate[last]
    for point, group, rate, memory in own.points:
        more = _whole(left / own.rate[group])
        share = (left - more * own.rate[group]) / rate
        if more and share <= LEAST:
            more, share = more - 1, own.rate[group] / rate
        if share <= 1 and full.get(group, 0) + more < most[group]:
            yield _with(full, group, more), group, max(share, LEAST), memory, point


def _with(full: dict[int, int], group: int, more: int) -> dict[int, int]:
    """Full groups and some more of a kind, without kinds of which there are none."""
    changed = {**full, group: full.get(group, 0) + more}
    return {each: number for each, number in changed.items() if number}


def _whole(number: float) -> int:
    return int(np.floor(number + 1e-9))
