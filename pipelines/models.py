"""`benchmart models`: compare fitted models, choose which one serves, move their registry."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.errors import BenchmartError, InputError
from pipelines.published import connect_published
from pipelines.suggest import did_you_mean
from pipelines.tracking import ARTIFACTS, DATABASE, Tracker
from pipelines.warehouse import Warehouse

WIDTH = 250
SHOWN_VERSIONS = 5
FIGURES = {
    "rows": "{:.0f}",
    "median_ape": "{:.1f}",
    "coverage_90": "{:.3f}",
    "worst_hardware_coverage_90": "{:.3f}",
    "interval_score_90": "{:.3f}",
}
# columns of MLflow's database that hold addresses of artifacts
ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}


def compare(warehouse: Path, metric: str | None) -> pd.DataFrame:
    """Models trained for this and earlier builds, newest first, with who serves and who is pinned.

    Raises
    ------
    InputError
        For a metric that no build has learned.
    """
    with connect_published(warehouse) as con:
        found = con.sql("select * from analytics.model_comparison").df()
    if metric is not None:
        _known(metric, found["metric"])
        found = found[found["metric"] == metric]
    place = Warehouse(warehouse)
    serving, pins = place.manifest().get("serving", {}), place.pins()
    named = list(zip(found["metric"], found["model_version"], strict=True))
    found["serves"] = [serving.get(name) == version for name, version in named]
    found["pinned"] = [pins.get(name) == version for name, version in named]
    return found.sort_values(["metric", "build_id"], ascending=[True, False], ignore_index=True)


def print_comparison(found: pd.DataFrame) -> None:
    """The comparison for people."""
    table = Table(box=None, header_style="bold")
    for heading in ("metric", "version", "", *FIGURES, "build", "reason"):
        table.add_column(
            heading.replace("_", " "), justify="right" if heading in FIGURES else "left"
        )
    for row in found.to_dict("records"):
        marks = ", ".join(name for name in ("serves", "pinned") if row[name])
        figures = [form.format(row[name]) for name, form in FIGURES.items()]
        cells = [
            row["metric"],
            row["model_version"],
            marks,
            *figures,
            row["build_id"],
            row["reason"],
        ]
        table.add_row(*map(Text, cells))
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    console.print(table)


def promote(warehouse: Path, mlruns: Path, metric: str, version: str) -> None:
    """Let a registered version serve from the next build on, until it is released.

    Raises
    ------
    InputError
        For an unknown metric or version.
    BenchmartError
        For a version that cannot be loaded.
    BuildLocked
        When a build is running.
    """
    _known(metric, compare(warehouse, None)["metric"])
    tracker = _registry(mlruns)
    versions = tracker.versions(metric)
    if version not in versions:
        newest = ", ".join(versions[-SHOWN_VERSIONS:])
        raise InputError(f"{metric}: no version '{version}'; newest: {newest}")
    tracker.load(metric, version)
    place = Warehouse(warehouse)
    with place.locked():
        place.pin(metric, version)
        tracker.point("champion", metric, version)


def rollback(warehouse: Path, mlruns: Path, metric: str) -> str:
    """Promote the version that served before the one that the published build serves; returns it.

    Raises
    ------
    InputError
        For an unknown metric, or where no earlier version is known to have served.
    """
    found = compare(warehouse, metric)
    present = Warehouse(warehouse).manifest().get("serving", {}).get(metric)
    if present is None:
        raise InputError(
            f"{metric}: it is not known which version serves; promote one by its number"
        )
    served = {int(version) for version in found["serving_version"].dropna()}
    before = max((version for version in served if version < int(present)), default=None)
    if before is None:
        raise InputError(f"{metric}: no version served before version {present}")
    promote(warehouse, mlruns, metric, str(before))
    return str(before)


def release(warehouse: Path, mlruns: Path, metric: str) -> None:
    """Let builds choose the model of a metric again.

    Raises
    ------
    InputError
        For a metric that is not pinned.
    BuildLocked
        When a build is running.
    """
    place = Warehouse(warehouse)
    pins = place.pins()
    if metric not in pins:
        raise InputError(f"{metric}: no version is pinned{did_you_mean(metric, pins, 20)}")
    with place.locked():
        place.pin(metric, None)
        serving = place.manifest().get("serving", {}).get(metric)
        if serving is not None:
            _registry(mlruns).point("champion", metric, serving)


def relocate(mlruns: Path) -> int:
    """Make MLflow find its artifacts after `mlruns` was moved; returns how many addresses changed.

    MLflow keeps absolute addresses, and has no command to change them.

    Raises
    ------
    InputError
        Where there is no MLflow database.
    """
    database = _database(mlruns)
    here = (mlruns.resolve() / ARTIFACTS).as_uri()
    changed = 0
    try:
        with sqlite3.connect(database) as con:
            old = con.execute(
                "select distinct artifact_location from experiments where name like 'benchmart/%'"
            ).fetchall()
            for (root,) in old:
                if root == here:
                    continue
                for table, column in ADDRESSES.items():
                    # whole folders only: /a/artifacts is no part of /a/artifacts-old
                    changed += con.execute(
                        f"update {table} set {column} = ? || substr({column}, length(?) + 1)"
                        f" where {column} = ? or substr({column}, 1, length(?) + 1) = ? || '/'",
                        (here, root, root, root, root),
                    ).rowcount
    except sqlite3.Error as error:
        raise BenchmartError(f"{database}: {error}; nothing was changed") from None
    return changed


def _registry(mlruns: Path) -> Tracker:
    """The registry, if there is one: a mistyped directory does not become a new one."""
    _database(mlruns)
    return Tracker(mlruns)


def _database(mlruns: Path) -> Path:
    database = mlruns / DATABASE
    if not database.is_file():
        raise InputError(f"{database}: no MLflow database here")
    return database


def _known(metric: str, metrics: pd.Series) -> None:
    if metric not in set(metrics):
        raise InputError(f"no model of '{metric}'{did_you_mean(metric, metrics, 20)}")
