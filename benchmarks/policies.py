"""Policies and predictors that are replayed side by side.

`the original formula` is that of the work that inspired this project: 0.7 times (uncertainty +
diversity) plus 0.3 times the hardware score, top k. `quantile width` takes the widest predicted
intervals, `k-center` the configurations farthest from any that was paid for. Peers only choose: a
plain Gaussian process (`gaussian_policies.py`), scikit-activeml and bmdal_reg (`peer_worker.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import pandas as pd
from embedding import distances, embedded, log_target
from gaussian_policies import expected_improvement, thompson, variance_reduction
from peer_worker import peer

from models_py.features import Encoder
from models_py.metric_model import log_bounds
from models_py.objectives import sign
from models_py.predict import PerformancePredictor
from models_py.replay import Policy, State, at_random, chosen_jointly, light_predictor

MEMBERS = 8
SMALL_DATA = {
    "n_estimators": 300,
    "learning_rate": 0.06,
    "num_leaves": 12,
    "min_child_samples": 3,
    "colsample_bytree": 0.6,
    "reg_lambda": 0.3,
    "n_jobs": 1,
    "verbose": -1,
}


class Boosted:
    """LightGBM with parameters for small tables, log target, the columns of benchmart."""

    def __init__(self, metric: str, seed: int) -> None:
        self.metric, self.seed = metric, seed

    def fit(self, measured: pd.DataFrame) -> Boosted:
        """Learn from rows that state the metric."""
        self.encoder = Encoder.fit(self._bounded(measured))
        target = np.log(measured[self.metric].to_numpy(float))
        self.model = lgb.LGBMRegressor(random_state=self.seed, **SMALL_DATA)
        self.model.fit(self._matrix(measured), target)
        return self

    def predict(self, frame: pd.DataFrame, metric: str) -> pd.DataFrame:
        """The median alone."""
        return pd.DataFrame({"p50": np.exp(self.model.predict(self._matrix(frame)))})

    def _bounded(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(log_bound=log_bounds(frame, self.metric))

    def _matrix(self, frame: pd.DataFrame) -> np.ndarray:
        return self.encoder.transform(self._bounded(frame))


def original_formula(state: State, count: int) -> np.ndarray:
    """Top k by 0.7 (uncertainty + diversity) + 0.3 hardware score, of a bag of LightGBM models."""
    known, asked = embedded(state)
    target = log_target(state)
    members = []
    for _ in range(MEMBERS):
        rows = state.generator.integers(0, len(known), len(known))
        model = lgb.LGBMRegressor(**SMALL_DATA, random_state=int(state.generator.integers(2**31)))
        members.append(model.fit(known[rows], target[rows]).predict(asked))
    mean, spread = np.mean(members, axis=0), np.std(members, axis=0)
    distance = distances(asked, known).min(axis=1)
    utility = pd.Series(sign(state.metric, state.directions) * mean)
    best = utility.groupby(state.candidates["workload_id"].to_numpy()).transform("max")
    score = 0.7 * (spread / spread.max() + distance / distance.max()) + 0.3 * np.exp(utility - best)
    return np.argsort(-score.to_numpy())[:count]


def quantile_width(state: State, count: int) -> np.ndarray:
    """Top k by the width of the 80 % interval of LightGBM quantile regressors."""
    known, asked = embedded(state)
    target = log_target(state)
    low, high = (
        lgb.LGBMRegressor(objective="quantile", alpha=level, **SMALL_DATA)
        .fit(known, target)
        .predict(asked)
        for level in (0.1, 0.9)
    )
    return np.argsort(low - high)[:count]


def k_center(state: State, count: int) -> np.ndarray:
    """Greedily the configuration farthest from all paid for or chosen (Sener & Savarese 2018)."""
    known, asked = embedded(state)
    distance = distances(asked, known).min(axis=1)
    chosen = []
    for _ in range(count):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, distances(asked, asked[chosen[-1:]])[:, 0])
        distance[chosen] = -1
    return np.array(chosen)


PREDICTORS: dict[str, Callable[[str, int], PerformancePredictor | Boosted]] = {
    "benchmart": light_predictor,
    "LightGBM": Boosted,
}
POLICIES: dict[str, tuple[Policy, str]] = {
    "random, LightGBM": (at_random, "LightGBM"),
    "original formula, LightGBM": (original_formula, "LightGBM"),
    "quantile width, LightGBM": (quantile_width, "LightGBM"),
    "k-center, LightGBM": (k_center, "LightGBM"),
    "random": (at_random, "benchmart"),
    "original formula": (original_formula, "benchmart"),
    "quantile width": (quantile_width, "benchmart"),
    "k-center": (k_center, "benchmart"),
    "Gaussian process, variance reduction": (variance_reduction, "benchmart"),
    "Gaussian process, expected improvement": (expected_improvement, "benchmart"),
    "Gaussian process, Thompson sampling": (thompson, "benchmart"),
    "scikit-activeml, greedy sampling": (peer("greedy sampling"), "benchmart"),
    "scikit-activeml, tree, diversity": (peer("tree, diversity"), "benchmart"),
    "scikit-activeml, tree, representativity": (peer("tree, representativity"), "benchmart"),
    "bmdal_reg, LCMD": (peer("lcmd"), "benchmart"),
    "benchmart, all for accuracy": (chosen_jointly(0.0), "benchmart"),
    "benchmart, balanced": (chosen_jointly(0.5), "benchmart"),
    "benchmart, all for decisions": (chosen_jointly(1.0), "benchmart"),
}
