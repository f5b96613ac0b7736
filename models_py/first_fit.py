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
) -> list[Column]:
    """Columns by which as many more workloads are served as there is room for.

    Those that cost the most come first. Each is added by the cheapest way that there is room for; its
    share joins the first group that has room. Ways by what is free are added to `ways`.

    Parameters
    ----------
    nodes
        How many of each kind there are, whether in use or not.
    columns
        What is in use: ways that share a group, one entry per group.
    left_out
        Workloads that are not served by them.

    Returns
    -------
    list of tuple
        `columns`, some of them with more members, and more of them.
    """
    columns, used = list(columns), groups_used(ways, columns)
    costs = {workload: _cheapest_first(ways, workload)[1] for workload in left_out}
    for workload in sorted(costs, key=costs.get, reverse=True):
        ways.allow(rooms.free(nodes, used), [workload])
        group = ways.group[[column[0] for column in columns]]
        taken = np.array([ways.takes[list(column)].sum(axis=0) for column in columns]).reshape(
            -1, 2
        )
        for way in _cheapest_first(ways, workload)[0]:
            fits = (group == ways.group[way]) & (taken + ways.takes[way] <= ROOM).all(axis=1)
            joined = int(np.argmax(fits)) if fits.any() else None
            needed = used + ways.full[[way]].toarray()[0]
            needed[ways.group[way]] += joined is None
            if rooms.hold(nodes, needed):
                used = needed
                if joined is None:
                    columns.append((way,))
                else:
                    columns[joined] = (*columns[joined], way)
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
