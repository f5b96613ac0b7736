"""Whether a metric's model is worth fitting anew: what it has not seen, or no longer predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from models_py.derived import DerivedModel
from models_py.drift import Drift
from models_py.metric_model import COMPARABLE, GROUP, MetricModel


@dataclass(frozen=True)
class Policy:
    """When to fit anew.

    Attributes
    ----------
    always_below
        A model of fewer rows is fitted anew whenever one came or went: that takes seconds.
    growth
        Share of the rows of a larger one that may come or go before it is fitted anew.
    days
        Age in days from which a model is fitted anew whenever its data change.
    significance
        Level of the test for drift.
    """

    always_below: int
    growth: float
    days: float
    significance: float


class Changes(NamedTuple):
    """Rows of a metric that came or went since the last build, or whose facts are others now."""

    new: int = 0
    gone: int = 0
    altered: int = 0


def reason_to_refit(
    model: MetricModel | DerivedModel,
    measured: pd.DataFrame,
    changes: Changes,
    drift: Drift,
    age_days: float,
    policy: Policy,
) -> str:
    """Why the model should be fitted anew; empty where it may serve on.

    Parameters
    ----------
    measured
        Rows of the training frame that state the metric.
    drift
        Of the new ones among them.
    """
    if changes.altered:
        return f"the facts of {changes.altered} measured rows are others now"
    names = (
        {*measured[GROUP]} - {*model.devices}
        | {*measured[COMPARABLE]} - {*model.groups}
        | {*measured["model_name"]} - {*model.models}
    )
    if names:
        return f"never seen: {', '.join(sorted(map(str, names)))}"
    if drift.p_value < policy.significance:
        return f"drift: {drift}"
    changed = changes.new + changes.gone
    moved = max(changed, abs(len(measured) - model.rows))
    small = model.rows < policy.always_below
    if moved and (small or moved >= policy.growth * model.rows):
        return f"{moved} rows came or went since {model.rows} were learned"
    if changed and age_days >= policy.days:
        return f"{age_days:.0f} days old, and {changed} rows came or went"
    return ""
