"""Predict, rank and select for every objective: the rows that are written back to `ml.*`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from models_py.active_learning import ActiveLearningSystem
from models_py.derived import DERIVED_FROM
from models_py.draws import whole_groups
from models_py.limits import Limits
from models_py.objectives import short_name, sign
from models_py.predict import PerformancePredictor
from models_py.selection import Selection
from pipelines.chunks import Chunk, Packed, chunks
from pipelines.compare import Options, Terms
from pipelines.engine import Engine, in_turn
from pipelines.memory import give_back
from pipelines.published import as_frame, compact
from pipelines.rescoring import PREDICTED, Rescoring
from pipelines.settings import Settings
from pipelines.strategies import Tactic
from pipelines.write_back import add, as_arrow, drop

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


class Asked(NamedTuple):
    """What is asked of all options.

    Attributes
    ----------
    models
        Names of the models that serve, by metric; see `Rescoring`.
    """

    terms: Terms
    models: Mapping[str, str]
    directions: Mapping[str, str]
    settings: Settings


@dataclass
class Scored(Packed):
    """What is written of a chunk: rows by table of `ml`, none where no option is likely to run."""

    predictions: pa.Table | None = None
    hardware_options: pa.Table | None = None
    pareto_front: pa.Table | None = None
    weighed_options: pa.Table | None = None


def score_options(con: duckdb.DuckDBPyConnection, asked: Asked, engine: Engine) -> None:
    """Predict and compare all options, chunk by chunk, into the tables of `Scored`."""
    for table in fields(Scored):
        drop(con, table.name)
    shared, ahead = engine.share(asked), engine.side_by_side + 1
    for scored in in_turn(lambda chunk: engine.submit(score, chunk, shared), chunks(con), ahead):
        for table, rows in vars(scored).items():
            if rows is not None:
                add(con, table, rows)


def score(chunk: Chunk, asked: Asked) -> Scored:
    """Predict and compare the options of a chunk."""
    terms, models, directions, settings = asked
    measured, candidates = as_frame(chunk.measured), as_frame(chunk.candidates)
    system = learning_system(terms.predictor, candidates, measured, directions, settings)
    predict = Rescoring(models, chunk.earlier.to_pandas()).predict
    # what mirrors a metric is predicted by what was predicted of that one
    order = sorted(terms.metrics, key=DERIVED_FROM.__contains__)
    predicted = {metric: system.predictions(metric, predict) for metric in order}
    rows = [
        found[PREDICTION_COLUMNS].assign(metric=metric, model=models.get(metric))
        for metric, found in predicted.items()
    ]
    likely = {metric: system.likely_options(predicted[metric], metric) for metric in terms.metrics}
    compared = [_compare(terms, part) for part in _parts(likely)]
    tables = (rows, *zip(*compared, strict=True))
    return Scored(*(as_arrow(pd.concat(parts, ignore_index=True)) for parts in tables))


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


def select(con: duckdb.DuckDBPyConnection, asked: Asked, tactics: Mapping[str, Tactic]) -> None:
    """Scored candidates: one row per objective and candidate, into `ml.scored_candidates`."""
    terms, _, directions, settings = asked
    limits = Limits(max(settings.budget, settings.plan_depth))
    drop(con, "scored_candidates")
    for metric in terms.metrics:
        weighed = compact(con.sql(WEIGHED, params={"metric": metric}).to_arrow_table())
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
        scored = scored.assign(metric=metric, objective=short_name(metric))
        add(con, "scored_candidates", as_arrow(scored))
        del weighed, selection, scored
        give_back()
    drop(con, "weighed_options")


def _features(
    con: duckdb.DuckDBPyConnection, config_ids: pd.Series, rows: np.ndarray
) -> pd.DataFrame:
    """Feature frame of some options (positions)."""
    asked = pd.DataFrame({"config_id": config_ids.iloc[rows], "place": range(len(rows))})
    con.register("asked", asked)
    found = as_frame(con.sql(FEATURES).to_arrow_table())
    con.unregister("asked")
    return found
