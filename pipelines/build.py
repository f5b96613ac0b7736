"""`benchmart build`: raw files in, published tables out, all or nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.attempt import Journal
from pipelines.console import Reporter
from pipelines.digest import sha256
from pipelines.errors import BenchmartError
from pipelines.facts import BuildFacts
from pipelines.fingerprint import fingerprint_of, recipe_of
from pipelines.ingest import InputFile, find_files
from pipelines.published import why_damaged
from pipelines.settings import Settings
from pipelines.warehouse import DATABASE, MANIFEST, STAGING, Warehouse, read_manifest

if TYPE_CHECKING:
    from pipelines.learn import Learned


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
        files = input_files(settings, warehouse, results)
        read = {file.name: file.hash for file in files}
        base = _intact(warehouse, results is not None, reporter)
        if results is not None:
            # on top of what is published: the next build from the same raw files has nothing to do
            read = (read_manifest(base).get("files", {}) if base else {}) | read
        fingerprint = fingerprint_of(read, settings, warehouse.pins())
        unchanged = base == warehouse.published and not full_refresh
        if unchanged and (same := built_before(warehouse, fingerprint)):
            reporter.say(f"nothing changed since build {same}")
            warehouse.clear_staging()  # its note goes with this attempt's
            return
        # what learns takes a second to load, for builds with news alone
        from pipelines.engine import engine_of
        from pipelines.gate import audit
        from pipelines.rollback import point_aliases, warned_of
        from pipelines.stages import run_stages
        from pipelines.tracking import Tracker

        with engine_of(settings) as engine:
            staging = warehouse.stage()
            journal.in_staging(staging)
            build_id, recipe = staging.name.removesuffix(STAGING), recipe_of(settings)
            tracker = cache(partial(Tracker, settings.mlruns))
            facts = BuildFacts(build_id, datetime.now(UTC), fingerprint, recipe)
            learned = run_stages(
                _learning_all(settings) if results else settings,
                files,
                facts,
                None if full_refresh else base,
                staging,
                tracker,
                reporter,
                engine,
            )
        with reporter.stage("audit"):
            audit(staging, base, settings.gate, accept_shrinkage)
        _write_manifest(staging, facts, read, learned)
        if results is not None:
            warehouse.keep(results.path, results.name)
        warehouse.publish(staging, settings.keep_builds)
        with warned_of(reporter):
            point_aliases(tracker(), learned.challengers, learned.serving)


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


def built_before(warehouse: Warehouse, fingerprint: str) -> str | None:
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


def input_files(
    settings: Settings, warehouse: Warehouse, results: InputFile | None = None
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
