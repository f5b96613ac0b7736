"""Workloads added to a plan one after the other, each where there is room (first fit decreasing)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from models_py.colocation import ROOM, Column
from models_py.groups import Rooms
from models_py.ways import Ways


def first_fit(
    ways: Ways,
    rooms: Rooms,
    nodes: np.ndarray,
    columns: Sequence[Column],
    left_out: Iterable[int],
    decreasing: bool = True,
) -> list[Column]:
    """Columns by which as many more workloads are served as there is room for.

    Each is added by the cheapest way that there is room for; its share joins the first group that has
    room. Ways by what is free are added to `ways`.

    Parameters
    ----------
    nodes
        How many of each kind there are, whether in use or not.
    columns
        What is in use: ways that share a group, one entry per group.
    left_out
        Workloads that are not served by them.
    decreasing
        Whether those that cost the most come first, or last.

    Returns
    -------
    list of tuple
        `columns`, some of them with more members, and more of them.
    """
    columns, limits = list(columns), rooms.limits(nodes)
    free = limits - rooms.counted @ groups_used(ways, columns)
    group = [int(ways.group[column[0]]) for column in columns]
    taken = [ways.takes[list(column)].sum(axis=0) for column in columns]
    costs = {workload: _cheapest_first(ways, workload)[1] for workload in left_out}
    for workload in sorted(costs, key=costs.get, reverse=decreasing):
        ways.allow(free, [workload])
        groups, room = np.array(group, int), ROOM - np.array(taken).reshape(-1, 2)
        for way in _cheapest_first(ways, workload)[0]:
            own = int(ways.group[way])
            fits = (groups == own) & (ways.takes[way] <= room).all(axis=1)
            needed = ways.full[[way]].toarray()[0]
            needed[own] += not fits.any()
            left = free - rooms.counted @ needed
            if (left < 0).any():
                continue
            free = left
            if fits.any():
                joined = int(np.argmax(fits))
                columns[joined] = (*columns[joined], way)
                taken[joined] = taken[joined] + ways.takes[way]
            else:
                columns.append((way,))
                group.append(own)
                taken.append(ways.takes[way])
            break
    return columns


def groups_used(ways: Ways, columns: Sequence[Column]) -> np.ndarray:
    """How many groups of each kind columns use, shared and full."""
    shared = ways.group[[column[0] for column in columns]]
    full = ways.full[[way for column in columns for way in column]].sum(axis=0)
    return np.bincount(shared, minlength=ways.full.shape[1]) + full


def _cheapest_first(ways: Ways, workload: int) -> tuple[list[int], float]:
    """Ways of a workload by what they cost about, and the least of it."""
    own = np.flatnonzero(ways.workload == workload)
    cost = ways.cost[own]
    return own[np.argsort(cost, kind="stable")].tolist(), float(cost.min(initial=np.inf))
