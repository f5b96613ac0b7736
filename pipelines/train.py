"""Fit a model per metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from models_py.derived import DERIVED_FROM, DerivedModel
from models_py.metric_model import MetricModel
from models_py.predict import PerformancePredictor
from pipelines.console import Reporter
from pipelines.engine import Engine, in_turn
from pipelines.memory import give_back


def train(
    training: pd.DataFrame,
    metrics: Sequence[str],
    kept: Mapping[str, MetricModel | DerivedModel],
    seed: int,
    engine: Engine,
    side_by_side: int,
    reporter: Reporter,
) -> PerformancePredictor:
    """A predictor of every metric with enough measurements; see its `refused` for the others.

    Parameters
    ----------
    kept
        Models that are taken as they are.
    side_by_side
        How many metrics are fitted at once: LightGBM works outside Python's lock, one thread each.
    """
    predictor = PerformancePredictor(metrics=metrics, seed=seed)
    predictor.models.update(kept)
    shared = engine.share(training)
    for derived in (False, True):
        wave = [metric for metric in metrics if (metric in DERIVED_FROM) == derived]
        wave = [metric for metric in wave if metric not in kept]

        def fit(metric: str) -> object:
            source = predictor.models.get(DERIVED_FROM.get(metric))
            return engine.submit(_fitted, shared, metric, seed, source)

        fitted = in_turn(fit, wave, side_by_side)
        with reporter.counted(fitted, len(wave), "metrics fitted") as counted:
            for found in counted:
                predictor.models.update(found.models)
                predictor.refused.update(found.refused)
    predictor.models = {
        name: predictor.models[name] for name in metrics if name in predictor.models
    }
    return predictor


def _fitted(
    training: pd.DataFrame, metric: str, seed: int, source: MetricModel | None
) -> PerformancePredictor:
    """A predictor of one metric; `source` is the model of what it may be derived from."""
    predictor = PerformancePredictor(metrics=(metric,), seed=seed)
    if source is not None:
        predictor.models[source.metric] = source
    predictor.fit_metric(training, metric)
    predictor.models.pop(getattr(source, "metric", None), None)
    give_back()
    return predictor
