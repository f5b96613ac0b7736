"""Ranking the platforms of workloads by what choosing them is expected to lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from models_py.derived import DerivedModel
from models_py.draws import Sampler, whole_groups
from models_py.metric_model import MetricModel, quantile_names
from models_py.worth import Objective

DRAWS = 256
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
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank options by an objective, and say what it may be.

    Parameters
    ----------
    options
        Feature frame with `workload_id` and the facts that the objective reads.
    models, margins
        See `Sampler`; of the objective's metrics.

    Returns
    -------
    pandas.DataFrame
        With the index of `options`: quantiles of the objective, `measured_value` where all of its
        metrics were measured, and what `rank_options` adds.
    """
    used = {metric: margins[metric] for metric in objective.powers}
    sampler = Sampler(options, models, used, draws, seed)
    levels = next(iter(sampler.models.values())).levels
    log_quantiles = np.empty((len(options), len(levels)))

    def utility(rows: np.ndarray) -> np.ndarray:
        values = objective.log_value(sampler.draw(rows), options.iloc[rows])
        if len(used) > 1:
            log_quantiles[rows] = np.quantile(values, levels, axis=1).T
        return objective.direction * values

    ranking = rank_options(options["workload_id"], utility)
    if len(used) == 1:  # no need of draws
        ((metric, power),) = objective.powers.items()
        exact = sampler.log_quantiles[metric][:, :: 1 if power > 0 else -1]
        log_quantiles = objective.log_value({metric: exact}, options)
    measured = {
        metric: np.log(margin["measured_value"].to_numpy(float)) for metric, margin in used.items()
    }
    log_measured = objective.log_value(measured, options)
    if objective.weights:
        middle = pd.Series(log_quantiles[:, levels.index(0.5)])
        best = middle.groupby(options["workload_id"].to_numpy()).transform("max").to_numpy()
        log_quantiles, log_measured = log_quantiles - best[:, None], log_measured - best
    result = pd.DataFrame(
        np.exp(log_quantiles), columns=quantile_names(levels), index=options.index
    )
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
        With the index of `workloads`: `prob_best` (of the option among those of its workload),
        `expected_regret` (mean relative loss against the best one, in [0, 1)), `hardware_score`
        (1 - expected regret) and `rank` (1 is the recommendation).
    """
    codes, _ = pd.factorize(workloads)
    prob_best, regret = np.zeros((2, len(codes)))
    for rows in whole_groups(codes):
        prob_best[rows], regret[rows] = odds(utility(rows), codes[rows])
    result = pd.DataFrame(
        {"prob_best": prob_best, "expected_regret": regret, "hardware_score": 1 - regret},
        index=workloads.index,
    )
    placed = result.assign(workload=codes, prob=-prob_best).sort_values(
        ["workload", "expected_regret", "prob"], kind="stable"
    )
    result["rank"] = placed.groupby("workload").cumcount() + 1
    return result


def odds(utility: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of being the best, and expected relative loss, each of shape (options,).

    Parameters
    ----------
    utility
        Draws, shape (options, draws).
    codes
        Code of each option's workload; options of one lie together.

    Examples
    --------
    >>> odds(np.log([[1.0, 4.0], [2.0, 2.0]]), np.array([0, 0]))
    (array([0.5, 0.5]), array([0.25, 0.25]))
    """
    starts = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    sizes = np.diff(np.r_[starts, len(codes)])
    lost = np.repeat(np.maximum.reduceat(utility, starts, axis=0), sizes, axis=0) - utility
    winners = np.add.reduceat(lost <= 0, starts, axis=0, dtype=int)
    prob_best = ((lost <= 0) / np.repeat(winners, sizes, axis=0)).mean(axis=1)
    return prob_best, -np.expm1(-lost).mean(axis=1)


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
        Standard deviation of the logarithm between repeats; NaN is taken as none.
    """
    result = predicted.copy()
    known = measured.notna().to_numpy()
    steps = np.exp(np.nan_to_num(noise) * ndtri(levels))
    names = quantile_names(tuple(levels))
    result.loc[known, names] = measured[known].to_numpy(float)[:, None] * steps
    return result
