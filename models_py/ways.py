"""How workloads can be served: full groups of devices, and a share of one more for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

LEAST = 1e-6  # share of a group below which nothing is left of a demand


class _Own(NamedTuple):
    """How one workload runs: the rate and the row of its fastest point by group, and every point.

    `order` has a group of each hardware, that with the highest rate of a device; the best first.
    """

    rate: dict[int, float]
    fastest: dict[int, int]
    points: list[tuple[int, int, float, float]]
    order: list[int]


class Ways:
    """Ways to serve each workload's demand, without repetition; more can be added.

    Full groups of some kinds carry most of it, and a share of the time of one more carries what is left:
    at least a millionth of it.

    Parameters
    ----------
    points
        As `on_groups` returns them.
    demands
        By workload, in the unit of its `rate`; above zero.
    groups
        As `groups_of` returns them.

    Attributes
    ----------
    workload, group, point
        Whose way it is, and of which kind of groups the rest takes a share, run as which row of
        `points`; shape (ways,).
    takes
        Shares of the group's time and memory that the rest takes, in (0, 1], shape (ways, 2).
    full
        Full groups by kind, shape (ways, groups).
    """

    def __init__(self, points: pd.DataFrame, demands: np.ndarray, groups: pd.DataFrame) -> None:
        self._demands, self._groups = demands, groups
        self._own = {
            int(workload): _own(own, groups)
            for workload, own in points.groupby("workload", sort=True)
        }
        self._rows: dict[tuple, tuple[float, float, int]] = {}
        self._refresh()

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
        hardware = self._groups["hardware"].to_numpy()
        for workload in self._own if workloads is None else workloads:
            if (own := self._own.get(workload)) is None:
                continue
            for first in own.rate:
                enough = _whole(self._demands[workload] / own.rate[first]) <= most[first]
                for second in [first] if enough else own.rate.keys() - {first}:
                    used = {hardware[first], hardware[second]}
                    others = [each for each in own.order if hardware[each] not in used]
                    kinds = dict.fromkeys([first, second, *others])
                    full = _filled(self._demands[workload], own.rate, kinds, most)
                    if full is not None:
                        self._add(workload, full, most)
        self._refresh()

    def mix(self, weights: np.ndarray, most: np.ndarray) -> bool:
        """Add ways between those that a fractional solution mixes; whether there are any.

        Parameters
        ----------
        weights
            How much of each way is taken, shape (ways,).
        """
        before = len(self)
        for workload in self._own:
            mixed = np.flatnonzero((self.workload == workload) & (weights > LEAST))
            if len(mixed) < 2:
                continue
            mean = weights[mixed] @ self.full[mixed].toarray() / weights[mixed].sum()
            number = np.floor(mean + LEAST).astype(int)
            self._add(workload, {int(g): int(number[g]) for g in np.flatnonzero(number)}, most)
        self._refresh()
        return len(self) > before

    def _add(self, workload: int, full: dict[int, int], most: np.ndarray) -> None:
        own = self._own[workload]
        left = self._demands[workload] - sum(own.rate[g] * number for g, number in full.items())
        for filled, group, share, memory, point in _rests(own, full, left, most):
            key = (workload, tuple(sorted(filled.items())), point)
            self._rows.setdefault(key, (share, memory, group))

    def _refresh(self) -> None:
        keys, values = list(self._rows), list(self._rows.values())
        self.workload = np.array([key[0] for key in keys], int)
        self.point = np.array([key[2] for key in keys], int)
        self.group = np.array([value[2] for value in values], int)
        self.takes = np.array([value[:2] for value in values], float).reshape(-1, 2)
        at = [(way, *item) for way, key in enumerate(keys) for item in key[1]]
        way, group, number = np.array(at, int).reshape(-1, 3).T
        self.full = csr_array((number, (way, group)), shape=(len(keys), len(self._groups)))


def _own(points: pd.DataFrame, groups: pd.DataFrame) -> _Own:
    fastest = points.drop_duplicates("group")
    rate = fastest["rate"].to_numpy() / groups["device_count"].to_numpy()[fastest["group"]]
    best = fastest.assign(each=rate).sort_values("each", ascending=False, kind="stable")
    return _Own(
        dict(zip(fastest["group"], fastest["rate"], strict=True)),
        dict(zip(fastest["group"], fastest.index, strict=True)),
        list(zip(points.index, points["group"], points["rate"], points["memory"], strict=True)),
        best.drop_duplicates("hardware")["group"].tolist(),
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
    """What is left on one kind: full groups, the kind, shares of time and memory of one more, the point."""
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
