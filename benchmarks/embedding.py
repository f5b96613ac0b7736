"""Configurations as points of a Euclidean space: what policies without a predictor choose by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models_py.features import Encoder
from models_py.replay import State


def embedded(state: State) -> tuple[np.ndarray, np.ndarray]:
    """Paid rows and candidates as points."""
    both = pd.concat([state.measured, state.candidates], ignore_index=True)
    points = standardised(Encoder.fit(both), both)
    return points[: len(state.measured)], points[len(state.measured) :]


def standardised(encoder: Encoder, frame: pd.DataFrame) -> np.ndarray:
    """Rows of a feature frame as standardised numbers and scaled one-hot categories."""
    matrix = encoder.transform(frame)
    numbers = np.log1p(np.nan_to_num(matrix[:, : len(encoder.numeric)]).clip(min=0))
    numbers = (numbers - numbers.mean(axis=0)) / (numbers.std(axis=0) + 1e-9)
    codes = matrix[:, len(encoder.numeric) :]
    indicators = [
        np.eye(int(np.nanmax(column)) + 2)[np.nan_to_num(column, nan=-1).astype(int)]
        for column in codes.T
    ]
    return np.column_stack([numbers, *indicators])


def log_target(state: State) -> np.ndarray:
    """Logarithm of what was measured."""
    return np.log(state.measured[state.metric].to_numpy(float))


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Euclidean distances, a row for each of `one`."""
    squared = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.sqrt(np.maximum(squared, 0))
