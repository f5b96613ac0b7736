"""Whether new measurements are still what had been predicted of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from models_py.derived import DerivedModel
from models_py.metric_model import COMPARABLE, GROUP, NOMINAL, MetricModel, quantile_names
from models_py.scores import covered

WITNESS = ["model_name", GROUP, "framework"]


class Drift(NamedTuple):
    """How new measurements lie to what had been predicted of them.

    Attributes
    ----------
    configurations, outside
        Configurations with new measurements whose coverage was promised, of models that had been
        seen; and those of them outside of their 90 % interval.
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

    def __str__(self) -> str:
        if self.configurations == 0:
            return "nothing new that could be compared"
        return (
            f"{self.outside} of {self.configurations} newly measured configurations lie outside of"
            f" their {100 * NOMINAL:.0f} % interval, {self.median_ratio:.2f} times the predicted"
            f" median in the middle"
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
        For the rows that the model applies to: `measurement_id, config_id, model_name, hardware,
        framework, comparable_group`, quantiles and `actual` in the metric's unit, and `in_domain`.
    """
    rows = measured[model.applies(measured)]
    names = ["measurement_id", "config_id", COMPARABLE, *WITNESS]
    if rows.empty:
        columns = [*names, *quantile_names(model.levels), "in_domain", "actual"]
        return pd.DataFrame(columns=columns)
    predicted = model.predict(rows)[[*quantile_names(model.levels), "in_domain"]]
    actual = rows[model.metric].astype(float)
    return pd.concat([rows[names], predicted], axis=1).assign(actual=actual)


def not_known(compared: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Those of compared rows of which a model had learned no repeat, as of rows that are held out.

    Parameters
    ----------
    measured
        Rows of the training frame that state the metric, with those that were compared.
    """
    learned = ~measured["measurement_id"].isin(compared["measurement_id"])
    return compared[~compared["config_id"].isin(measured.loc[learned, "config_id"])]


def judge_drift(compared: pd.DataFrame, models: list[str]) -> Drift:
    """Exact binomial tests of coverage and of the median.

    A witness is a model on a device and framework, the geometric mean of its measurements: they
    share an error, and do not err independently. The smaller of both p-values counts, doubled
    (Bonferroni). What is said of a model for the first time is no witness: nothing changed there.

    Parameters
    ----------
    compared
        As `compare` gives them.
    models
        Names of the models that were seen.
    """
    promised = compared[compared["in_domain"].eq(True) & compared["model_name"].isin(models)]
    if promised.empty:
        return Drift(0, 0, float("nan"), 1.0)
    each, witnesses = _means(promised, ["config_id"]), _means(promised, WITNESS)
    above = int((witnesses["actual"] > witnesses["p50"]).sum())
    p_values = (
        binomtest(_outside(witnesses), len(witnesses), 1 - NOMINAL, "greater").pvalue,
        binomtest(above, len(witnesses), 0.5).pvalue,
    )
    ratio = float(np.exp((each["actual"] - each["p50"]).median()))
    return Drift(len(each), _outside(each), ratio, min(1.0, 2 * float(min(p_values))))


def _means(compared: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    logs = np.log(compared[["actual", "p05", "p50", "p95"]].astype(float))
    return logs.groupby([compared[key] for key in keys]).mean()


def _outside(logs: pd.DataFrame) -> int:
    return int((~covered(logs["actual"], logs["p05"], logs["p95"])).sum())


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
