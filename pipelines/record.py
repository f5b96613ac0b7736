"""`benchmart record`: results come in, the warehouse learns from them, and says what changed."""

from __future__ import annotations

import csv
import hashlib
import sys
import tempfile
from pathlib import Path

import duckdb

from models_py.plan import CONFIGURATION
from pipelines.build import build
from pipelines.console import Reporter
from pipelines.errors import InputError
from pipelines.ingest import InputFile, land
from pipelines.objective import objective_metric
from pipelines.published import connect_published, metric_directions
from pipelines.readers import READERS, TABULAR, open_raw
from pipelines.recorded import what_changed, what_is_left
from pipelines.settings import Settings
from pipelines.sources.benchmart import REQUIRED
from pipelines.suggest import did_you_mean


def record(settings: Settings, results: Path, reporter: Reporter) -> dict | None:
    """Learn from a file of results on top of what is published, and publish all of it.

    Every metric of which something came is fitted anew. The file is kept in the warehouse: later builds
    read it too, also those that start from the raw files alone.

    Returns
    -------
    dict or None
        See `pipelines.recorded.what_changed`; `None` where the file was recorded before.

    Raises
    ------
    InputError
        For a file that cannot be read, or is none of results: nothing is recorded.
    """
    if not results.is_file():
        raise InputError(f"{results}: no such file")
    if results.suffix not in READERS:
        raise InputError(f"{results}: expected one of {', '.join(sorted(READERS))}")
    name = f"recorded/{results.stem}-{_digest(results)[:8]}{results.suffix}"
    if _is_recorded(settings.warehouse, name):
        return None
    with tempfile.TemporaryDirectory() as folder:
        with connect_published(settings.warehouse) as con:
            objective_metric(settings.objective, metric_directions(con), "--objective")
            before = what_is_left(con, settings)
            described = _described(con, results, Path(folder))
        _require_results(results, described)
        told = settings.model_copy(update={"raw": (), "retraining": _whatever_came(settings)})
        file = InputFile(name, described, _digest(described))
        build(told, False, reporter, file)
    with connect_published(settings.warehouse) as con:
        return what_changed(con, name, before, settings)


def _is_recorded(warehouse: Path, name: str) -> bool:
    with connect_published(warehouse) as con:
        query = "select count(*) from raw.files where file = ?"
        return con.execute(query, [name]).fetchall()[0][0] > 0


def _whatever_came(settings: Settings):
    """A policy of retraining under which every row counts."""
    return settings.retraining.model_copy(update={"always_below": sys.maxsize})


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _require_results(results: Path, described: Path) -> None:
    """Read the file once into memory: what is no table of results ends here."""
    with duckdb.connect() as con:
        land(con, [InputFile(str(results), described, "")])
        runs = con.sql("select coalesce(sum(runs_read), 0) from raw.files").fetchall()[0][0]
    if not runs:
        needed = ", ".join(REQUIRED)
        raise InputError(
            f"{results}: no table of results; needed are {needed} or config_id, and metrics"
        )


def _described(con: duckdb.DuckDBPyConnection, results: Path, folder: Path) -> Path:
    """The file, or for results that name their configurations by `config_id` alone, a described one."""
    if results.suffix not in TABULAR:
        return results
    (table,) = open_raw(results, str(results)).tables
    if "config_id" not in table.columns or set(REQUIRED) <= set(table.columns):
        return results
    known = _known_configurations(con)
    columns = list(dict.fromkeys([*table.columns, *CONFIGURATION]))
    described = (folder / results.name).with_suffix(".csv")
    with described.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        for row in table.rows:
            config_id = (row.payload.get("config_id") or "").strip()
            if config_id not in known:
                raise InputError(
                    f"{results}: line {row.line}, column config_id: no configuration is called"
                    f" '{config_id}'{did_you_mean(config_id, known)}"
                )
            writer.writerow(known[config_id] | row.payload)
    return described


def _known_configurations(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, object]]:
    """What was measured, failed or may be run, by its `config_id`."""
    names = ", ".join(CONFIGURATION)
    rows = con.sql(
        f"select config_id, {names} from features.configurations"
        f" union all select config_id, {names} from features.feasibility_features where not ran"
    ).fetchall()
    return {key: dict(zip(CONFIGURATION, row, strict=True)) for key, *row in rows}
