"""How good predictions are: pure functions of arrays, in the natural logarithm of the metric."""

from __future__ import annotations

import numpy as np


def median_ape(log_actual: np.ndarray, log_predicted: np.ndarray) -> float:
    """Median absolute percentage error, in percent.

    Examples
    --------
    >>> round(median_ape(np.log([100.0, 100.0]), np.log([110.0, 110.0])), 6)
    10.0
    """
    return float(100 * np.median(np.abs(np.expm1(np.clip(log_predicted - log_actual, -20, 20)))))


def covered(log_actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether each value lies in its interval, shape (rows,)."""
    return (log_actual >= low) & (log_actual <= high)


def interval_scores(
    log_actual: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float = 0.9
) -> np.ndarray:
    """Width plus a penalty for misses (Gneiting & Raftery 2007), shape (rows,); lower is better."""
    penalty = 2 / (1 - coverage)
    below = np.maximum(low - log_actual, 0)
    above = np.maximum(log_actual - high, 0)
    return np.asarray(high - low + penalty * (below + above))


def interval_score(
    log_actual: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float = 0.9
) -> float:
    """Mean of `interval_scores`.

    Examples
    --------
    >>> interval_score(np.array([0.0]), np.array([-1.0]), np.array([1.0]))
    2.0
    """
    return float(np.mean(interval_scores(log_actual, low, high, coverage)))
