"""Ranking the platforms of workloads by what choosing them is expected to lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from models_py.batches import whole_groups
from models_py.grid.compiled import compiled
from models_py.metric_model import quantile_names
from models_py.worth import Objective

Draw = Callable[[np.ndarray], Mapping[str, np.ndarray]]
DRAWS = 256
# as repeats differ in public tables
ASSUMED_NOISE = 0.01
LOSS_LEVELS = (0.05, 0.5, 0.95)
PLATFORM = ("hardware", "device_count", "framework", "options")
WORKLOAD = (
    "model_name",
    "model_type",
    "task",
    "precision",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
)


def compare(
    options: pd.DataFrame,
    objective: Objective,
    margins: Mapping[str, pd.DataFrame],
    levels: Sequence[float],
    draw: Draw,
) -> pd.DataFrame:
    """Rank options by an objective, and say what it may be.

    Parameters
    ----------
    options
        Feature frame with `workload_id` and the facts that the objective reads.
    margins
        By metric of the objective, row by row of `options`: quantile columns and `measured_value`.
    levels
        Quantile levels of the margins.
    draw
        Joint draws of these metrics; see `Sampler.draw`.

    Returns
    -------
    pandas.DataFrame
        With the index of `options`: quantiles of the objective, `measured_value` where all of its
        metrics were measured, and what `rank_options` adds.
    """
    levels, names = tuple(levels), quantile_names(tuple(levels))
    several = len(objective.powers) > 1
    log_quantiles = np.empty((len(options), len(levels)))
    facts = options[list(objective.facts)]

    def utility(rows: np.ndarray) -> np.ndarray:
        values = objective.log_value(draw(rows), facts.iloc[rows])
        if several:
            log_quantiles[rows] = quantiles(values, levels)
        return objective.direction * values

    ranking = rank_options(options["workload_id"], utility)
    if not several:  # no need of draws
        ((metric, power),) = objective.powers.items()
        exact = np.log(margins[metric][names].to_numpy(float))[:, :: 1 if power > 0 else -1]
        log_quantiles = objective.log_value({metric: exact}, options)
    measured = {
        metric: np.log(margins[metric]["measured_value"].to_numpy(float))
        for metric in objective.powers
    }
    log_measured = objective.log_value(measured, options)
    if objective.weights:
        middle = pd.Series(log_quantiles[:, levels.index(0.5)])
        best = middle.groupby(options["workload_id"].to_numpy()).transform("max").to_numpy()
        log_quantiles, log_measured = log_quantiles - best[:, None], log_measured - best
    result = pd.DataFrame(np.exp(log_quantiles), columns=names, index=options.index)
    return result.assign(measured_value=np.exp(log_measured)).join(ranking)


def rank_options(workloads: pd.Series, utility: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Rank the options of every workload.

    Parameters
    ----------
    workloads
        `workload_id` of each option.
    utility
        Draws of the logarithm of what options are worth, more is better: positions in, shape
        (positions, draws) out. It is asked once for each batch of whole workloads.

    Returns
    -------
    pandas.DataFrame
        With the index of `workloads`: what `Odds` says of each option, `hardware_score` (1 - expected
        regret) and `rank` (1 is the recommendation).
    """
    codes, _ = pd.factorize(workloads)
    found = np.empty((len(Odds._fields), len(codes)))
    for rows in whole_groups(codes):
        found[:, rows] = odds(utility(rows), codes[rows])
    result = pd.DataFrame(dict(zip(Odds._fields, found, strict=True)), index=workloads.index)
    result["hardware_score"] = 1 - result["expected_regret"]
    placed = result.assign(workload=codes, prob=-result["prob_best"]).sort_values(
        ["workload", "expected_regret", "prob"], kind="stable"
    )
    result["rank"] = placed.groupby("workload").cumcount() + 1
    return result


class Odds(NamedTuple):
    """How options compare, each of shape (options,).

    Attributes
    ----------
    prob_best
        Probability of being the best of its workload.
    expected_regret
        Mean relative loss against the best, in [0, 1).
    prob_loss
        Probability of being worse than the recommendation, which has the least expected regret.
    loss_p05, loss_p50, loss_p95
        Quantiles of the relative loss against the recommendation, negative where it gains.
    """

    prob_best: np.ndarray
    expected_regret: np.ndarray
    prob_loss: np.ndarray
    loss_p05: np.ndarray
    loss_p50: np.ndarray
    loss_p95: np.ndarray


