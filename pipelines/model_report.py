"""What MLflow shows of a model beside its figures: tables, and a picture of its calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from models_py.evaluation import (
    by_hardware,
    feasibility_reliability,
    reliability,
    sensitivity,
)
from models_py.metric_model import NOMINAL

if TYPE_CHECKING:
    from models_py.derived import DerivedModel
    from models_py.feasibility import FeasibilityModel
    from models_py.metric_model import MetricModel

MOST_DEVICES = 30


def tables(model: MetricModel | DerivedModel, training: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Errors by hardware and feature importance, by the name of their artifact."""
    return {
        "error_by_hardware.json": by_hardware(model),
        "feature_importance.json": sensitivity(model, training),
    }


def calibration_figure(model: MetricModel | DerivedModel) -> Figure:
    """Observed against nominal quantiles, and coverage of the 90 % interval by hardware."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    found = reliability(model)
    left.plot([0, 1], [0, 1], color="grey", linewidth=1)
    left.plot(found["level"], found["observed"], marker="o")
    left.set(
        xlabel="nominal quantile",
        ylabel="held-out values below it",
        title=f"{model.metric}: quantiles",
    )
    devices = by_hardware(model).nlargest(MOST_DEVICES, "rows").sort_values("coverage_90")
    chance = 1.96 * np.sqrt(NOMINAL * (1 - NOMINAL) / devices["rows"])
    names = [
        f"{name} ({rows})" for name, rows in zip(devices["hardware"], devices["rows"], strict=True)
    ]
    right.axvline(NOMINAL, color="grey", linewidth=1)
    right.errorbar(devices["coverage_90"], names, xerr=chance, fmt="o")
    right.set(xlabel="coverage of the 90 % interval", title="by hardware (held-out rows)")
    return figure


def feasibility_figure(model: FeasibilityModel) -> Figure:
    """Share of configurations that ran against the probability that was predicted of them."""
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    found = feasibility_reliability(model)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.scatter(found["predicted"], found["observed"], s=10 + 10 * np.sqrt(found["n"]))
    axes.set(
        xlabel="predicted probability",
        ylabel="share that ran",
        title="does it run? (held-out configurations)",
    )
    return figure
