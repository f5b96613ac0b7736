"""What can be optimised for: metrics, and what is worked out from them."""

from __future__ import annotations

from collections.abc import Mapping

MARGIN = 0.1  # relative loss up to which an option is an alternative
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
DERIVED = COST, ENERGY_PER_UNIT, BALANCED = "cost", "energy_per_unit", "balanced"
# of `balanced`, where nothing else is stated
BALANCE = {"throughput": 0.4, "latency": 0.3, "cost": 0.3}
