"""Mean and spread of a metric's logarithm, stacked from families that err differently.

Gaussian processes and a bag of boosters. In tables of a few thousand rows the processes lead, and
the bag learns the residual to physics. In larger ones they are conditioned on a part of the rows,
and the bag learns what they leave over of the others. Stacking on held-out predictions: Wolpert
(1992), Breiman (1996).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from models_py.bag import Bag, fit_bag
from models_py.belief import Belief, Rows
from models_py.boosting import Profile
from models_py.posterior import Posterior
from models_py.processes import Processes


@dataclass
class Base:
    """The fitted families and their shares.

    Attributes
    ----------
    residual_share, bag_share
        Share of the process of the residual among the processes, and of the bag against them.
    boosts
        Whether the bag learned what the processes leave over, rather than the residual to physics.
    """

    processes: Processes
    residual_share: float
    bag: Bag
    bag_share: float
    boosts: bool

    def predict(self, rows: Rows, beliefs: list[Belief] | None = None) -> Belief:
        """The belief; `beliefs` is what the processes say of the rows, where that is known already."""
        processes = (
            self.processes.mixed(rows, self.residual_share)
            if beliefs is None
            else _mixed(beliefs, self.residual_share)
        )
        if self.bag_share == 0:
            return processes
        members = self.bag.predict(rows.features)
        boosted = _with_bag(processes, rows.anchor, members, self.boosts)
        return processes.mixed(boosted, self.bag_share)

    def posterior(self, rows: Rows, targets: np.ndarray) -> Posterior:
        """The joint belief of the processes about rows; see `Posterior`."""
        return Posterior(self.processes, rows, self.residual_share, targets, self.noise)

    def correlation(self, rows: Rows) -> np.ndarray:
        """Correlation of the logarithms of rows, each measured once, shape (rows, rows).

        That of the processes: what the bag says of rows together is not known.
        """
        result = self.processes.covariance(rows, self.residual_share)
        result[np.diag_indices(len(rows))] += self.noise
        scale = np.sqrt(result.diagonal())
        return result / np.outer(scale, scale)

    @property
    def noise(self) -> float:
        """Variance of a measurement, log units."""
        return self.processes.noise(self.residual_share)

    def save(self, directory: Path) -> None:
        """Processes as arrays, boosters as text, shares as JSON."""
        self.processes.save(directory)
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
        return cls(
            processes=Processes.load(directory),
            bag=Bag.load(directory),
            **json.loads((directory / "base.json").read_text(encoding="utf-8")),
        )


def fit_base(
    rows: Rows,
    processes: Processes,
    beliefs: list[Belief],
    boosts: bool,
    profile: Profile,
    seed: int,
) -> tuple[Base, Belief]:
    """Fit the bag and the shares beside fitted processes; also a held-out belief of each row.

    Parameters
    ----------
    rows
        What the processes are conditioned on, or rows that they do not know where the bag boosts
        them: what a process leaves over of rows that it knows misleads, for a row pushes the
        prediction of its neighbours its own way.
    beliefs
        What the processes say of the rows without having seen them.
    """
    residual_share = _best_share(rows.log_value, *beliefs) if len(beliefs) > 1 else 0.0
    belief = _mixed(beliefs, residual_share)
    left = rows.log_value - (belief.mean if boosts else rows.anchor)
    bag, unseen = fit_bag(rows.features, left, rows.configurations, rows.encoder, profile, seed)
    boosted = _with_bag(belief, rows.anchor, unseen, boosts)
    bag_share = _best_share(rows.log_value, belief, boosted)
    base = Base(processes, residual_share, bag, bag_share, boosts)
    return base, belief.mixed(boosted, bag_share)


def _mixed(beliefs: list[Belief], residual_share: float) -> Belief:
    return beliefs[0].mixed(beliefs[1], residual_share) if len(beliefs) > 1 else beliefs[0]


def _with_bag(processes: Belief, anchor: np.ndarray, members: np.ndarray, boosts: bool) -> Belief:
    """The bag's belief: of the residual to physics, or to the processes where it boosts them."""
    start = processes.mean if boosts else anchor
    return Belief(start + np.nanmean(members, axis=0), np.nanstd(members, axis=0, ddof=1))


def _best_share(log_value: np.ndarray, one: Belief, other: Belief) -> float:
    """Share of the other belief, in percent, that makes the mean absolute error of a mixture least.

    Of families that are not worth one percent nothing needs to be worked out.
    """

    def error(share: float) -> float:
        return float(np.abs(log_value - one.mixed(other, share).mean).mean())

    return round(float(minimize_scalar(error, bounds=(0, 1), method="bounded").x), 2)
