"""What options are worth by an objective: a metric, or a product of several and of prices."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from models_py.objectives import (
    BALANCE,
    BALANCED,
    COST,
    ENERGY_PER_UNIT,
    main_metric,
    short_name,
    sign,
)

PRICE = "price_per_replica_hour"


class NotLearned(LookupError):
    """An objective needs a metric that was not learned, or a price that is not known."""


@dataclass(frozen=True, eq=False)
class Objective:
    """What options are compared by: a product of powers of metrics and of facts.

    Attributes
    ----------
    powers, facts
        Powers by metric, and by column of a frame of options.
    direction
        +1 where more is better, -1 where less is.
    factor
        What the product is multiplied by.
    weights
        Of the objectives that are balanced, adding up to one; then values are multiples of the best
        median of their workload.
    """

    name: str
    powers: Mapping[str, float]
    direction: int
    facts: Mapping[str, float] = field(default_factory=dict)
    factor: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)

    def log_value(self, log_metrics: Mapping[str, np.ndarray], options: pd.DataFrame) -> np.ndarray:
        """Logarithm of the value, of the shape of the metrics' (options first).

        Examples
        --------
        >>> rent = pd.DataFrame({PRICE: [3.6]})
        >>> cost = objective_of("cost", {"throughput": "higher"})
        >>> np.exp(cost.log_value({"throughput": np.log([[1000.0, 2000.0]])}, rent)).round(6)
        array([[1. , 0.5]])
        """
        value = sum(power * log_metrics[metric] for metric, power in self.powers.items())
        offset = np.full(len(options), np.log(self.factor))
        for name, power in self.facts.items():
            offset += power * np.log(options[name].to_numpy(float, na_value=np.nan))
        return value + offset.reshape(-1, *[1] * (np.ndim(value) - 1))

    def stated(self, options: pd.DataFrame) -> np.ndarray:
        """Whether the facts of options are known, boolean, shape (options,)."""
        facts = options[list(self.facts)].astype(float)
        return ((facts > 0) & np.isfinite(facts)).all(axis=1).to_numpy()


def objective_of(
    name: str,
    directions: Mapping[str, str],
    balance: Mapping[str, float] = BALANCE,
    priced: bool = True,
) -> Objective:
    """The objective of a name.

    Parameters
    ----------
    name
        A metric, a short name of one, `cost` (per million units of throughput), `energy_per_unit` (of
        throughput) or `balanced`.
    directions
        `higher` or `lower` by metric that was learned.
    balance
        Weights of the objectives in `balanced`, a weighted geometric mean; those that nothing is
        known of are left out.
    priced
        Whether any price is known.

    Raises
    ------
    NotLearned
        Naming what was not.
    """
    metric = main_metric(name)
    if metric in directions:
        return Objective(short_name(metric), {metric: 1.0}, sign(metric, directions))
    if name == COST:
        if not priced:
            raise NotLearned("cost: no price of these devices is known (prices.csv)")
        _require(name, ("throughput",), directions)
        return Objective(COST, {"throughput": -1.0}, -1, {PRICE: 1.0}, factor=1e6 / 3600)
    if name == ENERGY_PER_UNIT:
        if "energy_j" in directions:
            return Objective(name, {"energy_j": 1.0}, -1, {"batch_work": -1.0})
        _require(name, ("power_w", "throughput"), directions)
        return Objective(name, {"power_w": 1.0, "throughput": -1.0}, -1)
    if name == BALANCED:
        return _balanced(directions, balance, priced)
    raise NotLearned(f"{name} was not learned")


def _balanced(
    directions: Mapping[str, str], balance: Mapping[str, float], priced: bool
) -> Objective:
    known = {}
    for name in balance:
        with contextlib.suppress(NotLearned):
            known[name] = objective_of(name, directions, priced=priced)
    if not known:
        raise NotLearned(f"{BALANCED}: none of {', '.join(balance)} was learned")
    weights = {name: balance[name] / sum(map(balance.get, known)) for name in known}
    powers: dict[str, float] = {}
    facts: dict[str, float] = {}
    for name, part in known.items():
        for ours, theirs in ((powers, part.powers), (facts, part.facts)):
            for key, power in theirs.items():
                ours[key] = ours.get(key, 0.0) + part.direction * weights[name] * power
    return Objective(BALANCED, powers, +1, facts, weights=weights)


def _require(name: str, metrics: Collection[str], learned: Collection[str]) -> None:
    missing = [metric for metric in metrics if metric not in learned]
    if missing:
        raise NotLearned(f"{name} needs {' and '.join(missing)}, which was not learned")
