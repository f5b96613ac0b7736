"""The parameters of the kernel under which measured points are most plausible.

They maximise the evidence times a log-normal prior (Rasmussen & Williams 2006, chapter 5.4.1).
scikit-learn's regressor keeps a tensor of derivatives by every parameter; here they are summed up pair
by pair, by compiled code, an order of magnitude faster.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from models_py.covariance import as_columns, as_rows, lower_parts
from models_py.grid.compiled import compiled
from models_py.kernel import Points, Structure

ITERATIONS = 20
PRIOR_PRECISION = 0.2
SMALLEST_NOISE = np.log(2e-4)
JITTER = 1e-6


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
    read, diagonal = structure.of_workload, np.diag_indices(len(values))
    smooth = np.empty((2, len(values), len(values)))

    def loss(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        p = structure.unpack(logarithms)
        matrix = lower_parts(points, p, smooth)
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
        sums = _sums_over_pairs(points, inverse, weights, smooth)
        by_workload, by_everything = np.hstack([sums.squared, sums.mismatched[:2]])
        gradient = np.concatenate(
            [
                -0.5 * (p.workload * by_workload)[read],
                -0.5 * p.everything * by_everything,
                sums.total[:2],
                p.effects * (sums.total[2] - sums.mismatched[2]),
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
        Of the first two times squared differences of each number, shape (2, numbers).
    mismatched
        Times mismatches of each category, shape (3, categories).
    linear
        Of the slope times the linear part.
    """

    total: np.ndarray
    squared: np.ndarray
    mismatched: np.ndarray
    linear: float


def _sums_over_pairs(
    points: Points, inverse: np.ndarray, weights: np.ndarray, smooth: np.ndarray
) -> _Sums:
    """What the gradient is made of.

    Parameters
    ----------
    inverse
        Inverse of the covariance, lower triangle; shape (points, points).
    weights
        Inverse times values, shape (points,).
    smooth
        As of `lower_parts`.
    """
    numbers, categories = points.numbers.shape[1], points.codes.shape[1]
    total, mismatched = np.zeros(3), np.zeros((3, categories))
    squared, products = np.zeros((2, numbers)), np.zeros(numbers)
    both = (*as_rows(points), *as_columns(points))
    _add_pairs(*both, inverse, weights, *smooth, total, squared, mismatched, products)
    return _Sums(total, squared, mismatched, products.sum() / max(numbers, 1))


@partial(compiled, fastmath={"reassoc"})  # sums in any order: several terms at a time
def _add_pairs(
    numbers: np.ndarray,
    codes: np.ndarray,
    others: np.ndarray,
    other_codes: np.ndarray,
    inverse: np.ndarray,
    weights: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    total: np.ndarray,
    squared: np.ndarray,
    mismatched: np.ndarray,
    products: np.ndarray,
) -> None:
    """Add up what `_Sums` holds; `products` are the slope's with each number of both points."""
    slope = np.empty(len(numbers))
    by_first, by_second = slope.copy(), slope.copy()
    for i in range(len(numbers)):
        for j in range(i + 1):
            # off the diagonal a pair stands for both of its entries
            share = 0.5 if i == j else 1.0
            slope[j] = share * (inverse[i, j] - weights[i] * weights[j])
            by_first[j] = slope[j] * first[i, j]
            by_second[j] = slope[j] * second[i, j]
        total[0] += by_first[: i + 1].sum()
        total[1] += by_second[: i + 1].sum()
        total[2] += slope[: i + 1].sum()
        for column in range(numbers.shape[1]):
            number, theirs = numbers[i, column], others[column]
            of_first, of_second, product = 0.0, 0.0, slope[i] * number
            for j in range(i):
                away = (theirs[j] - number) ** 2
                of_first += by_first[j] * away
                of_second += by_second[j] * away
                product += slope[j] * theirs[j]
            squared[0, column] += of_first
            squared[1, column] += of_second
            products[column] += number * product
        for column in range(codes.shape[1]):
            code, their_codes = codes[i, column], other_codes[column]
            of_first, of_second, of_slope = 0.0, 0.0, 0.0
            for j in range(i):
                differs = 1.0 if their_codes[j] != code else 0.0
                of_first += differs * by_first[j]
                of_second += differs * by_second[j]
                of_slope += differs * slope[j]
            mismatched[0, column] += of_first
            mismatched[1, column] += of_second
            mismatched[2, column] += of_slope


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
