"""`benchmart integrate` under limits: a plan chosen anew, for what can be run today."""

from __future__ import annotations

import pandas as pd

from models_py.limits import Limits
from models_py.predict import PerformancePredictor
from pipelines.costs import MINUTES, MONEY, with_costs
from pipelines.errors import InputError
from pipelines.focus import focus_on, read_focus
from pipelines.integrate import Today, require_learned, valid_plan
from pipelines.objective import objective_metric
from pipelines.published import (
    candidate_frame,
    connect,
    measured_frame,
    metric_directions,
    published_build,
)
from pipelines.score import learning_system
from pipelines.settings import Settings
from pipelines.strategies import published_tactic
from pipelines.suggest import did_you_mean
from pipelines.warehouse import DATABASE


def integrate_today(settings: Settings, budget: int, today: Today) -> dict:
    """A plan chosen anew from the published build, for what can be run today.

    Raises
    ------
    InputError
        For an unknown or unlearned metric, a device that no candidate runs on, or where nothing is left.
    """
    if "," in settings.objective:
        raise InputError("--metric: limits and a focus are for one objective, several were given")
    build = published_build(settings.warehouse)
    with connect(build / DATABASE, read_only=True) as con:
        measured, candidates = measured_frame(con), candidate_frame(con)
        directions = metric_directions(con)
        notes = []
        focus = None if today.focus is None else read_focus(today.focus)
        if focus is not None:
            candidates, notes = focus_on(con, focus, measured, candidates)
        candidates = with_costs(con, candidates, settings.minutes_per_test, settings.offers)
        metric = objective_metric(settings.objective, directions, "--metric")
        predictor = PerformancePredictor.load(build / "models")
        require_learned(settings.objective, metric, list(predictor.models))
        tactic = published_tactic(con, metric, settings)
    if focus is not None:
        tactic = tactic._replace(decision_share=0)  # all tests are to tell of it
    system = learning_system(predictor, candidates, measured, directions, settings)
    limits = _as_limits(today, budget, candidates)
    system = system.with_tactic(*tactic)
    plan = system.integrate_with_hardware_recommender(optimize_for=metric, limits=limits)
    if not plan["recommendations"]:
        farthest = system.score(metric, depth=0)["diversity"].max()
        raise InputError(
            f"no candidate for {settings.objective} is left under these limits;"
            f" the largest distance is {farthest:.2g}"
        )
    return valid_plan(plan | {"notes": notes})


def _as_limits(today: Today, budget: int, candidates: pd.DataFrame) -> Limits:
    devices = set(candidates["hardware"])
    available = devices if today.available is None else set(today.available)
    named = (("--available", today.available or ()), ("--max-per-hardware", today.per_hardware))
    for flag, names in named:
        for name in names:
            if name not in devices:
                hint = did_you_mean(name, devices, 20)
                raise InputError(f"{flag}: no candidate runs on '{name}'{hint}")
    runnable = candidates[candidates["hardware"].isin(available)]
    limits = (("--max-minutes", MINUTES, today.max_minutes), ("--max-cost", MONEY, today.max_cost))
    budgets = {}
    for flag, column, limit in limits:
        if limit is not None:
            _require_affordable(flag, runnable[column], limit)
            budgets[column] = limit
    caps = {**today.per_hardware, **dict.fromkeys(devices - available, 0)}
    return Limits(budget, caps, budgets, today.minimum_distance)


def _require_affordable(flag: str, costs: pd.Series, limit: float) -> None:
    if costs.isna().all():
        raise InputError(f"{flag} {limit:g}: no price of these devices is known (prices.csv)")
    if costs.min() > limit:
        raise InputError(f"{flag} {limit:g}: the cheapest candidate takes {costs.min():.4g}")
