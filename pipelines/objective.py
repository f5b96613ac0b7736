"""The metric that a user asks for; apart from what learns it, so that readers start fast."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from models_py.objectives import BALANCED, COST, DERIVED, ENERGY_PER_UNIT, main_metric
from pipelines.errors import InputError
from pipelines.suggest import did_you_mean

if TYPE_CHECKING:
    from models_py.worth import Objective

MADE_OF = {
    COST: "throughput and prices: plan tests of throughput",
    ENERGY_PER_UNIT: "energy, or power and throughput: plan tests of these",
    BALANCED: "several metrics: plan tests of these, as in throughput,latency",
}


def objective_metric(objective: str, known: Collection[str], flag: str) -> str:
    """The metric that an objective stands for.

    Raises
    ------
    InputError
        For an unknown name, with the nearest valid one, and for what tests do not measure by itself.
    """
    metric = main_metric(objective)
    if objective in DERIVED and metric not in known:
        raise InputError(f"{flag}: '{objective}' is worked out from {MADE_OF[objective]}")
    if metric not in known:
        hint = did_you_mean(objective, [*known, "latency", "memory", "power", "energy"], 20)
        raise InputError(f"{flag}: unknown metric '{objective}'{hint}")
    return metric


def require_objective(objective: str, known: Collection[str], flag: str) -> None:
    """Raise an `InputError` for what is neither a metric nor worked out from some."""
    if objective not in DERIVED:
        objective_metric(objective, {*known, *DERIVED}, flag)
    if objective == BALANCED and flag == "balance":
        raise InputError(f"{flag}: '{BALANCED}' cannot be part of itself")


def unit_of(
    objective: Objective, throughput_unit: str, units: Mapping[str, str], currency: str
) -> str:
    """Unit of an objective's values.

    Parameters
    ----------
    throughput_unit
        Of the workload.
    units
        Unit by metric.
    """
    work = throughput_unit.removesuffix("/s")
    if objective.weights:
        weights = ", ".join(f"{name} {weight:.2g}" for name, weight in objective.weights.items())
        return f"x the best, by {weights}"
    if objective.name == COST:
        return f"{currency} per million {work}"
    if objective.name == ENERGY_PER_UNIT:
        return f"J per {work}"
    unit = units[main_metric(objective.name)]
    return throughput_unit if unit == "throughput_unit" else unit
