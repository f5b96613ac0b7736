"""Placing 50 workloads on 20 kinds of nodes: how near to the least cost, in how many seconds?

    python benchmarks/placement.py [--data ../shared/data] [--seeds 915 916 917 918 919]

Workloads are models, precisions and lengths of LLM-Inference-Bench, with what was measured of them at
every batch taken as certain; kinds of nodes are its devices by how many of them were used together.
Random demands, as many devices of the middling kind as each row says; nodes in number for five times
that. The gap is between the cost and a bound that no placement goes below. `apart` is what the same
workloads cost each on nodes of its own, with as many nodes as it takes. `share` and `memory` are the
most that any group of devices is given of its time and memory.

Prices are assumed, as in `sizing.py`, each up to a tenth more or less. Seeds 900 to 914 were looked at
while the search was tuned.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from public_tables import DATA, LLM_THROUGHPUT, read_rows, rows_of
from sizing import PRICES
from threadpoolctl import threadpool_limits

from models_py.measured import newest_measurements
from models_py.placement import place

WORKLOADS, KINDS, SUPPLY = 50, 20, 5
SHAPE = ["model_name", "precision", "input_length", "output_length"]
NODE = ["hardware", "device_count"]
SEEDS = (915, 916, 917, 918, 919)
LEVELS = ((0.01, 1), (0.1, 10), (0.3, 30), (1, 100))


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    rows = rows_of(read_rows(options.data), LLM_THROUGHPUT)
    measured = newest_measurements(rows, "throughput")
    rate = measured["measured_value"] / measured["batch_work"] * measured["batch_size"]
    points = measured.drop(columns="workload")
    points = points.assign(rate=rate, memory=points["memory_share"].clip(upper=1))
    print(
        "| devices each | seed | nodes | cost an hour | gap % | seconds | left out | share | memory"
        " | apart |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    with threadpool_limits(1):
        for level in LEVELS:
            for seed in options.seeds:
                print(measured_once(points, level, seed, options.seconds), flush=True)


def measured_once(
    points: pd.DataFrame, level: tuple[float, float], seed: int, seconds: float
) -> str:
    """One row of the table."""
    own, demands, inventory = instance(points, level, seed)
    start = time.perf_counter()
    found = place(own, demands, inventory, seconds)
    took = time.perf_counter() - start
    groups = found.copies.groupby(["kind", "node", "first_device"])[["share", "memory"]].sum().max()
    gap = "-" if found.gap is None else f"{100 * found.gap:.2f}"
    return (
        f"| {level[0]:g} to {level[1]:g} | {seed} | {found.nodes.sum()} | {found.cost:.1f} | {gap}"
        f" | {took:.1f} | {len(found.unserved)} | {groups['share']:.3f} | {groups['memory']:.3f}"
        f" | {apart(own, demands, inventory):.1f} |"
    )


def instance(
    points: pd.DataFrame, level: tuple[float, float], seed: int
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Points of random workloads, their demands, and an inventory."""
    generator = np.random.default_rng(seed)
    inventory = points[NODE].drop_duplicates().sort_values(NODE).sample(KINDS, random_state=seed)
    inventory = inventory.reset_index(drop=True)
    each = inventory["hardware"].map(PRICES) * generator.uniform(0.9, 1.1, KINDS)
    inventory["price_per_hour"] = each * inventory["device_count"]
    largest = points["hardware"].map(inventory.groupby("hardware")["device_count"].max())
    usable = points[points["device_count"] <= largest]
    shapes = usable[SHAPE].drop_duplicates().sort_values(SHAPE)
    shapes = shapes.sample(WORKLOADS, random_state=seed).assign(workload=range(WORKLOADS))
    own = usable.merge(shapes, on=SHAPE).reset_index(drop=True)
    devices = np.exp(generator.uniform(*np.log(level), WORKLOADS))
    demands = devices * (own["rate"] / own["device_count"]).groupby(own["workload"]).median()
    needed = SUPPLY * devices.sum() / KINDS / inventory["device_count"]
    inventory["nodes"] = np.maximum(np.round(needed), 3)
    return own, demands.to_numpy(), inventory


def apart(points: pd.DataFrame, demands: np.ndarray, inventory: pd.DataFrame) -> float:
    """Each workload alone, at its least cost."""
    plenty = inventory.assign(nodes=np.inf)
    return sum(
        place(points[points["workload"] == workload].assign(workload=0), [demand], plenty).cost
        for workload, demand in enumerate(demands)
    )


if __name__ == "__main__":
    main()
