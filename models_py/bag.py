"""A bag of mean boosters: the expectation and its epistemic spread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from models_py.boosting import Profile, dataset, load_boosters, save_boosters, train
from models_py.features import Encoder

SHARE = 0.63  # distinct rows of a bootstrap sample


@dataclass
class Bag:
    """Boosters fitted on random subsets of the configurations (subagging, Buehlmann & Yu 2002)."""

    members: list[lgb.Booster]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predictions of the members, shape (members, rows)."""
        return np.stack([member.predict(features, num_threads=1) for member in self.members])

    def save(self, directory: Path) -> None:
        """One file of LightGBM's text format per member."""
        save_boosters(self.members, directory, "member")

    @classmethod
    def load(cls, directory: Path) -> Bag:
        """What `save` wrote."""
        return cls(load_boosters(directory, "member"))


def fit_bag(
    features: np.ndarray,
    target: np.ndarray,
    configurations: np.ndarray,
    encoder: Encoder,
    profile: Profile,
    seed: int,
) -> Bag:
    """Fit the members: boosters with randomised splits (Geurts, Ernst & Wehenkel 2006).

    Parameters
    ----------
    features, target
        Matrix (rows, columns) as `encoder` makes it, and vector (rows,), log units.
    configurations
        Code of each row's configuration, shape (rows,): repeats of one stay together.
    """
    data = dataset(features, target, encoder.names, encoder.categorical_positions)
    generator = np.random.default_rng(seed)
    members = []
    for number in range(profile.members):
        chosen = generator.random(configurations.max() + 1) < SHARE
        member = train(
            data.subset(np.flatnonzero(chosen[configurations])),
            profile.mean_rounds,
            profile.mean_leaves,
            profile.mean_rate,
            seed=seed + number,
            objective="regression",
        )
        members.append(member)
    return Bag(members)
