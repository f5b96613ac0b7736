"""The plan of the next tests, as other programs read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

import pandas as pd

from models_py.objectives import MARGIN

CONFIGURATION = (
    "model_name",
    "model_type",
    "task",
    "hardware",
    "device_count",
    "framework",
    "framework_version",
    "options",
    "precision",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
    "throughput_unit",
)
COUNTS = (
    "device_count",
    "batch_size",
    "input_length",
    "output_length",
    "image_size",
    "concurrency",
)
SCORES = (
    "expected_information_gain",
    "uncertainty",
    "diversity",
    "recommended_hardware",
    "hardware_match",
    "hardware_score",
    "hardware_optimization_factor",
    "combined_score",
)
PREDICTION = (
    "p05",
    "p10",
    "p50",
    "p90",
    "p95",
    "in_domain",
    "prob_feasible",
    "cost_minutes",
    "cost",
    "serves",
    "reason",
    "config_id",
    "configuration",
)
ALTERNATIVES = 3


def build_plan(
    chosen: pd.DataFrame, options: pd.DataFrame, optimization_metric: str, total_candidates: int
) -> dict:
    """A plan from the chosen tests, in their order.

    Parameters
    ----------
    chosen
        Scored candidates, in the order in which to run them; `cost_minutes` and `cost` where known.
    options
        Ranked options of (at least) the chosen workloads: `workload_id, hardware, hardware_score,
        rank`.
    total_candidates
        How many candidates were considered.
    """
    if "configuration" not in chosen:
        chosen = chosen.assign(configuration=chosen["workload"] + " on " + chosen["platform"])
    wanted = options[options["workload_id"].isin(chosen["workload_id"])]
    ranked = dict(iter(wanted.sort_values("rank").groupby("workload_id")))
    recommendations = [
        {
            name: _plain(name, row[name])
            for name in (*CONFIGURATION, *SCORES, *PREDICTION)
            if name in row
        }
        | {"alternatives": _alternatives(ranked[row["workload_id"]], row["recommended_hardware"])}
        for _, row in chosen.iterrows()
    ]
    return {
        "recommendations": recommendations,
        "total_candidates": total_candidates,
        "enhanced_candidates": total_candidates,
        "final_recommendations": len(recommendations),
        "optimization_metric": optimization_metric,
        "shares": _shares(chosen["serves"].tolist()),
        "strategy": "integrated_active_learning",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def merge_plans(plans: Sequence[Mapping], budget: int) -> dict:
    """One plan for several objectives: their tests in turns, each of them once.

    Parameters
    ----------
    plans
        As `build_plan` makes them, one per objective.
    budget
        At most this many tests.
    """
    wanted = [plan["recommendations"] for plan in plans]
    in_turns = [test for turn in zip_longest(*wanted) for test in turn if test is not None]
    each = {test["config_id"]: test for test in reversed(in_turns)}
    names = list(dict.fromkeys(test["config_id"] for test in in_turns))[:budget]
    holders = {
        plan["optimization_metric"]: {test["config_id"] for test in plan["recommendations"]}
        for plan in plans
    }
    chosen = [
        each[name] | {"objectives": [kind for kind, held in holders.items() if name in held]}
        for name in names
    ]
    return {
        **plans[0],
        "recommendations": chosen,
        "total_candidates": max(plan["total_candidates"] for plan in plans),
        "enhanced_candidates": max(plan["enhanced_candidates"] for plan in plans),
        "final_recommendations": len(chosen),
        "optimization_metric": ",".join(plan["optimization_metric"] for plan in plans),
        "shares": _shares([test["serves"] for test in chosen]),
    }


def _shares(serves: Sequence[str]) -> dict[str, float]:
    """Which share of the tests serves which end."""
    ends = ("accuracy", "decision")
    return {end: round(serves.count(end) / len(serves), 6) if serves else 0.0 for end in ends}


def _alternatives(ranked: pd.DataFrame, recommended: str) -> list[dict]:
    """The best other devices of a workload within the margin, each with its best score."""
    near = ranked[ranked["hardware_score"] >= 1 - MARGIN]
    others = near[near["hardware"] != recommended].drop_duplicates("hardware").head(ALTERNATIVES)
    return [
        {"hardware": hardware, "score": round(float(score), 6)}
        for hardware, score in zip(others["hardware"], others["hardware_score"], strict=True)
    ]


def _plain(name: str, value: object) -> object:
    """A value that JSON knows; missing becomes null."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return int(value) if name in COUNTS else float(f"{value:.6g}")
    return value
