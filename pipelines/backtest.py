"""`benchmart backtest`: what active selection would have saved on the warehouse's own measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.replay import START, at_random, chosen_jointly, replay
from models_py.savings import saving
from models_py.strategies import DECISION_SHARES
from pipelines.backtest_report import learning_figure
from pipelines.console import Reporter
from pipelines.curves import keep_curves
from pipelines.engine import engine_of, in_turn
from pipelines.errors import InputError
from pipelines.objective import objective_metric
from pipelines.processes import processes
from pipelines.published import connect, metric_directions, published_build, training_frame
from pipelines.settings import Settings
from pipelines.suggest import did_you_mean
from pipelines.tracking import Tracker
from pipelines.warehouse import DATABASE, Warehouse, replace_file

RANDOM = "random"
POLICIES = {
    RANDOM: at_random,
    "accuracy": chosen_jointly(0.0),
    **{name: chosen_jointly(share) for name, share in DECISION_SHARES.items()},
    "decisions": chosen_jointly(1.0),
}
FIGURES = {
    "rmse": "error of predictions",
    "median_ape": "median error of predictions",
    "regret": "what recommendations lose",
}
FEWEST_CONFIGURATIONS = 100
MOST_CONFIGURATIONS = 2_500
BUDGET_SHARE = 0.25
LARGEST_BUDGET = 400
ROUNDS = 12


class Backtest(NamedTuple):
    """What came of the replays.

    Attributes
    ----------
    curves
        A row per group, policy, seed and round.
    savings
        A row per group, policy and figure.
    skipped
        What was left out, and why.
    picture
        File of the drawn curves.
    """

    curves: pd.DataFrame
    savings: pd.DataFrame
    skipped: list[str]
    picture: Path


def backtest(
    settings: Settings, metric: str, policies: Sequence[str], seeds: int, reporter: Reporter
) -> Backtest:
    """Replay policies on every comparable group that is large enough; keep the curves.

    They are written below the warehouse, to be published by the next build as
    `analytics.learning_curve`, and logged in MLflow, a run per group and policy.

    Raises
    ------
    InputError
        For an unknown metric or policy, or too few measured configurations to replay.
    """
    for name in policies:
        if name not in POLICIES:
            raise InputError(f"--policy: unknown policy '{name}'{did_you_mean(name, POLICIES, 20)}")
    build = published_build(settings.warehouse)
    with connect(build / DATABASE, read_only=True) as con:
        directions = metric_directions(con)
        metric = objective_metric(metric, directions, "--metric")
        training = training_frame(con, settings.training_rows)
    pools, skipped = _pools(training, metric, list(directions), settings.seed)
    if not pools:
        raise InputError(f"--metric {metric}: nothing to replay; {'; '.join(skipped)}")
    # random first: what is compared is paired with it
    names = [RANDOM, *(name for name in dict.fromkeys(policies) if name != RANDOM)]
    asked = [
        (group, name, settings.seed + number)
        for group in pools
        for name in names
        for number in range(seeds)
    ]
    with reporter.stage("replays"), engine_of(settings, processes) as engine:
        shared = {group: engine.share(runs) for group, runs in pools.items()}

        def submit(replayed: tuple[str, str, int]) -> object:
            group, policy, seed = replayed
            return engine.submit(_replayed, shared[group], metric, policy, seed, directions)

        replays = in_turn(submit, asked, engine.side_by_side + 1)
        with reporter.counted(replays, len(asked), "replays") as counted:
            curves = pd.concat(counted, ignore_index=True)
    curves.insert(0, "metric", metric)
    savings = _savings(curves, names)
    picture = _keep(settings.warehouse, metric, curves)
    with reporter.stage("tracking"):
        Tracker(settings.mlruns).log_backtest(metric, curves, savings)
    return Backtest(curves, savings, skipped, picture)


def _pools(
    training: pd.DataFrame, metric: str, metrics: list[str], seed: int
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Runs of each comparable group to replay on, and what was left out or cut down."""
    measured = training[training[metric].notna()] if metric in training else training.iloc[:0]
    # of a run nothing is known but its metric, which is then learned, not mirrored
    others = [name for name in metrics if name != metric] + [f"{metric}_is_derived"]
    measured = measured.drop(columns=others, errors="ignore")
    pools, said = {}, []
    for group, runs in measured.groupby("comparable_group"):
        names = np.sort(runs["config_id"].unique())
        if len(names) < FEWEST_CONFIGURATIONS:
            said.append(
                f"{group} has {len(names)} configurations, {FEWEST_CONFIGURATIONS} are needed"
            )
            continue
        if len(names) > MOST_CONFIGURATIONS:
            said.append(f"{group}: {MOST_CONFIGURATIONS} of {len(names)} configurations, by chance")
            names = np.random.default_rng(seed).choice(names, MOST_CONFIGURATIONS, replace=False)
        pools[str(group)] = runs[runs["config_id"].isin(names)]
    if measured.empty:
        said.append("no run states it")
    return pools, said


