"""Groups of devices: as many of a node as one replica runs on.

Groups of a device nest: each size divides the next, so that any numbers of them that fit by their sum
fit into nodes. What runs on a size in between takes the next larger group, if there are nodes for that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

GROUP = ["hardware", "device_count"]
POINTS = 3
LESS = 0.8  # a point that carries less is kept where it takes this share of the memory
ANY = 2**31  # groups there are where nodes have no number


def groups_of(points: pd.DataFrame, inventory: pd.DataFrame) -> pd.DataFrame:
    """Groups that points run on and nodes have, `hardware, device_count`, the smallest first.

    Kinds of which there are no `nodes` do not count, unless there are none of the hardware.

    Examples
    --------
    >>> points = pd.DataFrame({"hardware": "h100", "device_count": [1, 2, 3, 4, 8]})
    >>> inventory = pd.DataFrame({"hardware": ["h100"], "device_count": [4]})
    >>> groups_of(points, inventory)["device_count"].tolist()
    [1, 2, 4]
    """
    largest = inventory.groupby("hardware")["device_count"].max()
    if "nodes" in inventory:
        there = inventory[inventory["nodes"] > 0].groupby("hardware")["device_count"].max()
        largest = there.combine_first(largest)
    kept = []
    for hardware, sizes in points.groupby("hardware")["device_count"].unique().items():
        nested: list[int] = []
        for size in sorted(sizes, reverse=True):
            if size <= largest.get(hardware, 0) and (not nested or nested[-1] % size == 0):
                nested.append(int(size))
        kept += [(hardware, size) for size in reversed(nested)]
    types = {"hardware": points["hardware"].dtype, "device_count": int}
    return pd.DataFrame(kept, columns=GROUP).astype(types)


def on_groups(points: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Points with their group; of each workload and group the best, and some that take less memory.

    Parameters
    ----------
    points
        `workload, hardware, device_count, rate` (what a replica carries) and `memory` (the share that it
        takes of the memory of its devices, in (0, 1]).

    Returns
    -------
    pandas.DataFrame
        Rows of `points` with `group`, a position in `groups`; the fastest of a group first.
    """
    placed = pd.merge_asof(
        points.sort_values("device_count", kind="stable"),
        groups.reset_index(names="group").sort_values("device_count"),
        on="device_count",
        by="hardware",
        direction="forward",
    ).dropna(subset="group")
    order = ["workload", "group", "rate", "memory"]
    placed = placed.sort_values(order, ascending=[True, True, False, True], kind="stable")
    chosen = [
        position
        for _, own in placed.reset_index(drop=True).groupby(["workload", "group"])["memory"]
        for position in own.index[_with_less_memory(own.to_numpy())]
    ]
    return placed.iloc[chosen].astype({"group": int}).reset_index(drop=True)


def _with_less_memory(memory: np.ndarray) -> list[int]:
    """The first position, and those that take clearly less than the last one kept; `POINTS` at most."""
    kept = [0]
    for position, share in enumerate(memory):
        if share < LESS * memory[kept[-1]]:
            kept.append(position)
    return kept if len(kept) <= POINTS else [*kept[: POINTS - 1], kept[-1]]


class Rooms:
    """How many groups fit into nodes.

    Parameters
    ----------
    groups
        As `groups_of` returns them.
    inventory
        Kinds of nodes: `hardware, device_count`.

    Attributes
    ----------
    size, devices
        Devices of a group, shape (groups,), and of a node, shape (kinds,).
    counted, room
        Groups fit into nodes where `counted @ groups <= room @ nodes`, shapes (groups, groups) and
        (groups, kinds): for each size, the devices of groups of that size and the larger ones, and those
        of nodes in multiples of the size.
    """

    def __init__(self, groups: pd.DataFrame, inventory: pd.DataFrame) -> None:
        size = groups["device_count"].to_numpy(int)
        hardware = groups["hardware"].to_numpy()
        same = hardware[:, None] == hardware
        self.size, self._smaller = size, same & (size[:, None] <= size)
        self.counted = (same & (size >= size[:, None])) * size.astype(float)
        here = hardware[:, None] == inventory["hardware"].to_numpy()
        self.devices = inventory["device_count"].to_numpy(int)
        in_node = self.devices // size[:, None]
        self.room = (here * in_node * size[:, None]).astype(float)

    def prices(
        self, of_nodes: np.ndarray, nodes: np.ndarray | None = None, dearest: bool = False
    ) -> np.ndarray:
        """What a group of each kind costs as its part of a node: of the cheapest one, or the dearest.

        Parameters
        ----------
        nodes
            How many of each kind there are; those of which there is none do not count.
        """
        there = self.room > 0 if nodes is None else (self.room > 0) & (nodes > 0)
        in_node = self.room / self.size[:, None]
        each = np.divide(of_nodes, in_node, where=there, out=np.full(there.shape, np.nan))
        chosen = np.fmax.reduce(each, axis=1) if dearest else np.fmin.reduce(each, axis=1)
        return np.nan_to_num(chosen)

    def limits(self, nodes: np.ndarray) -> np.ndarray:
        """Devices that `counted @ groups` may take of nodes, shape (groups,)."""
        return self.room @ np.minimum(nodes, ANY)

    def free(self, limits: np.ndarray) -> np.ndarray:
        """How many groups of each kind fit, each if they are all that is added."""
        least = np.where(self._smaller, limits[:, None], np.inf).min(axis=0, initial=np.inf)
        return np.minimum(least // self.size, ANY).astype(int)
