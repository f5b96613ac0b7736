"""Everything between an empty staging directory and a finished build."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pipelines.build_row import append_build, complete_build
from pipelines.champions import find_champions
from pipelines.console import Reporter
from pipelines.curves import load_curves
from pipelines.dbt import Dbt
from pipelines.engine import Engine
from pipelines.errors import InputError
from pipelines.exports import FOLDER, export_tables
from pipelines.facts import BuildFacts
from pipelines.ingest import InputFile, Landing, land
from pipelines.learn import Learned, learn
from pipelines.memory import of_marts, of_tables
from pipelines.published import connect
from pipelines.report import write_report
from pipelines.settings import Settings
from pipelines.tracking import Tracker
from pipelines.warehouse import DATABASE, REPORT, Warehouse

LINEAGE = "lineage.html"
NODES = "tables built and tested"
UPSTREAM = ("+path:models/marts/core", "+path:models/marts/features")
DOWNSTREAM = ("diagnostic_rules", "path:models/marts/analytics", "path:tests")


def land_files(dbt: Dbt, files: Sequence[InputFile], reporter: Reporter) -> Landing:
    """Land the files.

    Raises
    ------
    InputError
        Where nothing is in them.
    """
    with reporter.stage("landing"), connect(dbt.database, memory=dbt.memory) as con:
        landing = land(con, files)
    for warning in landing.warnings:
        reporter.say(f"warning: {warning}")
    if not (landing.loaded or landing.unchanged):
        raise InputError(f"{'; '.join(landing.warnings)}: nothing to build from")
    return landing


def build_marts(dbt: Dbt, reporter: Reporter) -> None:
    """Build everything that the models read: `core` and `features`."""
    with reporter.stage("core and features"), reporter.counting(NODES) as count:
        dbt.build(UPSTREAM, count)


def run_stages(
    settings: Settings,
    files: Sequence[InputFile],
    facts: BuildFacts,
    previous: Path | None,
    staging: Path,
    tracker: Callable[[], Tracker],
    reporter: Reporter,
    engine: Engine,
) -> Learned:
    """Land, build, learn and write every table.

    Parameters
    ----------
    previous
        Directory of the build to go on from, `None` to start afresh.
    tracker
        Makes it when first called, which takes seconds: bad input is told before.
    """
    database = staging / DATABASE
    dbt = Dbt(staging, settings.warehouse / "dbt", of_marts(settings.limit_memory))
    connected = partial(connect, database, memory=of_tables(settings.limit_memory))
    warehouse = Warehouse(settings.warehouse)
    pins = {
        metric: version for metric, version in warehouse.pins().items() if metric in settings.wanted
    }
    if previous:
        shutil.copyfile(previous / DATABASE, database)
    with connected() as con:
        load_curves(con, warehouse.curves)
    landing = land_files(dbt, files, reporter)
    with reporter.stage("champions"):
        champions = find_champions(previous, pins, tracker())
    build_marts(dbt, reporter)
    with connected() as con:
        models = staging / "models"
        learned = learn(con, settings, models, champions, facts, tracker(), reporter, engine)
        append_build(con, settings, facts, files, learned, [*landing.warnings, *learned.warnings])
    with reporter.stage("analytics"):
        with reporter.counting(NODES) as count:
            dbt.build(DOWNSTREAM, count)
        dbt.write_lineage(staging / LINEAGE)
    with connected() as con:
        complete_build(con, facts.build_id, reporter.seconds)
        if settings.exports:
            with reporter.stage("exports"):
                export_tables(con, staging / FOLDER)
        if settings.report:
            with reporter.stage("report"):
                write_report(con, settings.objective, staging / REPORT, True)
        con.execute("checkpoint")
    for warning in learned.warnings:
        reporter.say(f"warning: {warning}")
    return learned
