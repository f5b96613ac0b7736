"""A newly fitted model against the one that served until now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from models_py.derived import DerivedModel
from models_py.drift import as_held_out, not_known
from models_py.evaluation import summary
from models_py.metric_model import MetricModel
from models_py.promotion import Verdict, judge
from pipelines.champions import Champions
from pipelines.facts import BuildFacts
from pipelines.retrain import Review
from pipelines.tracking import Logged, Tracker

FIGURES = (
    "rows",
    "median_ape",
    "coverage_90",
    "coverage_80",
    "worst_hardware_coverage_90",
    "interval_score_90",
    "skill_90",
    "repeat_noise",
)
MODELS = pa.schema(
    {
        "build_id": pa.string(),
        "metric": pa.string(),
        "model_version": pa.string(),
        "run_id": pa.string(),
        "is_champion": pa.bool_(),
        "serving_version": pa.string(),
        "reason": pa.string(),
        **dict.fromkeys(FIGURES, pa.float64()),
    }
)


@dataclass(frozen=True)
class Contest:
    """The newly fitted model of a metric, and what came of comparing it with the champion."""

    model: MetricModel | DerivedModel
    champion: MetricModel | DerivedModel | None
    champion_version: str | None
    verdict: Verdict
    logged: Logged

    @property
    def serving(self) -> MetricModel | DerivedModel:
        """The model that serves from now on."""
        return self.model if self.verdict.promoted else self.champion

    @property
    def serving_version(self) -> str | None:
        """Its version in the registry, where that is known."""
        return self.logged.model_version if self.verdict.promoted else self.champion_version

    def row(self, build_id: str) -> dict:
        """A row of `ml.models`."""
        return {
            "build_id": build_id,
            "metric": self.model.metric,
            "model_version": self.logged.model_version,
            "run_id": self.logged.run_id,
            "is_champion": self.verdict.promoted,
            "serving_version": self.serving_version,
            "reason": self.verdict.reason,
            **summary(self.model),
            "repeat_noise": self.model.noise,
        }


def hold_contest(
    tracker: Tracker,
    model: MetricModel | DerivedModel,
    champions: Champions,
    review: Review | None,
    build: BuildFacts,
    training: pd.DataFrame,
) -> Contest:
    """Log a newly fitted model, and compare it with the champion.

    Where the champion has drifted, only the newest measurements count: earlier ones no longer
    tell how good it is.
    """
    measured = training[training[model.metric].notna()]
    logged = tracker.log(model, summary(model), build, measured)
    champion = champions.models.get(model.metric)
    version = champions.versions.get(model.metric)
    verdict = _verdict(model, champion, version, champions, review, measured)
    return Contest(model, champion, version, verdict, logged)


def _verdict(
    model: MetricModel | DerivedModel,
    champion: MetricModel | DerivedModel | None,
    version: str | None,
    champions: Champions,
    review: Review | None,
    measured: pd.DataFrame,
) -> Verdict:
    altered = review is not None and review.changes.altered > 0
    if model.metric in champions.pinned:
        warning = f"version {version} is pinned, and learned other facts" if altered else ""
        return Verdict(False, f"version {version} is pinned", warning)
    if altered:
        return judge(model, None)._replace(reason="the champion learned other facts")
    if review is None or review.compared.empty:
        return judge(model, champion)
    if review.drifted:
        return judge(model, champion, as_held_out(review.compared, champion.levels))
    newest = as_held_out(not_known(review.compared, measured), champion.levels)
    return judge(model, champion, pd.concat([champion.held_out, newest]))


def model_rows(contests: list[Contest], build: BuildFacts) -> pa.Table:
    """Rows of `ml.models`; with its columns also where no model was fitted."""
    rows = [contest.row(build.build_id) for contest in contests]
    return pa.Table.from_pylist(rows, MODELS)


def warnings_of(
    contests: list[Contest], champions: Champions, refused: Mapping[str, str]
) -> list[str]:
    """What people should know of the contests, and of pinned models without one."""
    said = [
        f"{contest.model.metric}: {contest.verdict.warning}"
        for contest in contests
        if contest.verdict.warning
    ]
    idle = [
        f"{metric}: version {champions.versions[metric]} is pinned, and not served: {refused[metric]}"
        for metric in sorted(champions.pinned & refused.keys())
    ]
    return said + idle
