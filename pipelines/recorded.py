"""What recorded results changed: as facts, and in words."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from models_py.objectives import main_metric, short_name
from pipelines.published import records
from pipelines.settings import Settings

SHOWN = 3


class Left(NamedTuple):
    """What is not known yet.

    Attributes
    ----------
    regret
        Expected regret of the recommendations, as a share, mean over workloads.
    deviation
        Epistemic standard deviation of what was not measured, of the logarithm; root of the mean square.
    """

    regret: float
    deviation: float


def what_is_left(con: duckdb.DuckDBPyConnection, settings: Settings) -> Left:
    """Of the objective."""
    return Left(
        *con.execute(
            "select (select avg(expected_regret) from ml.hardware_options"
            " where metric = $metric and rank = 1),"
            " (select sqrt(avg(epistemic ** 2)) from ml.predictions"
            " where metric = $metric and measured_value is null)",
            {"metric": main_metric(settings.objective)},
        ).fetchall()[0]
    )


def what_changed(
    con: duckdb.DuckDBPyConnection, file: str, before: Left, settings: Settings
) -> dict:
    """Facts of the build that recorded a file, against the one before it."""
    objective = short_name(main_metric(settings.objective))
    newest = "build_id = (select max(build_id) from analytics.builds)"
    (rows,) = records(
        con,
        "select rows_read, rows_accepted, rows_failed_runs, rows_rejected, rows_duplicate"
        f" from analytics.data_quality where {newest} and file = ?",
        [file],
    )
    rejected = records(
        con,
        "select line, reason from analytics.rejected_measurements where file = ? order by line",
        [file],
    )
    learned = records(
        con,
        "select metric, new_measurements, configurations, outside, refitted, reason"
        f" from analytics.drift where {newest} and new_measurements > 0 order by metric",
    )
    surprises = records(
        con,
        "select metric, configuration, actual, p05, p95, unit from analytics.prediction_checks"
        f" where {newest} and not covered order by abs(ln(ratio)) desc",
    )
    moved = records(
        con,
        "select workload, previous_platform, previous_prob_best, platform, prob_best, regret_avoided"
        f" from analytics.recommendation_changes where {newest} and objective = ?"
        " order by regret_avoided desc nulls first",
        [objective],
    )
    planned = con.execute(
        f"select tests from analytics.strategy_rewards where {newest} and objective = ?",
        [objective],
    ).fetchall()
    (ahead,) = records(
        con,
        "select count(*) as tests, coalesce(sum(variance_removed), 0) as variance_removed,"
        " coalesce(sum(regret_removed), 0) as regret_removed,"
        " (select count(distinct workload_id) from ml.hardware_options where objective = $objective)"
        " as workloads"
        " from ml.scored_candidates where objective = $objective and batch_order <= $budget",
        {"objective": objective, "budget": settings.budget},
    )
    return {
        "file": file,
        "objective": objective,
        **rows,
        "planned": planned[0][0] if planned else 0,
        "rejected": rejected,
        "learned": learned,
        "surprises": surprises,
        "recommendations_moved": moved,
        "left_before": before._asdict(),
        "left": what_is_left(con, settings)._asdict(),
        "next_tests": ahead,
    }


def in_words(found: dict) -> list[str]:
    """The facts, a line each."""
    return [
        *_came(found),
        *_learned(found),
        *_moved(found),
        *_ahead(found),
    ]


def _came(found: dict) -> list[str]:
    ran = found["rows_accepted"] - found["rows_failed_runs"]
    lines = [
        f"{found['rows_read']} results: {ran} measured, {found['rows_failed_runs']} failed runs,"
        f" {found['rows_rejected']} rejected, {found['rows_duplicate']} known before;"
        f" {found['planned']} of them were in the plan"
    ]
    return lines + [
        f"  line {row['line']} rejected: {row['reason']}" for row in found["rejected"][:SHOWN]
    ]


def _learned(found: dict) -> list[str]:
    lines = []
    for row in found["learned"]:
        what = f"fitted anew: {row['reason']}" if row["refitted"] else f"kept: {row['reason']}"
        inside = row["configurations"] - row["outside"]
        lines.append(
            f"{row['metric']}: {inside} of {row['configurations']} newly measured configurations were"
            f" inside the 90 % interval that had been predicted; {what}"
        )
    for row in found["surprises"][:SHOWN]:
        lines.append(
            f"  a surprise: {row['configuration']} has {row['metric']} {row['actual']:.4g}"
            f" {row['unit']}, where {row['p05']:.4g} to {row['p95']:.4g} had been predicted"
        )
    return lines or ["nothing to learn: no metric of a model was measured anew"]


def _moved(found: dict) -> list[str]:
    moved = found["recommendations_moved"]
    total = found["next_tests"]["workloads"]
    lines = [
        f"recommended hardware for {found['objective']}: moved for {len(moved)} of {total} workloads"
    ]
    for row in moved[:SHOWN]:
        worth = (
            "which is not expected to run any more"
            if row["regret_avoided"] is None
            else f"{100 * row['regret_avoided']:.2g} % worse by what is known now"
        )
        lines.append(
            f"  {row['workload']}: now {row['platform']} ({100 * row['prob_best']:.0f} % the best),"
            f" before {row['previous_platform']}, {worth}"
        )
    if len(moved) > SHOWN:
        lines.append(f"  and {len(moved) - SHOWN} more: analytics.recommendation_changes")
    return lines


def _ahead(found: dict) -> list[str]:
    now, before, ahead = found["left"], found["left_before"], found["next_tests"]
    lines = [
        f"left: expected regret {100 * now['regret']:.2g} % (was {100 * before['regret']:.2g} %)"
    ]
    if now["deviation"] is None:
        return [*lines, "every candidate is measured"]
    was = "" if before["deviation"] is None else f" (was {100 * before['deviation']:.2g} %)"
    lines[0] += f", uncertainty of what was not measured {100 * now['deviation']:.2g} %{was}"
    regret = ahead["regret_removed"] / ahead["workloads"]
    return [
        *lines,
        f"the next {ahead['tests']} tests are expected to remove"
        f" {100 * ahead['variance_removed']:.2g} % of that variance, and regret of"
        f" {100 * regret:.2g} %: benchmart integrate --budget {ahead['tests']}",
    ]
