"""A Gaussian process of a metric's logarithm around a share of what physics says.

Kriging with an external drift (Wackernagel 2003, chapter 37) of which the multiple is the one whose
held-out errors are least. It then counts as known: variances leave its uncertainty out, and the kernel,
which is that of the logarithm alone, errs to the other side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models_py.belief import Belief, Rows, best_share
from models_py.gaussian_process import EVIDENCE_ROWS, GaussianProcess


@dataclass
class Process:
    """The fitted process.

    Attributes
    ----------
    remainder
        Process of what the share of physics leaves over of the logarithm.
    physics_share
        Multiple of the anchor in the prior mean, in [0, 1].
    """

    remainder: GaussianProcess
    physics_share: float

    @classmethod
    def fit(
        cls, rows: Rows, seed: int, evidence_rows: int = EVIDENCE_ROWS
    ) -> tuple[Process, Belief]:
        """Fit on training rows; also what it says of each of them without its configuration.

        See `GaussianProcess.fit`.
        """
        plain = GaussianProcess.fit(
            rows.features, rows.log_value, rows.encoder, seed, evidence_rows
        )
        centre = float(np.median(rows.anchor))
        both = np.column_stack([rows.log_value - plain.centre, rows.anchor - centre])
        errors, deviation = plain.held_out_errors(rows.configurations, both)
        of_value, of_anchor = errors.T
        share = best_share(of_value, of_value - of_anchor)
        target = rows.log_value - share * rows.anchor
        process = cls(plain.of(target, plain.centre - share * centre), share)
        return process, Belief(rows.log_value - (of_value - share * of_anchor), deviation)

    def predict(self, rows: Rows) -> Belief:
        """What it says of the logarithm."""
        return self.around(rows, *self.remainder.predict(rows.features, rows.encoder))

    def held_out(self, rows: Rows) -> Belief:
        """What it says of the rows that it is conditioned on, each without its configuration."""
        return self.around(rows, *self.remainder.held_out(rows.configurations))

    def around(self, rows: Rows, mean: np.ndarray, deviation: np.ndarray) -> Belief:
        """What is believed of the logarithm where this is known of the remainder."""
        return Belief(mean + self.physics_share * rows.anchor, deviation)

    def without(self, held: np.ndarray) -> Process:
        """The same kernel and share, conditioned on the other rows (mask) only."""
        return Process(self.remainder.without(held), self.physics_share)

    @property
    def noise(self) -> float:
        """Variance of a measurement, log units."""
        return self.remainder.noise
