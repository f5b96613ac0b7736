"""What a warehouse has to say at a glance: for `build` and `status`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from models_py.objectives import main_metric, short_name
from pipelines.attempt import Attempt, last_attempt
from pipelines.errors import InputError
from pipelines.published import connect_published, records
from pipelines.terminal import printable
from pipelines.warehouse import DATABASE, REPORT, Warehouse

SHOWN_TESTS = 5


def overview(warehouse: Path, objective: str, budget: int) -> dict:
    """Facts of the published build and of the attempt after it, as plain values.

    Raises
    ------
    InputError
        Where nothing is published, saying what became of the last attempt.
    """
    attempt = last_attempt(Warehouse(warehouse))
    if attempt and Warehouse(warehouse).published is None:
        raise InputError(f"{warehouse}: no published build here; {_attempted(_facts(attempt))}")
    with connect_published(warehouse) as con:
        rows = records(
            con,
            "select build_id, started_at::varchar as started_at, raw_files, raw_rows, metrics,"
            " refused, warnings from analytics.builds order by build_id desc limit 1",
        )
        quality = records(
            con,
            "select source, count(*) as files, sum(rows_read)::bigint as rows_read,"
            " sum(rows_accepted)::bigint as rows_accepted,"
            " sum(rows_rejected)::bigint as rows_rejected,"
            " sum(rows_duplicate)::bigint as rows_duplicate,"
            " coalesce(any_value(failed.runs), 0) as runs_failed"
            " from analytics.data_quality left join ("
            "select source, count(*) as runs from core.runs where status != 'ok' group by all"
            ") as failed using (source)"
            " where build_id = (select max(build_id) from analytics.builds)"
            " group by all order by source",
        )
        tests = records(
            con,
            "select rank, configuration, recommended_hardware, combined_score, reason"
            " from analytics.combined_rankings where objective = ? and rank <= ? order by rank",
            [short_name(main_metric(objective)), budget],
        )
        calibration = records(
            con,
            "select metric, coverage, n from analytics.calibration"
            " where group_kind = 'overall' and nominal = 0.9 order by metric",
        )
        drift = records(
            con,
            "select metric, new_measurements, configurations, outside, median_ratio, drifted,"
            " refitted, reason from analytics.drift"
            " where build_id = (select max(build_id) from analytics.builds)"
            " and new_measurements > 0 order by metric",
        )
        diagnostics = records(
            con,
            "select symptom, diagnostic, finding, advice from analytics.diagnostics"
            " where objective = ? and raised order by place",
            [short_name(main_metric(objective))],
        )
    current = Warehouse(warehouse).current
    return {
        **rows[0],
        "kept_builds": [build.name for build in Warehouse(warehouse).finished()],
        "before": _before(Warehouse(warehouse)),
        "attempt": attempt and _facts(attempt),
        "database": str(current / DATABASE),
        "report": str(current / REPORT) if (current / REPORT).is_file() else None,
        "objective": objective,
        "data_quality": quality,
        "calibration": calibration,
        "drift": drift,
        "diagnostics": diagnostics,
        "next_tests": tests,
    }


def _before(warehouse: Warehouse) -> str | None:
    """What a rollback would publish."""
    try:
        return warehouse.earlier().name
    except InputError:
        return None


def print_overview(found: dict) -> None:
    """The overview for people."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(_text(f"Build {found['build_id']}: {found['raw_files']} files"))
    if found["attempt"]:
        console.print(_text(f"  {_attempted(found['attempt'])}"))
    if found["before"]:
        console.print(_text(f"  `benchmart rollback` would publish {found['before']} again"))
    for entry in found["data_quality"]:
        console.print(
            _text(
                f"  {entry['source']}: {entry['rows_read']} runs = {entry['rows_accepted']} accepted"
                f" + {entry['rows_rejected']} rejected + {entry['rows_duplicate']} duplicate;"
                f" {entry['runs_failed']} of them out of memory or failed"
            )
        )
    for entry in found["calibration"]:
        console.print(
            _text(
                f"  {entry['metric']}: 90 % intervals cover {100 * entry['coverage']:.1f} %"
                f" of {entry['n']} held-out rows"
            )
        )
    for entry in found["drift"]:
        decision = f"fitted anew, {entry['reason']}" if entry["refitted"] else "still right"
        console.print(
            _text(
                f"  {entry['metric']}: {entry['outside']} of {entry['configurations']} newly measured"
                f" configurations outside of the interval predicted before: {decision}"
            )
        )
    for metric, reason in found["refused"].items():
        console.print(_text(f"  {metric}: not learned, {reason}"))
    for entry in found["diagnostics"]:
        console.print(_text(f"  {entry['symptom']}: {entry['finding']}"))
        console.print(_text(f"     {entry['advice']}"))
    shown = found["next_tests"][:SHOWN_TESTS]
    console.print(_text(f"Next {len(shown)} tests for {found['objective']}"))
    for test in shown:
        console.print(_text(f"  {test['rank']}. {test['configuration']}"))
        console.print(_text(f"     {test['reason']}"))
    console.print(_text(f"Tables: schema analytics of {found['database']} (open it read-only)"))
    if found["report"]:
        console.print(_text(f"Page: {found['report']}"))
    if shown:
        console.print(
            "Then: benchmart integrate --output plan.json, run its tests, benchmart record results.csv"
        )


def _facts(attempt: Attempt) -> dict:
    return {"state": attempt.state, **asdict(attempt)}


def _attempted(found: dict) -> str:
    since, stage = found["started_at"], found["stage"]
    where = f"; see {found['staging']}" if found["staging"] else ""
    match found["state"]:
        case "failed":
            return f"a build failed at {found['failed_at']} in stage {stage}: {found['error']}"
        case "killed":
            return f"a build that started {since} was killed in stage {stage}{where}"
        case "building":
            return f"a build is running since {since}, in stage {stage}"
    return f"a build started {since} on {found['host']}, last seen in stage {stage}"


def _text(words: str) -> Text:
    """Words from data: no markup, nothing that a terminal would obey."""
    return Text(printable(words))
