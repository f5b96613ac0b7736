"""Measured rows: which of them are learned from, and what they say of their configuration."""

from __future__ import annotations

import numpy as np
import pandas as pd

MINIMUM_ROWS = 30
MINIMUM_CONFIGURATIONS = 16
MOST_REPEATS = 20


class TooFewRows(ValueError):
    """Not enough measurements to learn a metric honestly."""


def newest_measurements(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One row per configuration with its measured value, of the newest framework version.

    Parameters
    ----------
    frame
        Columns of `features.training_features`.

    Returns
    -------
    pandas.DataFrame
        Feature columns, and `measured_value`: the geometric mean of the repeats.

    Examples
    --------
    >>> runs = pd.DataFrame({
    ...     "config_id": ["a", "a", "a"],
    ...     "framework_version_number": [2.0, 2.1, 2.1],
    ...     "throughput": [1.0, 10.0, 40.0],
    ... })
    >>> newest_measurements(runs, "throughput")["measured_value"].round(6).tolist()
    [20.0]
    """
    seen = frame[frame[metric].notna()]
    version = seen["framework_version_number"].astype(float).fillna(-np.inf)
    seen = seen[version == version.groupby(seen["config_id"]).transform("max")]
    values = np.exp(np.log(seen[metric].astype(float)).groupby(seen["config_id"]).mean())
    known = seen.drop_duplicates("config_id", keep="last")
    return known.assign(measured_value=known["config_id"].map(values))


def measured_rows(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Rows of a training frame that state the metric, if there are enough."""
    measured = frame[frame[metric].notna()] if metric in frame else frame.iloc[:0]
    if len(measured) < MINIMUM_ROWS:
        raise TooFewRows(f"{metric} has {len(measured)} measured rows, {MINIMUM_ROWS} are needed")
    configurations = measured["config_id"].nunique()
    if configurations < MINIMUM_CONFIGURATIONS:
        raise TooFewRows(
            f"{metric} has {configurations} measured configurations,"
            f" {MINIMUM_CONFIGURATIONS} are needed"
        )
    values = measured[metric].to_numpy(float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"{metric}: values must be positive and finite")
    return measured


def not_too_often(configurations: pd.Series, seed: int) -> np.ndarray:
    """A mask of rows: `MOST_REPEATS` at most of each configuration, chosen at random.

    More of them would teach nothing, and cost as much as other rows.
    """
    order = np.random.default_rng(seed).permutation(len(configurations))
    repeat = np.empty(len(order), int)
    repeat[order] = configurations.iloc[order].groupby(configurations.iloc[order]).cumcount()
    return repeat < MOST_REPEATS


def repeat_noise(measured: pd.DataFrame, metric: str) -> float:
    """Pooled standard deviation of the logarithm between repeats of a configuration and version."""
    keys = [name for name in ("config_id", "framework_version") if name in measured]
    log_value = np.log(measured[metric].to_numpy(float))
    groups = pd.Series(log_value).groupby([measured[key].to_numpy() for key in keys], dropna=False)
    freedom = groups.size().sub(1).clip(lower=0).sum()
    squares = groups.var(ddof=0).mul(groups.size()).sum()
    return float(np.sqrt(squares / freedom)) if freedom else float("nan")
