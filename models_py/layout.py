"""On which devices of which nodes the groups of a placement lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.fleet import Solution
from models_py.ways import Ways

COPY = ["workload", "point", "kind", "node", "first_device", "device_count", "share", "memory"]
COPY += ["carried"]


class _Share(NamedTuple):
    """Of a group's time, for one workload, run as a row of the points."""

    workload: int
    point: int
    time: float


def laid_out(
    found: Solution,
    ways: Ways,
    points: pd.DataFrame,
    groups: pd.DataFrame,
    inventory: pd.DataFrame,
) -> pd.DataFrame:
    """Copies on the devices of nodes: the largest groups first, each on the first node with room.

    Parameters
    ----------
    points
        As `on_groups` returns them, with `point`, their row in the user's.

    Returns
    -------
    pandas.DataFrame
        See `Placement.copies`.
    """
    sizes, hardware = groups["device_count"].tolist(), groups["hardware"].tolist()
    nodes = {
        name: [
            [kind, number, 0]
            for kind in np.flatnonzero(inventory["hardware"] == name)
            for number in range(1, int(found.nodes[kind]) + 1)
        ]
        for name in dict.fromkeys(hardware)
    }
    # where a group found no room, no later one of its size does
    first = [0] * len(groups)
    room, rows = inventory["device_count"].tolist(), []
    for group, shares in sorted(_groups(found, ways), key=lambda each: -sizes[each[0]]):
        own = nodes[hardware[group]]
        while own[first[group]][2] + sizes[group] > room[own[first[group]][0]]:
            first[group] += 1
        node = own[first[group]]
        for share in shares:
            run = points.loc[share.point]
            place = (share.workload, run["point"], *node, run["device_count"])
            rows.append((*place, share.time, run["memory"], run["rate"] * share.time))
        node[2] += sizes[group]
    return pd.DataFrame(rows, columns=COPY).sort_values(
        ["workload", "kind", "node", "first_device"], ignore_index=True
    )


def _groups(found: Solution, ways: Ways) -> Iterator[tuple[int, list[_Share]]]:
    """Groups in use, and who uses them."""
    for column in found.columns:
        yield (
            int(ways.group[column[0]]),
            [
                _Share(int(ways.workload[way]), int(ways.point[way]), float(ways.takes[way, 0]))
                for way in column
            ],
        )
        for way in column:
            workload, full = int(ways.workload[way]), ways.full[[way]].tocoo()
            for group, number in zip(full.col.tolist(), full.data.tolist(), strict=True):
                share = _Share(workload, ways.fastest(workload, group), 1.0)
                yield from ((group, [share]) for _ in range(number))
