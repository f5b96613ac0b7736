"""What a fitted model's held-out predictions say of it."""

from __future__ import annotations

import pandas as pd

from models_py.metric_model import MetricModel
from models_py.scores import covered, interval_score, median_ape


def summary(model: MetricModel) -> dict[str, float]:
    """Held-out figures of a metric's model: at most eight, for experiment tracking.

    `skill_90` is 1 minus the interval score relative to that of the 5 % and 95 % quantiles of each
    comparable group: 0 is no better than knowing the group alone; NaN where nothing varies.
    """
    held = model.held_out
    actual = held["log_value"].to_numpy()
    score = interval_score(actual, held["p05"].to_numpy(), held["p95"].to_numpy())
    group = held.groupby("comparable_group")["log_value"]
    low, high = (group.transform("quantile", level).to_numpy() for level in (0.05, 0.95))
    baseline = interval_score(actual, low, high)
    inside = covered(actual, held["p05"].to_numpy(), held["p95"].to_numpy())
    by_hardware = pd.Series(inside).groupby(held["hardware"].to_numpy()).agg(["mean", "size"])
    enough = by_hardware[by_hardware["size"] >= 20]["mean"]
    return {
        "rows": float(model.rows),
        "median_ape": median_ape(actual, held["p50"].to_numpy()),
        "coverage_90": float(inside.mean()),
        "coverage_80": float(
            covered(actual, held["p10"].to_numpy(), held["p90"].to_numpy()).mean()
        ),
        "worst_hardware_coverage_90": float(enough.min() if len(enough) else inside.mean()),
        "interval_score_90": score,
        "skill_90": 1 - score / baseline if baseline > 0 else float("nan"),
    }


def calibration_table(model: MetricModel) -> pd.DataFrame:
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
