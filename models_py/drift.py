"""Whether new measurements are still what had been predicted of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from models_py.derived import DerivedModel
from models_py.metric_model import COMPARABLE, GROUP, NOMINAL, MetricModel, quantile_names
from models_py.scores import covered

SIGNIFICANCE = 0.01


class Drift(NamedTuple):
    """How new measurements lie to what had been predicted of them.

    Attributes
    ----------
    configurations, outside
        Configurations with new measurements among those whose coverage was promised, and those of
        them outside of their 90 % interval.
    median_ratio
        Median of measured to predicted median; NaN where there are none.
    p_value
        Probability of so many outside, or of so many on one side of the median, where nothing
        has changed.
    """

    configurations: int
    outside: int
    median_ratio: float
    p_value: float

    def drifted(self, significance: float = SIGNIFICANCE) -> bool:
        """Whether chance hardly explains it."""
        return self.p_value < significance

    def __str__(self) -> str:
        return (
            f"{self.outside} of {self.configurations} newly measured configurations lie outside of"
            f" their 90 % interval"
        )


def compare(model: MetricModel | DerivedModel, measured: pd.DataFrame) -> pd.DataFrame:
    """What a model that has not seen them says of measured rows.

    Parameters
    ----------
    measured
        Rows of the training frame that state the metric.

    Returns
    -------
    pandas.DataFrame
        For the rows that the model applies to: `measurement_id, config_id, hardware,
        comparable_group`, quantiles and `actual` in the metric's unit, and `in_domain`.
    """
    rows = measured[model.applies(measured)]
    names = ["measurement_id", "config_id", GROUP, COMPARABLE]
    if rows.empty:
        columns = [*names, *quantile_names(model.levels), "in_domain", "actual"]
        return pd.DataFrame(columns=columns)
    predicted = model.predict(rows)[[*quantile_names(model.levels), "in_domain"]]
    actual = rows[model.metric].astype(float)
    return pd.concat([rows[names], predicted], axis=1).assign(actual=actual)


def judge_drift(compared: pd.DataFrame) -> Drift:
    """Exact binomial tests of coverage and of the median, a row per configuration.

    Repeats of a configuration are one row, their geometric mean: they do not err independently.
    The smaller of both p-values counts, doubled (Bonferroni).
    """
    promised = compared[compared["in_domain"].eq(True)]
    if promised.empty:
        return Drift(0, 0, float("nan"), 1.0)
    logs = np.log(promised[["actual", "p05", "p50", "p95"]].astype(float))
    each = logs.groupby(promised["config_id"]).mean()
    outside = int((~covered(each["actual"], each["p05"], each["p95"])).sum())
    above = int((each["actual"] > each["p50"]).sum())
    p_values = (
        binomtest(outside, len(each), 1 - NOMINAL, alternative="greater").pvalue,
        binomtest(above, len(each), 0.5).pvalue,
    )
    ratio = float(np.exp((each["actual"] - each["p50"]).median()))
    return Drift(len(each), outside, ratio, min(1.0, 2 * float(min(p_values))))


def as_held_out(compared: pd.DataFrame, levels: tuple[float, ...]) -> pd.DataFrame:
    """The same in the form of a model's held-out predictions: it had not seen these rows either."""
    names = quantile_names(levels)
    logs = np.log(compared[names].astype(float))
    return logs.assign(
        measurement_id=compared["measurement_id"],
        log_value=np.log(compared["actual"].astype(float)),
        hardware=compared[GROUP],
        comparable_group=compared[COMPARABLE],
    )
