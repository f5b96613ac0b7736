"""What recorded results changed: as facts, and in words."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from models_py.objectives import main_metric, short_name
from models_py.odds import odds
from pipelines.published import records
from pipelines.settings import Settings

SHOWN = 3
NEWEST = "build_id = (select max(build_id) from analytics.builds)"


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
    return {
        "file": file,
        "objective": objective,
        **_brought(con, file),
        **_follows(con, objective, settings.budget),
        "left_before": before._asdict(),
        "left": what_is_left(con, settings)._asdict(),
    }


def _brought(con: duckdb.DuckDBPyConnection, file: str) -> dict:
    """Rows of the file, and what they say of the models."""
    (rows,) = records(
        con,
        "select rows_read, rows_accepted, rows_failed_runs, rows_rejected, rows_duplicate"
        f" from analytics.data_quality where {NEWEST} and file = ?",
        [file],
    )
    rejected = records(
        con,
        "select line, reason from analytics.rejected_measurements where file = ? order by line",
        [file],
    )
    learned = records(
        con,
        "select metric, new_measurements, configurations, outside, refitted, drift.reason,"
        " is_champion, fitted.reason as verdict from analytics.drift"
        " left join analytics.model_comparison as fitted using (build_id, metric)"
        f" where {NEWEST} and new_measurements > 0 order by metric",
    )
    surprises = records(
        con,
        "select metric, configuration, actual, p05, p95, unit from analytics.prediction_checks"
        f" where {NEWEST} and not covered order by abs(ln(ratio)) desc",
    )
    return {**rows, "rejected": rejected, "learned": learned, "surprises": surprises}


def _follows(con: duckdb.DuckDBPyConnection, objective: str, budget: int) -> dict:
    """What it changed of the recommendations and of the plan."""
    moved = records(
        con,
        "select workload, previous_platform, previous_prob_best, platform, prob_best, regret_avoided"
        f" from analytics.recommendation_changes where {NEWEST} and objective = ?"
        " order by regret_avoided desc nulls first",
        [objective],
    )
    planned = con.execute(
        f"select tests from analytics.strategy_rewards where {NEWEST} and objective = ?",
        [objective],
    ).fetchall()
    (ahead,) = records(
        con,
        "select count(*) as tests, coalesce(sum(variance_removed), 0) as variance_removed,"
        " coalesce(sum(regret_removed), 0) as regret_removed,"
        " (select count(distinct workload_id) from ml.hardware_options where objective = $objective)"
        " as workloads"
        " from ml.scored_candidates where objective = $objective and batch_order <= $budget",
        {"objective": objective, "budget": budget},
    )
    return {
        "planned": planned[0][0] if planned else 0,
        "recommendations_moved": moved,
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
        f" {found['planned']} configurations were in the plan of the build before"
    ]
    return lines + [
        f"  line {row['line']} of {found['file']} rejected: {row['reason']}"
        for row in found["rejected"][:SHOWN]
    ]


def _learned(found: dict) -> list[str]:
    lines = []
    for row in found["learned"]:
        inside = row["configurations"] - row["outside"]
        line = f"{row['metric']}: {row['new_measurements']} new measurements"
        if row["configurations"]:
            line += (
                f", {inside} of {row['configurations']} configurations inside their 90 % interval"
            )
        else:
            line += ", none where an interval had been promised"
        if row["refitted"]:
            line += f"; fitted anew: {row['reason']}"
        if row["is_champion"] is False:
            line += f"; yet the model from before serves on: {row['verdict']}"
        lines.append(line)
    for row in found["surprises"][:SHOWN]:
        lines.append(
            f"  a surprise: {row['configuration']} has {row['metric']} {row['actual']:.4g}"
            f" {row['unit']}, where {row['p05']:.4g} to {row['p95']:.4g} had been predicted"
        )
    return lines or ["no metric that had been predicted before was measured"]


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
            f"  {row['workload']}: now {row['platform']} ({odds(row['prob_best'])} the best),"
            f" before {row['previous_platform']}, {worth}"
        )
    if len(moved) > SHOWN:
        lines.append(f"  and {len(moved) - SHOWN} more: analytics.recommendation_changes")
    return lines


def _ahead(found: dict) -> list[str]:
    now, before, ahead = found["left"], found["left_before"], found["next_tests"]
    lines = [f"left: expected regret {_percent(now['regret'], before['regret'])}"]
    if now["deviation"] is None:
        return [*lines, "every candidate is measured"]
    lines[0] += (
        f", uncertainty of what was not measured {_percent(now['deviation'], before['deviation'])}"
    )
    regret = ahead["regret_removed"] / ahead["workloads"]
    return [
        *lines,
        f"the next {ahead['tests']} tests are expected to remove"
        f" {100 * ahead['variance_removed']:.2g} % of that variance, and regret of"
        f" {100 * regret:.2g} %: benchmart integrate --budget {ahead['tests']}",
    ]


def _percent(now: float, before: float | None) -> str:
    was = "" if before is None else f" (was {100 * before:.2g} %)"
    return f"{100 * now:.2g} %{was}"
