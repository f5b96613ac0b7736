"""Whether a newly fitted model may replace the one that serves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from models_py.derived import DerivedModel
from models_py.evaluation import worst_hardware
from models_py.metric_model import NOMINAL, MetricModel
from models_py.scores import covered, interval_scores

TOLERANCE = 0.05
TOLERATED_RATIO = 1.1


class Verdict(NamedTuple):
    """The outcome; `warning` is for people, empty where all is well."""

    promoted: bool
    reason: str
    warning: str


def judge(
    model: MetricModel | DerivedModel,
    champion: MetricModel | DerivedModel | None,
    held_out: pd.DataFrame | None = None,
) -> Verdict:
    """Compare held-out predictions of both on the measurements that both held out.

    A champion that has not seen every device, model and comparable group of today's data is no judge
    of it: the model is promoted.

    Parameters
    ----------
    held_out
        What the champion said of measurements that it had not seen; its `held_out` by default.
    """
    dishonest = _dishonest(model.held_out)
    if champion is None or not _knows_names_of(champion, model):
        return Verdict(True, "no champion has seen the same devices, models and groups", dishonest)
    champions = champion.held_out if held_out is None else held_out
    if dishonest and not _dishonest(champions):
        return Verdict(False, dishonest, f"the champion from before serves on: {dishonest}")
    ours, theirs = _interval_scores(model, champions)
    reason = (
        f"interval score {ours.mean():.3f} on shared held-out measurements, the champion's"
        f" {theirs.mean():.3f}{_worst(model)}"
    )
    if ours.mean() > TOLERATED_RATIO * theirs.mean() and not _by_chance(ours - theirs):
        return Verdict(False, reason, f"the champion from before serves on: {reason}")
    return Verdict(True, reason, dishonest)


def _knows_names_of(
    champion: MetricModel | DerivedModel, model: MetricModel | DerivedModel
) -> bool:
    # a metric that mirrors another one knows what that one does
    known, asked = (getattr(each, "source", each) for each in (champion, model))
    return all(
        set(getattr(asked, names)) <= set(getattr(known, names))
        for names in ("groups", "devices", "models")
    )


def _dishonest(held: pd.DataFrame) -> str:
    """How far coverage is off, empty where it is within what chance and tolerance allow."""
    coverage = covered(held["log_value"], held["p05"], held["p95"]).mean()
    chance = 2 * np.sqrt(NOMINAL * (1 - NOMINAL) / len(held))
    if abs(coverage - NOMINAL) <= TOLERANCE + chance:
        return ""
    return f"held-out coverage of the 90 % interval is {100 * coverage:.1f} %"


def _worst(model: MetricModel) -> str:
    """A clause on the device that its intervals cover least, empty where none has enough rows."""
    worst = worst_hardware(model)
    if worst is None:
        return ""
    covers = f"{100 * worst['coverage_90']:.0f} % of {worst['rows']} rows"
    return f"; least covered hardware {worst['hardware']}, {covers}"


def _interval_scores(model: MetricModel, champions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Scores of measurements that both held out; nothing is worse than nothing where there are none."""
    both = pd.merge(model.held_out, champions, on="measurement_id", suffixes=("", "_before"))
    if both.empty:
        return np.zeros(1), np.zeros(1)
    return (
        interval_scores(both["log_value"], both["p05"], both["p95"]),
        interval_scores(both["log_value_before"], both["p05_before"], both["p95_before"]),
    )


def _by_chance(differences: np.ndarray) -> bool:
    """Whether a mean difference above zero is what chance explains (paired, one-sided, 5 %).

    A few misses make most of a score; where there are few rows, its mean moves with every one.
    """
    if len(differences) < 2:
        return True
    spread = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return bool(np.mean(differences) <= norm.ppf(0.95) * spread)
