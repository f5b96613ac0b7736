"""The metric that a user asks for; apart from what learns it, so that readers start fast."""

from __future__ import annotations

from collections.abc import Collection

from models_py.objectives import DERIVED, main_metric
from pipelines.errors import InputError
from pipelines.suggest import did_you_mean


def objective_metric(objective: str, known: Collection[str], flag: str) -> str:
    """The metric that an objective stands for.

    Raises
    ------
    InputError
        For an unknown name, with the nearest valid one.
    """
    metric = main_metric(objective)
    if metric not in known:
        hint = did_you_mean(objective, [*known, "latency", "memory", "power", "energy"], 20)
        raise InputError(f"{flag}: unknown metric '{objective}'{hint}")
    return metric


def require_objective(objective: str, known: Collection[str], flag: str) -> None:
    """Raise an `InputError` for what is neither a metric nor worked out from some."""
    if objective not in DERIVED:
        objective_metric(objective, {*known, *DERIVED}, flag)
