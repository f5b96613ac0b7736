"""The Python half of a build: train, track, score, and write `ml.*` back by Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from models_py.evaluation import calibration_table, feasibility_reliability, held_out_table
from models_py.feasibility import FeasibilityModel
from models_py.predict import PerformancePredictor
from pipelines.champions import Champions, Fit
from pipelines.compare import terms_of
from pipelines.console import Reporter
from pipelines.contest import Contest, hold_contest, model_rows, warnings_of
from pipelines.engine import Engine
from pipelines.errors import BenchmartError
from pipelines.facts import BuildFacts
from pipelines.learned_rows import write_learned_rows
from pipelines.memory import fits_at_once, give_back, in_words, shortfall
from pipelines.objective import objective_metric, require_objective
from pipelines.progress import previous_build, write_progress
from pipelines.published import (
    metric_directions,
    outcome_frame,
    training_frame,
)
from pipelines.retrain import Review, keeps, review_champions, write_reviews
from pipelines.sample import write_sample
from pipelines.score import Asked, score_options, select_candidates
from pipelines.settings import Settings
from pipelines.strategies import choose_strategies
from pipelines.tracking import Tracker
from pipelines.train import train
from pipelines.write_back import append, replace

# of the training rows: a quarter of what they take, and no model reads it
WORDS = (
    *("workload", "workload_id", "platform", "platform_id", "source"),
    *("task", "throughput_unit", "hardware_kind"),
)


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
    runs
        MLflow's run of each newly fitted model, by metric.
    fits
        How and when the models that serve were fitted, where it is known.
    """

    metrics: tuple[str, ...]
    refused: dict[str, str]
    warnings: tuple[str, ...]
    challengers: dict[str, str]
    serving: dict[str, str]
    runs: dict[str, str]
    fits: dict[str, Fit]


