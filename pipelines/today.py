"""`benchmart integrate` under limits: a plan chosen anew, for what can be run today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.limits import Limits
from models_py.predict import PerformancePredictor
from pipelines.costs import MINUTES, MONEY, with_costs
from pipelines.errors import InputError
from pipelines.integrate import require_learned, valid_plan
from pipelines.learn import objective_metric
from pipelines.published import connect, learning_frames, metric_directions, published_build
from pipelines.settings import Settings
from pipelines.suggest import did_you_mean
from pipelines.warehouse import DATABASE


@dataclass(frozen=True)
class Today:
    """What can be run now.

    Attributes
    ----------
    available
        Devices that tests can run on; all where it is None.
    max_minutes, max_cost
        What the tests may take in all.
    per_hardware
        Most tests on a device.
    minimum_distance
        See `models_py.limits.Limits`.
    """

    available: tuple[str, ...] | None = None
    max_minutes: float | None = None
    max_cost: float | None = None
    per_hardware: Mapping[str, int] = field(default_factory=dict)
    minimum_distance: float = 0.0


def integrate_today(settings: Settings, budget: int, today: Today) -> dict:
    """A plan chosen anew from the published build, for what can be run today.

    Raises
    ------
    InputError
        For an unknown or unlearned metric, a device that no candidate runs on, or nothing affordable.
    """
    build = published_build(settings.warehouse)
    with connect(build / DATABASE, read_only=True) as con:
        training, candidates = learning_frames(con)
        directions = metric_directions(con)
        candidates = with_costs(con, candidates, settings.minutes_per_test, settings.currency)
    metric = objective_metric(settings.objective, directions, "--metric")
    predictor = PerformancePredictor.load(build / "models")
    require_learned(settings.objective, metric, list(predictor.models))
    system = ActiveLearningSystem(
        predictor,
        candidates,
        training,
        settings.weights.model_dump(),
        settings.decision_share,
        directions,
        settings.seed,
        settings.minimum_feasibility,
    )
    limits = _as_limits(today, budget, candidates)
    return valid_plan(
        system.integrate_with_hardware_recommender(optimize_for=metric, limits=limits)
    )


def _as_limits(today: Today, budget: int, candidates: pd.DataFrame) -> Limits:
    devices = set(candidates["hardware"])
    for flag, names in (
        ("--available", today.available or ()),
        ("--max-per-hardware", today.per_hardware),
    ):
        for name in names:
            if name not in devices:
                hint = did_you_mean(name, devices, 20)
                raise InputError(f"{flag}: no candidate runs on '{name}'{hint}")
    absent = devices - set(devices if today.available is None else today.available)
    asked = {MINUTES: today.max_minutes, MONEY: today.max_cost}
    budgets = {column: limit for column, limit in asked.items() if limit is not None}
    affordable = candidates[~candidates["hardware"].isin(absent)]
    for column, flag in ((MINUTES, "--max-minutes"), (MONEY, "--max-cost")):
        if column in budgets and not (affordable[column] <= budgets[column]).any():
            least = affordable[column].min()
            known = "no price of these devices is known (prices.csv)"
            reason = known if pd.isna(least) else f"the cheapest candidate takes {least:.4g}"
            raise InputError(f"{flag} {budgets[column]:g}: {reason}")
    caps = {**today.per_hardware, **dict.fromkeys(absent, 0)}
    return Limits(budget, caps, budgets, today.minimum_distance)
