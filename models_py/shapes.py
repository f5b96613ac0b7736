"""Sizing of one shape (a workload but for its batch and concurrency) under constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.constraints import Constraints, Unsatisfied, keeping, screens, why_none
from models_py.derived import DerivedModel
from models_py.draws import Sampler
from models_py.metric_model import MetricModel
from models_py.options import DRAWS, named_odds, platform_names
from models_py.requirements import probabilities
from models_py.sizing import Demand, along_the_curve, carried_rates, size_platforms


class Shape(NamedTuple):
    """Options of one shape that keep what does not depend on a demand, one per platform and batch.

    Attributes
    ----------
    log_metrics
        Joint draws, see `size_platforms`.
    margins
        See `Sampler`.
    """

    points: pd.DataFrame
    log_metrics: Mapping[str, np.ndarray]
    margins: Mapping[str, pd.DataFrame]


def draw_shape(
    points: pd.DataFrame,
    models: Mapping[str, MetricModel | DerivedModel],
    margins: Mapping[str, pd.DataFrame],
    constraints: Constraints,
    minimum_feasibility: float,
    seed: int,
) -> Shape | Unsatisfied:
    """A shape of options, or why none of them may be used whatever the demand.

    Parameters
    ----------
    points
        Options of one shape, one row per platform and batch.
    models, margins
        See `Sampler`.
    """
    fixed = replace(constraints, max_price_per_hour=None, requirements=())
    found = screens(points, fixed, minimum_feasibility)
    kept = keeping(found)
    if not kept.any():
        return why_none(found, platform_names(points))
    own = points[kept].reset_index(drop=True)
    margins = {name: each[kept].reset_index(drop=True) for name, each in margins.items()}
    drawn = {}
    if margins:
        drawn = Sampler(own, models, margins, DRAWS, seed).draw(np.arange(len(own)))
    return Shape(own, drawn, margins)


def size_shape(
    shape: Shape,
    demand: Demand,
    constraints: Constraints,
    minimum_feasibility: float,
    offers: pd.DataFrame | None,
) -> pd.DataFrame | Unsatisfied:
    """Platforms that carry a demand, cheapest first (see `size_platforms`), or why there is none.

    Parameters
    ----------
    constraints
        `max_price_per_hour` is that of all replicas.
    """
    wanted, confidence = constraints.requirements, constraints.confidence
    carried = size_platforms(shape.points, shape.log_metrics, demand, wanted, confidence, offers)
    if carried.empty:
        return _why_not_carried(*shape, constraints, minimum_feasibility)
    cap = constraints.max_price_per_hour
    if cap is None:
        return carried
    affordable = carried[carried["cost_per_hour"] <= cap]
    return _too_dear(carried, cap) if affordable.empty else affordable


def carrying_points(
    shape: Shape, demand: Demand, constraints: Constraints, minimum_feasibility: float
) -> pd.DataFrame | Unsatisfied:
    """Options with `rate`, what a replica carries (see `carried_rates`), or why none does."""
    wanted, confidence = constraints.requirements, constraints.confidence
    _, rate = carried_rates(shape.points, shape.log_metrics, demand, wanted, confidence)
    if not (rate > 0).any():
        return _why_not_carried(*shape, constraints, minimum_feasibility)
    return shape.points.assign(rate=rate)[rate > 0].reset_index(drop=True)


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
