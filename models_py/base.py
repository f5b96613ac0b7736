"""Mean and spread of a metric's logarithm, stacked from families that err differently.

A Gaussian process and a bag of boosters. In tables of a few thousand rows the process leads, and
the bag learns the residual to physics. In larger ones it is conditioned on a part of the rows, and
the bag learns what it leaves over of the others. Stacking on held-out predictions: Wolpert (1992),
Breiman (1996).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_py.bag import Bag, fit_bag
from models_py.belief import Belief, Rows, best_share
from models_py.boosting import Profile
from models_py.gaussian_process import GaussianProcess
from models_py.posterior import Posterior
from models_py.process import Process

# of the mean absolute error of held-out rows: a bag that helps less is not worth its trees
LEAST_GAIN = 0.01


@dataclass
class Base:
    """The fitted families and their shares.

    Attributes
    ----------
    bag
        None where it has no share.
    bag_share
        Share of the bag against the process.
    boosts
        Whether the bag learned what the process leaves over, rather than the residual to physics.
    """

    process: Process
    bag: Bag | None
    bag_share: float
    boosts: bool

    def predict(self, rows: Rows, belief: Belief | None = None) -> Belief:
        """The belief; `belief` is what the process says of the rows, where that is known already."""
        if belief is None:
            belief = self.process.predict(rows)
        if self.bag is None:
            return belief
        members = self.bag.predict(rows.features)
        boosted = _with_bag(belief, rows.anchor, members, self.boosts)
        return belief.mixed(boosted, self.bag_share)

    def posterior(self, rows: Rows, targets: np.ndarray) -> Posterior:
        """The joint belief of the process about rows; see `Posterior`."""
        return Posterior(self.process.remainder, rows, targets, self.noise)

    def contributions(self, features: np.ndarray) -> np.ndarray:
        """What each column adds to the mean by the trees, shape (rows, columns)."""
        if self.bag is None:
            return np.zeros(features.shape)
        return self.bag_share * self.bag.contributions(features)

    def correlation(self, rows: Rows) -> np.ndarray:
        """Correlation of the logarithms of rows, each measured once, shape (rows, rows).

        That of the process: what the bag says of rows together is not known.
        """
        return self._measured_once(self.process.remainder.covariance(rows.features, rows.encoder))

    def jointly(self, rows: Rows, groups: np.ndarray) -> tuple[Belief, list[np.ndarray]]:
        """What the process says of rows, and the correlation within each group.

        See `GaussianProcess.jointly`.
        """
        process = self.process
        *belief, found = process.remainder.jointly(rows.features, rows.encoder, groups)
        return process.around(rows, *belief), [self._measured_once(each) for each in found]

    def _measured_once(self, covariance: np.ndarray) -> np.ndarray:
        covariance[np.diag_indices(len(covariance))] += self.noise
        scale = np.sqrt(covariance.diagonal())
        return covariance / np.outer(scale, scale)

    @property
    def noise(self) -> float:
        """Variance of a measurement, log units."""
        return self.process.noise

    def save(self, directory: Path) -> None:
        """The process as arrays, boosters as text, the rest as JSON."""
        self.process.remainder.save(directory / "process.npz")
        if self.bag is not None:
            self.bag.save(directory)
        described = {
            "physics_share": self.process.physics_share,
            "bag_share": self.bag_share,
            "boosts": self.boosts,
        }
        (directory / "base.json").write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Base:
        """What `save` wrote."""
        saved = json.loads((directory / "base.json").read_text(encoding="utf-8"))
        share = saved.pop("physics_share")  # first: a model of another version has none
        process = Process(GaussianProcess.load(directory / "process.npz"), share)
        bag = Bag.load(directory) if saved["bag_share"] else None
        return cls(process, bag, **saved)


def fit_base(
    rows: Rows,
    process: Process,
    belief: Belief,
    boosts: bool,
    profile: Profile,
    seed: int,
    whole: Base | None = None,
) -> tuple[Base, Belief]:
    """Fit the bag and its share beside a fitted process; also a held-out belief of each row.

    Parameters
    ----------
    rows
        What the process is conditioned on, or rows that it does not know where the bag boosts it:
        what a process leaves over of rows that it knows misleads, for a row pushes the prediction
        of its neighbours its own way.
    belief
        What the process says of the rows without having seen them.
    whole
        Base of all rows where these are those of a fold, which has a bag where that one does. Otherwise
        there is one where it helps enough; see `LEAST_GAIN`.
    """
    if whole is None or whole.bag is not None:
        least_gain = LEAST_GAIN if whole is None else 0.0
        left = rows.log_value - (belief.mean if boosts else rows.anchor)
        bag, unseen = fit_bag(rows.features, left, rows.configurations, rows.encoder, profile, seed)
        boosted = _with_bag(belief, rows.anchor, unseen, boosts)
        errors, others = rows.log_value - belief.mean, rows.log_value - boosted.mean
        share = best_share(errors, others, least_gain)
        if share:
            return Base(process, bag, share, boosts), belief.mixed(boosted, share)
    return Base(process, None, 0.0, boosts), belief


def _with_bag(process: Belief, anchor: np.ndarray, members: np.ndarray, boosts: bool) -> Belief:
    """The bag's belief: of the residual to physics, or to the process where it boosts it."""
    start = process.mean if boosts else anchor
    return Belief(start + np.nanmean(members, axis=0), np.nanstd(members, axis=0, ddof=1))
