"""The learned part of a metric's model: a bag, and the quantile shape of what it leaves over."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models_py.bag import Bag, fit_bag
from models_py.boosting import Profile, dataset, rearranged, train
from models_py.features import Encoder

# A floor for the spread, as a share of the residual deviation: members can agree and all be wrong.
SPREAD_FLOOR = 0.15


@dataclass
class Stage:
    """A bag and the quantile boosters of its standardised residual.

    Attributes
    ----------
    floor
        Added to the bag's spread, in log units.
    """

    bag: Bag
    shape: list[lgb.Booster]
    floor: float

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Members (members, rows), spread (rows,) and standardised quantiles (rows, levels)."""
        members = self.bag.predict(features)
        centre, spread = members.mean(axis=0), members.std(axis=0, ddof=1) + self.floor
        inputs = np.column_stack([features, centre, np.log(spread)])
        quantiles = np.column_stack([b.predict(inputs, num_threads=1) for b in self.shape])
        return members, spread, rearranged(quantiles)


def fit_stage(
    features: np.ndarray,
    target: np.ndarray,
    configurations: np.ndarray,
    encoder: Encoder,
    levels: tuple[float, ...],
    profile: Profile,
    seed: int,
) -> Stage:
    """Fit the bag, then the shape on its out-of-bag residual.

    Parameters
    ----------
    features, target
        Matrix (rows, columns) as `encoder` makes it, and vector (rows,), log units.
    configurations
        Code of each row's configuration, shape (rows,).
    """
    names, categorical = encoder.names, encoder.categorical_positions
    dense = np.unique(configurations, return_inverse=True)[1]
    bag, out = fit_bag(features, target, dense, names, categorical, profile, seed)
    floor = SPREAD_FLOOR * float(np.std(target - out.mean)) + 1e-6
    spread = out.spread + floor
    standardised = (target - out.mean) / spread
    inputs = np.column_stack([features, out.mean, np.log(spread)])
    data = dataset(inputs, standardised, [*names, "centre", "log_spread"], categorical)
    shape = [
        train(
            data,
            profile.shape_rounds,
            profile.shape_leaves,
            profile.shape_rate,
            seed=seed + position,
            objective="quantile",
            alpha=level,
        )
        for position, level in enumerate(levels)
    ]
    return Stage(bag, shape, floor)
