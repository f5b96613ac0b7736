"""The joint belief about many configurations: what a measurement of one tells of the others."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from models_py.belief import Rows
from models_py.gaussian_process import GaussianProcess
from models_py.kernel import Points, covariance, variance
from models_py.processes import Processes

CHUNK = 4_000


class Posterior:
    """Epistemic covariance of options under the Gaussian processes, conditioned test by test.

    Columns of the covariance are worked out when they are asked for, so that memory grows with the
    number of options times that of measured rows, not with its square.

    Parameters
    ----------
    rows
        The options.
    residual_share
        Share of the process of the residual in the covariance.
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
        self,
        processes: Processes,
        rows: Rows,
        residual_share: float,
        targets: np.ndarray,
        noise: float,
    ) -> None:
        shared = processes.shared(residual_share)
        self.parts = [_Part(share, process, rows) for share, process in shared]
        self.noise = max(noise, 1e-6)
        self.targets = targets
        self.prior = sum(part.prior for part in self.parts)
        self.variance = np.maximum(self.prior - sum(part.explained for part in self.parts), 0)
        self._shared = sum(part.columns(targets) for part in self.parts)
        self._directions: list[np.ndarray] = []

    def gain(self) -> np.ndarray:
        """Variance of the targets that measuring each option would remove, shape (options,).

        Expected variance reduction (Cohn 1996) in closed form.
        """
        removed = np.einsum("ij,ij->i", self._shared, self._shared)
        return removed / (self.variance + self.noise)

    def observe(self, option: int) -> None:
        """Condition on a measurement of one option."""
        column = sum(part.columns(np.array([option]))[:, 0] for part in self.parts)
        for earlier in self._directions:
            column = column - earlier[option] * earlier
        direction = column / np.sqrt(self.variance[option] + self.noise)
        self.variance = np.maximum(self.variance - direction**2, 0)
        # nothing in place: copies go on from where they were made
        direction = direction.astype(np.float32)
        self._directions = [*self._directions, direction]
        self._shared = self._shared - np.outer(direction, direction[self.targets])


class _Part:
    """One process's share of the covariance."""

    def __init__(self, share: float, process: GaussianProcess, rows: Rows) -> None:
        self.share, self.process = share, process
        self.points = process.structure.points(rows.features, rows.encoder)
        self.prior = share * variance(self.points, process.parameters)
        self.solved = np.empty((len(process.target), len(rows)), np.float32)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            shared = covariance(process.points, self.points.take(part), process.parameters)
            self.solved[:, part] = solve_triangular(
                process.factor, shared, lower=True, overwrite_b=True, check_finite=False
            )
        self.explained = share * np.einsum("ij,ij->j", self.solved, self.solved)

    def columns(self, options: np.ndarray) -> np.ndarray:
        """Posterior covariance of all options with some, shape (all options, options)."""
        asked: Points = self.points.take(options)
        own = variance(asked, self.process.parameters)
        result = np.empty((self.solved.shape[1], len(options)), np.float32)
        for start in range(0, len(result), CHUNK):
            part = slice(start, start + CHUNK)
            prior = covariance(self.points.take(part), asked, self.process.parameters)
            # a missing category is like no other, yet like itself
            itself = np.flatnonzero((options >= start) & (options < start + CHUNK))
            prior[options[itself] - start, itself] = own[itself]
            prior -= self.solved[:, part].T @ self.solved[:, options]
            result[part] = self.share * prior
        return result
