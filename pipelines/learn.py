"""The Python half of a build: train, track, score, and write `ml.*` back by Arrow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.evaluation import calibration_table, summary
from models_py.metric_model import MetricModel
from models_py.objectives import main_metric
from models_py.predict import PerformancePredictor
from models_py.promotion import Verdict, judge
from pipelines.champions import Champions
from pipelines.console import Reporter
from pipelines.errors import BenchmartError, InputError
from pipelines.published import learning_frames, metric_directions
from pipelines.score import Scored, score
from pipelines.settings import Settings
from pipelines.suggest import did_you_mean
from pipelines.tracking import Logged, Tracker
from pipelines.train import train
from pipelines.write_back import append, as_arrow, replace


@dataclass(frozen=True)
class Learned:
    """What the models learned.

    Attributes
    ----------
    refused
        Metrics that were asked for and not learned, with the reason.
    challengers, serving
        Version of the newly fitted model that does not serve, and of the model that does where it is
        known, by metric.
    """

    metrics: tuple[str, ...]
    refused: dict[str, str]
    warnings: tuple[str, ...]
    challengers: dict[str, str]
    serving: dict[str, str]


def learn(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    models: Path,
    champions: Champions,
    build_id: str,
    data_hash: str,
    tracker: Tracker,
    reporter: Reporter,
) -> Learned:
    """Train on `features.*`, track in MLflow, score, and write the `ml` schema.

    Parameters
    ----------
    models
        Where to save the models that serve.
    champions
        What served until now, or was chosen to serve.

    Raises
    ------
    InputError
        For an objective that no metric stands for.
    BenchmartError
        When the objective's metric has too few measurements.
    """
    training, candidates = learning_frames(con)
    directions = metric_directions(con)
    wanted = _wanted(settings, directions)
    objective = wanted[0]
    with reporter.stage("training"):
        predictor = train(training, wanted, settings.seed, settings.threads)
    if objective not in predictor.models:
        reason = predictor.refused[objective] + _rejected(con)
        raise BenchmartError(f"objective {settings.objective}: {reason}")
    with reporter.stage("tracking"):
        contests = [
            _contest(tracker, model, champions, build_id, data_hash, training)
            for model in predictor.models.values()
        ]
    predictor.models = {contest.model.metric: contest.serving for contest in contests}
    predictor.save(models)
    system = ActiveLearningSystem(
        predictor,
        candidates,
        training,
        settings.weights.model_dump(),
        settings.decision_share,
        directions,
        settings.seed,
    )
    with reporter.stage("scoring"):
        scored = score(system, list(predictor.models), settings)
    _write(con, scored, predictor)
    rows = pd.DataFrame([contest.row(build_id) for contest in contests])
    append(con, "models", as_arrow(rows))
    return Learned(
        metrics=tuple(predictor.models),
        refused=predictor.refused,
        warnings=_warnings(contests, champions, predictor.refused),
        challengers={
            contest.model.metric: contest.logged.model_version
            for contest in contests
            if not contest.verdict.promoted
        },
        serving={
            contest.model.metric: contest.serving_version
            for contest in contests
            if contest.serving_version is not None
        },
    )


@dataclass(frozen=True)
class _Contest:
    """A newly fitted model against the one that served until now."""

    model: MetricModel
    champion: MetricModel | None
    champion_version: str | None
    verdict: Verdict
    logged: Logged

    @property
    def serving(self) -> MetricModel:
        return self.model if self.verdict.promoted else self.champion

    @property
    def serving_version(self) -> str | None:
        return self.logged.model_version if self.verdict.promoted else self.champion_version

    def row(self, build_id: str) -> dict:
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


def _contest(
    tracker: Tracker,
    model: MetricModel,
    champions: Champions,
    build_id: str,
    data_hash: str,
    training: pd.DataFrame,
) -> _Contest:
    measured = training[training[model.metric].notna()]
    logged = tracker.log(model, summary(model), build_id, data_hash, measured)
    champion = champions.models.get(model.metric)
    version = champions.versions.get(model.metric)
    if model.metric in champions.pinned:
        verdict = Verdict(False, f"version {version} is pinned", "")
    else:
        verdict = judge(model, champion)
    return _Contest(model, champion, version, verdict, logged)


def _warnings(
    contests: list[_Contest], champions: Champions, refused: Mapping[str, str]
) -> tuple[str, ...]:
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
    return (*said, *idle)


def _wanted(settings: Settings, directions: Mapping[str, str]) -> list[str]:
    """Metrics to learn, that of the objective first."""
    objective = objective_metric(settings.objective, directions, "--objective")
    others = [objective_metric(name, directions, "metrics") for name in settings.metrics]
    return list(dict.fromkeys([objective, *others]))


def objective_metric(objective: str, known: Collection[str], flag: str) -> str:
    """The metric that an objective stands for.

    Raises
    ------
    InputError
        For an unknown name, with the nearest valid one.
    """
    metric = main_metric(objective)
    if metric not in known:
        hint = did_you_mean(objective, [*known, "latency", "memory", "power", "energy"], 20)
        raise InputError(f"{flag}: unknown metric '{objective}'{hint}")
    return metric


def _write(con: duckdb.DuckDBPyConnection, scored: Scored, predictor: PerformancePredictor) -> None:
    replace(con, "predictions", scored.predictions)
    replace(con, "hardware_options", scored.options)
    replace(con, "scored_candidates", scored.candidates)
    calibration = [calibration_table(model) for model in predictor.models.values()]
    replace(con, "calibration", pd.concat(calibration, ignore_index=True))


def _rejected(con: duckdb.DuckDBPyConnection) -> str:
    """A clause on the rows that were not believed, empty where there are none."""
    count, example = con.execute(
        "select count(*), any_value(file || ' line ' || line || ': ' || reason)"
        " from intermediate.int_runs__judged where verdict = 'rejected'"
    ).fetchall()[0]
    return f"; {count} rows were rejected, for instance {example}" if count else ""
