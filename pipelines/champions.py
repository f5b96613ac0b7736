"""The models that served until now, and those that a person chose to serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models_py.derived import DerivedModel
from models_py.metric_model import MetricModel
from models_py.predict import PerformancePredictor
from pipelines.tracking import Tracker


@dataclass(frozen=True)
class Champions:
    """Models that newly fitted ones have to beat.

    Attributes
    ----------
    models, versions
        By metric; the version in the registry is missing where an older build did not note it.
    pinned
        Metrics whose champion serves however good the newly fitted model is.
    """

    models: dict[str, MetricModel | DerivedModel] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()


def find_champions(
    previous: Path | None, serving: Mapping[str, str], pins: Mapping[str, str], tracker: Tracker
) -> Champions:
    """Champions of the previous build, and from the registry those that are pinned instead.

    Parameters
    ----------
    previous
        Directory of the build that served until now, `None` to start afresh.
    serving
        Version of each of its models.

    Raises
    ------
    BenchmartError
        For a pinned version that cannot be loaded.
    """
    models = _of_build(previous) if previous else {}
    versions = {metric: serving[metric] for metric in models if metric in serving}
    for metric, version in pins.items():
        if versions.get(metric) != version:
            models[metric], versions[metric] = tracker.load(metric, version), version
    return Champions(models, versions, frozenset(pins))


def _of_build(build: Path) -> dict[str, MetricModel | DerivedModel]:
    """Models of a build; none where another version of the format wrote them."""
    try:
        return PerformancePredictor.load(build / "models").models
    except (FileNotFoundError, ValueError):
        return {}
