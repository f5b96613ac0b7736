"""The joint belief about many configurations: what a measurement of one tells of the others."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from models_py.belief import Rows
from models_py.covariance import covariance, variance
from models_py.gaussian_process import GaussianProcess

CHUNK = 4_000


class Posterior:
    """Epistemic covariance of options under a Gaussian process, conditioned test by test.

    Columns of the covariance are worked out when they are asked for, so that memory grows with the
    number of options times that of measured rows, not with its square.

    Parameters
    ----------
    rows
        The options.
    targets
        Positions of the options whose variance a batch is to remove.
    noise
        Variance of one measurement.

    Attributes
    ----------
    variance
        What is left of each option's epistemic variance, shape (options,).
    prior
        What it was before anything was measured, shape (options,).
    """

    def __init__(
        self, process: GaussianProcess, rows: Rows, targets: np.ndarray, noise: float
    ) -> None:
        self.process = process
        self.points = process.structure.points(rows.features, rows.encoder)
        self.noise = max(noise, 1e-6)
        self.targets = targets
        self.prior = variance(self.points, process.parameters)
        self._solved = np.empty((len(process.target), len(rows)), np.float32)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            shared = covariance(process.points, self.points.take(part), process.parameters)
            self._solved[:, part] = solve_triangular(
                process.factor, shared, lower=True, overwrite_b=True, check_finite=False
            )
        explained = np.einsum("ij,ij->j", self._solved, self._solved)
        self.variance = np.maximum(self.prior - explained, 0)
        # with the targets, before anything is observed; differences of its squares need all digits
        self._shared = self._columns(targets).astype(float)
        self._removed = np.einsum("ij,ij->i", self._shared, self._shared)
        self._directions: list[np.ndarray] = []

    def gain(self) -> np.ndarray:
        """Variance of the targets that measuring each option would remove, shape (options,).

        Expected variance reduction (Cohn 1996) in closed form.
        """
        return self._removed / (self.variance + self.noise)

    def observe(self, option: int) -> None:
        """Condition on a measurement of one option."""
        column = self._columns(np.array([option]))[:, 0]
        for earlier in self._directions:
            column = column - earlier[option] * earlier
        direction = column / np.sqrt(self.variance[option] + self.noise)
        self.variance = np.maximum(self.variance - direction**2, 0)
        self._forget(direction)
        # nothing in place: copies go on from where they were made
        self._directions = [*self._directions, direction]

    def _forget(self, direction: np.ndarray) -> None:
        """Take a direction from what options share with the targets, of which only squares are kept."""
        of_targets = direction[self.targets]
        along = self._shared @ of_targets
        for earlier in self._directions:
            along -= earlier * (earlier[self.targets] @ of_targets)
        squared = direction * (direction * (of_targets @ of_targets) - 2 * along)
        self._removed = np.maximum(self._removed + squared, 0)

    def _columns(self, options: np.ndarray) -> np.ndarray:
        """Posterior covariance of all options with some, shape (all options, options)."""
        parameters = self.process.parameters
        asked = self.points.take(options)
        own = variance(asked, parameters)
        result = np.empty((self._solved.shape[1], len(options)), np.float32)
        for start in range(0, len(result), CHUNK):
            part = slice(start, start + CHUNK)
            # compiled code is made for many columns
            prior = covariance(asked, self.points.take(part), parameters).T
            # a missing category is like no other, yet like itself
            itself = np.flatnonzero((options >= start) & (options < start + CHUNK))
            prior[options[itself] - start, itself] = own[itself]
            result[part] = prior - self._solved[:, part].T @ self._solved[:, options]
        return result
