"""Draws from the joint predictive distribution of options: calibrated margins under a Gaussian copula.

The margins are calibrated quantiles. What options have in common (the effect of a model that was never
measured, say) is the posterior correlation of the Gaussian process; what metrics have in common is
the correlation of what held-out rows were off by. Copula: Nelsen (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.linalg import cholesky
from scipy.special import ndtr, ndtri

from models_py.derived import DerivedModel
from models_py.grid.compiled import compiled
from models_py.metric_model import MetricModel, quantile_names

MOST_TOGETHER = 1_000
JITTER = 1e-6
Correlate = Callable[[MetricModel | DerivedModel, np.ndarray], np.ndarray]
# how many held-out rows a correlation of metrics must outweigh
PRIOR_ROWS = 20
FARTHEST = 0.999


def value_at(
    log_quantiles: np.ndarray, levels: Sequence[float], probability: np.ndarray
) -> np.ndarray:
    """Quantiles between those that are given: piecewise linear, the ends as far as the next level is.

    Parameters
    ----------
    log_quantiles
        Shape (options, levels).
    probability
        In [0, 1], shape (options, draws).

    Returns
    -------
    numpy.ndarray
        Shape (options, draws).

    Examples
    --------
    >>> value_at(np.array([[0.0, 1.0, 3.0]]), (0.25, 0.5, 0.75), np.array([[0.125, 0.5, 0.625, 1]]))
    array([[-0.5,  1. ,  2. ,  5. ]])
    """
    each = np.broadcast_to(probability, (len(log_quantiles), probability.shape[1]))
    return _interpolated(*_knots(log_quantiles, levels), np.ascontiguousarray(each))


@compiled
def _interpolated(grid: np.ndarray, knots: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Values at probabilities (rows, draws) between those at a grid of them, `knots` (rows, grid)."""
    result = np.empty(probability.shape)
    for row in range(len(probability)):
        for draw in range(probability.shape[1]):
            asked, cell = probability[row, draw], 0
            for inner in range(1, len(grid) - 1):
                cell += asked >= grid[inner]
            share = (asked - grid[cell]) / (grid[cell + 1] - grid[cell])
            left = knots[row, cell]
            result[row, draw] = left + share * (knots[row, cell + 1] - left)
    return result


def probability_below(
    log_quantiles: np.ndarray, levels: Sequence[float], log_value: np.ndarray
) -> np.ndarray:
    """Probability of less than a value of each option, shape (options,): the inverse of `value_at`.

    Examples
    --------
    >>> probability_below(np.array([[0.0, 1.0, 3.0]]), (0.25, 0.5, 0.75), np.array([2.0]))
    array([0.625])
    """
    grid, knots = _knots(log_quantiles, levels)
    cell = np.clip((knots <= log_value[:, None]).sum(axis=1) - 1, 0, len(grid) - 2)[:, None]
    left = np.take_along_axis(knots, cell, axis=1)[:, 0]
    right = np.take_along_axis(knots, cell + 1, axis=1)[:, 0]
    width = np.where(right > left, right - left, 1.0)
    share = np.where(right > left, np.clip((log_value - left) / width, 0, 1), log_value >= right)
    below, above = grid[cell[:, 0]], grid[cell[:, 0] + 1]
    return below + share * (above - below)


