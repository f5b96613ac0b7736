"""Comparing what a build brought with what the champions had said of it, and which of them to refit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from models_py.derived import DERIVED_FROM
from models_py.drift import Drift, compare, judge_drift
from models_py.retraining import Policy, reason_to_refit
from pipelines.champions import Champions
from pipelines.facts import BuildFacts
from pipelines.settings import Retraining
from pipelines.write_back import append

KNOWN = "ml.known_measurements"
CHECKS = pa.schema(
    {
        "build_id": pa.string(),
        "metric": pa.string(),
        "measurement_id": pa.string(),
        "model_version": pa.string(),
        "p05": pa.float64(),
        "p50": pa.float64(),
        "p95": pa.float64(),
        "actual": pa.float64(),
        "in_domain": pa.bool_(),
    }
)
DRIFT = pa.schema(
    {
        "build_id": pa.string(),
        "metric": pa.string(),
        "model_version": pa.string(),
        "new_measurements": pa.int64(),
        "configurations": pa.int64(),
        "outside": pa.int64(),
        "median_ratio": pa.float64(),
        "p_value": pa.float64(),
        "drifted": pa.bool_(),
        "refitted": pa.bool_(),
        "reason": pa.string(),
    }
)


@dataclass(frozen=True)
class Review:
    """What became of a champion's predictions.

    Attributes
    ----------
    compared
        Rows of `models_py.drift.compare`.
    reason
        Why the model is fitted anew, empty where the champion serves on.
    """

    metric: str
    version: str | None
    compared: pd.DataFrame
    drift: Drift
    drifted: bool
    reason: str

    def __str__(self) -> str:
        decision = f"fitted anew, {self.reason}" if self.reason else "the champion serves on"
        return f"{self.metric}: {decision} ({self.drift})"


def remember_measurements(con: duckdb.DuckDBPyConnection) -> None:
    """Note which measurements the published build had, before a build replaces its tables."""
    con.execute("create schema if not exists ml")
    there = con.execute(
        "select count(*) from duckdb_tables()"
        " where schema_name = 'features' and table_name = 'training_features'"
    ).fetchall()[0][0]
    con.execute(f"create or replace table {KNOWN} (measurement_id varchar)")
    if there:
        con.execute(f"insert into {KNOWN} select measurement_id from features.training_features")


def review_champions(
    con: duckdb.DuckDBPyConnection,
    training: pd.DataFrame,
    champions: Champions,
    metrics: Sequence[str],
    retraining: Retraining,
    build: BuildFacts,
) -> dict[str, Review]:
    """Compare the measurements that are new since the last build with what champions say of them."""
    known = con.sql(f"select measurement_id from {KNOWN}").df()["measurement_id"]
    con.execute(f"drop table {KNOWN}")
    fresh = training[~training["measurement_id"].isin(known)]
    gone = len(set(known) - set(training["measurement_id"]))
    policy = Policy(**retraining.model_dump(exclude={"when"}))
    reviews = {}
    for metric in (name for name in metrics if name in champions.models):
        model = champions.models[metric]
        measured = training[training[metric].notna()] if metric in training else training.iloc[:0]
        new = fresh[fresh["measurement_id"].isin(measured["measurement_id"])]
        compared = compare(model, new)
        drift = judge_drift(compared)
        fit = champions.fits.get(metric)
        if retraining.when == "always":
            reason = "always asked for"
        elif fit is None or fit.recipe != build.recipe:
            reason = "fitted by other code, facts or settings"
        else:
            age = (build.started_at - fit.fitted_at).total_seconds() / 86_400
            changed = len(new) + gone
            reason = reason_to_refit(model, measured, changed, drift, age, policy)
        drifted = drift.drifted(retraining.significance)
        version = champions.versions.get(metric)
        reviews[metric] = Review(metric, version, compared, drift, drifted, reason)
    return reviews


def keeps(reviews: Mapping[str, Review], metric: str) -> bool:
    """Whether the champion of a metric serves on without being fitted anew.

    Latency that mirrors throughput is fitted anew with it.
    """
    review = reviews.get(metric)
    source = reviews.get(DERIVED_FROM.get(metric, ""))
    return review is not None and not review.reason and not (source and source.reason)


def write_reviews(
    con: duckdb.DuckDBPyConnection, build_id: str, reviews: dict[str, Review]
) -> None:
    """Append to `ml.prediction_checks` and `ml.drift`."""
    checks, rows = [CHECKS.empty_table()], []
    for review in reviews.values():
        named = {"build_id": build_id, "metric": review.metric, "model_version": review.version}
        compared = review.compared.assign(**named)[CHECKS.names].astype({"in_domain": bool})
        checks.append(pa.Table.from_pandas(compared, CHECKS, preserve_index=False))
        rows.append(
            named
            | review.drift._asdict()
            | {
                "new_measurements": len(review.compared),
                "drifted": review.drifted,
                "refitted": bool(review.reason),
                "reason": review.reason,
            }
        )
    append(con, "prediction_checks", pa.concat_tables(checks))
    append(con, "drift", pa.Table.from_pylist(rows, DRIFT))
