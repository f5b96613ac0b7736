"""What a measurement is expected to be worth: pure functions of beliefs."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm


def best_alternative(utility: np.ndarray, workload: np.ndarray) -> np.ndarray:
    """The best utility among the other options of the same workload, -inf where there is none.

    Parameters
    ----------
    utility
        Expected log utility, shape (options,).
    workload
        Workload code of each option, 0 to workloads - 1, shape (options,).

    Examples
    --------
    >>> best_alternative(np.array([1.0, 3.0, 2.0, 5.0]), np.array([0, 0, 0, 1])).tolist()
    [3.0, 2.0, 3.0, -inf]
    """
    if len(utility) == 0:
        return utility
    order = np.lexsort((-utility, workload))
    first = np.r_[True, np.diff(workload[order]) != 0]
    leader = order[first]
    best = np.full(workload.max() + 1, -np.inf)
    best[workload[leader]] = utility[leader]
    runner = np.full_like(best, -np.inf)
    second = np.r_[False, first[:-1]] & ~first
    runner[workload[order[second]]] = utility[order[second]]
    result = best[workload]
    result[leader] = runner[workload[leader]]
    return result


def knowledge_gradient(
    utility: np.ndarray, variance: np.ndarray, alternative: np.ndarray, noise: float
) -> np.ndarray:
    """Expected gain of the workload's best option from measuring each option.

    Knowledge gradient for independent beliefs (Frazier, Powell & Dayanik 2008), in log utility: the
    regret that the measurement is expected to remove. Zero where a workload has a single option.

    Parameters
    ----------
    utility, variance
        Mean and epistemic variance of each option's log utility, shape (options,).
    alternative
        See `best_alternative`, shape (options,).
    noise
        Variance of a measurement.
    """
    deviation = variance / np.sqrt(variance + max(noise, 1e-6))
    contested = np.isfinite(alternative) & (deviation > 0)
    gap = np.where(contested, -np.abs(utility - np.where(contested, alternative, 0)), 0)
    z = gap / np.where(contested, deviation, 1)
    return np.where(contested, deviation * (norm.pdf(z) + z * norm.cdf(z)), 0)
