"""The models that served until now, and those that a person chose to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from models_py.derived import DerivedModel
from models_py.metric_model import MetricModel
from models_py.predict import PerformancePredictor
from pipelines.tracking import Tracker
from pipelines.warehouse import read_manifest


class Fit(NamedTuple):
    """How and when a model was fitted: a digest of code, facts and settings, and the time."""

    recipe: str
    fitted_at: datetime

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return {"recipe": self.recipe, "fitted_at": self.fitted_at.isoformat()}


@dataclass(frozen=True)
class Champions:
    """Models that newly fitted ones have to beat.

    Attributes
    ----------
    models, versions, fits
        By metric; version in the registry and fit are missing where it is not known.
    pinned
        Metrics whose champion serves however good the newly fitted model is.
    """

    models: dict[str, MetricModel | DerivedModel] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    fits: dict[str, Fit] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()


def find_champions(previous: Path | None, pins: Mapping[str, str], tracker: Tracker) -> Champions:
    """Champions of the previous build, and from the registry those that are pinned instead.

    Parameters
    ----------
    previous
        Directory of the build that served until now, `None` to start afresh.

    Raises
    ------
    BenchmartError
        For a pinned version that cannot be loaded.
    """
    models = _of_build(previous) if previous else {}
    manifest = read_manifest(previous) if previous else {}
    serving, fits = manifest.get("serving", {}), manifest.get("fits", {})
    versions = {metric: serving[metric] for metric in models if metric in serving}
    known = {
        metric: Fit(fit["recipe"], datetime.fromisoformat(fit["fitted_at"]))
        for metric, fit in fits.items()
        if metric in models
    }
    for metric, version in pins.items():
        if versions.get(metric) != version:
            models[metric], versions[metric] = tracker.load(metric, version), version
            known.pop(metric, None)
    return Champions(models, versions, known, frozenset(pins))


def _of_build(build: Path) -> dict[str, MetricModel | DerivedModel]:
    """Models of a build; none where another version of the format wrote them."""
    try:
        return PerformancePredictor.load(build / "models").models
    except (FileNotFoundError, ValueError):
        return {}
