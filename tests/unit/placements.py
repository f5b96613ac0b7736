"""Small placement problems, and what has to hold of every placement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py.fleet import Fleet
from models_py.groups import groups_of, on_groups
from models_py.placement import (
    Placement,
)

GROUPS = (("abacus", 1), ("abacus", 2), ("sextant", 1))


INVENTORY = pd.DataFrame(
    [("abacus", 1, 9.0, 1.0), ("abacus", 2, 9.0, 1.7), ("sextant", 1, 9.0, 1.3)],
    columns=["hardware", "device_count", "nodes", "price_per_hour"],
)


def random_points(seed: int, workloads: int, groups: tuple = GROUPS) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = [
        (workload, *group, generator.uniform(0.5, 2) * group[1], generator.uniform(0.1, 0.9))
        for workload in range(workloads)
        for group in groups
    ]
    return pd.DataFrame(rows, columns=["workload", "hardware", "device_count", "rate", "memory"])


def random_demands(seed: int, workloads: int) -> np.ndarray:
    return np.random.default_rng(seed + 1).uniform(0.1, 2.5, workloads)


def fleet_of(points: pd.DataFrame, demands: np.ndarray) -> Fleet:
    groups = groups_of(points, INVENTORY)
    return Fleet(on_groups(points, groups), demands, groups, INVENTORY)


def require_sound(
    found: Placement, points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame
) -> None:
    """No device is given away twice, no memory or time exceeded, and every demand is carried."""
    copies = found.copies
    assert (found.nodes <= inventory["nodes"]).all()
    assert copies["node"].to_numpy() == pytest.approx(
        np.minimum(copies["node"], found.nodes[copies["kind"].to_numpy(int)])
    )
    group = ["kind", "node", "first_device"]
    used = copies.groupby(group)[["share", "memory"]].sum()
    assert (used <= 1 + 1e-6).all().all()
    assert not copies.duplicated([*group, "workload"]).any()
    taken = [
        (kind, node, device)
        for (kind, node, first), count in copies.groupby(group)["device_count"].max().items()
        for device in range(first, first + count)
    ]
    assert len(taken) == len(set(taken))
    for kind, _, device in taken:
        assert device < inventory["device_count"].iat[kind]
    run = points.loc[copies["point"].to_numpy(int)].reset_index(drop=True)
    assert (run["workload"].to_numpy() == copies["workload"]).all()
    assert (run["device_count"].to_numpy() == copies["device_count"]).all()
    assert (copies["carried"] <= run["rate"] * copies["share"] + 1e-9).all()
    carried = copies.groupby("workload")["carried"].sum()
    for workload, demand in enumerate(demands):
        if workload not in found.unserved:
            assert carried[workload] == pytest.approx(demand, rel=1e-5, abs=1e-5)
        else:
            own = points[points["workload"] == workload]
            assert most_carried_by_idle(own, taken, inventory) < demand


def most_carried_by_idle(
    own: pd.DataFrame, taken: list[tuple[int, int, int]], inventory: pd.DataFrame
) -> float:
    """What devices that nothing runs on carry of one workload, by full groups of every size."""
    busy = pd.DataFrame(taken, columns=["kind", "node", "device"]).groupby(["kind", "node"]).size()
    carried = 0.0
    for kind, row in enumerate(inventory.itertuples()):
        points = own[own["hardware"] == row.hardware]
        best = [0.0]  # by number of devices
        for devices in range(1, row.device_count + 1):
            with_last = [
                point.rate + best[devices - point.device_count]
                for point in points.itertuples()
                if point.device_count <= devices
            ]
            best.append(max([best[-1], *with_last]))
        for node in range(1, int(row.nodes) + 1):
            carried += best[row.device_count - busy.get((kind, node), 0)]
    return carried


def kinds(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["hardware", "device_count", "nodes", "price_per_hour"])


def runs(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["workload", "hardware", "device_count", "rate", "memory"])
