"""What a recommended platform has to keep: service-level objectives and caps on metrics."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models_py.objectives import main_metric

STATEMENT = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=)\s*(\S+)\s*")


class Requirement(NamedTuple):
    """A limit on a metric.

    Attributes
    ----------
    at_most
        Whether the metric may not exceed the limit; else it may not stay below it.
    """

    metric: str
    limit: float
    at_most: bool

    def __str__(self) -> str:
        return f"{self.metric}{'<=' if self.at_most else '>='}{self.limit:.12g}"

    def met(self, log_values: np.ndarray) -> np.ndarray:
        """Whether logarithms of the metric keep it, boolean."""
        limit = np.log(self.limit)
        return log_values <= limit if self.at_most else log_values >= limit


def parse_requirements(text: str) -> list[Requirement]:
    """Requirements as they are written: `ttft_ms<=200,itl_ms<=50`.

    Raises
    ------
    ValueError
        For what is no requirement, or for limits that no value keeps together.

    Examples
    --------
    >>> [str(each) for each in parse_requirements("latency <= 200, throughput>=1e3")]
    ['latency_ms<=200', 'throughput>=1000']
    """
    requirements = []
    for part in text.split(","):
        found = STATEMENT.fullmatch(part)
        if not found:
            raise ValueError(f"expected METRIC<=NUMBER or METRIC>=NUMBER, got {part.strip()!r}")
        name, relation, number = found.groups()
        try:
            limit = float(number)
        except ValueError:
            limit = 0.0
        if not (np.isfinite(limit) and limit > 0):
            raise ValueError(f"{name}{relation}: expected a number above 0, got {number!r}")
        requirements.append(Requirement(main_metric(name), limit, relation == "<="))
    _require_consistent(requirements)
    return requirements


def _require_consistent(requirements: Sequence[Requirement]) -> None:
    for upper in requirements:
        for lower in requirements:
            apart = upper.at_most and not lower.at_most and upper.limit < lower.limit
            if apart and upper.metric == lower.metric:
                raise ValueError(f"{upper} and {lower} contradict each other")


def require_learned(requirements: Sequence[Requirement], learned: Collection[str]) -> None:
    """Raise a `LookupError` for a metric that nothing is known of."""
    for requirement in requirements:
        if requirement.metric not in learned:
            names = ", ".join(sorted(learned))
            raise LookupError(
                f"{requirement}: {requirement.metric} was not learned; learned: {names}"
            )


def probabilities(
    requirements: Sequence[Requirement], log_metrics: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of joint draws in which options keep each requirement, and all of them.

    Parameters
    ----------
    log_metrics
        Draws by metric, shape (options, draws).

    Returns
    -------
    tuple of numpy.ndarray
        Shapes (requirements, options) and (options,).
    """
    met = np.stack([each.met(log_metrics[each.metric]) for each in requirements])
    return met.mean(axis=2), met.all(axis=0).mean(axis=1)
