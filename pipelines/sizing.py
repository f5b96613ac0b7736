"""`benchmart hardware --requests-per-second`: how many replicas of which platform carry a demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from models_py.hardware_recommender import SHAPE
from models_py.odds import odds
from models_py.recommendation import Sizing
from models_py.sizing import CONFIDENCE, Demand
from pipelines.errors import InputError
from pipelines.hardware import Request, opened
from pipelines.settings import Settings

LENGTHS = ("input_length", "output_length", "image_size")
SHOWN = (
    "workload",
    "platform",
    "hardware",
    "device_count",
    "framework",
    "batch_size",
    "concurrency",
    "replicas",
    "devices",
    "cost_per_hour",
    "prob_carried",
    "in_domain",
)


@dataclass(frozen=True)
class Sized:
    """A sizing with what belongs to it.

    Attributes
    ----------
    names
        Workloads in words, by `workload_id`.
    """

    sizing: Sizing
    names: Mapping[str, str]
    demand: Demand
    confidence: float
    currency: str
    notes: list[str]


def size(settings: Settings, request: Request, demand: Demand) -> Sized:
    """Answer from the published build.

    Raises
    ------
    InputError
        For what is unknown or contradictory, with the nearest valid name.
    """
    confidence = request.confidence or CONFIDENCE
    asked = opened(settings, replace(request, confidence=confidence), whole_curve=True)
    try:
        found = asked.recommender.size_hardware(
            demand, asked.constraints, asked.offers, model_name=asked.model_name
        )
    except LookupError as error:
        raise InputError(str(error)) from None
    notes = [*asked.notes, "batches are taken to be full, and replicas not to disturb each other"]
    return Sized(found, asked.names, demand, confidence, settings.currency, notes)


def as_json(answer: Sized) -> dict:
    """For machines."""
    rows = answer.sizing.options
    shown = rows[[name for name in SHOWN if name in rows]]
    return {
        "demand": answer.demand._asdict(),
        "confidence": answer.confidence,
        "currency": answer.currency,
        "options": shown.astype(object).where(shown.notna(), None).to_dict("records"),
        "unsatisfied": [
            {"workload": answer.names[workload], "binding": reason.binding, "text": reason.text}
            for workload, reason in answer.sizing.unsatisfied.items()
        ],
        "notes": answer.notes,
    }


def in_words(answer: Sized, listed: int = 5) -> list[str]:
    """Lines for a person: the cheapest platforms of each shape."""
    lines = [f"note: {note}" for note in answer.notes]
    rows = answer.sizing.options
    for _, own in rows.groupby(list(SHAPE), dropna=False, sort=False):
        lines.append(_shape(own.iloc[0]))
        lines += [
            f"  {number}. {_line(row, answer.currency)}"
            for number, (_, row) in enumerate(own.head(listed).iterrows(), start=1)
        ]
    for workload, reason in answer.sizing.unsatisfied.items():
        lines += [answer.names[workload], f"  {reason.text}"]
    return lines


def _shape(row: pd.Series) -> str:
    """A workload without its batch, in words."""
    lengths = [
        f"{name.replace('_', ' ')} {row[name]:.0f}" for name in LENGTHS if pd.notna(row[name])
    ]
    return ", ".join([f"{row['model_name']} {row['precision']}", *lengths])


def _line(row: pd.Series, currency: str) -> str:
    price = row["cost_per_hour"]
    parts = [f"{row['replicas']} x {row['platform']}"]
    if pd.notna(row["batch_size"]):
        parts.append(f"batch {row['batch_size']:.0f}")
    parts.append("no price known" if pd.isna(price) else f"{price:.4g} {currency} an hour")
    parts.append(f"carries it with {odds(row['prob_carried'])} probability")
    return ", ".join(parts)
