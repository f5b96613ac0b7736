"""How many tests a policy saves: curves of replays against those of random selection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

BOOTSTRAP = 400
SMOOTHED_ROUNDS = 3


class Saving(NamedTuple):
    """Percent of a baseline's tests that are not needed, with a 90 % interval; NaN if never reached."""

    percent: float
    low: float
    high: float


def needed_tests(curve: pd.DataFrame, figure: str, goal: float) -> float:
    """Tests after which a figure stays at the goal or below, interpolated; NaN where it never does.

    Examples
    --------
    >>> curve = pd.DataFrame({"tests": [40, 60, 80], "rmse": [0.4, 0.2, 0.1]})
    >>> needed_tests(curve, "rmse", 0.3)
    50.0
    """
    tests, values = curve["tests"].to_numpy(float), curve[figure].to_numpy(float)
    above = np.flatnonzero(values > goal)
    if len(above) == 0:
        return float(tests[0])
    last = above[-1]
    if last + 1 == len(values):
        return float("nan")
    share = (values[last] - goal) / (values[last] - values[last + 1])
    return float(tests[last] + share * (tests[last + 1] - tests[last]))


def saving(
    own: pd.DataFrame, baseline: pd.DataFrame, figure: str, goal: float | None = None
) -> Saving:
    """Share of tests saved by a policy until its mean curve reaches a goal, and stays there.

    Paired bootstrap over seeds. A baseline that never reaches the goal has spent all its tests, and is
    counted as if it had got there with the last one: the saving is then at least what is said.

    Parameters
    ----------
    own, baseline
        Curves of `replay` with a `seed`.
    goal
        By default what the baseline's mean curve ends with.
    """
    seeds = np.array(sorted(set(own["seed"]) & set(baseline["seed"])))
    ours, theirs = (
        table.pivot_table(index="tests", columns="seed", values=figure) for table in (own, baseline)
    )
    generator = np.random.default_rng(0)
    samples = [seeds, *(generator.choice(seeds, len(seeds)) for _ in range(BOOTSTRAP))]
    shares = np.array([_share(ours[list(one)], theirs[list(one)], goal) for one in samples])
    if np.isnan(shares[0]):
        return Saving(float("nan"), float("nan"), float("nan"))
    # a sample in which the policy never gets there has saved nothing
    low, high = np.percentile(np.nan_to_num(shares[1:], nan=-100.0), [5, 95])
    return Saving(float(shares[0]), float(low), float(high))


def _share(ours: pd.DataFrame, theirs: pd.DataFrame, goal: float | None) -> float:
    mean, reference = _mean_curve(ours), _mean_curve(theirs)
    goal = float(reference["value"].iloc[-1]) if goal is None else goal
    needed, spent = (needed_tests(one, "value", goal) for one in (mean, reference))
    spent = float(reference["tests"].iloc[-1]) if np.isnan(spent) else spent
    return 100 * (1 - needed / spent)


def _mean_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds, smoothed over neighbouring rounds."""
    rounds = table.mean(axis=1).rolling(SMOOTHED_ROUNDS, center=True, min_periods=1)
    return pd.DataFrame({"tests": table.index.to_numpy(), "value": rounds.mean().to_numpy()})
