"""Fit a model per metric."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from models_py.derived import DERIVED_FROM
from models_py.predict import PerformancePredictor


def train(
    training: pd.DataFrame, metrics: Sequence[str], seed: int, threads: int
) -> PerformancePredictor:
    """A predictor of every metric with enough measurements; see its `refused` for the others.

    The metrics are fitted side by side: LightGBM works outside Python's lock, one thread each.
    """
    predictor = PerformancePredictor(metrics=metrics, seed=seed)
    with ThreadPoolExecutor(threads) as pool:
        for derived in (False, True):
            wave = [metric for metric in metrics if (metric in DERIVED_FROM) == derived]
            list(pool.map(lambda metric: predictor.fit_metric(training, metric), wave))
    predictor.models = {
        name: predictor.models[name] for name in metrics if name in predictor.models
    }
    predictor.training_frame = training
    return predictor
