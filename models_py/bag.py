"""A bag of mean boosters: the expectation and its epistemic spread."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models_py.boosting import Profile, dataset, train

HELD_OUT_SHARE = 0.37  # what a bootstrap sample leaves out


@dataclass
class Bag:
    """Boosters fitted on random subsets of the configurations (subagging, Buehlmann & Yu 2002)."""

    members: list[lgb.Booster]

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predictions of the members, shape (members, rows)."""
        return np.stack([member.predict(features, num_threads=1) for member in self.members])


@dataclass
class OutOfBag:
    """What the members that did not see a row say of it.

    Attributes
    ----------
    mean, spread
        Expectation and standard deviation over those members, shape (rows,).
    """

    mean: np.ndarray
    spread: np.ndarray


def fit_bag(
    features: np.ndarray,
    target: np.ndarray,
    configurations: np.ndarray,
    names: list[str],
    categorical: list[int],
    profile: Profile,
    seed: int,
) -> tuple[Bag, OutOfBag]:
    """Fit the members and collect their out-of-bag predictions.

    Parameters
    ----------
    features, target
        Matrix (rows, columns) and vector (rows,), log units.
    configurations
        Configuration of each row, 0 to configurations - 1: repeats of one stay together.
    """
    data = dataset(features, target, names, categorical)
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
    return Bag(members), OutOfBag(
        np.nanmean(predicted, axis=0), np.nanstd(predicted, axis=0, ddof=1)
    )


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
