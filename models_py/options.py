"""The options that a request is about, with what is predicted and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from models_py.batches import whole_groups
from models_py.derived import DerivedModel
from models_py.draws import Sampler
from models_py.measured import newest_measurements
from models_py.metric_model import MetricModel, quantile_names
from models_py.predict import PerformancePredictor
from models_py.ranking import PLATFORM, WORKLOAD, known_values
from models_py.requirements import Requirement, probabilities

DRAWS = 4_096


def matching_options(options: pd.DataFrame, workload: Mapping[str, object]) -> pd.DataFrame:
    """Rows of options for a workload.

    Raises
    ------
    LookupError
        Without a model, for a column that is none of a workload, and where nothing fits.
    """
    if "model_name" not in workload:
        raise LookupError("model_name is required")
    unknown = set(workload) - set(WORKLOAD)
    if unknown:
        raise LookupError(f"not part of a workload: {', '.join(sorted(unknown))}")
    for name, value in workload.items():
        fitting = options[options[name] == value]
        if fitting.empty:
            raise LookupError(f"no option has {name} = {value!r} together with what precedes it")
        options = fitting
    return options


def predicted_options(
    predictor: PerformancePredictor, matching: pd.DataFrame, metrics: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """One row per configuration, and the margins of metrics that all of them have.

    Parameters
    ----------
    matching
        Rows of options: measured runs with their metrics, and configurations without.

    Returns
    -------
    tuple of pandas.DataFrame and dict
        Options with `prob_feasible` (1 where it ran) and `in_domain`; margins by metric, see `Sampler`.

    Raises
    ------
    LookupError
        Where the metrics apply to none of them.
    """
    ran = matching[[name for name in predictor.metrics if name in matching]]
    measured = set(matching.loc[ran.notna().any(axis=1), "config_id"])
    options = matching.drop_duplicates("config_id", keep="last")
    for metric in metrics:
        options = options[predictor.models[metric].applies(options)]
    if options.empty:
        raise LookupError(f"{', '.join(metrics)}: nothing like these workloads was measured")
    options = options.reset_index(drop=True)
    probability = np.where(
        options["config_id"].isin(measured), 1.0, predictor.prob_feasible(options)
    )
    margins = {metric: _margin(predictor, options, matching, metric) for metric in metrics}
    known = [margin["in_domain"].to_numpy(bool) for margin in margins.values()]
    in_domain = np.logical_and.reduce([np.ones(len(options), bool), *known])
    return options.assign(prob_feasible=probability, in_domain=in_domain), margins


def _margin(
    predictor: PerformancePredictor, options: pd.DataFrame, matching: pd.DataFrame, metric: str
) -> pd.DataFrame:
    """Quantiles of a metric with what was measured of it."""
    model = predictor.models[metric]
    predicted = model.predict(options)
    measured = pd.Series(np.nan, index=options.index)
    if metric in matching:
        known = newest_measurements(matching, metric).set_index("config_id")["measured_value"]
        measured = options["config_id"].map(known).astype(float)
    quantiles = predicted[quantile_names(model.levels)]
    values = known_values(quantiles, measured, model.noise, model.levels)
    return predicted.assign(**values, measured_value=measured)


def kept_odds(
    requirements: Sequence[Requirement],
    options: pd.DataFrame,
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    seed: int,
) -> dict[str, np.ndarray]:
    """Probabilities of keeping requirements, as `screens` reads them."""
    alone, together = np.ones((len(requirements), len(options))), np.ones(len(options))
    if requirements:
        wanted = {each.metric: margins[each.metric] for each in requirements}
        sampler = Sampler(options, models, wanted, DRAWS, seed, options["workload_id"])
        for rows in whole_groups(sampler.groups):
            alone[:, rows], together[rows] = probabilities(requirements, sampler.draw(rows))
    return named_odds(requirements, options, margins, alone, together)


def named_odds(
    requirements: Sequence[Requirement],
    options: pd.DataFrame,
    margins: Mapping[str, pd.DataFrame],
    alone: np.ndarray,
    together: np.ndarray,
) -> dict[str, np.ndarray]:
    """Columns of probabilities: of a requirement where an option runs, of running and keeping all."""
    odds = {"prob_meets": together * options["prob_feasible"].fillna(1).to_numpy(float)}
    for requirement, probability in zip(requirements, alone, strict=True):
        odds[f"prob {requirement}"] = probability
        odds[f"median {requirement}"] = margins[requirement.metric]["p50"].to_numpy()
    return odds


def memory_taken(predictor: PerformancePredictor, options: pd.DataFrame) -> np.ndarray:
    """Share of its devices' memory that each option takes; NaN where that is not known.

    Weights and cache by arithmetic, or the 95 % quantile of `memory_mb`, where it was learned, if that
    is more.
    """
    share = options["memory_share"].to_numpy(float, na_value=np.nan)
    model = predictor.models.get("memory_mb")
    if model is None or not model.applies(options).all():
        return share
    there = 1000 * (options["memory_gb"] * options["device_count"]).to_numpy(float, na_value=np.nan)
    return np.fmax(share, model.predict(options)["p95"].to_numpy() / there)


def platform_names(options: pd.DataFrame) -> list[str]:
    """Platforms in words."""
    if "platform" in options:
        return options["platform"].tolist()
    named = options[list(PLATFORM[:3])].itertuples(index=False)
    return [" ".join(map(str, parts)) for parts in named]
