"""A bag of mean boosters: the expectation and its epistemic spread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from models_py.boosting import (
    Profile,
    dataset,
    load_boosters,
    predictions,
    save_boosters,
    train,
)
from models_py.features import Encoder

EXPLAINING = 2
HELD_OUT_SHARE = 0.37  # what a bootstrap sample leaves out


@dataclass
class Bag:
    """Boosters fitted on random subsets of the configurations (subagging, Buehlmann & Yu 2002)."""

    members: list[lgb.Booster]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predictions of the members, shape (members, rows)."""
        return np.stack([predictions(member, features) for member in self.members])

    def contributions(self, features: np.ndarray) -> np.ndarray:
        """What each column adds to the prediction of the first members, shape (rows, columns).

        Shapley values of the trees; those of a few members, for each costs as much as a hundred
        predictions.
        """
        added = [
            member.predict(features, pred_contrib=True, num_threads=1)[:, :-1]
            for member in self.members[:EXPLAINING]
        ]
        return np.mean(added, axis=0)

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
) -> tuple[Bag, np.ndarray]:
    """Fit the members: boosters with randomised splits (Geurts, Ernst & Wehenkel 2006).

    Parameters
    ----------
    features, target
        Matrix (rows, columns) as `encoder` makes it, and vector (rows,), log units.
    configurations
        Code of each row's configuration, shape (rows,): repeats of one stay together.

    Returns
    -------
    tuple of Bag and numpy.ndarray
        The bag, and what its members say of the rows that they have not seen, NaN elsewhere; shape
        (members, rows), at least two numbers for each row.
    """
    data = dataset(features, target, encoder.names, encoder.categorical_positions)
    held = held_out(configurations.max() + 1, profile.members, seed)[configurations].T
    predicted = np.full(held.shape, np.nan)
    members = []
    for number, left_out in enumerate(held):
        member = train(
            data.subset(np.flatnonzero(~left_out)),
            profile.mean_rounds,
            profile.mean_leaves,
            profile.mean_rate,
            seed=seed + number,
            objective="regression",
        )
        predicted[number, left_out] = member.predict(features[left_out], num_threads=1)
        members.append(member)
    return Bag(members), predicted


def held_out(configurations: int, members: int, seed: int) -> np.ndarray:
    """Which members do without which configuration: the same number for each, at least two.

    Independent subsets would leave some rows to no member at all, without an honest prediction.

    Returns
    -------
    numpy.ndarray
        Boolean, shape (configurations, members).

    Examples
    --------
    >>> held_out(4, 8, seed=0).sum(axis=1).tolist()
    [3, 3, 3, 3]
    """
    ranks = np.random.default_rng(seed).random((configurations, members)).argsort(axis=1)
    return ranks < max(2, round(HELD_OUT_SHARE * members))
