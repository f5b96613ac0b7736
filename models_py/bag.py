"""A bag of mean boosters: the expectation and its epistemic spread."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models_py.boosting import Profile, dataset, train

SUBSAMPLE = 0.63  # the share of distinct rows in a bootstrap sample


@dataclass
class Bag:
    """Boosters fitted on random subsets of the rows (subagging, Buehlmann & Yu 2002)."""

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
    """
    rows = len(target)
    data = dataset(features, target, names, categorical)
    generator = np.random.default_rng(seed)
    held_out = np.full((profile.members, rows), np.nan)
    members = []
    for number in range(profile.members):
        chosen = np.sort(generator.choice(rows, max(2, int(SUBSAMPLE * rows)), replace=False))
        member = train(
            data.subset(chosen),
            profile.mean_rounds,
            profile.mean_leaves,
            profile.mean_rate,
            seed=seed + number,
            objective="regression",
        )
        others = np.setdiff1d(np.arange(rows), chosen)
        held_out[number, others] = member.predict(features[others], num_threads=1)
        members.append(member)
    return Bag(members), _out_of_bag(held_out, target)


def _out_of_bag(held_out: np.ndarray, target: np.ndarray) -> OutOfBag:
    seen = (~np.isnan(held_out)).sum(axis=0)
    filled = np.nan_to_num(held_out)
    mean = np.where(seen > 0, filled.sum(axis=0) / np.maximum(seen, 1), target.mean())
    variance = (filled**2).sum(axis=0) / np.maximum(seen, 1) - mean**2
    spread = np.sqrt(np.maximum(variance, 0) * seen / np.maximum(seen - 1, 1))
    known = seen > 1
    return OutOfBag(mean, np.where(known, spread, np.median(spread[known])))
