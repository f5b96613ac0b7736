"""What makes configurations alike: workload, hardware, kin; how columns and parameters say it.

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
