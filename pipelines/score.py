"""Predict, rank and select for every objective: the rows that are written back to `ml.*`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from models_py.active_learning import ActiveLearningSystem
from models_py.draws import whole_groups
from models_py.limits import Limits
from models_py.objectives import short_name, sign
from models_py.predict import PerformancePredictor
from models_py.selection import Selection
from pipelines.chunks import Chunk, chunks, in_turn
from pipelines.compare import Options, Terms
from pipelines.published import as_frame
from pipelines.rescoring import PREDICTED, Rescoring
from pipelines.settings import Settings
from pipelines.strategies import Tactic
from pipelines.write_back import add, drop

PREDICTION_COLUMNS = [
    "config_id",
    "workload_id",
    *PREDICTED,
    "prob_feasible",
    "measured_value",
    "inputs",
]
# options, counted once for each metric: their draws are kept
COMPARED_TOGETHER = 8_000
# what `Selection` weighs; features are read of the few options that it looks at more closely
WEIGHED_COLUMNS = [
    "config_id",
    "workload_id",
    "hardware",
    "framework",
    "is_candidate",
    "prob_feasible",
    "rank",
    "prob_best",
    "hardware_score",
    "measured_value",
    "p05",
    "p50",
    "p95",
    "epistemic",
]
WEIGHED = "select * exclude (metric) from ml.weighed_options where metric = $metric order by rowid"
FEATURES = """
select features.*
from asked
inner join (
    select * from features.measured_configurations
    union all by name
    select * from features.candidate_features
) as features using (config_id)
order by asked.place
"""
SCORE_COLUMNS = [
    "config_id",
    "uncertainty",
    "diversity",
    "expected_information_gain",
    "hardware_optimization_factor",
    "combined_score",
    "hardware_score",
    "recommended_hardware",
    "hardware_match",
    "prob_feasible",
    "batch_order",
    "serves",
    "variance_removed",
    "regret_removed",
    "reason",
]


def learning_system(
    predictor: PerformancePredictor,
    candidates: pd.DataFrame,
    measured: pd.DataFrame,
    directions: Mapping[str, str],
    settings: Settings,
) -> ActiveLearningSystem:
    """What scores candidates and chooses tests; which way is a `Tactic`."""
    return ActiveLearningSystem(
        predictor,
        candidates,
        measured,
        directions=directions,
        seed=settings.seed,
        minimum_feasibility=settings.minimum_feasibility,
    )


class Scored(NamedTuple):
    """What is written of a chunk: rows by table of `ml`."""

    predictions: pd.DataFrame
    hardware_options: pd.DataFrame
    pareto_front: pd.DataFrame
    weighed_options: pd.DataFrame


def score_options(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    models: Mapping[str, str],
    directions: Mapping[str, str],
    settings: Settings,
) -> None:
    """Predict and compare all options, chunk by chunk, into the tables of `Scored`.

    Parameters
    ----------
    models
        Names of the models that serve, by metric; see `Rescoring`.
    """
    work = partial(
        _score_chunk, terms=terms, models=models, directions=directions, settings=settings
    )
    for table in Scored._fields:
        drop(con, table)
    with ThreadPoolExecutor(settings.threads) as pool:
        for scored in in_turn(pool, work, chunks(con), settings.threads + 1):
            for table, rows in scored._asdict().items():
                add(con, table, rows)


def _score_chunk(
    chunk: Chunk,
    terms: Terms,
    models: Mapping[str, str],
    directions: Mapping[str, str],
    settings: Settings,
) -> Scored:
    system = learning_system(
        terms.predictor, chunk.candidates, chunk.measured, directions, settings
    )
    predict = Rescoring(models, chunk.earlier).predict
    predicted = {metric: system.predictions(metric, predict) for metric in terms.metrics}
    rows = [
        found[PREDICTION_COLUMNS].assign(metric=metric, model=models.get(metric))
        for metric, found in predicted.items()
    ]
    likely = {metric: system.likely_options(found, metric) for metric, found in predicted.items()}
    compared = [_compare(terms, part) for part in _parts(likely)]
    together = map(partial(pd.concat, ignore_index=True), zip(*compared, strict=True))
    return Scored(pd.concat(rows, ignore_index=True), *together)


def _parts(options: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, pd.DataFrame]]:
    """Options by metric, in parts of whole workloads."""
    every = pd.concat([found["workload_id"] for found in options.values()])
    for rows in whole_groups(pd.factorize(every, sort=True)[0], COMPARED_TOGETHER):
        names = every.iloc[rows].unique()
        yield {
            metric: found[found["workload_id"].isin(names)].reset_index(drop=True)
            for metric, found in options.items()
        }


def _compare(
    terms: Terms, likely: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    options = Options(terms, likely)
    weighed = [
        found[WEIGHED_COLUMNS].assign(metric=metric) for metric, found in options.ranked.items()
    ]
    return options.rows(), options.fronts(), pd.concat(weighed, ignore_index=True)


def select(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    tactics: Mapping[str, Tactic],
    directions: Mapping[str, str],
    settings: Settings,
) -> None:
    """Scored candidates: one row per objective and candidate, into `ml.scored_candidates`."""
    limits = Limits(max(settings.budget, settings.plan_depth))
    drop(con, "scored_candidates")
    for metric in terms.metrics:
        weighed = con.execute(WEIGHED, {"metric": metric}).df()
        tactic = tactics[metric]
        selection = Selection(
            terms.predictor.models[metric],
            weighed,
            sign(metric, directions),
            tactic.weights,
            tactic.decision_share,
            limits,
            settings.seed,
            partial(_features, con, weighed["config_id"]),
        )
        selection.choose()
        scored = selection.scored()[SCORE_COLUMNS]
        add(con, "scored_candidates", scored.assign(metric=metric, objective=short_name(metric)))
    drop(con, "weighed_options")


def _features(
    con: duckdb.DuckDBPyConnection, config_ids: pd.Series, rows: np.ndarray
) -> pd.DataFrame:
    """Feature frame of some options (positions)."""
    asked = pd.DataFrame({"config_id": config_ids.iloc[rows], "place": range(len(rows))})
    con.register("asked", asked)
    found = as_frame(con.sql(FEATURES))
    con.unregister("asked")
    return found
