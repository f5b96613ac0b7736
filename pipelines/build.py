"""`benchmart build`: raw files in, published tables out, all or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.attempt import Journal
from pipelines.build_row import append_build, complete_build
from pipelines.champions import find_champions
from pipelines.console import Reporter
from pipelines.curves import load_curves
from pipelines.dbt import Dbt
from pipelines.digest import sha256
from pipelines.errors import BenchmartError, InputError
from pipelines.exports import FOLDER, export_tables
from pipelines.facts import BuildFacts
from pipelines.gate import audit
from pipelines.ingest import InputFile, Landing, find_files, land
from pipelines.learn import Learned, learn
from pipelines.published import connect, why_damaged
from pipelines.rollback import point_aliases, warned_of
from pipelines.settings import PROJECT, Settings
from pipelines.tracking import Tracker
from pipelines.warehouse import DATABASE, MANIFEST, STAGING, Warehouse, read_manifest

LINEAGE = "lineage.html"
UPSTREAM = ("+path:models/marts/core", "+path:models/marts/features")
DOWNSTREAM = ("path:models/marts/analytics", "path:tests")


def build(
    settings: Settings,
    full_refresh: bool,
    reporter: Reporter,
    results: InputFile | None = None,
    accept_shrinkage: bool = False,
) -> None:
    """Build and publish; returns at once when nothing changed since the published build.

    Parameters
    ----------
    results
        A file to record: it is kept in the warehouse, and all later builds read it too.
    accept_shrinkage
        Fewer measurements than before are meant; see `pipelines.gate`.

    Raises
    ------
    InputError
        For bad input; nothing is published, nor recorded.
    BuildLocked
        When another build is running.
    BenchmartError
        For a build that does not pass the gate: it is left in staging.
    """
    warehouse = Warehouse(settings.warehouse)
    with warehouse.locked(), Journal(warehouse).kept() as journal:
        reporter.entered = journal.enter
        files = _input_files(settings, warehouse, results)
        read = {file.name: file.hash for file in files}
        base = _intact(warehouse, results is not None, reporter)
        if results is not None:
            # on top of what is published: the next build from the same raw files has nothing to do
            read = (read_manifest(base).get("files", {}) if base else {}) | read
        fingerprint = _fingerprint(read, settings, warehouse.pins())
        unchanged = base == warehouse.published and not full_refresh
        if unchanged and (same := _built_before(warehouse, fingerprint)):
            reporter.say(f"nothing changed since build {same}")
            warehouse.clear_staging()  # its note goes with this attempt's
            return
        staging = warehouse.stage()
        journal.in_staging(staging)
        facts = BuildFacts(
            staging.name.removesuffix(STAGING), datetime.now(UTC), fingerprint, _recipe(settings)
        )
        tracker = Tracker(settings.mlruns)
        learned = _run_stages(
            _learning_all(settings) if results else settings,
            files,
            facts,
            None if full_refresh else base,
            staging,
            tracker,
            reporter,
        )
        with reporter.stage("audit"):
            audit(staging, base, settings.gate, accept_shrinkage)
        _write_manifest(staging, facts, read, learned)
        if results is not None:
            warehouse.keep(results.path, results.name)
        warehouse.publish(staging, settings.keep_builds)
        with warned_of(reporter):
            point_aliases(tracker, learned.challengers, learned.serving)


def _intact(warehouse: Warehouse, recording: bool, reporter: Reporter) -> Path | None:
    """The published build if it is as it was published, else the newest kept one that is."""
    published = warehouse.published
    damage = why_damaged(published) if published else None
    if damage is None:
        return published
    kept = [each for each in warehouse.finished() if each.name not in warehouse.rolled_back()]
    base = next((build for build in reversed(kept) if not why_damaged(build)), None)
    if base is None and recording:
        raise BenchmartError(f"{damage}; run `benchmart build` before you record")
    source = f"build {base.name}" if base else "the raw files alone"
    reporter.say(f"warning: {damage}; building from {source}")
    return base


def _built_before(warehouse: Warehouse, fingerprint: str) -> str | None:
    """The published build, or one that was rolled back, that is made of the same; None without one."""
    published = warehouse.published
    if published is None:
        return None
    if warehouse.manifest().get("fingerprint") == fingerprint:
        return published.name
    for build in warehouse.finished():
        made_of = read_manifest(build).get("fingerprint")
        if made_of == fingerprint and build.name in warehouse.rolled_back():
            return f"{build.name}, which was rolled back (--full-refresh builds it anew)"
    return None


def _write_manifest(
    staging: Path, facts: BuildFacts, read: Mapping[str, str], learned: Learned
) -> None:
    manifest = {
        "build_id": facts.build_id,
        "fingerprint": facts.fingerprint,
        "database": sha256(staging / DATABASE),
        "files": read,
        "serving": learned.serving,
        "fits": {metric: fit.to_dict() for metric, fit in learned.fits.items()},
    }
    (staging / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def _input_files(
    settings: Settings, warehouse: Warehouse, results: InputFile | None
) -> list[InputFile]:
    """Raw files, what was recorded, and what is to be."""
    recorded = (warehouse.recorded,) if warehouse.has_recorded else ()
    files = find_files((*settings.raw, *recorded)) if settings.raw or recorded else []
    if results is not None and results.name not in {file.name for file in files}:
        files.append(results)
    return files


def _learning_all(settings: Settings) -> Settings:
    """Settings under which a single new row is enough to fit a model anew."""
    whatever_came = settings.retraining.model_copy(update={"always_below": sys.maxsize})
    return settings.model_copy(update={"retraining": whatever_came})


def build_marts(dbt: Dbt, files: Sequence[InputFile], reporter: Reporter) -> Landing:
    """Land the files and build everything that the models read: `core` and `features`."""
    with reporter.stage("landing"), connect(dbt.database) as con:
        landing = land(con, files)
    for warning in landing.warnings:
        reporter.say(f"warning: {warning}")
    if not (landing.loaded or landing.unchanged):
        raise InputError(f"{'; '.join(landing.warnings)}: nothing to build from")
    with reporter.stage("core and features"):
        dbt.build(UPSTREAM)
    return landing


def _run_stages(
    settings: Settings,
    files: Sequence[InputFile],
    facts: BuildFacts,
    previous: Path | None,
    staging: Path,
    tracker: Tracker,
    reporter: Reporter,
) -> Learned:
    """Everything between an empty staging directory and a finished one."""
    database = staging / DATABASE
    dbt = Dbt(staging, settings.warehouse / "dbt")
    warehouse = Warehouse(settings.warehouse)
    pins = {
        metric: version for metric, version in warehouse.pins().items() if metric in settings.wanted
    }
    champions = find_champions(previous, pins, tracker)
    if previous:
        shutil.copyfile(previous / DATABASE, database)
    with connect(database) as con:
        load_curves(con, warehouse.curves)
    landing = build_marts(dbt, files, reporter)
    with connect(database) as con:
        learned = learn(con, settings, staging / "models", champions, facts, tracker, reporter)
        append_build(con, settings, facts, files, learned, [*landing.warnings, *learned.warnings])
    with reporter.stage("analytics"):
        dbt.build(DOWNSTREAM)
        dbt.write_lineage(staging / LINEAGE)
    with connect(database) as con:
        complete_build(con, facts.build_id, reporter.seconds)
        if settings.exports:
            with reporter.stage("exports"):
                export_tables(con, staging / FOLDER)
        con.execute("checkpoint")
    for warning in learned.warnings:
        reporter.say(f"warning: {warning}")
    return learned


def _fingerprint(files: Mapping[str, str], settings: Settings, pins: Mapping[str, str]) -> str:
    """Two builds of one fingerprint, after the same builds, hold the same tables."""
    digest = hashlib.sha256(json.dumps([pins, files], sort_keys=True).encode())
    elsewhere = {"raw", "warehouse", "mlruns", "keep_builds", "threads", "budget", "plan_depth"}
    elsewhere |= {"gate"}  # asked of a build that is there
    elsewhere |= {"minutes_per_test"}  # asked for after a build
    told = settings.model_dump(mode="json", exclude=elsewhere)
    for path in Warehouse(settings.warehouse).curves:
        digest.update(path.read_bytes())
    told["depth"] = max(settings.budget, settings.plan_depth)
    digest.update(json.dumps(told, sort_keys=True).encode())
    _digest_code(digest, "models_py", "pipelines", "dbt_project")
    return digest.hexdigest()


def _recipe(settings: Settings) -> str:
    """Models of one recipe, fitted to the same raw rows, are the same."""
    digest = hashlib.sha256(str(settings.seed).encode())
    _digest_code(digest, "models_py", "dbt_project")
    return digest.hexdigest()


def _digest_code(digest: hashlib._Hash, *folders: str) -> None:
    for folder in folders:
        for path in sorted((PROJECT / folder).rglob("*")):
            if path.suffix in {".py", ".sql", ".yml", ".csv"} and "target" not in path.parts:
                digest.update(path.read_bytes())
