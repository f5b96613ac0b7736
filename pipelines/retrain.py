"""What a build brought against what the champions had said of it, and which of them to fit anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pandas as pd
import pyarrow as pa

from models_py.derived import DERIVED_FROM, DerivedModel
from models_py.drift import Drift, compare, judge_drift
from models_py.metric_model import NOMINAL
from models_py.retraining import Changes, Policy, reason_to_refit
from pipelines.champions import Champions
from pipelines.facts import BuildFacts
from pipelines.learned_rows import LearnedRows
from pipelines.settings import Retraining
from pipelines.write_back import append

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
        "compared": pa.int64(),
        "configurations": pa.int64(),
        "outside": pa.int64(),
        "expected_outside": pa.float64(),
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
    changes: Changes
    compared: pd.DataFrame
    drift: Drift
    drifted: bool
    reason: str

    def __str__(self) -> str:
        decision = f"fitted anew, {self.reason}" if self.reason else "the champion serves on"
        return f"{self.metric}: {decision} ({self.drift})"


def review_champions(
    con: duckdb.DuckDBPyConnection,
    training: pd.DataFrame,
    champions: Champions,
    metrics: Sequence[str],
    retraining: Retraining,
    build: BuildFacts,
) -> dict[str, Review]:
    """Compare the measurements that are new since the last build with what champions say of them."""
    learned = LearnedRows(con)
    policy = Policy(**retraining.model_dump(exclude={"when"}))
    reviews = {}
    for metric in (name for name in metrics if name in champions.models):
        model = champions.models[metric]
        changes, new = learned.changes(training, metric)
        compared = compare(model, new)
        drift = judge_drift(compared, model.models)
        fit = champions.fits.get(metric)
        if retraining.when == "always":
            reason = "always asked for"
        elif fit is None or fit.recipe != build.recipe:
            reason = "fitted by other code, facts or settings"
        else:
            age = (build.started_at - fit.fitted_at).total_seconds() / 86_400
            measured = training[training[metric].notna()]
            reason = reason_to_refit(model, measured, changes, drift, age, policy)
        reviews[metric] = Review(
            metric,
            champions.versions.get(metric),
            changes,
            compared,
            drift,
            drift.p_value < retraining.significance,
            reason,
        )
    return _with_mirrors(reviews, champions)


def _with_mirrors(reviews: dict[str, Review], champions: Champions) -> dict[str, Review]:
    """What mirrors another metric is fitted anew together with it."""
    for metric, review in reviews.items():
        source = reviews.get(DERIVED_FROM.get(metric, ""))
        mirrors = isinstance(champions.models[metric], DerivedModel)
        if mirrors and source is not None and source.reason and not review.reason:
            reason = f"{source.metric}, which it mirrors, is fitted anew"
            reviews[metric] = replace(review, reason=reason)
    return reviews


def keeps(reviews: Mapping[str, Review], metric: str) -> bool:
    """Whether the champion of a metric serves on without being fitted anew."""
    return metric in reviews and not reviews[metric].reason


def write_reviews(
    con: duckdb.DuckDBPyConnection,
    build_id: str,
    reviews: Mapping[str, Review],
    refitted: Collection[str],
) -> None:
    """Append to `ml.prediction_checks` and `ml.drift`; `refitted` are metrics with a new model."""
    checks, rows = [CHECKS.empty_table()], []
    for review in reviews.values():
        named = {"build_id": build_id, "metric": review.metric, "model_version": review.version}
        compared = review.compared.assign(**named)[CHECKS.names].astype({"in_domain": bool})
        checks.append(pa.Table.from_pandas(compared, CHECKS, preserve_index=False))
        rows.append(
            named
            | review.drift._asdict()
            | {
                "new_measurements": review.changes.new,
                "compared": len(review.compared),
                "expected_outside": (1 - NOMINAL) * review.drift.configurations,
                "drifted": review.drifted,
                "refitted": review.metric in refitted,
                "reason": review.reason,
            }
        )
    append(con, "prediction_checks", pa.concat_tables(checks))
    append(con, "drift", pa.Table.from_pylist(rows, DRIFT))
