"""Mean and spread of a metric's logarithm, stacked from families that err differently.

Two Gaussian processes, one of the logarithm itself and one of its residual to physics, and a bag of
boosters. In tables of a few thousand rows the processes lead, and the bag learns the residual to
physics. In larger ones they are conditioned on a part of the rows, and the bag learns what they
leave over.
Stacking on held-out predictions: Wolpert (1992), Breiman (1996).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from models_py.bag import Bag, fit_bag
from models_py.boosting import Profile
from models_py.features import Encoder
from models_py.gaussian_process import EVIDENCE_ROWS, GaussianProcess


class Belief(NamedTuple):
    """What is believed of some rows.

    Attributes
    ----------
    mean, epistemic
        Expectation and its standard deviation, log units, each of shape (rows,).
    """

    mean: np.ndarray
    epistemic: np.ndarray

    def mixed(self, other: Belief, share: float) -> Belief:
        """A mixture that the other belief has a share of."""
        mean = (1 - share) * self.mean + share * other.mean
        variance = (1 - share) * self.epistemic**2 + share * other.epistemic**2
        return Belief(mean, np.sqrt(variance))

    def take(self, chosen: np.ndarray) -> Belief:
        """Of some of the rows (mask)."""
        return Belief(self.mean[chosen], self.epistemic[chosen])


@dataclass
class Rows:
    """Training rows of one metric.

    Attributes
    ----------
    features
        Matrix (rows, columns) as `encoder` makes it.
    log_value, anchor
        Logarithm of the value and of what physics takes it to be, shape (rows,).
    configurations, folds
        Codes of each row's configuration and fold, shape (rows,).
    """

    features: np.ndarray
    log_value: np.ndarray
    anchor: np.ndarray
    configurations: np.ndarray
    folds: np.ndarray
    encoder: Encoder

    def __len__(self) -> int:
        return len(self.log_value)

    def take(self, chosen: np.ndarray) -> Rows:
        """Some of the rows (mask)."""
        return Rows(
            self.features[chosen],
            self.log_value[chosen],
            self.anchor[chosen],
            np.unique(self.configurations[chosen], return_inverse=True)[1],
            self.folds[chosen],
            self.encoder,
        )


@dataclass
class Base:
    """The fitted families and their shares.

    Attributes
    ----------
    plain, residual
        Processes of the logarithm and of its residual to physics, the latter None in large tables.
    residual_share, bag_share
        Share of `residual` among the processes, and of the bag against them.
    boosts
        Whether the bag learned what the processes leave over, rather than the residual to physics.
    """

    plain: GaussianProcess
    residual: GaussianProcess | None
    residual_share: float
    bag: Bag
    bag_share: float
    boosts: bool

    def predict(
        self, features: np.ndarray, anchor: np.ndarray, encoder: Encoder
    ) -> tuple[Belief, np.ndarray]:
        """The belief, and log predictions of an ensemble around it, shape (members, rows).

        The ensemble has the bag's correlations and the belief's mean and spread.
        """
        processes = Belief(*self.plain.predict(features, encoder))
        if self.residual is not None:
            mean, deviation = self.residual.predict(features, encoder)
            processes = processes.mixed(Belief(mean + anchor, deviation), self.residual_share)
        members = self.bag.predict(features)
        boosted = _boosted(processes, anchor, members, self.boosts)
        belief = processes.mixed(boosted, self.bag_share)
        scale = belief.epistemic / np.maximum(members.std(axis=0, ddof=1), 1e-6)
        around = (members - members.mean(axis=0)) * scale
        return belief, belief.mean + around

    def save(self, directory: Path) -> None:
        """Processes as arrays, boosters as text, shares as JSON."""
        self.plain.save(directory / "plain.npz")
        if self.residual is not None:
            self.residual.save(directory / "residual.npz")
        self.bag.save(directory)
        shares = {
            "residual_share": self.residual_share,
            "bag_share": self.bag_share,
            "boosts": self.boosts,
        }
        (directory / "base.json").write_text(json.dumps(shares), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Base:
        """What `save` wrote."""
        residual = directory / "residual.npz"
        return cls(
            plain=GaussianProcess.load(directory / "plain.npz"),
            residual=GaussianProcess.load(residual) if residual.is_file() else None,
            bag=Bag.load(directory),
            **json.loads((directory / "base.json").read_text(encoding="utf-8")),
        )

    @property
    def noise(self) -> float:
        """Variance of a measurement, log units."""
        if self.residual is None:
            return self.plain.noise
        share = self.residual_share
        return (1 - share) * self.plain.noise + share * self.residual.noise


class HeldOut(NamedTuple):
    """What is believed of training rows by families that were fitted without them.

    Attributes
    ----------
    chosen
        Which of the training rows these are, boolean, shape (training rows,).
    """

    chosen: np.ndarray
    belief: Belief


def fit_base(rows: Rows, profile: Profile, seed: int) -> tuple[Base, HeldOut]:
    """Fit the families and their shares; also what they say of rows that they do not know.

    Where the processes are conditioned on a part of the rows, only the others are held out, and the
    bag learns from these alone: what a process leaves over of rows that it knows misleads, for a row
    pushes the prediction of its neighbours its own way.
    """
    plain, held_plain = _fit_process(rows, np.zeros(len(rows)), profile, seed)
    residual, residual_share, processes = None, 0.0, held_plain
    if profile.processes > 1:
        residual, held_residual = _fit_process(rows, rows.anchor, profile, seed)
        residual_share = _best_share(rows.log_value, held_plain, held_residual)
        processes = held_plain.mixed(held_residual, residual_share)
    boosts = len(plain.kept) < len(rows)
    chosen = np.ones(len(rows), bool)
    if boosts:
        chosen[plain.kept] = False
        rows, processes = rows.take(chosen), processes.take(chosen)
    left = rows.log_value - (processes.mean if boosts else rows.anchor)
    members = np.empty((profile.members, len(rows)))
    for fold in np.unique(rows.folds):
        held = rows.folds == fold
        bag = _fit_bag(rows.take(~held), left[~held], profile, seed + 1000 * (int(fold) + 1))
        members[:, held] = bag.predict(rows.features[held])
    boosted = _boosted(processes, rows.anchor, members, boosts)
    bag_share = _best_share(rows.log_value, processes, boosted)
    bag = _fit_bag(rows, left, profile, seed)
    base = Base(plain, residual, residual_share, bag, bag_share, boosts)
    return base, HeldOut(chosen, processes.mixed(boosted, bag_share))


def _fit_process(
    rows: Rows, offset: np.ndarray, profile: Profile, seed: int
) -> tuple[GaussianProcess, Belief]:
    """A process of the logarithm less an offset, and what it says of rows that it does not know.

    In a small table the kernel's parameters know every row, and intervals that trust them are too
    narrow: there each fold finds its own.
    """
    fitted = _condition(rows, offset, profile, seed)
    mean, deviation = np.empty(len(rows)), np.empty(len(rows))
    if len(fitted.kept) < len(rows):
        mean, deviation = fitted.predict(rows.features, rows.encoder)
    elif len(rows) > EVIDENCE_ROWS:
        mean, deviation = fitted.held_out(rows.configurations)
    else:
        for fold in np.unique(rows.folds):
            held = rows.folds == fold
            process = _condition(rows.take(~held), offset[~held], profile, seed)
            mean[held], deviation[held] = process.predict(rows.features[held], rows.encoder)
    return fitted, Belief(mean + offset, deviation)


def _condition(rows: Rows, offset: np.ndarray, profile: Profile, seed: int) -> GaussianProcess:
    return GaussianProcess.fit(
        rows.features,
        rows.log_value - offset,
        rows.configurations,
        rows.encoder,
        profile.process_rows,
        seed,
    )


def _fit_bag(rows: Rows, target: np.ndarray, profile: Profile, seed: int) -> Bag:
    return fit_bag(rows.features, target, rows.configurations, rows.encoder, profile, seed)


def _boosted(processes: Belief, anchor: np.ndarray, members: np.ndarray, boosts: bool) -> Belief:
    mean, deviation = members.mean(axis=0), members.std(axis=0, ddof=1)
    if not boosts:
        return Belief(anchor + mean, deviation)
    return Belief(processes.mean + mean, np.hypot(processes.epistemic, deviation))


def _best_share(log_value: np.ndarray, one: Belief, other: Belief) -> float:
    """Share of the other belief that makes the mean absolute error of a mixture least."""

    def error(share: float) -> float:
        return float(np.abs(log_value - one.mixed(other, share).mean).mean())

    return float(minimize_scalar(error, bounds=(0, 1), method="bounded").x)
