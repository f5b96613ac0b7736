"""What can be optimised for: metrics, and what is worked out from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

SHORT_NAMES = {
    "throughput": "throughput",
    "latency": "latency_ms",
    "memory": "memory_mb",
    "power": "power_w",
    "energy": "energy_j",
}


def main_metric(objective: str) -> str:
    """The metric of an objective: short names mean that quantity's main metric.

    Examples
    --------
    >>> main_metric("latency"), main_metric("ttft_ms")
    ('latency_ms', 'ttft_ms')
    """
    return SHORT_NAMES.get(objective, objective)


def short_name(metric: str) -> str:
    """The objective that a metric is the main metric of, else the metric itself.

    Examples
    --------
    >>> short_name("latency_ms"), short_name("ttft_ms")
    ('latency', 'ttft_ms')
    """
    return next((name for name, main in SHORT_NAMES.items() if main == metric), metric)


def sign(metric: str, directions: Mapping[str, str]) -> int:
    """+1 where more is better, -1 where less is.

    Parameters
    ----------
    directions
        `higher` or `lower` by metric, as in `core.metric_definitions`.
    """
    if metric not in directions:
        raise KeyError(f"no direction is known for metric '{metric}': higher or lower?")
    return 1 if directions[metric] == "higher" else -1


DEFAULT_DIRECTIONS = {
    "throughput": "higher",
    "latency_ms": "lower",
    "latency_p99_ms": "lower",
    "ttft_ms": "lower",
    "itl_ms": "lower",
    "memory_mb": "lower",
    "power_w": "lower",
    "energy_j": "lower",
}

PRICE = "price_per_replica_hour"
COST, ENERGY_PER_UNIT, BALANCED = "cost", "energy_per_unit", "balanced"
# of `balanced`, where nothing else is stated
BALANCE = {"throughput": 0.4, "latency": 0.3, "cost": 0.3}


class NotLearned(LookupError):
    """An objective needs a metric that was not learned."""


@dataclass(frozen=True)
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
    relative
        Whether values count as multiples of the best median of their workload.
    """

    name: str
    powers: Mapping[str, float]
    direction: int
    facts: Mapping[str, float] = field(default_factory=dict)
    factor: float = 1.0
    relative: bool = False

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
    name: str, directions: Mapping[str, str], balance: Mapping[str, float] = BALANCE
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
        Weights of the objectives in `balanced`, a weighted geometric mean; those that nothing is learned
        of are left out.

    Raises
    ------
    NotLearned
        Naming what was not.
    """
    metric = main_metric(name)
    if metric in directions:
        return Objective(short_name(metric), {metric: 1.0}, sign(metric, directions))
    if name == COST:
        _require(name, ("throughput",), directions)
        return Objective(COST, {"throughput": -1.0}, -1, {PRICE: 1.0}, factor=1e6 / 3600)
    if name == ENERGY_PER_UNIT:
        if "energy_j" in directions:
            return Objective(name, {"energy_j": 1.0}, -1, {"batch_work": -1.0})
        _require(name, ("power_w", "throughput"), directions)
        return Objective(name, {"power_w": 1.0, "throughput": -1.0}, -1)
    if name == BALANCED:
        return _balanced(directions, balance)
    raise NotLearned(f"{name} was not learned")


def _balanced(directions: Mapping[str, str], balance: Mapping[str, float]) -> Objective:
    powers: dict[str, float] = {}
    facts: dict[str, float] = {}
    for name, weight in balance.items():
        try:
            part = objective_of(name, directions)
        except NotLearned:
            continue
        for ours, theirs in ((powers, part.powers), (facts, part.facts)):
            for key, power in theirs.items():
                ours[key] = ours.get(key, 0.0) + part.direction * weight * power
    if not powers:
        raise NotLearned(f"{BALANCED}: none of {', '.join(balance)} was learned")
    return Objective(BALANCED, powers, +1, facts, relative=True)


def _require(name: str, metrics: Collection[str], learned: Collection[str]) -> None:
    missing = [metric for metric in metrics if metric not in learned]
    if missing:
        raise NotLearned(f"{name} needs {' and '.join(missing)}, which was not learned")
