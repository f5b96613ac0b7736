"""Covariances of pairs of configurations under the kernel, by compiled code.

Row by row, over coordinates that stay in the processor's cache; operations on whole matrices take three
times as long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models_py.grid.compiled import compiled
from models_py.kernel import Parameters, Points

BLOCK = 1024  # points whose coordinates stay in the cache
UNKNOWN, LIKE_NO_OTHER = -1, -2
LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # its last bits are zero: multiples are exact
LN2_LOW = 1.90821492927058770002e-10
SMALLEST = -700.0  # 1e-304: of less the exponent would not do
EXPONENT_BIAS, MANTISSA_BITS = 1023, 52


class Weights(NamedTuple):
    """Parameters of the kernel as compiled code reads them.

    Attributes
    ----------
    numbers, categories
        Inverse squared length scales of the two smooth kernels, shape (2, columns).
    amplitudes
        Their variances, shape (2,).
    effects
        Variances of the random effects, shape (categories,).
    linear
        Variance of the linear part for each number.
    """

    numbers: np.ndarray
    categories: np.ndarray
    amplitudes: np.ndarray
    effects: np.ndarray
    linear: float

    @classmethod
    def of(cls, parameters: Parameters, numbers: int) -> Weights:
        """Of parameters of a kernel that reads so many numbers."""
        both = np.stack([parameters.workload, parameters.everything])
        return cls(
            np.ascontiguousarray(both[:, :numbers]),
            np.ascontiguousarray(both[:, numbers:]),
            np.ascontiguousarray(parameters.amplitudes),
            np.ascontiguousarray(parameters.effects),
            float(parameters.linear) / max(numbers, 1),
        )


def covariance(one: Points, other: Points, parameters: Parameters) -> np.ndarray:
    """Prior covariance without noise, shape (rows of one, rows of other)."""
    result = np.empty((len(one.numbers), len(other.numbers)))
    weights = Weights.of(parameters, one.numbers.shape[1])
    _fill(*as_rows(one), *as_columns(other), weights, False, result)
    return result


def lower_covariance(points: Points, parameters: Parameters) -> np.ndarray:
    """Prior covariance of points with each other without noise, shape (rows, rows).

    Its lower triangle: what is above is not to be read.
    """
    result = np.zeros((len(points.numbers),) * 2)
    weights = Weights.of(parameters, points.numbers.shape[1])
    _fill(*as_rows(points), *as_columns(points), weights, True, result)
    # a missing category is like no other, yet like itself
    np.fill_diagonal(result, variance(points, parameters))
    return result


def lower_parts(points: Points, parameters: Parameters, smooth: np.ndarray) -> np.ndarray:
    """As `lower_covariance`; the two smooth kernels are left in `smooth`, shape (2, rows, rows)."""
    result = np.zeros(smooth.shape[1:])
    weights = Weights.of(parameters, points.numbers.shape[1])
    _fill_parts(*as_rows(points), *as_columns(points), weights, *smooth, result)
    # a missing category is like no other, yet like itself
    for kernel, amplitude in zip(smooth, parameters.amplitudes, strict=True):
        np.fill_diagonal(kernel, amplitude)
    np.fill_diagonal(result, variance(points, parameters))
    return result


def variance(points: Points, parameters: Parameters) -> np.ndarray:
    """Prior variance without noise, shape (rows,)."""
    numbers = max(points.numbers.shape[1], 1)
    linear = parameters.linear * (points.numbers**2).sum(axis=1) / numbers
    return parameters.amplitudes.sum() + parameters.effects.sum() + linear


def as_rows(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and codes, shape (rows, columns); an unknown code is none that `as_columns` has."""
    codes = np.where(points.codes < 0, LIKE_NO_OTHER, points.codes)
    return np.ascontiguousarray(points.numbers), np.ascontiguousarray(codes, np.int32)


