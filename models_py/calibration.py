"""Conformal calibration of quantiles, with offsets per group shrunk towards the global one.

Conformalised quantile regression: Romano, Patterson & Candes (2019). Group-conditional
("Mondrian") offsets: Vovk (2012); the shrinkage keeps small groups from wild offsets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

MINIMUM_GROUP = 5
SHRINKAGE = 20.0


def conformal_quantile(scores: np.ndarray, level: float) -> float:
    """The finite-sample upper quantile of conformity scores; the largest where they are too few for it.

    Parameters
    ----------
    scores
        Conformity scores of calibration rows, shape (rows,).
    level
        Wanted coverage, in (0, 1).

    Examples
    --------
    >>> float(conformal_quantile(np.arange(1.0, 10.0), 0.8))
    8.0
    """
    rank = min(int(np.ceil((len(scores) + 1) * level - 1e-9)), len(scores))
    return float(np.sort(scores)[rank - 1])


@dataclass
class Offsets:
    """How far each interval is widened (or narrowed, when negative), in units of the scores.

    Attributes
    ----------
    everywhere
        Offset of each pair of levels, outermost first, shape (pairs,).
    by_group
        The same for each group with at least `MINIMUM_GROUP` calibration configurations.
    """

    everywhere: np.ndarray
    by_group: dict[str, np.ndarray]

    def apply(self, quantiles: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Widened quantiles, sorted, for quantiles (rows, levels) and groups (rows,)."""
        pairs = len(self.everywhere)
        offsets = np.empty((len(groups), pairs))
        for row, group in enumerate(groups):
            offsets[row] = self.by_group.get(group, self.everywhere)
        result = quantiles.copy()
        result[:, :pairs] -= offsets
        result[:, -pairs:] += offsets[:, ::-1]
        return np.sort(result, axis=1)


def fit_offsets(
    target: np.ndarray,
    quantiles: np.ndarray,
    levels: tuple[float, ...],
    groups: np.ndarray,
    configurations: np.ndarray,
) -> Offsets:
    """Offsets from rows that the quantiles were not fitted on.

    A group counts by its configurations: repeats of one do not err independently.

    Parameters
    ----------
    target
        Observed values, shape (rows,).
    quantiles
        Held-out quantiles of those rows, shape (rows, levels), symmetric levels around 0.5.
    groups, configurations
        Group and configuration of each row, shape (rows,).
    """
    everywhere = _pair_offsets(target, quantiles, levels)
    by_group = {}
    for group in np.unique(groups):
        here = groups == group
        count = len(np.unique(configurations[here]))
        if count >= MINIMUM_GROUP:
            own = _pair_offsets(target[here], quantiles[here], levels, finite_sample=False)
            by_group[str(group)] = (count * own + SHRINKAGE * everywhere) / (count + SHRINKAGE)
    return Offsets(everywhere, by_group)


def undercovered(
    inside: np.ndarray, configurations: np.ndarray, groups: np.ndarray, nominal: float
) -> dict[str, float]:
    """Coverage of the groups that are covered less than chance explains: two standard deviations.

    Repeats of a configuration count as one: they do not err independently.

    Parameters
    ----------
    inside
        Whether each held-out row lies in its interval, shape (rows,).
    configurations, groups
        Configuration and group of each row, shape (rows,).

    Examples
    --------
    >>> inside = np.array([True] * 40 + [False] * 10)
    >>> undercovered(inside, np.arange(50), np.array(["a"] * 30 + ["b"] * 20), 0.9)
    {'b': 0.5}
    """
    each = pd.DataFrame({"group": groups, "configuration": configurations, "inside": inside})
    shares = each.groupby(["group", "configuration"])["inside"].mean().groupby("group")
    found = shares.agg(["mean", "size"])
    allowed = 2 * np.sqrt(nominal * (1 - nominal) / found["size"])
    broken = (found["size"] >= MINIMUM_GROUP) & (nominal - found["mean"] > allowed)
    return {str(group): float(mean) for group, mean in found.loc[broken, "mean"].items()}


def _pair_offsets(
    target: np.ndarray,
    quantiles: np.ndarray,
    levels: tuple[float, ...],
    finite_sample: bool = True,
) -> np.ndarray:
    pairs = len(levels) // 2
    offsets = np.empty(pairs)
    for low in range(pairs):
        high = len(levels) - 1 - low
        scores = np.maximum(quantiles[:, low] - target, target - quantiles[:, high])
        wanted = levels[high] - levels[low]
        # the correction for few rows belongs to the global offset: in a group of ten it would ask
        # for more than the largest score, and every small group would be too wide
        offsets[low] = (
            conformal_quantile(scores, wanted) if finite_sample else np.quantile(scores, wanted)
        )
    return offsets