def _knots(log_quantiles: np.ndarray, levels: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Levels with 0 and 1, and the values there."""
    grid = np.array([0.0, *levels, 1.0])
    low = log_quantiles[:, :1] - (log_quantiles[:, 1:2] - log_quantiles[:, :1])
    high = log_quantiles[:, -1:] + (log_quantiles[:, -1:] - log_quantiles[:, -2:-1])
    return grid, np.column_stack([low, log_quantiles, high])


def metric_correlation(models: Mapping[str, MetricModel | DerivedModel]) -> np.ndarray:
    """Correlation of what metrics of one run are off by, in normal scores, shape (metrics, metrics).

    Of rows that were held out of both models; shrunk towards none where these are few, unless one
    metric is the mirror of the other.
    """
    scores = pd.DataFrame({name: _normal_scores(model) for name, model in models.items()})
    correlation = np.eye(len(scores.columns))
    for one, first in enumerate(scores):
        for other, second in enumerate(scores.columns[:one]):
            both = scores[[first, second]].dropna()
            if len(both) > 2 and both.std().min() > 0:
                same = models[first].digest == models[second].digest
                found = both.corr().iloc[0, 1] * len(both) / (len(both) + PRIOR_ROWS * (not same))
                correlation[one, other] = correlation[other, one] = found
    # pairs that were measured on different rows may contradict each other
    size, directions = np.linalg.eigh(correlation)
    possible = (directions * np.maximum(size, JITTER)) @ directions.T
    scale = np.sqrt(possible.diagonal())
    return possible / np.outer(scale, scale)


def _normal_scores(model: MetricModel | DerivedModel) -> pd.Series:
    """Normal scores of held-out rows, by measurement."""
    held_out = model.held_out.drop_duplicates("measurement_id")
    quantiles = held_out[quantile_names(model.levels)].to_numpy(float)
    probability = probability_below(quantiles, model.levels, held_out["log_value"].to_numpy(float))
    scores = ndtri(np.clip(probability, 1 - FARTHEST, FARTHEST))
    return pd.Series(scores, index=held_out["measurement_id"].to_numpy(object))


class Sampler:
    """Draws logarithms of metrics of options, jointly over options and metrics.

    Parameters
    ----------
    options
        Feature frame.
    models
        Fitted models by metric.
    margins
        By metric, row by row of `options`: quantile columns, and `measured_value`. Of an option that was
        measured only the noise is open, and that it shares with no other. Missing quantiles give
        missing draws.
    draws
        How many.
    groups
        Name of each option's group, shape (options,): what is drawn of one group depends neither on what
        others there are nor on their draws. By default all options are one.
    correlation
        See `metric_correlation`, of the metrics of `margins`; by default it is worked out.
    correlate
        Stands for `correlation` of a model, which it is given with positions of options.
    """

    def __init__(
        self,
        options: pd.DataFrame,
        models: Mapping[str, MetricModel | DerivedModel],
        margins: Mapping[str, pd.DataFrame],
        draws: int,
        seed: int = 0,
        groups: pd.Series | None = None,
        correlation: np.ndarray | None = None,
        correlate: Correlate | None = None,
    ) -> None:
        self.draws, self.seed = draws, seed
        self._correlate = correlate or (lambda model, rows: model.correlation(options.iloc[rows]))
        self.models = {metric: models[metric] for metric in margins}
        self.log_quantiles = {
            metric: np.log(margin[quantile_names(models[metric].levels)].to_numpy(float))
            for metric, margin in margins.items()
        }
        self.open = {
            metric: margin["measured_value"].isna().to_numpy()
            & ~np.isnan(self.log_quantiles[metric]).any(axis=1)
            for metric, margin in margins.items()
        }
        together = pd.Series("", options.index)
        self.groups, self._names = pd.factorize(together if groups is None else groups)
        if correlation is None:
            correlation = metric_correlation(self.models)
        self._mix = cholesky(correlation, lower=True)

    def draw(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Draws of all options of some groups (positions): by metric, shape (rows, draws)."""
        mixed = np.tensordot(self._mix, self._independent(self.groups[rows]), axes=1)
        for part in self._parts(self.groups[rows]):
            mixed[:, part] = self._correlated(rows[part], mixed[:, part])
        return {
            metric: value_at(self.log_quantiles[metric][rows], model.levels, ndtr(normal))
            for (metric, model), normal in zip(self.models.items(), mixed, strict=True)
        }

    def _independent(self, groups: np.ndarray) -> np.ndarray:
        """Standard normal numbers that depend on a group's name alone, (metrics, rows, draws)."""
        result = np.empty((len(self.models), len(groups), self.draws))
        for code in np.unique(groups):
            here = np.flatnonzero(groups == code)
            generator = np.random.default_rng([self.seed, crc32(str(self._names[code]).encode())])
            size = (len(self.models), len(here), self.draws)
            result[:, here] = generator.standard_normal(size)
        return result

    def _parts(self, groups: np.ndarray) -> list[np.ndarray]:
        """Positions that are correlated at a time: small groups together, large ones cut."""
        if len(groups) <= MOST_TOGETHER:
            return [np.arange(len(groups))]
        each = [np.flatnonzero(groups == code) for code in np.unique(groups)]
        return [
            own[start : start + MOST_TOGETHER]
            for own in each
            for start in range(0, len(own), MOST_TOGETHER)
        ]

    def _correlated(self, rows: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Independent numbers (metrics, rows, draws) made to correlate among rows of a group."""
        factors: dict[tuple[str, bytes], np.ndarray] = {}
        for (metric, model), normal in zip(self.models.items(), normals, strict=True):
            own = np.flatnonzero(self.open[metric][rows])
            if len(own):
                same = model.digest, own.tobytes()
                if same not in factors:
                    factors[same] = self._factor(model, rows[own])
                normal[own] = factors[same] @ normal[own]
        return normals

    def _factor(self, model: MetricModel | DerivedModel, rows: np.ndarray) -> np.ndarray:
        """Cholesky factor of the correlation of options, none between groups."""
        correlation, groups = self._correlate(model, rows), self.groups[rows]
        correlation[groups[:, None] != groups] = 0
        correlation[np.diag_indices(len(rows))] += JITTER
        return cholesky(correlation, lower=True)
