"""A structured Gaussian process: what a configuration's kin say of it, and how sure they are.

Parameters of the kernel maximise the evidence times a log-normal prior (Rasmussen & Williams 2006,
chapter 5.4.1). scikit-learn's regressor keeps a tensor of derivatives by every parameter; here they
are one matrix product, an order of magnitude faster.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from models_py.features import Encoder
from models_py.kernel import (
    Number,
    Parameters,
    Points,
    Structure,
    covariance,
    differences,
    variance,
)

EVIDENCE_ROWS = 900
ITERATIONS = 20
PRIOR_PRECISION = 0.2
SMALLEST_NOISE = np.log(2e-4)
JITTER = 1e-6
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
        logarithms = _most_plausible(structure, points.take(some), target[some] - centre)
        return cls(structure, points, target, logarithms, centre)

    def predict(self, features: np.ndarray, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
        """Mean and epistemic standard deviation, each of shape (rows,)."""
        mean, deviation = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), CHUNK):
            part = slice(start, start + CHUNK)
            points = self.structure.points(features[part], encoder)
            shared = covariance(points, self.points, self.parameters)
            mean[part] = self.centre + shared @ self._weights
            explained = solve_triangular(
                self.factor, shared.T, lower=True, overwrite_b=True, check_finite=False
            )
            left = variance(points, self.parameters) - (explained**2).sum(axis=0)
            deviation[part] = np.sqrt(np.maximum(left, JITTER))
        return mean, deviation

    def covariance(self, features: np.ndarray, encoder: Encoder) -> np.ndarray:
        """Posterior covariance of rows with each other, without noise, shape (rows, rows)."""
        points = self.structure.points(features, encoder)
        shared = covariance(self.points, points, self.parameters)
        solved = solve_triangular(
            self.factor, shared, lower=True, overwrite_b=True, check_finite=False
        )
        result = covariance(points, points, self.parameters)
        # a missing category is like no other, yet like itself
        np.fill_diagonal(result, variance(points, self.parameters))
        result -= solved.T @ solved
        np.fill_diagonal(result, np.maximum(result.diagonal(), JITTER))
        return result

    def held_out(self, configurations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `predict` says of its own rows without their configuration, in closed form.

        The kernel's parameters stay those of all rows (Sundararajan & Keerthi 2001).

        Parameters
        ----------
        configurations
            Code of each row's configuration, shape (rows,).
        """
        mean, deviation = np.empty(len(self.target)), np.empty(len(self.target))
        inverse = _inverse(self.factor)
        order = np.argsort(configurations, kind="stable")
        starts = np.flatnonzero(np.diff(configurations[order])) + 1
        for here in np.split(order, starts):
            left = np.linalg.inv(inverse[np.ix_(here, here)])
            mean[here] = self.target[here] - left @ self._weights[here]
            deviation[here] = np.sqrt(np.maximum(left.diagonal() - self.noise, JITTER))
        return mean, deviation

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
        matrix = covariance(self.points, self.points, self.parameters)
        matrix[np.diag_indices_from(matrix)] = (
            variance(self.points, self.parameters) + self.noise + JITTER
        )
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


def _inverse(factor: np.ndarray) -> np.ndarray:
    """Inverse of a matrix from its lower Cholesky factor."""
    inverse = np.tril(dpotri(factor, lower=1)[0])
    return inverse + np.tril(inverse, -1).T


def _most_plausible(structure: Structure, points: Points, values: np.ndarray) -> np.ndarray:
    """Logarithms of the parameters under which centred values, shape (rows,), are most plausible."""
    start, bounds = _prior(structure, max(float(values.var()), 1e-3))
    found = minimize(
        implausibility(structure, points, values, start),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": ITERATIONS},
    )
    return found.x


def implausibility(
    structure: Structure, points: Points, values: np.ndarray, expected: np.ndarray
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Negative logarithm of evidence times prior, and its gradient, of the parameters' logarithms.

    Parameters
    ----------
    values
        Centred values of the points, shape (rows,).
    expected
        Centre of the prior of the logarithms.
    """
    made_of, lower = differences(points), np.tril_indices(len(values))
    diagonal = lower[0] == lower[1]
    times = np.where(diagonal, 1, 2)  # off the diagonal a pair stands for both of its entries
    read, numbers = structure.of_workload, points.numbers.shape[1]
    columns = len(read)

    def loss(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        p = structure.unpack(logarithms)
        workload, everything = (
            amplitude * np.exp(-0.5 * (weights @ made_of[:columns]))
            for amplitude, weights in zip(p.amplitudes, (p.workload, p.everything), strict=True)
        )
        effects = p.effects.sum() - p.effects @ made_of[numbers:columns]
        matrix = np.zeros((len(values), len(values)))
        matrix[lower] = workload + everything + effects + p.linear * made_of[-1]
        matrix[np.diag_indices(len(values))] += p.noise + JITTER
        try:
            factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return 1e10, np.zeros_like(logarithms)
        weights = cho_solve((factor, True), values, check_finite=False)
        evidence = -0.5 * values @ weights - np.log(factor.diagonal()).sum()
        inverse = dpotri(factor, lower=1)[0][lower]
        slope = 0.5 * times * (inverse - weights[lower[0]] * weights[lower[1]])
        slopes = np.column_stack([slope * workload, slope * everything, slope])
        sums = made_of @ slopes
        gradient = np.concatenate(
            [
                -0.5 * (p.workload * sums[:columns, 0])[read],
                -0.5 * p.everything * sums[:columns, 1],
                slopes[:, :2].sum(axis=0),
                p.effects * (slope.sum() - sums[numbers:columns, 2]),
                [p.linear * sums[-1, 2], p.noise * slope[diagonal].sum()],
            ]
        )
        away = logarithms - expected
        return (
            -evidence + 0.5 * PRIOR_PRECISION * away @ away,
            gradient + PRIOR_PRECISION * away,
        )

    return loss


def _prior(structure: Structure, spread: float) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Centre of the prior of the logarithms, where the search starts, and their bounds."""
    read = structure.of_workload
    categories, numbers = len(structure.categories), len(structure.numbers)
    scales = np.log(np.r_[np.full(numbers, 0.1), np.full(categories, 0.5)])
    variances = np.log(
        np.r_[0.3, 0.3, np.full(categories, 0.1), 0.2, 0.02] * spread
        + np.r_[[0] * (categories + 3), 1e-4]
    )
    start = np.concatenate([scales[read], scales, variances])
    bounds = [(-12.0, 5.0)] * (read.sum() + len(read)) + [(-9.0, 5.0)] * (categories + 3)
    bounds.append((SMALLEST_NOISE, 2.0))
    low, high = np.array(bounds).T
    return np.clip(start, low, high), bounds
