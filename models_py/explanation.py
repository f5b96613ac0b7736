"""Why a platform is recommended, in one line: against whom, how surely, and what bounds it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models_py.derived import DerivedModel
from models_py.metric_model import MetricModel
from models_py.odds import odds
from models_py.options import platform_names
from models_py.ranking import PLATFORM
from models_py.worth import Objective

# what the roofline bounds
TIMED = ("throughput", "latency_ms", "ttft_ms", "itl_ms")
OTHER_DEVICE, NEXT = "the best other device", "the next platform"
COMPARED = ("workload_id", "rank", "prob_loss", "loss_p50")
CONTRIBUTIONS = 2
SMALLEST = 0.01


def explanations(
    ranked: pd.DataFrame, objective: Objective, models: Mapping[str, MetricModel | DerivedModel]
) -> pd.Series:
    """One line for the recommendation of every workload; missing for the other options.

    Parameters
    ----------
    ranked
        Feature frame with what `compare` adds; several workloads.

    Examples
    --------
    A line reads: 1.8x the throughput of the best other device (nvidia-a100 x1 vllm), with 93 %
    probability; bound by memory bandwidth, at 61 % of its roofline; LightGBM: framework vllm +12 %,
    batch_size -4 %.
    """
    leaders = ranked[ranked["rank"] == 1]
    parts = zip(
        _against(ranked, leaders, objective),
        _bounds(leaders, objective),
        _learned(leaders, objective, models),
        strict=True,
    )
    lines = ["; ".join(text for text in told if text) for told in parts]
    return pd.Series(lines, index=leaders.index, dtype="string").reindex(ranked.index)


def _against(ranked: pd.DataFrame, leaders: pd.DataFrame, objective: Objective) -> list[str]:
    """The best option of another device, or else the next of the same."""
    read = ranked.columns.intersection([*COMPARED, "platform", *PLATFORM])
    others = ranked.loc[ranked["rank"] > 1, read].sort_values("rank")
    device = others["workload_id"].map(leaders.set_index("workload_id")["hardware"])
    others = others.assign(same=others["hardware"] == device)
    rivals = others.sort_values(["same", "rank"]).drop_duplicates("workload_id")
    rivals = rivals.assign(name=platform_names(rivals))
    rivals = rivals.set_index("workload_id").reindex(leaders["workload_id"])
    ratio = 1 / (1 - rivals["loss_p50"].to_numpy())
    others_are = np.where(rivals["same"].fillna(True).astype(bool), NEXT, OTHER_DEVICE)
    return [
        "the only platform that is left"
        if np.isnan(times)
        else f"{_compared(times, objective)} {which} ({name}), with {odds(chance)} probability"
        for times, which, name, chance in zip(
            ratio, others_are, rivals["name"], rivals["prob_loss"], strict=True
        )
    ]


def _compared(times: float, objective: Objective) -> str:
    name = "balance" if objective.weights else objective.name.replace("_", " ")
    if objective.direction > 0:
        return f"{times:.2f}x the {name} of"
    less = 100 * (1 - 1 / times)
    return (
        f"{name} {less:.0f} % lower than on" if times >= 1 else f"{name} {1 / times:.2f}x that on"
    )


def _bounds(leaders: pd.DataFrame, objective: Objective) -> list[str]:
    """Which limit of the hardware binds, and how near to it the platform comes."""
    if not set(objective.powers) <= set(TIMED):
        return [""] * len(leaders)
    missing = pd.Series(np.nan, index=leaders.index)
    compute = leaders.get("compute_seconds", missing).to_numpy(float, na_value=np.nan)
    memory = leaders.get("memory_seconds", missing).to_numpy(float, na_value=np.nan)
    share = missing.to_numpy(float)
    if len(objective.powers) == 1 and not (objective.facts or objective.weights):
        (metric,) = objective.powers
        bound = leaders.get(f"bound_{metric}", missing).to_numpy(float, na_value=np.nan)
        share = (leaders["p50"].to_numpy(float) / bound) ** objective.direction
    told = []
    for by_compute, by_memory, reached in zip(compute, memory, share, strict=True):
        if np.isnan(by_compute) or np.isnan(by_memory):
            told.append("")
            continue
        limit = "arithmetic" if by_compute > by_memory else "memory bandwidth"
        near = "" if np.isnan(reached) else f", at {100 * reached:.0f} % of its roofline"
        told.append(f"bound by {limit}{near}")
    return told


def _learned(
    leaders: pd.DataFrame, objective: Objective, models: Mapping[str, MetricModel | DerivedModel]
) -> list[str]:
    """What LightGBM adds, by the columns that add most (TreeSHAP, Lundberg et al. 2020).

    Of what was measured nothing was predicted.
    """
    predicted = leaders[leaders["measured_value"].isna()]
    if len(objective.powers) != 1 or predicted.empty:
        return [""] * len(leaders)
    ((metric, power),) = objective.powers.items()
    contributions = power * models[metric].contributions(predicted)
    if not contributions.to_numpy().any():  # there are no trees
        return [""] * len(leaders)
    leaders = leaders.reindex(columns=contributions.columns)
    told = []
    for row, values in contributions.reindex(leaders.index).iterrows():
        most = values[values.abs() >= SMALLEST].sort_values(key=np.abs, ascending=False)
        named = [
            f"{_named(column, leaders.at[row, column])} {100 * np.expm1(value):+.0f} %"
            for column, value in most.head(CONTRIBUTIONS).items()
        ]
        told.append(f"LightGBM: {', '.join(named)}" if named else "")
    return told


def _named(column: str, value: object) -> str:
    """A column, and the name that stands in it."""
    return f"{column} {value}" if isinstance(value, str) and value else column
