"""Predict, rank and select for every objective: the rows that are written back to `ml.*`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.limits import Limits
from models_py.objectives import short_name
from models_py.predict import PerformancePredictor
from pipelines.rescoring import PREDICTED, Rescoring
from pipelines.settings import Settings
from pipelines.strategies import Tactic

PREDICTION_COLUMNS = ["config_id", *PREDICTED, "prob_feasible", "measured_value", "inputs"]
SCORE_COLUMNS = [
    "config_id",
    "uncertainty",
    "diversity",
    "expected_information_gain",
    "hardware_optimization_factor",
    "combined_score",
    "hardware_score",
    "recommended_hardware",
    "hardware_match",
    "prob_feasible",
    "batch_order",
    "serves",
    "variance_removed",
    "regret_removed",
    "reason",
]


class Ranked(NamedTuple):
    """What a metric's model says.

    Attributes
    ----------
    predictions
        One row per configuration.
    options
        One row per option (workload on platform), ranked.
    """

    predictions: pd.DataFrame
    options: pd.DataFrame


def learning_system(
    predictor: PerformancePredictor,
    candidates: pd.DataFrame,
    measured: pd.DataFrame,
    directions: Mapping[str, str],
    settings: Settings,
) -> ActiveLearningSystem:
    """What scores candidates and chooses tests; which way is a `Tactic`."""
    return ActiveLearningSystem(
        predictor,
        candidates,
        measured,
        directions=directions,
        seed=settings.seed,
        minimum_feasibility=settings.minimum_feasibility,
    )


def rank(
    system: ActiveLearningSystem, metrics: Sequence[str], rescoring: Rescoring, threads: int
) -> dict[str, Ranked]:
    """Predictions and ranked options of every metric."""

    def of(metric: str) -> Ranked:
        predictions = system.predictions(metric, rescoring.predict)
        return Ranked(predictions, system.rank(predictions, metric))

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(metrics, pool.map(of, metrics), strict=True))


def select(
    system: ActiveLearningSystem,
    ranked: Mapping[str, Ranked],
    tactics: Mapping[str, Tactic],
    settings: Settings,
) -> pd.DataFrame:
    """Scored candidates: one row per objective and candidate."""
    limits = Limits(max(settings.budget, settings.plan_depth))

    def of(metric: str) -> pd.DataFrame:
        chosen = system.with_tactic(*tactics[metric]).select(ranked[metric].options, metric, limits)
        return _named(chosen[SCORE_COLUMNS], metric)

    with ThreadPoolExecutor(settings.threads) as pool:
        return pd.concat(pool.map(of, ranked), ignore_index=True)


def prediction_rows(ranked: Mapping[str, Ranked], models: Mapping[str, str]) -> pd.DataFrame:
    """One row per metric and configuration; `models` are names of models by metric, see `Rescoring`."""
    rows = [
        found.predictions[PREDICTION_COLUMNS].assign(metric=metric, model=models.get(metric))
        for metric, found in ranked.items()
    ]
    return pd.concat(rows, ignore_index=True)


def _named(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    return rows.assign(metric=metric, objective=short_name(metric))
