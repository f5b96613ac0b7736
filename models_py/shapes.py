"""Sizing of one shape (a workload but for its batch and concurrency) under constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from models_py.constraints import Constraints, Unsatisfied, keeping, screens, why_none
from models_py.derived import DerivedModel
from models_py.draws import Sampler
from models_py.metric_model import MetricModel
from models_py.options import DRAWS, named_odds, platform_names
from models_py.requirements import probabilities
from models_py.sizing import Demand, along_the_curve, carried_rates, size_platforms


def size_shape(
    points: pd.DataFrame,
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    demand: Demand,
    constraints: Constraints,
    minimum_feasibility: float,
    offers: pd.DataFrame | None,
    seed: int,
) -> pd.DataFrame | Unsatisfied:
    """Platforms that carry a demand, cheapest first (see `size_platforms`), or why there is none.

    Parameters
    ----------
    points
        Options of one shape, one row per platform and batch.
    models, margins
        See `Sampler`.
    constraints
        `max_price_per_hour` is that of all replicas.
    """
    kept = _kept(points, constraints, minimum_feasibility)
    if isinstance(kept, Unsatisfied):
        return kept
    own, drawn, margins = _drawn(points, kept, models, margins, seed)
    carried = size_platforms(
        own, drawn, demand, constraints.requirements, constraints.confidence, offers
    )
    if carried.empty:
        return _why_not_carried(own, drawn, margins, constraints, minimum_feasibility)
    cap = constraints.max_price_per_hour
    if cap is None:
        return carried
    affordable = carried[carried["cost_per_hour"] <= cap]
    return _too_dear(carried, cap) if affordable.empty else affordable


def carrying_points(
    points: pd.DataFrame,
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    demand: Demand,
    constraints: Constraints,
    minimum_feasibility: float,
    seed: int,
) -> pd.DataFrame | Unsatisfied:
    """Options of one shape with `rate`, what a replica carries (`carried_rates`), or why none does."""
    kept = _kept(points, constraints, minimum_feasibility)
    if isinstance(kept, Unsatisfied):
        return kept
    own, drawn, margins = _drawn(points, kept, models, margins, seed)
    _, rate = carried_rates(own, drawn, demand, constraints.requirements, constraints.confidence)
    if not (rate > 0).any():
        return _why_not_carried(own, drawn, margins, constraints, minimum_feasibility)
    return own.assign(rate=rate)[rate > 0].reset_index(drop=True)


def _kept(
    points: pd.DataFrame, constraints: Constraints, minimum_feasibility: float
) -> np.ndarray | Unsatisfied:
    """Which options keep what does not depend on the demand, or why none does."""
    fixed = replace(constraints, max_price_per_hour=None, requirements=())
    found = screens(points, fixed, minimum_feasibility)
    kept = keeping(found)
    return kept if kept.any() else why_none(found, platform_names(points))


def _drawn(
    points: pd.DataFrame,
    kept: np.ndarray,
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    seed: int,
) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, pd.DataFrame]]:
    """Options that are kept, draws of their metrics, and margins."""
    own = points[kept].reset_index(drop=True)
    margins = {name: each[kept].reset_index(drop=True) for name, each in margins.items()}
    drawn = {}
    if margins:
        drawn = Sampler(own, models, margins, DRAWS, seed).draw(np.arange(len(own)))
    return own, drawn, margins


def _why_not_carried(
    points: pd.DataFrame,
    drawn: Mapping[str, np.ndarray],
    margins: Mapping[str, pd.DataFrame],
    constraints: Constraints,
    minimum_feasibility: float,
) -> Unsatisfied:
    wanted = constraints.requirements
    alone, together = np.ones((len(wanted), len(points))), np.ones(len(points))
    if wanted:
        alone, together = probabilities(wanted, along_the_curve(points, drawn))
    odds = points.assign(**named_odds(wanted, points, margins, alone, together))
    promised = replace(constraints, max_price_per_hour=None)
    found = screens(odds, promised, max(minimum_feasibility, constraints.confidence))
    if keeping(found).any():
        unknown = "the work of a batch has to be known"
        return Unsatisfied(unknown, f"{unknown}: no platform carries a demand without it")
    return why_none(found, platform_names(points))


def _too_dear(carried: pd.DataFrame, cap: float) -> Unsatisfied:
    cheapest = carried.iloc[0]
    demanded = f"price an hour<={cap:g}"
    price = cheapest["cost_per_hour"]
    told = "price not known" if np.isnan(price) else f"{price:g} an hour"
    text = (
        f"{demanded}: no platform; nearest is {platform_names(carried)[0]},"
        f" {cheapest['replicas']} replicas, {told}"
    )
    return Unsatisfied(demanded, text)
