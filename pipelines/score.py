"""Predict, score and recommend for every objective; what is written back to `ml.*`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.limits import Limits
from models_py.objectives import short_name
from models_py.predict import PerformancePredictor
from pipelines.settings import Settings

QUANTILES = ["p05", "p10", "p50", "p90", "p95"]
PREDICTION_COLUMNS = [
    "config_id",
    *QUANTILES,
    "epistemic",
    "aleatoric",
    "in_domain",
    "domain_reason",
    "prob_feasible",
    "measured_value",
]
OPTION_COLUMNS = [
    "config_id",
    "workload_id",
    "rank",
    "hardware_score",
    "prob_best",
    "expected_regret",
    *QUANTILES,
    "in_domain",
    "prob_feasible",
    "measured_value",
]
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
    "reason",
]


@dataclass(frozen=True)
class Scored:
    """Frames of one build.

    Attributes
    ----------
    predictions
        One row per metric and configuration.
    options
        One row per objective and option (workload on platform).
    candidates
        One row per objective and candidate.
    """

    predictions: pd.DataFrame
    options: pd.DataFrame
    candidates: pd.DataFrame


def learning_system(
    predictor: PerformancePredictor,
    candidates: pd.DataFrame,
    training: pd.DataFrame,
    directions: Mapping[str, str],
    settings: Settings,
) -> ActiveLearningSystem:
    """What scores candidates and chooses tests, as the settings say."""
    return ActiveLearningSystem(
        predictor,
        candidates,
        training,
        settings.weights.model_dump(),
        settings.decision_share,
        directions,
        settings.seed,
        settings.minimum_feasibility,
    )


def score(system: ActiveLearningSystem, objectives: Sequence[str], settings: Settings) -> Scored:
    """Score every metric; objectives are metrics that were learned."""
    depth = max(settings.budget, settings.plan_depth)
    with ThreadPoolExecutor(settings.threads) as pool:
        results = list(pool.map(lambda metric: _score_metric(system, metric, depth), objectives))
    return Scored(*(pd.concat(frames, ignore_index=True) for frames in zip(*results, strict=True)))


def _score_metric(
    system: ActiveLearningSystem, metric: str, depth: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    predictions = system.predictions(metric)
    options = system.rank(predictions, metric)
    candidates = system.select(options, metric, Limits(depth))
    names = {"metric": metric, "objective": short_name(metric)}
    return (
        predictions[PREDICTION_COLUMNS].assign(metric=metric),
        options[OPTION_COLUMNS].assign(**names),
        candidates[SCORE_COLUMNS].assign(**names),
    )