def learn(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    models: Path,
    champions: Champions,
    build: BuildFacts,
    tracker: Tracker,
    reporter: Reporter,
    engine: Engine,
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
    directions = metric_directions(con)
    wanted = _wanted(settings, directions)
    fitted = _fit(con, settings, champions, wanted, build, tracker, reporter, engine)
    fitted.predictor.save(models)
    give_back()
    with reporter.stage("scoring"), previous_build(con) as compared:
        served = fitted.predictor.models.items()
        named = {metric: f"{model.identity} {build.recipe}" for metric, model in served}
        terms = terms_of(con, fitted.predictor, directions, settings)
        asked = Asked(terms, named, directions, settings)
        _score(con, asked, build, compared, engine, reporter)
    _write_calibration(con, fitted.predictor)
    refitted = {contest.model.metric for contest in fitted.contests}
    write_reviews(con, build.build_id, fitted.reviews, refitted)
    append(con, "models", model_rows(fitted.contests, build))
    warnings = write_sample(con, settings.training_rows) + _short_of_memory(fitted, settings)
    return _learned(fitted, champions, build, warnings)


class Fitted(NamedTuple):
    """The models that serve, and how that came.

    Attributes
    ----------
    serving
        Version of each model that serves, by metric, where it is known.
    rows
        Measurements that models may learn from.
    """

    predictor: PerformancePredictor
    contests: list[Contest]
    reviews: dict[str, Review]
    serving: dict[str, str]
    rows: int


def _fit(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    champions: Champions,
    wanted: tuple[str, ...],
    build: BuildFacts,
    tracker: Tracker,
    reporter: Reporter,
    engine: Engine,
) -> Fitted:
    """Review the champions, and fit and track what they do not serve on for."""
    # first: what ran and what failed is not held beside the training rows
    with reporter.stage("feasibility"):
        failures = FeasibilityModel.fit(outcome_frame(con), settings.seed)
    training = training_frame(con, settings.training_rows, WORDS)
    give_back(con)
    with reporter.stage("drift"):
        reviews = review_champions(con, training, champions, wanted, settings.retraining, build)
    for review in reviews.values():
        reporter.say(str(review))
    kept = {metric: champions.models[metric] for metric in wanted if keeps(reviews, metric)}
    with reporter.stage("training"):
        side_by_side = engine.side_by_side
        if not settings.on_cluster:  # workers have memory of their own
            side_by_side = fits_at_once(settings.limit_memory, len(training), side_by_side)
        predictor = train(training, wanted, kept, settings.seed, engine, side_by_side, reporter)
        predictor.feasibility = failures
    if wanted[0] not in predictor.models:
        reason = predictor.refused[wanted[0]] + _rejected(con)
        raise BenchmartError(f"objective {settings.objective}: {reason}")
    with reporter.stage("tracking"):
        contests = [
            hold_contest(tracker, model, champions, reviews.get(metric), build, training)
            for metric, model in predictor.models.items()
            if metric not in kept
        ]
        tracker.log_feasibility(predictor.feasibility, build)
    write_learned_rows(con, training, list(predictor.models))
    predictor.models |= {contest.model.metric: contest.serving for contest in contests}
    versions = {metric: champions.versions.get(metric) for metric in kept}
    versions |= {contest.model.metric: contest.serving_version for contest in contests}
    serving = {metric: version for metric, version in versions.items() if version is not None}
    return Fitted(predictor, contests, reviews, serving, len(training))


def _score(
    con: duckdb.DuckDBPyConnection,
    asked: Asked,
    build: BuildFacts,
    compared: bool,
    engine: Engine,
    reporter: Reporter,
) -> None:
    """Predict, rank and select, and write what comes of it."""
    score_options(con, asked, engine, reporter)
    give_back(con)
    write_progress(con, build.build_id, asked.terms.directions, compared)
    tactics = choose_strategies(con, asked.terms.metrics, asked.settings)
    select_candidates(con, asked, tactics, reporter)


def _short_of_memory(fitted: Fitted, settings: Settings) -> list[str]:
    missing = shortfall(settings.limit_memory, fitted.rows) if fitted.contests else 0
    if not missing:
        return []
    needed = in_words(settings.limit_memory + missing)
    return [f"models of {fitted.rows:,} rows took {needed} of memory; training_rows would limit it"]


def _learned(
    fitted: Fitted, champions: Champions, build: BuildFacts, warnings: list[str]
) -> Learned:
    predictor, contests, reviews = fitted.predictor, fitted.contests, fitted.reviews
    fits = {metric: champions.fits.get(metric) for metric in predictor.models}
    for contest in contests:
        if contest.verdict.promoted:
            fits[contest.model.metric] = Fit(build.recipe, build.started_at)
    for metric in champions.pinned & fits.keys():
        # of a version that a person chose it is not known: from now on, only what changes counts
        fits[metric] = fits[metric] or Fit(build.recipe, build.started_at)
        if metric in reviews and reviews[metric].changes.altered:
            fits[metric] = None  # it learned other facts: not to be kept once it is released
    return Learned(
        metrics=tuple(predictor.models),
        refused=predictor.refused,
        warnings=(*warnings, *warnings_of(contests, champions, predictor.refused)),
        challengers={
            contest.model.metric: contest.logged.model_version
            for contest in contests
            if not contest.verdict.promoted
        },
        serving=fitted.serving,
        runs={contest.model.metric: contest.logged.run_id for contest in contests},
        fits={metric: fit for metric, fit in fits.items() if fit is not None},
    )


def _wanted(settings: Settings, directions: Mapping[str, str]) -> tuple[str, ...]:
    """Metrics to learn, that of the objective first."""
    objective_metric(settings.objective, directions, "--objective")
    for name in settings.metrics:
        objective_metric(name, directions, "metrics")
    for name in settings.balance:
        require_objective(name, directions, "balance")
    return settings.wanted


def _write_calibration(con: duckdb.DuckDBPyConnection, predictor: PerformancePredictor) -> None:
    models = predictor.models.values()
    calibration = [calibration_table(model) for model in models]
    replace(con, "calibration", pd.concat(calibration, ignore_index=True))
    held_out = [held_out_table(model) for model in models]
    replace(con, "held_out", pd.concat(held_out, ignore_index=True))
    replace(con, "feasibility", feasibility_reliability(predictor.feasibility))


def _rejected(con: duckdb.DuckDBPyConnection) -> str:
    """A clause on the rows that were not believed, empty where there are none."""
    count, example = con.execute(
        "select count(*), any_value(file || ' line ' || line || ': ' || reason)"
        " from intermediate.int_runs__judged where verdict = 'rejected'"
    ).fetchall()[0]
    return f"; {count} rows were rejected, for instance {example}" if count else ""