def _replayed(
    runs: pd.DataFrame, metric: str, policy: str, seed: int, directions: dict[str, str]
) -> pd.DataFrame:
    from threadpoolctl import threadpool_limits

    budget = min(round(BUDGET_SHARE * runs["config_id"].nunique()), LARGEST_BUDGET)
    size = max(5, round((budget - START) / ROUNDS))
    with threadpool_limits(1):  # replays run side by side
        curve = replay(
            runs,
            metric,
            POLICIES[policy],
            max(budget, 60),
            seed,
            batch=lambda spent: size,
            directions=directions,
        )
    group = runs["comparable_group"].iloc[0]
    return curve.assign(comparable_group=group, policy=policy, seed=seed)


def _savings(curves: pd.DataFrame, policies: Sequence[str]) -> pd.DataFrame:
    """What each policy saves against random selection, by group and figure."""
    rows = []
    for group, here in curves.groupby("comparable_group", sort=False):
        baseline = here[here["policy"] == RANDOM]
        for name in policies[1:]:
            for figure in FIGURES:
                own = here[here["policy"] == name]
                if own[figure].notna().all():
                    found = saving(own, baseline, figure)
                    rows.append({"comparable_group": group, "policy": name, "figure": figure})
                    rows[-1] |= found._asdict()
    columns = ["comparable_group", "policy", "figure", "percent", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _keep(warehouse: Path, metric: str, curves: pd.DataFrame) -> Path:
    """Write curves and picture; the picture's path. Policies of earlier backtests stay."""
    folder = Warehouse(warehouse).backtests
    folder.mkdir(exist_ok=True)
    figure, picture = learning_figure(curves), folder / f"{metric}.svg"
    replace_file(picture, lambda part: figure.savefig(part, format="svg"))
    keep_curves(folder / f"{metric}.parquet", curves)
    return picture


def in_words(found: Backtest) -> list[str]:
    """What each policy would have saved, also where that is nothing, and what it comes to."""
    lines = ["Fewer tests than random selection until as good as it is at its end, 90 % interval:"]
    for group, rows in found.savings.groupby("comparable_group", sort=False):
        lines.append(str(group))
        for row in rows.to_dict("records"):
            lines.append(f"  {row['policy']}, {FIGURES[row['figure']]}: {_saved(row)}")
    better = int((found.savings["low"] > 0).sum())
    lines.append(f"{better} of {len(found.savings)} figures need fewer tests, beyond chance.")
    if better < len(found.savings):
        lines.append("More --seeds narrow the intervals; small tables leave little to choose.")
    return lines + [f"left out: {reason}" for reason in found.skipped]


def _saved(row: Mapping[str, float]) -> str:
    if np.isnan(row["percent"]):
        return "does not get there"
    between = f"{row['low']:.0f} to {row['high']:.0f} %"
    if row["low"] > 0:
        return f"{row['percent']:.0f} % fewer ({between})"
    if row["high"] < 0:
        return f"{-row['percent']:.0f} % more ({-row['high']:.0f} to {-row['low']:.0f} %)"
    return f"no difference beyond chance ({between})"