def odds(utility: np.ndarray, codes: np.ndarray) -> Odds:
    """How options compare by draws of what they are worth.

    Parameters
    ----------
    utility
        Logarithms, shape (options, draws).
    codes
        Code of each option's workload; options of one lie together.

    Examples
    --------
    >>> found = odds(np.log([[1.0, 4.0], [2.0, 2.0]]), np.array([0, 0]))
    >>> found.prob_best, found.expected_regret, found.prob_loss
    (array([0.5, 0.5]), array([0.25, 0.25]), array([0. , 0.5]))
    """
    starts = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    sizes = np.diff(np.r_[starts, len(codes)])
    lost, prob_best = _lost(np.ascontiguousarray(utility), np.r_[starts, len(codes)])
    regret = 1 - np.exp(-lost).mean(axis=1)
    leaders = np.lexsort((-prob_best, regret, np.repeat(np.arange(len(starts)), sizes)))[starts]
    behind = np.repeat(utility[leaders], sizes, axis=0) - utility
    losses = -np.expm1(-quantiles(behind, LOSS_LEVELS))
    return Odds(prob_best, regret, (behind > 0).mean(axis=1), *losses.T)


@compiled
def _lost(utility: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far options are behind the best of their workload, and how often they are that best.

    Parameters
    ----------
    bounds
        Where workloads begin, and where the last one ends.

    Returns
    -------
    tuple
        Of the shape of `utility`, and the share of draws, shape (options,); equal ones share a draw.
    """
    lost, share = np.empty(utility.shape), np.zeros(len(utility))
    best, winners = np.empty(utility.shape[1]), np.empty(utility.shape[1])
    for group in range(len(bounds) - 1):
        start, stop = bounds[group], bounds[group + 1]
        best[:] = -np.inf
        for option in range(start, stop):
            own = utility[option]
            for draw in range(len(best)):
                best[draw] = max(best[draw], own[draw])
        winners[:] = 0.0
        for option in range(start, stop):
            own, behind = utility[option], lost[option]
            for draw in range(len(best)):
                behind[draw] = best[draw] - own[draw]
                winners[draw] += behind[draw] <= 0
        for option in range(start, stop):
            behind, won = lost[option], 0.0
            for draw in range(len(best)):
                if behind[draw] <= 0:
                    won += 1 / winners[draw]
            share[option] = won / len(best)
    return lost, share


def quantiles(draws: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """As `numpy.quantile` of each row without NaN, shape (rows, levels), in a third of its time.

    Examples
    --------
    >>> quantiles(np.array([[3.0, 1.0, 2.0]]), (0.5, 0.75, 1.0))
    array([[2. , 2.5, 3. ]])
    """
    ordered = np.sort(draws, axis=1)  # vectorised, which selecting a few is not
    place = np.asarray(levels) * (ordered.shape[1] - 1)
    below, above = ordered[:, np.floor(place).astype(int)], ordered[:, np.ceil(place).astype(int)]
    return below + (place % 1) * (above - below)


def known_values(
    predicted: pd.DataFrame, measured: pd.Series, noise: float, levels: Sequence[float]
) -> pd.DataFrame:
    """Replace the quantiles of options that were measured by their measured value and its noise.

    Parameters
    ----------
    predicted
        Quantile columns, one row per option.
    measured
        Geometric mean of the measured values, NaN where an option was not measured.
    noise
        Standard deviation of the logarithm between repeats; `ASSUMED_NOISE` where it is NaN, for nothing
        was repeated.
    """
    result = predicted.copy()
    known = measured.notna().to_numpy()
    steps = np.exp(np.nan_to_num(noise, nan=ASSUMED_NOISE) * ndtri(levels))
    names = quantile_names(tuple(levels))
    result.loc[known, names] = measured[known].to_numpy(float)[:, None] * steps
    return result
