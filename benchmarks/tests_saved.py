"""How many tests a policy saves against random selection, replayed on public tables.

    python benchmarks/tests_saved.py [--data ../shared/data] [--seeds 900 ... 909] [--processes 2]

A fifth of the configurations is held out and never asked for; all policies of a seed begin with the same
40 tests at random and add 20 a round, up to a tenth of the pool. After every round the predictor is
refitted on what was paid for: benchmart's light one, or LightGBM with small-data parameters. The goal
of a figure is what random selection reaches in the end, on average over the seeds; saved is the share
of its tests that a policy did without, on its mean curve. In brackets: 90 % interval, paired bootstrap
over seeds. Regret: of the hardware that is predicted best, mean over workloads with a choice; random
selection goes on to half of the pool, to see when its regret falls to one percent.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from policies import POLICIES, PREDICTORS
from public_tables import DATA, Table, read_rows, rows_of
from threadpoolctl import threadpool_limits

from models_py.replay import replay
from models_py.savings import saving

SEEDS = tuple(range(900, 910))
POOL_SHARE, LONG_SHARE = 0.1, 0.5
LONG_BATCH = 100
RANDOM = ("random, LightGBM", "random")
POOL_OF_TIMM = 130
FIGURES = ("rmse", "median_ape", "regret")
REGRET_GOAL = 0.01


class Pool(NamedTuple):
    """What is replayed: a comparable group of a table, below a folder of the data."""

    table: Table
    group: str
    folder: str = ""


POOLS = {
    "LLM-Inference-Bench": Pool(
        Table("llm_inference_bench", "throughput", ()), "text_generation/inference/tokens/s"
    ),
    "timm": Pool(Table("timm", "throughput", ()), "vision/inference/images/s"),
    "Qualcomm AI Hub": Pool(
        Table("qualcomm_ai_hub", "latency_ms", ()),
        "vision/inference/inferences/s",
        "qualcomm_ai_hub_v0.22.0",
    ),
}


def main() -> None:
    """Run all replays, then print a table per public table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--tables", nargs="+", choices=POOLS, default=list(POOLS))
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--curves",
        type=Path,
        help="Parquet file that keeps the curves; what it has is not replayed again.",
    )
    options = parser.parse_args()
    curves = kept(options.curves)
    with ProcessPoolExecutor(options.processes) as pool:
        for title in options.tables:
            runs = pool_of(read_rows(options.data / POOLS[title].folder), title)
            asked = [(name, seed) for seed in options.seeds for name in options.policies]
            asked = [each for each in asked if each not in replayed(curves, title)]
            for curve in pool.map(partial(run, runs, title), *zip(*asked, strict=True)):
                curves = pd.concat([curves, curve], ignore_index=True)
                if options.curves:
                    curves.to_parquet(options.curves)
            here = curves[(curves["table"] == title) & curves["seed"].isin(options.seeds)]
            print(as_markdown(here, options.policies), flush=True)


def kept(file: Path | None) -> pd.DataFrame:
    """The curves of earlier runs."""
    if file is not None and file.exists():
        return pd.read_parquet(file)
    return pd.DataFrame(columns=["table", "policy", "seed"])


def replayed(curves: pd.DataFrame, title: str) -> set[tuple[str, int]]:
    """Policies and seeds of a table that there are curves of."""
    here = curves[curves["table"] == title]
    return set(zip(here["policy"], here["seed"], strict=True))


def pool_of(rows: pd.DataFrame, title: str) -> pd.DataFrame:
    """Runs of one comparable group of a table; of timm those of 130 models."""
    table, group, _ = POOLS[title]
    runs = rows_of(rows, table)
    runs = runs[runs["comparable_group"] == group]
    if title == "timm":
        names = np.random.default_rng(0).permutation(np.sort(runs["model_name"].unique()))
        runs = runs[runs["model_name"].isin(names[:POOL_OF_TIMM])]
    # nothing but the metric is known of a run
    others = {"throughput", "latency_ms", "memory_mb", "power_w", "energy_j"} - {table.metric}
    return runs.drop(columns=[*others & set(runs), "latency_ms_is_derived"])


def run(runs: pd.DataFrame, title: str, name: str, seed: int) -> pd.DataFrame:
    """The curve of one policy and seed."""
    policy, predictor = POLICIES[name]
    pool = 0.8 * runs["config_id"].nunique()
    budget = round(POOL_SHARE * pool / 20) * 20
    with threadpool_limits(1):  # processes run side by side
        curve = replay(
            runs,
            POOLS[title].table.metric,
            policy,
            round(LONG_SHARE * pool) if name in RANDOM else budget,
            seed,
            batch=lambda spent: 20 if spent < budget else LONG_BATCH,
            make_predictor=PREDICTORS[predictor],
        )
    return curve.assign(table=title, policy=name, seed=seed, budget=budget)


def as_markdown(every: pd.DataFrame, policies: list[str]) -> str:
    """A row per policy: figures at the end, and tests saved against both kinds of random."""
    here = every[every["tests"] <= every["budget"]]
    shown = ["RMSE", "APE %", "regret %", "saved: RMSE", "APE", "regret"]
    shown += ["regret <= 1 %", "than random"]
    lines = [
        f"\n{every['table'].iloc[0]}, {here['tests'].max():.0f} tests, {here['seed'].nunique()} seeds\n"
    ]
    lines += [f"| policy | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    for name in policies:
        own = here[here["policy"] == name]
        end = own[own["tests"] == own["tests"].max()]
        cells = [f"{end['rmse'].mean():.3f}", f"{end['median_ape'].mean():.1f}"]
        cells.append(f"{100 * end['regret'].mean():.2f}")
        cells += [_saved(own, here, RANDOM[0], figure) for figure in FIGURES]
        cells += [_saved(own, every, other, "regret", REGRET_GOAL) for other in RANDOM]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _saved(own: pd.DataFrame, curves: pd.DataFrame, other: str, *goal: object) -> str:
    """What a policy saves against another one, if that was replayed and the goal is reached."""
    baseline = curves[curves["policy"] == other]
    found = None if baseline.empty else saving(own, baseline, *goal)
    if found is None or np.isnan(found.percent):
        return "-"
    return f"{found.percent:.0f} [{found.low:.0f}, {found.high:.0f}]"


if __name__ == "__main__":
    main()
