"""How workloads can be served: full groups of devices, and a share of one more for the rest.

A group is as many devices of a node as one replica runs on. Groups of a device nest: each size divides
the next, so that any numbers of them that fit by their sum fit into nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

GROUP = ["hardware", "device_count"]
POINTS = 3
LESS = 0.8  # a point that carries less is kept where it takes this share of the memory
WAY = (
    "workload",
    "first",
    "first_replicas",
    "group",
    "replicas",
    "share",
    "memory",
    "first_point",
    "full_point",
    "shared_point",
)


def groups_of(points: pd.DataFrame, inventory: pd.DataFrame) -> pd.DataFrame:
    """Groups that points run on and nodes have, `hardware, device_count`, the smallest first.

    Examples
    --------
    >>> points = pd.DataFrame({"hardware": "h100", "device_count": [1, 2, 3, 4, 8]})
    >>> inventory = pd.DataFrame({"hardware": ["h100"], "device_count": [4]})
    >>> groups_of(points, inventory)["device_count"].tolist()
    [1, 2, 4]
    """
    largest = inventory.groupby("hardware")["device_count"].max()
    kept = []
    for hardware, sizes in points.groupby("hardware")["device_count"].unique().items():
        last = 1
        for size in sorted(sizes):
            if size % last == 0 and size <= largest.get(hardware, 0):
                kept.append((hardware, int(size)))
                last = size
    return pd.DataFrame(kept, columns=GROUP)


def on_groups(points: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Points with their group; of each workload and group the best, and some that take less memory.

    Parameters
    ----------
    points
        `workload, hardware, device_count, rate` (what a replica carries) and `memory` (the share that it
        takes of the memory of its group, in (0, 1]).

    Returns
    -------
    pandas.DataFrame
        Rows of `points` with `group`, a position in `groups`; the fastest of a group first.
    """
    placed = points.merge(groups.reset_index(names="group"), on=GROUP)
    order = ["workload", "group", "rate", "memory"]
    placed = placed.sort_values(order, ascending=[True, True, False, True], kind="stable")
    own = placed.groupby(["workload", "group"])["memory"]
    before = own.cummin().groupby([placed["workload"], placed["group"]]).shift()
    placed = placed[before.isna() | (placed["memory"] < LESS * before)]
    own = placed.groupby(["workload", "group"])["memory"]
    position, last = own.cumcount(), own.transform("size") - 1
    chosen = (position < POINTS - 1) | (position == last)
    return placed[chosen].reset_index(drop=True)


def ways_of(points: pd.DataFrame, demands: np.ndarray, most_groups: np.ndarray) -> pd.DataFrame:
    """Ways to serve each workload's demand.

    As many full groups of one kind as the demand fills (or as there are), and what is left on this or
    another kind: full groups where it fills some, and a share of the time of one more.

    Parameters
    ----------
    points
        As `on_groups` returns them.
    demands
        By workload, in the unit of its `rate`; above zero.
    most_groups
        How many of each group there are.

    Returns
    -------
    pandas.DataFrame
        `workload`; `first_replicas` groups of kind `first`; `replicas` full ones of kind `group`, and
        `share`, in (0, 1], of the time of one more, of whose memory it takes `memory`; and the rows of
        `points` that say how each of them is run.
    """
    rows = [
        way
        for workload, own in points.groupby("workload", sort=True)
        for way in _ways(int(workload), own, demands[workload], most_groups)
    ]
    return pd.DataFrame(rows, columns=WAY).drop_duplicates(WAY[:7], ignore_index=True)


def _ways(
    workload: int, points: pd.DataFrame, demand: float, most_groups: np.ndarray
) -> Iterator[tuple]:
    fastest = points.drop_duplicates("group")
    full_point = dict(zip(fastest["group"], fastest.index, strict=True))
    full_rate = dict(zip(fastest["group"], fastest["rate"], strict=True))
    each = list(zip(points.index, points["group"], points["rate"], points["memory"], strict=True))
    for first, rate in full_rate.items():
        filled = _whole(demand / rate)
        taken = min(filled, int(most_groups[first]))
        for point, group, own_rate, memory in each:
            if group == first or taken:
                used = 0 if group == first else taken
                replicas, share = _split(demand - used * rate, full_rate[group], own_rate)
                # what is left of full groups is less than one, unless there are no more of them
                if share is not None and (group == first or taken < filled or not replicas):
                    yield (
                        workload, first, used, group, replicas, share, memory,
                        full_point[first], full_point[group], point,
                    )  # fmt: skip


def _split(demand: float, full_rate: float, shared_rate: float) -> tuple[int, float | None]:
    """Full replicas and the share of one more; None where one more does not carry what is left."""
    replicas = _whole(demand / full_rate)
    left = (demand - replicas * full_rate) / shared_rate
    if left <= 1e-6:
        return replicas - 1, 1.0
    return replicas, left if left <= 1 else None


def _whole(number: float) -> int:
    return int(np.floor(number + 1e-9))
