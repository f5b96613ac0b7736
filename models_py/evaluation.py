"""What a fitted model's held-out predictions say of it, and what it looks at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from models_py.derived import DerivedModel
from models_py.feasibility import FeasibilityModel
from models_py.metric_model import MetricModel, quantile_names
from models_py.scores import covered, interval_score, median_ape

ENOUGH_ROWS = 20
SENSITIVITY_ROWS = 100


def summary(model: MetricModel | DerivedModel) -> dict[str, float]:
    """Held-out figures of a metric's model: at most eight, for experiment tracking.

    `skill_90` is 1 minus the interval score relative to that of the 5 % and 95 % quantiles of each
    comparable group: 0 is no better than knowing the group alone; NaN where nothing varies.
    `worst_hardware_coverage_90` is of devices with at least `ENOUGH_ROWS` rows.
    """
    held = model.held_out
    actual = held["log_value"].to_numpy()
    score = interval_score(actual, held["p05"].to_numpy(), held["p95"].to_numpy())
    group = held.groupby("comparable_group")["log_value"]
    low, high = (group.transform("quantile", level).to_numpy() for level in (0.05, 0.95))
    baseline = interval_score(actual, low, high)
    coverage = covered(actual, held["p05"], held["p95"]).mean()
    worst = worst_hardware(model)
    return {
        "rows": float(model.rows),
        "median_ape": median_ape(actual, held["p50"].to_numpy()),
        "coverage_90": float(coverage),
        "coverage_80": float(
            covered(actual, held["p10"].to_numpy(), held["p90"].to_numpy()).mean()
        ),
        "worst_hardware_coverage_90": float(coverage if worst is None else worst["coverage_90"]),
        "interval_score_90": score,
        "skill_90": 1 - score / baseline if baseline > 0 else float("nan"),
    }


def by_hardware(model: MetricModel | DerivedModel) -> pd.DataFrame:
    """Held-out figures of each device, the worst covered first.

    Returns
    -------
    pandas.DataFrame
        Columns `hardware, rows, median_ape, coverage_90, interval_score_90`.
    """
    rows = []
    for hardware, held in model.held_out.groupby("hardware"):
        actual, low, high = (held[name].to_numpy() for name in ("log_value", "p05", "p95"))
        figures = {
            "hardware": hardware,
            "rows": len(held),
            "median_ape": median_ape(actual, held["p50"].to_numpy()),
            "coverage_90": covered(actual, low, high).mean(),
            "interval_score_90": interval_score(actual, low, high),
        }
        rows.append(figures)
    columns = ["hardware", "rows", "median_ape", "coverage_90", "interval_score_90"]
    return pd.DataFrame(rows, columns=columns).sort_values("coverage_90", ignore_index=True)


def worst_hardware(model: MetricModel | DerivedModel) -> pd.Series | None:
    """The row of `by_hardware` with the least coverage among devices with enough rows, if any."""
    enough = by_hardware(model).query("rows >= @ENOUGH_ROWS")
    return None if enough.empty else enough.iloc[0]


def reliability(model: MetricModel | DerivedModel) -> pd.DataFrame:
    """How often held-out values lie below each quantile; `level` and `observed` agree where honest."""
    held = model.held_out
    observed = [(held["log_value"] <= held[name]).mean() for name in quantile_names(model.levels)]
    return pd.DataFrame({"level": model.levels, "observed": observed})


def sensitivity(
    model: MetricModel | DerivedModel, frame: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """How far the median moves when a column is shuffled, the most first (after Breiman 2001).

    Columns that say the same, such as a device and its bandwidth, share what they move.

    Returns
    -------
    pandas.DataFrame
        Columns `column` and `change`: mean absolute change of the logarithm.
    """
    known = frame[model.applies(frame)]
    rows = known.sample(min(len(known), SENSITIVITY_ROWS), random_state=seed)
    generator = np.random.default_rng(seed)
    columns = [name for name in model.inputs if name in rows]
    shuffled = [
        rows.assign(**{name: rows[name].to_numpy()[generator.permutation(len(rows))]})
        for name in columns
    ]
    # at once: being asked takes a model longer than a hundred rows do
    said = model.predict(pd.concat([rows, *shuffled], ignore_index=True))["p50"].to_numpy()
    medians = np.log(said).reshape(len(columns) + 1, len(rows))
    # what a shuffled column leaves open did not move
    changes = np.nanmean(np.abs(medians[1:] - medians[0]), axis=1)
    table = pd.DataFrame({"column": columns, "change": changes})
    return table.sort_values("change", ascending=False, ignore_index=True)


def calibration_table(model: MetricModel | DerivedModel) -> pd.DataFrame:
    """Held-out coverage overall, by hardware and by comparable group.

    Returns
    -------
    pandas.DataFrame
        Columns `metric, group_kind, group_name, nominal, coverage, n`.
    """
    held = model.held_out
    actual = held["log_value"]
    rows = []
    for nominal, low, high in ((0.9, "p05", "p95"), (0.8, "p10", "p90")):
        inside = pd.Series(covered(actual, held[low], held[high]).to_numpy(), index=held.index)
        rows.append(("overall", "all", nominal, inside.mean(), len(inside)))
        for kind in ("hardware", "comparable_group"):
            counts = inside.groupby(held[kind]).agg(["mean", "size"])
            rows += [(kind, name, nominal, mean, int(n)) for name, mean, n in counts.itertuples()]
    table = pd.DataFrame(rows, columns=["group_kind", "group_name", "nominal", "coverage", "n"])
    table.insert(0, "metric", model.metric)
    return table


def held_out_table(model: MetricModel | DerivedModel) -> pd.DataFrame:
    """What was said of measurements by models that had not seen their configuration.

    Returns
    -------
    pandas.DataFrame
        Columns `metric, measurement_id, actual` and those of the quantiles, in units of the metric.
    """
    held = model.held_out
    names = quantile_names(model.levels)
    table = np.exp(held[names]).assign(
        metric=model.metric,
        measurement_id=held["measurement_id"],
        actual=np.exp(held["log_value"]),
    )
    return table[["metric", "measurement_id", "actual", *names]]


def feasibility_figures(model: FeasibilityModel) -> dict[str, float]:
    """Held-out figures of the model of failures.

    Brier score (1950) beside that of the share that ran; logarithmic loss; `auc`, the probability
    that a configuration that ran was given more than one that failed. The latter two are NaN where
    nothing failed.
    """
    ran = model.held_out["ran"].to_numpy(float)
    probability = model.held_out["probability"].to_numpy()
    both = 0 < ran.mean() < 1
    return {
        "configurations": float(model.configurations),
        "failed": float(model.failed),
        "brier": float(np.mean((probability - ran) ** 2)),
        "brier_of_share": float(np.mean((ran.mean() - ran) ** 2)),
        "log_loss": float(log_loss(ran, probability)) if both else float("nan"),
        "auc": float(roc_auc_score(ran, probability)) if both else float("nan"),
    }


def feasibility_reliability(model: FeasibilityModel, bands: int = 10) -> pd.DataFrame:
    """Predicted and observed share of configurations that run, by band of predicted probability.

    Returns
    -------
    pandas.DataFrame
        Columns `low, high` (ends of the band), `predicted, observed, n`, a row per band that is not
        empty.
    """
    held = model.held_out
    band = np.minimum((held["probability"] * bands).astype(int), bands - 1).rename("band")
    found = held.groupby(band).agg(
        predicted=("probability", "mean"), observed=("ran", "mean"), n=("ran", "size")
    )
    found.insert(0, "low", found.index / bands)
    found.insert(1, "high", (found.index + 1) / bands)
    return found.reset_index(drop=True)
