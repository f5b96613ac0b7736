"""Predict, rank and select for every objective: the rows that are written back to `ml.*`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression

from models_py.active_learning import ActiveLearningSystem
from models_py.derived import DERIVED_FROM
from models_py.joint import Joint
from models_py.limits import Limits
from models_py.objectives import short_name
from models_py.predict import PerformancePredictor
from models_py.shortlist import OF_WORKLOAD, Candidates, Tactic, select, weighed
from pipelines.chunks import Chunk, Packed, chunks, ends_of_chunks
from pipelines.compare import Options, Terms
from pipelines.console import Reporter
from pipelines.engine import Engine, in_turn, threads
from pipelines.memory import give_back, scored_at_once
from pipelines.processes import processes
from pipelines.published import as_frame, compact
from pipelines.rescoring import PREDICTED, Rescoring
from pipelines.settings import Settings
from pipelines.write_back import add, as_arrow, drop

PREDICTION_COLUMNS = [
    "config_id",
    "workload_id",
    *PREDICTED,
    "prob_feasible",
    "measured_value",
    "inputs",
]
# features are read of the few that are looked at more closely
WEIGHED_COLUMNS = [
    "config_id",
    "workload_id",
    "hardware",
    "prob_feasible",
    "rank",
    "prob_best",
    "hardware_score",
    "p05",
    "p95",
    "epistemic",
    *OF_WORKLOAD,
]
PIECE = 100_000
MANY_CHUNKS = 4  # fewer take no longer here than until other processes have begun and scored them
FEATURES = """
select features.*
from asked
inner join features.candidate_features as features using (config_id)
order by asked.place
"""
SCORE_COLUMNS = [
    "config_id",
    "workload_id",
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


def score_options(
    con: duckdb.DuckDBPyConnection, asked: Asked, engine: Engine, reporter: Reporter
) -> None:
    """Predict and compare all options, chunk by chunk, into the tables of `Scored`."""
    for table in fields(Scored):
        drop(con, table.name)
    ends = ends_of_chunks(con)
    with _for_chunks(engine, len(ends), asked) as engine:
        shared, ahead = engine.share(asked), engine.side_by_side + 1
        results = in_turn(lambda each: engine.submit(score, each, shared), chunks(con, ends), ahead)
        with reporter.counted(results, len(ends), "chunks of options scored") as counted:
            for scored in counted:
                for table, rows in vars(scored).items():
                    if rows is not None:
                        add(con, table, rows)


@contextmanager
def _for_chunks(engine: Engine, count: int, asked: Asked) -> Iterator[Engine]:
    """What scores so many chunks: a cluster, or else as many processes as are worth it and have memory.

    Threads would wait for Python's lock: two take half as much CPU again, and are no faster than one.
    """
    settings, models = asked.settings, asked.terms.predictor.models.values()
    if settings.on_cluster:
        yield engine
        return
    rows = {model.digest: model.conditioned_rows for model in models}
    side_by_side = scored_at_once(settings.limit_memory, rows.values(), settings.threads)
    alone = side_by_side == 1 or count < MANY_CHUNKS
    with threads(1) if alone else processes(min(side_by_side, count)) as found:
        yield found


def score(chunk: Chunk, asked: Asked) -> Scored:
    """Predict and compare the options of a chunk."""
    terms, models, directions, settings = asked
    measured, candidates = as_frame(chunk.measured), as_frame(chunk.candidates)
    system = learning_system(terms.predictor, candidates, measured, directions, settings)
    joint = _joint(terms, measured, candidates)
    predict = Rescoring(models, chunk.earlier.to_pandas(), joint).predict
    # what mirrors a metric is predicted by what was predicted of that one
    order = sorted(terms.metrics, key=DERIVED_FROM.__contains__)
    predicted = {metric: system.predictions(metric, predict) for metric in order}
    rows = [
        found[PREDICTION_COLUMNS].assign(metric=metric, model=models.get(metric))
        for metric, found in predicted.items()
    ]
    likely = {metric: system.likely_options(predicted[metric], metric) for metric in terms.metrics}
    tables = [pd.concat(rows, ignore_index=True)]
    if any(map(len, likely.values())):
        options = Options(terms, likely, joint)
        tables += [options.rows(), options.fronts(), _weighed(options)]
    return Scored(*map(as_arrow, tables))


def _joint(terms: Terms, measured: pd.DataFrame, candidates: pd.DataFrame) -> Joint:
    """Of all options of which something is open: what was measured throughout is known."""
    unknown = measured[measured[terms.metrics].isna().any(axis=1)]
    every = pd.concat([unknown, candidates], ignore_index=True)
    models = [terms.predictor.models[metric] for metric in terms.metrics]
    return Joint(every, every["workload_id"], models)


def _weighed(options: Options) -> pd.DataFrame:
    """Candidates of all metrics."""
    directions = options.terms.directions
    candidates = [
        weighed(found, directions[metric])[WEIGHED_COLUMNS].assign(metric=metric)
        for metric, found in options.ranked.items()
    ]
    return pd.concat(candidates, ignore_index=True)


def select_candidates(
    con: duckdb.DuckDBPyConnection,
    asked: Asked,
    tactics: Mapping[str, Tactic],
    reporter: Reporter,
) -> None:
    """Scored candidates: one row per objective and candidate, into `ml.scored_candidates`."""
    terms, _, _, settings = asked
    limits = Limits(max(settings.budget, settings.plan_depth))
    drop(con, "scored_candidates")
    with reporter.counted(terms.metrics, len(terms.metrics), "plans made") as metrics:
        for metric in metrics:
            model, candidates = terms.predictor.models[metric], _candidates(con, metric)
            for scored in select(candidates, model, tactics[metric], limits, settings.seed):
                rows = scored[SCORE_COLUMNS].assign(metric=metric, objective=short_name(metric))
                add(con, "scored_candidates", as_arrow(rows))
            give_back()
    drop(con, "weighed_options")


def _candidates(con: duckdb.DuckDBPyConnection, metric: str) -> Candidates:
    metric_is = ColumnExpression("metric") == ConstantExpression(metric)

    def pieces() -> Iterator[pd.DataFrame]:
        # `con` writes meanwhile; rows come in the order in which they were inserted
        with con.cursor() as reading:
            every = reading.table("ml.weighed_options").filter(metric_is)
            batches = every.select(*WEIGHED_COLUMNS).to_arrow_reader(PIECE)
            start = 0
            for batch in batches:
                piece = compact(pa.Table.from_batches([batch]))
                yield piece.set_axis(range(start, start + len(piece)))
                start += len(piece)
            if start == 0:
                yield compact(batches.schema.empty_table())

    total = con.table("ml.weighed_options").filter(metric_is).count("*").fetchall()[0][0]
    return Candidates(total, pieces, partial(_features, con))


def _features(con: duckdb.DuckDBPyConnection, candidates: pd.DataFrame) -> pd.DataFrame:
    """Feature frame of some candidates, row by row."""
    asked = candidates[["config_id"]].assign(place=range(len(candidates)))
    con.register("asked", asked)
    found = as_frame(con.sql(FEATURES).to_arrow_table())
    con.unregister("asked")
    return found
