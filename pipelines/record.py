"""`benchmart record`: results come in, the warehouse learns from them, and says what changed."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from models_py.plan import CONFIGURATION
from pipelines.build import build
from pipelines.console import Reporter
from pipelines.digest import sha256
from pipelines.errors import InputError
from pipelines.ingest import InputFile, land
from pipelines.objective import objective_metric
from pipelines.plan_file import tests_of
from pipelines.published import connect_published, metric_directions
from pipelines.readers import TABULAR, open_raw
from pipelines.readers.tables import PROBLEM
from pipelines.recorded import what_changed, what_is_left
from pipelines.settings import Settings
from pipelines.sources.benchmart import REQUIRED
from pipelines.suggest import did_you_mean

Known = Mapping[str, Mapping[str, object]]


def record(settings: Settings, results: Path, plan: Path | None, reporter: Reporter) -> dict | None:
    """Learn from a file of results on top of what is published, and publish all of it.

    Every metric of which something came is fitted anew. The file is kept in the warehouse: later builds
    read it too, also those that start from the raw files alone.

    Parameters
    ----------
    results
        A table in the native format, in which rows may name their configuration by `config_id` alone.
    plan
        A plan that describes them, for what the published build does not know.

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
    if results.suffix not in TABULAR:
        raise InputError(f"{results}: expected one of {', '.join(TABULAR)}")
    with tempfile.TemporaryDirectory() as folder:
        # what is learned is what is kept, also where somebody goes on writing
        copy = Path(shutil.copy(results, folder))
        stem = f"{results.stem.lstrip('.')}-{sha256(copy)[:8]}"
        with connect_published(settings.warehouse) as con:
            objective_metric(settings.objective, metric_directions(con), "--objective")
            if _is_recorded(con, stem):
                return None
            before = what_is_left(con, settings)
            known = _known_configurations(con) | _planned(plan)
        described = _described(copy, results, known)
        _require_results(described, results)
        file = InputFile(f"recorded/{stem}{described.suffix}", described, sha256(described))
        build(settings.model_copy(update={"raw": ()}), False, reporter, file)
    with connect_published(settings.warehouse) as con:
        if not _is_recorded(con, stem):
            raise InputError(
                f"{results}: recorded in a build that was rolled back; change the file"
            )
        return what_changed(con, file.name, before, settings)


def _is_recorded(con: duckdb.DuckDBPyConnection, stem: str) -> bool:
    query = "select count(*) from raw.files where starts_with(file, ?)"
    return con.execute(query, [f"recorded/{stem}."]).fetchall()[0][0] > 0


def _known_configurations(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, object]]:
    """What was measured, failed or may be run, by its `config_id`."""
    names = ", ".join(CONFIGURATION)
    rows = con.sql(
        f"select config_id, {names} from features.configurations"
        f" union all select config_id, {names} from features.feasibility_features where not ran"
    ).fetchall()
    return {key: dict(zip(CONFIGURATION, row, strict=True)) for key, *row in rows}


def _planned(plan: Path | None) -> dict[str, dict[str, object]]:
    tests = tests_of(plan) if plan else []
    return {test["config_id"]: {name: test.get(name) for name in CONFIGURATION} for test in tests}


def _described(copy: Path, results: Path, known: Known) -> Path:
    """The copy; or, where rows name their configuration by `config_id` alone, a described one."""
    (table,) = open_raw(copy, str(results)).tables
    if "config_id" not in table.columns:
        return copy
    columns = list(dict.fromkeys([*table.columns, *CONFIGURATION]))
    described = copy.with_name("described.csv")
    with described.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        for row in table.rows:
            where = f"{results}: line {row.line}"
            if PROBLEM in row.payload:
                raise InputError(f"{where}: {row.payload[PROBLEM]}")
            stated = {name: cell for name, cell in row.payload.items() if cell.strip()}
            writer.writerow(_whole(stated, known, where))
    return described


def _whole(stated: Mapping[str, str], known: Known, where: str) -> Mapping[str, object]:
    """Cells of a row, and of its configuration what they do not say."""
    if all(name in stated for name in REQUIRED):
        return stated
    config_id = stated.get("config_id", "").strip()
    if config_id not in known:
        raise InputError(
            f"{where}, column config_id: no configuration of the published build is called"
            f" '{config_id}'{did_you_mean(config_id, known)}; of another plan, give --plan"
        )
    return {**known[config_id], **stated}


def _require_results(described: Path, results: Path) -> None:
    """Read the file once into memory: what is no table of results ends here."""
    with duckdb.connect() as con:
        land(con, [InputFile(str(results), described, "")])
        if not con.sql("select count(*) from raw.benchmart_runs").fetchall()[0][0]:
            needed = ", ".join(REQUIRED)
            raise InputError(
                f"{results}: no table of results in the native format; needed are {needed},"
                " or config_id, and metrics; files in other formats: benchmart build --raw DIRECTORY"
            )
