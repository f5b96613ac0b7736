"""`HardwareRecommender`: which platform a workload should run on, with odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from models_py.feasibility import MINIMUM_FEASIBILITY, likely_to_run
from models_py.measured import newest_measurements
from models_py.metric_model import quantile_names
from models_py.objectives import DEFAULT_DIRECTIONS, main_metric, sign
from models_py.predict import PerformancePredictor

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


def draw_log_values(
    log_quantiles: np.ndarray, levels: Sequence[float], draws: int, generator: np.random.Generator
) -> np.ndarray:
    """Samples from predictive distributions that are given by their quantiles.

    Piecewise linear between the levels; the outermost slopes go on beyond them.

    Parameters
    ----------
    log_quantiles
        Shape (options, levels).

    Returns
    -------
    numpy.ndarray
        Shape (options, draws).
    """
    grid = np.array([0.0, *levels, 1.0])
    low = log_quantiles[:, :1] - (log_quantiles[:, 1:2] - log_quantiles[:, :1])
    high = log_quantiles[:, -1:] + (log_quantiles[:, -1:] - log_quantiles[:, -2:-1])
    knots = np.column_stack([low, log_quantiles, high])
    uniform = generator.random((len(log_quantiles), draws))
    cell = np.clip(np.searchsorted(grid, uniform, side="right") - 1, 0, len(grid) - 2)
    share = (uniform - grid[cell]) / (grid[cell + 1] - grid[cell])
    left = np.take_along_axis(knots, cell, axis=1)
    right = np.take_along_axis(knots, cell + 1, axis=1)
    return left + share * (right - left)


def rank_options(
    options: pd.DataFrame, levels: Sequence[float], direction: int, seed: int = 0
) -> pd.DataFrame:
    """Rank the platforms of every workload by what choosing them is expected to lose.

    Parameters
    ----------
    options
        One row per workload and platform: `workload_id` and the quantile columns of `levels`.
    direction
        +1 where more of the metric is better, -1 where less is.

    Returns
    -------
    pandas.DataFrame
        With the index of `options`: `prob_best` (of the platform among those of its workload),
        `expected_regret` (mean relative loss against the best one, in [0, 1)), `hardware_score`
        (1 - expected regret) and `rank` (1 is the recommendation).
    """
    log_quantiles = np.log(options[quantile_names(tuple(levels))].to_numpy(float))
    workload, _ = pd.factorize(options["workload_id"])
    order = np.argsort(workload, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(workload[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    generator = np.random.default_rng(seed)
    prob_best, regret = np.zeros(len(options)), np.zeros(len(options))
    # whole workloads at a time, so that memory stays bounded
    batches = np.array_split(np.arange(len(starts)), max(1, len(order) * DRAWS // 10_000_000))
    for batch in (part for part in batches if len(part)):
        rows = order[starts[batch[0]] : starts[batch[-1]] + sizes[batch[-1]]]
        utility = direction * draw_log_values(log_quantiles[rows], levels, DRAWS, generator)
        best = np.maximum.reduceat(utility, starts[batch] - starts[batch[0]], axis=0)
        lost = np.repeat(best, sizes[batch], axis=0) - utility
        winners = np.add.reduceat(lost <= 0, starts[batch] - starts[batch[0]], axis=0, dtype=int)
        prob_best[rows] = ((lost <= 0) / np.repeat(winners, sizes[batch], axis=0)).mean(axis=1)
        regret[rows] = -np.expm1(-lost).mean(axis=1)
    result = pd.DataFrame(
        {"prob_best": prob_best, "expected_regret": regret, "hardware_score": 1 - regret},
        index=options.index,
    )
    placed = result.assign(workload=workload, prob=-prob_best).sort_values(
        ["workload", "expected_regret", "prob"], kind="stable"
    )
    result["rank"] = placed.groupby("workload").cumcount() + 1
    return result


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
    from scipy.stats import norm

    result = predicted.copy()
    known = measured.notna().to_numpy()
    steps = np.exp(np.nan_to_num(noise) * norm.ppf(levels))
    names = quantile_names(tuple(levels))
    result.loc[known, names] = measured[known].to_numpy(float)[:, None] * steps
    return result


class HardwareRecommender:
    """Recommends hardware for workloads from predictive distributions.

    Parameters
    ----------
    predictor
        A fitted predictor.
    options
        Feature frame of the options to choose from (columns of `features.candidate_features`);
        by default the rows that the predictor was fitted on.
    available_hardware
        Restricts the choice.
    directions
        `higher` or `lower` by metric.
    minimum_feasibility
        Options that run with a smaller probability are left out.
    """

    def __init__(
        self,
        predictor: PerformancePredictor,
        available_hardware: Sequence[str] | None = None,
        options: pd.DataFrame | None = None,
        directions: Mapping[str, str] = DEFAULT_DIRECTIONS,
        seed: int = 0,
        minimum_feasibility: float = MINIMUM_FEASIBILITY,
    ) -> None:
        known = options if options is not None else predictor.training_frame
        if known is None:
            raise ValueError("a loaded predictor has no training rows: pass `options`")
        self.predictor = predictor
        self.directions = directions
        self.seed = seed
        self.minimum_feasibility = minimum_feasibility
        self.available_hardware = None if available_hardware is None else list(available_hardware)
        self.options = known.reset_index(drop=True)

    def recommend_hardware(
        self, optimize_for: str = "throughput", **workload: object
    ) -> pd.DataFrame:
        """Ranked platforms for one workload; a measured option counts with its measured value.

        Parameters
        ----------
        optimize_for
            An objective or a metric.
        **workload
            Any of `model_name, model_type, task, precision, batch_size, input_length,
            output_length, image_size, concurrency`; `model_name` is required.

        Returns
        -------
        pandas.DataFrame
            One row per platform, best first, with quantiles in the metric's unit, `measured_value`,
            `prob_feasible` (1 where it ran), `prob_best`, `expected_regret`,
            `hardware_score` and `rank`. Several workloads that fit the description are ranked each on
            its own.

        Raises
        ------
        LookupError
            When no known option fits, naming the part that fits nothing, or none is likely to run.
        """
        metric = main_metric(optimize_for)
        options = self._likely(self._matching(workload, metric))
        levels = self.predictor.levels
        predicted = pd.concat([options, self.predictor.predict(options, metric)], axis=1)
        predicted = predicted.assign(
            **known_values(
                predicted[quantile_names(levels)],
                predicted["measured_value"],
                self.predictor.models[metric].noise,
                levels,
            )
        )
        ranked = rank_options(predicted, levels, sign(metric, self.directions), self.seed)
        columns = ["workload_id", *WORKLOAD, *PLATFORM]
        present = [name for name in columns if name in predicted]
        shown = [*present, *quantile_names(levels), "in_domain", "prob_feasible", "measured_value"]
        result = pd.concat([predicted[shown], ranked], axis=1)
        return result.sort_values(["workload_id", "rank"]).reset_index(drop=True)

    def batch_recommend(
        self, workloads: Sequence[Mapping[str, object]], optimize_for: str = "throughput"
    ) -> list[pd.DataFrame]:
        """`recommend_hardware` for several workloads, in their order."""
        return [self.recommend_hardware(optimize_for, **workload) for workload in workloads]

    def _likely(self, options: pd.DataFrame) -> pd.DataFrame:
        """Options that are likely to run, with `prob_feasible`."""
        metrics = [name for name in self.predictor.metrics if name in options]
        ran = options[metrics].notna().any(axis=1)
        probability = self.predictor.prob_feasible(options)
        options = options.assign(prob_feasible=np.where(ran, 1.0, probability))
        likely = likely_to_run(options["prob_feasible"], self.minimum_feasibility)
        if not likely.any():
            best = options.loc[options["prob_feasible"].idxmax()]
            raise LookupError(
                f"no option is likely to run: {best['hardware']} {best['framework']} does with"
                f" {100 * best['prob_feasible']:.0f} % probability"
            )
        return options[likely].reset_index(drop=True)

    def _matching(self, workload: Mapping[str, object], metric: str) -> pd.DataFrame:
        """Options for a workload, one per configuration, with `measured_value`."""
        if "model_name" not in workload:
            raise LookupError("model_name is required")
        unknown = set(workload) - set(WORKLOAD)
        if unknown:
            raise LookupError(f"not part of a workload: {', '.join(sorted(unknown))}")
        options = self.options
        if self.available_hardware is not None:
            options = options[options["hardware"].isin(self.available_hardware)]
            if options.empty:
                raise LookupError(
                    f"no option runs on {', '.join(self.available_hardware) or 'no hardware at all'}"
                )
        for name, value in workload.items():
            fitting = options[options[name] == value]
            if fitting.empty:
                raise LookupError(
                    f"no option has {name} = {value!r} together with what precedes it"
                )
            options = fitting
        if metric in options:
            known = newest_measurements(options, metric)
        else:
            known = options.iloc[:0].assign(measured_value=np.nan)
        others = options[~options["config_id"].isin(known["config_id"])]
        others = others.drop_duplicates("config_id", keep="last").assign(measured_value=np.nan)
        return pd.concat([known, others], ignore_index=True)
