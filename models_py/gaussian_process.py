"""A structured Gaussian process: what a configuration's kin say of it, and how sure they are.

Rasmussen & Williams (2006), chapter 2; the parameters of the kernel are found in `models_py.evidence`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri

from models_py.batches import whole_groups
from models_py.covariance import covariance, lower_covariance, variance
from models_py.evidence import JITTER, most_plausible
from models_py.features import Encoder
from models_py.kernel import Number, Parameters, Points, Structure

EVIDENCE_ROWS = 900
CHUNK = 200  # covariances of so many rows stay in the cache


@dataclass
class GaussianProcess:
    """Posterior of a target at any configuration.

    Attributes
    ----------
    points, target
        Configurations that it is conditioned on, and their values, shape (rows,).
    logarithms
        Logarithms of the kernel's parameters.
    centre
        Prior mean.
    """

    structure: Structure
    points: Points
    target: np.ndarray
    logarithms: np.ndarray
    centre: float

    @classmethod
    def fit(
        cls,
        features: np.ndarray,
        target: np.ndarray,
        encoder: Encoder,
        seed: int,
        evidence_rows: int = EVIDENCE_ROWS,
    ) -> GaussianProcess:
        """Condition on all rows; the kernel's parameters are those of some, `evidence_rows` at most.

        Parameters
        ----------
        features, target
            Matrix (rows, columns) as `encoder` makes it, and vector (rows,), log units.
        """
        structure = Structure.fit(features, encoder)
        points = structure.points(features, encoder)
        some = np.sort(np.random.default_rng(seed).permutation(len(target))[:evidence_rows])
        centre = float(np.median(target))
        logarithms = most_plausible(structure, points.take(some), target[some] - centre)
        return cls(structure, points, target, logarithms, centre)

    def predict(self, features: np.ndarray, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
        """Mean and epistemic standard deviation, each of shape (rows,)."""
        mean, deviation = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), CHUNK):
            part = slice(start, start + CHUNK)
            points = self.structure.points(features[part], encoder)
            mean[part], solved = self._conditioned(points)
            left = variance(points, self.parameters) - (solved**2).sum(axis=0)
            deviation[part] = np.sqrt(np.maximum(left, JITTER))
        return mean, deviation

    def covariance(self, features: np.ndarray, encoder: Encoder) -> np.ndarray:
        """Posterior covariance of rows with each other, without noise, shape (rows, rows)."""
        points = self.structure.points(features, encoder)
        return self._posterior(points, self._conditioned(points)[1])

    def jointly(
        self, features: np.ndarray, encoder: Encoder, groups: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """What `predict` and, within groups, `covariance` say of rows, for the work of one.

        Parameters
        ----------
        groups
            Code of each row's group, 0 to groups - 1, ascending; shape (rows,).

        Returns
        -------
        tuple
            Mean and epistemic standard deviation, each of shape (rows,), and the posterior covariance of
            each group.
        """
        mean, deviation = np.empty(len(features)), np.empty(len(features))
        covariances = []
        for part in whole_groups(groups, CHUNK):
            points = self.structure.points(features[part], encoder)
            mean[part], solved = self._conditioned(points)
            starts = np.flatnonzero(np.diff(groups[part], prepend=-1))
            for own in np.split(np.arange(len(part)), starts[1:]):
                found = self._posterior(points.take(own), solved[:, own])
                deviation[part[own]] = np.sqrt(found.diagonal())
                covariances.append(found)
        return mean, deviation, covariances

    def _conditioned(self, points: Points) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean of points, and their covariances with all rows solved by the factor."""
        shared = covariance(points, self.points, self.parameters)
        mean = self.centre + shared @ self._weights
        solved = solve_triangular(
            self.factor, shared.T, lower=True, overwrite_b=True, check_finite=False
        )
        return mean, solved

    def _posterior(self, points: Points, solved: np.ndarray) -> np.ndarray:
        """Posterior covariance of points; `solved` as of `_conditioned`."""
        result = covariance(points, points, self.parameters)
        # a missing category is like no other, yet like itself
        np.fill_diagonal(result, variance(points, self.parameters))
        result -= solved.T @ solved
        np.fill_diagonal(result, np.maximum(result.diagonal(), JITTER))
        return result

    def held_out(self, configurations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `predict` says of its own rows without their configuration; see `held_out_errors`."""
        centred = self.target - self.centre
        errors, deviation = self.held_out_errors(configurations, centred[:, None])
        return self.target - errors[:, 0], deviation

    def held_out_errors(
        self, configurations: np.ndarray, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Errors of predictions of rows without their configuration, in closed form.

        The kernel's parameters stay those of all rows (Sundararajan & Keerthi 2001).

        Parameters
        ----------
        configurations
            Code of each row's configuration, shape (rows,).
        values
            Centred targets of the rows, one or several, shape (rows, targets).

        Returns
        -------
        tuple of numpy.ndarray
            Value less prediction, of the shape of `values`, and epistemic standard deviation, shape
            (rows,).
        """
        errors, deviation = np.empty(values.shape), np.empty(len(values))
        weights = cho_solve((self.factor, True), values, check_finite=False)
        inverse = dpotri(self.factor, lower=1)[0]  # its lower triangle
        order = np.argsort(configurations, kind="stable")
        _, starts, sizes = np.unique(configurations[order], return_index=True, return_counts=True)
        for size in np.unique(sizes):
            here = order[starts[sizes == size, None] + np.arange(size)]  # ascending in each
            own = np.tril(inverse[here[:, :, None], here[:, None, :]])
            left = np.linalg.inv(own + np.tril(own, -1).swapaxes(1, 2))
            errors[here] = left @ weights[here]
            variances = np.diagonal(left, axis1=1, axis2=2) - self.noise
            deviation[here] = np.sqrt(np.maximum(variances, JITTER))
        return errors, deviation

    def of(self, target: np.ndarray, centre: float) -> GaussianProcess:
        """The same kernel, conditioned on other values of the same rows, shape (rows,)."""
        other = replace(self, target=target, centre=centre)
        other.factor = self.factor
        return other

    def without(self, held: np.ndarray) -> GaussianProcess:
        """The same kernel, conditioned on the other rows (mask) only."""
        others = ~held
        return GaussianProcess(
            self.structure,
            self.points.take(others),
            self.target[others],
            self.logarithms,
            self.centre,
        )

    def __getstate__(self) -> dict:
        """What it is made of; what follows from it is worked out again where it is sent."""
        return {name: vars(self)[name] for name in self.__dataclass_fields__}

    @property
    def noise(self) -> float:
        """Variance of a measurement."""
        return float(self.parameters.noise)

    @cached_property
    def parameters(self) -> Parameters:
        """Parameters of the kernel."""
        return self.structure.unpack(self.logarithms)

    @cached_property
    def factor(self) -> np.ndarray:
        """Lower Cholesky factor of the covariance of the noisy rows."""
        matrix = lower_covariance(self.points, self.parameters)
        matrix[np.diag_indices_from(matrix)] += self.noise + JITTER
        return cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)

    @cached_property
    def _weights(self) -> np.ndarray:
        return cho_solve((self.factor, True), self.target - self.centre, check_finite=False)

    def save(self, path: Path) -> None:
        """One `.npz` file without pickle."""
        structure = {
            "numbers": [asdict(number) for number in self.structure.numbers],
            "categories": self.structure.categories,
            "centre": self.centre,
        }
        np.savez_compressed(
            path,
            structure=np.array(json.dumps(structure)),
            numbers=self.points.numbers,
            codes=self.points.codes,
            target=self.target,
            logarithms=self.logarithms,
        )

    @classmethod
    def load(cls, path: Path) -> GaussianProcess:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as saved:
            structure = json.loads(str(saved["structure"]))
            numbers = [Number(**number) for number in structure["numbers"]]
            return cls(
                Structure(numbers, structure["categories"]),
                Points(saved["numbers"], saved["codes"]),
                saved["target"],
                saved["logarithms"],
                structure["centre"],
            )
