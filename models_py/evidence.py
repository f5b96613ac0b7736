"""The parameters of the kernel under which measured points are most plausible.

They maximise the evidence times a log-normal prior (Rasmussen & Williams 2006, chapter 5.4.1).
scikit-learn's regressor keeps a tensor of derivatives by every parameter; here they are sums over
blocks of the covariance that fit into the processor's cache, an order of magnitude faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from models_py.kernel import Parameters, Points, Structure, mismatches, patterns

ITERATIONS = 20
PRIOR_PRECISION = 0.2
SMALLEST_NOISE = np.log(2e-4)
JITTER = 1e-6
BLOCK = 64  # rows of the covariance that are worked on together


def most_plausible(structure: Structure, points: Points, values: np.ndarray) -> np.ndarray:
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
    pairs = _Pairs(points)
    read, diagonal = structure.of_workload, np.diag_indices(len(values))
    smooth = np.empty((2, len(values), len(values)))

    def loss(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        p = structure.unpack(logarithms)
        matrix = pairs.covariance(p, smooth)
        matrix[diagonal] += p.noise + JITTER
        try:
            # transposed, it is stored as LAPACK wants it: nothing is copied
            factor = cholesky(matrix.T, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return 1e10, np.zeros_like(logarithms)
        weights = cho_solve((factor, False), values, check_finite=False)
        evidence = -0.5 * values @ weights - np.log(factor.diagonal()).sum()
        inverse = dpotri(factor, overwrite_c=1)[0].T
        by_noise = 0.5 * (inverse.diagonal() - weights**2).sum()
        sums = pairs.sums(inverse, weights, smooth)
        gradient = np.concatenate(
            [
                -0.5 * (p.workload * sums.squared[0])[read],
                -0.5 * p.everything * sums.squared[1],
                sums.total[:2],
                p.effects * (sums.total[2] - sums.squared[2, pairs.numbers :]),
                [p.linear * sums.linear, p.noise * by_noise],
            ]
        )
        away = logarithms - expected
        return (
            -evidence + 0.5 * PRIOR_PRECISION * away @ away,
            gradient + PRIOR_PRECISION * away,
        )

    return loss


class _Sums(NamedTuple):
    """Sums over pairs of points of what the gradient is made of.

    The pairs are weighted with the slope of the implausibility by their covariance: times either smooth
    kernel, and as it is.

    Attributes
    ----------
    total
        Of these weights, shape (3,).
    squared
        Times squared differences of each number and mismatches of each category, shape (3, columns).
    linear
        Of the slope times the linear part.
    """

    total: np.ndarray
    squared: np.ndarray
    linear: float


class _Pairs:
    """Pairs of points, each once, in blocks of rows of the lower triangle."""

    def __init__(self, points: Points) -> None:
        self.x = points.numbers
        self.numbers = self.x.shape[1]
        self.mismatch = mismatches(points.codes, points.codes)
        np.fill_diagonal(self.mismatch, 0)  # a missing category is like no other, yet like itself
        self.mismatched = patterns(points.codes.shape[1])

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Rows of a block, and the columns up to their diagonal."""
        for start in range(0, len(self.x), BLOCK):
            stop = min(start + BLOCK, len(self.x))
            yield slice(start, stop), slice(stop)

    def covariance(self, p: Parameters, smooth: np.ndarray) -> np.ndarray:
        """Lower triangle of the covariance without noise; the smooth kernels are left in `smooth`."""
        numbers, kernels = self.numbers, (p.workload, p.everything)
        scaled = [self.x * np.sqrt(weights[:numbers]) for weights in kernels]
        halves = [0.5 * (x**2).sum(axis=1) for x in scaled]
        tables = [-0.5 * self.mismatched @ weights[numbers:] for weights in kernels]
        effects = (1 - self.mismatched) @ p.effects
        matrix = np.zeros((len(self.x), len(self.x)))
        for rows, columns in self.blocks():
            mismatch, block = self.mismatch[rows, columns], matrix[rows, columns]
            np.matmul(self.x[rows] * (p.linear / max(numbers, 1)), self.x[columns].T, out=block)
            looked_up = np.empty(mismatch.shape)  # in mode "raise" numpy would fill a copy of it
            block += np.take(effects, mismatch, out=looked_up, mode="clip")
            parts = zip(p.amplitudes, scaled, halves, tables, smooth[:, rows, columns], strict=True)
            for amplitude, x, half, table, kernel in parts:
                np.matmul(x[rows], x[columns].T, out=kernel)
                kernel -= half[rows, None]
                kernel -= half[columns]
                kernel += np.take(table, mismatch, out=looked_up, mode="clip")
                np.exp(kernel, out=kernel)
                kernel *= amplitude
                block += kernel
        return matrix

    def sums(self, inverse: np.ndarray, weights: np.ndarray, smooth: np.ndarray) -> _Sums:
        """What the gradient is made of.

        Parameters
        ----------
        inverse
            Inverse of the covariance, lower triangle; shape (points, points).
        weights
            Inverse times values, shape (points,).
        """
        squares, products = np.zeros((2, 3, self.numbers))
        by_mismatch = np.zeros((3, len(self.mismatched)))
        for rows, columns in self.blocks():
            slope = inverse[rows, columns] - weights[rows, None] * weights[columns]
            own = slope[:, rows]
            # off the diagonal a pair stands for both of its entries
            own[...] = np.tril(own, -1) + np.diag(0.5 * own.diagonal())
            mismatch = self.mismatch[rows, columns].ravel()
            one, other = self.x[rows], self.x[columns]
            for part, weight in enumerate((*(slope * smooth[:, rows, columns]), slope)):
                squares[part] += weight.sum(axis=1) @ one**2 + weight.sum(axis=0) @ other**2
                products[part] += (one * (weight @ other)).sum(axis=0)
                by_mismatch[part] += np.bincount(mismatch, weight.ravel(), len(self.mismatched))
        return _Sums(
            total=by_mismatch.sum(axis=1),
            squared=np.hstack([squares - 2 * products, by_mismatch @ self.mismatched]),
            linear=products[2].sum() / max(self.numbers, 1),
        )


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