def as_columns(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and codes, column by column, shape (columns, rows)."""
    codes = np.maximum(points.codes.T, UNKNOWN)
    return np.ascontiguousarray(points.numbers.T), np.ascontiguousarray(codes, np.int32)


@compiled
def scale_exponentials(values: np.ndarray, scale: float) -> None:
    """Replace numbers up to 700 by their exponentials times a scale; less than -700 counts as it.

    Multiples of ln 2 and the series around zero (Cody & Waite 1980), within two units in the last place.
    Compilers turn it into vector instructions, where the C library takes one number at a time.

    Parameters
    ----------
    values
        Shape (numbers,), contiguous.
    """
    powers = np.empty(len(values), np.int64)  # of two, as they are stored
    for i in range(len(values)):
        value = max(values[i], SMALLEST)
        power = np.floor(value * LOG2_E + 0.5)
        values[i] = value - power * LN2_HIGH - power * LN2_LOW
        powers[i] = np.int64(np.int32(power) + np.int32(EXPONENT_BIAS)) << MANTISSA_BITS
    two_to = powers.view(np.float64)
    for i in range(len(values)):
        x = values[i]
        series = 1 / 479001600 + x * (1 / 6227020800)
        series = 1 / 3628800 + x * (1 / 39916800 + x * series)
        series = 1 / 40320 + x * (1 / 362880 + x * series)
        series = 1 / 720 + x * (1 / 5040 + x * series)
        series = 1 / 24 + x * (1 / 120 + x * series)
        series = 1 + x * (1 + x * (1 / 2 + x * (1 / 6 + x * series)))
        values[i] = scale * two_to[i] * series


@compiled
def _smooth_and_rest(
    numbers: np.ndarray,
    codes: np.ndarray,
    others: np.ndarray,
    other_codes: np.ndarray,
    start: int,
    weights: Weights,
    first: np.ndarray,
    second: np.ndarray,
    rest: np.ndarray,
) -> None:
    """Write the parts of the covariance of one point with others from `start`.

    Parameters
    ----------
    numbers, codes
        Of the point, as of `as_rows`, shape (columns,).
    others, other_codes
        As of `as_columns`, shape (columns, others).
    first, second, rest
        Where the two smooth kernels go, and the sum of linear part and random effects; of one shape.
    """
    stop = start + len(rest)
    first[:] = 0.0
    second[:] = 0.0
    rest[:] = 0.0
    for column in range(len(numbers)):
        number, theirs = numbers[column], others[column][start:stop]
        slope = weights.linear * number
        of_first = -0.5 * weights.numbers[0, column]
        of_second = -0.5 * weights.numbers[1, column]
        for i in range(len(rest)):
            squared = (theirs[i] - number) ** 2
            first[i] += of_first * squared
            second[i] += of_second * squared
            rest[i] += slope * theirs[i]
    for column in range(len(codes)):
        code, their_codes = codes[column], other_codes[column][start:stop]
        effect = weights.effects[column]
        of_first = -0.5 * weights.categories[0, column]
        of_second = -0.5 * weights.categories[1, column]
        for i in range(len(rest)):
            differs = their_codes[i] != code
            first[i] += of_first if differs else 0.0
            second[i] += of_second if differs else 0.0
            rest[i] += 0.0 if differs else effect
    scale_exponentials(first, weights.amplitudes[0])
    scale_exponentials(second, weights.amplitudes[1])


@compiled
def _fill(
    numbers: np.ndarray,
    codes: np.ndarray,
    others: np.ndarray,
    other_codes: np.ndarray,
    weights: Weights,
    lower: bool,
    result: np.ndarray,
) -> None:
    """Write covariances of points with others; `lower`: only up to the diagonal."""
    first, second = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, others.shape[1], BLOCK):
        stop = min(start + BLOCK, others.shape[1])
        for i in range(start if lower else 0, len(numbers)):
            rest = result[i][start : min(stop, i + 1) if lower else stop]
            one, two = first[: len(rest)], second[: len(rest)]
            _smooth_and_rest(
                numbers[i], codes[i], others, other_codes, start, weights, one, two, rest
            )
            for j in range(len(rest)):
                rest[j] += one[j] + two[j]


@compiled
def _fill_parts(
    numbers: np.ndarray,
    codes: np.ndarray,
    others: np.ndarray,
    other_codes: np.ndarray,
    weights: Weights,
    first: np.ndarray,
    second: np.ndarray,
    matrix: np.ndarray,
) -> None:
    """Write the smooth kernels and the whole covariance below the diagonal."""
    for i in range(len(numbers)):
        one, two, row = first[i][:i], second[i][:i], matrix[i][:i]
        _smooth_and_rest(numbers[i], codes[i], others, other_codes, 0, weights, one, two, row)
        for j in range(i):
            row[j] += one[j] + two[j]
