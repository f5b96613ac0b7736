"""The covariance of two configurations: alike in workload, in hardware, in kin.

A sum of two smooth kernels with automatic relevance determination (one over the workload, one over
everything; a category counts as a coordinate that matches or does not), a random effect of every
category, and a linear part: Rasmussen & Williams (2006), chapters 2.7 and 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models_py.features import Encoder

WORKLOAD_NUMBERS = (
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
    "device_count",
    "parameters_million",
    "active_parameters_million",
    "gmacs",
    "activations_million",
    "kv_cache_mb",
    "memory_share",
    "compute_to_memory",
    "framework_version_number",
)
OTHER_NUMBERS = (
    "log_bound",
    "arithmetic_intensity",
    "first_share",
    "peak_tflops",
    "memory_bandwidth_gbs",
    "layers",
)
WORKLOAD_CATEGORIES = ("comparable_group", "framework", "precision", "options")
BLOCK = 128  # rows whose covariances stay in the cache
LARGEST = 6.0  # standard deviations: beyond them nothing is extrapolated


class Points(NamedTuple):
    """Configurations as the kernel sees them.

    Attributes
    ----------
    numbers
        Standardised logarithms, shape (rows, numbers).
    codes
        Codes of categories, negative where unknown: like no other; shape (rows, categories).
    """

    numbers: np.ndarray
    codes: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Points:
        """Some of the points."""
        return Points(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class Number:
    """How a column becomes a standardised number; `smallest` is None where it is one as it is."""

    name: str
    smallest: float | None
    mean: float
    deviation: float

    @classmethod
    def of(cls, name: str, values: np.ndarray) -> Number | None:
        """From training values, NaN where missing; None for a column that does not vary."""
        known = values[~np.isnan(values)]
        positive = known[known > 0]
        smallest = None
        if name != "log_bound" and len(positive) and known.min() >= 0:
            smallest = float(positive.min() / 2)
            known = np.log(np.maximum(known, smallest))
        if len(known) == 0 or known.std() < 1e-9:
            return None
        return cls(name, smallest, float(known.mean()), float(known.std()))

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """Standard units, shape (rows,); the mean where a value is missing."""
        if self.smallest is not None:
            values = np.log(np.maximum(values, self.smallest))
        return np.clip(
            np.nan_to_num((values - self.mean) / self.deviation, nan=0.0), -LARGEST, LARGEST
        )


class Parameters(NamedTuple):
    """Parameters of the kernel, all positive.

    Attributes
    ----------
    workload, everything
        Inverse squared length scales, shape (numbers + categories,); zero where a kernel leaves a
        column out.
    amplitudes
        Variances of the two smooth kernels, shape (2,).
    effects
        Variances of the random effects, shape (categories,).
    linear, noise
        Variances of the linear part and of a measurement.
    """

    workload: np.ndarray
    everything: np.ndarray
    amplitudes: np.ndarray
    effects: np.ndarray
    linear: float
    noise: float


@dataclass
class Structure:
    """Which columns of an encoded matrix the kernel reads, and how."""

    numbers: list[Number]
    categories: list[str]

    @classmethod
    def fit(cls, features: np.ndarray, encoder: Encoder) -> Structure:
        """From a training matrix (rows, columns) as `encoder` makes it."""
        numbers = []
        for name in (*WORKLOAD_NUMBERS, *OTHER_NUMBERS):
            if name in encoder.numeric:
                number = Number.of(name, features[:, encoder.numeric.index(name)])
                numbers += [number] if number else []
        return cls(numbers, list(encoder.categories))

    def points(self, features: np.ndarray, encoder: Encoder) -> Points:
        """Points of an encoded matrix (rows, columns)."""
        numbers = np.zeros((len(features), len(self.numbers)))
        for position, number in enumerate(self.numbers):
            column = features[:, encoder.numeric.index(number.name)]
            numbers[:, position] = number.standardise(column)
        codes = features[:, len(encoder.numeric) :]
        return Points(numbers, np.nan_to_num(codes, nan=-1.0).astype(np.int32))

    @property
    def of_workload(self) -> np.ndarray:
        """Which numbers and categories the workload kernel reads, boolean."""
        names = [number.name for number in self.numbers]
        return np.array(
            [name in WORKLOAD_NUMBERS for name in names]
            + [name in WORKLOAD_CATEGORIES for name in self.categories],
            dtype=bool,
        )

    def unpack(self, logarithms: np.ndarray) -> Parameters:
        """Parameters from the vector of their logarithms (see `size`)."""
        values = np.exp(logarithms)
        read = self.of_workload
        columns, categories = len(read), len(self.categories)
        workload = np.zeros(columns)
        workload[read] = values[: read.sum()]
        rest = values[read.sum() :]
        return Parameters(
            workload,
            rest[:columns],
            rest[columns : columns + 2],
            rest[columns + 2 : columns + 2 + categories],
            rest[-2],
            rest[-1],
        )

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.of_workload.sum()) + len(self.of_workload) + len(self.categories) + 4


def covariance(one: Points, other: Points, parameters: Parameters) -> np.ndarray:
    """Prior covariance without noise, shape (rows of one, rows of other)."""
    numbers, categories = one.numbers.shape[1], one.codes.shape[1]
    mismatch, mismatched = mismatches(one.codes, other.codes), patterns(categories)
    result = (parameters.linear / max(numbers, 1) * one.numbers) @ other.numbers.T
    result += np.take((1 - mismatched) @ parameters.effects, mismatch)
    kernels = (parameters.workload, parameters.everything)
    for amplitude, weights in zip(parameters.amplitudes, kernels, strict=True):
        squared = _squared(one.numbers, other.numbers, weights[:numbers])
        squared += np.take(mismatched @ weights[numbers:], mismatch)
        squared *= -0.5
        result += amplitude * np.exp(squared, out=squared)
    return result


def lower_covariance(points: Points, parameters: Parameters) -> np.ndarray:
    """Prior covariance of points with each other without noise, shape (rows, rows).

    Its lower triangle: what is above is not to be read.
    """
    result = np.zeros((len(points.numbers),) * 2)
    for start in range(0, len(result), BLOCK):
        rows, columns = slice(start, start + BLOCK), slice(start + BLOCK)
        result[rows, columns] = covariance(points.take(rows), points.take(columns), parameters)
    # a missing category is like no other, yet like itself
    np.fill_diagonal(result, variance(points, parameters))
    return result


def variance(points: Points, parameters: Parameters) -> np.ndarray:
    """Prior variance without noise, shape (rows,)."""
    numbers = max(points.numbers.shape[1], 1)
    linear = parameters.linear * (points.numbers**2).sum(axis=1) / numbers
    return parameters.amplitudes.sum() + parameters.effects.sum() + linear


def _squared(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    one, other = one * np.sqrt(weights), other * np.sqrt(weights)
    result = one @ other.T
    result *= -2
    result += (one**2).sum(axis=1)[:, None]
    result += (other**2).sum(axis=1)
    return np.maximum(result, 0, out=result)


def mismatches(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which categories of pairs of rows do not match, as the number of one of the `patterns`.

    What a kernel makes of categories is looked up by it. Codes that are unknown match nothing.

    Parameters
    ----------
    one, other
        Codes, shape (rows, categories).

    Returns
    -------
    numpy.ndarray
        Shape (rows of one, rows of other).

    Examples
    --------
    >>> found = mismatches(np.array([[0, -1]]), np.array([[0, 1], [3, -1]]))
    >>> patterns(2)[found].tolist()
    [[[0.0, 1.0], [1.0, 1.0]]]
    """
    # bytes, where they suffice, are compared and combined without being converted
    kind = np.uint8 if one.shape[1] <= 8 else np.uint16
    result = np.zeros((len(one), len(other)), kind)
    known = np.where(one < 0, -2, one)  # an unknown code does not match another unknown one
    for mine, others in zip(known.T, np.maximum(other, -1).T, strict=True):
        result <<= 1
        result |= (mine[:, None] != others).view(np.uint8)
    return result.astype(np.intp)


def patterns(categories: int) -> np.ndarray:
    """Every combination of categories that do not match (1) and do (0), shape (patterns, categories)."""
    bits = np.arange(categories)[::-1]
    return (np.arange(1 << categories)[:, None] >> bits & 1).astype(float)
