"""Fit a model per metric, and one of what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from models_py.derived import DERIVED_FROM, DerivedModel
from models_py.metric_model import MetricModel
from models_py.predict import PerformancePredictor
from pipelines.memory import give_back


def train(
    training: pd.DataFrame,
    outcomes: pd.DataFrame,
    metrics: Sequence[str],
    kept: Mapping[str, MetricModel | DerivedModel],
    seed: int,
    side_by_side: int,
) -> PerformancePredictor:
    """A predictor of every metric with enough measurements; see its `refused` for the others.

    Metrics are fitted side by side: LightGBM works outside Python's lock, one thread each.

    Parameters
    ----------
    kept
        Models that are taken as they are.
    """
    predictor = PerformancePredictor(metrics=metrics, seed=seed)
    predictor.models.update(kept)

    def fit(metric: str) -> None:
        predictor.fit_metric(training, metric)
        give_back()

    with ThreadPoolExecutor(side_by_side) as pool:
        failures = pool.submit(predictor.fit_feasibility, outcomes)
        for derived in (False, True):
            wave = [metric for metric in metrics if (metric in DERIVED_FROM) == derived]
            wave = [metric for metric in wave if metric not in kept]
            list(pool.map(fit, wave))
        failures.result()
    predictor.models = {
        name: predictor.models[name] for name in metrics if name in predictor.models
    }
    return predictor
